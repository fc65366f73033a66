"""POSIX shell text -> simple commands, each word with the line it stands on.

Only what can be known without running anything: quotes, `&& || ; |` and newlines, subshells, prefix assignments,
`export`, `cd`, `${x}`, `${x:-y}`, `${x:+y}`, redirections, here-documents (dropped), `if/for/while/case` (their
commands are marked `conditional`), wrappers (`sudo`, `env`, `bash -c "..."`, `conda run -n x`). What cannot be
known (command substitution, an unset variable) makes a word `known=False`, never a guess.
Source: POSIX.1-2017, Shell Command Language, 2.2-2.10; bash where the two differ.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right

from gatepost.patterns import pattern
from gatepost.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Variables = Mapping[str, "str | None"]  # None: set, to something that is not known
    Arms = tuple[tuple[int, int, int], ...]  # outermost first: (which `if`, which of its arms, how many it has)

MAX_WORDS = 20_000  # per script; more is no longer something a person wrote
MAX_NESTING = 60  # `${` in one word
MAX_EXPANDED = 8 * 1024  # characters that variables may add to one text
MAX_ARMS = 20  # `if` in one another that are told apart
_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = pattern(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_OPENERS = frozenset(("if", "for", "while", "until", "case", "select"))
_CLOSERS = frozenset(("fi", "done", "esac"))
_KEYWORDS = frozenset(
    ("then", "else", "elif", "do", "{", "}", "!", "time", "fi", "done", "esac", "if", "while", "until")
)
_TESTS = frozenset(("[", "[[", "test", "command", "which", "type", "grep", "diff", "cmp", "false"))
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh"))


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

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(word.text for word in self.words)


def every_way(arms: Iterable[Arms]) -> bool:
    """Whether one of the commands that stand in these arms runs, whichever way each `if` goes."""
    covered = set(arms)
    for depth in range(max(map(len, covered), default=0), 0, -1):
        for one in [one for one in covered if len(one) == depth]:
            branch, _, count = one[-1]
            if all((*one[:-1], (branch, number, count)) in covered for number in range(count)):
                covered.add(one[:-1])
    return () in covered


def lines(text: str, first: int = 1) -> Source:
    """A source whose lines are its own, the first being number `first`."""
    marks = [(0, first)]
    for match in re.finditer("\n", text):
        marks.append((match.end(), marks[-1][1] + 1))
    return Source(text=text, marks=tuple(marks))


def split(
    source: Source, variables: Variables | None = None, cwd: str | None = "/", depth: int = 0
) -> tuple[Command, ...]:
    """The commands of a script, in order, wrappers removed. Never raises on malformed text."""
    walker = _Walker(source, dict(variables or {}), cwd, depth)
    walker.run()
    return tuple(map(walker.counted, walker.commands))


def expand(text: str, variables: Variables, unset: str | None = None) -> tuple[str, bool]:
    """Replace `$x`, `${x}`, `${x:-y}`, `${x:+y}`: (text, whether all of it is known).

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
    while index < len(text):
        char = text[index]
        if char != "$":
            out.append(char)
            index += 1
            continue
        piece, good, index = _variable(text, index, variables, unset)
        room -= len(piece)
        if room < 0:
            return "", False
        out.append(piece)
        known = known and good
    return "".join(out), known


def _variable(text: str, index: int, variables: Variables, unset: str | None) -> tuple[str, bool, int]:
    """Expand the `$...` at `index`: (value, known, index after it)."""
    if text.startswith("${{", index):  # a GitHub expression
        end = text.find("}}", index)
        if end < 0:
            return "", False, len(text)
        inner = text[index + 3 : end].strip()
        value = variables.get(inner[4:]) if inner.startswith("env.") else None
        return (value, True, end + 2) if value is not None else ("", False, end + 2)
    if text.startswith("$(", index):
        return "", False, _balanced(text, index + 1)
    if text.startswith("${", index):
        end = _brace(text, index + 1)
        return (*_parameter(text[index + 2 : end - 1], variables, unset), end)
    match = _NAME.match(text, index + 1)
    if match is None:
        special = index + 1 < len(text) and text[index + 1] in "@*#?$!-0123456789"
        return ("", False, index + 2) if special else ("$", True, index + 1)
    value = variables.get(match[0], unset) if match[0] in variables or unset is not None else None
    return (value, True, match.end()) if value is not None else ("", False, match.end())


