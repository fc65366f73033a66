"""uv's workspaces and path dependencies: other projects of the tree that have a part in one."""

from __future__ import annotations

from gatepost.record import replace
from gatepost.rules.torch_source import paths
from gatepost.rules.torch_source.model import DIRECT, EXTENDED, EXTRA, MAIN, Fact, Project, fold
from gatepost.rules.torch_source.readers import common, pep621

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.model import Location
    from gatepost.rules.torch_source.readers.base import Files
    from gatepost.rules.torch_source.readers.common import Toml


def members(files: Files, toml: Toml) -> list[Toml]:
    """The pyprojects of the members of a workspace, whose root this one is; none where it is none."""
    globs = _globs(toml)
    if globs is None:
        return []
    root = paths.folder(toml.path)
    found = []
    for path in files.paths:
        if not path.endswith("/pyproject.toml") or path == toml.path:
            continue
        folder = paths.folder(path)
        inner = folder[len(root) + 1 :] if root and folder.startswith(root + "/") else folder if not root else ""
        if inner and _glob(inner, globs[0]) and not _glob(inner, globs[1]):
            member = files.toml(path)
            if member is not None:
                found.append(member)
    return found


def _globs(toml: Toml) -> tuple[list[str], list[str]] | None:
    """(members, exclude) of a workspace root, or None."""
    space = common.dig(toml.data, "tool", "uv", "workspace")
    if not isinstance(space, dict):
        return None
    return (
        [item for item in common.array(space, "members") if isinstance(item, str)],
        [item for item in common.array(space, "exclude") if isinstance(item, str)],
    )


def _glob(path: str, patterns: list[str]) -> bool:
    """Whether a folder is one of those that uv's globs name: `*` does not cross a slash, `**` does."""
    from fnmatch import fnmatchcase

    for glob in patterns:
        glob = glob.strip("/").removeprefix("./")
        if glob.count("/") == path.count("/") and all(
            fnmatchcase(left, right) for left, right in zip(path.split("/"), glob.split("/"), strict=True)
        ):
            return True
        if "**" in glob and fnmatchcase(path, glob):
            return True
    return False


def leaks(files: Files, toml: Toml, project: Project) -> Project:
    """TS128: a path dependency's own sources also decide where this project's PyTorch comes from."""
    facts = []
    for package, folder, where in _path_dependencies(toml):
        other = files.toml(paths.join(paths.join(project.root, folder), "pyproject.toml"))
        if other is None or other.path == project.path:
            continue
        asked = {extra for req in project.requirements if req.name == package for extra in req.extras}
        for name, value in common.table(other.data, "tool", "uv", "sources").items():
            items = value if isinstance(value, list) else [value]
            if (
                name.lower() in EXTENDED
                and any(isinstance(item, dict) and _reaches(other, name, item, asked) for item in items)
                and any(req.name == name.lower() for req in project.requirements)  # else it is its own affair
                and not any(route.package == name.lower() for route in project.routes)
            ):
                facts.append(
                    Fact(
                        code="TS128",
                        where=where,
                        message=f"`{package}` ({other.path}) routes `{name}` to an index of its own, and uv applies that route to this project too",
                        remedy=f"Route `{name}` in this project's [tool.uv.sources] as well, then run `uv lock`.",
                    )
                )
    return replace(project, facts=project.facts + tuple(facts)) if facts else project


def _path_dependencies(toml: Toml) -> list[tuple[str, str, Location]]:
    """(package, folder as written, place) of every `path =` source."""
    found = []
    for package, value in common.table(toml.data, "tool", "uv", "sources").items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and isinstance(item.get("path"), str):
                found.append((fold(package), item["path"], toml.where("tool", "uv", "sources", package)))
    return found


def _reaches(toml: Toml, name: str, source: dict[str, Any], extras: set[str]) -> bool:
    """Whether a source of a project takes a package from an index for those who depend on it with these extras.

    It does where the project asks for the package itself, in its dependencies or in such an extra; a source for an
    extra, only in that extra; groups are never others' (tested with uv 0.13.8).
    """
    chosen = {fold(extra) for extra in extras}
    if not source.get("index") or source.get("group"):
        return False
    envs = [
        req.env
        for req in pep621.requirements(toml)
        if req.name == fold(name) and req.role == DIRECT and (req.env.kind == MAIN or fold(req.env.name) in chosen)
    ]
    scope = str(source.get("extra") or "")
    return any(
        env.kind == EXTRA and fold(env.name) == fold(scope) if scope else env.kind in (MAIN, EXTRA) for env in envs
    )
