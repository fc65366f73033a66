"""The stages of a Dockerfile: ARG (global and per stage), ENV, WORKDIR, `FROM other`, and the commands of a RUN.

Source: Docker's Dockerfile reference, "FROM", "Environment replacement", "ARG" (scope), "RUN" (shell, exec and
here-document form). ONBUILD is left out: it runs elsewhere.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.dockerfile import Copy, Dockerfile, Stage, Step
from gatepost.manifests.dockerfile.copies import copied, mounts, path, secrets
from gatepost.manifests.dockerfile.instructions import HEREDOC, instructions
from gatepost.manifests.dockerfile.words import exec_form, flags, resolved, words
from gatepost.manifests.shell import Source
from gatepost.manifests.shell.commands import split
from gatepost.manifests.shell.expansion import expand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gatepost.manifests.dockerfile.instructions import Instruction
    from gatepost.manifests.shell import Command, Variables

MAX_SIZE = 300_000  # bytes; longer files are generated, and are not read
MAX_STEPS = 2_000  # instructions
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh"))


def parse(data: bytes, arguments: Mapping[str, str] | None = None) -> Dockerfile:
    """Read a Dockerfile; `arguments` are build arguments known from where it is built (`--build-arg`)."""
    if len(data) > MAX_SIZE or b"\0" in data:
        return Dockerfile(stages=())
    text = data.decode("utf-8", "replace").lstrip("\ufeff").replace("\r\n", "\n")
    return _File(arguments or {}).read(instructions(text))


class _File:
    """Walks the instructions, keeping the arguments before the first FROM and the stage being read."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = given
        self.globals: dict[str, str | None] = {}
        self.stages: list[Stage] = []
        self.arguments_of: list[dict[str, str | None]] = []  # what each stage had at its end
        self.open: _Stage | None = None

    def read(self, found: Iterable[Instruction]) -> Dockerfile:
        for number, instruction in enumerate(found):
            if number > MAX_STEPS:
                break
            if instruction.name == "FROM":
                self.close()
                self.start(instruction)
            elif self.open is not None:
                self.open.step(instruction)
            elif instruction.name == "ARG":
                for name, value in _pairs(instruction, self.globals):
                    self.globals[name] = self.given.get(name, value)
        self.close()
        return Dockerfile(stages=tuple(self.stages))

    def start(self, instruction: Instruction) -> None:
        options, rest = flags(instruction.body)
        found = words(rest)
        if not found:
            return
        image, known = resolved(found[0].text, self.globals)
        name = found[2].text.lower() if len(found) > 2 and found[1].text.lower() == "as" else ""
        stage = self.open = _Stage(self, instruction, name)
        parent = next((stage.index for stage in self.stages if stage.name and stage.name == image.lower()), None)
        if parent is None:
            stage.known = known and bool(image)
            stage.image = image if stage.known else ""
        else:
            stage.stand_on(self.stages[parent], self.arguments_of[parent])
        for key, value in options:
            if key == "platform":
                stage.platform = expand(value, self.globals, "")[0]

    def close(self) -> None:
        if self.open is not None:
            self.stages.append(self.open.closed(len(self.stages)))
            self.arguments_of.append(self.open.arguments)
        self.open = None


