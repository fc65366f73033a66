"""PyTorch in images, CI and READMEs (TS501-TS510): a stage is walked in order, each install changes what is there.

TS501 is the fault seen most: a CPU image, torch in it, and nothing that says "CPU build", so that the default wheel
with its CUDA libraries is installed. It is silent wherever something says that a GPU is meant.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import projects as deployed
from gatepost.manifests.installs import installs, sources
from gatepost.model import ERROR, INFO, Edit, Finding, Fix, Location
from gatepost.patterns import pattern
from gatepost.record import record, replace
from gatepost.rules.torch_source import commands, presence, specs, urls
from gatepost.rules.torch_source.installed import FAMILY, Effect, effect, index_build, located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Image, Repository
    from gatepost.manifests.requirements import ReqFile
    from gatepost.model import Context, Outcome
    from gatepost.rules.torch_source.view import View

CPU_INDEX = "https://" + ".".join(urls.OFFICIAL[0]) + "/whl/cpu"
# Images that hold no CUDA, by the last part of their name. Alpine is left out: torch has no wheels for musl.
_CPU_IMAGE = pattern(
    r"(?:^|/)(?:python|debian|ubuntu|uv|amazonlinux|fedora|rockylinux|almalinux|buildpack-deps|airflow|bitnami-python|"
    r"uvicorn-gunicorn(?:-fastapi)?|uvicorn-gunicorn-starlette|azure-functions/python|ubi[89](?:-minimal)?|"
    r"ubi[89]/python-3\d+|ubi[89]/ubi(?:-minimal)?|lambda/python|jupyter/[\w-]+|miniconda3?|anaconda3?|mambaforge|miniforge3?|"
    r"micromamba|selenium/[\w-]+|playwright/python|cimg/python|poetry)(?::[^@/]+)?(?:@sha256:[0-9a-f]+)?$"
)
_GPU_WORD = pattern(r"cuda|gpu|nvidia|rocm|cudnn|tensorrt|jetson|l4t|hopper|habana", re.IGNORECASE)
_TRAIN_WORD = pattern(r"(?:^|[./_-])(?:train(?:er|ing)?|fine-?tun\w*|gpu|cuda)(?:[./_-]|$)", re.IGNORECASE)
_NOT_GPU = pattern(r"(?:no|non|without)[-_]?gpu|gpu[-_]?less|cpu", re.IGNORECASE)
_ENV_INDEX = (
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_TORCH_BACKEND",
)  # fmt: skip
_HOSTED = pattern(r"(?:ubuntu|macos|windows)-(?:latest|\d[\w.]*)(?:-(?:xlarge|large|arm))?$")


@record
class Event:
    """An install that concerns torch: where it stands, what it brings, where it installs to."""

    stage: int
    step: int
    install: Install
    effect: Effect
    place: str  # what Python it installs into, as far as words say


def check(ctx: Context) -> Iterable[Outcome]:
    """Findings TS501-TS510. Never raises on broken files."""
    paths = ctx.tree.paths()
    if not any(map(presence.deploys, paths)):
        return
    repository = deployed.Repository((path for path in paths if not ctx.exclude(path)), ctx.tree.read)
    from gatepost.rules.torch_source.view import View

    seen: set[tuple[str, str, int | None]] = set()
    for finding in _findings(repository, ctx.settings.get("build"), View(ctx.tree, ctx.settings, ())):
        identity = (finding.code, finding.where.path, finding.where.line)
        concerned = (
            finding.where.path,
            *(one.path for one in finding.related),
            *_deciding(repository, finding.where.path),
        )
        if identity not in seen and any(ctx.wants(path) for path in concerned):
            seen.add(identity)
            yield finding


def _deciding(repository: Repository, path: str) -> Iterator[str]:
    """The files that decide what a Dockerfile's build sees: its ignore file, and what names its context."""
    for image in repository.images():
        if image.path == path:
            yield from (build.path for build in image.builds)
            yield from (own for own in (f"{path}.dockerignore", posixpath.join(image.context, ".dockerignore")))


