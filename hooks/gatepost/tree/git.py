"""Views of a git repository, and the calls to git behind them.

Facts this module stands on (git 2.39 unless said): `ls-files` without `-z` quotes odd names; `cat-file --batch` must
be drained; a partial clone downloads what `cat-file` asks for, so sizes of blobs that are not here are never asked;
`git commit PATH` and `commit -a` point GIT_INDEX_FILE at a temporary index, which is why the environment is kept.
"""

from __future__ import annotations

import errno
import os

from gatepost.tree.entry import GITLINK, SYMLINK, Entry
from gatepost.tree.process import Completed, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# what the views of the index and of the work tree list; `--deleted` costs a look at every file on disk
LIST_INDEX = ("ls-files", "--stage", "-t", "-z", "--full-name", ":/")
LIST_DISK = ("ls-files", "--stage", "--cached", "--deleted", "-t", "-z", "--full-name", ":/")
_GONE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG))
_BLOBS = ("cat-file", "--batch", "--buffer")


class GitError(Exception):
    """git is missing, this is no repository, or a call failed; `str()` is one line for the user."""


class Git:
    """git, run in one repository; `root` is the absolute path of its work tree."""

    def __init__(self, root: str, env: Mapping[str, str] | None = None) -> None:
        self.root = root
        # Kept whole: GIT_INDEX_FILE and GIT_DIR say which index a commit is being made of.
        self.env = {**(os.environ if env is None else env), "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
        self.unread: dict[str, str] = {}  # files that are on disk and cannot be read: path -> why
        self._ahead: dict[tuple[str, ...], Callable[[], Completed]] = {}
        self._blobs: Callable[[bytes], Completed] | None = None

    def ahead(self, *args: str) -> None:
        """Start `git ARGS` now; the next `try_run` or `run` of the same takes what it said."""
        from gatepost.tree.background import background

        self._ahead[args] = background(self, *args)

    def blobs_ahead(self) -> None:
        """Start the process that the next `read_blobs` will ask."""
        from gatepost.tree.background import waiting

        self._blobs = waiting(self, *_BLOBS)

    def forget(self) -> None:
        """Drop what was started ahead: the files or the index may have changed since."""
        self._ahead.clear()

    def try_run(self, *args: str, input: bytes = b"") -> Completed:
        """Run `git ARGS`; the exit code is the caller's to judge.

        Raises:
            GitError: git cannot be started.
        """
        if not input and (started := self._ahead.pop(args, None)) is not None:
            return started()
        try:
            return run(["git", *args], cwd=self.root, env=self.env, data=input)
        except OSError as error:
            raise GitError(f"git cannot be started ({error.strerror or error}): install git 2.20 or newer") from None

    def run(self, *args: str, input: bytes = b"") -> bytes:
        """stdout of `git ARGS`.

        Raises:
            GitError: git cannot be started, or ends with another code than 0.
        """
        done = self.try_run(*args, input=input)
        if done.rc:
            raise GitError(f"git {args[0]} failed ({done.rc}): {_reason(done.err)}")
        return done.out

    def batch_check(self, oids: Iterable[str]) -> dict[str, tuple[str, int] | None]:
        """Type and size in bytes of each object, None where the object is not in this clone."""
        names = list(dict.fromkeys(oids))
        out = self.run("cat-file", "--batch-check", "--buffer", input="".join(f"{oid}\n" for oid in names).encode())
        found: dict[str, tuple[str, int] | None] = {}
        for oid, line in zip(names, out.decode("ascii", "replace").splitlines(), strict=False):
            words = line.split()
            found[oid] = (words[1], int(words[2])) if len(words) == 3 else None
        return found

    def read_blobs(self, oids: Iterable[str]) -> dict[str, bytes | None]:
        """Content of each object, None where the object is not in this clone."""
        names = list(dict.fromkeys(oids))
        if not names:
            return {}
        ask = "".join(f"{oid}\n" for oid in names).encode()
        started, self._blobs = self._blobs, None
        done = started(ask) if started is not None else None
        out = done.out if done is not None and done.rc == 0 else self.run(*_BLOBS, input=ask)
        found: dict[str, bytes | None] = {}
        at = 0
        for oid in names:
            end = out.index(b"\n", at)
            words = out[at:end].split()
            at = end + 1
            if len(words) != 3:
                found[oid] = None
                continue
            size = int(words[2])
            found[oid] = out[at : at + size]
            at += size + 1
        return found


def _reason(err: bytes) -> str:
    """The line of git's stderr that says what went wrong, and the command that git names as the cure, if any: hints and
    warnings may stand around them."""
    lines = err.decode("utf-8", "replace").strip().splitlines() or ["no message"]
    wrong = next((line for line in reversed(lines) if line.startswith(("fatal:", "error:"))), lines[0])
    cure = next((line.strip() for line in lines if line[:1] in "\t " and line.strip().startswith("git ")), "")
    return f"{wrong}; git says: `{cure}`" if cure else wrong


def is_gone(name: str, error: OSError) -> bool:
    """Whether a file could not be read because there is none (a folder is none either: Windows calls that forbidden)."""
    return error.errno in _GONE or os.path.isdir(name)


def is_bare(folder: str) -> bool:
    """Whether a folder is a repository without a work tree, by what it holds (gitrepository-layout(5))."""
    return all(os.path.exists(os.path.join(folder, name)) for name in ("HEAD", "objects", "refs"))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def find_root(start: str, environ: Mapping[str, str]) -> str:
    """The work tree that holds `start`: the nearest folder with a `.git`; git is asked where the environment decides.

    Of a repository without a work tree, its git directory: its commits can be judged.

    Raises:
        GitError: not inside a git work tree, or git cannot be started.
    """
    if "GIT_DIR" not in environ and "GIT_WORK_TREE" not in environ:
        folder = os.path.abspath(start)
        while True:
            if os.path.exists(os.path.join(folder, ".git")) or is_bare(folder):
                return folder
            parent = os.path.dirname(folder)
            if parent == folder:
                raise GitError(f"{start} is not inside a git repository: run `git init` first")
            folder = parent
    git = Git(start, environ)
    done = git.try_run("rev-parse", "--show-toplevel")
    # One without a work tree can be pushed from all the same.
    if done.rc and git.try_run("rev-parse", "--is-bare-repository").out == b"true\n":
        return os.path.abspath(os.path.join(start, _text(git.run("rev-parse", "--git-dir")).rstrip("\n")))
    top = _text(done.out if done.rc == 0 else git.run("rev-parse", "--show-toplevel")).rstrip("\n")
    if not top:
        raise GitError(f"{start} is not inside a git work tree")
    return os.path.abspath(top)


class _GitTree:
    """What the index, work tree and commit views share: a table of entries, read on demand."""

    label = ""

    def __init__(self, git: Git) -> None:
        self.git: Git = git
        self.root = git.root
        self._table: dict[str, tuple[str, str]] | None = None  # path -> (mode, oid)
        self._paths: list[str] | None = None
        self._cache: dict[str, bytes | None] = {}
        self._sizes: dict[str, int] = {}
        self._deleted: set[str] = set()  # tracked, but gone from disk (the work tree's view only)

    def _list(self) -> dict[str, tuple[str, str]]:
        raise NotImplementedError

    def _entries(self) -> dict[str, tuple[str, str]]:
        if self._table is None:
            self._table = self._list()
        return self._table

    def paths(self) -> Sequence[str]:
        if self._paths is None:
            self._paths = sorted(self._entries())
        return self._paths

    def entry(self, path: str) -> Entry | None:
        found = self._entries().get(path)
        return None if found is None else Entry(path=path, mode=int(found[0], 8), oid=found[1])

    def read(self, path: str) -> bytes | None:
        if path not in self._cache:
            self.read_many([path])
        return self._cache[path]

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes | None]:
        wanted = list(paths)
        table = self._entries()
        self._cache.update((path, None) for path in wanted if path not in table)
        todo = {path: table[path][1] for path in wanted if path not in self._cache}
        if todo:
            blobs = self.git.read_blobs(todo.values())
            self._cache.update((path, blobs[oid]) for path, oid in todo.items())
        return {path: self._cache[path] for path in wanted}

    def size(self, path: str) -> int | None:
        found = self._entries().get(path)
        if found is None:
            return None
        if path not in self._sizes:
            table = self._entries()
            kinds = self.git.batch_check(oid for _mode, oid in table.values())
            for each, (_mode, oid) in table.items():
                kind = kinds.get(oid)
                if kind is not None:
                    self._sizes[each] = kind[1]
        return self._sizes.get(path)

    def status(self, path: str) -> str:
        if self._entries().get(path, ("", ""))[1]:
            return "tracked"
        if not os.path.lexists(os.path.join(self.root, path)):
            return "deleted" if path in self._deleted else "absent"
        ignored = self.git.try_run("check-ignore", "--quiet", "--", path).rc == 0
        return "ignored" if ignored else "untracked"


