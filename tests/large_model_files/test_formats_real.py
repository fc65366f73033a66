"""One real file per format, written by the library that owns it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gatepost.formats import HEAD, TAIL, identify
from gatepost.formats.pickle_names import SAFE
from gatepost.formats.pickles import inspect_file
from tests.oracle import tool_env

LIBRARIES = [
    "numpy",
    "scipy",
    "scikit-learn",
    "joblib",
    "safetensors",
    "onnx",
    "h5py",
    "pyarrow",
    "skops",
    "xgboost",
    "lightgbm",
    "pylance",
    "fastavro",
    "duckdb",
    "lmdb",
    "gguf",
    "py7zr",
    "sentencepiece",
]


@pytest.mark.oracle
def test_files_of_the_real_libraries(tmp_path: Path) -> None:
    python = tool_env(*LIBRARIES) / "python"
    script = Path(__file__).with_name("make_real.py")
    done = subprocess.run([python, "-W", "ignore", script, tmp_path], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    assert len(rows) > 25
    for ident, name in rows:
        data = (tmp_path / name).read_bytes()
        kind = identify(data[:HEAD], len(data), name, lambda data=data: data[-TAIL:])  # type: ignore[misc]
        assert kind is not None, name
        assert kind.id == ident, name
        if kind.pickle:
            assert inspect_file(data, name).verdict == SAFE, name
