"""TS503, TS504, TS509: the base image and the environment of a stage against what is installed."""

from __future__ import annotations

import re

from gatepost.manifests.installs.sources import sources
from gatepost.model import INFO, WARNING, Finding, Location
from gatepost.rules.torch_source import specs, urls
from gatepost.rules.torch_source.carriers import AWS_IMAGE, OFFICIAL_IMAGE
from gatepost.rules.torch_source.images.environments import apart, makes_one
from gatepost.rules.torch_source.images.events import Event
from gatepost.rules.torch_source.installed.build import FAMILY, index_build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gatepost.manifests.dockerfile import Stage, Step
    from gatepost.manifests.image import Image
    from gatepost.rules.torch_source.images.ran import Ran


_ENV_INDEX = (
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_TORCH_BACKEND",
)  # fmt: skip


def base_image(image: Image, base: str, events: list[Event]) -> Iterator[Finding]:
    """TS503 and TS504: the base image against what is installed on it."""
    cuda = re.search(r"nvidia/cuda:(\d+)\.(\d+)", base)
    first = next((event for event in events if event.effect.asked or event.effect.unknown), None)
    for event in events:
        build = event.effect.build
        line = event.install.line
        if event.conditional or event.install.tool == "conda-env":
            continue
        if cuda and re.fullmatch(r"cu\d{2,3}", build) and not event.effect.locked:
            wheel = urls.cuda_version(build)
            if wheel != f"{cuda[1]}.{cuda[2]}" and not _newest_wins(image, event):
                yield Finding(
                    code="TS503",
                    where=Location(path=image.path, line=line),
                    message=f"the base image has CUDA {cuda[1]}.{cuda[2]}, these wheels bring CUDA {wheel} of their own",
                    remedy="Fine if the driver supports it; a plain base image is smaller, as the wheels hold the runtime.",
                    severity=INFO,
                )
        official = OFFICIAL_IMAGE.search(base)
        framework = official or AWS_IMAGE.search(base)
        if _uninstalled(image, event):
            return
        if official and event is first and _already_there(image, event, base, official[1]):
            nightly = _nightly(event)
            yield Finding(
                code="TS502",
                where=Location(path=image.path, line=line),
                message=f"this {'nightly' if nightly else build} install of torch changes nothing: `{base}` already holds torch {official[1]}, which satisfies it",
                remedy="Add `--upgrade`, or start from an image without torch."
                if nightly
                else "Start from an image without torch, or remove this command.",
                severity=WARNING,
            )
            return
        vendor = re.search(r"nvcr\.io/nvidia/pytorch:", base)
        if not framework and not vendor:
            continue
        for one in event.effect.asked:
            pin = specs.parse(one.spec).pin() if one.spec else ""
            separate = event.install.tool in ("uv", "poetry") and event.place != "system"
            spec = specs.parse(one.spec) if one.spec else None
            if one.name != "torch" and not event.effect.locked:
                continue
            if (
                (framework and spec is not None and not spec.broken and not spec.admits(framework[1]))
                or (vendor and pin)
                or (separate and event.effect.locked)
                or (official and spec is not None and spec.exact_label() and _from_conda(official[1]))
            ):
                inside = apart(image, image.dockerfile.stages[event.stage], event)
                yield Finding(
                    code="TS504",
                    where=Location(path=image.path, line=line),
                    message=f"`{base}` already holds torch{' ' + framework[1] if framework else ''}, and this installs torch {_shown(pin, one.spec)}"
                    + (" into an environment of its own" if separate or inside else " over it"),
                    remedy="Start from an image without torch"
                    + (
                        ", or make the environment with `--system-site-packages` and leave torch to the base image."
                        if inside
                        else ", or leave torch to the base image."
                    ),
                    related=(Location(path=one.path, line=one.line or None),) if one.path else (),
                )
                return  # one is enough: the next install finds the replaced torch


def _nightly(event: Event) -> bool:
    index = sources(event.install).index
    return index is not None and "nightly" in urls.split(index.text).channel


def _already_there(image: Image, event: Event, base: str, version: str) -> bool:
    """Whether pip leaves the torch of PyTorch's own image, as the command names no release, and another build's index."""
    install = event.install
    if install.tool not in ("pip", "uv-pip") or event.place != "system" or install.files or install.paths:
        return False
    stage = image.dockerfile.stages[event.stage]
    if stage.parent is not None or install.has(*_AGAIN) or apart(image, stage, event):
        return False
    torch = [one for one in event.effect.asked if one.name == "torch"]
    if len(torch) != 1 or len(install.packages) != len(event.effect.asked) or event.effect.build in ("", "pypi"):
        return False
    spec = specs.parse(torch[0].spec)
    if spec.broken or spec.labels() or not spec.admits(version):
        return False
    cuda = re.search(r"cuda(\d+)\.(\d+)", base)
    return cuda is not None and (_nightly(event) or event.effect.build != f"cu{cuda[1]}{cuda[2]}")


# Options with which pip and uv install what is there already.
_AGAIN = (
    "-U", "--upgrade", "-P", "--upgrade-package", "-I", "--ignore-installed", "--force-reinstall", "--reinstall",
    "--reinstall-package", "--target", "-t", "--prefix", "--root",
)  # fmt: skip


