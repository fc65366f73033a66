"""What every lock format tells the rules: a verdict on freshness, and what the lock holds.

A format is one module of this package that ends with `FORMAT = LockFormat(...)`. Its functions take a `Lock`
(bytes and ways to read more of the same snapshot) and return values; they never raise for a user's file, touch
no disk, start nothing. Keep the module's top light: only `re`, `json`, `os` and our own light modules, the rest
inside the functions, because every format is imported whenever the hook runs.

How a file becomes a format's lock: its base name full-matches `pattern`, and `claims(path, data)` is true.
"""

from __future__ import annotations

import sys

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias, TypeVar

    T = TypeVar("T")


def quote(text: str) -> str:
    """A path or name as a word of a POSIX shell."""
    if text.isascii() and text.translate(_PLAIN).isalnum():
        return text
    return "'" + text.replace("'", "'\"'\"'") + "'"


def within(folder: str, name: str) -> str:
    """The path of a file relative to a folder of the repository; `..` is resolved, "" if it leaves the repository."""
    parts = folder.split("/") if folder else []
    for part in name.replace("\\", "/").split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


_PLAIN = {ord(char): "a" for char in "_@%+=:,./-"}


@record
class Lock:
    """One lock file with everything that its judgement may look at. All paths are POSIX, from the repository's root.

    `read(path)` gives a file of the same snapshot or None (also for None-like and escaping paths); it remembers
    what was asked, which is how the rule knows the files of this lock root. `paths()` is every file of the
    snapshot, sorted (for globs). `status(path)` is Tree.status. `env(name)` is the runner's environment.
    """

    path: str  # "services/api/uv.lock"
    data: bytes
    read: Callable[[str], bytes | None]
    paths: Callable[[], Sequence[str]] = tuple
    status: Callable[[str], str] = lambda path: "absent"
    env: Callable[[str], str | None] = lambda name: None
    memo: dict[str, Any] | None = None  # a format may keep what it parsed here; gone with this value

    @property
    def directory(self) -> str:
        """The lock's directory, "" at the root of the repository."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The lock's base name."""
        return self.path.rpartition("/")[2]

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What `make` gives, made once for all that ask by that key. Not to be changed by who asks."""
        if self.memo is None:
            return make()
        if key not in self.memo:
            self.memo[key] = make()
        found: T = self.memo[key]
        return found

    def beside(self, name: str) -> str:
        """The path of a file relative to the lock's directory; `..` is resolved, "" if it leaves the repository."""
        return within(self.directory, name)


@record
class Fresh:
    """The lock is what its tool would keep. `rule`: which rule said so ("uv lock revision 3", "Poetry >= 2.3 hash")."""

    rule: str
    partial: str = ""  # not empty: this verdict does not see these changes ("changed extras, indexes")
    note: str = ""  # worth saying although fresh ("matches only the rule of pipenv before 2026.3"): LF306-like info


@record
class Stale:
    """The tool would rewrite the lock. `reason` is a clause that names the first difference.

    Good reasons: `group "dev" gained ruff>=0.9`, `requires-python is ">=3.11", the lock has ">=3.10"`.
    """

    rule: str
    reason: str
    code: str = "LF101"  # see rules/lock_freshness/codes.py
    path: str = ""  # the manifest that differs, "" for the lock itself
    key: str = ""  # the key there: "project.dependencies[3]"
    line: int | None = None  # 1-based line there, where known
    partial: str = ""  # as in Fresh
    relock: str = ""  # a better command than the format's, for this case


@record
class Unknown:
    """Files alone do not tell. `reason` is a clause: `its version is dynamic (setuptools-scm)`."""

    rule: str
    reason: str
    code: str = "LF301"
    path: str = ""
    key: str = ""
    line: int | None = None
    remedy: str = ""  # how the user can find out, "" for the format's own check command


if TYPE_CHECKING:
    Verdict: TypeAlias = Fresh | Stale | Unknown


