"""Where things stand in a TOML document: the place of every statement, value, array item and comment.

The parser of the standard library gives data without positions. This scanner gives positions without data: it
walks the statements (`[header]`, `[[header]]`, `key = value`) and looks into arrays and inline tables only when
asked. Give it text that `gatepost.toml.load.loads` has accepted; what it makes of an invalid document is not
defined, but it always ends and raises nothing but `TomlError`.

Paths are tuples of keys (str) and array indexes (int): `("tool", "mypy", "overrides", 0, "module")`.
Offsets count characters of the text as given: a BOM counts, CRLF counts two.
Grammar: TOML 1.0, with the line breaks and trailing commas that TOML 1.1 allows in inline tables.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from gatepost.patterns import pattern
from gatepost.toml.load import TomlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Path: TypeAlias = tuple[str | int, ...]

TABLE = "table"  # [a.b]
ELEMENT = "element"  # [[a.b]]
KEY = "key"  # a.b = value

_BASIC = r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
_LITERAL = r"'[^'\n]*'"
_ML_BASIC = r'"""[^"\\]*(?:(?:\\.|""?(?!"))[^"\\]*)*"""(?:"{0,2})'
_ML_LITERAL = r"'''[^']*(?:''?(?!')[^']*)*'''(?:'{0,2})"
_STRING = pattern(f"{_ML_BASIC}|{_ML_LITERAL}|{_BASIC}|{_LITERAL}", re.DOTALL)
_TOKEN = pattern(f"(?:{_ML_BASIC}|{_ML_LITERAL}|{_BASIC}|{_LITERAL})|#[^\n]*|[\\[\\]{{}}]|[\"']", re.DOTALL)
_SKIP = pattern(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BLANK = pattern(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*")
_PART = pattern(rf"[ \t]*(?:([A-Za-z0-9_-]+)|({_BASIC})|({_LITERAL}))[ \t]*")
_SIMPLE = pattern(r"([A-Za-z0-9_-]+)[ \t]*=[ \t]*")
_TAIL = pattern(r"[ \t]*(#[^\n]*)?(\r?\n|\Z)")
_SCALAR = pattern(r"[^#,\]}\n]+")
_ESCAPE = pattern(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_SHORT = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


class Statement:
    """One statement. `start` is the start of its first line, `end` is behind its line break (or the text's end).

    `path` is its full path, with the index of every array-of-tables element on the way; `keys` are the parts as
    written in the statement, `key_start:key_end` their place. `value_start:value_end` is the value of a KEY and
    the whole bracket of a header. `comment_start:comment_end` is the comment on its last line, or both are -1.
    `parent` is the index of the header that a KEY stands under, -1 for the top of the file.
    """

    __slots__ = (
        "comment_end",
        "comment_start",
        "end",
        "key_end",
        "key_start",
        "keys",
        "kind",
        "parent",
        "path",
        "start",
        "value_end",
        "value_start",
    )

    def __init__(self, kind: str, path: Path, keys: tuple[str, ...], parent: int) -> None:
        self.kind = kind
        self.path = path
        self.keys = keys
        self.parent = parent
        self.start = self.end = self.key_start = self.key_end = self.value_start = self.value_end = 0
        self.comment_start = self.comment_end = -1

    def __repr__(self) -> str:
        return f"Statement({self.kind} {self.path} {self.start}:{self.end})"


class Item:
    """An item of an array (`keys` empty) or an entry of an inline table.

    `start:end` is the value, `key_start` the place of the entry's key (an array item: of its value);
    `comma` is the place of the comma behind it, -1 if there is none.
    """

    __slots__ = ("comma", "end", "key_start", "keys", "start")

    def __init__(self, keys: tuple[str, ...], key_start: int, start: int, end: int, comma: int) -> None:
        self.keys = keys
        self.key_start = key_start
        self.start = start
        self.end = end
        self.comma = comma


class Document:
    """A scanned text; see `scan`."""

    __slots__ = ("_breaks", "_first", "_index", "statements", "text")

    def __init__(self, text: str, statements: list[Statement]) -> None:
        self.text = text
        self.statements = statements
        self._breaks: list[int] | None = None
        self._index: dict[Path, int] | None = None
        self._first: dict[Path, int] = {}

    def line(self, path: Path) -> int | None:
        """The 1-based line of a key, a table (its header, else the first statement inside it), an array item."""
        place = self.place(path)
        return None if place is None else self.line_at(place)

    def line_at(self, offset: int) -> int:
        """The 1-based line of a character."""
        if self._breaks is None:
            self._breaks = [found.start() for found in re.finditer("\n", self.text)]
        return bisect_right(self._breaks, offset - 1) + 1

    def place(self, path: Path) -> int | None:
        """The offset of the key, header or item that `line` answers for."""
        self._build()
        index = self._index or {}
        if path in index:
            return self.statements[index[path]].key_start
        owner = self._owner(path)
        if owner is None:
            first = self._first.get(path)
            return None if first is None else self.statements[first].key_start
        return self._inside(path, owner)[0]

    def span(self, path: Path) -> tuple[int, int] | None:
        """The characters of a value: of a key, an array item or an entry of an inline table. None for tables."""
        self._build()
        statement = self.statement(path)
        if statement is not None:
            return (statement.value_start, statement.value_end) if statement.kind == KEY else None
        owner = self._owner(path)
        return None if owner is None else self._inside(path, owner)[1]

    def statement(self, path: Path) -> Statement | None:
        """The statement whose own path this is: the `key = value`, `[table]` or `[[element]]` itself."""
        self._build()
        number = (self._index or {}).get(path)
        return None if number is None else self.statements[number]

    def under(self, path: Path) -> list[Statement]:
        """The statements at or below a path, in the order of the file."""
        size = len(path)
        return [statement for statement in self.statements if statement.path[:size] == path]

    def comments(self) -> list[tuple[int, int]]:
        """Every comment, `#` to the end of its line, without the line break."""
        text = self.text
        found = []
        for token in _TOKEN.finditer(text):
            if text[token.start()] == "#":
                found.append((token.start(), token.end() - text.endswith("\r", token.start(), token.end())))
        return found

    def items(self, start: int) -> list[Item]:
        """The items of the array, or the entries of the inline table, whose bracket stands at `start`.

        Raises:
            TomlError: there is no array or inline table.
        """
        text = self.text
        close = {"[": "]", "{": "}"}.get(text[start : start + 1])
        if close is None:
            raise TomlError("not an array or inline table", self.line_at(start))
        found: list[Item] = []
        at = _skip(text, start + 1)
        while text[at : at + 1] != close:
            keys: tuple[str, ...] = ()
            key_start = at
            if close == "}":
                keys, at, _ = _keys(text, at)
                if text[at : at + 1] != "=":
                    raise TomlError("expected `=`", self.line_at(at))
                at = _skip(text, at + 1)
            end = _value_end(text, at)
            if end <= at:
                raise TomlError("expected a value", self.line_at(at))
            item = Item(keys, key_start, at, end, -1)
            found.append(item)
            at = _skip(text, end)
            if text[at : at + 1] == ",":
                item.comma = at
                at = _skip(text, at + 1)
            elif text[at : at + 1] != close:
                raise TomlError("expected `,` or a closing bracket", self.line_at(at))
        return found

    def _build(self) -> None:
        if self._index is not None:
            return
        index: dict[Path, int] = {}
        first = self._first
        for number, statement in enumerate(self.statements):
            path = statement.path
            index.setdefault(path, number)
            for size in range(len(path) - 1, 0, -1):
                prefix = path[:size]
                if prefix in first:
                    break
                first[prefix] = number
        self._index = index

    def _owner(self, path: Path) -> Statement | None:
        """The statement whose value holds `path`."""
        index = self._index or {}
        for size in range(len(path) - 1, 0, -1):
            number = index.get(path[:size])
            if number is not None:
                statement = self.statements[number]
                return statement if statement.kind == KEY else None
        return None

    def _inside(self, path: Path, owner: Statement) -> tuple[int | None, tuple[int, int] | None]:
        """The place and the value span of `path` within the value of `owner`."""
        rest = path[len(owner.path) :]
        start, end, place = owner.value_start, owner.value_end, owner.key_start
        while rest:
            opening = self.text[start : start + 1]
            if opening == "[" and isinstance(rest[0], int):
                items = self.items(start)
                if not 0 <= rest[0] < len(items):
                    return None, None
                item, rest = items[rest[0]], rest[1:]
            elif opening == "{" and isinstance(rest[0], str):
                entries = self.items(start)
                matching = [entry for entry in entries if entry.keys == rest[: len(entry.keys)]]
                if not matching:
                    implied = [entry for entry in entries if entry.keys[: len(rest)] == rest]
                    return (implied[0].key_start if implied else None), None
                item = matching[0]
                rest = rest[len(item.keys) :]
            else:
                return None, None
            start, end, place = item.start, item.end, item.key_start
        return place, (start, end)


def scan(text: str) -> Document:
    """Find the statements of a TOML document.

    Raises:
        TomlError: not a TOML document (only seen as far as it stops the scanner).
    """
    statements: list[Statement] = []
    elements: dict[Path, int] = {}
    table: Path = ()
    parent = -1
    at = 1 if text.startswith("\ufeff") else 0
    while True:
        blank = _BLANK.match(text, at)
        assert blank is not None  # it matches the empty string
        first = blank.end()
        start = text.rfind("\n", at, first) + 1 or at
        at = first
        if at >= len(text) or text[at] == "#":
            return Document(text, statements)
        if text[at] == "[":
            double = text.startswith("[[", at)
            keys, stop, key_end = _keys(text, at + (2 if double else 1))
            closing = "]]" if double else "]"
            if not text.startswith(closing, stop):
                raise TomlError(f"expected `{closing}`", _line(text, stop))
            table = _resolve(keys, elements, last=not double)
            if double:
                elements[table] = elements.get(table, -1) + 1
                table = (*table, elements[table])
            parent = len(statements)
            statement = Statement(ELEMENT if double else TABLE, table, keys, -1)
            statement.key_start, statement.key_end = at, key_end
            statement.value_start, statement.value_end = at, stop + len(closing)
        else:
            simple = _SIMPLE.match(text, at)
            if simple is not None:
                keys = (simple[1],)
                key_end, value = simple.end(1), simple.end()
            else:
                keys, value, key_end = _keys(text, at)
                if text[value : value + 1] != "=":
                    raise TomlError("expected `=`", _line(text, value))
                value += 1
                while text[value : value + 1] in (" ", "\t"):
                    value += 1
            statement = Statement(KEY, table + keys, keys, parent)
            statement.key_start, statement.key_end = at, key_end
            statement.value_start, statement.value_end = value, _value_end(text, value)
            if statement.value_end <= value:
                raise TomlError("expected a value", _line(text, value))
        tail = _TAIL.match(text, statement.value_end)
        if tail is None:
            raise TomlError("expected the end of the line", _line(text, statement.value_end))
        if tail[1] is not None:
            statement.comment_start, statement.comment_end = tail.span(1)
            if tail[1].endswith("\r"):
                statement.comment_end -= 1
        statement.start, statement.end = start, tail.end()
        statements.append(statement)
        at = tail.end()


def unquote(part: str) -> str:
    """The key or string that a single-line quoted token means; a bare key is itself."""
    if part[:1] == "'":
        return part[1:-1]
    if part[:1] != '"':
        return part
    return _ESCAPE.sub(_unescape, part[1:-1]) if "\\" in part else part[1:-1]


def _unescape(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    if digits is None:
        return _SHORT.get(found[4], found[4])
    number = int(digits, 16)
    return chr(number) if number < 0x110000 else "\ufffd"


def _keys(text: str, at: int) -> tuple[tuple[str, ...], int, int]:
    """A dotted key at `at`: its parts, where the next token stands, where the last part ends."""
    parts: list[str] = []
    while True:
        found = _PART.match(text, at)
        if found is None:
            raise TomlError("expected a key", _line(text, at))
        group = found.lastindex or 1
        parts.append(unquote(found[group]))
        at = found.end()
        if text[at : at + 1] != ".":
            return tuple(parts), at, found.end(group)
        at += 1


def _resolve(keys: tuple[str, ...], elements: dict[Path, int], last: bool) -> Path:
    """The full path of a header: each array of tables on the way stands for its latest element."""
    path: Path = ()
    for number, key in enumerate(keys, 1):
        path = (*path, key)
        if path in elements and (last or number < len(keys)):
            path = (*path, elements[path])
    return path


def _value_end(text: str, at: int) -> int:
    """Where the value at `at` ends; `at` itself if there is none."""
    first = text[at : at + 1]
    if first in ('"', "'"):
        found = _STRING.match(text, at)
        if found is None:
            raise TomlError("unterminated string", _line(text, at))
        return found.end()
    if first in ("[", "{"):
        depth = 0
        for token in _TOKEN.finditer(text, at):
            char = text[token.start()]
            if char in "[{":
                depth += 1
            elif char in "]}":
                depth -= 1
                if not depth:
                    return token.end()
            elif char in "\"'" and token.end() - token.start() == 1:
                raise TomlError("unterminated string", _line(text, token.start()))
        raise TomlError("unterminated array or inline table", _line(text, at))
    found = _SCALAR.match(text, at)
    return at if found is None else at + len(found[0].rstrip(" \t\r"))


def _skip(text: str, at: int) -> int:
    """Past white space, line breaks and comments."""
    found = _SKIP.match(text, at)
    return at if found is None else found.end()


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
