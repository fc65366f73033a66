"""Dockerfile -> stages of steps, every word with its line: here the values, beside it their readers.

`instructions` joins the lines of a file, `words` takes an instruction apart, `copies` reads what brings files in,
`stages` keeps variables and directory as BuildKit would. Nothing raises: what is malformed is skipped.
Source: moby/buildkit frontend/dockerfile/docs/reference.md and frontend/dockerfile/parser/parser.go (v0.12-0.2x).
"""

from __future__ import annotations

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatepost.manifests.shell import Command, Word


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
