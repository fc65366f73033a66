"""uv and plain PEP 621: `[project]`, dependency groups, `[[tool.uv.index]]`, `[tool.uv.sources]`, conflicts, scripts.

Semantics (tested with uv 0.13): the first index that has a package serves it, listed indexes before the default one;
an `explicit` index serves only what `[tool.uv.sources]` routes to it; a source applies only to what the project (or a
member of its workspace) itself requires, constrains or overrides; `torch-backend` is for `uv pip` only.
"""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.record import replace
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.model import (
    BUILD,
    CONSTRAINT,
    DEFAULT,
    DIRECT,
    EXTRA,
    FALLBACK,
    GROUP,
    LINKS,
    MAIN,
    OVERRIDE,
    ROUTED,
    SCRIPT,
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

    from gatepost.model import Location
    from gatepost.rules.torch_source.model import Lock
    from gatepost.rules.torch_source.readers.common import Toml

_SCRIPT = pattern(rb"(?m)^# /// script\s*$\n((?:^#(?:| .*)$\n)+?)^# ///\s*$")


def read(
    toml: Toml, config: Toml | None, members: list[Toml], root: Toml | None, locks: tuple[Lock, ...], tool: str
) -> Project:
    """The project of a PEP 621 pyproject.

    Args:
        config: the `uv.toml` beside it, which then replaces `[tool.uv]` (but for sources and the like: an index of
            `[tool.uv]` then serves only what is routed to it by name, tested with uv 0.13.8).
        members: the pyprojects of its workspace members.
        root: the pyproject of the workspace it is a member of, whose indexes and sources also apply.
    """
    uv = common.table(toml.data, "tool", "uv")
    project = common.table(toml.data, "project")
    requirements = _requirements(toml)
    foreign = tuple(req for member in members for req in _requirements(member))
    indexes = _indexes(toml, ("tool", "uv"))
    if config is not None:
        named = [replace(index, role=ROUTED) for index in indexes if index.name]
        indexes = _indexes(config, ())
        indexes += [index for index in named if not any(index.name == have.name for have in indexes)]
    routes = _routes(toml, ())
    inherited: list[Index] = []
    if root is not None:
        inherited = _indexes(root, ("tool", "uv"))
        requirements += [req for req in _requirements(root) if req.role in (CONSTRAINT, OVERRIDE)]
        own = {route.package for route in routes}
        routes += [route for route in _routes(root, ()) if route.package not in own]
        indexes += [index for index in inherited if not any(index.name and index.name == have.name for have in indexes)]
    for member in members:
        own_routes = _routes(member, ())
        routes += [route for route in own_routes if route.package not in {req.name for req in requirements}]
        indexes += [index for index in _indexes(member, ("tool", "uv")) if index.role == ROUTED]
    conflicts = _conflicts(toml, "")
    if root is not None:  # uv reads the conflicts of every member (tested with uv 0.13.8)
        conflicts += _conflicts(root, common.string(project, "name"))
    settings = common.table(config.data) if config is not None else uv
    place = config if config is not None else toml
    prefix: tuple[str, ...] = () if config is not None else ("tool", "uv")
    backend = None
    for path in (("torch-backend",), ("pip", "torch-backend")):
        if common.dig(settings, *path) is not None:
            backend = place.where(*prefix, *path)
    python = common.string(project, "requires-python")
    dynamic = not {"dependencies", "optional-dependencies"}.isdisjoint(map(str, common.array(project, "dynamic")))
    strategy = common.string(settings, "index-strategy") or common.string(settings, "pip", "index-strategy")
    return Project(
        tool=tool,
        root=common.folder(toml.path),
        path=toml.path,
        files=(
            toml.path,
            *((config.path,) if config else ()),
            *(lock.path for lock in locks),
            *(m.path for m in members),
        ),
        requirements=tuple(requirements),
        indexes=tuple(indexes if "best-match" in strategy else _in_order(indexes)),
        routes=tuple(routes),
        locks=locks,
        facts=tuple(_facts(toml, place, prefix, settings, requirements, conflicts)),
        python=python,
        python_where=toml.where("project", "requires-python") if python else None,
        python_span=toml.inner("project", "requires-python"),
        environments=_markers(settings.get("environments")),
        required=_markers(settings.get("required-environments")),
        conflicts=tuple(conflicts),
        extras=tuple(
            (name, tuple(_names(items))) for name, items in common.table(project, "optional-dependencies").items()
        ),
        published=_published(toml, uv),
        dynamic=dynamic,
        linux_only=common.linux_only(common.array(project, "classifiers")),
        strategy=strategy,
        settings_torch_backend=backend,
        path_sources=_has_foreign_sources(toml),
        members=bool(members) or root is not None,
        foreign=foreign,
        title=common.string(project, "name"),
        includes=_includes(toml),
    )


def _conflicts(toml: Toml, package: str) -> list[frozenset[str]]:
    """The `conflicts` of a pyproject, as {"extra:cpu", "group:gpu"}; only those of one package, if it is named."""
    found = []
    for group in common.array(toml.data, "tool", "uv", "conflicts"):
        items = [item for item in group if isinstance(item, dict)] if isinstance(group, list) else []
        found.append(
            frozenset(
                f"{kind}:{fold(item[kind])}"
                for item in items
                for kind in ("extra", "group")
                if isinstance(item.get(kind), str) and (not package or fold(str(item.get("package"))) == fold(package))
            )
        )
    return found


def _in_order(indexes: list[Index]) -> list[Index]:
    """The indexes, where those that uv asks after PyPI are asked only for what PyPI does not have.

    It asks them as they are listed, the default one last, and takes the first that has the package.
    """
    asked = [index for role in (SHARED, DEFAULT) for index in indexes if index.role == role]
    first = next((n for n, index in enumerate(asked) if index.role == SHARED and urls.is_pypi(index.url)), len(asked))
    late = {id(index) for index in asked[first + 1 :]}
    return [replace(index, role=FALLBACK) if id(index) in late else index for index in indexes]


def _includes(toml: Toml) -> tuple[tuple[str, frozenset[str]], ...]:
    """Which groups include which (PEP 735), and which extras ask for others of the project itself (`name[extra]`)."""
    own = fold(common.string(toml.data, "project", "name"))
    direct: dict[str, set[str]] = {}
    for group, items in common.table(toml.data, "dependency-groups").items():
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get("include-group"), str):
                direct.setdefault(f"group:{fold(group)}", set()).add(f"group:{fold(item['include-group'])}")
            direct.setdefault(f"group:{fold(group)}", set()).update(_own_extras(item, own))
    for extra, items in common.table(toml.data, "project", "optional-dependencies").items():
        for item in items if isinstance(items, list) else ():
            direct.setdefault(f"extra:{fold(extra)}", set()).update(_own_extras(item, own))
    found = []
    for name in direct:
        reached: set[str] = set()
        todo = [name]
        while todo:
            more = direct.get(todo.pop(), set()) - reached
            reached |= more
            todo += more
        if reached:
            found.append((name, frozenset(reached)))
    return tuple(found)


