"""Codes that belong to no single check: settings, ignores, the files every check reads."""

from __future__ import annotations

from gatepost.model import Code

CODES: tuple[Code, ...] = (
    Code(
        id="GP101",
        name="broken-settings",
        severity="error",
        summary="The file that holds the settings of gatepost is not valid TOML.",
        why="No check can tell what was meant, so none is run; the tools that read this file stop as well.",
        bad="[tool.gatepost\nprofile = 'base'\n",
        good="[tool.gatepost]\nprofile = 'base'\n",
        fix="Mend the line that the message names.",
        unchecked=True,
    ),
    Code(
        id="GP102",
        name="ignore-without-reason",
        severity="error",
        summary="An ignore gives no reason, or no code that there is, or has no colon.",
        why="An exception that nobody can explain is never taken back. The finding stays until there is a reason.",
        bad="torch==2.9.1  # gatepost: ignore[TS121]\n",
        good="torch==2.9.1  # gatepost: ignore[TS121] mirrored in-house, reviewed 2026-11\n",
        fix="Write the code in the bracket and the reason after it (`# gatepost: ignore[TS121] why`), or the reason as `reason` of the `[[tool.gatepost.ignore]]` entry.",
    ),
    Code(
        id="GP103",
        name="unused-ignore",
        severity="warning",
        summary="An entry of `[[tool.gatepost.ignore]]`, or a comment, silences nothing.",
        why="A dead ignore hides the next real finding of that code in that place. Comments are looked at in a run "
        "over the whole repository, in the files that the code's hook reads.",
        bad='[[tool.gatepost.ignore]]\ncode = "TS209"\nreason = "GPU servers only"  # the file has no TS209 any more\n',
        good="# the entry is deleted\n",
        fix="Delete it, or move the comment to the line that the finding names (or alone on the line above).",
    ),
    Code(
        id="GP104",
        name="unreadable-file",
        severity="error",
        summary="A file is on disk and cannot be read.",
        why="Most often its permissions, or those of its folder, forbid it. Judged as empty it would pass, or look like "
        "a file without settings.",
        bad="$ chmod 000 pyproject.toml\n",
        good="$ chmod 644 pyproject.toml\n",
        fix="Make it readable: `chmod u+r FILE`, as its owner.",
        unchecked=True,
    ),
    Code(
        id="GP201",
        name="tool-failed",
        severity="error",
        summary="A tool run by gatepost reported problems.",
        why="The tool's own output, printed above, says what and where.",
        bad="import os  # unused: ruff F401\n\nprint('ready')\n",
        good="print('ready')\n",
        fix="Mend what the tool names; `gatepost TOOL` (such as `gatepost mypy`) runs it alone.",
    ),
    Code(
        id="GP202",
        name="tool-not-run",
        severity="error",
        summary="A tool could not be run.",
        why="It is not installed in the hook's environment, most often because `additional_dependencies` was "
        "overridden: that key replaces the hook's own list, it does not add to it.",
        bad="- id: mypy\n  additional_dependencies: [types-requests]\n",
        good="- id: mypy\n  additional_dependencies: ['.[mypy]', types-requests]\n",
        fix="Put the extra that the message names first in `additional_dependencies`.",
        unchecked=True,
    ),
)
