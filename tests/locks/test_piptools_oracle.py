"""Edit an input, compile again with the old output as preferences, and see whether we had said so beforehand.

The compilers have no check, so the truth is the difference between the old output and the new one. We may not call
a lock stale that comes out the same; what we miss is named row by row, and must be what the verdict says it misses.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from gatepost.locks.piptools import FORMAT
from tests.locks.asking import ask, edited
from tests.locks.local_index import LocalIndex, Packages
from tests.oracle import tool_env

pytestmark = pytest.mark.oracle

PACKAGES: Packages = {
    "flask": {"2.3.0": ["click>=8"], "3.0.0": ["click>=8", "asgiref; extra == 'async'"]},
    "click": {"8.0.0": [], "8.1.0": ["colorama; sys_platform == 'win32'"]},
    "asgiref": {"3.7": []},
    "colorama": {"0.4.6": []},
    "pytest": {"8.0": ["iniconfig"], "7.0": ["iniconfig"]},
    "iniconfig": {"2.0": []},
    "rich": {"13.0": [], "12.0": []},
    "six": {"1.16.0": []},
    "setuptools": {"70.0": []},
    "tomli": {"2.0": []},
}

FILES = {
    "requirements.in": "# the application\n-r base/common.in\nflask[async]>=3\n",
    "base/common.in": 'click>=8\ntomli; python_version < "3.8"\nsix ; python_version >= "3.8"\n',
    "dev.in": "-c requirements.txt\n-c limits.txt\npytest\nclick\n",
    "limits.txt": "rich<14\niniconfig<3\n",
    "pyproject.toml": """\