def _findings(repository: Repository, policy: object, view: View) -> Iterator[Finding]:
    for image in repository.images():
        yield from _image(repository, image, policy)
        for stage in image.dockerfile.stages:
            yield from _commands(repository, image, stage, view)
    for path, jobs in repository.jobs(b"torch"):
        for job in jobs:
            yield from _job(repository, path, job, view)
    yield from _readme(repository)


def _commands(repository: Repository, image: Image, stage: Stage, view: View) -> Iterator[Finding]:
    """What the rules of manifests say of the install commands on the way to the end of a stage."""
    ran = []
    for one, index, step in image.steps(stage):
        for install in installs(step.commands) if step.kind == "run" else ():

            def locate(
                name: str, one: Stage = one, index: int = index, install: Install = install
            ) -> tuple[str, ReqFile] | None:
                path = located(repository, image, one, index, install, name)
                if path is None or image.touched(one, index, posixpath.basename(path), install.line):
                    return None
                file = repository.requirements(path) if path.endswith((".txt", ".in", ".pip")) else None
                return None if file is None else (path, file)

            ran.append(
                commands.Ran(
                    install=install,
                    place=_place(install),
                    conditional=install.command.conditional,
                    files=commands.files_of(install, locate),
                )
            )
    base, known = image.dockerfile.image(stage)
    python = re.search(r"(?:^|/)python:(3\.\d+)(?:[.-]|$)", base) if known else None
    yield from commands.judge(image.path, ran, view, python=python[1] if python else "")


def _image(repository: Repository, image: Image, policy: object) -> Iterator[Finding]:
    for stage in image.dockerfile.stages:
        events = _events(repository, image, stage)
        own = [event for event in events if event.stage == stage.index]
        if not own:
            continue
        base, known = image.dockerfile.image(stage)
        ordered = list(_order(repository, image, stage, events, _intent(policy, image, stage)))
        yield from ordered
        if known:
            yield from _base(image, base, own)
        said = {finding.where.line for finding in ordered if finding.code == "TS502"}
        yield from (found for found in _contradictions(image.path, own) if found.where.line not in said)
        yield from _environment(image, stage, own)
        yield from _unresolved(image, own)


def _events(repository: Repository, image: Image, stage: Stage) -> list[Event]:
    """Every install on the way to the end of a stage that brings torch, or could."""
    found = []
    shared = False  # `poetry config virtualenvs.create false`
    for one, index, step in image.steps(stage):
        if step.kind != "run":
            continue
        for command in step.commands:
            words = tuple(text for text in command.texts if not text.startswith("-"))
            shared = shared or words == ("poetry", "config", "virtualenvs.create", "false")
        for install in installs(step.commands):
            result = effect(repository, image, one, index, install)
            if result.asked or result.unknown:
                place = "system" if shared and install.tool == "poetry" else _place(install)
                found.append(Event(stage=one.index, step=index, install=install, effect=result, place=place))
    return found


def _place(install: Install) -> str:
    """A name for the Python that a command installs into; equal names are the same one."""
    if install.has("-t", "--target", "--prefix", "--root"):
        return "target"
    if install.command.runner:
        return " ".join(install.command.runner[:4])
    env = install.command.env
    if install.tool == "uv":
        return env.get("UV_PROJECT_ENVIRONMENT") or posixpath.join(install.command.cwd or "?", ".venv")
    if install.tool == "uv-pip":
        if install.has("--system") or env.get("UV_SYSTEM_PYTHON") in ("1", "true"):
            return "system"
        given = install.values("--python", "-p")
        if given:
            return given[0].text
        return env.get("VIRTUAL_ENV") or posixpath.join(install.command.cwd or "?", ".venv")
    if install.tool == "poetry":
        loose = env.get("POETRY_VIRTUALENVS_CREATE") in ("0", "false", "False")
        return "system" if loose else "poetry"
    program = install.command.words[0].text
    return (
        posixpath.dirname(program)
        if "/" in program and not program.startswith("/usr")
        else env.get("VIRTUAL_ENV") or "system"
    )


