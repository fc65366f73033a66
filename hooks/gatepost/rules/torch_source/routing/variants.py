"""TS111, TS112, TS113, TS116, TS117: groups and extras that mean different builds."""

from __future__ import annotations

import re

from gatepost.rules.torch_source import fixes, markers, paths, urls
from gatepost.rules.torch_source.model import (
    DEFAULT,
    DIRECT,
    EXTENDED,
    EXTRA,
    FAMILY,
    GROUP,
    MAIN,
    SHARED,
    fold,
)
from gatepost.rules.torch_source.routing.sources import in_scope
from gatepost.rules.torch_source.table import names_build
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project, Requirement, Route
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def group_sources(p: Project, v: View) -> Findings:
    """TS111, TS112, TS113: one package, several places that ask for it, different sources (one entry per name)."""
    if not p.semantics().one_per_name:
        return
    seen: set[tuple[str, object]] = set()
    for name in sorted({req.name for req in p.requirements if req.name in EXTENDED}):
        reqs = [req for req in p.named(name) if not req.url]
        for number, left in enumerate(reqs):
            for right in reqs[number + 1 :]:
                a, b = _source(p, left), _source(p, right)
                if a == b:
                    continue
                if not markers.overlap(left.marker, right.marker):
                    continue
                bare, routed = (left, right) if not a else (right, left)
                if not a or not b:
                    if ("TS111", bare.where) in seen or bare.spec.exact_label():
                        continue
                    seen.add(("TS111", bare.where))
                    source = a or b
                    yield found(
                        "TS111",
                        bare.where,
                        f"`{name}` in {bare.env.label()} has no source, but {routed.env.label()} takes it from `{source}`: "
                        f"Poetry locks one `{name}` for all groups, from `{source}`",
                        f'Give every `{name}` the same `source = "{source}"`, or separate them with `markers` that exclude each other, then run `poetry lock`.',
                        related=(routed.where,),
                    )
                    continue
                left_extras, right_extras = (markers.extra_names(markers.parse(req.marker)) for req in (left, right))
                if left_extras and right_extras:
                    yield from _extras_overlap(p, v, left, right, a, b)
                elif ("TS112", right.where) not in seen:
                    seen.add(("TS112", right.where))
                    yield found(
                        "TS112",
                        right.where,
                        f"`{name}` comes from `{b}` in {right.env.label()} and from `{a}` in {left.env.label()} under overlapping markers: "
                        "Poetry resolves all groups together and cannot lock both",
                        "Separate the two with markers that exclude each other (platform or extra), or keep one source, then run `poetry lock`.",
                        related=(left.where,),
                    )


def _source(p: Project, req: Requirement) -> str:
    routes = p.routes_of(req)
    name = routes[0].index.lower() if routes and routes[0].index else ""
    return "" if name == "pypi" else name


def _extras_overlap(p: Project, v: View, left: Requirement, right: Requirement, a: str, b: str) -> Findings:
    ours, theirs = (sorted(markers.extra_names(markers.parse(req.marker))) for req in (left, right))
    changes = []
    for req, own, other in ((left, ours, theirs), (right, theirs, ours)):
        missing = [name for name in other if name not in own]
        doc = fixes.document(v, p.path)
        if doc is None or req.whole is None:
            return
        raw = doc.text[req.whole[0] : req.whole[1]]
        hit = re.search(r"markers\s*=\s*([\"'])", raw)
        if hit is None or not missing:
            continue
        close = raw.find(hit[1], hit.end())
        quote = "'" if hit[1] == '"' else '"'
        at = req.whole[0] + close
        changes.append((at, at, "".join(f" and extra != {quote}{name}{quote}" for name in missing)))
    yield found(
        "TS113",
        right.where,
        f"`{right.name}` for {_names(theirs)} and for {_names(ours)} come from `{b}` and `{a}`, but both extras can be asked for at once: Poetry cannot lock",
        f"Make the markers exclude each other, such as `extra == '{theirs[0]}' and extra != '{ours[0]}'`, then run `poetry lock`.",
        fix=v.edit(p.path, "make the extras' markers exclude each other", changes),
        related=(left.where,),
    )


def _names(names: list[str]) -> str:
    return "extra " + " and ".join(f"`{name}`" for name in names)


def variants_not_exclusive(p: Project, v: View) -> Findings:
    """TS113 for uv: extras or groups routed to different indexes need `conflicts`."""
    if p.tool != "uv":
        return
    done: set[frozenset[str]] = set()
    scoped = [
        route
        for route in p.routes
        if route.package in EXTENDED and route.index and (route.extra or route.group) and p.own(route.where)
    ]
    for number, left in enumerate(scoped):
        for right in scoped[number + 1 :]:
            if left.package != right.package or left.index == right.index:
                continue
            pair = [
                ("extra", left.extra) if left.extra else ("group", left.group),
                ("extra", right.extra) if right.extra else ("group", right.group),
            ]
            keys = frozenset(f"{kind}:{fold(name)}" for kind, name in pair)
            if len(keys) < 2 or keys in done or any(keys <= conflict for conflict in p.conflicts):
                continue
            if left.marker and right.marker and not markers.overlap(left.marker, right.marker):
                continue
            if not all(in_scope(p, left.package, kind, name) for kind, name in pair):
                continue
            done.add(keys)
            shown = " and ".join(f"{kind} `{name}`" for kind, name in pair)
            entry = ", ".join(f'{{ {kind} = "{name}" }}' for kind, name in pair)
            yield found(
                "TS113",
                right.where,
                f"{shown} take `{left.package}` from different indexes but are not declared as conflicting: uv cannot lock",
                f"Add `conflicts = [[{entry}]]` under [tool.uv], then run `uv lock`.",
                fix=v.edit(p.path, f"declare {shown} as conflicting", fixes.add_conflict(v, p, pair)),
            )


