"""Edit a pyproject.toml, ask PDM's own check, ask us. Locks are made here by PDM, from an index on loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gatepost.locks.pdm import FORMAT
from gatepost.locks.pylock import FORMAT as PYLOCK
from tests.locks.asking import ask, edited
from tests.locks.local_index import LocalIndex, Packages
from tests.oracle import tool_env

pytestmark = pytest.mark.oracle

PACKAGES: Packages = {
    "requests": {"2.31.0": ["idna>=2"], "2.32.0": ["idna>=2"]},
    "idna": {"3.6": []},
    "pytest": {"8.0.0": []},
    "rich": {"13.0.0": []},
    "ruff": {"0.9.0": []},
}

PYPROJECT = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["requests>=2.31", "idna"]

[project.optional-dependencies]
fancy = ["rich>=13"]

[dependency-groups]
dev = ["pytest"]

[tool.pdm]
distribution = false

[tool.pdm.dev-dependencies]
lint = ["ruff>=0.9"]

[tool.pdm.resolution]
allow-prereleases = false

[[tool.pdm.source]]
name = "pypi"
url = "INDEX"
verify_ssl = false
"""

Row = tuple[str, list[tuple[str, str]], list[tuple[str, str]]]

# fmt: off
HASH: list[Row] = [
    ("untouched", [], []),
    ("comment", [("^", "# x\n")], []),
    ("multi-line array", [('["requests>=2.31", "idna"]', '[\n  "requests>=2.31",\n  "idna",\n]')], []),
    ("table order", [('[project.optional-dependencies]\nfancy = ["rich>=13"]\n', ""), ("", '[project.optional-dependencies]\nfancy = ["rich>=13"]\n')], []),
    ("quotes", [('"idna"', "'idna'")], []),
    ("version bump", [('"0.1.0"', '"0.2.0"')], []),
    ("renamed", [('"demo"', '"demo2"')], []),
    ("description", [('version = "0.1.0"', 'version = "0.1.0"\ndescription = "x"')], []),
    ("scripts", [("[tool.pdm]", '[tool.pdm.scripts]\nx = "y"\n[tool.pdm]')], []),
    ("build-system", [("", '[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n')], []),
    ("other tool", [("", "[tool.ruff]\nline-length = 9\n")], []),
    ("group name case", [("\ndev = ", "\nDEV = ")], []),
    ("group name dots", [("\nlint = ", "\nLint = ")], []),
    ("group moved to PEP 735", [('[tool.pdm.dev-dependencies]\nlint = ["ruff>=0.9"]\n', ""), ('dev = ["pytest"]', 'dev = ["pytest"]\nlint = ["ruff>=0.9"]')], []),
    ("group split over both", [('lint = ["ruff>=0.9"]', 'lint = ["ruff>=0.9"]\ndev = []')], []),
    ("dependency added", [('"idna"]', '"idna", "rich"]')], []),
    ("dependency removed", [(', "idna"]', "]")], []),
    ("dependency reorder", [('["requests>=2.31", "idna"]', '["idna", "requests>=2.31"]')], []),
    ("specifier space", [("requests>=2.31", "requests >= 2.31")], []),
    ("specifier met", [("requests>=2.31", "requests>=2.32")], []),
    ("pin violated", [("requests>=2.31", "requests<2")], []),
    ("name case", [('"idna"', '"IDNA"')], []),
    ("requires-python", [(">=3.9", ">=3.10")], []),
    ("requires-python respelled", [(">=3.9", ">= 3.9")], []),
    ("requires-python removed", [('requires-python = ">=3.9"\n', "")], []),
    ("extra added", [('fancy = ["rich>=13"]', 'fancy = ["rich>=13"]\nmore = ["idna"]')], []),
    ("empty extra added", [('fancy = ["rich>=13"]', 'fancy = ["rich>=13"]\nmore = []')], []),
    ("extra name case", [("fancy = ", "Fancy = ")], []),
    ("group dependency added", [('dev = ["pytest"]', 'dev = ["pytest", "ruff"]')], []),
    ("empty group added", [('dev = ["pytest"]', 'dev = ["pytest"]\ndocs = []')], []),
    ("include-group", [('dev = ["pytest"]', 'dev = ["pytest"]\nall = [{include-group = "dev"}]')], []),
    ("editable dev dependency", [('["ruff>=0.9"]', '["ruff>=0.9", "-e file:///${PROJECT_ROOT}/x"]')], []),
    ("resolution changed", [("allow-prereleases = false", "allow-prereleases = true")], []),
    ("resolution emptied", [("allow-prereleases = false\n", "")], []),
    ("override added", [("allow-prereleases = false\n", 'allow-prereleases = false\n[tool.pdm.resolution.overrides]\nidna = "3.6"\n')], []),
    ("source key order", [('name = "pypi"\nurl = "INDEX"', 'url = "INDEX"\nname = "pypi"')], []),
    ("source added", [("", '[[tool.pdm.source]]\nname = "b"\nurl = "https://index.example/simple"\n')], []),
    ("lock_inputs turned on", [("allow-prereleases = false", "allow-prereleases = false\nlock_inputs = true")], []),
    ("unicode", [('"idna"]', '"idna; python_version != \'d\u00e9mo\'"]')], []),
    ("lock: hash changed", [], [("content_hash = \"sha256:", "content_hash = \"sha256:0")]),
    ("lock: no hash", [], [("content_hash = ", "x_content_hash = ")]),
    ("lock: hash without a kind", [], [("sha256:", "sha256-")]),
    ("lock: older minor", [], [('lock_version = "4.5', 'lock_version = "4.4')]),
    ("lock: older major", [], [('lock_version = "4.5', 'lock_version = "3.1')]),
    ("lock: no version", [], [("lock_version = ", "x_version = ")]),
    ("lock: newer patch", [], [('lock_version = "4.5.1"', 'lock_version = "4.5.9"')]),
    ("lock: package removed", [], [('name = "idna"', 'name = "idnb"')]),
    ("lock: metadata last", [], [("[metadata]", "[metadata] # x")]),
]