def _intent(policy: object, image: Image, stage: Stage) -> str:
    """The build that the settings state for an image: by Dockerfile, by `Dockerfile:stage`, by stage, or for all."""
    if isinstance(policy, str):
        return policy
    if isinstance(policy, dict):
        for key in (f"{image.path}:{stage.name}", image.path, stage.name):
            if key and isinstance(policy.get(key), str):
                return str(policy[key])
    return ""


def _order(repository: Repository, image: Image, stage: Stage, events: list[Event], intent: str) -> Iterator[Finding]:
    """TS501, TS502, TS506: what the commands, in order, leave in the image."""
    current: Event | None = None
    pending: Event | None = None
    for event in events:
        build, install = event.effect.build, event.install
        own = event.stage == stage.index
        if install.command.conditional:
            if event.effect.asked:
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
        direct = any(one.name in FAMILY for one in event.effect.asked) and install.tool in ("pip", "uv-pip")
        was = current.effect.build
        if build == "cpu" and direct and was not in ("cpu", "") and not install.files:
            if not own:
                current, pending = event, None
                continue
            if event.place != current.place:
                if (
                    current.install.tool in ("uv", "poetry")
                    and install.tool in ("pip", "uv-pip")
                    and "system" in (event.place, current.place)
                ):
                    return
                return
            pending = None
            if _replaces(event, current):
                yield _late(image, event, current)
                current = event
            else:
                yield _no_op(image, event, current)
            continue
        if was == "cpu" and build not in ("cpu", "") and own:
            undone = _undone(event, current)
            if undone is not None:
                yield _undoing(image, event, current, undone)
            elif event.place == current.place:
                continue
            return
        if was == "" or build == "":
            pending = None
    if pending is None or not _is_cpu_image(image, stage) or intent not in ("", "cpu"):
        return
    if intent == "cpu":  # stated, so it is no longer a guess
        yield replace(_cuda_in_cpu_image(repository, image, stage, pending), severity=ERROR)
    elif ".devcontainer" not in image.path and not _gpu_meant(repository, image, stage, events):
        yield _cuda_in_cpu_image(repository, image, stage, pending)


def _replaces(event: Event, before: Event) -> bool:
    """Whether a later install of torch replaces the one that is there."""
    install = event.install
    if install.has(
        "--force-reinstall",
        "--reinstall",
        "--reinstall-package",
        "-I",
        "--ignore-installed",
        "-U",
        "--upgrade",
        "-P",
        "--upgrade-package",
    ):
        return True
    for one in event.effect.asked:
        if one.name == "torch":
            spec = specs.parse(one.spec)
            if specs.label(one.spec.lstrip("=")) or "+" in one.spec:
                return True
            pin = spec.pin()
            there = next(
                (
                    specs.parse(other.spec).pin()
                    for other in before.effect.asked
                    if other.name == "torch" or before.effect.locked
                ),
                "",
            )
            if pin and there:
                return specs.key(pin) != specs.key(there)
            if pin:
                return True
            if one.spec and there:
                return not spec.admits(there)
            if one.spec:
                return True  # cannot be told: say nothing of a no-op
    return False


def _undone(event: Event, current: Event) -> str | None:
    """Why an install after a CPU torch takes it away again, or None when it does not (or that is not certain)."""
    if event.install.tool == "uv" and event.effect.locked:
        if event.install.has("--inexact") and event.place != current.place:
            return None
        if current.install.tool == "uv-pip" and event.place == current.place:
            return "installs the locked build in its place"
        if current.place == "system" and event.place.endswith(".venv"):
            return "installs the locked build into its own environment, which never sees the CPU one"
        return "installs the locked build in its place" if event.place == current.place else None
    if event.install.tool == "poetry" and event.effect.locked:
        if event.place == current.place:
            return "installs the locked build in its place"
        return "installs the locked build into its own environment, which never sees the CPU one"
    if event.install.tool in ("pip", "uv-pip") and event.place == current.place:
        here = next((specs.parse(one.spec).pin() for one in current.effect.asked if one.name == "torch"), None)
        for one in event.effect.asked:
            pin = specs.parse(one.spec).pin() if one.name == "torch" else ""
            if pin and here is not None and here and specs.key(pin) != specs.key(here):
                return f"wants torch {pin} and replaces {here}"
    return None


