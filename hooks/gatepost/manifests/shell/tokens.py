"""Shell text -> words as written and operators: quoting, comments, redirections, here-documents (dropped).

Source: POSIX.1-2017, Shell Command Language, 2.2 (quoting), 2.3 (token recognition), 2.7 (redirection).
"""

from __future__ import annotations

from gatepost.patterns import pattern
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Token: TypeAlias = tuple[str, "Raw | None", int]  # operator or "word", the word, offset

MAX_WORDS = 20_000  # per script; more is no longer something a person wrote
_HEREDOC = pattern(r"<<(-?)[ \t]*([\"']?)([A-Za-z0-9_.!+-]+)\2")
_REDIRECTIONS = ("<<<", ">>", ">&", "<&", "<>", ">|", "<", ">")
_SAME = {"|&": "|", "&>": ">"}  # operators that are read as another one


@record
class Raw:
    """A word before expansion: parts are (text, may hold variables, was quoted); "$(" is a command substitution."""

    parts: tuple[tuple[str, bool, bool], ...]
    start: int

    @property
    def literal(self) -> str:
        """Its text where it is one part that is not quoted (a keyword can be no other), else ""."""
        return self.parts[0][0] if len(self.parts) == 1 and not self.parts[0][2] else ""


def tokens(text: str) -> list[Token]:
    """The tokens of a script: "word", && || ; | & ( ) ;; "newline", and ">" (any redirection) or "<<" before a word."""
    found: list[Token] = []
    pending: list[tuple[str, bool]] = []  # here-documents whose bodies start after this line
    index, size = 0, len(text)
    while index < size and len(found) < MAX_WORDS:
        char = text[index]
        if char == "\n":
            found.append(("newline", None, index))
            index += 1
            for end, dash in pending:
                index = _after_heredoc(text, index, end, dash)
            pending = []
        elif char in " \t\r":
            index += 1
        elif text.startswith("\\\n", index):
            index += 2
        elif char == "#":
            end_of_line = text.find("\n", index)
            index = size if end_of_line < 0 else end_of_line
        elif char in "&|;()":
            operator = text[index : index + 2] if text[index : index + 2] in ("&&", "||", ";;", "|&", "&>") else char
            found.append((_SAME.get(operator, operator), None, index))
            index += len(operator)
        elif char in "<>":
            index = _redirection(text, index, found, pending)
        else:
            raw, after = _word(text, index)
            if after < size and text[after] in "<>" and len(raw.parts) == 1 and raw.parts[0][0].isdigit():
                index = after  # a file descriptor: 2>file
                continue
            found.append(("word", raw, index))
            index = max(after, index + 1)
    return found


def _redirection(text: str, index: int, found: list[Token], pending: list[tuple[str, bool]]) -> int:
    """Read the redirection at `index`, or the process substitution; returns the index after its operator."""
    heredoc = _HEREDOC.match(text, index)
    if heredoc and not text.startswith("<<<", index):
        pending.append((heredoc[3], bool(heredoc[1])))
        found.append(("<<", None, index))
        return heredoc.end()
    if text.startswith(("<(", ">("), index):
        index = after_parentheses(text, index + 1)
        found.append(("word", Raw(parts=(("$(", True, False),), start=index - 1), index - 1))
        return index
    operator = next(op for op in _REDIRECTIONS if text.startswith(op, index))
    found.append((">", None, index))
    return index + len(operator)


def _after_heredoc(text: str, index: int, word: str, dash: bool) -> int:
    """The index after the here-document whose body starts at `index` and ends with a line `word`."""
    while index < len(text):
        end = text.find("\n", index)
        end = len(text) if end < 0 else end
        line = text[index:end]
        index = end + 1
        if (line.lstrip("\t") if dash else line).rstrip("\r") == word:
            break
    return min(index, len(text))


class _Parts:
    """The parts of the word being read; the characters since the last one are `chunk`."""

    def __init__(self) -> None:
        self.found: list[tuple[str, bool, bool]] = []
        self.chunk: list[str] = []

    def end(self, quoted: bool, even_empty: bool = False) -> None:
        """Make the characters read so far a part."""
        if self.chunk or even_empty:
            self.found.append(("".join(self.chunk), True, quoted))
            self.chunk.clear()

    def literal(self, text: str, inside: bool = False) -> None:
        """Add what a quote or a backslash keeps from expansion; `inside` double quotes or not."""
        self.end(inside)
        self.found.append((text, False, True))

    def substitution(self, text: str, index: int, inside: bool = False) -> int:
        """Add the command substitution at `index`, which cannot be known; returns the index after it."""
        self.end(inside)
        self.found.append(("$(", True, inside))
        if text[index] == "$":
            return after_parentheses(text, index + 1)
        end = text.find("`", index + 1)
        return len(text) if end < 0 else end + 1


def _word(text: str, index: int) -> tuple[Raw, int]:
    """Read the word at `index`; returns it and the index after it."""
    parts = _Parts()
    start, size = index, len(text)
    while index < size:
        char = text[index]
        if char in " \t\r\n;&|()<>":
            break
        if char == "\\":
            if not text.startswith("\\\n", index):
                parts.literal(text[index + 1 : index + 2])
            index += 2
        elif char == "'":
            end = text.find("'", index + 1)
            end = size if end < 0 else end
            parts.literal(text[index + 1 : end])
            index = end + 1
        elif char == '"':
            parts.end(False)
            index = _double(text, index + 1, parts)
        elif char == "`" or text.startswith("$(", index):
            index = parts.substitution(text, index)
        else:
            end = _after_plain(text, index)
            parts.chunk.append(text[index:end])
            index = end
    parts.end(False)
    return Raw(parts=tuple(parts.found), start=start), index


def _after_plain(text: str, index: int) -> int:
    """The index after the character at `index`, or after the whole `${...}` or `${{ ... }}` there."""
    if text.startswith("${{", index):
        end = text.find("}}", index)
        return len(text) if end < 0 else end + 2
    return after_braces(text, index + 1) if text.startswith("${", index) else index + 1


def _double(text: str, index: int, parts: _Parts) -> int:
    """Read a double-quoted string from after its quote; returns the index after the closing one."""
    while index < len(text):
        char = text[index]
        if char == '"':
            parts.end(True, even_empty=True)
            return index + 1
        if char == "\\" and index + 1 < len(text):
            follower = text[index + 1]
            if follower in '$`"\\':
                parts.literal(follower, inside=True)
            elif follower != "\n":
                parts.chunk.append(char + follower)
            index += 2
        elif char == "`" or text.startswith("$(", index):
            index = parts.substitution(text, index, inside=True)
        else:
            parts.chunk.append(char)
            index += 1
    parts.end(True, even_empty=True)
    return len(text)


def after_parentheses(text: str, index: int) -> int:
    """The index after the `(...)` that starts at `index` (quotes respected, tolerant of a missing end)."""
    depth, quote = 0, ""
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return index + 1
        index += 1
    return len(text)


def after_braces(text: str, index: int) -> int:
    """The index after the `{...}` that starts at `index` (tolerant of a missing end)."""
    depth = 0
    while index < len(text):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index + 1
        index += 1
    return len(text)
