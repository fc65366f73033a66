# mypy: disable-error-code="import-not-found,import-untyped,no-untyped-call,attr-defined,unused-ignore"
"""Writes one small file per format with the library that owns it: `python make_real.py FOLDER`.

Run by test_formats_real.py in an environment that has the libraries; prints `expected id<TAB>file` for each.
"""

from __future__ import annotations

import os
import sys


def main(folder: str) -> None:
    os.chdir(folder)
    import joblib
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    data = np.random.default_rng(1).random((200, 8))
    labels = (data[:, 0] > 0.5).astype(int)
    model = RandomForestClassifier(10).fit(data, labels)
    made: list[tuple[str, str]] = []

    def file(ident: str, name: str) -> str:
        made.append((ident, name))
        return name

    np.save(file("npy", "a.npy"), data)
    np.savez(file("npz", "a.npz"), a=data, b=data)
    np.savez_compressed(file("npz", "c.npz"), a=data)
    joblib.dump(model, file("joblib", "model.joblib"))
    joblib.dump(model, file("zlib+joblib", "model.z"), compress=("zlib", 3))
    joblib.dump(model, file("gzip+joblib", "model.gz"), compress=("gzip", 3))
    joblib.dump(model, file("xz+joblib", "model.xz"), compress=("xz", 3))
    joblib.dump(model, file("lzma+joblib", "model.lzma"), compress=("lzma", 3))
    import pickle

    for protocol in (2, 3, 4, 5):
        with open(file("sklearn-pickle", f"p{protocol}.pkl"), "wb") as stream:
            pickle.dump(model, stream, protocol)
    from safetensors.numpy import save_file

    save_file({"w": data}, file("safetensors", "m.safetensors"), {"format": "np"})
    import skops.io

    skops.io.dump(model, file("skops", "m.skops"))
    import onnx
    from onnx import TensorProto, helper

    node = helper.make_node("Add", ["x", "w"], ["y"])
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([node], "g", [value], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
                              [helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])])  # fmt: skip
    onnx.save(helper.make_model(graph, producer_name="test"), file("onnx", "m.onnx"))
    import h5py

    with h5py.File(file("hdf5", "d.h5"), "w") as store:
        store["x"] = data
    with h5py.File(file("hdf5", "u.h5"), "w", userblock_size=1024) as store:
        store["x"] = data
    with h5py.File(file("keras-h5", "k.h5"), "w") as store:
        store.attrs["keras_version"] = "2.15"
        store.create_group("model_weights")["w"] = data
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.orc
    import pyarrow.parquet

    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    pyarrow.parquet.write_table(table, file("parquet", "t.parquet"))
    pyarrow.feather.write_feather(table, file("arrow", "t.feather"))
    pyarrow.feather.write_feather(table, file("feather", "t1.feather"), version=1)
    pyarrow.orc.write_table(table, file("orc", "t.orc"))
    with pa.OSFile(file("arrow-stream", "t.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with pa.OSFile(file("arrow", "f.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    import fastavro

    schema = {"type": "record", "name": "r", "fields": [{"name": "a", "type": "int"}]}
    with open(file("avro", "t.avro"), "wb") as stream:
        fastavro.writer(stream, schema, [{"a": 1}])
    import lightgbm
    import xgboost

    booster = xgboost.XGBClassifier(n_estimators=3).fit(data, labels)
    booster.save_model(file("xgboost-ubj", "m.ubj"))
    booster.save_model(file("xgboost-json", "m.json"))
    lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(data, labels).booster_.save_model(file("lightgbm", "l.txt"))
    import duckdb

    link = duckdb.connect(file("duckdb", "d.duckdb"))
    link.execute("create table t as select 1 as a")
    link.close()
    import lmdb

    store = lmdb.open("lm")
    with store.begin(write=True) as transaction:
        transaction.put(b"a", b"b")
    store.close()
    made.append(("lmdb", "lm/data.mdb"))
    import lance

    lance.write_dataset(table, "l.lance")
    for root, _, files in os.walk("l.lance/data"):
        made.extend(("lance", os.path.join(root, name)) for name in files)
    import scipy.io

    scipy.io.savemat(file("matlab", "m.mat"), {"a": data})
    scipy_netcdf = scipy.io.netcdf_file(file("netcdf", "n.nc"), "w")
    scipy_netcdf.createDimension("x", 3)
    scipy_netcdf.close()
    import gguf

    out = gguf.GGUFWriter(file("gguf", "m.gguf"), "llama")
    out.add_tensor("w", data.astype("float32"))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    import py7zr

    with py7zr.SevenZipFile(file("7z-weights", "w.7z"), "w") as archive:
        archive.write("m.safetensors", "weights/m.safetensors")
    with py7zr.SevenZipFile(file("7z", "t.7z"), "w") as archive:
        archive.writestr("some text", "notes.txt")
    with py7zr.SevenZipFile(file("7z", "e.7z"), "w", password="-", header_encryption=True) as archive:
        archive.write("m.safetensors", "weights/m.safetensors")
    import sentencepiece

    words = (" ".join(f"word{(at * 7 + part * 13) % 97}" for part in range(12)) for at in range(500))
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=words, model_prefix="s", vocab_size=60, hard_vocab_limit=False, minloglevel=2
    )
    file("sentencepiece", "s.model")
    for ident, name in made:
        print(f"{ident}\t{name}")


if __name__ == "__main__":
    main(sys.argv[1])
