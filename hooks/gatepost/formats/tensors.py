"""Formats that hold tensors and have a mark of their own: safetensors, GGUF, HDF5, npy, TFLite and so on.

Sources: the safetensors README (header of n bytes, JSON), ggml's docs/gguf.md, numpy.lib.format, the HDF5 file
format 3.0 (section II.A: signature at 0, 512, 1024 ...), TensorFlow's tensor_bundle and leveldb's table format,
flatbuffers' file identifiers, fastText's args.cc, XGBoost's UBJSON, flax.serialization (msgpack extension 1).
"""

from __future__ import annotations

import re

from gatepost.formats.kind import ARRAY, CHECKPOINT, DATASET, WEIGHTS, Kind, u32, u64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.formats.kind import Tail

HEADER_MAX = 100 * 1000 * 1000  # safetensors refuses longer headers
LEVELDB_MAGIC = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"  # the last 8 bytes of a TensorFlow checkpoint index


def safetensors(head: bytes, size: int) -> Kind | None:
    """A u64 header length at 0, then that much JSON, which names dtypes and offsets."""
    length = u64(head, 0)
    if head[8:9] != b"{" or not 2 <= length <= min(HEADER_MAX, size - 8):
        return None
    header = head[8 : 8 + length]
    if (b'"dtype"' in header and b'"data_offsets"' in header) or b'"__metadata__"' in header or header.strip() == b"{}":
        return Kind(
            id="safetensors",
            label="safetensors weights",
            category=WEIGHTS,
            evidence=f"a JSON header of {length} bytes with dtypes and data offsets",
        )
    return None


def gguf(head: bytes, size: int) -> Kind | None:
    """`GGUF` and a small version number, of either byte order."""
    version = min(u32(head, 4), int.from_bytes(head[4:8], "big"))
    if not 1 <= version <= 64 or size < 24:
        return None
    return Kind(id="gguf", label="GGUF weights", category=WEIGHTS, evidence=f"the magic `GGUF`, version {version}")


def ggml(head: bytes, size: int) -> Kind | None:
    """The older family of llama.cpp and whisper.cpp: the magic as a little-endian number."""
    name = head[3::-1].decode("ascii")
    return Kind(id="ggml", label="GGML weights", category=WEIGHTS, evidence=f"the magic `{name}`")


def npy(head: bytes, size: int) -> Kind | None:
    """`\\x93NUMPY`, a version and a dict of dtype and shape; dtype `|O` means that the rest is a pickle."""
    if head[:6] != b"\x93NUMPY":
        return None
    start = 10 if head[6:7] < b"\x02" else 12
    length = int.from_bytes(head[8:start], "little")
    holds_objects = b"'|O'" in head[start : start + length] or b"'O'" in head[start : start + length]
    return Kind(
        id="npy",
        label="a NumPy array of objects (a pickle)" if holds_objects else "a NumPy array",
        category=ARRAY,
        evidence="the magic `\\x93NUMPY`",
        pickle=holds_objects,
    )


def hdf5(head: bytes, size: int, name: str, tail: Tail) -> Kind | None:
    """The HDF5 signature at 0 or behind a user block; Keras writes its names near it."""
    where = next((at for at in (0, 512, 1024, 2048, 4096) if head[at : at + 8] == b"\x89HDF\r\n\x1a\n"), None)
    if where is None:
        return None
    evidence = f"the HDF5 signature at byte {where}"
    if b"MATLAB 7.3" in head[:32]:
        return Kind(id="matlab", label="a MATLAB file (HDF5)", category=ARRAY, evidence=evidence)
    lower = name.lower()
    if lower.endswith((".weights.h5", ".keras")) or re.search(
        rb"keras_version|model_weights|layer_names|_layer_", head
    ):
        return Kind(id="keras-h5", label="Keras weights (HDF5)", category=WEIGHTS, evidence=evidence)
    if re.search(rb"keras_version|model_weights|layer_names", tail()):
        return Kind(id="keras-h5", label="Keras weights (HDF5)", category=WEIGHTS, evidence=evidence)
    return Kind(id="hdf5", label="an HDF5 file", category=DATASET, evidence=evidence)


def flatbuffer(head: bytes, size: int) -> Kind | None:
    """A flatbuffer names its schema in bytes 4 to 8; its first number is the offset of its root table."""
    ident = head[4:8]
    if not 4 <= u32(head, 0) < size:
        return None
    if ident == b"TFL3":
        return Kind(id="tflite", label="a TensorFlow Lite model", category=WEIGHTS, evidence="`TFL3` at byte 4")
    digits = ident[2:].isdigit()
    if digits and ident[:2] == b"ET":
        evidence = f"`{ident.decode()}` at byte 4"
        return Kind(id="executorch", label="an ExecuTorch program", category=WEIGHTS, evidence=evidence)
    if digits and ident[:2] == b"FT" and u32(head, 0) % 4 == 0 and b"\0" in head[:64]:
        evidence = f"`{ident.decode()}` at byte 4"
        return Kind(id="executorch-data", label="ExecuTorch weights", category=WEIGHTS, evidence=evidence)
    return None


