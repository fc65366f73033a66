"""What a project has already: its tools, our entry in its hook configuration, what of it stays as it is."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

    from gatepost.model import Edit
    from gatepost.sync.project import Disk
    from gatepost.tree.base import Tree

SHARED = ("ruff", "mypy", "bandit", "pytest", "coverage")
RIVALS = {"pyright": "mypy", "ty": "mypy", "pyrefly": "mypy", "basedpyright": "mypy"}


def tools(tree: Disk, data: dict[str, Any]) -> dict[str, str]:
    """tool -> the file by which it is known to be used here."""
    from gatepost.sync.derive import depends_on
    from gatepost.sync.hook_files import hook_files
    from gatepost.sync.paths import get

    found: dict[str, str] = {}
    names = (*SHARED, *RIVALS, "black", "isort", "flake8")
    for tool in names:
        if get(data, ("tool", tool)) is not None:
            found[tool] = "pyproject.toml"
    files = {
        "ruff": ("ruff.toml", ".ruff.toml"),
        "mypy": ("mypy.ini", ".mypy.ini"),
        "pytest": ("pytest.ini", ".pytest.ini", "conftest.py", "tests/conftest.py"),
        "coverage": (".coveragerc",),
        "bandit": (".bandit", "bandit.yaml"),
        "pyright": ("pyrightconfig.json",),
    }
    for tool, paths in files.items():
        for path in paths:
            if tool not in found and tree.read(path) is not None:
                found[tool] = path
    hooks = {
        name: re.sub(r"\bid\s*=\s*[\"']", "id: ", (tree.read(name) or b"").decode("utf-8", "replace"))
        for name in hook_files(tree.read)
    }

    wanted = depends_on(
        data,
        [
            (tree.read(path) or b"").decode("utf-8", "replace")
            for path in ("requirements-dev.txt", "dev-requirements.txt", "requirements.txt")
        ],
    )
    for tool in names:
        if tool not in found and (named := [name for name, text in hooks.items() if f"id: {tool}" in text]):
            found[tool] = named[0]
        if tool not in found and (tool in wanted or f"{tool}-cov" in wanted):
            found[tool] = "dependencies"
    if "coverage" not in found and "pytest-cov" in wanted:
        found["coverage"] = "dependencies"
    return found


def elsewhere(tree: Disk, data: dict[str, Any], found: dict[str, str]) -> dict[str, str]:
    """tool -> why its shared settings are not written: another tool, or another file, does the job."""
    from gatepost.sync.shadow import shadows

    rivals = {
        tool: f"types are checked by {rival}" for rival, tool in RIVALS.items() if rival in found and tool not in found
    }
    return rivals | {each.tool: f"configured in {each.file}" for each in shadows(tree.read, data) if not each.inert}


def own_edit(tree: Disk, data: dict[str, Any], found: dict[str, str], profile: str) -> Edit | None:
    """[tool.gatepost]: the profile, and what is not synced because another tool, or another file, does the job."""
    from gatepost.sync.declared import KEEP, declared
    from gatepost.sync.paths import get
    from gatepost.sync.project import PYPROJECT, changed

    ops: list[Any] = []
    own = get(data, ("tool", "gatepost"))
    if profile and get(own, ("profile",)) != profile:
        ops.append(("set" if get(own, ("profile",)) is not None else "add", ("tool", "gatepost", "profile"), profile))
    elif get(own, ("profile",)) is None:
        ops.append(("add", ("tool", "gatepost", "profile"), "base"))
    said = declared(own)
    for tool, why in elsewhere(tree, data, found).items():
        if said.kept(("tool", tool)) is None:
            ops.append(("add", (*KEEP, f"tool.{tool}"), why))
    return changed(tree.read(PYPROJECT), ops) if ops else None


def entries_added(root: str) -> list[Edit]:
    """The edits that add our entry to the files in which a runner finds its hooks, where it is missing.

    Raises:
        NotSpliceable: a file has a form that is not edited.
    """
    from gatepost import __version__
    from gatepost.render import URL
    from gatepost.sync.hook_files import hook_files, with_entry
    from gatepost.sync.project import Disk

    read = Disk(root).read
    files = {name: read(name) for name in hook_files(read)}
    return _changes(files, lambda name, text: with_entry(name, text, URL, __version__))


def entries_taken(root: str, made: Collection[str]) -> list[Edit]:
    """The edits that take away the entries that `gatepost init` added; a file goes as well when it is one of those
    that were `made`, with nothing else in it.

    Raises:
        NotSpliceable: a file has a form that is not edited.
    """
    from gatepost.render import URL
    from gatepost.sync.hook_files import hook_files, without_entry
    from gatepost.sync.project import Disk

    read = Disk(root).read
    there = {name: raw for name in hook_files(read) if (raw := read(name)) is not None}
    return _changes(there, lambda name, text: without_entry(name, text, URL, made=name in made), made)


def entries_left(tree: Tree) -> list[str]:
    """The files of hooks that still run gatepost, from an address or in a form that `gatepost init` does not write."""
    from gatepost.sync.hook_files import hook_files, runs_us

    return [name for name in hook_files(tree.read) if runs_us(name, tree.read(name) or b"")]


def _changes(
    files: Mapping[str, bytes | None], change: Callable[[str, str], str], made: Collection[str] = ()
) -> list[Edit]:
    """The edits that a change of the texts makes; a file that was `made`, and has nothing left, is deleted."""
    from gatepost.model import Edit
    from gatepost.sync.precommit import NotSpliceable

    found = []
    for name, raw in files.items():
        try:
            text = (raw or b"").decode("utf-8")
        except UnicodeDecodeError:
            raise NotSpliceable(f"{name}: not UTF-8 text") from None
        if (new := change(name, text)) != text:
            found.append(Edit(path=name, old=raw, new=new.encode("utf-8") if new or name not in made else None))
    return found


def ruff_synced(tree: Tree) -> str:
    """Why ruff's settings are not written in this project, "" if they are."""
    from gatepost.sync.paths import get
    from gatepost.sync.shadow import RUFF_FILES
    from gatepost.toml.load import TomlError, loads

    for name, prefix in (*((each, ()) for each in RUFF_FILES), ("pyproject.toml", ("tool", "ruff"))):
        raw = tree.read(name)
        if raw is None:
            continue
        try:
            extended = get(loads(raw), (*prefix, "extend"))
        except TomlError:
            return ""
        if extended is not None or name != "pyproject.toml":
            return f"{name} extends {extended}" if extended is not None else ""
    return ""
