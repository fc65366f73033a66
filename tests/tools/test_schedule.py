"""The one id: what is looked at in each kind of run, who is started, and what is said when something breaks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gatepost import cli
from gatepost.model import Hook
from gatepost.tools.blocks import Block, print_all
from tests.conftest import Repo

SETTINGS = 'skip = ["sync-configs"]\n[mypy]\nisolated = true\n'
UGLY = "x  =  1\n"


def one(repo: Repo, *args: str, cwd: str = ".", **env: str) -> subprocess.CompletedProcess[str]:
    """`gatepost gatepost` as a child; GIT_INDEX_FILE=... makes it a commit."""
    return subprocess.run([sys.executable, "-m", "gatepost", "gatepost", *args], cwd=repo.path / cwd,
                          env={**os.environ, "PATH": "/usr/bin:/bin", **env}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)  # fmt: skip


def verdicts(text: str) -> dict[str, str]:
    lines = [line.split(" ", 2) for line in text.splitlines() if " ...." in line or " ..." in line]
    short = [line.rpartition(": ") for line in text.splitlines() if line.startswith(("passed", "skipped"))]
    return {
        **{words[0]: words[2] for words in lines if len(words) == 3},
        **{name: verdict for verdict, _, names in short for name in names.split(", ")},
    }


def fake_python(repo: Repo, script: str) -> None:
    """A project environment with a mypy of its own: its python is this shell script."""
    for name in ("python", "mypy"):
        path = repo.write(f".venv/bin/{name}", f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    repo.write(".gitignore", ".venv\n")


def test_a_wrong_setting_stops_before_anything_is_run(repo: Repo) -> None:
    repo.commit(**{"gatepost.toml": "[bandit]\nargz = ['-ll']\n", "a.py": UGLY})
    done = one(repo)
    assert done.returncode == 2
    assert done.stdout.splitlines() == ["gatepost: gatepost.toml: bandit.argz is no setting; did you mean `args`?"]
    assert (repo.path / "a.py").read_text() == UGLY


@pytest.mark.parametrize(
    ("what", "names"),
    [("first", {"a.py"}), ("second", {"b.py"}), ("deletion", set()), ("path", {"b.py"}), ("whole", {"a.py", "b.py"})],
)
def test_which_files_are_formatted(repo: Repo, what: str, names: set[str]) -> None:
    repo.write("gatepost.toml", SETTINGS)
    repo.write("a.py", UGLY)
    env = {"GIT_INDEX_FILE": ".git/index", "PRE_COMMIT": "1"}
    if what != "first":
        repo.commit()
        repo.write("b.py", UGLY)
    repo.git("add", "-A")
    if what == "deletion":
        repo.commit()
        repo.git("rm", "-q", "b.py")
    elif what == "path":  # `git commit b.py`: an index of its own
        repo.write("c.py", UGLY)
        repo.git("add", "-A")
        (repo.path / ".git" / "next").write_bytes((repo.path / ".git" / "index").read_bytes())
        subprocess.run(["git", "rm", "-q", "--cached", "c.py"], cwd=repo.path, check=True,
                       env={**os.environ, "GIT_INDEX_FILE": ".git/next"})  # fmt: skip
        env["GIT_INDEX_FILE"] = ".git/next"
    elif what == "whole":
        env = {"PRE_COMMIT": "1"}
    done = one(repo, **env)
    assert {path.name for path in repo.path.glob("*.py") if path.read_text() == "x = 1\n"} == names
    wanted = f"failed ({len(names)} file{'s' * (len(names) != 1)} written)" if names else "skipped (no files to check)"
    assert verdicts(done.stdout)["ruff-format"] == wanted
    if what == "deletion":  # another module may have imported it
        assert verdicts(done.stdout)["mypy"] == "passed (without the project's packages)"


def test_a_range(repo: Repo) -> None:
    old = repo.commit(**{"gatepost.toml": SETTINGS, "a.py": UGLY})
    new = repo.commit(**{"b.py": UGLY})
    done = one(repo, PRE_COMMIT="1", PRE_COMMIT_FROM_REF=old, PRE_COMMIT_TO_REF=new)
    assert "b.py: written" in done.stdout and "a.py: written" not in done.stdout
    assert done.returncode == 1


def test_a_range_in_which_a_file_came_and_went(repo: Repo) -> None:
    repo.commit(**{"gatepost.toml": SETTINGS})
    (repo.path / "big.bin").write_bytes(bytes(range(256)) * 4000)
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "in")
    repo.git("rm", "-q", "big.bin")
    repo.git("commit", "-q", "-m", "out")
    done = one(repo, PRE_COMMIT_FROM_REF="HEAD~2", PRE_COMMIT_TO_REF="HEAD", PRE_COMMIT="1")
    assert done.returncode == 1
    assert "big.bin: error[MF101]" in done.stdout
    assert one(repo, PRE_COMMIT_FROM_REF="HEAD~1", PRE_COMMIT_TO_REF="HEAD", PRE_COMMIT="1").returncode == 0


def test_a_merge_does_not_rewrite_what_the_other_branch_brings(repo: Repo) -> None:
    repo.commit(**{"gatepost.toml": SETTINGS, "both.py": "x = 1\n"})
    repo.git("checkout", "-q", "-b", "other")
    repo.commit(**{"theirs.py": UGLY, "both.py": "x = 2\n"})
    repo.git("checkout", "-q", "main")
    repo.commit(**{"ours.py": UGLY, "both.py": "x = 3\n"})
    repo.git("merge", "-q", "other", check=False)
    repo.write("both.py", "x  =  4\n")
    repo.git("add", "-A")
    one(repo, PRE_COMMIT="1", GIT_INDEX_FILE=".git/index")
    assert (repo.path / "both.py").read_text() == "x = 4\n"
    assert (repo.path / "theirs.py").read_text() == (repo.path / "ours.py").read_text() == UGLY


def test_a_sub_project_of_prek(repo: Repo) -> None:
    """prek runs a nested project's hooks in its folder: only its files, with its own settings."""
    repo.commit(**{"a.py": UGLY, "sub/gatepost.toml": SETTINGS, "sub/b.py": UGLY, "sub/deep/c.py": 'y: int = ""\n'})
    done = one(repo, cwd="sub", PRE_COMMIT="1")
    assert (repo.path / "a.py").read_text() == UGLY
    assert (repo.path / "sub/b.py").read_text() == "x = 1\n"
    assert "deep/c.py:1:10: error:" in done.stdout
    assert "sub/b.py: written" in done.stdout


