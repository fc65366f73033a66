"""The plain part of TOML, parsed without `re`: for the small manifests of a commit the import of a parser is the cost.

Importing tomli with what it needs (`re`, `datetime`) takes 11 ms, parsing a 2 KB manifest here 0.5 ms. Whatever is not
plain (multi-line strings, dates, unicode escapes, redefined tables, every error) gives None: the real parser decides.
Tests hold it against `tomllib` over real and broken documents: it never answers with anything but the same data.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_DEPTH = 30


class _NotPlain(Exception):
    """Something that the real parser must look at."""


def parse(text: str) -> dict[str, Any] | None:
    """The document's data, or None where it is not plain or not TOML."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if '"""' in text or "'''" in text or not text.replace("\n", "").replace("\t", "").isprintable():
        return None
    try:
        return _Parser(text + "\n").document()
    except _NotPlain:
        return None


def _is_bare(key: str) -> bool:
    return key.isascii() and key.replace("-", "").replace("_", "").isalnum()


class _Parser:
    """A cursor over a text that ends with a newline. Tables are known by identity: how each came to be decides what
    may be added to it (a header may complete a table that only longer headers made, nothing else)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.root: dict[str, Any] = {}
        self.made: dict[int, str] = {id(self.root): "header"}  # "header", "implied", or "dotted" + number of the header
        self.arrays: set[int] = set()  # arrays of tables

    def document(self) -> dict[str, Any]:
        text, table, section = self.text, self.root, 0
        while True:
            self.blank()
            if self.at >= len(text):
                return self.root
            char = text[self.at]
            if char == "\n":
                self.at += 1
            elif char == "#":
                self.at = text.index("\n", self.at)
            elif char == "[":
                section += 1
                table = self.header()
                self.end()
            else:
                self.pair(table, section)
                self.end()

    def blank(self) -> None:
        text, at = self.text, self.at
        while text[at : at + 1] in (" ", "\t"):
            at += 1
        self.at = at

    def end(self) -> None:
        self.blank()
        char = self.text[self.at]
        if char == "#":
            self.at = self.text.index("\n", self.at)
        elif char != "\n":
            raise _NotPlain
        self.at += 1

    def keys(self, stop: str) -> list[str]:
        """A dotted key up to `stop`, which is consumed."""
        text = self.text
        found: list[str] = []
        while True:
            self.blank()
            start = self.at
            if text[start] in "\"'":
                end = text.index("\n", start)
                close = text.find(text[start], start + 1, end)
                part = text[start + 1 : close]
                if close < 0 or "\\" in part:
                    raise _NotPlain
                self.at = close + 1
            else:
                at = start
                while text[at] not in " \t.=]\n":
                    at += 1
                part = text[start:at]
                if not _is_bare(part):
                    raise _NotPlain
                self.at = at
            found.append(part)
            self.blank()
            if text.startswith(stop, self.at):
                self.at += len(stop)
                return found
            if text[self.at] != ".":
                raise _NotPlain
            self.at += 1

    def header(self) -> dict[str, Any]:
        several = self.text.startswith("[[", self.at)
        self.at += 2 if several else 1
        *above, last = self.keys("]]" if several else "]")
        table = self.root
        for key in above:
            inner = table.get(key)
            if isinstance(inner, list) and id(inner) in self.arrays:
                inner = inner[-1]
            if inner is None:
                inner = table[key] = {}
                self.made[id(inner)] = "implied"
            elif self.made.get(id(inner)) not in ("implied", "header"):
                raise _NotPlain
            table = inner
        found = table.get(last)
        if several:
            if found is None:
                found = table[last] = []
                self.arrays.add(id(found))
            elif id(found) not in self.arrays:
                raise _NotPlain
            entry: dict[str, Any] = {}
            found.append(entry)
            found = entry
        elif found is None:
            found = table[last] = {}
        elif self.made.get(id(found)) != "implied":
            raise _NotPlain
        self.made[id(found)] = "header"
        made: dict[str, Any] = found
        return made

    def pair(self, table: dict[str, Any], section: int) -> None:
        *above, last = self.keys("=")
        mark = f"dotted {section}"
        for key in above:
            inner = table.get(key)
            if inner is None:
                inner = table[key] = {}
                self.made[id(inner)] = mark
            elif self.made.get(id(inner)) != mark:
                raise _NotPlain
            table = inner
        if last in table:
            raise _NotPlain
        self.blank()
        table[last] = self.value(0)

    def value(self, depth: int) -> Any:
        text, start = self.text, self.at
        char = text[start]
        if char == '"':
            return self.string()
        if char == "'":
            close = text.find("'", start + 1, text.index("\n", start))
            if close < 0:
                raise _NotPlain
            self.at = close + 1
            return text[start + 1 : close]
        if depth > _DEPTH:
            raise _NotPlain
        if char == "[":
            return self.array(depth + 1)
        if char == "{":
            return self.inline(depth + 1)
        at = start
        while text[at] not in ",]}# \t\n":
            at += 1
        word, self.at = text[start:at], at
        if word == "true":
            return True
        if word == "false":
            return False
        digits = word[1:] if word[:1] in "+-" else word
        if not word.isascii():
            raise _NotPlain
        whole, point, rest = digits.partition(".")
        if not whole.isdigit() or len(whole) > 15 or (whole[0] == "0" and len(whole) > 1):
            raise _NotPlain
        if not point:
            return int(word)
        if not rest.isdigit() or len(rest) > 15:
            raise _NotPlain
        return float(word)

    def string(self) -> str:
        text, start = self.text, self.at + 1
        line = text.index("\n", start)
        close = text.find('"', start, line)
        if close < 0:
            raise _NotPlain
        if text.find("\\", start, close) < 0:
            self.at = close + 1
            return text[start:close]
        found: list[str] = []
        at = start
        while True:
            char = text[at]
            if char == '"':
                self.at = at + 1
                return "".join(found)
            if char == "\\":
                at += 1
                char = _ESCAPES.get(text[at], "")
                if not char:
                    raise _NotPlain
            elif char == "\n":
                raise _NotPlain
            found.append(char)
            at += 1

    def gap(self) -> str:
        """Skip blanks, line ends and comments of an array; the next character."""
        text = self.text
        while True:
            self.blank()
            char = text[self.at : self.at + 1]
            if char == "#":
                self.at = text.index("\n", self.at)
            elif char == "\n":
                self.at += 1
            elif not char:
                raise _NotPlain
            else:
                return char

    def array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self.at += 1
        while True:
            if self.gap() == "]":
                self.at += 1
                return found
            found.append(self.value(depth))
            char = self.gap()
            if char == ",":
                self.at += 1
            elif char != "]":
                raise _NotPlain

    def simple(self) -> dict[str, Any] | None:
        """An inline table of bare keys and plain strings, by cutting it at its quotes; None for any other."""
        close = self.text.find("}", self.at)
        inner = self.text[self.at + 1 : close]
        parts = inner.split('"')
        if close < 0 or "\n" in inner or "\\" in inner or len(parts) % 2 == 0 or parts[-1].strip(" \t"):
            return None
        found: dict[str, Any] = {}
        for at in range(0, len(parts) - 1, 2):
            lead = parts[at].strip(" \t")
            if at:
                if not lead.startswith(","):
                    return None
                lead = lead[1:].lstrip(" \t")
            key = lead[:-1].rstrip(" \t")
            if not lead.endswith("=") or key in found or not _is_bare(key):
                return None
            found[key] = parts[at + 1]
        self.at = close + 1
        return found

    def inline(self, depth: int) -> dict[str, Any]:
        quick = self.simple()
        if quick is not None:
            return quick
        found: dict[str, Any] = {}
        self.at += 1
        self.blank()
        if self.text[self.at] == "}":
            self.at += 1
            return found
        while True:
            (key, *rest) = self.keys("=")
            if rest or key in found:
                raise _NotPlain
            self.blank()
            found[key] = self.value(depth)
            self.blank()
            char = self.text[self.at]
            self.at += 1
            if char == "}":
                return found
            if char != ",":
                raise _NotPlain
