"""Long stretches of a file that no operation comes near, taken out while it is edited and put back unchanged.

An edit scans the text it is made in. With the stretches gone, sixty edits of a file of 20,000 lines cost little more
than sixty edits of its `[tool.ruff]`. What stands in for a stretch is a comment; it has to come through as one.
"""

from __future__ import annotations

from gatepost.record import record
from gatepost.sync.layout import NotSpliceable
from gatepost.toml.scan import KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.toml.scan import Document, Path, Statement

EDGE = 2  # statements, or sections, that stay at either end of a stretch: what is beside an edit is looked at
WORTH = 40  # statements


@record
class Folded:
    """A text, and for each stand-in (a whole line) in it the text that it stands for."""

    text: str
    hidden: tuple[tuple[str, str], ...] = ()


def fold(document: Document, paths: Iterable[Path]) -> Folded:
    """Hide what is unrelated to all `paths`: sections of other tables, and other keys of the same table."""
    text, statements = document.text, document.statements
    if len(statements) < WORTH:
        return Folded(text=text)
    wanted = list(paths)
    tops = {_top(path) for path in wanted}
    firsts = {path[:size] for path in wanted for size in range(1, len(path) + 1)}
    mark = "# folded"
    while mark in text:
        mark += "."
    hidden: list[tuple[str, str]] = []
    pieces: list[str] = []
    at = 0
    for first, last in _stretches(statements, tops, firsts):
        start, end = statements[first].start, statements[last].end
        line = f"{mark}{len(hidden)}:\n"
        hidden.append((line, text[start:end]))
        pieces += [text[at:start], line]
        at = end
    return Folded(text="".join([*pieces, text[at:]]), hidden=tuple(hidden))


def unfold(folded: Folded) -> str:
    """The text with every stretch back in its place.

    Raises:
        NotSpliceable: a stand-in was moved into something else, doubled or lost.
    """
    pieces: list[str] = []
    at = 0
    for line, text in folded.hidden:
        found = folded.text.find(line, at)
        if found < 0 or (found and folded.text[found - 1] != "\n"):
            raise NotSpliceable("the edit reached into a part of the file that it has nothing to do with")
        pieces += [folded.text[at:found], text]
        at = found + len(line)
    return "".join([*pieces, folded.text[at:]])


def _top(path: Path) -> Path:
    return path[:2] if path[0] == "tool" else path[:1]


def _stretches(statements: list[Statement], tops: set[Path], firsts: set[Path]) -> list[tuple[int, int]]:
    """The first and last statement of each stretch, in the order of the file."""
    found: list[tuple[int, int]] = []
    run: list[tuple[int, int]] = []  # whole sections, as their first and last statement

    def close() -> None:
        inner = run[EDGE:-EDGE]
        if inner and inner[-1][1] - inner[0][0] >= WORTH:
            found.append((inner[0][0], inner[-1][1]))
        else:
            for first, last in run:
                found.extend(_keys(statements, first, last, firsts))
        run.clear()

    number = 0
    while number < len(statements):
        last = number
        while last + 1 < len(statements) and statements[last + 1].kind == KEY:
            last += 1
        header = statements[number]
        foreign = header.kind != KEY and header.path != ("tool",) and _top(header.path) not in tops
        if not foreign:
            close()
            found.extend(_keys(statements, number, last, firsts))
        else:
            run.append((number, last))
        number = last + 1
    close()
    return found


def _keys(statements: list[Statement], first: int, last: int, firsts: set[Path]) -> list[tuple[int, int]]:
    """The stretches of keys in one section that lie on no path."""
    found: list[tuple[int, int]] = []
    start = first + (statements[first].kind != KEY)
    run = start
    for number in range(start, last + 2):
        statement = statements[number] if number <= last else None
        above = len(statement.path) - len(statement.keys) + 1 if statement is not None else 0
        if statement is not None and statement.path[:above] not in firsts:
            continue
        if number - run > max(WORTH, 2 * EDGE):
            found.append((run + EDGE, number - 1 - EDGE))
        run = number + 1
    return found
