"""Which locks are too large to be judged.

A lock of 50 MB never takes more than 150 MiB: it is judged in less, or not at all. conda-lock.yml and pixi.lock have to go
through a YAML parser, which takes about 30 times their size: a robotics workspace of 3 MB must be judged all the same, so
the largest of them take 350 MiB.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.locks._base import Lock, LockFormat

_ENTRIES = (b"[[package",)
_LINES = (b"\n",)
_NODES = (b"\n", b",", b"[", b"{")  # PyYAML keeps more than half a KiB for each scalar
# format -> (bytes, marks, how many of them)
_BOUNDS: dict[str, tuple[int, tuple[bytes, ...], int]] = {
    "uv": (52_000_000, _ENTRIES, 40_000),
    "poetry": (52_000_000, _ENTRIES, 40_000),
    "pdm": (52_000_000, _ENTRIES, 40_000),
    "pipenv": (20_000_000, _LINES, 400_000),
    "pylock": (9_000_000, _ENTRIES, 40_000),
    "conda-lock": (10_000_000, _NODES, 400_000),
    "pixi": (10_000_000, _NODES, 400_000),
}
_OTHERS = (8_000_000, _LINES, 80_000)  # requirements files
_SMALL = 2_000_000  # bytes: a TOML lock of this size stays below every bound, whatever it holds
_PARSED = 5_000_000  # bytes for the TOML parser, which needs 14 times as much


def too_large(form: LockFormat, lock: Lock) -> str:
    """Why a lock is not judged, as a clause; "" for one that is."""
    most, marks, many = _BOUNDS.get(form.name, _OTHERS)
    size = len(lock.data)
    if size > most:
        return f"it is too large to be judged ({size >> 20} MiB)"
    if size <= (_SMALL if marks is _ENTRIES else many):
        return ""
    if sum(map(lock.data.count, marks)) > many:
        return "it has too many entries to be judged"
    if form.name in ("poetry", "pdm") and size > _PARSED:
        from gatepost.locks._slim import canonical_text

        text = canonical_text(lock)
        if len(lock.data if text is None else text) > _PARSED:
            return f"it is not in the layout of {form.name} and too large to be judged ({size >> 20} MiB)"
    return ""
