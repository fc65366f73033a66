"""A snapshot made of a dict: for tests, for examples, and to look again after a fix."""

from __future__ import annotations

from gatepost.tree.entry import REGULAR, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gatepost.model import Edit
    from gatepost.tree.base import Tree
    from gatepost.tree.git import Git


class MemoryTree:
    """Files as `path -> bytes`; `untracked` and `ignored` name files that `status` should report so."""

    label = "memory"
    root = ""
    git: Git | None = None

    def __init__(self, files: Mapping[str, bytes], untracked: Iterable[str] = (), ignored: Iterable[str] = ()) -> None:
        self._files = dict(files)
        self._paths = sorted(self._files)
        self._untracked = frozenset(untracked)
        self._ignored = frozenset(ignored)

    def paths(self) -> Sequence[str]:
        return self._paths

    def entry(self, path: str) -> Entry | None:
        return Entry(path=path, mode=REGULAR, oid="") if path in self._files else None

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes | None]:
        return {path: self._files.get(path) for path in paths}

    def size(self, path: str) -> int | None:
        data = self._files.get(path)
        return None if data is None else len(data)

    def status(self, path: str) -> str:
        if path in self._files:
            return "tracked"
        return "untracked" if path in self._untracked else "ignored" if path in self._ignored else "absent"


class OverlayTree:
    """Another tree with some edits applied: what the repository would be after a fix."""

    def __init__(self, base: Tree, edits: Iterable[Edit]) -> None:
        self._base = base
        self._new = {edit.path: edit.new for edit in edits}
        self.label = base.label
        self.root = base.root
        self.git = base.git

    def paths(self) -> Sequence[str]:
        kept = {path for path in self._base.paths() if self._new.get(path, b"") is not None}
        return sorted(kept | {path for path, new in self._new.items() if new is not None})

    def entry(self, path: str) -> Entry | None:
        if path not in self._new:
            return self._base.entry(path)
        return None if self._new[path] is None else Entry(path=path, mode=REGULAR, oid="")

    def read(self, path: str) -> bytes | None:
        return self._new[path] if path in self._new else self._base.read(path)

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes | None]:
        wanted = list(paths)
        found = dict(self._base.read_many([path for path in wanted if path not in self._new]))
        return {path: self._new[path] if path in self._new else found[path] for path in wanted}

    def size(self, path: str) -> int | None:
        if path not in self._new:
            return self._base.size(path)
        new = self._new[path]
        return None if new is None else len(new)

    def status(self, path: str) -> str:
        if path in self._new:
            return "absent" if self._new[path] is None else "tracked"
        return self._base.status(path)
