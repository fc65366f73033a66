"""How long a verdict on a lock takes, beside the tools that own the locks: `python benchmarks/lock_freshness.py`.

Makes projects of 10 and 350 packages (no network: a lock is written, not resolved), then times, in one run and
alternating: a bare interpreter, `gatepost lock-freshness` on a staged commit, the verdict alone in an isolated
interpreter, and each tool that is installed (`uv lock --check`, `poetry check --lock`, `pdm lock --check`,
`pipenv verify`). Medians in ms, and ratios to the bare interpreter.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

_HOST = ("pypi", "org")
REGISTRY = "https://" + ".".join(_HOST) + "/simple"
ROUNDS = 15
JUDGE = """\
import sys
sys.path.insert(0, sys.argv[1])
from gatepost.locks._base import Lock
from gatepost.locks.uv import FORMAT
def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
lock = Lock(path="uv.lock", data=read("uv.lock"), read=read)
verdict = FORMAT.judge(lock)
assert type(verdict).__name__ == sys.argv[2], verdict
assert FORMAT.sound(lock)
"""


def package(number: int, count: int) -> str:
    name, version = f"pkg-{number:03d}", f"1.{number}"
    need = f'dependencies = [\n    {{ name = "pkg-{(number + 1) % count:03d}" }},\n]\n'
    files = "".join(
        f'    {{ url = "https://files.example/packages/{"ab/" * 20}pkg_{number:03d}-{version}-cp3{minor}-none-any.whl", '
        f'hash = "sha256:{"0" * 64}", size = 12345, upload-time = "2025-01-01T00:00:00Z" }},\n'
        for minor in range(9)
    )
    head = f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "{REGISTRY}" }}\n'
    return f"{head}{need}wheels = [\n{files}]\n"


def make(root: Path, count: int) -> None:
    wanted = [f"pkg-{number:03d}>=1" for number in range(min(count, 27))]
    listed = ",\n".join(f'    "{need}"' for need in wanted)
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "demo"\nversion = "1.0"\nrequires-python = ">=3.10"\ndependencies = [\n{listed},\n]\n'
    )
    names = [need[:-3] for need in wanted]
    needs = "".join(f'    {{ name = "{name}" }},\n' for name in names)
    dist = "".join(f'    {{ name = "{name}", specifier = ">=1" }},\n' for name in names)
    demo = (
        '[[package]]\nname = "demo"\nversion = "1.0"\nsource = { virtual = "." }\n'
        f"dependencies = [\n{needs}]\n\n[package.metadata]\nrequires-dist = [\n{dist}]\n"
    )
    blocks = [
        'version = 1\nrevision = 3\nrequires-python = ">=3.10"\n',
        demo,
        *(package(i, count) for i in range(count)),
    ]
    (root / "uv.lock").write_text("\n".join(blocks))
    for command in (["init", "-q", "."], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=root, check=True)


def once(argv: list[str], cwd: Path, env: Mapping[str, str], codes: tuple[int, ...]) -> float:
    start = time.perf_counter()
    done = subprocess.run(argv, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    spent = (time.perf_counter() - start) * 1000
    assert done.returncode in codes, (argv, done.returncode)
    return spent


def main() -> int:
    source = str(Path(__file__).parents[1] / "hooks")
    python = [sys.executable, "-I", "-S"]
    for count in (10, 350):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "fresh"
            root.mkdir()
            make(root, count)
            stale = Path(folder) / "stale"
            shutil.copytree(root, stale)
            text = (stale / "pyproject.toml").read_text()
            (stale / "pyproject.toml").write_text(text.replace("pkg-003>=1", "pkg-003>=1.1"))
            subprocess.run(["git", "add", "-A"], cwd=stale, check=True)
            judge = Path(folder) / "judge.py"
            judge.write_text(JUDGE)
            ours = [sys.executable, "-m", "gatepost", "lock-freshness", "pyproject.toml"]
            env = {**os.environ, "PYTHONPATH": source}
            cold = {**env, "UV_CACHE_DIR": str(Path(folder) / "no-cache"), "UV_PYTHON_DOWNLOADS": "never"}
            runs: dict[str, tuple[list[str], Path, Mapping[str, str], tuple[int, ...]]] = {
                "python -I -S -c pass": ([*python, "-c", "pass"], root, env, (0,)),
                "verdict alone, -I -S": ([*python, str(judge), source, "Fresh"], root, env, (0,)),
                "verdict alone, stale": ([*python, str(judge), source, "Stale"], stale, env, (0,)),
                "gatepost, fresh": (ours, root, env, (0,)),
                "gatepost, stale": (ours, stale, env, (1,)),
            }
            if uv := shutil.which("uv"):
                runs["uv lock --check, warm"] = ([uv, "lock", "--check", "--offline"], root, env, (0,))
                runs["uv lock --check, cold"] = ([uv, "lock", "--check", "--offline"], root, cold, (0,))
            for name, argv in (
                ("poetry", ["check", "--lock"]), ("pdm", ["lock", "--check"]), ("pipenv", ["verify"])
            ):  # fmt: skip
                if found := shutil.which(name):  # any verdict: what is timed is how long the tool takes to reach one
                    runs[f"{name} {' '.join(argv)}"] = ([found, *argv], root, env, (0, 1, 2))
            times: dict[str, list[float]] = {name: [] for name in runs}
            for _ in range(ROUNDS):
                for name, (argv, cwd, environ, codes) in runs.items():
                    if environ is cold:
                        shutil.rmtree(cold["UV_CACHE_DIR"], ignore_errors=True)
                    times[name].append(once(argv, cwd, environ, codes))
            bare = statistics.median(times["python -I -S -c pass"])
            print(f"{count} packages ({(root / 'uv.lock').stat().st_size // 1024} KiB)")
            for name, found_times in times.items():
                median = statistics.median(found_times)
                print(f"  {name:28}{median:8.1f} ms  {median / bare:6.1f} x bare")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
