"""Start git and go on; take what it said when it is needed.

Input and output are anonymous files in memory (Linux), so nobody has to pump a pipe meanwhile; elsewhere git runs when
its answer is asked for.
"""

from __future__ import annotations

import os
import sys

from gatepost.tree.process import Completed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    class Repository(Protocol):
        """Where git runs, with which environment, and how it is run without a background."""

        @property
        def root(self) -> str:
            """Absolute path of the work tree."""

        @property
        def env(self) -> Mapping[str, str]:
            """The environment of git."""

        def try_run(self, *args: str, input: bytes = b"") -> Completed:
            """`git ARGS`, waited for."""


def background(git: Repository, *args: str, data: bytes = b"") -> Callable[[], Completed]:
    """`git ARGS` with `data` as its input; the result comes when it is asked for."""
    if not _can():
        return lambda: git.try_run(*args, input=data)
    source = os.memfd_create("in")
    view = memoryview(data)
    while view:
        view = view[os.write(source, view) :]
    os.lseek(source, 0, os.SEEK_SET)
    return _start(git, args, source) or (lambda: git.try_run(*args, input=data))


def waiting(git: Repository, *args: str) -> Callable[[bytes], Completed]:
    """`git ARGS` started now (it may read the index meanwhile), fed and finished when the result is called for."""
    if not _can():
        return lambda data: git.try_run(*args, input=data)
    source, feed = os.pipe()
    result = _start(git, args, source)
    if result is None:
        os.close(feed)
        return lambda data: git.try_run(*args, input=data)

    def fed(data: bytes) -> Completed:
        with open(feed, "wb", buffering=0) as stream:
            view = memoryview(data)
            try:
                while view:
                    view = view[stream.write(view) or 0 :]
            except BrokenPipeError:
                pass  # its exit code says why
        return result()

    return fed


def _can() -> bool:
    return sys.platform == "linux" and hasattr(os, "memfd_create")


def _start(git: Repository, args: Sequence[str], source: int) -> Callable[[], Completed] | None:
    """The process and its result; None if it cannot be started. Closes `source`."""
    fds = [source, *(os.memfd_create(name) for name in ("out", "err"))]
    actions = [(os.POSIX_SPAWN_DUP2, fd, at) for at, fd in enumerate(fds)]
    try:
        pid = os.posix_spawnp("git", ["git", "-C", git.root, *args], git.env, file_actions=actions)
    except OSError:
        for fd in fds:
            os.close(fd)
        return None
    os.close(source)
    done: list[Completed] = []

    def result() -> Completed:
        if not done:
            rc = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            out, err = (_content(fd) for fd in fds[1:])
            done.append(Completed(rc=rc, out=out, err=err))
        return done[0]

    return result


def _content(fd: int) -> bytes:
    """All of an anonymous file, which is closed."""
    size = os.lseek(fd, 0, os.SEEK_END)
    os.lseek(fd, 0, os.SEEK_SET)
    pieces = []
    while size > 0 and (piece := os.read(fd, size)):
        pieces.append(piece)
        size -= len(piece)
    os.close(fd)
    return b"".join(pieces)
