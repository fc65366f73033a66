"""What a file is, told from its bytes: model weights, checkpoints, data sets, archives that hold them.

`identify` looks at the first 8 KiB and, only where a format keeps its proof there, at the last 64 KiB. A name
never makes a file a model on its own, but for the few formats that have no mark of their own (TensorFlow
checkpoint shards, ONNX external data, parts of a split file): those are in `companions`, asked with the names
of the neighbours. What is not recognised is None, never a fault.
"""

from __future__ import annotations

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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


def identify(head: bytes, size: int, name: str, tail: Callable[[], bytes] = no_tail) -> Kind | None:
    """The kind of a file, or None if it is nothing that we know.

    `head` is its first HEAD bytes, `size` its length in bytes, `name` its path (only the last part is looked at,
    and only to decide between formats that the bytes leave open), `tail` returns its last TAIL bytes, or b"" if
    they cannot be had. `tail` is called at most once. Never raises on any content.
    """
    return None


def companions(name: str, has: Callable[[str], bool]) -> Kind | None:
    """The kind of a file that no mark in its bytes can show, by its path and its neighbours' paths.

    `has` says whether a path is in the same snapshot. Ask this only where `identify` returned None.
    """
    return None
