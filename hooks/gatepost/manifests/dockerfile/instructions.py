"""The text of a Dockerfile -> its instructions: the `escape` directive, continuations, comments, here-documents.

Source: moby/buildkit frontend/dockerfile/parser/parser.go (v0.12-0.2x).
"""

from __future__ import annotations

import re
from itertools import islice

from gatepost.manifests.dockerfile.words import shifted
from gatepost.manifests.shell import Source, lines
from gatepost.patterns import pattern
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_HEREDOCS = 20  # of one instruction
HEREDOC = pattern(r"<<(-?)(['\"]?)([A-Za-z_][A-Za-z0-9_.]*)\2")
_DIRECTIVE = pattern(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")


@record
class Instruction:
    """One instruction: its name in capitals, 1-based first line, last line with its here-documents."""

    name: str
    line: int
    end: int
    body: Source  # everything after the name, continuations joined
    heredocs: tuple[Source, ...]


def instructions(text: str) -> Iterator[Instruction]:
    """Every instruction in order; `text` has Unix line ends."""
    escape = re.escape(_escape(text))
    more = re.compile(r"(?:^|(?<=[^" + escape + r"]))" + escape + r"[ \t]*$")
    rows = text.split("\n")
    index = 0
    while index < len(rows):
        if _is_blank(rows[index]):
            index += 1
            continue
        first = index
        joined, marks, index = _joined(rows, first, more)
        head = re.match(r"[A-Za-z]+", joined)
        if head is None:
            continue
        name = head[0].upper()
        offset = len(joined) - len(joined[head.end() :].lstrip())
        body = Source(text=joined[offset:], marks=shifted(marks, offset))
        heredocs: tuple[Source, ...] = ()
        if name in ("RUN", "COPY", "ADD"):
            heredocs, index = _heredocs(body.text, rows, index)
        yield Instruction(name=name, line=first + 1, end=index, body=body, heredocs=heredocs)


def _escape(text: str) -> str:
    """The escape character: a backslash, or what the `# escape=` directive at the top says."""
    for line in text.split("\n"):
        match = _DIRECTIVE.match(line.strip())
        if match is None:
            break
        if match[1].lower() == "escape" and match[2] in ("`", "\\"):
            return match[2]
    return "\\"


def _is_blank(row: str) -> bool:
    """Whether a line is empty or a comment; such lines stand inside continuations too."""
    return not row.strip() or row.lstrip().startswith("#")


def _joined(rows: Sequence[str], index: int, more: re.Pattern[str]) -> tuple[str, tuple[tuple[int, int], ...], int]:
    """(text, marks as a `Source` has them, index after it) of the logical line that starts at row `index`."""
    pieces: list[str] = []
    marks: list[tuple[int, int]] = []
    length = 0
    while index < len(rows):
        row = rows[index]
        index += 1
        if pieces and _is_blank(row):
            continue
        cut = more.search(row)
        piece = row[: cut.start()] if cut else row
        if not pieces:
            piece = piece.lstrip()
        marks.append((length, index))
        pieces.append(piece)
        length += len(piece)
        if not cut:
            break
    return "".join(pieces), tuple(marks), index


def _heredocs(body: str, rows: Sequence[str], index: int) -> tuple[tuple[Source, ...], int]:
    """The here-documents that an instruction names, whose bodies start at row `index`; the index after them."""
    found: list[Source] = []
    for match in islice(HEREDOC.finditer(body), MAX_HEREDOCS):
        start = index
        while index < len(rows):
            row = rows[index].lstrip("\t") if match[1] else rows[index]
            index += 1
            if row.rstrip("\r") == match[3]:
                break
        script = "\n".join(rows[start : max(start, index - 1)]) + "\n"
        found.append(lines(script, start + 1))
    return tuple(found), index
