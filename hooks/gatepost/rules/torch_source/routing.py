"""TS1xx: does the package come from the index that was meant, for everyone who installs it?"""

from __future__ import annotations

import itertools
import re

from gatepost.rules.torch_source import fixes, markers, paths, specs, urls
from gatepost.rules.torch_source.model import (
    BUILD,
    CONSTRAINT,
    DEFAULT,
    DIRECT,
    EXTENDED,
    EXTRA,
    FALLBACK,
    FAMILY,
    GROUP,
    MAIN,
    ROUTED,
    SHARED,
    fold,
    wheel_platforms,
)
from gatepost.rules.torch_source.table import names_build
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Index, Project, Requirement, Route
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def undeclared_index(p: Project, v: View) -> Findings:
    """TS101, TS129: a route names an index that is not declared, or declared in another case."""
    table = p.semantics().index_table
    for route in p.routes:
        if route.package not in EXTENDED or not route.index or not p.own(route.where):
            continue
        index = p.index(route.index)
        if index is None:
            if p.tool == "Poetry" and route.index.lower() == "pypi":
                continue
            declared = ", ".join(f"`{item.name}`" for item in p.indexes if item.name) or "none"
            consequence = {
                "Poetry": "Poetry cannot lock",
                "uv": "uv cannot lock",
                "Pipenv": "Pipenv takes it from the first source, without a word",
            }.get(p.tool, "it cannot be resolved")
            yield found(
                "TS101",
                route.where,
                f"`{route.package}` is routed to `{route.index}`, which {table} does not declare (declared: {declared}): {consequence}",
                f"Declare `{route.index}` under {table} with its URL, or correct the name, then run `{p.semantics().relock}`.",
            )
        elif index.name != route.index:
            changes = _rename(p, v, route, index.name)
            yield found(
                "TS129",
                route.where,
                f"`{route.package}` names the source `{route.index}`, declared as `{index.name}`: `poetry check` fails, `poetry lock` does not",
                f'Write `source = "{index.name}"`.',
                fix=v.edit(route.where.path, f"write the source's name as declared: {index.name}", changes),
            )


def _rename(p: Project, v: View, route: Route, name: str) -> list[tuple[int, int, str]]:
    doc = fixes.document(v, route.where.path)
    if doc is None or route.span is None:
        return []
    start, end = route.span
    hit = re.search(rf"(source\s*=\s*[\"']){re.escape(route.index)}([\"'])", doc.text[start:end])
    return [(start + hit.end(1), start + hit.start(2), name)] if hit else []


def unrouted_index(p: Project, v: View) -> Findings:
    """TS102: an index of PyTorch that serves only what is routed to it, and nothing is."""
    if p.tool not in ("Poetry", "uv", "Pipenv"):
        return
    for index in p.torch_indexes():
        if index.role != ROUTED or not p.own(index.where) or not index.name:
            continue
        if any(route.index.lower() == index.name.lower() for route in p.routes):
            continue
        direct = sorted(
            {req.name for req in p.requirements if req.name in FAMILY and req.role == DIRECT and not req.url},
            key=lambda name: name != "torch",
        )
        unrouted = [name for name in direct if not any(p.routes_of(req) for req in p.named(name))]
        if direct and not unrouted:
            continue  # another index is in use; this one is kept at hand
        others = [other for other in p.torch_indexes() if other.role == ROUTED and other is not index]
        fix = None
        if unrouted and unrouted == direct and not others:
            fix = v.edit(p.path, f"route {', '.join(unrouted)} to {index.name}", fixes.route(v, p, index, unrouted))
        what = (
            f"{', '.join(f'`{name}`' for name in unrouted)} come{'s' if len(unrouted) == 1 else ''} from PyPI"
            if unrouted
            else "it has no effect"
        )
        key = {"uv": "[tool.uv.sources]", "Poetry": "`source =`", "Pipenv": "`index =`"}[p.tool]
        remedy = (
            f"Route {unrouted[0]} to `{index.name}` with {key}"
            if unrouted
            else f"Remove the index `{index.name}`, or declare torch and route it with {key}"
        )
        yield found(
            "TS102",
            index.where,
            f"index `{index.name}` ({urls.show(index.url)}) is declared, but nothing is routed to it: {what}",
            f"{remedy}, then run `{p.semantics().relock}`.",
            fix=fix,
        )


