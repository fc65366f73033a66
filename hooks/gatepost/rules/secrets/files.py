"""The files of a snapshot -> texts -> hits with their places."""

from __future__ import annotations

import re

from gatepost.record import record
from gatepost.rules.secrets import notebook
from gatepost.rules.secrets.hit import KEY, NAMED, TOKEN, URL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gatepost.model import Context
    from gatepost.rules.secrets.hit import Hit
    from gatepost.rules.secrets.scan import Scanner

CODE_OF: Mapping[str, str] = {TOKEN: "SE101", NAMED: "SE102", URL: "SE103", KEY: "SE104"}
_BINARY = re.compile(
    r"\.(?:png|jpe?g|gif|webp|bmp|ico|tiff?|psd|mp[34]|m4a|wav|flac|ogg|avi|mov|webm|pdf|docx?|xlsx?|pptx?|zip|gz|tgz|bz2|xz|zst|7z|tar|"
    r"rar|jar|whl|egg|so|dll|dylib|exe|o|a|pyc|pt|pth|ckpt|safetensors|onnx|gguf|ggml|h5|hdf5|npy|npz|parquet|arrow|feather|"
    r"tflite|pb|mlmodel|woff2?|ttf|otf|eot)$",
    re.IGNORECASE,
)
_BATCH = 8 * 2**20  # bytes read at a time
_CHUNK = 16 * 2**20  # a larger file is scanned in pieces that end at a line's end


@record
class Seen:
    """A hit with its place: a 1-based line of the file, and in a notebook its cell. `text` is the line it stands in."""

    path: str
    line: int
    cell: int | None
    output: bool
    hit: Hit
    text: bytes

    @property
    def code(self) -> str:
        return CODE_OF[self.hit.kind]


def texts(ctx: Context, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The text files among `paths`, read in batches of about 8 MiB; UTF-16 comes as UTF-8."""
    batch: list[str] = []
    total = 0
    for path in paths:
        if _BINARY.search(path):
            continue
        size = ctx.tree.size(path)
        if not size:
            continue
        batch.append(path)
        total += size
        if total >= _BATCH:
            yield from _batch(ctx, batch)
            batch, total = [], 0
    yield from _batch(ctx, batch)


def _batch(ctx: Context, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    if not paths:
        return
    for path, data in ctx.tree.read_many(paths).items():
        text = as_text(data) if data else None
        if text:
            yield path, text


def as_text(data: bytes) -> bytes | None:
    """Bytes of a file if they are text, UTF-16 as UTF-8; None for a binary file."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    head = data[:8000]
    if b"\0" not in head:
        return data
    # UTF-16 without a byte-order mark: ASCII in every second byte
    for first, codec in ((0, "utf-16-le"), (1, "utf-16-be")):
        if not head[1 - first :: 2].strip(b"\0") and head[first::2].isascii() and b"\0" not in head[first::2]:
            return data.decode(codec, "replace").encode("utf-8", "replace")
    return None


def scan_file(scanner: Scanner, path: str, data: bytes) -> list[Seen]:
    """Every secret of one file with its place, in the order of the file."""
    if path.endswith(".ipynb") and (parts := notebook.parts(data)) is not None:
        return _scan_notebook(scanner, path, data, parts)
    found: list[Seen] = []
    start, line = 0, 1
    while start < len(data):
        end = len(data)
        if end - start > _CHUNK:
            end = data.rfind(b"\n", start, start + _CHUNK) + 1 or start + _CHUNK
        piece = data[start:end] if start or end < len(data) else data
        at = 0
        for hit in scanner.scan(piece, path):
            line += piece.count(b"\n", at, hit.start)
            at = hit.start
            found.append(Seen(path=path, line=line, cell=None, output=False, hit=hit, text=_line(piece, hit)))
        line += piece.count(b"\n", at)
        start = end
    return found


def _line(data: bytes, hit: Hit) -> bytes:
    start = max(data.rfind(b"\n", 0, hit.start) + 1, hit.start - 400)
    end = data.find(b"\n", hit.end, hit.end + 400)
    return data[start : end if end >= 0 else hit.end + 400]


def _scan_notebook(scanner: Scanner, path: str, data: bytes, parts: list[notebook.Part]) -> list[Seen]:
    """The hits of the cells, each at the line of the file where its text stands: the n-th sight of a value is the
    n-th place that has it (a cell's outputs and source stand in the order of their keys)."""
    places = notebook.Places(data)
    found = {}
    for part in parts:
        for hit in scanner.scan(part.text, path):
            line = places.line(part.text[hit.start : hit.end])
            found[line, hit.secret, part.cell, part.output] = Seen(
                path=path, line=line, cell=part.cell or None, output=part.output, hit=hit, text=_line(part.text, hit)
            )
    return sorted(found.values(), key=lambda one: one.line)
