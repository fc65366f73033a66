"""What is written into a TOML text: one function a kind of edit, each a splice between two offsets.

Nothing outside the spliced place changes: not a comment, an indent or a line ending. Whether the result means what
was meant is for the caller to prove by reading it back (`proof.proved`).
"""

from __future__ import annotations

from gatepost.sync.arrays import add_items, into_inline
from gatepost.sync.layout import NotSpliceable, block_start, indent_of, newline, shown, value_text
from gatepost.sync.paths import render, render_key, show
from gatepost.toml.scan import KEY, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.toml.scan import Document, Path, Statement


def set_value(document: Document, path: Path, value: Any) -> str:
    """Replace the value of a key or an array item."""
    return set_text(document, path, render(value))


def set_text(document: Document, path: Path, written: str) -> str:
    """Replace the value of a key or an array item by a TOML text."""
    span = document.span(path)
    if span is None:
        raise NotSpliceable(f"{shown(path)} is not written as one value")
    return document.text[: span[0]] + written + document.text[span[1] :]


def add_key(document: Document, path: Path, value: Any) -> str:
    """Write a key that does not exist yet, in the form that its neighbours have."""
    text = document.text
    table = path[:-1]
    header = document.statement(table)
    if header is not None and header.kind != KEY:
        return _under_header(document, header, path[-1:], value)
    for size in range(len(table), -1, -1):
        above = table[:size]
        span = document.span(above)
        if span is not None:
            if text[span[0]] != "{":
                raise NotSpliceable(f"{shown(above)} is not a table")
            return into_inline(document, span, path[size:], value)
        dotted = [
            statement
            for statement in document.statements
            if statement.kind == KEY
            and statement.path[:size] == above
            and size > len(statement.path) - len(statement.keys)
        ]
        if dotted:
            return _beside_dotted(document, dotted, path, value)
        if size and document.under(above):  # else it is implied inside of an inline table
            return _new_table(document, table, above, path[-1:], value)
    return _at_top(document, path, value) if not table else _new_table(document, table, (), path[-1:], value)


def add_keys(document: Document, table: Path, values: Mapping[str, Any]) -> str:
    """Write many keys into one table, each on its own line below the first."""
    text = document.text
    rest = dict(values)
    key = next(iter(rest))
    text = add_key(document, (*table, key), rest.pop(key))
    first = scan(text)
    statement = first.statement((*table, key))
    if statement is None:  # in an inline table
        for name, value in rest.items():
            text = add_key(scan(text), (*table, name), value)
        return text
    nl, indent, lines = newline(text), indent_of(text, statement), []
    for name, value in rest.items():
        written = show((*statement.keys[:-1], name))
        lines.append(f"{indent}{written} = {value_text(value, indent + written, indent, nl)}{nl}")
    return text[: statement.end] + "".join(lines) + text[statement.end :]


def add_element(document: Document, path: Path, values: dict[str, Any]) -> str:
    """Add an element to the array of tables at `path`, in whichever form it is written."""
    text = document.text
    span = document.span(path)
    if span is not None:
        return add_items(document, path, [values])
    nl = newline(text)
    body = f"[[{show(map(str, path))}]]{nl}" + "".join(
        f"{render_key(key)} = {value_text(value, render_key(key), '', nl)}{nl}" for key, value in values.items()
    )
    for size in range(len(path), 0, -1):
        if path[:size] != ("tool",) and (size == len(path) or document.place(path[:size]) is not None):
            family = [statement for statement in document.under(path[:size]) if statement.kind != KEY]
            if family or size == len(path):
                if family:
                    return _insert_block(document, _family_end(document, path[:size]), body)
                continue
            break
    return _insert_block(document, len(text), body)


# --- places ------------------------------------------------------------------------------------------------------


def _under_header(document: Document, header: Statement, keys: Path, value: Any) -> str:
    text, nl = document.text, newline(document.text)
    number = document.statements.index(header)
    body = [statement for statement in document.statements if statement.parent == number]
    last = body[-1] if body else header
    return _insert_line(text, last, indent_of(text, last) if body else "", keys, value, nl)


def _beside_dotted(document: Document, dotted: list[Statement], path: Path, value: Any) -> str:
    text, nl = document.text, newline(document.text)

    def shared(statement: Statement) -> int:
        size = 0
        for left, right in zip(statement.path, path, strict=False):
            if left != right:
                break
            size += 1
        return size

    best = max(map(shared, dotted))
    last = [statement for statement in dotted if shared(statement) == best][-1]
    above = len(last.path) - len(last.keys)
    return _insert_line(text, last, indent_of(text, last), path[above:], value, nl)


def _insert_line(text: str, after: Statement, indent: str, keys: Path, value: Any, nl: str) -> str:
    key = show(map(str, keys))
    line = f"{indent}{key} = {value_text(value, indent + key, indent, nl)}"
    if not text[: after.end].endswith("\n"):
        return text[: after.end] + nl + line + nl + text[after.end :]
    return text[: after.end] + line + nl + text[after.end :]


def _at_top(document: Document, keys: Path, value: Any) -> str:
    text, nl = document.text, newline(document.text)
    tops = [statement for statement in document.statements if statement.kind == KEY and statement.parent < 0]
    if tops:
        return _insert_line(text, tops[-1], indent_of(text, tops[-1]), keys, value, nl)
    key = show(map(str, keys))
    line = f"{key} = {value_text(value, key, '', nl)}{nl}"
    if not document.statements:
        return text + (nl if text and not text.endswith(("\n", "\ufeff")) else "") + line
    at = block_start(document, document.statements[0])
    return text[:at] + line + nl + text[at:]


def _new_table(document: Document, table: Path, above: Path, keys: Path, value: Any) -> str:
    text, nl = document.text, newline(document.text)
    key = show(map(str, keys))
    body = f"[{show(map(str, table))}]{nl}{key} = {value_text(value, key, '', nl)}{nl}"
    if above == table:  # only tables inside it have headers: its own comes before them
        at = block_start(document, document.under(table)[0])
        return text[:at] + body + nl + text[at:]
    if len(above) < 2:
        return _insert_block(document, len(text), body)
    return _insert_block(document, _family_end(document, above), body)


def _family_end(document: Document, above: Path) -> int:
    """Where the last statement at or below `above` ends, with the comments that follow it without a blank line."""
    text = document.text
    members = document.under(above)
    last = members[-1]
    at = last.end
    while text[at : at + 1]:
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop + 1
        line = text[at:stop].strip()
        if not line.startswith("#"):
            break
        at = stop
    following = text[at : (text.find("\n", at) + 1) or len(text)].strip()
    return at if not following else last.end


def _insert_block(document: Document, at: int, body: str) -> str:
    text, nl = document.text, newline(document.text)
    before, after = text[:at], text[at:]
    if before.strip("\ufeff"):
        if not before.endswith("\n"):
            before += nl
        if before.rstrip("\r\n \t") and not before.endswith(("\n\n", "\n\r\n")):
            before += nl
    if after and after.lstrip(" \t\r")[:1] != "\n":
        body += nl
    return before + body + after
