"""What says that an image is for a CPU, or that a GPU is meant."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import gpus, places
from gatepost.patterns import pattern
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.images import runs
from gatepost.rules.torch_source.images.events import Event
from gatepost.rules.torch_source.images.runs import GPU_WORD
from gatepost.rules.torch_source.images.services import builds_of
from gatepost.rules.torch_source.table import names_build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Repository


# Images that hold no CUDA, by the last part of their name. Alpine is left out: torch has no wheels for musl.
_CPU_IMAGE = pattern(
    r"(?:^|/)(?:python|debian|ubuntu|uv|amazonlinux|fedora|rockylinux|almalinux|buildpack-deps|airflow|bitnami-python|"
    r"uvicorn-gunicorn(?:-fastapi)?|uvicorn-gunicorn-starlette|azure-functions/python|ubi[89](?:-minimal)?|"
    r"ubi[89]/python-3\d+|ubi[89]/ubi(?:-minimal)?|lambda/python|jupyter/[\w-]+|miniconda3?|anaconda3?|mambaforge|miniforge3?|"
    r"micromamba|selenium/[\w-]+|playwright/python|cimg/python|poetry|rayproject/ray(?:-ml)?(?=:[^@/]*-cpu(?:@|$)))"
    r"(?::[^@/]+)?(?:@sha256:[0-9a-f]+)?$"
)
_TRAIN_WORD = pattern(
    r"(?:^|[\s./_-])(?:train(?:er|ing)?|fine-?tun\w*|gpus?|cuda\d*|cu1\d\d|nvidia|rocm|xpu|jetson)(?:[\s./_-]|$)",
    re.IGNORECASE,
)
_NOT_GPU = pattern(r"(?:no|non|without)[-_]?gpu|gpu[-_]?less|cpu", re.IGNORECASE)
# Images of python's names on which PyPI's torch is the CPU build, is not there, or has been installed already.
_OTHER_IMAGE = pattern(
    r"(?:^|/)arm(?:64|32)v\d/|alpine|windowsservercore|nanoserver|(?:^|/)jupyter/pytorch-notebook", re.IGNORECASE
)
_ARM = pattern(r"(?:arm64|armv\d+|arm32|aarch64|rpi\d?|raspberry\w*|apple|m1)")


def is_cpu_image(image: Image, stage: Stage) -> bool:
    """Whether the stage, and every stage that carries it on, stands on an image without CUDA."""
    for one in image.descendants(stage):
        base, known = image.dockerfile.image(one)
        if not known or GPU_WORD.search(base) or not _CPU_IMAGE.search(base) or _OTHER_IMAGE.search(base):
            return False
        if "arm64" in one.platform or "aarch64" in one.platform:
            return False
    return image.final(stage) and not _for_arm(image, stage)


def _for_arm(image: Image, stage: Stage) -> bool:
    """Whether an image is built for ARM alone, where PyPI's torch is smaller: its name says so, or every build of it."""
    if any(_ARM.fullmatch(word) for word in _words(f"{image.path} {stage.name}")):
        return True
    return bool(image.builds) and all(
        build.platform and "64" in build.platform and "amd64" not in build.platform and "x86" not in build.platform
        for build in image.builds
    )


def says_cpu(image: Image, stage: Stage) -> bool:
    """Whether the name of the Dockerfile, or of the stage, says cpu: `Dockerfile.cpu`, `docker/cpu/Dockerfile`."""
    return names_build(re.split(r"[^A-Za-z0-9]+", image.path + " " + stage.name)) == "cpu"


def gpu_meant(repository: Repository, image: Image, stage: Stage, events: list[Event]) -> bool:
    """Whether anything says that this image is for a GPU, or that it was built with care for its torch.

    A name that says cpu outweighs a package for GPUs, which may stand in a file that several images share.
    """
    name = _NOT_GPU.sub("", image.path + " " + stage.name)
    if (
        _TRAIN_WORD.search(name)
        or (not says_cpu(image, stage) and any(event.effect.gpu for event in events))
        or any(_says_gpu(word.text) for event in events for word in event.install.files)
        or any(build.gpu for build in builds_of(image, stage))
        or _has_cpu_twin(repository, image)
        or _scripted(repository, image, stage, events)
    ):
        return True
    for one in image.descendants(stage):
        for lineage in image.dockerfile.lineage(one):
            for key, value in lineage.env.items():
                if key.startswith("NVIDIA_") or (
                    key in ("CUDA_HOME", "CUDA_VERSION", "TORCH_CUDA_ARCH_LIST", "FORCE_CUDA")
                    and value not in ("", "0", "-1")
                ):
                    return True
                if gpus.asked_by(key, value):
                    return True
            for step in lineage.steps:
                for command in step.commands:
                    texts = command.texts
                    if any(
                        re.search(r"(?i)nvidia|cuda(?!_visible)|rocm", text)
                        for text in texts[:1] + texts[1:]
                        if not text.startswith("http")
                    ) and texts[0] in ("apt-get", "apt", "dnf", "yum", "pip", "pip3", "uv", "wget", "curl", "dpkg"):
                        return True
                    if texts[0] in ("rm", "find") and any("nvidia" in text for text in texts[1:]):
                        return True  # CUDA's libraries are taken out again
                    if "whl/cpu" in " ".join(texts) or "pip.conf" in " ".join(texts):
                        return True
                    if texts[0] in ("pip", "pip3") and texts[1:3] == ("config", "set"):
                        return True
                for copy in step.copies:
                    if any(
                        re.search(r"(?:^|/)(?:pip\.conf|pip|\.pip|\.config)/?$", word.text) for word in copy.sources
                    ):
                        return True
    if runs.with_gpu(repository, image, stage):
        return True
    return not says_cpu(image, stage) and (_switched(repository, image) or runs.needs_gpu(repository, image))


