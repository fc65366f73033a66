"""POSIX shell text -> simple commands, each word with the line it stands on: here the values, beside it their readers.

Only what can be known without running anything. `commands` walks a script, `tokens` finds its words and operators,
`expansion` puts variables in, `branches` follows `if ... else ... fi`, `wrappers` takes `sudo` and `conda run` off.
What cannot be known (command substitution, an unset variable) makes a word `known=False`, never a guess.
Source: POSIX.1-2017, Shell Command Language, 2.2-2.10; bash where the two differ.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Variables = Mapping[str, "str | None"]  # None: set, to something that is not known
    Arms = tuple[tuple[int, int, int], ...]  # outermost first: (which `if`, which of its arms, how many it has)


@record
class Source:
    """Text whose lines come from somewhere else: `marks` are (offset in `text`, 1-based line), ascending."""

    text: str
    marks: tuple[tuple[int, int], ...] = ((0, 1),)

    def line(self, offset: int) -> int:
        """The 1-based line of a character."""
        index = bisect_right(self.marks, (offset, 1 << 62)) - 1
        return self.marks[max(index, 0)][1]


@record
class Word:
    """One word after quote removal and expansion; `known` False when part of it cannot be known."""

    text: str
    line: int
    known: bool = True
    quoted: bool = False


@record
class Command:
    """A simple command. `env` holds every variable it sees that the text sets; `cwd` None is "not known"."""

    words: tuple[Word, ...]
    line: int
    cwd: str | None
    env: Variables
    after: str = ""  # the operator before it: "", "&&", "||", ";", "|"
    conditional: bool = False  # inside if/for/while/case, or after ||, or after a test and &&
    runner: tuple[str, ...] = ()  # words of what runs it: ("conda", "run", "-n", "ml")
    heredoc: bool = False
    outputs: tuple[str, ...] = ()  # files that its standard output goes to
    arms: Arms | None = ()  # the arms of `if ... else ... fi` it stands in; None: something else makes it conditional
    guards: tuple[Word, ...] | None = ()  # files that have to be there for it to run; None: something else decides

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(word.text for word in self.words)


def lines(text: str, first: int = 1) -> Source:
    """A source whose lines are its own, the first being number `first`."""
    marks = [(0, first)]
    for match in re.finditer("\n", text):
        marks.append((match.end(), marks[-1][1] + 1))
    return Source(text=text, marks=tuple(marks))