def _is_cpu_image(image: Image, stage: Stage) -> bool:
    """Whether the stage, and every stage that carries it on, stands on an image without CUDA."""
    for one in image.descendants(stage):
        base, known = image.dockerfile.image(one)
        if not known or _GPU_WORD.search(base) or not _CPU_IMAGE.search(base):
            return False
        if "arm64" in one.platform or "aarch64" in one.platform:
            return False
    return image.final(stage)


def _gpu_meant(repository: Repository, image: Image, stage: Stage, events: list[Event]) -> bool:
    """Whether anything says that this image is for a GPU, or that it was built with care for its torch."""
    name = _NOT_GPU.sub("", image.path + " " + stage.name)
    if (
        _TRAIN_WORD.search(name)
        or any(event.effect.gpu for event in events)
        or any(build.gpu for build in image.builds)
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
                if key == "CUDA_VISIBLE_DEVICES" and value not in ("", "-1", "none", None):
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
                    if "whl/cpu" in " ".join(texts) or "pip.conf" in " ".join(texts):
                        return True
                    if texts[0] in ("pip", "pip3") and texts[1:3] == ("config", "set"):
                        return True
                for copy in step.copies:
                    if any(
                        re.search(r"(?:^|/)(?:pip\.conf|pip|\.pip|\.config)/?$", word.text) for word in copy.sources
                    ):
                        return True
    return _gpu_in_repository(repository, image)


def _gpu_in_repository(repository: Repository, image: Image) -> bool:
    """A Kubernetes file or a `docker run` line that asks for a GPU, when no other Dockerfile is there for it."""
    if any(
        _GPU_WORD.search(other.path) or any(_GPU_WORD.search(stage.image) for stage in other.dockerfile.stages)
        for other in repository.images()
        if other.path != image.path
    ):
        return False
    many = len([one for one in repository.images() if not deployed.is_example(one.path)]) > 3
    folder = posixpath.dirname(image.path)
    count = 0
    for path in sorted(repository.paths):
        if deployed.is_generated(path) or count > 300:
            continue
        if many and not path.startswith(folder):
            continue
        if (path.endswith((".yaml", ".yml")) and not path.startswith(".github/")) or re.search(
            r"(?:^|/)(?:Makefile|README[^/]*|[^/]+\.sh|justfile|DOCKER[^/]*\.md)$", path
        ):
            count += 1
            data = repository.read(path) or b""
            if b"nvidia.com/gpu" in data or re.search(
                rb"--gpus[ =]|--runtime[= ]nvidia|nvidia-docker|driver: nvidia",
                data,
            ):
                return True
    return False


def _switchable(repository: Repository, image: Image) -> bool:
    """Whether the code reads a variable such as ENABLE_CUDA or USE_GPU: the same image may also run with a GPU."""
    prefix = image.context + "/" if image.context else ""
    files = [path for path in sorted(repository.paths) if path.startswith(prefix) and path.endswith((".py", ".yml"))]
    found = re.compile(rb"\b(?:ENABLE|USE|WITH|HAS)_(?:CUDA|GPU)\b")
    return any(found.search(repository.read(path) or b"") for path in files[:200] if not deployed.is_generated(path))


def _cuda_in_cpu_image(repository: Repository, image: Image, stage: Stage, event: Event) -> Finding:
    base, _ = image.dockerfile.image(stage)
    first = event.effect.first
    install = event.install
    shown = " ".join(install.command.texts)[:60]
    where = f"{first.path}:{first.line}" if first.path and first.line else first.path
    reason = ", ".join(([f"for {first.name}"] if first.name != "torch" else []) + ([where] if where else []))
    taken = "torch" + (f" ({reason})" if reason else "")
    message = (
        f"`{base}` has no CUDA, and `{shown}` takes {taken} from the default index: "
        "2-5 GB of CUDA libraries in a CPU image"
    )
    related = (Location(path=first.path, line=first.line or None),) if first.path else ()
    names = sorted({one.name for one in event.effect.asked if one.name in FAMILY} | {"torch"})
    if install.tool in ("pip", "uv-pip"):
        wanted = []
        for name in names:
            spec = next(
                (one.spec for one in event.effect.asked if one.name == name and one.name == "torch"), ""
            ).replace(" ", "")
            wanted.append(f'"{name}{spec}"' if re.search(r"[<>!~*,;]", spec) else name + spec)
        if len(names) == 1 and first.name == "torch" and not first.path:
            remedy = f"Add `--index-url {CPU_INDEX}` to a command of its own for torch, before the rest."
        else:
            remedy = f"Add before it: `RUN {_program(install)} install {' '.join(wanted)} --index-url {CPU_INDEX}`."
        fix = _inserted(
            repository,
            image,
            stage,
            event,
            f"RUN {_program(install)} install --no-cache-dir {' '.join(wanted)} --index-url {CPU_INDEX}",
        )
    elif install.tool == "uv":
        remedy = (
            f"Declare torch and route it: `[[tool.uv.index]]` with url `{CPU_INDEX}` and `explicit = true`, and "
            "`[tool.uv.sources] torch = {index = ...}`; then `uv lock`."
        )
        fix = None
    else:
        remedy = f"Route torch to an explicit source with url `{CPU_INDEX}` in pyproject.toml, then lock again."
        fix = None
    return Finding(
        code="TS501",
        where=Location(path=image.path, line=first.line if not first.path else install.line),
        message=message,
        remedy=remedy,
        severity=INFO
        if deployed.is_example(image.path) or deployed.is_development(image.path) or _switchable(repository, image)
        else None,
        related=related,
        fix=fix,
    )


def _program(install: Install) -> str:
    """`pip`, `python -m pip`, `uv pip` ... as the command writes it, up to `install`."""
    texts = install.command.texts
    head = texts[: texts.index("install")] if "install" in texts else texts[:1]
    return " ".join(text for text in head if not text.startswith("--no-cache"))


def _inserted(repository: Repository, image: Image, stage: Stage, event: Event, line: str) -> Fix | None:
    """A line before the RUN that installs, if that RUN is a plain one and the fault is not in the line itself."""
    old = repository.read(image.path)
    step = stage.steps[event.step]
    if old is None or event.install.tool != "pip" or not event.effect.first.path or event.install.command.runner:
        return None
    if (
        event.install.command.words[0].text not in ("pip", "pip3", "python", "python3")
        or _place(event.install) != "system"
    ):
        return None
    rows = old.decode("utf-8", "surrogateescape").splitlines(keepends=True)
    at = step.line - 1
    if not rows[at].lstrip().upper().startswith("RUN"):
        return None
    rows.insert(at, line + ("\r\n" if rows[at].endswith("\r\n") else "\n"))
    new = "".join(rows).encode("utf-8", "surrogateescape")
    return Fix(title="install the CPU build first", edits=(Edit(path=image.path, old=old, new=new),), safe=True)


def _no_op(image: Image, event: Event, before: Event) -> Finding:
    return Finding(
        code="TS502",
        where=Location(path=image.path, line=event.install.line),
        message=f"this CPU install changes nothing: line {before.install.line} has already installed torch, which satisfies it",
        remedy="Route torch to the CPU index in the project, lock again, and remove this command."
        if before.effect.locked
        else f"Move it before line {before.install.line}, so that the CPU build is there first.",
        related=(Location(path=image.path, line=before.install.line),),
    )


def _late(image: Image, event: Event, before: Event) -> Finding:
    return Finding(
        code="TS506",
        where=Location(path=image.path, line=event.install.line),
        message=f"line {before.install.line} has already installed the CUDA build of torch; replacing it here leaves it in the layer below",
        remedy=f"Move this command before line {before.install.line}.",
        related=(Location(path=image.path, line=before.install.line),),
    )


def _undoing(image: Image, event: Event, current: Event, why: str) -> Finding:
    lock = event.install.tool in ("uv", "poetry")
    return Finding(
        code="TS502",
        where=Location(path=image.path, line=current.install.line),
        message=f"this CPU install of torch is undone: `{' '.join(event.install.command.texts)[:50]}` (line {event.install.line}) {why}",
        remedy="Route torch to the CPU index in the project, lock again, and remove this command."
        if lock
        else "Install the same version that the requirements pin, from the CPU index.",
        related=(Location(path=image.path, line=event.install.line),),
    )


def _base(image: Image, base: str, events: list[Event]) -> Iterator[Finding]:
    """TS503 and TS504: the base image against what is installed on it."""
    cuda = re.search(r"nvidia/cuda:(\d+)\.(\d+)", base)
    for event in events:
        build = event.effect.build
        line = event.install.line
        if event.install.command.conditional:
            continue
        if cuda and re.fullmatch(r"cu\d{2,3}", build) and not event.effect.locked:
            wheel = urls.cuda_version(build)
            if wheel != f"{cuda[1]}.{cuda[2]}":
                yield Finding(
                    code="TS503",
                    where=Location(path=image.path, line=line),
                    message=f"the base image has CUDA {cuda[1]}.{cuda[2]}, these wheels bring CUDA {wheel} of their own",
                    remedy="Fine if the driver supports it; a plain base image is smaller, as the wheels hold the runtime.",
                    severity=INFO,
                )
        framework = re.search(r"(?:^|/)pytorch/pytorch:(\d+\.\d+(?:\.\d+)?)", base)
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
            ):
                yield Finding(
                    code="TS504",
                    where=Location(path=image.path, line=line),
                    message=f"`{base}` already holds torch{' ' + framework[1] if framework else ''}, and this installs {'torch ' + (pin or one.spec)}"
                    + (" into an environment of its own" if separate else " over it"),
                    remedy="Start from an image without torch, or leave torch to the base image.",
                    related=(Location(path=one.path, line=one.line or None),) if one.path else (),
                )
                return  # one is enough: the next install finds the replaced torch


