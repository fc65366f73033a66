"""TS2xx: do the versions and builds that are asked for exist, and do they go together? By rows of the table only."""

from __future__ import annotations

import re

from gatepost.model import Location
from gatepost.rules.torch_source import fixes, markers, specs, urls
from gatepost.rules.torch_source.model import (
    CONSTRAINT,
    DEFAULT,
    DIRECT,
    EXTENDED,
    EXTRA,
    FAMILY,
    GROUP,
    LINKS,
    MAIN,
    ROUTED,
    SHARED,
    fold,
)
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Index, Project, Requirement
    from gatepost.rules.torch_source.table import Row
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]

PAIRED = ("torchvision", "torchaudio")
FORCING = ("vllm", "xformers", "torchtext", "torchdata")
NUMPY_CAPPED = frozenset(
    {
        "scipy",
        "numba",
        "tensorflow",
        "tensorflow-cpu",
        "tensorflow-gpu",
        "thinc",
        "spacy",
        "gensim",
        "librosa",
        "langchain",
        "langchain-community",
        "chromadb",
        "scikit-image",
        "fairseq",
        "transformer-lens",
        "streamlit",
        "contourpy",
        "matplotlib",
        "pandas",
        "faiss-cpu",
        "unstructured",
    }
)


def label_in_range(p: Project, v: View) -> Findings:
    """TS201: a build tag in anything but `==`."""
    for req in p.requirements:
        if req.name not in EXTENDED or req.role == "conda":
            continue
        clauses = req.spec.labelled_ranges()
        if not clauses:
            continue
        clause = clauses[0]
        if p.semantics().label_in_range == "text":
            public = specs.public(clause.version)
            why = (
                f"{p.tool} compares the tag as text, so any newer build satisfies it, from any source, and pip refuses the wheel built from it"
                if public
                else ""
            )
        else:
            why = f"a build tag is only allowed after `==`, so {'pip and uv refuse' if p.tool == 'pip' else p.tool + ' refuses'} it"
        routed = bool(p.routes_of(req))
        yield found(
            "TS201",
            req.where,
            f"`{req.name}` {req.text.strip()} puts the build tag `+{specs.label(clause.version)}` in a range: {why}",
            f"Drop the tag: `{req.name}` `{re.sub(r'[+][A-Za-z0-9.]+', '', req.text.strip())}`"
            + (
                " (the source already chooses the build)"
                if routed
                else f", and choose the build with an index, or pin `=={clause.version}`"
            )
            + (f", then run `{p.semantics().relock}`." if p.locks else "."),
            fix=v.edit(req.where.path, f"drop the build tag from {req.name}", fixes.drop_label(req)),
        )


def label_without_index(p: Project, v: View) -> Findings:
    """TS202: a build tag that the public registry does not have, and no index that could."""
    if p.tool not in ("pip", "uv", "Poetry", "PDM", "Pipenv", "pyproject", "conda") or (p.dynamic and p.tool == "pip"):
        return
    for req in p.requirements:
        if req.name not in FAMILY or req.url or req.role not in (DIRECT, CONSTRAINT):
            continue
        tag = req.tag()
        if not tag or p.routes_of(req):
            continue
        serving = [index for index in p.indexes if p.serves(index, req.name) or index.role == LINKS]
        if any(not _lacks(index, tag) for index in serving):
            continue
        if p.tool == "pip" and (
            v.index_given_for(p.path) or v.index_given_for(req.where.path) or _given_by_includer(p, v, req.where.path)
        ):
            continue
        if p.tool == "conda" and v.pip_conf():
            continue
        if p.tool == "pyproject" and (
            p.settings_torch_backend is not None or any(v.index_given_for(path) for path in ("pyproject.toml",))
        ):
            continue
        version = req.spec.pin()
        address = f"https://download.pytorch.org/whl/{tag}"
        remedy = {
            "pip": f"Add a line `--extra-index-url {address}` to the file.",
            "conda": f"Add `- --extra-index-url {address}` above it in the pip: list.",
            "Poetry": f'Add a [[tool.poetry.source]] with `url = "{address}"` and `priority = "explicit"`, and `source =` here, then run `poetry lock`.',
            "Pipenv": f'Add a [[source]] with `url = "{address}"` and `index =` here, then run `pipenv lock`.',
            "PDM": f'Add a [[tool.pdm.source]] with `url = "{address}"`, then run `pdm lock`.',
        }.get(
            p.tool,
            f'Add [[tool.uv.index]] with `url = "{address}"` and `explicit = true`, and route `{req.name}` in [tool.uv.sources], then run `uv lock`.',
        )
        yield found(
            "TS202",
            req.where,
            f"`{req.name}=={version}+{tag}` is not on PyPI, and no index here has it: it cannot be installed",
            remedy,
        )


def _lacks(index: Index, tag: str) -> bool:
    """Whether an index is PyTorch's own of another build, so that it cannot have this one."""
    parts = index.parts()
    return (
        parts.official
        and index.role != LINKS
        and not parts.channel
        and urls.tag_of(index.tag()) != ""
        and index.tag() != tag
    )


def _given_by_includer(p: Project, v: View, path: str) -> bool:
    """Whether a file that includes this one names an index."""
    return any(
        other.tool == "pip"
        and other.path != p.path
        and path in other.files
        and any(index.role in (DEFAULT, SHARED, LINKS) for index in other.indexes)
        for other in v.projects
    )


