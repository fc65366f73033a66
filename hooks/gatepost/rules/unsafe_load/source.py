"""Python source as modules to look at: a file is one, a notebook is its cells with the magics taken out."""

from __future__ import annotations

import ast
import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MAGIC = re.compile(r"^(\s*)(?:[%!?].*|[^#\"']*\?{1,2}\s*)$")
_ASSIGNED = re.compile(r"^(\s*[\w., ()\[\]]+?=\s*)[%!].*$")
_PYTHON_CELLS = (
    "%%time",
    "%%timeit",
    "%%capture",
    "%%prun",
    "%%wandb",
    "%%python",
    "%%script python",
    "%%skip",
    "%%notify",
    "%%ipytest",
)


def parse(text: str) -> ast.Module | None:
    """A module's tree, or None where it is not Python 3 that this interpreter can read. Never warns, never raises."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def decode(data: bytes) -> str:
    """Source text by its byte-order mark or coding comment (PEP 263); bytes that do not fit are replaced."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    match = re.match(rb"(?:[^\n]*\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", data[:300])
    if match:
        try:
            return data.decode(match[1].decode("ascii"), "replace")
        except (LookupError, UnicodeError):
            pass
    return data.decode("utf-8", "replace")


def not_ours(text: str, path: str) -> bool:
    """Whether source that does not parse is a template or Python 2: nothing that could be mended here."""
    if "{{" in path or "{%" in text or re.search(r"\{\{ ?[\w.]+ ?\}\}", text):
        return True
    return bool(
        re.search(
            r"^\s*(?:print\s+[\"'\w%(]|exec\s+[\"']|except\s+[\w.]+\s*,\s*\w+\s*:|raise\s+\w+\s*,)|<>|\bur[\"']|\b0[0-7]+L?\b",
            text,
            re.MULTILINE,
        )
    )


def cells(data: bytes) -> list[tuple[int, str, Callable[[int], int]]]:
    """The Python cells of a notebook: number from 1, source without magics, and cell line -> line of the file."""
    try:
        book = json.loads(data)
    except (ValueError, RecursionError):
        return []
    if not isinstance(book, dict) or not isinstance(book.get("cells"), list):
        return []
    metadata = book.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    if isinstance(kernel, dict) and str(kernel.get("language", "python")).lower() != "python":
        return []
    found: list[tuple[int, str, Callable[[int], int]]] = []
    cursor = 0
    for number, cell in enumerate(book["cells"], 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source")
        text = "".join(one for one in source if isinstance(one, str)) if isinstance(source, list) else source
        if not isinstance(text, str) or not text.strip():
            continue
        first = next(line for line in text.split("\n") if line.strip())
        at = data.find(json.dumps(first, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass"), cursor)
        cursor = at if at >= 0 else cursor
        found.append((number, python_of(text), _placer(data, text, cursor)))
    return found


def _placer(data: bytes, text: str, cursor: int) -> Callable[[int], int]:
    def line(number: int) -> int:
        lines = text.split("\n")
        at = cursor
        for one in lines[:number]:
            if one.strip():
                needle = json.dumps(one, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
                next_at = data.find(needle, at)
                at = next_at if next_at >= 0 else at
        return data.count(b"\n", 0, at) + 1

    return line


def python_of(text: str) -> str:
    """A cell's text as Python: `%magic`, `!command` and `name?` lines become `pass`; a cell of another language is empty."""
    stripped = text.lstrip()
    if stripped.startswith("%%") and not stripped.startswith(_PYTHON_CELLS):
        return ""
    lines = []
    for line in text.split("\n"):
        if match := _MAGIC.match(line):
            line = f"{match[1]}pass"
        elif match := _ASSIGNED.match(line):
            line = f"{match[1]}None"
        lines.append(line)
    return "\n".join(lines)
