"""How long a verdict on a lock takes, beside the tools that own the locks: `python benchmarks/lock_freshness.py`.

Makes projects of 10 and 350 packages (no network: locks of each format are written, not resolved), then times, in one run and
alternating: a bare interpreter, a console script that does nothing and one that asks git one question (what no hook in
Python can be quicker than), `gatepost lock-freshness` by hand and in a commit, the verdict alone in an isolated
interpreter, and each tool that is on PATH (`uv lock --check`, `poetry check --lock`, `pdm lock --check`, `pipenv verify`).

Per row: the least and the median wall time, the least CPU time with all children, in ms, and multiples of the bare
interpreter. Then what was asked of them, and whether it is met, by least wall time and by least CPU time: on a busy
machine only the latter tells, and it cannot show that git runs beside the imports. An argument sets the rounds (15).
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

Times = dict[str, list[tuple[float, float]]]  # wall and CPU ms of every round, by row

_HOST = ("pypi", "org")
REGISTRY = "https://" + ".".join(_HOST) + "/simple"
ROUNDS = 15
NOTHING = "import os, sys\nos._exit(0)\n"
ONE_GIT = """\
import os, sys
pid = os.posix_spawnp("git", ["git", "ls-files", "--stage", "-z"], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
os.waitpid(pid, 0)
os._exit(0)
"""
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


def others(root: Path, count: int) -> None:
    """Fresh locks of Poetry, PDM and Pipenv, each in a directory of its own; the hashes are ours, as the tests prove."""
    from gatepost.locks._pdm_hash import one_hash
    from gatepost.locks.pipenv import pipfile_hash
    from gatepost.locks.poetry import content_hash
    from gatepost.toml.load import loads

    wanted = [f"pkg-{number:03d}>=1" for number in range(min(count, 27))]
    listed = ",\n".join(f'    "{need}"' for need in wanted)
    text = f'[project]\nname = "demo"\nversion = "1.0"\nrequires-python = ">=3.10"\ndependencies = [\n{listed},\n]\n'
    names = [(f"pkg-{number:03d}", f"1.{number}", f"pkg-{(number + 1) % count:03d}") for number in range(count)]
    files = {
        name: "files = [\n"
        + "".join(
            f'    {{file = "{name}-{version}-cp3{minor}-cp3{minor}-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", '
            f'hash = "sha256:{"0" * 64}"}},\n'
            for minor in range(18)
        )
        + "]\n"
        for name, version, _ in names
    }
    poetry = "\n".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\ndescription = "A package"\noptional = false\n'
        f'python-versions = ">=3.9"\ngroups = ["main"]\n{files[name]}\n[package.dependencies]\n{need} = ">=1"\n'
        for name, version, need in names
    )
    head = "# This file is automatically @generated by Poetry 2.5.1 and should not be changed by hand.\n\n"
    end = f'\n[metadata]\nlock-version = "2.1"\npython-versions = ">=3.10"\ncontent-hash = "{content_hash(loads(text.encode()))}"\n'
    pdm = "\n".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\nrequires_python = ">=3.9"\nsummary = "A package"\n'
        f'groups = ["default"]\ndependencies = [\n    "{need}>=1",\n]\n{files[name]}'
        for name, version, need in names
    )
    metadata = (
        '[metadata]\ngroups = ["default"]\nstrategy = ["inherit_metadata"]\nlock_version = "4.5.0"\n'
        f'content_hash = "sha256:{one_hash(loads(text.encode()), "sha256")}"\n\n[[metadata.targets]]\nrequires_python = ">=3.10"\n\n'
    )
    pipfile = '[[source]]\nurl = "https://index.example/simple"\nverify_ssl = true\nname = "main"\n\n[packages]\n'
    pipfile += "".join(f'{need[:-3]} = ">=1"\n' for need in wanted)
    sections = {
        "_meta": {
            "hash": {"sha256": pipfile_hash(loads(pipfile.encode()), True)},
            "pipfile-spec": 6,
            "requires": {},
            "sources": [{"name": "main", "url": "https://index.example/simple", "verify_ssl": True}],
        },
        "default": {
            name: {"hashes": [f"sha256:{i:064d}" for i in range(18)], "version": f"=={v}"} for name, v, _ in names
        },
        "develop": {},
    }
    for tool, content in (
        ("poetry", {"pyproject.toml": text, "poetry.lock": head + poetry + end}),
        ("pdm", {"pyproject.toml": text, "pdm.lock": "# This file is @generated by PDM.\n\n" + metadata + pdm}),
        ("pipenv", {"Pipfile": pipfile, "Pipfile.lock": json.dumps(sections, indent=4)}),
    ):
        (root / tool).mkdir(parents=True)
        for name, value in content.items():
            (root / tool / name).write_text(value)
        for command in (["init", "-q", "."], ["add", "-A"]):
            subprocess.run(["git", *command], cwd=root / tool, check=True)


def once(argv: list[str], cwd: Path, env: Mapping[str, str], codes: tuple[int, ...]) -> tuple[float, float]:
    """Wall and CPU time of a run, in ms."""
    quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]
    os.chdir(cwd)
    start = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=quiet)
    _, status, used = os.wait4(pid, 0)
    spent = time.perf_counter() - start
    assert os.waitstatus_to_exitcode(status) in codes, (argv, status)
    return spent * 1000, (used.ru_utime + used.ru_stime) * 1000


def measure(folder: Path, count: int, rounds: int) -> Times:
    """Every row of a size, alternating."""
    source = str(Path(__file__).parents[1] / "hooks")
    python = [sys.executable, "-I", "-S"]
    root, stale = folder / "fresh", folder / "stale"
    root.mkdir()
    make(root, count)
    shutil.copytree(root, stale)
    text = (stale / "pyproject.toml").read_text()
    (stale / "pyproject.toml").write_text(text.replace("pkg-003>=1", "pkg-003>=1.1"))
    subprocess.run(["git", "add", "-A"], cwd=stale, check=True)
    for name, code in (("judge", JUDGE), ("nothing", NOTHING), ("one_git", ONE_GIT)):
        (folder / f"{name}.py").write_text(code)
    judge = [*python, str(folder / "judge.py"), source]
    tools = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")}
    env = {**tools, "PYTHONPATH": source}
    ours = [sys.executable, "-m", "gatepost", "lock-freshness"]
    if script := shutil.which("gatepost", path=os.path.dirname(sys.executable)):
        ours, env = [script, "lock-freshness"], tools
    commit = {**env, "PRE_COMMIT": "1", "GIT_INDEX_FILE": ".git/index"}
    tools = {**tools, "UV_PYTHON": sys.executable}  # uv need not look for one among shims
    cold = {**tools, "UV_CACHE_DIR": str(folder / "no-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    here = [*ours, "pyproject.toml"]
    runs: dict[str, tuple[list[str], Path, Mapping[str, str], tuple[int, ...]]] = {
        "python -I -S -c pass": ([*python, "-c", "pass"], root, env, (0,)),
        "script that does nothing": ([sys.executable, str(folder / "nothing.py")], root, tools, (0,)),
        "script with one git call": ([sys.executable, str(folder / "one_git.py")], root, tools, (0,)),
        "verdict alone, -I -S": ([*judge, "Fresh"], root, env, (0,)),
        "verdict alone, stale": ([*judge, "Stale"], stale, env, (0,)),
        "gatepost, fresh": (here, root, env, (0,)),
        "gatepost, fresh, in a commit": (here, root, commit, (0,)),
        "gatepost, stale": (here, stale, env, (1,)),
    }
    if uv := shutil.which("uv"):
        runs["uv lock --check, warm"] = ([uv, "lock", "--check", "--offline"], root, tools, (0,))
        runs["uv lock --check, cold"] = ([uv, "lock", "--check", "--offline"], root, cold, (0,))
    others(folder / "others", count)
    for name, argv, manifest in (
        ("poetry", ["check", "--lock"], "pyproject.toml"),
        ("pdm", ["lock", "--check"], "pyproject.toml"),
        ("pipenv", ["verify"], "Pipfile"),
    ):
        where = folder / "others" / name
        runs[f"gatepost, fresh {name}"] = ([*ours, manifest], where, env, (0,))
        if found := shutil.which(name):
            runs[f"{name} {' '.join(argv)}"] = ([found, *argv], where, tools, (0, 1))
    times: Times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (argv, cwd, environ, codes) in runs.items():
            shutil.rmtree(cold["UV_CACHE_DIR"], ignore_errors=True)
            times[name].append(once(argv, cwd, environ, codes))
    return times


def asked(times: Times, count: int) -> None:
    """Print what was asked, what there is, and whether that is enough."""
    least = {name: tuple(map(min, zip(*found, strict=True))) for name, found in times.items()}
    print("  asked")
    for ours, limit in (("gatepost, fresh", None), ("gatepost, stale", 120.0)):
        if limit is None or count > 100:
            for kind, at in (("wall", 0), ("CPU", 1)):
                most = limit or 2 * least["python -I -S -c pass"][at] + 15
                told = "met" if least[ours][at] <= most else "MISSED"
                print(f"    {ours + ', ' + kind:44}{least[ours][at]:8.1f} ms  asked <= {most:6.1f}  {told}")
    for tool, ours, ratio in (
        ("uv lock --check, cold", "gatepost, fresh", 2),
        ("poetry check --lock", "gatepost, fresh poetry", 40),
        ("pdm lock --check", "gatepost, fresh pdm", 20),
        ("pipenv verify", "gatepost, fresh pipenv", 25),
    ):
        for kind, at in (("wall", 0), ("CPU", 1)) if tool in least else ():
            times_faster = least[tool][at] / least[ours][at]
            floor = least[tool][at] / least["script with one git call"][at]
            told = "met" if times_faster >= ratio else "MISSED"
            print(f"    {tool + ', ' + kind:44}{times_faster:8.1f} x   asked >= {ratio:6}  {told} (floor: {floor:.1f})")


def main() -> int:
    sys.path.insert(0, str(Path(__file__).parents[1] / "hooks"))
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    for count in (10, 350):
        with tempfile.TemporaryDirectory() as folder:
            times = measure(Path(folder), count, rounds)
            size = (Path(folder) / "fresh" / "uv.lock").stat().st_size // 1024
            os.chdir("/")
        bare = min(wall for wall, _ in times["python -I -S -c pass"])
        print(f"{count} packages ({size} KiB){'wall least':>23}{'median':>8}{'CPU least':>11}")
        for name, found in times.items():
            walls = [wall for wall, _ in found]
            cpu = min(spent for _, spent in found)
            times_bare = min(walls) / bare
            print(f"  {name:30}{min(walls):8.1f}{statistics.median(walls):8.1f}{cpu:11.1f}  {times_bare:6.1f} x bare")
        asked(times, count)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
