"""A notebook as a reader sees it: the source of each cell, what it printed, its tracebacks; not its images.

In the file every line of a cell is a JSON string, so that quotes are escaped, a minified notebook is one line, and a
plot is a megabyte of base64 in which a token can turn up by chance.
"""

from __future__ import annotations

import json
import re

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@record
class Part:
    """One text of a notebook. `cell` counts from 1, 0 is the notebook itself; `output` for what a cell printed."""

    cell: int
    output: bool
    text: bytes


class Places:
    """Where the values of a notebook stand in its file: the n-th sight of a value is the n-th place that has it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left: dict[bytes, list[int]] = {}

    def line(self, value: bytes) -> int:
        """The 1-based line of the next place of a value; of the last one when there are no more, 1 if there is none."""
        if value not in self._left:
            text = value.decode("utf-8", "replace")
            needles = (json.dumps(text, ensure_ascii=ascii)[1:-1].encode("utf-8", "replace") for ascii in (True, False))
            found = (self._offsets(needle) for needle in needles)
            self._left[value] = next((offsets for offsets in found if offsets), [0])
        left = self._left[value]
        return self._data.count(b"\n", 0, left.pop(0) if len(left) > 1 else left[0]) + 1

    def _offsets(self, needle: bytes) -> list[int]:
        return [match.start() for match in re.finditer(re.escape(needle), self._data)] if needle else []


_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SKIP = ("image/", "application/vnd.", "application/javascript", "video/", "audio/", "font/")


def parts(data: bytes) -> list[Part] | None:
    """The texts of a notebook in the order of its cells, or None where it is no notebook that can be read."""
    try:
        book = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(book, dict):
        return None
    cells = book.get("cells")
    if cells is None and isinstance(book.get("worksheets"), list):  # nbformat 3
        cells = [cell for sheet in book["worksheets"] if isinstance(sheet, dict) for cell in _list(sheet.get("cells"))]
    if not isinstance(cells, list):
        return None
    found: list[Part] = []
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            continue
        for output in _list(cell.get("outputs")):
            found.extend(Part(cell=number, output=True, text=_encode(text)) for text in _output(output))
        source = _text(cell.get("source", cell.get("input")))
        if source:
            found.append(Part(cell=number, output=False, text=_encode(source)))
        if metadata := "\n".join(_flat(cell.get("metadata"), 0)):
            found.append(Part(cell=number, output=False, text=_encode(metadata)))
        for name, bundle in _items(cell.get("attachments")):
            found.extend(Part(cell=number, output=False, text=_encode(text)) for text in _bundle(bundle) if name)
    book_metadata = book.get("metadata")
    if isinstance(book_metadata, dict):
        book_metadata = {key: value for key, value in book_metadata.items() if key != "widgets"}
    if metadata := "\n".join(_flat(book_metadata, 0)):
        found.append(Part(cell=0, output=False, text=_encode(metadata)))
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _items(value: Any) -> list[tuple[str, Any]]:
    return [(str(key), one) for key, one in value.items()] if isinstance(value, dict) else []


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(one for one in value if isinstance(one, str))
    return value if isinstance(value, str) else ""


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _output(output: Any) -> Iterator[str]:
    if not isinstance(output, dict):
        return
    for key in ("text", "traceback"):
        lines = output.get(key)
        text = (
            "\n".join(one for one in lines if isinstance(one, str))
            if key == "traceback" and isinstance(lines, list)
            else _text(lines)
        )
        if text:
            yield _ANSI.sub("", text)
    if isinstance(output.get("evalue"), str) and output["evalue"] not in _text(output.get("traceback")):
        yield output["evalue"]
    yield from _bundle(output.get("data"))


def _bundle(bundle: Any) -> Iterator[str]:
    for kind, value in _items(bundle):
        if kind.startswith(_SKIP):
            continue
        text = "\n".join(_flat(value, 0)) if isinstance(value, dict) or "json" in kind else _text(value)
        if text:
            yield _DATA_URI.sub("", _ANSI.sub("", text))


_DATA_URI = re.compile(r"data:[\w/+.\-]+;base64,[A-Za-z0-9+/=]+")


def _flat(value: Any, depth: int) -> Iterator[str]:
    """The strings of a JSON value, one a line, with their keys."""
    if depth > 20:
        return
    if isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, str):
                yield f'"{key}": "{one}"'
            else:
                yield from _flat(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _flat(one, depth + 1)
    elif isinstance(value, str):
        yield value
