"""Which new blobs this run is about.

In order: `--pre-push` reads refs on stdin; `--all-files` and `--staged` say it; a runner's variables mean a push or a
CI range; git sets GIT_INDEX_FILE while it makes a commit, so then it is what is staged; files that were named, a
runner that was given `--all-files`, or nothing staged, mean all that is tracked; else it is what is staged.

So `git commit` never complains of a file that is already in HEAD, and `pre-commit run --all-files` finds it.
"""

from __future__ import annotations

from gatepost.tree.entry import SYMLINK
from gatepost.tree.history import Blob, Gap, Use, folders_of, group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from gatepost.tree.base import Tree
    from gatepost.tree.history import Source


def open_source(tree: Tree, env: Mapping[str, str], args: Mapping[str, Any], named: bool) -> Source:
    """The source of new blobs for this run; `named` says whether files were given on the command line.

    Raises:
        GitError: git failed.
    """
    git = tree.git
    if git is None:
        return Memory(tree)
    if args.get("pre_push"):
        from gatepost.tree.pushed import Range, refs_on_stdin

        return Range(git, refs_on_stdin(git, args.get("remote") or env.get("PRE_COMMIT_REMOTE_NAME") or ""))
    if args.get("all_files") or args.get("tree"):
        from gatepost.tree.whole import Whole

        rev = str(args.get("tree") or "")
        return Whole(git) if args.get("all_files") or rev in ("index", "worktree") else Whole(git, rev)
    from gatepost.tree.staged import Staged

    staged = Staged(git)
    if args.get("staged"):
        return staged.prepare()
    if any(key.startswith("PRE_COMMIT_") for key in env):
        from gatepost.tree.pushed import Range, range_of_runner
        from gatepost.tree.runner import refs_of_runner

        found = refs_of_runner(env)
        if found is not None:
            return Range(git, range_of_runner(git, *found, env.get("PRE_COMMIT_LOCAL_BRANCH", "")))
    if "GIT_INDEX_FILE" in env:
        return staged.prepare()
    from gatepost.tree.whole import Whole

    whole = Whole(git)  # begins to list the index, which it will most likely be about
    return whole if named or not staged.changes() or _all_asked(env) else staged


def _all_asked(env: Mapping[str, str]) -> bool:
    if "PRE_COMMIT" not in env:
        return False
    from gatepost.tree.runner import ALL, asked

    return asked() == ALL


def blob_id(data: bytes) -> str:
    """git's id of some content, in a SHA-1 repository."""
    import hashlib

    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class MemoryPeek:
    """Sizes and bytes of the files of a tree without git, by the ids that git would give them."""

    def __init__(self, tree: Tree) -> None:
        self.data = {blob_id(data): data for path in tree.paths() if (data := tree.read(path)) is not None}

    def sizes(self, oids: Iterable[str]) -> dict[str, int | None]:
        return {oid: len(self.data[oid]) if oid in self.data else None for oid in oids}

    def heads(self, oids: Iterable[str]) -> dict[str, bytes]:
        return {oid: data[: 8 * 1024] for oid, data in self.whole(list(oids)).items()}

    def whole(self, oids: Sequence[str]) -> dict[str, bytes]:
        return {oid: self.data[oid] for oid in oids if oid in self.data}

    def tail(self, oid: str) -> bytes:
        return self.data.get(oid, b"")[-64 * 1024 :]

    def read(self, oid: str, limit: int) -> bytes:
        return self.data.get(oid, b"")[:limit]


class Memory:
    """All files of a tree without git; `filter=lfs` is read from its root .gitattributes only."""

    kind = "tree"
    label = "the index"

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.peek = MemoryPeek(tree)

    def blobs(self, floor: int, names: tuple[str, ...], whole: bool = False) -> list[Blob]:
        entries = []
        for path in self._tree.paths():
            entry = self.entry(path)
            if entry is not None:
                entries.append((entry[1], Use(path=path, mode=entry[0])))
        found = group(entries, self.peek.sizes(self.peek.data))
        return [each for each in found if whole or each.size >= floor or each.path.lower().endswith(names)]

    def weights(self) -> Sequence[tuple[str, int, str]]:
        return ()

    def is_root(self, commit: str) -> bool:
        return False

    def explain(self, blobs: Sequence[Blob]) -> list[Blob]:
        return list(blobs)

    def paths(self) -> Sequence[str]:
        return self._tree.paths()

    def named(self, endings: tuple[str, ...]) -> list[str]:
        return [path for path in self.paths() if path.endswith(endings)]

    def mentions(self, part: str) -> bool:
        return any(part in path for path in self.paths())

    def folders(self) -> str:
        return folders_of(self.paths())

    def has(self, path: str) -> bool:
        return self._tree.entry(path) is not None

    def all_paths(self) -> Sequence[str]:
        return self._tree.paths()

    def on_disk(self, paths: Sequence[str]) -> Sequence[str]:
        return paths

    def tracked(self, paths: Sequence[str]) -> set[str]:
        return {path for path in paths if self.has(path)}

    def entry(self, path: str) -> tuple[str, str] | None:
        found, data = self._tree.entry(path), self._tree.read(path)
        if found is None or data is None:
            return None
        return ("120000" if found.mode == SYMLINK else "100644", blob_id(data))

    def by_commit(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        return {}

    def filters(self) -> Mapping[str, str]:
        from gatepost.globs import matcher

        found: dict[str, str] = {}
        for line in (self._tree.read(".gitattributes") or b"").decode("utf-8", "replace").splitlines():
            words = line.split()
            if words and not words[0].startswith("#") and "filter=lfs" in words and words[0][-1:] != "/":
                matches = matcher([words[0]])
                found.update((path, "lfs") for path in self.paths() if matches(path))
        return found

    def known(self, blobs: Sequence[Blob], deep: bool = True) -> set[str]:
        return set()

    def gaps(self) -> Sequence[Gap]:
        return ()