def test_from_a_folder_below_by_hand(repo: Repo) -> None:
    repo.commit(**{"gatepost.toml": SETTINGS, "a.py": UGLY, "sub/b.py": "x = 1\n"})
    done = one(repo, cwd="sub")
    assert verdicts(done.stdout)["sync-configs"] == "skipped (by setting)"
    assert (repo.path / "a.py").read_text() == "x = 1\n"


@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not allow")
def test_odd_names_and_many_files(repo: Repo) -> None:
    odd = [
        "-a.py",
        "@b.py",
        "sp ace.py",
        "new\nline.py",
        "\u00e9.py",
        os.fsdecode(b"\xff\xfe.py"),
        "$(x).py",
        "--help.py",
    ]
    many = [f"package_with_a_long_name/module_with_a_long_name_{number:05}.py" for number in range(3000)]
    for name in [*odd, *many]:
        (repo.path / name).parent.mkdir(exist_ok=True)
        (repo.path / name).write_text("x = 1\n")
    (repo.path / "-a.py").write_text(UGLY)
    repo.commit(**{"gatepost.toml": SETTINGS})
    done = one(repo, GATEPOST_SKIP="mypy")
    assert done.stdout.count("-a.py: written") == 1, done.stdout[-2000:]
    assert verdicts(done.stdout)["ruff-check"] == "passed"
    assert verdicts(done.stdout)["ruff-format"] == "failed (1 file written)"