class _Stage:
    """The stage being read: its variables and directory as they are at the instruction that comes next."""

    def __init__(self, file: _File, instruction: Instruction, name: str) -> None:
        self.file = file
        self.name = name
        self.line, self.end = instruction.line, instruction.end
        self.image, self.known, self.platform = "", False, ""
        self.parent: int | None = None
        self.env: dict[str, str | None] = {}
        self.arguments: dict[str, str | None] = {}
        self.cwd: str | None = "/"
        self.steps: list[Step] = []

    def stand_on(self, base: Stage, arguments: Mapping[str, str | None]) -> None:
        """Begin with what another stage ends with: its build arguments too (Docker's "Variables", scoping)."""
        self.parent = base.index
        self.image, self.known, self.platform = base.image, base.known, base.platform
        self.env, self.arguments, self.cwd = dict(base.env), dict(arguments), base.cwd

    def closed(self, index: int) -> Stage:
        return Stage(
            index=index,
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

    def step(self, instruction: Instruction) -> None:
        self.end = instruction.end
        name = instruction.name
        known = {**self.arguments, **self.env}
        if name == "WORKDIR":
            self.cwd = path(instruction.body.text.strip().strip("\"'"), known, self.cwd)
        elif name == "ARG":
            pairs = _pairs(instruction, known)
            for key, value in pairs:
                default = self.file.globals.get(key) if value is None else value
                self.arguments[key] = self.file.given.get(key, default)
            self.add("arg", instruction, known, names=tuple(key for key, _ in pairs))
        elif name == "ENV":
            pairs = _pairs(instruction, known)
            self.env = {**self.env, **dict(pairs)}
            self.add("env", instruction, known, names=tuple(key for key, _ in pairs))
        elif name in ("COPY", "ADD"):
            copy = copied(instruction, known, self.file.globals, self.cwd)
            if copy is not None:
                self.add("copy", instruction, known, copies=(copy,))
        elif name == "RUN":
            options, rest = flags(instruction.body)
            bound = mounts(options, instruction.line, known, self.cwd)
            secret = secrets(options, known)
            commands = _commands(rest, instruction.heredocs, {**known, **secret}, self.cwd)
            self.add("run", instruction, known, copies=bound, commands=commands)
        elif name in ("CMD", "ENTRYPOINT"):
            self.add(name.lower(), instruction, known, commands=_commands(instruction.body, (), known, self.cwd))

    def add(
        self,
        kind: str,
        instruction: Instruction,
        env: Variables,
        copies: tuple[Copy, ...] = (),
        commands: tuple[Command, ...] = (),
        names: tuple[str, ...] = (),
    ) -> None:
        line, end = instruction.line, instruction.end
        self.steps.append(
            Step(kind=kind, line=line, end=end, env=env, cwd=self.cwd, copies=copies, commands=commands, names=names)
        )


def _pairs(instruction: Instruction, known: Variables) -> list[tuple[str, str | None]]:
    """`A=b C="d e"`, `A b c` (ENV's old form), `A` (ARG without a default: not known)."""
    found = words(instruction.body)
    if instruction.name == "ENV" and found and "=" not in found[0].text:
        value, good = expand(" ".join(word.text for word in found[1:]), known, "")
        return [(found[0].text, value if good else None)]
    pairs: list[tuple[str, str | None]] = []
    for word in found:
        key, equals, raw = word.text.partition("=")
        value, good = resolved(raw, known)
        pairs.append((key, value if equals and good else None))
    return pairs


def _commands(body: Source, heredocs: tuple[Source, ...], known: Variables, cwd: str | None) -> tuple[Command, ...]:
    """The commands of a RUN, CMD or ENTRYPOINT: of a shell's text, of the exec form, of here-documents for a shell."""
    if heredocs:
        rest = Source(text=HEREDOC.sub(" ", body.text), marks=body.marks)
        head = words(rest)
        if head and posixpath.basename(head[0].text) not in _SHELLS:
            return split(rest, known, cwd)
        scripts = (one for one in heredocs if not _is_foreign(one.text.split("\n", 1)[0]))
        return tuple(command for one in scripts for command in split(one, known, cwd))
    found = exec_form(body)
    if not found:
        return split(body, known, cwd)
    marks: list[tuple[int, int]] = []
    text = ""
    for word in found:
        marks.append((len(text), word.line))
        text += "'" + word.text.replace("'", "'\\''") + "' "
    return split(Source(text=text, marks=tuple(marks)), known, cwd)


def _is_foreign(first: str) -> bool:
    """Whether the first line of a script says that something other than a shell runs it."""
    return first.startswith("#!") and not re.search(r"\b(sh|bash|dash|ash|zsh)\b", first)
