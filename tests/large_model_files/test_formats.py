"""Every format by the bytes of a file that its specification describes, and what only looks like one."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import random
import sqlite3
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.formats import CATEGORIES, HEAD, TAIL, Kind, companions, identify
from gatepost.formats.datasets import crc32c, masked
from gatepost.formats.protobuf import fields

from .hostile import BENIGN


def look(data: bytes, name: str = "file.bin") -> Kind | None:
    return identify(data[:HEAD], len(data), name, lambda: data[-TAIL:])


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: bytes | float | int) -> bytes:  # noqa: PYI041 (mypy tells them apart)
    """A protobuf field: bytes as LEN, int as VARINT, float as FIXED32."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3) + varint(value)


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for title, body in members.items():
            archive.writestr(title, body)
    return buffer.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for title, body in members.items():
            info = tarfile.TarInfo(title)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return buffer.getvalue()


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def safetensors(metadata: bool = False) -> bytes:
    header: dict[str, object] = {"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}
    if metadata:
        header = {"__metadata__": {"format": "pt", "note": "x" * 9000}, **header}
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + bytes(16)


def npy(descr: str = "<f8", body: bytes = bytes(16)) -> bytes:
    raw = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(raw)) + raw + body


def onnx(doc: bytes = b"") -> bytes:
    node = field(1, b"x") + field(1, b"w") + field(2, b"y") + field(3, b"n0") + field(4, b"MatMul")
    graph = field(1, node) + field(2, b"g") + field(11, field(1, b"x")) + field(12, field(1, b"y"))
    producer = field(2, b"pytorch") + field(3, b"2.1")
    return (
        field(1, 8)
        + producer
        + (field(6, doc) if doc else b"")
        + field(7, graph)
        + field(8, field(1, b"") + field(2, 17))
    )


def saved_model() -> bytes:
    info = field(1, field(4, b"serve") + field(5, b"2.15.0"))
    return field(1, 1) + field(2, info + field(2, field(1, field(1, b"w") + field(2, b"VarHandleOp"))))


def core_ml() -> bytes:
    feature = field(1, b"image") + field(3, field(4, field(1, 224)))
    return (
        field(1, 7)
        + field(2, field(1, feature) + field(10, field(1, b"out") + field(3, b"\x2a\x00")))
        + field(502, bytes(40))
    )


def graph_def() -> bytes:
    nodes = b"".join(field(1, field(1, f"layer{i}".encode()) + field(2, b"Const")) for i in range(5))
    return nodes + field(4, field(1, 27))


def sentencepiece() -> bytes:
    return b"".join(field(1, field(1, f"\u2581w{i}".encode()) + field(2, -1.5 * i) + field(3, 1)) for i in range(40))


def tfrecord(body: bytes) -> bytes:
    length = struct.pack("<Q", len(body))
    return length + struct.pack("<I", masked(crc32c(length))) + body + bytes(4)


def arrow_stream() -> bytes:
    # Message table: vtable (size 12, object 16; version at 8, header_type at 10, header at 4, bodyLength none)
    vtable = struct.pack("<6H", 12, 12, 8, 10, 4, 0)
    table = struct.pack("<i", len(vtable)) + struct.pack("<I", 4) + struct.pack("<H", 4) + b"\x01\x00"
    body = struct.pack("<I", 4 + len(vtable)) + vtable + table
    body = body.ljust(64, b"\0")
    return b"\xff\xff\xff\xff" + struct.pack("<I", len(body)) + body + bytes(64)


def sqlite(folder: Path) -> bytes:
    path = folder / "a.db"
    link = sqlite3.connect(path)
    link.execute("create table t (a)")
    link.commit()
    link.close()
    return path.read_bytes()


FLAX = b"\x81\xa6params\x81\xa6kernel\xc7\x20\x01\x93\x92\x02\x02\xa7float32\xc4\x10" + bytes(16)
W2V = b"3 4\n" + b"".join(word + b" " + noise(16, seed) + b"\n" for seed, word in enumerate((b"the", b"of", b"and")))
GLOVE = b"\n".join(
    word + b" " + b" ".join(b"%.5f" % (0.01 * i) for i in range(50)) for word in (b"the", b"of", b",", b"a") * 20
)
STATE = BENIGN["torch state dict"]