# lock_inputs mode: what PDM decides there and we do not say is "unknown"
INPUTS: list[Row] = [
    ("untouched", [], []),
    ("comment", [("^", "# x\n")], []),
    ("dependency reorder", [('["requests>=2.31", "idna"]', '["idna", "requests>=2.31"]')], []),
    ("specifier space", [("requests>=2.31", "requests >= 2.31")], []),
    ("specifier met", [("requests>=2.31", "requests>=2.32")], []),
    ("name case", [('"idna"', '"IDNA"')], []),
    ("pin violated", [("requests>=2.31", "requests<2")], []),
    ("dependency added", [('"idna"]', '"idna", "rich"]')], []),
    ("dependency removed", [(', "idna"]', "]")], []),
    ("extra on a dependency", [("requests>=2.31", "requests[socks]>=2.31")], []),
    ("marker added", [('"idna"', '"idna; python_version > \'3\'"')], []),
    ("requires-python", [(">=3.9", ">=3.10")], []),
    ("requires-python respelled", [(">=3.9", ">= 3.9")], []),
    ("empty group added", [('dev = ["pytest"]', 'dev = ["pytest"]\ndocs = []')], []),
    ("group removed", [('[dependency-groups]\ndev = ["pytest"]\n', "")], []),
    ("resolution changed", [("allow-prereleases = false", "allow-prereleases = true")], []),
    ("source added", [("", '[[tool.pdm.source]]\nname = "b"\nurl = "https://index.example/simple"\n')], []),
    ("version bump", [('"0.1.0"', '"0.2.0"')], []),
    ("group that includes another", [('dev = ["pytest"]', 'dev = ["pytest"]\nall = [{include-group = "dev"}]')], []),
    ("requires-python gone", [('requires-python = ">=3.9"\n', "")], []),
    ("URL instead of a name", [('"idna"', '"idna @ https://index.example/idna-3.6-py3-none-any.whl"')], []),
    ("marker added and a pin violated", [('"requests>=2.31", "idna"', '"requests<2", "idna; python_version > \'3\'"')], []),
    ("marker added and a source", [('"idna"', '"idna; python_version > \'3\'"'), ("", '[[tool.pdm.source]]\nname = "b"\nurl = "https://index.example/simple"\n')], []),
]

