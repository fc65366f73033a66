"""The `if`, loops and `case` that a command stands in: which arm of which `if`, and whether some arm always runs."""

from __future__ import annotations

from gatepost.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gatepost.manifests.shell import Arms, Command, Word

OPENERS = frozenset(("if", "for", "while", "until", "case", "select"))
CLOSERS = frozenset(("fi", "done", "esac"))
MAX_ARMS = 20  # `if` in one another that are told apart


class _If:
    """An `if` that is being read: how many arms began, whether one of them is open, whether it is the `else`."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.arms = 0
        self.inside = False
        self.last = False
        self.condition: list[Sequence[Word]] = []  # the commands between `if` and `then`


class Branches:
    """What is open while a script is read, and how many arms each `if` with an `else` had at its end."""

    def __init__(self) -> None:
        self.opened: list[_If | None] = []  # None: a loop or a case, or what itself only may run
        self._ended: dict[int, int] = {}  # `if` with an `else` -> how many arms

    def follow(self, head: str, offset: int, sure: bool) -> None:
        """Read a keyword; `offset` tells one `if` from another, `sure` is False where it may be passed by itself."""
        if head in OPENERS:
            self.opened.append(_If(offset) if head == "if" and sure else None)
        elif head in CLOSERS and self.opened:
            closed = self.opened.pop()
            if closed is not None and closed.last:
                self._ended[closed.offset] = closed.arms
        elif head in ("then", "elif", "else") and self.opened and (inner := self.opened[-1]) is not None:
            inner.inside = head != "elif"
            inner.arms += inner.inside
            inner.last = head == "else"

    def arms(self) -> Arms | None:
        """The arms that a command read now stands in; how many each `if` has is known at its end (see `counted`)."""
        if len(self.opened) > MAX_ARMS:
            return None
        found = tuple((one.offset, one.arms - 1, 0) for one in self.opened if one is not None and one.inside)
        return found if len(found) == len(self.opened) else None

    def asked(self, words: Sequence[Word]) -> None:
        """Read a command; what stands between `if` and `then` is what is asked."""
        inner = self.opened[-1] if self.opened else None
        if inner is not None and not inner.arms:
            inner.condition.append(words)

    def guards(self) -> tuple[Word, ...] | None:
        """The files that have to be there for a command read now to run, None where anything else is asked."""
        found = []
        for one in self.opened:
            first = one is not None and one.inside and one.arms == 1 and len(one.condition) == 1
            word = wanted_file(one.condition[0]) if one is not None and first else None
            if word is None:
                return None
            found.append(word)
        return tuple(found)

    def counted(self, command: Command) -> Command:
        """The command with the number of arms of each `if`; one without an `else` can be passed by."""
        if not command.arms:
            return command
        if any(not count and offset not in self._ended for offset, _, count in command.arms):
            return replace(command, arms=None)
        arms = tuple((offset, number, count or self._ended[offset]) for offset, number, count in command.arms)
        return replace(command, arms=arms)


def wanted_file(words: Sequence[Word]) -> Word | None:
    """The file of `[ -f FILE ]`, `[[ -e FILE ]]` or `test -s FILE`; None for any other command."""
    texts = [word.text for word in words]
    if texts[:1] in (["["], ["[["]) and texts[-1] in ("]", "]]"):
        texts = texts[:-1]
    plain = len(texts) == 3 and texts[0] in ("[", "[[", "test") and texts[1] in ("-f", "-e", "-s", "-r")
    return words[2] if plain and words[2].known else None


def every_way(arms: Iterable[Arms]) -> bool:
    """Whether one of the commands that stand in these arms runs, whichever way each `if` goes."""
    covered = set(arms)
    for depth in range(max(map(len, covered), default=0), 0, -1):
        for one in [one for one in covered if len(one) == depth]:
            branch, _, count = one[-1]
            if all((*one[:-1], (branch, number, count)) in covered for number in range(count)):
                covered.add(one[:-1])
    return () in covered
