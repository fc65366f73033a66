"""Which Poetry a repository pins, in its settings and in the commands that install it."""

from __future__ import annotations

import re

from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.view import View


def _installs(major: int) -> str:
    """What installs Poetry of a major version: a pin, a variable of its installer, an input of an action."""
    return (
        rf"\bpoetry(?![\w-])[\"']?\s*(?:={{2,3}}|~=|@)\s*v?{major}\.\d|"
        rf"POETRY_VERSION[\"']?\s*[=:]\s*[\"'\[]*v?{major}\.\d|poetry[-_]version:\s*[\"'\[]*v?{major}\.\d|"
        rf"install-poetry@[^\n]*\n(?:[^\n]*\n){{0,3}}?\s*version:\s*[\"']?v?{major}\.\d"
    )


_ONE = pattern(_installs(1) + r"|\bpoetry(?![\w-])[^\n;&|]{0,20}<\s*=?\s*2(?:\.0)*(?![\d.])", re.IGNORECASE)
_TWO = pattern(_installs(2) + r"|\binstall\s+(?:-\S+\s+)*poetry(?:\s*$|\s*[;&|\\])", re.IGNORECASE | re.MULTILINE)
_BELOW_TWO = pattern(r"(?m)^requires-poetry\s*=\s*[\"'](?:[^\"']*<\s*=?\s*2(?:\.0)*(?![\d.])|[\^~]=?\s*1\.|==\s*1\.)")


def below_two(p: Project, v: View) -> bool:
    """Whether the repository pins Poetry below 2, and installs no other."""
    if _BELOW_TWO.search((v.tree.read(p.path) or b"").decode("utf-8", "replace")):
        return True
    texts = [text for _, text in v.installers()]
    return any(_ONE.search(text) for text in texts) and not any(_TWO.search(text) for text in texts)
