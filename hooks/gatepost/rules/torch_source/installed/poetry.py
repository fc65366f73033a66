"""What `poetry install` brings: poetry.lock walked by name from the groups that the command installs."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.names import canonical
from gatepost.rules.torch_source import markers, specs
from gatepost.rules.torch_source.carriers import GPU_ONLY
from gatepost.rules.torch_source.installed.build import Asked, Effect, index_build
from gatepost.rules.torch_source.installed.manifest import line_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository


def poetry_lock(repository: Repository, lock: str, folder: str, install: Install) -> Effect:
    """Walk poetry.lock by name from the groups that the command installs."""
    data = repository.toml(lock)
    packages = (
        [one for one in data.get("package", []) if isinstance(one, dict)]
        if isinstance(data.get("package"), list)
        else []
    )
    by_name: dict[str, list[dict[str, Any]]] = {}
    for one in packages:
        by_name.setdefault(canonical(str(one.get("name", ""))), []).append(one)
    manifest = repository.toml(posixpath.join(folder, "pyproject.toml"))
    extras, every = _extras(install), install.has("--all-extras")
    todo = [(name, name) for name in _poetry_direct(manifest, install)]
    seen: set[str] = set()
    asked = []
    gpu = ""
    line = line_of(repository.text(posixpath.join(folder, "pyproject.toml")))
    while todo:
        name, top = todo.pop(0)
        if name in seen:
            continue
        seen.add(name)
        for one in by_name.get(name, ()):
            if name in GPU_ONLY - {"triton"}:
                gpu = gpu or name
            if name == "torch":
                source = one.get("source", {})
                version = str(one.get("version", ""))
                where = str(source.get("url", "")) if isinstance(source, dict) else ""
                kind = str(source.get("type", "")) if isinstance(source, dict) else ""
                build = specs.label(version) or (
                    index_build(where) if kind in ("legacy", "") and where else "" if where else "pypi"
                )
                marker = str(one.get("markers", "")) if isinstance(one.get("markers"), str) else ""
                if markers.possible(marker, "linux_x86_64", extra=None if every else " ".join(sorted(extras))):
                    asked.append(
                        Asked(
                            name=top,
                            spec="==" + version,
                            build=build,
                            path=posixpath.join(folder, "pyproject.toml"),
                            line=line(top),
                        )
                    )
            table = one.get("dependencies", {})
            for key, value in table.items() if isinstance(table, dict) else ():
                for entry in value if isinstance(value, list) else [value]:
                    marker = str(entry.get("markers", "")) if isinstance(entry, dict) else ""
                    if isinstance(entry, dict) and entry.get("optional"):
                        continue
                    if "extra ==" in marker or not markers.possible(marker, "linux_x86_64"):
                        continue
                    todo.append((canonical(key), top))
    return Effect(asked=tuple(asked), gpu=gpu, locked=True)


def _extras(install: Install) -> set[str]:
    return {
        canonical(part)
        for word in install.values("--extras", "-E", "--extra")
        for part in re.split(r"[,\s]+", word.text)
        if part
    }


def _poetry_direct(manifest: dict[str, Any], install: Install) -> list[str]:
    found: list[str] = []
    project = manifest.get("project", {})
    tool = manifest.get("tool", {}) if isinstance(manifest.get("tool"), dict) else {}
    poetry = tool.get("poetry", {}) if isinstance(tool.get("poetry"), dict) else {}
    only = {part.strip() for word in install.values("--only") for part in word.text.split(",")}
    without = {part.strip() for word in install.values("--without") for part in word.text.split(",")}
    chosen = {part.strip() for word in install.values("--with") for part in word.text.split(",")}
    extras = _extras(install)

    def main() -> None:
        listed = project.get("dependencies", []) if isinstance(project, dict) else []
        for item in listed if isinstance(listed, list) else ():
            match = re.match(r"\s*([A-Za-z0-9._-]+)", item) if isinstance(item, str) else None
            if match:
                found.append(canonical(match[1]))
        optional = project.get("optional-dependencies", {}) if isinstance(project, dict) else {}
        for extra, items in optional.items() if isinstance(optional, dict) else ():
            if (canonical(extra) in extras or install.has("--all-extras")) and isinstance(items, list):
                found.extend(
                    canonical(match[1])
                    for item in items
                    if isinstance(item, str) and (match := re.match(r"\s*([A-Za-z0-9._-]+)", item))
                )
        table = poetry.get("dependencies", {})
        named = poetry.get("extras", {})
        asked = (
            {
                canonical(str(one))
                for extra, items in named.items()
                if canonical(extra) in extras or install.has("--all-extras")
                for one in (items if isinstance(items, list) else ())
            }
            if isinstance(named, dict)
            else set()
        )
        for key, value in table.items() if isinstance(table, dict) else ():
            if isinstance(value, dict) and value.get("optional") and canonical(key) not in asked:
                continue
            found.append(canonical(key))

    if not only or "main" in only:
        main()
    groups = poetry.get("group", {})
    for name, group in groups.items() if isinstance(groups, dict) else ():
        if not isinstance(group, dict) or name in without or (only and name not in only):
            continue
        if group.get("optional") and name not in chosen and name not in only:
            continue
        if name == "dev" and install.has("--no-dev"):
            continue
        table = group.get("dependencies", {})
        found += [canonical(key) for key in table] if isinstance(table, dict) else []
    return found
