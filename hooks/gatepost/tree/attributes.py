"""The `filter` attribute of paths, asked of git only where something can set it.

`git check-attr` reads the whole index first, which in a large repository costs more than all else that a commit of one
file needs. So a glance comes before: whether the index names a `.gitattributes` at all, and whether the user's, the
repository's or the system's own files can set one. Whatever cannot be told for sure (a split or sparse index, index
version 4, a git that is not the distribution's) counts as yes.
"""

from __future__ import annotations

import os
import sys

from gatepost.tree.background import waiting
from gatepost.tree.git import Git
from gatepost.tree.history import text
from gatepost.tree.peek import git_dirs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from io import FileIO

    from gatepost.tree.process import Completed

_ASK = ("check-attr", "--cached", "-z", "--stdin", "filter")
_NAME = b".gitattributes\0"
# where a distribution keeps git, so that its system files are those in /etc
_PLACES = frozenset({"/usr/bin", "/bin", "/usr/lib/git-core", "/usr/libexec/git-core"})


def _input(paths: Iterable[str]) -> bytes:
    return b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in paths)


def _parse(done: Completed) -> dict[str, str]:
    """path -> value of `check-attr -z` output for one attribute, unspecified ones left out."""
    fields = done.out.split(b"\0") if done.rc == 0 else []
    return {
        text(fields[at]): value
        for at in range(0, len(fields) - 2, 3)
        if (value := text(fields[at + 2])) not in ("unspecified", "unset")
    }


def begin(git: Git) -> Callable[[Sequence[str]], Mapping[str, str]]:
    """Gets ready to tell path -> value by the index's .gitattributes; git reads the index meanwhile, if it must."""
    if not (_in_index(git) or outside(git)):
        return lambda paths: {}
    answer = waiting(git, *_ASK)
    return lambda paths: _parse(answer(_input(paths)))


def by_index(git: Git, paths: Sequence[str]) -> Mapping[str, str]:
    """path -> value by the index's .gitattributes."""
    return _parse(git.try_run(*_ASK, input=_input(paths)))


def at_commit(git: Git, rev: str, paths: Sequence[str]) -> Mapping[str, str]:
    """path -> value by the .gitattributes of a commit or tree."""
    data = _input(paths)
    done = git.try_run("check-attr", f"--source={rev}", "-z", "--stdin", "filter", input=data)
    return _parse(done) if done.rc == 0 else _of_old_git(git, rev, data)


def _of_old_git(git: Git, rev: str, data: bytes) -> Mapping[str, str]:
    """git before 2.40 reads attributes from an index only: make one of the commit, outside the repository."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="gatepost-") as folder:
        own = Git(git.root, {**git.env, "GIT_INDEX_FILE": os.path.join(folder, "index")})
        return {} if own.try_run("read-tree", rev).rc else _parse(own.try_run(*_ASK, input=data))


def _in_index(git: Git) -> bool:
    """Whether the index may hold a .gitattributes."""
    folder, _common = git_dirs(git)
    given = git.env.get("GIT_INDEX_FILE")
    path = os.path.join(git.root, given) if given else os.path.join(folder, "index")
    try:
        with open(path, "rb", buffering=0) as stream:
            start = stream.read(8)
            if start[:4] != b"DIRC" or start[4:] not in (b"\0\0\0\2", b"\0\0\0\3"):  # version 4 shortens names
                return True
            return _holds(stream, _NAME) or any(name.startswith("sharedindex.") for name in os.listdir(folder))
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _holds(stream: FileIO, wanted: bytes) -> bool:
    """Whether the rest of a file holds some bytes; read in pieces that stay in the processor's cache."""
    kept = len(wanted) - 1
    buffer = bytearray(kept + (1 << 17))
    view = memoryview(buffer)
    while count := stream.readinto(view[kept:]):
        if buffer.find(wanted, 0, kept + count) >= 0:
            return True
        view[:kept] = view[count : count + kept]
    return False


def outside(git: Git) -> bool:
    """Whether attributes may come from elsewhere than tracked files (gitattributes(5))."""
    folder, common = git_dirs(git)
    env = git.env
    config = env.get("XDG_CONFIG_HOME") or os.path.join(env.get("HOME", "/nowhere"), ".config")
    files = [
        os.path.join(common, "info", "attributes"),
        os.path.join(config, "git", "attributes"),
        "/etc/gitattributes",
    ]
    if any(os.path.exists(each) for each in files) or sys.platform != "linux" or not _usual_git(env):
        return True
    if "GIT_CONFIG_PARAMETERS" in env or "GIT_CONFIG_COUNT" in env or "GIT_ATTR_SOURCE" in env:
        return True
    return any(_names_attributes(each) for each in _configs(env, folder, common, config))


def _usual_git(env: Mapping[str, str]) -> bool:
    for folder in env.get("PATH", "").split(os.pathsep):
        if os.access(os.path.join(folder, "git"), os.X_OK):
            return folder in _PLACES
    return False


def _configs(env: Mapping[str, str], folder: str, common: str, config: str) -> Iterator[str]:
    yield env.get("GIT_CONFIG_SYSTEM", "/etc/gitconfig")
    yield env.get("GIT_CONFIG_GLOBAL", os.path.join(env.get("HOME", "/nowhere"), ".gitconfig"))
    yield os.path.join(config, "git", "config")
    yield os.path.join(common, "config")
    yield os.path.join(folder, "config.worktree")


def _names_attributes(path: str) -> bool:
    """Whether a configuration file may set core.attributesFile, attr.tree or a sparse index, itself or by an include."""
    try:
        with open(path, "rb") as stream:
            config = stream.read().lower()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return any(word in config for word in (b"attributesfile", b"include", b"[attr", b"sparse"))
