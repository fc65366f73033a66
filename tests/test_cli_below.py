"""A command given in a folder below the root: paths and commands of the report are from the root, and so it says."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.conftest import Repo
from tests.test_cli import POETRY, run


@pytest.fixture
def below(tmp_path: Path) -> Path:
    repo = Repo(tmp_path / "a repo")
    repo.commit(**{"pyproject.toml": POETRY, "sub/dir/a.py": "import os\n", "sub/clean/a.txt": "x\n"})
    return repo.path / "sub" / "dir"


def note(below: Path) -> str:
    root = shlex.quote(str(below.parents[1]))
    return f"(paths and commands are from the root of the repository: `cd {root}`)\n"


@pytest.mark.parametrize("name", ["torch-source", "check", "sync-configs", "gatepost", "init", "doctor"])
def test_the_root_is_said_once_at_the_end(below: Path, name: str) -> None:
    skip = "mypy" if name == "gatepost" else ""
    done = run(below, name, GATEPOST_SKIP=skip)
    assert done.stdout.endswith(note(below)) and done.stdout.count(note(below)) == 1, done
    assert note(below) not in run(below.parents[1], name, GATEPOST_SKIP=skip).stdout


def test_it_is_not_said_to_machines_to_runners_and_of_nothing(below: Path) -> None:
    assert json.loads(run(below, "torch-source", "--output-format", "json").stdout)
    (below / "pyproject.toml").write_text(POETRY)
    done = run(below, "torch-source", "pyproject.toml", PRE_COMMIT="1")
    assert "TS101" in done.stdout and "paths and commands" not in done.stdout
    assert run(below, "secrets").stdout == ""


def test_a_path_is_taken_as_it_was_printed(below: Path) -> None:
    for name in ("pyproject.toml", "../../pyproject.toml", "./pyproject.toml"):
        done = run(below, "torch-source", name)
        assert (done.returncode, "pyproject.toml:9: error[TS101]" in done.stdout) == (1, True), done
    (below / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert run(below, "torch-source", "pyproject.toml").stdout == ""  # the nearer one
    assert run(below, "torch-source", "sub").returncode == 0
    for name in ("nowhere.txt", "/pyproject.toml", "../pyproject.toml"):
        done = run(below, "torch-source", name)
        assert (done.returncode, done.stdout) == (2, ""), done
        assert done.stderr == f"gatepost: there is no file {name}\n" or "is outside the repository" in done.stderr