def _contradictions(path: str, events: list[Event]) -> Iterator[Finding]:
    """TS505: a version on a command line that the project's own files rule out."""
    for event in events:
        if event.install.command.conditional:
            continue
        for one in event.effect.asked:
            if one.name != "torch" or one.path:
                continue
            pin = specs.parse(one.spec).pin() if one.spec else ""
            if not pin:
                continue
            for other in events:
                if other.install.command.conditional or other.place != event.place:
                    continue
                for wanted in other.effect.asked:
                    if not wanted.path or not wanted.spec:
                        continue
                    dialect = (
                        specs.POETRY if other.install.tool == "poetry" and not other.effect.locked else specs.PEP440
                    )
                    spec = specs.parse(wanted.spec, dialect)
                    if spec.broken or spec.admits(pin):
                        continue
                    yield Finding(
                        code="TS505",
                        where=Location(path=path, line=one.line),
                        message=f"this installs torch {pin}, and {wanted.path}{f':{wanted.line}' if wanted.line else ''} wants torch{wanted.spec}",
                        remedy="Name the version once: remove it here, or make the two agree.",
                        related=(Location(path=wanted.path, line=wanted.line or None),),
                    )
                    break


def _environment(image: Image, stage: Stage, events: list[Event]) -> Iterator[Finding]:
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
                    message=f"`{variable}={value}` has no effect here: `uv {synced[0].install.action}` (line {synced[0].install.line}) takes torch from the lock",
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


