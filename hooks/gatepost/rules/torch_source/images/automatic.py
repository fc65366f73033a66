"""TS509: uv's torch backend `auto` in an image: it asks for the driver of the machine that builds, not of the one that runs.

Source: uv's "Using uv with PyTorch", "Automatic backend selection"; `UV_CUDA_DRIVER_VERSION` in "Environment variables".
"""

from __future__ import annotations

import re

from gatepost.manifests import gpus
from gatepost.manifests.installs.sources import sources
from gatepost.model import INFO, WARNING, Finding, Location
from gatepost.rules.torch_source import specs, urls
from gatepost.rules.torch_source import table as tables
from gatepost.rules.torch_source.images.runs import GPU_WORD
from gatepost.rules.torch_source.images.services import builds_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.rules.torch_source.images.events import Event


def automatic(install: Install) -> bool:
    """Whether a command of `uv pip` leaves the build of torch to what it finds on the machine."""
    told = install.command.env
    return (
        sources(install).backend == "auto"
        and "UV_CUDA_DRIVER_VERSION" not in told
        and "UV_AMD_GPU_ARCHITECTURE" not in told
    )


def left_to_the_builder(image: Image, stage: Stage, events: list[Event]) -> Iterator[Finding]:
    """TS509 of the first such install of a stage: a warning where the image is meant for a GPU."""
    for event in events:
        if not automatic(event.install) or not (event.effect.asked or event.effect.unknown):
            continue
        given = event.install.has("--torch-backend")
        step = next((one for one in stage.steps if one.kind == "env" and "UV_TORCH_BACKEND" in one.names), None)
        meant = _for_gpus(image, stage)
        yield Finding(
            code="TS509",
            where=Location(path=image.path, line=event.install.line if given or step is None else step.line),
            message=f"`{'--torch-backend=auto' if given else 'UV_TORCH_BACKEND=auto'}` takes the build for the machine that builds this image: "
            "without a GPU's driver there, as on a hosted runner, that is the CPU build",
            remedy=f"Name the build, such as `{_fitting(image, stage, event)}`."
            if meant
            else f"Name the build that the image is for: `cpu`, or a CUDA build such as `{_fitting(image, stage, event)}`.",
            severity=WARNING if meant else INFO,
        )
        return


def _for_gpus(image: Image, stage: Stage) -> bool:
    """Whether the base, a variable, the name or the service that runs it says that an image is for a GPU."""
    base, known = image.dockerfile.image(stage)
    words = re.split(r"[^a-z0-9]+", f"{'/'.join(image.path.split('/')[-2:])} {stage.name}".lower())
    return (
        (known and GPU_WORD.search(base) is not None)
        or urls.kind(tables.names_build(words)) == "cuda"
        or any(build.gpu for build in builds_of(image, stage))
        or any(
            gpus.asked_by(key, value) or key == "NVIDIA_DRIVER_CAPABILITIES"
            for one in image.descendants(stage)
            for lineage in image.dockerfile.lineage(one)
            for key, value in lineage.env.items()
        )
    )


def _fitting(image: Image, stage: Stage, event: Event) -> str:
    """A CUDA build that the pinned torch, or the newest with several, was published for: the base image's where it is one."""
    pins = [specs.parse(one.spec).pin() for one in event.effect.asked if one.name == "torch"]
    table = tables.load()
    row = table.row(pins[0]) if pins else None
    row = row if row is not None and row.cuda else next(one for one in reversed(table.rows) if one.cuda)
    base, _ = image.dockerfile.image(stage)
    version = re.search(r"(?:^|/)cuda:(\d+)\.(\d+)", base)
    own = f"cu{version[1]}{version[2]}" if version else ""
    return own if own in row.cuda else row.cuda[0]
