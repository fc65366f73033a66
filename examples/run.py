"""The main job on a small project: `python3 examples/run.py [pre-commit|prek]`.

Copies examples/rag-service into a new git repository, adds one model file and one token made on the spot, writes a
.pre-commit-config.yaml whose one `repos:` entry is this checkout's HEAD, and runs the runner's `run --all-files`.
The project is full of faults, so the run must fail and name them: this script ends with 0 when it does, 1 when not.
Needs git, Python 3.10+ and pip with a package index; pre-commit 4.7 itself needs Python 3.11, so on 3.10 prek is used.
"""

from __future__ import annotations

import os
import random
import shutil
import string
import struct
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNNERS = {"pre-commit": "pre-commit==4.7.0", "prek": "prek==0.5.11"}
OLDEST = (3, 10)
EXPECTED = ["[LF", "[MF", "[TS", "sync-configs", "[SE", "[UL", "ruff-check", "mypy", "bandit"]


def main(argv: list[str]) -> int:
    """Run it; 0 if every kind of fault in EXPECTED was named."""
    if argv in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    if sys.version_info < OLDEST:
        this, needed = (".".join(map(str, each[:2])) for each in (sys.version_info, OLDEST))
        print(f"examples/run.py needs Python {needed} or newer, this is {this}: python{needed} examples/run.py")
        return 2
    if argv not in ([], *([each] for each in RUNNERS)):
        print(f"usage: python3 examples/run.py [{'|'.join(RUNNERS)}]")
        return 2
    runner = argv[0] if argv else ("pre-commit" if sys.version_info >= (3, 11) else "prek")
    with tempfile.TemporaryDirectory(prefix="gatepost-example-") as folder:
        home = Path(folder)
        executable = install(home / "venv", runner)
        project = make_project(home / "rag-service")
        env = {**os.environ, "PRE_COMMIT_HOME": str(home / "cache"), "PREK_HOME": str(home / "cache")}
        env["PATH"] = f"{executable.parent}{os.pathsep}{env['PATH']}"
        print(f"$ {runner} run --all-files", flush=True)
        done = subprocess.run([str(executable), "run", "--all-files", "--color", "never"], cwd=project, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)  # fmt: skip
        text = done.stdout.decode("utf-8", "replace")
        print(text)
        print("$ git diff --stat", flush=True)
        subprocess.run(["git", "--no-pager", "diff", "--stat"], cwd=project, check=True)
    missing = [each for each in EXPECTED if each not in text]
    if done.returncode != 1 or missing:
        print(f"\nunexpected: {runner} ended with {done.returncode}, not found in its output: {missing}")
        return 1
    print("\nAs it should be: the run failed, and every kind of planted fault was named.")
    return 0


def install(home: Path, runner: str) -> Path:
    """A virtual environment with the runner in it; the runner's path."""
    venv.create(home, with_pip=True)
    scripts = home / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, RUNNERS[runner]], check=True)
    return scripts / runner


def make_project(target: Path) -> Path:
    """The example as a git repository, with what cannot be committed here: weights and a token, both made up."""
    shutil.copytree(ROOT / "examples" / "rag-service", target)
    header = b'{"w":{"dtype":"F32","shape":[204800],"data_offsets":[0,819200]}}'
    (target / "weights.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(819200))
    token = "hf" + "_" + "".join(random.Random(7).choices(string.ascii_letters, k=34))
    (target / "src" / "rag_service" / "hub.py").write_text(f'"""Where the model comes from."""\n\nTOKEN = "{token}"\n')
    head = git(ROOT, "rev-parse", "HEAD").strip()
    (target / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {ROOT.as_posix()}\n    rev: {head}\n    hooks:\n      - id: gatepost\n"
    )
    git(target, "init", "-q")
    git(target, "add", "-A")
    return target


def git(where: Path, *args: str) -> str:
    """stdout of a git command."""
    done = subprocess.run(["git", *args], cwd=where, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
