"""What a check says: findings, things that could not be checked, and the edits that would mend them.

This module imports nothing of ours but `record`, and nothing heavy: it is on the path of every hook.
"""

from __future__ import annotations

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Literal, TypeAlias

    from gatepost.tree.base import Tree

    Severity: TypeAlias = Literal["error", "warning", "info"]
    Certainty: TypeAlias = Literal["exact", "heuristic"]

ERROR: Severity = "error"
WARNING: Severity = "warning"
INFO: Severity = "info"


@record
class Location:
    """Where: a POSIX path from the repository's root, a 1-based line, a key such as `project.dependencies[2]`."""

    path: str
    line: int | None = None
    key: str = ""


@record
class Edit:
    """One file before and after, as bytes; None is "no such file"."""

    path: str
    old: bytes | None
    new: bytes | None


@record
class Fix:
    """Edits that remove a finding. `safe` ones are applied by `--fix`, others only shown by `--diff`.

    `command` is for what only another tool can write: it makes the file of the finding again (`uv lock`). `--fix` runs
    it if it is one of `gatepost.tools.relock.TOOLS` and installed; never through a shell. `then` is a command that the
    user has to run after the edits (they make a lock stale): it is only named.
    """

    title: str
    edits: tuple[Edit, ...] = ()
    command: str = ""
    then: str = ""
    safe: bool = False


@record
class Finding:
    """A fault. `severity` None means the severity of its code."""

    code: str
    where: Location
    message: str
    remedy: str
    severity: Severity | None = None
    related: tuple[Location, ...] = ()
    fix: Fix | None = None


@record
class Unchecked:
    """Something seen that could not be judged, and why. Fails, unless allowed."""

    code: str
    where: Location
    message: str
    remedy: str = ""
    severity: Severity | None = None


Outcome: TypeAlias = Finding | Unchecked


@record
class Code:
    """One rule of a hook: the page that `gatepost explain` prints, and the defaults of its outcomes."""

    id: str  # "TS101"
    name: str  # "undeclared-index"
    severity: Severity
    summary: str  # one sentence: what is wrong
    why: str  # what happens because of it, with evidence
    bad: str  # the smallest example that has it
    good: str  # the same, mended
    fix: str  # what to do, with a command where there is one
    certainty: Certainty = "exact"
    safe_fix: bool = False
    unchecked: bool = False  # the code of an `Unchecked` outcome


@record
class Result:
    """An outcome with everything a reporter needs: its hook, and name and severity from its code."""

    kind: str  # "finding" | "unchecked"
    hook: str
    code: str
    name: str
    severity: Severity
    path: str
    line: int | None
    key: str
    message: str
    remedy: str
    fix: Fix | None = None

    @property
    def fixable(self) -> bool:
        """Whether `--fix` would mend it."""
        return self.fix is not None and self.fix.safe


@record
class Setting:
    """A key of `[tool.gatepost.<hook>]`.

    `kind` is one of bool, int, str, size ("500 KiB", bytes as int), strs (list of str), table (str -> str),
    sizes (str -> size), any (the hook validates it itself).
    """

    key: str
    kind: str
    default: Any
    help: str


@record
class Option:
    """A command-line option of a hook. `kind` is one of flag, str, strs (repeatable)."""

    flag: str  # "--pre-push"
    help: str
    kind: str = "flag"
    metavar: str = "VALUE"


@record
class Context:
    """All that a check may look at.

    `scope` holds the paths whose change started this run, or None for the whole repository; content always
    comes from `tree`. `settings` are the hook's own, validated, defaults filled in. `args` are its parsed
    options by name (`--pre-push` is `pre_push`). `env` is the environment that a runner sets (PRE_COMMIT_*).
    `common` holds the keys of `[tool.gatepost]` itself (profile, keep, drop...). A check that by its own choice looks
    at a part only (what a commit adds) calls `partly`: an ignore that silences nothing is then no finding.
    """

    tree: Tree
    scope: frozenset[str] | None = None
    settings: Mapping[str, Any]
    args: Mapping[str, Any]
    env: Mapping[str, str]
    common: Mapping[str, Any] = {}  # noqa: RUF012 (never written to)
    exclude: Callable[[str], bool] = lambda path: False
    partly: Callable[[], object] = lambda: None

    def wants(self, path: str) -> bool:
        """Whether a finding about `path` belongs to this run: in scope and not excluded."""
        return (self.scope is None or path in self.scope) and not self.exclude(path)


@record
class Hook:
    """One of our own checks: its manifest entry, its settings and what runs it.

    `check` and `codes` import what they need when they are called, so that a hook costs nothing until it runs; `load`
    does it for `check` beforehand, while git works.
    """

    id: str
    summary: str  # one sentence, for the manifest and the README
    check: Callable[[Context], Iterable[Outcome]]
    codes: Callable[[], tuple[Code, ...]]
    load: Callable[[], object] = lambda: None
    files: str = ""  # pre-commit's `files`, searched (not matched) against a POSIX path
    types_or: tuple[str, ...] = ()
    pass_filenames: bool = True
    always_run: bool = False
    fixer: bool = False  # reads and writes the work tree
    index_only: bool = False  # judges what git stores, whatever the work tree says
    settings: tuple[Setting, ...] = ()
    options: tuple[Option, ...] = ()
