"""A view that reads through symbolic links of TOML files, as the tools do; the other views give a link's text."""

from __future__ import annotations

import posixpath

from gatepost.tree.entry import SYMLINK, Through

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.tree.base import Tree

_LIMIT = 40  # links on the way, as Linux (path_resolution(7))
_LONGEST = 4096  # bytes of a link's text (PATH_MAX)


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
