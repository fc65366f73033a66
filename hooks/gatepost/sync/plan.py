"""From a tree to the edits that put its shared settings right, and what there is to say about them. Pure."""

from __future__ import annotations

from gatepost.model import Edit, Finding, Fix, Location, Unchecked
from gatepost.record import record, replace
from gatepost.sync import record_file, shadow
from gatepost.sync.findings import RUFF
from gatepost.sync.members import folders, unmatched
from gatepost.sync.one_project import Project
from gatepost.sync.own_settings import own_of
from gatepost.sync.paths import data_of, get
from gatepost.sync.record_file import NAME, RecordError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gatepost.model import Outcome
    from gatepost.sync.record_file import Record
    from gatepost.tree.base import Tree

FIXED = frozenset({"SC101", "SC102", "SC103", "SC108"})


@record
class Plan:
    """Edits that bring every project of a repository in line, and the outcomes that say why."""

    edits: tuple[Edit, ...]
    outcomes: tuple[Outcome, ...]


def plan(tree: Tree, settings: Mapping[str, Any]) -> Plan:
    """Plan the sync of a repository: its root, and the members that opted in.

    Args:
        tree: the work tree.
        settings: `profile`, `keep` and `drop` of [tool.gatepost]; `tools` and `members` of its sync-configs table.
    """
    raw = tree.read(NAME)
    last = record_file.empty()
    if raw is not None:
        try:
            last = record_file.parse(raw)
        except RecordError as error:
            if error.newer:
                message = f"written by a newer gatepost: {error}"
                where = Location(path=NAME)
                said = Unchecked(code="SC304", where=where, message=message, remedy="pre-commit autoupdate")
                return Plan(edits=(), outcomes=(said,))
    members = settings.get("members") or ()
    projects = [Project(tree, folder, settings, last) for folder in folders(tree, members)]
    for project in projects:
        project.look()
    for number, glob in unmatched(tree, members):
        line = projects[0].findings.line("tool", "gatepost", "sync-configs", "members", number)
        path = None if line is not None or tree.read("gatepost.toml") is None else "gatepost.toml"
        message = f"`{glob}` in `members` names no folder with a pyproject.toml"
        remedy = "correct the glob, `git add` the member's pyproject.toml, or delete the glob"
        projects[0].findings.say("SC110", message, remedy, line, path=path)
    extended(projects)
    kept = left_of_baseline(projects, last)
    edits = [edit for project in projects for edit in project.edits]
    outcomes = [outcome for project in projects for outcome in project.findings.outcomes]
    files = {name: dict(table) for name, table in last.files.items() if tree.read(name) is not None}
    for project in projects:
        files.update(project.entries)
    files = {name: table for name, table in files.items() if table}
    if kept != last.baseline or files != {name: dict(table) for name, table in last.files.items() if table}:
        from gatepost import __version__

        names = projects[0].names
        made = (*last.made, projects[0].path) if raw is None and projects[0].raw is None else last.made
        own = own_before(projects, last, first=raw is None)
        new = record_file.dump(
            replace(last, version=__version__, profile=names, files=files, baseline=kept, made=made, own=own)
        )
        edits.append(Edit(path=NAME, old=raw, new=new))
        if not any(each.code in FIXED for each in outcomes):
            why = "there is no record of the last sync" if raw is None else "the record of the last sync is stale"
            remedy = f"gatepost sync-configs; git add {NAME}"
            outcomes.append(Finding(code="SC108", where=Location(path=NAME), message=why, remedy=remedy))
    fix = Fix(title="sync the shared settings", edits=tuple(edits), safe=True) if edits else None
    return Plan(
        edits=tuple(edits),
        outcomes=tuple(
            replace(each, fix=fix) if isinstance(each, Finding) and each.code in FIXED else each for each in outcomes
        ),
    )


def extended(projects: Sequence[Project]) -> None:
    """Say where ruff's settings come from a file that no project's sync writes."""
    import posixpath

    written = {each.folder + name for each in projects for name in (*shadow.RUFF_FILES, "pyproject.toml")}
    for each in projects:
        if each.extends is None:
            continue
        name, above = each.extends
        if posixpath.normpath(posixpath.join(each.folder, above)) not in written:
            message = f"ruff's settings come from {above}, which is not synced: its shared settings are left out here"
            remedy = f'delete `extend` to have them here, or: gatepost keep tool.ruff "extends {above}"'
            line = each.findings.place(each.folder + name, (*RUFF, "extend"))
            each.findings.say("SC203", message, remedy, line, "info", path=each.folder + name)


def own_before(projects: Sequence[Project], last: Record, *, first: bool) -> Mapping[str, Mapping[str, Any]] | None:
    """What each file had in [tool.gatepost] before its first sync; None if an older record does not say."""
    if last.own is None and not first:
        return None
    fresh = {each.path: own_of(each.data) for each in projects if each.entries and each.path not in last.files}
    return {**fresh, **(last.own or {})}


def left_of_baseline(projects: Sequence[Project], last: Record) -> Mapping[str, tuple[str, ...]] | None:
    """What is left of the violation baseline; the project in which it grew says so."""
    if last.baseline is None or any(project.path not in project.entries for project in projects):
        return last.baseline
    from gatepost.sync import baseline

    every: dict[str, tuple[str, ...]] = {}
    for project in projects:
        name = next((name for name in shadow.RUFF_FILES if project.tree.read(project.folder + name) is not None), "")
        data = data_of(project.tree.read(project.folder + (name or "pyproject.toml")))
        now = baseline.listed(data if name else get(data, RUFF), project.folder)
        for path, codes in baseline.grown(last.baseline, now).items():
            place = (*RUFF, *baseline.KEY, path[len(project.folder) :])
            file = project.folder + (name or "pyproject.toml")
            message = f"the baseline of old findings grew: {path} ignores {', '.join(codes)} now"
            remedy = f"mend {path}, or ignore the line with a reason: # noqa: {codes[0]} -- why"
            project.findings.say("SC109", message, remedy, project.findings.place(file, place), path=file)
        every |= {path: (*every.get(path, ()), *codes) for path, codes in now.items()}
    return baseline.shrunk(last.baseline, every)
