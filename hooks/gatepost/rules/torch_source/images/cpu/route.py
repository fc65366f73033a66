"""How a project that is locked takes torch from the index of CPU builds, in the words of its tool."""

from __future__ import annotations

import posixpath
import re
import shlex

from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.installed.build import FAMILY, index_build
from gatepost.rules.torch_source.markers import possible
from gatepost.rules.torch_source.urls import CPU_INDEX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Repository
    from gatepost.rules.torch_source.images.events import Event


def advice(repository: Repository, image: Image, stage: Stage, event: Event, names: list[str]) -> str:
    """The remedy of an install from a lock; `names` is what of the family comes along."""
    first, tool = event.effect.first, event.install.tool
    if tool == "conda-env":
        return _for_conda(event)
    if repository.published(posixpath.dirname(first.path)):
        return (
            f"Make torch an extra that takes it from an explicit index with url `{CPU_INDEX}`, lock, and install that extra here: "
            "a route of the whole project takes CUDA from all who install this library from its source."
        )
    if tool == "uv":
        if scope := for_the_cpu(repository.toml(first.path)):
            return f"Write `{scope}` in this command: its torch comes from the index of CPU builds."
        return (
            f'{"Route torch" if first.name == "torch" else "Declare torch and route it"}: `[[tool.uv.index]]` with `name = "pytorch-cpu"`, url `{CPU_INDEX}` and `explicit = true`, and '
            f'`[tool.uv.sources] torch = {{index = "pytorch-cpu"}}`{_likewise(_declared(repository, image, stage, event))}; then `uv lock`.'
        )
    return {
        "pipenv": f"Add a [[source]] with url `{CPU_INDEX}` to the Pipfile and {'`index =` on torch' if first.name == 'torch' else 'torch with `index =` to its packages'}, then run `pipenv lock`.",
        "pdm": f'Add a [[tool.pdm.source]] with url `{CPU_INDEX}` and `include_packages = ["torch", "torchvision", "torchaudio"]` to pyproject.toml, then run `pdm lock`.',
    }.get(tool) or _for_poetry(repository, first.path, names)


def for_the_cpu(data: dict[str, Any]) -> str:
    """The option of uv for the extra or the group whose torch `[tool.uv.sources]` takes from the CPU index, or ""."""
    tool = data.get("tool")
    uv = tool.get("uv") if isinstance(tool, dict) else None
    uv = uv if isinstance(uv, dict) else {}
    listed, sources = uv.get("index"), uv.get("sources")
    indexes = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    serving = {str(one.get("name")) for one in indexes if index_build(str(one.get("url", ""))) == "cpu"}
    routes = sources.get("torch") if isinstance(sources, dict) else None
    for one in routes if isinstance(routes, list) else [routes]:
        if (
            isinstance(one, dict)
            and str(one.get("index")) in serving
            and possible(str(one.get("marker", "")), "linux_x86_64")
        ):
            for key in ("extra", "group"):
                if isinstance(one.get(key), str):
                    return f"--{key} {one[key]}"
    return ""


def _for_conda(event: Event) -> str:
    """The index of CPU builds for the pip that conda runs: of equal releases pip takes the one with a label."""
    first = event.effect.first
    command = shlex.join(event.install.command.texts)
    pinned = first.name == "torch" and specs.parse(first.spec).pin()
    pin = "" if pinned else f"Pin `torch` in the `pip:` list of {first.path}, and run "
    return (
        f"{pin or 'Run '}`PIP_EXTRA_INDEX_URL={CPU_INDEX} {command}`: pip then takes the `+cpu` build of that release."
    )


def _for_poetry(repository: Repository, path: str, names: list[str]) -> str:
    """The route to the CPU index for Linux alone, as it is written for Poetry: `+cpu` wheels are not for macOS.

    Tested with Poetry 2.5.1: two entries with markers lock both builds; one entry, with a marker or without, locks
    `+cpu` for every platform, where another package requires torch too.
    """
    data = repository.toml(path)
    tool, project = data.get("tool"), data.get("project")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    table = poetry.get("dependencies") if isinstance(poetry, dict) else None
    entry = table.get("torch") if isinstance(table, dict) else None
    entry = entry.get("version") if isinstance(entry, dict) else entry
    listed = project.get("dependencies") if isinstance(project, dict) else None
    given = any(re.match(r"torch\b(?![-_.])", str(one)) for one in listed) if isinstance(listed, list) else False
    version = "" if given else f'version = "{entry if isinstance(entry, str) else "*"}", '
    linux = f'{{{version}source = "pytorch-cpu", markers = "sys_platform == \'linux\'"}}'
    elsewhere = f"{{{version}markers = \"sys_platform != 'linux'\"}}"
    return (
        f'Add a [[tool.poetry.source]] with `name = "pytorch-cpu"`, url `{CPU_INDEX}` and `priority = "explicit"`, and write '
        f"`torch = [{linux}, {elsewhere}]` in [tool.poetry.dependencies]"
        f"{_likewise(names)}; then run `poetry lock`."
    )


def _likewise(names: Sequence[str]) -> str:
    """The companions of torch that a route has to name as well, in prose."""
    others = " and ".join(f"`{name}`" for name in names if name != "torch")
    return f", and {others} likewise" if others else ""


def _declared(repository: Repository, image: Image, stage: Stage, event: Event) -> list[str]:
    """What of the family the project declares that a command of uv installs: in a list or group of its pyproject.toml."""
    folder = image.project(image.dockerfile.stages[event.stage], event.step, event.install)
    data = repository.toml(posixpath.join(folder, "pyproject.toml")) if folder is not None else {}
    text = repr([data.get("project"), data.get("dependency-groups"), data.get("tool")])
    return [name for name in sorted(FAMILY) if re.search(rf"[\"']{name}(?=[\"'\s<>=!~;@\[])", text)]
