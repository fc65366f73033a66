"""What a file is, told from its bytes: model weights, checkpoints, data sets, archives that hold them.

`identify` looks at the first 8 KiB and, only where a format keeps its proof there, at the last 64 KiB. A name
never makes a file a model on its own, but for the few formats that have no mark of their own (TensorFlow
checkpoint shards, ONNX external data, parts of a split file): those are in `companions`, asked with the names
of the neighbours. What is not recognised is None, never a fault.
"""

from __future__ import annotations

from gatepost.formats.companions import companions
from gatepost.formats.kind import (
    ARCHIVE,
    ARRAY,
    CATEGORIES,
    CHECKPOINT,
    DATABASE,
    DATASET,
    HEAD,
    LOG,
    PART,
    PICKLE,
    TAIL,
    TOKENIZER,
    WEIGHTS,
    Kind,
    no_tail,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.formats.kind import Tail

__all__ = [
    "ARCHIVE", "ARRAY", "CATEGORIES", "CHECKPOINT", "DATABASE", "DATASET", "HEAD", "LOG", "PART", "PICKLE", "TAIL",
    "TOKENIZER", "WEIGHTS", "Kind", "companions", "identify", "no_tail",
]  # fmt: skip


def identify(head: bytes, size: int, name: str, tail: Tail = no_tail) -> Kind | None:
    """The kind of a file, or None if it is nothing that we know.

    `head` is its first HEAD bytes, `size` its length in bytes, `name` its path (looked at only to decide between
    formats that the bytes leave open), `tail` returns its last TAIL bytes, or b"" if they cannot be had. `tail` is
    asked only for formats that keep their proof at the end, and at most once. Never raises on any content.
    """
    if len(head) < 4 or size < 4:
        return None
    if size <= len(head):
        return identify_at(head, size, name, lambda: head[-TAIL:], 0)
    kept: list[bytes] = []

    def once() -> bytes:
        if not kept:
            kept.append(tail())
        return kept[0]

    return identify_at(head, size, name, once, 0)


# the first four bytes of formats that a glance settles; the rest go by their first byte
TENSOR_MAGIC = {
    b"GGUF": "gguf", b"lmgg": "ggml", b"fmgg": "ggml", b"tjgg": "ggml", b"algg": "ggml", b"\x93NUM": "npy",
    b"ftrt": "tensorrt", b"ptrt": "tensorrt", b"\x12\x01\0\0": "mxnet", b"\xba\x16\x4f\x2f": "fasttext",
    b"CBM1": "catboost", b"binf": "xgboost_binary", b"{L\0\0": "xgboost_binary", b"\x0c\xdb\x3a\x2a": "ocdbt",
    b"\x0c\xdb\x20\xde": "ocdbt",
}  # fmt: skip
DATA_MAGIC = {
    b"ARRO": "arrow_file", b"\xff\xff\xff\xff": "arrow_stream", b"Obj\x01": "avro", b"MATL": "matlab",
    b"\x0a\x23\xd7\xce": "recordio", b"CDF\x01": "netcdf", b"CDF\x02": "netcdf", b"CDF\x05": "netcdf",
    b"MMID": "plain", b"#ROS": "plain", b"RDX2": "plain", b"RDX3": "plain",
}  # fmt: skip
DATA_MAGIC_TAIL = {b"PAR1": "parquet", b"PARE": "parquet", b"FEA1": "feather1"}
STREAM_FIRST = frozenset({b"\x1f\x8b", b"BZ", b"\xfd7", b"]\x00", b"(\xb5", b"\x04\x22"})
FAISS_FIRST = frozenset({b"Ix", b"Iw", b"IH", b"IB", b"IR", b"In"})
RKNN = b"RKNN"
PICKLE_FIRST = frozenset(b"()]}cIiLSVFNKJMGXUTCBP\x80\x82\x83\x84\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96\x97")
HDF5 = b"\x89HDF\r\n\x1a\n"


def identify_at(head: bytes, size: int, name: str, tail: Tail, depth: int) -> Kind | None:
    """`identify`, `depth` archives deep."""
    kind = _by_magic(head, size, name, tail, depth)
    if kind is None and head[0] in PICKLE_FIRST:
        from gatepost.formats import pickle_family

        kind = pickle_family.identify(head, size, name)
    return kind or _by_structure(head, size, name, tail, depth)


def _by_magic(head: bytes, size: int, name: str, tail: Tail, depth: int) -> Kind | None:
    four = head[:4]
    two = head[:2]
    if four in TENSOR_MAGIC:
        from gatepost.formats import tensors

        kind: Kind | None = getattr(tensors, TENSOR_MAGIC[four])(head, size)
        return kind
    if two == b"PK" and four in (b"PK\x03\x04", b"PK\x05\x06"):
        from gatepost.formats import archives

        return archives.zip_file(head, size, name, tail, depth)
    if two in STREAM_FIRST:
        from gatepost.formats import archives

        return archives.stream(head, size, name, depth)
    if four in DATA_MAGIC or four in DATA_MAGIC_TAIL or head[:3] == b"ORC":
        from gatepost.formats import datasets

        if four in DATA_MAGIC:
            kind = getattr(datasets, DATA_MAGIC[four])(head, size)
        elif head[:3] == b"ORC":
            kind = datasets.orc(head, size, tail)
        else:
            kind = getattr(datasets, DATA_MAGIC_TAIL[four])(head, size, tail)
        return kind
    if four == b"SQLi" or (two in FAISS_FIRST and b"\0" in head[4:16]):
        from gatepost.formats import databases

        return databases.sqlite(head, size) if two == b"SQ" else databases.faiss(head, size)
    if four == RKNN and b"\0" in head[4:64]:
        return Kind(id="rknn", label="an RKNN model", category=WEIGHTS, evidence="the magic `RKNN`")
    if head[:8] == b"LITERTLM":
        return Kind(id="litert-lm", label="a LiteRT-LM model", category=WEIGHTS, evidence="the magic `LITERTLM`")
    if four in (b"7z\xbc\xaf", b"Rar!"):
        from gatepost.formats import opaque

        return opaque.seven_zip(head, size, name, tail) if four[0] == 0x37 else opaque.rar(head, size, name)
    if head[:8] in (b"MZqFpD='", b"jartsr='"):
        from gatepost.formats import archives

        return archives.llamafile(head, size, name, tail)
    return None


def _by_structure(head: bytes, size: int, name: str, tail: Tail, depth: int) -> Kind | None:
    first = head[0]
    four_more = head[4:8]
    kind: Kind | None = None
    if head[8:9] == b"{" and head[6:8] == b"\0\0":
        from gatepost.formats import tensors

        kind = tensors.safetensors(head, size)
    elif four_more[:2] in (b"TF", b"ET", b"FT"):
        from gatepost.formats import tensors

        kind = tensors.flatbuffer(head, size)
    elif head[8:12] == b"DUCK" or head[16:20] == b"\xde\xc0\xef\xbe":
        from gatepost.formats import databases

        kind = databases.duckdb(head, size) if head[8:12] == b"DUCK" else databases.lmdb(head, size)
    elif head[257:262] == b"ustar":
        from gatepost.formats import archives

        kind = archives.tar(head, size, name, tail, depth)
    if kind is not None:
        return kind
    if b"\0" not in head and first >= 0x0B and first < 0x80:
        return _text(head, size, first)
    return _binary(head, size, name, tail, depth)


def _text(head: bytes, size: int, first: int) -> Kind | None:
    """Text that is a model: decided by its first bytes, so that ordinary text costs next to nothing."""
    if first == 0x74 and head[:5] != b"tree\n" and head[:6] != b"tree\r\n" and size < 4096:
        return None
    if first == 0x7B and b'"learner"' not in head and b'"added_tokens"' not in head:
        return None
    if first == 0x78:
        from gatepost.formats import archives

        kind = archives.zlib_stream(head, size, "", 0) if head[1:2] in b"\x01\x5e\x9c\xda" else None
        if kind is not None:
            return kind
    from gatepost.formats import text_models

    if first == 0x74 and head[:4] == b"tree":
        return text_models.lightgbm(head, size)
    if first == 0x7B:
        return text_models.xgboost_json(head, size) or text_models.tokenizer_json(head, size)
    if first == 0x3C:
        return text_models.xml(head, size) if b"<net" in head or b"<PMML" in head else None
    if head[:7] == b"7767517":
        return text_models.ncnn(head, size)
    if 0x30 <= first <= 0x39 and b" " in head[:12] and b"\n" in head[:20]:
        return text_models.word_vectors(head, size)
    if size >= 4096 and head.count(b".") * 16 > len(head):
        return text_models.glove(head, size)
    return None


def _binary(head: bytes, size: int, name: str, tail: Tail, depth: int) -> Kind | None:
    first = head[0]
    kind: Kind | None = None
    if first in (0x08, 0x0A):
        from gatepost.formats import protobuf

        kind = protobuf.identify(head, size, name)
    elif 0x81 <= first <= 0x8F or first == 0xDE:
        from gatepost.formats import tensors

        kind = tensors.msgpack(head, size)
    elif first == 0x7B:
        from gatepost.formats import tensors

        kind = tensors.xgboost_binary(head, size)
    elif 0x30 <= first <= 0x39 and b" " in head[:12] and b"\n" in head[:20]:
        from gatepost.formats import text_models

        kind = text_models.word_vectors(head, size)
    elif first == 0x78 and head[1:2] in b"\x01\x5e\x9c\xda":
        from gatepost.formats import archives

        kind = archives.zlib_stream(head, size, name, depth)
    elif first == 0 and head[1] == 0 and len(head) > 4:
        from gatepost.formats import datasets, tensors

        kind = tensors.tensorflow_index(head, size, tail) or datasets.idx(head, size)
    if kind is not None:
        return kind
    if HDF5[:4] in head:
        from gatepost.formats import tensors

        kind = tensors.hdf5(head, size, name, tail)
    if kind is None and size >= 16 and head[5:8] == b"\0\0\0":
        from gatepost.formats import datasets

        kind = datasets.tfrecord(head, size, name)
    if kind is None and head[2:4] == b"\0\0":
        from gatepost.formats import tensors

        kind = tensors.ctranslate2(head, size) or tensors.darknet(head, size, name)
    if kind is None and name.lower().endswith(".lance"):
        from gatepost.formats import datasets

        kind = datasets.lance(head, size, tail)
    return kind
