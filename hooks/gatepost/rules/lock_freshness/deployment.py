"""Locks that are missing, ignored or walked past where a project is deployed (LF401-LF409).

Applications only, and only what a Dockerfile's own commands install: the file that `pip install -r` reads is found
through the image's COPY instructions, so a Dockerfile never speaks for a project that it does not copy.
"""

from __future__ import annotations

from gatepost.manifests import places
from gatepost.manifests import projects as deployed
from gatepost.manifests.shell.branches import every_way
from gatepost.model import ERROR, Location
from gatepost.record import replace
from gatepost.rules.lock_freshness.in_ci import lacking, workflows
from gatepost.rules.lock_freshness.in_image import exported, project, relock, started
from gatepost.rules.lock_freshness.missing import gone, platforms, together
from gatepost.rules.lock_freshness.owners import TOOL_LOCK
from gatepost.rules.lock_freshness.passed_by import pip
from gatepost.rules.lock_freshness.poetry_version import job_findings, poetry_findings
from gatepost.rules.lock_freshness.template import is_template
from gatepost.rules.lock_freshness.test_image import only_developers, only_tests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository
    from gatepost.model import Context, Finding, Outcome


def check(ctx: Context) -> Iterable[Outcome]:
    """Findings about deployment: LF401-LF409. Never raises on broken files."""
    paths = ctx.tree.paths()
    if not any(
        places.is_dockerfile(path)
        or path.startswith(".github/workflows/")
        or path.endswith(("Procfile", "render.yaml", ".gitlab-ci.yml"))
        for path in paths
    ):
        return
    repository = deployed.Repository((path for path in paths if not ctx.exclude(path)), ctx.tree.read)
    seen: set[tuple[str, str]] = set()
    all_found = list(_findings(repository))
    hidden = _by_pattern(all_found)
    for finding, concerned in all_found:
        identity = (
            finding.code,
            finding.where.path if finding.code == "LF401" else f"{finding.where.path}:{finding.where.line}",
        )
        if identity in seen:
            continue
        seen.add(identity)
        if finding.code == "LF401":
            deleted = [path for path in concerned if ctx.tree.status(path) == "deleted"]
            finding = gone(finding, deleted[0]) if deleted else _with_others(finding, all_found)  # noqa: PLW2901
        elif finding.code == "LF402":
            concerned = tuple(path for _, paths in hidden[identity[1]].values() for path in paths)  # noqa: PLW2901
            finding = together([one for one, _ in hidden[identity[1]].values()])  # noqa: PLW2901
        if any(ctx.wants(path) for path in (finding.where.path, *concerned)):
            yield finding


def _by_pattern(
    all_found: list[tuple[Finding, tuple[str, ...]]],
) -> dict[str, dict[str, tuple[Finding, tuple[str, ...]]]]:
    """LF402 by the place of its pattern, and then by the lock, the first of each."""
    found: dict[str, dict[str, tuple[Finding, tuple[str, ...]]]] = {}
    for finding, concerned in all_found:
        if finding.code == "LF402":
            group = found.setdefault(f"{finding.where.path}:{finding.where.line}", {})
            group.setdefault(concerned[0], (finding, concerned))
    return found


def _with_others(finding: Finding, all_found: list[tuple[Finding, tuple[str, ...]]]) -> Finding:
    """LF401 of a file that another image installs from other indexes, or over another torch: one lock cannot hold both."""
    own = _way(finding.remedy)
    for other, _ in all_found:
        if other.code != "LF401" or other.where.path != finding.where.path or not other.related or not finding.related:
            continue
        place, way = other.related[0], _way(other.remedy)
        if way != own:
            what = "constraints" if way == _CONSTRAINTS else "a lock"
            more = (
                f"{finding.remedy} {place.path}:{place.line} installs it in another way, and needs {what} of its own."
            )
            return replace(finding, remedy=more)
    return finding


_CONSTRAINTS = "constraints.txt"


def _way(remedy: str) -> str:
    """What a remedy says of indexes and builds: the command but for the Python, or that it is constraints."""
    if _CONSTRAINTS in remedy:
        return _CONSTRAINTS
    before, option, after = remedy.partition(" --python-version ")
    return before + after.lstrip("0123456789.") if option else remedy


def _findings(repository: Repository) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    for image in repository.images():
        example = places.is_example(image.path) or is_template(repository, image)
        for stage in image.dockerfile.stages:
            if not image.final(stage):
                continue
            if example or places.is_development(image.path) or places.is_retired(image.path):
                continue
            undeployed = only_tests(image, stage) or only_developers(image, stage)
            branched: dict[int, list[Install]] = {}
            for index, install in image.installs(stage):
                if install.uncertain and not install.files:
                    continue
                if not install.command.conditional:
                    for found, concerned in _judge(repository, image, stage, index, install):
                        if found.code != "LF401" or found.severity == ERROR or not undeployed:
                            yield found, concerned
                elif install.command.arms is not None:
                    branched.setdefault(index, []).append(install)
            for index, arms in branched.items():
                yield from _whichever(repository, image, stage, index, arms)
            if not undeployed:
                for index, step in enumerate(stage.steps):
                    for command in step.commands if step.kind in ("cmd", "entrypoint") else ():
                        yield from started(repository, image, stage, index, command)
        yield from ((found, ()) for found in poetry_findings(repository, image))
    yield from platforms(repository)
    yield from workflows(repository)
    yield from lacking(repository)
    for path, jobs in repository.jobs(b"poetry"):
        for job in jobs:
            yield from ((found, ()) for found in job_findings(repository, path, job))


def _whichever(
    repository: Repository, image: Image, stage: Stage, index: int, arms: list[Install]
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """LF404 of a RUN whose `if` installs past the lock in every arm."""
    past = [
        (install.command.arms, found)
        for install in arms
        for found in _judge(repository, image, stage, index, install)
        if found[0].code == "LF404"
    ]
    if every_way(ways for ways, _ in past if ways is not None):
        yield from (found for _, found in past)


def _judge(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    place = Location(path=image.path, line=install.line)
    if install.tool in ("pip", "uv-pip") and install.action in ("install", "wheel"):
        yield from pip(repository, image, stage, index, install, place)
    elif install.tool in TOOL_LOCK and install.action in ("sync", "install"):
        yield from project(repository, image, stage, index, install, place)
    elif install.tool in ("uv", "poetry") and install.action == "export":
        yield from exported(repository, image, stage, index, install, place)
    elif install.tool in TOOL_LOCK and install.action in ("lock", "update", "upgrade"):
        yield from relock(repository, image, stage, index, install, place)
