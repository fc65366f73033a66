"""Dependency groups: their requirements with includes resolved, and the Pythons they are limited to."""

from __future__ import annotations

from gatepost.locks.uv.project import Undecidable, strings, table
from gatepost.manifests import markers, versions
from gatepost.manifests.pep508 import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks.uv.project import Project
    from gatepost.manifests.markers import Formula


def group_lines(project: Project) -> dict[str, list[tuple[str, str, Formula]]]:
    """Every dependency group, includes resolved: canonical name to (requirement, key, marker of the group).

    Raises:
        Undecidable: a cycle, a missing include or an unknown entry: uv would refuse the file.
    """
    raw: dict[str, tuple[str, list[Any]]] = {}
    for name, entries in table(project.data, "dependency-groups").items():
        raw[canonical(name)] = (name, entries if isinstance(entries, list) else [])
    settings = {canonical(name): value for name, value in table(project.uv, "dependency-groups").items()}
    done: dict[str, list[tuple[str, str, Formula]]] = {}

    def resolve(name: str, parents: tuple[str, ...]) -> list[tuple[str, str, Formula]]:
        if name in done:
            return done[name]
        if name in parents or name not in raw or len(parents) > 100:
            reason = f"dependency group {name} {'includes itself' if name in parents else 'is missing'}"
            raise Undecidable(reason, "LF305", project.path, f"dependency-groups.{name}")
        written, entries = raw[name]
        found: list[tuple[str, str, Formula]] = []
        for position, entry in enumerate(entries):
            key = f"dependency-groups.{written}[{position}]"
            if isinstance(entry, str):
                found.append((entry, key, True))
            elif isinstance(entry, dict) and isinstance(entry.get("include-group"), str):
                found.extend(resolve(canonical(entry["include-group"]), (*parents, name)))
            else:
                raise Undecidable(f"{key} is neither a requirement nor an include-group", "LF305", project.path, key)
        limit = table(settings, name).get("requires-python")
        if isinstance(limit, str):
            try:
                allowed = versions.bounds(versions.python_ranges(limit))
            except versions.VersionError as error:
                raise Undecidable(str(error), "LF305", project.path) from None
            mark: Formula = ("python", allowed) if allowed else False
            found = [(text, key, markers.conjunction([formula, mark])) for text, key, formula in found]
        done[name] = found
        return found

    for name in raw:
        resolve(name, ())
    legacy = project.uv.get("dev-dependencies")
    if isinstance(legacy, list):
        lines: list[tuple[str, str, Formula]] = []
        for position, text in enumerate(legacy):
            if isinstance(text, str):
                lines.append((text, f"tool.uv.dev-dependencies[{position}]", True))
        done["dev"] = [*done.get("dev", []), *lines]
    return done


def group_pythons(project: Project) -> dict[str, versions.Ranges]:
    """The Pythons of every group that limits them, itself or through what it includes (`group_lines` found no cycle)."""
    raw = {canonical(name): value for name, value in table(project.data, "dependency-groups").items()}
    settings = {canonical(name): value for name, value in table(project.uv, "dependency-groups").items()}
    done: dict[str, versions.Ranges | None] = {}

    def resolve(name: str) -> versions.Ranges | None:
        if name in done:
            return done[name]
        done[name] = None
        limit = table(settings, name).get("requires-python")
        found = versions.python_ranges(limit) if isinstance(limit, str) else None
        entries = raw.get(name)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("include-group"), str):
                inner = resolve(canonical(entry["include-group"]))
                if inner is not None:
                    found = inner if found is None else versions.intersect(found, inner)
        done[name] = found
        return found

    limits = {name: resolve(name) for name in raw}
    return {name: versions.bounds(found) for name, found in limits.items() if found is not None}


def check_default_groups(root: Project) -> None:
    """uv refuses a project whose `tool.uv.default-groups` names a group that it has not.

    Raises:
        Undecidable: there is such a name.
    """
    names = strings(root.uv.get("default-groups"))
    if not names:
        return
    known = set(map(canonical, table(root.data, "dependency-groups")))
    if "dev-dependencies" in root.uv:
        known.add("dev")
    for name in names:
        if canonical(name) not in known:
            reason = f'tool.uv.default-groups names the group "{name}", which is not defined'
            raise Undecidable(reason, "LF305", root.path, "tool.uv.default-groups")
