"""One file of a snapshot, and the modes that git knows."""

from __future__ import annotations

from gatepost.record import record

SYMLINK = 0o120000
GITLINK = 0o160000
REGULAR = 0o100644
EXECUTABLE = 0o100755


@record
class Entry:
    """One index or tree entry: git's mode (octal number) and object id (40 or 64 hex digits, "" if unknown)."""

    path: str
    mode: int
    oid: str
