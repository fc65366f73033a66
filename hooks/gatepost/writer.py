"""The only module that writes files of a project: the old or the new file, nothing else, whatever stops it when.

Every new file is first written in full, flushed to the disk and read back under a temporary name beside its place;
only when all of them stand are they renamed over the old ones (`os.replace`, atomic by POSIX and on NTFS). A full
disk, a read-only folder or a signal during the first step changes nothing. If a rename fails after others were made,
those are put back; a kill between two renames leaves a journal (`journal`), by which the next run makes the rest.
Temporary files of a process that is gone are swept up.
"""

from __future__ import annotations

import os

from gatepost.disk import WriteError, discard, flush_folder, plain, read, sweep, target_of, write_beside
from gatepost.journal import note, resume

__all__ = ["WriteError", "write", "write_all"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.model import Edit


def write_all(root: str, edits: Iterable[Edit]) -> None:
    """Make all edits below `root`, or none.

    The mode of an existing file is kept; a symbolic link stays one, and the file it leads to, if that lies in the
    project, is written. New folders are made. Nothing is written where the bytes on disk are not `edit.old`.

    Raises:
        WriteError: a file is not what the edit was made from, lies outside the project, or cannot be written.
    """
    resume(root)
    todo: list[tuple[str, Edit, str | None]] = []  # target, edit, temporary file with the new bytes
    folders: list[str] = []
    try:
        for edit in edits:
            target = target_of(root, edit.path)
            now = read(target)
            if now == edit.new:
                continue
            if now != edit.old:
                raise WriteError(f"{edit.path}: changed on disk meanwhile; nothing was written, run it again")
            temporary = None
            if edit.new is not None:
                sweep(target)
                folders += _make_folder(os.path.dirname(target))
                temporary = write_beside(target, edit.new)
            todo.append((target, edit, temporary))
        noted = note(root, todo) if len(todo) > 1 else ""
    except OSError as error:
        discard([temporary for _, _, temporary in todo], folders)
        raise plain(error, root) from error
    except BaseException:
        discard([temporary for _, _, temporary in todo], folders)
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
        discard([noted or None], [])
        discard([temporary for _, _, temporary in todo[len(done) :]], folders)
        if isinstance(error, OSError):
            raise plain(error, root) from error
        raise
    for folder in {os.path.dirname(target) for target, _ in done}:
        flush_folder(folder)
    discard([noted or None], [])


def write(root: str, path: str, new: bytes | None) -> None:
    """Replace one file, whatever it holds now.

    Raises:
        WriteError: see `write_all`.
    """
    from gatepost.model import Edit

    write_all(root, [Edit(path=path, old=read(target_of(root, path)), new=new)])


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
                os.replace(write_beside(target, edit.old), target)
        except OSError:
            pass