def companions(p: Project, v: View) -> Findings:
    """TS203, TS204, TS205: torch and its companions, by the table's rows."""
    table = v.table
    torches = [req for req in p.named("torch") if not req.url]
    for name in (*PAIRED, "torchcodec"):
        for other in p.named(name):
            if other.url or other.spec.broken:
                continue
            for torch in torches:
                if torch.spec.broken or not p.together(torch, other):
                    continue
                rows, torch_unknown = table.torch_rows(_tightened(p, torch))
                releases, other_unknown = table.released(name, _tightened(p, other))
                pinned, version = torch.spec.pin(), other.spec.pin()
                if not rows:
                    continue
                report = None
                if pinned and version:
                    if name != "torchcodec" and not torch_unknown and table.pairs(name, version, pinned) is False:
                        report = _pins(p, v, torch, other, pinned, version)
                elif (
                    releases and name != "torchcodec" and _never(v, name, rows, releases, torch_unknown, other_unknown)
                ):
                    report = _apart(p, v, torch, other, rows)
                if report is None and not torch_unknown and not version:
                    report = _uncapped(p, v, torch, other, rows)
                if report is not None:
                    yield report
                    break


def _never(v: View, name: str, rows: list[Row], releases: list[str], torch_unknown: bool, other_unknown: bool) -> bool:
    """Whether no release of a companion pairs with any torch, releases newer than the table included.

    A newer torch pairs with a known release only if that release's own requirement admits it; a newer torchvision
    asks for at least the torch of the newest known one. Of a newer torchaudio nothing is known (TS205).
    """
    table = v.table
    if any(table.pairs(name, release, row.torch) is not False for row in rows for release in releases):
        return False
    if torch_unknown and any(
        not need or specs.parse(need).admits_unknown(table.newest)
        for release in releases
        for need in (table.requires[name].get(release, ""),)
    ):
        return False
    if not other_unknown:
        return True
    return name == "torchvision" and not torch_unknown


def _apart(p: Project, v: View, torch: Requirement, other: Requirement, rows: list[Row]) -> Finding:
    table = v.table
    name = other.name
    top = rows[-1].torch
    while len(rows) > 1 and not table.partner(name, top):
        rows = rows[:-1]
        top = rows[-1].torch
    partner = table.partner(name, top)
    goes = table.torch_of(name, other.spec.pin()) if other.spec.pin() else []
    example = (
        f"{name} {other.spec.pin()} goes with torch {goes[-1].torch}"
        if goes
        else f"torch {top} goes with {name} {partner}"
    )
    return found(
        "TS204",
        other.where,
        f"no `{name}` in `{_shown(p, other)}` goes with any torch in `{_shown(p, torch)}` ({example})",
        f"Ask for `{name}` {partner}" + (f", then run `{p.semantics().relock}`." if p.locks else "."),
        related=(torch.where,),
    )


def _shown(p: Project, req: Requirement) -> str:
    """A range as written; with the constraints on it where there are any."""
    texts = [req.text.strip()] + [
        other.text.strip()
        for other in p.requirements
        if other.name == req.name and other.role in (CONSTRAINT, "override")
    ]
    return ",".join(dict.fromkeys(text for text in texts if text)) or "*"


def _tightened(p: Project, req: Requirement) -> specs.Spec:
    """A requirement's range with the constraints and overrides on the same name."""
    extra = [
        other.spec
        for other in p.requirements
        if other.name == req.name and other.role in (CONSTRAINT, "override") and not other.spec.broken
    ]
    extra += [
        other.spec
        for other in p.requirements
        if other.name == req.name
        and other.role == DIRECT
        and other is not req
        and not other.url
        and not other.spec.broken
        and not other.marker
        and ((other.env == req.env and other.env.kind == "file") or (other.env.kind == MAIN and req.env.kind != MAIN))
    ]
    if not extra:
        return req.spec
    overrides = [other.spec for other in p.requirements if other.name == req.name and other.role == "override"]
    if overrides:
        return overrides[0]
    groups = list(req.spec.alternatives)
    for spec in extra:
        groups = [left + right for left in groups for right in spec.alternatives]
    return specs.Spec(text=req.text, dialect=req.spec.dialect, alternatives=tuple(groups), broken=req.spec.broken)


def _pins(p: Project, v: View, torch: Requirement, other: Requirement, pinned: str, version: str) -> Finding:
    table = v.table
    partner = table.partner(other.name, pinned)
    goes = table.torch_of(other.name, version)
    with_ = f" ({other.name} {version} goes with torch {goes[-1].torch})" if goes else ""
    return found(
        "TS203",
        other.where,
        f"`{other.name}` {version} does not go with `torch` {pinned}{with_}",
        f"Pin `{other.name}` {partner}" + (f", then run `{p.semantics().relock}`." if p.locks else "."),
        fix=v.edit(other.where.path, f"pin {other.name} {partner}", fixes.replace_version(other, partner))
        if partner
        else None,
        related=(torch.where,),
    )


