"""Recall, precision and speed of the `secrets` hook beside other scanners, on a corpus made at run time.

    python benchmarks/secret_scanners.py --tool gitleaks=/path/to/gitleaks --tool betterleaks=... --tool kingfisher=... [--set main|held-out|third] [--seed N]
    python benchmarks/secret_scanners.py --speed REPOSITORY --detect-secrets /path/to/bin/detect-secrets

A hit counts when it is on the labelled line of its file; every other flagged line is a false alarm.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gatepost.model import Context
from gatepost.rules.secrets.check import check
from gatepost.tree.memory import MemoryTree

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.secrets import corpus, third

Hits = set[tuple[str, int]]


def ours(root: Path) -> Hits:
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    found = check(Context(tree=MemoryTree(files), settings={}, args={}, env={}))
    return {(one.where.path, one.where.line or 0) for one in found if one.code != "SE105"}


def detect_secrets_default(root: Path) -> Hits:
    run = subprocess.run(
        [sys.executable, "-m", "detect_secrets", "scan", "--all-files", "--no-verify", "."],
        cwd=root,
        capture_output=True,
        check=True,
    )
    return {
        (path.removeprefix("./"), one["line_number"])
        for path, found in json.loads(run.stdout)["results"].items()
        for one in found
    }


def detect_secrets_configured(root: Path) -> Hits:
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    run = subprocess.run(
        [sys.executable, "-m", "gatepost.tools.detect_secrets_run", *files],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (line.split(":", 2) for line in run.stdout.splitlines() if not line.startswith(" "))
    return {(path, int(number)) for path, number, _ in lines}


def gitleaks(executable: str, root: Path) -> Hits:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [executable, "dir", ".", "-f", "json", "-r", str(report), "--no-banner"],
            cwd=root,
            capture_output=True,
            check=False,
        )
        found = json.loads(report.read_text() or "[]") if report.exists() else []
    return {(one["File"].removeprefix("./"), one["StartLine"]) for one in found or []}


def betterleaks(executable: str, root: Path) -> Hits:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run([executable, ".", "-o", str(report)], cwd=root, capture_output=True, check=False)
        found = json.loads(report.read_text())["findings"] if report.exists() else []
    return {(one["location"]["path"].removeprefix("./"), one["location"]["start_line"]) for one in found}


def kingfisher(executable: str, root: Path) -> Hits:
    run = subprocess.run(
        [executable, "scan", ".", "--no-validate", "--format", "jsonl", "--git-history", "none", "--no-update-check", "--confidence", "low", "--no-dedup"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    hits: Hits = set()

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if "path" in value and "line" in value:
                hits.add((str(value["path"]).removeprefix("./"), int(value["line"])))
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    for line in run.stdout.splitlines():
        if line.startswith(("{", "[")):
            walk(json.loads(line))
    return hits


def build(root: Path, seed: int, which: str, per_context: int) -> list[tuple[str, corpus.File]]:
    if which == "third":
        labelled, clean = third.positives(seed, per_context), third.negatives(seed + 13)
    else:
        contexts = corpus.HELD_OUT if which == "held-out" else corpus.CONTEXTS
        labelled = corpus.positives(seed, contexts, per_context) + corpus.url_files(seed + 7)
        clean = corpus.negatives(seed + 13)
    for path, data, _ in [file for _, file in labelled] + clean:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return labelled


def table(args: argparse.Namespace) -> None:
    tools: dict[str, Callable[[Path], Hits]] = {
        "gatepost secrets": ours,
        "detect-secrets default": detect_secrets_default,
        "detect-secrets configured": detect_secrets_configured,
    }
    peers = {"gitleaks": gitleaks, "betterleaks": betterleaks, "kingfisher": kingfisher}
    for pair in args.tool:
        name, _, path = pair.partition("=")
        tools[name] = functools.partial(peers[name], path)
    with tempfile.TemporaryDirectory(prefix="corpus") as folder:
        root = Path(folder)
        labelled = build(root, args.seed, args.set, args.per_context)
        want = {(path, line) for _, (path, _, lines) in labelled for line in lines}
        kinds = {name.rpartition("[")[2] for name, _ in labelled}
        print(
            f"{args.set}, seed {args.seed}: {len(want)} secrets, {len(kinds)} types, {len({n.partition(' [')[0] for n, _ in labelled})} contexts"
        )
        for name, run in tools.items():
            begun = time.perf_counter()
            hits = run(root)
            spent = time.perf_counter() - begun
            good = len(want & hits)
            print(
                f"{name:28} recall {good / len(want):.3f}  precision {good / max(1, len(hits)):.3f}  false {len(hits - want):4}  {spent:6.2f} s"
            )
            if args.show and name == args.show:
                for label, (path, data, lines) in labelled:
                    for line in lines:
                        if (path, line) not in hits:
                            print("  missed", label, data.splitlines()[line - 1][:110])
                for path, line in sorted(hits - want):
                    print("  false", path, line, (root / path).read_bytes().splitlines()[line - 1][:140])


def cpu_of(argv: list[str], cwd: Path) -> float:
    """CPU seconds of a command and its children; its exit code says whether something was found."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, cwd=cwd, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def jsonl(path: Path) -> None:
    """Ten MB of records with words and a hash each."""
    r = random.Random(1)
    words = ["".join(r.choices(corpus.LOWER, k=r.randrange(2, 10))) for _ in range(5000)]
    with path.open("w") as stream:
        while stream.tell() < 10 * 2**20:
            record = {
                "id": hashlib.sha1(r.randbytes(8), usedforsecurity=False).hexdigest(),
                "text": " ".join(r.choices(words, k=120)),
                "token_count": 120,
            }
            stream.write(json.dumps(record) + "\n")