def unrouted_companion(p: Project, v: View) -> Findings:
    """TS103: torch has a source and its companion has none (or the reverse), in one environment."""
    if p.tool not in ("Poetry", "uv", "Pipenv"):
        return
    family = [req for req in p.family() if not req.url]
    seen: set[str] = set()
    for routed in family:
        targets = [
            index for route in p.routes_of(routed) if route.index and (index := p.index(route.index)) is not None
        ]
        if not targets or not all(index.torch() for index in targets):
            continue
        for other in family:
            if other.name == routed.name or other.name in seen or p.routes_of(other) or other.spec.exact_label():
                continue
            if not p.together(routed, other):
                continue
            if any(
                req.name == other.name and p.routes_of(req) and (req.env == other.env or p.semantics().one_per_name)
                for req in family
            ):
                continue
            if any(p.serves(index, other.name) and index.role != FALLBACK for index in targets):
                continue
            if any(index.role in (SHARED, DEFAULT) and index.torch() for index in p.indexes):
                continue
            if not p.own(other.where):
                continue
            seen.add(other.name)
            index = targets[0]
            fix = None
            if len({item.name for item in targets}) == 1 and not any(
                route.marker or route.extra or route.group for route in p.routes_of(routed)
            ):
                fix = v.edit(p.path, f"route {other.name} to {index.name} too", fixes.route(v, p, index, [other.name]))
            yield found(
                "TS103",
                other.where,
                f"`{routed.name}` comes from `{index.name}`, but `{other.name}` has no source and comes from PyPI, built for another torch",
                f"Route `{other.name}` to `{index.name}` as well, then run `{p.semantics().relock}`.",
                fix=fix,
            )


def dead_route(p: Project, v: View) -> Findings:
    """TS104: a source for a package that the project does not itself require does nothing."""
    if p.tool != "uv" or p.dynamic:
        return
    # A constraint without a bound does not make the source live (tested with uv 0.13.8).
    wanted = {
        req.name for req in (*p.requirements, *p.foreign) if req.role not in (CONSTRAINT, BUILD) or req.text.strip()
    }
    locked = {entry.name: entry for lock in p.locks for entry in lock.entries}
    seen: set[str] = set()
    for route in p.routes:
        if (
            route.package not in EXTENDED
            or not route.index
            or route.package in wanted
            or route.package in seen
            or not p.own(route.where)
        ):
            continue
        index = p.index(route.index)
        if index is None:
            continue
        entry = locked.get(route.package)
        if entry is not None and entry.origin and urls.same(entry.origin, index.url):
            continue  # something makes it live that is not in these files
        seen.add(route.package)
        fix = None
        absent = bool(p.locks) and entry is None
        if not absent and index.name:
            fix = v.edit(
                p.path,
                f"make the source of {route.package} live through constraint-dependencies",
                fixes.add_item(v, p.path, ("tool", "uv", "constraint-dependencies"), f"{route.package}>=0"),
            )
        remedy = (
            f"Remove the entry: nothing in the lock needs `{route.package}`."
            if absent
            else f'Add `constraint-dependencies = ["{route.package}>=0"]` under [tool.uv], then run `uv lock`.'
        )
        yield found(
            "TS104",
            route.where,
            f"`{route.package}` has a source, but no requirement of this project names it: uv ignores the entry and takes the PyPI build",
            remedy,
            fix=fix,
        )


