"""Edit a pyproject.toml, ask Poetry, ask us. Locks are made here by each Poetry, from an index on loopback."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from gatepost.locks._base import Stale
from gatepost.locks._poetry_lock import contents
from gatepost.locks._poetry_scan import sound
from gatepost.locks.poetry import FORMAT
from tests.locks.asking import ask, edited, lock_of
from tests.locks.local_index import LocalIndex, Packages
from tests.oracle import tool_env

# fmt: off
pytestmark = pytest.mark.oracle

PACKAGES: Packages = {
    "requests": {"2.31.0": ["idna>=2"], "2.32.0": ["idna>=2"]},
    "idna": {"3.6": []},
    "rich": {"13.0.0": []},
    "pytest": {"8.0.0": ["colorama; sys_platform == 'win32'"]},
    "colorama": {"0.4.6": []},
    "ruff": {"0.9.0": []},
    "numpy": {"1.26.0": [], "2.0.0": []},
}

LEGACY = """\
[tool.poetry]
name = "demo"
version = "0.1.0"
description = "a demo"
authors = []

[tool.poetry.dependencies]
python = "^3.9"
requests = "^2.31"
rich = {version = ">=13", optional = true}
numpy = {version = "*", markers = "python_version >= '3.9'"}

[tool.poetry.extras]
fancy = ["rich"]

[tool.poetry.group.dev.dependencies]
pytest = "*"
ruff = ">=0.9"

[[tool.poetry.source]]
name = "local"
url = "INDEX"
priority = "primary"

[build-system]
requires = ["poetry-core>=1.0"]
build-backend = "poetry.core.masonry.api"
"""

MODERN = """\
[project]
name = "demo"
version = "0.1.0"
description = "a demo"
requires-python = ">=3.9"
dependencies = ["requests>=2.31", "numpy>=1.26; python_version >= '3.9'"]

[project.optional-dependencies]
fancy = ["rich>=13"]

[dependency-groups]
dev = ["pytest", "ruff>=0.9"]
all = [{include-group = "dev"}]

[tool.poetry]
package-mode = true

[[tool.poetry.source]]
name = "local"
url = "INDEX"
priority = "primary"

