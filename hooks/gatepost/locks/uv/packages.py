"""The walk from the projects of a lock over everything local that they reach, each against what the lock records."""

from __future__ import annotations

from gatepost.locks.uv import project as p
from gatepost.locks.uv import read as r
from gatepost.locks.uv.case import Case, Difference, exists
from gatepost.locks.uv.identity import Wanted, index_identity, recorded
from gatepost.locks.uv.lowering import Lowering, differ, requires_dist
from gatepost.locks.uv.project import Project, Undecidable, Workspace, listed, strings, table
from gatepost.manifests import markers, versions
from gatepost.manifests.pep508 import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_HOST = ("pypi", "org")
_DEFAULT_INDEX = "https://" + ".".join(_HOST) + "/simple"


def packages(case: Case, python: versions.Ranges) -> None:
    """Each local package that the members reach: version, extras, requirements, groups; then the indexes."""
    doubts: list[Undecidable] = []
    by_name: dict[str, list[r.Entry]] = {}
    for entry in case.data.entries:
        by_name.setdefault(entry.name, []).append(entry)
    local: dict[str, list[Mapping[str, Any]]] = {}
    for item in case.data.local:
        local.setdefault(canonical(str(item.get("name", ""))), []).append(item)
    manifest = table(case.data.head, "manifest")
    queue: list[Mapping[str, Any]] = []
    direct: list[tuple[str, str]] = []
    if case.space is not None:
        for name in sorted(case.space.members, key=lambda name: (name != case.root.name, name)):
            queue.extend(local.get(name, [])[:1])
    for group in (manifest.get("requirements"), *table(manifest, "dependency-groups").values()):
        for need in group if isinstance(group, list) else ():
            if isinstance(need, dict):
                queue.extend(local.get(canonical(str(need.get("name", ""))), []))
    allowed = _indexes(case)
    seen: set[int] = set()
    while queue:
        item = queue.pop(0)
        if id(item) in seen:
            continue
        seen.add(id(item))
        source = table(item, "source")
        kind = next(iter(source), "")
        if kind in ("git", "registry"):
            continue
        if kind in ("virtual", "editable", "directory"):
            try:
                _tree(case, item, str(source[kind]), python, allowed)
            except Undecidable as error:
                doubts.append(error)
        elif kind == "path":
            doubts.append(Undecidable(f"{item.get('name')} is a local archive, whose metadata is not read", "LF304"))
        for name, version in _direct(item):
            direct.append((name, version))
            queue.extend(local.get(name, []))
    if allowed is not None:
        for name, version in direct:
            for entry in by_name.get(name, ()):
                url = r.registry(entry)
                if url is None or "://" not in url or (version and version != entry.version) or len(by_name[name]) > 1:
                    continue
                if url not in allowed:
                    slashed = {known.rstrip("/"): known for known in allowed}.get(url.rstrip("/"))
                    state = (
                        f"the index is now written {slashed}" if slashed else "which is not among the project's indexes"
                    )
                    raise Difference(
                        "LF105", f"{name} is locked from {url}, {state}", case.settings_path, "tool.uv.index"
                    )
    if doubts:
        raise doubts[0]


