"""Poetry: `[tool.poetry]` dependencies, groups, extras and sources, PEP 621 enrichment, and what `source =` means.

Semantics (tested with Poetry 1.8.5 and 2.5.1): `primary` is the default of `priority`, and the first primary source
switches the implicit PyPI off; `supplemental` is asked only when no other source has a match; `explicit` only by
`source =`. All groups are resolved to one entry of a name, so one group's source serves every group.
"""

from __future__ import annotations

from gatepost.rules.torch_source import markers
from gatepost.rules.torch_source.model import (
    EXTRA,
    GROUP,
    MAIN,
    Env,
    Fact,
    Project,
    Requirement,
    Route,
    fold,
)
from gatepost.rules.torch_source.readers import common
from gatepost.rules.torch_source.readers.poetry_items import dependency, extras_facts
from gatepost.rules.torch_source.readers.poetry_sources import sources_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.rules.torch_source.model import Lock
    from gatepost.rules.torch_source.readers.common import Toml


def applies(toml: Toml) -> bool:
    """Whether a pyproject is (also) Poetry's."""
    poetry = common.table(toml.data, "tool", "poetry")
    return bool(poetry) and any(
        key in poetry for key in ("dependencies", "source", "group", "dev-dependencies", "extras")
    )


def read(toml: Toml, locks: tuple[Lock, ...]) -> Project:
    """The project of a Poetry pyproject."""
    poetry = common.table(toml.data, "tool", "poetry")
    project = common.table(toml.data, "project")
    base = ("tool", "poetry")
    indexes, facts = sources_of(toml, common.array(poetry, "source"))
    requirements, extras_621 = _of_project(toml)
    main = common.table(poetry, "dependencies")
    entries = [
        found
        for name, value in main.items()
        if name != "python"
        for found in dependency(toml, name, value, Env(kind=MAIN), (*base, "dependencies", name))
    ]
    dynamic = "dependencies" in common.array(project, "dynamic")  # [tool.poetry.dependencies] holds them then
    listed = not dynamic and any(req.env.kind in (MAIN, EXTRA) for req in requirements)  # (tested with Poetry 2.5.1)
    if listed:  # enrichment: what [project] lists, with Poetry's own keys added
        given = {req.name for req in requirements if req.env.kind in (MAIN, EXTRA)}
        routed = [found for found in entries if found.route]
        facts += [_absent(toml, found) for found in routed if found.name not in given]
        requirements = [
            made for req in requirements for made in _enriched(req, [one for one in routed if one.name == req.name])
        ]
    else:
        requirements += entries
    for name, items, path, optional in _groups(poetry):
        env = Env(kind=GROUP, name=name, optional=optional)
        found_here = [
            req for package, value in items.items() for req in dependency(toml, package, value, env, (*path, package))
        ]
        requirements = _with_group(requirements, found_here, fold(name))
    extras = {
        name: tuple(fold(item) for item in items if isinstance(item, str))
        for name, items in common.table(poetry, "extras").items()
        if isinstance(items, list)
    }
    if not listed:
        facts += extras_facts(toml, main, extras, {req.name for req in requirements if req.env.kind == GROUP})
    python = common.string(project, "requires-python") or common.string(main, "python")
    python_path = (
        ("project", "requires-python") if project.get("requires-python") else (*base, "dependencies", "python")
    )
    return Project(
        tool="Poetry",
        root=common.folder(toml.path),
        path=toml.path,
        files=(toml.path, *(lock.path for lock in locks)),
        requirements=tuple(requirements),
        indexes=tuple(indexes),
        routes=tuple(
            Route(package=req.name, index=req.route, where=req.where, marker=req.marker, env=req.env, span=req.whole)
            for req in requirements
            if req.route
        ),
        locks=locks,
        facts=tuple(facts),
        python=python,
        python_where=toml.where(*python_path) if python else None,
        python_span=toml.inner(*python_path),
        extras=tuple(extras.items()) + tuple(extras_621),
        published=poetry.get("package-mode", True) is not False and _published(toml),
        dynamic=False,
        linux_only=common.linux_only(common.array(project, "classifiers") + common.array(poetry, "classifiers")),
        path_sources=any(req.url.startswith(("path:", "git:")) for req in requirements),
        title=common.string(project, "name") or common.string(poetry, "name"),
    )


