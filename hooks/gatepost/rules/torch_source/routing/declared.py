"""TS101, TS102, TS103, TS104, TS129: routes and indexes that do not meet."""

from __future__ import annotations

import re

from gatepost.rules.torch_source import fixes, markers, urls
from gatepost.rules.torch_source.carriers import CARRIERS, CARRYING_EXTRAS
from gatepost.rules.torch_source.model import (
    CONSTRAINT,
    DEFAULT,
    DIRECT,
    EXTENDED,
    FALLBACK,
    FAMILY,
    MAIN,
    ROUTED,
    SHARED,
)
from gatepost.rules.torch_source.versions.ranges import tightened
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
                f"Declare a {table} with that URL and a `name`, and write the name here, then run `{p.semantics().relock}`."
                if "://" in route.index
                else f"Declare `{route.index}` under {table} with its URL, or correct the name, then run `{p.semantics().relock}`.",
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
    if any(fact.code == "TS127" for fact in p.facts):
        return  # the routing is there, and lost for another reason
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
        shelved = _commented_route(v, index)
        if shelved:
            yield found(
                "TS102",
                index.where,
                f"index `{index.name}` ({urls.show(index.url)}) is declared, and its route is commented out (line {shelved}): {what}",
                f"Restore the route, or remove the index `{index.name}`; then run `{p.semantics().relock}`.",
                severity="info",
            )
            continue
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


def _commented_route(v: View, index: Index) -> int:
    """The line of a comment that holds a route of PyTorch to an index, as its author has set it aside; 0 if none does."""
    text = (v.tree.read(index.where.path) or b"").decode("utf-8", "replace")
    name = re.escape(index.name)
    route = re.compile(
        rf"[ \t]*#[#\s]*[\"']?torch\w*[\"']?\s*=.*\b(?:index|source)\s*=\s*[\"']{name}[\"']", re.IGNORECASE
    )
    return next((number for number, line in enumerate(text.splitlines(), 1) if route.match(line)), 0)


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
            if any(req.name == other.name and _routed_beside(p, req, other, routed) for req in family):
                continue
            if any(p.serves(index, other.name) and index.role != FALLBACK for index in targets):
                continue
            if any(index.role in (SHARED, DEFAULT) and index.torch() for index in p.indexes):
                continue
            if any(index.role == FALLBACK for index in targets) and not other.spec.labels():
                continue  # TS105, TS107
            if not p.own(other.where) or not (there := _apart(p, v, routed, other, targets)):
                continue
            seen.add(other.name)
            index = targets[0]
            fix = None
            everywhere = [route for route in p.routes if route.package == routed.name and route.index]
            names = list(dict.fromkeys(item.name for route in everywhere if (item := p.index(route.index)) is not None))
            shown = " and ".join(f"`{name}`" for name in names)
            if len(names) == 1 and not any(route.marker or route.extra or route.group for route in p.routes_of(routed)):
                fix = v.edit(p.path, f"route {other.name} to {index.name} too", fixes.route(v, p, index, [other.name]))
            yield found(
                "TS103",
                other.where,
                f"`{routed.name}` comes from {shown}, but `{other.name}` has no source and comes from PyPI, "
                + (
                    "built for another torch"
                    if "linux_x86_64" in there
                    else "which has no CUDA builds for Windows: built for the CPU there"
                ),
                f"Route `{other.name}` to {shown} as well{', under the same conditions' if len(names) > 1 else ''}{_renewed(p)}",
                severity=None if "linux_x86_64" in there else "warning",
                fix=fix,
            )


def _renewed(p: Project) -> str:
    """How a remedy ends: with the command that renews the lock, which a script (PEP 723) seldom has."""
    return p.relocked() if p.path.endswith(".py") else f", then run `{p.semantics().relock}`."


