"""Whose GPU the service of a compose file has: a service speaks for the image that it builds, or none is named."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import workflow
from gatepost.manifests.builds import is_compose
from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gatepost.manifests.builds import Build
    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Repository


# What somebody else publishes and runs with a GPU says nothing of an image that is built here.
OTHERS = pattern(rb"(?:nvidia/cuda|ollama/|vllm/|nvcr\.io/|ghcr\.io/huggingface|tritonserver|pytorch/pytorch)")


def builds_of(image: Image, stage: Stage) -> tuple[Build, ...]:
    """The builds of a Dockerfile that a stage takes part in: it is their target, or what that starts or copies from."""
    return tuple(build for build in image.builds if _takes_part(image, stage, build.target))


def _takes_part(image: Image, stage: Stage, target: str) -> bool:
    last = image.dockerfile.find(target) if target else image.dockerfile.stages[-1]
    return last is None or any(one.index == stage.index for one in image.feeding(last))


def speaking(repository: Repository, image: Image, stage: Stage, path: str) -> bytes:
    """A file's text, without the services of a compose file that run another image than the one a stage is of."""
    data = repository.read(path) or b""
    if not is_compose(path) or b"services:" not in data:
        return data
    text = data.decode("utf-8", "replace")
    for start, end in reversed(list(_elsewhere(repository, image, stage, path, text))):
        text = text[:start] + text[end:]
    return text.encode("utf-8", "surrogateescape")


def _elsewhere(repository: Repository, image: Image, stage: Stage, path: str, text: str) -> Iterator[tuple[int, int]]:
    """The spans of the services whose image is certainly another one."""
    services = workflow.get(workflow.compose(text.encode("utf-8", "replace")), "services")
    rows = [0, *(hit.end() for hit in re.finditer("\n", text)), len(text)]
    listed = list(workflow.items(services))
    for at, (name, key, node) in enumerate(listed):
        following = listed[at + 1][1].start_mark if at + 1 < len(listed) else services.end_mark
        alias = node.start_mark.line < key.start_mark.line
        if services.flow_style or alias:
            continue
        if _of_another(repository, image, stage, path, name, node):
            yield rows[key.start_mark.line], rows[following.line]


def _of_another(repository: Repository, image: Image, stage: Stage, path: str, name: str, node: Any) -> bool:
    """Whether a service runs what another Dockerfile, another target, or somebody else makes."""
    if workflow.get(node, "build") is not None:
        own = [build for build in repository.builds() if build.path == path and build.service == name]
    elif (published := workflow.text(workflow.get(node, "image"))) != "":
        return OTHERS.search(published.encode()) is not None
    else:  # another file of the folder says what it is
        folder = posixpath.dirname(path)
        own = [
            build
            for build in repository.builds()
            if build.service == name and posixpath.dirname(build.path) == folder and is_compose(build.path)
        ]
    mine = builds_of(image, stage)
    return bool(own) and not any(build in mine for build in own)
