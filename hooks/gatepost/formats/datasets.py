"""Formats that hold rows, samples or raw arrays: Parquet, Arrow, ORC, Avro, Lance, TFRecord, MATLAB, IDX and so on.

Sources: the Parquet and ORC specifications (magic at both ends), Arrow's Columnar.rst (stream and file), Avro 1.11
(object container files), TensorFlow's record_writer.cc (masked CRC-32C), the IDX note of MNIST, NetCDF classic.
"""

from __future__ import annotations

import re

from gatepost.formats.kind import ARRAY, DATASET, LOG, Kind, u32, u64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.formats.kind import Tail


def parquet(head: bytes, size: int, tail: Tail) -> Kind | None:
    """`PAR1` at both ends (`PARE`: encrypted footer). A text that begins so has no such end."""
    end = tail()
    if end[-4:] != head[:4] and not (end == b"" and b"\0" in head[4:512]):
        return None
    if size < 12:
        return None
    return Kind(id="parquet", label="a Parquet file", category=DATASET, evidence=f"`{head[:4].decode()}` at both ends")


def orc(head: bytes, size: int, tail: Tail) -> Kind | None:
    """`ORC` at the start and before the last byte (the postscript's length)."""
    end = tail()
    if end[-4:-1] != b"ORC" and not (end == b"" and b"\0" in head[3:512]):
        return None
    return Kind(id="orc", label="an ORC file", category=DATASET, evidence="`ORC` at both ends")


def arrow_file(head: bytes, size: int) -> Kind | None:
    """`ARROW1` and two zero bytes (a Feather 2 file is one)."""
    if head[:8] != b"ARROW1\0\0":
        return None
    return Kind(id="arrow", label="an Arrow file", category=DATASET, evidence="the magic `ARROW1`")


def feather1(head: bytes, size: int, tail: Tail) -> Kind | None:
    """`FEA1` at both ends."""
    end = tail()
    if end[-4:] != b"FEA1" and not (end == b"" and b"\0" in head[:512]):
        return None
    return Kind(id="feather", label="a Feather file", category=DATASET, evidence="`FEA1` at both ends")


def arrow_stream(head: bytes, size: int) -> Kind | None:
    """A continuation mark, a length, and a flatbuffer Message whose header is a Schema (the datasets library)."""
    length = u32(head, 4)
    if length % 8 or not 16 <= length <= size - 8:
        return None
    table = 8 + u32(head, 8)
    if not 12 <= table < min(len(head) - 4, 8 + length):
        return None
    vtable = table - int.from_bytes(head[table : table + 4], "little", signed=True)
    if not 12 <= vtable < len(head) - 10:
        return None
    version_at, header_at = (int.from_bytes(head[vtable + n : vtable + n + 2], "little") for n in (4, 6))
    version = int.from_bytes(head[table + version_at : table + version_at + 2], "little") if version_at else 0
    header = head[table + header_at : table + header_at + 1] if header_at else b""
    if version > 16 or header != b"\x01":
        return None
    return Kind(id="arrow-stream", label="an Arrow stream", category=DATASET, evidence="a schema message")


def avro(head: bytes, size: int) -> Kind | None:
    """`Obj`, 1, and a metadata map with `avro.schema`."""
    if b"avro.schema" not in head:
        return None
    return Kind(id="avro", label="an Avro file", category=DATASET, evidence="the magic `Obj\\x01`")


def lance(head: bytes, size: int, tail: Tail) -> Kind | None:
    """`LANC` in the last four bytes."""
    if tail()[-4:] != b"LANC":
        return None
    return Kind(id="lance", label="a Lance file", category=DATASET, evidence="`LANC` at the end")


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli) of a few bytes, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """A checksum as TFRecord stores it."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def tfrecord(head: bytes, size: int, name: str) -> Kind | None:
    """A u64 length whose masked CRC-32C follows it."""
    length = u64(head, 0)
    if not 0 < length <= size - 16 or masked(crc32c(head[:8])) != u32(head, 8):
        return None
    if b"brain.Event:" in head[12:80] or ".tfevents." in name:
        return Kind(id="tfevents", label="a TensorBoard log", category=LOG, evidence="a record with brain.Event")
    return Kind(id="tfrecord", label="a TFRecord file", category=DATASET, evidence="a record with its checksum")


def matlab(head: bytes, size: int) -> Kind | None:
    """The text that MATLAB 5 and later begin with."""
    if not re.match(rb"MATLAB [57]\.\d MAT-file", head):
        return None
    return Kind(id="matlab", label="a MATLAB file", category=ARRAY, evidence="`MATLAB ... MAT-file`")


IDX_BYTES = {0x08: 1, 0x09: 1, 0x0B: 2, 0x0C: 4, 0x0D: 4, 0x0E: 8}


def idx(head: bytes, size: int) -> Kind | None:
    """MNIST's format: two zero bytes, a type, a rank, big-endian dimensions that make up the file exactly."""
    rank = head[3]
    width = IDX_BYTES.get(head[2], 0)
    if not width or not 1 <= rank <= 8 or len(head) < 4 + 4 * rank:
        return None
    count = width
    for axis in range(rank):
        count *= int.from_bytes(head[4 + 4 * axis : 8 + 4 * axis], "big")
    if count == 0 or count != size - 4 - 4 * rank:
        return None
    return Kind(id="idx", label="an IDX (MNIST) array", category=DATASET, evidence="dimensions that fill the file")


def recordio(head: bytes, size: int) -> Kind | None:
    """MXNet's RecordIO: a magic number, then a length that fits."""
    length = u32(head, 4) & 0x1FFFFFFF
    if 0 < length <= size - 8 and u32(head, 4) >> 29 == 0:
        return Kind(id="recordio", label="a RecordIO file", category=DATASET, evidence="the magic number 0xced7230a")
    return None


def netcdf(head: bytes, size: int) -> Kind | None:
    """NetCDF classic: `CDF` and a version of 1, 2 or 5."""
    if head[3] in (1, 2, 5):
        return Kind(id="netcdf", label="a NetCDF file", category=DATASET, evidence="the magic `CDF`")
    return None


def plain(head: bytes, size: int) -> Kind | None:
    """Formats with a long magic of their own that need no second look."""
    for magic, ident, label in (
        (b"MMIDIDX\0\0", "megatron-index", "a Megatron data set index"),
        (b"#ROSBAG V", "rosbag", "a ROS bag"),
        (b"RDX2\n", "r-data", "an R data file"),
        (b"RDX3\n", "r-data", "an R data file"),
    ):
        if head.startswith(magic):
            evidence = f"the magic `{magic.rstrip(bytes([0, 10])).decode()}`"
            return Kind(id=ident, label=label, category=DATASET, evidence=evidence)
    return None
