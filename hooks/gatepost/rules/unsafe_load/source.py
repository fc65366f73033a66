"""Python source as modules to look at: a file is one, a notebook is its cells with the magics taken out."""

from __future__ import annotations

import ast
import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MAGIC = re.compile(r"^(\s*)(?:[%!?].*|[^#\"']*\?{1,2}\s*)$")
_MAGIC_LINE = re.compile(r"^[ \t]*(?:[\w., ]+=[ \t]*)?[%!]\w", re.MULTILINE)
_ASSIGNED = re.compile(r"^(\s*[\w., ()\[\]]+?=\s*)[%!].*$")
_STRING = re.compile(r"(\"\"\"|''').*?\1|(['\"])(?:\\.|(?!\2)[^\\\n])*\2", re.DOTALL)
_TEMPLATE = re.compile(r"\{\{[^{}\n]*\}\}|\{%|<%|\[%|\$\{|@@\w+@@|<[A-Z][A-Z0-9_]{2,}>")
# `except A, B:` is also Python 3.14's (PEP 758): a second name with a capital is an exception, not a variable.
_PYTHON_2 = re.compile(
    r"\A#!.*python2|^[ \t]*(?:print[ \t]+[\"'%]|exec[ \t]+[\"']|raise[ \t]+[\w.]+[ \t]*,"
    r"|except[ \t]+[\w.]+[ \t]*,[ \t]*[a-z_]\w*[ \t]*:)",
    re.MULTILINE,
)
_OLD_LINE = re.compile(r"\bprint\s+[\w>]|\bexec\s+\w|<>|`|\bur[\"']|(?<![\w.])0[0-7]+L?\b|\b\d+L\b")
_OTHER_KERNEL = re.compile(rb'"language":\s*"(?!python)', re.IGNORECASE)
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


class Unreadable(Exception):
    """Not Python 3, or not a notebook, that this interpreter can read. `str()` says why, in ASCII; `line` is from 1."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why.encode("ascii", "backslashreplace").decode())
        self.line = line


def parse(text: str) -> ast.Module:
    """A module's tree. Never warns.

    Raises:
        Unreadable: it is not Python 3 that this interpreter can read.
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except SyntaxError as error:
            raise Unreadable("it holds NUL bytes" if "\0" in text else error.msg, error.lineno or None) from None
        except ValueError:
            raise Unreadable("it holds NUL bytes") from None
        except (RecursionError, MemoryError):
            raise Unreadable("it is nested too deeply") from None


def parse_file(text: str) -> ast.Module:
    """A file's tree; a notebook saved as a script (Colab's "Download .py") has its magics taken out, as its cells would.

    Raises:
        Unreadable: it is not Python 3 that this interpreter can read.
    """
    try:
        return parse(text)
    except Unreadable:
        plain = python_of(text) if _MAGIC_LINE.search(text) else ""
        if not plain.strip():
            raise
    return parse(plain)


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


def not_ours(text: str, path: str, line: int | None) -> bool:
    """Whether source that does not parse, at `line`, is a template or Python 2: nothing that could be mended here."""
    # In a string (a chat template, `f"{{x}}"`) braces are Python's own business.
    if "{{" in path or _TEMPLATE.search(_STRING.sub("''", text)) or _PYTHON_2.search(text):
        return True
    lines = text.split("\n")
    return line is not None and line <= len(lines) and _OLD_LINE.search(lines[line - 1]) is not None


def cells(data: bytes) -> list[tuple[int, str, Callable[[int], int]]]:
    """The Python cells of a notebook: number from 1, source without magics, and cell line -> line of the file.

    Raises:
        Unreadable: it is no notebook (nbformat 4; 3 and older, whose cells stand in worksheets).
    """
    book, listed = _book(data)
    metadata = book.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    if isinstance(kernel, dict) and str(kernel.get("language", "python")).lower() != "python":
        return []
    found: list[tuple[int, str, Callable[[int], int]]] = []
    cursor = 0
    for number, cell in enumerate(listed, 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", cell.get("input"))
        text = "".join(one for one in source if isinstance(one, str)) if isinstance(source, list) else source
        if not isinstance(text, str) or not text.strip():
            continue
        first = next(line for line in text.split("\n") if line.strip())
        at = data.find(json.dumps(first, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass"), cursor)
        cursor = at if at >= 0 else cursor
        found.append((number, python_of(text), _placer(data, text, cursor)))
    return found


def _book(data: bytes) -> tuple[dict[str, object], list[object]]:
    """A notebook and all of its cells; nothing where it says in so many words that it is of another language.

    Raises:
        Unreadable: it is no notebook.
    """
    try:
        book = json.loads(data)
    except (ValueError, RecursionError) as error:
        if _OTHER_KERNEL.search(data) or b"{{cookiecutter" in data or b"{%" in data:
            return {}, []
        raise Unreadable("it is not valid JSON", getattr(error, "lineno", None)) from None
    if isinstance(book, dict) and isinstance(book.get("cells"), list):
        return book, book["cells"]
    sheets = book.get("worksheets") if isinstance(book, dict) else None
    if not isinstance(sheets, list):
        raise Unreadable("it has no cells")
    held = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    return book, [cell for cells in held if isinstance(cells, list) for cell in cells]


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
    """A cell's text as Python: `%magic`, `!command` and `name?` lines become `pass`, lines that continue them empty; a
    cell of another language is empty."""
    stripped = text.lstrip()
    if stripped.startswith("%%") and not stripped.startswith(_PYTHON_CELLS):
        return ""
    lines = []
    goes_on = False
    for line in text.split("\n"):
        if goes_on:
            goes_on = line.endswith("\\")
            line = ""
        elif match := _MAGIC.match(line):
            goes_on = line.endswith("\\")
            line = f"{match[1]}pass"
        elif match := _ASSIGNED.match(line):
            goes_on = line.endswith("\\")
            line = f"{match[1]}None"
        lines.append(line)
    return "\n".join(lines)
