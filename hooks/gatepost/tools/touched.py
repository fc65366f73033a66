"""Which paths a run of the one id is about: those of the commit, of the range that is pushed, or all."""

from __future__ import annotations

import os

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.tree.git import Git


@record
class Scope:
    """Repository paths that a run is about, None for all: for our own checks, and for the tools (at a merge these only
    look at what is as in none of the parents). `asked`: those given by name, which alone count for a check that takes
    no file names, because it finds out by itself what is new (a file that a later commit of a push takes out again).
    `there`: those of them on disk, which are judged whether tracked or not."""

    own: frozenset[str] | None
    tools: frozenset[str] | None
    asked: frozenset[str] | None = None
    there: tuple[str, ...] = ()


def touched(git: Git) -> Scope:
    """Paths that the commit or the range touches, deletions included; outside both: the whole repository."""
    from gatepost.tree.runner import refs_of_runner

    said = refs_of_runner(os.environ)
    if said is not None:
        old, new, _remote = said  # the first push of a history: nothing is old, all is pushed
        for between in (f"{old}...{new}", f"{old}..{new}") if old else ():  # no common ancestor here: two dots
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
    else:
        return _given(git)
    return Scope(own=None, tools=None)


def _given(git: Git) -> Scope:
    """What a runner was given by name, like its other hooks; without a runner, all."""
    if "PRE_COMMIT" not in os.environ:
        return Scope(own=None, tools=None)
    from gatepost.tree.runner import named

    names = named(git.root)
    if names is None or "./" in names:
        return Scope(own=None, tools=None)
    folders = [name[:-1] for name in names if name[-1] == "/"]
    files = names - {f"{folder}/" for folder in folders}
    paths = files
    if folders:
        paths |= _split(git.run("ls-files", "-z", "--", *(f":(literal){folder}" for folder in folders)))
    return Scope(own=paths, tools=paths, there=tuple(files))


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
