"""Broken, huge, binary, nested and cyclic input: nothing is raised, nothing hangs, every finding is printable."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gatepost.engine import run_hook
from gatepost.registry import own_hook, own_ids
from gatepost.settings import read_settings
from gatepost.tools.table import TOOLS
from gatepost.tree.memory import MemoryTree
from tests.casefile import read_case

FOLDER = Path(__file__).parents[1] / "cases" / "torch-source"
CASES = [read_case(path) for path in sorted(FOLDER.glob("*.txt"))]


def judge(files: dict[str, bytes]) -> list[str]:
    tree = MemoryTree(files)
    settings = read_settings(lambda path: None, lambda: [*own_ids(), *TOOLS])
    results = run_hook(own_hook("torch-source"), tree, settings, args={}, env={"GATEPOST_DEBUG": "1"})
    return [result.code for result in results]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"pyproject.toml": b"\xff\xfe torch \x00"}, id="binary pyproject"),
        pytest.param({"requirements.txt": b"torch==\x00\xff\n" + b"\x80" * 100}, id="binary requirements"),
        pytest.param({"requirements.txt": "torch==2.8.0\n-r requirements.txt\n".encode("utf-16")}, id="UTF-16"),
        pytest.param(
            {
                "requirements.txt": b"-r requirements-b.txt\ntorch\n",
                "requirements-b.txt": b"-r requirements.txt\ntorch\n",
            },
            id="cyclic includes",
        ),
        pytest.param({"requirements.txt": b"-r ../../../etc/passwd\n-c //x\ntorch\n"}, id="includes outside"),
        pytest.param({"requirements.txt": b"torch" + b" \\\n" * 5000 + b"==2.8.0\n"}, id="long continuation"),
        pytest.param(
            {"requirements.txt": b"torch==2.8.0; " + b"(" * 5000 + b"python_version > '3'\n"}, id="deep marker"
        ),
        pytest.param({"requirements.txt": b"torch" + b">=1," * 20000 + b"<3\n"}, id="long range"),
        pytest.param({"pyproject.toml": b"[tool.uv.sources]\ntorch = " + b"[" * 3000}, id="deep TOML"),
        pytest.param(
            {
                "pyproject.toml": b"[project]\ndependencies = 3\n[tool.uv]\nindex = 'torch'\nsources = ['torch']\nconflicts = {torch = 1}\n"
            },
            id="wrong types, uv",
        ),
        pytest.param(
            {
                "pyproject.toml": b"[tool.poetry]\ndependencies = {torch = [1, true, {source = 2}]}\nsource = [1, {name = 3}]\nextras = {torch = 1}\n"
            },
            id="wrong types, Poetry",
        ),
        pytest.param(
            {
                "Pipfile": b"[[source]]\nurl = 1\n[packages]\ntorch = [1]\n",
                "Pipfile.lock": b'{"_meta": 3, "default": {"torch": 1}}',
            },
            id="wrong types, Pipenv",
        ),
        pytest.param({"Pipfile": b"[packages]\ntorch = '*'\n", "Pipfile.lock": b"[" * 100000}, id="deep JSON"),
        pytest.param(
            {"pyproject.toml": b"[project]\ndependencies = ['torch']\n", "uv.lock": b"torch \x00\xff" * 1000},
            id="binary lock",
        ),
        pytest.param(
            {"environment.yml": b"dependencies:\n  - pytorch=\n  - pip:\n    - torch @\n  - : torch\n" + b"-" * 10000},
            id="odd environment",
        ),
        pytest.param(
            {"pixi.toml": b"[dependencies]\npytorch = {version = 1}\n[feature]\ntorch = 1\n"}, id="wrong types, pixi"
        ),
        pytest.param({"setup.py": b"setup(install_requires=" + b"[" * 3000 + b"'torch'"}, id="deep setup.py"),
        pytest.param({"setup.py": b"x = " + b"a." * 20000 + b"setup(install_requires=['torch'])"}, id="long chain"),
        pytest.param({"setup.py": b"setup(install_requires=" + b"['torch'] + " * 3000 + b"[])"}, id="long sum"),
        pytest.param(
            {"setup.py": b"a = b\nb = a\nsetup(install_requires=a, extras_require=b) # torch"}, id="cyclic names"
        ),
        pytest.param({"setup.py": b"\xff\x00 torch setup("}, id="binary setup.py"),
        pytest.param(
            {"setup.cfg": b"[options\ninstall_requires = torch\n  =\n[options]\n:=\n torch"}, id="odd setup.cfg"
        ),
        pytest.param({"tox.ini": b"[testenv]\ndeps =\n  {a,b: torch\n  torch==\n  -r\n"}, id="odd tox.ini"),
        pytest.param({"noxfile.py": b"s.install('torch', '--index-url', *x, **{'torch': 1})\n"}, id="odd noxfile"),
        pytest.param(
            {
                "environment.yml": b"dependencies:\n  - pytorch\n  - pip:\n    - -r environment.yml\n    - -r a.txt\n",
                "a.txt": b"-r a.txt\n-r environment.yml\ntorch\n",
            },
            id="an environment that includes itself",
        ),
        pytest.param({"environment.yml": b"dependencies: [pytorch, {pip: [" + b"[{" * 5000}, id="deep flow"),
        pytest.param(
            {
                "Dockerfile": b"FROM python:3.12-slim\nCOPY . .\nRUN pipenv sync\nRUN pdm sync\nRUN uv sync\nRUN conda install pytorch=[ torch::=\n",
                "Pipfile": b"packages = 3\n",
                "Pipfile.lock": b'{"_meta": [], "default": {"torch": []}, "develop": 7}',
                "pyproject.toml": b"[project]\nname = 'torch'\n[dependency-groups]\na = [{include-group = 'a'}, 'torch[a]']\n",
                "pdm.lock": b"package = [1, {name = 'torch', groups = 3, files = [2]}]\n",
                "uv.lock": b'version = 1\n\n[[package]]\nname = "torch"\nversion = 3\n\n[[package]]\nname = "a',
            },
            id="wrong types, images",
        ),
        pytest.param({"pylock.toml": b'[[packages]]\nname = "torch"\nwheels = 3\n'}, id="odd pylock"),
        pytest.param({"a\udcff/requirements.txt": b"torch==2.8.0+cu118\n"}, id="a name that is not UTF-8"),
    ],
)
def test_nothing_is_raised(files: dict[str, bytes]) -> None:
    judge(files)


@pytest.mark.parametrize("seed", range(8))
def test_mutated_cases(seed: int) -> None:
    """Cases with bytes cut out, doubled and replaced."""
    pick = random.Random(seed)
    for case in pick.sample(CASES, 25):
        files = dict(case.files)
        name = pick.choice(sorted(files))
        data = bytearray(files[name])
        for _ in range(pick.randrange(1, 6)):
            if not data:
                break
            at = pick.randrange(len(data))
            kind = pick.randrange(3)
            if kind == 0:
                del data[at : at + pick.randrange(1, 20)]
            elif kind == 1:
                data[at:at] = data[at : at + pick.randrange(1, 40)]
            else:
                data[at] = pick.choice(b"[]{}\"'=,\n;#-\x00\xff")
        files[name] = bytes(data)
        judge(files)
