"""Which blobs are new: what a commit, a push or a range of commits would add to history, or all that is tracked.

New is a blob, not a path: a rename, a mode change or a copy of a blob that history already holds costs nothing, and
a checkpoint rotation that rename detection would call `R070` costs every byte. So renames are never detected, and
object ids are compared.

Facts (git 2.39): `git commit PATH` points GIT_INDEX_FILE at a temporary index; at pre-merge-commit MERGE_HEAD does not
exist yet, but git sets GITHEAD_<oid>; runners set PRE_COMMIT_FROM_REF and _TO_REF at a push, but only
PRE_COMMIT_LOCAL_BRANCH when the push holds a root commit; a URL is a legal remote "name"; `rev-list --objects` cuts a
name at a newline and lists a blob once, which is why paths are looked up again with `diff-tree -z`.
"""

from __future__ import annotations

import os

from gatepost.record import record
from gatepost.tree.peek import Peek, background, git_dirs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Protocol

    from gatepost.tree.git import Git
    from gatepost.tree.process import Completed

    class Peeking(Protocol):
        """Looks at blobs by object id; see `gatepost.tree.peek`."""

        def sizes(self, oids: Iterable[str]) -> dict[str, int | None]: ...

        def heads(self, oids: Iterable[str]) -> dict[str, bytes]: ...

        def whole(self, oids: Sequence[str]) -> dict[str, bytes]: ...

        def tail(self, oid: str) -> bytes: ...

        def read(self, oid: str, limit: int) -> bytes: ...

    class Source(Protocol):
        """Where new blobs come from. `kind` is "staged", "tree" (all that is tracked) or "range" (commits)."""

        kind: str
        label: str  # "this commit", "this push", "main..HEAD", "the index"

        @property
        def peek(self) -> Peeking: ...

        def blobs(self, floor: int, names: tuple[str, ...], whole: bool = False) -> list[Blob]:
            """New blobs of at least `floor` bytes or with a path that ends in one of `names` (lower case).

            With `whole`, every new blob. The uses of a blob in a range are known only after `explain`.
            """

        def weights(self) -> Sequence[tuple[str, int, str]]:
            """(object id, bytes, a path) of every new blob; asked after `blobs`. Nothing for a whole tree."""

        def by_commit(self) -> Mapping[str, Sequence[tuple[str, str]]]:
            """commit -> (object id, path) of the new blobs it is the first to bring in ("range" only)."""

        def explain(self, blobs: Sequence[Blob]) -> list[Blob]:
            """The same blobs with every path and commit that brings them in."""

        def paths(self) -> Sequence[str]:
            """Paths that change ("tree": all tracked paths)."""

        def named(self, endings: tuple[str, ...]) -> list[str]:
            """Those of `paths` that end in one of these (case counts)."""

        def mentions(self, part: str) -> bool:
            """Whether one of `paths` may hold this text."""

        def folders(self) -> str:
            """The folders of `paths`, each once, one a line, with a slash behind."""

        def all_paths(self) -> Sequence[str]:
            """Every path of the snapshot that results."""

        def on_disk(self, paths: Sequence[str]) -> Sequence[str]:
            """A cheap first sieve for `tracked`: those that the work tree has, or all of them."""

        def has(self, path: str) -> bool:
            """Whether the snapshot that results holds this path."""

        def tracked(self, paths: Sequence[str]) -> set[str]:
            """Those of a few paths that the snapshot holds."""

        def entry(self, path: str) -> tuple[str, str] | None:
            """(mode, object id) of a path in the snapshot that results."""

        def filters(self) -> Mapping[str, str]:
            """The `filter` attribute of each of `paths` that has one, by the .gitattributes of that snapshot."""

        def known(self, blobs: Sequence[Blob], deep: bool = True) -> set[str]:
            """Ids of those blobs that history already holds; without `deep`, only what its newest commits hold.

            `deep` walks the history of the blobs' paths, which can take seconds in a repository with a long one.
            """

        def gaps(self) -> Sequence[Gap]:
            """What could not be seen; asked after `blobs`."""


GITLINK = "160000"
SYMLINK = "120000"
_LIST = ("ls-files", "--stage", "-z")
_SIZES = ("cat-file", "--batch-check=%(objectsize)", "--buffer")
_DIFF = ("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff")
_ATTRIBUTES = ("check-attr", "--cached", "-z", "--stdin", "filter")
_FEW = 200  # paths on one command line


@record
class Use:
    """A path at which a blob comes in; `old` is the id of the blob before it ("" if new), `commit` the full id."""

    path: str
    mode: str
    old: str = ""
    commit: str = ""


@record
class Blob:
    """New content: object id, bytes, and where it is used (at least one)."""

    oid: str
    size: int
    uses: tuple[Use, ...]

    @property
    def path(self) -> str:
        return self.uses[0].path


