"""TS206, TS207, TS221, TS222: builds that meet, that were never published, whose line ended, that move."""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.rules.torch_source import markers, specs
from gatepost.rules.torch_source.model import (
    CONSTRAINT,
    DIRECT,
    FAMILY,
    LINKS,
    MAIN,
    SHARED,
)
from gatepost.rules.torch_source.versions.ranges import asks, ceiling, held, minor_of, tightened
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Index, Project, Requirement
    from gatepost.rules.torch_source.table import Row
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


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
                if left.env.kind != MAIN and right.env.kind != MAIN and not p.together(left, right):
                    continue
            if not markers.overlap(left.marker, right.marker, *_route_markers(p, left), *_route_markers(p, right)):
                continue
            yield found(
                "TS206",
                right.where,
                f"`{right.name}` is the {b} build and `{left.name}` the {a} build in one environment",
                f"Take both from one index, https://download.pytorch.org/whl/{a} or https://download.pytorch.org/whl/{b}"
                + p.relocked(),
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
        if (
            req.name == "torchaudio"
            and tag in table.overlay["torchaudio_without"]["tags"]
            and (req.tag() or p.tags_of(req))
        ):
            final = table.versions("torchaudio")[-1]
            builds = table.torch_of("torchaudio", final)[0].cuda
            if not _locked(p, req.name, tag, req.spec):
                yield found(
                    "TS207",
                    req.where,
                    f"`torchaudio` has no {tag} build: its last release, {final}, has {', '.join(builds)} and cpu {v.as_of()}",
                    f"Take torch and its companions from https://download.pytorch.org/whl/{builds[-1]}" + p.relocked(),
                )
            continue
        spec = tightened(p, req)
        if req.name == "torch":
            rows, unknown = table.torch_rows(spec)
        else:
            releases, unknown = table.released(req.name, spec)
            rows = [row for release in releases for row in table.torch_of(req.name, release)]
            if req.name == "torchaudio" and "2.11.0" in releases:
                unknown = True
        if req.tag() and table.never(tag) and not any(not index.parts().official for index in _serving(p, req)):
            yield found(
                "TS207",
                req.where,
                f"`{req.name}=={req.spec.pin()}+{tag}`: no release of PyTorch was ever built for {tag} {v.as_of()}",
                f"Pin a build that exists, such as `+{table.nearest(tag)}`" + p.relocked(),
            )
            continue
        if not rows or not table.known_tag(tag):
            continue
        last = table.last_for(tag)
        if unknown and (last is None or not _all_after(rows, last, spec)):
            continue
        there = [table.published(tag, row) for row in rows]
        if last is not None and False in there and _all_after(rows, last, spec):
            there = [bool(one) for one in there]  # an ended line does not come back in a release too new for the table
        if any(one is not False for one in there) or _locked(p, req.name, tag, spec):
            continue
        newest = next(row for row in reversed(rows) if row.cuda)
        better = _common(p, v, req, tag, newest)
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
            (
                f"Pin a build that exists, such as `+{better}`, from"
                if req.tag()
                else "Use an index of a build that exists, such as"
            )
            + f" https://download.pytorch.org/whl/{better}"
            + p.relocked(),
        )


def _locked(p: Project, name: str, tag: str, spec: specs.Spec) -> bool:
    """Whether a lock of the project holds such a build: then it was published, whatever the table says."""
    return any(
        entry.name == name and entry.tag() == tag and spec.admits(specs.public(entry.version))
        for lock in p.locks
        for entry in lock.entries
    )


def _common(p: Project, v: View, req: Requirement, tag: str, newest: Row) -> str:
    """The highest CUDA build of a torch that the family beside a requirement, of the same build now, was built for."""
    table = v.table
    have: list[set[str]] = []
    for other in p.family():
        if other is req or other.url or p.tags_of(other) != {tag}:
            continue
        if other.env != req.env and not p.together(req, other):
            continue
        known = table.torch if other.name == "torch" else table.versions(other.name)
        tags = {found for version in tightened(p, other).rows(known) for found in table.built(other.name, version)}
        have += [tags] if tags else []
    own = tightened(p, req).rows(table.torch if req.name == "torch" else table.versions(req.name))
    have += [tags] if (tags := {found for version in own for found in table.built(req.name, version)}) else []
    common = [other for other in newest.cuda if all(other in tags for tags in have)]
    return (common or newest.cuda)[-1]


def _serving(p: Project, req: Requirement) -> list[Index]:
    """The indexes that a requirement can come from, besides the public registry."""
    routed = [p.index(route.index) for route in p.routes_of(req) if route.index]
    found_ = [index for index in routed if index is not None]
    return found_ or [index for index in p.indexes if p.serves(index, req.name)]


