"""Models that are bare protocol buffers, which have no magic: told by walking their fields.

ONNX, Core ML and SavedModel all begin `08 xx 12`; the field numbers, their order, their types and that every
length fits the file tell them apart. Sources: onnx.proto, Model.proto of coremltools, saved_model.proto,
graph.proto, sentencepiece_model.proto, Paddle's framework.proto, caffe.proto.
"""

from __future__ import annotations

import re

from gatepost.formats.kind import TOKENIZER, WEIGHTS, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, FIXED64, LEN, FIXED32 = 0, 1, 2, 5
OP_NAME = re.compile(rb"_?[A-Z][A-Za-z0-9_>]*\Z")


def varint(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    """A base-128 number and the offset behind it, or None if it is cut off or too long."""
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return None


def fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """(field number, wire type, start of the value, end of the value), while they make sense.

    `end` is where the message ends, in the file; `data` may stop earlier, then the walk stops with it. A field
    that cannot be (number 0, an unknown wire type, a length past `end`) is given as number -1, and ends the walk.
    """
    have = len(data)
    while at < end and at < have:
        tag = varint(data, at, min(end, have))
        if tag is None:
            if at + 10 <= min(end, have):
                yield -1, 0, at, at
            return
        number, wire, start = tag[0] >> 3, tag[0] & 7, tag[1]
        if wire == VARINT:
            value = varint(data, start, min(end, have))
            stop = value[1] if value else -1
            if value is None and start + 10 > have:
                return
        elif wire == LEN:
            length = varint(data, start, min(end, have))
            if length is None and start + 10 > have:
                return
            start, stop = (length[1], length[1] + length[0]) if length else (start, -1)
        else:
            stop = start + 8 if wire == FIXED64 else start + 4 if wire == FIXED32 else -1
        if number == 0 or not start <= stop <= end:
            yield -1, 0, at, at
            return
        yield number, wire, start, stop
        at = stop


def is_text(data: bytes) -> bool:
    """UTF-8 (perhaps cut off) without control characters other than tab and line ends."""
    if re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", data):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


def identify(head: bytes, size: int, name: str) -> Kind | None:
    """What a bare protocol buffer is. It begins with 08 (a version number) or 0a (a list's first member)."""
    if head[0] == 0x08:
        return onnx(head, size) or saved_model(head, size) or core_ml(head, size)
    return graph_def(head, size) or sentencepiece(head, size) or paddle(head, size) or caffe(head, size, name)


ONNX_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})
ONNX_TEXT = frozenset({2, 3, 4, 6})
ONNX_GRAPH = frozenset({1, 2, 5, 10, 11, 12, 13, 14, 15, 16})
ONNX_NODE = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10})


def onnx(head: bytes, size: int) -> Kind | None:
    """ModelProto: ir_version, text fields, then a graph (field 7) whose first node is a NodeProto."""
    last = 0
    for number, wire, start, stop in fields(head, 0, size):
        if number not in ONNX_FIELDS or number < last or (last == 0 and number != 1):
            return None
        last = number
        if number in (1, 5) and wire != VARINT:
            return None
        if number == 1 and not 1 <= head[start] <= 64:
            return None
        if number not in (1, 5) and wire != LEN:
            return None
        if number in ONNX_TEXT and not is_text(head[start:stop]):
            return None
        if number == 7:
            return onnx_graph(head, start, stop)
    return None


def onnx_graph(head: bytes, start: int, end: int) -> Kind | None:
    seen = 0
    for number, wire, at, stop in fields(head, start, end):
        if number not in ONNX_GRAPH or wire != LEN:
            return None
        if number == 1 and not all(
            inner in ONNX_NODE and kind == LEN and (inner > 4 or is_text(head[a:b]))
            for inner, kind, a, b in fields(head, at, stop)
        ):
            return None
        if number in (2, 10) and not is_text(head[at:stop]):
            return None
        seen += 1
    if not seen:
        return None
    return Kind(id="onnx", label="an ONNX model", category=WEIGHTS, evidence="an ONNX model with its graph")


def saved_model(head: bytes, size: int) -> Kind | None:
    """SavedModel: schema version 1, then meta graphs up to the end of the file, each begun by a MetaInfoDef."""
    if head[:3] != b"\x08\x01\x12":
        return None
    length = varint(head, 3, len(head))
    if length is None:
        return None
    start, stop = length[1], length[1] + length[0]
    if stop > size or (stop < size and stop < len(head) and head[stop] != 0x12):
        return None
    if stop < size and stop >= len(head):
        return None  # what follows cannot be seen, and a single graph that ends early is not the usual shape
    first = next(fields(head, start, stop), None)
    if first is None or first[:2] != (1, LEN):
        return None
    info = [number for number, *_ in fields(head, first[2], first[3])]
    if not info or not set(info) <= {1, 2, 3, 4, 5, 6, 7, 8}:
        return None
    return Kind(id="saved-model", label="a TensorFlow SavedModel", category=WEIGHTS, evidence="a meta graph to the end")