def _uncapped(p: Project, v: View, torch: Requirement, other: Requirement, rows: list[Row]) -> Finding | None:
    """TS205: torchaudio 2.11 and torchcodec ask for no torch at all, so a resolver takes the newest beside any torch."""
    table = v.table
    if other.name == "torchaudio":
        stable = table.overlay["torchaudio_stable_from"]
        first, limit = stable["torchaudio"], stable["torch"]
    elif other.name == "torchcodec":
        first = next((version for version, need in table.requires["torchcodec"].items() if need.startswith(">=")), "")
        limit = table.overlay["torchaudio_stable_from"]["torch"]
    else:
        return None
    if not first or any(specs.parse(">=" + limit).admits(row.torch) for row in rows):
        return None
    spec = _tightened(p, other)
    if not spec.admits(first) and not spec.admits_unknown(first):
        return None
    if spec.bounded_above() and not spec.admits(first):
        return None
    tags = p.tags_of(other)
    if tags and all(
        (last := table.last_for(tag)) is not None and not specs.parse(">=" + limit).admits(last.torch) for tag in tags
    ):
        return None  # the index ends before that release
    top = rows[-1].torch
    partner = table.partner(other.name, top) if other.name == "torchaudio" else _codec(v, top)
    ceiling = limit if other.name == "torchaudio" else _next_minor(partner)
    advice = f"`{other.name}` {partner}" if partner else f"`{other.name}<{ceiling}`"
    fix = v.edit(other.where.path, f"cap {other.name} below {ceiling}", fixes.cap(other, ceiling)) if ceiling else None
    return found(
        "TS205",
        other.where,
        f"`{other.name}{other.text.strip()}` has no upper bound beside torch {top}{_elsewhere(torch, other)}: {other.name} {first} requires no torch version, so resolvers take it or a newer one, which needs torch>={limit}",
        f"Ask for {advice}, or cap it with `<{ceiling}`" + (f", then run `{p.semantics().relock}`." if p.locks else ".")
        if ceiling
        else f"Pin {advice}.",
        fix=fix,
        related=(torch.where,),
    )


def _elsewhere(torch: Requirement, other: Requirement) -> str:
    """Where torch is asked for, if that is another file."""
    return "" if torch.where.path == other.where.path else f" ({torch.where.path}:{torch.where.line})"


def _codec(v: View, torch: str) -> str:
    found_ = [version for version, need in v.table.requires["torchcodec"].items() if specs.parse(need).admits(torch)]
    return found_[-1] if found_ else ""


def _next_minor(version: str) -> str:
    parts = version.split(".")
    return f"{parts[0]}.{int(parts[1]) + 1}" if len(parts) > 1 else ""


def tag_mix(p: Project, v: View) -> Findings:
    """TS206: two builds of the family in one environment."""
    family = p.family()
    tagged = [(req, tags) for req in family if (tags := p.tags_of(req))]
    for number, (left, ours) in enumerate(tagged):
        for right, theirs in tagged[number + 1 :]:
            if left.name == right.name or len(ours) != 1 or len(theirs) != 1 or ours == theirs:
                continue
            a, b = next(iter(ours)), next(iter(theirs))
            if left.env != right.env or p.exclusive(left.env, right.env):
                if left.env.kind != MAIN and right.env.kind != MAIN:
                    continue
            if not markers.overlap(left.marker, right.marker, *_route_markers(p, left), *_route_markers(p, right)):
                continue
            yield found(
                "TS206",
                right.where,
                f"`{right.name}` is the {b} build and `{left.name}` the {a} build in one environment",
                f"Take both from one index, https://download.pytorch.org/whl/{a} or https://download.pytorch.org/whl/{b}"
                + (f", then run `{p.semantics().relock}`." if p.locks else "."),
                related=(left.where,),
            )


def _route_markers(p: Project, req: Requirement) -> list[str]:
    routes = p.routes_of(req)
    return [routes[0].marker] if len(routes) == 1 and routes[0].marker else []


def unpublished_build(p: Project, v: View) -> Findings:
    """TS207: the build was never published for that torch."""
    table = v.table
    for req in p.requirements:
        if req.name not in FAMILY or req.url or req.role not in (DIRECT, CONSTRAINT) or req.spec.broken:
            continue
        tag = req.tag()
        others: set[str] = set()
        if not tag:
            others = p.tags_of(req)
            if not others and p.semantics().merges and req.spec.pin():
                shared = {
                    index.tag()
                    for index in p.torch_indexes()
                    if index.role in (SHARED, LINKS) and index.tag() and not index.parts().channel
                }
                others = shared if len(shared) == 1 else set()
            if len(others) != 1:
                continue
            tag = next(iter(others))
        if any(index.parts().channel for index in p.torch_indexes() if index.tag() == tag):
            continue
        spec = _tightened(p, req)
        if req.name == "torch":
            rows, unknown = table.torch_rows(spec)
        else:
            releases, unknown = table.released(req.name, spec)
            rows = [row for release in releases for row in table.torch_of(req.name, release)]
            if req.name == "torchaudio" and "2.11.0" in releases:
                unknown = True
        if not rows or not table.known_tag(tag):
            continue
        last = table.last_for(tag)
        if unknown and (last is None or not _all_after(rows, last, spec)):
            continue
        there = [table.published(tag, row) for row in rows]
        if last is not None and False in there and _all_after(rows, last, spec):
            there = [bool(one) for one in there]  # an ended line does not come back in a release too new for the table
        if any(one is not False for one in there):
            continue
        newest = next(row for row in reversed(rows) if row.cuda)
        what = f"{req.name} {req.text.strip() or newest.torch}"
        first = table.first_for(tag)
        span = (
            f"torch {first.torch} to {last.torch}"
            if first and last
            else f"torch {first.torch} and later"
            if first
            else ""
        )
        yield found(
            "TS207",
            req.where,
            f"`{what}` was never published for {tag} ({tag} builds exist for {span}); torch {newest.torch} has {', '.join(newest.cuda)} and cpu {v.as_of()}",
            f"Use an index of a build that exists, such as https://download.pytorch.org/whl/{newest.cuda[-1]}"
            + (f", then run `{p.semantics().relock}`." if p.locks else "."),
        )


