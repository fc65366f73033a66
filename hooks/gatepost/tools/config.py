"""Which config a tool gets: the project's own, wherever it lives, else the shared one, without a file being written."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def shared_config() -> str:
    """Absolute path of the shared base config in the shape of a pyproject.toml: from the wheel, else the checkout."""
    here = os.path.dirname(os.path.abspath(__file__))
    packaged = os.path.join(os.path.dirname(here), "_configs")
    folder = packaged if os.path.isdir(packaged) else os.path.join(here, "..", "..", "..", "configs")
    return os.path.normpath(os.path.join(folder, "rendered", "base", "pyproject.toml"))


def text_of(*parts: str) -> str:
    """A text file, "" if it cannot be read."""
    try:
        with open(os.path.join(*parts), encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def has_table(text: str, *path: str) -> bool:
    """Whether TOML text opens a table of this path or under it (a header or a dotted key; a heuristic on text)."""
    dotted = r"\s*\.\s*".join(rf"[\"']?{re.escape(word)}[\"']?" for word in path)
    return re.search(rf"(?m)^\s*(\[+\s*)?{dotted}\s*[\].=]", text) is not None


class RuffConfigs:
    """The nearest config of Ruff for each folder of a repository, as Ruff looks for it, but not above `top`."""

    def __init__(self, top: str) -> None:
        self._top = os.path.abspath(top)
        self._found: dict[str, str | None] = {}

    def of(self, folder: str) -> str | None:
        """The file that configures Ruff for a folder (absolute path), None if no file of the repository does."""
        if folder not in self._found:
            self._found[folder] = self._in(folder)
            parent = os.path.dirname(folder)
            if self._found[folder] is None and folder != self._top and parent != folder:
                self._found[folder] = self.of(parent)
        return self._found[folder]

    def _in(self, folder: str) -> str | None:
        for name in (".ruff.toml", "ruff.toml"):
            if os.path.isfile(os.path.join(folder, name)):
                return os.path.join(folder, name)
        path = os.path.join(folder, "pyproject.toml")
        return path if has_table(text_of(path), "tool", "ruff") else None


def ruff_groups(cwd: str, top: str, files: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Files under a config of the project's, files under none, and the configs of the first (absolute paths)."""
    configs = RuffConfigs(top)
    base = os.path.abspath(cwd)
    own: list[str] = []
    bare: list[str] = []
    used: dict[str, None] = {}
    for name in files:
        found = configs.of(os.path.normpath(os.path.join(base, os.path.dirname(name))))
        if found is None:
            bare.append(name)
        else:
            own.append(name)
            used[found] = None
    return own, bare, list(used)


def required_ruff(path: str) -> str:
    """What a config file asks of Ruff's version, "" if it does not."""
    text = text_of(path)
    if "required-version" not in text:
        return ""
    from gatepost.toml.load import TomlError, loads

    try:
        table: object = loads(text.encode("utf-8", "replace"))
    except TomlError:
        return ""
    for key in ("tool", "ruff") if path.endswith("pyproject.toml") else ():
        table = table.get(key) if isinstance(table, dict) else None
    value = table.get("required-version") if isinstance(table, dict) else None
    return value.strip() if isinstance(value, str) else ""


def satisfies(version: str, wanted: str) -> bool:
    """Whether a version meets a `required-version`, which is one version or PEP 440 specifiers. What nobody can read
    is met: Ruff says itself what is wrong with it."""
    if version == wanted or not version:
        return True
    if (found := re.fullmatch(r">=\s*(\d+(?:\.\d+)*)", wanted)) and re.fullmatch(r"\d+(\.\d+)*", version):
        return [int(each) for each in version.split(".")] >= [int(each) for each in found[1].split(".")]
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(wanted if not wanted[:1].isdigit() else f"=={wanted}").contains(version, prereleases=True)
    except InvalidSpecifier:
        return True


def bandit_config(root: str) -> str:
    """The config file for bandit, which reads pyproject.toml only when it is told to."""
    if has_table(text_of(root, "pyproject.toml"), "tool", "bandit"):
        return os.path.join(root, "pyproject.toml")
    for name in ("bandit.yaml", "bandit.yml", ".bandit.yaml", ".bandit.yml", "bandit.toml"):
        if os.path.exists(os.path.join(root, name)):
            return os.path.join(root, name)
    return shared_config()


def bandit_tests(path: str) -> frozenset[str] | None:
    """The tests that a TOML config of bandit limits it to; None if to none, or if that is not easily told."""
    if not path.endswith(".toml"):
        return None
    from gatepost.toml.load import TomlError, loads

    try:
        table: object = loads(text_of(path).encode("utf-8", "replace"))
    except TomlError:
        return None
    for key in ("tool", "bandit"):
        table = table.get(key) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        return None
    tests: Mapping[str, object] = table
    value = tests.get("tests")
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value) and "profiles" not in tests:
        return frozenset(value)
    return None
