"""What a project has already: its tools, its own entry in .pre-commit-config.yaml, what of it stays as it is."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.model import Edit
    from gatepost.sync.project import Disk
    from gatepost.tree.base import Tree

SHARED = ("ruff", "mypy", "bandit", "pytest", "coverage")
RIVALS = {"pyright": "mypy", "ty": "mypy", "pyrefly": "mypy", "basedpyright": "mypy"}


def tools(tree: Disk, data: dict[str, Any]) -> dict[str, str]:
    """tool -> the file by which it is known to be used here."""
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
    hooks = (tree.read(".pre-commit-config.yaml") or b"").decode("utf-8", "replace")
    from gatepost.sync.derive import depends_on

    wanted = depends_on(
        data,
        [
            (tree.read(path) or b"").decode("utf-8", "replace")
            for path in ("requirements-dev.txt", "dev-requirements.txt", "requirements.txt")
        ],
    )
    for tool in names:
        if tool not in found and f"id: {tool}" in hooks:
            found[tool] = ".pre-commit-config.yaml"
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


def entry_edit(root: str, *, add: bool, made: bool = False) -> Edit | None:
    """The edit of .pre-commit-config.yaml that adds our entry, or takes away the one that we added.

    With `made` the file goes as well when nothing else is in it: `gatepost init` made it.

    Raises:
        NotSpliceable: the file has a form that is not edited.
    """
    from gatepost import __version__
    from gatepost.model import Edit
    from gatepost.render import URL
    from gatepost.sync.precommit import PATH, with_entry, without_entry
    from gatepost.sync.project import Disk

    raw = Disk(root).read(PATH)
    if raw is None and not add:
        return None
    text = (raw or b"").decode("utf-8")
    new = with_entry(text, URL, __version__) if add else without_entry(text, made=made)
    if new == text:
        return None
    return Edit(path=PATH, old=raw, new=new.encode("utf-8") if new else None)


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