def _all_after(rows: list[Row], last: Row, spec: specs.Spec) -> bool:
    low = specs.key(rows[0].torch)
    end = specs.key(last.torch)
    return low is not None and end is not None and low > end


def python_beyond_wheels(p: Project, v: View) -> Findings:
    """TS208: Python versions that no wheel of the admitted torch supports."""
    if p.tool in ("conda", "pixi"):
        return
    table = v.table
    for req in p.named("torch"):
        if req.url or req.spec.broken or req.env.kind not in (MAIN, "script", "file"):
            continue
        rows, unknown = table.torch_rows(_tightened(p, req))
        if unknown or not rows:
            continue
        wheels = {minor for row in rows for minor in row.python.get("linux_x86_64", ())}
        marker_limited = "python" in req.marker
        if p.python_pin and p.python_pin not in wheels and not marker_limited and p.python_pin.startswith("3."):
            where = p.python_where or req.where
            if p.tool != "Pipenv":
                where = Location(path=(p.root + "/" if p.root else "") + ".python-version", line=1)
            yield found(
                "TS208",
                where,
                f"Python {p.python_pin} is chosen here, and torch {_range(rows)} has no wheel for it, only for {_span(wheels)} {v.as_of()}",
                f"Use a Python from {_span(wheels)}, or a newer torch.",
                related=(req.where,),
            )
            continue
        if not p.python or p.python_where is None or marker_limited:
            continue
        dialect = specs.POETRY if p.tool == "Poetry" else specs.PEP440
        spec = specs.parse(p.python, dialect)
        if spec.broken:
            continue
        minors = {
            int(minor[2:])
            for row in table.rows
            for found_ in row.python.values()
            for minor in found_
            if minor.startswith("3.")
        }
        newest = max(minors, default=14) - 1  # the newest Python is too young to hold it against a manifest
        asked = [
            minor
            for minor in (f"3.{number}" for number in range(6, newest + 1))
            if spec.admits(minor) or spec.admits(minor + ".5")
        ]
        if not asked:
            continue
        if not any(minor in wheels for minor in asked):
            yield found(
                "TS208",
                p.python_where,
                f"requires Python {p.python}, but torch {_range(rows)} has wheels for {_span(wheels)} only {v.as_of()}: it cannot be installed",
                f"Allow a Python from {_span(wheels)}, or use another torch.",
                related=(req.where,),
            )
            continue
        low = [minor for minor in asked if _minor(minor) < min(_minor(wheel) for wheel in wheels)]
        high = [minor for minor in asked if _minor(minor) > max(_minor(wheel) for wheel in wheels)]
        top = max(_minor(wheel) for wheel in wheels)
        if high:
            limit = f"<3.{top + 1}"
            fix = None
            if p.python_span is not None and re.fullmatch(r"\s*>=\s*3\.\d+(\.\d+)?\s*", p.python):
                fix = v.edit(
                    p.python_where.path, f"cap Python at {limit}", [(p.python_span[1], p.python_span[1], f",{limit}")]
                )
            yield found(
                "TS208",
                p.python_where,
                f"allows Python {high[0]}{' and later' if len(high) > 1 else ''}, but torch {_range(rows)} has wheels up to 3.{top} only {v.as_of()}",
                f"Cap it: `{p.python.strip()},{limit}`" + (f", then run `{p.semantics().relock}`." if p.locks else "."),
                severity="warning",
                fix=fix,
                related=(req.where,),
            )
        elif low and p.semantics().universal:
            yield found(
                "TS208",
                p.python_where,
                f"allows Python {low[0]}, but torch {_range(rows)} has wheels from 3.{min(_minor(wheel) for wheel in wheels)} only: {p.tool} cannot lock",
                f"Raise it to `>=3.{min(_minor(wheel) for wheel in wheels)}`, then run `{p.semantics().relock}`.",
                related=(req.where,),
            )


def _minor(version: str) -> int:
    return int(version.split(".")[1]) if version.startswith("3.") else -1


def _range(rows: list[Row]) -> str:
    return rows[0].torch if len(rows) == 1 else f"{rows[0].torch} to {rows[-1].torch}"


def _span(wheels: set[str]) -> str:
    ordered = sorted(wheels, key=_minor)
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"


