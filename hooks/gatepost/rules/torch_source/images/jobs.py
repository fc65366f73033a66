"""TS505, TS507: install commands that contradict the project, builds that a CI runner cannot use."""

from __future__ import annotations

import posixpath
import re
from functools import partial

from gatepost.manifests.installs.commands import installs
from gatepost.model import Finding, Location
from gatepost.patterns import pattern
from gatepost.record import replace
from gatepost.rules.torch_source import commands, paths, specs
from gatepost.rules.torch_source.images.events import Event, place_of
from gatepost.rules.torch_source.images.ran import Ran
from gatepost.rules.torch_source.images.runs import GPU_WORD
from gatepost.rules.torch_source.images.stages import backend_ignored
from gatepost.rules.torch_source.installed.build import FAMILY, Asked
from gatepost.rules.torch_source.installed.effect import LOCKS, effect, located
from gatepost.rules.torch_source.model import MAIN
from gatepost.rules.torch_source.urls import CPU_INDEX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository
    from gatepost.manifests.requirements import ReqFile
    from gatepost.manifests.workflow import Job
    from gatepost.rules.torch_source.view import View


_NOT_GPU = pattern(
    r"(?:no[nt]?|without|skip\w*|disabl\w*|fake|mock\w*)[\s_-]*(?:gpu|cuda)|torch\.cuda\b", re.IGNORECASE
)
_BUILD = pattern(r"(?<![A-Za-z0-9])cu1\d\d(?!\d)")
_TIDYING = pattern(r"\b(?:remov\w*|delet\w*|clean\w*|free|uninstall\w*)\b", re.IGNORECASE)
_SILENT = frozenset(("rm", "echo", "printf", "pip", "pip3", "uv", "conda", "mamba"))  # installs are judged themselves
_LEFT_OUT = ("http", "--ignore", "--deselect", "--exclude", "--skip")
# A condition of a step that may hold in other rows of the matrix, or runs, than those without a GPU.
_ELSEWHERE = pattern(
    r"gpu|cuda|nvidia|self-hosted|\bmatrix\.(?!(?:os|platform|runner|python(?:[-_]version)?)\b)|\binputs\.",
    re.IGNORECASE,
)
_HOSTED = pattern(r"(?:ubuntu|macos|windows)-(?:latest|\d[\w.]*)(?:-(?:xlarge|large|arm))?$")


def contradictions(path: str, events: list[Event], view: View) -> Iterator[Finding]:
    """TS505: a version on a command line that the project's own files rule out."""
    firm = [event for event in events if not event.conditional]
    for event in firm:
        for one in event.effect.asked:
            pin = specs.parse(one.spec).pin() if one.name == "torch" and not one.path and one.spec else ""
            for other in firm if pin else ():
                finding = _against(path, one, pin, other, view) if other.place == event.place else None
                if finding is not None:
                    yield finding


def _against(path: str, one: Asked, pin: str, other: Event, view: View) -> Finding | None:
    """What a file that another command installs says against a pinned torch on a command line."""
    for wanted in other.effect.asked:
        if not wanted.path or not wanted.spec:
            continue
        dialect = specs.POETRY if other.install.tool == "poetry" and not other.effect.locked else specs.PEP440
        spec = specs.parse(wanted.spec, dialect)
        if spec.broken or spec.admits(pin) or _another_line(other, wanted, pin, dialect):
            continue
        place, says = wanted.path, f"{f':{wanted.line}' if wanted.line else ''} wants torch{wanted.spec}"
        if other.effect.locked:
            if _stale(view, wanted.path, pin, spec.pin()):
                continue  # TS303 says it
            folder, _, _ = wanted.path.rpartition("/")
            place = posixpath.join(folder, LOCKS[other.install.tool])
            says = f" holds torch {specs.parse(wanted.spec).pin()}"
        return Finding(
            code="TS505",
            where=Location(path=path, line=one.line),
            message=f"this installs torch {pin}, and {place}{says}",
            remedy="Name the version once: remove it here, or make the two agree.",
            related=(Location(path=wanted.path, line=wanted.line or None),),
        )
    return None


def _another_line(event: Event, wanted: Asked, pin: str, dialect: str) -> bool:
    """Whether a file asks for torch on several lines, by their markers, of which another one admits the version."""
    return any(
        one.name == "torch" and one.path == wanted.path and one.spec and specs.parse(one.spec, dialect).admits(pin)
        for one in event.effect.asked
    )


def _stale(view: View, manifest: str, pin: str, locked: str) -> bool:
    """Whether a manifest asks for the version of the command, and not for the one that its lock still holds."""
    asked = [
        req.spec
        for project in view.projects
        if project.path == manifest
        for req in project.named("torch")
        if not req.url and not req.spec.broken
    ]
    return any(spec.admits(pin) and not spec.admits(locked) for spec in asked)


def torch_needles(repository: Repository, view: View) -> tuple[bytes, ...]:
    """What a CI file must hold to be read: torch itself, the name of a requirements file, extra or group that asks for it."""
    names = {
        path.rpartition("/")[2].encode("utf-8", "surrogateescape")
        for path in repository.paths
        if paths.is_requirements(path) and paths.names_torch(repository.read(path) or b"")
    }
    asked = {req.env.name for project in view.projects for req in project.named("torch") if req.env.kind != MAIN}
    names |= {f"{before}{name}".encode() for name in asked for before in _BEFORE_NAME}
    return (b"torch", b"Torch", b"TORCH", *sorted(names))


