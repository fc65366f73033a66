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

_DEPTH = 100  # includes inside includes
_MOST = 20_000  # lines of all groups together, includes resolved


def group_lines(project: Project) -> dict[str, list[tuple[str, str, Formula]]]:
    """Every dependency group, includes resolved: canonical name to (requirement, key, marker of the group).

    A line that several includes lead to stands there once, for each marker with which they do.

    Raises:
        Undecidable: a cycle, a missing include or an unknown entry: uv would refuse the file; or too many lines.
    """
    raw: dict[str, tuple[str, list[Any]]] = {}
    for name, entries in table(project.data, "dependency-groups").items():
        raw[canonical(name)] = (name, entries if isinstance(entries, list) else [])
    settings = {canonical(name): value for name, value in table(project.uv, "dependency-groups").items()}
    done: dict[str, list[tuple[str, str, Formula]]] = {}
    total = [0]

    def resolve(name: str, parents: tuple[str, ...]) -> list[tuple[str, str, Formula]]:
        if name in done:
            return done[name]
        if name in parents or name not in raw:
            reason = f"dependency group {name} {'includes itself' if name in parents else 'is missing'}"
            raise Undecidable(reason, "LF305", project.path, f"dependency-groups.{name}")
        if len(parents) > _DEPTH:
            raise Undecidable("the dependency groups include each other too deeply", "LF307", project.path)
        written, entries = raw[name]
        lines: dict[tuple[str, str, Formula], None] = {}
        included: set[str] = set()
        for position, entry in enumerate(entries):
            key = f"dependency-groups.{written}[{position}]"
            if isinstance(entry, str):
                lines[entry, key, True] = None
            elif isinstance(entry, dict) and isinstance(entry.get("include-group"), str):
                other = canonical(entry["include-group"])
                if other not in included:
                    included.add(other)
                    lines.update(dict.fromkeys(resolve(other, (*parents, name))))
            else:
                raise Undecidable(f"{key} is neither a requirement nor an include-group", "LF305", project.path, key)
        limit = table(settings, name).get("requires-python")
        if isinstance(limit, str):
            try:
                allowed = versions.bounds(versions.python_ranges(limit))
            except versions.VersionError as error:
                raise Undecidable(str(error), "LF305", project.path) from None
            mark: Formula = ("python", allowed) if allowed else False
            lines = {(text, key, markers.conjunction([formula, mark])): None for text, key, formula in lines}
        found = done[name] = list(lines)
        total.append(total[-1] + len(found))
        if total[-1] > _MOST:
            raise Undecidable("the dependency groups have too many lines to compare", "LF307", project.path)
        return found

    for name in raw:
        resolve(name, ())
    legacy = project.uv.get("dev-dependencies")
    if isinstance(legacy, list):
        own: list[tuple[str, str, Formula]] = []
        for position, text in enumerate(legacy):
            if isinstance(text, str):
                own.append((text, f"tool.uv.dev-dependencies[{position}]", True))
        done["dev"] = [*done.get("dev", []), *own]
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


def check_group_settings(project: Project) -> None:
    """uv refuses settings under `tool.uv.dependency-groups` for a group that `[dependency-groups]` has not.

    Raises:
        Undecidable: there are such settings.
    """
    known = set(map(canonical, table(project.data, "dependency-groups")))
    for name in table(project.uv, "dependency-groups"):
        if canonical(name) not in known:
            reason = f'tool.uv.dependency-groups has settings of the group "{name}", which [dependency-groups] does not define'
            raise Undecidable(reason, "LF305", project.path, f"tool.uv.dependency-groups.{name}")


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
