"""Set up and run the tests: `python3 tests/run.py [PYTEST ARGUMENTS]`.

Makes a virtual environment in .venv (kept), installs gatepost, its tools and what the tests need, then runs ruff's
formatter and mypy over the code, and pytest. Needs git, Python 3.10+ and pip with a package index.

With no arguments: the fast suite, in which every real tool is asked a sample (`-m "not full"`), in two processes.
With `--full` first: every oracle row as well (tens of minutes).
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CODE = ("hooks", "tests", "benchmarks", "scripts", "examples/run.py")  # the example project is full of faults


def main(argv: list[str]) -> int:
    """Run it; the exit code of the first step that fails, else 0."""
    home = ROOT / ".venv"
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        venv.create(home, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    full = argv[:1] == ["--full"]
    words = argv[1:] if full else argv
    marks = [] if full or any(word.startswith("-m") for word in words) else ["-m", "not full"]
    steps = [
        [*pip, "--upgrade", "pip>=25.1"],
        [*pip, "--editable", ".[tools]", "--group", "test"],
        [str(python), "-m", "ruff", "check", *CODE],
        [str(python), "-m", "ruff", "format", "--check", *CODE],
        [str(python), "-m", "mypy"],
        [str(python), "-m", "pytest", "-n", "2", *marks, *words],
    ]
    for step in steps:
        print("+", " ".join(Path(word).name if word == str(python) else word for word in step), flush=True)
        code = subprocess.run(step, cwd=ROOT, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
