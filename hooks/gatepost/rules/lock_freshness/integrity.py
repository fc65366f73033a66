"""Faults inside a lock that its own tool reads as fresh: merge damage, dangling references, pins nobody asked for."""

from __future__ import annotations

from gatepost.manifests import versions
from gatepost.model import Finding, Location
from gatepost.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.locks._base import Contents, Lock, LockFormat, Package
    from gatepost.model import Fix, Outcome


def examine(form: LockFormat, lock: Lock, relock: str, again: Fix) -> tuple[bool, list[Outcome]]:
    """(whether the lock cannot be read at all, findings LF2xx). `relock` is the remedy, `again` the same as a fix."""
    start = 0 if lock.data.startswith(b"<<<<<<< ") else lock.data.find(b"\n<<<<<<< ") + 1 or -1
    if start >= 0 and b"\n>>>>>>> " in lock.data[start:]:
        line = lock.data.count(b"\n", 0, start) + 1
        return True, [
            Finding(
                code="LF201", where=Location(path=lock.path, line=line), message="holds merge-conflict markers",
                remedy=f"take one side whole (`git checkout --theirs -- {lock.path}`), then {relock}",
            )
        ]  # fmt: skip
    if form.packages is None or form.sound(lock):
        return False, []
    contents = form.packages(lock)
    if contents.broken:
        reason = contents.broken if contents.broken.startswith(("it ", "a ", "`")) else f"it {contents.broken}"
        return True, [
            Finding(code="LF202", where=Location(path=lock.path, line=contents.line),
                    message=f"cannot be read: {reason}", remedy=relock, fix=again)
        ]  # fmt: skip
    return False, [
        replace(each, fix=again) for each in (*_entries(lock, contents, relock), *_pins(lock, contents, relock))
    ]


def _entries(lock: Lock, contents: Contents, relock: str) -> list[Finding]:
    found: list[Finding] = []
    seen: dict[tuple[str, ...], Package] = {}
    names = {package.name for package in contents.packages}
    pairs = {(package.name, package.version) for package in contents.packages}
    for package in contents.packages:
        where = Location(path=lock.path, line=package.line, key=package.name)
        identity = package.identity or (package.name,)
        if identity in seen:
            first = seen[identity].line
            beside = f" (first on line {first})" if first is not None else ""
            found.append(Finding(code="LF204", where=where, remedy=relock,
                                 message=f"locks {package.name} {package.version} twice{beside}"))  # fmt: skip
        seen.setdefault(identity, package)
        for need in package.requires:
            if need.optional:
                continue
            if need.name not in names:
                text = f"{package.name} needs {need.name}, which is not in the lock"
            elif need.version and (need.name, need.version) not in pairs:
                text = f"{package.name} needs {need.name} {need.version}, which the lock has in another version"
            else:
                continue
            found.append(Finding(code="LF203", where=where, message=text, remedy=relock))
        if contents.hashes and package.hashed is False:
            found.append(Finding(code="LF206", where=where, remedy=relock,
                                 message=f"{f'{package.name} {package.version}'.rstrip()} is locked without a hash"))  # fmt: skip
    return found


def _pins(lock: Lock, contents: Contents, relock: str) -> list[Finding]:
    found: list[Finding] = []
    locked: dict[str, list[Package]] = {}
    for package in contents.packages:
        locked.setdefault(package.name, []).append(package)
    told: set[tuple[str, str]] = set()
    for need in contents.direct:
        entries = locked.get(need.name)
        if not entries:
            if not need.optional and not need.marker and (need.name, "") not in told:
                told.add((need.name, ""))
                found.append(Finding(code="LF203", where=Location(path=lock.path), remedy=relock,
                                     message=f"{need.name} is asked for but not in the lock"))  # fmt: skip
            continue
        if not need.specifier or need.optional or any(not e.version or e.origin != "registry" for e in entries):
            continue
        try:
            wanted = versions.ranges(need.specifier)
            met = any(versions.admits(wanted, entry.version) for entry in entries)
        except versions.VersionError:
            continue
        if not met and (need.name, need.specifier) not in told:
            told.add((need.name, need.specifier))
            related = (Location(path=need.where, line=need.line, key=need.key),) if need.where else ()
            pins = ", ".join(entry.version for entry in entries)
            found.append(
                Finding(
                    code="LF205", where=Location(path=lock.path, line=entries[0].line, key=need.name), related=related,
                    message=f"locks {need.name} {pins}, but {need.specifier} is asked for", remedy=relock,
                )
            )  # fmt: skip
    return found