def gpu_everywhere(p: Project, v: View) -> Findings:
    """TS209: a GPU index for every platform, though macOS has no such build."""
    if p.tool not in ("uv", "Poetry") or p.environments or p.linux_only or p.required:
        return
    for route in p.routes:
        if route.package != "torch" or not route.index or route.extra or route.group or not p.own(route.where):
            continue
        index = p.index(route.index)
        if index is None or not index.parts().official or urls.kind(index.tag()) not in ("cuda", "rocm", "xpu"):
            continue
        if route.env is not None and (route.env.kind == EXTRA or route.env.kind == GROUP):
            continue
        if not markers.possible(route.marker, "macos_arm64"):
            continue
        reqs = [req for req in p.requirements if req.name == "torch" and req.role == DIRECT]
        reqs = [req for req in reqs if route.env is None or req.where == route.where]
        if not any(
            req.env.kind == MAIN
            and markers.possible(req.marker, "macos_arm64")
            and not markers.extra_names(markers.parse(req.marker))
            and not req.optional
            for req in reqs
        ):
            continue
        fix = None
        if (
            p.tool == "uv"
            and not route.marker
            and route.span is not None
            and len([r for r in p.routes if r.package == "torch"]) == 1
        ):
            fix = v.edit(route.where.path, "limit the GPU index to Linux and Windows", _add_markers(p, v, index.name))
        yield found(
            "TS209",
            route.where,
            f"`torch` comes from `{index.name}` ({index.tag()}) on every platform, but macOS has no {index.tag()} build: {p.semantics().install} fails there",
            "Limit the source: `marker = \"sys_platform == 'linux' or sys_platform == 'win32'\"`"
            + (" (or set `environments` under [tool.uv] if only Linux counts)." if p.tool == "uv" else "."),
            fix=fix,
        )


def _add_markers(p: Project, v: View, index: str) -> list[tuple[int, int, str]]:
    changes = []
    doc = fixes.document(v, p.path)
    if doc is None:
        return []
    for route in p.routes:
        if (
            route.index != index
            or route.package not in EXTENDED
            or route.marker
            or route.span is None
            or route.extra
            or route.group
            or not p.own(route.where)
        ):
            continue
        start, end = route.span
        raw = doc.text[start:end]
        if raw[:1] != "{":
            return []
        body = raw[1:-1].rstrip().rstrip(",")
        changes.append((start, end, "{" + body + ", marker = \"sys_platform == 'linux' or sys_platform == 'win32'\" }"))
    return changes


def tag_on_mac(p: Project, v: View) -> Findings:
    """TS210: a build tag pinned where macOS counts, which has no tagged wheels."""
    for req in p.requirements:
        if req.name not in FAMILY or req.url or req.role not in (DIRECT, CONSTRAINT) or not req.tag():
            continue
        if (
            p.environments
            or p.linux_only
            or (not markers.possible(req.marker, "macos_arm64") and not markers.possible(req.marker, "macos_x86_64"))
        ):
            continue
        explicit = markers.mentions(req.marker, "darwin")
        if not explicit and (
            not p.semantics().universal
            or req.env.optional
            or req.env.kind in (GROUP, EXTRA)
            or markers.extra_names(markers.parse(req.marker))
        ):
            continue
        if not explicit and req.env.kind != MAIN:
            continue
        doc = fixes.document(v, req.where.path) if req.where.path.endswith(".toml") else None
        changes = fixes.marker_of(req, "sys_platform != 'darwin'", doc) if not req.marker else []
        yield found(
            "TS210",
            req.where,
            f"`{req.name}=={req.spec.pin()}+{req.tag()}` {'is asked for on macOS' if explicit else 'is asked for on every platform'}, but macOS wheels carry no build tag",
            "Drop the tag for macOS, or add the marker `sys_platform != 'darwin'`"
            + (f", then run `{p.semantics().relock}`." if p.locks else "."),
            severity="error" if explicit else "warning",
            fix=v.edit(req.where.path, f"leave macOS out of {req.name}", changes),
        )


def machine_name(p: Project, v: View) -> Findings:
    """TS211: `platform_machine == 'x86_64'` is false on 64-bit Windows, whose name is AMD64."""
    seen: set[Location] = set()
    for name, marker, where, is_route in (
        *((req.name, req.marker, req.where, False) for req in p.requirements if req.role == DIRECT),
        *((route.package, route.marker, route.where, route.env is None) for route in p.routes),
    ):
        if (
            name not in FAMILY
            or "x86_64" not in marker
            or "platform_machine" not in marker
            or where in seen
            or (not p.own(where) and p.tool == "uv")
        ):
            continue
        node = markers.parse(marker)
        values = dict(next(values for platform, values in markers.PLATFORMS if platform == "win_amd64"))
        if any(
            markers.evaluate(
                node,
                {
                    **values,
                    "python_version": python,
                    "python_full_version": python + ".5",
                    "platform_machine": "x86_64",
                },
            )
            is True
            and markers.evaluate(node, {**values, "python_version": python, "python_full_version": python + ".5"})
            is False
            for python in markers.PYTHONS
        ):
            others = (
                [other.marker for other in p.routes if other.package == name and other.where != where]
                if is_route
                else [
                    other.marker
                    for other in p.requirements
                    if other.name == name and other.where != where and other.role == DIRECT
                ]
            )
            if any(markers.possible(other, "win_amd64") for other in others):
                continue
            if p.environments and not any(markers.possible(env, "win_amd64") for env in p.environments):
                continue
            if p.tool == "pip" and v.in_container(where.path):
                continue
            seen.add(where)
            yield found(
                "TS211",
                where,
                f"the marker of `{name}` leaves 64-bit Windows out: platform_machine is `AMD64` there, not `x86_64`",
                "Write `(platform_machine == 'x86_64' or platform_machine == 'AMD64')`, or say `sys_platform == 'linux'` if Windows is not meant.",
                fix=v.edit(where.path, "let the marker hold on 64-bit Windows", _machine_edit(p, v, name, where)),
            )


