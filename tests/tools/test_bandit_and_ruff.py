"""bandit is started where it can find something, and Ruff gets each file's own config."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gatepost.tools.bandit import suspect
from gatepost.tools.command import CannotRun, executable
from gatepost.tools.config import satisfies
from gatepost.tools.run import split_args
from gatepost.tools.table import TOOLS
from tests.conftest import Repo

LOAD = "import torch\n\ntorch.load('m')\n"
HUB = "from huggingface_hub import hf_hub_download\n\nhf_hub_download('a/b', 'c')\n"


def tool(tool_id: str, repo: Repo, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "gatepost", tool_id, *args], cwd=repo.path, env={**os.environ, **env},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # fmt: skip


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (LOAD.encode(), True),
        (HUB.encode(), True),
        ("import \uff54orch as t; t.load('m')\n".encode(), True),
        ("x = '\u202e'\n".encode(), True),
        (b"# coding: utf-7\nimport os\n", True),
        (b"# -*- coding: utf-8 -*-\nimport os\n", False),
        (b"import json\n\njson.load(open('x'))\n", False),
        (b"import torch\n", False),
        ("# caf\u00e9\n".encode(), False),
        (b"", False),
    ],
)
def test_suspect(data: bytes, expected: bool) -> None:
    assert suspect(data) is expected


def test_bandit_says_the_same_with_and_without_the_first_look(repo: Repo) -> None:
    """The first look is off when a format is asked for."""
    repo.commit(**{"a.py": LOAD, "b.py": HUB, "c.py": "x = 1\n", "d.py": "x = '\u202e'\n", "broken.py": "def (\n",
                   "fullwidth.py": "import \uff54orch as t\n\nt.load('m')\n", "none.py": "import yaml\nyaml.load('x')\n"})  # fmt: skip
    names = sorted(path.name for path in repo.path.glob("*.py"))
    first = tool("bandit", repo, *names)
    whole = tool(
        "bandit", repo, "--format", "custom", "--msg-template", "{relpath}:{line}: {test_id} {severity}: {msg}", *names
    )
    assert sorted(first.stdout.splitlines()) == sorted(whole.stdout.splitlines())
    assert first.returncode == whole.returncode == 1
    assert {line.split(":")[0] for line in first.stdout.splitlines()} >= {"a.py", "b.py", "d.py", "fullwidth.py"}
    assert tool("bandit", repo, "c.py", "none.py").returncode == 0


def test_bandit_in_several_processes(repo: Repo) -> None:
    names = [f"m{number}.py" for number in range(60)]
    repo.commit(**dict.fromkeys(names, LOAD))
    done = tool("bandit", repo, *names)
    assert done.returncode == 1
    assert sorted(line.split(":")[0] for line in done.stdout.splitlines()) == sorted(names)


def test_bandit_with_a_config_of_its_own_and_a_level(repo: Repo) -> None:
    repo.commit(**{"a.py": "import subprocess\n\nsubprocess.run('x', shell=True)\n", "bandit.yaml": "tests: [B602]\n",
                   "other.yaml": "tests: [B601]\n"})  # fmt: skip
    assert "B602" in tool("bandit", repo, "a.py").stdout
    assert tool("bandit", repo, "-c", "other.yaml", "a.py").returncode == 0
    assert tool("bandit", repo, "-lll", "a.py").returncode == (
        1 if "HIGH" in tool("bandit", repo, "a.py").stdout else 0
    )


def test_the_value_of_an_option_is_no_file_to_check(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.path)
    for name in ("bandit.yaml", "a.py"):
        repo.write(name, "")
    values = TOOLS["bandit"].values
    assert split_args(["-c", "bandit.yaml", "a.py"], values) == (["-c", "bandit.yaml"], ["a.py"])
    assert split_args(["-q", "bandit.yaml", "a.py"], values) == (["-q"], ["bandit.yaml", "a.py"])
    assert split_args(["-c", "bandit.yaml"], values) == (["-c", "bandit.yaml"], [])


@pytest.mark.parametrize(
    ("version", "wanted", "expected"),
    [
        ("0.17.5", ">=0.16", True),
        ("0.15.9", ">=0.16", False),
        ("0.17.5", "==0.16.2", False),
        ("0.17.5", "0.17.5", True),
        ("0.17.5", "0.17.4", False),
        ("0.17.5", "~=0.17.0", True),
        ("0.17.5", "<0.17", False),
        ("0.17.5", "who knows", True),
        ("", ">=1", True),
    ],
)
def test_required_version(version: str, wanted: str, expected: bool) -> None:
    assert satisfies(version, wanted) is expected


def test_a_project_that_asks_for_another_ruff_is_told_what_to_write(repo: Repo) -> None:
    repo.commit(**{"pyproject.toml": '[tool.ruff]\nrequired-version = "==0.16.2"\n', "a.py": "x = 1\n"})
    done = tool("ruff-check", repo, "a.py")
    assert done.returncode == 3
    assert "could not run: pyproject.toml asks for Ruff ==0.16.2, this is Ruff 0.17.5\n" in done.stdout
    assert "additional_dependencies: ['ruff==0.16.2']" in done.stdout


def test_each_file_by_its_own_config(repo: Repo) -> None:
    """Files of a member with a config obey it; the rest gets the shared one, which knows B006; nothing is written."""
    repo.commit(**{"member/ruff.toml": "[lint]\nselect = ['D100']\n", "member/a.py": "def f(x=[]): ...\n",
                   "b.py": "def f(x=[]): ...\n", "vendor/c.py": "def f(x=[]): ...\n"})  # fmt: skip
    done = tool("ruff-check", repo, "--output-format", "concise", "b.py", "member/a.py", "vendor/c.py")
    assert done.returncode == 1
    found = {
        tuple(line.split(": ", 1)[0].split(":")[:1]) + (line.split()[1],)
        for line in done.stdout.splitlines()
        if ":1:" in line
    }
    assert found == {("b.py", "B006"), ("member/a.py", "D100")}
    assert [line for line in repo.git("status", "--porcelain", "--ignored").splitlines() if "_cache" not in line] == []


def test_notebooks_names_with_dashes_and_fixes(repo: Repo) -> None:
    cell = '{"cell_type":"code","execution_count":null,"metadata":{},"outputs":[],"source":["import os\\n"],"id":"a"}'
    repo.commit(
        **{"n.ipynb": f'{{"cells":[{cell}],"metadata":{{}},"nbformat":4,"nbformat_minor":5}}', "-a.py": "import os\n"}
    )
    done = tool("ruff-check", repo, "--output-format", "concise", "n.ipynb", "-a.py")
    assert "n.ipynb:cell 1:1:8: F401" in done.stdout and "-a.py:1:8: F401" in done.stdout
    assert tool("ruff-check", repo, "--fix", "-a.py").returncode == 0
    assert (repo.path / "-a.py").read_text() == ""


@pytest.mark.parametrize("tool_id", ["ruff-format", "mypy", "bandit", "detect-secrets"])
def test_a_tool_that_is_not_there_is_named_with_its_version(
    tool_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(CannotRun) as caught:
        executable(tool_id, {"PATH": str(tmp_path)})
    name = tool_id.removesuffix("-format")
    assert str(caught.value) == f"{name} is not installed"
    assert re.fullmatch(rf"run `pip install {name}==[\d.]+`\.", caught.value.remedy)
