"""Lossless edits of a TOML text: one function a kind of edit, each a splice between two offsets.

Nothing outside the spliced place changes: not a comment, an indent or a line ending. Whether the result means what
was meant is for the caller to prove by reading it back (`merge.proved`).
"""

from __future__ import annotations

from gatepost.sync.paths import render, render_key, show
from gatepost.toml.scan import ELEMENT, KEY, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gatepost.toml.scan import Document, Item, Path, Statement

WIDTH = 100  # a list that makes a longer line is written one item a line


class NotSpliceable(ValueError):
    """The document has a shape that this edit cannot be made in; `str()` says which."""


def newline(text: str) -> str:
    """The line ending of a text: that of its first line."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def set_value(text: str, path: Path, value: Any) -> str:
    """Replace the value of a key or an array item."""
    span = scan(text).span(path)
    if span is None:
        raise NotSpliceable(f"{_shown(path)} is not written as one value")
    return text[: span[0]] + render(value) + text[span[1] :]


def add_key(text: str, path: Path, value: Any) -> str:
    """Write a key that does not exist yet, in the form that its neighbours have."""
    document = scan(text)
    table = path[:-1]
    header = document.statement(table)
    if header is not None and header.kind != KEY:
        return _under_header(document, header, path[-1:], value)
    for size in range(len(table), -1, -1):
        above = table[:size]
        span = document.span(above)
        if span is not None:
            if text[span[0]] != "{":
                raise NotSpliceable(f"{_shown(above)} is not a table")
            return _into_inline(document, span, path[size:], value)
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


def add_element(text: str, path: Path, values: dict[str, Any]) -> str:
    """Add an element to the array of tables at `path`, in whichever form it is written."""
    document = scan(text)
    span = document.span(path)
    if span is not None:
        return add_items(text, path, [values])
    nl = newline(text)
    body = f"[[{show(map(str, path))}]]{nl}" + "".join(
        f"{render_key(key)} = {_value(value, render_key(key), '', nl)}{nl}" for key, value in values.items()
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


def remove(text: str, path: Path, *, keep_header: bool = False) -> str:
    """Delete a key, and the header that it leaves empty unless a comment belongs to it or it is to be kept."""
    document = scan(text)
    statement = document.statement(path)
    if statement is None:
        span = document.span(path)
        if span is None:
            raise NotSpliceable(f"{_shown(path)} is not written as one value")
        for size in range(len(path) - 1, 0, -1):
            outer = document.span(path[:size])
            if outer is not None and text[outer[0]] == "{":
                items = document.items(outer[0])
                number = next(n for n, item in enumerate(items) if item.start == span[0])
                return _without(document, outer, items, {number})
        raise NotSpliceable(f"{_shown(path)} is not written in a table")
    if statement.kind != KEY:
        raise NotSpliceable(f"{_shown(path)} is a table")
    if statement.parent >= 0:
        header = document.statements[statement.parent]
        alone = not any(other.parent == statement.parent for other in document.statements if other is not statement)
        if alone and not keep_header and header.kind != ELEMENT and not _commented(document, header, statement):
            return _cut_section(document, header, statement)
    return text[: statement.start] + _remains(document, statement) + text[statement.end :]


def remove_element(text: str, path: Path) -> str:
    """Delete an element of an array of tables with everything under it; its comments stay."""
    document = scan(text)
    if document.statement(path) is None:
        number = path[-1]
        assert isinstance(number, int)
        return remove_items(text, path[:-1], {number})
    members = document.under(path)
    start, last = members[0], members[-1]
    for statement in document.statements:
        if start.start < statement.start < last.start and statement not in members:
            raise NotSpliceable(f"{_shown(path)} is written in several places")
    kept = "".join(_own_comments(document, start.end, last.start)) + "".join(
        _remains(document, statement) for statement in members
    )
    if kept:
        return text[: start.start] + kept + text[last.end :]
    return _cut_section(document, start, last)


def add_items(text: str, path: Path, values: Sequence[Any]) -> str:
    """Append items to an array, one a line where its items stand so."""
    document = scan(text)
    span = document.span(path)
    if span is None or text[span[0]] != "[":
        raise NotSpliceable(f"{_shown(path)} is not written as an array")
    nl = newline(text)
    start, end = span
    items = document.items(start)
    rendered = [render(value) for value in values]
    if not rendered:
        return text
    line_start = text.rfind("\n", 0, start) + 1
    line_end = _line_end(text, end)
    indent = text[line_start:start][: len(text[line_start:start]) - len(text[line_start:start].lstrip(" \t"))]
    if not items:
        inner = text[start + 1 : end - 1]
        if "\n" in inner:
            body = "".join(f"{indent}    {item},{nl}" for item in rendered)
            at = text.rfind("\n", start, end) + 1
            return text[:at] + body + text[at:]
        prefix = text[line_start : start + 1]
        return text[: start + 1] + _list(rendered, len(prefix), indent, nl)[1:-1] + text[end - 1 :]
    last = items[-1]
    if "\n" not in text[start:end]:
        added = ", ".join(rendered)
        if line_end - line_start + len(added) + 2 > max(WIDTH, line_end - line_start):
            texts = [text[item.start : item.end] for item in items] + rendered
            inline = "{" in text[line_start:start] or "[" in text[line_start:start]
            if not inline:
                return text[:start] + _multiline(texts, indent, nl) + text[end:]
        if last.comma >= 0:
            return text[: last.comma + 1] + f" {added}," + text[last.comma + 1 :]
        return text[: last.end] + f", {added}" + text[last.end :]
    item_line = text.rfind("\n", 0, last.start) + 1
    first_on_line = not text[item_line : last.start].strip()
    lead = text[item_line : last.start] if first_on_line else _indent_of(text, items, indent)
    if last.comma >= 0:
        stop = _line_end(text, last.comma)
        if stop >= end:  # the bracket closes on the same line
            return text[: last.comma + 1] + " " + ", ".join(rendered) + "," + text[last.comma + 1 :]
        body = "".join(f"{lead}{item},{nl}" for item in rendered)
        stop = text.find("\n", stop) + 1
        return text[:stop] + body + text[stop:]
    if not first_on_line:  # also the comma-first style
        return text[: last.end] + ", " + ", ".join(rendered) + text[last.end :]
    stop = _line_end(text, last.end)
    if stop >= end:
        body = ("," + nl + lead).join(rendered)
        return text[: last.end] + "," + nl + lead + body + text[last.end :]
    body = ("," + nl + lead).join(rendered)
    return text[: last.end] + "," + text[last.end : stop] + nl + lead + body + text[stop:]


def remove_items(text: str, path: Path, numbers: set[int]) -> str:
    """Delete items of an array; the comment on an item's own line goes with it, others stay."""
    document = scan(text)
    span = document.span(path)
    if span is None or text[span[0]] != "[":
        raise NotSpliceable(f"{_shown(path)} is not written as an array")
    return _without(document, span, document.items(span[0]), numbers)


