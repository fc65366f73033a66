"""Edit a Pipfile, ask `pipenv verify`, ask us. The lock is made here by pipenv, from an index on loopback."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gatepost.locks.pipenv import FORMAT
from tests.locks.asking import ask, edited
from tests.locks.local_index import LocalIndex, Packages
from tests.oracle import tool_env

pytestmark = pytest.mark.oracle

PACKAGES: Packages = {
    "requests": {"2.31.0": ["idna>=2"], "2.32.0": ["idna>=2"]},
    "idna": {"3.6": []},
    "my-pkg": {"1.0": []},
    "pytest": {"8.0.0": []},
    "rich": {"13.0.0": []},
}

PIPFILE = """\
[[source]]
url = "INDEX"
verify_ssl = false
name = "local"

[packages]
requests = ">=2.31"
My_Pkg = "*"

[dev-packages]
pytest = {version = "*", markers = "python_version >= '3.0'"}

[docs]
rich = "*"

[scripts]
start = "python -m demo"
"""

# fmt: off
ROWS: list[tuple[str, list[tuple[str, str]], list[tuple[str, str]]]] = [
    ("untouched", [], []),
    ("comment", [("^", "# x\n")], []),
    ("trailing comment", [('My_Pkg = "*"', 'My_Pkg = "*" # x')], []),
    ("blank lines", [("[packages]", "\n\n[packages]\n")], []),
    ("key order", [('requests = ">=2.31"\nMy_Pkg = "*"', 'My_Pkg = "*"\nrequests = ">=2.31"')], []),
    ("section order", [('[docs]\nrich = "*"\n', ""), ("", '[docs]\nrich = "*"\n')], []),
    ("quotes", [('">=2.31"', "'>=2.31'")], []),
    ("name case", [("requests", "Requests")], []),
    ("name separator", [("My_Pkg", "my-pkg")], []),
    ("name dots", [("My_Pkg", '"my.pkg"')], []),
    ("inline to sub-table", [("pytest = {version = \"*\", markers = \"python_version >= '3.0'\"}\n", "[dev-packages.pytest]\nversion = \"*\"\nmarkers = \"python_version >= '3.0'\"\n")], []),
    ("inline key order", [("{version = \"*\", markers = \"python_version >= '3.0'\"}", "{markers = \"python_version >= '3.0'\", version = \"*\"}")], []),
    ("script changed", [("python -m demo", "python -m other")], []),
    ("scripts removed", [('[scripts]\nstart = "python -m demo"\n', "")], []),
    ("[pipenv] added", [("", "[pipenv]\nallow_prereleases = true\n")], []),
    ("[pipfile] added", [("", "[pipfile]\nx = 1\n")], []),
    ("package added", [('My_Pkg = "*"', 'My_Pkg = "*"\nflask = "*"')], []),
    ("locked package added", [('My_Pkg = "*"', 'My_Pkg = "*"\nidna = "*"')], []),
    ("package removed", [('My_Pkg = "*"\n', "")], []),
    ("specifier changed", [('">=2.31"', '">=2.32"')], []),
    ("specifier space", [('">=2.31"', '">= 2.31"')], []),
    ("pin violated", [('">=2.31"', '"<2"')], []),
    ("string to table", [('requests = ">=2.31"', 'requests = {version = ">=2.31"}')], []),
    ("extras", [('requests = ">=2.31"', 'requests = {version = ">=2.31", extras = ["socks"]}')], []),
    ("marker changed", [(">= '3.0'", ">= '3.1'")], []),
    ("dev package added", [("[docs]", 'flask = "*"\n[docs]')], []),
    ("dev package removed", [("pytest = {version = \"*\", markers = \"python_version >= '3.0'\"}\n", "")], []),
    ("category package added", [('rich = "*"', 'rich = "*"\nidna = "*"')], []),
    ("category removed", [('[docs]\nrich = "*"\n', "")], []),
    ("category renamed", [("[docs]", "[doc]")], []),
    ("empty category added", [("", "[extra]\n")], []),
    ("category named default", [("", '[default]\nx = "*"\n')], []),
    ("requires added", [("", '[requires]\npython_version = "3.11"\n')], []),
    ("empty requires added", [("", "[requires]\n")], []),
    ("source renamed", [('name = "local"', 'name = "here"')], []),
    ("source key order", [('verify_ssl = false\nname = "local"', 'name = "local"\nverify_ssl = false')], []),
    ("source verify", [("verify_ssl = false", "verify_ssl = true")], []),
    ("source added", [("[packages]", '[[source]]\nurl = "https://index.example/simple"\nverify_ssl = true\nname = "b"\n[packages]')], []),
    ("unicode", [('"python -m demo"', '"d\u00e9mo"')], []),
    ("unicode in a package", [('My_Pkg = "*"', 'My_Pkg = {version = "*", index = "d\u00e9mo"}')], []),
    ("lock: hash changed", [], [('"sha256": "', '"sha256": "0')]),
    ("lock: no hash", [], [('"hash": {', '"hush": {')]),
    ("lock: package removed", [], [('"idna": {', '"idnb": {')]),
    ("lock: pin changed", [], [("==2.32.0", "==2.0.0")]),
    ("lock: requires changed", [], [('"requires": {}', '"requires": {"python_version": "3"}')]),
]
# fmt: on


@pytest.mark.parametrize(
    "rows", [pytest.param(ROWS[::4], id="some"), pytest.param(ROWS, id="all", marks=pytest.mark.full)]
)
def test_pipenv(tmp_path: Path, rows: list[tuple[str, list[tuple[str, str]], list[tuple[str, str]]]]) -> None:
    pipenv = str(tool_env("pipenv==2026.10.3") / "pipenv")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIPENV_", "PIP_"))}
    environment |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIPENV_IGNORE_VIRTUALENVS": "1",
        "PIPENV_VENV_IN_PROJECT": "1",
        "PIPENV_CACHE_DIR": str(tmp_path / "cache"),
        "PIPENV_NOSPIN": "1",
        "PIPENV_MAX_DEPTH": "1",
    }
    base = tmp_path / "base"
    base.mkdir()
    with LocalIndex(tmp_path, PACKAGES) as index:
        url = index.url
        (base / "Pipfile").write_text(PIPFILE.replace("INDEX", url))
        made = subprocess.run(
            [pipenv, "lock", "--categories", "packages dev-packages docs"],
            check=False, cwd=base, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert made.returncode == 0, made.stdout + made.stderr
    locked = (base / "Pipfile.lock").read_text()
    wrong = []
    for number, (name, changes, lock_changes) in enumerate(rows):
        folder = tmp_path / f"row{number}"
        folder.mkdir()
        (folder / "Pipfile").write_text(edited(PIPFILE, *changes).replace("INDEX", url), encoding="utf-8")
        (folder / "Pipfile.lock").write_text(edited(locked, *lock_changes))
        done = subprocess.run(
            [pipenv, "verify"], check=False, cwd=folder, env=environment, capture_output=True, text=True
        )
        told = done.stdout + done.stderr
        truth = "fresh" if done.returncode == 0 else "stale" if "out-of-date" in told else f"error: {told[-300:]}"
        mine, verdict = ask(FORMAT, folder, "Pipfile.lock")
        if mine != truth:
            wrong.append(f"{name}: pipenv says {truth}, we say {verdict}")
    assert not wrong, "\n".join(wrong)


def test_enough_rows() -> None:
    assert len({name for name, _, _ in ROWS}) == len(ROWS) >= 30
