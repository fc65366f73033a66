"""What a uv.lock holds, for the integrity rules: uv itself reads most of these faults as "fresh"."""

from __future__ import annotations

from gatepost.locks._base import Contents, Need, Package
from gatepost.locks.uv import read as r
from gatepost.manifests import versions
from gatepost.manifests.pep508 import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.locks._base import Lock

_HOST = ("pypi", "org")
_PUBLIC = 'registry = "https://' + ".".join(_HOST) + '/simple"'
_ORIGINS = {"registry": "registry", "git": "git", "url": "url", "path": "path"}


def packages(lock: Lock) -> Contents:
    """Every entry with its references, and the recorded requirements of local packages as `direct`."""
    try:
        data = r.of(lock)
    except r.Unreadable as error:
        return Contents(broken="" if error.large else error.reason, line=error.line)
    parsed: list[Mapping[str, Any] | None] = list(data.everything)
    if data.canonical:
        local = iter(data.local)
        parsed = [None if entry.source.startswith("registry = ") else next(local, None) for entry in data.entries]
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
                requires=tuple(Need(name=name, version=version) for name, version in r.references(data, entry, item)),
            )
        )  # fmt: skip
    return Contents(packages=tuple(found), direct=tuple(_direct(data)), hashes=True)


def _direct(data: r.UvLock) -> list[Need]:
    """The requirements that the local packages record, where they hold on every platform."""
    direct: list[Need] = []
    for item in data.local:
        metadata = item.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        lists = [metadata.get("requires-dist")]
        groups = metadata.get("requires-dev")
        # a path dependency that is no member records its groups, but they are not locked
        live = item.get("dev-dependencies")
        live = live if isinstance(live, dict) else {}
        if isinstance(groups, dict):
            lists.extend(value for name, value in groups.items() if name in live)
        if next(iter(item["source"] if isinstance(item.get("source"), dict) else {}), "") in ("git", "url", "path"):
            continue
        for needs in lists:
            for need in needs if isinstance(needs, list) else ():
                if not isinstance(need, dict) or not {
                    "git",
                    "url",
                    "path",
                    "editable",
                    "virtual",
                    "directory",
                }.isdisjoint(need):
                    continue
                if need.get("marker") or not isinstance(need.get("name"), str):
                    continue
                overridden = _overridden(data.head, need["name"])
                specifier = "" if overridden else str(need.get("specifier", ""))
                direct.append(Need(name=canonical(need["name"]), specifier=specifier, optional=overridden))
    return direct


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
    if len({(entry.name, entry.version, entry.source) for entry in data.entries}) != len(data.entries):
        return False
    for piece in text.split(b'{ name = "')[1:]:
        name, _, rest = piece[:200].partition(b'"')
        known = versions_of.get(name)
        if known is None:
            return False
        if rest.startswith(b', version = "') and rest[13 : rest.find(b'"', 13)].decode("utf-8", "replace") not in known:
            return False
    return all(
        not need.specifier or _met(need.specifier, versions_of.get(need.name.encode(), [])) for need in _direct(data)
    )


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