def _apart(p: Project, v: View, routed: Requirement, other: Requirement, targets: list[Index]) -> set[str]:
    """The platforms (of linux_x86_64 and win_amd64) where PyPI has another build of a companion than the index.

    PyPI's builds for Windows and macOS are those of the CPU; for Linux those of one CUDA for each torch release.
    """
    found = set()
    for platform in ("linux_x86_64", "win_amd64"):
        if platform == "win_amd64" and (p.linux_only or not p.semantics().universal):
            continue
        asked = [
            other.marker,
            routed.marker,
            *(p.environments and (" or ".join(f"({one})" for one in p.environments),)),
        ]
        routes = [
            index
            for route in p.routes_of(routed)
            if (index := p.index(route.index)) is not None
            and all(markers.possible(text, platform) for text in (route.marker, *asked))
        ]
        for index in routes:
            tag = index.tag()
            same = tag == "cpu" if platform == "win_amd64" else bool(tag) and tag == _pypi_build(p, v, routed, tag)
            if not same:
                found.add(platform)
    return found if any(index.tag() for index in targets) else {"linux_x86_64"}


def _pypi_build(p: Project, v: View, routed: Requirement, tag: str) -> str:
    """PyPI's build for Linux ("cu124") of the newest torch that a build line has in the range, "" if not known."""
    if routed.name != "torch":
        return ""
    rows, unknown = v.table.torch_rows(tightened(p, routed))
    if unknown and v.table.last_for(tag) is None:
        return ""
    having = [row for row in rows if tag in row.tags()]
    return having[-1].pypi_cuda if having else ""


def _routed_beside(p: Project, req: Requirement, other: Requirement, routed: Requirement) -> bool:
    """Whether `req` routes the package of `other` where `routed` gets its index: in the same extra or group.

    A source of an extra says nothing of the main dependencies: what they take without it is TS117's.
    """
    if not p.routes_of(req):
        return False
    if req.env == other.env or p.semantics().one_per_name:
        return True
    return MAIN not in (routed.env.kind, req.env.kind) and p.together(routed, req)


def _bringing(p: Project) -> list[Requirement]:
    """The requirements that are known to bring torch."""
    return [
        req
        for req in (*p.requirements, *p.foreign)
        if req.role == DIRECT
        and (req.name in CARRIERS or not CARRYING_EXTRAS.get(req.name, frozenset()).isdisjoint(req.extras))
    ]


def dead_route(p: Project, v: View) -> Findings:
    """TS104: a source for a package that the project does not itself require does nothing."""
    if p.tool != "uv" or p.dynamic:
        return
    # A constraint without a bound does not make the source live (tested with uv 0.13.8); what a build requires does.
    wanted = {
        req.name
        for req in (*p.requirements, *p.foreign)
        if (req.role != CONSTRAINT and "build-constraint" not in req.where.key) or req.text.strip()
    }
    brought = bool(_bringing(p)) or p.path_sources
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
        if entry is not None and (entry.origin or not entry.known):
            continue  # something makes it live, or chooses another source, that is not in these files
        seen.add(route.package)
        fix = None
        absent = bool(p.locks) and entry is None
        if (entry is not None or brought) and not absent and index.name:
            fix = v.edit(
                p.path,
                f"make the source of {route.package} live through constraint-dependencies",
                fixes.add_item(v, p.path, ("tool", "uv", "constraint-dependencies"), f"{route.package}>=0"),
            )
        remedy = (
            f"Remove the entry: nothing in the lock needs `{route.package}`."
            if absent
            else f'Add `constraint-dependencies = ["{route.package}>=0"]` under [tool.uv]{_renewed(p)}'
            if entry is not None or brought
            else f"Remove the entry, or ask for `{route.package}` in the dependencies."
        )
        yield found(
            "TS104",
            route.where,
            f"`{route.package}` has a source, but no requirement of this project names it: "
            + (
                "uv ignores the entry and takes the PyPI build"
                if entry is not None or (brought and not absent)
                else "the entry does nothing"
            ),
            remedy,
            severity=None if entry is not None or (brought and not absent) else "warning",
            fix=fix,
        )
