"""The git views: odd names, LFS, submodules, symlinks, conflict stages, partial commits, no HEAD, no git."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatepost.engine import run_hook
from gatepost.registry import own_hook
from gatepost.run import load_settings
from gatepost.settings import read_settings
from gatepost.sync.project import Disk
from gatepost.tree.entry import EXECUTABLE, REGULAR, SYMLINK
from gatepost.tree.git import CommitTree, Git, GitError, IndexTree, WorktreeTree, find_root
from gatepost.tree.process import run
from tests.conftest import Repo

ODD = [
    "with space.txt",
    "tab\there.txt",
    "new\nline.txt",
    'quo"te.txt',
    "modèle.pt",
    "模型.bin",
    "--help",
    "-dash.py",
    "back\\slash",
]


def git_of(repo: Repo) -> Git:
    return Git(str(repo.path))


def test_index_is_read_and_the_work_tree_is_not(repo: Repo) -> None:
    repo.write("a.txt", "staged")
    repo.git("add", "a.txt")
    repo.write("a.txt", "on disk")
    assert IndexTree(git_of(repo)).read("a.txt") == b"staged"
    assert WorktreeTree(git_of(repo)).read("a.txt") == b"on disk"


@pytest.mark.parametrize("name", ODD)
def test_odd_names(repo: Repo, name: str) -> None:
    repo.write(name, "x")
    repo.git("add", "-A")
    tree = IndexTree(git_of(repo))
    assert list(tree.paths()) == [name]
    assert tree.read(name) == b"x"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux file systems hold undecodable names")
def test_a_name_that_is_not_utf8(repo: Repo) -> None:
    raw = os.path.join(os.fsencode(repo.path), b"caf\xe9.txt")
    with open(raw, "wb") as stream:
        stream.write(b"x")
    repo.git("add", "-A")
    tree = IndexTree(git_of(repo))
    (path,) = tree.paths()
    assert path == "caf\udce9.txt"
    assert tree.read(path) == b"x"
    assert WorktreeTree(git_of(repo)).read(path) == b"x"


def test_no_head(repo: Repo) -> None:
    repo.write("a.txt", "x")
    repo.git("add", "a.txt")
    assert IndexTree(git_of(repo)).read("a.txt") == b"x"


def test_nothing_tracked_yet_shows_what_would_be_added(repo: Repo) -> None:
    repo.write("a.txt", "x")
    repo.write("b.log", "x")
    repo.write(".gitignore", "*.log\n")
    assert list(IndexTree(git_of(repo)).paths()) == []
    assert list(WorktreeTree(git_of(repo)).paths()) == [".gitignore", "a.txt"]


def test_modes_symlinks_and_submodules(repo: Repo, tmp_path: Path) -> None:
    inner = Repo(tmp_path / "inner")
    inner.commit(a="x")
    repo.write("plain", "x")
    repo.write("run.sh", "x").chmod(0o755)
    os.symlink("plain", repo.path / "link")
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "sub")
    repo.git("add", "-A")
    tree = IndexTree(git_of(repo))
    modes = {path: entry.mode for path in tree.paths() if (entry := tree.entry(path)) is not None}
    assert modes == {".gitmodules": REGULAR, "link": SYMLINK, "plain": REGULAR, "run.sh": EXECUTABLE}
    assert tree.read("link") == b"plain"
    assert WorktreeTree(git_of(repo)).read("link") == b"plain"


def test_conflict_stages_count_once(repo: Repo) -> None:
    repo.commit(a="base")
    repo.git("checkout", "-q", "-b", "other")
    repo.commit(a="theirs")
    repo.git("checkout", "-q", "main")
    repo.commit(a="ours")
    repo.git("merge", "-q", "other", check=False)
    tree = IndexTree(git_of(repo))
    assert list(tree.paths()) == ["a"]
    assert tree.read("a") == b"ours"


def test_partial_commit_uses_the_temporary_index(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit(a="1", b="1")
    other = repo.path / ".git" / "other-index"
    subprocess.run(
        ["git", "read-tree", "HEAD"], cwd=repo.path, env={**os.environ, "GIT_INDEX_FILE": str(other)}, check=True
    )
    repo.write("b", "2")
    repo.git("add", "b")
    monkeypatch.setenv("GIT_INDEX_FILE", str(other))
    assert IndexTree(git_of(repo)).read("b") == b"1"


def test_a_tracked_file_that_is_gone_from_disk(repo: Repo) -> None:
    repo.commit(a="x", b="x")
    (repo.path / "a").unlink()
    tree = WorktreeTree(git_of(repo))
    assert list(tree.paths()) == ["b"]
    assert tree.read("a") is None
    assert IndexTree(git_of(repo)).read("a") == b"x"


def test_sparse_checkout_is_read_from_the_index(repo: Repo) -> None:
    repo.write("in/a", "x")
    repo.write("out/b", "y")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "c")
    repo.git("sparse-checkout", "set", "in")
    assert not (repo.path / "out").exists()
    tree = WorktreeTree(git_of(repo))
    assert tree.read("out/b") == b"y"
    assert tree.size("out/b") == 1


def test_a_commit(repo: Repo) -> None:
    first = repo.commit(a="1")
    repo.commit(a="22")
    tree = CommitTree(git_of(repo), first)
    assert tree.read("a") == b"1"
    assert tree.size("a") == 1
    assert tree.read("nope") is None


def test_status(repo: Repo) -> None:
    repo.write(".gitignore", "*.lock\n")
    repo.write("uv.lock", "x")
    repo.write("new", "x")
    repo.git("add", ".gitignore")
    tree = IndexTree(git_of(repo))
    assert [tree.status(name) for name in (".gitignore", "uv.lock", "new", "nope")] == [
        "tracked", "ignored", "untracked", "absent",
    ]  # fmt: skip


def test_many_and_large_blobs_do_not_deadlock(repo: Repo) -> None:
    for number in range(3000):
        repo.write(f"d/{number}", f"{number}" * 50)
    repo.write("large", b"x" * 3_000_000)
    repo.git("add", "-A")
    tree = IndexTree(git_of(repo))
    found = tree.read_many(tree.paths())
    assert found["d/2999"] == b"2999" * 50
    assert len(found["large"] or b"") == 3_000_000


def test_from_a_subdirectory(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("sub/a", "x")
    repo.git("add", "-A")
    monkeypatch.chdir(repo.path / "sub")
    root = find_root(".", os.environ)
    assert os.path.samefile(root, repo.path)
    assert list(IndexTree(Git(root)).paths()) == ["sub/a"]


def test_linked_worktree(repo: Repo, tmp_path: Path) -> None:
    repo.commit(a="x")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    root = find_root(str(tmp_path / "linked"), os.environ)
    assert IndexTree(Git(root)).read("a") == b"x"


def test_not_a_repository(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not inside a git repository"):
        find_root(str(tmp_path), {})


def test_git_is_missing(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repo.path / "nothing"))
    with pytest.raises(GitError, match="git cannot be started"):
        IndexTree(git_of(repo)).paths()


def test_a_process_that_ignores_its_input(repo: Repo) -> None:
    done = run(["git", "--version"], cwd=str(repo.path), env=dict(os.environ), data=b"x" * 1_000_000)
    assert done.rc == 0
    assert done.out.startswith(b"git version")


def test_sha256_repository(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "r", "--object-format=sha256")
    repo.write("a", "x")
    repo.git("add", "a")
    tree = IndexTree(git_of(repo))
    entry = tree.entry("a")
    assert entry is not None and len(entry.oid) == 64
    assert tree.read("a") == b"x"


def forbid(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Files of these names cannot be opened, nor looked at in their folder: as with `chmod 000`, for root as well."""

    def refuse(real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Any, *args: Any, **options: Any) -> Any:
            if str(path).endswith(names):
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return real(path, *args, **options)

        return opened

    monkeypatch.setattr("builtins.open", refuse(open))
    monkeypatch.setattr(os, "lstat", refuse(os.lstat))


