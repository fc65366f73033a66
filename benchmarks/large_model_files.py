"""Who stops what: the case table of tests/large_model_files for check-added-large-files, prek's builtin and ours.

    python benchmarks/large_model_files.py rows     run all rows for all tools, write the table into the docs
    python benchmarks/large_model_files.py speed    50,000 tracked files, whole tree and a one-file commit
    python benchmarks/large_model_files.py memory   a 2 GiB blob in the index

Needs pre-commit and prek beside this interpreter; pre-commit-hooks is installed into an environment of its own.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.large_model_files.lab import BIN, GATEPOST, Lab, Templates, Tool, environment, local_hook  # noqa: E402
from tests.large_model_files.rows import ROWS, Row  # noqa: E402
from tests.oracle import tool_env  # noqa: E402

DOCS = ROOT / "docs" / "large-model-files.md"
BEGIN, END = "<!-- rows: python benchmarks/large_model_files.py rows -->", "<!-- end of rows -->"
STAGES = "stages: [pre-commit, pre-push, manual]"


def builtin(*args: str) -> str:
    """prek's own implementation."""
    more = [f"    args: [{', '.join(args)}]"] if args else []
    return "\n".join(["- repo: builtin", "  hooks:", "  - id: check-added-large-files", f"    {STAGES}", *more])


def tools() -> list[Tool]:
    """What is compared, ours last."""
    calf = str(tool_env("pre-commit-hooks==6.0.0") / "check-added-large-files")
    both = ("pre-commit", "pre-push")
    return [
        Tool("check-added-large-files 6.0.0", "pre-commit", local_hook(calf, STAGES), both),
        Tool("with --enforce-all", "pre-commit", local_hook(f"{calf} --enforce-all", STAGES), both),
        Tool("prek builtin 0.5.11", "prek", builtin(), both),
        Tool("with --enforce-all ", "prek", builtin("--enforce-all"), both),
        GATEPOST["pre-commit"],
        GATEPOST["prek"],
        GATEPOST["git"],
    ]


def outcome(row: Row, tool: Tool, folder: Path, templates: Templates) -> str:
    """What a tool says of one row."""
    return row.action(Lab(folder, templates, tool, *row.init))


def verdict(row: Row, said: str) -> str:
    """The cell: what was said, in bold if it is wrong; a row without one right answer is never wrong."""
    if row.open or said == row.wanted:
        return said
    return "**crash**" if said == "crash" else "**miss**" if row.wanted == "block" else "**false alarm**"


def run_rows() -> None:
    """Run everything; rewrite the table between the markers of the docs page."""
    chosen = tools()
    results: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="rows-") as name:
        base = Path(name)
        templates = Templates(base / "templates")
        for row in ROWS:
            said = [outcome(row, tool, base / f"{row.number}-{at}", templates) for at, tool in enumerate(chosen)]
            results[row.number] = [verdict(row, each) for each in said]
            print(row.number, *results[row.number], flush=True)
    definite = [row for row in ROWS if not row.open]
    right = [sum("*" not in results[row.number][at] for row in definite) for at in range(len(chosen))]
    lines = [
        f"| # | case | wanted | {' | '.join(tool.name.strip() for tool in chosen)} |",
        f"|---|---|---|{'---|' * len(chosen)}",
        *(
            f"| {row.number} | {row.title.replace('|', '/')} | {row.wanted}{' (open)' if row.open else ''} | "
            f"{' | '.join(results[row.number])} |"
            for row in ROWS
        ),
        f"| | **right of {len(definite)}** | | {' | '.join(f'**{each}**' for each in right)} |",
    ]
    text = DOCS.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    DOCS.write_text(f"{head}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{tail}", encoding="utf-8")


# --- speed -----------------------------------------------------------------------------------------------------------