def _parameter(body: str, variables: Variables, unset: str | None) -> tuple[str, bool]:
    match = _NAME.match(body)
    if match is None:
        return "", False
    name, rest = match[0], body[match.end() :]
    is_set = name in variables
    value = variables.get(name) if is_set else unset
    if not rest:
        return (value, True) if value is not None else ("", False)
    operator = rest[:2] if rest.startswith(":") else rest[:1]
    if operator in (":-", "-", ":=", "="):
        if is_set and value is None:
            return "", False
        if value or (is_set and operator in ("-", "=")):
            return value or "", True
        return expand(rest[len(operator) :].strip("\"'"), variables, unset)
    if operator in (":+", "+"):
        if is_set and value is None:
            return "", False
        if is_set and (value or operator == "+"):
            return expand(rest[len(operator) :].strip("\"'"), variables, unset)
        return "", unset is not None or is_set
    return "", False


def _balanced(text: str, index: int) -> int:
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


def _brace(text: str, index: int) -> int:
    """The index after the `{...}` that starts at `index`."""
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


@record
class _Raw:
    """A word before expansion: parts are (text, may hold variables, was quoted)."""

    parts: tuple[tuple[str, bool, bool], ...]
    start: int


def _tokens(text: str) -> list[tuple[str, _Raw | None, int]]:
    """(operator or "word", the word, offset). Operators: && || ; | & ( ) newline ;; and redirections ">"."""
    found: list[tuple[str, _Raw | None, int]] = []
    pending: list[tuple[str, bool]] = []  # here-documents whose bodies start after this line
    index, size = 0, len(text)
    while index < size and len(found) < MAX_WORDS:
        char = text[index]
        if char == "\n":
            found.append(("newline", None, index))
            index += 1
            for word, dash in pending:
                index = _skip_heredoc(text, index, word, dash)
            pending = []
        elif char in " \t\r":
            index += 1
        elif text.startswith("\\\n", index):
            index += 2
        elif char == "#":
            end = text.find("\n", index)
            index = size if end < 0 else end
        elif char in "&|;()":
            operator = text[index : index + 2] if text[index : index + 2] in ("&&", "||", ";;", "|&", "&>") else char
            if operator == "&>":
                found.append((">", None, index))
            else:
                found.append(("|" if operator == "|&" else operator, None, index))
            index += len(operator)
        elif char in "<>":
            heredoc = re.compile(r"<<(-?)[ \t]*([\"']?)([A-Za-z0-9_.!+-]+)\2").match(text, index)
            if heredoc and not text.startswith("<<<", index):
                pending.append((heredoc[3], bool(heredoc[1])))
                found.append(("<<", None, index))
                index = heredoc.end()
                continue
            if text.startswith(("<(", ">("), index):
                index = _balanced(text, index + 1)
                found.append(("word", _Raw(parts=(("$(", True, False),), start=index - 1), index - 1))
                continue
            operator = next(op for op in ("<<<", ">>", ">&", "<&", "<>", ">|", "<", ">") if text.startswith(op, index))
            found.append((">", None, index))
            index += len(operator)
        else:
            raw, end = _word(text, index)
            if end < size and text[end] in "<>" and len(raw.parts) == 1 and raw.parts[0][0].isdigit():
                index = end  # a file descriptor: 2>file
                continue
            found.append(("word", raw, index))
            index = max(end, index + 1)
    return found


def _skip_heredoc(text: str, index: int, word: str, dash: bool) -> int:
    while index < len(text):
        end = text.find("\n", index)
        end = len(text) if end < 0 else end
        line = text[index:end]
        index = end + 1
        if (line.lstrip("\t") if dash else line).rstrip("\r") == word:
            break
    return min(index, len(text))