def index_not_explicit(p: Project, v: View) -> Findings:
    """TS105, TS106, TS107: how PyTorch's index stands beside the public registry."""
    if p.tool not in ("Poetry", "uv", "PDM", "Pipenv"):
        return
    for index in p.torch_indexes():
        if not p.own(index.where):
            continue
        name = index.name or urls.show(index.url)
        if index.role == FALLBACK:
            shadowed = [req for req in p.family() if not p.routes_of(req) and not req.url and not req.spec.labels()]
            if shadowed:
                fix = v.edit(p.path, f"make {name} explicit and route torch to it", fixes.make_explicit(v, p, index))
                yield found(
                    "TS107",
                    shadowed[0].where,
                    f"`{shadowed[0].name}` has no `source =` and `{name}` is {index.written}: PyPI has a match, so Poetry never asks `{name}`",
                    f'Write `source = "{name}"` on `{shadowed[0].name}` and `priority = "explicit"` on the source, then run `poetry lock`.',
                    fix=fix,
                )
                continue
        if index.role == DEFAULT and p.tool != "pip":
            yield found(
                "TS106",
                index.where,
                f"`{name}` stands in for PyPI, so every package is taken from PyTorch's stale mirror or not found",
                _default_remedy(p, name),
            )
        elif index.role in (SHARED, FALLBACK):
            fix = (
                v.edit(p.path, f"make {name} explicit", fixes.make_explicit(v, p, index))
                if p.tool in ("uv", "Poetry")
                else None
            )
            if p.tool == "PDM":
                fix = v.edit(p.path, f"limit {name} to PyTorch's packages", _include(v, p, index))
            yield found(
                "TS105",
                index.where,
                f"`{name}` is asked for every package, not only for PyTorch: {_why_shared(p, index)}",
                _explicit_remedy(p, name),
                fix=fix,
            )


def _why_shared(p: Project, index: Index) -> str:
    if p.tool == "uv":
        return "uv takes numpy, filelock and the like from its stale mirror"
    if index.role == FALLBACK:
        return "Poetry asks it whenever PyPI has no match"
    return f"{p.tool} merges it with PyPI"


def _explicit_remedy(p: Project, name: str) -> str:
    return {
        "uv": f"Add `explicit = true` to the index and route torch to `{name}` in [tool.uv.sources], then run `uv lock`.",
        "Poetry": 'Write `priority = "explicit"` on the source and `source =` on torch and its companions, then run `poetry lock`.',
        "PDM": 'Add `include_packages = ["torch", "torchvision", "torchaudio"]` to the source, then run `pdm lock`.',
    }.get(p.tool, "Route only PyTorch's packages to it.")


def _default_remedy(p: Project, name: str) -> str:
    if p.tool == "Pipenv":
        return f'Put PyPI first among the [[source]] entries and write `index = "{name}"` on torch, then run `pipenv lock`.'
    return _explicit_remedy(p, name)


def _include(v: View, p: Project, index: Index) -> list[tuple[int, int, str]]:
    doc = fixes.document(v, p.path)
    if doc is None:
        return []
    for statement in doc.statements:
        if statement.path[:3] == ("tool", "pdm", "source") and statement.path[-1:] == ("url",):
            if index.url in doc.text[statement.value_start : statement.value_end]:
                return fixes.add_key(
                    doc,
                    statement.path[:-1],
                    'include_packages = ["torch", "torchvision", "torchaudio", "pytorch-*", "nvidia-*"]',
                )
    return []


def unsafe_strategy(p: Project, v: View) -> Findings:
    """TS109, TS110: settings of uv that undo or do not do what they seem to."""
    if p.tool != "uv":
        return
    if p.strategy in ("unsafe-best-match", "unsafe-first-match") and p.indexes:
        index = p.indexes[0]
        where = index.where
        doc = fixes.document(v, p.path)
        for path in (("tool", "uv", "index-strategy"), ("tool", "uv", "pip", "index-strategy")):
            line = doc.line(path) if doc is not None else None
            if line is not None:
                from gatepost.model import Location

                where = Location(path=p.path, line=line, key=".".join(path))
        yield found(
            "TS109",
            where,
            f'`index-strategy = "{p.strategy}"` lets any index serve any package by the highest version, as in the torchtriton attack',
            "Remove `index-strategy` and route PyTorch's packages with an explicit index, then run `uv lock`.",
        )
    if p.settings_torch_backend is not None and any(lock.format == "uv.lock" for lock in p.locks):
        direct = p.family()
        if direct and not any(p.routes_of(req) for req in direct):
            yield found(
                "TS110",
                p.settings_torch_backend,
                "`torch-backend` is read by `uv pip` only: `uv lock` and `uv sync` ignore it without a word",
                "Declare the index under [[tool.uv.index]] with `explicit = true` and route torch in [tool.uv.sources], then run `uv lock`.",
            )


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
            if not all(_in_scope(p, left.package, kind, name) for kind, name in pair):
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


