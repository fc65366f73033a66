"""What the runner was asked for: all files, some files, or what is staged.

A hook without `pass_filenames` is told nothing of it: PRE_COMMIT=1 is all that pre-commit 4.7 and prek 0.5 set for a
run by hand, with and without `--all-files`. The runner is our parent process, so its command line says it.
"""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ALL, SOME, STAGED, UNKNOWN = "all", "some", "staged", ""
_RUNNER = r"(-m)?(pre[-_]commit|prek)(\.exe)?"
_OPTION_ALL = r"--al(l(-(f(i(l(es?)?)?)?)?)?)?|-[qv]*a[aqv]*"  # argparse takes any beginning
_OPTION_SOME = r"--files(=.*)?|--directory(=.*)?|-d"


def refs_of_runner(env: Mapping[str, str]) -> tuple[str, str, str] | None:
    """(from, to, remote) that pre-commit or prek says, "" where it says none; None outside a push or CI range. At the
    first push of a history pre-commit 4.7 says neither from nor to, prek 0.5 no from."""
    start = env.get("PRE_COMMIT_FROM_REF") or env.get("PRE_COMMIT_ORIGIN") or ""
    to = env.get("PRE_COMMIT_TO_REF") or env.get("PRE_COMMIT_SOURCE") or ""
    remote = env.get("PRE_COMMIT_REMOTE_NAME") or ""
    if not to.strip("0") and remote:
        to = env.get("PRE_COMMIT_LOCAL_BRANCH") or "HEAD"
    return (start, to, remote) if to else None


def asked() -> str:
    """ALL, SOME (`--files`, `--directory`), STAGED, or UNKNOWN where the parent is no runner or cannot be looked at."""
    return asked_by(_parent())


def asked_by(words: list[str]) -> str:
    """The same for a command line."""
    at = next((at for at, word in enumerate(words[:4]) if re.fullmatch(_RUNNER, os.path.basename(word))), None)
    if at is None:
        return UNKNOWN
    options = words[at + 1 :]
    if any(re.fullmatch(_OPTION_ALL, word) for word in options):
        return ALL
    return SOME if any(re.fullmatch(_OPTION_SOME, word) for word in options) else STAGED


def named(root: str) -> frozenset[str] | None:
    """Repository paths that `--files` and `--directory` name; None where they do not, or one of them cannot be found.
    A folder ends with a slash."""
    return named_by(_parent(), root, os.environ.get("PWD") or root)


def named_by(words: list[str], root: str, start: str) -> frozenset[str] | None:
    """The same for a command line that was given in the folder `start` (the runner itself goes to the root)."""
    if asked_by(words) != SOME:
        return None
    names: list[str] = []
    taking = ""  # the option whose values come
    for word in words:
        if re.fullmatch(_OPTION_SOME, word):
            taking, equals, value = word.partition("=")
            names += [value] if equals else []
        elif word.startswith("-"):
            taking = ""
        elif taking and word:
            names.append(word)
            taking = taking if taking == "--files" else ""  # that one takes several
    found = [_within(name, root, start) for name in names]
    return None if "" in found else frozenset(found)


def _within(name: str, root: str, start: str) -> str:
    """The path in the repository of what a runner was given by name; "" where nothing is found."""
    for folder in (start, root):
        full = os.path.normpath(os.path.join(folder, name))
        path = os.path.relpath(full, root).replace(os.sep, "/")
        if os.path.lexists(full) and path != ".." and not path.startswith("../"):
            return f"{path}/" if os.path.isdir(full) and not os.path.islink(full) else path
    return ""


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
