"""The record that every recogniser returns, and the words it uses."""

from __future__ import annotations

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Tail: TypeAlias = Callable[[], bytes]

HEAD = 8 * 1024  # bytes of a file's start that `identify` wants (fewer only if the file is shorter)
TAIL = 64 * 1024  # bytes of its end that `tail` should return (the whole file, if it is shorter)

WEIGHTS = "weights"  # parameters of a trained model, or a compiled model
CHECKPOINT = "checkpoint"  # weights with a training state, or a shard of one
PICKLE = "pickle"  # a pickle of who knows what (loading it can run code)
ARRAY = "array"  # one or several plain arrays (npy, npz, MATLAB)
DATASET = "dataset"  # rows: Parquet, Arrow, ORC, Avro, TFRecord
DATABASE = "database"  # SQLite, DuckDB, LMDB, a vector index
ARCHIVE = "archive"  # zip, tar, gzip ... of something else
TOKENIZER = "tokenizer"  # a vocabulary, which normally belongs in a repository
LOG = "log"  # a training log (tfevents)
PART = "part"  # one part of a split file
CATEGORIES = (WEIGHTS, CHECKPOINT, PICKLE, ARRAY, DATASET, DATABASE, ARCHIVE, TOKENIZER, LOG, PART)


@record
class Kind:
    """What a file is.

    `id` is stable ("safetensors", "torch-zip", "parquet"), `label` reads in a sentence with an article ("a PyTorch
    checkpoint (zip)"), `category` is one of CATEGORIES, `evidence` says what in the bytes proves it, and `pickle`
    whether it holds (or may hold) pickles, which can run code when they are loaded.
    """

    id: str
    label: str
    category: str
    evidence: str
    pickle: bool = False


def no_tail() -> bytes:
    """The `tail` of a file whose end cannot be had."""
    return b""


def u32(data: bytes, at: int) -> int:
    """The little-endian unsigned 32-bit number at an offset (short data counts as zero-filled)."""
    return int.from_bytes(data[at : at + 4], "little")


def u64(data: bytes, at: int) -> int:
    """The little-endian unsigned 64-bit number at an offset (short data counts as zero-filled)."""
    return int.from_bytes(data[at : at + 8], "little")
