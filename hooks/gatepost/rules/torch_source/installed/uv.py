"""What `uv sync` brings: uv.lock walked from the project that is installed."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.names import canonical
from gatepost.patterns import pattern
from gatepost.rules.torch_source import markers, specs
from gatepost.rules.torch_source.carriers import GPU_ONLY
from gatepost.rules.torch_source.installed import groups
from gatepost.rules.torch_source.installed.build import Asked, Effect, index_build
from gatepost.rules.torch_source.installed.manifest import line_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository


_FILES = pattern(rb"^(?:wheels|sdist) = (?:\[\n(?:    [^\n]*\n)*\]|\{[^\n]*\})\n?", re.MULTILINE)


def uv_lock(repository: Repository, lock: str, folder: str, install: Install) -> Effect:
    """Walk uv.lock from the project that is installed, over the groups and extras that the command names."""
    packages = _packages(repository, lock)
    by_name: dict[str, list[dict[str, Any]]] = {}
    for one in packages:
        by_name.setdefault(canonical(str(one.get("name", ""))), []).append(one)
    inner = posixpath.relpath(folder or ".", posixpath.dirname(lock) or ".")
    wanted = {canonical(word.text) for word in install.values("--package")}
    roots = []
    for one in packages:
        source = one.get("source", {})
        where = source.get("editable", source.get("virtual")) if isinstance(source, dict) else None
        if (
            (where == inner and not wanted)
            or (canonical(str(one.get("name"))) in wanted and where is not None)
            or (install.has("--all-packages") and where is not None)
        ):
            roots.append(one)
    if not roots:
        return Effect(asked=(), gpu="", locked=True, unknown=True)
    manifest = repository.toml(posixpath.join(folder, "pyproject.toml"))
    todo: list[tuple[dict[str, Any], str]] = []
    for root in roots:
        todo += [(dependency, "") for dependency in _uv_direct(root, manifest, install)]
    reached: dict[int, tuple[dict[str, Any], str]] = {}
    visited: set[tuple[int, str]] = set()
    while todo:
        dependency, top = todo.pop(0)
        if not markers.possible(_no_extra(str(dependency.get("marker", ""))), "linux_x86_64"):
            continue
        name = canonical(str(dependency.get("name", "")))
        for one in by_name.get(name, ()):
            if "version" in dependency and one.get("version") != dependency["version"]:
                continue
            source = dependency.get("source")
            if source is not None and one.get("source") != source:
                continue
            resolution = one.get("resolution-markers")
            if (
                isinstance(resolution, list)
                and resolution
                and not any(markers.possible(_no_extra(str(marker)), "linux_x86_64") for marker in resolution)
            ):
                continue
            extras = dependency.get("extra", [])
            for extra in ["", *(extras if isinstance(extras, list) else [])]:
                if (id(one), str(extra)) in visited:
                    continue
                visited.add((id(one), str(extra)))
                reached.setdefault(id(one), (one, top or name))
                optional = one.get("optional-dependencies", {})
                more = (
                    one.get("dependencies", [])
                    if not extra
                    else optional.get(extra, [])
                    if isinstance(optional, dict)
                    else []
                )
                todo += (
                    [(inner_one, top or name) for inner_one in more if isinstance(inner_one, dict)]
                    if isinstance(more, list)
                    else []
                )
    line = line_of(repository.text(posixpath.join(folder, "pyproject.toml")))
    asked = []
    gpu = ""
    for one, top in reached.values():
        name = canonical(str(one.get("name", "")))
        if name in GPU_ONLY - {"triton"}:
            gpu = gpu or name
        if name == "torch":
            version = str(one.get("version", ""))
            source = one.get("source", {})
            registry = str(source.get("registry", "")) if isinstance(source, dict) else ""
            label = specs.label(version)
            asked.append(
                Asked(
                    name=top,
                    spec="==" + version,
                    build=label or index_build(registry),
                    path=posixpath.join(folder, "pyproject.toml"),
                    line=line(top),
                )
            )
    return Effect(asked=tuple(asked), gpu=gpu, locked=True)


def _packages(repository: Repository, lock: str) -> list[dict[str, Any]]:
    """The packages of a lock that torch, or what needs a GPU, can be reached from; all of them in an unusual layout."""
    from gatepost.toml.load import TomlError, loads

    data = _leading(repository.read(lock) or b"")
    try:
        found = (loads(data) if data is not None else repository.toml(lock)).get("package")
    except TomlError:
        found = repository.toml(lock).get("package")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _leading(data: bytes) -> bytes | None:
    """The blocks of the projects themselves and of every package that leads to torch, without their files; None where
    the lock is not laid out as uv does it.

    A walk over 300 packages needs ten of them, and parsing all costs more than the rules together.
    """
    parts = data.split(b"\n[[package]]\n")
    if len(parts) < 2 or b'"""' in data or b"'''" in data or b"\r" in data:
        return None
    names: list[bytes] = []
    into: dict[bytes, set[int]] = {}
    roots: set[int] = set()
    for number, block in enumerate(parts[1:]):
        stop = block.find(b'"', 8)
        if not block.startswith(b'name = "') or stop < 0:
            return None
        names.append(block[8:stop])
        head = block.partition(b"\nwheels = [")[0]
        if b"\nsource = { registry" not in head:
            roots.add(number)
        for reference in block.split(b'{ name = "')[1:]:
            into.setdefault(reference[: reference.find(b'"')], set()).add(number)
    todo = [b"torch", *(name.encode() for name in GPU_ONLY - {"triton"})]
    kept = set(roots)
    seen = set(todo)
    by_name: dict[bytes, list[int]] = {}
    for number, name in enumerate(names):
        by_name.setdefault(name, []).append(number)
    while todo:
        name = todo.pop()
        kept.update(by_name.get(name, ()))
        for number in into.get(name, ()):
            if names[number] not in seen:
                seen.add(names[number])
                todo.append(names[number])
    blocks = (_FILES.sub(b"", parts[number + 1]) for number in sorted(kept))
    return b"".join(b"[[package]]\n" + block.rstrip() + b"\n\n" for block in blocks)


def _no_extra(marker: str) -> str:
    """uv's conflict markers (`extra == 'extra-3-app-cpu'`) may hold either way: leave such a marker out."""
    return "" if "extra" in marker else marker


def _uv_direct(root: dict[str, Any], manifest: dict[str, Any], install: Install) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def add(items: Any) -> None:
        found.extend(one for one in items if isinstance(one, dict)) if isinstance(items, list) else None

    chosen, alone = groups.chosen(install, groups.default_groups(manifest))
    if not alone:
        add(root.get("dependencies", []))
    optional = root.get("optional-dependencies", {})
    extras = {canonical(word.text) for word in install.values("--extra")}
    for extra, items in optional.items() if isinstance(optional, dict) else ():
        if not alone and (canonical(extra) in extras or install.has("--all-extras")):
            add(items)
    table = root.get("dev-dependencies", {})
    for group, items in table.items() if isinstance(table, dict) else ():
        if group in chosen or "*" in chosen:
            add(items)
    return found