def _index_entries(
    git: Git, skipped: set[str] | None = None, deleted: set[str] | None = None
) -> dict[str, tuple[str, str]]:
    """path -> (mode, oid) of the index. Conflict stages count once ("ours", else the first seen); submodules are left
    out. `skipped` collects skip-worktree paths, `deleted` those that are gone from disk (asking costs a stat each)."""
    table: dict[str, tuple[str, str]] = {}
    out = git.run(*(LIST_INDEX if deleted is None else LIST_DISK))
    for record in _text(out).split("\0"):
        if not record:
            continue
        head, _, path = record.partition("\t")
        tag, mode, oid, stage = head.split(" ")
        if tag == "R" and deleted is not None:
            deleted.add(path)
        if mode == "160000" or (stage not in ("0", "2") and path in table):
            continue
        if skipped is not None and tag == "S":
            skipped.add(path)
        table[path] = (mode, oid)
    return table


class IndexTree(_GitTree):
    """The index: what the next commit will hold."""

    label = "index"

    def _list(self) -> dict[str, tuple[str, str]]:
        return _index_entries(self.git)


class CommitTree(_GitTree):
    """A commit or tree, by any name git knows (`HEAD`, a branch, an object id)."""

    def __init__(self, git: Git, rev: str) -> None:
        super().__init__(git)
        self.rev = rev
        self.label = f"commit {rev[:12]}"

    def _list(self) -> dict[str, tuple[str, str]]:
        table: dict[str, tuple[str, str]] = {}
        out = self.git.run("ls-tree", "-r", "-z", "--full-tree", self.rev)
        for record in _text(out).split("\0"):
            if record:
                head, _, path = record.partition("\t")
                mode, _kind, oid = head.split(" ")
                if mode != "160000":
                    table[path] = (mode, oid)
        return table


