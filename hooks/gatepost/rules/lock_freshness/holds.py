"""Which torch an image holds before a command: of the base image, of a command before, of what a file brings."""

from __future__ import annotations

import posixpath

from gatepost.manifests.installs.commands import installs
from gatepost.manifests.installs.sources import sources
from gatepost.manifests.names import canonical
from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository

# Images that are chosen for the torch that they hold.
_WITH_TORCH = pattern(
    r"(?:^|/)(?:pytorch/pytorch|rocm/(?:pytorch|vllm)|vllm/vllm-openai|huggingface/(?:transformers-)?pytorch[\w-]*|"
    r"nvidia/(?:pytorch|nemo|l4t-pytorch)|dustynv/(?:l4t-)?pytorch|pytorch-(?:training|inference)[\w-]*|runpod/pytorch|"
    r"intel/intel-extension-for-pytorch)(?:[:@]|$)"
)
_CUDA_BASE = pattern(r"(?i)cuda|(?:^|[/:._-])cu\d{2,3}(?!\d)")
BUILD = pattern(r"https?://download(?:-r2)?\.pytorch\.org/whl/(cpu|cu\d{2,3}|rocm\d+(?:\.\d+)+|xpu)/?")
FAMILY = ("torch", "torchvision", "torchaudio")


def torch_base(image: Image, stage: Stage) -> str:
    """The image below a stage, if it is chosen for the torch that it holds; else ""."""
    base, known = image.dockerfile.image(stage)
    return base if known and _WITH_TORCH.search(base) else ""


def of_cuda(image: Image, stage: Stage) -> bool:
    """Whether the base image holds CUDA: there the build of torch that PyPI has is the right one."""
    base, known = image.dockerfile.image(stage)
    return known and _CUDA_BASE.search(base) is not None


def brings_torch(repository: Repository, path: str) -> bool:
    """Whether a requirements file names torch, or a package that brings it."""
    from gatepost.rules.torch_source.installed.build import carries

    return any(
        canonical(line.name) == "torch" or carries(canonical(line.name), line.extras, line.specifier)
        for _, file in repository.family(path)
        for line in file.lines
        if line.name
    )


def torch_before(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install
) -> tuple[str, str] | tuple[()] | None:
    """(build, index) of the newest torch that an earlier command takes from PyTorch's index; () where none does.

    None where one takes a certain release, or takes torch in another way than by name from one index.
    """
    found: set[tuple[str, str]] = set()
    for one, number, earlier in _before(image, stage, index, install):
        if earlier.tool not in ("pip", "uv-pip") or earlier.action != "install":
            continue
        if any(brings_torch(repository, path) for path in _located(image, one, number, earlier)):
            return None
        given = sources(earlier)
        texts = [word.text for word in (given.index, *given.extra, *given.links) if word is not None]
        named = [package for package in earlier.packages if package.name in FAMILY]
        if named and (given.unknown or given.links or earlier.has("--no-index")):
            return None
        if not (given.backend or any("whl" in text or "pytorch" in text for text in texts)):
            if any(package.specifier for package in named):
                return None
            continue
        build = BUILD.fullmatch(texts[0]) if len(texts) == 1 and given.index is not None else None
        if build is None or earlier.files or earlier.command.conditional or not named:
            return None
        if any(package.specifier or package.url for package in named):
            return None
        found.add((build[1], texts[0]))
    return found.pop() if len(found) == 1 else None if found else ()


def _located(image: Image, stage: Stage, index: int, install: Install) -> Iterator[str]:
    """The requirements files that a command installs, as far as they are known."""
    for word in install.files:
        if word.known and install.command.cwd is not None:
            path = image.locate(stage, index, posixpath.join(install.command.cwd, word.text))
            if path is not None:
                yield path


def foreign(repository: Repository, image: Image, stage: Stage, index: int, install: Install) -> bool:
    """Whether an image installs what no lock could name: from other indexes, torch before, a folder of another repository."""
    given = sources(install)
    if given.unknown or given.index or given.extra or given.links or given.backend:
        return True
    if torch_before(repository, image, stage, index, install) != ():
        return True
    for one, number, earlier in _before(image, stage, index, install):
        if earlier.paths and earlier.command.cwd is not None and image.project(one, number, earlier) is None:
            return True
    return False


def before(image: Image, stage: Stage, index: int, install: Install) -> Iterator[Install]:
    """The installer commands that run in the stages below and in this one before a command."""
    return (found for _, _, found in _before(image, stage, index, install))


def _before(image: Image, stage: Stage, index: int, install: Install) -> Iterator[tuple[Stage, int, Install]]:
    for one, number, step in image.steps(stage):
        if one is stage and number > index:
            return
        for found in installs(step.commands):
            if one is stage and number == index and found.command is install.command:
                return
            yield one, number, found