@record
class Need:
    """A requirement on a package of the lock: by a locked package, or by a manifest (then `where` says which)."""

    name: str  # canonical (PEP 503)
    specifier: str = ""  # PEP 440 specifier set, "" for any; leave "" where the format's own syntax does not translate
    extras: tuple[str, ...] = ()
    marker: str = ""
    version: str = ""  # the exact locked version this reference names, where the format records one
    only: bool = False  # names no version, because the lock has one entry of that name: two are then a fault
    optional: bool = False  # its absence from the lock is not a fault (marker may exclude it, extra not locked ...)
    where: str = ""  # manifest path
    key: str = ""  # key in the manifest
    line: int | None = None


@record
class Package:
    """One entry of a lock. `identity` must be unique in a sound lock (name, version, source, fork marker ...)."""

    name: str  # canonical (PEP 503)
    version: str = ""  # "" where the format allows none
    identity: tuple[str, ...] = ()  # () means (name,): two entries of one name are then a fault
    origin: str = "registry"  # registry | git | url | path | root (a project of ours)
    hashed: bool | None = None  # None: hashes are not expected for this entry
    requires: tuple[Need, ...] = ()
    marker: str = ""  # where the entry is installed, "" everywhere
    line: int | None = None  # 1-based line in the lock
    lacks: tuple[str, ...] = ()  # names that the entry records as required, and that nothing in it makes installed
    other_file: str = ""  # a file of the entry whose name is of another version, "" if there is none


@record
class Contents:
    """What the lock holds, for the integrity rules (LF2xx). `direct`: the manifests' own requirements, to test pins."""

    packages: tuple[Package, ...] = ()
    direct: tuple[Need, ...] = ()
    hashes: bool = False  # hashes are the rule in this lock: an entry with hashed=False is a fault
    broken: str = ""  # the lock cannot be read: why (becomes LF202); everything else is then ignored
    line: int | None = None  # of `broken`


@record
class LockFormat:
    """One lock format. Only `name`, `pattern`, `manifests`, `relock` and `judge` are needed."""

    name: str  # "poetry"; what a message calls the tool
    pattern: str  # regex over a base name, full match: r"poetry\.lock"
    manifests: tuple[str, ...]  # base names of the manifests beside the lock: ("pyproject.toml",)
    relock: Callable[[Lock], str]  # the exact command, to be run in the repository's root: "uv lock --project api"
    judge: Callable[[Lock], Verdict]
    files: str  # what the documentation calls these files
    decides: str  # what is compared, by whose rule, as the documentation tells it
    unseen: str = ""  # changes that no verdict on this format sees; "" where the verdict is exact
    claims: Callable[[str, bytes], bool] = lambda path, data: True  # (path, whole file): is it really this format?
    # True: the manifests say this tool owns the project; False: they say it does not; None: no sign either way
    owns: Callable[[Lock], bool | None] = lambda lock: None
    # the lock of a larger project that takes this one's place ("uv.lock" of the workspace), "" if this lock is live
    dead: Callable[[Lock], str] = lambda lock: ""
    # exact paths whose change concerns this lock; None = manifests beside it, files below it, and all that judge reads
    inputs: Callable[[Lock], Sequence[str]] | None = None
    packages: Callable[[Lock], Contents] | None = None
    # a quick look that may spare `packages`: True if no entry, reference, pin or hash can be at fault, nor a merge is left
    sound: Callable[[Lock], bool] = lambda lock: False
    triggers: str = ""  # regex alternatives over a base name: further manifests ("uv\\.toml"), for the hook's `files`
    check: Callable[[Lock], str] | None = None  # a command of the real tool that decides what we cannot
    refuses: tuple[str, ...] = ("LF202",)  # faults that `relock` stops at: the lock has to go first
    # another command than `relock` for a fault inside the lock that the tool itself takes for fresh: (lock, package)
    mend: Callable[[Lock, str], str] | None = None


def late(module: str, name: str) -> Callable[[Lock], Any]:
    """A format's function that stands in `gatepost.locks.<module>`, imported when it is first called."""

    def call(lock: Lock) -> Any:
        __import__(f"gatepost.locks.{module}")
        return getattr(sys.modules[f"gatepost.locks.{module}"], name)(lock)

    return call
