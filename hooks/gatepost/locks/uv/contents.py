"""What a uv.lock holds, for the integrity rules: uv itself reads most of these faults as "fresh"."""

from __future__ import annotations

from gatepost.locks._base import Contents, Need, Package
from gatepost.locks.uv import read as r
from gatepost.manifests import versions
from gatepost.manifests.pep508 import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from gatepost.locks._base import Lock

_HOST = ("pypi", "org")
_PUBLIC = 'registry = "https://' + ".".join(_HOST) + '/simple"'
_OTHER_SOURCES = frozenset({"git", "url", "path", "editable", "virtual", "directory"})
_ORIGINS = {"registry": "registry", "git": "git", "url": "url", "path": "path"}


def packages(lock: Lock) -> Contents:
    """Every entry with its references, and the recorded requirements of local packages as `direct`."""
    try:
        data = r.of(lock)
    except r.Unreadable as error:
        return Contents(broken="" if error.large else error.reason, line=error.line)
    if "version" not in data.head:
        return Contents(broken=r.EMPTY)
    parsed: list[Mapping[str, Any] | None] = list(data.everything)
    if data.canonical:
        local = iter(data.local)
        parsed = [None if entry.source.startswith("registry = ") else next(local, None) for entry in data.entries]
    for entry in data.entries:
        if lacking := _incomplete(entry):
            return Contents(broken=lacking)
    found = []
    line, at = 1, 0
    for entry, item in zip(data.entries, parsed, strict=False):
        line += data.data.count(b"\n", at, entry.start)
        at = entry.start
        kind = entry.source.partition(" ")[0]
        hashed = None
        if data.canonical and entry.source == _PUBLIC:  # other registries may serve files without hashes
            hashed = not r.hashless(data, entry)
        found.append(
            Package(
                name=entry.name, version=entry.version, identity=(entry.name, entry.version, entry.source),
                origin=_ORIGINS.get(kind, "root"), hashed=hashed, line=line if data.canonical else None,
                requires=tuple(
                    Need(name=name, version=version, only=only)
                    for name, version, only in r.references(data, entry, item)
                ),
                lacks=() if item is None else _lacks(data, item), other_file=_other_file(data, entry, item),
            )
        )  # fmt: skip
    return Contents(packages=tuple(found), direct=tuple(_direct(data)), hashes=True)


def _incomplete(entry: r.Entry) -> str:
    """What uv needs of every entry and this one has not, as a clause."""
    if entry.name and entry.source and (entry.version or not entry.source.startswith("registry")):
        return ""
    from gatepost.locks._manifest import show

    if not entry.name:
        return "a package has no name"
    kind, field = ("package", "source") if not entry.source else ("package of a registry", "version")
    return f"a {kind} has no {field}: {show(entry.name)}"


def _requirements(data: r.UvLock, item: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str, Any]]:
    """(requirement, where, locked list) that a local package records for every platform; `where` is "" for its own."""
    kind = next(iter(item["source"] if isinstance(item.get("source"), dict) else {}), "")
    if kind not in ("virtual", "editable", "directory"):
        return
    # of a path dependency that is no member, only those extras are locked that somebody asks for, and no group
    manifest = data.head.get("manifest")
    members = manifest.get("members") if isinstance(manifest, dict) else None
    member = item.get("name") in members if isinstance(members, list) else item["source"][kind] == "."
    metadata = item.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    extras, groups = item.get("optional-dependencies"), item.get("dev-dependencies")
    extras, groups = (table if isinstance(table, dict) else {} for table in (extras, groups))
    for need in _listed(metadata.get("requires-dist")):
        marker = str(need.get("marker", ""))
        extra = marker[len("extra == '") : -1] if marker.startswith("extra == '") else ""
        if not marker:
            yield need, "", item.get("dependencies")
        elif extra and marker == f"extra == '{extra}'" and (member or extra in extras):
            yield need, f'extra "{extra}"', extras.get(extra)
    recorded = metadata.get("requires-dev")
    for group, needs in (recorded if isinstance(recorded, dict) else {}).items():
        for need in _listed(needs) if member or group in groups else ():
            if not need.get("marker"):
                yield need, f'group "{group}"', groups.get(group)


def _listed(value: Any) -> list[Mapping[str, Any]]:
    """The tables with a name of a list."""
    found = value if isinstance(value, list) else ()
    return [item for item in found if isinstance(item, dict) and isinstance(item.get("name"), str)]


def _direct(data: r.UvLock) -> list[Need]:
    """What the local packages ask for in some version, where it holds on every platform and is in the lock."""
    held = {entry.name for entry in data.entries}
    direct: list[Need] = []
    for item in data.local:
        for need, _, _ in _requirements(data, item):
            name = canonical(need["name"])
            if (
                name in held
                and "specifier" in need
                and _OTHER_SOURCES.isdisjoint(need)
                and not _overridden(data.head, name)
            ):
                direct.append(Need(name=name, specifier=str(need["specifier"])))
    return direct


