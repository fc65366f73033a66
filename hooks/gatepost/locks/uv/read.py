"""uv.lock as data: all of it, or quickly the parts that freshness needs.

uv writes its locks in one fixed layout. `read` recognises that layout byte by byte, cuts the file at its
`[[package]]` lines and parses only the head and the packages that are not from a registry (the projects
themselves); for 350 packages this takes 1 ms where a TOML parser takes 50. Anything unusual (CRLF, comments,
multi-line strings, another order of keys) goes to the TOML parser whole.
"""

from __future__ import annotations

from gatepost.record import record
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from gatepost.locks._base import Lock

# compiled where they are used: most runs need none of them
_CONFLICT = rb"(?m)^(?:<<<<<<< |>>>>>>> |\|\|\|\|\|\|\| |=======\r?$)"
_REFERENCE = rb'\n(?:    |(?:dependencies|[A-Za-z0-9_.-]+) = \[)\{ name = "([^"\\\n]+)"(?:, version = "([^"\\\n]+)")?'
EMPTY = "it has no format version: it is empty, or no uv.lock"
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:%+"
LARGE = 12_000_000  # bytes: a lock of another layout above this is not parsed (a TOML parser needs 20 times as much)


class Entry:
    """One `[[package]]`: where it stands, and its source as TOML text (`registry = "..."`). Thousands are made: slots."""

    __slots__ = ("end", "name", "source", "start", "version")

    def __init__(self, name: str, version: str, source: str, start: int, end: int) -> None:
        self.name = name
        self.version = version
        self.source = source
        self.start = start  # byte offset of its header
        self.end = end


@record
class UvLock:
    """A uv.lock: the tables before the packages, every package's head, and whole the packages that are local."""

    head: Mapping[str, Any]
    entries: tuple[Entry, ...]
    local: tuple[Mapping[str, Any], ...]  # packages whose source is not a registry, as TOML data
    data: bytes
    canonical: bool
    everything: tuple[Mapping[str, Any], ...] = ()  # all packages, where the layout is not uv's own


