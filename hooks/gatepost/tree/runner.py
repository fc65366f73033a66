"""What the runner was asked for: all files, some files, or what is staged.

A hook without `pass_filenames` is told nothing of it: PRE_COMMIT=1 is all that pre-commit 4.7 and prek 0.5 set for a
run by hand, with and without `--all-files`. The runner is our parent process, so its command line says it.
"""

from __future__ import annotations

import os
import re

ALL, SOME, STAGED, UNKNOWN = "all", "some", "staged", ""
_RUNNER = re.compile(r"(-m)?(pre[-_]commit|prek)(\.exe)?")
_OPTION_ALL = re.compile(r"--al(l(-(f(i(l(es?)?)?)?)?)?)?|-[qv]*a[aqv]*")  # argparse takes any beginning
_OPTION_SOME = re.compile(r"--files(=.*)?|--directory(=.*)?|-d")


def asked() -> str:
    """ALL, SOME (`--files`, `--directory`), STAGED, or UNKNOWN where the parent is no runner or cannot be looked at."""
    return asked_by(_parent())


def asked_by(words: list[str]) -> str:
    """The same for a command line."""
    at = next((at for at, word in enumerate(words[:4]) if _RUNNER.fullmatch(os.path.basename(word))), None)
    if at is None:
        return UNKNOWN
    options = words[at + 1 :]
    if any(_OPTION_ALL.fullmatch(word) for word in options):
        return ALL
    return SOME if any(_OPTION_SOME.fullmatch(word) for word in options) else STAGED


def _parent() -> list[str]:
    """The command line of the parent process, [] if the system does not show it (Windows, a hidden /proc)."""
    if os.name != "posix":
        return []
    if os.path.isdir("/proc/self"):
        try:
            with open(f"/proc/{os.getppid()}/cmdline", "rb") as stream:
                return [os.fsdecode(word) for word in stream.read().split(b"\0")]
        except OSError:
            return []
    from gatepost.tree.process import run

    try:  # macOS: words are parted by spaces, which is enough to find an option
        return os.fsdecode(run(["ps", "-ww", "-o", "args=", "-p", str(os.getppid())], "/", os.environ).out).split()
    except OSError:
        return []
