"""TS208: Python versions that no wheel of the admitted torch supports."""

from __future__ import annotations

import re

from gatepost.model import Location
from gatepost.rules.torch_source import fixes, specs, urls
from gatepost.rules.torch_source.model import MAIN
from gatepost.rules.torch_source.versions.ranges import conda_minors, conda_python, minor_of, row_range, tightened
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding, Fix
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.table import Row
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def python_beyond_wheels(p: Project, v: View) -> Findings:
    """TS208: Python versions that no wheel of the admitted torch supports."""
    for req in p.named("torch"):
        if (
            req.url
            or req.spec.broken
            or req.env.kind not in (MAIN, "script", "file", "environment")
            or "python" in req.marker
            or any("python" in marker for marker in p.environments)
            or _of_others(p, req)
        ):
            continue
        rows, unknown = v.table.torch_rows(tightened(p, req))
        wheels = {minor for row in rows for minor in row.python.get("linux_x86_64", ())}
        if not wheels:
            continue
        if p.tool in ("conda", "pixi"):
            report = None if unknown else _conda(p, v, req, rows, wheels)
        elif p.python_pin and p.python_pin not in wheels and p.python_pin.startswith("3."):
            report = None if unknown else _pinned(p, v, req, rows, wheels)
        else:
            report = _ranged(p, v, req, rows, wheels, unknown)
        if report is not None:
            yield report


def _of_others(p: Project, req: Requirement) -> bool:
    """Whether torch is a file, a checkout or of a vendor's index (Jetson), whose wheels the table does not know."""
    routes = p.routes_of(req)
    indexes = [p.index(route.index) for route in routes if route.index]
    return any(route.url or not route.index for route in routes) or any(
        index is not None and not (index.torch() or urls.is_pypi(index.url)) for index in indexes
    )


def _pinned(p: Project, v: View, req: Requirement, rows: list[Row], wheels: set[str]) -> Finding:
    """The one Python that is chosen: .python-version, Pipfile, an environment of Hatch."""
    where = p.python_where or req.where
    if p.tool not in ("Pipenv", "Hatch"):
        where = Location(path=(p.root + "/" if p.root else "") + ".python-version", line=1)
    return found(
        "TS208",
        where,
        f"Python {p.python_pin} is chosen here, and torch {row_range(rows)} has no wheel for it, only for {_span(wheels)} {v.as_of()}",
        f"Use a Python from {_span(wheels)}, or a newer torch.",
        related=(req.where,),
    )


def _conda(p: Project, v: View, req: Requirement, rows: list[Row], wheels: set[str]) -> Finding | None:
    """conda's Python, into which pip installs torch."""
    minors = conda_minors(p)
    asked = {minor for minor in known_minors(v) if minor_of(minor) in minors}
    python = conda_python(p)
    if python is None or not asked or not asked.isdisjoint(wheels):
        return None
    return found(
        "TS208",
        python.where,
        f"conda installs Python {_span(asked)}, and pip's torch {row_range(rows)} has wheels for {_span(wheels)} only {v.as_of()}: it cannot be installed",
        f"Write `python={max(wheels, key=minor_of)}`, or ask for another torch.",
        related=(req.where,),
    )


def known_minors(v: View) -> list[str]:
    """The Python versions that are held against a manifest: the newest in the table is too young for that."""
    known = {
        int(minor[2:])
        for row in v.table.rows
        for minors in row.python.values()
        for minor in minors
        if minor.startswith("3.")
    }
    return [f"3.{number}" for number in range(6, max(known, default=14))]


