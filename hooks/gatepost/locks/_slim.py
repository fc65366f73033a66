"""Read a big TOML lock quickly: file-hash arrays are most of its bytes and say nothing that a rule asks.

A 1 MB lock takes 45 ms to parse; without its canonical hash lines, which are recognised by splitting the text at its
quotes, 5 ms. Whatever is not canonical stays in and is parsed, so the result is exact for any document.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks._base import Lock

HASHED = 1  # stands for an array of files that all have a hash

_KEY = re.compile(rb'(?:[A-Za-z0-9_-]+|"[^"\\\n]*")\Z')
_CONTROL = bytes(code for code in (*range(32), 127) if code not in (9, 10))  # no TOML document holds these (CR: below)
_STARTS = (b'    {file = "', b'    {url = "')


def slim(data: bytes) -> bytes:
    """The document with every canonical, non-empty, fully hashed file array replaced by the number `HASHED`."""
    return _slim(data)[0]


def canonical_text(lock: Lock) -> bytes | None:
    """The same, once a lock; None where the text is not UTF-8, has multi-line strings, CR or other control characters."""
    memo = {} if lock.memo is None else lock.memo
    if "slim" not in memo:
        text, canonical = _slim(lock.data)
        memo["slim"] = text if canonical else None
    found: bytes | None = memo["slim"]
    return found


def _slim(data: bytes) -> tuple[bytes, bool]:
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if len(data.translate(None, _CONTROL)) != len(data):
        return data, False
    try:
        data.isascii() or data.decode()
    except UnicodeDecodeError:
        return data, False
    text = data
    for start in _STARTS:
        text = _without(text, start)
    if b'"""' in text or b"'''" in text:  # none can be in what was left out
        return data, False
    return text, True


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
        if end > 0 and _KEY.match(key) and key != before and _hashed_lines(piece[:end], between):
            kept += (b" = 1", piece[end + 2 :])
        else:
            kept += (b" = [\n" + start, piece)
    return b"".join(kept)


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