# What takes a build for CPUs: an index, a label, a file, an extra, uv's backend.
_TAKES_CPU = pattern(rb"whl/cpu|\+cpu|[-_.]cpu[-_.]|--extra[= ]cpu\b|\[cpu\b|backend[= ]cpu\b")


def _has_cpu_twin(repository: Repository, image: Image) -> bool:
    """Whether `Dockerfile.cpu`, which takes the CPU build, stands beside this `Dockerfile`, and no third one for GPUs."""
    own = _words(image.path)
    others = {other.path: _words(other.path) for other in repository.images() if other.path != image.path}
    return any(
        "cpu" in words
        and [word for word in words if word != "cpu"] == own
        and _TAKES_CPU.search(repository.read(path) or b"")
        for path, words in others.items()
    ) and not any(
        [word for word in words if not GPU_WORD.search(word) and not re.fullmatch(r"cu\d+", word)] == own
        for words in others.values()
    )


def _words(path: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", path.lower())


_INSTALLING = pattern(r"(?:^|/)[\w.-]*(?:install|depend|deps|require)[\w.-]*\.(?:py|sh)$", re.IGNORECASE)


def _scripted(repository: Repository, image: Image, stage: Stage, events: list[Event]) -> bool:
    """Whether a script of the repository that installs PyTorch runs before the command that would take it."""
    first = next((event for event in events if event.effect.asked), None)
    if first is None or first.install.tool not in ("pip", "uv-pip"):
        return False
    for one, index, step in image.steps(stage):
        for command in step.commands:
            if (one.index, index) == (first.stage, first.step) and command == first.install.command:
                return False
            for text in command.texts[:3]:
                if not _INSTALLING.search(text):
                    continue
                name = posixpath.normpath(text).lstrip("./")
                for path in repository.paths:
                    if (path == name or path.endswith("/" + name)) and re.search(
                        rb"\btorch", repository.read(path) or b""
                    ):
                        return True
    return False


def _says_gpu(path: str) -> bool:
    """Whether the name of a requirements file asks for a GPU: `requirements-gpu.txt`, `requirements/cu121.txt`."""
    return urls.kind(names_build(re.split(r"[^A-Za-z0-9]+", path))) not in ("", "cpu")


def gpus_beside(repository: Repository, image: Image) -> bool:
    """Whether another image on a base without CUDA installs a CUDA build by name: images here run on GPUs."""
    return any(
        other.path != image.path
        and re.search(rb"/whl/cu\d|\btorch\S*\+cu\d", repository.read(other.path) or b"")
        and not any(GPU_WORD.search(stage.image) for stage in other.dockerfile.stages)
        and not GPU_WORD.search(other.path)
        for other in repository.images()
    )


_SWITCHES = rb"\b(?:ENABLE|USE|WITH|HAS)_(?:CUDA|GPU)\b"


# Code that is written for a GPU, not only glad of one; a setting whose default device is one.
_ON_CUDA = (
    rb"\btorch\.device\(\s*torch\.cuda\.current_device\(\)|\btorch\.cuda\.(?:CUDAGraph|graph)\("
    rb"|\w*(?:DEVICE|device)\b[\"']?\s*[,:=][^#\n;]{0,60}\n?[^#\n;]{0,80}\n?\s*default(?:_value)?\s*=\s*[\"'](?:gpu|cuda)(?::\d)?[\"'](?!\s*if\b)"
    rb"|\b(?:getenv|environ\.get)\(\s*[\"']\w*DEVICE\w*[\"']\s*,\s*[\"'](?:gpu|cuda)(?::\d)?[\"']"
)


def switchable(repository: Repository, image: Image) -> bool:
    """Whether the same image may also run with a GPU: ENABLE_CUDA or USE_GPU is in the code, or a default of cuda.

    Such a default says nothing where another Dockerfile is named for GPUs.
    """
    apart = any(GPU_WORD.search(_NOT_GPU.sub("", other.path)) for other in repository.images() if other is not image)
    return _in_context(repository, image, _SWITCHES) or (not apart and _in_context(repository, image, _ON_CUDA, True))


def _switched(repository: Repository, image: Image) -> bool:
    """Whether the code reads such a variable from the environment: one image, for a CPU or for a GPU as it is run."""
    return _in_context(repository, image, rb"(?:getenv|environ)\b.{0,20}" + _SWITCHES)


def _in_context(repository: Repository, image: Image, expression: bytes, deployed: bool = False) -> bool:
    """Whether an expression is in the code or the YAML of an image's context; `deployed`: no examples and tests."""
    prefix = image.context + "/" if image.context else ""
    files = [path for path in sorted(repository.paths) if path.startswith(prefix) and path.endswith((".py", ".yml"))]
    files = [path for path in files if not (deployed and places.is_example(path))]
    found = re.compile(expression)
    return any(found.search(repository.read(path) or b"") for path in files[:200] if not places.is_generated(path))
