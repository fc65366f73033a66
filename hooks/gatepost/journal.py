"""A batch of file replacements that was interrupted, written down so that the next run can finish it.

Before the first of several files is replaced, `gatepost-unfinished` in the git directory (`.gatepost-unfinished` in the
root where that is none) says which complete new files wait beside which old ones; after the last it is deleted.
Without it a kill between two replacements would leave, say, settings that are written but not recorded as ours.
"""

from __future__ import annotations

import os

from gatepost.disk import alive, discard, flush_folder, is_temporary, plain, read, sweep, target_of, write_beside
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatepost.model import Edit

NAME = "gatepost-unfinished"


@record
class Step:
    """One replacement: paths below the root, digests of the file before and after ("" is no such file)."""

    path: str
    temporary: str  # "" for a deletion
    old: str
    new: str


@record
class Journal:
    """The steps of one process, in their order."""

    process: int
    steps: tuple[Step, ...]


def digest(data: bytes | None) -> str:
    import hashlib

    return "" if data is None else hashlib.sha256(data).hexdigest()


def dump(journal: Journal) -> bytes:
    import json

    rows = [[step.path, step.temporary, step.old, step.new] for step in journal.steps]
    return json.dumps({"process": journal.process, "steps": rows}, indent=1).encode()


def parse(data: bytes) -> Journal | None:
    """A journal, None if it is not one of ours."""
    import json

    try:
        content = json.loads(data)
        steps = tuple(
            Step(path=str(path), temporary=str(temporary), old=str(old), new=str(new))
            for path, temporary, old, new in content["steps"]
        )
        if any(step.temporary and not _beside(step.temporary, step.path) for step in steps):
            return None
        return Journal(process=int(content["process"]), steps=steps)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def place(root: str) -> str:
    """Where the journal of a project is."""
    git = os.path.join(root, ".git")
    return os.path.join(git, NAME) if os.path.isdir(git) else os.path.join(root, f".{NAME}")


def _beside(temporary: str, path: str) -> bool:
    return is_temporary(temporary) and temporary.rpartition("/")[0] == path.rpartition("/")[0]


def remaining(journal: Journal, data_of: Callable[[str], bytes | None]) -> Sequence[Step] | None:
    """The steps that are still to be made; None if somebody has worked on a file since, so that none may be."""
    left = []
    for step in journal.steps:
        now = digest(data_of(step.path))
        if now == step.new:
            continue
        if now != step.old or (step.temporary and digest(data_of(step.temporary)) != step.new):
            return None
        left.append(step)
    return left


def resume(root: str) -> list[str]:
    """Finish a batch that was interrupted; the paths of its files. [] if there is none, or a file was changed since.

    Raises:
        WriteError: a file cannot be written.
    """
    top = os.path.realpath(root)
    noted = place(top)
    if not os.path.lexists(noted):
        return []
    found = parse(read(noted) or b"")
    if found is not None and found.process != os.getpid() and alive(found.process):
        return []  # it is at work
    steps = found.steps if found is not None else ()
    left = remaining(found, lambda path: read(target_of(root, path))) if found is not None else None
    try:
        for step in left or ():
            if step.temporary:
                os.replace(target_of(root, step.temporary), target_of(root, step.path))
            else:
                os.unlink(target_of(root, step.path))
    except OSError as error:
        raise plain(error, root) from error
    discard([target_of(root, step.temporary) for step in steps if step.temporary], [])
    discard([noted], [])
    return [step.path for step in steps] if left is not None else []


def note(root: str, todo: Sequence[tuple[str, Edit, str | None]]) -> str:
    """Write the journal of a batch; its name.

    Raises:
        OSError: it could not be written.
    """
    top = os.path.realpath(root)

    def below(path: str) -> str:
        return os.path.relpath(path, top).replace(os.sep, "/")

    steps = tuple(
        Step(
            path=below(target),
            temporary=below(temporary) if temporary is not None else "",
            old=digest(edit.old),
            new=digest(edit.new),
        )
        for target, edit, temporary in todo
    )
    noted = place(top)
    sweep(noted)
    for folder in {os.path.dirname(target) for target, _, _ in todo}:
        flush_folder(folder)
    os.replace(write_beside(noted, dump(Journal(process=os.getpid(), steps=steps))), noted)
    flush_folder(os.path.dirname(noted))
    return noted
