"""Items put into arrays and inline tables, and taken out, in the style that the others have."""

from __future__ import annotations

from gatepost.sync.layout import WIDTH, NotSpliceable, line_end, multiline, newline, one_line_or_more, shown
from gatepost.sync.paths import render, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gatepost.toml.scan import Document, Item, Path


def add_items(document: Document, path: Path, values: Sequence[Any]) -> str:
    """Append items to an array, one a line where its items stand so."""
    text = document.text
    span = document.span(path)
    if span is None or text[span[0]] != "[":
        raise NotSpliceable(f"{shown(path)} is not written as an array")
    nl = newline(text)
    start, end = span
    items = document.items(start)
    rendered = [render(value) for value in values]
    if not rendered:
        return text
    line_start = text.rfind("\n", 0, start) + 1
    stop_line = line_end(text, end)
    indent = text[line_start:start][: len(text[line_start:start]) - len(text[line_start:start].lstrip(" \t"))]
    if not items:
        inner = text[start + 1 : end - 1]
        if "\n" in inner:
            body = "".join(f"{indent}    {item},{nl}" for item in rendered)
            at = text.rfind("\n", start, end) + 1
            return text[:at] + body + text[at:]
        prefix = text[line_start : start + 1]
        return text[: start + 1] + one_line_or_more(rendered, len(prefix), indent, nl)[1:-1] + text[end - 1 :]
    last = items[-1]
    if "\n" not in text[start:end]:
        added = ", ".join(rendered)
        if stop_line - line_start + len(added) + 2 > max(WIDTH, stop_line - line_start):
            texts = [text[item.start : item.end] for item in items] + rendered
            inline = "{" in text[line_start:start] or "[" in text[line_start:start]
            if not inline:
                return text[:start] + multiline(texts, indent, nl) + text[end:]
        if last.comma >= 0:
            return text[: last.comma + 1] + f" {added}," + text[last.comma + 1 :]
        return text[: last.end] + f", {added}" + text[last.end :]
    item_line = text.rfind("\n", 0, last.start) + 1
    first_on_line = not text[item_line : last.start].strip()
    lead = text[item_line : last.start] if first_on_line else _indent_of(text, items, indent)
    if last.comma >= 0:
        stop = line_end(text, last.comma)
        if stop >= end:  # the bracket closes on the same line
            return text[: last.comma + 1] + " " + ", ".join(rendered) + "," + text[last.comma + 1 :]
        body = "".join(f"{lead}{item},{nl}" for item in rendered)
        stop = text.find("\n", stop) + 1
        return text[:stop] + body + text[stop:]
    if not first_on_line:  # also the comma-first style
        return text[: last.end] + ", " + ", ".join(rendered) + text[last.end :]
    stop = line_end(text, last.end)
    if stop >= end:
        body = ("," + nl + lead).join(rendered)
        return text[: last.end] + "," + nl + lead + body + text[last.end :]
    body = ("," + nl + lead).join(rendered)
    return text[: last.end] + "," + text[last.end : stop] + nl + lead + body + text[stop:]


def remove_items(document: Document, path: Path, numbers: set[int]) -> str:
    """Delete items of an array; the comment on an item's own line goes with it, others stay."""
    text = document.text
    span = document.span(path)
    if span is None or text[span[0]] != "[":
        raise NotSpliceable(f"{shown(path)} is not written as an array")
    return without(document, span, document.items(span[0]), numbers)


def into_inline(document: Document, span: tuple[int, int], keys: Path, value: Any) -> str:
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


def without(document: Document, span: tuple[int, int], items: list[Item], numbers: set[int]) -> str:
    text = document.text
    start, end = span
    if len(numbers) == len(items) and "#" not in text[start:end]:
        return text[: start + 1] + text[end - 1 :]
    for number in sorted(numbers, reverse=True):
        item = items[number]
        stop = item.comma + 1 if item.comma >= 0 else item.end
        line = max(text.rfind("\n", 0, item.key_start) + 1, start + 1)
        stop_line = line_end(text, stop)
        tail = text[stop:stop_line].strip()
        if not text[line : item.key_start].strip() and line > start + 1 and (not tail or tail.startswith("#")):
            cut = text.find("\n", stop_line) + 1
            if cut and cut <= len(text) and stop_line < end:
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