def test_a_file_that_may_not_be_read_is_told(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit(**{"a b.py": "x", "b.py": "x", "gone.py": "x", "pyproject.toml": "[project]\n"})
    (repo.path / "gone.py").unlink()
    forbid(monkeypatch, "a b.py", "pyproject.toml")
    git = Git(str(repo.path))
    tree = WorktreeTree(git)
    assert tree.read_many(["a b.py", "b.py", "gone.py", "x/y"]) == {
        "a b.py": None,
        "b.py": b"x",
        "gone.py": None,
        "x/y": None,
    }
    assert git.unread == {"a b.py": "Permission denied"}
    (one,) = run_hook(own_hook("secrets"), tree, read_settings(lambda path: None, list))
    assert (one.kind, one.code, one.path, one.severity) == ("unchecked", "GP104", "a b.py", "error")
    assert one.message == "cannot be read (Permission denied), so what it holds was not judged"
    assert one.remedy == "make it readable: `chmod u+r 'a b.py'`, as its owner."
    assert git.unread == {}  # once in a run
    settings, broken = load_settings(git, "secrets")
    assert broken is not None and (broken.code, broken.path, settings.path) == ("GP104", "pyproject.toml", None)
    with pytest.raises(PermissionError):
        Disk(str(repo.path)).read("pyproject.toml")
    assert Disk(str(repo.path)).read("gone.py") is None


def test_a_file_in_a_folder_that_may_not_be_looked_into_is_not_deleted(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit(**{"a.py": "x", "b.py": "x"})
    for name in ("a.py", "b.py"):
        (repo.path / name).unlink()  # what git says of a file that it cannot look at
    forbid(monkeypatch, "a.py")
    git = Git(str(repo.path))
    tree = WorktreeTree(git)
    assert tree.paths() == ["a.py"]
    assert (tree.read("a.py"), tree.status("b.py"), git.unread) == (None, "deleted", {"a.py": "Permission denied"})
