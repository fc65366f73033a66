"""The published manifest, end to end: a real repository, both runners, real commits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Repo

ROOT = Path(__file__).parents[1]
RUNNERS = ["pre-commit", "prek"] if sys.version_info >= (3, 11) else ["prek"]  # pre-commit 4.7 needs Python 3.11
BAD = "--extra-index-url https://download.pytorch.org/whl/cu118\ntorch\n"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """This checkout's files as a repository with one commit, as a runner would clone it."""
    repo = Repo(tmp_path_factory.mktemp("published"))
    names = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in names.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            target = repo.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    env = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@index.example", "GIT_COMMITTER_NAME": "t",
           "GIT_COMMITTER_EMAIL": "t@index.example", "GIT_CONFIG_GLOBAL": os.devnull}  # fmt: skip
    subprocess.run(["git", "add", "-A"], cwd=repo.path, check=True, env={**os.environ, **env})
    subprocess.run(["git", "commit", "-qm", "c"], cwd=repo.path, check=True, env={**os.environ, **env})
    return repo


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runners' caches, shared by the tests of this module: environments are installed once."""
    return tmp_path_factory.mktemp("runner-home")


def runner_env(home: Path) -> dict[str, str]:
    """The environment of a shell in which no virtual environment is active: mypy must not find this test's own."""
    env = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    entries = env["PATH"].split(os.pathsep)
    path = os.pathsep.join(each for each in entries if not (Path(each).parent / "pyvenv.cfg").exists())
    return {**env, "PRE_COMMIT_HOME": str(home / "pre-commit"), "PREK_HOME": str(home / "prek"), "PATH": path}


