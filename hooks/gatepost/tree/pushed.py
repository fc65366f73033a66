"""New blobs of a range of commits: a push, or what a pull request adds in CI.

Every object that would be sent counts, also one that a later commit of the range deletes again: it is in history all
the same. The list comes from `rev-list --objects TIPS --not WHAT-THE-OTHER-SIDE-HAS`; it names a blob once and only
excludes what the nearest excluded commits hold, so a suspect is looked up a second time: in the excluded tips' trees,
and in the excluded history of its path (a revert brings back what was there before).
"""

from __future__ import annotations

import os
import sys

from gatepost.record import record
from gatepost.tree.attributes import at_commit
from gatepost.tree.git import GitError
from gatepost.tree.history import (
    GITLINK,
    Blob,
    Gap,
    Use,
    absent,
    folders_of,
    null,
    oids_in_history,
    oids_in_tree,
    parse_raw,
    text,
)
from gatepost.tree.peek import Peek, git_dirs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gatepost.tree.git import Git

_ASKED = 200  # with more suspects than this, the range is read without a path filter
_TREES = 8  # excluded tips whose trees are searched for a suspect


@record
class Refs:
    """What is sent: tips (names or ids), what the other side has (ids, or options such as `--remotes=origin`)."""

    label: str
    branch: str  # a name of the first tip that can be rewritten: a branch, else "HEAD"
    tips: tuple[str, ...]
    nots: tuple[str, ...]
    push: bool


def refs_on_stdin(git: Git, remote: str, data: bytes | None = None) -> Refs:
    """The refs of git's own pre-push hook: `<local ref> <local id> <remote ref> <remote id>` a line.

    Raises:
        GitError: a line of another form.
    """
    lines = (sys.stdin.buffer.read() if data is None else data).decode("utf-8", "surrogateescape").splitlines()
    tips, theirs, branch = [], [], "HEAD"
    for line in lines:
        words = line.rsplit(None, 3)
        if line.strip() and (len(words) != 4 or not (_is_id(words[1]) and _is_id(words[3]))):
            raise GitError(f"--pre-push reads `REF ID REF ID` lines, as git gives them to the hook, not {line[:80]!r}")
        if words and not null(words[1]):  # all zeros: a deletion
            tips.append(words[1])
            branch = _branch(words[0]) if len(tips) == 1 else branch
            theirs += [] if null(words[3]) else [words[3]]
    nots = (*theirs, *_tracked(git, remote))
    return Refs(label="this push", branch=branch, tips=tuple(tips), nots=nots, push=True)


def range_of_runner(git: Git, start: str, to: str, remote: str, branch: str = "") -> Refs:
    """What a runner's variables mean: a push if there is a remote, else exactly `start..to`."""
    nots: tuple[str, ...] = (start,) if start and not null(start) else ()
    if remote:
        nots += _tracked(git, remote)
        return Refs(label="this push", branch=_branch(branch), tips=(to,), nots=nots, push=True)
    return Refs(label=f"{_short(start)}..{_short(to)}", branch="HEAD", tips=(to,), nots=nots, push=False)


def _is_id(word: str) -> bool:
    return len(word) in (40, 64) and not word.strip("0123456789abcdef")


def _branch(ref: str) -> str:
    return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else "HEAD"


def _lines(revs: Sequence[str]) -> bytes:
    return b"".join(rev.encode("utf-8", "surrogateescape") + b"\n" for rev in revs)


def _short(rev: str) -> str:
    return rev[:10] if _is_id(rev) else rev


def _tracked(git: Git, remote: str) -> tuple[str, ...]:
    """What the other side is known to have: its remote-tracking branches, or any remote's if it has none here."""
    if remote and not set(remote) & set("*?[:\\ ") and not remote.startswith(("-", "/", ".")):
        mine = git.try_run("for-each-ref", "--count=1", "--format=%(refname)", f"refs/remotes/{remote}/").out
        if mine:
            return (f"--remotes={remote}",)
    return ("--remotes",)


