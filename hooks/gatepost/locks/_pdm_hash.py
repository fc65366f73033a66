"""PDM's content hash, in the spelling of each era, and the members of a PDM workspace.

Sources: `pdm/project/project_file.py` (`PyProject.content_hash`), `pdm/project/workspace.py`, PDM 2.6 to 2.29.
"""

from __future__ import annotations

from gatepost.locks._manifest import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gatepost.locks._base import Lock

    Key = tuple[str | int, ...]

NOW = "2.20 and later"
ERAS = ("2.16 to 2.19", "2.6 to 2.15")  # whose hash a later PDM refuses where it differs


class Unhashable(ValueError):
    """PDM itself cannot hash this pyproject.toml; the message says why."""


def normal(name: str) -> str:
    """A group's name as PDM compares it (`pdm.utils.normalize_name`)."""
    if name.isalnum() and name.isascii():
        return name.lower()
    import re

    return re.sub(r"[^A-Za-z0-9]+", "-", name).lower()


def one_hash(data: dict[str, Any], algorithm: str, era: str = NOW) -> str:
    """The hash of one parsed pyproject.toml.

    Raises:
        Unhashable: PDM fails on it, too, or converts it from another tool's table first.
    """
    from gatepost.locks._manifest import json_text, sha256

    project = table(data, "project")
    if not project and (table(data, "tool", "poetry") or table(data, "tool", "flit")):
        raise Unhashable("it has no [project] table, and PDM converts the one of another tool")
    settings = table(data, "tool", "pdm")
    content: dict[str, Any] = {
        "sources": settings.get("source", []),
        "dependencies": project.get("dependencies", []),
        "dev-dependencies": groups(data) if era == NOW else settings.get("dev-dependencies", {}),
        "optional-dependencies": project.get("optional-dependencies", {}),
        "requires-python": project.get("requires-python", ""),
    }
    if era == ERAS[1]:
        content["overrides"] = table(settings, "resolution").get("overrides", {})
    else:
        content["resolution"] = settings.get("resolution", {})
    try:
        text = json_text(content)
        if algorithm == "sha256":
            return sha256(text)
        import hashlib

        return hashlib.new(algorithm, text.encode()).hexdigest()
    except (TypeError, ValueError, RecursionError):
        raise Unhashable("it holds a value that PDM cannot hash, or the hash is of an unknown kind") from None


def groups(data: dict[str, Any]) -> dict[str, list[Any]]:
    """`[dependency-groups]` with normal names, extended by `[tool.pdm.dev-dependencies]`.

    Raises:
        Unhashable: two groups have one name, or a group is not a list.
    """
    found: dict[str, list[Any]] = {}
    for name, items in table(data, "dependency-groups").items():
        if normal(name) in found or not isinstance(items, list):
            raise Unhashable(f"the group {normal(name)} is duplicated, or not a list")
        found[normal(name)] = list(items)
    for name, items in table(data, "tool", "pdm", "dev-dependencies").items():
        if not isinstance(items, list):
            raise Unhashable(f"the group {normal(name)} is not a list")
        found.setdefault(normal(name), []).extend(items)
    return found


def listed(data: dict[str, Any]) -> list[tuple[str, Key, Any]]:
    """(group, key, requirements) of every list that a manifest has; "default" is the project's own."""
    project = table(data, "project")
    lists: list[tuple[str, Key, Any]] = [("default", ("project", "dependencies"), project.get("dependencies"))]
    for name, items in table(project, "optional-dependencies").items():
        lists.append((normal(name), ("project", "optional-dependencies", name), items))
    for name, items in table(data, "dependency-groups").items():
        lists.append((normal(name), ("dependency-groups", name), items))
    for name, items in table(data, "tool", "pdm", "dev-dependencies").items():
        lists.append((normal(name), ("tool", "pdm", "dev-dependencies", name), items))
    return lists


def whole_hash(lock: Lock, data: dict[str, Any], algorithm: str, era: str = NOW) -> str:
    """The hash that a lock records: of the project, or of a workspace root and all its members.

    Raises:
        Unhashable: see `one_hash`; also a member that cannot be read.
    """
    root = one_hash(data, algorithm, era)
    if not table(data, "tool", "pdm").get("workspace") or era != NOW:
        return root
    import hashlib

    from gatepost.toml.load import TomlError, loads

    hasher = hashlib.new(algorithm)
    hasher.update(root.encode())
    for member in members(lock, data):
        try:
            value = loads(lock.read(lock.beside(f"{member}/pyproject.toml")) or b"")
        except TomlError as error:
            raise Unhashable(f"the pyproject.toml of the member {member} is not valid TOML: {error.reason}") from None
        hasher.update(b"\0" + member.encode("utf-8", "surrogateescape") + b"\0" + one_hash(value, algorithm).encode())
    return hasher.hexdigest()


def members(lock: Lock, data: dict[str, Any]) -> list[str]:
    """Directories of the workspace members, relative to the root's, sorted."""
    patterns = table(data, "tool", "pdm", "workspace").get("members", [])
    prefix = f"{lock.directory}/" if lock.directory else ""
    suffix = "/pyproject.toml"
    here = [
        path[len(prefix) : -len(suffix)] for path in lock.paths() if path.startswith(prefix) and path.endswith(suffix)
    ]
    found = set()
    for pattern in patterns if isinstance(patterns, list) else []:
        if not isinstance(pattern, str):
            continue
        parts = [part for part in pattern.split("/") if part not in ("", ".")]
        for directory in here:
            if directory and _matches(parts, directory.split("/")):
                found.add(directory)
    return sorted(found)


def _matches(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """pathlib's glob, segment by segment; `**` is any number of directories."""
    from fnmatch import fnmatchcase

    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(pattern[1:], parts[at:]) for at in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(pattern[1:], parts[1:])