def _machine_edit(p: Project, v: View, name: str, where: Location) -> list[tuple[int, int, str]]:
    spans = [
        span
        for item, span in (
            *((req.where, req.whole) for req in p.requirements if req.name == name),
            *((route.where, route.span) for route in p.routes if route.package == name),
        )
        if item == where and span is not None
    ]
    data = v.tree.read(where.path)
    if not spans or data is None:
        return []
    text = data.decode("utf-8", "replace")
    start, end = spans[0]
    hits = list(re.finditer(r"platform_machine\s*==\s*(['\"])x86_64\1", text[start:end]))
    if len(hits) != 1:
        return []
    hit = hits[0]
    quote = hit[1]
    return [
        (
            start + hit.start(),
            start + hit.end(),
            f"(platform_machine == {quote}x86_64{quote} or platform_machine == {quote}AMD64{quote})",
        )
    ]


def floating(p: Project, v: View) -> Findings:
    """TS212: torch without an upper bound in a file that machines install from."""
    if p.tool != "pip" or re.search(
        r"(?:^|[/_.-])(?:dev|test|tests|docs?|lint|ci|build|constraints?)(?:[_.-]|/|$)", p.path.rpartition(".")[0]
    ):
        return
    for req in p.named("torch"):
        if (
            req.url
            or req.spec.broken
            or req.where.path != p.path
            or _tightened(p, req).bounded_above()
            or req.spec.pin()
        ):
            continue
        if p.path.endswith(".in") and p.path[:-3] + ".txt" in set(v.tree.paths()):
            continue
        yield found(
            "TS212",
            req.where,
            f"`torch{req.text.strip()}` has no upper bound: each install takes whatever is newest, with its own CUDA",
            "Pin it, or compile the file: `uv pip compile --output-file requirements.lock requirements.txt`.",
        )
        return


def numpy_two(p: Project, v: View) -> Findings:
    """TS213: a torch built against numpy 1 beside numpy 2."""
    table = v.table
    for torch in p.named("torch"):
        if torch.spec.broken or torch.url:
            continue
        rows, unknown = table.torch_rows(_tightened(p, torch))
        if unknown or not rows or any("l" in row.numpy2 for row in rows):
            continue
        for numpy in p.named("numpy"):
            if numpy.spec.broken or numpy.url or not p.together(torch, numpy):
                continue
            spec = _tightened(p, numpy)
            if not any(spec.admits(f"2.{minor}.{patch}") for minor in range(6) for patch in range(7)):
                continue
            if any(
                entry.name == "numpy" and entry.version.startswith("1.") for lock in p.locks for entry in lock.entries
            ):
                continue
            if p.tags_of(numpy) or any(index.role == DEFAULT and index.torch() for index in p.indexes):
                continue
            pythons = {minor for row in rows for minor in row.python.get("linux_x86_64", ())}
            if not any(_minor(minor) >= 9 for minor in pythons) or _python_below(p, 9):
                continue
            sure = _major(numpy.spec.pin()) == "2" or not any(
                req.name in NUMPY_CAPPED and req.spec.bounded_above() for req in p.requirements
            )
            yield found(
                "TS213",
                numpy.where,
                f"`numpy{numpy.text.strip()}` admits numpy 2, but torch {_range(rows)} was built against numpy 1 and fails to exchange arrays with it",
                "Ask for `numpy<2`" + (f", then run `{p.semantics().relock}`." if p.locks else "."),
                severity=None if sure else "warning",
                fix=v.edit(numpy.where.path, "cap numpy below 2", fixes.cap(numpy, "2")),
                related=(torch.where,),
            )


def _major(version: str) -> str:
    return version.split(".", maxsplit=1)[0]


def _python_below(p: Project, minor: int) -> bool:
    """Whether the project only runs on Pythons below 3.`minor`."""
    if not p.python:
        return False
    spec = specs.parse(p.python, specs.POETRY if p.tool == "Poetry" else specs.PEP440)
    return not spec.broken and not any(
        spec.admits(f"3.{number}") or spec.admits(f"3.{number}.5") for number in range(minor, 20)
    )


