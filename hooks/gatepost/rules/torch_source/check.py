"""Runs every rule over every project of the tree, once per place."""

from __future__ import annotations

from gatepost.model import Finding, Location, Unchecked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gatepost.model import Context, Outcome
    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.view import View


def check(ctx: Context) -> Iterable[Outcome]:
    """Every outcome of the hook. Silent, and without loading the table, where nothing speaks of PyTorch."""
    yield from _manifests(ctx)
    from importlib import import_module

    try:
        containers = import_module("gatepost.rules.torch_source.containers")
    except ModuleNotFoundError:
        return
    yield from containers.check(ctx)


def _manifests(ctx: Context) -> Iterator[Outcome]:
    from gatepost.rules.torch_source.collect import Collector

    collector = Collector(ctx)
    projects = [project for project in collector.projects() if project.about_torch()]
    for broken in collector.broken:
        if ctx.wants(broken.path):
            yield Unchecked(
                code="TS001",
                where=Location(path=broken.path, line=broken.line),
                message=f"cannot be read: {broken.reason}",
                remedy="Correct the file, then run the hook again.",
            )
    if not projects:
        return
    from gatepost.rules.torch_source.view import View

    view = View(ctx.tree, ctx.settings, projects)
    seen: set[tuple[str, str, int | None, str]] = set()
    for project in projects:
        if ctx.scope is not None and not any(path in ctx.scope for path in project.files):
            continue
        for finding in _rules(project, view):
            place = (finding.code, finding.where.path, finding.where.line, finding.where.key)
            if place in seen or ctx.exclude(finding.where.path):
                continue
            seen.add(place)
            yield finding


def _rules(project: Project, view: View) -> Iterator[Finding]:
    from gatepost.rules.torch_source import conda, index_hygiene, locks, routing, versions

    for fact in project.facts:
        yield Finding(
            code=fact.code,
            where=fact.where,
            message=fact.message,
            remedy=fact.remedy,
            severity=fact.severity or None,  # type: ignore[arg-type]
            fix=view.edit(fact.where.path, fact.remedy.split(",")[0].rstrip("."), fact.edits) if fact.edits else None,
        )
    for module in (routing, versions, locks, index_hygiene, conda):
        for rule in module.RULES:
            yield from rule(project, view)