def _own_extras(item: Any, own: str) -> set[str]:
    match = re.match(r"\s*([A-Za-z0-9._-]+)\s*\[([^\]]*)\]", item) if isinstance(item, str) else None
    if match is None or fold(match[1]) != own:
        return set()
    return {f"extra:{fold(extra.strip())}" for extra in match[2].split(",") if extra.strip()}


def read_script(path: str, data: bytes) -> Project | None:
    """The project in a PEP 723 script, or None if the file has none."""
    found = _SCRIPT.search(data)
    if found is None or b"torch" not in found[1].lower():
        return None
    # Keep every character's place: `# ` becomes two blanks.
    block = re.sub(rb"(?m)^#(?: |$)", b"  ", found[1])
    head = re.sub(rb"[^\n]", b" ", data[: found.start(1)])
    try:
        toml = common.Toml(path, head + block)
    except ValueError:
        return None
    env = Env(kind=SCRIPT, name=path)
    requirements = []
    for number, text in enumerate(common.array(toml.data, "dependencies")):
        req = common.requirement(toml, text, env, ("dependencies", number))
        if req is not None:
            requirements.append(req)
    return Project(
        tool="uv",
        root=common.folder(path),
        path=path,
        files=(path,),
        requirements=tuple(requirements),
        indexes=tuple(_indexes(toml, ("tool", "uv"))),
        routes=tuple(_routes(toml, ())),
        python=common.string(toml.data, "requires-python"),
        python_where=toml.where("requires-python"),
    )


