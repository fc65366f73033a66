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

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Protocol

    from gatepost.tree.git import Git

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

        def is_root(self, commit: str) -> bool:
            """Whether a commit has no parent (here)."""

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
    """Something out of sight: "partial" (blobs not in this clone), "broken" (objects that should be and cannot be read),
    "shallow" (history cut off), "ref" (no such ref)."""

    what: str
    detail: str
    count: int = 0


def absent(git: Git, count: int) -> Gap:
    """The gap of some objects that cannot be read: left out on purpose in a partial clone, broken in another."""
    done = git.try_run("config", "--get-regexp", r"^(remote\..*\.promisor|extensions\.partialclone)$")
    return Gap(what="partial" if done.out else "broken", detail="", count=count)


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
