"""What Git LFS would have to hold: the sizes that new pointers declare, held to `lfs-limit` and `lfs-budget`.

Both are off by default: storage for large files is what Git LFS is for, and hosts differ (GitHub takes 2 GB a file, 5 GB
in its largest plan; a hub takes 50 GB). They are for teams that pay for quota or mean to keep models on a hub.
"""

from __future__ import annotations

from gatepost.model import Finding, Location
from gatepost.rules.large_model_files.lfs import POINTER_MAX, declared
from gatepost.rules.large_model_files.limits import exact, human
from gatepost.tree.history import SYMLINK, Blob, Use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from gatepost.model import Outcome
    from gatepost.rules.large_model_files.survey import Policy, Seen
    from gatepost.tree.history import Source

NAMED = 3


def check(
    source: Source, policy: Policy, settings: Mapping[str, Any], seen: Sequence[Seen], told: set[str]
) -> Iterator[tuple[list[str], Outcome]]:
    """One finding a pointer over `lfs-limit`, one for all together over `lfs-budget`."""
    limit, budget = settings["lfs-limit"], settings["lfs-budget"]
    found = [each for each in _pointers(source) if policy.counts(each[0])]
    if sum(size for _blob, size in found) <= min(each for each in (limit, budget) if each):
        return
    blobs = source.explain([blob for blob, _size in found])
    known = source.known(blobs) if source.kind != "tree" else set()
    new = [(blob, size) for blob, (_old, size) in zip(blobs, found, strict=True) if blob.oid not in known]
    from gatepost.rules.large_model_files.remedy import take_out

    for blob, size in new:
        uses = policy.counts(blob)
        if limit and size > limit and uses:
            yield (
                [blob.oid],
                Finding(
                    code="MF114",
                    where=Location(path=uses[0].path),
                    message=f"its Git LFS pointer stands for {exact(size)}; `lfs-limit` is {exact(limit)}",
                    remedy=f"{take_out(source, uses[0])}\nKeep it on a hub or in DVC, or raise `lfs-limit` if Git LFS is "
                    "to hold it.",
                ),
            )
    total = sum(size for _blob, size in new)
    if budget and total > budget and source.kind != "tree":
        yield [], _budget(source, sorted(new, key=lambda each: -each[1]), total, budget)


def _pointers(source: Source) -> list[tuple[Blob, int]]:
    """New pointers, each object once, and the bytes they stand for ("tree": all at paths that `filter=lfs` covers)."""
    at: dict[str, tuple[str, int]] = {}
    if source.kind == "tree":
        for path, value in source.filters().items():
            entry = source.entry(path)
            if value == "lfs" and entry is not None and entry[0] != SYMLINK:
                at.setdefault(entry[1], (path, 0))
        sizes = source.peek.sizes(at)
        at = {oid: (path, size) for oid, (path, _none) in at.items() if (size := sizes[oid])}
    else:
        at = {oid: (path, size) for oid, size, path in source.weights()}
    small = [oid for oid, (_path, size) in at.items() if 0 < size <= POINTER_MAX]
    found: dict[str, tuple[Blob, int]] = {}
    for oid, data in source.peek.whole(small).items() if small else ():
        pointer = declared(data)
        if pointer is not None:
            path, size = at[oid]
            found.setdefault(pointer[0], (Blob(oid=oid, size=size, uses=(Use(path=path, mode="100644"),)), pointer[1]))
    return list(found.values())


def _budget(source: Source, new: Sequence[tuple[Blob, int]], total: int, budget: int) -> Finding:
    names = ", ".join(f"`{blob.path}` ({human(size)})" for blob, size in new[:NAMED])
    more = f" and {len(new) - NAMED} more" if len(new) > NAMED else ""
    return Finding(
        code="MF114",
        where=Location(path=new[0][0].path),
        message=f"{source.label} adds {len(new)} Git LFS objects with {exact(total)} in all; `lfs-budget` is "
        f"{exact(budget)}: {names}{more}",
        remedy="Keep what need not be versioned beside the code on a hub or in DVC, or raise `lfs-budget`.",
        related=tuple(Location(path=blob.path) for blob, _size in new[1:20]),
    )
