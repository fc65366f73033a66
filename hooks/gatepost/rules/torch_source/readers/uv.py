"""uv's project: a pyproject with `[tool.uv]` or a uv.toml beside it, its workspace, and what of them PyTorch is in."""

from __future__ import annotations

from gatepost.record import replace
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.model import (
    CONSTRAINT,
    OVERRIDE,
    ROUTED,
    Fact,
    Project,
    fold,
)
from gatepost.rules.torch_source.readers import common, pep621, uv_indexes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gatepost.rules.torch_source.model import Index, Lock, Requirement, Route
    from gatepost.rules.torch_source.readers.common import Toml


def read(
    toml: Toml,
    config: Toml | None,
    members: list[Toml],
    root: Toml | None,
    locks: tuple[Lock, ...],
    tool: str,
    beside: Sequence[Toml] = (),
) -> Project:
    """The project of a PEP 621 pyproject.

    Args:
        config: the `uv.toml` beside it, which then replaces `[tool.uv]` (but for sources and the like: an index of
            `[tool.uv]` then serves only what is routed to it by name, tested with uv 0.13.8).
        members: the pyprojects of its workspace members.
        root: the pyproject of the workspace it is a member of, whose indexes and sources also apply.
        beside: the pyprojects of all others of its workspace: uv locks for the Pythons that every one allows.
    """
    uv = common.table(toml.data, "tool", "uv")
    project = common.table(toml.data, "project")
    requirements, indexes, routes = _together(toml, config, members, root)
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
    published = _published(toml, uv)
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
        indexes=tuple(indexes if "best-match" in strategy else uv_indexes.in_order(indexes)),
        routes=tuple(routes),
        locks=locks,
        facts=tuple(_facts(place, prefix, settings)),
        python=python,
        python_where=toml.where("project", "requires-python") if python else None,
        python_span=toml.inner("project", "requires-python"),
        python_beside=()
        if published
        else tuple(common.string(one.data, "project", "requires-python") for one in beside),
        environments=_markers(settings.get("environments")),
        required=_markers(settings.get("required-environments")),
        conflicts=tuple(conflicts),
        extras=tuple(
            (name, tuple(pep621.names_in(items)))
            for name, items in common.table(project, "optional-dependencies").items()
        ),
        published=published,
        dynamic=dynamic,
        linux_only=common.linux_only(common.array(project, "classifiers")),
        strategy=strategy,
        settings_torch_backend=backend,
        path_sources=_has_foreign_sources(toml),
        members=bool(members) or root is not None,
        foreign=tuple(req for member in members for req in pep621.requirements(member)),
        title=common.string(project, "name"),
        includes=pep621.includes(toml),
    )


def _together(
    toml: Toml, config: Toml | None, members: list[Toml], root: Toml | None
) -> tuple[list[Requirement], list[Index], list[Route]]:
    """What a project requires, and its indexes and sources, with what its uv.toml and its workspace add."""
    requirements = pep621.requirements(toml)
    indexes = uv_indexes.indexes(toml, ("tool", "uv"))
    if config is not None:
        named = [replace(index, role=ROUTED) for index in indexes if index.name]
        indexes = uv_indexes.indexes(config, ())
        indexes += [index for index in named if not any(index.name == have.name for have in indexes)]
    routes = uv_indexes.routes(toml)
    if root is not None:
        inherited = uv_indexes.indexes(root, ("tool", "uv"))
        requirements += [req for req in pep621.requirements(root) if req.role in (CONSTRAINT, OVERRIDE)]
        own = {route.package for route in routes}
        routes += [route for route in uv_indexes.routes(root) if route.package not in own]
        indexes += [index for index in inherited if not any(index.name and index.name == have.name for have in indexes)]
    for member in members:
        own_routes = uv_indexes.routes(member)
        routes += [route for route in own_routes if route.package not in {req.name for req in requirements}]
        indexes += [index for index in uv_indexes.indexes(member, ("tool", "uv")) if index.role == ROUTED]
    return requirements, indexes, routes


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


def _has_foreign_sources(toml: Toml) -> bool:
    for value in common.table(toml.data, "tool", "uv", "sources").values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and any(item.get(key) for key in ("path", "git", "workspace", "url")):
                return True
    return " @ " in toml.text or "git+" in toml.text


def _facts(place: Toml, prefix: tuple[str, ...], settings: dict[str, Any]) -> list[Fact]:
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
