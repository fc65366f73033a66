"""Dockerfile -> stages of steps, every word with its line, variables resolved as BuildKit would.

Read: parser directives (`escape`), continuations with comments and empty lines inside, here-documents, ARG (global
and per stage), ENV (both forms), `${x:-y}`, stages and `FROM other`, `--platform`, WORKDIR, SHELL, COPY/ADD in both
forms with `--from`, RUN in shell, exec and here-document form with `--mount=type=bind`, ONBUILD (ignored: it runs
elsewhere). Nothing raises: what is malformed is skipped.
Source: moby/buildkit frontend/dockerfile/docs/reference.md and frontend/dockerfile/parser/parser.go (v0.12-0.2x).
"""

from __future__ import annotations

import posixpath
import re
from itertools import islice

from gatepost.manifests.shell import Command, Source, Word, lines
from gatepost.manifests.shell.commands import split
from gatepost.manifests.shell.expansion import expand
from gatepost.patterns import pattern
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_SIZE = 300_000  # bytes; longer files are generated, and are not read
MAX_STEPS = 2_000  # instructions
MAX_WORDS = 5_000  # of one instruction
MAX_HEREDOCS = 20  # of one instruction
_DIRECTIVE = pattern(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_HEREDOC = pattern(r"<<(-?)(['\"]?)([A-Za-z_][A-Za-z0-9_.]*)\2")
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh"))


@record
class Copy:
    """COPY, ADD, or a bind mount of a RUN. `source` "" is the build context, else a stage's name, number or image."""

    sources: tuple[Word, ...]
    dest: str | None  # absolute, a trailing slash kept; None is "not known"
    line: int
    source: str = ""
    inline: bool = False  # made by a here-document: not a file of the repository
    parents: bool = False
    mount: bool = False


@record
class Step:
    """One instruction that matters. `kind` is copy, run, env, arg, cmd or entrypoint."""

    kind: str
    line: int
    end: int
    env: Mapping[str, str | None]  # ENV and ARG in force before it; None: set to something not known
    cwd: str | None
    copies: tuple[Copy, ...] = ()  # COPY/ADD, or the bind mounts of a RUN
    commands: tuple[Command, ...] = ()
    names: tuple[str, ...] = ()  # variables that this ENV or ARG sets


@record
class Stage:
    """A build stage. `parent` is the index of the stage it starts from, None when `image` is a real image."""

    index: int
    name: str
    line: int
    end: int
    image: str  # after expansion: "python:3.11-slim"; "" when not known
    known: bool
    platform: str
    parent: int | None
    steps: tuple[Step, ...]
    env: Mapping[str, str | None]  # at its end
    cwd: str | None


@record
class Dockerfile:
    """All stages in order; none when the file holds no FROM."""

    stages: tuple[Stage, ...]

    def find(self, name: str) -> Stage | None:
        """The stage that `--from=NAME` (a name, case-insensitive, or a number) means."""
        for stage in reversed(self.stages):
            if stage.name and stage.name == name.lower():
                return stage
        if name.isdigit() and int(name) < len(self.stages):
            return self.stages[int(name)]
        return None

    def lineage(self, stage: Stage) -> tuple[Stage, ...]:
        """The stage and those it starts from, the first one first."""
        chain = [stage]
        while chain[0].parent is not None and len(chain) <= len(self.stages):
            chain.insert(0, self.stages[chain[0].parent])
        return tuple(chain)

    def image(self, stage: Stage) -> tuple[str, bool]:
        """The real image below a stage: (its reference, whether it is known)."""
        root = self.lineage(stage)[0]
        return root.image, root.known


@record
class _Heredoc:
    name: str
    body: Source
    expands: bool


@record
class _Instruction:
    name: str
    line: int
    end: int
    body: Source  # everything after the name, continuations joined
    heredocs: tuple[_Heredoc, ...]


def parse(data: bytes, arguments: Mapping[str, str] | None = None) -> Dockerfile:
    """Read a Dockerfile; `arguments` are build arguments known from where it is built (`--build-arg`)."""
    if len(data) > MAX_SIZE or b"\0" in data:
        return Dockerfile(stages=())
    text = data.decode("utf-8", "replace").lstrip("\ufeff").replace("\r\n", "\n")
    return _Builder(dict(arguments or {})).build(_instructions(text))


def _escape(text: str) -> str:
    """The escape character: a backslash, or what the `# escape=` directive at the top says."""
    for line in text.split("\n"):
        match = _DIRECTIVE.match(line.strip())
        if match is None:
            break
        if match[1].lower() == "escape" and match[2] in ("`", "\\"):
            return match[2]
    return "\\"


def _instructions(text: str) -> Iterator[_Instruction]:
    escape = _escape(text)
    more = re.compile(r"(?:^|(?<=[^" + re.escape(escape) + r"]))" + re.escape(escape) + r"[ \t]*$")
    rows = text.split("\n")
    index = 0
    while index < len(rows):
        stripped = rows[index].strip()
        if not stripped or stripped.startswith("#"):
            index += 1
            continue
        first = index
        pieces: list[str] = []
        marks: list[tuple[int, int]] = []
        length = 0
        while index < len(rows):
            row = rows[index]
            if index > first and (not row.strip() or row.lstrip().startswith("#")):
                index += 1
                continue
            index += 1
            cut = more.search(row)
            piece = row[: cut.start()] if cut else row
            if not pieces:
                piece = piece.lstrip()
            marks.append((length, index))
            pieces.append(piece)
            length += len(piece)
            if not cut:
                break
        joined = "".join(pieces)
        head = re.match(r"[A-Za-z]+", joined)
        if head is None:
            continue
        name = head[0].upper()
        offset = len(joined) - len(joined[head.end() :].lstrip())
        body = Source(text=joined[offset:], marks=_shifted(tuple(marks), offset))
        heredocs: list[_Heredoc] = []
        if name in ("RUN", "COPY", "ADD"):
            for match in islice(_HEREDOC.finditer(body.text), MAX_HEREDOCS):
                start = index
                while index < len(rows):
                    row = rows[index].lstrip("\t") if match[1] else rows[index]
                    index += 1
                    if row.rstrip("\r") == match[3]:
                        break
                script = "\n".join(rows[start : max(start, index - 1)]) + "\n"
                heredocs.append(_Heredoc(name=match[3], body=lines(script, start + 1), expands=not match[2]))
        yield _Instruction(name=name, line=first + 1, end=index, body=body, heredocs=tuple(heredocs))


def _shifted(marks: tuple[tuple[int, int], ...], offset: int) -> tuple[tuple[int, int], ...]:
    return tuple((max(0, start - offset), line) for start, line in marks)


class _Builder:
    """Walks the instructions, keeping the variables and the directory of the stage being read."""

    def __init__(self, given: dict[str, str]) -> None:
        self.given = given
        self.globals: dict[str, str | None] = {}
        self.stages: list[Stage] = []
        self.arguments_of: list[dict[str, str | None]] = []  # what each stage had at its end
        self.open = False

    def build(self, instructions: Iterator[_Instruction]) -> Dockerfile:
        for number, instruction in enumerate(instructions):
            if number > MAX_STEPS:
                break
            if instruction.name == "FROM":
                self.close()
                self.start(instruction)
            elif not self.open:
                if instruction.name == "ARG":
                    for name, value in self.pairs(instruction, self.globals):
                        self.globals[name] = self.given.get(name, value)
            else:
                self.end = instruction.end
                self.step(instruction)
        self.close()
        return Dockerfile(stages=tuple(self.stages))

    def start(self, instruction: _Instruction) -> None:
        flags, rest = _flags(instruction.body)
        words = _words(rest)
        if not words:
            return
        image, known = expand(words[0].text, self.globals, "")
        known = known and not any(self.globals.get(name, "") is None for name in _names(words[0].text))
        known = known and bool(image)
        name = words[2].text.lower() if len(words) > 2 and words[1].text.lower() == "as" else ""
        parent = next((stage.index for stage in self.stages if stage.name and stage.name == image.lower()), None)
        base = self.stages[parent] if parent is not None else None
        self.open = True
        self.name, self.line, self.end, self.parent = name, instruction.line, instruction.end, parent
        self.image, self.known = (base.image, base.known) if base else (image if known else "", known)
        self.platform = base.platform if base else ""
        for key, value in flags:
            if key == "platform":
                self.platform = expand(value, self.globals, "")[0]
        self.env: dict[str, str | None] = dict(base.env) if base else {}
        # A stage that stands on another has its build arguments too (Docker's documentation, "Variables", scoping).
        self.arguments: dict[str, str | None] = dict(self.arguments_of[parent]) if parent is not None else {}
        self.cwd = base.cwd if base else "/"
        self.steps: list[Step] = []

    def close(self) -> None:
        if not self.open:
            return
        self.stages.append(
            Stage(
                index=len(self.stages),
                name=self.name,
                line=self.line,
                end=self.end,
                image=self.image,
                known=self.known,
                platform=self.platform,
                parent=self.parent,
                steps=tuple(self.steps),
                env=self.env,
                cwd=self.cwd,
            )
        )
        self.arguments_of.append(self.arguments)
        self.open = False

    def variables(self) -> dict[str, str | None]:
        return {**self.arguments, **self.env}

    def step(self, instruction: _Instruction) -> None:
        name = instruction.name
        known = self.variables()
        if name == "WORKDIR":
            self.cwd = self.path(instruction.body.text.strip().strip("\"'"), known)
        elif name == "ARG":
            found = self.pairs(instruction, known)
            for key, value in found:
                default = self.globals.get(key) if value is None and key in self.globals else value
                self.arguments[key] = self.given.get(key, default)
            self.add("arg", instruction, known, names=tuple(key for key, _ in found))
        elif name == "ENV":
            found = self.pairs(instruction, known)
            self.env = {**self.env, **dict(found)}
            self.add("env", instruction, known, names=tuple(key for key, _ in found))
        elif name in ("COPY", "ADD"):
            copy = self.copy(instruction, known)
            if copy is not None:
                self.add("copy", instruction, known, copies=(copy,))
        elif name == "RUN":
            mounts, commands = self.run(instruction, known)
            self.add("run", instruction, known, copies=mounts, commands=commands)
        elif name in ("CMD", "ENTRYPOINT"):
            self.add(name.lower(), instruction, known, commands=self.shell(instruction.body, known))

    def add(
        self,
        kind: str,
        instruction: _Instruction,
        env: Mapping[str, str | None],
        copies: tuple[Copy, ...] = (),
        commands: tuple[Command, ...] = (),
        names: tuple[str, ...] = (),
    ) -> None:
        self.steps.append(
            Step(
                kind=kind,
                line=instruction.line,
                end=instruction.end,
                env=env,
                cwd=self.cwd,
                copies=copies,
                commands=commands,
                names=names,
            )
        )

    def path(self, text: str, known: Mapping[str, str | None]) -> str | None:
        """An absolute path inside the image; a trailing slash is kept, None when a part is not known."""
        value, good = expand(text, known, "")
        if not good or any(known.get(name, "") is None for name in _names(text)):
            return None
        if value.startswith("/"):
            absolute = value
        elif self.cwd is None:
            return None
        else:
            absolute = posixpath.join(self.cwd, value)
        slash = "/" if value.endswith(("/", "/.")) or value in (".", "./", "") else ""
        clean = posixpath.normpath(absolute)
        return clean if clean == "/" else clean + slash

    def pairs(self, instruction: _Instruction, known: Mapping[str, str | None]) -> list[tuple[str, str | None]]:
        """`A=b C="d e"`, `A b c` (ENV's old form), `A` (ARG without a default: not known)."""
        words = _words(instruction.body)
        if instruction.name == "ENV" and words and "=" not in words[0].text:
            value, good = expand(" ".join(word.text for word in words[1:]), known, "")
            return [(words[0].text, value if good else None)]
        found: list[tuple[str, str | None]] = []
        for word in words:
            key, equals, raw = word.text.partition("=")
            if not equals:
                found.append((key, None))
                continue
            value, good = expand(raw, known, "")
            unknown = any(known.get(name, "") is None for name in _names(raw))
            found.append((key, value if good and not unknown else None))
        return found

    def copy(self, instruction: _Instruction, known: Mapping[str, str | None]) -> Copy | None:
        flags, rest = _flags(instruction.body)
        words = _json(rest) or _words(rest)
        inline = any(word.text.startswith("<<") for word in words[:-1])
        if len(words) < 2:
            return None
        sources = []
        for word in words[:-1]:
            value, good = expand(word.text, known, "")
            good = good and not any(known.get(name, "") is None for name in _names(word.text))
            sources.append(Word(text=value, line=word.line, known=good))
        dest = self.path(words[-1].text, known)
        if dest is not None and len(sources) > 1 and not dest.endswith("/"):
            dest += "/"
        options = dict(flags)
        source, good = expand(options.get("from", ""), {**self.globals, **known}, "")
        return Copy(
            sources=tuple(sources),
            dest=dest,
            line=instruction.line,
            source=source if good else "?",
            inline=inline,
            parents="parents" in options and options["parents"] != "false",
        )

    def run(
        self, instruction: _Instruction, known: Mapping[str, str | None]
    ) -> tuple[tuple[Copy, ...], tuple[Command, ...]]:
        flags, rest = _flags(instruction.body)
        mounts = []
        for key, value in flags:
            if key == "mount":
                mount = self.mount(value, instruction.line, known)
                if mount is not None:
                    mounts.append(mount)
        if instruction.heredocs:
            head = _words(Source(text=_HEREDOC.sub(" ", rest.text), marks=rest.marks))
            shell = not head or posixpath.basename(head[0].text) in _SHELLS
            if shell:
                commands: tuple[Command, ...] = ()
                for heredoc in instruction.heredocs:
                    first = heredoc.body.text.split("\n", 1)[0]
                    if first.startswith("#!") and not re.search(r"\b(sh|bash|dash|ash|zsh)\b", first):
                        continue
                    commands += split(heredoc.body, known, self.cwd)
                return tuple(mounts), commands
            return tuple(mounts), split(Source(text=_HEREDOC.sub(" ", rest.text), marks=rest.marks), known, self.cwd)
        return tuple(mounts), self.shell(rest, known)

    def shell(self, body: Source, known: Mapping[str, str | None]) -> tuple[Command, ...]:
        words = _json(body)
        if not words:
            return split(body, known, self.cwd)
        marks: list[tuple[int, int]] = []
        text = ""
        for word in words:
            marks.append((len(text), word.line))
            text += "'" + word.text.replace("'", "'\\''") + "' "
        return split(Source(text=text, marks=tuple(marks)), known, self.cwd)

    def mount(self, value: str, line: int, known: Mapping[str, str | None]) -> Copy | None:
        """`type=bind,source=uv.lock,target=uv.lock[,from=stage]` brings a file as COPY would."""
        fields = {}
        for part in value.split(","):
            key, _, text = part.partition("=")
            fields[key.strip().lower()] = expand(text.strip(), known, "")[0]
        if fields.get("type", "bind") != "bind":
            return None
        target = fields.get("target") or fields.get("dst") or fields.get("destination")
        if not target:
            return None
        source = fields.get("source") or fields.get("src") or "."
        dest = self.path(target, known)
        return Copy(
            sources=(Word(text=source, line=line),),
            dest=dest.rstrip("/") or "/" if dest is not None else None,
            line=line,
            source=fields.get("from", ""),
            mount=True,
        )


def _names(text: str) -> list[str]:
    """Variables used plainly (`$x`, `${x}`) in a text."""
    return [one or two for one, two in re.findall(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", text)]


def _flags(body: Source) -> tuple[list[tuple[str, str]], Source]:
    """The leading `--name=value` options of an instruction, and what follows them."""
    found: list[tuple[str, str]] = []
    offset = 0
    while True:
        match = re.compile(r"\s*--([a-z][a-z-]*)(?:=(\"[^\"]*\"|'[^']*'|\S*))?(?=\s|$)").match(body.text, offset)
        if match is None:
            break
        found.append((match[1], (match[2] or "").strip("\"'")))
        offset = match.end()
    rest = body.text[offset:]
    offset += len(rest) - len(rest.lstrip())
    return found, Source(text=body.text[offset:], marks=_shifted(body.marks, offset))


def _words(body: Source) -> list[Word]:
    """Words of an instruction that is not a shell's: quotes removed, variables kept for `expand`."""
    found: list[Word] = []
    text = body.text
    index, size = 0, len(text)
    while index < size and len(found) < MAX_WORDS:
        if text[index].isspace():
            index += 1
            continue
        start, plain = index, []
        while index < size and not text[index].isspace():
            char = text[index]
            if char in "\"'":
                end = text.find(char, index + 1)
                while char == '"' and end > 0 and text[end - 1] == "\\":
                    end = text.find(char, end + 1)
                if end < 0:
                    plain.append(text[index:])
                    index = size
                    break
                plain.append(text[index + 1 : end])
                index = end + 1
            elif char == "\\" and index + 1 < size:
                plain.append(text[index + 1] if text[index + 1] in " \"'\\" else text[index : index + 2])
                index += 2
            elif text.startswith("${", index) and (end := text.find("}", index)) > 0:
                plain.append(text[index : end + 1])
                index = end + 1
            else:
                plain.append(char)
                index += 1
        found.append(Word(text="".join(plain), line=body.line(start)))
    return found


def _json(body: Source) -> list[Word]:
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