[project]
name = "demo"
version = "1"
dependencies = ["flask>=2"]
[project.optional-dependencies]
web = ["rich"]
all = ["demo[web]", "six"]
[dependency-groups]
dev = ["pytest", {include-group = "base"}]
base = ["iniconfig"]
""",
}

# name, file, edits of it, the output that is asked about
Row = tuple[str, str, list[tuple[str, str]], str]
# fmt: off
ROWS: list[Row] = [
    ("nothing", "requirements.in", [], "requirements.txt"),
    ("comment", "requirements.in", [("# the application", "# an application")], "requirements.txt"),
    ("blank lines", "requirements.in", [("flask", "\n\nflask")], "requirements.txt"),
    ("spaces", "requirements.in", [("flask[async]>=3", "flask [async] >= 3  # web")], "requirements.txt"),
    ("name case", "requirements.in", [("flask", "Flask")], "requirements.txt"),
    ("reorder", "requirements.in", [("-r base/common.in\n", ""), ("", "-r base/common.in\n")], "requirements.txt"),
    ("looser, still met", "requirements.in", [(">=3", ">=2.5")], "requirements.txt"),
    ("tighter, still met", "requirements.in", [(">=3", "==3.0.0")], "requirements.txt"),
    ("upper bound, still met", "requirements.in", [(">=3", ">=3,<4")], "requirements.txt"),
    ("pin no longer allowed", "requirements.in", [(">=3", "<3"), ("[async]", "")], "requirements.txt"),
    ("requirement added", "requirements.in", [("", "rich\n")], "requirements.txt"),
    ("requirement added, with bounds", "requirements.in", [("", "rich>=12,<14\n")], "requirements.txt"),
    ("added what another needs", "requirements.in", [("", "asgiref\n")], "requirements.txt"),
    ("requirement removed", "requirements.in", [("flask[async]>=3\n", "")], "requirements.txt"),
    ("extra removed", "requirements.in", [("[async]", "")], "requirements.txt"),
    ("inactive marker added", "requirements.in", [("", 'rich; python_version < "3"\n')], "requirements.txt"),
    ("platform marker added", "requirements.in", [("", 'rich; sys_platform == "never"\n')], "requirements.txt"),
    ("active marker added", "requirements.in", [("", 'rich; python_version > "3"\n')], "requirements.txt"),
    ("continuation", "requirements.in", [("flask[async]>=3", "flask[async] \\\n  >=3")], "requirements.txt"),
    ("included: requirement added", "base/common.in", [("", "rich\n")], "requirements.txt"),
    ("included: requirement removed", "base/common.in", [('six ; python_version >= "3.8"\n', "")], "requirements.txt"),
    ("included: moved up", "base/common.in", [("click>=8\n", "")], "requirements.txt"),
    ("included: bound raised, still met", "base/common.in", [("click>=8", "click>=8.1")], "requirements.txt"),
    ("included: pin no longer allowed", "base/common.in", [("click>=8", "click<8.1")], "requirements.txt"),
    ("constraint tightened, still met", "limits.txt", [("iniconfig<3", "iniconfig<2.5")], "dev.txt"),
    ("constraint for a stranger", "limits.txt", [("", "numpy<2\n")], "dev.txt"),
    ("constraint that a note names removed", "limits.txt", [("iniconfig<3\n", "")], "dev.txt"),
    ("constraint removed", "limits.txt", [("rich<14\n", "")], "dev.txt"),
    ("family: base pins another version", "requirements.txt", [("click==8.1.0", "click==8.0.0")], "dev.txt"),
    ("family: base drops a pin", "requirements.txt", [("asgiref==3.7\n    # via flask\n", "")], "dev.txt"),
    ("dev: requirement added", "dev.in", [("", "rich\n")], "dev.txt"),
    ("dev: pytest held back", "dev.in", [("pytest\n", "pytest<8\n")], "dev.txt"),
    ("pyproject: version", "pyproject.toml", [('version = "1"', 'version = "2"')], "project.txt"),
    ("pyproject: dependency added", "pyproject.toml", [('"flask>=2"', '"flask>=2", "tomli"')], "project.txt"),
    ("pyproject: dependency removed", "pyproject.toml", [('"flask>=2"', "")], "project.txt"),
    ("pyproject: extra's dependency added", "pyproject.toml", [('web = ["rich"]', 'web = ["rich", "tomli"]')], "project.txt"),
    ("pyproject: extra's dependency removed", "pyproject.toml", [('web = ["rich"]', "web = []")], "project.txt"),
    ("pyproject: other extra", "pyproject.toml", [("[dependency-groups]", 'x = ["tomli"]\n[dependency-groups]')], "project.txt"),
    ("pyproject: extra's pin no longer allowed", "pyproject.toml", [('"rich"', '"rich<13"')], "project.txt"),
    ("pyproject: an unused group", "pyproject.toml", [('base = ["iniconfig"]', 'base = ["iniconfig"]\ndocs = ["tomli"]')], "project.txt"),
    ("lock: pin edited", "requirements.txt", [("click==8.1.0", "click==7.0")], "requirements.txt"),
    ("lock: pin added by hand", "requirements.txt", [("click==8.1.0", "rich==13.0\nclick==8.1.0")], "requirements.txt"),
    ("lock: direct pin deleted", "requirements.txt", [("six==1.16.0", "# six")], "requirements.txt"),
    ("lock: transitive pin deleted", "requirements.txt", [("asgiref==3.7\n    # via flask\n", "")], "requirements.txt"),
    ("lock: parent deleted", "requirements.txt", [("    # via -r requirements.in\n", ""), ("flask", "# flask")], "requirements.txt"),
]  # fmt: skip

# what one side cannot see, by compiler: a deleted transitive pin leaves no trace; extras only where they are kept
MISSES = {
    "pip-compile": {"lock: transitive pin deleted"},
    "uv": {"lock: transitive pin deleted", "extra removed"},
}


def pins(path: Path) -> list[str]:
    """Pins and notes, without the header."""
    lines = [
        line.strip() for line in path.read_text().splitlines() if line.strip() and not line.startswith(("#", "--"))
    ]
    return [line for line in lines if "@ file:" not in line]  # the project itself, which is in another folder now


def run_rows(
    rows: list[Row],
    tmp_path: Path,
    compilers: Mapping[str, list[str]],
    misses: set[str],
    errors: set[str],
    environment: dict[str, str],
) -> None:
    def compile_one(folder: Path, output: str) -> None:
        done = subprocess.run(
            compilers[output], check=False, cwd=folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    base = tmp_path / "base-family"
    for name, text in FILES.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(text)
    for output in compilers:
        compile_one(base, output)
        assert ask(FORMAT, base, output)[0] == "fresh", ask(FORMAT, base, output)
    wrong = []
    missed, failed = set(), set()
    for number, (name, path, changes, output) in enumerate(rows):
        folder = tmp_path / f"row{number}"
        shutil.copytree(base, folder)
        (folder / path).write_text(edited((folder / path).read_text(), *changes))
        before = pins(folder / output)
        mine, verdict = ask(FORMAT, folder, output)
        done = subprocess.run(
            compilers[output], check=False, cwd=folder, env=environment, capture_output=True, text=True
        )
        if done.returncode:
            failed.add(name)
            continue
        truth = "stale" if pins(folder / output) != before else "fresh"
        if truth == "fresh" and mine != "fresh":
            wrong.append(f"{name}: false alarm: {verdict}")
        if mine == "unknown":
            wrong.append(f"{name}: {verdict}")
        if truth == "stale" and mine == "fresh":
            missed.add(name)
    assert not wrong, "\n".join(wrong)
    asked = {row[0] for row in rows}
    assert missed == misses & asked
    assert failed == errors & asked


def environment(index: LocalIndex, tmp_path: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_"))}
    return kept | {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": index.url,
        "PIP_CACHE_DIR": str(tmp_path / "pip-cache"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_BUILD_ISOLATION": "1",
        "UV_DEFAULT_INDEX": index.url,
        "UV_NO_CONFIG": "1",
        "UV_CACHE_DIR": str(tmp_path / "uv-cache"),
    }


@pytest.mark.parametrize(
    "rows", [pytest.param(ROWS[::4], id="some"), pytest.param(ROWS, id="all", marks=pytest.mark.full)]
)
def test_uv_pip_compile(tmp_path: Path, rows: list[Row]) -> None:
    uv = [str(tool_env("uv==0.13.8") / "uv"), "pip", "compile", "--quiet"]
    compilers = {
        "requirements.txt": [*uv, "requirements.in", "-o", "requirements.txt"],
        "dev.txt": [*uv, "dev.in", "-o", "dev.txt"],
        "project.txt": [*uv, "pyproject.toml", "--extra", "all", "--group", "dev", "--output-file=project.txt"],
    }
    with LocalIndex(tmp_path, PACKAGES) as index:
        run_rows(rows, tmp_path, compilers, MISSES["uv"], {"continuation"}, environment(index, tmp_path))


@pytest.mark.parametrize(
    "rows", [pytest.param(ROWS[::4], id="some"), pytest.param(ROWS, id="all", marks=pytest.mark.full)]
)
def test_pip_compile(tmp_path: Path, rows: list[Row]) -> None:
    tool = [str(tool_env("pip-tools==7.6.2", "setuptools==80.9.0") / "pip-compile")]
    tool += ["--quiet", "--no-emit-index-url", "--no-build-isolation"]
    compilers = {
        "requirements.txt": [*tool, "requirements.in"],
        "dev.txt": [*tool, "--output-file=dev.txt", "dev.in"],
        "project.txt": [*tool, "--extra=all", "--output-file=project.txt", "pyproject.toml"],
    }
    with LocalIndex(tmp_path, PACKAGES) as index:
        run_rows(rows, tmp_path, compilers, MISSES["pip-compile"], set(), environment(index, tmp_path))


def test_enough_rows() -> None:
    assert len(ROWS) >= 40
    assert len({row[0] for row in ROWS}) == len(ROWS)
