"""What says that an image is for a GPU: its name, the service that runs it, a variable, the container of a job.

Sources: the Compose specification (`deploy`, `gpus`, `runtime`, merging of files), docker/metadata-action's inputs,
the `--gpus` option of `docker run`.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import workflow
from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from gatepost.manifests.workflow import Job

_NAME = pattern(r"(?:^|[:._-])(?:gpus?|cuda[\d.]*|cu1\d{1,2}|nvidia|rocm[\d.]*)(?=[:._@-]|$)", re.IGNORECASE)
_WITHOUT = pattern(r"(?:no|non|without)[-_]?(?:gpu|cuda)", re.IGNORECASE)
_DEVICE = pattern(r"(?:^|_)DEVICE(?:_TYPE)?$", re.IGNORECASE)
_SWITCH = pattern(r"(?:^|_)(?:GPU|CUDA)(?:_ENABLED)?$", re.IGNORECASE)
_NEGATED = pattern(r"(?:^|_)(?:NO|NON|DISABLE|WITHOUT|SKIP|HIDE|IGNORE)_", re.IGNORECASE)
_HIDDEN = ("", "-1", "none", "void", "NoDevFiles")


def named(image: str) -> bool:
    """Whether the name or tag of an image says that it is for a GPU: `app:1.2-cu124`, `app-gpu`; no folder counts."""
    last = posixpath.basename(re.sub(r"\$\{\{.*?\}\}", "", image))
    return _NAME.search(_WITHOUT.sub("", last)) is not None


def asked_by(name: str, value: str | None) -> bool:
    """Whether a variable chooses the GPU: `TROCR_DEVICE=cuda`, `EASYOCR_GPU=true`, `CUDA_VISIBLE_DEVICES=0`."""
    if value is None:
        return False
    if name in ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"):
        return value not in _HIDDEN and "$" not in value
    if _DEVICE.search(name):
        return re.fullmatch(r"(?i)(?:cuda|gpu)(?::\d+)?", value) is not None
    return (
        value.lower() in ("true", "1", "yes", "on")
        and _SWITCH.search(name) is not None
        and _NEGATED.search(name) is None
    )


def service(node: Any) -> bool:
    """Whether a compose service asks for a GPU: a device, a runtime, or a variable."""
    if workflow.text(workflow.get(node, "runtime")) == "nvidia" or workflow.get(node, "gpus") is not None:
        return True
    devices = workflow.get(node, "deploy", "resources", "reservations", "devices")
    for device in devices.value if devices is not None and devices.id == "sequence" else ():
        if workflow.text(workflow.get(device, "driver")) == "nvidia" or "gpu" in workflow.texts(
            workflow.get(device, "capabilities")
        ):
            return True
    return any(asked_by(name, value) for name, value in _environment(workflow.get(node, "environment")))


def _environment(node: Any) -> Iterator[tuple[str, str]]:
    """The variables of a service, a list or a mapping; `${X:-cuda}` is its default."""
    pairs = [(name, workflow.text(value)) for name, _, value in workflow.items(node)]
    for name, value in pairs or [
        (name, value) for name, _, value in (row.partition("=") for row in workflow.texts(node))
    ]:
        default = re.fullmatch(r"\$\{\w+:?-([^}]*)\}", value)
        yield name, default[1] if default else value


def overlaid(root: Any) -> Iterator[str]:
    """The services that a compose file gives a GPU and nothing to run: another file of the folder says what they are."""
    for name, _, node in workflow.items(workflow.get(root, "services")):
        if workflow.get(node, "build") is None and workflow.get(node, "image") is None and service(node):
            yield name


def shown(page: bytes) -> Iterator[str]:
    """The services that the compose files shown in a Markdown page, between fences, give a GPU."""
    if b"nvidia" not in page and b"gpus:" not in page:
        return
    from textwrap import dedent

    for block in re.findall(rb"(?ms)^[ \t]*```ya?ml[^\n]*\n(.*?)^[ \t]*```", page[:500_000]):
        root = workflow.compose(dedent(block.decode("utf-8", "replace")).encode())
        for name, _, node in workflow.items(workflow.get(root, "services") or root):
            if service(node):
                yield name


def run(root: Any) -> Iterator[str]:
    """The images that services of a compose file run with a GPU, other than those that they build."""
    for _, _, node in workflow.items(workflow.get(root, "services")):
        image = workflow.text(workflow.get(node, "image"))
        if image and "$" not in image and workflow.get(node, "build") is None and service(node):
            yield image


def run_by(jobs: Iterable[Job]) -> Iterator[str]:
    """The images that jobs run with a GPU: their container, or `docker run --gpus` (whose other words come along)."""
    for job in jobs:
        if job.container and re.search(r"--gpus\b|--runtime[= ]nvidia", job.options):
            yield job.container
        for step in job.steps:
            for command in step.commands:
                if "run" in command.texts[1:2] and any(text.startswith("--gpus") for text in command.texts):
                    yield from command.texts[2:]


def developed(container: Mapping[str, Any]) -> bool:
    """Whether a devcontainer.json asks for a GPU: an option of `docker run`, or a requirement on the host."""
    options = container.get("runArgs")
    listed = [str(one) for one in options] if isinstance(options, list) else []
    if any(one.startswith("--gpus") or "nvidia" in one for one in listed):
        return True
    host = container.get("hostRequirements")
    return isinstance(host, dict) and host.get("gpu") not in (None, False)


def described(inputs: Mapping[str, str]) -> Iterator[str]:
    """The names, prefixes and suffixes that docker/metadata-action gives an image."""
    yield from inputs.get("images", "").replace(",", "\n").split()
    for key in ("flavor", "tags"):
        yield from re.findall(r"\b(?:prefix|suffix|value)=([^,\s]+)", inputs.get(key, ""))
