"""What is rendered is what is committed; the manifest loads in both runners and matches the paths it should."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatepost import __version__, render
from gatepost.registry import all_codes, own_hook, own_ids
from gatepost.tools.table import TOOLS

ROOT = Path(__file__).parents[1]
MANIFEST: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
BY_ID = {entry["id"]: entry for entry in MANIFEST}
NINE = {
    "lock-freshness", "large-model-files", "torch-source", "sync-configs", "ruff-check", "ruff-format", "mypy", "bandit",
    "detect-secrets",
}  # fmt: skip


@pytest.mark.parametrize("path", [path for path, _text in render.outputs(str(ROOT))])
def test_rendered_files_match_the_code(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == dict(render.outputs(str(ROOT)))[path]


def test_no_rule_page_is_left_behind() -> None:
    assert {path.name for path in (ROOT / "docs" / "rules").iterdir()} == {
        path.rpartition("/")[2] for path in render.rule_pages()
    }


def test_ids() -> None:
    assert set(BY_ID) == {*own_ids(), *TOOLS, "gatepost"}
    assert set(BY_ID) > NINE


def test_two_environments_in_all() -> None:
    assert {str(entry.get("additional_dependencies")) for entry in MANIFEST} == {"None", "['.[tools]']"}
    light = {entry["id"] for entry in MANIFEST if "additional_dependencies" not in entry}
    assert light == set(own_ids())


def test_every_entry() -> None:
    for entry in MANIFEST:
        assert entry["stages"] == ["pre-commit", "pre-merge-commit", "pre-push", "manual"]
        assert entry["require_serial"] is True
        assert entry["language"] == "python"
        assert entry["entry"] == f"gatepost {entry['id']}"
        assert set(entry) <= {
            "id", "name", "description", "entry", "language", "files", "types", "types_or", "pass_filenames", "always_run",
            "require_serial", "stages", "minimum_pre_commit_version", "additional_dependencies", "verbose",
        }  # fmt: skip
        # a runner shows the warnings of a hook that passes only so; the one id alone, the single ids are the user's choice
        assert entry.get("verbose", False) is (entry["id"] == "gatepost")


@pytest.mark.parametrize("runner", ["pre_commit", "prek"])
def test_both_runners_accept_it(runner: str) -> None:
    if runner == "pre_commit" and sys.version_info < (3, 11):
        argv = [sys.executable, "-c", "pass"]  # pre-commit 4.7 needs Python 3.11
    elif runner == "pre_commit":
        argv = [sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml"]
    else:
        argv = [str(Path(sys.executable).with_name("prek")), "validate-manifest", ".pre-commit-hooks.yaml"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()


MATCHING = {
    "lock-freshness": [
        "pyproject.toml", "services/api/pyproject.toml", "uv.lock", "uv.toml", "a/poetry.lock", "pdm.lock", "Pipfile",
        "x/Pipfile.lock", "pylock.toml", "pylock.dev.toml", "requirements.txt", "requirements/dev.in", "conda-lock.yml",
        "environment.yml", "pixi.lock", "Dockerfile", "docker/api.Dockerfile", ".github/workflows/ci.yml", "train.py.lock",
    ],
    "torch-source": [
        "pyproject.toml", "a/requirements-gpu.txt", "environment.yml", "Dockerfile", "uv.lock", "poetry.lock", "Pipfile",
        "pip.conf", "conda-lock.yml",
    ],
    "sync-configs": ["pyproject.toml", ".gatepost.lock"],
}  # fmt: skip
NOT_MATCHING = {
    "lock-freshness": ["README.md", "xpyproject.toml", "uv.lock.bak", "data/values.csv"],
    "torch-source": ["data/values.csv", "src/model.c"],
    "sync-configs": ["src/model.py", "README.md"],
}


@pytest.mark.parametrize("hook_id", sorted(MATCHING))
def test_files_patterns(hook_id: str) -> None:
    """As pre-commit matches: re.search over the path from the root."""
    pattern = re.compile(BY_ID[hook_id]["files"])
    assert [path for path in MATCHING[hook_id] if not pattern.search(path)] == []
    assert [path for path in NOT_MATCHING[hook_id] if pattern.search(path)] == []


def test_hooks_without_a_files_pattern_say_how_they_choose() -> None:
    for hook_id in own_ids():
        hook = own_hook(hook_id)
        assert hook.files or hook.types_or or (hook.always_run and not hook.pass_filenames), hook_id


def test_codes() -> None:
    for hook_id, code in all_codes():
        assert re.fullmatch(r"[A-Z]{2}\d{3}", code.id), code.id
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code.name), code.name
        for field in ("summary", "why", "bad", "good", "fix"):
            assert getattr(code, field).strip(), f"{hook_id} {code.id} has no {field}"
        assert code.summary.isascii() or code.summary.isprintable()


def test_version_is_one() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{__version__}"' in text
    assert f"\n## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_published_address_is_in_one_place() -> None:
    """Everything that shows it is rendered from render.URL."""
    holders = subprocess.run(["git", "grep", "-l", render.URL, "--", "hooks"], cwd=ROOT, capture_output=True, text=True,
                             check=False).stdout.split()  # fmt: skip
    assert holders == ["hooks/gatepost/render.py"]