# --- places ------------------------------------------------------------------------------------------------------


def _under_header(document: Document, header: Statement, keys: Path, value: Any) -> str:
    text, nl = document.text, newline(document.text)
    number = document.statements.index(header)
    body = [statement for statement in document.statements if statement.parent == number]
    last = body[-1] if body else header
    return _insert_line(text, last, _indent(text, last) if body else "", keys, value, nl)


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
    return _insert_line(text, last, _indent(text, last), path[above:], value, nl)


def _insert_line(text: str, after: Statement, indent: str, keys: Path, value: Any, nl: str) -> str:
    key = show(map(str, keys))
    line = f"{indent}{key} = {_value(value, indent + key, indent, nl)}"
    if not text[: after.end].endswith("\n"):
        return text[: after.end] + nl + line + nl + text[after.end :]
    return text[: after.end] + line + nl + text[after.end :]


def _at_top(document: Document, keys: Path, value: Any) -> str:
    text, nl = document.text, newline(document.text)
    tops = [statement for statement in document.statements if statement.kind == KEY and statement.parent < 0]
    if tops:
        return _insert_line(text, tops[-1], _indent(text, tops[-1]), keys, value, nl)
    key = show(map(str, keys))
    line = f"{key} = {_value(value, key, '', nl)}{nl}"
    if not document.statements:
        return text + (nl if text and not text.endswith(("\n", "\ufeff")) else "") + line
    at = _block_start(document, document.statements[0])
    return text[:at] + line + nl + text[at:]


def _new_table(document: Document, table: Path, above: Path, keys: Path, value: Any) -> str:
    text, nl = document.text, newline(document.text)
    key = show(map(str, keys))
    body = f"[{show(map(str, table))}]{nl}{key} = {_value(value, key, '', nl)}{nl}"
    if above == table:  # only tables inside it have headers: its own comes before them
        at = _block_start(document, document.under(table)[0])
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


def _block_start(document: Document, statement: Statement) -> int:
    """The start of a statement together with the comment lines right above it."""
    text, at = document.text, statement.start
    while at > 0:
        line = text.rfind("\n", 0, at - 1) + 1
        if line >= at or not text[line:at].strip(" \t\r\n\ufeff").startswith("#"):
            break
        at = line
    return at + (at == 0 and text.startswith("\ufeff"))


def _indent(text: str, statement: Statement) -> str:
    line = text[statement.start : statement.key_start]
    return "" if line.strip() else line


# --- inline tables and arrays ----------------------------------------------------------------------------------------


