"""Poetry: `[tool.poetry]` dependencies, groups, extras and sources, PEP 621 enrichment, and what `source =` means.

Semantics (tested with Poetry 1.8.5 and 2.5.1): `primary` is the default of `priority`, and the first primary source
switches the implicit PyPI off; `supplemental` is asked only when no other source has a match; `explicit` only by
`source =`. All groups are resolved to one entry of a name, so one group's source serves every group.
"""

from __future__ import annotations

import re

from gatepost.rules.torch_source import markers, specs, urls
from gatepost.rules.torch_source.model import (
    DEFAULT,
    EXTRA,
    FALLBACK,
    GROUP,
    MAIN,
    ROUTED,
    SHARED,
    Env,
    Fact,
    Index,
    Project,
    Requirement,
    Route,
    fold,
)
from gatepost.rules.torch_source.readers import common

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.rules.torch_source.model import Lock
    from gatepost.rules.torch_source.readers.common import Toml

_PLATFORM = {"linux": "linux", "darwin": "darwin", "win32": "win32", "windows": "win32"}


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
    indexes, facts = _sources(toml, common.array(poetry, "source"))
    requirements: list[Requirement] = []
    routes: list[Route] = []
    listed: set[str] = set()
    extras_621: list[tuple[str, tuple[str, ...]]] = []
    for number, text in enumerate(common.array(project, "dependencies")):
        found = common.requirement(toml, text, Env(kind=MAIN), ("project", "dependencies", number))
        if found is not None:
            listed.add(found.name)
            requirements.append(found)
    for extra, items in common.table(project, "optional-dependencies").items():
        names = []
        for number, text in enumerate(items if isinstance(items, list) else ()):
            found = common.requirement(
                toml,
                text,
                Env(kind=EXTRA, name=extra, optional=True),
                ("project", "optional-dependencies", extra, number),
            )
            if found is not None:
                listed.add(found.name)
                names.append(found.name)
                requirements.append(found)
        extras_621.append((extra, tuple(names)))
    for group, items in common.table(toml.data, "dependency-groups").items():
        for number, text in enumerate(items if isinstance(items, list) else ()):
            found = common.requirement(toml, text, Env(kind=GROUP, name=group), ("dependency-groups", group, number))
            if found is not None:
                requirements.append(found)
    main = common.table(poetry, "dependencies")
    extras = {
        name: tuple(fold(item) for item in items if isinstance(item, str))
        for name, items in common.table(poetry, "extras").items()
        if isinstance(items, list)
    }
    enriched: dict[str, list[Requirement]] = {}
    for name, value in main.items():
        if name == "python":
            continue
        for found in _dependency(toml, name, value, Env(kind=MAIN), (*base, "dependencies", name)):
            if listed:  # enrichment: what [project] lists, with Poetry's own keys added
                own = [req for req in requirements if req.name == found.name and req.env.kind in (MAIN, EXTRA)]
                if not own:
                    if found.route:
                        facts.append(_absent(toml, found))
                    continue
                if found.route:
                    enriched.setdefault(found.name, []).append(found)
                continue
            requirements.append(found)
    requirements = [made for req in requirements for made in _enriched(req, enriched.get(req.name, []))]
    groups: list[tuple[str, dict[str, Any], tuple[str, ...], bool]] = [
        (name, common.table(group, "dependencies"), (*base, "group", name, "dependencies"), bool(group.get("optional")))
        for name, group in common.table(poetry, "group").items()
        if isinstance(group, dict)
    ]
    if common.table(poetry, "dev-dependencies"):
        groups.append(("dev", common.table(poetry, "dev-dependencies"), (*base, "dev-dependencies"), False))
    for name, items, path, optional in groups:
        for package, value in items.items():
            requirements += _dependency(
                toml, package, value, Env(kind=GROUP, name=name, optional=optional), (*path, package)
            )
    for req in requirements:
        if req.route:
            routes.append(
                Route(
                    package=req.name, index=req.route, where=req.where, marker=req.marker, env=req.env, span=req.whole
                )
            )
    if not listed:
        facts += _extras(toml, main, extras)
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
        routes=tuple(routes),
        locks=locks,
        facts=tuple(facts),
        python=python,
        python_where=toml.where(*python_path) if python else None,
        python_span=toml.inner(*python_path),
        extras=tuple(extras.items()) + tuple(extras_621),
        published=poetry.get("package-mode", True) is not False and _published(toml),
        dynamic=False,
        linux_only=linux_only(common.array(project, "classifiers") + common.array(poetry, "classifiers")),
        path_sources=any(req.url.startswith(("path:", "git:")) for req in requirements),
        title=common.string(project, "name") or common.string(poetry, "name"),
    )


