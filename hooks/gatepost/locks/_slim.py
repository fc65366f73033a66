"""Read a big TOML lock quickly: file-hash arrays are most of its bytes and say nothing that a rule asks.

A 1 MB lock takes 45 ms to parse; without its canonical hash lines, which are recognised by splitting the text at its
quotes, 5 ms. Whatever is not canonical stays in and is parsed, so the result is exact for any document.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks._base import Lock

HASHED = 1  # stands for an array of files that all have a hash

_CONTROL = bytes(code for code in (*range(32), 127) if code not in (9, 10))  # no TOML document holds these (CR: below)
_STARTS = (b'    {file = "', b'    {url = "')
_KEY = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_PLAIN = bytes(_KEY) + b".+!%~@:/"  # what names, addresses and digests are made of
_LINE = b'    { = "",  = ""},\n'  # a line of a file array, those bytes left out


def slim(data: bytes) -> bytes:
    """The document with every canonical, non-empty, fully hashed file array replaced by the number `HASHED`."""
    return _slim(data)[0]


def canonical_text(lock: Lock) -> bytes | None:
    """The same, once a lock; None where the text is not UTF-8, has multi-line strings, CR or other control characters."""

    def made() -> bytes | None:
        text, canonical = _slim(lock.data)
        return text if canonical else None

    return lock.once("slim", made)


def conflict(lock: Lock) -> int | None:
    """The 1-based line of the first git conflict marker, or None. No plain file array can hold one."""
    from gatepost.locks._manifest import conflict_line

    text = canonical_text(lock)
    return None if text is not None and conflict_line(text) is None else conflict_line(lock.data)


def _slim(data: bytes) -> tuple[bytes, bool]:
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    outline = _outline(data)
    text = data if outline is None else outline
    if len(text.translate(None, _CONTROL)) != len(text):
        return data, False
    try:
        text.isascii() or text.decode()
    except UnicodeDecodeError:
        return data, False
    for start in _STARTS:
        text = _without(text, start)
    if b'"""' in text or b"'''" in text:  # none can be in what was left out
        return data, False
    return text, True


def _outline(data: bytes) -> bytes | None:
    """`data` with the `files` of its packages replaced, where every one of them is plain; None where one is not.

    Without the bytes that names and digests are made of, each line must be `{ = "",  = ""},`: it has two strings. The
    text around its strings is counted: as often as there are lines, so every line has it. Few copies: pages cost most.
    """
    kept: list[bytes] = []
    at = 0
    while (start := data.find(b"\nfiles = [\n", at)) >= 0:
        end = data.find(b'"},\n]\n', start)
        lines = data[start + 11 : end + 4]
        shape = lines.translate(None, _PLAIN)
        count = len(shape) // len(_LINE)
        if end < 0 or shape != _LINE * count or lines.count(b'", hash = "sha256:') != count:
            return None
        starts = lines.count(b'"},\n    {file = "') + lines.startswith(_STARTS[0])
        if starts != count and starts + lines.count(b'"},\n    {url = "') + lines.startswith(_STARTS[1]) != count:
            return None
        kept += (data[at:start], b"\nfiles = 1")
        at = end + 5
    return b"".join([*kept, data[at:]])


def _without(data: bytes, start: bytes) -> bytes:
    """`data` without the arrays whose lines begin with `start`, where each line is `{file = "name", hash = "digest"},`."""
    pieces = data.split(b" = [\n" + start)
    if len(pieces) == 1:
        return data
    between = b"},\n" + start[:-1]
    kept = [pieces[0]]
    for piece in pieces[1:]:
        before = kept[-1]
        end = piece.find(b"\n]\n")
        key = before[before.rfind(b"\n") + 1 :]
        if end > 0 and _is_key(key) and key != before and _hashed_lines(piece[:end], between):
            kept += (b" = 1", piece[end + 2 :])
        else:
            kept += (b" = [\n" + start, piece)
    return b"".join(kept)


def _is_key(text: bytes) -> bool:
    """Whether a text is a bare key, or a quoted one without escapes."""
    if text[:1] == text[-1:] == b'"' and len(text) > 1:
        return b'"' not in text[1:-1] and b"\\" not in text
    return bool(text) and _KEY.issuperset(text)


def _hashed_lines(lines: bytes, between: bytes) -> bool:
    """Whether text from the first file's name on is `name", hash = "digest"},` and more such lines.

    Split at the quotes it must be name, `, hash = `, digest, `},\\n    {file = `, name, ... and end in `},`; a newline
    may stand nowhere else, and an escape nowhere at all.
    """
    parts = lines.split(b'"')
    count, rest = divmod(len(parts), 4)
    return (
        not rest
        and parts[-1] == b"},"
        and parts[1::4].count(b", hash = ") == count
        and parts[3:-1:4].count(between) == count - 1
        and lines.count(b"\n") == count - 1
        and b"\\" not in lines
        and b"" not in parts[2::4]
    )


def loads_lock(data: bytes) -> dict[str, Any]:
    """Parse a TOML lock; see `slim` for what becomes of file arrays.

    Raises:
        TomlError: not a TOML document (the line is that of the original).
    """
    from gatepost.toml.load import TomlError, loads

    try:
        return loads(slim(data))
    except TomlError:
        return loads(data)  # raises again with the true line, or (never seen) accepts the original


def hashed(files: object) -> bool:
    """Whether an array of files has an entry and each entry a hash."""
    if files == HASHED:
        return True
    if not isinstance(files, list) or not files:
        return False
    return all(isinstance(entry, dict) and bool(entry.get("hash") or entry.get("hashes")) for entry in files)


def header_lines(data: bytes, header: bytes) -> list[int]:
    """The 1-based line of every `[[header]]` that stands at the start of a line, in order."""
    lines: list[int] = []
    number, at = 1, 0
    mark = b"[[" + header + b"]]"
    found = 0 if data.startswith(mark) else data.find(b"\n" + mark) + 1
    while found or (not lines and data.startswith(mark)):
        number += data.count(b"\n", at, found)
        lines.append(number)
        at = found
        found = data.find(b"\n" + mark, at) + 1
    return lines