def _into_inline(document: Document, span: tuple[int, int], keys: Path, value: Any) -> str:
    text = document.text
    start, end = span
    items = document.items(start)
    entry = f"{show(map(str, keys))} = {render(value)}"
    if not items:
        return text[: start + 1] + f" {entry} " + text[end - 1 :]
    last = items[-1]
    if last.comma >= 0:
        return text[: last.comma + 1] + f" {entry}," + text[last.comma + 1 :]
    return text[: last.end] + f", {entry}" + text[last.end :]


def _without(document: Document, span: tuple[int, int], items: list[Item], numbers: set[int]) -> str:
    text = document.text
    start, end = span
    if len(numbers) == len(items) and "#" not in text[start:end]:
        return text[: start + 1] + text[end - 1 :]
    for number in sorted(numbers, reverse=True):
        item = items[number]
        stop = item.comma + 1 if item.comma >= 0 else item.end
        line = max(text.rfind("\n", 0, item.key_start) + 1, start + 1)
        line_end = _line_end(text, stop)
        tail = text[stop:line_end].strip()
        if not text[line : item.key_start].strip() and line > start + 1 and (not tail or tail.startswith("#")):
            cut = text.find("\n", line_end) + 1
            if cut and cut <= len(text) and line_end < end:
                text = text[:line] + text[cut:]
                continue
        if number and item.comma < 0 and not any(n > number and n not in numbers for n in range(len(items))):
            # the last one, and no comma behind it: the comma before it goes instead
            previous = items[number - 1]
            between = text[previous.end : item.key_start]
            if "#" not in between:
                text = text[: previous.end] + text[item.end :]
                previous.comma = -1
                continue
        rest = text[stop:]
        text = text[: item.key_start] + rest[len(rest) - len(rest.lstrip(" \t")) if item.comma >= 0 else 0 :]
    return text


def _indent_of(text: str, items: list[Item], indent: str) -> str:
    for item in reversed(items):
        line = text.rfind("\n", 0, item.start) + 1
        if not text[line : item.start].strip():
            return text[line : item.start]
    return indent + "    "


def _line_end(text: str, at: int) -> int:
    """The end of the line that holds `at`, without its line break."""
    stop = text.find("\n", at)
    stop = len(text) if stop < 0 else stop
    return stop - (stop > at and text[stop - 1] == "\r")


# --- removal ---------------------------------------------------------------------------------------------------------


def _own_comments(document: Document, start: int, end: int) -> list[str]:
    """The comment lines between two offsets, with their line breaks."""
    return [line for line in document.text[start:end].splitlines(keepends=True) if line.strip().startswith("#")]


def _remains(document: Document, statement: Statement) -> str:
    """What stays of a deleted statement: its comments, each on a line of its own."""
    text, nl = document.text, newline(document.text)
    indent = _indent(text, statement)
    inside = [text[start:end] for start, end in document.comments() if statement.start <= start < statement.end]
    return "".join(f"{indent}{comment}{nl}" for comment in inside)


def _commented(document: Document, header: Statement, only: Statement) -> bool:
    """Whether a comment belongs to a section with one key: above the header, on it, in the body, on the key."""
    if header.comment_start >= 0 or _block_start(document, header) != header.start or _remains(document, only):
        return True
    text, at = document.text, only.end
    below = text[at : (text.find("\n", at) + 1) or len(text)]
    return bool(_own_comments(document, header.end, only.start)) or below.strip().startswith("#")


def _section_end(document: Document, last: Statement) -> int:
    """Where the next statement's block begins, or the end of the text."""
    number = document.statements.index(last) + 1
    if number < len(document.statements):
        return _block_start(document, document.statements[number])
    return len(document.text)


def _cut_section(document: Document, first: Statement, last: Statement) -> str:
    text = document.text
    end = _section_end(document, last)
    tail = text[last.end : end]
    if tail.strip():  # comments after it: they stay
        end = last.end
    before, after = text[: first.start], text[end:]
    if tail.strip() and before.endswith(("\n\n", "\n\r\n")) and after.lstrip(" \t\r")[:1] == "\n":
        after = after[after.index("\n") + 1 :]
    if not after.strip():
        stripped = before.rstrip(" \t\r\n")
        before = before[: len(stripped)] + (newline(text) if stripped.strip("\ufeff") else "")
        return before if not after.strip(" \t\r\n") else before + after
    return before + after


# --- rendering -------------------------------------------------------------------------------------------------------


def _value(value: Any, prefix: str, indent: str, nl: str) -> str:
    if isinstance(value, list):
        return _list([render(item) for item in value], len(prefix) + 4, indent, nl)
    return render(value)


def _list(rendered: list[str], before: int, indent: str, nl: str) -> str:
    line = "[" + ", ".join(rendered) + "]"
    return line if before + len(line) <= WIDTH or len(rendered) < 2 else _multiline(rendered, indent, nl)


def _multiline(rendered: list[str], indent: str, nl: str) -> str:
    return f"[{nl}" + "".join(f"{indent}    {item},{nl}" for item in rendered) + f"{indent}]"


def _shown(path: Path) -> str:
    return show(map(str, path))
