"""Size, first and last bytes of blobs, at the least cost and without ever downloading one.

Facts this module stands on (git 2.39): `cat-file --batch` must be drained, so it serves small blobs only; a packed
blob is inflated whole unless `core.bigFileThreshold` is below its size, then it streams and may be cut short; a loose
object is one zlib stream with `blob <size>` in front, so 8 KiB of it cost 15 us and no process; in a partial clone
every git command fetches what is missing, unless GIT_NO_LAZY_FETCH is set (then old versions stop at the first
missing object) and no protocol is allowed.
"""

from __future__ import annotations

import os

from gatepost.tree.git import Git, GitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

HEAD = 8 * 1024  # bytes of a blob's start that `heads` returns
TAIL = 64 * 1024  # bytes of its end that `tail` returns
_DRAIN = 1024 * 1024  # a blob up to this size is read whole for its head
_BATCH = 16 * 1024 * 1024  # bytes of blobs in one `cat-file --batch`
_TAIL_READ = 64 * 1024 * 1024  # a larger blob is not read through for its end
_TAILS = 256  # ends that are kept of blobs that were read whole for their heads
_LOOSE = 512  # with more objects than this, one git process is quicker than opening files
_STREAMS = 256  # processes at most for the heads of large packed blobs

_OFFLINE = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # what is pushed is the object itself, not what refs/replace shows in its place
    "GIT_GRAFT_FILE": os.devnull,
}
_PATHSPEC_MODES = ("GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS")


def offline(git: Git) -> Git:
    """The same repository, as it is: no network, no replaced objects, pathspecs taken literally."""
    env = {key: value for key, value in git.env.items() if key not in _PATHSPEC_MODES}
    return Git(git.root, {**env, **_OFFLINE})


def git_dirs(git: Git) -> tuple[str, str]:
    """The git directory (index, HEAD, MERGE_HEAD) and the common one (objects, refs), as absolute paths."""
    given = git.env.get("GIT_DIR")
    folder = os.path.join(git.root, given or ".git")
    if os.path.isfile(folder):  # a linked work tree or a submodule: "gitdir: <path>"
        text = _read_text(folder)
        folder = os.path.join(os.path.dirname(folder), text[8:].strip() if text.startswith("gitdir: ") else "")
    common = git.env.get("GIT_COMMON_DIR")
    if common:
        return folder, os.path.join(git.root, common)
    link = _read_text(os.path.join(folder, "commondir")).strip()
    return folder, os.path.join(folder, link) if link else folder


def _read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read()
    except OSError:
        return ""