def _word(text: str, index: int) -> tuple[_Raw, int]:
    parts: list[tuple[str, bool, bool]] = []
    start, size, plain = index, len(text), [""]

    def flush() -> None:
        if plain[0]:
            parts.append((plain[0], True, False))
            plain[0] = ""

    while index < size:
        char = text[index]
        if char in " \t\r\n;&|()<>":
            break
        if char == "\\":
            if text.startswith("\\\n", index):
                index += 2
                continue
            flush()
            parts.append((text[index + 1 : index + 2], False, True))
            index += 2
        elif char == "'":
            end = text.find("'", index + 1)
            end = size if end < 0 else end
            flush()
            parts.append((text[index + 1 : end], False, True))
            index = end + 1
        elif char == '"':
            flush()
            index = _double(text, index + 1, parts)
        elif char == "`":
            end = text.find("`", index + 1)
            flush()
            parts.append(("$(", True, False))
            index = size if end < 0 else end + 1
        elif text.startswith("$(", index):
            flush()
            parts.append(("$(", True, False))
            index = _balanced(text, index + 1)
        elif text.startswith("${{", index):
            end = text.find("}}", index)
            end = size if end < 0 else end + 2
            plain[0] += text[index:end]
            index = end
        elif text.startswith("${", index):
            end = _brace(text, index + 1)
            plain[0] += text[index:end]
            index = end
        else:
            plain[0] += char
            index += 1
    flush()
    return _Raw(parts=tuple(parts), start=start), index


def _double(text: str, index: int, parts: list[tuple[str, bool, bool]]) -> int:
    """Read a double-quoted string from after its quote; returns the index after the closing one."""
    chunk: list[str] = []

    def flush(force: bool = False) -> None:
        if chunk or force:
            parts.append(("".join(chunk), True, True))
            chunk.clear()

    while index < len(text):
        char = text[index]
        if char == '"':
            flush(force=True)
            return index + 1
        if char == "\\" and index + 1 < len(text):
            follower = text[index + 1]
            if follower in '$`"\\':
                flush()
                parts.append((follower, False, True))
            elif follower != "\n":
                chunk.append(char + follower)
            index += 2
        elif char == "`":
            end = text.find("`", index + 1)
            flush()
            parts.append(("$(", True, True))
            index = len(text) if end < 0 else end + 1
        elif text.startswith("$(", index):
            flush()
            parts.append(("$(", True, True))
            index = _balanced(text, index + 1)
        else:
            chunk.append(char)
            index += 1
    flush(force=True)
    return len(text)


