"""The words of one instruction: its options, its plain words, the strings of the exec form, with variables put in."""

from __future__ import annotations

from gatepost.manifests.shell import Source, Word
from gatepost.manifests.shell.expansion import expand
from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.shell import Variables

MAX_WORDS = 5_000  # of one instruction
_FLAG = pattern(r"\s*--([a-z][a-z-]*)(?:=(\"[^\"]*\"|'[^']*'|\S*))?(?=\s|$)")
_PLAIN = pattern(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")


def resolved(text: str, variables: Variables) -> tuple[str, bool]:
    """The text with its variables put in, and whether each of them is known; one that is not set is ""."""
    value, known = expand(text, variables, "")
    used = (one or two for one, two in _PLAIN.findall(text))
    return value, known and not any(variables.get(name, "") is None for name in used)


def flags(body: Source) -> tuple[list[tuple[str, str]], Source]:
    """The leading `--name=value` options of an instruction, and what follows them."""
    found: list[tuple[str, str]] = []
    offset = 0
    while (match := _FLAG.match(body.text, offset)) is not None:
        found.append((match[1], (match[2] or "").strip("\"'")))
        offset = match.end()
    rest = body.text[offset:]
    offset += len(rest) - len(rest.lstrip())
    return found, Source(text=body.text[offset:], marks=shifted(body.marks, offset))


def shifted(marks: tuple[tuple[int, int], ...], offset: int) -> tuple[tuple[int, int], ...]:
    """The marks of a `Source` whose first `offset` characters are cut off."""
    return tuple((max(0, start - offset), line) for start, line in marks)


def words(body: Source) -> list[Word]:
    """Words of an instruction that is not a shell's: quotes removed, variables kept for `resolved`."""
    found: list[Word] = []
    text = body.text
    index, size = 0, len(text)
    while index < size and len(found) < MAX_WORDS:
        if text[index].isspace():
            index += 1
            continue
        start, pieces = index, []
        while index < size and not text[index].isspace():
            piece, index = _piece(text, index)
            pieces.append(piece)
        found.append(Word(text="".join(pieces), line=body.line(start)))
    return found


def _piece(text: str, index: int) -> tuple[str, int]:
    """What stands at `index` of a word, a quoted string, `${...}` or one character, and the index after it."""
    char = text[index]
    if char in "\"'":
        end = text.find(char, index + 1)
        while char == '"' and end > 0 and text[end - 1] == "\\":
            end = text.find(char, end + 1)
        return (text[index + 1 : end], end + 1) if end >= 0 else (text[index:], len(text))
    if char == "\\" and index + 1 < len(text):
        return text[index + 1] if text[index + 1] in " \"'\\" else text[index : index + 2], index + 2
    if text.startswith("${", index) and (end := text.find("}", index)) > 0:
        return text[index : end + 1], end + 1
    return char, index + 1


def exec_form(body: Source) -> list[Word]:
    """The strings of the exec form `["a", "b"]`, or [] when it is not one."""
    text = body.text.strip()
    if not text.startswith("["):
        return []
    import json

    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return []
    found: list[Word] = []
    offset = 0
    for value in values:
        at = body.text.find(json.dumps(value)[1:-1] if value.isascii() else value, offset)
        offset = at if at >= 0 else offset
        found.append(Word(text=value, line=body.line(offset)))
    return found
