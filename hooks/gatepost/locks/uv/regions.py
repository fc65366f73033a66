"""Requirements of one name as uv 0.13 compares them: by what they ask for in each environment, not line by line.

`idna>=2` equals `idna>=2; python_version < '3.12'` with `idna>=2; python_version >= '3.12'`, and two lines that hold
together equal one with both specifiers. Loaded only where the lines themselves differ. Source: runs of uv 0.13.8.
"""

from __future__ import annotations

from gatepost.manifests import markers, versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gatepost.locks.uv.identity import Wanted
    from gatepost.manifests.markers import Formula

_MANY = 8  # distinct markers of one name: above that, lines that differ are taken for different


def unequal(new: Iterable[Wanted], old: Iterable[Wanted], names: set[str], python: versions.Ranges) -> set[str]:
    """Those of `names` that the two lists do not ask for alike under the Python range.

    Raises:
        MarkerError: a marker too tangled to compare.
    """
    mine, theirs = _by_name(new, names), _by_name(old, names)
    return {name for name in names if not _alike(mine.get(name, []), theirs.get(name, []), python)}


def _by_name(needs: Iterable[Wanted], names: set[str]) -> dict[str, list[Wanted]]:
    found: dict[str, list[Wanted]] = {}
    for need in needs:
        if need.name in names:
            found.setdefault(need.name, []).append(need)
    return found


def _alike(new: list[Wanted], old: list[Wanted], python: versions.Ranges) -> bool:
    marks: list[Formula] = []
    for need in (*new, *old):
        if need.marker not in marks:
            if markers.impossible(need.marker, python):
                return False  # uv records a line that never holds, too
            marks.append(need.marker)
    if not new or not old or len(marks) > _MANY:
        return False
    # cut all environments along the markers, then ask each piece
    pieces: list[tuple[Formula, list[Formula]]] = [(True, [])]
    for mark in marks:
        cut = []
        for piece, holding in pieces:
            inside, outside = markers.conjunction([piece, mark]), markers.conjunction([piece, markers.negate(mark)])
            if not markers.impossible(inside, python):
                cut.append((inside, [*holding, mark]))
            if not markers.impossible(outside, python):
                cut.append((outside, holding))
        pieces = cut
    return all(_asked(new, holding) == _asked(old, holding) for _, holding in pieces)


def _asked(needs: list[Wanted], holding: list[Formula]) -> dict[Any, tuple[frozenset[str], versions.Ranges]]:
    """What the lines whose marker holds ask for together: source -> (extras, versions)."""
    found: dict[Any, tuple[frozenset[str], versions.Ranges]] = {}
    for need in needs:
        if need.marker not in holding:
            continue
        name, extras, kind, *rest = need.identity
        admitted = versions.EVERYTHING
        if kind == "registry" and isinstance(rest[0], tuple):
            admitted, rest = rest[0], rest[1:]
        source = (name, kind, *rest)
        had_extras, had = found.get(source, (frozenset(), versions.EVERYTHING))
        found[source] = (had_extras.union(extras), versions.intersect(had, admitted))
    return found
