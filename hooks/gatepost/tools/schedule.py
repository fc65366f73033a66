"""The one id: every check in one run.

Ruff goes first, alone and in order (ruff-check, ruff-format), as it may write files; then the tools that only read run
as child processes while our own checks run in this process. Each check prints one block, whole, in a fixed order, and
one summary line.
"""

from __future__ import annotations

import os
import re
import sys

from gatepost.tools.blocks import Block, changed_by, counts, masked, print_all, results
from gatepost.tools.given import Given
from gatepost.tools.touched import Scope, touched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gatepost.options import Known
    from gatepost.settings import Settings
    from gatepost.tools.children import Job
    from gatepost.tools.command import Command
    from gatepost.tree.base import Tree
    from gatepost.tree.git import Git


def run_all(args: list[str]) -> int:
    """Run every check that is not skipped (GATEPOST_SKIP, `skip` in the settings).

    Returns:
        0 all passed, 1 something was found, written or could not be checked, 2 a setting that only its check can judge
        is wrong, 3 a check could not run.

    Raises:
        UsageError: a wrong option or value, here or in the environment.
        SettingsError: a wrong key or value in the settings; nothing has been run then.
    """
    from gatepost.options import output_format, parse, skipped
    from gatepost.registry import own_hook, own_ids
    from gatepost.run import load_settings, report
    from gatepost.view import open_git, require_view, root_note, scope_of

    known, files = parse("gatepost", "Run every check in one go.", _hooks_for_help(args), args)
    how = output_format(known)
    git = open_git(os.getcwd())
    require_view(git, known.tree)
    named, there = scope_of(git, files, known.tree)
    note = root_note(git.root)
    if "PRE_COMMIT" not in os.environ:
        os.chdir(git.root)  # by hand, from a folder below: the same as from the root
    settings, broken = load_settings(git, "gatepost")
    if broken is not None:
        report([broken], {}, how, note)
        return 1
    skip = skipped(settings)
    for hook_id in own_ids():
        if hook_id not in skip:
            settings.of(own_hook(hook_id))
    scope = touched(git) if named is None else Scope(own=named, tools=named, asked=named, there=tuple(there))
    run = _Run(git, settings, scope, skip, known, how)
    blocks = run.all()
    if how == "json":
        report([each for block in blocks for each in block.results], changed_by(blocks), how)
    else:
        print_all(blocks, note)
    return run.exit_code(blocks)


def _hooks_for_help(args: Sequence[str]) -> list[Any]:
    """Our hooks, whose options the parser knows; none are needed for a command line without options."""
    if not any(word.startswith("-") for word in args):
        return []
    from gatepost.registry import own_hook, own_ids

    return [own_hook(each) for each in own_ids()]


