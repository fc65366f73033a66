"""What the declared dependencies of a pyproject bring when no lock is read."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.names import canonical
from gatepost.rules.torch_source import markers
from gatepost.rules.torch_source.carriers import GPU_ONLY
from gatepost.rules.torch_source.installed import groups
from gatepost.rules.torch_source.installed.build import FAMILY, Asked, Effect, carries, index_build, labelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
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
    routed = _routes(tool) if install.tool in ("uv", "uv-pip") and not install.has("--no-sources") else {}
    asked = []
    gpu = ""
    entries: list[tuple[str, tuple[str, ...], str, str, str, str]] = []
    for item in listed:
        match = re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?\s*(?:@\s*(\S+)|([^;]*))?(?:;(.*))?$", item)
        if match:
            name = canonical(match[1])
            given = tuple(part.strip() for part in (match[2] or "").split(",") if part.strip())
            entries.append(
                (
                    name,
                    given,
                    (match[4] or "").strip(),
                    match[3] or "",
                    (match[5] or "").strip(),
                    routed.get(name, build),
                )
            )
    table = poetry.get("dependencies", {})
    for key, value in table.items() if isinstance(table, dict) else ():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                entries.append((canonical(key), (), one, "", "", build))
            elif isinstance(one, dict) and not one.get("optional"):
                marker = str(one.get("markers", ""))
                if str(one.get("platform", "linux")) != "linux":
                    continue
                source = index_build(_poetry_source(poetry, str(one["source"]))) if "source" in one else build
                extra = one.get("extras", [])
                entries.append(
                    (
                        canonical(key),
                        tuple(extra) if isinstance(extra, list) else (),
                        str(one.get("version", "")),
                        str(one.get("url", "")),
                        marker,
                        source if install.tool == "poetry" else build,
                    )
                )
    line = line_of(repository.text(path))
    world = " ".join(sorted(extras)) if install.tool == "poetry" and "*" not in wanted else None
    for name, given, spec, url, marker, own in entries:
        if marker and not markers.possible(marker, "linux_x86_64", extra=world, python=python):
            continue
        gpu = gpu or (name if name in GPU_ONLY else "")
        if carries(name, given):
            asked.append(
                Asked(
                    name=name,
                    spec=spec if name == "torch" else "",
                    build=labelled(spec, url, own)
                    if name in FAMILY
                    else routed.get("torch", build)
                    if _has_torch(entries)
                    else build,
                    path=path,
                    line=line(name),
                    range=spec,
                )
            )
    its_sources = poetry.get("source")
    if install.tool == "poetry" and any(
        isinstance(source, dict) and index_build(str(source.get("url", ""))) != "pypi"
        for source in (its_sources if isinstance(its_sources, list) else ())
    ):
        asked = [one for one in asked if one.build != "pypi"]
    return Effect(asked=tuple(asked), gpu=gpu, locked=False)


def _has_torch(entries: Iterable[tuple[str, tuple[str, ...], str, str, str, str]]) -> bool:
    return any(entry[0] == "torch" for entry in entries)


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


def _routes(tool: dict[str, Any]) -> dict[str, str]:
    """What `[tool.uv.sources]` gives on linux: package -> build; "" for a mix or a source that is no index."""
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
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and markers.possible(str(one.get("marker", "")), "linux_x86_64"):
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
