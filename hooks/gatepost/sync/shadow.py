"""Files that hide a `[tool.*]` table: ruff.toml is written instead, the others are said plainly, never both.

Measured with ruff 0.17.5, mypy 2.4.1, pytest 9.2.0, coverage 7, bandit 1.9.4:
ruff.toml and .ruff.toml hide [tool.ruff] completely. mypy.ini and .mypy.ini hide [tool.mypy]; setup.cfg [mypy] is
hidden by it. pytest.ini and .pytest.ini hide [tool.pytest]; tox.ini and setup.cfg are hidden by it. .coveragerc,
setup.cfg and tox.ini hide [tool.coverage]. .bandit is read only with `-r`, without file names.
"""

from __future__ import annotations

import re

from gatepost.record import record
from gatepost.sync.paths import get

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

RUFF_FILES = (".ruff.toml", "ruff.toml")  # in ruff's order

_ALWAYS = {
    "mypy": ("mypy.ini", ".mypy.ini"),
    "pytest": ("pytest.ini", ".pytest.ini"),
    "coverage": (".coveragerc",),
    "bandit": (".bandit",),
}
_SECTIONS = {  # tool -> file, section, whether it wins over pyproject.toml
    "mypy": (("setup.cfg", r"mypy", False),),
    "pytest": (("tox.ini", r"pytest", False), ("setup.cfg", r"tool:pytest", False)),
    "coverage": (("setup.cfg", r"coverage:\w+", True), ("tox.ini", r"coverage:\w+", True)),
}
FILES = frozenset({*RUFF_FILES, "setup.cfg", "tox.ini"} | {name for names in _ALWAYS.values() for name in names})


@record
class Shadow:
    """A file that has the settings of a tool; `inert` says that a table in pyproject.toml has no effect beside it."""

    tool: str
    file: str
    line: int | None
    inert: bool


def shadows(read: Callable[[str], bytes | None], data: Mapping[str, Any]) -> list[Shadow]:
    """The files in a project's folder because of which a tool's table must not be written to pyproject.toml."""
    found: list[Shadow] = []
    for tool in ("mypy", "pytest", "coverage", "bandit"):
        here = get(data, ("tool", tool)) is not None
        for name in _ALWAYS[tool]:
            if read(name) is not None:
                found.append(Shadow(tool=tool, file=name, line=None, inert=here and tool != "bandit"))
                break
        else:
            for name, section, wins in _SECTIONS.get(tool, ()):
                if here and not wins:
                    continue
                text = (read(name) or b"").decode("utf-8", "replace")
                match = re.search(rf"(?m)^\[{section}\]", text)
                if match is not None:
                    line = text.count("\n", 0, match.start()) + 1
                    found.append(Shadow(tool=tool, file=name, line=line, inert=here))
                    break
    return found
