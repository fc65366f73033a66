"""PyTorch in images, CI and READMEs (TS501-TS510): a stage is walked in order, each install changes what is there."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import projects as deployed
from gatepost.manifests.installs.commands import installs
from gatepost.model import Finding
from gatepost.rules.torch_source import commands, presence
from gatepost.rules.torch_source.images.arguments import unresolved, unresolved_variables
from gatepost.rules.torch_source.images.automatic import left_to_the_builder
from gatepost.rules.torch_source.images.companions import of_one_variable
from gatepost.rules.torch_source.images.events import events_of, firm, place_of
from gatepost.rules.torch_source.images.jobs import contradictions, job_findings, torch_needles
from gatepost.rules.torch_source.images.order import intent_of, order
from gatepost.rules.torch_source.images.ran import Ran
from gatepost.rules.torch_source.images.readme import readme
from gatepost.rules.torch_source.images.stages import backend_ignored, base_image, environment, vendor_replaced
from gatepost.rules.torch_source.installed.effect import located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository
    from gatepost.manifests.requirements import ReqFile
    from gatepost.model import Context, Outcome
    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.view import View


def check(ctx: Context, projects: Sequence[Project] = ()) -> Iterable[Outcome]:
    """Findings TS501-TS510. Never raises on broken files. `projects` are those of the tree's manifests."""
    paths = ctx.tree.paths()
    if not any(map(presence.deploys, paths)):
        return
    repository = deployed.Repository((path for path in paths if not ctx.exclude(path)), ctx.tree.read)
    from gatepost.rules.torch_source.view import View

    seen: set[tuple[str, str, int | None]] = set()
    for finding in _findings(repository, ctx.settings.get("build"), View(ctx.tree, ctx.settings, projects)):
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
        yield from _image(repository, image, policy, view)
        for stage in image.dockerfile.stages:
            yield from _commands(repository, image, stage, view)
    for path, jobs in repository.jobs(*torch_needles(repository, view)):
        for job in jobs:
            yield from job_findings(repository, path, job, view)
    yield from readme(repository, view.projects)


def _commands(repository: Repository, image: Image, stage: Stage, view: View) -> Iterator[Finding]:
    """What the rules of manifests say of the install commands on the way to the end of a stage."""
    ran = []
    for one, index, step in image.steps(stage):
        for install in installs(step.commands) if step.kind == "run" else ():

            def locate(
                name: str, one: Stage = one, index: int = index, install: Install = install
            ) -> tuple[str, ReqFile] | None:
                path = located(repository, image, one, index, install, name)
                if path is None or image.touched(one, index, posixpath.basename(path), install.command):
                    return None
                file = repository.requirements(path) if path.endswith((".txt", ".in", ".pip")) else None
                return None if file is None else (path, file)

            ran.append(
                Ran(
                    install=install,
                    place=place_of(install),
                    conditional=install.command.conditional and not firm(repository, image, one, index, install),
                    files=commands.files_of(install, locate),
                )
            )
    base, known = image.dockerfile.image(stage)
    if known:
        yield from vendor_replaced(image, stage, base, ran)
    python = re.search(r"(?:^|/)python:(3\.\d+)(?:[.-]|$)", base) if known else None
    yield from commands.judge(image.path, ran, view, python=python[1] if python else "")


def _image(repository: Repository, image: Image, policy: object, view: View) -> Iterator[Finding]:
    for stage in image.dockerfile.stages:
        events = events_of(repository, image, stage)
        own = [event for event in events if event.stage == stage.index]
        if not own:
            continue
        base, known = image.dockerfile.image(stage)
        ordered = list(order(repository, image, stage, events, intent_of(policy, image, stage), view))
        yield from ordered
        if known:
            yield from base_image(image, base, own)
        said = {finding.where.line for finding in ordered if finding.code == "TS502"}
        yield from (found for found in contradictions(image.path, own, view) if found.where.line not in said)
        yield from environment(image, stage, own)
        yield from left_to_the_builder(image, stage, own)
        yield from of_one_variable(image, stage)
        set_here = {name for step in stage.steps if step.kind == "env" for name in step.names}
        yield from backend_ignored(image.path, own, set_here)
        yield from unresolved(image, own)
        yield from unresolved_variables(image, stage, own)
