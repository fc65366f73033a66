"""TS213, in a lock: the torch that it holds was built against numpy 1, and the numpy beside it is 2."""

from __future__ import annotations

from gatepost.model import WARNING
from gatepost.rules.torch_source import markers, specs
from gatepost.rules.torch_source.locks.wheels import renewal
from gatepost.rules.torch_source.versions.ranges import tightened
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Lock, Locked, Project, Requirement
    from gatepost.rules.torch_source.view import View

FORMATS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock")


def numpy_two_locked(p: Project, v: View) -> Iterator[Finding]:
    """TS213: a lock chose an old torch for a platform, where the ranges admit one that goes with numpy 2."""
    if p.tool in ("conda", "pixi") or p.conflicts:
        return
    pairs = [(torch, numpy) for torch in p.named("torch") for numpy in p.named("numpy") if p.together(torch, numpy)]
    if not pairs or any(_old_by_range(p, v, torch) for torch, _ in pairs):
        return
    for lock in p.locks:
        for entry in lock.entries if lock.format in FORMATS else ():
            beside = _numpy_two(lock, entry)
            row = v.table.row(specs.public(entry.version)) if entry.name == "torch" and beside is not None else None
            if row is None or beside is None or "l" in row.numpy2:
                continue
            named = markers.names(entry.marker)
            there = f" for {' and '.join(markers.platforms(entry.marker))}" if named else ""
            yield found(
                "TS213",
                entry.where,
                f"torch {row.torch} is locked{there} with numpy {beside.version}: it was built against numpy 1 and fails to exchange arrays with it",
                ("Ask for `numpy<2` there by a marker, or leave that platform out" if named else "Ask for `numpy<2`")
                + f", then {renewal(p, lock)}.",
                severity=None if markers.possible(entry.marker, "linux_x86_64") else WARNING,
                related=(beside.where,),
            )


def _old_by_range(p: Project, v: View, torch: Requirement) -> bool:
    """Whether the manifest's range admits a torch that was built against numpy 1 only: said of the manifest."""
    rows, unknown = v.table.torch_rows(tightened(p, torch))
    return bool(rows) and not unknown and not any("l" in row.numpy2 for row in rows)


def _numpy_two(lock: Lock, torch: Locked) -> Locked | None:
    """The numpy 2 that is locked where an entry of torch is, unless a numpy 1 may be there instead."""
    there = [other for other in lock.entries if other.name == "numpy" and markers.overlap(torch.marker, other.marker)]
    if not there or any(other.version.partition(".")[0] != "2" for other in there):
        return None
    return there[0]
