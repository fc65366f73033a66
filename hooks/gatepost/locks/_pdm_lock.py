"""What a pdm.lock holds, and the first requirement of the manifest that it does not meet."""

from __future__ import annotations

from gatepost.locks._base import Contents, Need, Package
from gatepost.locks._manifest import (
    canonical,
    conflict_line,
    meets,
    requirement,
    show,
    spell_key,
    strings,
    table,
    toml_of,
)
from gatepost.locks._pdm_hash import Unhashable, groups, listed, normal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from packaging.requirements import Requirement

    from gatepost.locks._base import Lock

    Key = tuple[str | int, ...]
    Difference = tuple[str, Key]


def wanted(data: dict[str, Any]) -> Iterator[tuple[str, Key, str, Requirement]]:
    """(group, key, text, requirement) of everything that a manifest asks for."""
    own = canonical(str(table(data, "project").get("name", "")))
    for group, key, items in listed(data):
        for index, text in strings(items):
            parsed = None if text.lstrip().startswith("-e") else requirement(text)
            if parsed is not None and canonical(parsed.name) != own:
                yield group, (*key, index), show(text), parsed


def entries(lock: Lock) -> list[dict[str, Any]]:
    """The lock's package tables, of pdm.lock or of a pylock.toml.

    Raises:
        TomlError: not a TOML document.
    """
    from gatepost.locks._slim import loads_lock

    data = loads_lock(lock.data)
    found = data.get("package", data.get("packages", []))
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def locked_groups(lock: Lock) -> set[str]:
    """The groups that a lock was made for, as it records them; none where it does not.

    Raises:
        TomlError: not a TOML document.
    """
    from gatepost.locks._slim import loads_lock

    data = loads_lock(lock.data)
    lists = (table(data, "metadata").get("groups"), data.get("dependency-groups"), data.get("extras"))  # pylock's: two
    return {normal(name) for items in lists for _, name in strings(items)}


def first_difference(lock: Lock, data: dict[str, Any]) -> tuple[str, Key] | None:
    """The first requirement that the lock does not hold, with its key; None if none shows."""
    from gatepost.toml.load import TomlError

    try:
        locked: dict[str, list[dict[str, Any]]] = {}
        for entry in entries(lock):
            locked.setdefault(canonical(str(entry.get("name", ""))), []).append(entry)
    except TomlError:
        return None
    overrides = {canonical(name) for name in table(data, "tool", "pdm", "resolution", "overrides")}
    needed = set()
    later: Difference | None = None  # of a group that the lock was perhaps never made for
    chosen = locked_groups(lock)
    extras = {normal(name) for name in table(data, "project", "optional-dependencies")}
    for group, key, text, parsed in wanted(data):
        name = canonical(parsed.name)
        needed.add(name)
        if chosen and group not in chosen and group in extras:  # `pdm lock` leaves extras out, new ones too
            continue
        reason = _unheld(group, text, parsed, locked.get(name, []), name in overrides)
        if reason and chosen and group not in chosen:
            later = later or (reason, key)
        elif reason:
            return reason, key
    return _gone(data, locked, needed) or later


def _unheld(group: str, text: str, parsed: Requirement, found: list[dict[str, Any]], overridden: bool) -> str:
    """Why a requirement is not what the lock was made from, "" if it may be."""
    place = "dependencies" if group == "default" else f'group "{show(group)}"'
    recorded = [entry["groups"] for entry in found if isinstance(entry.get("groups"), list)]
    if parsed.marker is not None:
        return ""
    if not found or (recorded and not any(group in map(str, names) for names in recorded)):
        return f"{place} gained {text}"
    versions = [str(entry.get("version", "")) for entry in found]
    outside = [version for version in versions if meets(version, str(parsed.specifier)) is False]
    if len(outside) == len(found) and not parsed.url and not overridden:
        return f"{place} asks for {text}, the lock holds {canonical(parsed.name)} {show(', '.join(outside))}"
    return ""


def _gone(data: dict[str, Any], locked: dict[str, list[dict[str, Any]]], needed: set[str]) -> Difference | None:
    """A package that nothing asks for any more."""
    for found in locked.values():
        for entry in found:
            for _, text in strings(entry.get("dependencies", table(entry, "tool", "pdm").get("dependencies"))):
                parsed = requirement(text)
                needed |= {canonical(parsed.name)} if parsed else set()
    own = canonical(str(table(data, "project").get("name", "")))
    for name, found in locked.items():
        if (
            name not in needed
            and name != own
            and "path" not in found[0]
            and not table(data, "tool", "pdm").get("workspace")
        ):
            return f"nothing asks for {show(name)} any more, the lock still has it", ()
    return None


def contents(lock: Lock) -> Contents:
    """The lock for the integrity rules."""
    from gatepost.locks._slim import hashed, header_lines
    from gatepost.toml.load import TomlError

    if (line := conflict_line(lock.data)) is not None:
        return Contents(broken="it has merge conflict markers", line=line)
    try:
        found = entries(lock)
    except TomlError as error:
        return Contents(broken=f"it is not valid TOML: {error.reason}", line=error.line)
    path = lock.beside("pyproject.toml")
    try:
        data = toml_of(lock, path)
        groups(data)
    except (TomlError, Unhashable):
        data = {}
    lines = header_lines(lock.data, b"package")
    packages = []
    for index, entry in enumerate(found):
        name, version = entry.get("name"), entry.get("version", "")
        line = lines[index] if len(lines) == len(found) else None
        if not isinstance(name, str) or not isinstance(version, str):
            return Contents(broken="a package has no name", line=line)
        extras = entry.get("extras")
        extra = ",".join(sorted(map(str, extras))) if isinstance(extras, list) else ""
        origin = "git" if "git" in entry else "path" if "path" in entry else "url" if "url" in entry else "registry"
        marker = entry.get("marker", "")
        packages.append(
            Package(
                name=canonical(name),
                version=version,
                identity=(
                    canonical(name),
                    version,
                    extra,
                    str(entry.get("git", entry.get("url", entry.get("path", "")))),
                ),
                origin=origin,
                hashed=hashed(entry.get("files")) if origin == "registry" else None,
                requires=_needs(entry.get("dependencies")),
                marker=marker if isinstance(marker, str) else "",
                line=line,
            )
        )
    overrides = {canonical(name) for name in table(data, "tool", "pdm", "resolution", "overrides")}
    direct = tuple(
        Need(
            name=canonical(parsed.name),
            specifier="" if parsed.url or canonical(parsed.name) in overrides else str(parsed.specifier),
            extras=tuple(sorted(parsed.extras)),
            marker=str(parsed.marker or ""),
            optional=parsed.marker is not None or group != "default",
            where=path,
            key=spell_key(key),
        )
        for group, key, _, parsed in wanted(data)
    )
    return Contents(packages=tuple(packages), direct=direct, hashes=any(package.hashed for package in packages))


def _needs(items: object) -> tuple[Need, ...]:
    """References of one locked package: plain `name` and `name==1` texts are read without a full parser."""
    found = []
    for _, text in strings(items):
        plain = text.replace("-", "").replace("_", "").replace(".", "").isalnum()
        parsed = None if plain else requirement(text)
        if plain:
            found.append(Need(name=canonical(text)))
        elif parsed is not None:
            specifier, marker = "" if parsed.url else str(parsed.specifier), str(parsed.marker or "")
            found.append(Need(name=canonical(parsed.name), specifier=specifier, marker=marker, optional=bool(marker)))
    return tuple(found)