def tensorflow_index(head: bytes, size: int, tail: Tail) -> Kind | None:
    """The index of a TensorFlow checkpoint: a leveldb table whose first key is empty (BundleHeaderProto)."""
    if head[:2] != b"\0\0" or not 2 <= head[2] <= 32 or head[3:4] != b"\x08" or not tail().endswith(LEVELDB_MAGIC):
        return None
    return Kind(
        id="tf-checkpoint-index",
        label="the index of a TensorFlow checkpoint",
        category=CHECKPOINT,
        evidence="a table of tensors with leveldb's magic in its last 8 bytes",
    )


def tensorrt(head: bytes, size: int) -> Kind | None:
    """A TensorRT engine; the tag is undocumented, torch-tensorrt tests for it too."""
    if size < 64 or b"\0" not in head[4:64]:
        return None
    evidence = f"the tag `{head[:4].decode('ascii')}`"
    return Kind(id="tensorrt", label="a TensorRT engine", category=WEIGHTS, evidence=evidence)


def mxnet(head: bytes, size: int) -> Kind | None:
    """MXNet's list of arrays: the number 0x112, a reserved zero, a count."""
    if u64(head, 0) == 0x112 and u64(head, 8) == 0 and 0 < u64(head, 16) < 1 << 24:
        return Kind(id="mxnet", label="MXNet parameters", category=WEIGHTS, evidence="the list magic 0x112")
    return None


def fasttext(head: bytes, size: int) -> Kind | None:
    """fastText's magic number and its version."""
    if head[:4] == b"\xba\x16\x4f\x2f" and 1 <= u32(head, 4) <= 64:
        return Kind(id="fasttext", label="a fastText model", category=WEIGHTS, evidence="fastText's magic number")
    return None


def catboost(head: bytes, size: int) -> Kind | None:
    """`CBM1` and the length of a flatbuffer."""
    if 0 < u32(head, 4) < size:
        return Kind(id="catboost", label="a CatBoost model", category=WEIGHTS, evidence="the magic `CBM1`")
    return None


def xgboost_binary(head: bytes, size: int) -> Kind | None:
    """XGBoost's UBJSON (`{L`, the key's length, `learner{`) or its old binary form (`binf`)."""
    if re.match(rb"\{L\0{7}\x07(learner\{|versionL?\[)", head) or re.match(rb"\{[iU]\x07(learner\{|version\[)", head):
        return Kind(id="xgboost-ubj", label="an XGBoost model (UBJSON)", category=WEIGHTS, evidence="a `learner` key")
    if head[:4] == b"binf" and b"\0" in head[4:64]:
        return Kind(id="xgboost-binary", label="an XGBoost model", category=WEIGHTS, evidence="the magic `binf`")
    return None


ARRAY_EXTENSION = re.compile(rb"(?s)(?:\xc7.|\xc8..|\xc9....)\x01\x93[\x90-\x9f]")


def msgpack(head: bytes, size: int) -> Kind | None:
    """A msgpack map of parameters: flax writes arrays as extension 1, [shape, dtype, bytes]; thinc writes `nodes`."""
    at = 3 if head[:1] == b"\xde" else 1
    key = head[at : at + 1]
    if not key or not (0xA0 <= key[0] <= 0xBF or key[0] in (0xD9, 0xDA)):
        return None
    if ARRAY_EXTENSION.search(head):
        return Kind(
            id="flax-msgpack",
            label="Flax weights (msgpack)",
            category=WEIGHTS,
            evidence="a msgpack map with arrays (extension 1)",
        )
    if head[at : at + 6] == b"\xa5nodes" and b"attrs" in head:
        return Kind(id="thinc", label="a spaCy/thinc model", category=WEIGHTS, evidence="a msgpack map of `nodes`")
    return None


def ctranslate2(head: bytes, size: int) -> Kind | None:
    """CTranslate2's model.bin: a binary version, then the length and the name of the model's specification."""
    length = int.from_bytes(head[4:6], "little")
    if 1 <= u32(head, 0) <= 32 and 4 < length < 64 and re.fullmatch(rb"[A-Z]\w+Spec\0", head[6 : 6 + length]):
        name = head[6 : 5 + length].decode("ascii")
        return Kind(id="ctranslate2", label="a CTranslate2 model", category=WEIGHTS, evidence=f"the name `{name}`")
    return None


def darknet(head: bytes, size: int, name: str) -> Kind | None:
    """Darknet's .weights: three version numbers and a counter; weak bytes, so the name must agree."""
    if name.lower().endswith(".weights") and u32(head, 0) == 0 and u32(head, 4) in (1, 2) and u32(head, 8) < 16:
        return Kind(id="darknet", label="Darknet weights", category=WEIGHTS, evidence="a Darknet version header")
    return None


def ocdbt(head: bytes, size: int) -> Kind | None:
    """The manifest or a node of a TensorStore OCDBT database, in which Orbax keeps its checkpoints."""
    return Kind(
        id="orbax-ocdbt",
        label="an Orbax checkpoint (OCDBT)",
        category=CHECKPOINT,
        evidence=f"the magic {head[:4].hex()}",
    )