@record
class Gap:
    """Something out of sight: "partial" (blobs not in this clone), "shallow" (history cut off), "ref" (no such ref)."""

    what: str
    detail: str
    count: int = 0


def text(raw: bytes) -> str:
    """A name as git gave it, undecodable bytes as surrogates."""
    return raw.decode("utf-8", "surrogateescape")


def null(oid: str) -> bool:
    """Whether an object id is all zeros, of whatever length."""
    return not oid.strip("0")


def parse_raw(raw: bytes) -> list[tuple[str, Use, str, str]]:
    """(status letter, use, new id, commit) of `diff-index`/`diff-tree` output in `--raw -z` form.

    A combined entry of a merge ("::" and one mode and id per parent) counts as new against its first parent.
    """
    found = []
    commit = ""
    fields = iter(raw.split(b"\0"))
    for field in fields:
        if not field:
            continue
        if field[:1] != b":":
            commit = field.decode("ascii", "replace").strip()
            continue
        words = field.decode("ascii", "replace").lstrip(":").split(" ")
        parents = len(field) - len(field.lstrip(b":"))
        path = text(next(fields, b""))
        old, new, status = words[parents + 1], words[2 * parents + 1], words[-1]
        use = Use(path=path, mode=words[parents], old="" if null(old) else old, commit=commit)
        found.append((status[:1], use, new, commit))
    return found


def group(entries: Iterable[tuple[str, Use]], sizes: Mapping[str, int | None]) -> list[Blob]:
    """(object id, use) pairs as blobs, in order of first appearance; those without a size are left out."""
    uses: dict[str, list[Use]] = {}
    for oid, use in entries:
        uses.setdefault(oid, []).append(use)
    return [
        Blob(oid=oid, size=size, uses=tuple(dict.fromkeys(each)))
        for oid, each in uses.items()
        if (size := sizes.get(oid)) is not None
    ]


def attributes(done: Completed) -> dict[str, str]:
    """path -> value of `check-attr -z` output for one attribute, unspecified ones left out."""
    fields = done.out.split(b"\0") if done.rc == 0 else []
    return {
        text(fields[at]): value
        for at in range(0, len(fields) - 2, 3)
        if (value := text(fields[at + 2])) not in ("unspecified", "unset")
    }


def path_input(paths: Iterable[str]) -> bytes:
    """Paths as NUL-terminated input of git."""
    return b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in paths)


def folders_of(paths: Iterable[str]) -> str:
    """The folders of some paths, each once, one a line, with a slash behind."""
    return "".join(f"{folder}/\n" for folder in dict.fromkeys(path.rpartition("/")[0] for path in paths) if folder)


def oids_in_history(git: Git, revs: Sequence[str], paths: Sequence[str]) -> set[str]:
    """Ids that these paths have had in the history of `revs` (empty where history cannot be walked)."""
    paths = [path for path in paths if path]
    if not revs or not paths:
        return set()
    commits = git.try_run("rev-list", *revs, "--", *paths)
    if commits.rc or not commits.out:
        return set()
    flags = ("--stdin", "-r", "-z", "-m", "--root", "--raw", "--no-renames", "--no-abbrev")
    done = git.try_run("diff-tree", *flags, "--", *paths, input=commits.out)
    return {new for _status, _use, new, _commit in parse_raw(done.out)} if done.rc == 0 else set()


def oids_in_tree(git: Git, rev: str, wanted: set[str], listed: dict[str, bytes]) -> set[str]:
    """Those of `wanted` that are somewhere in the tree of `rev`; `listed` remembers trees that were listed."""
    if rev not in listed:
        done = git.try_run("ls-tree", "-r", "-z", "--full-tree", rev)
        listed[rev] = b"" if done.rc else done.out
    if len(wanted) < 20:
        return {oid for oid in wanted if oid.encode() + b"\t" in listed[rev]}
    here = {entry.partition(b"\t")[0][12:] for entry in listed[rev].split(b"\0")}
    return {oid for oid in wanted if oid.encode() in here}


class Index:
    """What staged and whole-tree judging share: the index of the repository."""

    def __init__(self, git: Git) -> None:
        self.peek = Peek(git)
        self.git = self.peek.git
        self._gaps: list[Gap] = []
        self._table: dict[str, tuple[str, str]] | None = None
        self._attributes: Callable[[], Completed] | None = None

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

    def explain(self, blobs: Sequence[Blob]) -> list[Blob]:
        return list(blobs)

    def filters(self) -> Mapping[str, str]:
        if not self._has_attributes() or not self.paths():
            return {}
        if self._attributes is None:
            self._attributes = background(self.git, *_ATTRIBUTES, data=path_input(self.paths()))
        return attributes(self._attributes())

    def _has_attributes(self) -> bool:
        """Whether there can be any: a .gitattributes in the index, the repository's own file, or the user's."""
        return True

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
            if self.paths():
                self._attributes = background(self.git, *_ATTRIBUTES, data=path_input(self.paths()))
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
            self._gaps.append(Gap(what="partial", detail="staged", count=missing))
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