class Range:
    """New objects of some tips."""

    kind = "range"

    def __init__(self, git: Git, refs: Refs) -> None:
        self.peek = Peek(git)
        self.git = self.peek.git
        self.push = refs.push
        self._gaps: list[Gap] = []
        self.label = refs.label
        self.branch = refs.branch
        self.tips = self._resolve(refs.tips, needed=True)
        given = self._resolve([each for each in refs.nots if each[:2] != "--"], needed=not refs.push)
        self._not_tips = given
        self.nots = [*given, *(each for each in refs.nots if each[:2] == "--")]
        self._range = [*self.tips, "--not", *self.nots] if self.nots else list(self.tips)
        self._names: dict[str, str] = {}
        self._listed: dict[str, bytes] = {}
        self._weights: list[tuple[str, int, str]] = []
        self._commits: list[str] = []
        self._tree: dict[str, tuple[str, str]] | None = None
        self._filters: Mapping[str, str] | None = None

    def _resolve(self, revs: Sequence[str], needed: bool) -> list[str]:
        """Object ids of revisions; one that is not here is a gap if it is needed, else left out."""
        if not revs:
            return []
        done = self.git.try_run("cat-file", "--batch-check", "--buffer", input=_lines(revs))
        lines = text(done.out).splitlines()
        if done.rc or len(lines) != len(revs):  # an older git stops at an object that a partial clone lacks
            lines = [text(self.git.try_run("cat-file", "--batch-check", input=_lines([rev])).out) for rev in revs]
        found = []
        for rev, line in zip(revs, lines, strict=True):
            words = line.split()
            if len(words) == 3 and words[2].isdigit():
                found.append(words[0])
            elif needed:
                self._gaps.append(Gap(what="ref", detail=rev))
        return found

    def blobs(self, floor: int, names: tuple[str, ...], whole: bool = False) -> list[Blob]:
        if not self.tips or any(gap.what == "ref" for gap in self._gaps):
            return []
        out = self.git.run("rev-list", "--objects", "--missing=print", *self._range, "--")
        oids, paths = [], []
        missing = 0
        for line in out.split(b"\n"):
            if line[:1] == b"?":
                missing += 1
            elif line:
                name, _, at = line.partition(b" ")
                oids.append(name.decode("ascii"))
                paths.append(text(at))
        kinds = self.peek.types(oids)
        found = []
        for oid, path, kind in zip(oids, paths, kinds, strict=True):
            if kind is None:
                missing += 1
            elif kind[0] == "commit":
                self._commits.append(oid)
            elif kind[0] == "blob":
                self._names[oid] = path
                self._weights.append((oid, kind[1], path))
                if whole or kind[1] >= floor or (names and path.lower().endswith(names)):
                    found.append(Blob(oid=oid, size=kind[1], uses=(Use(path=path, mode="100644"),)))
        if missing:
            self._gaps.append(absent(self.git, missing))
        self._look_for_cut()
        return found

    def _look_for_cut(self) -> None:
        """A shallow clone's last commits have no parents here: what lies before them is out of sight."""
        try:
            with open(os.path.join(git_dirs(self.git)[1], "shallow"), encoding="ascii") as stream:
                cut = set(stream.read().split())
        except (OSError, ValueError):
            return
        hit = [oid for oid in self._commits if oid in cut]
        if hit:
            self._gaps.append(Gap(what="shallow", detail=hit[0], count=len(hit)))

    def weights(self) -> Sequence[tuple[str, int, str]]:
        return self._weights

    def explain(self, blobs: Sequence[Blob]) -> list[Blob]:
        if not blobs:
            return []
        names = sorted({blob.path for blob in blobs if blob.path})
        uses = self._uses(blobs, names if len(names) <= _ASKED else [])
        if any(blob.oid not in uses for blob in blobs) and names:
            uses = self._uses(blobs, [])
        return [Blob(oid=each.oid, size=each.size, uses=tuple(uses.get(each.oid, each.uses))) for each in blobs]

    def _uses(self, blobs: Sequence[Blob], paths: Sequence[str]) -> dict[str, list[Use]]:
        """Where blobs come in, oldest commit first."""
        wanted = {blob.oid for blob in blobs}
        commits = "".join(f"{oid}\n" for oid in reversed(self._commits)).encode()
        flags = ("--stdin", "-r", "-z", "-c", "--root", "--raw", "--no-renames", "--no-abbrev")
        done = self.git.try_run("diff-tree", *flags, "--", *paths, input=commits)
        found: dict[str, list[Use]] = {}
        for _status, use, oid, _commit in parse_raw(done.out) if done.rc == 0 else []:
            if oid in wanted and use.mode != GITLINK:
                found.setdefault(oid, []).append(use)
        return found

    def by_commit(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        commits = "".join(f"{oid}\n" for oid in reversed(self._commits)).encode()
        flags = ("--stdin", "-r", "-z", "-c", "--root", "--raw", "--no-renames", "--no-abbrev")
        done = self.git.try_run("diff-tree", *flags, input=commits)
        found: dict[str, list[tuple[str, str]]] = {}
        seen: set[str] = set()
        for status, use, oid, commit in parse_raw(done.out) if done.rc == 0 else []:
            if status != "D" and oid in self._names and oid not in seen:
                seen.add(oid)
                found.setdefault(commit, []).append((oid, use.path))
        return found

    def is_root(self, commit: str) -> bool:
        return self.git.try_run("rev-parse", "--quiet", "--verify", f"{commit}^").rc != 0

    def paths(self) -> Sequence[str]:
        return list(dict.fromkeys(path for path in self._names.values() if path))

    def named(self, endings: tuple[str, ...]) -> list[str]:
        return [path for path in self.paths() if path.endswith(endings)]

    def mentions(self, part: str) -> bool:
        return any(part in path for path in self.paths())

    def folders(self) -> str:
        return folders_of(self.paths())

    def _all(self) -> dict[str, tuple[str, str]]:
        if self._tree is None:
            self._tree = {}
            for tip in self.tips:
                done = self.git.try_run("ls-tree", "-r", "-z", "--full-tree", tip)
                for entry in text(done.out).split("\0") if done.rc == 0 else []:
                    head, _, path = entry.partition("\t")
                    if path:
                        mode, _kind, oid = head.split(" ")
                        self._tree[path] = (mode, oid)
        return self._tree

    def has(self, path: str) -> bool:
        return path in self._all()

    def all_paths(self) -> Sequence[str]:
        return list(self._all())

    def on_disk(self, paths: Sequence[str]) -> Sequence[str]:
        return paths

    def tracked(self, paths: Sequence[str]) -> set[str]:
        return {path for path in paths if path in self._all()}

    def entry(self, path: str) -> tuple[str, str] | None:
        return self._all().get(path)

    def filters(self) -> Mapping[str, str]:
        if self._filters is None:
            paths = self.paths()
            self._filters = at_commit(self.git, self.tips[0], paths) if self.tips and paths else {}
        return self._filters

    def known(self, blobs: Sequence[Blob], deep: bool = True) -> set[str]:
        wanted = {blob.oid for blob in blobs}
        if not self.nots:
            return set()
        found: set[str] = set()
        for rev in self._not_tips[:_TREES]:
            found |= oids_in_tree(self.git, rev, wanted - found, self._listed) if wanted - found else set()
        if not deep:
            return found
        if any(not blob.path for blob in blobs if blob.oid not in found):  # a tag straight on a blob
            there = self.git.try_run("rev-list", "--objects", "--missing=print", *self.nots, "--").out
            found |= wanted & {line[: len(blobs[0].oid)].decode("ascii", "replace") for line in there.split(b"\n")}
        left = sorted({use.path for blob in blobs if blob.oid not in found for use in blob.uses})
        return found | (wanted & oids_in_history(self.git, self.nots, left[:_ASKED]))

    def gaps(self) -> Sequence[Gap]:
        return self._gaps


__all__ = ["GitError", "Range", "Refs", "range_of_runner", "refs_on_stdin"]
