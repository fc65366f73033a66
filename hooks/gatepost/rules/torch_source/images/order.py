"""TS302, TS501, TS502, TS506: what the commands, in order, leave in the image."""

from __future__ import annotations

import re

from gatepost.model import ERROR, WARNING, Finding, Location
from gatepost.record import replace
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.images.automatic import automatic
from gatepost.rules.torch_source.images.events import Event
from gatepost.rules.torch_source.images.meant import gpu_meant, is_cpu_image, says_cpu
from gatepost.rules.torch_source.intent import agrees
from gatepost.rules.torch_source.table import names_build
from gatepost.rules.torch_source.view import by_glob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Repository
    from gatepost.rules.torch_source.view import View


def intent_of(policy: object, image: Image, stage: Stage) -> str:
    """The build that the settings state for an image: by `Dockerfile:stage`, by Dockerfile, by stage, or for all."""
    if isinstance(policy, str):
        return policy.lower()
    if isinstance(policy, dict):
        for key in (f"{image.path}:{stage.name}", image.path, f"stage:{stage.name}", stage.name):
            if key and isinstance(policy.get(key), str):
                return str(policy[key]).lower()
        return by_glob(policy, image.path) or str(policy.get("default") or policy.get("*") or "").lower()
    return ""


def order(
    repository: Repository, image: Image, stage: Stage, events: list[Event], intent: str, view: View
) -> Iterator[Finding]:
    """TS501, TS502, TS506: what the commands, in order, leave in the image."""
    current: Event | None = None
    pending: Event | None = None
    for event in events:
        build, install = event.effect.build, event.install
        own = event.stage == stage.index
        if event.conditional:
            if event.effect.asked and not _same(event, current):
                return  # one of several variants: which one is built cannot be seen
            continue
        if current is None:
            if event.effect.asked:
                current = event
                pending = event if build == "pypi" and own else None
            elif event.effect.unknown:
                return
            continue
        if not event.effect.asked:
            continue
        direct = any(one.name == "torch" for one in event.effect.asked) and install.tool in ("pip", "uv-pip")
        was = current.effect.build
        if build not in ("pypi", "") and direct and was not in (build, "") and not install.files:
            if own and event.place != current.place:
                return
            pending = None
            if own:
                from gatepost.rules.torch_source.images import replaced

                finding = replaced.judge(image, stage, current, event)
                yield finding
                current = event if finding.code == "TS506" else current  # it is there in its place, or nothing changed
            else:
                current = event
        elif was not in ("pypi", "") and build not in (was, "") and own:
            from gatepost.rules.torch_source.images import undone

            told = undone.judge(image, current, event, view)
            if told is not None:
                yield told
            if told is not None or event.place != current.place:
                return
        elif was == "" or build == "":
            pending = None
    if current is not None and intent:
        yield from _contradicts(image, stage, current, intent)
    elif current is not None and not any(event.effect.gpu for event in events):
        yield from _named_gpu(image, stage, current)
    yield from _cuda(repository, image, stage, events, intent, current, pending, view)


def _cuda(
    repository: Repository,
    image: Image,
    stage: Stage,
    events: list[Event],
    intent: str,
    current: Event | None,
    pending: Event | None,
    view: View,
) -> Iterator[Finding]:
    """TS501: what is left is no build for a CPU. `pending` is the install from PyPI that nothing has replaced."""
    named = current is not None and not intent and current.stage == stage.index and says_cpu(image, stage)
    if named and current is not None and image.final(stage) and urls.kind(current.effect.build) in ("cuda", "rocm"):
        yield _in_cpu_image(repository, image, stage, events, current, view)
    if pending is None or intent not in ("", "cpu"):
        return
    if intent == "cpu":  # stated, so it is no longer a guess
        yield replace(_in_cpu_image(repository, image, stage, events, pending, view, stated=True), severity=ERROR)
    elif (
        is_cpu_image(image, stage)
        and ".devcontainer" not in image.path
        and not gpu_meant(repository, image, stage, events)
    ):
        yield _in_cpu_image(repository, image, stage, events, pending, view)


def _in_cpu_image(
    repository: Repository,
    image: Image,
    stage: Stage,
    events: list[Event],
    event: Event,
    view: View,
    stated: bool = False,
) -> Finding:
    from gatepost.rules.torch_source.images.cpu.finding import cuda_in_cpu_image
    from gatepost.rules.torch_source.images.later import asked_later

    later = asked_later(repository, image, events, event, view)
    return cuda_in_cpu_image(repository, image, stage, event, later, stated)


def _same(event: Event, current: Event | None) -> bool:
    """Whether an install repeats what is there: the same build, from the same lock or file, in the same place."""
    return (
        current is not None
        and event.place == current.place
        and event.effect.build == current.effect.build
        and event.effect.locked == current.effect.locked
    )


def _named_gpu(image: Image, stage: Stage, event: Event) -> Iterator[Finding]:
    """TS302: the CPU build in what is named for a GPU, where nothing else in it needs one either."""
    words = re.split(r"[^a-z0-9]+", f"{'/'.join(image.path.split('/')[-2:])} {stage.name}".lower())
    name = "" if {"cpu", "no", "non", "without"} & set(words) else names_build(words)
    only = {one.build for one in event.effect.asked} == {"cpu"}  # a lock may hold a build for each extra
    if automatic(event.install):
        return  # TS509
    if event.stage == stage.index and image.final(stage) and only and urls.kind(name) == "cuda":
        step = stage.steps[event.step]
        rows = (image.files.read(image.path) or b"").splitlines()[step.line - 1 : step.end]
        if any(b"$" in row for row in rows):
            return  # an argument of the build chooses
        first = event.effect.first
        yield Finding(
            code="TS302",
            where=Location(path=image.path, line=first.line if not first.path else event.install.line),
            message=f"{image.path}{f' (stage `{stage.name}`)' if stage.name else ''} is named for a GPU, but this installs the CPU build of torch",
            remedy="Take the index of a CUDA build, or state the build under [tool.gatepost.torch-source].",
            severity=WARNING,
            related=(Location(path=first.path, line=first.line or None),) if first.path else (),
        )


def _contradicts(image: Image, stage: Stage, event: Event, intent: str) -> Iterator[Finding]:
    """TS302: the last install of torch brings another build than the settings state for the stage."""
    build = event.effect.build
    if event.stage == stage.index and urls.tag_of(build) and not agrees(intent, build):
        first = event.effect.first
        yield Finding(
            code="TS302",
            where=Location(path=image.path, line=first.line if not first.path else event.install.line),
            message=f"this installs the {build} build of torch, but [tool.gatepost.torch-source] states `{intent}` for {image.path}"
            + (f" (stage `{stage.name}`)" if stage.name else ""),
            remedy="Take the build that is stated, or change the settings.",
            related=(Location(path=first.path, line=first.line or None),) if first.path else (),
        )
