"""Run a tool for its output."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def capture(tool_id: str, args: Sequence[str], cwd: str) -> bytes | None:
    """The standard output of a tool, None if it is not there or fails; no time limit (a cold ruff takes seconds)."""
    import subprocess

    from gatepost.tools.command import CannotRun, executable

    try:
        done = subprocess.run([executable(tool_id, os.environ), *args], cwd=cwd, capture_output=True, check=False)
    except (CannotRun, OSError):
        return None
    return done.stdout if done.returncode == 0 else None


def ruff_findings(root: str) -> dict[str, list[str]] | None:
    """path -> codes that ruff reports now; None if ruff cannot be run."""
    import json

    out = capture("ruff-check", ["check", "--output-format", "json", "--no-cache", "--exit-zero", "."], root)
    if out is None:
        return None
    try:
        rows = json.loads(out)
    except ValueError:
        return None
    found: dict[str, set[str]] = {}
    for row in rows:
        path = os.path.relpath(row["filename"], os.path.realpath(root)).replace(os.sep, "/")
        if row.get("code") and row["code"] != "invalid-syntax":
            found.setdefault(path, set()).add(row["code"])
    return {path: sorted(codes) for path, codes in sorted(found.items())}