def _published(toml: Toml) -> bool:
    classifiers = common.array(toml.data, "project", "classifiers") + common.array(
        toml.data, "tool", "poetry", "classifiers"
    )
    return "build-system" in toml.data and not any("Do Not Upload" in str(item) for item in classifiers)


def linux_only(classifiers: list[Any]) -> bool:
    """Whether the classifiers name Linux and no other system."""
    systems = [str(item) for item in classifiers if str(item).startswith("Operating System ::")]
    return bool(systems) and all("Linux" in item for item in systems)


def _enriched(req: Requirement, found: list[Requirement]) -> list[Requirement]:
    """A requirement of [project] with each of Poetry's entries on the same name that can apply to it."""
    from gatepost.record import replace

    if req.env.kind not in (MAIN, EXTRA) or not found:
        return [req]
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


def _sources(toml: Toml, sources: list[Any]) -> tuple[list[Index], list[Fact]]:
    indexes: list[Index] = []
    facts: list[Fact] = []
    primaries = sum(1 for item in sources if isinstance(item, dict) and _priority(item) in ("primary", "default"))
    names: dict[str, int] = {}
    for number, item in enumerate(sources):
        if not isinstance(item, dict):
            continue
        path = ("tool", "poetry", "source", number)
        name, priority = str(item.get("name", "")), _priority(item)
        url = str(item.get("url", ""))
        if name.lower() in names:
            facts.append(
                Fact(
                    code="TS133",
                    where=toml.where(*path, "name"),
                    message=f"source `{name}` is declared twice (Poetry refuses the file)",
                    remedy="Remove or rename one of the two [[tool.poetry.source]] entries.",
                )
            )
        names[name.lower()] = number
        role = {"explicit": ROUTED, "supplemental": FALLBACK, "secondary": FALLBACK}.get(priority, "")
        if not role:
            role = DEFAULT if primaries == 1 and not urls.is_pypi(url) and name.lower() != "pypi" else SHARED
        if (not url and name.lower() == "pypi") or urls.is_pypi(url):
            url = url or "pypi"
            role = "pypi" if priority != "explicit" else ROUTED
        legacy = _legacy(item)
        if legacy:
            key = legacy if legacy in item else "priority"
            target = "primary" if legacy == "default" else "supplemental"
            if urls.is_torch_index(url):
                target = "explicit"
            facts.append(
                Fact(
                    code="TS108",
                    where=toml.where(*path, key),
                    message=f"source `{name}` uses {_shown_legacy(item)}, which Poetry 2 rejects",
                    remedy=f'Write `priority = "{target}"`, then run `poetry lock`.'
                    if priority in ("default", "secondary")
                    else f"Remove `{legacy}`, then run `poetry lock`.",
                    edits=_legacy_edits(toml, path, item, target),
                )
            )
        indexes.append(
            Index(
                name=name,
                url=url,
                where=toml.where(*path, "url") if item.get("url") else toml.where(*path),
                role=role,
                span=toml.inner(*path, "url"),
                written=priority,
            )
        )
    return indexes, facts


def _legacy_edits(
    toml: Toml, path: tuple[str | int, ...], item: dict[str, Any], target: str
) -> tuple[tuple[int, int, str], ...]:
    """`priority = "default"` -> the new word; the keys `default` and `secondary` -> one priority key, or none."""
    edits: list[tuple[int, int, str]] = []
    doc = toml.document()
    header = doc.statement(path)
    if header is None:  # an inline table
        return ()
    written = item.get("priority")
    if str(written).lower() in ("default", "secondary"):
        inner = toml.inner(*path, "priority")
        if inner is None:
            return ()
        edits.append((*inner, target))
    wanted = written is None and (item.get("default") is True or item.get("secondary") is True)
    for key in ("default", "secondary"):
        statement = doc.statement((*path, key))
        if statement is None:
            continue
        if wanted and item[key] is True:
            edits.append((statement.key_start, statement.value_end, f'priority = "{target}"'))
            wanted = False
        elif statement.comment_start >= 0:
            edits.append((statement.key_start, statement.comment_start, ""))
        else:
            edits.append((statement.start, statement.end, ""))
    return tuple(edits)


def _priority(item: dict[str, Any]) -> str:
    written = item.get("priority")
    if isinstance(written, str):
        return written.lower()
    if item.get("secondary") is True:
        return "secondary"
    if item.get("default") is True:
        return "default"
    return "primary"


def _legacy(item: dict[str, Any]) -> str:
    written = item.get("priority")
    if isinstance(written, str) and written.lower() in ("default", "secondary"):
        return written.lower()
    return next((key for key in ("default", "secondary") if key in item), "")


def _shown_legacy(item: dict[str, Any]) -> str:
    if str(item.get("priority")).lower() in ("default", "secondary"):
        return f'`priority = "{item["priority"]}"`'
    key = _legacy(item)
    return f"the key `{key} = {str(item[key]).lower()}`"


