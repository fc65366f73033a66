"""One file on disk: where it really is, its bytes, a complete new one beside it, and what is left of others'."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
TEMPORARY = r"\.(.+)\.gatepost-\d+-\d+\.tmp"  # the name of a file that is not in place yet, and its own


class WriteError(OSError):
    """A file was not written, and none of the others of its batch either; `str()` is one line."""


def target_of(root: str, path: str) -> str:
    """The real file behind a path of the project.

    Raises:
        WriteError: it is outside of the project, in its git directory, or no regular file.
    """
    top = os.path.realpath(root)
    target = os.path.realpath(os.path.join(top, *path.split("/")))
    inside = os.path.relpath(target, top).split(os.sep)
    if os.path.isabs(path) or inside[0] in ("..", os.curdir) or os.path.splitdrive(inside[0])[0]:
        raise WriteError(f"{path}: leads outside of the project, not written")
    if inside[0] == ".git":
        raise WriteError(f"{path}: leads into the git directory, not written")
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return target
    if not stat.S_ISREG(mode):
        raise WriteError(f"{path}: is not a regular file, not written")
    if not os.access(target, os.W_OK):
        raise WriteError(f"{path}: is read-only; make it writable (`chmod u+w {path}`) and run it again")
    return target


def read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def write_beside(target: str, data: bytes) -> str:
    """A complete, flushed temporary file in the folder of `target`, with its mode; its name.

    Raises:
        OSError: it could not be written in full; it is gone again.
    """
    folder, name = os.path.split(target)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    number = 0
    handle = -1
    temporary = ""
    while handle < 0:
        temporary = os.path.join(folder, f".{name}.gatepost-{os.getpid()}-{number}.tmp")
        try:
            handle = os.open(temporary, flags, 0o666)
        except FileExistsError:
            number += 1
    try:
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(handle, left) :]
            try:
                os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
            except FileNotFoundError:
                pass  # a new file gets the mode that the umask gives
            os.fsync(handle)
        finally:
            os.close(handle)
        if read(temporary) != data:
            raise OSError(f"{target}: what was written could not be read back")
    except BaseException:
        discard([temporary], [])
        raise
    return temporary


def is_temporary(path: str) -> bool:
    """Whether a path has a name as `write_all` gives it to what it has not put in place yet."""
    import re

    return re.fullmatch(TEMPORARY, path.rpartition("/")[2]) is not None


def sweep(target: str) -> None:
    """Delete the temporary files for `target` of processes that are gone."""
    folder, name = os.path.split(target)
    try:
        leaves = os.listdir(folder)
    except OSError:
        return
    for leaf in leaves:
        if leaf.startswith(f".{name}.gatepost-") and is_temporary(leaf):
            process = int(leaf.rpartition(".gatepost-")[2].partition("-")[0])
            if process != os.getpid() and not alive(process):
                discard([os.path.join(folder, leaf)], [])


def alive(process: int) -> bool:
    """Whether a process is running, as far as the system tells (it does not on Windows: then yes)."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass
    return True


def discard(temporaries: Iterable[str | None], folders: list[str]) -> None:
    for temporary in temporaries:
        if temporary is not None:
            try:
                os.unlink(temporary)
            except OSError:
                pass
    for folder in reversed(folders):
        try:
            os.rmdir(folder)
        except OSError:
            pass


def flush_folder(folder: str) -> None:
    """Make the renames durable, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    for step in (os.fsync, os.close):
        try:
            step(handle)
        except OSError:
            pass  # the files themselves are whole already


def plain(error: OSError, root: str) -> WriteError:
    if isinstance(error, WriteError):
        return error
    name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
    shown = os.path.relpath(name, os.path.realpath(root)).replace(os.sep, "/") if name else ""
    reason = error.strerror or str(error)
    folder, _, leaf = shown.rpartition("/")
    import re

    if found := re.fullmatch(TEMPORARY, leaf):  # nobody knows that one
        shown = f"{folder}/{found[1]}" if folder else found[1]
    return WriteError(f"{shown}: {reason}; nothing was written" if shown else f"{reason}; nothing was written")
