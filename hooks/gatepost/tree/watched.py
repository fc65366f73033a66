"""A view that notes which of the files read through it hold a text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gatepost.tree.base import Tree
    from gatepost.tree.entry import Entry
    from gatepost.tree.git import Git


class Watched:
    """Another tree; `found` has the files read so far, and whether each of them holds the text: a regular expression,
    looked for where the plain `word` is."""

    def __init__(self, base: Tree, word: bytes, text: bytes) -> None:
        self.base = base
        self.label = base.label
        self.root = base.root
        self.git: Git | None = base.git
        self.found: dict[str, bool] = {}
        self._word = word
        self._text = text

    def read(self, path: str) -> bytes | None:
        data = self.base.read(path)
        if path not in self.found:
            self.found[path] = data is not None and self._word in data and self._has(data)
        return data

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes | None]:
        read = self.base.read_many(paths)
        for path, data in read.items():
            if path not in self.found:
                self.found[path] = data is not None and self._word in data and self._has(data)
        return read

    def paths(self) -> Sequence[str]:
        return self.base.paths()

    def entry(self, path: str) -> Entry | None:
        return self.base.entry(path)

    def size(self, path: str) -> int | None:
        return self.base.size(path)

    def status(self, path: str) -> str:
        return self.base.status(path)

    def _has(self, data: bytes) -> bool:
        import re

        return re.search(self._text, data) is not None
