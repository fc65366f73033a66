"""Faults inside a lock that its own tool reads as fresh: merge damage, dangling references, pins nobody asked for."""

from __future__ import annotations

from itertools import chain

from gatepost.locks._base import quote
from gatepost.manifests import versions
from gatepost.model import Finding, Fix, Location
from gatepost.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.locks._base import Contents, Lock, LockFormat, Package

_TOLD = 1000  # faults of one lock


def examine(form: LockFormat, lock: Lock) -> tuple[bool, list[Finding]]:
    """(whether the lock cannot be read at all, findings LF2xx)."""
    if form.packages is not None and form.sound(lock):  # then nor are there conflict markers in it
        return False, []
    start = 0 if lock.data.startswith(b"<<<<<<< ") else lock.data.find(b"\n<<<<<<< ") + 1 or -1
    if start >= 0 and b"\n>>>>>>> " in lock.data[start:]:
        line = lock.data.count(b"\n", 0, start) + 1
        path = quote(lock.path)
        remedy = f"take one side whole (`git checkout --theirs -- {path}`), then `{form.relock(lock)}`, then `git add {path}`"
        where = Location(path=lock.path, line=line)
        return True, [Finding(code="LF201", where=where, message="holds merge-conflict markers", remedy=remedy)]
    if form.packages is None:
        return False, []
    contents = form.packages(lock)
    if contents.broken:
        reason = contents.broken if contents.broken.startswith(("it ", "a ", "`")) else f"it {contents.broken}"
        return True, [unreadable(form, lock, reason, contents.line)]
    faults = chain(_entries(contents), _edges(contents), _pins(contents))
    command = ""
    findings: list[Finding] = []
    for fault in faults:
        if len(findings) == _TOLD:
            message = f"{findings[-1].message}; further faults are not listed"
            findings[-1] = replace(findings[-1], message=message)
            break
        command = command or form.relock(lock)  # reads the lock: once for all
        findings.append(_finding(form, lock, command, *fault))
    return False, findings


def unreadable(form: LockFormat, lock: Lock, reason: str, line: int | None) -> Finding:
    """LF202, with how to get a lock again."""
    return _finding(form, lock, form.relock(lock), "LF202", f"cannot be read: {reason}", "", line, ())


def _finding(
    form: LockFormat,
    lock: Lock,
    command: str,
    code: str,
    message: str,
    name: str,
    line: int | None,
    related: tuple[Location, ...],
) -> Finding:
    """A fault of the package `name`; `command` locks again. The remedy depends on whether the tool itself would still read the lock."""
    where = Location(path=lock.path, line=line, key=name)
    path = quote(lock.path)
    if code in form.refuses:
        remedy = f"`rm {path} && {command}`, then `git add {path}` (a whole one from `git checkout` keeps the pins)"
        return Finding(code=code, where=where, message=message, remedy=remedy, related=related)
    if form.mend is not None and name:
        command = form.mend(lock, name)
    fix = Fix(title=f"make {lock.path} again", command=command, safe=True)
    remedy = f"`{command}`, then `git add {path}`"
    return Finding(code=code, where=where, message=message, remedy=remedy, related=related, fix=fix)


if TYPE_CHECKING:
    from typing import TypeAlias

    # code, message, package, line, related places
    Fault: TypeAlias = tuple[str, str, str, int | None, tuple[Location, ...]]


def _entries(contents: Contents) -> Iterator[Fault]:
    """What is wrong with an entry by itself, or with its references."""
    seen: dict[tuple[str, ...], Package] = {}
    names = {package.name for package in contents.packages}
    pairs = {(package.name, package.version) for package in contents.packages}
    held: dict[str, dict[tuple[str, ...], str]] = {}
    for package in contents.packages:
        held.setdefault(package.name, {})[package.identity] = package.version
    for package in contents.packages:
        shown = f"{package.name} {package.version}".rstrip()
        identity = package.identity or (package.name,)
        if identity in seen:
            first = seen[identity].line
            beside = f" (first on line {first})" if first is not None else ""
            yield "LF204", f"locks {shown} twice{beside}", package.name, package.line, ()
        seen.setdefault(identity, package)
        for need in package.requires:
            if need.optional:
                continue
            if need.name not in names:
                text = f"{package.name} needs {need.name}, which is not in the lock"
            elif need.version and (need.name, need.version) not in pairs:
                text = f"{package.name} needs {need.name} {need.version}, which the lock has in another version"
            elif need.only and len(held[need.name]) > 1:
                found = sorted(set(held[need.name].values()))
                several = " and ".join(found) if len(found) > 1 else "it of several sources"
                text = f"{package.name} needs {need.name} without a version, and the lock has {several}"
            else:
                continue
            yield "LF203", text, need.name, package.line, ()
        if contents.hashes and package.hashed is False:
            yield "LF206", f"{shown} is locked without a hash", package.name, package.line, ()
        if package.other_file:
            yield "LF208", f"locks {shown} with the file {package.other_file}", package.name, package.line, ()


def _edges(contents: Contents) -> Iterator[Fault]:
    """Requirements that a project of the lock records but does not install."""
    for package in contents.packages:
        for text in package.lacks:
            name, _, where = text.partition(" ")
            message = f"{package.name} requires {name}{where and f' in {where}'}, and nothing in the lock installs it"
            yield "LF207", message, name, package.line, ()


def _pins(contents: Contents) -> Iterator[Fault]:
    """Locked versions that the manifest's own requirements do not admit."""
    locked: dict[str, list[Package]] = {}
    for package in contents.packages:
        locked.setdefault(package.name, []).append(package)
    told: set[tuple[str, str]] = set()
    for need in contents.direct:
        entries = locked.get(need.name)
        if not entries:
            if not need.optional and not need.marker and (need.name, "") not in told:
                told.add((need.name, ""))
                yield "LF203", f"{need.name} is asked for but not in the lock", need.name, None, ()
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
            message = f"locks {need.name} {pins}, but {need.specifier} is asked for"
            yield "LF205", message, need.name, entries[0].line, related