def core_ml(head: bytes, size: int) -> Kind | None:
    """Model.proto: specification version, a description whose inputs are {name, type}, then the model."""
    if head[2:3] != b"\x12" or not 1 <= head[1] <= 32:
        return None
    length = varint(head, 3, len(head))
    if length is None or length[1] + length[0] > size:
        return None
    start, stop = length[1], length[1] + length[0]
    features = 0
    for number, wire, at, end in fields(head, start, stop):
        if wire != LEN or number not in (1, 7, 10, 11, 12, 13, 14, 20, 21, 50, 100):
            return None
        if number in (1, 10):
            inner = [(n, w, head[a:b]) for n, w, a, b in fields(head, at, end)]
            if not inner or inner[0][:2] != (1, LEN) or not is_text(inner[0][2]) or not inner[0][2]:
                return None
            if any(n not in (1, 2, 3) or w != LEN for n, w, _ in inner):
                return None
            features += any(n == 3 for n, *_ in inner)
    if not features:
        return None
    return Kind(id="core-ml", label="a Core ML model", category=WEIGHTS, evidence="a description of named features")


def graph_def(head: bytes, size: int) -> Kind | None:
    """GraphDef: nodes {1: name, 2: op}, ops in CamelCase."""
    nodes = 0
    for number, wire, start, stop in fields(head, 0, size):
        if number == 4 and nodes and wire == LEN:  # versions
            break
        if number != 1 or wire != LEN:
            return None
        inner = [(n, w, head[a:b], b <= len(head)) for n, w, a, b in fields(head, start, stop)]
        if stop > len(head) and len(inner) < 2:
            break
        if len(inner) < 2 or inner[0][:2] != (1, LEN) or inner[1][:2] != (2, LEN) or not inner[0][2]:
            return None
        if not is_text(inner[0][2]) or not OP_NAME.match(inner[1][2]):
            return None
        if any(n not in (1, 2, 3, 4, 5, 6, 7) or w != LEN for n, w, *_ in inner):
            return None
        nodes += 1
    if not nodes:
        return None
    return Kind(id="graph-def", label="a TensorFlow graph", category=WEIGHTS, evidence="nodes with a name and an op")


def sentencepiece(head: bytes, size: int) -> Kind | None:
    """ModelProto of sentencepiece: pieces {1: text, 2: score (float), 3: type}."""
    pieces = 0
    for number, wire, start, stop in fields(head, 0, size):
        if stop > len(head) or (number in (2, 3) and pieces > 2):
            break
        if number != 1 or wire != LEN:
            return None
        inner = [(n, w) for n, w, _, _ in fields(head, start, stop)]
        if inner not in ([(1, LEN), (2, FIXED32)], [(1, LEN), (2, FIXED32), (3, VARINT)]):
            return None
        pieces += 1
    if pieces < 3:
        return None
    return Kind(
        id="sentencepiece",
        label="a sentencepiece tokenizer",
        category=TOKENIZER,
        evidence="a list of pieces with their scores",
    )


def paddle(head: bytes, size: int) -> Kind | None:
    """ProgramDesc of Paddle: a block with index 0 and parent -1, then its variables."""
    first = next(fields(head, 0, size), None)
    if first is None or first[:2] != (1, LEN):
        return None
    if head[first[2] : first[2] + 14] != b"\x08\x00\x10" + b"\xff" * 9 + b"\x01\x1a":
        return None
    return Kind(id="paddle-program", label="a Paddle model", category=WEIGHTS, evidence="a program's first block")


def caffe(head: bytes, size: int, name: str) -> Kind | None:
    """NetParameter: a name, then layers (field 100, before that 2), each {1: name, 2: type}."""
    seen: list[int] = []
    for number, wire, start, stop in fields(head, 0, size):
        if wire != LEN or number not in (1, 2, 3, 8, 100):
            return None
        if number == 1 and (seen or not is_text(head[start:stop]) or stop > len(head)):
            return None
        if number == 100 and head[start : start + 1] != b"\x0a":
            return None
        seen.append(number)
    if 100 in seen or (2 in seen and name.lower().endswith(".caffemodel")):
        return Kind(id="caffe", label="a Caffe model", category=WEIGHTS, evidence="a net's name and its layers")
    return None
