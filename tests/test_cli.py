"""The command line from outside: exit codes, the JSON interface, bad input in one line, nothing written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatepost.cli import command_names
from gatepost.registry import own_ids
from tests.conftest import Repo

POETRY = """\
[tool.poetry]
name = "x"
version = "0.1.0"
description = ""
authors = []

[tool.poetry.dependencies]
python = "^3.11"
torch = {version = "^2.2.0", source = "pytorch-gpu"}
"""


def run(repo: Path | Repo, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    folder = repo.path if isinstance(repo, Repo) else repo
    return subprocess.run(
        [sys.executable, "-m", "gatepost", *args],
        cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, errors="surrogateescape", check=False,
    )  # fmt: skip


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git/" not in path.as_posix()
    }


def test_findings(repo: Repo) -> None:
    repo.write("pyproject.toml", POETRY)
    repo.git("add", "-A")
    done = run(repo, "torch-source")
    assert done.returncode == 1
    assert "pyproject.toml:9: error[TS101]" in done.stdout
    assert done.stderr == ""


def test_json(repo: Repo) -> None:
    repo.write("pyproject.toml", POETRY)
    repo.git("add", "-A")
    for done in (
        run(repo, "torch-source", "--output-format", "json"),
        run(repo, "torch-source", GATEPOST_OUTPUT_FORMAT="json"),
    ):
        report = json.loads(done.stdout)
        assert done.returncode == 1
        assert set(report) == {"version", "outcomes", "changed"}
        assert (report["version"], report["changed"]) == (1, [])
        first = next(each for each in report["outcomes"] if each["code"] == "TS101")
        assert set(first) == {
            "kind", "hook", "code", "name", "severity", "path", "line", "key", "message", "remedy", "fixable",
        }  # fmt: skip
        assert (first["kind"], first["hook"], first["severity"], first["path"], first["line"]) == (
            "finding", "torch-source", "error", "pyproject.toml", 9,
        )  # fmt: skip


@pytest.mark.parametrize("hook", own_ids())
def test_an_empty_repository_is_clean(repo: Repo, hook: str) -> None:
    done = run(repo, hook)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("hook", [*own_ids(), "check", "gatepost"])
def test_no_repository(tmp_path: Path, hook: str) -> None:
    done = run(tmp_path, hook)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1 and "not inside a git repository" in done.stderr


@pytest.mark.parametrize("hook", own_ids())
def test_git_is_missing(repo: Repo, hook: str) -> None:
    repo.write("pyproject.toml", "[project]\nname = 'x'\n")
    done = run(repo, hook, PATH=str(repo.path / "nothing"))
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1 and "git cannot be started" in done.stderr


BAD = {
    "broken pyproject": {"pyproject.toml": b"[project\nname = torch\n"},
    "broken pyproject with settings": {"pyproject.toml": b"[tool.gatepost]\nstrict = tru\n"},
    "lock that is no TOML": {"pyproject.toml": b"[project]\nname='x'\nversion='1'\n", "uv.lock": b"torch \0\xff{{{"},
    "empty files": dict.fromkeys(("pyproject.toml", "uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock", "a.py", "pdm.lock", "requirements.txt", "environment.yml", "Dockerfile", "a.ipynb"), b""),
    "binary everywhere": {name: bytes(range(256)) * 9 for name in ("pyproject.toml", "uv.lock", "poetry.lock", "Pipfile",
                          "Pipfile.lock", "pdm.lock", "requirements.txt", "environment.yml", "Dockerfile", "a.py", "a.ipynb",
                          "conda-lock.yml", "pixi.lock", "pylock.toml", "m.pkl", "m.pt", "m.safetensors", "m.onnx", "m.zip")},
    "deep nesting": {"pyproject.toml": b"torch = " + b"[" * 5000, "Pipfile.lock": b"[" * 100_000, "Pipfile": b"",
                     "a.py": b"(" * 5000, "environment.yml": b"[" * 5000, "a.ipynb": b"[" * 100_000},
    "wrong types": {"pyproject.toml": b"project = 3\ntool = {poetry = [1], uv = 'torch', pdm = 2}\ndependency-groups = 7\n",
                    "poetry.lock": b"package = 3\nmetadata = 'x'\n", "uv.lock": b"version = 1\npackage = 'torch'\n",
                    "Pipfile": b"packages = 3\nsource = 'x'\n", "Pipfile.lock": b"[1, 2]", "environment.yml": b"torch\n"},
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("hook", [*own_ids(), "check"])
def test_bad_input(repo: Repo, name: str, hook: str) -> None:
    for path, data in BAD[name].items():
        repo.write(path, data)
    repo.git("add", "-A")
    before = snapshot(repo.path)
    done = run(repo, hook)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr == ""
    if hook != "sync-configs" and hook != "check":
        assert snapshot(repo.path) == before


def test_names_that_look_like_options(repo: Repo) -> None:
    for name in ("--help", "--fix", "-x.py", "--output-format=json"):
        repo.write(name, "torch==2.0.0\n")
    repo.write("requirements.txt", "--extra-index-url https://download.pytorch.org/whl/cu118\ntorch\n")
    repo.git("add", "-A")
    done = run(repo, "torch-source", "--help", "--fix", "-x.py", "requirements.txt", PRE_COMMIT="1")
    assert done.returncode == 1
    assert "error[TS121]" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux file systems hold undecodable names")
def test_a_name_that_is_not_utf8(repo: Repo) -> None:
    raw = os.path.join(os.fsencode(repo.path), b"caf\xe9-requirements.txt")
    with open(raw, "wb") as stream:
        stream.write(b"--extra-index-url https://download.pytorch.org/whl/cu118\ntorch\n")
    repo.git("add", "-A")
    done = run(repo, "torch-source")
    assert done.returncode == 1
    assert "caf\\xe9-requirements.txt:" in done.stdout
    assert json.loads(run(repo, "torch-source", "--output-format", "json").stdout)["outcomes"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["torch-sauce"], "gatepost: there is no command `torch-sauce`; did you mean `torch-source`?"),
        (["explain", "TS999"], "gatepost: there is no rule `TS999`"),
        (["torch-source", "nowhere.txt"], "gatepost: there is no file nowhere.txt"),
        (["torch-source", "/etc/hostname"], "is outside the repository"),
        (["torch-source", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["torch-source", "--output-format", "xml"], "invalid choice: 'xml'"),
    ],
)
def test_usage(repo: Repo, args: list[str], message: str) -> None:
    done = run(repo, *args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr


def test_wrong_settings_name_the_nearest_key(repo: Repo) -> None:
    repo.write("pyproject.toml", "[tool.gatepost]\nskipp = []\n")
    done = run(repo, "torch-source")
    assert done.returncode == 2
    assert done.stderr == "gatepost: pyproject.toml: tool.gatepost.skipp is no setting; did you mean `skip`?\n"


def test_broken_settings_fail(repo: Repo) -> None:
    repo.write("pyproject.toml", "[tool.gatepost\n")
    repo.git("add", "-A")
    done = run(repo, "large-model-files")
    assert done.returncode == 1
    assert done.stdout.startswith("pyproject.toml:1: unchecked[GP101] the settings cannot be read")


def test_staged_counts_and_unstaged_does_not(repo: Repo) -> None:
    bad = "--extra-index-url https://download.pytorch.org/whl/cu118\ntorch\n"
    repo.commit(**{"requirements.txt": "numpy\n"})
    repo.write("requirements.txt", bad)
    assert run(repo, "torch-source").returncode == 1  # nothing staged: the file as it is
    repo.git("add", "-A")
    repo.write("requirements.txt", "numpy\n")
    assert run(repo, "torch-source").returncode == 1  # staged: what the commit will hold
    assert run(repo, "torch-source", "--tree", "worktree").returncode == 0
    assert run(repo, "torch-source", "--tree", "HEAD").returncode == 0
    assert run(repo, "torch-source", GIT_INDEX_FILE=".git/index").returncode == 1


def test_rules_and_explain(repo: Repo) -> None:
    rules = run(repo, "rules").stdout
    assert "TS101  undeclared-index" in rules
    page = run(repo, "explain", "ts101").stdout
    assert page.startswith("# TS101 undeclared-index\n") and "## Why" in page and "## Fix" in page
    assert run(repo, "explain", "undeclared-index").stdout == page


def test_skip_names_are_checked(repo: Repo) -> None:
    done = run(repo, "gatepost", GATEPOST_SKIP="mypi")
    assert done.returncode == 2
    assert "GATEPOST_SKIP names no check: mypi; did you mean `mypy`?" in done.stderr


def test_check_leaves_out_what_the_environment_skips(repo: Repo) -> None:
    repo.write("pyproject.toml", POETRY)
    repo.git("add", "-A")
    done = run(repo, "check", GATEPOST_SKIP="torch-source, lock-freshness,sync-configs,mypy")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = run(repo, "check", "torch-source", GATEPOST_SKIP="torch-source")  # asked for by name
    assert done.returncode == 1 and "error[TS101]" in done.stdout
    done = run(repo, "check", GATEPOST_SKIP="secret,torch-source")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "gatepost: GATEPOST_SKIP names no check: secret; did you mean `secrets`?\n"


@pytest.mark.skipif(sys.platform == "win32", reason="names of files are UTF-16 there")
def test_a_locale_that_cannot_spell_the_names_of_files(repo: Repo) -> None:
    repo.write(
        "\u043a\u043b\u044e\u0447/requirements.txt", "--extra-index-url https://download.pytorch.org/whl/cpu\ntorch\n"
    )
    repo.write("\u043a\u043b\u044e\u0447/a.py", "x = 1\n")
    repo.git("add", "-A")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "GATEPOST_SKIP": "sync-configs"}
    done, usual = run(repo, "check", **plain), run(repo, "check", GATEPOST_SKIP="sync-configs")
    assert "TS121" in usual.stdout
    assert (done.returncode, done.stdout, done.stderr) == (usual.returncode, usual.stdout, usual.stderr)
    for args in (["secrets"], ["secrets", "\u043a\u043b\u044e\u0447/a.py"], ["gatepost"]):
        done = run(
            repo, *args, GATEPOST_SKIP="sync-configs,torch-source,mypy", **{k: plain[k] for k in list(plain)[:3]}
        )
        assert (done.returncode, "rror" in done.stdout + done.stderr) == (0, False), done


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["check", "torch"], "there is no file and no check torch; did you mean `torch-source`?"),
        (["check", "mypy"], "`check` runs our own checks, which mypy is none of: gatepost mypy"),
        (["check", "nowhere.txt"], "there is no file nowhere.txt"),
        (["check", "--fix", "--tree", "HEAD"], "--fix writes the files on disk: it does not go with --tree HEAD"),
        (["gatepost", "--fix", "--tree", "HEAD"], "--fix writes the files on disk: it does not go with --tree HEAD"),
        (
            ["large-model-files", "--staged", "--all-files"],
            "--staged and --all-files ask for two things: leave one out",
        ),
        (["large-model-files", "--remote", "x"], "--remote goes with --pre-push only"),
        (["explain", "tool.gatepost.skipp"], "tool.gatepost.skipp is no setting; did you mean `tool.gatepost.skip`?"),
    ],
)
def test_words_that_do_not_fit_are_told(repo: Repo, args: list[str], said: str) -> None:
    repo.commit(**{"a.txt": "x\n"})
    done = run(repo, *args)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"gatepost: {said}\n")


@pytest.mark.parametrize("name", ["check", "secrets", "large-model-files", "gatepost"])
def test_a_tree_that_is_not_there_is_told(repo: Repo, name: str) -> None:
    done = run(repo, name, "--tree", "HEAD")
    yet = "gatepost: --tree HEAD: there is no commit yet; --tree index and --tree worktree are there\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", yet)
    repo.commit(**{"a.txt": "x\n"})
    for tree in ("nope", "-x", "HEAD~1", "HEAD:a.txt"):
        done = run(repo, name, f"--tree={tree}")
        told = f"gatepost: --tree: there is no commit `{tree}` here; it may be index, worktree or a commit\n"
        assert (done.returncode, done.stdout, done.stderr) == (2, "", told)
    for tree in ("HEAD", "main", "HEAD^{tree}", "index", "worktree"):
        assert run(repo, name, "--tree", tree, GATEPOST_SKIP="mypy,sync-configs").returncode == 0


def test_a_tree_of_a_repository_that_git_refuses(repo: Repo) -> None:
    repo.commit(**{"a.txt": "x\n"})
    (repo.path / ".git" / "config").write_text("[core\n")
    done = run(repo, "check", "--tree", "HEAD")
    assert done.returncode == 3 and "bad config line 1" in done.stderr and "no commit" not in done.stderr


def test_explain_knows_our_own_settings(repo: Repo) -> None:
    skip = "tool.gatepost.skip\n  Ids that the `gatepost` hook and `gatepost check` leave out.\n"
    assert run(repo, "explain", "tool.gatepost.skip").stdout == skip
    assert run(repo, "explain", "tool.gatepost.mypy.isolated").stdout.startswith("tool.gatepost.mypy.isolated\n  Check")
    assert run(repo, "explain", "tool.gatepost.keep.tool.ruff.line-length").stdout.startswith("tool.gatepost.keep\n")
    tables = run(repo, "explain", "tool.gatepost.secrets").stdout
    assert [line for line in tables.splitlines() if line[0] != " "] == [
        "tool.gatepost.secrets.baseline", "tool.gatepost.secrets.detect-secrets-baseline",
    ]  # fmt: skip
    assert "  nearest:  tool.ruff.line-length\n" in run(repo, "explain", "tool.ruff.line-lenght").stdout
    assert "nearest" not in run(repo, "explain", "tool.ruff.fix").stdout


def test_in_the_git_directory_the_way_out_is_named(repo: Repo) -> None:
    done = run(repo.path / ".git", "check")
    folder = os.path.realpath(repo.path)
    assert done.returncode == 3
    assert done.stderr.endswith(f"is a git directory, nothing to judge: cd {folder}\n")


def test_the_one_id(repo: Repo) -> None:
    repo.write("pyproject.toml", POETRY + "\n[tool.ruff]\nline-length = 90\n[tool.mypy]\npretty = false\n")
    repo.write("a.py", "import os\n")
    repo.git("add", "-A")
    done = run(repo, "gatepost", GATEPOST_SKIP="sync-configs,mypy")
    assert done.returncode == 1
    summary = done.stdout.rsplit("\n\n", 1)[1]
    words = {line.split()[0]: line.split("... ")[-1].split(" ")[0] for line in summary.splitlines()}
    assert words["torch-source"] == "failed" and words["ruff-check"] == "failed"
    assert words["mypy"] == "skipped" and words["large-model-files"] == "passed"
    assert "--- torch-source\npyproject.toml:9: error[TS101]" in done.stdout
    assert "--- ruff-check\n" in done.stdout and "F401" in done.stdout
    report = json.loads(run(repo, "gatepost", "--output-format", "json", GATEPOST_SKIP="sync-configs,mypy").stdout)
    assert {"torch-source", "ruff-check"} <= {each["hook"] for each in report["outcomes"]}


def test_a_bare_repository_is_judged_by_commit(repo: Repo, tmp_path: Path) -> None:
    repo.write("pyproject.toml", POETRY)
    repo.commit()
    bare = tmp_path / "bare.git"
    repo.git("clone", "-q", "--bare", ".", str(bare))
    done = run(bare, "torch-source", "--tree", "HEAD")
    assert (done.returncode, "error[TS101]" in done.stdout) == (1, True), done
    for args in (["torch-source"], ["gatepost"], ["init", "--yes"], ["mypy"]):
        done = run(bare, *args)
        assert (done.returncode, done.stdout) == (3, ""), done
        assert "is a bare repository" in done.stderr
        assert done.stderr.count("\n") == 1


def test_the_reason_that_git_gives_is_shown(repo: Repo) -> None:
    repo.commit(**{"a.txt": "x"})
    repo.write(".git/index", b"x" * 50)
    done = run(repo, "torch-source")
    assert done.returncode == 3
    assert done.stderr.startswith("gatepost: git ls-files failed (128): fatal: ")


@pytest.mark.parametrize("name", command_names())
def test_help_needs_no_repository(name: str, tmp_path: Path) -> None:
    done = run(tmp_path, name, "--help", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: gatepost {name}")


def test_no_standard_output(repo: Repo) -> None:
    repo.write("pyproject.toml", POETRY)
    repo.git("add", "-A")
    command = f"exec {sys.executable} -m gatepost torch-source >&-"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=repo.path, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_check_writes_nothing_and_sync_configs_does(repo: Repo) -> None:
    repo.commit(**{"pyproject.toml": '[project]\nname = "x"\nversion = "1"\n', "a.py": "x = 1\n"})
    before = snapshot(repo.path)
    done = run(repo, "check")
    assert (done.returncode, "error[SC101]" in done.stdout, "    fix: gatepost sync-configs\n" in done.stdout) == (
        1,
        True,
        True,
    )
    assert snapshot(repo.path) == before
    done = run(repo, "check", "--fix")
    assert "    fix: it has been written\n" in done.stdout
    assert snapshot(repo.path) != before


def test_under_a_runner_commands_can_be_pasted(repo: Repo) -> None:
    repo.commit(**{"pyproject.toml": '[project]\nname = "x"\nversion = "1"\n', "a.py": "x = 1\n"})
    script = Path(sys.executable).with_name("gatepost")
    for env, said in (({}, False), ({"PRE_COMMIT": "1"}, True)):
        done = subprocess.run(
            [str(script), "sync-configs", "--check"],
            cwd=repo.path, env={**os.environ, **env}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert (f"`alias gatepost={script}`" in done.stdout) is said


def test_a_diff_shows_no_credentials(repo: Repo) -> None:
    secret = "S3cr" + "et99"
    host = "download.pytorch.org"
    lines = [
        f"--extra-index-url https://user:{secret}@index.example/simple",
        f"--index-url http://{host}/whl/cpu",
        "torch==2.8.0",
    ]
    repo.commit(**{"requirements.txt": "\n".join(lines) + "\n"})
    done = run(repo, "torch-source", "--diff")
    assert f"+--index-url https://{host}/whl/cpu\n" in done.stdout
    assert secret not in done.stdout + done.stderr
    assert "https://****@index.example" in done.stdout
    assert done.stderr.startswith("gatepost: the credentials of URLs are masked")