def _in_scope(p: Project, package: str, kind: str, name: str) -> bool:
    return any(
        req.name == package and req.env.kind == kind and fold(req.env.name) == fold(name) for req in p.requirements
    )


def sources_overlap(p: Project, v: View) -> Findings:
    """TS114: several sources of one package whose markers are missing or overlap (uv compares neighbours)."""
    if p.tool != "uv":
        return
    for name in sorted({route.package for route in p.routes if route.package in EXTENDED}):
        routes = [route for route in p.routes if route.package == name and p.own(route.where)]
        for left, right in itertools.pairwise(routes):
            if left.where.key.rpartition("[")[0] != right.where.key.rpartition("[")[0]:
                continue
            if left.extra != right.extra or left.group != right.group:
                continue
            if left.marker and right.marker and not markers.overlap(left.marker, right.marker):
                continue
            lacking = next((route for route in (left, right) if not route.marker), None)
            what = "one of them has no marker" if lacking else "their markers overlap"
            yield found(
                "TS114",
                (lacking or right).where,
                f"`{name}` has several sources and {what}: uv refuses the file",
                "Give each source a `marker` that excludes the others, such as \"sys_platform == 'linux'\" and \"sys_platform != 'linux'\".",
            )


def scope_missing(p: Project, v: View) -> Findings:
    """TS115: a source limited to an extra or group that does not have the package."""
    if p.tool != "uv" or p.dynamic:
        return
    for route in p.routes:
        if route.package not in EXTENDED or not p.own(route.where):
            continue
        for kind, name in ((EXTRA, route.extra), (GROUP, route.group)):
            if name and not _in_scope(p, route.package, kind, name):
                exists = any(req.env.kind == kind and fold(req.env.name) == fold(name) for req in p.requirements)
                if not exists and kind == GROUP and _includes(v, p, name):
                    continue
                if exists and kind == GROUP and _includes(v, p, name):
                    continue
                yield found(
                    "TS115",
                    route.where,
                    f"this source of `{route.package}` is for {kind} `{name}`, which {'does not have the package' if exists else 'does not exist'}: uv refuses the file",
                    f"Add `{route.package}` to {kind} `{name}`, or correct the name.",
                )


def _includes(v: View, p: Project, group: str) -> bool:
    data = v.tree.read(p.path)
    return data is not None and b"include-group" in data


_VARIANTS = (".cpu", ".gpu", ".cuda", ".rocm", *(f".cu{number}" for number in range(90, 150)))


def identical_variants(p: Project, v: View) -> Findings:
    """TS116: extras or groups called cpu and gpu that ask for the same torch from the same place."""
    if p.tool in ("pip", "conda", "pixi", "Pipenv"):
        return
    if any(
        paths.folder(path) == p.root and "lock." in path.rpartition("/")[2] and path.endswith(_VARIANTS)
        for path in v.tree.paths()
    ):
        return  # one lock per variant, exchanged by hand: `uv.lock.cpu`, `uv.lock.cu128`
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
                    ' with `extra = "..."` in [tool.uv.sources] and declare them in `conflicts`.'
                    if p.tool == "uv"
                    else "."
                ),
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


def _pairs(
    items: tuple[tuple[str, tuple[str, ...]], ...],
) -> Iterator[tuple[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]]]:
    for number, left in enumerate(items):
        for right in items[number + 1 :]:
            yield left, right


