"""Edits of uv projects, asked of the real uv and of us: the same answer wherever we decide.

The locks are made at test time against an index on loopback. `full` adds a second version of uv and every row; by
default every fifth row runs with one version.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.locks.uv import FORMAT
from tests.locks.asking import ask, edited
from tests.locks.local_index import LocalIndex
from tests.locks.uv_mutations import DIFFER, LOCKS, PACKAGES, PROJECTS, ROWS, Edit
from tests.oracle import tool_env

NEWEST, OLDER = "0.13.8", "0.9.30"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with LocalIndex(tmp_path_factory.mktemp("index"), PACKAGES) as found:
        yield found.url


def uv(version: str, index: str, cwd: Path, *args: str, python: str = sys.executable) -> int:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    home = cwd.parents[1] / "home"
    home.mkdir(exist_ok=True)
    env |= {
        "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CONFIG_DIRS": str(home), "UV_PYTHON": python,
        "UV_DEFAULT_INDEX": index, "UV_CACHE_DIR": str(cwd.parents[1] / "cache"), "UV_PYTHON_DOWNLOADS": "never",
        "NO_PROXY": "*",
    }  # fmt: skip
    if not python:  # uv looks for one, here first
        env = {name: value for name, value in env.items() if name not in ("UV_PYTHON", "VIRTUAL_ENV")}
        env["PATH"] = os.pathsep.join((str(Path(sys.executable).resolve().parent), env.get("PATH", "")))
    binary = tool_env(f"uv=={version}") / "uv"
    done = subprocess.run([str(binary), "lock", *args], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    (cwd.parents[1] / f"{cwd.name}.err").write_text(done.stderr)
    return done.returncode


def write(root: Path, files: dict[str, str], index: str) -> None:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("@INDEX@", index), encoding="utf-8", newline="")


def apply(root: Path, edits: list[Edit], index: str) -> None:
    for path, old, new in edits:
        target = root / path
        if new is None:
            target.unlink()
        elif old is None:
            write(root, {path: new}, index)
        else:
            text = target.read_bytes().decode()
            write(root, {path: edited(text, (old.replace("@INDEX@", index), new.replace("@INDEX@", index)))}, index)


def compare(version: str, index: str, base: Path, rows: list[tuple[str, str, list[Edit]]]) -> tuple[list[str], int]:
    """(disagreements, rows that we left open)."""
    wrong: list[str] = []
    unknown = 0
    for project in PROJECTS:
        mine = [row for row in rows if row[0] == project]
        if not mine:
            continue
        made = base / "made" / project
        write(made, PROJECTS[project], index)
        script = ["--script", "tool.py"] if project == "script" else []
        assert uv(version, index, made, *script) == 0, (base / f"{project}.err").read_text()
        lock = LOCKS.get(project, "uv.lock")
        for number, (_, name, edits) in enumerate(mine):
            root = base / "rows" / f"{project}-{number}"
            write(root, PROJECTS[project], index)
            (root / lock).write_bytes((made / lock).read_bytes())
            apply(root, edits, index)
            theirs = {0: "fresh", 1: "stale"}.get(uv(version, index, root, "--check", *script), "error")
            ours, verdict = ask(FORMAT, root, lock)
            unknown += ours == "unknown" and theirs != "error"
            if ours == "unknown" and theirs != "error":
                print(f"open: {project} / {name}: uv says {theirs}, {verdict}")
            agreed = ours == theirs or ours == "unknown" or (theirs == "error" and ours == "stale")
            if not agreed and (version == NEWEST or (project, name) not in DIFFER):
                wrong.append(f"{project} / {name}: uv {version} says {theirs}, we say {verdict}")
    return wrong, unknown


@pytest.mark.oracle
def test_a_fifth_of_the_rows(tmp_path: Path, index: str) -> None:
    rows = ROWS[::5]
    assert len(rows) >= 40
    wrong, unknown = compare(NEWEST, index, tmp_path, rows)
    assert not wrong, "\n".join(wrong)
    assert unknown <= len(rows) * 0.06


@pytest.mark.oracle
@pytest.mark.full
@pytest.mark.parametrize("version", [NEWEST, OLDER])
def test_every_row(version: str, tmp_path: Path, index: str) -> None:
    assert len(ROWS) >= 200
    wrong, unknown = compare(version, index, tmp_path, ROWS)
    assert not wrong, "\n".join(wrong)
    assert unknown <= len(ROWS) * 0.06


def test_rows_are_distinct() -> None:
    names = [(project, name) for project, name, _ in ROWS]
    assert len(names) == len(set(names))
    assert set(names) >= DIFFER


@pytest.mark.oracle
def test_python_version_in_the_place_of_requires_python(tmp_path: Path, index: str) -> None:
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    root = tmp_path / "rows" / "project"
    write(root, {"pyproject.toml": '[project]\nname = "a"\nversion = "1"\ndependencies = ["beta"]\n'}, index)
    for text in (here, f"# ours\n{here}.{sys.version_info[2]}\n"):
        (root / ".python-version").write_text(text)
        assert uv(NEWEST, index, root, python="") == 0, (tmp_path / "project.err").read_text()
        assert uv(NEWEST, index, root, "--check", python="") == 0
        assert ask(FORMAT, root, "uv.lock")[0] == "fresh"
    other = (root / "uv.lock").read_text().replace(f'">={here}"', '">=3.8"')
    (root / "uv.lock").write_text(other)
    assert uv(NEWEST, index, root, "--check", python="") == 1
    assert ask(FORMAT, root, "uv.lock")[0] == "unknown"  # as another interpreter may have been asked for