def test_a_check_of_ours_that_breaks_leaves_the_others_their_say(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gatepost import registry

    repo.commit(**{"gatepost.toml": SETTINGS, "a.py": UGLY})
    monkeypatch.chdir(repo.path)
    real = registry.own_hook

    def broken(hook_id: str) -> Hook:
        hook = real(hook_id)
        if hook_id != "torch-source":
            return hook

        def check(_context: object) -> None:
            raise ValueError("two\nlines")

        from gatepost.record import replace

        return replace(hook, check=check)

    monkeypatch.setattr(registry, "own_hook", broken)
    assert cli.main(["gatepost"]) == 3
    out = capsys.readouterr().out
    assert "--- torch-source\ntorch-source: internal error, ValueError: two\\nlines" in out
    assert verdicts(out)["torch-source"] == "failed (could not run)"
    assert verdicts(out)["ruff-format"] == "failed (1 file written)"
    assert verdicts(out)["secrets"] == "passed"


def test_a_tool_that_is_not_there(repo: Repo, tmp_path: Path) -> None:
    """An environment with gatepost and no tool, as `additional_dependencies: [six]` makes it."""
    repo.commit(**{"gatepost.toml": SETTINGS, "a.py": "import torch\n\ntorch.load('x')\n"})
    bin_dir = tmp_path / "env" / "bin"
    bin_dir.mkdir(parents=True)
    (bin_dir / "python").symlink_to(sys.executable)
    code = f"import sys; sys.executable = {str(bin_dir / 'python')!r}; from gatepost.cli import main; sys.exit(main(['gatepost']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=repo.path, env={**os.environ, "PRE_COMMIT": "1", "PATH": "/usr/bin:/bin"},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 1
    for each in ("ruff-check", "ruff-format", "mypy", "bandit"):
        assert verdicts(done.stdout)[each] == "failed (could not run)"
    assert done.stdout.count("`additional_dependencies` in .pre-commit-config.yaml replaces the hook's own list") == 4


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts and signals")
class TestChildren:
    def test_one_that_is_killed(self, repo: Repo) -> None:
        fake_python(repo, "echo half; kill -9 $$")
        repo.commit(**{"gatepost.toml": SETTINGS, "a.py": "x = 1\n"})
        done = one(repo)
        assert verdicts(done.stdout)["mypy"] == "failed (ended by signal 9)"
        assert "--- mypy\nmypy of .venv\nhalf\n" in done.stdout
        assert done.returncode == 1

    def test_one_that_cannot_be_started(self, repo: Repo) -> None:
        fake_python(repo, "")
        (repo.path / ".venv/bin/python").chmod(0o644)
        repo.commit(**{"gatepost.toml": SETTINGS, "a.py": "x = 1\n"})
        done = one(repo)
        assert "cannot be started: Permission denied" in done.stdout
        assert done.returncode == 1

    def test_a_signal_at_the_start_of_one_leaves_none_behind(self, tmp_path: Path) -> None:
        """The signal comes from the child itself, before the call that started it has returned here."""
        code = (
            "import os, sys, time\n"
            "from gatepost.tools import children\n"
            "from gatepost.tools.command import Command\n"
            "spawn = os.posix_spawn\n"
            "def at_once(*args, **more):\n"
            "    pid = spawn(*args, **more)\n"
            "    os.kill(os.getpid(), 2)\n"
            "    time.sleep(0.05)\n"
            "    return pid\n"
            "os.posix_spawn = at_once\n"
            "job = children.Job(Command(argvs=(('/bin/sleep', '1000'),)), os.environ)\n"
            "try:\n"
            "    job.poll()\n"
            "except KeyboardInterrupt:\n"
            "    (child,) = job._running\n"
            "    job.stop()\n"
            "    sys.exit(child.code)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False, timeout=100)
        assert done.returncode == (-signal.SIGTERM) % 256

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_they_end_with_us(self, repo: Repo, tmp_path: Path, number: signal.Signals) -> None:
        pid = tmp_path / "pid"
        fake_python(repo, f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 1000")
        repo.commit(**{"gatepost.toml": SETTINGS, "a.py": "x = 1\n"})
        run = subprocess.Popen([sys.executable, "-m", "gatepost", "gatepost"], cwd=repo.path, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        while not pid.exists():
            time.sleep(0.02)
        run.send_signal(number)
        assert run.wait() == (143 if number == signal.SIGTERM else 130)
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


def test_json(repo: Repo) -> None:
    repo.commit(**{"gatepost.toml": SETTINGS, "a.py": "import os\nx: int = ''\n", "b.py": UGLY})
    done = one(repo, "--output-format", "json")
    report = json.loads(done.stdout)
    assert report["version"] == 1
    assert report["changed"] == ["a.py", "b.py"]
    found = {(each["hook"], each["code"], each["path"], each["line"]) for each in report["outcomes"]}
    assert ("ruff-check", "GP201", "a.py", 1) in found
    assert any(hook == "mypy" and path == "a.py" for hook, _code, path, _line in found)


def test_skips(repo: Repo) -> None:
    repo.commit(**{"gatepost.toml": SETTINGS, "a.py": UGLY})
    done = one(repo, GATEPOST_SKIP="ruff-format, mypy")
    assert verdicts(done.stdout)["ruff-format"] == verdicts(done.stdout)["mypy"] == "skipped (by setting)"
    assert (repo.path / "a.py").read_text() == UGLY and done.returncode == 0
    done = one(repo, GATEPOST_SKIP="ruff")
    assert done.returncode == 2 and done.stdout.startswith(
        "gatepost: GATEPOST_SKIP names no check: ruff; did you mean `ruff-"
    )


def test_with_fix_the_shared_config_is_written_before_ruff_reads_it(repo: Repo) -> None:
    """In one run: the profile's line length is the one that Ruff formats by."""
    line = f"value = [{', '.join(f'number_{number}' for number in range(9))}]\n"
    assert 88 < len(line) < 120
    repo.commit(
        **{
            "pyproject.toml": '[project]\nname = "x"\nversion = "1"\n',
            "gatepost.toml": "[mypy]\nisolated = true\n",
            "a.py": line,
        }
    )
    done = one(repo, "--fix")
    assert "[tool.ruff]" in (repo.path / "pyproject.toml").read_text(), done.stdout
    length = (repo.path / "pyproject.toml").read_text().partition("line-length = ")[2][:3].strip()
    assert (repo.path / "a.py").read_text().count("\n") == (1 if int(length) >= len(line) else 11)
    assert verdicts(done.stdout)["sync-configs"].startswith("failed (")


def test_what_unsafe_load_reports_bandit_leaves_to_it(repo: Repo) -> None:
    """B614 and B615 where it is left out, or where the project's own bandit config asks for more than our three."""
    files = {"a.py": "import torch\n\ntorch.load('m.pt')\n", "b.py": "x = '\u202e'\n", "gatepost.toml": SETTINGS}
    repo.commit(**files)
    said = one(repo, GATEPOST_SKIP="ruff-check,ruff-format").stdout
    assert "[UL101]" in said
    assert "b.py:1: B613" in said
    assert "B614" not in said
    assert "a.py:3: B614" in one(repo, GATEPOST_SKIP="ruff-check,ruff-format,unsafe-load").stdout
    repo.commit(**{"pyproject.toml": '[tool.bandit]\ntests = ["B614", "B602"]\n'})
    assert "a.py:3: B614" in one(repo, GATEPOST_SKIP="ruff-check,ruff-format").stdout


def test_a_run_with_nothing_to_say_is_told_in_short(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = [
        Block(id="secrets", verdict="passed"),
        Block(id="mypy", verdict="skipped", detail="no files to check"),
        Block(id="bandit", verdict="passed"),
    ]
    print_all(quiet)
    assert capsys.readouterr().out == "passed: secrets, bandit\nskipped (no files to check): mypy\n"
    print_all([*quiet, Block(id="unsafe-load", verdict="passed", detail="1 warning", output="a.py:1: warning\n")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "--- unsafe-load"
    assert [line.split()[0] for line in lines[3:]] == ["secrets", "mypy", "bandit", "unsafe-load"]