def _ranged(p: Project, v: View, req: Requirement, rows: list[Row], wheels: set[str], unknown: bool) -> Finding | None:
    """The range of Pythons that a manifest allows. A torch newer than the table has no wheels for older Pythons."""
    if not p.python or p.python_where is None:
        return None
    spec = specs.parse(p.python, specs.POETRY if p.tool == "Poetry" else specs.PEP440)
    if spec.broken:
        return None
    ranges = [spec, *map(specs.parse, filter(None, p.python_beside))]
    asked = [minor for minor in known_minors(v) if all(one.broken or _meets(one, minor) for one in ranges)]
    if not asked:
        return None
    bottom, top = min(minor_of(wheel) for wheel in wheels), max(minor_of(wheel) for wheel in wheels)
    low = [minor for minor in asked if minor_of(minor) < bottom]
    high = [] if unknown else [minor for minor in asked if minor_of(minor) > top]
    relock = p.relocked()
    if not any(minor in wheels for minor in asked):
        if unknown and len(low) < len(asked):
            return None
        return found(
            "TS208",
            p.python_where,
            f"requires Python {p.python}, but torch {row_range(rows)} has wheels for {_span(wheels)} only {v.as_of()}: it cannot be installed",
            f"Allow a Python from {_span(wheels)}, or use another torch.",
            related=(req.where,),
        )
    if high:
        last = min(top, _vision_top(p, v, req, top))
        last = last if last >= minor_of(asked[0]) else top
        limit = f"<3.{last + 1}"
        fix = None
        if (
            p.python_span is not None
            and re.fullmatch(r"\s*>=\s*3\.\d+(\.\d+)?\s*", p.python)
            and fixes.lives(f"{p.python},{limit}", spec.dialect, _patches(wheels))
        ):
            fix = v.edit(
                p.python_where.path, f"cap Python at {limit}", [(p.python_span[1], p.python_span[1], f",{limit}")]
            )
        return found(
            "TS208",
            p.python_where,
            f"allows Python {high[0]}{' and later' if len(high) > 1 else ''}, but torch {row_range(rows)} has wheels up to 3.{top} only {v.as_of()}",
            f"Cap it: `{_capped(p.python, spec, limit)}`"
            + (f" (torchvision beside it has wheels up to 3.{last})" if last < top else "")
            + relock,
            severity="warning",
            fix=fix,
            related=(req.where,),
        )
    if low and not req.optional:
        universal = p.semantics().universal
        return found(
            "TS208",
            p.python_where,
            f"allows Python {low[0]}, but torch {row_range(rows)} has wheels from 3.{bottom} only: it cannot be installed there",
            f"Raise it to `>=3.{bottom}`" + relock,
            severity=None if universal else "warning",
            fix=_raised(p, v, spec, bottom, wheels),
            related=(req.where,),
        )
    return None


def _meets(spec: specs.Spec, minor: str) -> bool:
    """Whether a range admits a Python, `3.12`: its first release, or a later one."""
    return spec.admits(minor) or spec.admits(f"{minor}.5")


def _vision_top(p: Project, v: View, torch: Requirement, top: int) -> int:
    """The highest Python 3.N that a torchvision beside torch has wheels for, where that is known; else `top`."""
    for other in p.named("torchvision"):
        releases, unknown = v.table.released("torchvision", tightened(p, other))
        wheels = [v.table.vision_python.get(release, {}).get("linux_x86_64", "") for release in releases]
        minors = {minor_of(minor) for text in wheels for minor in text.split()}
        if unknown or other.url or other.marker or not all(wheels) or not minors or min(minors) < 0:
            continue
        if p.together(torch, other):
            return max(minors)
    return top


def _capped(text: str, spec: specs.Spec, limit: str) -> str:
    """A range with a lower upper bound: in the place of its own, where it has one."""
    bounds = [clause for clause in spec.clauses() if clause.op in ("<", "<=")]
    if len(bounds) != 1 or len(spec.alternatives) != 1:
        return f"{text.strip()},{limit}"
    start = text.rfind("<", 0, bounds[0].start)
    return (text[:start] + limit + text[bounds[0].end :]).strip()


def _patches(wheels: set[str]) -> list[str]:
    """Versions of each Python that has a wheel, as a range may ask for them."""
    return [version for wheel in wheels for version in (wheel, f"{wheel}.5")]


def _raised(p: Project, v: View, spec: specs.Spec, bottom: int, wheels: set[str]) -> Fix | None:
    """The lower bound `>=3.x` written anew, if there is one such bound and no alternatives."""
    bounds = [clause for clause in spec.clauses() if clause.op == ">="]
    if len(spec.alternatives) != 1 or len(bounds) != 1 or p.python_span is None or p.python_where is None:
        return None
    start = p.python_span[0]
    raised = f"{p.python[: bounds[0].start]}3.{bottom}{p.python[bounds[0].end :]}"
    if not fixes.lives(raised, spec.dialect, _patches(wheels)):
        return None
    return v.edit(
        p.python_where.path,
        f"raise Python to 3.{bottom}",
        [(start + bounds[0].start, start + bounds[0].end, f"3.{bottom}")],
    )


def _span(wheels: set[str]) -> str:
    ordered = sorted(wheels, key=minor_of)
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"
