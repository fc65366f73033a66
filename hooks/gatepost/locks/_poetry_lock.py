"""What a poetry.lock holds: packages, their groups and references; and the first requirement that it does not meet."""

from __future__ import annotations

from gatepost.locks._base import Contents, Need, Package
from gatepost.locks._manifest import canonical, conflict_line, show, table, toml_of
from gatepost.locks._poetry_manifest import (
    UNSAFE,
    direct,
    extras,
    including,
    own_names,
    pep440,
    python_versions,
    wanted,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks._base import Lock
    from gatepost.locks._poetry_manifest import Direct

    Difference = tuple[str, tuple[str | int, ...]]

_ORIGINS = {"git": "git", "url": "url", "file": "path", "directory": "path", "legacy": "registry"}


def contents(lock: Lock) -> Contents:
    """The lock for the integrity rules; `broken` says why it cannot be read."""
    from gatepost.locks._poetry_header import header_of, is_one, reads_groups
    from gatepost.locks._slim import hashed, header_lines, loads_lock
    from gatepost.toml.load import TomlError

    if (line := conflict_line(lock.data)) is not None:
        return Contents(broken="it has merge conflict markers", line=line)
    try:
        data = loads_lock(lock.data)
    except TomlError as error:
        return Contents(broken=f"it is not valid TOML: {error.reason}", line=error.line)
    path = lock.beside("pyproject.toml")
    try:
        manifest = toml_of(lock, path)
    except TomlError:
        manifest = {}
    head = header_of(lock.data, table(data, "metadata"))
    one = is_one(head, manifest)
    direct_needs = tuple(wanted(manifest, one, reads_groups(head, one), path))
    ours = own_names(manifest)
    entries = data.get("package", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return Contents(broken="`package` is not an array of tables")
    lines = header_lines(lock.data, b"package")
    old_files = table(data, "metadata", "files")
    any_hash = bool(old_files) or any("files" in entry for entry in entries)
    packages = []
    for index, entry in enumerate(entries):
        name, version = entry.get("name"), entry.get("version")
        line = lines[index] if len(lines) == len(entries) else None
        if not isinstance(name, str) or not isinstance(version, str):
            return Contents(broken="a package has no name or no version", line=line)
        source = table(entry, "source")
        origin = _ORIGINS.get(str(source.get("type", "legacy")), "registry")
        files = entry.get("files", old_files.get(name))
        marker = entry.get("markers")
        where = (
            str(source.get("url", "")),
            str(source.get("reference", "")),
            str(source.get("resolved_reference", "")),
        )
        packages.append(
            Package(
                name=canonical(name),
                version=version,
                identity=(canonical(name), version, *where, str(source.get("subdirectory", ""))),
                origin=origin,
                hashed=hashed(files) if any_hash and files is not None and origin == "registry" else None,
                requires=_needs(table(entry, "dependencies"), ours | UNSAFE),
                marker=marker if isinstance(marker, str) else "",
                line=line,
            )
        )
    return Contents(packages=tuple(packages), direct=direct_needs, hashes=any_hash)


def _needs(entries: dict[str, Any], never: frozenset[str] | set[str]) -> tuple[Need, ...]:
    """References of one locked package that must be in the lock.

    What has a marker, an extra or a Python limit may be left out of it, so only plain `name = "constraint"` counts.
    """
    if not entries:
        return ()
    needs = []
    for name, value in entries.items():
        if isinstance(value, str) and (found := canonical(name)) not in never:
            needs.append(Need(name=found, specifier=pep440(value) or ""))
    return tuple(needs)


def first_difference(
    lock_data: bytes, manifest: dict[str, Any], locked_python: str, project: bool, groups: bool
) -> Difference | None:
    """The first requirement, Python range, extra or group that the lock does not hold, with its key; None if none shows."""
    from gatepost.locks._slim import loads_lock
    from gatepost.toml.load import TomlError

    try:
        data = loads_lock(lock_data)
    except TomlError:
        return None
    if not project:
        manifest = {key: value for key, value in manifest.items() if key != "project"}
    python, key = python_versions(manifest)
    if locked_python and python != locked_python:
        return f'{_python_name(key)} is "{show(python)}", the lock has "{show(locked_python)}"', key
    entries = [entry for entry in data.get("package", []) if isinstance(entry, dict)]
    locked: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        locked.setdefault(canonical(str(entry.get("name", ""))), []).append(entry)
    asked = list(direct(manifest, groups=groups, project=project))
    for found in asked:
        if (reason := _missing(found, locked.get(found.name, []))) is not None:
            return reason, found.key
    now, extras_key = extras(manifest)
    then = {canonical(name) for name in table(data, "extras")}
    for name in sorted(now - then):
        return f'extra "{show(name)}" was added', extras_key
    for name in sorted(then - now):
        return f'extra "{show(name)}" was removed', extras_key
    return _gone(manifest, entries, asked)


def _python_name(key: tuple[str | int, ...]) -> str:
    return "requires-python" if key[0] == "project" else "tool.poetry.dependencies.python"


def _missing(found: Direct, entries: list[dict[str, Any]]) -> str | None:
    from gatepost.locks._manifest import meets

    place = "dependencies" if found.group == "main" else f'group "{show(found.group)}"'
    place = f'extra "{show(found.extra)}"' if found.extra else place
    if found.conditional and not entries:
        return None
    recorded = [entry["groups"] for entry in entries if isinstance(entry.get("groups"), list)]
    if not entries or (recorded and not any(found.group in map(str, names) for names in recorded)):
        return None if found.conditional or (found.name in UNSAFE and not entries) else f"{place} gained {found.text}"
    if found.specifier and not found.conditional:
        versions = [str(entry.get("version", "")) for entry in entries]
        if all(meets(version, found.specifier) is False for version in versions):
            return f"{place} asks for {found.text}, the lock holds {found.name} {show(', '.join(versions))}"
    return None


def _gone(manifest: dict[str, Any], entries: list[dict[str, Any]], wanted: list[Direct]) -> Difference | None:
    """A package that nothing asks for any more: its requirement was removed, or its group."""
    groups = {found.group for found in wanted} | {"main"} | including(manifest)
    needed = {found.name for found in wanted}
    for entry in entries:
        for name in sorted(map(str, entry.get("groups", []) if isinstance(entry.get("groups"), list) else [])):
            if name not in groups:
                return (
                    f'group "{show(name)}" is gone or empty, the lock still has {show(str(entry.get("name")))} for it',
                    (),
                )
        needed |= {canonical(name) for name in table(entry, "dependencies")}
    for entry in entries:
        if canonical(str(entry.get("name", ""))) not in needed:
            name = show(str(entry.get("name")))
            return (
                f"nothing asks for {name} any more, the lock still has {name} {show(str(entry.get('version', '')))}",
                (),
            )
    return None
