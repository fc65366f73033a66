"""`--fix` runs the relock command of the tool that owns a lock, once, without a shell, and says what it does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gatepost.cli import main
from gatepost.model import Fix, Result
from gatepost.tools.relock import _needs, commands, relock, show_commands

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a stand-in tool as a shell script")


def result(command: str, path: str = "uv.lock", safe: bool = True) -> Result:
    return Result(
        kind="finding", hook="lock-freshness", code="LF101", name="x", severity="error", path=path, line=None, key="",
        message="m", remedy=f"`{command}`, then `git add {path}`",
        fix=Fix(title="make it again", command=command, safe=safe) if command else None,
    )  # fmt: skip


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "bin" / "uv"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\necho "$@" >> "$PWD/calls"\necho new > uv.lock\nexit "${UV_STAND_IN:-0}"\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    return path


def test_runs_once_and_reports_the_changed_lock(tool: Path, tmp_path: Path) -> None:
    said: list[str] = []
    found = [result("uv lock --directory a"), result("uv lock --directory a")]
    assert relock(found, str(tmp_path), said.append) == ([], ["uv.lock"])
    assert (tmp_path / "calls").read_text() == "lock --directory a\n"
    assert said == ["gatepost: running `uv lock --directory a` (it needs the package index: without network it fails)"]


def test_what_a_command_needs_of_the_network_is_said() -> None:
    assert _needs(["pixi", "lock"]).startswith("it needs the conda channels and the package index:")
    assert _needs(["conda-lock", "lock"]).startswith("it needs the conda channels:")
    assert _needs(["uv", "export"]) == "without network it fails where the lock itself is out of date"


def test_a_failing_tool_leaves_the_finding(tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_STAND_IN", "2")
    said: list[str] = []
    found = [result("uv lock")]
    assert relock(found, str(tmp_path), said.append) == (found, [])
    assert said[-1] == "gatepost: `uv lock` failed with exit code 2; is the network there?"


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []
    found = [result("poetry lock", "poetry.lock")]
    assert relock(found, str(tmp_path), said.append) == (found, [])
    assert said == ["gatepost: poetry is not installed here, so `poetry lock` was not run"]


@pytest.mark.parametrize(
    ("command", "path", "reason"),
    [
        ("uv run evil.py", "requirements.txt", "it is no command that makes a lock"),
        ("uv pip install evil", "requirements.txt", "it is no command that makes a lock"),
        ("uv pip compile requirements.in -o ../out.txt", "requirements.txt", "it names a path outside the repository"),
        ("uv pip compile requirements.in -o../out.txt", "requirements.txt", "it names a path outside the repository"),
        ("uv pip compile requirements.in --output-file=/x/out.txt", "requirements.txt", "it names a path outside"),
        ("uv pip compile ../../x.in -o requirements.txt", "requirements.txt", "it names a path outside the repository"),
        ("uv pip compile ~/x.in -o requirements.txt", "requirements.txt", "it names a path outside the repository"),
        ("uv pip compile a.in -o setup.py", "requirements.txt", "it writes setup.py"),
        ("uv pip compile a.in -o requirements.txt --python ./x", "requirements.txt", "its option --python leads"),
        (
            "uv pip compile a.in -o requirements.txt --config-file x.toml",
            "requirements.txt",
            "its option --config-file",
        ),
        ("(cd .. && uv lock)", "uv.lock", "it is for a directory outside the repository"),
        ("(cd a && uv pip compile ../../x.in)", "a/requirements.txt", "it names a path outside the repository"),
    ],
)
def test_a_command_of_a_header_is_not_run_where_it_leads_elsewhere(
    command: str, path: str, reason: str, tool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    found = [result(command, path)]
    assert relock(found, str(tmp_path), said.append) == (found, [])
    assert len(said) == 1 and said[0].startswith(f"gatepost: `{command}` was not run: {reason}")
    assert not (tmp_path / "calls").exists()
    show_commands(found)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("command", "path", "call"),
    [
        (
            "uv pip compile a.in -o a.txt --python-version 3.11",
            "a.txt",
            "pip compile a.in -o a.txt --python-version 3.11",
        ),
        ("(cd a && uv pip compile ../b.in -o a.txt)", "a/a.txt", "pip compile ../b.in -o a.txt"),
        ("(cd 'a b' && uv lock)", "a b/uv.lock", "lock"),
        ("uv pip compile a.in -o a.txt --index-url https://index.example/simple", "a.txt", "pip compile a.in -o a.txt"),
    ],
)
def test_a_command_is_run_in_its_directory(command: str, path: str, call: str, tool: Path, tmp_path: Path) -> None:
    folder = tmp_path / path.rpartition("/")[0]
    folder.mkdir(exist_ok=True)
    relock([result(command, path)], str(tmp_path), lambda text: None)
    assert (folder / "calls").read_text().startswith(call)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(result("uv lock", safe=False), id="not safe"),
        pytest.param(result("rm -rf x"), id="not a known tool"),
        pytest.param(result(""), id="a conflict is the user's to solve"),
    ],
)
def test_nothing_else_is_run(found: Result, tool: Path, tmp_path: Path) -> None:
    assert relock([found], str(tmp_path), lambda text: pytest.fail(text)) == ([found], [])  # noqa: PLW0108
    assert not (tmp_path / "calls").exists()


def test_commands_names_each_once() -> None:
    assert commands([result("uv lock"), result("uv lock"), result("")]) == {"uv lock": ["uv.lock"]}


HEAD = 'version = 1\nrevision = 3\nrequires-python = ">=3.10"\n\n'
LOCK = HEAD + '[[package]]\nname = "a"\nversion = "{}"\nsource = {{ virtual = "." }}\n'


@pytest.fixture
def repo(tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose lock is of version 1 where the project is 2; the stand-in copies `next.lock` over it."""
    root = tmp_path / "repo"
    root.mkdir()
    (root / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "2"\nrequires-python = ">=3.10"\n')
    (root / "uv.lock").write_text(LOCK.format(1))
    subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    tool.write_text('#!/bin/sh\necho "$@" >> "$PWD/../calls"\ncat ../next.lock > uv.lock\n')
    for name in ("PRE_COMMIT", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(root)
    return root


def test_fix_looks_again_and_finds_nothing(repo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "next.lock").write_text(LOCK.format(2))
    assert main(["lock-freshness", "--fix", "pyproject.toml"]) == 1  # a file was written
    assert (tmp_path / "calls").read_text() == "lock\n"
    assert (repo / "uv.lock").read_text() == LOCK.format(2)
    assert "LF" not in capfd.readouterr().out
    assert main(["lock-freshness", "--fix", "pyproject.toml"]) == 0


@pytest.mark.parametrize(("text", "code"), [(LOCK.format(3), "LF103"), (LOCK.format(1), "LF103"), ("new\n", "LF202")])
def test_fix_reports_what_is_left(
    text: str, code: str, repo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "next.lock").write_text(text)
    assert main(["lock-freshness", "--fix", "pyproject.toml"]) == 1
    out = capfd.readouterr().out
    assert f"error[{code}]" in out
    assert out.count("error[") == 1


def test_diff_shows_the_command_and_runs_nothing(
    repo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["lock-freshness", "--diff"]) == 1
    assert capfd.readouterr().out.startswith("# --fix would run `uv lock`, which makes uv.lock again\n")
    assert not (tmp_path / "calls").exists()
    assert (repo / "uv.lock").read_text() == LOCK.format(1)
    git = shutil.which("git") or "git"
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path / "only"))
    assert main(["lock-freshness", "--diff"]) == 1
    assert "uv.lock again; uv is not installed here\n" in capfd.readouterr().out


@pytest.mark.parametrize("lock", ["<<<<<<< a\n" + LOCK.format(2) + "=======\n>>>>>>> b\n", None])
def test_a_conflict_or_no_lock_is_the_users_to_solve(
    lock: str | None, repo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "next.lock").write_text(LOCK.format(2))
    if lock is None:
        subprocess.run(["git", "rm", "-qf", "uv.lock"], cwd=repo, check=True)
    else:
        (repo / "uv.lock").write_text(lock)
    code = main(["lock-freshness", "--fix"])
    assert code == (0 if lock is None else 1), capfd.readouterr().out
    assert not (tmp_path / "calls").exists()
