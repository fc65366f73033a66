"""One situation, three ways to ask by hand (the single id, `gatepost check`, the one id): the same findings."""

from __future__ import annotations

import json
import os
import random
import string
from pathlib import Path

import pytest

from tests.conftest import Repo
from tests.test_cli import run

TOKEN = "gh" + "p_" + "".join(random.Random(3).choices(string.ascii_letters + string.digits, k=36))
OUR = ("secrets", "unsafe-load", "torch-source", "lock-freshness", "large-model-files")
BAD_LOAD = 'from transformers import AutoModel\nAutoModel.from_pretrained("a/b", trust_remote_code=True)\n'
BAD_TORCH = "--extra-index-url https://download.pytorch.org/whl/cu118\ntorch\n"
ONLY_OURS = "mypy,bandit,ruff-check,ruff-format,detect-secrets,sync-configs"


@pytest.fixture
def project(repo: Repo) -> Repo:
    """Faults in `old`, gone from `new` on; then some on disk only."""
    repo.write("big.bin", random.Random(1).randbytes(700_000).hex())
    repo.commit(
        **{"gatepost.toml": "", ".gitignore": "*.cache\n", "load.py": BAD_LOAD, "sub/requirements.txt": BAD_TORCH}
    )
    repo.git("tag", "old")
    repo.git("rm", "-q", "load.py", "big.bin")
    repo.commit(**{"sub/requirements.txt": "numpy==2.0.0\n", "a.py": "x = 1\n"})
    repo.write("sub/new.py", BAD_LOAD + f'token = "{TOKEN}"\n')
    repo.write("sub/x.cache/load.py", BAD_LOAD + f'token = "{TOKEN}"\n')
    repo.write("sub/x.cache/.env", f"TOKEN={TOKEN}\n")
    return repo


def found(folder: Path, *args: str, **env: str) -> tuple[int, set[tuple[str, str]]]:
    done = run(folder, *args, "--output-format", "json", GATEPOST_SKIP=ONLY_OURS, **env)
    assert done.returncode < 2, done
    return done.returncode, {(each["code"], each["path"]) for each in json.loads(done.stdout)["outcomes"]}


NEW = {("SE101", "sub/new.py"), ("UL107", "sub/new.py")}
OLD = {("UL107", "load.py"), ("TS121", "sub/requirements.txt"), ("MF101", "big.bin")}


@pytest.mark.parametrize(
    ("args", "cwd", "expected"),
    [
        ([], ".", set()),
        (["sub/new.py"], ".", NEW),  # not tracked, but named
        (["new.py"], "sub", NEW),
        (["sub"], ".", NEW),  # of a folder, what git would take in
        (["."], ".", NEW),
        (["."], "sub", NEW),
        (["--tree", "index", "sub"], ".", set()),
        (["sub/x.cache/load.py"], ".", {(code, "sub/x.cache/load.py") for code in ("SE101", "UL107")}),
        (["sub/x.cache/.env"], ".", {("SE101", "sub/x.cache/.env")}),  # ignored: nobody tracks it
        (["--tree", "old"], ".", OLD),
        (["--tree", "old", "load.py"], ".", {("UL107", "load.py")}),  # in that commit, no longer on disk
        (["--tree", "old", "sub"], ".", {("TS121", "sub/requirements.txt")}),
        (["--tree", "old", "."], ".", OLD),
    ],
)
def test_by_hand(project: Repo, args: list[str], cwd: str, expected: set[tuple[str, str]]) -> None:
    folder = project.path / cwd
    single = [found(folder, each, *args) for each in OUR]
    wanted = (max(code for code, _found in single), set[tuple[str, str]]().union(*(each for _code, each in single)))
    assert wanted == (int(bool(expected)), expected)
    assert found(folder, "check", *args) == wanted
    assert found(folder, "gatepost", *args) == wanted


def test_a_tracked_file_that_is_not_on_disk_may_be_named(project: Repo) -> None:
    project.commit(**{"load.py": BAD_LOAD})
    os.remove(project.path / "load.py")
    for each in ("unsafe-load", "check", "gatepost"):
        assert found(project.path, each, "load.py") == (0, set())
        assert found(project.path, each, "--tree", "index", "load.py") == (1, {("UL107", "load.py")})


@pytest.mark.parametrize(
    "settings",
    ['allow-unchecked = ["LF000"]\n', "[torch-source]\nbuild = 3\n", '[[ignore]]\ncode="SE999"\nreason="r"\n'],
)
def test_a_wrong_setting_is_a_usage_error_in_the_one_id_too(project: Repo, settings: str) -> None:
    project.write("gatepost.toml", settings)
    project.write("pyproject.toml", '[project]\nname = "a"\nversion = "1"\ndependencies = ["torch"]\n')
    project.write("uv.lock", "version = 1\n")
    project.git("add", "-A")
    for each in ("check", "gatepost"):
        assert run(project.path, each, GATEPOST_SKIP=ONLY_OURS).returncode == 2