def _newest_wins(image: Image, event: Event) -> bool:
    """Whether pip takes the newest of PyPI's releases and an index's, beside it: the build need not be the index's.

    Not where a companion with a pin or a label holds torch at an older release.
    """
    first = event.effect.first
    if event.install.tool != "pip" or first.name != "torch":
        return False
    given = sources(event.install)
    family = [specs.parse(one.range) for one in event.effect.asked if one.name in FAMILY]
    if any(spec.labels() or spec.bounded_above() for spec in family):
        return False
    files = image.files.family(first.path) if first.path else ()
    options = {option.name: option.value for _, file in files for option in file.options}
    main = options.get("index-url") or (given.index.text if given.index is not None else "")
    return bool(given.extra or "extra-index-url" in options) and (not main or index_build(main) == "pypi")


def vendor_replaced(image: Image, stage: Stage, base: str, ran: list[Ran]) -> Iterator[Finding]:
    """TS504: vllm, of which every release requires one release of torch, where NVIDIA's own build is."""
    if not re.search(r"(?:^|/)nvcr\.io/nvidia/pytorch:", base):
        return
    if any(_uninstalls(step) for _, _, step in image.steps(stage)) or makes_one(image, stage):
        return
    for one in ran:
        if (
            one.conditional
            or one.install.tool not in ("pip", "uv-pip")
            or one.install.action != "install"
            or one.place != "system"
            or one.install.has("--no-deps")
        ):
            continue
        listed = [(req.name, req.url, "", 0) for req in one.install.packages]
        listed += [(line.name.lower(), line.url, path, line.line) for path, file in one.files for line in file.lines]
        for name, url, path, line in listed:
            if name == "vllm" and not url:
                yield Finding(
                    code="TS504",
                    where=Location(path=image.path, line=one.install.line),
                    message=f"`{base}` already holds NVIDIA's torch, and each release of `vllm` requires one of PyPI's: pip replaces it, or refuses",
                    remedy="Start from an image without torch, or from one that holds vllm.",
                    related=(Location(path=path, line=line or None),) if path else (),
                )
                return


def _shown(pin: str, spec: str) -> str:
    """The version that is asked for, its label included, or the range."""
    label = specs.label(spec)
    return (f"{pin}+{label}" if label else pin) if pin else spec


def _uninstalled(image: Image, event: Event) -> bool:
    """Whether an earlier command of the stage takes the base image's torch away, knowingly."""
    steps = image.dockerfile.stages[event.stage].steps[: event.step + 1]
    return any(map(_uninstalls, steps))


def _uninstalls(step: Step) -> bool:
    return any("uninstall" in command.texts and "torch" in command.texts for command in step.commands)


def _from_conda(version: str) -> bool:
    """Whether the official image of a release holds conda's build, whose version has no label (up to 2.5)."""
    return specs.parse("<2.6").admits(version)


def environment(image: Image, stage: Stage, events: list[Event]) -> Iterator[Finding]:
    """TS509: the only source of torch is an environment variable of the image."""
    for variable in _ENV_INDEX:
        for step in stage.steps:
            if step.kind != "env" or variable not in step.names:
                continue
            value = next(
                (one.env.get(variable) for one in stage.steps if one.line > step.line and variable in one.env),
                stage.env.get(variable),
            )
            if value is None:
                continue
            build = (
                value
                if variable == "UV_TORCH_BACKEND"
                else next((found for part in value.split() if (found := index_build(part)) not in ("", "pypi")), "")
            )
            if not build:
                continue
            relying = [event for event in events if variable in sources(event.install).from_env]
            synced = [event for event in events if event.install.tool == "uv" and event.effect.asked]
            if variable == "UV_TORCH_BACKEND" and synced and not relying:
                yield Finding(
                    code="TS509",
                    where=Location(path=image.path, line=step.line),
                    message=f"`{variable}={value}` has no effect here: `uv {synced[0].install.action}` (line {synced[0].install.line}) does not read it",
                    remedy="Route torch with `[tool.uv.sources]` in pyproject.toml and run `uv lock`.",
                )
                break
            files = [event for event in relying if any(one.path for one in event.effect.asked)]
            if files and not any(one.build not in ("", build) for event in files for one in event.effect.asked):
                yield Finding(
                    code="TS509",
                    where=Location(path=image.path, line=step.line),
                    message=f"only `{variable}` says that torch is the {build} build: outside this image `{files[0].effect.first.path}` installs another one",
                    remedy="Say it in the project too: an `--extra-index-url` with a pinned build, or `[tool.uv.sources]`.",
                    severity=INFO,
                    related=(Location(path=files[0].effect.first.path, line=files[0].effect.first.line or None),),
                )
                break


def backend_ignored(path: str, events: list[Event], said: Collection[str] = ()) -> Iterator[Finding]:
    """TS509: UV_TORCH_BACKEND on `uv sync`, which does not read it. `said`: variables that are judged where they are set."""
    for event in events:
        install = event.install
        value = install.command.env.get("UV_TORCH_BACKEND")
        if install.tool == "uv" and install.action in ("sync", "run") and value and "UV_TORCH_BACKEND" not in said:
            if event.effect.build == value:
                continue
            yield Finding(
                code="TS509",
                where=Location(path=path, line=install.line),
                message=f"`UV_TORCH_BACKEND={value}` has no effect here: `uv {install.action}` does not read it",
                remedy="Route torch with `[tool.uv.sources]` in pyproject.toml and run `uv lock`.",
            )
