"""What a pyproject asks for: `[project]`, dependency groups (PEP 735), and the lists of `[tool.uv]`."""

from __future__ import annotations

import re

from gatepost.rules.torch_source.model import (
    BUILD,
    CONSTRAINT,
    EXTRA,
    GROUP,
    MAIN,
    OVERRIDE,
    Env,
    Requirement,
    fold,
)
from gatepost.rules.torch_source.readers import common

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.rules.torch_source.readers.common import Toml


def includes(toml: Toml) -> tuple[tuple[str, frozenset[str]], ...]:
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


def names_in(items: Any) -> list[str]:
    """The names of the packages that a list asks for."""
    found = []
    for item in items if isinstance(items, list) else ():
        if isinstance(item, str) and (name := re.match(r"\s*([A-Za-z0-9._-]+)", item)):
            found.append(fold(name[1]))
    return found


def requirements(toml: Toml) -> list[Requirement]:
    """Every requirement of a pyproject, each with its part: main, extra, group, constraint, override, build."""
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
    found += limits(toml, Env(kind=MAIN))
    for number, text in enumerate(common.array(toml.data, "build-system", "requires")):
        found.append(common.requirement(toml, text, Env(kind=MAIN), ("build-system", "requires", number), BUILD))
    for package, items in common.table(uv, "extra-build-dependencies").items():
        for number, text in enumerate(items if isinstance(items, list) else ()):
            where = ("tool", "uv", "extra-build-dependencies", package, number)
            found.append(common.requirement(toml, text, Env(kind=MAIN), where, BUILD))
    return [req for req in found if req is not None]


def limits(toml: Toml, env: Env) -> list[Requirement | None]:
    """uv's constraints and overrides, of a project or a script."""
    return [
        common.requirement(toml, text, env, ("tool", "uv", key, number), role)
        for key, role in (
            ("constraint-dependencies", CONSTRAINT),
            ("override-dependencies", OVERRIDE),
            ("build-constraint-dependencies", BUILD),
        )
        for number, text in enumerate(common.array(toml.data, "tool", "uv", key))
    ]