CASES: dict[str, tuple[bytes, str, str, str]] = {
    # case: (bytes, name, kind's id, category)
    "safetensors": (safetensors(), "x", "safetensors", "weights"),
    "safetensors with metadata": (safetensors(True), "x.txt", "safetensors", "weights"),
    "safetensors, empty": (struct.pack("<Q", 8) + b"{}      ", "x", "safetensors", "weights"),
    "GGUF": (b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + bytes(40), "x", "gguf", "weights"),
    "GGUF big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 1, 0) + bytes(40), "x", "gguf", "weights"),
    "GGML": (b"lmgg" + bytes(60), "ggml-base.bin", "ggml", "weights"),
    "GGJT": (b"tjgg" + struct.pack("<I", 3) + bytes(60), "x", "ggml", "weights"),
    "PyTorch zip": (STATE, "x", "torch-zip", "checkpoint"),
    "PyTorch zip called .txt": (STATE, "notes.txt", "torch-zip", "checkpoint"),
    "TorchScript": (BENIGN["TorchScript"], "x", "torchscript", "weights"),
    "PyTorch legacy": (BENIGN["torch legacy"], "x.pth", "torch-legacy", "checkpoint"),
    "PyTorch export": (zipped({"m/archive_format": b"pt2", "m/models/model.json": b"{}"}), "x.pt2", "torch-export", "weights"),
    "pickle 0": (pickle.dumps({"a": [1, 2]}, 0), "x.pkl", "pickle", "pickle"),
    "pickle 0 without a telling name": (pickle.dumps({"a": [1, 2], "b": {"c": 1.5}}, 0), "x", "pickle", "pickle"),
    "pickle 1": (pickle.dumps({"a": [1, 2]}, 1), "x.pkl", "pickle", "pickle"),
    "pickle 2": (pickle.dumps({"a": [1, 2]}, 2), "x", "pickle", "pickle"),
    "pickle 3": (pickle.dumps({"a": [1, 2]}, 3), "x", "pickle", "pickle"),
    "pickle 4": (pickle.dumps({"a": [1, 2]}, 4), "x", "pickle", "pickle"),
    "pickle 5": (pickle.dumps({"a": list(range(9000))}, 5), "x", "pickle", "pickle"),
    "pickle of one large value": (pickle.dumps(noise(50_000), 4), "x", "pickle", "pickle"),
    "NumPy pickle": (BENIGN["numpy array"], "x", "numpy-pickle", "array"),
    "scikit-learn pickle": (b"\x80\x04\x8c\x14sklearn.svm._classes\x8c\x03SVC\x93)\x81}b.", "x", "sklearn-pickle", "weights"),
    "gensim": (b"\x80\x04\x8c\x16gensim.models.word2vec\x8c\x08Word2Vec\x93)\x81}b.", "x.model", "gensim", "weights"),
    "Paddle parameters": (pickle.dumps({"w": b"x" * 40}, 2), "m.pdparams", "paddle-pickle", "weights"),
    "joblib": (b"\x80\x04\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93)\x81}b" + noise(400), "x", "joblib", "pickle"),
    "joblib zlib": (zlib.compress(pickle.dumps(list(range(3000)), 4)), "x.joblib", "zlib+pickle", "pickle"),
    "joblib gzip": (gzip.compress(pickle.dumps(list(range(3000)), 4)), "x", "gzip+pickle", "pickle"),
    "joblib bzip2": (bz2.compress(pickle.dumps(list(range(3000)), 4)), "x", "bzip2+pickle", "pickle"),
    "joblib xz": (lzma.compress(pickle.dumps(list(range(3000)), 4)), "x", "xz+pickle", "pickle"),
    "joblib lzma": (lzma.compress(pickle.dumps(list(range(3000)), 4), lzma.FORMAT_ALONE), "x", "lzma+pickle", "pickle"),
    "skops": (zipped({"schema.json": b"{}", "140.npy": npy()}), "x", "skops", "weights"),
    "ONNX": (onnx(), "x", "onnx", "weights"),
    "ONNX with a documentation text": (onnx(b"made by a test " * 100), "x", "onnx", "weights"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(600), "x", "hdf5", "dataset"),
    "HDF5 behind a user block": (bytes(512) + b"\x89HDF\r\n\x1a\n" + bytes(600), "x", "hdf5", "dataset"),
    "Keras HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(600) + b"keras_version" + bytes(60), "x", "keras-h5", "weights"),
    "Keras HDF5, name at the end": (b"\x89HDF\r\n\x1a\n" + bytes(20000) + b"model_weights" + bytes(60), "x", "keras-h5", "weights"),
    "Keras": (zipped({"metadata.json": b"{}", "config.json": b"{}", "model.weights.h5": b"\x89HDF"}), "x", "keras", "weights"),
    "SavedModel": (saved_model(), "x", "saved-model", "weights"),
    "GraphDef": (graph_def(), "x", "graph-def", "weights"),
    "TensorFlow checkpoint index": (b"\x00\x00\x06\x08\x01\x1a\x02\x08\x01" + bytes(80) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", "x", "tf-checkpoint-index", "checkpoint"),
    "TFLite": (struct.pack("<I", 28) + b"TFL3" + bytes(60), "x", "tflite", "weights"),
    "TFRecord": (tfrecord(b"x" * 50), "x", "tfrecord", "dataset"),
    "tfevents": (tfrecord(b"\x09\0\0\0\0\0\0\xd9A\x1a\x0dbrain.Event:2"), "x", "tfevents", "log"),
    "Flax": (FLAX, "checkpoint", "flax-msgpack", "weights"),
    "spaCy": (b"\x84\xa5nodes\x91\x82\xa5index\x00\xa5attrs\x90" + bytes(30), "model", "thinc", "weights"),
    "npy": (npy(), "x", "npy", "array"),
    "npz": (zipped({"a.npy": npy(), "b.npy": npy()}), "x", "npz", "array"),
    "TensorRT": (b"ftrt" + bytes(100), "x.engine", "tensorrt", "weights"),
    "TensorRT plan": (b"ptrt" + bytes(100), "x", "tensorrt", "weights"),
    "Core ML": (core_ml(), "x", "core-ml", "weights"),
    "OpenVINO": (b'<?xml version="1.0"?>\n<net name="m" version="11">\n<layers><layer id="0"/></layers></net>', "x", "openvino", "weights"),
    "Paddle program": (field(1, b"\x08\x00\x10" + b"\xff" * 9 + b"\x01" + field(3, field(1, b"w"))), "x.pdmodel", "paddle-program", "weights"),
    "MXNet": (struct.pack("<QQQ", 0x112, 0, 2) + bytes(40), "x", "mxnet", "weights"),
    "RecordIO": (b"\x0a\x23\xd7\xce" + struct.pack("<I", 20) + bytes(40), "x", "recordio", "dataset"),
    "LightGBM": (b"tree\nversion=v4\nnum_class=1\n", "x.txt", "lightgbm", "weights"),
    "XGBoost UBJSON": (b"{L\0\0\0\0\0\0\0\x07learner{L" + bytes(40), "x", "xgboost-ubj", "weights"),
    "XGBoost JSON": (b'{"learner":{"attributes":{},"feature_names":[],"gradient_booster":{}}}', "x", "xgboost-json", "weights"),
    "XGBoost binary": (b"binf" + bytes(60), "x.model", "xgboost-binary", "weights"),
    "CatBoost": (b"CBM1" + struct.pack("<I", 40) + bytes(60), "x", "catboost", "weights"),
    "sentencepiece": (sentencepiece(), "tokenizer.model", "sentencepiece", "tokenizer"),
    "fastText": (b"\xba\x16\x4f\x2f" + struct.pack("<I", 12) + bytes(60), "x", "fasttext", "weights"),
    "word2vec binary": (W2V, "x", "word2vec", "weights"),
    "word2vec text": (b"2 3\nthe 0.1 0.2 -0.3\nof 0.4 1e-5 0.6\n", "x.vec", "word2vec", "weights"),
    "GloVe": (GLOVE, "x.txt", "glove", "weights"),
    "RKNN": (b"RKNN" + bytes(100), "x", "rknn", "weights"),
    "ncnn": (b"7767517\n2 2\nInput data 0 1 data\n", "x.param", "ncnn", "weights"),
    "ExecuTorch": (struct.pack("<I", 32) + b"ET12" + bytes(60), "x", "executorch", "weights"),
    "ExecuTorch data": (struct.pack("<I", 32) + b"FT01" + bytes(60), "x.ptd", "executorch-data", "weights"),
    "CTranslate2": (struct.pack("<IH", 6, 16) + b"TransformerSpec\0" + bytes(60), "model.bin", "ctranslate2", "weights"),
    "Darknet": (struct.pack("<IIIQ", 0, 2, 5, 32000) + bytes(60), "yolo.weights", "darknet", "weights"),
    "Caffe": (field(1, b"net") + field(100, field(1, b"conv1") + field(2, b"Convolution")) * 3, "x", "caffe", "weights"),
    "Orbax": (b"\x0c\xdb\x3a\x2a" + bytes(60), "manifest.ocdbt", "orbax-ocdbt", "checkpoint"),
    "MAR": (zipped({"MAR-INF/MANIFEST.json": b"{}", "model.pt": STATE}), "x", "torchserve-mar", "weights"),
    "NeMo": (tarred({"./model_config.yaml": b"a: 1", "./model_weights.ckpt": STATE}), "x", "nemo", "weights"),
    "llamafile": (b"MZqFpD='" + bytes(600) + zipped({"model.Q4.gguf": b"GGUF"}), "x", "llamafile", "weights"),
    "Parquet": (b"PAR1\x15\x04" + bytes(60) + b"PAR1", "x", "parquet", "dataset"),
    "Parquet, end unknown": (b"PAR1\x15\x04" + bytes(60) + b"PAR1", "x", "parquet", "dataset"),
    "Arrow file": (b"ARROW1\0\0" + bytes(60), "x", "arrow", "dataset"),
    "Arrow stream": (arrow_stream(), "x", "arrow-stream", "dataset"),
    "Feather 1": (b"FEA1" + bytes(60) + b"FEA1", "x", "feather", "dataset"),
    "ORC": (b"ORC" + bytes(60) + b"ORC\x17", "x", "orc", "dataset"),
    "Avro": (b"Obj\x01\x04\x16avro.schema\x04{}" + bytes(60), "x", "avro", "dataset"),
    "Lance": (noise(200) + b"\x00\x00\x02\x00LANC", "x.lance", "lance", "dataset"),
    "IDX": (b"\0\0\x08\x03" + struct.pack(">III", 2, 28, 28) + noise(2 * 28 * 28), "train-images-idx3-ubyte", "idx", "dataset"),
    "NetCDF": (b"CDF\x01" + bytes(60), "x.nc", "netcdf", "dataset"),
    "MATLAB": (b"MATLAB 5.0 MAT-file, Platform: GLNX86".ljust(124) + bytes(60), "x", "matlab", "array"),
    "DuckDB": (noise(8) + b"DUCK" + struct.pack("<Q", 64) + bytes(60), "x", "duckdb", "database"),
    "LMDB": (bytes(16) + b"\xde\xc0\xef\xbe" + struct.pack("<I", 1) + bytes(60), "data.mdb", "lmdb", "database"),
    "FAISS": (b"IxFI" + struct.pack("<iqqq", 128, 10, 1 << 20, 1 << 20) + bytes(60), "x.index", "faiss", "database"),
    "zip of weights": (zipped({"readme.txt": b"a", "a/model.safetensors": safetensors()}), "x.zip", "zip-weights", "weights"),
    "zip of unnamed weights": (zipped({"a": safetensors()}), "x.zip", "zip+safetensors", "weights"),
    "zip of data": (zipped({"readme.txt": b"a", "a/train.parquet": b"PAR1"}), "x.zip", "zip-data", "dataset"),
    "tar of weights": (tarred({"a/pytorch_model.bin": STATE}), "x.tar", "tar-weights", "weights"),
    "tar.gz of weights": (gzip.compress(tarred({"a/model.onnx": onnx()})), "x.tar.gz", "gzip+tar-weights", "weights"),
    "gzip of weights": (gzip.compress(safetensors()), "x.gz", "gzip+safetensors", "weights"),
    "zstd by its name": (b"\x28\xb5\x2f\xfd" + noise(60), "model.safetensors.zst", "zstd-weights", "weights"),
    "7z by its name": (b"7z\xbc\xaf\x27\x1c" + noise(60), "model.safetensors.7z", "7z-weights", "weights"),
    "plain zip": (zipped({"a.txt": b"a"}), "x.zip", "zip", "archive"),
    "plain gzip": (gzip.compress(b"some text"), "x.gz", "gzip", "archive"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_recognised(case: str) -> None:
    data, name, ident, category = CASES[case]
    kind = look(data, name)
    assert kind is not None
    assert (kind.id, kind.category) == (ident, category)
    assert kind.category in CATEGORIES
    assert kind.label.isascii()
    assert kind.evidence.isascii()


def test_sqlite(tmp_path: Path) -> None:
    kind = look(sqlite(tmp_path), "x")
    assert kind is not None
    assert (kind.id, kind.category) == ("sqlite", "database")


@pytest.mark.parametrize("case", ["npy", "npz", "safetensors", "ONNX"])
def test_no_pickle_inside(case: str) -> None:
    kind = look(CASES[case][0])
    assert kind is not None
    assert not kind.pickle


def test_an_array_of_objects_is_a_pickle() -> None:
    kind = look(npy("|O", b"\x80\x04N."))
    assert kind is not None
    assert kind.pickle


def test_bzip2_whose_first_block_is_larger_than_a_head_goes_by_the_name_inside() -> None:
    data = bz2.compress(pickle.dumps(noise(60_000), 4))
    kinds = [look(data, name) for name in ("x.pkl.bz2", "x.csv.bz2")]
    assert [kind and kind.id for kind in kinds] == ["bzip2-weights", "bzip2"]


SCRIPT = b"import os\nprint('PAR1 is a magic')\n" * 100
NOT: dict[str, tuple[bytes, str]] = {
    "vim tutor": (b"===\n=  B e m - v i n d o  a o  t u t o r i a l  do  V I M\n" * 80, "tutor.pt"),
    "path file": (b"import sys; sys.path.append('x')\n", "distutils-precedence.pth"),
    "path file, paths": (b"/home/user/project/src\n", "easy-install.pth"),
    "ELF": (b"\x7fELF\x02\x01\x01" + bytes(200) + noise(800), "firmware.bin"),
    "wheel": (zipped({"a/__init__.py": b"", "distutils-precedence.pth": b"", "a-1.dist-info/WHEEL": b""}), "a-1-py3-none-any.whl"),
    "wheel with arrays": (zipped({"numpy/tests/a.npy": npy(), "n-1.dist-info/METADATA": b""}), "renamed.zip"),
    "jar": (zipped({"META-INF/MANIFEST.MF": b"", "model.bin": b""}), "x.jar"),
    "document": (zipped({"[Content_Types].xml": b"", "word/document.xml": b""}), "x.docx"),
    "text about Parquet": (b"PARENT DIRECTORY\n=====\n" * 50, "PARENT_DIRECTORY.rst"),
    "PAR1 in text": (b"PAR1 is a magic\n" * 50, "notes.txt"),
    "ORC in text": (b"ORCs and other creatures\n" * 50, "orc.txt"),
    "two lines that parse as GLOBAL": (b"cpython\nlmdb\n", "deps.txt"),
    "thousands of lines that parse as GLOBAL": (b"cpython\nlmdb\n" * 2000, "words.txt"),
    "a sentence with a dot": (b"(see below).", "x.txt"),
    "a list of words": (b"]\n}\n.", "x"),
    "Apple Pkl": (b'name = "x"\nport = 1\n', "config.pkl"),
    "JSON": (b'{"version": [1], "learned": true}', "x.json"),
    "GROMACS": (b"; include\n[ defaults ]\n1 2 yes 0.5\n", "x.params"),
    "table of numbers": (b"\n".join(b" ".join(b"%.4f" % (i * 0.1) for i in range(40)) for _ in range(90)), "x.txt"),
    "counts, then text": (b"3 4\nhello there my friend\n" * 40, "x.txt"),
    "PPM-like header": (b"10 20\n" + noise(400), "x.ppm"),
    "script": (SCRIPT, "x.py"),
    "XML": (b'<?xml version="1.0"?><network name="x" version="11"/>', "x.xml"),
    "tree in words": (b"tree\nbark\nleaf\n", "x.txt"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + noise(900), "x.png"),
    "protobuf of something": (field(1, 5) + field(2, b"hello") + field(9, b"x"), "x.pb"),
    "TensorProto": (field(1, 2) + field(2, 1) + field(9, bytes(16)), "input_0.pb"),
    "newline, then text": (b"\n\nSome text that goes on for a while\n" * 30, "x.txt"),
    "noise": (noise(5000), "x.bin"),
    "zeros": (bytes(5000), "x.bin"),
    "x in text": (b"x\x9cnothing here that is zlib" + noise(60), "x"),
    "base64": (b"gASVAAAAAAA=" * 40, "x.txt"),
    "short": (b"GG", "x.gguf"),
    "empty": (b"", "x.pt"),
    "GGUF in text": (b"GGUF is a file format for models\n" * 3, "x.md"),
    "safetensors index": (b'{"metadata": {"total_size": 1}, "weight_map": {"a": "b.safetensors"}}', "model.safetensors.index.json"),
    "binfmt": (b"binfmt_misc settings\n" * 10, "x"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT)
def test_not_recognised(case: str) -> None:
    data, name = NOT[case]
    assert look(data, name) is None


@pytest.mark.parametrize("case", CASES)
def test_the_name_does_not_matter_where_bytes_tell(case: str) -> None:
    data, name, ident, _ = CASES[case]
    if ident in {"lance", "darknet", "paddle-pickle", "gzip", "zstd-weights", "7z-weights"} or case == "pickle 1":
        return
    if case == "pickle 0":
        return  # a few letters are not enough without a name
    kind = look(data, "renamed")
    assert kind is not None
    assert kind.id == ident, name


@pytest.mark.parametrize(
    ("path", "others", "ident"),
    [
        ("m/model.ckpt.data-00000-of-00001", (), "tf-checkpoint-data"),
        ("variables/variables.data-00000-of-00002", ("variables/variables.index",), "tf-checkpoint-data"),
        ("model.onnx.data", (), "onnx-data"),
        ("model.onnx_data", (), "onnx-data"),
        ("model.data", ("model.onnx",), "onnx-data"),
        ("ir/model.bin", ("ir/model.xml",), "openvino-data"),
        ("model.bin", ("model.param",), "ncnn-data"),
        ("m.pdiparams", (), "paddle-params"),
        ("m.mlpackage/Data/com.apple.CoreML/weights/weight.bin", (), "core-ml-data"),
        ("model.bin.part-ab", ("model.bin.part-aa",), "part"),
        ("model.bin.part-aa", ("model.bin.part-aa",), "part"),
        ("model.7z.002", ("model.7z.001",), "part"),
        ("model.z02", ("model.zip",), "part"),
        ("model.part2.rar", ("model.part1.rar",), "part"),
        ("xab", ("xaa",), "part"),
        ("d/model.part3", ("d/model.part0",), "part"),
        ("xab", (), None),
        ("model.bin", (), None),
        ("libc.so.006", (), None),
        ("report.002", (), None),
        ("data.data", (), None),
    ],
)
def test_companions(path: str, others: tuple[str, ...], ident: str | None) -> None:
    kind = companions(path, lambda other: other in others)
    assert (kind.id if kind else None) == ident


@settings(max_examples=500, deadline=None)
@given(
    st.binary(max_size=600),
    st.sampled_from([b"", *sorted({case[0][:6] for case in CASES.values()})]),
    st.text(max_size=12),
)
def test_arbitrary_bytes_never_raise(data: bytes, prefix: bytes, name: str) -> None:
    whole = prefix + data
    identify(whole, len(whole), name, lambda: whole)
    identify(whole, len(whole) + 100_000, name + ".pkl", lambda: data)
    identify(whole, len(whole) + 100_000, name)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(CASES)), st.integers(0, 4000), st.binary(min_size=1, max_size=4))
def test_mutations_never_raise(case: str, at: int, patch: bytes) -> None:
    data = CASES[case][0]
    at %= len(data)
    look(data[:at] + patch + data[at + len(patch) :], CASES[case][1])
    look(data[: at + 1], CASES[case][1])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_protobuf_fields_stay_inside(data: bytes) -> None:
    for number, _, start, stop in fields(data, 0, len(data)):
        assert number == -1 or 0 <= start <= stop <= len(data)


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=4, max_size=2000))
def test_text_is_no_model(text: str) -> None:
    data = text.encode("utf-8", "replace")
    assert look(data, "notes.txt") is None


def test_the_tail_is_asked_for_once_and_seldom() -> None:
    asked = []

    def tail() -> bytes:
        asked.append(1)
        return b""

    def many(data: bytes, maker: Callable[[], bytes]) -> None:
        identify(data[:HEAD], 1 << 20, "x", maker)

    many(noise(HEAD), tail)
    many(SCRIPT * 4, tail)
    many(CASES["safetensors"][0], tail)
    assert not asked
    many(STATE, tail)
    assert len(asked) == 1
