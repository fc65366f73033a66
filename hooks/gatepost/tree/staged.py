"""The index of the repository, and what is staged in it beside HEAD."""

from __future__ import annotations

import os

from gatepost.tree.attributes import begin
from gatepost.tree.background import background
from gatepost.tree.history import (
    GITLINK,
    Blob,
    Gap,
    Use,
    absent,
    folders_of,
    group,
    null,
    oids_in_history,
    oids_in_tree,
    parse_raw,
    text,
)
from gatepost.tree.peek import Peek, git_dirs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gatepost.tree.git import Git

_DIFF = ("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff")
_FEW = 200  # paths on one command line


class Index:
    """What staged and whole-tree judging share: the index of the repository."""

    def __init__(self, git: Git) -> None:
        self.peek = Peek(git)
        self.git = self.peek.git
        self._gaps: list[Gap] = []
        self._table: dict[str, tuple[str, str]] | None = None
        self._attributes: Callable[[Sequence[str]], Mapping[str, str]] | None = None
        self._filters: Mapping[str, str] | None = None

    def _listing(self) -> bytes:
        return self.git.run("ls-files", "--stage", "-z")

    def _all(self) -> dict[str, tuple[str, str]]:
        """path -> (mode, object id) of the index."""
        if self._table is None:
            self._table = {}
            for entry in text(self._listing()).split("\0"):
                head, _, path = entry.partition("\t")
                words = head.split(" ")
                if path and len(words) > 1:
                    self._table[path] = (words[0], words[1])
        return self._table

    def has(self, path: str) -> bool:
        return path in self._all()

    def all_paths(self) -> Sequence[str]:
        return list(self._all())

    def on_disk(self, paths: Sequence[str]) -> Sequence[str]:
        return [path for path in paths if os.path.lexists(os.path.join(self.git.root, path))]

    def entry(self, path: str) -> tuple[str, str] | None:
        return self._all().get(path)

    def paths(self) -> Sequence[str]:
        raise NotImplementedError

    def named(self, endings: tuple[str, ...]) -> list[str]:
        return [path for path in self.paths() if path.endswith(endings)]

    def mentions(self, part: str) -> bool:
        return any(part in path for path in self.paths())

    def folders(self) -> str:
        return folders_of(self.paths())

    def tracked(self, paths: Sequence[str]) -> set[str]:
        if self._table is None and len(paths) <= _FEW:
            return set(text(self.git.run("ls-files", "-z", "--", *paths)).split("\0")) & set(paths) if paths else set()
        return {path for path in paths if path in self._all()}

    def weights(self) -> Sequence[tuple[str, int, str]]:
        return ()

    def by_commit(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        return {}

    def is_root(self, commit: str) -> bool:
        return False

    def explain(self, blobs: Sequence[Blob]) -> list[Blob]:
        return list(blobs)

    def filters(self) -> Mapping[str, str]:
        if self._filters is None:
            self._filters = self._ask_filters()
        return self._filters

    def _ask_filters(self) -> Mapping[str, str]:
        return (self._attributes or begin(self.git))(self.paths())

    def gaps(self) -> Sequence[Gap]:
        return self._gaps


class Staged(Index):
    """What is staged, beside HEAD."""

    kind = "staged"
    label = "this commit"

    def __init__(self, git: Git) -> None:
        super().__init__(git)
        self._changes: list[tuple[str, Use, str, str]] | None = None
        self._listed: dict[str, bytes] = {}
        self._ahead = background(self.git, *_DIFF, "HEAD", "--")  # there is enough to import meanwhile
        self._blobs: list[Blob] = []

    def prepare(self) -> Staged:
        """Gets ready what judging needs, while git still looks for changes."""
        self._attributes = begin(self.git)
        return self

    def changes(self) -> list[tuple[str, Use, str, str]]:
        """(status, use, object id, "") of everything that differs from HEAD."""
        if self._changes is None:
            done = self._ahead()
            if done.rc:  # no commit yet: compare with the empty tree, whose id depends on the hash
                empty = self.git.run("hash-object", "-t", "tree", "--stdin").decode().strip()
                done = self.git.try_run(*_DIFF, empty, "--")
            if done.rc:
                self.git.run(*_DIFF, "HEAD", "--")
            self._changes = parse_raw(done.out)
        return self._changes

    def _new(self) -> list[tuple[str, Use]]:
        gone = {use.old for status, use, _oid, _commit in self.changes() if status == "D"}
        return [
            (oid, use)
            for status, use, oid, _commit in self.changes()
            if status != "D" and use.mode not in (GITLINK, "040000") and not null(oid) and oid not in gone
            if oid != use.old  # a mode change
        ]

    def blobs(self, floor: int, names: tuple[str, ...], whole: bool = False) -> list[Blob]:
        entries = self._new()
        sizes = self.peek.sizes(oid for oid, _use in entries)
        missing = sum(1 for size in sizes.values() if size is None)
        if missing:
            self._gaps.append(absent(self.git, missing))
        self._blobs = group(entries, sizes)
        return self._blobs

    def weights(self) -> Sequence[tuple[str, int, str]]:
        return [(blob.oid, blob.size, blob.path) for blob in self._blobs]

    def paths(self) -> Sequence[str]:
        return [use.path for status, use, _oid, _commit in self.changes() if status != "D" and use.mode != GITLINK]

    def entry(self, path: str) -> tuple[str, str] | None:
        if self._table is None:
            for status, use, oid, _commit in self.changes():
                if use.path == path:
                    return None if status == "D" else (use.mode, oid)
        return super().entry(path)

    def known(self, blobs: Sequence[Blob], deep: bool = True) -> set[str]:
        wanted = {blob.oid for blob in blobs}
        folder, _common = git_dirs(self.git)
        heads = ["HEAD"]
        for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"):
            try:
                with open(os.path.join(folder, name), encoding="ascii") as stream:
                    heads += stream.read().split()
            except (OSError, ValueError):
                continue
        heads += self._merged()
        found: set[str] = set()
        for rev in heads:
            if wanted - found:
                found |= oids_in_tree(self.git, rev, wanted - found, self._listed)
        left = [use.path for blob in blobs if blob.oid not in found for use in blob.uses]
        if left and deep:
            found |= wanted & oids_in_history(self.git, heads, left)
        return found

    def _merged(self) -> list[str]:
        """Heads that `git merge` is taking in right now, if a remote has them (a local branch is not yet shared)."""
        heads = [key[8:] for key in self.git.env if key.startswith("GITHEAD_")]
        shared = ("for-each-ref", "--count=1", "--format=%(refname)", "refs/remotes", "--contains")
        return [head for head in heads if self.git.try_run(*shared, head).out]
