"""How a command ends where something around it is gone: its folder, its reader, the disk, the owner of the repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Repo

GATEPOST = (sys.executable, "-m", "gatepost")


def shell(folder: Path, script: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A script of sh in which `$G` is gatepost."""
    return subprocess.run(
        ["/bin/sh", "-c", script.replace("$G", " ".join(GATEPOST))], cwd=folder, env={**os.environ, **env},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["check", "secrets", "gatepost", "doctor", "bandit"])
def test_a_folder_that_was_deleted(repo: Repo, name: str) -> None:
    gone = repo.path / "sub"
    gone.mkdir()
    done = shell(gone, f"rmdir {gone}; $G {name}", PYTHONSAFEPATH="1")
    said = "gatepost: the current folder is gone (deleted or replaced): `cd` to one that is there\n"
    assert (done.returncode, done.stdout, done.stderr.splitlines(keepends=True)[-1]) == (3, "", said)


@pytest.mark.parametrize("command", ["rules", "--help", "explain TS101"])
def test_a_reader_that_goes_away(tmp_path: Path, command: str) -> None:
    """As `head -1`, gone before anything is written."""
    script = f"{{ sleep 1; $G {command}; echo $? >code; }} | :"
    done = shell(tmp_path, script)
    assert ((tmp_path / "code").read_text(), done.stderr) == ("141\n", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk(tmp_path: Path) -> None:
    done = shell(tmp_path, "$G --version >/dev/full")
    assert (done.returncode, done.stderr) == (3, "gatepost: No space left on device\n")


def test_the_cure_that_git_names_is_passed_on(repo: Repo) -> None:
    repo.commit(**{"a.py": "x = 1\n"})
    done = shell(repo.path, "$G check", GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    if done.returncode == 0:
        pytest.skip("this git does not look at the owner")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert "fatal: detected dubious ownership in repository at " in done.stderr
    cure = done.stderr.partition("git says: `")[2].partition("`")[0]
    assert cure.startswith("git config --global --add safe.directory ")
