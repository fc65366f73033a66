"""How a command of pip gets the CPU build: what to install before it, where, and in what words."""

from __future__ import annotations

import posixpath
import re

from gatepost.patterns import pattern
from gatepost.rules.torch_source import specs, urls
from gatepost.rules.torch_source import table as tables
from gatepost.rules.torch_source.carriers import HOLDING
from gatepost.rules.torch_source.images.cpu.edit import inserted
from gatepost.rules.torch_source.images.events import Event
from gatepost.rules.torch_source.installed.build import FAMILY, Asked
from gatepost.rules.torch_source.urls import CPU_INDEX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository
    from gatepost.model import Fix


def advice(
    repository: Repository,
    image: Image,
    stage: Stage,
    event: Event,
    asked: Sequence[Asked],
    names: list[str],
    stated: bool,
) -> tuple[str, Fix | None]:
    """The remedy, and the edit where one is certain. `asked` is what has to fit, `names` what of the family comes along."""
    install, first = event.install, event.effect.first
    label = urls.tag_of(specs.parse(first.spec).exact_label())
    if label and first.path:
        return _without_label(asked, first.path, label), None
    if _one_of_several(image, first.path):
        pinned = first.name == "torch" and specs.parse(first.spec).pin()
        return (
            f"Begin `{first.path}` with `--extra-index-url {CPU_INDEX}`{'' if pinned else ', and pin `torch` in it'}: "
            "other builds of this Dockerfile install another file."
        ), None
    named = event.effect.build != "pypi" and not stated
    holder = _holder(asked)
    wanted = _wanted(asked, names)
    kept = [flag for flag in _WHERE if install.has(flag)] + _target(install)
    remedy = _in_words(image, event, wanted, kept, named)
    if holder is not None:
        remedy = f"{remedy[:-1]}: {holder.name} {HOLDING[holder.name][1]} asks for these, and another torch would be replaced by the CUDA build."
    if _frozen(repository, first.path):
        return (
            f"{remedy[:-1]}, and take the `nvidia-*` lines out of `{first.path}`: they name CUDA's libraries by themselves.",
            None,
        )
    if named or _alone(install) or not _resolves(asked) or (holder is not None and not specs.parse(holder.range).pin()):
        return remedy, None
    flags = ["--system"] if install.tool == "uv-pip" else ["--no-cache-dir"]
    flags += [flag for flag in kept if flag not in flags]
    line = f"RUN {_program(install)} install {' '.join(flags + wanted)} --index-url {CPU_INDEX}"
    return remedy, inserted(repository, image, stage, event, line)


def _in_words(image: Image, event: Event, wanted: list[str], kept: list[str], named: bool) -> str:
    install, first = event.install, event.effect.first
    inside = _made_here(image, event)
    alone = _alone(install)
    if alone:
        download = f"{_program(install)} download --no-deps -d /tmp/cpu {' '.join(wanted)} --index-url {CPU_INDEX}"
        return (
            f"Add before it{', in the same RUN' if inside else ''}: `{'' if inside else 'RUN '}{download}{' &&' if inside else ''}`, "
            f"and `--find-links /tmp/cpu` to it: `{alone}` does not take what another command has installed."
        )
    if len(wanted) == 1 and first.name == "torch" and not first.path:
        return f"Add `--index-url {CPU_INDEX}` to a command of its own for torch, before the rest."
    command = f"{_program(install)} install {' '.join(kept + wanted)} --index-url {CPU_INDEX}"
    if named and not first.path:
        return f"Install the CPU build instead: `{command}`."
    return f"Add before it, in the same RUN: `{command} &&`." if inside else f"Add before it: `RUN {command}`."


def _without_label(asked: Sequence[Asked], path: str, label: str) -> str:
    """The remedy for pins with a label: no other build satisfies them, so one that is installed before is replaced."""
    pins = {one.name: specs.parse(one.range or one.spec) for one in asked if one.name in FAMILY}
    wanted = [f"`{name}=={spec.pin()}+cpu`" for name, spec in sorted(pins.items()) if spec.exact_label()]
    return (
        f"Install a requirements file with `--extra-index-url {CPU_INDEX}` and {' and '.join(wanted)} instead: "
        f"the label `+{label}` in `{path}` shuts every other build out."
    )


def _one_of_several(image: Image, path: str) -> bool:
    """Whether a build argument names the requirements file, and another build of the Dockerfile names another one."""
    name = posixpath.basename(path)
    values = [dict(build.arguments) for build in image.builds]
    keys = {key for one in values for key, value in one.items() if name and posixpath.basename(value) == name}
    return any(one.get(key, name) != name and posixpath.basename(one[key]) != name for one in values for key in keys)


# Options without which the same command would install elsewhere, or be refused (PEP 668).
_WHERE = ("--break-system-packages", "--user", "--system")


