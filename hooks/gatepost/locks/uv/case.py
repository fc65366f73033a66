"""What every step of the comparison looks at, and the first difference that it finds."""

from __future__ import annotations

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.locks._base import Lock
    from gatepost.locks.uv.project import Project, Workspace
    from gatepost.locks.uv.read import UvLock


class Difference(Exception):
    """The first difference."""

    def __init__(self, code: str, reason: str, path: str = "", key: str = "", relock: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason, self.path, self.key, self.relock = code, reason, path, key, relock


@record
class Case:
    """One comparison: the lock, the root manifest, the settings in force."""

    lock: Lock
    data: UvLock
    root: Project
    space: Workspace | None  # None for a script
    settings: Mapping[str, Any]
    settings_path: str
    revision: int


def members_first(space: Workspace) -> list[Project]:
    """The members, the root first."""
    rest = [member for _, member in sorted(space.members.items()) if member.path != space.root.path]
    return [space.root, *rest] if space.root.project else rest


def exists(case: Case, path: str) -> bool:
    """Whether a file is in the snapshot."""
    return case.lock.read(path) is not None
