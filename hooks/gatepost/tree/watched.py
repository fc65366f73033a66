"""A view that notes which of the files read through it hold a text."""

from __future__ import annotations

from gatepost.tree.links import Through

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.tree.base import Tree


def watched(base: Tree, word: bytes, text: bytes) -> tuple[Through, dict[str, bool]]:
    """Another tree, and the files read through it so far: whether each of them holds the text, a regular expression that
    is looked for where the plain `word` is."""
    found: dict[str, bool] = {}

    def passed(path: str, data: bytes | None) -> bytes | None:
        if path not in found:
            found[path] = data is not None and word in data and _has(data, text)
        return data

    return Through(base, passed), found


def _has(data: bytes, text: bytes) -> bool:
    import re

    return re.search(text, data) is not None
