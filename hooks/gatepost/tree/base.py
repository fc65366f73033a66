"""The view of a repository that every check reads: the index, the work tree, a commit, or a dict in memory."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Protocol

    from gatepost.tree.entry import Entry
    from gatepost.tree.git import Git

    class Tree(Protocol):
        """A snapshot. Paths are POSIX, from the repository's root, non-UTF-8 bytes as surrogate escapes."""

        @property
        def label(self) -> str:
            """ "index", "work tree", "commit 1a2b3c4" or "memory"."""

        @property
        def root(self) -> str:
            """Absolute path of the work tree, "" where there is none."""

        @property
        def git(self) -> Git | None:
            """The repository behind it; None in memory."""

        def paths(self) -> Sequence[str]:
            """Every file (regular or symlink, not a submodule), sorted, each once."""

        def entry(self, path: str) -> Entry | None:
            """Mode and object id of a path, or None if it is not in the snapshot."""

        def read(self, path: str) -> bytes | None:
            """A file's bytes (a symlink's target), or None if it is not in the snapshot."""

        def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes | None]:
            """The same for many paths in one go; later `read` calls of these cost nothing."""

        def size(self, path: str) -> int | None:
            """A file's size in bytes without reading it, or None if it is not in the snapshot."""

        def status(self, path: str) -> str:
            """ "tracked", "untracked" or "ignored" (on disk only), "deleted" (tracked, gone from disk), or "absent"."""

else:

    class Tree:
        pass
