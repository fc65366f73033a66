"""Constraint files that the commands of the repository give beside a requirements file (`pip install -r a -c b`)."""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.rules.torch_source import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.specs import Spec
    from gatepost.rules.torch_source.view import View

_GIVEN = pattern(r"(?:\s(?:-c|--constraints?)[=\s]*|\b(?:PIP|UV)_CONSTRAINT[=\s:]+)[\"']?([^\s\"']+)")


def by_commands(p: Project, v: View) -> dict[str, list[Spec]]:
    """What the constraint files of the commands that install a requirements file say: canonical name to ranges."""
    found: dict[str, list[Spec]] = {}
    for line in _lines(p.path, v) if p.tool == "pip" else ():
        words = {word.rpartition("/")[2] for word in _GIVEN.findall(line)}
        for other in v.projects:
            if words and other.tool == "pip" and other.path.rpartition("/")[2] in words:
                for req in other.requirements:
                    found.setdefault(req.name, []).append(req.spec)
    return found


def beside_an_index(path: str, v: View) -> bool:
    """Whether a command gives this constraint file to a requirements file that names an index."""
    base = path.rpartition("/")[2]
    named = [line for line in _lines(path, v) if any(word.rpartition("/")[2] == base for word in _GIVEN.findall(line))]
    return any(
        other.tool == "pip" and other.path != path and other.indexes and _word(other.path).search(line)
        for line in named
        for other in v.projects
    )


_MORE = pattern(r"(?:--extra-index-url|--index|(?:PIP_EXTRA|UV_EXTRA|UV)_INDEX(?:_URL)?)[=\s]+[\"']?([^\s\"']+)")
_MAIN = pattern(r"\buv\b.*(?:--index-url|--default-index|\s-i)[=\s]+[\"']?([^\s\"']+)")


def served_beside(path: str, v: View) -> bool:
    """Whether a command that installs a requirements file gives it another index than PyTorch's, beside the file's own.

    Tested with uv 0.13.8: `--index-url` of the command wins over the file's; for pip 26 the file's wins, and only
    `--extra-index-url` adds one.
    """
    return any(
        not urls.is_torch_index(hit[1])
        for line in _lines(path, v)
        for expression in (_MORE, _MAIN)
        for hit in expression.finditer(line)
    )


def _lines(path: str, v: View) -> list[str]:
    """The lines of scripts, images and documents that name a requirements file, or give a constraint by a variable."""
    uses = _word(path)
    return [
        line
        for _, text in v.installers()
        if uses.search(text)
        for line in text.splitlines()
        if uses.search(line) or "_CONSTRAINT" in line
    ]


def _word(path: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-]){re.escape(path.rpartition('/')[2])}(?![\w.-])")