def forced_torch(p: Project, v: View) -> Findings:
    """TS214: a package requires another torch, whatever release of it the range admits."""
    table = v.table
    if any(req.name == "torch" and req.role == "override" for req in p.requirements):
        return
    for name in (*FORCING, "triton"):
        for other in p.named(name):
            if other.url or other.spec.broken:
                continue
            wanted = _wanted(v, name, _tightened(p, other)) if name != "triton" else []
            if not wanted and name != "triton":
                continue
            for torch in p.named("torch"):
                if torch.url or torch.spec.broken or not p.together(torch, other):
                    continue
                rows, unknown = table.torch_rows(_tightened(p, torch))
                if not rows:
                    continue
                if name == "triton":
                    if not _other_triton(p, torch, other, rows, unknown):
                        continue
                    need = f"triton {rows[-1].triton}"
                    yield found(
                        "TS214",
                        other.where,
                        f"torch {_range(rows)} requires {need}, which `triton{other.text.strip()}` excludes",
                        f"Ask for {need}, or leave triton to torch"
                        + (f", then run `{p.semantics().relock}`." if p.locks else "."),
                        related=(torch.where,),
                    )
                    break
                if any(need.admits(row.torch) for row in rows for need in wanted):
                    continue
                if unknown and any(need.admits_unknown(table.newest) for need in wanted):
                    continue
                first, last = wanted[0].text, wanted[-1].text
                one = first if first == last else f"{first} to {last} (by its release)"
                yield found(
                    "TS214",
                    torch.where,
                    f"`{name}` {other.spec.pin() or _shown(p, other)} requires torch{one}, which `torch{_shown(p, torch)}` excludes",
                    f"Ask for torch {last.lstrip('=')}"
                    f", or another {name}" + (f", then run `{p.semantics().relock}`." if p.locks else "."),
                    related=(other.where,),
                )
                break


def _wanted(v: View, name: str, spec: specs.Spec) -> list[specs.Spec]:
    """What the releases that a range admits require of torch, one range each; empty: not known.

    The rows of vllm are one in a minor: a release between two of them requires a torch between theirs. Releases newer
    than the table require at least what the newest known one does.
    """
    known = sorted(
        ((at, version, need) for version, need in v.table.requires.get(name, {}).items() if (at := specs.key(version))),
    )
    inside = [number for number, (_, version, _need) in enumerate(known) if spec.admits(version)]
    if not known or (not inside and (name != "vllm" or not spec.pin())):
        return []
    if any(not known[number][2] for number in inside):
        return []
    open_above = spec.admits_unknown(known[-1][1])
    if inside and (spec.pin() or name != "vllm"):
        needs = [specs.parse(known[number][2]) for number in inside]
        if open_above:
            floor = specs.parse(known[-1][2]).clauses()
            if len(floor) != 1 or floor[0].op not in ("==", ">="):
                return []
            needs.append(specs.parse(">=" + floor[0].version))
        return needs
    at = specs.key(spec.pin()) if spec.pin() else None
    first = inside[0] - 1 if inside else max((n for n, one in enumerate(known) if at and one[0] < at), default=-1)
    last = inside[-1] + 1 if inside else first + 1
    if first < 0 or (last >= len(known) and not open_above):
        return []
    low = specs.parse(known[first][2]).clauses()
    high = specs.parse(known[last][2]).clauses() if last < len(known) and not open_above else ()
    if len(low) != 1 or low[0].op not in ("==", ">=") or (high and (len(high) != 1 or high[0].op != "==")):
        return []
    return [specs.parse(f">={low[0].version}" + (f",<={high[0].version}" if high else ""))]


def _other_triton(p: Project, torch: Requirement, other: Requirement, rows: list[Row], unknown: bool) -> bool:
    """Whether the Linux wheels of the public registry require a triton that the range excludes."""
    if unknown or torch.tag() or p.routes_of(torch) or any(index.torch() or index.role == LINKS for index in p.indexes):
        return False
    if not markers.possible(other.marker, "linux_x86_64") or not markers.possible(torch.marker, "linux_x86_64"):
        return False
    return all(row.triton and not other.spec.admits(row.triton) for row in rows)


def triton_unrouted(p: Project, v: View) -> Findings:
    """TS215: the triton of ROCm and XPU builds is only on PyTorch's index, and an explicit index serves what is routed."""
    if p.tool not in ("uv", "Poetry"):
        return
    overlay = v.table.overlay["rocm_triton"]
    for route in p.routes:
        if route.package != "torch" or not route.index or not p.own(route.where):
            continue
        index = p.index(route.index)
        kind = urls.kind(index.tag()) if index is not None else ""
        if index is None or index.role != ROUTED or kind not in ("rocm", "xpu"):
            continue
        names = overlay[kind]
        if any(other.package in names and other.index == route.index for other in p.routes):
            continue
        if p.tool == "uv" and any(entry.name in names for lock in p.locks for entry in lock.entries):
            continue
        yield found(
            "TS215",
            route.where,
            f"the {index.tag()} build needs `{names[0]}`, which only `{index.name}` has, and nothing routes it there",
            f"Add `{names[0]}` to the requirements and route it to `{index.name}` as well (newer torch: `{names[1]}`), then run `{p.semantics().relock}`.",
        )


def nightly(p: Project, v: View) -> Findings:
    """TS216: nightly or test builds."""
    if v.nightly():
        return
    for index in p.indexes:
        channel = index.parts().channel
        if channel in ("nightly", "test"):
            yield found(
                "TS216",
                index.where,
                f"{urls.show(index.url)} is PyTorch's {channel} index: its builds are deleted after some weeks, and its names may be free on PyPI (torchtriton, December 2022)",
                "Use a release index, or allow it with `nightly = true` under [tool.gatepost.torch-source].",
            )
    if "pytorch-nightly" in p.channels:
        yield found(
            "TS216",
            Location(path=p.path),
            "`pytorch-nightly` is PyTorch's nightly channel: its builds are deleted after some weeks",
            "Use conda-forge, or allow it with `nightly = true` under [tool.gatepost.torch-source].",
        )