def _unresolved(image: Image, events: list[Event]) -> Iterator[Finding]:
    """TS510: the index is a variable that nothing sets."""
    for event in events:
        if not any(one.name in FAMILY and not one.path for one in event.effect.asked):
            continue
        for option in event.install.options:
            if (
                option.name in ("-i", "--index-url", "--extra-index-url", "--index", "-f", "--find-links")
                and option.value is not None
                and not option.value.known
            ):
                yield Finding(
                    code="TS510",
                    where=Location(path=image.path, line=option.line),
                    message=f"the index of torch is a build argument without a default: a plain build gets an empty `{option.name}`",
                    remedy=f"Give the ARG a default, such as `{CPU_INDEX}`.",
                )


def _job(repository: Repository, path: str, job: object, view: View) -> Iterator[Finding]:
    """TS505 and TS507 in a CI job."""
    from gatepost.manifests.workflow import Job

    assert isinstance(job, Job)
    events: list[Event] = []
    for number, step in enumerate(job.steps):
        for install in installs(step.commands):
            result = effect(repository, None, None, 0, install)
            if result.asked:
                conditional = install.command.conditional or step.conditional
                install = replace(install, command=replace(install.command, conditional=conditional))
                events.append(Event(stage=0, step=number, install=install, effect=result, place=_place(install)))
    yield from _contradictions(path, events)
    ran = [
        commands.Ran(
            install=install, place=_place(install), conditional=install.command.conditional or step.conditional
        )
        for step in job.steps
        for install in installs(step.commands)
    ]
    yield from commands.judge(path, ran, view, ci=True)
    hosted = bool(job.runners) and all(_HOSTED.match(label) for label in job.runners) and job.kind == "github"
    if not hosted or _GPU_WORD.search(job.container or ""):
        return
    for event in events:
        for one in event.effect.asked:
            if one.name in FAMILY and not one.path and re.fullmatch(r"cu\d{2,3}", one.build):
                yield Finding(
                    code="TS507",
                    where=Location(path=path, line=one.line),
                    message=f"`{job.runners[0]}` has no GPU, and this installs the {one.build} build of {one.name}",
                    remedy=f"Use `--index-url {CPU_INDEX}` in this job.",
                )
                break


