"""7z and RAR: the names of what is in them, as far as the standard library can read their directories.

Sources: 7zFormat.txt of the LZMA SDK (a 32-byte start header points to the directory at the file's end; it is plain, or
"encoded": packed with LZMA or LZMA2, right before its own description), and RAR's technote for versions 4 and 5 (a
header stands before every member, so the first names are at the file's start). An encrypted directory, or one that is
packed in another way, stays closed: the label says so, and the file is held to the limit of any file.
"""

from __future__ import annotations

import re

from gatepost.formats.archives import WEIGHT_MEMBER, holder
from gatepost.formats.kind import ARCHIVE, WEIGHTS, Kind, u32, u64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.formats.kind import Tail

_DIRECTORY_MAX = 8 << 20  # bytes of an unpacked directory that are looked at
_PLAIN, _ENCODED = b"\x01", b"\x17"
_NAME = re.compile(rb"((?:[\x20-\x7e]\0){3,})\0\0")  # the ASCII end of a name in UTF-16
_LZMA, _LZMA2, _COPY = b"\x03\x01\x01", b"\x21", b"\x00"


def seven_zip(head: bytes, size: int, name: str, tail: Tail) -> Kind | None:
    """7z by its signature; its kind by the names in its directory, else by its own name."""
    if head[:6] != b"7z\xbc\xaf\x27\x1c":
        return None
    offset, length = u64(head, 12), u64(head, 20)
    last = head if size <= len(head) else tail()
    base = 32 - (size - len(last))  # where offsets of the format begin in `last`
    directory = last[base + offset : base + offset + length] if base + offset >= 0 else b""
    if directory[:1] == _ENCODED:
        directory = _unpacked(directory, last, base)
    names = [raw.decode("utf-16-le") for raw in _NAME.findall(directory)] if directory[:1] == _PLAIN else []
    return _kind("7z", "a 7z archive", name, names)


class _Reader:
    """Bytes one after another; IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def take(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        """7z's number: as many further bytes as the first has leading ones, then the rest of the first on top."""
        first = self.byte()
        value, mask = 0, 0x80
        for shift in range(0, 64, 8):
            if not first & mask:
                return value | (first & (mask - 1)) << shift
            value |= self.byte() << shift
            mask >>= 1
        return value

    def vint(self) -> int:
        """RAR 5's number: seven bits a byte, the lowest first."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        return value

    def expect(self, *wanted: int) -> None:
        for each in wanted:
            if self.byte() != each:
                raise ValueError


def _unpacked(description: bytes, last: bytes, base: int) -> bytes:
    """The directory that an encoded header describes; b"" if it is not in sight or cannot be unpacked."""
    import lzma

    try:
        reader = _Reader(description)
        reader.expect(0x17, 0x06)
        start = base + reader.number()
        reader.expect(1, 0x09)
        packed = last[start : start + reader.number()] if start >= 0 else b""
        if reader.byte() == 0x0A:  # checksums
            reader.take(5)
            reader.byte()
        reader.expect(0x07, 0x0B, 1, 0, 1)
        flags = reader.byte()
        coder = reader.take(flags & 0x0F)
        properties = reader.take(reader.number()) if flags & 0x20 else b""
        reader.expect(0x0C)
        length = min(reader.number(), _DIRECTORY_MAX)
        if coder == _COPY:
            return packed[:length]
        filters = [_filter(coder, properties, length)]
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters).decompress(packed, length)
    except (IndexError, ValueError, lzma.LZMAError, EOFError, MemoryError):
        return b""


def _filter(coder: bytes, properties: bytes, length: int) -> dict[str, Any]:
    """Python's name for a coder; the dictionary is never larger than what comes out."""
    import lzma

    if coder == _LZMA2:
        return {"id": lzma.FILTER_LZMA2, "dict_size": max(4096, length)}
    if coder != _LZMA or len(properties) < 5:
        raise ValueError
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    return {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(4096, min(length, u32(properties, 1))),
        "lc": lc,
        "lp": lp,
        "pb": pb,
    }


def rar(head: bytes, size: int, name: str) -> Kind | None:
    """RAR 4 and 5, by the members whose headers are in the head."""
    if head[:6] != b"Rar!\x1a\x07":
        return None
    try:
        names = _rar5(head) if head[6:8] == b"\x01\0" else _rar4(head)
    except IndexError:
        names = []
    return _kind("rar", "a RAR archive", name, names)


def _rar4(head: bytes) -> list[str]:
    names, at = [], 7
    while at + 11 <= len(head):
        kind, flags, length = (
            head[at + 2],
            int.from_bytes(head[at + 3 : at + 5], "little"),
            head[at + 5] | head[at + 6] << 8,
        )
        data = u32(head, at + 7) if flags & 0x8000 or kind == 0x74 else 0
        if length < 7 or (kind == 0x73 and flags & 0x80):  # 0x80: the headers are encrypted
            break
        if kind == 0x74:
            start = at + 32 + (8 if flags & 0x100 else 0)
            raw = head[start : start + (head[at + 26] | head[at + 27] << 8)]
            names.append(raw.split(b"\0")[0].decode("utf-8", "replace"))
        at += length + data
    return names


def _rar5(head: bytes) -> list[str]:
    names: list[str] = []
    reader = _Reader(head)
    reader.at = 8
    while reader.at + 7 < len(head):
        reader.take(4)  # checksum
        size = reader.vint()
        end = reader.at + size
        kind, flags = reader.vint(), reader.vint()
        if size == 0 or kind == 4:  # 4: the headers are encrypted
            break
        if flags & 1:
            reader.vint()
        data = reader.vint() if flags & 2 else 0
        if kind == 2:
            file_flags = reader.vint()
            reader.vint()  # size
            reader.vint()  # attributes
            reader.take((4 if file_flags & 2 else 0) + (4 if file_flags & 4 else 0))
            reader.vint()  # compression
            reader.vint()  # host
            names.append(reader.take(reader.vint()).decode("utf-8", "replace"))
        reader.at = end + data
    return names


def _kind(ident: str, label: str, name: str, names: list[str]) -> Kind:
    names = [each.replace("\\", "/") for each in names]
    if names:
        return holder(names, ident, label)
    stem = name[: -len(ident) - 1] if name.lower().endswith(f".{ident}") else ""
    if WEIGHT_MEMBER.search(stem):
        evidence = f"{ident}'s magic, and its name"
        return Kind(id=f"{ident}-weights", label=f"{label} of a model file", category=WEIGHTS, evidence=evidence)
    label = f"{label} (what is in it cannot be read)"
    return Kind(id=ident, label=label, category=ARCHIVE, evidence=f"{ident}'s magic")