class Whole(Index):
    """All that is tracked: in the index, or in the tree of `rev`."""

    kind = "tree"
    label = "the index"

    def __init__(self, git: Git, rev: str = "") -> None:
        super().__init__(git)
        self._rev = rev
        if not rev:
            self._ahead = background(self.git, *_LIST)
        self._raw = b""
        self._lines: list[bytes] = []
        self._paths: list[str] = []
        self._folders = ""

    def _listing(self) -> bytes:
        if self._raw:
            return self._raw
        if self._rev:
            out = self.git.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", self._rev)
            # "<mode> <type> <id>\t<path>" as ls-files would print it
            self._raw = b"".join(
                line[:7] + line[line.index(b" ", 7) + 1 :].replace(b"\t", b" 0\t", 1) + b"\0"
                for line in out.split(b"\0")
                if line
            )
            return self._raw
        done = self._ahead()
        self._raw = self.git.run(*_LIST) if done.rc else done.out
        return self._raw

    def lines(self) -> list[bytes]:
        """Index entries as git prints them, submodules and sparse directories left out."""
        if not self._lines:
            raw = self._listing()
            lines = raw.split(b"\0")
            lines.pop()
            if b"\x00160000 " in raw or raw.startswith(b"160000 "):
                lines = [line for line in lines if not line.startswith(b"160000 ")]
            self._lines = lines
        return self._lines

    def blobs(self, floor: int, names: tuple[str, ...], whole: bool = False) -> list[Blob]:
        lines = self.lines()
        if not lines:
            return []
        width = lines[0].index(b" ", 7)
        asked = self._measure([line[7:width] for line in lines])
        picked = set(range(len(lines))) if whole else set(self._ending(names))
        self._folders = self.folders()  # while git is busy
        sizes = asked()
        if not whole and max(sizes) >= floor:
            picked.update(at for at, size in enumerate(sizes) if size >= floor)
        entries, known = [], {}
        for at in sorted(picked):
            if sizes[at] >= 0:
                oid = lines[at][7:width].decode("ascii")
                known[oid] = sizes[at]
                entries.append((oid, Use(path=text(lines[at][width + 3 :]), mode=lines[at][:6].decode("ascii"))))
        return group(entries, known)

    def _ending(self, names: tuple[str, ...]) -> list[int]:
        """Numbers of the lines that end in one of `names`, in any case; most repositories have none."""
        wanted = tuple(name.encode() for name in names)
        ends = tuple({name[-4:] for name in wanted})
        if not any(last.lower().endswith(ends) for last in {line[-4:] for line in self.lines()}):
            return []
        return [at for at, line in enumerate(self.lines()) if line.lower().endswith(wanted)]

    def _measure(self, oids: list[bytes]) -> Callable[[], list[int]]:
        """Starts to ask for the bytes of each object; -1 where it is not in this clone (a partial one)."""
        ask = background(self.git, *_SIZES, data=b"\n".join(oids) + b"\n")

        def answer() -> list[int]:
            done = ask()
            if done.rc == 0 and b"missing" not in done.out:
                return list(map(int, done.out.split()))
            return self._measure_some(oids)

        return answer

    def _measure_some(self, oids: list[bytes]) -> list[int]:
        found = self.peek.types([oid.decode("ascii") for oid in oids])
        missing = len({oid for oid, each in zip(oids, found, strict=True) if each is None})
        if missing:
            self._gaps.append(Gap(what="partial", detail="tracked", count=missing))
        return [-1 if each is None else each[1] for each in found]

    def paths(self) -> Sequence[str]:
        if not self._paths and self.lines():
            start = self.lines()[0].index(b" ", 7) + 3
            self._paths = [line[start:] for line in text(b"\0".join(self.lines())).split("\0")]
        return self._paths

    def named(self, endings: tuple[str, ...]) -> list[str]:
        raw = self._listing()
        if not any(ending.encode() + b"\0" in raw for ending in endings):
            return []
        return super().named(endings)

    def mentions(self, part: str) -> bool:
        return part.encode() in self._listing()

    def folders(self) -> str:
        if self._folders:
            return self._folders
        start = self.lines()[0].index(b" ", 7) + 3 if self.lines() else 0
        found = {line[start : line.rfind(b"/") + 1] for line in self.lines()}
        return text(b"\n".join(found))

    def _has_attributes(self) -> bool:
        if b".gitattributes\0" in self._listing():
            return True
        home = self.git.env.get("HOME", "")
        config = self.git.env.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        places = (os.path.join(config, "git", "attributes"), "/etc/gitattributes")
        own = os.path.join(git_dirs(self.git)[1], "info", "attributes")
        return any(os.path.exists(place) for place in (own, *places))

    def known(self, blobs: Sequence[Blob], deep: bool = True) -> set[str]:
        return set()