class _If:
    """An `if` that is being read: how many arms began, whether one of them is open, whether it is the `else`."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.arms = 0
        self.inside = False
        self.last = False


class _Walker:
    """Walks the tokens once, keeping variables, the current directory and the nesting."""

    def __init__(self, source: Source, variables: dict[str, str | None], cwd: str | None, depth: int) -> None:
        self.source = source
        self.variables = variables
        self.cwd = cwd
        self.depth = depth
        self.commands: list[Command] = []
        self.nesting = 0
        self.opened: list[_If | None] = []  # None: a loop or a case, or what itself only may run
        self.ended: dict[int, int] = {}  # `if` with an `else` -> how many arms
        self.cases = 0
        self.stack: list[tuple[dict[str, str | None], str | None]] = []
        self.words: list[_Raw] = []
        self.after = ""
        self.tested = False
        self.heredoc = False
        self.outputs: list[_Raw] = []

    def run(self) -> None:
        skip, target = False, 0
        for kind, raw, offset in _tokens(self.source.text):
            if kind == "word" and raw is not None:
                if skip and self.source.text[target] == ">":
                    self.outputs.append(raw)
                elif not skip:
                    self.words.append(raw)
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
            self.words = []  # a case pattern
            return
        if kind == "(" and self.words:
            self.words = []  # a function's definition, or an array
            self.stack.append((dict(self.variables), self.cwd))
            return
        self.finish(kind)
        if kind == "(":
            self.stack.append((dict(self.variables), self.cwd))
        elif kind == ")" and self.stack:
            self.variables, self.cwd = self.stack.pop()

    def finish(self, kind: str) -> None:
        """End the command being read; `kind` is the operator that ended it."""
        words = self.words
        self.words = []
        while words and _literal(words[0]) in _OPENERS | _KEYWORDS:
            head = _literal(words[0])
            self.branch(head, words[0].start)
            words = words[1:]
            if head in _OPENERS:
                self.nesting += 1
                if head == "case":
                    self.cases += 1
                if head in ("for", "case", "select"):
                    words = []
            elif head in _CLOSERS:
                self.nesting = max(0, self.nesting - 1)
                if head == "esac":
                    self.cases = max(0, self.cases - 1)
        if words:
            self.command(words, kind)
        if kind:
            if kind not in ("&&", "||"):
                self.tested = False
            self.after = ";" if kind in ("newline", ";;", "&", "(", ")") else kind
        self.heredoc = False
        self.outputs = []

    def branch(self, head: str, offset: int) -> None:
        """Follow the arms of the `if` that are open; `offset` tells one from another."""
        if head in _OPENERS:
            sure = head == "if" and self.after != "||" and not self.tested
            self.opened.append(_If(offset) if sure else None)
        elif head in _CLOSERS and self.opened:
            closed = self.opened.pop()
            if closed is not None and closed.last:
                self.ended[closed.offset] = closed.arms
        elif head in ("then", "elif", "else") and self.opened and (inner := self.opened[-1]) is not None:
            inner.inside = head != "elif"
            inner.arms += inner.inside
            inner.last = head == "else"

    def arms(self) -> Arms | None:
        """The arms that a command read now stands in; how many each `if` has is known at its end."""
        if self.after == "||" or self.tested or len(self.opened) > MAX_ARMS:
            return None
        found = tuple((one.offset, one.arms - 1, 0) for one in self.opened if one is not None and one.inside)
        return found if len(found) == len(self.opened) else None

    def counted(self, command: Command) -> Command:
        """The command with the number of arms of each `if`; one without an `else` can be passed by."""
        if not command.arms:
            return command
        if any(not count and offset not in self.ended for offset, _, count in command.arms):
            return replace(command, arms=None)
        arms = tuple((offset, number, count or self.ended[offset]) for offset, number, count in command.arms)
        return replace(command, arms=arms)

    def command(self, raws: Sequence[_Raw], kind: str) -> None:
        env = dict(self.variables)
        assigned: dict[str, str | None] = {}
        rest = list(raws)
        while rest and (match := _ASSIGNMENT.match(rest[0].parts[0][0] if rest[0].parts else "")):
            if rest[0].parts[0][2]:
                break
            words = self.expand(rest[0], splitting=False)
            assigned[match[0].rstrip("+=")] = words[0].text[match.end() :] if words[0].known else None
            rest = rest[1:]
        if not rest:
            self.variables.update(assigned)
            return
        env.update(assigned)
        words = [word for raw in rest for word in self.expand(raw, splitting=True)]
        if not words:
            return
        command = Command(
            words=tuple(words),
            line=words[0].line,
            cwd=self.cwd,
            env=env,
            after=self.after,
            conditional=self.nesting > 0 or self.after == "||" or self.tested,
            heredoc=self.heredoc,
            outputs=tuple(word.text for raw in self.outputs for word in self.expand(raw, splitting=False)),
            arms=self.arms(),
        )
        name = words[0].text
        if name == "cd" and kind != "|":
            self.cwd = _cd(self.cwd, words)
        elif name in ("export", "declare", "set"):
            self.export(words)
        if name in _TESTS and kind == "&&":
            self.tested = True
        self.commands.extend(_unwrapped(command, self.depth))

    def export(self, words: Sequence[Word]) -> None:
        for word in words[1:]:
            key, equals, value = word.text.partition("=")
            if equals and _NAME.fullmatch(key):
                self.variables[key] = value if word.known else None

    def expand(self, raw: _Raw, splitting: bool) -> list[Word]:
        line = self.source.line(raw.start)
        pieces: list[tuple[str, bool, bool]] = []  # text, known, splits
        for text, variable, quoted in raw.parts:
            if not variable or "$" not in text:
                pieces.append((text, True, False))
            elif text == "$(":
                pieces.append(("", False, False))
            else:
                value, known = expand(text, self.variables)
                pieces.append((value, known, not quoted and splitting))
        quoted = any(part[2] for part in raw.parts)
        known = all(piece[1] for piece in pieces)
        if any(splits and re.search(r"\s", text) for text, _, splits in pieces):
            joined = "".join(text for text, _, _ in pieces)
            return [Word(text=text, line=line, known=known) for text in joined.split()]
        text = "".join(text for text, _, _ in pieces)
        if not text and known and not quoted:
            return []
        return [Word(text=text, line=line, known=known, quoted=quoted)]


def _literal(raw: _Raw) -> str:
    return raw.parts[0][0] if len(raw.parts) == 1 and not raw.parts[0][2] else ""


def _cd(cwd: str | None, words: Sequence[Word]) -> str | None:
    targets = [word for word in words[1:] if not word.text.startswith("-")]
    if len(targets) != 1 or not targets[0].known or targets[0].text.startswith("~"):
        return None
    if targets[0].text.startswith("/"):
        return posixpath.normpath(targets[0].text)
    return None if cwd is None else posixpath.normpath(posixpath.join(cwd, targets[0].text))


# Wrappers: name -> options that take a value. What is left after their options is the command itself.
_WRAPPERS = {
    "sudo": frozenset(("-u", "-g", "-h", "-p", "-C", "--user", "--group")),
    "env": frozenset(("-u", "-C", "--unset", "--chdir")),
    "exec": frozenset(("-a",)),
    "time": frozenset[str](),
    "nohup": frozenset[str](),
    "nice": frozenset(("-n",)),
    "command": frozenset[str](),
    "timeout": frozenset(("-s", "-k")),
    "eatmydata": frozenset[str](),
    "xvfb-run": frozenset(("-s", "-n")),
}
_RUNNERS = {
    ("conda", "run"): frozenset(("-n", "--name", "-p", "--prefix", "--cwd")),
    ("mamba", "run"): frozenset(("-n", "--name", "-p", "--prefix", "--cwd")),
    ("micromamba", "run"): frozenset(("-n", "--name", "-p", "--prefix", "--cwd", "-r")),
    ("poetry", "run"): frozenset[str](),
    ("pipenv", "run"): frozenset[str](),
    ("pdm", "run"): frozenset(("-p", "--project", "-s", "--site-packages")),
    ("uv", "run"): frozenset(("--with", "--extra", "--group", "--python", "-p", "--project", "--directory", "--package",
                              "--env-file", "--with-requirements", "--only-group", "--no-group", "--index", "--directory")),
    ("pixi", "run"): frozenset(("-e", "--environment", "--manifest-path")),
}  # fmt: skip


def _unwrapped(command: Command, depth: int) -> list[Command]:
    """The command without its wrappers; the commands of a `bash -c` string instead of the string."""
    words = list(command.words)
    env = dict(command.env)
    runner: list[str] = []
    for _ in range(8):
        if not words:
            return []
        name = posixpath.basename(words[0].text)
        if name in _WRAPPERS:
            rest = _after_options(words[1:], _WRAPPERS[name])
            if name == "timeout":
                rest = rest[1:]
            while name in ("env", "sudo") and rest and _ASSIGNMENT.match(rest[0].text):
                key, _, value = rest[0].text.partition("=")
                env[key] = value if rest[0].known else None
                rest = rest[1:]
            if not rest:
                break
            words = rest
            continue
        pair = (name, words[1].text) if len(words) > 1 else ("", "")
        if pair in _RUNNERS:
            rest = _after_options(words[2:], _RUNNERS[pair])
            if not rest:
                break
            runner += [word.text for word in words[: len(words) - len(rest)]]
            words = rest
            continue
        if name in _SHELLS and depth < 4:
            script = _script_argument(words)
            if script is not None:
                inner = Source(text=script.text, marks=((0, script.line),))
                found = split(inner, env, command.cwd, depth + 1) if script.known else ()
                return [
                    replace(
                        one,
                        runner=(*runner, *one.runner),
                        conditional=one.conditional or command.conditional,
                        arms=None if one.arms is None or command.arms is None else command.arms + one.arms,
                    )
                    for one in found
                ]
        break
    return [replace(command, words=tuple(words), env=env, runner=tuple(runner), line=words[0].line)]


def _after_options(words: list[Word], valued: frozenset[str]) -> list[Word]:
    index = 0
    while index < len(words) and words[index].text.startswith("-"):
        if words[index].text == "--":
            return words[index + 1 :]
        index += 2 if words[index].text in valued else 1
    return words[index:]


def _script_argument(words: Sequence[Word]) -> Word | None:
    """The string of `bash -c "..."` (also -lc, -ec, -exc, `-o pipefail -c`), if there is one."""
    index = 1
    while index < len(words) - 1 and words[index].text.startswith("-"):
        option = words[index].text
        if not option.startswith("--") and option.endswith("c"):
            return words[index + 1]
        index += 2 if not option.startswith("--") and option[-1] in "oO" else 1
    return None