# the same of a manifest with markers, an include and overrides, locked as `pdm lock` does, without extras
MARKED: list[Row] = [
    ("untouched", [], []),
    ("comment", [("^", "# x\n")], []),
    ("marker quotes", [("'3.99'", '\\"3.99\\"')], []),
    ("specifier met", [("idna>=3", "idna>=3.5")], []),
    ("include inlined", [('{include-group = "lint"}', '"rich"')], []),
    ("included group changed", [('lint = ["rich"]', 'lint = ["rich", "idna"]')], []),
    ("requirement lost", [('"requests>=2.31", ', "")], []),
    ("pin violated", [("requests>=2.31", "requests<2")], []),
    ("limit of an extra that is not locked", [("ruff>=9", "ruff>=10")], []),
    ("override changed", [('"2.32.0"', '"2.31.0"')], []),
    ("resolution changed", [("lock_inputs = true", "lock_inputs = true\nallow-prereleases = true")], []),
    ("marker changed", [("'3.99'", "'3.98'")], []),
]
# fmt: on

DRIVER = """
import json, os, sys
from pdm.cli.actions import check_lockfile
from pdm.core import Core
answers = {}
for line in sys.stdin.read().split("\\n"):
    folder, _, lockfile = line.partition("\\t")
    try:
        project = Core().create_project(folder)
        project.set_lockfile(os.path.join(folder, lockfile))
        answers[folder] = "stale" if check_lockfile(project, False) else "fresh"
    except Exception as error:
        answers[folder] = f"error {type(error).__name__}: {error}"
print(json.dumps(answers))
"""


