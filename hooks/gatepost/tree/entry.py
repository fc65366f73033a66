"""One file of a snapshot, the modes that git knows, and a view that passes on what another one gives."""

from __future__ import annotations

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gatepost.tree.base import Tree
    from gatepost.tree.git import Git

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


class Through:
    """Another tree, `base`; of each file read it gives what `passed(path, bytes or None)` makes of it."""

    def __init__(self, base: Tree, passed: Callable[[str, bytes | None], bytes | None]) -> None:
        self.base = base
        self.label = base.label
        self.root = base.root
        self.git: Git | None = base.git
        self._passed = passed

    def read(self, path: str) -> bytes | None:
        return self._passed(path, self.base.read(path))

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes | None]:
        return {path: self._passed(path, data) for path, data in self.base.read_many(paths).items()}

    def paths(self) -> Sequence[str]:
        return self.base.paths()

    def entry(self, path: str) -> Entry | None:
        return self.base.entry(path)

    def size(self, path: str) -> int | None:
        return self.base.size(path)

    def status(self, path: str) -> str:
        return self.base.status(path)
