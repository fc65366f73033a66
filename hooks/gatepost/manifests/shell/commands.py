"""The walk over a script's tokens: lists and pipelines, subshells, assignments, `export`, `cd`, `if`, loops, `case`.

Source: POSIX.1-2017, Shell Command Language, 2.9 (commands) and 2.12 (execution environment).
"""

from __future__ import annotations

import posixpath

from gatepost.manifests.shell import Command, Source
from gatepost.manifests.shell.branches import CLOSERS, OPENERS, Branches, wanted_file
from gatepost.manifests.shell.expansion import NAME, words
from gatepost.manifests.shell.tokens import tokens
from gatepost.manifests.shell.wrappers import ASSIGNMENT, script, unwrapped
from gatepost.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.manifests.shell import Variables, Word
    from gatepost.manifests.shell.tokens import Raw

MAX_SCRIPTS = 4  # `bash -c` in one another
_KEYWORDS = OPENERS | CLOSERS | frozenset(("then", "else", "elif", "do", "{", "}", "!", "time"))
_TESTS = frozenset(("[", "[[", "test", "command", "which", "type", "grep", "diff", "cmp", "false"))


def split(
    source: Source, variables: Variables | None = None, cwd: str | None = "/", depth: int = 0
) -> tuple[Command, ...]:
    """The commands of a script, in order, wrappers removed. Never raises on malformed text."""
    walker = _Walker(source, dict(variables or {}), cwd, depth)
    walker.run()
    return tuple(map(walker.branches.counted, walker.commands))


class _Walker:
    """Walks the tokens once, keeping variables, the current directory and what is open."""

    def __init__(self, source: Source, variables: dict[str, str | None], cwd: str | None, depth: int) -> None:
        self.source = source
        self.variables = variables
        self.cwd = cwd
        self.depth = depth
        self.commands: list[Command] = []
        self.branches = Branches()
        self.cases = 0
        self.stack: list[tuple[dict[str, str | None], str | None]] = []
        self.raws: list[Raw] = []
        self.after = ""
        self.tested = False
        self.guards: tuple[Word, ...] | None = ()  # of `[ -f FILE ] && ...`
        self.heredoc = False
        self.outputs: list[Raw] = []

    def run(self) -> None:
        skip, target = False, 0
        for kind, raw, offset in tokens(self.source.text):
            if kind == "word" and raw is not None:
                if skip and self.source.text[target] == ">":
                    self.outputs.append(raw)
                elif not skip:
                    self.raws.append(raw)
                skip = False
            elif kind == ">":
                skip, target = True, offset
            elif kind == "<<":
                self.heredoc = True
            else:
                skip = False
                self.operator(kind)
        self.finish("")

    def operator(self, kind: str) -> None:
        if kind == ")" and self.cases and not self.stack:
            self.raws = []  # a case pattern
            return
        if kind == "(" and self.raws:
            self.raws = []  # a function's definition, or an array
            self.stack.append((dict(self.variables), self.cwd))
            return
        self.finish(kind)
        if kind == "(":
            self.stack.append((dict(self.variables), self.cwd))
        elif kind == ")" and self.stack:
            self.variables, self.cwd = self.stack.pop()

    def finish(self, kind: str) -> None:
        """End the command being read; `kind` is the operator that ended it."""
        raws = self.raws
        self.raws = []
        while raws and (head := raws[0].literal) in _KEYWORDS:
            self.branches.follow(head, raws[0].start, sure=self.after != "||" and not self.tested)
            raws = raws[1:]
            if head == "case":
                self.cases += 1
            elif head == "esac":
                self.cases = max(0, self.cases - 1)
            if head in ("for", "case", "select"):
                raws = []
        if raws:
            self.command(raws, kind)
        if kind:
            if kind not in ("&&", "||"):
                self.tested, self.guards = False, ()
            self.after = ";" if kind in ("newline", ";;", "&", "(", ")") else kind
        self.heredoc = False
        self.outputs = []

    def command(self, raws: Sequence[Raw], kind: str) -> None:
        """Add the command that these words are, or keep the variables that they set."""
        assigned, rest = self.assignments(raws)
        if not rest:
            self.variables.update(assigned)
            return
        found = tuple(word for raw in rest for word in self.words(raw, splitting=True))
        if not found:
            return
        sure = self.after != "||" and not self.tested
        self.branches.asked(found)
        inside = self.branches.guards()
        command = Command(
            words=found,
            line=found[0].line,
            cwd=self.cwd,
            env={**self.variables, **assigned},
            after=self.after,
            conditional=bool(self.branches.opened) or not sure,
            heredoc=self.heredoc,
            outputs=tuple(word.text for raw in self.outputs for word in self.words(raw, splitting=False)),
            arms=self.branches.arms() if sure else None,
            guards=None if inside is None or self.guards is None or self.after == "||" else inside + self.guards,
        )
        name = found[0].text
        if name == "cd" and kind != "|":
            self.cwd = _cd(self.cwd, found)
        elif name in ("export", "declare", "set"):
            self.export(found)
        if name in _TESTS and kind == "&&":
            word = wanted_file(found)
            self.tested = True
            self.guards = None if word is None or self.guards is None else (*self.guards, word)
        self.commands.extend(_inner(unwrapped(command), self.depth))

    def assignments(self, raws: Sequence[Raw]) -> tuple[dict[str, str | None], Sequence[Raw]]:
        """The variables that stand before a command, and the words after them."""
        assigned: dict[str, str | None] = {}
        for number, raw in enumerate(raws):
            match = ASSIGNMENT.match(raw.parts[0][0] if raw.parts else "")
            if match is None or raw.parts[0][2]:
                return assigned, raws[number:]
            value = self.words(raw, splitting=False)[0]
            assigned[match[0].rstrip("+=")] = value.text[match.end() :] if value.known else None
        return assigned, ()

    def export(self, found: Sequence[Word]) -> None:
        for word in found[1:]:
            key, equals, value = word.text.partition("=")
            if equals and NAME.fullmatch(key):
                self.variables[key] = value if word.known else None

    def words(self, raw: Raw, splitting: bool) -> list[Word]:
        return words(raw, self.source.line(raw.start), self.variables, splitting)


def _inner(command: Command, depth: int) -> tuple[Command, ...]:
    """The commands of a `bash -c` string, as they stand where the shell does; any other command alone."""
    string = script(command.words) if depth < MAX_SCRIPTS else None
    if string is None:
        return (command,)
    if not string.known:
        return ()
    source = Source(text=string.text, marks=((0, string.line),))
    return tuple(
        replace(
            one,
            runner=(*command.runner, *one.runner),
            conditional=one.conditional or command.conditional,
            arms=None if one.arms is None or command.arms is None else command.arms + one.arms,
            guards=None if one.guards is None or command.guards is None else command.guards + one.guards,
        )
        for one in split(source, command.env, command.cwd, depth + 1)
    )


def _cd(cwd: str | None, found: Sequence[Word]) -> str | None:
    """The directory after `cd`, None when it is not known."""
    targets = [word for word in found[1:] if not word.text.startswith("-")]
    if len(targets) != 1 or not targets[0].known or targets[0].text.startswith("~"):
        return None
    if targets[0].text.startswith("/"):
        return posixpath.normpath(targets[0].text)
    return None if cwd is None else posixpath.normpath(posixpath.join(cwd, targets[0].text))