def _of_project(toml: Toml) -> tuple[list[Requirement], list[tuple[str, tuple[str, ...]]]]:
    """What [project] and [dependency-groups] list, and the names in each extra."""
    project = common.table(toml.data, "project")
    requirements: list[Requirement] = []
    extras: list[tuple[str, tuple[str, ...]]] = []
    for number, text in enumerate(common.array(project, "dependencies")):
        found = common.requirement(toml, text, Env(kind=MAIN), ("project", "dependencies", number))
        if found is not None:
            requirements.append(found)
    for extra, items in common.table(project, "optional-dependencies").items():
        env = Env(kind=EXTRA, name=extra, optional=True)
        names = []
        for number, text in enumerate(items if isinstance(items, list) else ()):
            found = common.requirement(toml, text, env, ("project", "optional-dependencies", extra, number))
            if found is not None:
                names.append(found.name)
                requirements.append(found)
        extras.append((extra, tuple(names)))
    for group, items in common.table(toml.data, "dependency-groups").items():
        for number, text in enumerate(items if isinstance(items, list) else ()):
            found = common.requirement(toml, text, Env(kind=GROUP, name=group), ("dependency-groups", group, number))
            if found is not None:
                requirements.append(found)
    return requirements, extras


def _groups(poetry: dict[str, Any]) -> list[tuple[str, dict[str, Any], tuple[str, ...], bool]]:
    """Poetry's own groups: (name, dependencies, where they stand, optional)."""
    base = ("tool", "poetry")
    groups: list[tuple[str, dict[str, Any], tuple[str, ...], bool]] = [
        (name, common.table(group, "dependencies"), (*base, "group", name, "dependencies"), bool(group.get("optional")))
        for name, group in common.table(poetry, "group").items()
        if isinstance(group, dict)
    ]
    if common.table(poetry, "dev-dependencies"):
        groups.append(("dev", common.table(poetry, "dev-dependencies"), (*base, "dev-dependencies"), False))
    return groups


def _with_group(requirements: list[Requirement], group: list[Requirement], name: str) -> list[Requirement]:
    """The requirements with those of a Poetry group, which enrich what [dependency-groups] lists under its name.

    Tested with Poetry 2.5.1: one `torch` with the version of the one and the source of the other.
    """
    made: list[Requirement] = []
    used: set[str] = set()
    for req in requirements:
        own = [entry for entry in group if entry.name == req.name]
        if req.env.kind == GROUP and fold(req.env.name) == name and own:
            used.add(req.name)
            made += _merged(req, own)
        else:
            made.append(req)
    return made + [entry for entry in group if entry.name not in used]


def _published(toml: Toml) -> bool:
    classifiers = common.array(toml.data, "project", "classifiers") + common.array(
        toml.data, "tool", "poetry", "classifiers"
    )
    return "build-system" in toml.data and not any("Do Not Upload" in str(item) for item in classifiers)


def _enriched(req: Requirement, found: list[Requirement]) -> list[Requirement]:
    """A requirement of [project] with each of Poetry's entries on the same name that can apply to it."""
    return _merged(req, found) if req.env.kind in (MAIN, EXTRA) and found else [req]


def _merged(req: Requirement, found: list[Requirement]) -> list[Requirement]:
    """A requirement as each of Poetry's entries on the same name completes it."""
    from gatepost.record import replace

    made = []
    for entry in found:
        if entry.marker and req.env.kind == EXTRA and not markers.possible(entry.marker, extra=fold(req.env.name)):
            continue
        if req.marker and entry.marker and not markers.overlap(req.marker, entry.marker):
            continue
        both = f"({req.marker}) and ({entry.marker})" if req.marker and entry.marker else req.marker or entry.marker
        made.append(replace(req, route=entry.route, marker=both))
    return made or [req]


def _absent(toml: Toml, found: Requirement) -> Fact:
    from gatepost.rules.torch_source.fixes import append

    return Fact(
        code="TS127",
        where=found.where,
        message=f"`{found.name}` has a source here but is not in [project].dependencies, so Poetry drops this entry without a word",
        remedy=f"Add `{found.name}` to [project].dependencies (this entry then adds the source), then run `poetry lock`.",
        edits=tuple(append(toml.document(), ("project", "dependencies"), found.name)),
    )