def _names(items: Any) -> list[str]:
    found = []
    for item in items if isinstance(items, list) else ():
        if isinstance(item, str) and (name := re.match(r"\s*([A-Za-z0-9._-]+)", item)):
            found.append(fold(name[1]))
    return found


def _markers(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str))


# What the registry's page of a package shows: a project with none of it is not made for others.
_DESCRIBED = frozenset(
    {
        "description",
        "readme",
        "license",
        "license-files",
        "authors",
        "maintainers",
        "keywords",
        "classifiers",
        "urls",
        "dynamic",
    }
)
_PLACEHOLDER = "Add your description here"  # of `uv init`


def _published(toml: Toml, uv: dict[str, Any]) -> bool:
    """Whether the project may be uploaded: it builds, nothing forbids it, and somebody has described it."""
    classifiers = common.array(toml.data, "project", "classifiers")
    project = common.table(toml.data, "project")
    return (
        "build-system" in toml.data
        and not _DESCRIBED.isdisjoint(project)
        and project.get("description") != _PLACEHOLDER
        and uv.get("package") is not False
        and not any("Do Not Upload" in str(item) for item in classifiers)
    )


def _requirements(toml: Toml) -> list[Requirement]:
    project = common.table(toml.data, "project")
    uv = common.table(toml.data, "tool", "uv")
    found: list[Requirement | None] = []
    for number, text in enumerate(common.array(project, "dependencies")):
        found.append(common.requirement(toml, text, Env(kind=MAIN), ("project", "dependencies", number)))
    for extra, items in common.table(project, "optional-dependencies").items():
        env = Env(kind=EXTRA, name=extra, optional=True)
        for number, text in enumerate(items if isinstance(items, list) else ()):
            found.append(common.requirement(toml, text, env, ("project", "optional-dependencies", extra, number)))
    for group, items in common.table(toml.data, "dependency-groups").items():
        env = Env(kind=GROUP, name=group, optional=group != "dev")
        for number, text in enumerate(items if isinstance(items, list) else ()):
            found.append(common.requirement(toml, text, env, ("dependency-groups", group, number)))
    for number, text in enumerate(common.array(uv, "dev-dependencies")):
        env = Env(kind=GROUP, name="dev")
        found.append(common.requirement(toml, text, env, ("tool", "uv", "dev-dependencies", number)))
    for key, role in (
        ("constraint-dependencies", CONSTRAINT),
        ("override-dependencies", OVERRIDE),
        ("build-constraint-dependencies", BUILD),
    ):
        for number, text in enumerate(common.array(uv, key)):
            found.append(common.requirement(toml, text, Env(kind=MAIN), ("tool", "uv", key, number), role))
    for number, text in enumerate(common.array(toml.data, "build-system", "requires")):
        found.append(common.requirement(toml, text, Env(kind=MAIN), ("build-system", "requires", number), BUILD))
    for package, items in common.table(uv, "extra-build-dependencies").items():
        for number, text in enumerate(items if isinstance(items, list) else ()):
            where = ("tool", "uv", "extra-build-dependencies", package, number)
            found.append(common.requirement(toml, text, Env(kind=MAIN), where, BUILD))
    return [req for req in found if req is not None]


def _indexes(toml: Toml, prefix: tuple[str, ...]) -> list[Index]:
    data = common.table(toml.data, *prefix)
    found: list[Index] = []
    for number, item in enumerate(common.array(data, "index")):
        if not isinstance(item, dict) or not isinstance(item.get("url"), str):
            continue
        path: tuple[str | int, ...] = (*prefix, "index", number)
        if item.get("explicit") is True:
            role, written = ROUTED, "explicit"
        elif item.get("default") is True:
            role, written = DEFAULT, "default"
        else:
            role, written = SHARED, ""
        if item.get("format") == "flat" and role != ROUTED:
            role = LINKS
        found.append(
            Index(
                name=str(item.get("name") or ""),
                url=item["url"],
                where=toml.where(*path, "url"),
                role=role,
                span=toml.inner(*path, "url"),
                written=written,
            )
        )
    bases: tuple[tuple[str, ...], ...] = ((), ("pip",))
    for base in bases:
        section = common.table(data, *base)
        url = section.get("index-url")
        if isinstance(url, str):
            found.append(
                Index(
                    name="",
                    url=url,
                    where=toml.where(*prefix, *base, "index-url"),
                    role=DEFAULT if not base else "pip-only",
                    span=toml.inner(*prefix, *base, "index-url"),
                    written="index-url",
                )
            )
        for key, role in (("extra-index-url", SHARED), ("find-links", LINKS)):
            value = section.get(key)
            for number, url in enumerate(value if isinstance(value, list) else ()):
                if isinstance(url, str):
                    place: tuple[str | int, ...] = (*prefix, *base, key, number)
                    found.append(
                        Index(
                            name="",
                            url=url,
                            where=toml.where(*place),
                            role=role if not base else "pip-only",
                            span=toml.inner(*place),
                            written=key,
                        )
                    )
    return found


