"""Pipenv: `[[source]]`, `[packages]`, `[dev-packages]` and custom categories of a Pipfile.

Semantics (tested with Pipenv 2026.10): what has no `index =` comes from the first source; an `index =` that no source
has is locked from the first source all the same, with exit code 0, and the name is written into Pipfile.lock.
"""

from __future__ import annotations

from gatepost.rules.torch_source import specs, urls
from gatepost.rules.torch_source.model import (
    DEFAULT,
    GROUP,
    MAIN,
    ROUTED,
    Env,
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

_OTHER = frozenset({"source", "requires", "pipenv", "scripts"})


def read(toml: Toml, locks: tuple[Lock, ...]) -> Project:
    """The project of a Pipfile."""
    indexes = []
    for number, item in enumerate(common.array(toml.data, "source")):
        if not isinstance(item, dict) or not isinstance(item.get("url"), str):
            continue
        path = ("source", number)
        first = number == 0
        role = ROUTED if not first else "pypi" if urls.is_pypi(item["url"]) else DEFAULT
        indexes.append(
            Index(
                name=str(item.get("name") or ""),
                url=item["url"],
                where=toml.where(*path, "url"),
                role=role,
                span=toml.inner(*path, "url"),
                insecure=item.get("verify_ssl") is False,
                written="first" if first else "",
            )
        )
    requirements: list[Requirement] = []
    for section, items in toml.data.items():
        if section in _OTHER or not isinstance(items, dict):
            continue
        env = Env(kind=MAIN) if section == "packages" else Env(kind=GROUP, name=section)
        for name, value in items.items():
            requirements.append(_package(toml, name, value, env, (section, name)))
    routes = tuple(
        Route(package=req.name, index=req.route, where=req.where, marker=req.marker, env=req.env, span=req.whole)
        for req in requirements
        if req.route
    )
    python = str(
        common.table(toml.data, "requires").get("python_version")
        or common.table(toml.data, "requires").get("python_full_version")
        or ""
    )
    return Project(
        tool="Pipenv",
        root=common.folder(toml.path),
        path=toml.path,
        files=(toml.path, *(lock.path for lock in locks)),
        requirements=tuple(requirements),
        indexes=tuple(indexes),
        routes=routes,
        locks=locks,
        python=f"=={python}.*" if python.count(".") == 1 else "",
        python_where=toml.where("requires") if python else None,
        python_pin=python,
    )


def _package(toml: Toml, name: str, value: Any, env: Env, path: tuple[str, ...]) -> Requirement:
    data = value if isinstance(value, dict) else {"version": value if isinstance(value, str) else "*"}
    text = str(data.get("version") or "*")
    parts = [f"({data['markers']})"] if data.get("markers") else []
    for key in ("sys_platform", "platform_machine", "platform_system", "os_name", "python_version"):
        if isinstance(data.get(key), str):
            parts.append(f"{key} {data[key]}")
    url = str(data.get("file") or data.get("path") or data.get("git") or "")
    inner = toml.inner(*path, "version") if isinstance(value, dict) else toml.inner(*path)
    return Requirement(
        name=fold(name),
        text="" if text == "*" else text,
        spec=specs.parse(text if text[:1].isdigit() is False else "==" + text),
        marker=" and ".join(parts),
        env=env,
        where=toml.where(*path),
        route=str(data.get("index") or ""),
        url=url,
        span=inner,
        whole=toml.span(*path),
    )
