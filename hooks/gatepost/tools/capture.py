"""Run a tool for its output."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def capture(tool_id: str, args: Sequence[str], cwd: str) -> bytes | None:
    """The standard output of a tool, None if it is not there or fails; no time limit (a cold ruff takes seconds)."""
    import subprocess

    from gatepost.tools.run import CannotRun, executable

    try:
        done = subprocess.run([executable(tool_id, os.environ), *args], cwd=cwd, capture_output=True, check=False)
    except (CannotRun, OSError):
        return None
    return done.stdout if done.returncode == 0 else None
