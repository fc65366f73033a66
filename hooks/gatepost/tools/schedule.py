"""The one id: every check in one run.

Tools that write files go first, alone and in order (ruff-check, ruff-format, then sync-configs); after them the
tools that only read run as parallel child processes while our own checks run in this process. Each check prints one
block, whole, in a fixed order, and one summary line.
"""

from __future__ import annotations

import os
import sys

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from subprocess import Popen

    from gatepost.cli import Known
    from gatepost.engine import Result
    from gatepost.model import Hook
    from gatepost.settings import Settings
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
    changed: tuple[str, ...] = ()


def run_all(args: list[str]) -> int:
    """Run every check that is not skipped (GATEPOST_SKIP, `skip` in the settings).

    Returns:
        0 all passed, 1 something was found, written or could not be checked, 3 a check could not run.
    """
    from gatepost.cli import _root, _scope, load_settings, output_format, parse

    known, files = parse("gatepost", "Run every check in one go.", [], args)
    how = output_format(known)
    git = _root(os.getcwd())
    scope, _extra = _scope(git, files)
    settings, broken = load_settings(git, "gatepost")
    if broken is not None:
        from gatepost.cli import report

        report([broken], [], how)
        return 1
    skip = _skipped(settings)
    if scope is None:
        scope = _changed(git)
    run = _Run(git, settings, scope, skip, known)
    blocks = run.all()
    if how == "json":
        from gatepost.cli import report

        report([each for block in blocks for each in block.results], _paths(blocks), how)
    else:
        _print(blocks)
    return run.exit_code(blocks)


def _skipped(settings: Settings) -> frozenset[str]:
    from gatepost.cli import UsageError
    from gatepost.registry import own_ids
    from gatepost.settings import nearest
    from gatepost.tools.table import TOOLS

    known = [*own_ids(), *TOOLS]
    given = [each.strip() for each in os.environ.get("GATEPOST_SKIP", "").split(",") if each.strip()]
    for each in [*given, *settings.common["skip"]]:
        if each not in known:
            where = "GATEPOST_SKIP" if each in given else "tool.gatepost.skip"
            raise UsageError(f"{where} names no check: {each}{nearest(each, known)}")
    return frozenset([*given, *settings.common["skip"]])


def _changed(git: Git) -> frozenset[str] | None:
    """Paths that the commit or the range touches, deletions included; None outside both: the whole repository."""
    old, new = os.environ.get("PRE_COMMIT_FROM_REF"), os.environ.get("PRE_COMMIT_TO_REF")
    if old and new:
        done = git.try_run("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", f"{old}...{new}")
    elif "GIT_INDEX_FILE" in os.environ:
        base = "HEAD"
        if git.try_run("rev-parse", "--verify", "--quiet", "HEAD").rc:
            base = git.run("hash-object", "-t", "tree", os.devnull).decode().strip()
        done = git.try_run("diff-index", "--cached", "--name-only", "-z", "--no-renames", "--no-ext-diff", base)
    else:
        return None
    if done.rc:
        return None
    return frozenset(raw.decode("utf-8", "surrogateescape") for raw in done.out.split(b"\0") if raw)


