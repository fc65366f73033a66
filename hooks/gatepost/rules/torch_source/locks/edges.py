"""Who asks for an entry of a lock: whether a source of an extra or group applies there, whether a marker ever does."""

from __future__ import annotations

import re

from gatepost.rules.torch_source import markers, specs, urls
from gatepost.rules.torch_source.model import FAMILY, fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gatepost.rules.torch_source.model import Lock, Locked, Project, Requirement
    from gatepost.rules.torch_source.view import View


PYTHON_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml")


def ever_applies(p: Project, req: Requirement) -> bool:
    """Whether a requirement's marker may hold for a Python and a platform that the project locks for."""
    if not req.marker:
        return True
    allowed = specs.parse(p.python, specs.POETRY if p.tool == "Poetry" else specs.PEP440) if p.python else None
    minors = [
        minor
        for minor in markers.PYTHONS
        if allowed is None or allowed.broken or allowed.admits(minor) or allowed.admits(f"{minor}.5")
    ]
    own, limits = markers.parse(req.marker), [markers.parse(text) for text in p.environments]
    return any(
        markers.evaluate(own, values) is not False
        and (not limits or any(markers.evaluate(limit, values) is not False for limit in limits))
        for _, values in markers.environments(minors or markers.PYTHONS)
    )


def outside_scopes(p: Project, v: View, path: str, entry: Locked) -> bool:
    """Whether PyPI serves an entry only where no extra or group with a source is installed.

    A source with `extra =` or `group =` reaches what other packages ask for only inside that extra or group; outside
    it uv takes PyPI's build, and marks each edge with `extra != 'extra-<length>-<project>-<extra>'`.
    A requirement of the project on itself (`full = ["app[cu124]"]`) gives such edges to the project too.
    """
    routes = [route for route in p.routes if route.package == entry.name]
    if (
        p.tool != "uv"
        or urls.is_torch_index(entry.origin)
        or not routes
        or not all(route.extra or route.group for route in routes)
    ):
        return False
    scopes = {("extra", fold(route.extra)) if route.extra else ("group", fold(route.group)) for route in routes}
    from gatepost.toml.load import TomlError, loads

    try:
        packages = [one for one in loads(v.tree.read(path) or b"").get("package", ()) if isinstance(one, dict)]
    except (TomlError, AttributeError, TypeError):
        return False
    edges = [
        edge
        for one in packages
        for edge in _edges(one)
        if fold(str(edge.get("name"))) == entry.name
        and edge.get("version", entry.version) == entry.version
        and _from_pypi(edge)
    ]
    return bool(edges) and all(_excludes(edge, scopes) for edge in edges)


def keeps_back(v: View, lock: Lock, fixed: str, since: str) -> bool:
    """Whether a package of a lock, neither PyTorch's nor the project's own, may keep torch below a version.

    poetry.lock says for what range each asks; uv.lock only who does, so that any may, unless nothing in the lock is
    of the day `since` ("2026-03-23") or later: it is only older than the release that it does not have.
    """
    if lock.format not in ("uv.lock", "poetry.lock"):
        return False
    from gatepost.toml.load import TomlError, loads

    data = v.tree.read(lock.path) or b""
    uploads = re.findall(rb'upload-time = "(\d{4}-\d\d-\d\d)', data) if lock.format == "uv.lock" else []
    if uploads and max(uploads).decode() < since:
        return False
    try:
        packages = [one for one in loads(data).get("package", ()) if isinstance(one, dict)]
    except (TomlError, AttributeError, TypeError):
        return True
    for one in packages:
        if fold(str(one.get("name"))) in FAMILY:
            continue
        if lock.format == "poetry.lock":
            given = one.get("dependencies")
            asked = given.get("torch", ()) if isinstance(given, dict) else ()
            for item in asked if isinstance(asked, list) else (asked,):
                text = item.get("version", "") if isinstance(item, dict) else item
                spec = specs.parse(text, specs.POETRY) if isinstance(text, str) and text else None
                if spec is not None and not spec.broken and not spec.admits(fixed):
                    return True
        elif not _own(one) and any(fold(str(edge.get("name"))) == "torch" for edge in _edges(one)):
            return True
    return False


def _own(package: dict[str, Any]) -> bool:
    """Whether an entry of uv.lock is the project itself or a member of its workspace."""
    source = package.get("source")
    return isinstance(source, dict) and any(
        kind in source for kind in ("virtual", "editable", "directory", "workspace")
    )


def _edges(package: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("dependencies", "optional-dependencies", "dev-dependencies"):
        given = package.get(key, ())
        for items in given.values() if isinstance(given, dict) else (given,):
            yield from (one for one in items if isinstance(one, dict)) if isinstance(items, list) else ()


def _from_pypi(edge: dict[str, Any]) -> bool:
    """Whether an edge leads to an entry of no PyTorch index (its source is left out where the name has one entry)."""
    source = edge.get("source")
    return not (isinstance(source, dict) and urls.is_torch_index(str(source.get("registry", ""))))


def _excludes(edge: dict[str, Any], scopes: set[tuple[str, str]]) -> bool:
    """Whether the marker of an edge is false in each scope (and is there at all)."""
    node = markers.parse(str(edge.get("marker", "")))
    named = {scope: name for name in markers.extra_names(node) if (scope := _scope(name))}
    return node is not None and all(
        scope in named
        and all(
            markers.evaluate(node, {**values, "extra": named[scope]}) is False for _, values in markers.environments()
        )
        for scope in scopes
    )


def _scope(name: str) -> tuple[str, str] | None:
    """`extra-3-app-cpu` -> ("extra", "cpu"): the kind, the length of the project's name, the name, the extra."""
    match = re.match(r"(extra|group)-(\d{1,4})-", name)
    return (match[1], fold(name[match.end() + int(match[2]) + 1 :])) if match else None