def run(runner: str, repo: Repo, home: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    executable = Path(sys.executable).with_name(runner)
    return subprocess.run([str(executable), *args], cwd=repo.path, env={**runner_env(home), **env}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)  # fmt: skip


def configure(repo: Repo, published: Repo, hooks: str) -> None:
    head = published.git("rev-parse", "HEAD").strip()
    repo.write(".pre-commit-config.yaml", f"repos:\n  - repo: {published.path}\n    rev: {head}\n    hooks:\n{hooks}")
    repo.git("add", "-A")


@pytest.mark.parametrize("runner", RUNNERS)
def test_nine_ids(runner: str, repo: Repo, published: Repo, home: Path) -> None:
    repo.write("requirements.txt", BAD)
    repo.write("app.py", "import os\n\n\ndef f(x=[]):\n    return x\n")
    repo.write(
        "w.safetensors",
        (60).to_bytes(8, "little")
        + b'{"w":{"dtype":"F32","shape":[250000],"data_offsets":[0,1000000]}}'
        + bytes(10**6),
    )
    ids = [
        "lock-freshness",
        "large-model-files",
        "torch-source",
        "ruff-check",
        "ruff-format",
        "mypy",
        "bandit",
        "detect-secrets",
    ]
    configure(repo, published, "".join(f"      - id: {each}\n" for each in ids))
    done = run(runner, repo, home, "run", "--all-files", "--color", "never")
    assert done.returncode == 1
    assert "warning" not in done.stdout.lower().replace("warning[", "").replace("warnings", "")
    verdicts = {
        line.split(".")[0]: line.rsplit(".", 1)[1]
        for line in done.stdout.splitlines()
        if line.endswith(("Passed", "Failed", "Skipped"))
    }
    assert set(verdicts) == set(ids)
    assert verdicts["torch-source"] == verdicts["large-model-files"] == verdicts["ruff-check"] == "Failed"
    assert "error[TS121]" in done.stdout and "error[MF" in done.stdout and "F401" in done.stdout
    assert "no environment of the project was found" in done.stdout


@pytest.mark.parametrize("runner", RUNNERS)
def test_one_id_in_a_real_commit(runner: str, repo: Repo, published: Repo, home: Path) -> None:
    configure(repo, published, "      - id: gatepost\n")
    repo.write("gatepost.toml", 'skip = ["sync-configs", "mypy"]\n')
    repo.git("add", "-A")
    repo.git("commit", "-qm", "set up")
    assert run(runner, repo, home, "install").returncode == 0
    repo.write("requirements.txt", BAD)
    repo.git("add", "-A")
    commit = ["git", "commit", "-m", "c"]
    done = subprocess.run(
        commit,
        cwd=repo.path,
        env=runner_env(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "error[TS121]" in done.stdout
    assert "torch-source ....." in done.stdout
    repo.write("requirements.txt", "numpy\n")
    repo.git("add", "-A")
    done = subprocess.run(
        commit,
        cwd=repo.path,
        env=runner_env(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("runner", RUNNERS)
def test_deleting_only_the_lock_is_seen_by_the_one_id(runner: str, repo: Repo, published: Repo, home: Path) -> None:
    """`lock-freshness` alone is not started by its runner for a deletion; the one id is, on every commit."""
    repo.write(
        "pyproject.toml", '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
    )
    repo.write("gatepost.toml", "")
    repo.write(
        "Dockerfile", "FROM python:3.12-slim\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --locked\n"
    )
    repo.write(
        "uv.lock",
        'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n[[package]]\nname = "x"\nversion = "1"\nsource = { virtual = "." }\n',
    )
    configure(repo, published, "      - id: gatepost\n")
    repo.git("commit", "-qm", "set up")
    repo.git("rm", "-q", "uv.lock")
    done = run(
        runner, repo, home, "run", "--color", "never", GIT_INDEX_FILE=".git/index", GATEPOST_SKIP="sync-configs,mypy"
    )
    assert done.returncode == 1, done.stdout
    assert "[LF" in done.stdout


@pytest.mark.parametrize("runner", RUNNERS)
def test_all_files_means_all_files_whatever_is_staged(runner: str, repo: Repo, published: Repo, home: Path) -> None:
    repo.write("old.bin", bytes(600 * 1024))
    configure(repo, published, "      - id: large-model-files\n")
    repo.git("commit", "-qm", "before there was a hook")
    repo.write("new.bin", b"1" * 600 * 1024)
    repo.git("add", "new.bin")
    done = run(runner, repo, home, "run", "--color", "never")
    assert "new.bin" in done.stdout, done.stdout
    assert "old.bin" not in done.stdout
    done = run(runner, repo, home, "run", "--all-files", "--color", "never")
    assert "new.bin" in done.stdout, done.stdout
    assert "old.bin" in done.stdout


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_one_id_by_hand_looks_at_what_is_staged(runner: str, repo: Repo, published: Repo, home: Path) -> None:
    repo.write("requirements.txt", BAD)
    configure(repo, published, "      - id: gatepost\n")
    repo.git("commit", "-qm", "before there was a hook")
    repo.write("readme.txt", "text\n")
    repo.git("add", "-A")
    only = {"GATEPOST_SKIP": "sync-configs,mypy"}
    assert run(runner, repo, home, "run", "--color", "never", **only).returncode == 0
    assert "[TS121]" in run(runner, repo, home, "run", "--all-files", "--color", "never", **only).stdout


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_one_id_looks_at_the_files_that_are_named(runner: str, repo: Repo, published: Repo, home: Path) -> None:
    configure(repo, published, "      - id: gatepost\n")
    repo.write("gatepost.toml", 'skip = ["sync-configs", "mypy"]\n')
    repo.commit(**{"requirements.txt": BAD, "a b.py": "x = 1\n"})
    done = run(runner, repo, home, "run", "--color", "never", "--files", "a b.py")
    assert done.returncode == 0 and "TS121" not in done.stdout, done.stdout
    done = run(runner, repo, home, "run", "--color", "never", "--files", "a b.py", "requirements.txt")
    assert done.returncode == 1 and "error[TS121]" in done.stdout, done.stdout


@pytest.mark.parametrize("runner", RUNNERS)
def test_replaced_dependencies_are_explained(runner: str, repo: Repo, published: Repo, home: Path) -> None:
    repo.write("app.py", "x: int = 1\n")
    configure(repo, published, "      - id: mypy\n        additional_dependencies: [six]\n")
    done = run(runner, repo, home, "run", "--all-files", "--color", "never")
    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert "mypy is not in this hook's environment" in text or "no environment of the project" in text
    repo.write("gatepost.toml", "[mypy]\nisolated = true\n")
    repo.git("add", "-A")
    done = run(runner, repo, home, "run", "--all-files", "--color", "never")
    assert "additional_dependencies: ['.[mypy]']" in " ".join(done.stdout.split())


def git(repo: Repo, home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """A git command that runs the installed hooks."""
    return subprocess.run(["git", *args], cwd=repo.path, env=runner_env(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)  # fmt: skip


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_one_id_in_an_amended_commit_and_in_commit_a(runner: str, repo: Repo, published: Repo, home: Path) -> None:
    configure(repo, published, "      - id: gatepost\n")
    repo.write("gatepost.toml", 'skip = ["sync-configs", "mypy"]\n')
    repo.write("requirements.txt", "numpy\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "set up")
    assert run(runner, repo, home, "install").returncode == 0
    # `commit -a` has an index of its own, `index.lock`: what is staged by it is what is looked at.
    repo.write("requirements.txt", BAD)
    done = git(repo, home, "commit", "-am", "all")
    assert done.returncode == 1 and "error[TS121]" in done.stdout, done.stdout
    assert repo.git("log", "--format=%s").split("\n")[0] == "set up"
    repo.write("requirements.txt", "numpy>=2\n")
    done = git(repo, home, "commit", "-am", "all")
    assert done.returncode == 0, done.stdout
    # An amended commit: what is staged on top of it.
    repo.write("requirements.txt", BAD)
    repo.git("add", "-A")
    done = git(repo, home, "commit", "--amend", "-m", "amended")
    assert done.returncode == 1 and "error[TS121]" in done.stdout, done.stdout
    repo.git("checkout", "HEAD", "--", "requirements.txt")
    done = git(repo, home, "commit", "--amend", "-m", "amended")
    assert done.returncode == 0, done.stdout
    assert repo.git("log", "--format=%s").split("\n")[0] == "amended"
    # Only a path: what is staged beside it is not in the commit, and not in the run.
    repo.write("requirements.txt", BAD)
    repo.write("notes.txt", "text\n")
    repo.git("add", "-A")
    done = git(repo, home, "commit", "-m", "a path", "notes.txt")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_one_id_at_a_push(runner: str, repo: Repo, published: Repo, home: Path, tmp_path: Path) -> None:
    """The commits that are pushed, as they are in them, whatever the work tree has now."""
    configure(repo, published, "      - id: gatepost\n")
    repo.write("gatepost.toml", 'skip = ["sync-configs", "mypy"]\n')
    repo.write("requirements.txt", "numpy\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "set up")
    Repo(tmp_path / "remote", "--bare")
    repo.git("remote", "add", "origin", str(tmp_path / "remote"))
    repo.git("push", "-q", "origin", "main")
    assert run(runner, repo, home, "install", "--hook-type", "pre-push").returncode == 0
    repo.commit(**{"requirements.txt": BAD})
    repo.write("requirements.txt", "numpy\n")  # mended on disk, not in the commit
    done = git(repo, home, "push", "origin", "main")
    assert done.returncode != 0 and "error[TS121]" in done.stdout, done.stdout
    repo.commit(**{"requirements.txt": "numpy>=2\n"})
    done = git(repo, home, "push", "origin", "main")
    assert done.returncode == 0, done.stdout
    assert "torch-source" in done.stdout or "Passed" in done.stdout
    repo.git("checkout", "-q", "-b", "topic")  # a new branch: from where it left what the remote has
    repo.commit(**{"requirements.txt": BAD})
    done = git(repo, home, "push", "origin", "topic")
    assert done.returncode != 0 and "error[TS121]" in done.stdout, done.stdout


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_first_push_of_a_history(runner: str, repo: Repo, published: Repo, home: Path, tmp_path: Path) -> None:
    """A runner says no old commit then: all of the new one is judged, by the one id as by the others."""
    configure(repo, published, "      - id: gatepost\n      - id: torch-source\n")
    repo.write("gatepost.toml", 'skip = ["sync-configs", "mypy"]\n')
    repo.write("requirements.txt", BAD)
    repo.git("add", "-A")
    repo.git("commit", "-qm", "set up")
    Repo(tmp_path / "remote", "--bare")
    repo.git("remote", "add", "origin", str(tmp_path / "remote"))
    assert run(runner, repo, home, "install", "--hook-type", "pre-push").returncode == 0
    repo.write("requirements.txt", "numpy\n")  # mended on disk, not in the commit
    done = git(repo, home, "push", "origin", "main")
    assert done.returncode != 0 and done.stdout.count("error[TS121]") == 2, done.stdout
    repo.git("commit", "-qam", "mended")
    repo.write("requirements.txt", BAD)  # on disk only
    done = git(repo, home, "push", "origin", "main")
    assert done.returncode == 0, done.stdout