[build-system]
requires = ["poetry-core>=2.0"]
build-backend = "poetry.core.masonry.api"
"""

# id, replacements in pyproject.toml, replacements in poetry.lock
Row = tuple[str, list[tuple[str, str]], list[tuple[str, str]]]

BOTH: list[Row] = [
    ("untouched", [], []),
    ("comment", [("^", "# hello\n")], []),
    ("trailing comment", [('requests = "^2.31"', 'requests = "^2.31" # http')], []),
    ("blank lines", [("[tool.poetry.extras]", "\n\n[tool.poetry.extras]")], []),
    ("key order", [('requests = "^2.31"\n', ""), ("[tool.poetry.extras]", 'requests = "^2.31"\n[tool.poetry.extras]')], []),
    ("inline to sub-table", [("rich = {version = \">=13\", optional = true}\n", ""),
        ("[tool.poetry.extras]", '[tool.poetry.dependencies.rich]\nversion = ">=13"\noptional = true\n[tool.poetry.extras]')], []),
    ("quotes", [('requests = "^2.31"', "requests = '^2.31'")], []),
    ("multi-line array", [('fancy = ["rich"]', 'fancy = [\n  "rich",\n]')], []),
    ("version bump", [('version = "0.1.0"', 'version = "0.2.0"')], []),
    ("renamed", [('name = "demo"', 'name = "demo2"')], []),
    ("description", [('"a demo"', '"another"')], []),
    ("scripts", [("[build-system]", '[tool.poetry.scripts]\nx = "demo:x"\n[build-system]')], []),
    ("build-system", [("poetry-core>=1.0", "poetry-core>=1.5")], []),
    ("other tool", [("", '\n[tool.ruff]\nline-length = 99\n')], []),
    ("urls", [("[build-system]", '[tool.poetry.urls]\nx = "https://index.example"\n[build-system]')], []),
    ("dependency added", [('requests = "^2.31"', 'requests = "^2.31"\nidna = "*"')], []),
    ("unlocked dependency added", [('requests = "^2.31"', 'requests = "^2.31"\nflask = "^3"')], []),
    ("dependency removed", [('requests = "^2.31"\n', "")], []),
    ("specifier tightened", [('"^2.31"', '"^2.32"')], []),
    ("specifier respelled", [('"^2.31"', '">=2.31,<3"')], []),
    ("specifier space", [('">=0.9"', '">= 0.9"')], []),
    ("pin violated", [('"^2.31"', '"<2"')], []),
    ("string to table", [('requests = "^2.31"', 'requests = {version = "^2.31"}')], []),
    ("extras on a dependency", [('requests = "^2.31"', 'requests = {version = "^2.31", extras = ["socks"]}')], []),
    ("name case", [('requests = "^2.31"', 'Requests = "^2.31"')], []),
    ("python tightened", [('python = "^3.9"', 'python = "^3.10"')], []),
    ("python respelled", [('python = "^3.9"', 'python = ">=3.9,<4.0"')], []),
    ("marker respelled", [("python_version >= '3.9'", 'python_version >= \\"3.9\\"')], []),
    ("marker changed", [("python_version >= '3.9'", "python_version >= '3.10'")], []),
    ("extra added", [('fancy = ["rich"]', 'fancy = ["rich"]\nmore = ["rich"]')], []),
    ("extra removed", [('[tool.poetry.extras]\nfancy = ["rich"]\n', "")], []),
    ("extra emptied", [('fancy = ["rich"]', "fancy = []")], []),
    ("empty extra added", [('fancy = ["rich"]', 'fancy = ["rich"]\nnone = []')], []),
    ("group added", [("[build-system]", '[tool.poetry.group.docs.dependencies]\nidna = "*"\n[build-system]')], []),
    ("empty group added", [("[build-system]", "[tool.poetry.group.docs.dependencies]\n[build-system]")], []),
    ("group renamed", [("group.dev.", "group.test.")], []),
    ("group removed", [('[tool.poetry.group.dev.dependencies]\npytest = "*"\nruff = ">=0.9"\n', "")], []),
    ("group made optional", [("[tool.poetry.group.dev.dependencies]", "[tool.poetry.group.dev]\noptional = true\n[tool.poetry.group.dev.dependencies]")], []),
    ("group dependency added", [('pytest = "*"', 'pytest = "*"\nidna = "*"')], []),
    ("group dependency removed", [('ruff = ">=0.9"\n', "")], []),
    ("dev-dependencies added", [("[build-system]", '[tool.poetry.dev-dependencies]\nidna = "*"\n[build-system]')], []),
    ("empty dev-dependencies added", [("[build-system]", "[tool.poetry.dev-dependencies]\n[build-system]")], []),
    ("source renamed", [('name = "local"', 'name = "here"')], []),
    ("source priority", [('priority = "primary"', 'priority = "supplemental"')], []),
    ("source added", [("[build-system]", '[[tool.poetry.source]]\nname = "b"\nurl = "https://index.example/simple"\npriority = "explicit"\n[build-system]')], []),
    ("source removed", [('[[tool.poetry.source]]\nname = "local"\nurl = "INDEX"\npriority = "primary"\n', "")], []),
    ("unicode description", [('"a demo"', '"d\u00e9mo"')], []),
    ("unicode extra", [('fancy = ["rich"]', '"fan\u00e7y" = ["rich"]')], []),
    ("CRLF manifest", [("[tool.poetry]\n", "[tool.poetry]\r\n")], []),
    ("lock: package deleted", [], [('[[package]]\nname = "idna"', '[[package]]\nname = "idnb"')]),
    ("lock: pin changed", [], [('version = "2.32.0"', 'version = "2.30.0"')]),
    ("lock: no hash", [], [("content-hash = ", "x-content-hash = ")]),
    ("lock: hash changed", [], [('content-hash = "', 'content-hash = "0')]),
    ("lock: comment removed", [], [("# This file", "# A file"), ("Poetry ", "")]),
    ("lock: python-versions changed", [], [('\npython-versions = "', '\npython-versions = ">=3,')]),
    ("lock: comment added", [], [("[metadata]", "# here\n[metadata]")]),
    ("lock: metadata first", [], [("[metadata]", "[metadata] # the end")]),
    ("lock: spaces", [], [("content-hash = ", "content-hash   =   ")]),
    ("lock: literal string", [], [("[extras]", "[extras]\nx = ['''a''']")]),
    ("lock: a newer patch wrote it", [], [(".5", ".99")]),
    ("lock: metadata text in a string", [], [('description = "', 'description = """\n[metadata]\ncontent-hash = "1"\n"""\nd2 = "')]),
]

ONLY_ONE: list[Row] = [
    ("[project] added", [("[build-system]", '[project]\nname = "demo"\nversion = "0.1.0"\ndependencies = ["idna"]\n[build-system]')], []),
    ("[project] requires-python added", [("[build-system]", '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.9"\n[build-system]')], []),
    ("[dependency-groups] added", [("[build-system]", '[dependency-groups]\ndocs = ["idna"]\n[build-system]')], []),
    ("[project] added and a dependency", [('requests = "^2.31"', 'requests = "^2.31"\nidna = "*"'), ("[build-system]", '[project]\nname = "demo"\nversion = "0.1.0"\n[build-system]')], []),
]

ONLY_TWO_LEGACY: list[Row] = [
    ("[project] added", [("[build-system]", '[project]\nname = "demo"\nversion = "0.1.0"\ndependencies = ["idna"]\n[build-system]')], []),
    ("[project] without dependencies added", [("[build-system]", '[project]\nname = "demo"\nversion = "0.1.0"\n[build-system]')], []),
    ("[dependency-groups] added", [("[build-system]", '[dependency-groups]\ndocs = ["idna"]\n[build-system]')], []),
    ("empty [dependency-groups] added", [("[build-system]", "[dependency-groups]\n[build-system]")], []),
    ("lock of 2.2, [dependency-groups] added", [("[build-system]", '[dependency-groups]\ndocs = ["idna"]\n[build-system]')], [("Poetry 2.5.1", "Poetry 2.2.1")]),
    ("lock of 2.3.0 alpha, [dependency-groups] added", [("[build-system]", '[dependency-groups]\ndocs = ["idna"]\n[build-system]')], [("Poetry 2.5.1", "Poetry 2.3.0a1")]),
    ("lock of 2.3.0, [dependency-groups] added", [("[build-system]", '[dependency-groups]\ndocs = ["idna"]\n[build-system]')], [("Poetry 2.5.1", "Poetry 2.3.0")]),
    ("odd writer, [dependency-groups] added", [("[build-system]", '[dependency-groups]\ndocs = ["idna"]\n[build-system]')], [("Poetry 2.5.1", "Poetry two")]),
]

TWO_MODERN: list[Row] = [
    ("untouched", [], []),
    ("comment", [("^", "# hello\n")], []),
    ("version bump", [('version = "0.1.0"', 'version = "0.2.0"')], []),
    ("renamed", [('name = "demo"', 'name = "demo2"')], []),
    ("keywords", [('description = "a demo"', 'description = "b"\nkeywords = ["x"]')], []),
    ("multi-line array", [('dev = ["pytest", "ruff>=0.9"]', 'dev = [\n "pytest",\n "ruff>=0.9",\n]')], []),
    ("dependency reorder", [('"requests>=2.31", "numpy', '"numpy'), ("'3.9'\"]", "'3.9'\", \"requests>=2.31\"]")], []),
    ("dependency space", [("requests>=2.31", "requests >= 2.31")], []),
    ("dependency case", [("requests>=2.31", "Requests>=2.31")], []),
    ("dependency added", [("requests>=2.31", 'requests>=2.31", "idna')], []),
    ("dependency removed", [('"requests>=2.31", ', "")], []),
    ("pin violated", [("requests>=2.31", "requests<2")], []),
    ("requires-python", [('">=3.9"', '">=3.10"')], []),
    ("extra added", [('fancy = ["rich>=13"]', 'fancy = ["rich>=13"]\nmore = ["idna"]')], []),
    ("empty extra added", [('fancy = ["rich>=13"]', 'fancy = ["rich>=13"]\nmore = []')], []),
    ("group dependency added", [('dev = ["pytest"', 'dev = ["pytest", "idna"')], []),
    ("group added", [("all = [", 'docs = ["idna"]\nall = [')], []),
    ("empty group added", [("all = [", "docs = []\nall = [")], []),
    ("include-group inlined", [('{include-group = "dev"}', '"pytest", "ruff>=0.9"')], []),
    ("group key case", [("\ndev = ", "\nDev = ")], []),
    ("tool.poetry.dependencies added", [("[tool.poetry]\n", '[tool.poetry.dependencies]\nrequests = {source = "local"}\n[tool.poetry]\n')], []),
    ("package-mode", [("package-mode = true", "package-mode = false")], []),
    ("empty tool.poetry.dependencies", [("[tool.poetry]\n", "[tool.poetry.dependencies]\n[tool.poetry]\n")], []),
    ("source removed", [('[[tool.poetry.source]]\nname = "local"\nurl = "INDEX"\npriority = "primary"\n', "")], []),
    ("dynamic", [('description = "a demo"', 'dynamic = ["classifiers"]')], []),
    ("lock of 2.1, groups changed", [('dev = ["pytest"', 'dev = ["pytest", "idna"')], [("Poetry 2.5.1", "Poetry 2.1.3")]),
    ("dependency-groups removed", [('[dependency-groups]\ndev = ["pytest", "ruff>=0.9"]\nall = [{include-group = "dev"}]\n', "")], []),
    ("lock: comment removed", [], [("# This file is automatically @generated by Poetry 2.5.1", "# x")]),
]

# asks the tool's own locker for many directories in one process: `poetry check --lock` prints this and other faults
DRIVER = """
import json, sys
from pathlib import Path
from poetry.factory import Factory
answers = {}
for name in sys.stdin.read().split("\\n"):
    try:
        answers[name] = "fresh" if Factory().create_poetry(Path(name)).locker.is_fresh() else "stale"
    except Exception as error:
        answers[name] = f"error {type(error).__name__}: {error}"