def _routes(toml: Toml, prefix: tuple[str, ...]) -> list[Route]:
    found: list[Route] = []
    for package, value in common.table(toml.data, "tool", "uv", "sources").items():
        items = value if isinstance(value, list) else [value]
        for number, item in enumerate(items):
            if not isinstance(item, dict):
                continue
            path = ("tool", "uv", "sources", package) + ((number,) if isinstance(value, list) else ())
            url = ""
            for key in ("url", "path", "git", "workspace"):
                if item.get(key):
                    url = f"{key}:{item[key]}"
            found.append(
                Route(
                    package=fold(package),
                    index=str(item.get("index") or ""),
                    where=toml.where(*path),
                    marker=str(item.get("marker") or ""),
                    extra=str(item.get("extra") or ""),
                    group=str(item.get("group") or ""),
                    url=url,
                    span=toml.span(*path),
                )
            )
    return found


def _has_foreign_sources(toml: Toml) -> bool:
    for value in common.table(toml.data, "tool", "uv", "sources").values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and any(item.get(key) for key in ("path", "git", "workspace", "url")):
                return True
    return " @ " in toml.text or "git+" in toml.text


def path_dependencies(toml: Toml) -> list[tuple[str, str, Location]]:
    """(package, folder as written, place) of every `path =` source."""
    found = []
    for package, value in common.table(toml.data, "tool", "uv", "sources").items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and isinstance(item.get("path"), str):
                found.append((fold(package), item["path"], toml.where("tool", "uv", "sources", package)))
    return found


def reaches(toml: Toml, name: str, source: dict[str, Any], extras: set[str]) -> bool:
    """Whether a source of a project takes a package from an index for those who depend on it with these extras.

    It does where the project asks for the package itself, in its dependencies or in such an extra; a source for an
    extra, only in that extra; groups are never others' (tested with uv 0.13.8).
    """
    chosen = {fold(extra) for extra in extras}
    if not source.get("index") or source.get("group"):
        return False
    envs = [
        req.env
        for req in _requirements(toml)
        if req.name == fold(name) and req.role == DIRECT and (req.env.kind == MAIN or fold(req.env.name) in chosen)
    ]
    scope = str(source.get("extra") or "")
    return any(
        env.kind == EXTRA and fold(env.name) == fold(scope) if scope else env.kind in (MAIN, EXTRA) for env in envs
    )


def workspace_globs(toml: Toml) -> tuple[list[str], list[str]] | None:
    """(members, exclude) of a workspace root, or None."""
    space = common.dig(toml.data, "tool", "uv", "workspace")
    if not isinstance(space, dict):
        return None
    return (
        [item for item in common.array(space, "members") if isinstance(item, str)],
        [item for item in common.array(space, "exclude") if isinstance(item, str)],
    )


def _facts(
    toml: Toml,
    place: Toml,
    prefix: tuple[str, ...],
    settings: dict[str, Any],
    requirements: list[Requirement],
    conflicts: list[frozenset[str]],
) -> list[Fact]:
    facts: list[Fact] = []
    for number, host in enumerate(common.array(settings, "allow-insecure-host")):
        if isinstance(host, str) and _about_torch(host):
            facts.append(
                Fact(
                    code="TS405",
                    where=place.where(*prefix, "allow-insecure-host", number),
                    message=f"certificates of `{host}` are not checked (allow-insecure-host)",
                    remedy="Remove the host from `allow-insecure-host`.",
                )
            )
    return facts


def _about_torch(host: str) -> bool:
    return urls.split("https://" + host.rsplit("://", maxsplit=1)[-1]).official
