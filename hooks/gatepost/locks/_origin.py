"""Where an export was made: the directory from which its header's `--output-file` leads to the file itself.

Source: `uv export` writes its own arguments into the header; `--output-file` is relative to the working directory,
which `--directory` changes before anything is read, and `--project` does not (uv 0.2 to 0.9, `uv export --help`).
"""

from __future__ import annotations

import re

from gatepost.locks._compiled import join
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.locks._base import Lock

_VALUE = r"(?:[ =]|(?<=-o))(?:'([^']*)'|\"([^\"]*)\"|([^\s'\"]\S*))"
_OUTPUT = re.compile(r"(?<= )(?:-o|--output-file)" + _VALUE)
_PROJECT = re.compile(r" --project" + _VALUE)
_DIRECTORY = re.compile(r" --directory" + _VALUE)


@record
class Origin:
    """A project that may have been exported. Directories are POSIX paths from the repository's root."""

    directory: str  # where `command` makes this very file
    project: str  # holds the pyproject.toml
    source: str  # the lock of that project, beside it or above
    command: str


def origins(lock: Lock, command: str, name: str = "uv.lock") -> list[Origin]:
    """Every project of the snapshot that the header fits; a lock beside a project wins over one of a workspace."""
    output = _value(_OUTPUT, command)
    if not output or output.startswith("/") or ":" in output:
        return []
    project = _value(_PROJECT, command)
    shown = _DIRECTORY.sub("", command)
    homes = {path.rpartition("/")[0] for path in lock.paths() if path.rpartition("/")[2] in (name, "pyproject.toml")}
    found = []
    for home in sorted(homes):
        directory = _before(home, project)
        if directory is None or join(directory, output) != lock.path:
            continue
        if source := above(lock, home, name):
            found.append(Origin(directory=directory, project=home, source=source, command=shown))
    return [one for one in found if one.source == join(one.project, name)] or found


def above(lock: Lock, directory: str, name: str) -> str:
    """The file of that name in a directory or the nearest one above it, "" if there is none."""
    while True:
        path = join(directory, name)
        if lock.read(path) is not None:
            return path
        if not directory:
            return ""
        directory = directory.rpartition("/")[0]


def others(lock: Lock, name: str, source: str) -> Iterator[str]:
    """The other locks of that name in the snapshot, by path."""
    for path in lock.paths():
        if path.rpartition("/")[2] == name and path != source:
            yield path


def _before(home: str, project: str) -> str | None:
    """The directory from which `--project` leads to `home`; None if none does, or more than one may."""
    tail = join("", project)
    if not tail:
        return home if not project.startswith(("/", "..")) else None
    if home == tail:
        return ""
    return home[: -len(tail) - 1] if home.endswith(f"/{tail}") else None


def _value(option: re.Pattern[str], command: str) -> str:
    found = option.search(command)
    return next((text for text in found.groups() if text), "") if found is not None else ""