_VARIANTS = (".cpu", ".gpu", ".cuda", ".rocm", *(f".cu{number}" for number in range(90, 150)))


def identical_variants(p: Project, v: View) -> Findings:
    """TS116: extras or groups called cpu and gpu that ask for the same torch from the same place."""
    if p.tool in ("pip", "conda", "pixi", "Pipenv", "Hatch"):
        return
    by_env: dict[tuple[str, str], list[Requirement]] = {}
    for req in p.requirements:
        if (
            req.name == "torch"
            and req.role == DIRECT
            and req.env.kind in (EXTRA, GROUP)
            and names_build(req.env.words())
        ):
            by_env.setdefault((req.env.kind, req.env.name), []).append(req)
    plain = [
        (key, reqs[0])
        for key, reqs in by_env.items()
        if len(reqs) == 1 and not p.routes_of(reqs[0]) and not reqs[0].url and not reqs[0].spec.labels()
    ]
    if (len(plain) > 1 or p.tool == "Poetry") and any(
        path.endswith(_VARIANTS) and paths.folder(path) == p.root and "lock." in path.rpartition("/")[2]
        for path in v.tree.paths()
    ):
        return  # one lock per variant, exchanged by hand: `uv.lock.cpu`, `uv.lock.cu128`
    for number, (left_key, left) in enumerate(plain):
        for right_key, right in plain[number + 1 :]:
            ours, theirs = names_build(left.env.words()), names_build(right.env.words())
            if left_key[0] != right_key[0] or (urls.kind(ours) == urls.kind(theirs) and ours == theirs):
                continue
            if left.text.replace(" ", "") != right.text.replace(" ", "") or left.marker != right.marker:
                continue
            if any(index.torch() and index.role in (SHARED, DEFAULT) for index in p.indexes):
                continue
            if v.index_given_for_extra(left.env.name) or v.index_given_for_extra(right.env.name):
                continue
            yield found(
                "TS116",
                right.where,
                f"{left.env.label()} and {right.env.label()} ask for the same `torch` from the same place: both install PyPI's build",
                "Route each to its own index"
                + (
                    f' with `{left_key[0]} = "..."` in [tool.uv.sources]'
                    + ("." if p.exclusive(left.env, right.env) else " and declare them in `conflicts`.")
                    if p.tool == "uv"
                    else "."
                ),
                # Variants that choose other packages as well are not the same, whatever torch they install.
                severity=None if _same_otherwise(p, left, right) else "warning",
                related=(left.where,),
            )
    for (left_name, left_items), (right_name, right_items) in _pairs(p.extras):
        if p.tool == "Poetry" and not by_env and "torch" in left_items and "torch" in right_items and p.named("torch"):
            ours, theirs = (
                names_build(re.split(r"[^A-Za-z0-9.]+", left_name)),
                names_build(re.split(r"[^A-Za-z0-9.]+", right_name)),
            )
            torch = p.named("torch")
            if ours and theirs and ours != theirs and len(torch) == 1:
                yield found(
                    "TS116",
                    torch[0].where,
                    f"extras `{left_name}` and `{right_name}` both name the one `torch` declared here: they install the same build",
                    "Declare torch once per variant, with `markers = \"extra == 'cpu' and extra != 'gpu'\"` and its own `source`.",
                )


def _same_otherwise(p: Project, left: Requirement, right: Requirement) -> bool:
    """Whether two extras or groups ask for the same packages besides PyTorch's, or name a build (`cu128`)."""
    ours, theirs = (
        {
            req.name
            for req in p.requirements
            if req.env == env and req.name not in FAMILY and not req.name.startswith("nvidia-")
        }
        for env in (left.env, right.env)
    )
    return ours == theirs or any(names_build(req.env.words())[-1:].isdigit() for req in (left, right))


def _pairs(
    items: tuple[tuple[str, tuple[str, ...]], ...],
) -> Iterator[tuple[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]]]:
    for number, left in enumerate(items):
        for right in items[number + 1 :]:
            yield left, right


def _variant_by_default(p: Project, v: View, routes: list[Route]) -> bool:
    """Whether `default-groups` hold a variant, so that a plain `uv sync` chooses one: a routed group, or its opposite."""
    from gatepost.rules.torch_source.installed.groups import default_groups
    from gatepost.toml.load import TomlError, loads

    doc = fixes.document(v, p.path)
    if doc is None or "default-groups" not in doc.text:
        return False
    try:
        chosen = default_groups(loads(doc.text.encode()))
    except TomlError:
        return False
    names = {f"group:{fold(str(name))}" for name in chosen} if isinstance(chosen, list) else set()
    routed = {f"extra:{fold(route.extra)}" if route.extra else f"group:{fold(route.group)}" for route in routes}
    return bool(names & routed) or any(names & conflict and routed & conflict for conflict in p.conflicts)


def base_bypasses_variant(p: Project, v: View) -> Findings:
    """TS117: the variants are routed by extra or group, and the base dependencies ask for the package as well."""
    if p.tool != "uv":
        return
    for name in sorted(FAMILY):
        routes = [route for route in p.routes if route.package == name]
        if not routes or not all(route.extra or route.group for route in routes) or _variant_by_default(p, v, routes):
            continue
        if not p.dynamic and not any(req.env.kind in (EXTRA, GROUP) for req in p.named(name)):
            continue  # no variant has it: TS115
        for req in p.named(name):
            if req.env.kind == MAIN:
                yield found(
                    "TS117",
                    req.where,
                    f"`{name}` is also a base dependency: without an extra or group, `uv sync` installs PyPI's build",
                    f"Move `{name}` from [project].dependencies into the variants, if a plain install should have none.",
                )
                break