def _dependency(toml: Toml, name: str, value: Any, env: Env, path: tuple[str | int, ...]) -> list[Requirement]:
    items = value if isinstance(value, list) else [value]
    found = []
    for number, item in enumerate(items):
        place = (*path, number) if isinstance(value, list) else path
        if isinstance(item, str):
            item, inner = {"version": item}, toml.inner(*place)
        elif isinstance(item, dict):
            inner = toml.inner(*place, "version")
        else:
            continue
        version = item.get("version")
        text = version if isinstance(version, str) else ""
        url = str(item.get("url") or "")
        for key in ("path", "git", "file"):
            if item.get(key):
                url = f"{key}:{item[key]}"
        found.append(
            Requirement(
                name=fold(name),
                text=text,
                spec=specs.parse(text, specs.POETRY),
                marker=marker(item),
                env=env,
                where=toml.where(*place),
                route=str(item.get("source") or ""),
                url=url,
                optional=bool(item.get("optional")),
                extras=tuple(str(extra) for extra in common.array(item, "extras")),
                span=inner,
                whole=toml.span(*place),
            )
        )
    return found


def marker(item: dict[str, Any]) -> str:
    """The marker of a Poetry dependency: `markers`, `platform` and `python` together."""
    parts = []
    if isinstance(item.get("markers"), str) and item["markers"].strip():
        parts.append(f"({item['markers']})")
    if isinstance(item.get("platform"), str):
        choices = [_PLATFORM.get(part.strip().lower(), part.strip()) for part in re.split(r"\|\|?|,", item["platform"])]
        clauses = [
            f"sys_platform != '{part[1:].strip('= ')}'"
            if part.startswith("!")
            else f"sys_platform == '{part.lstrip('= ')}'"
            for part in choices
            if part
        ]
        if clauses:
            parts.append("(" + " or ".join(clauses) + ")")
    if isinstance(item.get("python"), str):
        alternatives = []
        for group in specs.parse(item["python"], specs.POETRY).alternatives:
            clauses = [text for clause in group if (text := _python_clause(clause))]
            if clauses:
                alternatives.append("(" + " and ".join(clauses) + ")")
        if alternatives:
            parts.append("(" + " or ".join(alternatives) + ")")
    return " and ".join(parts)


def _python_clause(clause: specs.Clause) -> str:
    if clause.op == "*":
        return ""
    if clause.op == "=*":
        return f"python_version == '{clause.version}'" if clause.version.count(".") == 1 else ""
    if clause.op in ("^", "~"):
        release = [int(part) for part in re.findall(r"\d+", clause.version)[:2]]
        limit = f"{release[0] + 1}" if clause.op == "^" or len(release) < 2 else f"{release[0]}.{release[1] + 1}"
        return f"python_version >= '{clause.version}' and python_version < '{limit}'"
    return f"python_full_version {clause.op} '{clause.version}'"


def _extras(toml: Toml, main: dict[str, Any], extras: dict[str, tuple[str, ...]]) -> list[Fact]:
    """Extras name main dependencies that are optional; anything else does nothing."""
    facts: list[Fact] = []
    declared = {fold(name): value for name, value in main.items()}
    wanted: set[str] = set()
    for extra, names in extras.items():
        for number, name in enumerate(names):
            wanted.add(name)
            where = toml.where("tool", "poetry", "extras", extra, number)
            if name not in declared:
                facts.append(
                    Fact(
                        code="TS130",
                        where=where,
                        message=f"extra `{extra}` names `{name}`, which is not a main dependency, so the extra cannot install it",
                        remedy=f"Declare `{name}` in [tool.poetry.dependencies] with `optional = true`, or remove it from the extra.",
                    )
                )
            elif not _optional(declared[name]) and not _has_extra_marker(declared[name]):
                facts.append(
                    Fact(
                        code="TS131",
                        where=where,
                        message=f"extra `{extra}` names `{name}`, which is always installed: the extra changes nothing",
                        remedy=f"Give `{name}` `optional = true` in [tool.poetry.dependencies], or remove it from the extra.",
                    )
                )
    for name, value in main.items():
        if _optional(value) and fold(name) not in wanted and not _has_extra_marker(value):
            facts.append(
                Fact(
                    code="TS132",
                    where=toml.where("tool", "poetry", "dependencies", name),
                    message=f"`{name}` is optional, but no extra names it: nothing can install it",
                    remedy=f"Name `{name}` under [tool.poetry.extras], or remove `optional = true`.",
                )
            )
    return facts


def _optional(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return any(isinstance(item, dict) and item.get("optional") is True for item in items)


def _has_extra_marker(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return any(
        isinstance(item, dict) and markers.extra_names(markers.parse(str(item.get("markers", "")))) for item in items
    )