def _readme(repository: Repository) -> Iterator[Finding]:
    """TS508: a README's install line against the requirements beside it."""
    for path in sorted(repository.paths):
        if (
            not re.search(r"(?:^|/)README\.(?:md|rst)$", path)
            or deployed.is_generated(path)
            or deployed.is_example(path)
        ):
            continue
        data = repository.read(path) or b""
        if b"torch==" not in data:
            continue
        folder = posixpath.dirname(path)
        wanted = _beside(repository, folder)
        if wanted is None:
            continue
        for number, row in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            match = re.match(
                r"\s*(?:\$ |> |`)?(?:python3? -m |uv |conda run [-\w ]+)?pip3? install\b.*?\btorch==(\d+(?:\.\d+)+)",
                row,
            )
            if match and not wanted[2].broken and not wanted[2].admits(match[1]):
                yield Finding(
                    code="TS508",
                    where=Location(path=path, line=number),
                    message=f"the README installs torch {match[1]}, and {wanted[0]}:{wanted[1]} wants torch{wanted[2].text}",
                    remedy="Say the same version in both.",
                    severity=INFO,
                    related=(Location(path=wanted[0], line=wanted[1]),),
                )


def _beside(repository: Repository, folder: str) -> tuple[str, int, specs.Spec] | None:
    """(path, line, range) of torch in the requirements.txt of a folder."""
    path = posixpath.join(folder, "requirements.txt")
    parsed = repository.requirements(path)
    for line in parsed.lines if parsed is not None else ():
        if line.name.lower() == "torch" and line.specifier and not line.marker:
            return path, line.line, specs.parse(line.specifier)
    return None
