"""The wheel holds what a hook environment needs: configs, tables, py.typed, the console script."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(target), str(ROOT)]
    subprocess.run(pip, check=True)
    (found,) = target.glob("*.whl")
    return found


def test_contents(wheel: Path) -> None:
    """The package, its data and the shared configs, each of them and nothing else: no test, page, fixture or cache."""
    files = zipfile.ZipFile(wheel).infolist()
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "hooks", "configs"], cwd=ROOT, capture_output=True, check=True
    )
    ours = {
        name.removeprefix("hooks/") if name.startswith("hooks/") else f"gatepost/_{name}"
        for name in listed.stdout.decode().splitlines()
    }
    assert {each.filename for each in files if ".dist-info/" not in each.filename} == ours
    assert {path for path in ours if not path.endswith((".py", ".toml", ".md", ".yml", ".json"))} == {
        "gatepost/py.typed"
    }
    assert [each.filename for each in files if each.file_size > 50 * 1024] == []


def test_a_fresh_environment_runs_it(wheel: Path, tmp_path: Path) -> None:
    """Outside any checkout: rules are listed, the shared config is found, an empty repository is clean."""
    import venv

    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel)], check=True)
    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    gatepost = str(tmp_path / "env" / "bin" / "gatepost")
    rules = subprocess.run([gatepost, "rules"], capture_output=True, text=True, check=True).stdout
    assert "TS101" in rules and "LF101" in rules and "MF101" in rules
    found = "from gatepost.tools.config import shared_config as s; import os; print(os.path.isfile(s()), s())"
    out = subprocess.run([python, "-I", "-c", found], capture_output=True, text=True, check=True).stdout
    assert out.startswith("True") and "_configs" in out
    done = subprocess.run([gatepost, "check"], cwd=tmp_path / "repo", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