def _direct(item: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    lists: list[Any] = [item.get("dependencies")]
    for key in ("optional-dependencies", "dev-dependencies"):
        lists.extend(table(item, key).values())
    for found in lists:
        for need in found if isinstance(found, list) else ():
            if isinstance(need, dict):
                yield canonical(str(need.get("name", ""))), str(need.get("version", ""))


def _indexes(case: Case) -> set[str] | None:
    """The index URLs that uv may use, None where the project configures none (then any is accepted)."""
    settings = case.settings
    found: set[str] = set()
    default = False
    configured = False
    for entry in listed(settings.get("index")):
        if isinstance(entry, dict) and isinstance(entry.get("url"), str):
            configured = True
            default = default or entry.get("default") is True
            found.add(index_identity(entry["url"], case.lock.directory))
    if isinstance(settings.get("index-url"), str):
        configured = default = True
        found.add(index_identity(settings["index-url"], case.lock.directory))
    for key in ("extra-index-url", "find-links"):
        for url in strings(settings.get(key)):
            configured = True
            found.add(index_identity(url, case.lock.directory))
    if settings.get("no-index") is True:
        configured = True
    elif not default:
        found.add(_DEFAULT_INDEX)
    return found if configured else None


def _tree(case: Case, item: Mapping[str, Any], where: str, python: versions.Ranges, allowed: set[str] | None) -> None:
    """One source tree against what the lock recorded of it."""
    name = canonical(str(item.get("name", "")))
    directory = p.join(case.lock.directory, where)
    if directory is None:
        raise Undecidable(f"{name} lies outside the repository ({where})", "LF304")
    project = next((m for m in case.space.members.values() if m.directory == directory), None) if case.space else None
    space = case.space
    if project is None:
        project = p.load(directory, case.lock.read)
        if project is None or not project.project:
            raise Undecidable(f"{name} in {directory or '.'} has no static metadata in the snapshot", "LF304")
        if "workspace" in project.uv:
            space = p.workspace(project, case.lock.read, case.lock.paths)
        else:
            root = p.owner(directory, case.lock.read)
            space = p.workspace(root, case.lock.read, case.lock.paths) if root is not None else None
        if space is None:
            space = Workspace(root=project, members={project.name: project}, required={})
    elif space is not None and project.path != space.root.path:
        # uv looks for sources in the workspace that the nearest pyproject.toml above declares, and there only
        root = p.owner(directory, case.lock.read)
        if root is None or root.path != space.root.path:
            space = Workspace(root=project, members={project.name: project}, required={})
    locked_version = item.get("version")
    if "version" in project.dynamic:
        if locked_version is not None:
            raise Difference("LF103", f"the version of {name} is now dynamic, the lock has {locked_version}", project.path,
                         "project.dynamic")  # fmt: skip
    else:
        version = project.project.get("version")
        if not isinstance(version, str):
            raise Undecidable(f"{project.path} has no static version", "LF301", project.path)
        if locked_version is None:
            raise Difference("LF103", f"{name} now has the static version {version}, the lock says it is dynamic",
                         project.path, "project.version")  # fmt: skip
        if versions.key(version) != versions.key(str(locked_version)):
            raise Difference("LF103", f"{name} is version {version}, the lock has {locked_version}", project.path,
                         "project.version")  # fmt: skip
    lower = Lowering(case.lock.directory, project, space, case.lock.read, lambda path: exists(case, path))
    wanted, extras, groups = requires_dist(project, lower)
    metadata = table(item, "metadata")
    if case.revision >= 1:
        had = {canonical(extra) for extra in strings(metadata.get("provides-extras"))}
        if had != extras:
            gone = min(extras ^ had)
            verb = "gained" if gone in extras else "lost"
            raise Difference(
                "LF101", f'{name} {verb} the extra "{gone}"', project.path, "project.optional-dependencies"
            )
    _requirements(case, name, project, wanted, metadata.get("requires-dist"), python)
    stored = {canonical(group): value for group, value in table(metadata, "requires-dev").items()}
    for group in sorted({*groups, *stored}):
        if (group not in stored and (groups[group] or case.revision >= 1)) or group not in groups:
            if group not in stored and not groups[group]:
                raise Difference(
                    "LF101", f'{name} gained the group "{group}"', project.path, f"dependency-groups.{group}"
                )
            if group not in groups and (stored[group] or case.revision >= 1):
                raise Difference("LF101", f'{name} lost the group "{group}"', project.path, "dependency-groups")
        locked = [
            recorded(entry, case.lock.directory) for entry in listed(stored.get(group)) if isinstance(entry, dict)
        ]
        missing, extra = differ(groups.get(group, []), locked, python)
        if missing or extra:
            from gatepost.locks.uv.words import difference

            raise difference(missing, extra, f'group "{group}"', project.path)
    if case.revision >= 5:
        revision_five(item, name, project)
    if allowed is not None:
        for need in (*wanted, *(need for found in groups.values() for need in found)):
            if need.identity[2] == "registry" and need.identity[4]:
                allowed.add(need.identity[4])


def _requirements(
    case: Case, name: str, project: Project, wanted: list[Wanted], stored: Any, python: versions.Ranges
) -> None:
    locked = [recorded(entry, case.lock.directory) for entry in listed(stored) if isinstance(entry, dict)]
    missing, extra = differ(wanted, locked, python)
    if not missing and not extra:
        return
    if "version" in project.dynamic and any(need.name == name for need in wanted):
        again, left = differ(_flat(wanted, name), locked, python)
        if not again and not left:
            return
    from gatepost.locks.uv.words import difference

    raise difference(missing, extra, f"{name}'s dependencies" if len(case.data.local) > 1 else "project.dependencies",
                      project.path)  # fmt: skip


def _flat(wanted: list[Wanted], name: str) -> list[Wanted]:
    """Self-referring extras (`demo[a]` in extra b) replaced by what they name, as hatchling writes metadata."""
    found = [need for need in wanted if need.name != name]
    queue = [(need, frozenset[str]()) for need in wanted if need.name == name]
    while queue:
        need, chain = queue.pop()
        for extra in need.identity[1]:
            if extra in chain:
                continue
            flag = markers.extra(extra)  # noqa: S610
            for other in wanted:
                parts = list(other.marker[1]) if isinstance(other.marker, tuple) and other.marker[0] == "and" else [
                    other.marker]  # fmt: skip
                if flag not in parts:
                    continue
                parts.remove(flag)
                marker = markers.conjunction([*parts, need.marker])
                moved = Wanted(name=other.name, identity=other.identity, marker=marker, text=other.text,
                               path=other.path, key=other.key, label=need.label)  # fmt: skip
                if other.name == name:
                    queue.append((moved, chain | {extra}))
                else:
                    found.append(moved)
    return found


def revision_five(item: Mapping[str, Any], name: str, project: Project) -> None:
    """What uv 0.13 records besides: the Pythons of its groups, and its default groups."""
    wanted_python: dict[str, versions.Ranges] = {}
    if table(project.uv, "dependency-groups"):
        from gatepost.locks.uv.groups import group_pythons

        wanted_python = group_pythons(project)
    locked_python = {
        canonical(group): versions.bounds(versions.python_ranges(str(text)))
        for group, text in table(item, "group-requires-python").items()
    }
    if wanted_python != locked_python:
        group = min(set(wanted_python.items()) ^ set(locked_python.items()))[0]
        raise Difference("LF102", f'the requires-python of group "{group}" differs from the lock\'s', project.path,
                     f"tool.uv.dependency-groups.{group}")  # fmt: skip
    value = project.uv.get("default-groups")
    if value is None and "default-groups" not in item:
        return
    had = item.get("default-groups")
    wanted: Any = sorted(map(canonical, strings(value))) if isinstance(value, list) else value
    locked: Any = sorted(map(canonical, strings(had))) if isinstance(had, list) else had
    if (wanted == ["dev"] and locked is None) or (wanted is None and locked == ["dev"]):
        return
    if wanted != locked:
        shown = ", ".join(wanted) if isinstance(wanted, list) else wanted
        old = ", ".join(locked) if isinstance(locked, list) else locked
        raise Difference("LF105", f"tool.uv.default-groups of {name} is {shown or 'not set'}, the lock has {old or 'none'}",
                     project.path, "tool.uv.default-groups")  # fmt: skip