def base_bypasses_variant(p: Project, v: View) -> Findings:
    """TS117: the variants are routed by extra or group, and the base dependencies ask for the package as well."""
    if p.tool != "uv":
        return
    for name in sorted(FAMILY):
        routes = [route for route in p.routes if route.package == name]
        if not routes or not all(route.extra or route.group for route in routes):
            continue
        for req in p.named(name):
            if req.env.kind == MAIN:
                yield found(
                    "TS117",
                    req.where,
                    f"`{name}` is also a base dependency: without an extra or group, `uv sync` installs PyPI's build",
                    f"Move `{name}` from [project].dependencies into the variants, if a plain install should have none.",
                )
                break


def lost_on_publish(p: Project, v: View) -> Findings:
    """TS118: a source never reaches the metadata of a published distribution."""
    if not p.published or p.tool not in ("Poetry", "uv"):
        return
    for req in p.family():
        if req.env.kind in (MAIN, EXTRA) and any(route.index for route in p.routes_of(req)) and p.own(req.where):
            yield found(
                "TS118",
                req.where,
                f"the source of `{req.name}` is for this checkout only: whoever installs the published package gets PyPI's build",
                "Say in the README how to choose the build, or ignore this if the package is not published.",
            )
            return


def extra_index(p: Project, v: View) -> Findings:
    """TS121, TS122, TS125: PyTorch's index merged with PyPI by `--extra-index-url`."""
    if p.tool not in ("pip", "conda"):
        return
    direct = [req for req in p.requirements if req.role == DIRECT]
    for index in p.torch_indexes():
        if index.role != SHARED or index.parts().channel:
            continue
        report = None
        for req in sorted(direct, key=lambda req: req.name != "torch"):
            if req.name not in FAMILY or req.url or req.spec.pin() or req.spec.broken:
                continue
            tied = [req.spec] + [
                other.spec for other in p.requirements if other.role == CONSTRAINT and other.name == req.name
            ]
            if any(spec.pin() for spec in tied):
                continue
            report = _highest_wins(p, v, index, req)
            break
        if report is not None:
            yield report
            continue
        if direct and all(req.spec.pin() or req.url for req in direct):
            pass
        else:
            yield found(
                "TS122",
                index.where,
                f"every package {'of this file' if p.requirements else 'that pip installs with this configuration'} may come from "
                f"{urls.show(index.url)} as well as from PyPI: pip takes the highest version it finds",
                "Install PyTorch in a step of its own with `--index-url`, or pin every package.",
            )
        if p.tool == "pip" and v.install_tools(p.path) == {"pip", "uv"}:
            yield found(
                "TS125",
                index.where,
                "this file is installed with pip and with uv, which read --extra-index-url differently: pip takes the highest version, uv the first index that has the package",
                "Install it with one tool, or pin every package that both indexes have.",
            )


def _highest_wins(p: Project, v: View, index: Index, req: Requirement) -> Finding | None:
    tag = index.tag()
    table = v.table
    remedy = f"Pin the build, such as `{req.name}==<version>+{tag or 'cpu'}`, or install PyTorch in a step of its own with `--index-url {urls.show(index.url)}`."
    last = table.last_for(tag) if tag else None
    if last is not None:
        versions = table.torch if req.name == "torch" else table.versions(req.name)
        newest = [version for version in versions if req.spec.admits(version)]
        limit = last.torch if req.name == "torch" else table.partner(req.name, last.torch)
        high, bound = specs.key(newest[-1]) if newest else None, specs.key(limit)
        if high is not None and bound is not None and high > bound:
            return found(
                "TS121",
                index.where,
                f"`{req.name}{req.text}` is not pinned and {tag} ends at {req.name} {limit}: pip takes {newest[-1]} or newer from PyPI, not the {tag} build",
                remedy,
                related=(req.where,),
            )
        if high is not None and not req.spec.admits_unknown(table.newest):
            return None
    if req.spec.bounded_above() and req.spec.rows(table.torch if req.name == "torch" else table.versions(req.name)):
        return None
    return found(
        "TS121",
        index.where,
        f"`{req.name}{req.text}` is not pinned, so the build depends on which index has the higher version on the day: {urls.show(index.url)} or PyPI",
        remedy,
        severity="warning",
        related=(req.where,),
    )


