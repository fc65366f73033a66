"""Which locks a commit concerns, through a real index: members, lock-only commits, deletions, sub-directories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gatepost.cli import main

ROOT = """\
[project]
name = "root"
version = "1"
requires-python = ">=3.10"

[tool.uv.workspace]
members = ["packages/*"]
"""
MEMBER = """\
[project]
name = "{name}"
version = "{version}"
requires-python = ">=3.10"
"""
HEAD = 'version = 1\nrevision = 3\nrequires-python = ">=3.10"\n\n[manifest]\nmembers = [\n'
ENTRY = '\n[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ virtual = "{where}" }}\n'


def lock(**versions: str) -> str:
    names = sorted(versions)
    listed = "".join(f'    "{name}",\n' for name in names)
    entries = "".join(
        ENTRY.format(name=name, version=versions[name], where="." if name == "root" else f"packages/{name}")
        for name in names
    )
    return f"{HEAD}{listed}]\n{entries}"


class Project:
    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> None:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def git(self, *args: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@index.example", *args], cwd=self.path, check=True
        )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A committed workspace of root, a and b, its lock fresh; later runs are those of a runner at a commit."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "PRE_COMMIT"))]:
        monkeypatch.delenv(name)
    made = Project(tmp_path / "repo")
    made.write("pyproject.toml", ROOT)
    for name in ("a", "b"):
        made.write(f"packages/{name}/pyproject.toml", MEMBER.format(name=name, version="1"))
    made.write("packages/a/a.py", "")
    made.write("uv.lock", lock(root="1", a="1", b="1"))
    made.write("other/pyproject.toml", MEMBER.format(name="other", version="2"))
    made.write("other/uv.lock", HEAD.partition("\n[manifest]")[0] + ENTRY.format(name="other", version="1", where="."))
    made.git("init", "-q", ".")
    made.git("add", "-A")
    made.git("commit", "-qm", "c")
    monkeypatch.chdir(made.path)
    monkeypatch.setenv("GIT_INDEX_FILE", str(made.path / ".git" / "index"))
    return made


def run(capsys: pytest.CaptureFixture[str], *files: str) -> str:
    code = main(["lock-freshness", *files])
    out = capsys.readouterr().out
    assert code == (1 if "error[" in out else 0)
    return out


def test_the_lock_of_a_project_that_is_not_concerned_is_not_judged(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "packages/a/pyproject.toml") == ""
    assert "other/uv.lock: error[LF103]" in run(capsys)
    assert "other/uv.lock: error[LF103]" in run(capsys, "other/pyproject.toml")


def test_a_member_judges_the_root_lock(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write("packages/a/pyproject.toml", MEMBER.format(name="a", version="2"))
    assert run(capsys, "packages/a/pyproject.toml") == ""  # not staged
    project.git("add", "packages")
    out = run(capsys, "packages/a/pyproject.toml")
    assert out.startswith(
        "uv.lock: error[LF103] out of date with packages/a/pyproject.toml: a is version 2, the lock has 1"
    )
    assert out.count("error[") == 1


def test_a_commit_of_the_lock_alone(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write("uv.lock", lock(root="1", a="3", b="1"))
    project.git("add", "uv.lock")
    out = run(capsys, "uv.lock")
    assert out.startswith("uv.lock: error[LF103]")
    assert "fix: `git add packages/a/pyproject.toml` if it was changed as well, else `uv lock`, then `git add" in out
    assert "as well" not in run(capsys, "uv.lock", "packages/a/pyproject.toml")


def test_a_member_that_is_taken_out_of_the_index(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.git("rm", "-q", "--cached", "packages/b/pyproject.toml")
    for files in ((), ("packages/b/pyproject.toml",), ("pyproject.toml",)):
        out = run(capsys, *files)
        assert (
            "the workspace has no member b, which the lock has (packages/b/pyproject.toml is on disk but not staged)"
            in out
        )


def test_a_new_member_that_is_not_added(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write("packages/c/pyproject.toml", MEMBER.format(name="c", version="1"))
    assert run(capsys, "pyproject.toml") == ""
    project.write("uv.lock", lock(root="1", a="1", b="1", c="1"))
    project.git("add", "uv.lock")
    assert "error[LF104]" in run(capsys, "uv.lock")
    project.git("add", "packages/c")
    assert run(capsys, "uv.lock", "packages/c/pyproject.toml") == ""


@pytest.mark.parametrize("ignored", [False, True])
def test_a_lock_that_left_the_index(ignored: bool, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.git("rm", "-q", "--cached", "uv.lock")
    if ignored:
        project.write(".git/info/exclude", "uv.lock\n")
    out = run(capsys, "pyproject.toml")
    assert ("error[LF112]" in out) is not ignored
    assert "error[" not in out.replace("error[LF112]", "")


@pytest.mark.parametrize(("folder", "name"), [("packages", "a/pyproject.toml"), ("packages/a", "pyproject.toml")])
def test_files_given_from_a_folder_below(
    folder: str, name: str, project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("packages/a/pyproject.toml", MEMBER.format(name="a", version="2"))
    project.git("add", "packages")
    monkeypatch.chdir(project.path / folder)
    assert run(capsys, name).startswith("uv.lock: error[LF103]")


def test_a_lock_that_left_the_index_is_named_by_hand(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_INDEX_FILE")  # no commit: the work tree, and the named files whether git has them or not
    project.git("rm", "-q", "--cached", "uv.lock")
    out = run(capsys, "uv.lock")
    assert out.startswith("pyproject.toml: error[LF112] uv.lock exists on disk but is not in the commit")


def test_a_lock_that_is_a_link_is_judged_where_it_lies(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (project.path / "linked").mkdir()
    (project.path / "linked" / "uv.lock").symlink_to("../uv.lock")
    project.git("add", "linked")
    assert run(capsys, "linked/uv.lock") == ""


IMAGE = "FROM python:3.12\nRUN pip install uv\nWORKDIR /app\nCOPY . .\nRUN uv sync --locked\n"


@pytest.mark.parametrize("staged", [False, True])
def test_a_deployed_lock_that_is_deleted(
    staged: bool, project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_INDEX_FILE")
    project.write("other/Dockerfile", IMAGE)
    project.write("other/pyproject.toml", MEMBER.format(name="other", version="1") + 'dependencies = ["httpx"]\n')
    project.git("add", "other/Dockerfile", "other/pyproject.toml")
    project.git("commit", "-qm", "an image")
    if staged:
        project.git("rm", "-q", "--cached", "other/uv.lock")
    (project.path / "other" / "uv.lock").unlink()
    main(["lock-freshness", "other/Dockerfile"])
    out = capsys.readouterr().out
    assert "warning[LF401]" in out
    assert ("is tracked, and only deleted on disk" in out) is not staged
