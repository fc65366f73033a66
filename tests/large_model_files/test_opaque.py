"""7z and RAR: written here by their specifications (7z by py7zr too, in test_formats_real), whole, broken and hostile."""

from __future__ import annotations

import lzma
import random
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.formats import HEAD, TAIL, Kind, identify
from tests.large_model_files.lab import GATEPOST, Lab, Templates

WEIGHTS = "weights/model.safetensors"


def look(data: bytes, name: str = "file.bin") -> Kind | None:
    return identify(data[:HEAD], len(data), name, lambda: data[-TAIL:])


def number(value: int) -> bytes:
    """7z's number, in its longest form, which every reader has to take."""
    return b"\xff" + struct.pack("<Q", value) if value > 0x7F else bytes([value])


def directory(names: list[str]) -> bytes:
    """The end of a plain 7z header: FilesInfo with the names."""
    listed = b"\0" + b"".join(name.encode("utf-16-le") + b"\0\0" for name in names)
    return b"\x01\x05" + number(len(names)) + b"\x11" + number(len(listed)) + listed + b"\0\0"


def seven_zip(header: bytes, packed: bytes = b"", body: int = 500) -> bytes:
    content = random.Random(1).randbytes(body)
    start = struct.pack("<QQI", len(content) + len(packed), len(header), 0)
    return b"7z\xbc\xaf\x27\x1c\0\4" + bytes(4) + start + content + packed + header


def encoded(
    plain: bytes, coder: bytes = b"\x03\x01\x01", size: int = -1, dictionary: int = 1 << 16, body: int = 500
) -> bytes:
    """A 7z whose directory is packed with LZMA, LZMA2 or not at all."""
    if coder == b"\x03\x01\x01":
        filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 2}]
        properties = b"\x5d" + struct.pack("<I", dictionary)
    elif coder == b"\x21":
        filters, properties = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}], b"\x10"
    else:
        filters, properties = [], b""
    packed = lzma.compress(plain, lzma.FORMAT_RAW, filters=filters) if filters else plain
    flags = len(coder) | (0x20 if properties else 0)
    described = (
        b"\x17\x06" + number(body) + b"\x01\x09" + number(len(packed)) + b"\x0a\x01" + bytes(4) + b"\0\x07\x0b\x01\0\x01"
        + bytes([flags]) + coder + (number(len(properties)) + properties if properties else b"")
        + b"\x0c" + number(len(plain) if size < 0 else size) + b"\0\0"
    )  # fmt: skip
    return seven_zip(described, packed, body)


def rar4(names: list[str], encrypted: bool = False) -> bytes:
    out = b"Rar!\x1a\x07\0" + struct.pack("<HBHH", 0, 0x73, 0x80 if encrypted else 0, 13) + bytes(6)
    for name in names:
        raw = name.replace("/", "\\").encode()
        out += struct.pack("<HBHHI", 0, 0x74, 0x8000, 32 + len(raw), 40) + bytes(15)
        out += struct.pack("<H", len(raw)) + bytes(4) + raw + bytes(40)
    return out


def rar5(names: list[str], encrypted: bool = False) -> bytes:
    def block(kind: int, flags: int, rest: bytes) -> bytes:
        inner = bytes([kind, flags]) + rest
        return bytes(4) + bytes([len(inner)]) + inner

    out = b"Rar!\x1a\x07\x01\0" + block(4 if encrypted else 1, 0, b"\0")
    for name in names:
        raw = name.encode()
        out += block(2, 2, b"\x28" + b"\0" + b"\x64" + b"\0" + b"\0" + b"\x01" + bytes([len(raw)]) + raw) + bytes(40)
    return out + bytes(20)


PLAIN = directory(["a/readme.txt", WEIGHTS])
HOLDS_WEIGHTS = {
    "7z, plain": seven_zip(PLAIN),
    "7z, LZMA": encoded(PLAIN),
    "7z, LZMA2": encoded(PLAIN, b"\x21"),
    "7z, copied": encoded(PLAIN, b"\x00"),
    "7z, larger than the head": encoded(PLAIN, body=50_000),
    "7z, a dictionary of 4 GiB": encoded(PLAIN, dictionary=0xFFFFFFFF),
    "7z, a directory that claims 2 TiB": encoded(PLAIN, size=1 << 41),
    "RAR 4": rar4(["a/readme.txt", WEIGHTS]),
    "RAR 5": rar5(["a/readme.txt", WEIGHTS]),
}
CLOSED = {
    "7z, no directory": seven_zip(b""),
    "7z, cut off": encoded(PLAIN)[:-40],
    "7z, an unknown coder": encoded(PLAIN).replace(b"\x03\x01\x01", b"\x06\xf1\x07"),
    "7z, noise in the directory": encoded(random.Random(2).randbytes(300), b"\x00"),
    "RAR 4, encrypted": rar4([WEIGHTS], encrypted=True),
    "RAR 5, encrypted": rar5([WEIGHTS], encrypted=True),
    "RAR, cut off": rar5([WEIGHTS])[:12],
}


@pytest.mark.parametrize("case", HOLDS_WEIGHTS)
def test_names_are_read(case: str) -> None:
    tracemalloc.start()
    kind = look(HOLDS_WEIGHTS[case])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kind is not None and kind.category == "weights" and "`model.safetensors`" in kind.evidence
    assert peak < 32 << 20


@pytest.mark.parametrize("case", CLOSED)
def test_what_cannot_be_read_is_said(case: str) -> None:
    kind = look(CLOSED[case])
    assert kind is not None and kind.category == "archive" and "cannot be read" in kind.label


@pytest.mark.parametrize("make", [lambda names: encoded(directory(names)), rar4, rar5])
def test_other_archives_are_archives(make: object) -> None:
    kind = look(make(["docs/a.txt", "docs/b.png"]))  # type: ignore[operator]
    assert kind is not None and kind.category == "archive" and "cannot" not in kind.label


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted({**HOLDS_WEIGHTS, **CLOSED})), st.integers(0, 700), st.binary(min_size=1, max_size=12))
def test_mutations_never_raise(case: str, at: int, patch: bytes) -> None:
    data = bytearray({**HOLDS_WEIGHTS, **CLOSED}[case])
    data[at : at + len(patch)] = patch
    look(bytes(data))


def test_in_a_repository(tmp_path: Path) -> None:
    lab = Lab(tmp_path, Templates(tmp_path / "templates"), GATEPOST["git"])
    lab.base()
    lab.add("small-closed.7z", CLOSED["7z, an unknown coder"])
    lab.add("small.7z", HOLDS_WEIGHTS["7z, LZMA"])
    assert lab.try_commit() == "pass", lab.out
    lab.add("weights.7z", encoded(PLAIN, body=200_000))
    assert lab.try_commit() == "block"
    assert "a 7z archive with model files" in lab.out and "(weights-limit)" in lab.out
    lab.git("rm", "-q", "--cached", "weights.7z")
    lab.add("closed.rar", rar5([WEIGHTS], encrypted=True) + bytes(600_000))
    assert lab.try_commit() == "block"
    assert "a RAR archive (what is in it cannot be read), 586.0 KiB" in lab.out
