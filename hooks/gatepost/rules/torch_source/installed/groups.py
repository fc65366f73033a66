"""The dependency groups and extras that an install command chooses (PEP 735, PEP 621), as requirement strings."""

from __future__ import annotations

import re

from gatepost.manifests.names import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.manifests.installs import Install


def chosen(install: Install, defaults: object = ("dev",)) -> tuple[set[str], bool]:
    """(names of the groups, whether the main dependencies are left out) of a `uv sync`.

    Args:
        defaults: `default-groups` of the project.
    """
    only = {word.text for word in install.values("--only-group")}
    groups = {str(name) for name in defaults} if isinstance(defaults, (list, tuple)) else {"dev"}
    if install.has("--no-dev"):
        groups.discard("dev")
    if install.has("--no-default-groups") or only:
        groups = set()
    if (defaults == "all" or install.has("--all-groups")) and not only:
        groups.add("*")
    groups |= {word.text for word in install.values("--group")} | only
    groups -= {word.text for word in install.values("--no-group")}
    return groups, bool(only)


def default_groups(manifest: dict[str, Any]) -> object:
    """`[tool.uv] default-groups`, or uv's own default."""
    tool = manifest.get("tool")
    uv = tool.get("uv") if isinstance(tool, dict) else None
    return uv.get("default-groups", ["dev"]) if isinstance(uv, dict) else ["dev"]


def requirements(manifest: dict[str, Any], groups: set[str], extras: set[str], main: bool) -> list[str]:
    """The requirement strings of a manifest that a choice installs; `*` chooses all groups or extras.

    Includes of groups are followed, and so are the project's own extras where a requirement asks for them
    (`name[extra]`).
    """
    project = manifest.get("project")
    project = project if isinstance(project, dict) else {}
    optional = project.get("optional-dependencies")
    optional = {canonical(name): items for name, items in optional.items()} if isinstance(optional, dict) else {}
    table = manifest.get("dependency-groups")
    named = {canonical(name): items for name, items in table.items()} if isinstance(table, dict) else {}
    own = canonical(str(project.get("name", "")))
    todo: list[object] = [project.get("dependencies")] if main else []
    todo += [items for name, items in optional.items() if name in extras or "*" in extras]
    wanted = {canonical(name) for name in groups if name != "*"}
    todo += [items for name, items in named.items() if name in wanted or "*" in groups]
    found: list[str] = []
    seen: set[str] = set()
    while todo:
        items = todo.pop(0)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get("include-group"), str):
                name = canonical(item["include-group"])
                if "group:" + name not in seen:
                    seen.add("group:" + name)
                    todo.append(named.get(name))
            elif isinstance(item, str):
                self_reference = re.match(r"\s*([A-Za-z0-9._-]+)\s*\[([^\]]*)\]", item)
                if self_reference is None or canonical(self_reference[1]) != own:
                    found.append(item)
                    continue
                for extra in self_reference[2].split(","):
                    name = canonical(extra.strip())
                    if name not in seen:
                        seen.add(name)
                        todo.append(optional.get(name))
    return found
