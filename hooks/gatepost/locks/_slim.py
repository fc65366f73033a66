"""Parse a big TOML lock quickly: file-hash arrays are most of its bytes and say nothing that a rule asks.

A 1 MB lock takes 45 ms to parse; without its canonical hash lines, which one regular expression both checks and
removes, 5 ms. Whatever is not canonical stays in and is parsed, so the result is exact for any document.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HASHED = 1  # stands for an array of files that all have a hash

_FILES = re.compile(
    rb'(?<=\n)((?:[A-Za-z0-9_-]+|"[^"\\\n]*") = )\[\n'
    rb'(?:[ \t]*\{(?:file|url) = "[^"\\\n]*", hash = "[^"\\\n]+"\},\n)+\](?=\n)'
)


def slim(data: bytes) -> bytes:
    """The document with every canonical, non-empty, fully hashed file array replaced by the number `HASHED`."""
    if b'"""' in data or b"'''" in data:
        return data
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    return _FILES.sub(rb"\g<1>1", data)


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