def speed(args: argparse.Namespace) -> None:
    """CPU time of the hooks' own commands over a repository and over a 10 MB jsonl, one after the other, the least of some rounds."""
    with tempfile.TemporaryDirectory() as folder:
        big = Path(folder) / "big"
        repository = Path(folder) / "repository"
        big.mkdir()
        jsonl(big / "data.jsonl")
        shutil.copytree(args.speed, repository, ignore=shutil.ignore_patterns(".git"), symlinks=True)
        for name, root in (("repository", repository), ("10 MB jsonl", big)):
            subprocess.run(["git", "init", "-q"], cwd=root, check=True)
            subprocess.run(["git", "add", "-A", "-f"], cwd=root, check=True)
            count = len(
                subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, check=True).stdout.splitlines()
            )
            commands = {
                "gatepost secrets": [sys.executable, "-m", "gatepost", "secrets"],
                "gatepost detect-secrets": [sys.executable, "-m", "gatepost", "detect-secrets", "."],
                "detect-secrets": [args.detect_secrets, "scan", "--all-files", "--no-verify", "."],
            }
            listed = subprocess.run(
                ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True
            ).stdout.split("\n")
            commands["gatepost detect-secrets"][-1:] = [each for each in listed if each]
            least = dict.fromkeys(commands, float("inf"))
            for _ in range(args.rounds):
                for tool, argv in commands.items():
                    least[tool] = min(least[tool], cpu_of(argv, root))
            print(
                f"{name}, {count} files: "
                + ", ".join(
                    f"{tool} {spent:.2f} s ({least['detect-secrets'] / spent:.0f}x)" for tool, spent in least.items()
                )
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--per-context", type=int, default=8)
    parser.add_argument("--set", choices=["main", "held-out", "third"], default="main")
    parser.add_argument("--show", default="", help="print what this tool missed and its false alarms")
    parser.add_argument("--speed", default="", metavar="REPOSITORY")
    parser.add_argument("--detect-secrets", default="detect-secrets")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if args.speed:
        speed(args)
    else:
        table(args)


if __name__ == "__main__":
    main()
