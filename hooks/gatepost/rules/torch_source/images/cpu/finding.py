"""TS501: a CPU image, torch in it, and nothing that says "CPU build": the finding, its remedy and its fix."""

from __future__ import annotations

import posixpath

from gatepost.manifests import places
from gatepost.model import INFO, Finding, Location
from gatepost.rules.torch_source import specs, urls
from gatepost.rules.torch_source.carriers import COMPANIONS
from gatepost.rules.torch_source.images.cpu import before, route
from gatepost.rules.torch_source.images.events import Event, shown
from gatepost.rules.torch_source.images.meant import gpus_beside, says_cpu, switchable
from gatepost.rules.torch_source.images.runs import another_base
from gatepost.rules.torch_source.installed.build import FAMILY, Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Repository
    from gatepost.model import Fix, Severity


def cuda_in_cpu_image(
    repository: Repository, image: Image, stage: Stage, event: Event, later: Sequence[Asked] = (), stated: bool = False
) -> Finding:
    """TS501 of an install. `later` is what commands after it ask for in the same place."""
    first, install = event.effect.first, event.install
    by_pip = install.tool in ("pip", "uv-pip")
    asked = (*event.effect.asked, *later) if by_pip and not install.has("--no-deps") else event.effect.asked
    names = sorted({"torch"}.union(*(_with_companions(one.name) for one in asked)))
    fix: Fix | None = None
    if by_pip:
        remedy, fix = before.advice(repository, image, stage, event, asked, names, stated)
    else:
        remedy = route.advice(repository, image, stage, event, names)
    return Finding(
        code="TS501",
        where=Location(path=image.path, line=first.line if not first.path else install.line),
        message=_message(image, stage, event, stated),
        remedy=remedy,
        severity=_severity(repository, image, stage),
        related=(Location(path=first.path, line=first.line or None),) if first.path else (),
        fix=fix,
    )


def _message(image: Image, stage: Stage, event: Event, stated: bool) -> str:
    """What is wrong, with what brings torch along, from where, and how much of it."""
    base, _ = image.dockerfile.image(stage)
    first, build = event.effect.first, event.effect.build
    where = f"{first.path}:{first.line}" if first.path and first.line else first.path
    reason = ", ".join(([f"for {first.name}"] if first.name != "torch" else []) + ([where] if where else []))
    taken = "torch" + (f" ({reason})" if reason else "")
    head = f"`{image.path}` says cpu" if build != "pypi" and not stated else f"`{base}` has no CUDA"
    head = "[tool.gatepost.torch-source] states `cpu` here" if stated else head
    index = "the default index" if build == "pypi" else f"the {build} index"
    brought = (
        "a ROCm build"
        if urls.kind(build) == "rocm"
        else f"{'1-2' if _in_one_wheel(event) else '2-5'} GB of CUDA libraries"
    )
    label = urls.tag_of(specs.parse(first.spec).exact_label())
    what = f"the {label} build of {taken}" if label else f"{taken} from {index}"
    return f"{head}, and `{shown(event.install, 80)}` takes {what}: {brought} in a CPU image"


def _severity(repository: Repository, image: Image, stage: Stage) -> Severity | None:
    """Information where the name does not say cpu, and something else says that a GPU may be meant."""
    if says_cpu(image, stage):
        return None
    doubtful = (
        _guessed(image)
        or gpus_beside(repository, image)
        or places.is_example(image.path)
        or places.is_development(image.path)
        or switchable(repository, image)
        or another_base(repository, image)
    )
    return INFO if doubtful else None


def _guessed(image: Image) -> bool:
    """Whether a Dockerfile lies deep below the project that it is bound to, and nothing says that it is built there."""
    inner = posixpath.relpath(posixpath.dirname(image.path) or ".", image.context or ".")
    return not image.builds and inner.count("/") >= 2


def _in_one_wheel(event: Event) -> bool:
    """Whether torch is pinned before 1.13, whose one wheel holds less of CUDA than the packages of later ones."""
    pins = [specs.parse(one.spec).pin() for one in event.effect.asked if one.name == "torch"]
    return any(pin and specs.parse("<1.13").admits(pin) for pin in pins)


def _with_companions(name: str) -> set[str]:
    """What of the family a package is, or requires besides torch: left to a later command, it comes from PyPI."""
    return {name} & FAMILY | {companion for companion, carriers in COMPANIONS.items() if name in carriers}
