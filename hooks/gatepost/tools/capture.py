"""Run a tool for its output."""

from __future__ import annotations

import os

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


@record
class Trial:
    """How a tool ended: its largest exit code, and what it wrote."""

    rc: int
    output: str


def trial(tool_id: str, root: str, options: Sequence[str] = ()) -> Trial | None:
    """Run a tool as the `gatepost` hook does over all tracked files; None if it has nothing to look at.

    Raises:
        CannotRun: the tool, or what it needs, is not there.
        SettingsError: a wrong key or value in its table.
        OSError: it could not be started.
    """
    import subprocess

    from gatepost.settings import read_settings
    from gatepost.sync.project import Disk
    from gatepost.tools.command import safe_names, tracked
    from gatepost.tools.run import build
    from gatepost.tools.table import TOOLS, known_ids
    from gatepost.tree.git import Git

    tool = TOOLS[tool_id]
    settings = read_settings(Disk(root).read, known_ids)
    table = settings.table(tool_id, tool.settings)
    names = tracked(Git(root), *(f"*{each}" for each in tool.suffixes))
    names = [name for name in names if os.path.isfile(os.path.join(root, name))]
    if not names:
        return None
    files = safe_names(names) if tool.pass_filenames else []
    command = build(tool_id, root, [*options, *table["args"]], files, table, os.environ)
    if command is None:
        return None
    codes, output = [0], []
    try:
        for argv in command.argvs:
            done = subprocess.run(
                argv,
                cwd=root,
                env={**os.environ, **command.env},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            codes.append(abs(done.returncode))
            output.append(done.stdout.decode("utf-8", "replace"))
    finally:
        for path in command.temporary:
            os.unlink(path)
    return Trial(rc=max(codes), output="".join(output))


def capture(tool_id: str, args: Sequence[str], cwd: str) -> bytes | None:
    """The standard output of a tool, None if it is not there or fails; no time limit (a cold ruff takes seconds)."""
    import subprocess

    from gatepost.tools.command import CannotRun, executable

    try:
        done = subprocess.run([executable(tool_id, os.environ), *args], cwd=cwd, capture_output=True, check=False)
    except (CannotRun, OSError):
        return None
    return done.stdout if done.returncode == 0 else None


@record
class Found:
    """What ruff reports: path -> codes, how many findings, how many of them have a safe fix."""

    codes: dict[str, list[str]]
    count: int = 0
    safe: int = 0


def ruff_findings(root: str) -> Found | None:
    """What ruff reports now; None if it cannot be run."""
    import json

    out = capture("ruff-check", ["check", "--output-format", "json", "--no-cache", "--exit-zero", "."], root)
    if out is None:
        return None
    try:
        rows = json.loads(out)
    except ValueError:
        return None
    found: dict[str, set[str]] = {}
    count = safe = 0
    for row in rows:
        path = os.path.relpath(row["filename"], os.path.realpath(root)).replace(os.sep, "/")
        if row.get("code") and row["code"] != "invalid-syntax":
            found.setdefault(path, set()).add(row["code"])
            count += 1
            safe += (row.get("fix") or {}).get("applicability") == "safe"
    return Found(codes={path: sorted(codes) for path, codes in sorted(found.items())}, count=count, safe=safe)
