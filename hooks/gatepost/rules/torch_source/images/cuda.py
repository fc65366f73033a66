"""TS501: a CPU image, torch in it, and nothing that says "CPU build": the finding and its fix."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import places
from gatepost.model import INFO, Edit, Finding, Fix, Location
from gatepost.patterns import pattern
from gatepost.rules.torch_source import specs, urls
from gatepost.rules.torch_source import table as tables
from gatepost.rules.torch_source.carriers import COMPANIONS
from gatepost.rules.torch_source.images.events import Event, place_of, shown
from gatepost.rules.torch_source.images.meant import gpus_beside, says_cpu, switchable
from gatepost.rules.torch_source.images.runs import another_base
from gatepost.rules.torch_source.installed.build import FAMILY, Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository


CPU_INDEX = "https://" + ".".join(urls.OFFICIAL[0]) + "/whl/cpu"


def cuda_in_cpu_image(
    repository: Repository, image: Image, stage: Stage, event: Event, later: Sequence[Asked] = (), stated: bool = False
) -> Finding:
    """TS501 of an install. `later` is what commands after it ask for in the same place."""
    base, _ = image.dockerfile.image(stage)
    first = event.effect.first
    install = event.install
    where = f"{first.path}:{first.line}" if first.path and first.line else first.path
    reason = ", ".join(([f"for {first.name}"] if first.name != "torch" else []) + ([where] if where else []))
    taken = "torch" + (f" ({reason})" if reason else "")
    build = event.effect.build
    named = build != "pypi" and not stated
    head = f"`{image.path}` says cpu" if named else f"`{base}` has no CUDA"
    head = "[tool.gatepost.torch-source] states `cpu` here" if stated else head
    index = "the default index" if build == "pypi" else f"the {build} index"
    small = _in_one_wheel(event)
    brought = "a ROCm build" if urls.kind(build) == "rocm" else f"{'1-2' if small else '2-5'} GB of CUDA libraries"
    label = urls.tag_of(specs.parse(first.spec).exact_label())
    what = f"the {label} build of {taken}" if label else f"{taken} from {index}"
    message = f"{head}, and `{shown(install, 80)}` takes {what}: {brought} in a CPU image"
    related = (Location(path=first.path, line=first.line or None),) if first.path else ()
    asked = event.effect.asked
    if install.tool in ("pip", "uv-pip") and not install.has("--no-deps"):
        asked = (*asked, *later)
    names = sorted({"torch"}.union(*(_with_companions(one.name) for one in asked)))
    if install.tool in ("pip", "uv-pip"):
        wanted = _wanted(asked, names)
        kept = [flag for flag in _WHERE if install.has(flag)] + _target(install)
        alone = _alone(install)
        frozen = _frozen(repository, first.path)
        if alone:
            inside = _made_here(image, event)
            download = f"{_program(install)} download --no-deps -d /tmp/cpu {' '.join(wanted)} --index-url {CPU_INDEX}"
            remedy = (
                f"Add before it{', in the same RUN' if inside else ''}: `{'' if inside else 'RUN '}{download}{' &&' if inside else ''}`, "
                f"and `--find-links /tmp/cpu` to it: `{alone}` does not take what another command has installed."
            )
        elif len(names) == 1 and first.name == "torch" and not first.path:
            remedy = f"Add `--index-url {CPU_INDEX}` to a command of its own for torch, before the rest."
        else:
            command = f"{_program(install)} install {' '.join(kept + wanted)} --index-url {CPU_INDEX}"
            inside = _made_here(image, event)
            remedy = (
                f"Install the CPU build instead: `{command}`."
                if named and not first.path
                else f"Add before it, in the same RUN: `{command} &&`."
                if inside
                else f"Add before it: `RUN {command}`."
            )
        flags = ["--system"] if install.tool == "uv-pip" else ["--no-cache-dir"]
        flags += [flag for flag in kept if flag not in flags]
        line = f"RUN {_program(install)} install {' '.join(flags + wanted)} --index-url {CPU_INDEX}"
        fix = (
            None
            if named or alone or frozen or not _resolves(asked)
            else _inserted(repository, image, stage, event, line)
        )
        if frozen:
            remedy = f"{remedy[:-1]}, and take the `nvidia-*` lines out of `{first.path}`: they name CUDA's libraries by themselves."
        if label and first.path:
            remedy = _without_label(asked, first.path, label)
            fix = None
        elif _one_of_several(image, first.path):
            pinned = first.name == "torch" and specs.parse(first.spec).pin()
            remedy = (
                f"Begin `{first.path}` with `--extra-index-url {CPU_INDEX}`{'' if pinned else ', and pin `torch` in it'}: "
                "other builds of this Dockerfile install another file."
            )
            fix = None
    elif repository.published(posixpath.dirname(first.path)):
        remedy = (
            f"Make torch an extra that takes it from an explicit index with url `{CPU_INDEX}`, lock, and install that extra here: "
            "a route of the whole project takes CUDA from all who install this library from its source."
        )
        fix = None
    elif install.tool == "uv":
        remedy = (
            f'{"Route torch" if first.name == "torch" else "Declare torch and route it"}: `[[tool.uv.index]]` with `name = "pytorch-cpu"`, url `{CPU_INDEX}` and `explicit = true`, and '
            f'`[tool.uv.sources] torch = {{index = "pytorch-cpu"}}`{_likewise(_declared(repository, image, stage, event))}; then `uv lock`.'
        )
        fix = None
    else:
        remedy = {
            "pipenv": f"Add a [[source]] with url `{CPU_INDEX}` to the Pipfile and {'`index =` on torch' if first.name == 'torch' else 'torch with `index =` to its packages'}, then run `pipenv lock`.",
            "pdm": f'Add a [[tool.pdm.source]] with url `{CPU_INDEX}` and `include_packages = ["torch", "torchvision", "torchaudio"]` to pyproject.toml, then run `pdm lock`.',
        }.get(install.tool) or _for_poetry(repository, first.path, names)
        fix = None
    return Finding(
        code="TS501",
        where=Location(path=image.path, line=first.line if not first.path else install.line),
        message=message,
        remedy=remedy,
        severity=None
        if says_cpu(image, stage)
        else INFO
        if _guessed(image)
        or gpus_beside(repository, image)
        or places.is_example(image.path)
        or places.is_development(image.path)
        or switchable(repository, image)
        or another_base(repository, image)
        else None,
        related=related,
        fix=fix,
    )


def _without_label(asked: Sequence[Asked], path: str, label: str) -> str:
    """The remedy for pins with a label: no other build satisfies them, so one that is installed before is replaced."""
    pins = {one.name: specs.parse(one.range or one.spec) for one in asked if one.name in FAMILY}
    wanted = [f"`{name}=={spec.pin()}+cpu`" for name, spec in sorted(pins.items()) if spec.exact_label()]
    return (
        f"Install a requirements file with `--extra-index-url {CPU_INDEX}` and {' and '.join(wanted)} instead: "
        f"the label `+{label}` in `{path}` shuts every other build out."
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


def _in_one_wheel(event: Event) -> bool:
    """Whether torch is pinned before 1.13, whose one wheel holds less of CUDA than the packages of later ones."""
    pins = [specs.parse(one.spec).pin() for one in event.effect.asked if one.name == "torch"]
    return any(pin and specs.parse("<1.13").admits(pin) for pin in pins)


def _with_companions(name: str) -> set[str]:
    """What of the family a package is, or requires besides torch: left to a later command, it comes from PyPI."""
    return {name} & FAMILY | {companion for companion, carriers in COMPANIONS.items() if name in carriers}


def _wanted(requests: Sequence[Asked], names: list[str]) -> list[str]:
    """What to install from the CPU index: the family as it is asked for, and what goes with a torch that is pinned."""
    asked: dict[str, str] = {}
    for one in requests:
        spec = _for_pip(one.range or one.spec)
        if not asked.get(one.name) or (specs.parse(spec).pin() and not specs.parse(asked[one.name]).pin()):
            asked[one.name] = spec
    pin = specs.parse(asked.get("torch", "")).pin()
    wanted = []
    for name in names:
        spec = asked.get(name, "")
        if (
            (not spec or _at_odds(name, spec, pin))
            and pin
            and name != "torch"
            and (partner := tables.load().partner(name, pin))
        ):
            spec = f"=={partner}"
        wanted.append(f'"{name}{spec}"' if re.search(r"[<>!~*,;]", spec) else name + spec)
    return wanted


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


def _guessed(image: Image) -> bool:
    """Whether a Dockerfile lies deep below the project that it is bound to, and nothing says that it is built there."""
    inner = posixpath.relpath(posixpath.dirname(image.path) or ".", image.context or ".")
    return not image.builds and inner.count("/") >= 2


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


def _inserted(repository: Repository, image: Image, stage: Stage, event: Event, line: str) -> Fix | None:
    """A line before the RUN that installs, where that RUN is a plain one and pip is there before it."""
    old = repository.read(image.path)
    step = stage.steps[event.step]
    install = event.install
    if old is None or install.command.runner or install.has("-U", "--upgrade", "--force-reinstall", "-I"):
        return None
    program = install.command.words[0].text
    if program not in ("pip", "pip3", "python", "python3", "uv") or place_of(install) != "system":
        return None
    if not _installer_is_there(image, stage, event.step, "uv" if program == "uv" else "pip"):
        return None
    rows = old.decode("utf-8", "surrogateescape").splitlines(keepends=True)
    at = step.line - 1
    if not rows[at].lstrip().upper().startswith("RUN"):
        return None
    rows.insert(at, line + ("\r\n" if rows[at].endswith("\r\n") else "\n"))
    new = "".join(rows).encode("utf-8", "surrogateescape")
    return Fix(title="install the CPU build first", edits=(Edit(path=image.path, old=old, new=new),), safe=True)


def _installer_is_there(image: Image, stage: Stage, index: int, name: str) -> bool:
    """Whether pip or uv is in the image before a step: its base has it, or an earlier command runs or installs it."""
    base, known = image.dockerfile.image(stage)
    has = r"(?:^|/)uv:" if name == "uv" else r"(?:^|/)(?:python|[\w-]*conda\d?|[\w-]*mamba\w*|miniforge\d?|airflow):"
    if known and re.search(has, base + ":"):
        return True
    for step in stage.steps[:index]:
        if any(name in text.split("/") for copy in step.copies for text in [word.text for word in copy.sources]):
            return True
        if any(name in command.texts[:3] or name in command.texts[2:] for command in step.commands):
            return True
    return False
