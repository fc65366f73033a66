"""What is taken out of a TOML text: keys, elements, and the headers that they leave empty. Comments stay."""

from __future__ import annotations

from gatepost.sync.arrays import remove_items, without
from gatepost.sync.layout import NotSpliceable, block_start, indent_of, newline, own_comments, shown
from gatepost.toml.scan import ELEMENT, KEY, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.toml.scan import Document, Path, Statement


def remove(document: Document, path: Path, *, keep_header: bool = False) -> str:
    """Delete a key, and the header that it leaves empty unless a comment belongs to it or it is to be kept."""
    text = document.text
    statement = document.statement(path)
    if statement is None:
        span = document.span(path)
        if span is None:
            raise NotSpliceable(f"{shown(path)} is not written as one value")
        for size in range(len(path) - 1, 0, -1):
            outer = document.span(path[:size])
            if outer is not None and text[outer[0]] == "{":
                items = document.items(outer[0])
                number = next(n for n, item in enumerate(items) if item.start == span[0])
                return without(document, outer, items, {number})
        raise NotSpliceable(f"{shown(path)} is not written in a table")
    if statement.kind != KEY:
        raise NotSpliceable(f"{shown(path)} is a table")
    if statement.parent >= 0:
        header = document.statements[statement.parent]
        alone = not any(other.parent == statement.parent for other in document.statements if other is not statement)
        if alone and not keep_header and header.kind != ELEMENT and not _commented(document, header, statement):
            return _cut_section(document, header, statement)
    return text[: statement.start] + _remains(document, statement) + text[statement.end :]


def remove_keys(document: Document, table: Path, keys: Sequence[str]) -> str:
    """Delete many keys of one table; the last of them as `remove` does it."""
    text = document.text
    found = [document.statement((*table, key)) for key in keys]
    single = [each for each in found[1:] if each is not None and each.kind == KEY]
    if len(single) != len(keys) - 1:
        for key in keys[1:]:
            text = remove(scan(text), (*table, key))
        return remove(scan(text), (*table, keys[0]))
    pieces: list[str] = []
    at = 0
    for statement in sorted(single, key=lambda each: each.start):
        pieces += [text[at : statement.start], _remains(document, statement)]
        at = statement.end
    return remove(scan("".join([*pieces, text[at:]])), (*table, keys[0]))


def remove_element(document: Document, path: Path) -> str:
    """Delete an element of an array of tables with everything under it; its comments stay."""
    text = document.text
    if document.statement(path) is None:
        number = path[-1]
        assert isinstance(number, int)
        return remove_items(document, path[:-1], {number})
    members = document.under(path)
    start, last = members[0], members[-1]
    for statement in document.statements:
        if start.start < statement.start < last.start and statement not in members:
            raise NotSpliceable(f"{shown(path)} is written in several places")
    kept = "".join(own_comments(document, start.end, last.start)) + "".join(
        _remains(document, statement) for statement in members
    )
    if kept:
        return text[: start.start] + kept + text[last.end :]
    return _cut_section(document, start, last)


def _remains(document: Document, statement: Statement) -> str:
    """What stays of a deleted statement: its comments, each on a line of its own."""
    text, nl = document.text, newline(document.text)
    indent = indent_of(text, statement)
    inside = [text[start:end] for start, end in document.comments() if statement.start <= start < statement.end]
    return "".join(f"{indent}{comment}{nl}" for comment in inside)


def _commented(document: Document, header: Statement, only: Statement) -> bool:
    """Whether a comment belongs to a section with one key: above the header, on it, in the body, on the key."""
    if header.comment_start >= 0 or block_start(document, header) != header.start or _remains(document, only):
        return True
    text, at = document.text, only.end
    below = text[at : (text.find("\n", at) + 1) or len(text)]
    return bool(own_comments(document, header.end, only.start)) or below.strip().startswith("#")


def _section_end(document: Document, last: Statement) -> int:
    """Where the next statement's block begins, or the end of the text."""
    number = document.statements.index(last) + 1
    if number < len(document.statements):
        return block_start(document, document.statements[number])
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