def _all_after(rows: list[Row], last: Row, spec: specs.Spec) -> bool:
    low = specs.key(rows[0].torch)
    end = specs.key(last.torch)
    return low is not None and end is not None and low > end


def line_ended(p: Project, v: View) -> Findings:
    """TS221: an index whose build line ended before the fix of a published advisory."""
    table = v.table
    for req in p.named("torch"):
        tags = p.tags_of(req)
        if len(tags) != 1 or req.spec.broken or req.tag() or held(p, v, req):
            continue
        tag = next(iter(tags))
        last = table.last_for(tag)
        if last is None or any(index.parts().channel for index in p.torch_indexes()):
            continue
        for advisory in table.overlay["advisories"]:
            fixed = specs.key(advisory["fixed"])
            end = specs.key(last.torch)
            if fixed is not None and end is not None and end < fixed and req.spec.admits(advisory["fixed"]):
                if _kept_below(p, v, req, tag, last, advisory["fixed"]) or _too_old(p, v, advisory["fixed"]):
                    break
                top = ceiling(p, v, req)
                short = top is not None and not specs.parse(f">={advisory['fixed']}").admits(top.torch)
                yield found(
                    "TS221",
                    req.where,
                    f"{tag} ends at torch {last.torch}, so `{asks(req)}` never reaches {advisory['fixed']}, which mends {advisory['id']} {v.as_of()}",
                    "Move to an index that goes on, such as https://download.pytorch.org/whl/"
                    + table.going_on(tag, table.rows, _major(req))
                    + (f", and raise what holds torch at {top.torch} beside it" if top is not None and short else "")
                    + p.relocked(),
                )
                break


def _too_old(p: Project, v: View, version: str) -> bool:
    """Whether no Python of the project has a wheel of that torch: no index brings it."""
    from gatepost.rules.torch_source.versions.interpreters import below

    row = v.table.row(version)
    wheels = row.python.get("linux_x86_64", []) if row is not None else []
    return bool(wheels) and below(p, v, min(map(minor_of, wheels)))


def _major(req: Requirement) -> str:
    """The CUDA major that the name of a group or an extra states: "12" of `cuda12`, or ""."""
    stated = re.search(r"(?<![a-z])cu(?:da)?[-_]?(1\d)(?!\d)", req.env.name.lower()) if req.env.kind != MAIN else None
    return stated[1] if stated else ""


def _kept_below(p: Project, v: View, req: Requirement, tag: str, last: Row, fixed: str) -> bool:
    """Whether a move to another index brings no fix: something else keeps torch below it, or the line has it after all.

    What the lock holds decides. A torch below the last of the line, beside packages that ask for torch too, may be
    kept there by them.
    """
    from gatepost.rules.torch_source.locks.edges import keeps_back

    end = specs.key(last.torch)
    for lock in p.locks:
        for entry in lock.entries:
            at = specs.key(entry.version) if entry.name == "torch" and entry.tag() == tag else None
            if at is None or end is None or at == end:
                continue
            if at > end or keeps_back(v, lock, fixed, last.date):
                return True
    return any(finding.where == req.where for finding in unpublished_build(p, v))  # TS207 says it


# Accelerators whose torch is the vendor's: a file named for one is not about CUDA.
_ACCELERATOR = pattern(
    r"(?:^|[._/-])(?:maca|metax|ascend|npu|cann|camb(?:ricon)?|mlu|musa|dcu|hpu|gaudi|habana|tpu|xla|neuronx?|ipu)(?:[._-]|$)",
    re.IGNORECASE,
)


def moving_cuda(p: Project, v: View) -> Findings:
    """TS222: PyPI's own builds change their CUDA within the range."""
    if p.locks or p.tool in ("conda", "pixi") or p.of_a_task():
        return
    if p.tool == "pip" and _ACCELERATOR.search(p.path.rpartition("/")[2]):
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
            or held(p, v, req)
        ):
            continue
        rows, unknown = table.torch_rows(tightened(p, req))
        if unknown or len(rows) < 2 or specs.parse("<2.0").admits(rows[0].torch):
            continue
        majors = sorted({row.pypi_cuda[2:4] for row in rows if row.pypi_cuda})
        if len(majors) > 1:
            yield found(
                "TS222",
                req.where,
                f"`{asks(req)}` spans PyPI builds for CUDA {' and '.join(majors)}: a new install takes {rows[-1].torch}, an older one needs another driver",
                "Narrow the range, or choose the build with an index.",
            )
