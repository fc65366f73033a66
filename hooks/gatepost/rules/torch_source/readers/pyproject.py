"""The projects of a pyproject.toml: one for each tool that reads it."""

from __future__ import annotations

from gatepost.patterns import pattern
from gatepost.record import replace
from gatepost.rules.torch_source import paths
from gatepost.rules.torch_source.readers import common

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.readers.base import Files
    from gatepost.rules.torch_source.readers.common import Toml

_PYTHON = pattern(r"(?:cpython[-@])?(3\.\d+)")
# Keys of [tool.uv] that say where packages come from.
_SOURCING = (
    "index",
    "sources",
    "index-url",
    "extra-index-url",
    "pip",
    "torch-backend",
    "conflicts",
    "workspace",
    "constraint-dependencies",
    "override-dependencies",
)


def read(files: Files, path: str) -> list[Project]:
    """The projects of the pyproject at a path; none where it is broken."""
    toml = files.toml(path)
    if toml is None:
        return []
    tools = common.table(toml.data, "tool")
    found: list[Project] = []
    if "poetry" in tools:
        from gatepost.rules.torch_source.readers import poetry

        if poetry.applies(toml):
            found.append(poetry.read(toml, files.locks(path, ("poetry.lock",))))
    has_lock = _beside(files, toml, "pdm.lock")
    if "pdm" in tools or has_lock:
        from gatepost.rules.torch_source.readers import pdm

        if pdm.applies(toml, has_lock):
            found.append(pdm.read(toml, files.locks(path, ("pdm.lock",))))
    found += _of_uv(files, toml, alone=not found)
    if common.table(tools, "pixi"):
        from gatepost.rules.torch_source.readers import conda

        found.append(conda.read_pixi(toml, ("tool", "pixi"), files.locks(path, ("pixi.lock",))))
    pin = _pin(files, toml)
    if pin:
        found = [replace(project, python_pin=pin) for project in found]
    if common.table(tools, "hatch", "envs") and not _beside(files, toml, "hatch.toml"):
        from gatepost.rules.torch_source.readers import hatch

        found += hatch.read(toml)
    return found


def _beside(files: Files, toml: Toml, name: str) -> bool:
    return paths.join(paths.folder(toml.path), name) in files.known


def _of_uv(files: Files, toml: Toml, alone: bool) -> list[Project]:
    """The project as uv reads it, or any tool of PEP 621 where no other does (`alone`)."""
    own = any(key in common.table(toml.data, "tool", "uv") for key in _SOURCING)
    workspace = _workspace(files, toml.path)
    has_uv = own or workspace is not None or _beside(files, toml, "uv.lock") or _beside(files, toml, "uv.toml")
    if not (has_uv or alone):
        return []
    config = files.toml(paths.join(paths.folder(toml.path), "uv.toml"))
    members: list[Toml] = []
    if "workspace" in common.table(toml.data, "tool", "uv"):
        from gatepost.rules.torch_source.readers import uv_workspace

        members = uv_workspace.members(files, toml)
    locks = files.locks(toml.path, ("uv.lock",), pylock=True)
    if workspace is not None and not locks:
        locks = files.locks(workspace.path, ("uv.lock",))
    if not ("project" in toml.data or "dependency-groups" in toml.data or own):
        return []
    from gatepost.rules.torch_source.readers import uv

    beside = members
    if workspace is not None:
        from gatepost.rules.torch_source.readers import uv_workspace

        beside = [workspace, *(one for one in uv_workspace.members(files, workspace) if one.path != toml.path)]
    project = uv.read(toml, config, members, workspace, locks, "uv" if has_uv else "pyproject", beside)
    if "project" not in toml.data and any(_beside(files, toml, name) for name in paths.SETUPS):
        project = replace(project, dynamic=True)  # its dependencies are the setup script's
    if not project.path_sources:
        return [project]
    from gatepost.rules.torch_source.readers import uv_workspace

    return [uv_workspace.leaks(files, toml, project)]


def _workspace(files: Files, path: str) -> Toml | None:
    """The pyproject of the workspace that `path` is a member of."""
    folder = paths.folder(path)
    while folder:
        folder = paths.folder(folder)
        parent = paths.join(folder, "pyproject.toml")
        data = files.tree.read(parent) if parent in files.known else None
        if data is not None and b"workspace" in data:
            from gatepost.rules.torch_source.readers import uv_workspace

            toml = files.toml(parent)
            if toml is not None and any(member.path == path for member in uv_workspace.members(files, toml)):
                return toml
    return None


def _pin(files: Files, toml: Toml) -> str:
    """The Python of the .python-version beside it: "3.11", or ""."""
    path = paths.join(paths.folder(toml.path), ".python-version")
    data = files.tree.read(path) if path in files.known else None
    lines = (data or b"").decode("utf-8", "replace").strip().splitlines()
    match = _PYTHON.match(lines[0]) if lines else None
    return match[1] if match is not None else ""
