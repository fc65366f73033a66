"""How a TOML text is laid out around a place: line endings, indents, comment blocks, lists on one line or several."""

from __future__ import annotations

from gatepost.sync.paths import render, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.toml.scan import Document, Path, Statement

WIDTH = 100  # a list that makes a longer line is written one item a line


class NotSpliceable(ValueError):
    """The document has a shape that this edit cannot be made in; `str()` says which."""


def newline(text: str) -> str:
    """The line ending of a text: that of its first line."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def block_start(document: Document, statement: Statement) -> int:
    """The start of a statement together with the comment lines right above it."""
    text, at = document.text, statement.start
    while at > 0:
        line = text.rfind("\n", 0, at - 1) + 1
        if line >= at or not text[line:at].strip(" \t\r\n\ufeff").startswith("#"):
            break
        at = line
    return at + (at == 0 and text.startswith("\ufeff"))


def indent_of(text: str, statement: Statement) -> str:
    line = text[statement.start : statement.key_start]
    return "" if line.strip() else line


def line_end(text: str, at: int) -> int:
    """The end of the line that holds `at`, without its line break."""
    stop = text.find("\n", at)
    stop = len(text) if stop < 0 else stop
    return stop - (stop > at and text[stop - 1] == "\r")


def own_comments(document: Document, start: int, end: int) -> list[str]:
    """The comment lines between two offsets, with their line breaks."""
    return [line for line in document.text[start:end].splitlines(keepends=True) if line.strip().startswith("#")]


def value_text(value: Any, prefix: str, indent: str, nl: str) -> str:
    if isinstance(value, list):
        return one_line_or_more([render(item) for item in value], len(prefix) + 4, indent, nl)
    return render(value)


def one_line_or_more(rendered: list[str], before: int, indent: str, nl: str) -> str:
    line = "[" + ", ".join(rendered) + "]"
    return line if before + len(line) <= WIDTH or len(rendered) < 2 else multiline(rendered, indent, nl)


def multiline(rendered: list[str], indent: str, nl: str) -> str:
    return f"[{nl}" + "".join(f"{indent}    {item},{nl}" for item in rendered) + f"{indent}]"


def shown(path: Path) -> str:
    return show(map(str, path))