class Pdm:
    """PDM 2.29.3 in a clean environment."""

    def __init__(self, tmp_path: Path) -> None:
        self.bin = tool_env("pdm[locked]==2.29.3")
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("PDM_", "PIP_"))}
        self.environment |= {
            "PDM_CHECK_UPDATE": "0",
            "PDM_CACHE_DIR": str(tmp_path / "cache"),
            "PDM_CONFIG_FILE": str(tmp_path / "pdm.toml"),
            "PDM_USE_VENV": "0",
            "PDM_NON_INTERACTIVE": "1",
        }

    def lock(self, folder: Path, *args: str, extras: bool = True) -> None:
        done = subprocess.run(
            [str(self.bin / "pdm"), "lock", *(["-G:all"] if extras else []), *args],
            check=False,
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def fresh(self, folders: list[Path], lockfile: str) -> dict[str, str]:
        done = subprocess.run(
            [str(self.bin / "python"), "-c", DRIVER],
            input="\n".join(f"{folder}\t{lockfile}" for folder in folders),
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        answers: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
        return answers


def run_rows(
    tmp_path: Path, manifest: str, rows: list[Row], lockfile: str = "pdm.lock", extras: bool = True
) -> dict[str, tuple[str, str]]:
    """Row name -> (what we say, what PDM says), after the lock was made for `manifest`."""
    pdm = Pdm(tmp_path)
    base = tmp_path / "base"
    base.mkdir()
    with LocalIndex(tmp_path, PACKAGES) as index:
        url = index.url
        (base / "pyproject.toml").write_text(manifest.replace("INDEX", url))
        if lockfile == "pylock.toml":
            pdm.environment["PDM_LOCK_FORMAT"] = "pylock"
        pdm.lock(base, "--lockfile", lockfile, extras=extras)
    locked = (base / lockfile).read_text()
    folders = {}
    for number, (name, changes, lock_changes) in enumerate(rows):
        folder = tmp_path / f"row{number}"
        folder.mkdir()
        (folder / "pyproject.toml").write_text(edited(manifest, *changes).replace("INDEX", url), encoding="utf-8")
        (folder / lockfile).write_text(edited(locked, *lock_changes))
        folders[name] = folder
    truth = pdm.fresh(list(folders.values()), lockfile)
    form = FORMAT if lockfile.startswith("pdm") else PYLOCK
    return {name: (ask(form, folder, lockfile)[0], truth[str(folder)]) for name, folder in folders.items()}


def test_hash_mode(tmp_path: Path) -> None:
    answers = run_rows(tmp_path, PYPROJECT, HASH)
    assert {name: pair for name, pair in answers.items() if pair[0] != pair[1]} == {}, answers


def test_pylock_of_pdm(tmp_path: Path) -> None:
    answers = run_rows(
        tmp_path, PYPROJECT, [row for row in HASH if not row[2] and "lock_inputs" not in row[0]], "pylock.toml"
    )
    assert {name: pair for name, pair in answers.items() if pair[0] != pair[1]} == {}, answers


def test_lock_inputs_mode(tmp_path: Path) -> None:
    manifest = PYPROJECT.replace("allow-prereleases = false", "allow-prereleases = false\nlock_inputs = true")
    answers = run_rows(tmp_path, manifest, INPUTS)
    assert {name: pair for name, pair in answers.items() if pair[0] not in (pair[1], "unknown")} == {}, answers
    assert {name for name, pair in answers.items() if pair[0] == "unknown"} == {"marker added"}


def test_lock_inputs_mode_with_markers(tmp_path: Path) -> None:
    manifest = PYPROJECT.replace("allow-prereleases = false", 'lock_inputs = true\noverrides = {requests = "2.32.0"}')
    manifest = manifest.replace(', "idna"]', ", \"idna>=3; python_version < '3.99'\"]")
    manifest = manifest.replace('dev = ["pytest"]', 'dev = ["pytest", {include-group = "lint"}]\nlint = ["rich"]')
    manifest = manifest.replace('[tool.pdm.dev-dependencies]\nlint = ["ruff>=0.9"]\n', "")
    manifest = manifest.replace('fancy = ["rich>=13"]', 'fancy = ["ruff>=9"]')
    answers = run_rows(tmp_path, manifest, MARKED, extras=False)
    assert {name: pair for name, pair in answers.items() if pair[0] not in (pair[1], "unknown")} == {}, answers
    assert {name for name, pair in answers.items() if pair[0] == "unknown"} == {"marker changed"}


def test_workspace(tmp_path: Path) -> None:
    pdm = Pdm(tmp_path)
    base = tmp_path / "base"
    for name in ("a", "b", "deep/c"):
        (base / "packages" / name).mkdir(parents=True)
        (base / "packages" / name / "pyproject.toml").write_text(
            f'[project]\nname = "{name[-1]}"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["idna"]\n'
            "[tool.pdm]\ndistribution = false\n"
        )
    with LocalIndex(tmp_path, PACKAGES) as index:
        text = (
            PYPROJECT.replace("INDEX", index.url)
            + '[tool.pdm.workspace]\nmembers = ["packages/*", "packages/deep/c"]\n'
        )
        (base / "pyproject.toml").write_text(text)
        pdm.lock(base)
    edits: dict[str, tuple[str, str, str]] = {
        "untouched": ("pyproject.toml", "", ""),
        "root dependency": ("pyproject.toml", '"idna"]', '"idna", "rich"]'),
        "root comment": ("pyproject.toml", "[project]", "# x\n[project]"),
        "member dependency": ("packages/a/pyproject.toml", '"idna"]', '"idna", "rich"]'),
        "member comment": ("packages/a/pyproject.toml", "[project]", "# x\n[project]"),
        "deep member dependency": ("packages/deep/c/pyproject.toml", '"idna"]', '"idna>=3"]'),
        "member version": ("packages/b/pyproject.toml", 'version = "1"', 'version = "2"'),
        "member dropped from the list": ("pyproject.toml", ', "packages/deep/c"', ""),
        "glob spelled otherwise": ("pyproject.toml", "packages/*", "./packages/*"),
        "double star": ("pyproject.toml", '"packages/*", "packages/deep/c"', '"packages/**"'),
    }
    folders = {}
    for number, (name, (path, old, new)) in enumerate(edits.items()):
        folder = tmp_path / f"row{number}"
        shutil.copytree(base, folder)
        (folder / path).write_text(edited((folder / path).read_text(), (old, new)))
        folders[name] = folder
    folders["member deleted"] = tmp_path / "deleted"
    shutil.copytree(base, folders["member deleted"])
    shutil.rmtree(folders["member deleted"] / "packages/b")
    folders["member added"] = tmp_path / "added"
    shutil.copytree(base, folders["member added"])
    shutil.copytree(base / "packages/b", folders["member added"] / "packages/d")
    truth = pdm.fresh(list(folders.values()), "pdm.lock")
    answers = {name: (ask(FORMAT, folder, "pdm.lock")[0], truth[str(folder)]) for name, folder in folders.items()}
    assert {name: pair for name, pair in answers.items() if pair[0] != pair[1]} == {}, answers


def test_enough_rows() -> None:
    assert len({name for name, _, _ in HASH}) == len(HASH) >= 30