class _Run:
    """One run: what is asked, and the steps in their order."""

    def __init__(
        self, git: Git, settings: Settings, scope: frozenset[str] | None, skip: frozenset[str], known: Known
    ) -> None:
        self.git = git
        self.settings = settings
        self.scope = scope
        self.skip = skip
        self.known = known
        self.could_not_run = False
        self._trees: dict[bool, Tree] = {}

    def all(self) -> list[Block]:
        from gatepost.registry import own_hook, own_ids
        from gatepost.tools.table import TOOLS

        hooks = [own_hook(each) for each in own_ids()]
        blocks: dict[str, Block] = {}
        for tool in TOOLS.values():
            if tool.fixes:
                self._progress(tool.id)
                blocks[tool.id] = self._finish(tool.id, self._start(tool.id), self._snapshot())
        for hook in hooks:
            if hook.fixer:
                self._progress(hook.id)
                blocks[hook.id] = self._own(hook)
        self._trees.clear()
        children = [(tool.id, self._start(tool.id)) for tool in TOOLS.values() if not tool.fixes]
        for hook in hooks:
            if not hook.fixer:
                self._progress(hook.id)
                blocks[hook.id] = self._own(hook)
        for tool_id, child in children:
            self._progress(tool_id)
            blocks[tool_id] = self._finish(tool_id, child, None)
        self._progress("")
        order = [*(hook.id for hook in hooks), *TOOLS]
        return [blocks[each] for each in order]

    def exit_code(self, blocks: Sequence[Block]) -> int:
        if any(block.verdict == "failed" for block in blocks):
            return 3 if self.could_not_run else 1
        return 0

    def _progress(self, name: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{name and f'gatepost: {name} ...'}")
            sys.stderr.flush()

    def _own(self, hook: Hook) -> Block:
        from gatepost.cli import _run_one, choose_tree
        from gatepost.engine import CheckError, failing
        from gatepost.report.text import render

        if hook.id in self.skip:
            return Block(id=hook.id, verdict="skipped", detail="by setting")
        disk = hook.fixer
        if disk not in self._trees:
            self._trees[disk] = choose_tree(self.git, self.known.tree, [], disk=disk)
        try:
            results, changed = _run_one(hook, self._trees[disk], self.settings, self.scope, self.known)
        except CheckError as error:
            self.could_not_run = True
            return Block(id=hook.id, verdict="failed", detail="could not run", output=f"{error}\n")
        strict = self.known.strict or self.settings.common["strict"]
        allow = self.known.allow_unchecked or self.settings.common["allow-unchecked"]
        bad = bool(changed) or failing(results, strict=strict, allow_unchecked=allow)
        return Block(
            id=hook.id,
            verdict="failed" if bad else "passed",
            detail=_counts(results, changed),
            output=render(results, changed),
            results=tuple(results),
            changed=tuple(changed),
        )

    def _files(self, tool_id: str) -> list[str]:
        """Files for a tool: those of the scope, or all tracked ones, that exist, are wanted and are not excluded."""
        from gatepost.cli import choose_tree
        from gatepost.globs import matcher
        from gatepost.tools.table import TOOLS

        if True not in self._trees:
            self._trees[True] = choose_tree(self.git, None, [], disk=True)
        tool = TOOLS[tool_id]
        exclude = matcher(self.settings.common["exclude"])
        prefix = os.path.relpath(self.git.root, os.getcwd())
        lead = "" if prefix == "." else prefix + os.sep
        return [
            lead + path
            for path in self._trees[True].paths()
            if (self.scope is None or path in self.scope)
            and (not tool.suffixes or path.endswith(tool.suffixes))
            and not exclude(path)
            and os.path.isfile(os.path.join(self.git.root, path))
            and not os.path.islink(os.path.join(self.git.root, path))
        ]

    def _start(self, tool_id: str) -> Block | Popen[bytes]:
        """A running child, or the block that says why there is none."""
        import subprocess

        from gatepost.engine import tool_result
        from gatepost.settings import validate
        from gatepost.tools.run import CannotRun, build
        from gatepost.tools.table import TOOLS

        tool = TOOLS[tool_id]
        if tool_id in self.skip:
            return Block(id=tool_id, verdict="skipped", detail="by setting")
        if tool_id == "detect-secrets" and not os.path.exists(os.path.join(self.git.root, ".secrets.baseline")):
            return Block(id=tool_id, verdict="skipped", detail="`secrets` does its work; no .secrets.baseline here")
        table = validate(tool.settings, self.settings.tables.get(tool_id, {}), f"tool.gatepost.{tool_id}.")
        files = self._files(tool_id)
        if not files:
            return Block(id=tool_id, verdict="skipped", detail="no files to check")
        options = list(table["args"])
        if tool_id == "detect-secrets" and "--baseline" not in options:
            options += ["--baseline", ".secrets.baseline"]
        try:
            command = build(tool_id, os.getcwd(), options, files if tool.pass_filenames else [], table, os.environ)
        except CannotRun as error:
            output = f"could not run: {error}\n    fix: {error.remedy}\n"
            result = tool_result("GP202", tool_id, str(error), error.remedy)
            return Block(id=tool_id, verdict="failed", detail="could not run", output=output, results=(result,))
        if command is None:
            return Block(id=tool_id, verdict="skipped", detail="no files to check")
        import tempfile

        sink = tempfile.TemporaryFile()  # a pipe would fill up and stop the child while we are busy
        child = subprocess.Popen(command.argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT)
        child.gatepost_sink = sink  # type: ignore[attr-defined]
        child.gatepost_note = command.note  # type: ignore[attr-defined]
        return child

    def _snapshot(self) -> Callable[[], list[str]]:
        before = self._dirty()
        return lambda: sorted(path for path, state in self._dirty().items() if before.get(path) != state)

    def _dirty(self) -> dict[str, tuple[int, int]]:
        """Tracked files that differ from the index, with size and time: two calls tell what a tool has written."""
        out = self.git.run("diff-files", "--name-only", "-z", "--no-ext-diff")
        found = {}
        for raw in out.split(b"\0"):
            if raw:
                path = raw.decode("utf-8", "surrogateescape")
                try:
                    stat = os.lstat(os.path.join(self.git.root, path))
                except OSError:
                    continue
                found[path] = (stat.st_size, stat.st_mtime_ns)
        return found

    def _finish(self, tool_id: str, child: Block | Popen[bytes], written: Callable[[], list[str]] | None) -> Block:
        from gatepost.engine import tool_result

        if isinstance(child, Block):
            return child
        rc = child.wait()
        sink = child.gatepost_sink  # type: ignore[attr-defined]
        sink.seek(0)
        output = sink.read().decode("utf-8", "replace")
        sink.close()
        note: str = child.gatepost_note  # type: ignore[attr-defined]
        changed = written() if written is not None else []
        if rc == 0 and not changed:
            return Block(id=tool_id, verdict="passed", detail=note)
        detail = f"{len(changed)} file{'s' * (len(changed) != 1)} written" if changed else f"exit code {rc}"
        results = []
        if rc:
            from gatepost.report.text import printable

            lines = [line for line in output.splitlines() if line.strip()]
            first = printable(lines[0].strip()) if lines else "no output"
            remedy = f"run `gatepost {tool_id}` for the whole output, and mend what it names."
            results.append(tool_result("GP201", tool_id, f"exit code {rc}: {first}", remedy))
        head = f"{note}\n" if note else ""
        return Block(
            id=tool_id,
            verdict="failed",
            detail=detail,
            output=head + output,
            results=tuple(results),
            changed=tuple(changed),
        )


def _counts(results: Sequence[Result], changed: Sequence[str]) -> str:
    counts: dict[str, int] = {}
    for each in results:
        word = "unchecked" if each.kind == "unchecked" else each.severity
        counts[word] = counts.get(word, 0) + 1
    plural = {"error": "errors", "warning": "warnings", "info": "infos", "unchecked": "unchecked"}
    parts = [f"{n} {plural[word] if n != 1 else word}" for word, n in sorted(counts.items())]
    if changed:
        parts.append(f"{len(changed)} file{'s' * (len(changed) != 1)} written")
    return ", ".join(parts)


def _paths(blocks: Sequence[Block]) -> list[str]:
    return list(dict.fromkeys(path for block in blocks for path in block.changed))


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
    sys.stdout.write("".join(out))
    sys.stdout.flush()
