"""All that is tracked, at the cost of two git processes: the index (or a commit's tree), and the sizes of its blobs."""

from __future__ import annotations

from gatepost.tree.attributes import at_commit, by_index, outside
from gatepost.tree.background import background
from gatepost.tree.history import Blob, Use, absent, group, text
from gatepost.tree.staged import Index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gatepost.tree.git import Git

_LIST = ("ls-files", "--stage", "-z")
_SIZES = ("cat-file", "--batch-check=%(objectsize)", "--buffer")
_NAME = b".gitattributes\0"


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
            self._gaps.append(absent(self.git, missing))
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

    def _ask_filters(self) -> Mapping[str, str]:
        tracked = _NAME in self._listing()
        if self._rev:
            return at_commit(self.git, self._rev, self.paths()) if tracked else {}
        return by_index(self.git, self.paths()) if tracked or outside(self.git) else {}

    def known(self, blobs: Sequence[Blob], deep: bool = True) -> set[str]:
        return set()
