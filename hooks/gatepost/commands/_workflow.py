"""The CI workflow that runs the hooks, fitted to a project."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.sync.project import Disk

WORKFLOW = ".github/workflows/quality.yml"
SYNC = "uv sync --locked --all-extras --dev"


def workflow() -> str:
    """The text of a CI workflow that runs the hooks, pinned to full hashes."""
    from gatepost.sync.layers import configs_folder

    with open(os.path.join(configs_folder(), "ci", "quality.yml"), encoding="utf-8") as stream:
        return stream.read()


def fitted(text: str, tree: Disk, data: dict[str, Any]) -> str:
    """The workflow for a project: its installer, its Pythons, no tests job without tests."""
    from gatepost.sync.derive import NEWEST_RUFF, depends_on, idle, oldest_python
    from gatepost.sync.paths import get

    names = depends_on(data)
    install, start = SYNC, "uv run pytest"
    if tree.read("uv.lock") is None:
        if get(data, ("tool", "poetry")) is not None:
            install, start = "uvx poetry sync --all-extras --all-groups", "uvx poetry run pytest"
        else:
            files = [each for each in ("requirements.txt", "requirements-dev.txt") if tree.read(each) is not None]
            package = get(data, ("project",)) is not None or tree.read("setup.py") is not None
            what = (["-e ."] if package else []) + [f"-r {each}" for each in files]
            install, start = f"uv venv && uv pip install {' '.join(what)}".rstrip(), "uv run --no-sync pytest"
            if not what:
                install = "uv venv"
    text = text.replace(SYNC, install).replace("uv run pytest", start)
    if not {"pytest-cov"} & names:
        text = text.replace(" --cov --cov-report=xml", "")
    if "pytest" in idle(data, names, tree.paths()):
        text = text[: text.index("\n  tests:\n")]
    floor = oldest_python(data) or (3, 11)
    newest = "" if floor >= NEWEST_RUFF else f', "{NEWEST_RUFF[0]}.{NEWEST_RUFF[1] - 1}"'
    return text.replace('["3.11", "3.14"]', f'["{floor[0]}.{floor[1]}"{newest}]')


def workflows(tree: Disk, data: dict[str, Any]) -> set[bytes]:
    """The workflow as this release and the ones before it write it for a project."""
    from gatepost.sync.layers import configs_folder, releases

    base = configs_folder()
    found = {fitted(workflow(), tree, data).encode()}
    for version in releases():
        try:
            with open(os.path.join(base, "history", version, "ci", "quality.yml"), encoding="utf-8") as stream:
                found.add(fitted(stream.read(), tree, data).encode())
        except OSError:
            pass
    return found