def stable_page(p: Project, v: View) -> Findings:
    """TS123: the legacy find-links page."""
    for index in p.indexes:
        if "torch_stable.html" not in index.url:
            continue
        tags = {tag for req in p.requirements if (tag := req.tag())}
        tag = urls.split(index.url).build or (tags.pop() if len(tags) == 1 else "")
        option = (
            "--index-url"
            if all(req.name in EXTENDED for req in p.requirements if req.role == DIRECT)
            else "--extra-index-url"
        )
        address = f"https://download.pytorch.org/whl/{tag or '<build>'}"
        fix = None
        if tag and p.tool == "pip" and index.span is not None:
            data = v.tree.read(index.where.path)
            text = data.decode("utf-8", "replace") if data else ""
            head = re.search(r"(?:-f|--find-links)[=\s]*[\"']?$", text[: index.span[0]])
            if head is not None:
                fix = v.edit(
                    index.where.path, f"use the index of {tag}", [(head.start(), index.span[1], f"{option} {address}")]
                )
        yield found(
            "TS123",
            index.where,
            "torch_stable.html lists every build of every release at once; it is PyTorch's legacy page",
            f"Use the index of one build instead: `{option} {address}`.",
            fix=fix,
        )


def one_platform_url(p: Project, v: View) -> Findings:
    """TS124: a wheel of one platform, asked for everywhere."""
    for name, url, marker, where in (
        *((req.name, req.url, req.marker, req.where) for req in p.requirements if req.role == DIRECT),
        *(
            (route.package, route.url.removeprefix("url:"), route.marker, route.where)
            for route in p.routes
            if route.url.startswith("url:")
        ),
    ):
        if name not in FAMILY or "://" not in url or p.linux_only or (not p.own(where) and p.tool == "uv"):
            continue
        served = wheel_platforms(url)
        if not served or len(served) >= 4 or markers.names(marker) or p.environments:
            continue
        yield found(
            "TS124",
            where,
            f"`{name}` is a wheel for {', '.join(sorted(served))} only, but no marker says so: installing fails elsewhere",
            f"Add a marker, such as `; sys_platform == '{_sys(served)}'`, or use an index.",
        )


def _sys(served: set[str]) -> str:
    first = min(served)
    return "linux" if first.startswith("linux") else "win32" if first.startswith("win") else "darwin"


def starved(p: Project, v: View) -> Findings:
    """TS126: `--index-url` replaces PyPI for every other package of the file."""
    if p.tool not in ("pip", "conda"):
        return
    for index in p.torch_indexes():
        if index.role != DEFAULT or any(other.role in ("pypi", SHARED) for other in p.indexes):
            continue
        there = v.table.index_packages() | set(v.table.overlay["mirrored"]["names"])
        others = [
            req
            for req in p.requirements
            if req.role == DIRECT and req.name not in there and not req.url and not req.name.startswith("nvidia-")
        ]
        if others:
            shown = ", ".join(f"`{req.name}`" for req in others[:3]) + (
                f" and {len(others) - 3} more" if len(others) > 3 else ""
            )
            yield found(
                "TS126",
                index.where,
                f"--index-url replaces PyPI for the whole file, and PyTorch's index does not have {shown}",
                "Put PyTorch into a file and an install step of its own.",
            )


RULES = (
    undeclared_index,
    unrouted_index,
    unrouted_companion,
    dead_route,
    index_not_explicit,
    unsafe_strategy,
    group_sources,
    variants_not_exclusive,
    sources_overlap,
    scope_missing,
    identical_variants,
    base_bypasses_variant,
    lost_on_publish,
    extra_index,
    stable_page,
    one_platform_url,
    starved,
)
