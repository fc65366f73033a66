"""The only module that writes files of a project: the old or the new file, nothing else, whatever stops it when.

Every new file is first written in full, flushed to the disk and read back under a temporary name beside its place;
only when all of them stand are they renamed over the old ones (`os.replace`, atomic by POSIX and on NTFS). A full
disk, a read-only folder or a signal during the first step changes nothing. If a rename fails after others were made,
those are put back; between two renames a kill leaves some files new and others old, each of them whole.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.model import Edit


class WriteError(OSError):
    """A file was not written, and none of the others of its batch either; `str()` is one line."""


def write_all(root: str, edits: Iterable[Edit]) -> None:
    """Make all edits below `root`, or none.

    The mode of an existing file is kept; a symbolic link stays one, and the file it leads to, if that lies in the
    project, is written. New folders are made. Nothing is written where the bytes on disk are not `edit.old`.

    Raises:
        WriteError: a file is not what the edit was made from, lies outside the project, or cannot be written.
    """
    todo: list[tuple[str, Edit, str | None]] = []  # target, edit, temporary file with the new bytes
    folders: list[str] = []
    try:
        for edit in edits:
            target = _target(root, edit.path)
            if _read(target) != edit.old:
                raise WriteError(f"{edit.path}: changed on disk meanwhile; nothing was written, run it again")
            if edit.old == edit.new:
                continue
            temporary = None
            if edit.new is not None:
                folders += _make_folder(os.path.dirname(target))
                temporary = _write_beside(target, edit.new)
            todo.append((target, edit, temporary))
    except OSError as error:
        _discard([temporary for _, _, temporary in todo], folders)
        raise _plain(error, root) from error
    except BaseException:
        _discard([temporary for _, _, temporary in todo], folders)
        raise
    done: list[tuple[str, Edit]] = []
    try:
        for target, edit, temporary in todo:
            if temporary is None:
                os.unlink(target)
            else:
                os.replace(temporary, target)
            done.append((target, edit))
    except BaseException as error:
        _undo(done)
        _discard([temporary for _, _, temporary in todo[len(done) :]], folders)
        if isinstance(error, OSError):
            raise _plain(error, root) from error
        raise
    for folder in {os.path.dirname(target) for target, _ in done}:
        _flush_folder(folder)


def write(root: str, path: str, new: bytes | None) -> None:
    """Replace one file, whatever it holds now.

    Raises:
        WriteError: see `write_all`.
    """
    from gatepost.model import Edit

    write_all(root, [Edit(path=path, old=_read(_target(root, path)), new=new)])


def _target(root: str, path: str) -> str:
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


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def _write_beside(target: str, data: bytes) -> str:
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
        if _read(temporary) != data:
            raise OSError(f"{target}: what was written could not be read back")
    except BaseException:
        _discard([temporary], [])
        raise
    return temporary


def _make_folder(folder: str) -> list[str]:
    """Make a folder and those above it; the ones that were made, the outermost first."""
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    made = []
    for each in reversed(missing):
        os.mkdir(each)
        made.append(each)
    return made


def _undo(done: list[tuple[str, Edit]]) -> None:
    """Put back what was replaced, as far as the system lets us."""
    for target, edit in reversed(done):
        try:
            if edit.old is None:
                os.unlink(target)
            else:
                os.replace(_write_beside(target, edit.old), target)
        except OSError:
            pass


def _discard(temporaries: Iterable[str | None], folders: list[str]) -> None:
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


def _flush_folder(folder: str) -> None:
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


def _plain(error: OSError, root: str) -> WriteError:
    if isinstance(error, WriteError):
        return error
    name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
    shown = os.path.relpath(name, os.path.realpath(root)).replace(os.sep, "/") if name else ""
    reason = error.strerror or str(error)
    return WriteError(f"{shown}: {reason}; nothing was written" if shown else f"{reason}; nothing was written")
