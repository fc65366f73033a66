"""Runs every rule over every project of the tree, once per place."""

from __future__ import annotations

from gatepost.model import Finding, Location, Unchecked
from gatepost.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeVar

    from gatepost.model import Context, Outcome
    from gatepost.rules.torch_source.collect import Collector
    from gatepost.rules.torch_source.model import Locked, Project, Requirement
    from gatepost.rules.torch_source.view import View

    T = TypeVar("T", Requirement, Locked)


def check(ctx: Context) -> Iterable[Outcome]:
    """Every outcome of the hook. Silent, and without loading the table, where nothing speaks of PyTorch."""
    from gatepost.rules.torch_source import presence
    from gatepost.rules.torch_source.collect import Collector

    if ctx.settings.get("build") is not None:
        from gatepost.rules.torch_source import policy, policy_keys

        policy.validate(ctx.settings)
        yield from policy_keys.unmatched(ctx)
    if ctx.args.get("compat"):
        ctx = replace(ctx, settings={**ctx.settings, "compat": ctx.args["compat"]})
    if ctx.settings.get("compat"):
        from gatepost.rules.torch_source.view import require

        require(ctx.tree, str(ctx.settings["compat"]))
    collector = Collector(ctx)
    if ctx.scope is not None and all(_script(path) for path in ctx.scope):
        yield from _projects(ctx, collector, collector.scripts())
        return
    projects = collector.projects()
    yield from _projects(ctx, collector, projects)
    if presence.speaks(ctx.tree, collector.paths):
        from gatepost.rules.torch_source.images import check as images

        yield from images.check(ctx, projects)


def _script(path: str) -> bool:
    """Whether a path can only matter as a script with dependencies of its own (PEP 723)."""
    return path.endswith(".py") and path.rpartition("/")[2] not in ("setup.py", "noxfile.py")


def _projects(ctx: Context, collector: Collector, found: Iterable[Project]) -> Iterator[Outcome]:
    projects = [_without_repeats(project) for project in _concerned(found)]
    for crowded, (name, times) in [(project, crowd) for project in projects if (crowd := _crowd(project))]:
        projects.remove(crowded)
        if ctx.wants(crowded.path):
            yield Unchecked(
                code="TS001",
                where=Location(path=crowded.path),
                message=f"asks for `{name}` in {times} different ways: more than {_MOST_WAYS} are not compared",
                remedy="Take out what is generated, or exclude the file.",
            )
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


def _concerned(found: Iterable[Project]) -> list[Project]:
    """The projects that PyTorch has a part in; with them pip's configuration files, which every one of them reads."""
    from gatepost.rules.torch_source import paths

    listed = list(found)
    about = {id(project) for project in listed if project.about_torch()}
    return [
        project
        for project in listed
        if id(project) in about or (about and project.path.rpartition("/")[2] in paths.PIP_CONFIGS)
    ]


def _without_repeats(project: Project) -> Project:
    """Of requirements, and of a lock's entries, that are equal but for the line they stand on, the first in each file."""

    def once(values: Iterable[T]) -> tuple[T, ...]:
        found: dict[object, T] = {}
        for each in values:
            fields = {**vars(each), "where": each.where.path, "span": None, "whole": None}
            found.setdefault(tuple(fields.values()), each)
        return tuple(found.values())

    locks = tuple(replace(lock, entries=once(lock.entries), strangers=once(lock.strangers)) for lock in project.locks)
    return replace(project, requirements=once(project.requirements), foreign=once(project.foreign), locks=locks)


def _crowd(project: Project) -> tuple[str, int] | None:
    """A package of PyTorch's that is asked for in more ways than rules can compare pair by pair, and how many."""
    from gatepost.rules.torch_source.model import EXTENDED

    times: dict[str, int] = {}
    for req in (*project.requirements, *project.foreign):
        if req.name in EXTENDED:
            times[req.name] = times.get(req.name, 0) + 1
    return max(((name, n) for name, n in times.items() if n > _MOST_WAYS), key=lambda pair: pair[1], default=None)


_MOST_WAYS = 50


def _rules(project: Project, view: View) -> Iterator[Finding]:
    """What the rules say of one project; a fix of its manifest names the command that renews its lock."""
    for finding in _said(project, view):
        if finding.fix is not None and project.locks and (relock := project.semantics().relock):
            finding = replace(finding, fix=replace(finding.fix, then=relock))
        yield finding


def _said(project: Project, view: View) -> Iterator[Finding]:
    from gatepost.rules.torch_source import index_hygiene, intent, routing, versions

    for fact in project.facts:
        if fact.code == "TS108":
            from gatepost.rules.torch_source import poetries

            if poetries.below_two(project, view):
                continue
            fact = poetries.routed_too(fact, project, view)
        yield Finding(
            code=fact.code,
            where=fact.where,
            message=fact.message,
            remedy=fact.remedy,
            severity=fact.severity or None,  # type: ignore[arg-type]
            fix=view.edit(fact.where.path, fact.remedy.split(",")[0].rstrip("."), fact.edits) if fact.edits else None,
        )
    rules = [*routing.RULES, *versions.RULES]
    if project.locks:
        from gatepost.rules.torch_source import locks

        rules += locks.RULES
    rules += [*intent.RULES, *index_hygiene.RULES]
    if view.settings.get("build"):
        from gatepost.rules.torch_source import stated

        rules += stated.RULES
    if project.tool in ("conda", "pixi"):
        from gatepost.rules.torch_source import conda

        rules += conda.RULES
    for rule in rules:
        yield from rule(project, view)