def once(argv: Sequence[str], cwd: Path, env: dict[str, str]) -> tuple[float, float]:
    """Milliseconds of one run: on the clock, and of the processor in all of its processes."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, cwd=cwd, env=env, shell=isinstance(argv, str), stdout=subprocess.DEVNULL, check=False)
    spent, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent * 1000, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def together(
    runs: Mapping[str, tuple[Sequence[str], dict[str, str]]], cwd: Path, times: int = 30
) -> dict[str, tuple[float, float]]:
    """The least of each in both measures, run in turns so that a busy machine slows all alike."""
    found = {name: [(float("inf"), float("inf"))] for name in runs}
    for _ in range(times):
        for name, (argv, env) in runs.items():
            found[name].append(once(argv, cwd, env))
    return {name: (min(each[0] for each in all_), min(each[1] for each in all_)) for name, all_ in found.items()}


def many_files(path: Path, count: int = 50_000) -> None:
    """A repository with `count` small packed files."""
    source = random.Random(1)
    stream = [b"commit refs/heads/main\ncommitter t <t@index.example> 1700000000 +0000\ndata 1\nx\n"]
    for at in range(count):
        data = f"# {at}\n".encode() + b"x = 1\n" * source.randint(5, 400)
        name = f"package_{at // 5000}/module_{at // 100}/file_{at % 100}.py"
        stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(data), data))
    subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input=b"".join(stream), check=True)
    subprocess.run(["git", "reset", "-q", "--hard"], cwd=path, check=True)


def run_speed() -> None:
    """Ratios in one run, in one repository."""
    calf = str(tool_env("pre-commit-hooks==6.0.0") / "check-added-large-files")
    env = {**environment(), "PYTHONDONTWRITEBYTECODE": ""}
    ours = [str(BIN / "gatepost"), "large-model-files"]
    start = ([sys.executable, "-c", "pass"], env)
    with tempfile.TemporaryDirectory(prefix="speed-") as name:
        repo = Path(name) / "repo"
        many_files(repo)
        pipe = "git ls-files -s | cut -d' ' -f2 | git cat-file --batch-check"
        told("whole tree, 50,000 files, beside the plain pipe",
             together({"ours": ([*ours, "--all-files"], env), "git": (pipe, env), "start": start}, repo))  # fmt: skip
        peer = f"git ls-files -z | xargs -0 {calf} --enforce-all"
        both = together({"ours": ([*ours, "--all-files"], env), "peer": (peer, env)}, repo, times=5)
        wall, cpu = (both["peer"][at] / both["ours"][at] for at in (0, 1))
        print(f"check-added-large-files on the same: {wall:.1f} x our time, {cpu:.1f} x our processor time")
        (repo / "package_0/module_0/file_0.py").write_text("changed\n")
        subprocess.run(["git", "add", "-u"], cwd=repo, check=True)
        oid = subprocess.run(
            ["git", "rev-parse", ":package_0/module_0/file_0.py"], cwd=repo, capture_output=True, check=True
        )
        (Path(name) / "oid").write_bytes(oid.stdout)
        calls = f"git diff-index --cached --raw -z --no-renames HEAD; git cat-file --batch-check < {name}/oid"
        commit = {"ours": (ours, {**env, "GIT_INDEX_FILE": ".git/index"}), "git": (calls, env), "start": start}
        told("commit of one file, beside its two git calls", together(commit, repo))
        (repo / ".gitattributes").write_text("*.safetensors filter=lfs diff=lfs merge=lfs -text\n")
        subprocess.run(["git", "add", ".gitattributes"], cwd=repo, check=True)
        told("the same where an LFS rule is tracked", together(commit, repo))


def told(what: str, least: dict[str, tuple[float, float]]) -> None:
    """One line: the times, and the ratio with the interpreter's start left out."""
    wall, cpu = ((least["ours"][at] - least["start"][at]) / least["git"][at] for at in (0, 1))
    times = ", ".join(f"{name} {each[0]:.0f} ms ({each[1]:.0f} of the processor)" for name, each in least.items())
    print(f"{what}: {times}; without the interpreter's start {wall:.2f} x git's time, {cpu:.2f} x its processor time")


def run_memory() -> None:
    """Peak memory of the check (and of its git processes) with a 2 GiB blob staged."""
    with tempfile.TemporaryDirectory(prefix="memory-") as name:
        repo = Path(name)
        subprocess.run(["git", "init", "-q", "-b", "main", name], check=True)
        with (repo / "big.pt").open("wb") as stream:
            stream.write(os.urandom(1_000_000))
            stream.truncate(2 << 30)
        subprocess.run(["git", "-c", "core.compression=1", "add", "big.pt"], cwd=repo, check=True)
        # a child of this process only: resource counts the largest child, and git add above is one
        script = (
            "import resource, subprocess; "
            f"subprocess.run([{str(BIN / 'gatepost')!r}, 'large-model-files'], stdout=subprocess.DEVNULL); "
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=repo, env=environment(), capture_output=True, check=True
        )
        print(f"2 GiB staged: {int(done.stdout) / 1024:.0f} MiB at most")


if __name__ == "__main__":
    {"rows": run_rows, "speed": run_speed, "memory": run_memory}[sys.argv[1]]()
