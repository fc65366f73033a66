"""Which config a tool gets: the project's own, wherever it lives, else the shared one, without a file being written."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def shared_config() -> str:
    """Absolute path of the shared base config in the shape of a pyproject.toml: from the wheel, else the checkout."""
    here = os.path.dirname(os.path.abspath(__file__))
    packaged = os.path.join(os.path.dirname(here), "_configs")
    folder = packaged if os.path.isdir(packaged) else os.path.join(here, "..", "..", "..", "configs")
    return os.path.normpath(os.path.join(folder, "rendered", "base", "pyproject.toml"))


def _text(*parts: str) -> str:
    try:
        with open(os.path.join(*parts), encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def has_table(text: str, *path: str) -> bool:
    """Whether TOML text opens a table of this path or under it (a header or a dotted key; a heuristic on text)."""
    dotted = r"\s*\.\s*".join(rf"[\"']?{re.escape(word)}[\"']?" for word in path)
    return re.search(rf"(?m)^\s*(\[+\s*)?{dotted}\s*[\].=]", text) is not None


def ruff_config(root: str, pyprojects: Sequence[str]) -> list[str]:
    """`--config FILE` when no file of the project configures ruff; [] when one does (ruff finds it)."""
    if any(os.path.exists(os.path.join(root, name)) for name in ("ruff.toml", ".ruff.toml")):
        return []
    for name in {*pyprojects, "pyproject.toml"}:
        leaf = name.rpartition("/")[2]
        if leaf in ("ruff.toml", ".ruff.toml") or has_table(_text(root, name), "tool", "ruff"):
            return []
    return ["--config", shared_config()]


def mypy_config(root: str) -> list[str]:
    """`--config-file FILE` when the project has no mypy config, else []."""
    if any(os.path.exists(os.path.join(root, name)) for name in ("mypy.ini", ".mypy.ini")):
        return []
    if has_table(_text(root, "pyproject.toml"), "tool", "mypy") or "[mypy" in _text(root, "setup.cfg"):
        return []
    return ["--config-file", shared_config()]


def mypy_names_files(root: str) -> bool:
    """Whether the project's mypy config says what to check (`files`, `packages` or `modules`)."""
    for name in ("mypy.ini", ".mypy.ini", "setup.cfg"):
        text = _text(root, name)
        if "[mypy" in text and re.search(r"(?m)^(files|packages|modules)\s*=", text):
            return True
    text = _text(root, "pyproject.toml")
    table = re.search(r"(?ms)^\s*\[tool\.mypy\](.*?)(?=^\s*\[|\Z)", text)
    return table is not None and re.search(r"(?m)^\s*(files|packages|modules)\s*=", table[1]) is not None


def bandit_config(root: str) -> list[str]:
    """`-c FILE`: bandit reads pyproject.toml only when it is told to."""
    if has_table(_text(root, "pyproject.toml"), "tool", "bandit"):
        return ["-c", os.path.join(root, "pyproject.toml")]
    for name in ("bandit.yaml", "bandit.yml", ".bandit.yaml", ".bandit.yml"):
        if os.path.exists(os.path.join(root, name)):
            return ["-c", os.path.join(root, name)]
    return ["-c", shared_config()]
