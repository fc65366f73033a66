"""TS505, TS507: install commands that contradict the project, builds that a CI runner cannot use."""

from __future__ import annotations

import re

from gatepost.manifests.installs import installs
from gatepost.model import Finding, Location
from gatepost.patterns import pattern
from gatepost.record import replace
from gatepost.rules.torch_source import commands, specs
from gatepost.rules.torch_source.images.cuda import CPU_INDEX
from gatepost.rules.torch_source.images.events import Event, place_of
from gatepost.rules.torch_source.images.meant import GPU_WORD
from gatepost.rules.torch_source.installed.build import FAMILY
from gatepost.rules.torch_source.installed.effect import effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.projects import Repository
    from gatepost.rules.torch_source.view import View


_HOSTED = pattern(r"(?:ubuntu|macos|windows)-(?:latest|\d[\w.]*)(?:-(?:xlarge|large|arm))?$")


def contradictions(path: str, events: list[Event]) -> Iterator[Finding]:
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


def job_findings(repository: Repository, path: str, job: object, view: View) -> Iterator[Finding]:
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
                events.append(Event(stage=0, step=number, install=install, effect=result, place=place_of(install)))
    yield from contradictions(path, events)
    ran = [
        commands.Ran(
            install=install, place=place_of(install), conditional=install.command.conditional or step.conditional
        )
        for step in job.steps
        for install in installs(step.commands)
    ]
    yield from commands.judge(path, ran, view, ci=True)
    hosted = bool(job.runners) and all(_HOSTED.match(label) for label in job.runners) and job.kind == "github"
    if not hosted or GPU_WORD.search(job.container or ""):
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