print(json.dumps(answers))
"""


def run_rows(tmp_path: Path, bin_dir: Path, manifest: str, rows: list[Row], lock_args: list[str]) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("POETRY_", "PIP_"))}
    environment |= {"POETRY_CACHE_DIR": str(tmp_path / "cache"), "POETRY_VIRTUALENVS_CREATE": "false"}
    with LocalIndex(tmp_path, PACKAGES) as index:
        base = tmp_path / "base"
        base.mkdir()
        (base / "pyproject.toml").write_text(manifest.replace("INDEX", index.url))
        made = subprocess.run(  # noqa: PLW1510
            [str(bin_dir / "poetry"), "lock", "-n", *lock_args], cwd=base, env=environment, capture_output=True, text=True
        )
        assert made.returncode == 0, made.stdout + made.stderr
        url = index.url
    locked = (base / "poetry.lock").read_text()
    folders: dict[str, Path] = {}
    for number, (name, changes, lock_changes) in enumerate(rows):
        folder = tmp_path / f"row{number}"
        folder.mkdir()
        text = edited(manifest, *changes).replace("INDEX", url)
        (folder / "pyproject.toml").write_text(text, encoding="utf-8", newline="")
        (folder / "poetry.lock").write_text(edited(locked, *lock_changes), encoding="utf-8", newline="")
        folders[name] = folder
    assert len(folders) == len(rows), "two rows have the same name"
    asked = subprocess.run(
        [str(bin_dir / "python"), "-c", DRIVER],
        input="\n".join(map(str, folders.values())),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(asked.stdout.splitlines()[-1])
    wrong = []
    for name, folder in folders.items():
        mine, verdict = ask(FORMAT, folder, "poetry.lock")
        if mine != answers[str(folder)]:
            wrong.append(f"{name}: poetry says {answers[str(folder)]}, we say {verdict}")
        if isinstance(verdict, Stale):
            assert verdict.reason and "\n" not in verdict.reason
    assert not wrong, "\n".join(wrong)


def test_poetry_one(tmp_path: Path) -> None:
    run_rows(tmp_path, tool_env("poetry==1.8.5"), LEGACY, BOTH + ONLY_ONE, ["--no-update"])


def test_poetry_two_reads_the_old_layout(tmp_path: Path) -> None:
    run_rows(tmp_path, tool_env("poetry==2.5.1"), LEGACY, BOTH + ONLY_TWO_LEGACY, [])


def test_poetry_two_reads_the_project_table(tmp_path: Path) -> None:
    run_rows(tmp_path, tool_env("poetry==2.5.1"), MODERN, TWO_MODERN, [])


_MAIN = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.9"\n'
_TWICE = {  # requirements in the standard tables and in [tool.poetry] at once
    "static": _MAIN + 'dependencies = ["idna"]\n[tool.poetry.dependencies]\nrich = "*"\n',
    "empty": _MAIN + 'dependencies = []\n[tool.poetry.dependencies]\nrich = "*"\n',
    "optional": _MAIN + '[project.optional-dependencies]\na = ["idna"]\n[tool.poetry.dependencies]\nrich = "*"\n',
    "dynamic dependencies": _MAIN + 'dynamic = ["dependencies"]\n[project.optional-dependencies]\na = ["idna"]\n'
        '[tool.poetry.dependencies]\nrich = "*"\nruff = {version = "*", optional = true}\n',
    "dynamic extras": _MAIN + 'dynamic = ["optional-dependencies"]\ndependencies = ["idna"]\n'
        '[tool.poetry.dependencies]\nrich = "*"\nruff = {version = "*", optional = true}\n',
    "limited": _MAIN + 'dependencies = ["idna", "rich"]\n[tool.poetry.dependencies]\nrich = {python = "<3.5"}\n',
    "group": _MAIN + '[dependency-groups]\ndev = ["idna"]\n[tool.poetry.group.dev.dependencies]\nrich = "*"\n',
    "dev": _MAIN + '[dependency-groups]\ndev = ["idna"]\n[tool.poetry.dev-dependencies]\nrich = "*"\n',
}


@pytest.mark.parametrize("name", _TWICE)
def test_what_poetry_two_locks_of_a_group_that_stands_twice(tmp_path: Path, name: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("POETRY_", "PIP_"))}
    environment |= {"POETRY_CACHE_DIR": str(tmp_path / "cache"), "POETRY_VIRTUALENVS_CREATE": "false"}
    with LocalIndex(tmp_path, PACKAGES) as index:
        source = f'[[tool.poetry.source]]\nname = "local"\nurl = "{index.url}"\npriority = "primary"\n'
        text = f"{_TWICE[name]}[tool.poetry]\npackage-mode = false\n{source}"
        (tmp_path / "pyproject.toml").write_text(text)
        poetry = str(tool_env("poetry==2.5.1") / "poetry")
        made = subprocess.run([poetry, "lock", "-n"], cwd=tmp_path, env=environment, capture_output=True, text=True)  # noqa: PLW1510
    assert made.returncode == 0, made.stdout + made.stderr
    lock = lock_of(tmp_path, "poetry.lock")
    held = contents(lock)
    locked = {package.name for package in held.packages}
    asked = {need.name for need in held.direct}
    assert {need.name for need in held.direct if not need.optional} <= locked <= asked
    assert sound(lock)


def test_enough_rows() -> None:
    assert len(BOTH + ONLY_ONE) >= 60
    assert len(BOTH + ONLY_TWO_LEGACY + TWO_MODERN) >= 60
