"""What is asked of git ahead of its use is used once, and never after the files may have changed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gatepost.tree.git import LIST_DISK, LIST_INDEX, Git, IndexTree, WorktreeTree
from gatepost.view import choose_tree, look_ahead


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    for name in ("GIT_INDEX_FILE", "GIT_DIR", "PRE_COMMIT", "PRE_COMMIT_TO_REF"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "one.txt").write_text("one")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "add", "one.txt"], cwd=tmp_path, check=True)
    return Git(str(tmp_path))


def stage(git: Git, name: str) -> None:
    (Path(git.root) / name).write_text(name)
    git.run("add", name)


@pytest.mark.parametrize("asked", [LIST_DISK, LIST_INDEX])
def test_an_answer_is_used_once(git: Git, asked: tuple[str, ...]) -> None:
    git.ahead(*asked)
    first = git.run(*asked)
    stage(git, "two.txt")
    assert b"two.txt" not in first
    assert b"two.txt" in git.run(*asked)


def test_what_was_started_ahead_can_be_dropped(git: Git) -> None:
    git.ahead(*LIST_DISK)
    stage(git, "two.txt")
    git.forget()
    assert list(WorktreeTree(git).paths()) == ["one.txt", "two.txt"]


def test_blobs_are_read_by_the_process_that_waits(git: Git) -> None:
    git.blobs_ahead()
    tree = IndexTree(git)
    assert tree.read("one.txt") == b"one"
    stage(git, "two.txt")
    assert IndexTree(git).read("two.txt") == b"two.txt"


@pytest.mark.parametrize("view", [None, "index", "worktree", "HEAD"])
@pytest.mark.parametrize(
    "variables", [{}, {"PRE_COMMIT": "1"}, {"GIT_INDEX_FILE": ".git/index"}, {"PRE_COMMIT_TO_REF": "HEAD"}]
)
def test_a_view_shows_the_same_with_and_without(
    git: Git, monkeypatch: pytest.MonkeyPatch, view: str | None, variables: dict[str, str]
) -> None:
    git.run("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "one")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (Path(git.root) / "one.txt").write_text("changed")
    plain = choose_tree(Git(git.root), view, [], disk=False)
    other = Git(git.root)
    look_ahead(other, view, disk=False)
    ahead = choose_tree(other, view, [], disk=False)
    assert (ahead.label, list(ahead.paths()), ahead.read("one.txt")) == (
        plain.label, list(plain.paths()), plain.read("one.txt"),
    )  # fmt: skip
