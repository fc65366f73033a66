"""TS208: Python versions that no wheel of the admitted torch supports."""

from __future__ import annotations

import re

from gatepost.model import Location
from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.model import (
    MAIN,
)
from gatepost.rules.torch_source.versions.ranges import minor_of, row_range, tightened
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def python_beyond_wheels(p: Project, v: View) -> Findings:
    """TS208: Python versions that no wheel of the admitted torch supports."""
    if p.tool in ("conda", "pixi"):
        return
    table = v.table
    for req in p.named("torch"):
        if req.url or req.spec.broken or req.env.kind not in (MAIN, "script", "file"):
            continue
        rows, unknown = table.torch_rows(tightened(p, req))
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
                f"Python {p.python_pin} is chosen here, and torch {row_range(rows)} has no wheel for it, only for {_span(wheels)} {v.as_of()}",
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
                f"requires Python {p.python}, but torch {row_range(rows)} has wheels for {_span(wheels)} only {v.as_of()}: it cannot be installed",
                f"Allow a Python from {_span(wheels)}, or use another torch.",
                related=(req.where,),
            )
            continue
        low = [minor for minor in asked if minor_of(minor) < min(minor_of(wheel) for wheel in wheels)]
        high = [minor for minor in asked if minor_of(minor) > max(minor_of(wheel) for wheel in wheels)]
        top = max(minor_of(wheel) for wheel in wheels)
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
                f"allows Python {high[0]}{' and later' if len(high) > 1 else ''}, but torch {row_range(rows)} has wheels up to 3.{top} only {v.as_of()}",
                f"Cap it: `{p.python.strip()},{limit}`" + (f", then run `{p.semantics().relock}`." if p.locks else "."),
                severity="warning",
                fix=fix,
                related=(req.where,),
            )
        elif low and p.semantics().universal:
            yield found(
                "TS208",
                p.python_where,
                f"allows Python {low[0]}, but torch {row_range(rows)} has wheels from 3.{min(minor_of(wheel) for wheel in wheels)} only: {p.tool} cannot lock",
                f"Raise it to `>=3.{min(minor_of(wheel) for wheel in wheels)}`, then run `{p.semantics().relock}`.",
                related=(req.where,),
            )


def _span(wheels: set[str]) -> str:
    ordered = sorted(wheels, key=minor_of)
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"
