"""What stands around a call: the folders and the torch of its project, the comments that tell other tools of it."""

from __future__ import annotations

import re

from gatepost.rules.unsafe_load.torch_floor import Projects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.tree.base import Tree

_SUPPRESSED = re.compile(r"#\s*(noqa|nosec)\b(?::?[ \t]*([A-Z]\d{3}(?:[ \t,]+[A-Z]\d{3})*))?")
_TORCH, _PICKLE, _HUB = frozenset(("S614", "B614")), frozenset(("S301", "B301")), frozenset(("S615", "B615"))
_SAME = {  # our code -> the codes of Ruff and bandit for the same thing
    "UL101": _TORCH, "UL102": _TORCH, "UL103": _PICKLE, "UL104": _PICKLE, "UL105": _PICKLE, "UL106": _TORCH,
    "UL107": _HUB, "UL108": _HUB, "UL109": _PICKLE, "UL110": frozenset(("S506", "B506")),
}  # fmt: skip


class Around:
    """What a file's surroundings say: the torch of its project, the folders that its relative paths may begin with."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._below: dict[str, set[str]] | None = None
        self.projects = Projects(tree)

    def folders(self, path: str) -> frozenset[str]:
        """Names of the folders beside a file and at the root."""
        if self._below is None:
            self._below = {}
            seen: set[str] = set()
            for each in self._tree.paths():
                folder = each.rpartition("/")[0]
                while folder and folder not in seen:
                    seen.add(folder)
                    parent, _, name = folder.rpartition("/")
                    self._below.setdefault(parent, set()).add(name)
                    folder = parent
        return frozenset(self._below.get("", set()) | self._below.get(path.rpartition("/")[0], set()))


def accepted(code: str, text: str) -> bool:
    """Whether a comment beside a call has told Ruff or bandit already that the same thing is meant."""
    if "nosec" not in text and "noqa" not in text:
        return False
    for match in _SUPPRESSED.finditer(text):
        named = frozenset(re.findall(r"[A-Z]\d{3}", match[2] or ""))
        if not named.isdisjoint(_SAME[code]) or (match[1] == "nosec" and not named):
            return True
    return False