def _target(install: Install) -> list[str]:
    """The Python or the folder that uv installs into, as the command gives it: uv looks there for what it has."""
    names = ("--python", "-p", "--target", "-t", "--prefix") if install.tool == "uv-pip" else ("--python",)
    return [
        text
        for option in install.options
        if option.name in names and option.value is not None and option.value.known
        for text in (option.name, option.value.text)
    ]


def _alone(install: Install) -> str:
    """What makes a command of pip blind to what is installed, or keep that out of its result; "" for others.

    Tested with pip 23.2: `wheel`, `download` and `--target` resolve anew, `--prefix` and `--root` leave out what is there.
    """
    if install.tool != "pip":
        return ""
    if install.action in ("wheel", "download"):
        return f"pip {install.action}"
    return next((flag for flag in ("--target", "-t", "--prefix", "--root") if install.has(flag)), "")


def _frozen(repository: Repository, path: str) -> bool:
    """Whether a requirements file names CUDA's libraries, as one that was frozen beside PyPI's torch does."""
    files = repository.family(path) if path.endswith((".txt", ".in", ".pip")) else ()
    return any(line.name.lower().startswith("nvidia-") for _, file in files for line in file.lines)


def _wanted(requests: Sequence[Asked], names: list[str]) -> list[str]:
    """What to install from the CPU index: the family as it is asked for, and what goes with a torch that is pinned."""
    asked: dict[str, str] = {}
    for one in requests:
        spec = _for_pip(one.range or one.spec)
        if not asked.get(one.name) or (specs.parse(spec).pin() and not specs.parse(asked[one.name]).pin()):
            asked[one.name] = spec
    pin = specs.parse(asked.get("torch", "")).pin()
    wanted = []
    holder = _holder(requests)
    held = HOLDING[holder.name][2] if holder is not None else {}
    for name in names:
        spec = asked.get(name, "")
        if name in held and not specs.parse(spec).pin():
            spec = ",".join(filter(None, (spec, held[name])))
        if (
            (not spec or _at_odds(name, spec, pin))
            and pin
            and name != "torch"
            and (partner := tables.load().partner(name, pin))
        ):
            spec = f"=={partner}"
        wanted.append(f'"{name}{spec}"' if re.search(r"[<>!~*,;]", spec) else name + spec)
    return wanted


def _holder(requests: Sequence[Asked]) -> Asked | None:
    """The package that holds torch to a range that leaves the newest out, in the release that a resolver takes."""
    for one in requests:
        spec = specs.parse(one.range)
        if one.name in HOLDING and not spec.broken:
            first, newest, _ = HOLDING[one.name]
            if spec.admits(newest) or (not spec.bounded_above() and spec.admits_unknown(newest)):
                return one
            if (pin := specs.key(spec.pin())) and pin >= (specs.key(first) or pin):
                return one
    return None


def _at_odds(name: str, spec: str, torch: str) -> bool:
    """Whether a companion is pinned to a release that requires another torch than the pinned one: TS203 says so."""
    pin = specs.parse(spec).pin()
    return bool(pin and torch) and name != "torch" and tables.load().pairs(name, pin, torch) is False


def _resolves(requests: Sequence[Asked]) -> bool:
    """Whether the pins of the family can stand together, so that what is installed before them stays."""
    torch = next((pin for one in requests if one.name == "torch" and (pin := specs.parse(one.range).pin())), "")
    return not any(one.name in FAMILY and _at_odds(one.name, one.range, torch) for one in requests)


def _for_pip(text: str) -> str:
    """A range in the words of pip, without a label: Poetry's `^2.1` is `>=2.1,<3`; "" for what has none."""
    from gatepost.locks._poetry_manifest import pep440

    text = re.sub(r"\+[A-Za-z0-9.]+", "", text)
    if not re.search(r"[\^|*]|~(?!=)|^\d", text):
        return text.replace(" ", "")
    return pep440(text) or ""


def _program(install: Install) -> str:
    """`pip`, `python -m pip`, `uv pip` ... as the command writes it, up to `install` or the like."""
    texts = install.command.texts
    head = texts[: texts.index(install.action)] if install.action in texts else texts[:1]
    return " ".join((*install.command.runner, *(text for text in head if not text.startswith("--no-cache"))))


def _made_here(image: Image, event: Event) -> bool:
    """Whether the RUN of an install makes or enters the environment that it installs into, or gets its installer."""
    program = posixpath.basename(event.install.command.words[0].text)
    for command in image.dockerfile.stages[event.stage].steps[event.step].commands:
        if command is event.install.command:
            return False
        if any(_MAKES.search(text) or (text == "uv" and program == "uv") for text in command.texts):
            return True
    return False


_MAKES = pattern(
    r"(?:^|[/-])(?:venv|virtualenv|activate|ensurepip|get-pip\.py)$|^python3?[\d.]*-pip$|/uv/[\d./]*install\.sh$"
)
