"""Tools as child processes that run while this process works; their output is kept, whole, until it is asked for.

`subprocess` and `tempfile` cost 8 ms each to import; on POSIX `os.posix_spawn` and a memory file do.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO

    from gatepost.tools.command import Command


class Job:
    """The command lines of one tool: one after the other (`serial`), or all at once. The first `poll` starts them."""

    def __init__(self, command: Command, environ: Mapping[str, str]) -> None:
        self._env = {**environ, **command.env}
        self._todo = list(command.argvs)
        self._serial = command.serial
        self._temporary = command.temporary
        self._running: list[_Child] = []
        self._done: list[_Child] = []

    def poll(self) -> bool:
        """Start what can be started now; whether all has ended. Never waits."""
        while True:
            for child in [each for each in self._running if each.ended(wait=False)]:
                self._running.remove(child)
            if not self._todo or (self._serial and self._running):
                return not self._running and not self._todo
            with _Held() as held:
                child = _Child(self._todo.pop(0), self._env, held.mask)
                self._running.append(child)
                self._done.append(child)

    def wait(self) -> tuple[int, bytes]:
        """Wait for the end: the largest exit code (0 all well; negative: the signal that ended a child) and the output,
        of one command line after the other."""
        try:
            while not self.poll():
                self._running[0].ended(wait=True)
            codes = [child.code for child in self._done]
            return max(codes, key=abs, default=0), b"".join(child.output() for child in self._done)
        finally:
            self.stop()

    def stop(self) -> None:
        """End what still runs, and tidy up."""
        self._todo.clear()
        for child in self._running:
            child.kill()
        self._running.clear()
        for path in self._temporary:
            try:
                os.unlink(path)
            except OSError:
                continue


class _Held:
    """Holds back SIGINT and SIGTERM: an exception between the start of a child and its place in our list would leave
    it behind. `mask` is what was held back before, which is what a child is to have."""

    def __init__(self) -> None:
        self.mask: list[int] = []

    def __enter__(self) -> _Held:
        if sys.platform != "win32":
            import signal

            self.mask = list(signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM)))
        return self

    def __exit__(self, *_: object) -> None:
        if sys.platform != "win32":
            import signal

            signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)


class _Child:
    """One process, its output going into an unnamed file; `mask`: the signals that it holds back."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], mask: Sequence[int]) -> None:
        self.code = 0
        self._over = False
        self._sink = _sink()
        fd = self._sink.fileno()
        if sys.platform == "win32" or not hasattr(os, "posix_spawn"):
            import subprocess

            self._popen = subprocess.Popen(
                list(argv), env=dict(env), stdin=subprocess.DEVNULL, stdout=fd, stderr=subprocess.STDOUT
            )
        else:
            actions = [
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, fd, 1),
                (os.POSIX_SPAWN_DUP2, fd, 2),
            ]
            try:
                self._pid = os.posix_spawn(argv[0], list(argv), dict(env), file_actions=actions, setsigmask=mask)
            except OSError as error:
                self._over, self.code = True, 126
                self._sink.write(f"{argv[0]} cannot be started: {error.strerror or error}\n".encode())

    def ended(self, *, wait: bool) -> bool:
        """Whether it has ended; with `wait` it has when this returns."""
        if self._over:
            return True
        if sys.platform == "win32" or not hasattr(os, "posix_spawn"):
            code = self._popen.wait() if wait else self._popen.poll()
            self._over = code is not None
            self.code = code or 0
            return self._over
        pid, status = os.waitpid(self._pid, 0 if wait else os.WNOHANG)
        if pid:
            self._over = True
            self.code = os.waitstatus_to_exitcode(status)
        return self._over

    def kill(self) -> None:
        """Ask it to end, and wait until it has."""
        if self._over:
            return
        if sys.platform == "win32" or not hasattr(os, "posix_spawn"):
            self._popen.terminate()
        else:
            try:
                os.kill(self._pid, 15)
            except ProcessLookupError:
                pass
        self.ended(wait=True)

    def output(self) -> bytes:
        """What it has written, stderr with stdout; once."""
        self._sink.seek(0)
        try:
            return self._sink.read()
        finally:
            self._sink.close()


def _sink() -> BinaryIO:
    if sys.platform == "linux" and hasattr(os, "memfd_create"):
        try:
            return open(os.memfd_create("gatepost"), "w+b")
        except OSError:
            pass
    import tempfile

    return tempfile.TemporaryFile()
