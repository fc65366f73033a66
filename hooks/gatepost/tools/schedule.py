"""The one id: every check in one run.

Ruff goes first, alone and in order (ruff-check, ruff-format), as it may write files; then the tools that only read run
as child processes while our own checks run in this process. Each check prints one block, whole, in a fixed order, and
one summary line.
"""

from __future__ import annotations

import os
import re
import sys

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Any

    from gatepost.engine import Result
    from gatepost.options import Known
    from gatepost.settings import Settings
    from gatepost.tools.children import Job
    from gatepost.tree.base import Tree
    from gatepost.tree.git import Git


@record
class Block:
    """What one check has to say: a verdict for the summary line, its output, its outcomes, the files it wrote."""

    id: str
    verdict: str  # "passed" | "failed" | "skipped"
    detail: str = ""
    output: str = ""
    results: tuple[Result, ...] = ()
    changed: Mapping[str, str] = {}  # noqa: RUF012 (never written to)


@record
class Scope:
    """Repository paths that a run is about, None for all: for our own checks, and for the tools (at a merge these only
    look at what is as in none of the parents)."""

    own: frozenset[str] | None
    tools: frozenset[str] | None


def run_all(args: list[str]) -> int:
    """Run every check that is not skipped (GATEPOST_SKIP, `skip` in the settings).

    Returns:
        0 all passed, 1 something was found, written or could not be checked, 3 a check could not run.

    Raises:
        UsageError: a wrong option or value, here or in the environment.
        SettingsError: a wrong key or value in the settings; nothing has been run then.
    """
    from gatepost.options import output_format, parse
    from gatepost.registry import own_hook, own_ids
    from gatepost.run import load_settings, report
    from gatepost.view import open_git, scope_of

    known, files = parse("gatepost", "Run every check in one go.", _hooks_for_help(args), args)
    how = output_format(known)
    git = open_git(os.getcwd())
    named, _extra = scope_of(git, files)
    if "PRE_COMMIT" not in os.environ:
        os.chdir(git.root)  # by hand, from a folder below: the same as from the root
    settings, broken = load_settings(git, "gatepost")
    if broken is not None:
        report([broken], {}, how)
        return 1
    skip = _skipped(settings)
    for hook_id in own_ids():
        if hook_id not in skip:
            settings.of(own_hook(hook_id))
    run = _Run(git, settings, _changed(git) if named is None else Scope(own=named, tools=named), skip, known, how)
    blocks = run.all()
    if how == "json":
        report([each for block in blocks for each in block.results], _paths(blocks), how)
    else:
        _print(blocks)
    return run.exit_code(blocks)


def _hooks_for_help(args: Sequence[str]) -> list[Any]:
    """Our hooks, whose options the parser knows; none are needed for a command line without options."""
    if not any(word.startswith("-") for word in args):
        return []
    from gatepost.registry import own_hook, own_ids

    return [own_hook(each) for each in own_ids()]


def _skipped(settings: Settings) -> frozenset[str]:
    from gatepost.options import UsageError
    from gatepost.registry import own_ids
    from gatepost.settings import nearest
    from gatepost.tools.table import TOOLS

    known = [*own_ids(), *TOOLS]
    given = [each.strip() for each in os.environ.get("GATEPOST_SKIP", "").split(",") if each.strip()]
    for each in given:
        if each not in known:
            raise UsageError(f"GATEPOST_SKIP names no check: {each}{nearest(each, known)}")
    return frozenset([*given, *settings.common["skip"]])


def _changed(git: Git) -> Scope:
    """Paths that the commit or the range touches, deletions included; outside both: the whole repository."""
    old, new = os.environ.get("PRE_COMMIT_FROM_REF"), os.environ.get("PRE_COMMIT_TO_REF")
    if old and new:
        for between in (f"{old}...{new}", f"{old}..{new}"):  # no common ancestor in a shallow clone: two dots
            done = git.try_run("diff", *_NAMES, between, "--")
            if done.rc == 0:
                paths = _split(done.out)
                return Scope(own=paths, tools=paths)
    elif "GIT_INDEX_FILE" in os.environ or _staged_asked():
        done = git.try_run("diff-index", "--cached", *_NAMES, "HEAD", "--")
        if done.rc:  # no commit yet
            empty = git.run("hash-object", "-t", "tree", os.devnull).decode().strip()
            done = git.try_run("diff-index", "--cached", *_NAMES, empty, "--")
        if done.rc == 0:
            paths = _split(done.out)
            merged = _merged(git)
            return Scope(own=paths, tools=paths & merged if merged is not None else paths)
    return Scope(own=None, tools=None)