class Peek:
    """Looks at blobs of one repository by object id; remembers sizes and heads."""

    def __init__(self, git: Git) -> None:
        self.git = offline(git)
        given = git.env.get("GIT_OBJECT_DIRECTORY")
        self._objects = os.path.join(git.root, given) if given else os.path.join(git_dirs(git)[1], "objects")
        self._sizes: dict[str, int | None] = {}
        self._heads: dict[str, bytes] = {}
        self._tails: dict[str, bytes] = {}

    def sizes(self, oids: Iterable[str]) -> dict[str, int | None]:
        """Bytes of each blob; None where the object is not in this clone, or is no blob."""
        wanted = list(dict.fromkeys(oids))
        todo = [oid for oid in wanted if oid not in self._sizes]
        if len(todo) <= _LOOSE:
            todo = [oid for oid in todo if not self._loose(oid)]
        if todo:
            for oid, found in zip(todo, self.types(todo), strict=True):
                self._sizes[oid] = found[1] if found is not None and found[0] == "blob" else None
        return {oid: self._sizes[oid] for oid in wanted}

    def types(self, oids: Sequence[str]) -> list[tuple[str, int] | None]:
        """(type, bytes) of each object in order, None where it is not in this clone."""
        data = "".join(f"{oid}\n" for oid in oids).encode()
        done = self.git.try_run("cat-file", "--batch-check=%(objecttype) %(objectsize)", "--buffer", input=data)
        lines = done.out.decode("ascii", "replace").splitlines()
        if done.rc == 0 and len(lines) == len(oids):
            return [_type(line) for line in lines]
        # An older git stops at the first object that a partial clone lacks: list those that are here instead.
        local = self._local()
        return [local.get(oid) for oid in oids]

    def _local(self) -> dict[str, tuple[str, int]]:
        out = self.git.run("cat-file", "--batch-all-objects", "--unordered", "--buffer", "--batch-check")
        found = {}
        for line in out.decode("ascii", "replace").splitlines():
            words = line.split()
            if len(words) == 3:
                found[words[0]] = (words[1], int(words[2]))
        return found

    def _loose(self, oid: str) -> bool:
        """Read size and head from a loose object file; False if there is none that we understand."""
        import zlib

        try:
            with open(os.path.join(self._objects, oid[:2], oid[2:]), "rb") as stream:
                inflate, out, want = zlib.decompressobj(), b"", HEAD + 32
                while len(out) < want and not inflate.eof:
                    chunk = inflate.unconsumed_tail or stream.read(HEAD)
                    if not chunk:
                        break
                    out += inflate.decompress(chunk, want - len(out))
        except (OSError, zlib.error):
            return False
        kind, _, rest = out.partition(b"\0")
        words = kind.split(b" ")
        if len(words) != 2 or words[0] != b"blob" or not words[1].isdigit():
            return False
        self._sizes[oid] = int(words[1])
        self._heads[oid] = rest[:HEAD]
        return True

    def _loose_content(self, oid: str) -> bytes:
        """All of a small loose object, b"" if it is packed."""
        import zlib

        try:
            with open(os.path.join(self._objects, oid[:2], oid[2:]), "rb") as stream:
                return zlib.decompressobj().decompress(stream.read(2 * _DRAIN), 2 * _DRAIN).partition(b"\0")[2]
        except (OSError, zlib.error):
            return b""

    def heads(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The first HEAD bytes of each blob (all of a shorter one); left out where they cannot be had."""
        wanted = list(dict.fromkeys(oids))
        sizes = self.sizes(wanted)
        todo = [oid for oid in wanted if oid not in self._heads and sizes[oid] is not None]
        if len(todo) <= _LOOSE:
            todo = [oid for oid in todo if not self._loose(oid)]
        batch: list[str] = []
        total, streams = 0, 0
        for oid in todo:
            size = sizes[oid] or 0
            if size > _DRAIN:
                streams += 1
                if streams <= _STREAMS:
                    self._heads[oid] = self.read(oid, HEAD)
                continue
            if batch and total + size > _BATCH:
                self._drain(batch)
                batch, total = [], 0
            batch.append(oid)
            total += size
        if batch:
            self._drain(batch)
        return {oid: self._heads[oid] for oid in wanted if oid in self._heads}

    def _drain(self, oids: Sequence[str]) -> None:
        for oid, data in self.git.read_blobs(oids).items():
            if data is not None:
                self._heads[oid] = data[:HEAD]
                if len(data) > HEAD and len(self._tails) < _TAILS:
                    self._tails[oid] = data[-TAIL:]

    def whole(self, oids: Sequence[str]) -> dict[str, bytes]:
        """Content of small blobs (the caller knows that they are small); left out where it is not here."""
        heads = self.heads(oids)
        short = {oid: heads[oid] for oid in oids if oid in heads and (self._sizes[oid] or 0) <= HEAD}
        rest = [oid for oid in oids if oid not in short and self._sizes.get(oid) is not None]
        return {**short, **{oid: data for oid, data in self.git.read_blobs(rest).items() if data is not None}}

    def tail(self, oid: str) -> bytes:
        """The last TAIL bytes of a blob (all of a shorter one), b"" if it is too large to be read through."""
        size = self.sizes([oid])[oid]
        if size is None or size > _TAIL_READ:
            return b""
        if oid in self._tails:
            return self._tails[oid]
        if size <= _DRAIN and (whole := self._loose_content(oid)):
            return whole[-TAIL:]
        last = b""
        for chunk in self.chunks(oid):
            last = (last + chunk)[-TAIL:]
        return last

    def read(self, oid: str, limit: int) -> bytes:
        """The first `limit` bytes of a blob; the rest is not inflated."""
        with self._open(oid) as stream:
            return stream.read(limit)

    def chunks(self, oid: str, size: int = 1 << 20) -> Generator[bytes, None, None]:
        """A blob's bytes in pieces, from a process that ends when the iterator is closed."""
        with self._open(oid) as stream:
            while chunk := stream.read(size):
                yield chunk

    def _open(self, oid: str) -> _Stream:
        return _Stream(self.git, oid)


class _Stream:
    """A blob's bytes from a process that ends with the `with` block."""

    def __init__(self, git: Git, oid: str) -> None:
        import subprocess

        argv = ["git", "-C", git.root, "-c", "core.bigFileThreshold=1m", "cat-file", "blob", oid]
        try:
            self._process = subprocess.Popen(argv, env=git.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        except OSError as error:
            raise GitError(f"git cannot be started ({error.strerror or error})") from None

    def __enter__(self) -> _Stream:  # noqa: PYI034  (typing.Self is 3.11)
        return self

    def read(self, size: int) -> bytes:
        return self._process.stdout.read(size) if self._process.stdout is not None else b""

    def __exit__(self, *_: object) -> None:
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.kill()
        self._process.wait()


def _type(line: str) -> tuple[str, int] | None:
    kind, _, size = line.rpartition(" ")
    return (kind, int(size)) if size.isdigit() and kind else None
