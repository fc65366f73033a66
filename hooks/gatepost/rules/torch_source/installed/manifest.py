"""What the declared dependencies of a pyproject bring when no lock is read."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.names import canonical
from gatepost.record import record
from gatepost.rules.torch_source import markers
from gatepost.rules.torch_source.carriers import GPU_ONLY
from gatepost.rules.torch_source.installed import groups
from gatepost.rules.torch_source.installed.build import FAMILY, Asked, Effect, carries, index_build, labelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from typing import Any

    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository


def declared(
    repository: Repository, folder: str, install: Install, build: str, extras: tuple[str, ...], python: str = ""
) -> Effect:
    """What the declared dependencies of a pyproject bring when no lock is read."""
    path = posixpath.join(folder, "pyproject.toml")
    data = repository.toml(path)
    project = data.get("project", {})
    dynamic = project.get("dynamic", []) if isinstance(project, dict) else []
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        return Effect(asked=(), gpu="", locked=False, unknown=True)
    chosen, alone = groups.chosen(install, groups.default_groups(data)) if install.tool == "uv" else (set(), False)
    wanted = {"*"} if install.has("--all-extras") else set(extras)
    listed = groups.requirements(data, chosen, wanted, main=not alone)
    tool = data.get("tool", {}) if isinstance(data.get("tool"), dict) else {}
    poetry = tool.get("poetry", {}) if isinstance(tool.get("poetry"), dict) else {}
    routed = (
        _routes(tool, wanted, chosen) if install.tool in ("uv", "uv-pip") and not install.has("--no-sources") else {}
    )
    entries = [*_listed(listed, routed, build), *_of_poetry(poetry, install, build)]
    has_torch = any(entry.name == "torch" for entry in entries)
    line = line_of(repository.text(path))
    world = " ".join(sorted(extras)) if install.tool == "poetry" and "*" not in wanted else None
    asked = []
    gpu = ""
    for entry in entries:
        if entry.marker and not markers.possible(entry.marker, "linux_x86_64", extra=world, python=python):
            continue
        name = entry.name
        gpu = gpu or (name if name in GPU_ONLY else "")
        if carries(name, entry.extras):
            beside = routed.get("torch", build) if has_torch else build
            asked.append(
                Asked(
                    name=name,
                    spec=entry.spec if name == "torch" else "",
                    build=labelled(entry.spec, entry.url, entry.build) if name in FAMILY else beside,
                    path=path,
                    line=line(name),
                    range=entry.spec,
                )
            )
    its_sources = poetry.get("source")
    if install.tool == "poetry" and any(
        isinstance(source, dict) and index_build(str(source.get("url", ""))) != "pypi"
        for source in (its_sources if isinstance(its_sources, list) else ())
    ):
        asked = [one for one in asked if one.build != "pypi"]
    return Effect(asked=tuple(asked), gpu=gpu, locked=False)


@record
class _Entry:
    """A dependency as it is declared; `build` is that of the index it is routed to."""

    name: str
    extras: tuple[str, ...]
    spec: str
    url: str
    marker: str
    build: str


def _listed(items: Iterable[str], routed: dict[str, str], build: str) -> Iterator[_Entry]:
    """Requirements of PEP 508."""
    for item in items:
        match = re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?\s*(?:@\s*(\S+)|([^;]*))?(?:;(.*))?$", item)
        if match:
            name = canonical(match[1])
            yield _Entry(
                name=name,
                extras=tuple(part.strip() for part in (match[2] or "").split(",") if part.strip()),
                spec=(match[4] or "").strip(),
                url=match[3] or "",
                marker=(match[5] or "").strip(),
                build=routed.get(name, build),
            )


def _of_poetry(poetry: dict[str, Any], install: Install, build: str) -> Iterator[_Entry]:
    """Entries of [tool.poetry.dependencies] that a Linux machine installs."""
    table = poetry.get("dependencies", {})
    for key, value in table.items() if isinstance(table, dict) else ():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield _Entry(name=canonical(key), extras=(), spec=one, url="", marker="", build=build)
            elif isinstance(one, dict) and not one.get("optional") and str(one.get("platform", "linux")) == "linux":
                source = index_build(_poetry_source(poetry, str(one["source"]))) if "source" in one else build
                extra = one.get("extras", [])
                yield _Entry(
                    name=canonical(key),
                    extras=tuple(extra) if isinstance(extra, list) else (),
                    spec=str(one.get("version", "")),
                    url=str(one.get("url", "")),
                    marker=str(one.get("markers", "")),
                    build=source if install.tool == "poetry" else build,
                )


def line_of(text: str) -> Callable[[str], int]:
    """A finder of the first line of a manifest that names a package as a key or at the start of a string."""
    rows = text.splitlines()

    def find(name: str) -> int:
        spelled = re.escape(name).replace(r"\-", "[-_.]")
        pattern = re.compile(r"(?:^\s*|[\"'])" + spelled + r"(?![A-Za-z0-9_.-])", re.IGNORECASE)
        skipped = re.compile(r"\s*(?:name|#|description|keywords)\b")
        return next((number for number, row in enumerate(rows, 1) if pattern.search(row) and not skipped.match(row)), 0)

    return find


def _poetry_source(poetry: dict[str, Any], name: str) -> str:
    found = poetry.get("source", [])
    for source in found if isinstance(found, list) else ():
        if isinstance(source, dict) and str(source.get("name", "")).lower() == name.lower():
            return str(source.get("url", ""))
    return ""


def _routes(tool: dict[str, Any], extras: Collection[str], chosen: Collection[str]) -> dict[str, str]:
    """What `[tool.uv.sources]` gives on linux: package -> build; "" for a mix or a source that is no index.

    A source of an extra or a group counts where that is installed: what a project always requires comes from the
    default index then (tested with uv 0.13.8). An extra that asks for others, or a group that includes them, may mean theirs.
    """
    asked = bool(extras or set(chosen) - {"dev"})
    uv = tool.get("uv", {}) if isinstance(tool.get("uv"), dict) else {}
    listed = uv.get("index", [])
    indexes = (
        {str(one.get("name")): str(one.get("url", "")) for one in listed if isinstance(one, dict)}
        if isinstance(listed, list)
        else {}
    )
    table = uv.get("sources", {})
    found: dict[str, str] = {}
    for name, value in table.items() if isinstance(table, dict) else ():
        builds = set()
        items = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
        for one in [one for one in items if _in_force(one, extras, chosen)] or (items if asked else ()):
            if markers.possible(str(one.get("marker", "")), "linux_x86_64"):
                builds.add(index_build(indexes.get(str(one.get("index", "")), "")) if "index" in one else "")
        if builds:
            found[canonical(name)] = builds.pop() if len(builds) == 1 else "cpu" if "cpu" in builds else ""
    open_indexes = (
        [index_build(str(one.get("url", ""))) for one in listed if isinstance(one, dict) and not one.get("explicit")]
        if isinstance(listed, list)
        else []
    )
    for build in open_indexes:
        if build != "pypi":
            found.setdefault("torch", build)
    return found


def _in_force(source: dict[str, Any], extras: Collection[str], chosen: Collection[str]) -> bool:
    """Whether a source has no scope, or that of an extra or a group that is installed ("*": all of them)."""
    for key, names in (("extra", extras), ("group", chosen)):
        if key in source and "*" not in names:
            return canonical(str(source[key])) in {canonical(name) for name in names}
    return True
