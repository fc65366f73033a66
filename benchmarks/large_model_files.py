"""Who stops what: the case table of tests/large_model_files for check-added-large-files, prek's builtin and ours.

    python benchmarks/large_model_files.py rows     run all rows for all tools, write the table into the docs
    python benchmarks/large_model_files.py speed    50,000 tracked files, whole tree and a one-file commit
    python benchmarks/large_model_files.py memory   a 2 GiB blob in the index

Needs pre-commit and prek beside this interpreter; pre-commit-hooks is installed into an environment of its own.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
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


def best(argv: list[str] | str, cwd: Path, env: dict[str, str], times: int = 15) -> float:
    """The fastest of some runs, in milliseconds."""
    fastest = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run(argv, cwd=cwd, env=env, shell=isinstance(argv, str), stdout=subprocess.DEVNULL, check=False)
        fastest = min(fastest, time.perf_counter() - start)
    return fastest * 1000


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
    with tempfile.TemporaryDirectory(prefix="speed-") as name:
        repo = Path(name) / "repo"
        many_files(repo)
        start = best([sys.executable, "-c", "pass"], repo, env)
        pipe = best("git ls-files -s | cut -d' ' -f2 | git cat-file --batch-check", repo, env)
        peer = best(f"git ls-files -z | xargs -0 {calf} --enforce-all", repo, env, times=5)
        whole = best(ours, repo, {**env, "PRE_COMMIT": "1"})
        print(f"interpreter {start:.0f} ms; plain pipe {pipe:.0f} ms; check-added-large-files {peer:.0f} ms")
        print(
            f"whole tree, 50,000 files: {whole:.0f} ms = {(whole - start) / pipe:.2f} x the pipe, {peer / whole:.1f} x faster"
        )
        (repo / "package_0/module_0/file_0.py").write_text("changed\n")
        subprocess.run(["git", "add", "-u"], cwd=repo, check=True)
        oid = subprocess.run(
            ["git", "rev-parse", ":package_0/module_0/file_0.py"], cwd=repo, capture_output=True, check=True
        )
        (Path(name) / "oid").write_bytes(oid.stdout)
        calls = f"git diff-index --cached --raw -z --no-renames HEAD; git cat-file --batch-check < {name}/oid"
        commit = {**env, "GIT_INDEX_FILE": ".git/index"}
        one, two, start = together([(ours, commit), (calls, env), ([sys.executable, "-c", "pass"], env)], repo)
        print(
            f"one-file commit: {one:.0f} ms, interpreter {start:.0f} ms, its two git calls {two:.0f} ms: {told(one, two, start)}"
        )
        (repo / ".gitattributes").write_text("*.safetensors filter=lfs diff=lfs merge=lfs -text\n")
        subprocess.run(["git", "add", ".gitattributes"], cwd=repo, check=True)
        one, two, start = together([(ours, commit), (calls, env), ([sys.executable, "-c", "pass"], env)], repo)
        print(f"the same where an LFS rule is tracked: {one:.0f} ms: {told(one, two, start)}")


def told(one: float, two: float, start: float) -> str:
    """The ratio, read in both ways."""
    return f"{(one - start) / two:.2f} x them without the interpreter's start, {one / (two + start):.2f} x with it on both sides"


def together(runs: list[tuple[list[str] | str, dict[str, str]]], cwd: Path, times: int = 30) -> list[float]:
    """The fastest of each, in milliseconds, run in turns so that a busy machine slows all alike."""
    return [
        min(each) for each in zip(*([best(argv, cwd, env, 1) for argv, env in runs] for _ in range(times)), strict=True)
    ]


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
