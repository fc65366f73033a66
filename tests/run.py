"""Set up and run the tests: `python3 tests/run.py [PYTEST ARGUMENTS]`.

Makes a virtual environment in .venv (kept), installs gatepost, its tools and what the tests need, then runs ruff's
formatter and mypy over the code, and pytest. Needs git, Python 3.10+ and pip with a package index.

With no arguments: the fast suite, in which every real tool is asked a sample (`-m "not full"`), in two processes.
With `--full` first: every oracle row as well (tens of minutes). An environment of another Python is made anew.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CODE = ("hooks", "tests", "benchmarks", "scripts", "examples/run.py")  # the example project is full of faults


OLDEST = (3, 10)


def made_by_this_python(python: Path) -> bool:
    """Whether an environment's Python starts and is of the version that runs this."""
    ask = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([str(python), "-I", "-c", ask], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.split() == [str(each) for each in sys.version_info[:2]]


def main(argv: list[str]) -> int:
    """Run it; the exit code of the first step that fails, else 0."""
    if argv[:1] in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    if sys.version_info < OLDEST:
        this, needed = (".".join(map(str, each[:2])) for each in (sys.version_info, OLDEST))
        print(f"tests/run.py needs Python {needed} or newer, this is {this}: python{needed} tests/run.py")
        return 2
    home = ROOT / ".venv"
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not made_by_this_python(python):
        venv.create(home, with_pip=True, clear=True)
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