def yanked(p: Project, v: View) -> Findings:
    """TS217: a companion release that was withdrawn."""
    overlay = v.table.overlay["yanked"]
    for req in p.requirements:
        known = overlay.get(req.name)
        version = req.spec.pin()
        if not isinstance(known, dict) or not version or req.role == "conda":
            continue
        better = next((new for old, new in known.items() if specs.key(old) == specs.key(version)), "")
        if better:
            yield found(
                "TS217",
                req.where,
                f"`{req.name}` {version} was withdrawn from PyPI",
                f"Pin `{req.name}` {better}" + (f", then run `{p.semantics().relock}`." if p.locks else "."),
                fix=v.edit(req.where.path, f"pin {req.name} {better}", fixes.replace_version(req, better)),
            )


def wrong_name(p: Project, v: View) -> Findings:
    """TS218: a name on PyPI that is not PyTorch's."""
    names = v.table.overlay["wrong_names"]
    for req in p.requirements:
        if req.role != DIRECT or req.url or req.name not in names or req.name == "source" or p.routes_of(req):
            continue
        right = names[req.name]
        changes = []
        if req.whole is not None and p.tool not in ("Poetry", "Pipenv"):
            data = v.tree.read(req.where.path)
            text = data.decode("utf-8", "replace") if data else ""
            start, end = req.whole
            hit = re.match(r"\s*[A-Za-z0-9._-]+", text[start:end])
            if hit is not None and fold(hit[0].strip()) == req.name:
                changes = [(start, start + hit.end(), right)]
        yield found(
            "TS218",
            req.where,
            f"`{req.name}` on PyPI is not PyTorch",
            f"Ask for `{right}`.",
            fix=v.edit(req.where.path, f"ask for {right}", changes),
        )


def intel_mac(p: Project, v: View) -> Findings:
    """TS219: Intel Macs have no torch since 2.3."""
    table = v.table
    for req in p.named("torch"):
        if req.url or req.spec.broken or not markers.possible(req.marker, "macos_x86_64"):
            continue
        named = (
            re.search(r"darwin", req.marker, re.IGNORECASE)
            and "x86_64" in req.marker
            and not markers.possible(req.marker, "linux_x86_64")
        )
        required = any(
            markers.mentions(env, "darwin") and "x86_64" in env and markers.possible(env, "macos_x86_64")
            for env in p.required
        )
        if not named and not required:
            continue
        rows, _unknown = table.torch_rows(_tightened(p, req))
        if any("macos_x86_64" in row.python for row in rows) or not rows:
            continue
        if named and markers.platforms(req.marker) != ("macos_x86_64",):
            continue
        yield found(
            "TS219",
            req.where,
            f"`torch{req.text.strip()}` is asked for on Intel Macs, whose last wheel is torch 2.2.2",
            "Ask for `torch==2.2.2` there (`; sys_platform == 'darwin' and platform_machine == 'x86_64'`), or leave Intel Macs out.",
        )


def line_ended(p: Project, v: View) -> Findings:
    """TS221: an index whose build line ended before the fix of a published advisory."""
    table = v.table
    for req in p.named("torch"):
        tags = p.tags_of(req)
        if len(tags) != 1 or req.spec.broken or req.tag():
            continue
        last = table.last_for(next(iter(tags)))
        if last is None:
            continue
        for advisory in table.overlay["advisories"]:
            fixed = specs.key(advisory["fixed"])
            end = specs.key(last.torch)
            if fixed is not None and end is not None and end < fixed and req.spec.admits(advisory["fixed"]):
                yield found(
                    "TS221",
                    req.where,
                    f"{next(iter(tags))} ends at torch {last.torch}, so `torch{req.text.strip()}` never reaches {advisory['fixed']}, which mends {advisory['id']} {v.as_of()}",
                    "Move to an index that goes on, such as https://download.pytorch.org/whl/"
                    + table.rows[-2].cuda[0]
                    + f", then run `{p.semantics().relock}`.",
                )
                break


def moving_cuda(p: Project, v: View) -> Findings:
    """TS222: PyPI's own builds change their CUDA within the range."""
    if p.locks or p.tool in ("conda", "pixi"):
        return
    table = v.table
    for req in p.named("torch"):
        if (
            req.url
            or req.spec.broken
            or p.routes_of(req)
            or req.spec.pin()
            or any(index.torch() for index in p.indexes)
            or req.spec.labels()
        ):
            continue
        rows, unknown = table.torch_rows(_tightened(p, req))
        if unknown or len(rows) < 2 or specs.parse("<2.0").admits(rows[0].torch):
            continue
        majors = sorted({row.pypi_cuda[2:4] for row in rows if row.pypi_cuda})
        if len(majors) > 1:
            yield found(
                "TS222",
                req.where,
                f"`torch{req.text.strip()}` spans PyPI builds for CUDA {' and '.join(majors)}: the driver that is needed depends on the day",
                "Narrow the range, or choose the build with an index.",
            )


RULES = (
    label_in_range,
    label_without_index,
    companions,
    tag_mix,
    unpublished_build,
    python_beyond_wheels,
    gpu_everywhere,
    tag_on_mac,
    machine_name,
    floating,
    numpy_two,
    forced_torch,
    triton_unrouted,
    nightly,
    yanked,
    wrong_name,
    intel_mac,
    line_ended,
    moving_cuda,
)
