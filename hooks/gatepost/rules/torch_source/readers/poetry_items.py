"""One dependency of Poetry in all its spellings, and the extras that name dependencies (TS130-TS132)."""

from __future__ import annotations

import re

from gatepost.rules.torch_source import markers, specs
from gatepost.rules.torch_source.model import (
    Env,
    Fact,
    Requirement,
    fold,
)
from gatepost.rules.torch_source.readers import common

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.rules.torch_source.readers.common import Toml


_PLATFORM = {"linux": "linux", "darwin": "darwin", "win32": "win32", "windows": "win32"}


def dependency(toml: Toml, name: str, value: Any, env: Env, path: tuple[str | int, ...]) -> list[Requirement]:
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


def extras_facts(toml: Toml, main: dict[str, Any], extras: dict[str, tuple[str, ...]], grouped: set[str]) -> list[Fact]:
    """Extras name main dependencies that are optional; anything else does nothing. `grouped`: what groups install."""
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
        if _optional(value) and fold(name) not in wanted | grouped and not _has_extra_marker(value):
            facts.append(
                Fact(
                    code="TS132",
                    where=toml.where("tool", "poetry", "dependencies", name),
                    message=f"`{name}` is optional, but no extra names it: no option of Poetry installs it",
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