_BEFORE_NAME = ("extra ", "extra=", "group ", "group=", "with ", "with=", "-E ", "[", ",")


def job_findings(repository: Repository, path: str, job: Job, view: View) -> Iterator[Finding]:
    """TS505, TS507, TS509 and what the rules of manifests say, in a CI job."""
    events: list[Event] = []
    ran: list[Ran] = []
    python = ""
    for number, step in enumerate(job.steps):
        if step.uses.startswith("actions/setup-python@") and not step.conditional:
            found = re.fullmatch(r"3\.\d+", step.inputs.get("python-version", "").strip())
            python = found[0] if found else ""
        for install in installs(step.commands):
            result = effect(repository, None, None, 0, install)
            conditional = install.command.conditional or step.conditional
            install = replace(install, command=replace(install.command, conditional=conditional))
            if result.asked:
                events.append(Event(stage=0, step=number, install=install, effect=result, place=place_of(install)))
            ran.append(
                Ran(
                    install=install,
                    place=place_of(install),
                    conditional=conditional,
                    files=commands.files_of(install, partial(_file, repository, install)),
                )
            )
    yield from contradictions(path, events, view)
    yield from backend_ignored(path, events)
    if view.settings.get("build"):
        from gatepost.rules.torch_source import stated

        yield from stated.installed(path, events, view)
    yield from commands.judge(path, ran, view, ci=True, python=python if not job.container else "")
    hosted = bool(job.runners) and all(_HOSTED.match(label) for label in job.runners) and job.kind == "github"
    if not hosted or GPU_WORD.search(job.container or "") or _says_gpu(path, job):
        return
    if _ships(repository, job):
        return
    for event in events:
        if event.install.has("--dry-run", "--dry") or _ELSEWHERE.search(job.steps[event.step].condition):
            continue
        for one in event.effect.asked:
            if one.name in FAMILY and re.fullmatch(r"cu\d{2,3}", one.build) and not event.effect.locked:
                scope = _scope(repository, event, one)
                from_file = f" ({one.path}:{one.line})" if one.path else ""
                yield Finding(
                    code="TS507",
                    where=Location(path=path, line=event.install.line if one.path else one.line),
                    message=f"`{job.runners[0]}` has no GPU, and this installs the {one.build} build of {one.name}{from_file}",
                    remedy=f"Write `{scope}` in this command: its torch comes from the index of CPU builds."
                    if scope
                    else f"Use `--index-url {CPU_INDEX}` in this job."
                    if not one.path
                    else f"Install torch in this job from {CPU_INDEX}, and leave it out of the file for the runner.",
                    related=(Location(path=one.path, line=one.line or None),) if one.path else (),
                )
                break


def _scope(repository: Repository, event: Event, one: Asked) -> str:
    """The option that a `uv sync` could have taken the CPU build by, where it names an extra or a group; or ""."""
    from gatepost.rules.torch_source.images.cpu.route import for_the_cpu

    chosen = event.install.tool == "uv" and event.install.has("--extra", "--group")
    scope = for_the_cpu(repository.toml(one.path)) if chosen and one.path else ""
    return "" if scope.partition(" ")[2] in event.install.command.texts else scope


# What makes a program, or a release, of what is installed, and what compiles against it.
_PACKS = frozenset(("pyinstaller", "nuitka", "cxfreeze", "conda-pack", "briefcase", "pyoxidizer", "cibuildwheel"))
_RELEASES = ("softprops/action-gh-release", "actions/upload-release-asset", "ncipollo/release-action")


def _ships(repository: Repository, job: Job) -> bool:
    """Whether a job ships what it installs, or compiles extensions for CUDA: the build of torch is then meant."""
    if any(step.uses.startswith(_RELEASES) for step in job.steps):
        return True
    commands = [command for step in job.steps for command in step.commands]
    if any(not _PACKS.isdisjoint(text.lower() for text in command.texts[:3]) for command in commands):
        return True
    builds = any("bdist_wheel" in command.texts or "build" in command.texts[:3] for command in commands)
    return builds and b"CUDAExtension" in (repository.read("setup.py") or b"")


def _says_gpu(path: str, job: Job) -> bool:
    """Whether the names or commands of a job say that its work is for GPUs: a CUDA release is built without one."""
    said = [path.rpartition("/")[2], job.name, job.title, job.condition, *job.matrix]
    said += [step.name for step in job.steps if not _TIDYING.search(step.name)]
    for command in (command for step in job.steps for command in step.commands):
        if command.texts[0] not in _SILENT and not installs((command,)):
            said.append(" ".join(text for text in command.texts if not text.startswith(_LEFT_OUT)))
    return any(GPU_WORD.search(words) or _BUILD.search(words) for words in (_NOT_GPU.sub("", text) for text in said))


def _file(repository: Repository, install: Install, name: str) -> tuple[str, ReqFile] | None:
    """A requirements file that a command of a job names, as the checkout has it."""
    path = located(repository, None, None, 0, install, name)
    file = repository.requirements(path) if path is not None and path.endswith((".txt", ".in", ".pip")) else None
    return None if path is None or file is None else (path, file)