class Unreadable(ValueError):
    """Not a lock that can be read: `line` (1-based) or None, `conflict` for merge markers, `large` for its size."""

    def __init__(self, reason: str, line: int | None = None, conflict: bool = False, large: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.conflict = conflict
        self.large = large


def of(lock: Lock) -> UvLock:
    """The lock read, once for all that ask about it (where the `Lock` has a memo).

    Raises:
        Unreadable: as `read`.
    """
    return lock.once("uv", lambda: read(lock.data))


def read(data: bytes) -> UvLock:
    """Read a lock.

    Raises:
        Unreadable: merge-conflict markers, not TOML, or of another layout and very large.
    """
    quick = _quick(data)
    if quick is not None:
        return quick
    import re

    if found := re.search(_CONFLICT, data):
        raise Unreadable("holds merge-conflict markers", data.count(b"\n", 0, found.start()) + 1, conflict=True)
    if len(data) > LARGE:
        raise Unreadable(f"is not in uv's own layout and too large to parse ({len(data) >> 20} MiB)", large=True)
    try:
        whole = loads(data)
    except TomlError as error:
        raise Unreadable(f"is not TOML: {error.reason}", error.line) from None
    packages = whole.get("package", [])
    if not isinstance(packages, list) or not all(isinstance(item, dict) for item in packages):
        raise Unreadable("has no list of packages")
    entries = []
    for item in packages:
        source = item.get("source")
        source = source if isinstance(source, dict) else {}
        text = ", ".join(f'{key} = "{value}"' for key, value in source.items())
        entries.append(
            Entry(name=str(item.get("name", "")), version=str(item.get("version", "")), source=text, start=0, end=0)
        )
    local = tuple(
        item for item, entry in zip(packages, entries, strict=False) if not entry.source.startswith("registry = ")
    )
    head = {name: value for name, value in whole.items() if name != "package"}
    return UvLock(
        head=head, entries=tuple(entries), local=local, data=data, canonical=False, everything=tuple(packages)
    )


def _odd(data: bytes) -> bool:
    """Whether there is something that uv does not write: comments, multi-line strings, conflict markers, a cut.

    Each look over a megabyte costs half a millisecond: marks are counted without the letters between them.
    """
    if not data.startswith(b"version = ") or b"\r" in data or (b"#" in data and b"\n#" in data):
        return True
    marks = data.translate(None, _LETTERS)
    if b"<<<<<<<" in marks or b"=======" in marks or b">>>>>>>" in marks or b"'''" in marks:
        return True
    # cut off or spliced: let the TOML parser say where
    if b'"""' in marks or marks.count(b'"') % 2 == 1 or marks.count(b"{") != marks.count(b"}"):
        return True
    last = data[data.rfind(b"\n", 0, -1) + 1 :]
    if not last.endswith(b"\n") or not (b" = " in last or last == b"]\n" or last[:1] in b"[\n"):
        return True
    return data.count(b" = [\n") != data.count(b"\n]\n")


def _quick(data: bytes) -> UvLock | None:
    if _odd(data):
        return None
    found: list[tuple[int, bytes, bytes, bytes]] = []
    at = data.find(b"[[package]]")
    end_of_head = at if at >= 0 else len(data)
    while at >= 0:
        # the three lines are read in place: a call for each would take as long as all the rest
        if data[at - 2 : at] != b"\n\n" or not data.startswith(b'\nname = "', at + 11):
            return None
        stop = data.find(b'"\n', at + 20)
        name, version = data[at + 20 : stop], b""
        if data.startswith(b'version = "', stop + 2):
            start, stop = stop + 13, data.find(b'"\n', stop + 13)
            version = data[start:stop]
        if stop < 0 or not data.startswith(b"source = { ", stop + 2):
            return None
        start, stop = stop + 13, data.find(b" }\n", stop + 13)
        if stop < 0 or b"\n" in name or b"\n" in version or b'"' in name or b'"' in version:
            return None
        source = data[start:stop]
        if b"\n" in source or b"\\" in name or b"\\" in version:
            return None
        found.append((at, name, version, source))
        at = data.find(b"[[package]]", stop)
    entries = []
    pieces = []
    try:
        for number, (start, name_, version_, source_) in enumerate(found):
            end = found[number + 1][0] if number + 1 < len(found) else len(data)
            text = source_.decode()
            entries.append(Entry(name=name_.decode(), version=version_.decode(), source=text, start=start, end=end))
            if not text.startswith("registry = "):
                pieces.append(data[start:end])
        if sum(map(len, pieces)) > LARGE or end_of_head > LARGE:
            return None
        head = loads(data[:end_of_head])
        if "package" in head:  # an array of inline tables
            return None
        local = loads(b"".join(pieces)).get("package", [])
    except (TomlError, UnicodeDecodeError):
        return None
    return UvLock(head=head, entries=tuple(entries), local=tuple(local), data=data, canonical=True)


def registry(entry: Entry) -> str | None:
    """The registry's URL or path, None for another kind of source."""
    if not entry.source.startswith('registry = "'):
        return None
    url, quote, _ = entry.source[12:].partition('"')
    return url if quote and "\\" not in url else None


def references(lock: UvLock, entry: Entry, item: Mapping[str, Any] | None) -> Iterator[tuple[str, str, bool]]:
    """(name, version or "", whether it names no source either) of every package that an entry refers to.

    `item` is the entry's data, where it was parsed.
    """
    if item is None:
        import re

        for found in re.compile(_REFERENCE).finditer(lock.data, entry.start, entry.end):
            bare = found[2] is None and not lock.data.startswith(b", source", found.end())
            yield found[1].decode("utf-8", "replace"), (found[2] or b"").decode("utf-8", "replace"), bare
        return
    lists: list[Any] = [item.get("dependencies")]
    for key in ("optional-dependencies", "dev-dependencies"):
        table = item.get(key)
        if isinstance(table, dict):
            lists.extend(table.values())
    for found_list in lists:
        for need in found_list if isinstance(found_list, list) else ():
            if isinstance(need, dict) and isinstance(need.get("name"), str):
                yield need["name"], str(need.get("version", "")), "version" not in need and "source" not in need


def hashless(lock: UvLock, entry: Entry) -> bool:
    """Whether some file of a registry entry stands without a hash."""
    for line in lock.data[entry.start : entry.end].split(b"\n"):
        if (line.startswith((b"    { url = ", b"    { path = ", b"sdist = { "))) and b", hash = " not in line:
            return True
    return False