class _Run:
    """One run: what is asked, and the steps in their order."""

    def __init__(
        self, git: Git, settings: Settings, scope: Scope, skip: frozenset[str], known: Known, how: str
    ) -> None:
        from gatepost.tools.table import TOOLS

        self.git = git
        self.settings = settings
        self.scope = scope
        self.skip = skip
        self.known = known
        self.how = how
        self.code = 1  # of a run that fails
        self._trees: dict[bool, Tree] = {}
        self._given = Given(git, scope, settings.common["exclude"])
        self._jobs: list[Job] = []
        self._commands: dict[str, Command] = {}
        self._tables: Mapping[str, dict[str, Any]] = {
            tool.id: settings.table(tool.id, tool.settings) for tool in TOOLS.values()
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
        from gatepost.registry import own_hook, own_ids
        from gatepost.tools.table import TOOLS

        blocks: dict[str, Block] = {}
        tools = TOOLS.values()
        # With --fix the shared config is written before Ruff reads it, and all else before mypy and bandit read it.
        first = [hook_id for hook_id in own_ids() if self.known.fix and own_hook(hook_id).fixer]
        for hook_id in first:
            blocks[hook_id] = self._own(hook_id)
        for tool in tools:
            if tool.fixes:
                self._progress(tool.id)
                before = self._given.stamps(tool.id) if tool.id not in self.skip else {}
                blocks[tool.id] = self._finish(tool.id, self._start(tool.id), before)
        if any(block.changed for block in blocks.values()):
            self._trees.clear()
        left = [hook_id for hook_id in own_ids() if hook_id not in first]
        readers = [tool.id for tool in tools if not tool.fixes]
        jobs = [] if self.known.fix else [(tool_id, self._start(tool_id)) for tool_id in readers]
        for hook_id in left:
            blocks[hook_id] = self._own(hook_id)
            for job in self._jobs:
                job.poll()
        for tool_id, job_or_block in jobs or [(tool_id, self._start(tool_id)) for tool_id in readers]:
            self._progress(tool_id)
            blocks[tool_id] = self._finish(tool_id, job_or_block, {})
        return [blocks[each] for each in [*own_ids(), *TOOLS]]

    def exit_code(self, blocks: Sequence[Block]) -> int:
        """0 clean, 3 if a check of ours could not run, 2 if for a wrong setting or option of its own, else 1."""
        return self.code if any(block.verdict == "failed" for block in blocks) else 0

    def _progress(self, name: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{name and f'gatepost: {name} ...'}")
            sys.stderr.flush()

    # --- our own checks

    def _own(self, hook_id: str) -> Block:
        from gatepost.engine import failing
        from gatepost.options import UsageError
        from gatepost.registry import own_hook
        from gatepost.report.text import printable, render
        from gatepost.run import run_one
        from gatepost.settings import SettingsError
        from gatepost.view import choose_tree

        if hook_id in self.skip:
            return Block(id=hook_id, verdict="skipped", detail="by setting")
        self._progress(hook_id)
        try:
            hook = own_hook(hook_id)
            disk = hook.fixer or self.known.fix or self.known.diff
            if disk not in self._trees:
                self._trees[disk] = choose_tree(self.git, self.known.tree, self.scope.there, disk=disk)
            outcomes, changed = run_one(
                hook,
                self._trees[disk],
                self.settings,
                self.scope.own if hook.pass_filenames else self.scope.asked,
                self.known,
                lambda: choose_tree(self.git, None, self.scope.there, disk=True),
            )
        except Exception as error:  # one check that breaks must not take the others' reports along
            if os.environ.get("GATEPOST_DEBUG"):
                raise
            self.code = max(self.code, 2 if isinstance(error, (SettingsError, UsageError)) else 3)
            line = str(error) if type(error).__module__.startswith("gatepost.") else f"{type(error).__name__}: {error}"
            return Block(id=hook_id, verdict="failed", detail="could not run", output=f"{printable(line)}\n")
        if changed:
            self._trees.clear()
        strict = self.known.strict or self.settings.common["strict"]
        allow = self.known.allow_unchecked or self.settings.common["allow-unchecked"]
        bad = bool(changed) or failing(outcomes, strict=strict, allow_unchecked=allow)
        return Block(
            id=hook_id,
            verdict="failed" if bad else "passed",
            detail=counts(outcomes, changed),
            output=render(outcomes, changed),
            results=tuple(outcomes),
            changed=changed,
        )

    # --- tools

    def _start(self, tool_id: str) -> Block | Job:
        """A running job, or the block that says why there is none."""
        from gatepost.engine_outcomes import tool_result
        from gatepost.registry import own_ids
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
        files = safe_names(self._given.files(tool_id)) if tool.pass_filenames else []
        if not (files if tool.pass_filenames else self._given.touches(tool.suffixes)):
            return Block(id=tool_id, verdict="skipped", detail="no files to check")
        try:
            beside = [each for each in own_ids() if each not in self.skip]
            command = build(tool_id, os.getcwd(), options, files, self._tables[tool_id], os.environ, beside)
        except CannotRun as error:
            output = f"could not run: {error}\n    fix: {error.remedy}\n"
            result = tool_result("GP202", tool_id, str(error), error.remedy)
            return Block(id=tool_id, verdict="failed", detail="could not run", output=output, results=(result,))
        if command is None:
            return Block(id=tool_id, verdict="skipped", detail="no files to check")
        self._commands[tool_id] = command
        job = Job(command, os.environ)
        self._jobs.append(job)  # before it starts anything: what is in the list is ended whatever happens
        job.poll()
        return job

    def _finish(self, tool_id: str, job: Block | Job, before: Mapping[str, tuple[int, int]]) -> Block:
        if isinstance(job, Block):
            return job
        from gatepost.report.text import render

        rc, raw = job.wait()
        note, told, within = self._commands[tool_id].note, self._commands[tool_id].told, self._given.within
        after = self._given.stamps(tool_id) if before else {}
        changed = dict.fromkeys(sorted(within + name for name, now in after.items() if before.get(name) != now), "")
        if rc == 0 and not changed:
            return Block(id=tool_id, verdict="passed", detail=note)
        output = masked(raw).decode("utf-8", "replace")
        if told:
            output = "".join(line for line in output.splitlines(keepends=True) if not re.search(told, line))
            if rc == 1 and not output.strip():
                return Block(id=tool_id, verdict="passed", detail=note)
        detail = [f"exit code {rc}" if rc > 0 else f"ended by signal {-rc}"] if rc else []
        if changed:
            detail.append(f"{len(changed)} file{'s' * (len(changed) != 1)} written")
        return Block(
            id=tool_id,
            verdict="failed",
            detail=", ".join(detail),
            output=(f"{note}\n" if note else "") + output + render((), changed),
            results=tuple(results(tool_id, rc, output, within)) if rc else (),
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
