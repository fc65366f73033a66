"""Database files and vector indexes: SQLite, DuckDB, LMDB, FAISS."""

from __future__ import annotations

from gatepost.formats.kind import DATABASE, Kind, u32, u64


def sqlite(head: bytes, size: int) -> Kind | None:
    """The 16 bytes that every SQLite 3 file begins with."""
    if not head.startswith(b"SQLite format 3\0"):
        return None
    return Kind(id="sqlite", label="a SQLite database", category=DATABASE, evidence="the header `SQLite format 3`")


def duckdb(head: bytes, size: int) -> Kind | None:
    """`DUCK` at byte 8, behind a checksum; a version of its storage follows."""
    if u64(head, 12) > 1 << 20:
        return None
    return Kind(id="duckdb", label="a DuckDB database", category=DATABASE, evidence="`DUCK` at byte 8")


def lmdb(head: bytes, size: int) -> Kind | None:
    """LMDB's meta page: a magic number at byte 16 and a data version."""
    if u32(head, 16) != 0xBEEFC0DE or not 1 <= u32(head, 20) < 1000:
        return None
    return Kind(id="lmdb", label="an LMDB database", category=DATABASE, evidence="the number 0xbeefc0de at byte 16")


def faiss(head: bytes, size: int) -> Kind | None:
    """A FAISS index: a four-letter type, the dimension, the number of vectors, twice the number 2**20."""
    if not 0 < u32(head, 4) < 1 << 24 or u64(head, 16) != 1 << 20 or u64(head, 24) != 1 << 20:
        return None
    kind = head[:4].decode("ascii", "replace")
    return Kind(id="faiss", label="a FAISS vector index", category=DATABASE, evidence=f"the index type `{kind}`")
