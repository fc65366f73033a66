"""Views of another view; one reads through symbolic links of TOML files, as the tools do: the others give a link's text."""

from __future__ import annotations

import posixpath

from gatepost.tree.entry import SYMLINK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gatepost.tree.base import Tree
    from gatepost.tree.entry import Entry
    from gatepost.tree.git import Git

_LIMIT = 40  # links on the way, as Linux (path_resolution(7))
_LONGEST = 4096  # bytes of a link's text (PATH_MAX)


class Through:
    """Another tree, `base`; of each file read it gives what `passed(path, bytes or None)` makes of it."""

    def __init__(self, base: Tree, passed: Callable[[str, bytes | None], bytes | None]) -> None:
        self.base = base
        self.label = base.label
        self.root = base.root
        self.git: Git | None = base.git
        self._passed = passed

    def read(self, path: str) -> bytes | None:
        return self._passed(path, self.base.read(path))

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes | None]:
        return {path: self._passed(path, data) for path, data in self.base.read_many(paths).items()}

    def paths(self) -> Sequence[str]:
        return self.base.paths()

    def entry(self, path: str) -> Entry | None:
        return self.base.entry(path)

    def size(self, path: str) -> int | None:
        return self.base.size(path)

    def status(self, path: str) -> str:
        return self.base.status(path)


def followed(base: Tree) -> Through:
    """Another tree; a `.toml` file that is a link gives the file it leads to, None if that is not in the repository."""

    def passed(path: str, data: bytes | None) -> bytes | None:
        if data is None or not path.endswith(".toml") or len(data) > _LONGEST or b"\n" in data:
            return data  # no link: nothing more is asked
        if not _is_link(base, path):
            return data
        target = resolved(base, path)
        return None if target is None else base.read(target)

    return Through(base, passed)


def resolved(tree: Tree, path: str) -> str | None:
    """The path behind links, of the file and of the folders on the way; None where they lead out or in a circle."""
    for _ in range(_LIMIT):
        parts = path.split("/")
        heads = ("/".join(parts[:size]) for size in range(1, len(parts) + 1))
        link = next((head for head in heads if _is_link(tree, head)), None)
        if link is None:
            return path
        text = (tree.read(link) or b"").decode("utf-8", "surrogateescape")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(link), text, path[len(link) + 1 :]))
        if not text or path.startswith(("/", "../")) or path in ("..", "."):
            return None
    return None


def leads_out(tree: Tree, path: str) -> bool:
    """Whether a path is a link to something that is not in the repository: what it holds is not known here."""
    if isinstance(tree, Through):
        tree = tree.base
    if not _is_link(tree, path):
        return False
    target = resolved(tree, path)
    return target is None or tree.entry(target) is None


def _is_link(tree: Tree, path: str) -> bool:
    entry = tree.entry(path)
    return entry is not None and entry.mode == SYMLINK
