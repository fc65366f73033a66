"""Ask us about a directory on disk, and put a manifest edit into words that both we and the real tool can be asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gatepost.locks._base import Fresh, Lock, LockFormat, Stale, Unknown

if TYPE_CHECKING:
    from gatepost.locks._base import Verdict


def lock_of(root: Path, path: str) -> Lock:
    """The Lock value of a file below `root`."""

    def read(name: str) -> bytes | None:
        target = root / name
        return target.read_bytes() if name and target.is_file() else None

    def paths() -> list[str]:
        return sorted(entry.relative_to(root).as_posix() for entry in root.rglob("*") if entry.is_file())

    return Lock(path=path, data=(root / path).read_bytes(), read=read, paths=paths)


def memory_lock(path: str, files: dict[str, bytes]) -> Lock:
    """The Lock value of a file of a dict."""
    return Lock(path=path, data=files[path], read=files.get, paths=lambda: sorted(files))


def word(verdict: Verdict) -> str:
    """ "fresh", "stale" or "unknown"."""
    names = {Fresh: "fresh", Stale: "stale", Unknown: "unknown"}
    return names[type(verdict)]


def ask(form: LockFormat, root: Path, path: str) -> tuple[str, Verdict]:
    """Our verdict on a lock on disk, as a word and whole."""
    verdict = form.judge(lock_of(root, path))
    return word(verdict), verdict


def edited(text: str, *changes: tuple[str, str]) -> str:
    """`text` with each `old` replaced once by `new`; an `old` of "" appends, of "^" prepends.

    Raises:
        AssertionError: an `old` does not occur: the mutation would test nothing.
    """
    for old, new in changes:
        if old == "":
            text += new
        elif old == "^":
            text = new + text
        else:
            assert old in text, f"{old!r} is not in the text"
            text = text.replace(old, new, 1)
    return text
