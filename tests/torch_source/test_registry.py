"""What is said where the public registry is named: its host is put together here, as no file may hold it."""

from __future__ import annotations

import pytest

from gatepost.engine import run_hook
from gatepost.model import Result
from gatepost.registry import own_hook, own_ids
from gatepost.settings import read_settings
from gatepost.tools.table import TOOLS
from gatepost.tree.memory import MemoryTree

HOOK = own_hook("torch-source")
LABELS = ("pypi", "org")
REGISTRY = "https://" + ".".join(LABELS) + "/simple"
TORCH = "https://download.pytorch.org/whl/"


def judge(files: dict[str, str]) -> list[Result]:
    tree = MemoryTree({name: text.encode() for name, text in files.items()})
    settings = read_settings(tree.read, lambda: [*own_ids(), *TOOLS])
    return run_hook(HOOK, tree, settings, args={}, env={"GATEPOST_DEBUG": "1"})


def said(files: dict[str, str]) -> list[tuple[str, str, int | None]]:
    return [(each.code, each.severity, each.line) for each in judge(files) if each.severity != "info"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            f"-i {TORCH}cu118\n--extra-index-url {REGISTRY}\ntorch\nnumpy\n",
            [("TS121", "error", 1)],
            id="PyTorch first, the registry extra: the registry's newer torch wins",
        ),
        pytest.param(
            f"-i {TORCH}cu118\n--extra-index-url {REGISTRY}\ntorch==2.4.0\nnumpy<2\n",
            [("TS122", "warning", 1)],
            id="torch is pinned, the rest is merged",
        ),
        pytest.param(
            f"-i {REGISTRY}\n--extra-index-url {TORCH}cpu\ntorch==2.4.0+cpu\nnumpy==1.26.4\n",
            [],
            id="everything is pinned",
        ),
        pytest.param(
            f"-i {REGISTRY}\ntorch==2.4.0+cpu\n", [("TS202", "error", 2)], id="the registry has no build with a label"
        ),
    ],
)
def test_requirements(text: str, expected: list[tuple[str, str, int | None]]) -> None:
    assert said({"requirements.txt": text}) == expected


def test_an_image_that_names_the_registry_takes_its_cuda_build() -> None:
    dockerfile = f"FROM python:3.12-slim\nRUN pip install --index-url {REGISTRY} torch==2.8.0\n"
    assert said({"Dockerfile": dockerfile}) == [("TS501", "warning", 2)]


def test_pipenv_locks_from_the_registry() -> None:
    pipfile = f'[[source]]\nurl = "{REGISTRY}"\nname = "main"\nverify_ssl = true\n\n[packages]\ntorch = "==2.8.0"\n'
    lock = (
        f'{{"_meta": {{"sources": [{{"name": "main", "url": "{REGISTRY}"}}]}}, '
        '"default": {"torch": {"version": "==2.8.0", "index": "main"}}, "develop": {}}'
    )
    image = "FROM python:3.12-slim\nCOPY Pipfile Pipfile.lock ./\nRUN pip install pipenv && pipenv install --system\n"
    assert said({"Pipfile": pipfile, "Pipfile.lock": lock, "Dockerfile": image}) == [("TS501", "warning", 3)]


def test_uv_asks_the_extra_index_first() -> None:
    command = f"uv pip install --system --index-url {TORCH}cpu --extra-index-url {REGISTRY} torch==2.8.0+cpu"
    assert ("TS121", "error", 2) in said({"Dockerfile": f"FROM python:3.12-slim\nRUN {command}\n"})
    plain = f"uv pip install --system --index-url {TORCH}cpu torch==2.8.0"
    assert said({"Dockerfile": f"FROM python:3.12-slim\nRUN {plain}\n"}) == []
