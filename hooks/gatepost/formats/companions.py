"""Files without any mark of their own, told by their name and their neighbours.

Raw floats have no magic: a TensorFlow checkpoint's shards, ONNX's external data, OpenVINO's and Paddle's weights,
the second and later parts of a split file. Only here does a name decide, and only names that mean nothing else,
or whose other half is beside them.
"""

from __future__ import annotations

import re

from gatepost.formats.kind import CHECKPOINT, PART, WEIGHTS, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SHARD = re.compile(r"(.+)\.data-\d{5}-of-\d{5}$")
ONNX_DATA = re.compile(r"(?i)(.+\.onnx)(?:\.data|_data|\.weights|\.bin)$")
PARTS = (
    (re.compile(r"(.+\.part-?)[a-z]{2,3}$"), ("aa", "aaa")),  # split's letters
    (re.compile(r"(.+\.)\d{3}$"), ("000", "001")),
    (re.compile(r"(.+[._-]part-?)\d{1,4}$"), ("0", "1", "00", "01", "000", "001", "0000", "0001")),
    (re.compile(r"(.+\.)z\d{2}$"), ("zip", "z01")),
    (re.compile(r"(.+\.part)\d{1,3}\.rar$"), ("1.rar", "01.rar", "001.rar")),
    (re.compile(r"((?:.*/)?x)[a-z]{2}$"), ("aa",)),
)


def companions(name: str, has: Callable[[str], bool]) -> Kind | None:
    """The kind of a file that no mark in its bytes can show, by its path and its neighbours' paths.

    `has` says whether a path is in the same snapshot. Ask this only where `identify` returned None.
    """
    base = name.rpartition("/")[2]
    match = SHARD.match(name)
    if match:
        index = f"{match[1]}.index"
        evidence = f"its name, and `{index}` beside it" if has(index) else "its name"
        return Kind(id="tf-checkpoint-data", label="a TensorFlow checkpoint", category=CHECKPOINT, evidence=evidence)
    match = ONNX_DATA.match(name)
    if match:
        return Kind(id="onnx-data", label="the weights of an ONNX model", category=WEIGHTS, evidence="its name")
    stem, dot, extension = name.rpartition(".")
    extension = extension.lower()
    if extension == "bin" and has(f"{stem}.xml"):
        evidence = f"`{stem.rpartition('/')[2]}.xml` beside it"
        return Kind(id="openvino-data", label="the weights of an OpenVINO model", category=WEIGHTS, evidence=evidence)
    if extension == "bin" and has(f"{stem}.param"):
        evidence = f"`{stem.rpartition('/')[2]}.param` beside it"
        return Kind(id="ncnn-data", label="the weights of an ncnn model", category=WEIGHTS, evidence=evidence)
    if extension == "data" and has(f"{stem}.onnx"):
        evidence = f"`{stem.rpartition('/')[2]}.onnx` beside it"
        return Kind(id="onnx-data", label="the weights of an ONNX model", category=WEIGHTS, evidence=evidence)
    if extension == "pdiparams":
        return Kind(id="paddle-params", label="Paddle parameters", category=WEIGHTS, evidence="its name")
    if base == "weight.bin" and ".mlpackage/" in name:
        return Kind(id="core-ml-data", label="the weights of a Core ML model", category=WEIGHTS, evidence="its place")
    if dot or base.startswith("x"):
        return part(name, has)
    return None


def part(name: str, has: Callable[[str], bool]) -> Kind | None:
    """A later part of a split file, if the first part is beside it."""
    for pattern, firsts in PARTS:
        match = pattern.match(name)
        if match:
            for first in firsts:
                other = match[1] + first
                if has(other) and (other != name or first in ("aa", "001", "z01")):
                    evidence = f"its name, and `{other.rpartition('/')[2]}` beside it" if other != name else "its name"
                    return Kind(id="part", label="a part of a split file", category=PART, evidence=evidence)
    return None
