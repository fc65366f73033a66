"""Parameter expansion: `$x`, `${x}`, `${x:-y}`, `${x:+y}`, and GitHub's `${{ env.x }}`; the words that come of it.

Source: POSIX.1-2017, Shell Command Language, 2.6.2 (parameters) and 2.6.5 (field splitting).
"""

from __future__ import annotations

import re

from gatepost.manifests.shell import Word
from gatepost.manifests.shell.tokens import after_braces, after_parentheses
from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.shell import Variables
    from gatepost.manifests.shell.tokens import Raw

MAX_NESTING = 60  # `${` in one word
MAX_EXPANDED = 8 * 1024  # characters that variables may add to one text
NAME = pattern(r"[A-Za-z_][A-Za-z0-9_]*")


def expand(text: str, variables: Variables, unset: str | None = None) -> tuple[str, bool]:
    """Replace the variables of a text: (the text, whether all of it is known).

    `unset` is what an unset variable means: "" in a Dockerfile's own instructions, None (not known) in a shell. More
    than MAX_EXPANDED characters are not known either: a variable that doubles itself in each of 60 lines fills memory.
    """
    if "$" not in text:
        return text, True
    if text.count("${") > MAX_NESTING:
        return "", False
    out: list[str] = []
    known = True
    index = 0
    room = MAX_EXPANDED
    while (found := text.find("$", index)) >= 0:
        out.append(text[index:found])
        piece, good, index = _variable(text, found, variables, unset)
        room -= len(piece)
        if room < 0:
            return "", False
        out.append(piece)
        known = known and good
    out.append(text[index:])
    return "".join(out), known


def words(raw: Raw, line: int, variables: Variables, splitting: bool) -> list[Word]:
    """The words that one word as written becomes: none, one, or, where `splitting`, those in its unquoted variables."""
    pieces: list[tuple[str, bool, bool]] = []  # text, known, splits
    for text, variable, quoted in raw.parts:
        if not variable or "$" not in text:
            pieces.append((text, True, False))
        elif text == "$(":
            pieces.append(("", False, False))
        else:
            value, known = expand(text, variables)
            pieces.append((value, known, not quoted and splitting))
    text = "".join(piece[0] for piece in pieces)
    known = all(piece[1] for piece in pieces)
    if any(splits and re.search(r"\s", piece) for piece, _, splits in pieces):
        return [Word(text=part, line=line, known=known) for part in text.split()]
    quoted = any(part[2] for part in raw.parts)
    if not text and known and not quoted:
        return []
    return [Word(text=text, line=line, known=known, quoted=quoted)]


def _variable(text: str, index: int, variables: Variables, unset: str | None) -> tuple[str, bool, int]:
    """Expand the `$...` at `index`: (value, known, index after it)."""
    if text.startswith("${{", index):
        return _github(text, index, variables)
    if text.startswith("$(", index):
        return "", False, after_parentheses(text, index + 1)
    if text.startswith("${", index):
        end = after_braces(text, index + 1)
        return (*_parameter(text[index + 2 : end - 1], variables, unset), end)
    match = NAME.match(text, index + 1)
    if match is None:
        special = index + 1 < len(text) and text[index + 1] in "@*#?$!-0123456789"
        return ("", False, index + 2) if special else ("$", True, index + 1)
    value = variables.get(match[0], unset)
    return (value, True, match.end()) if value is not None else ("", False, match.end())


def _github(text: str, index: int, variables: Variables) -> tuple[str, bool, int]:
    """Expand the GitHub expression `${{ ... }}` at `index`, of which only `env.x` can be known."""
    end = text.find("}}", index)
    if end < 0:
        return "", False, len(text)
    inner = text[index + 3 : end].strip()
    value = variables.get(inner[4:]) if inner.startswith("env.") else None
    return (value, True, end + 2) if value is not None else ("", False, end + 2)


def _parameter(body: str, variables: Variables, unset: str | None) -> tuple[str, bool]:
    """What `${body}` is: (value, known)."""
    match = NAME.match(body)
    if match is None:
        return "", False
    name, rest = match[0], body[match.end() :]
    is_set = name in variables
    value = variables.get(name, unset)
    if not rest:
        return (value, True) if value is not None else ("", False)
    operator = rest[:2] if rest.startswith(":") else rest[:1]
    if operator not in (":-", "-", ":=", "=", ":+", "+") or (is_set and value is None):
        return "", False
    other = rest[len(operator) :].strip("\"'")
    counts = bool(value) if operator.startswith(":") else is_set  # with a colon, a variable set to "" is as if unset
    if operator in (":+", "+"):
        return expand(other, variables, unset) if is_set and counts else ("", unset is not None or is_set)
    return (value or "", True) if value or counts else expand(other, variables, unset)