def _lacks(data: r.UvLock, item: Mapping[str, Any]) -> tuple[str, ...]:
    """Requirements that a local package records and that none of its edges installs: `click`, `six extra "web"`."""
    found = []
    own = canonical(str(item.get("name", "")))
    for need, where, locked in _requirements(data, item):
        name = canonical(need["name"])
        if name != own and not any(edge["name"] == need["name"] for edge in _listed(locked)):
            if not _overridden(data.head, name):
                found.append(f"{name} {where}".rstrip())
    return tuple(found)


def _other_file(data: r.UvLock, entry: r.Entry, item: Mapping[str, Any] | None) -> str:
    """A wheel of an entry whose name says another version: uv stops at it. "" if there is none."""
    if not entry.version or (data.canonical and _plain_wheels(data.data, entry)):
        return ""
    from urllib.parse import unquote

    if item is None:
        text = data.data[entry.start : entry.end].decode("utf-8", "replace")
        # files stand on lines of their own; the address of a dependency stands in a line that begins with its name
        lines = text.replace('\n    { path = "', '\n    { url = "').split('\n    { url = "')[1:]
        urls = [part.partition('"')[0] for part in lines]
    else:
        files = item.get("wheels")
        urls = [str(one.get("url", one.get("path", ""))) for one in (files if isinstance(files, list) else ())
                if isinstance(one, dict)]  # fmt: skip
    for url in urls:
        name = unquote(url.partition("#")[0].rpartition("/")[2])
        parts = name.split("-")
        if not name.endswith(".whl"):
            continue
        if not 5 <= len(parts) <= 6:  # no name of a wheel
            return name
        try:
            wanted = versions.key(entry.version)
            if wanted not in (versions.key(parts[1]), versions.key(parts[1].partition("+")[0])):
                return name
        except versions.VersionError:
            continue
    return ""


def _plain_wheels(text: bytes, entry: r.Entry) -> bool:
    """Whether every wheel of an entry has the version in its name as it is written: a count, no parsing."""
    at, version = (entry.start, entry.end), entry.version
    wheels = text.count(b'.whl"', *at)
    if not wheels or text.count(f"-{version}-".encode(), *at) >= wheels:
        return True
    local = text.count(f"-{version.replace('+', '%2B')}-".encode(), *at) + text.count(f"-{version}%2B".encode(), *at)
    return local >= wheels


def sound(lock: Lock) -> bool:
    """Whether nothing can be wrong with the entries: a quick look over the text, True for every lock that uv writes."""
    try:
        data = r.of(lock)
    except r.Unreadable:
        return False
    if not data.canonical:
        return False
    text = data.data
    if text.count(b'{ url = "') != text.count(b', hash = "'):
        return False
    versions_of: dict[bytes, list[str]] = {}
    for entry in data.entries:
        versions_of.setdefault(entry.name.encode(), []).append(entry.version)
        if entry.version and not _plain_wheels(text, entry):
            return False
        if _incomplete(entry):
            return False
    if any(_lacks(data, item) for item in data.local):
        return False
    if len({(entry.name, entry.version, entry.source) for entry in data.entries}) != len(data.entries):
        return False
    for piece in text.split(b'{ name = "')[1:]:
        name, _, rest = piece[:200].partition(b'"')
        known = versions_of.get(name)
        if known is None:
            return False
        if rest.startswith(b', version = "') and rest[13 : rest.find(b'"', 13)].decode("utf-8", "replace") not in known:
            return False
        if len(known) > 1 and rest.startswith((b" }", b", extra", b", marker")) and _ambiguous(data, name):
            return False
    return all(
        not need.specifier or _met(need.specifier, versions_of.get(need.name.encode(), [])) for need in _direct(data)
    )


def _ambiguous(data: r.UvLock, name: bytes) -> bool:
    """Whether an entry refers to a package by its name alone; what is recorded of manifests does so too."""
    text, bare = data.data, b'{ name = "' + name + b'"'
    for entry in data.entries:
        at = text.find(bare, entry.start, entry.end)
        stop = text.find(b"\n[package.metadata", entry.start, entry.end) if at >= 0 else -1
        while at >= 0 and (stop < 0 or at < stop):
            if not text.startswith((b", version", b", source"), at + len(bare)):
                return True
            at = text.find(bare, at + 1, entry.end)
    return False


def _met(specifier: str, found: list[str]) -> bool:
    try:
        wanted = versions.ranges(specifier)
        return any(version and versions.admits(wanted, version) for version in found)
    except versions.VersionError:
        return False


def _overridden(head: Mapping[str, Any], name: str) -> bool:
    manifest = head.get("manifest")
    manifest = manifest if isinstance(manifest, dict) else {}
    for key in ("overrides", "excludes"):
        listed = manifest.get(key)
        for item in listed if isinstance(listed, list) else ():
            if item == name or (isinstance(item, dict) and (item.get("name") == name or "package" in item)):
                return True
    return False
