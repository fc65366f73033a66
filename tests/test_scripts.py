"""The two scripts that a newcomer starts: what they say to a wrong word, and to an environment that is not theirs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("script", "words", "code", "said"),
    [
        ("examples/run.py", ["--help"], 0, "The main job on a small project"),
        ("examples/run.py", ["x"], 2, "usage: python3 examples/run.py [pre-commit|prek]\n"),
        ("examples/run.py", ["prek", "x"], 2, "usage: python3 examples/run.py [pre-commit|prek]\n"),
        ("tests/run.py", ["--help"], 0, "Set up and run the tests"),
        ("tests/run.py", ["-h"], 0, "Set up and run the tests"),
    ],
)
def test_words_that_ask_for_help(script: str, words: list[str], code: int, said: str) -> None:
    done = subprocess.run([sys.executable, str(ROOT / script), *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith(said)


@pytest.mark.parametrize("script", ["examples/run.py", "tests/run.py"])
def test_an_old_python_is_told_before_anything_is_made(script: str) -> None:
    start = (
        "import runpy, sys; sys.version_info = (3, 9, 18, 'final', 0); runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", start, str(ROOT / script)], capture_output=True, text=True, check=False
    )
    said = f"{script} needs Python 3.10 or newer, this is 3.9: python3.10 {script}\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, said, "")


def test_an_environment_of_another_python_is_made_anew(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("run_tests", ROOT / "tests" / "run.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\necho 3 9\n")
    other.chmod(0o755)
    assert script.made_by_this_python(Path(sys.executable))
    assert not script.made_by_this_python(other)
    assert not script.made_by_this_python(tmp_path / "nothing")
