"""Run one tool of others: find it, build its command line, choose its config, hand over."""

from __future__ import annotations

import os
import sys

from gatepost.tools.command import CannotRun, Command, chunks, executable, run_command, safe_names
from gatepost.tools.table import TOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

COULD_NOT_RUN = 3


def run_tool(tool_id: str, args: list[str]) -> int:
    """The entry of a tool hook: as a rule it never returns on POSIX (the process becomes the tool).

    Returns:
        The tool's exit code; 1 if the settings cannot be read, 3 if it could not be run.

    Raises:
        SettingsError: a wrong key or value in its table.
    """
    from gatepost.run import load_settings
    from gatepost.view import open_git

    if args in (["--help"], ["-h"]):
        return _help(tool_id)
    git = open_git(os.getcwd())
    settings, broken = load_settings(git, tool_id)
    if broken is not None:
        return _cannot(tool_id, broken.message, broken.remedy)
    table = settings.table(tool_id, TOOLS[tool_id].settings)
    options, files = split_args(args, TOOLS[tool_id].values)
    try:
        command = build(tool_id, os.getcwd(), options, files, table, os.environ)
    except CannotRun as error:
        return _cannot(tool_id, str(error), error.remedy, COULD_NOT_RUN)
    if command is None:
        return 0
    if command.note:
        print(f"gatepost {tool_id}: {command.note}", flush=True)
    return run_command(command, os.environ)


def _help(tool_id: str) -> int:
    tool = TOOLS[tool_id]
    print(f"usage: gatepost {tool_id} [OPTIONS OF {tool.executable}] [FILES ...]\n\n{tool.summary}")
    for setting in tool.settings:
        print(f"  [tool.gatepost.{tool_id}] {setting.key}: {setting.help}")
    return 0


def _cannot(tool_id: str, reason: str, remedy: str, code: int = 1) -> int:
    from gatepost.report.text import printable

    print(f"gatepost {tool_id}: could not run: {printable(reason)}\n    fix: {printable(remedy)}", flush=True)
    return code


def split_args(args: Sequence[str], values: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """The hook's options, and the file names the runner has put behind them.

    The names are the longest tail of words that exist on disk: a runner always puts them last. `values` are the options
    whose value may be a file (`-c bandit.yaml`). A name with a leading dash becomes `./-name`, so that the tool cannot
    take it for an option.
    """
    words = list(args)
    at = len(words)
    while at and words[at - 1] != "--" and os.path.lexists(words[at - 1]):
        at -= 1
    if at and at < len(words) and words[at - 1] in values:
        at += 1
    options = words[:at]
    if options[-1:] == ["--"]:
        options.pop()
    return options, safe_names(words[at:])


def build(
    tool_id: str,
    cwd: str,
    options: Sequence[str],
    files: Sequence[str],
    settings: Mapping[str, Any],
    environ: Mapping[str, str],
    beside: Collection[str] = (),
) -> Command | None:
    """The command of a tool, or None when there is nothing for it to look at; `beside`: own checks of the same run.

    Raises:
        CannotRun: the tool, or what it needs, is missing.
    """
    match tool_id:
        case "ruff-check" | "ruff-format":
            from gatepost.tools import ruff

            return ruff.command(tool_id.removeprefix("ruff-"), cwd, options, files, environ)
        case "bandit":
            from gatepost.tools import bandit

            return bandit.command(cwd, options, files, environ, beside)
        case "detect-secrets":
            executable(tool_id, environ)
            if not files:
                return None
            head = (sys.executable, "-m", "gatepost.tools.detect_secrets_run", *options)
            return Command(argvs=tuple((*head, *part) for part in chunks(files, environ)))
        case "mypy":
            from gatepost.tools import mypy

            return mypy.command(cwd, options, files, settings, environ)
    raise KeyError(tool_id)


__all__ = ["CannotRun", "Command", "build", "executable", "run_tool", "split_args"]