class WorktreeTree(_GitTree):
    """The tracked files as they are on disk; with `untracked`, also new files that git does not ignore.

    A tracked file that is gone from disk is gone from this view, unless a sparse checkout left it out on purpose
    (skip-worktree): that one is read from the index. `extra` names files to take in whether tracked or not.
    """

    label = "work tree"

    def __init__(self, git: Git, extra: Iterable[str] = (), untracked: bool = False) -> None:
        super().__init__(git)
        self._extra = list(extra)
        self._untracked = untracked
        self._skipped: set[str] = set()

    def _list(self) -> dict[str, tuple[str, str]]:
        gone: set[str] = set()
        table = _index_entries(self.git, self._skipped, gone)
        self._deleted = {path for path in gone - self._skipped if self._is_gone(path)}
        for path in self._deleted:
            table.pop(path, None)
        if self._untracked or not table:
            # Nothing is tracked yet: a project before its first `git add`; look at what would be added.
            out = self.git.run("ls-files", "--others", "--exclude-standard", "-z", "--full-name", ":/")
            table.update((path, ("100644", "")) for path in _text(out).split("\0") if path and path[-1] != "/")
        for path in self._extra:
            if path not in table:
                table[path] = ("100644", "")
        return table

    def paths(self) -> Sequence[str]:
        if self._paths is None:
            self._paths = sorted(self._entries())
        return self._paths

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes | None]:
        wanted = list(paths)
        table = self._entries()
        sparse = []
        for path in wanted:
            if path in self._cache:
                continue
            if path not in table:
                self._cache[path] = None
            elif path in self._skipped:
                sparse.append(path)
            else:
                self._cache[path] = self._read_disk(path)
        if sparse:
            blobs = self.git.read_blobs(table[path][1] for path in sparse)
            self._cache.update((path, blobs[table[path][1]]) for path in sparse)
        return {path: self._cache[path] for path in wanted}

    def _read_disk(self, path: str) -> bytes | None:
        name = os.path.join(self.root, path)
        try:
            if os.path.islink(name):
                return os.fsencode(os.readlink(name))
            with open(name, "rb") as stream:
                return stream.read()
        except OSError as error:
            if not is_gone(name, error):
                self.git.unread[path] = error.strerror or str(error)
            return None

    def _is_gone(self, path: str) -> bool:
        """Whether a file that git does not find is not there, and not only in a folder that may not be looked into."""
        name = os.path.join(self.root, path)
        try:
            os.lstat(name)
        except OSError as error:
            return is_gone(name, error)
        return True

    def size(self, path: str) -> int | None:
        if path not in self._entries():
            return None
        if path in self._skipped:
            return super().size(path)
        try:
            return os.lstat(os.path.join(self.root, path)).st_size
        except OSError:
            return None

    def entry(self, path: str) -> Entry | None:
        found = super().entry(path)
        if found is not None and found.mode != SYMLINK and os.path.islink(os.path.join(self.root, path)):
            return Entry(path=path, mode=SYMLINK, oid=found.oid)
        return found


__all__ = ["GITLINK", "CommitTree", "Git", "GitError", "IndexTree", "WorktreeTree", "find_root"]
