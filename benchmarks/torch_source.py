"""How long torch-source takes over a bare interpreter: no torch at all, and a uv.lock project of 300 packages.

    python benchmarks/torch_source.py

Prints the median of 15 runs of each as milliseconds, and the difference to the bare interpreter.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CPU = "https://download.pytorch.org/whl/cpu"
REGISTRY = "https://index.example/simple"


def project(folder: Path, torch: bool, packages: int = 300) -> None:
    names = [f"package-{number}" for number in range(packages)]
    direct = ["torch>=2.7,<2.9"] if torch else []
    routed = f'[[tool.uv.index]]\nname = "cpu"\nurl = "{CPU}"\nexplicit = true\n\n[tool.uv.sources]\ntorch = {{ index = "cpu" }}\n'
    folder.joinpath("pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10,<3.13"\n'
        f"dependencies = {[*names[:40], *direct]!r}\n\n" + (routed if torch else "")
    )
    blocks = ['version = 1\nrequires-python = ">=3.10"\n']
    for name in [*names, *(["torch"] if torch else [])]:
        origin, version = (CPU, "2.8.0+cpu") if name == "torch" else (REGISTRY, "1.0.0")
        wheels = "".join(
            f'    {{ url = "https://files.example/{name}-{version}-cp3{minor}-cp3{minor}-manylinux_2_28_x86_64.whl", hash = "sha256:{minor:064d}", size = 1 }},\n'
            for minor in range(9, 19)
        )
        blocks.append(
            f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "{origin}" }}\nwheels = [\n{wheels}]\n'
        )
    folder.joinpath("uv.lock").write_text("\n".join(blocks))
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)


def median(command: list[str], cwd: Path, runs: int = 15) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(command, cwd=cwd, capture_output=True, check=False)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        with_torch, without = Path(name, "torch"), Path(name, "plain")
        for folder, torch in ((with_torch, True), (without, False)):
            folder.mkdir()
            project(folder, torch)
        bare = median([sys.executable, "-c", "pass"], without)
        hook = [sys.executable, "-m", "gatepost", "torch-source"]
        for label, folder in (("no torch, 300 packages", without), ("torch, uv.lock of 300 packages", with_torch)):
            spent = median(hook, folder)
            print(f"{label}: {spent:.0f} ms, {spent - bare:.0f} ms over the bare interpreter ({bare:.0f} ms)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