_NAMES = ("--name-only", "-z", "--no-renames", "--no-ext-diff")


def _staged_asked() -> bool:
    """Whether a runner was started by hand without `--all-files`: like its other hooks, only for what is staged."""
    if "PRE_COMMIT" not in os.environ:
        return False
    from gatepost.tree.runner import STAGED, asked

    return asked() == STAGED


def _split(out: bytes) -> frozenset[str]:
    return frozenset(raw.decode("utf-8", "surrogateescape") for raw in out.split(b"\0") if raw)


def _merged(git: Git) -> frozenset[str] | None:
    """While a merge is committed: what differs from the branch that is merged; else None."""
    folder = os.environ.get("GIT_DIR") or os.path.join(git.root, ".git")
    if os.path.isdir(folder) and not os.path.exists(os.path.join(folder, "MERGE_HEAD")):
        return None
    done = git.try_run("diff-index", "--cached", *_NAMES, "MERGE_HEAD", "--")
    return _split(done.out) if done.rc == 0 else None


class _Run:
    """One run: what is asked, and the steps in their order."""

    def __init__(
        self, git: Git, settings: Settings, scope: Scope, skip: frozenset[str], known: Known, how: str
    ) -> None:
        from gatepost.settings import validate
        from gatepost.tools.table import TOOLS
        from gatepost.view import prefix_of

        self.git = git
        self.settings = settings
        self.scope = scope
        self.skip = skip
        self.known = known
        self.how = how
        self.could_not_run = False
        self._trees: dict[bool, Tree] = {}
        self._listed: list[str] | None = None
        self._within = prefix_of(git.root)
        self._jobs: list[Job] = []
        self._notes: dict[str, str] = {}
        self._tables: Mapping[str, dict[str, Any]] = {
            tool.id: validate(tool.settings, settings.tables.get(tool.id, {}), f"tool.gatepost.{tool.id}.")
            for tool in TOOLS.values()
        }

    def all(self) -> list[Block]:
        """Every check's block, in the order of the report. Children are ended whatever happens."""
        restore = _on_terminate()
        try:
            return self._all()
        finally:
            for job in self._jobs:
                job.stop()
            self._progress("")
            restore()

    def _all(self) -> list[Block]:
        from gatepost.registry import own_ids
        from gatepost.tools.table import TOOLS

        blocks: dict[str, Block] = {}
        for tool in TOOLS.values():
            if tool.fixes:
                self._progress(tool.id)
                before = self._stamps(tool.id)
                blocks[tool.id] = self._finish(tool.id, self._start(tool.id), before)
        if any(block.changed for block in blocks.values()):
            self._trees.clear()
        jobs = [(tool.id, self._start(tool.id)) for tool in TOOLS.values() if not tool.fixes]
        for hook_id in own_ids():
            self._progress(hook_id)
            blocks[hook_id] = self._own(hook_id)
            for job in self._jobs:
                job.poll()
        for tool_id, job_or_block in jobs:
            self._progress(tool_id)
            blocks[tool_id] = self._finish(tool_id, job_or_block, {})
        return [blocks[each] for each in [*own_ids(), *TOOLS]]

    def exit_code(self, blocks: Sequence[Block]) -> int:
        """0 clean, 3 if a check of ours could not run, else 1."""
        if any(block.verdict == "failed" for block in blocks):
            return 3 if self.could_not_run else 1
        return 0

    def _progress(self, name: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{name and f'gatepost: {name} ...'}")
            sys.stderr.flush()

    # --- our own checks

    def _own(self, hook_id: str) -> Block:
        from gatepost.engine import failing
        from gatepost.registry import own_hook
        from gatepost.report.text import printable, render
        from gatepost.run import run_one
        from gatepost.view import choose_tree

        if hook_id in self.skip:
            return Block(id=hook_id, verdict="skipped", detail="by setting")
        try:
            hook = own_hook(hook_id)
            disk = hook.fixer or self.known.fix or self.known.diff
            if disk not in self._trees:
                self._trees[disk] = choose_tree(self.git, self.known.tree, [], disk=disk)
            results, changed = run_one(
                hook,
                self._trees[disk],
                self.settings,
                self.scope.own,
                self.known,
                lambda: choose_tree(self.git, None, [], disk=True),
            )
        except Exception as error:  # one check that breaks must not take the others' reports along
            if os.environ.get("GATEPOST_DEBUG"):
                raise
            self.could_not_run = True
            line = str(error) if type(error).__module__.startswith("gatepost.") else f"{type(error).__name__}: {error}"
            return Block(id=hook_id, verdict="failed", detail="could not run", output=f"{printable(line)}\n")
        if changed:
            self._trees.clear()
        strict = self.known.strict or self.settings.common["strict"]
        allow = self.known.allow_unchecked or self.settings.common["allow-unchecked"]
        bad = bool(changed) or failing(results, strict=strict, allow_unchecked=allow)
        return Block(
            id=hook_id,
            verdict="failed" if bad else "passed",
            detail=_counts(results, changed),
            output=render(results, changed),
            results=tuple(results),
            changed=changed,
        )

    # --- tools

    def _files(self, tool_id: str) -> list[str]:
        """Files for a tool, relative to the current folder: those of the scope, or all tracked ones below this folder,
        that are files on disk, are wanted and are not excluded."""
        from gatepost.tools.table import TOOLS

        tool = TOOLS[tool_id]
        lead = len(self._within)
        names = [path[lead:] for path in self._candidates() if not tool.suffixes or path.endswith(tool.suffixes)]
        return names if tool.suffixes else [name for name in names if _is_text(name)]

    def _touches(self, suffixes: tuple[str, ...]) -> bool:
        """Whether the scope has a path of these endings below the current folder, a deleted one as well."""
        if self.scope.own is None:
            return True
        return any(path.endswith(suffixes) and path.startswith(self._within) for path in self.scope.own)

    def _candidates(self) -> list[str]:
        """Repository paths in scope, below the current folder, not excluded, that are regular files."""
        if self._listed is None:
            from gatepost.globs import matcher
            from gatepost.view import choose_tree

            if True not in self._trees:
                self._trees[True] = choose_tree(self.git, None, [], disk=True)
            exclude = matcher(self.settings.common["exclude"])
            scope = self.scope.tools
            self._listed = [
                path
                for path in self._trees[True].paths()
                if (scope is None or path in scope)
                and path.startswith(self._within)
                and not exclude(path)
                and _is_regular(os.path.join(self.git.root, path))
            ]
        return self._listed

    def _start(self, tool_id: str) -> Block | Job:
        """A running job, or the block that says why there is none."""
        from gatepost.engine import tool_result
        from gatepost.tools.children import Job
        from gatepost.tools.command import CannotRun, safe_names
        from gatepost.tools.run import build
        from gatepost.tools.table import TOOLS

        tool = TOOLS[tool_id]
        if tool_id in self.skip:
            return Block(id=tool_id, verdict="skipped", detail="by setting")
        options = list(self._tables[tool_id]["args"])
        if tool_id == "detect-secrets" and not any(word.startswith("--baseline") for word in options):
            if not os.path.exists(".secrets.baseline"):
                return Block(id=tool_id, verdict="skipped", detail="`secrets` does its work; no .secrets.baseline here")
            options += ["--baseline", ".secrets.baseline"]
        if tool_id == "ruff-check" and self.how == "json":
            options += ["--output-format", "concise"]
        files = safe_names(self._files(tool_id)) if tool.pass_filenames else []
        if not (files if tool.pass_filenames else self._touches(tool.suffixes)):
            return Block(id=tool_id, verdict="skipped", detail="no files to check")
        try:
            command = build(tool_id, os.getcwd(), options, files, self._tables[tool_id], os.environ)
        except CannotRun as error:
            output = f"could not run: {error}\n    fix: {error.remedy}\n"
            result = tool_result("GP202", tool_id, str(error), error.remedy)
            return Block(id=tool_id, verdict="failed", detail="could not run", output=output, results=(result,))
        if command is None:
            return Block(id=tool_id, verdict="skipped", detail="no files to check")
        self._notes[tool_id] = command.note
        job = Job(command, os.environ)
        self._jobs.append(job)
        return job

    def _stamps(self, tool_id: str) -> dict[str, tuple[int, int]]:
        """Size and time of the files a tool is given: two calls tell what it has written."""
        found = {}
        for name in self._files(tool_id) if tool_id not in self.skip else ():
            try:
                stat = os.stat(name)
            except OSError:
                continue
            found[name] = (stat.st_size, stat.st_mtime_ns)
        return found

    def _finish(self, tool_id: str, job: Block | Job, before: Mapping[str, tuple[int, int]]) -> Block:
        if isinstance(job, Block):
            return job
        from gatepost.report.text import render

        rc, raw = job.wait()
        output = raw.decode("utf-8", "replace")
        note = self._notes[tool_id]
        after = self._stamps(tool_id) if before else {}
        changed = dict.fromkeys(
            sorted(self._within + name for name, now in after.items() if before.get(name) != now), ""
        )
        if rc == 0 and not changed:
            return Block(id=tool_id, verdict="passed", detail=note)
        detail = [f"exit code {rc}" if rc > 0 else f"ended by signal {-rc}"] if rc else []
        if changed:
            detail.append(f"{len(changed)} file{'s' * (len(changed) != 1)} written")
        return Block(
            id=tool_id,
            verdict="failed",
            detail=", ".join(detail),
            output=(f"{note}\n" if note else "") + output + render((), changed),
            results=tuple(_results(tool_id, rc, output, self._within)) if rc else (),
            changed=changed,
        )


def _on_terminate() -> Any:
    """Turn SIGTERM into an exception, so that the children are ended too; what restores the old state."""
    import signal

    def end(_number: int, _frame: object) -> None:
        raise SystemExit(143)

    try:
        old = signal.signal(signal.SIGTERM, end)
    except ValueError:  # not in the main thread
        return lambda: None
    return lambda: signal.signal(signal.SIGTERM, old)


_PLACE = re.compile(r"(?:\x1b\[[0-9;]*m)*(?P<path>[^\s:][^:\n]*?):(?P<line>\d+):(?:\d+:)?\s*(?P<text>\S.*)")


def _results(tool_id: str, rc: int, output: str, within: str) -> Iterable[Result]:
    """An outcome for every line of a tool that names a place, else one for the whole."""
    from gatepost.engine import tool_result
    from gatepost.record import replace
    from gatepost.report.text import printable

    remedy = f"run `gatepost {tool_id}` for the whole output, and mend what it names."
    found = []
    for line in output.splitlines():
        place = _PLACE.fullmatch(line)
        if place is not None and not place["text"].startswith("note:"):
            path = within + place["path"].replace(os.sep, "/").removeprefix("./")
            result = tool_result("GP201", tool_id, printable(place["text"]), remedy)
            found.append(replace(result, path=path, line=int(place["line"])))
    if found:
        return found
    lines = [line for line in output.splitlines() if line.strip()]
    first = printable(lines[0].strip()) if lines else "no output"
    return [tool_result("GP201", tool_id, f"exit code {rc}: {first}", remedy)]


def _is_regular(path: str) -> bool:
    import stat

    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def _is_text(path: str) -> bool:
    try:
        with open(path, "rb") as stream:
            return b"\0" not in stream.read(1024)
    except OSError:
        return False


def _counts(results: Sequence[Result], changed: Collection[str]) -> str:
    counts: dict[str, int] = {}
    for each in results:
        word = "unchecked" if each.kind == "unchecked" else each.severity
        counts[word] = counts.get(word, 0) + 1
    plural = {"error": "errors", "warning": "warnings", "info": "infos", "unchecked": "unchecked"}
    parts = [f"{n} {plural[word] if n != 1 else word}" for word, n in sorted(counts.items())]
    if changed:
        parts.append(f"{len(changed)} file{'s' * (len(changed) != 1)} written")
    return ", ".join(parts)


def _paths(blocks: Sequence[Block]) -> dict[str, str]:
    return {path: command for block in blocks for path, command in block.changed.items()}


def _print(blocks: Sequence[Block]) -> None:
    """A block for every check that has something to say, then a line for each."""
    out = []
    for block in blocks:
        if block.output.strip():
            out.append(f"--- {block.id}\n{block.output.rstrip()}\n\n")
    width = max(len(block.id) for block in blocks) + 2
    for block in blocks:
        detail = f" ({block.detail})" if block.detail else ""
        out.append(f"{block.id + ' ':.<{width + 3}} {block.verdict}{detail}\n")
    from gatepost.run import paste_note

    told = "".join(block.output for block in blocks)
    sys.stdout.write("".join(out) + paste_note(told))
    sys.stdout.flush()
