"""Start-up and whole runs, side by side: `python3 benchmarks/startup.py [--runs N] [--quick]`.

Makes an environment with this checkout installed as users get it (a wheel with compiled modules), a 1,000-file project,
and times, interleaved in one run: the bare interpreter, every own hook with nothing to do, on a commit of three files,
and on the whole project; then, under pre-commit and prek, nine ids against the one id. Prints minimum and median in
milliseconds and the ratio to the bare interpreter: on a shared machine trust the ratios of one run, not the figures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OWN = ["lock-freshness", "large-model-files", "torch-source", "sync-configs", "secrets", "unsafe-load"]
NINE = ["lock-freshness", "large-model-files", "torch-source", "sync-configs", "ruff-check", "ruff-format", "mypy",
        "bandit", "detect-secrets"]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="own hooks only, no runners")
    known = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        home = Path(folder)
        scripts = install(home / "venv", runners=not known.quick)
        project = make_project(home / "project")
        empty = home / "empty"
        empty.mkdir()
        git(empty, "init", "-q")
        (empty / "a.txt").write_text("x")
        git(empty, "add", "-A")
        own_hooks(scripts, project, empty, known.runs)
        if not known.quick:
            runners(scripts, project, home, max(3, known.runs // 3))


def install(target: Path, runners: bool) -> Path:
    venv.create(target, with_pip=True)
    scripts = target / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [str(scripts / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([*pip, "-U", "pip"], check=True, env=env)
    extra = ["pre-commit==4.7.0", "prek==0.5.11"] if runners else []
    subprocess.run([*pip, str(ROOT), *extra], check=True, env=env)
    return scripts


def make_project(target: Path) -> Path:
    target.mkdir()
    for number in range(1000):
        file = target / f"src/pkg/part{number // 50}/m{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'"""Module {number}."""\n\n\ndef f{number}(x: int) -> int:\n    return x + {number}\n')
    (target / "pyproject.toml").write_text(
        '[project]\nname = "bench"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["attrs>=23"]\n\n'
        '[tool.uv]\npackage = false\n\n[tool.mypy]\npython_version = "3.11"\n\n[tool.gatepost.mypy]\nisolated = true\n'
    )
    (target / "uv.lock").write_text(
        'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n[[package]]\nname = "attrs"\nversion = "25.3.0"\n'
        'source = { registry = "https://index.example/simple" }\n\n[[package]]\nname = "bench"\nversion = "1"\n'
        'source = { virtual = "." }\ndependencies = [\n    { name = "attrs" },\n]\n\n[package.metadata]\n'
        'requires-dist = [{ name = "attrs", specifier = ">=23" }]\n'
    )
    git(target, "init", "-q")
    git(target, "add", "-A")
    git(target, "-c", "user.name=b", "-c", "user.email=b@index.example", "commit", "-qm", "c")
    git(target, "gc", "-q")
    return target


def git(where: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=where, check=True)


def timed(commands: dict[str, tuple[list[str], Path, dict[str, str]]], runs: int) -> dict[str, list[float]]:
    """Milliseconds of each command, the commands in turn, one warm-up round first."""
    found: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, (argv, where, env) in commands.items():
            start = time.perf_counter()
            subprocess.run(argv, cwd=where, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            if turn:
                found[name].append((time.perf_counter() - start) * 1000)
    return found


def show(title: str, found: dict[str, list[float]]) -> None:
    base = min(next(iter(found.values())))
    print(f"\n{title}\n{'':36} {'min':>8} {'median':>8} {'over first':>11} {'ratio':>6}")
    for name, times in found.items():
        low = min(times)
        print(f"{name:36} {low:8.1f} {statistics.median(times):8.1f} {low - base:11.1f} {low / base:6.2f}")


def own_hooks(scripts: Path, project: Path, empty: Path, runs: int) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT"))}
    commit = {**env, "GIT_INDEX_FILE": ".git/index"}
    python, gatepost = str(scripts / "python"), str(scripts / "gatepost")
    files = ["pyproject.toml", "src/pkg/part0/m1.py", "src/pkg/part0/m2.py"]
    commands: dict[str, tuple[list[str], Path, dict[str, str]]] = {
        "python -c pass": ([python, "-c", "pass"], empty, env),
        "python -I -S -c pass": ([python, "-I", "-S", "-c", "pass"], empty, env),
        "git ls-files": (["git", "ls-files", "-s", "-z"], empty, env),
    }
    for hook in OWN:
        commands[f"{hook}: nothing to do"] = ([gatepost, hook], empty, env)
    for hook in OWN:
        names = [] if hook == "large-model-files" else files
        commands[f"{hook}: commit of 3 files"] = ([gatepost, hook, *names], project, commit)
    for hook in OWN:
        commands[f"{hook}: all 1,000 files"] = ([gatepost, hook], project, env)
    show("own hooks, ms", timed(commands, runs))


def runners(scripts: Path, project: Path, home: Path, runs: int) -> None:
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    env = {**os.environ, "PRE_COMMIT_HOME": str(home / "pc"), "PREK_HOME": str(home / "prek"), "SKIP": "sync-configs",
           "GATEPOST_SKIP": "sync-configs"}  # fmt: skip
    env["PATH"] = f"{scripts}{os.pathsep}{env['PATH']}"
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    configs = {}
    for name, ids in {"nine ids": NINE, "one id": ["gatepost"]}.items():
        configs[name] = home / f"{name.replace(' ', '-')}.yaml"
        hooks = "".join(f"      - id: {each}\n" for each in ids)
        configs[name].write_text(f"repos:\n  - repo: {ROOT.as_posix()}\n    rev: {head}\n    hooks:\n{hooks}")
    small = ["pyproject.toml", "src/pkg/part0/m1.py", "src/pkg/part0/m2.py"]
    for what, tail in {"commit of 3 files": ["--files", *small], "all 1,000 files": ["--all-files"]}.items():
        commands: dict[str, tuple[list[str], Path, dict[str, str]]] = {}
        for runner in ("pre-commit", "prek"):
            for name, config in configs.items():
                argv = [str(scripts / runner), "run", "-c", str(config), *tail]
                if name == "one id" and tail[0] == "--files":
                    # the one id finds a commit's files itself: a real index with these staged, as `git commit` does
                    argv = [str(scripts / runner), "run", "-c", str(config)]
                commands[f"{runner}, {name}"] = (
                    argv,
                    project,
                    {**env, "GIT_INDEX_FILE": ".git/index"} if tail[0] == "--files" else env,
                )
        if tail[0] == "--files":
            for (
                file
            ) in small:  # changes that no formatter would touch: a file that is rewritten is stashed away each run
                text = (project / file).read_text()
                (project / file).write_text(
                    text.replace("return x +", "return 1 + x +").replace("attrs>=23", "attrs>=22")
                )
                (project / "uv.lock").write_text((project / "uv.lock").read_text().replace('">=23"', '">=22"'))
            git(project, "add", "-A")
            for name in list(commands):
                argv, where, each = commands[name]
                commands[name] = ([word for word in argv if word not in ("--files", *small)], where, each)
        show(f"runners, {what}, ms", timed(commands, runs))


if __name__ == "__main__":
    main()
