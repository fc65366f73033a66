"""Hatch: the environments of `[tool.hatch.envs]`, or of `[envs]` in a hatch.toml.

Each environment is one installation: its `dependencies` and `extra-dependencies`, with those of the environment it is
made from (`template`, else `default`; not where it is `detached`), installed with pip, or with uv where `installer`
says so. The index is an `env-vars` entry. What matrices and overrides change is not known.
Source: Hatch's documentation, "Environment configuration" (inheritance, dependencies, env-vars) and "Virtual
environment" (installer); the internal environments `hatch-test` and `hatch-static-analysis` use uv.
"""

from __future__ import annotations

import re

from gatepost.rules.torch_source.model import Env, Index, Project, Requirement
from gatepost.rules.torch_source.readers import common

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.rules.torch_source.readers.common import Toml

_OPTIONS = {
    "pip": {"PIP_INDEX_URL": "index-url", "PIP_EXTRA_INDEX_URL": "extra-index-url", "PIP_FIND_LINKS": "find-links"},
    "uv": {"UV_DEFAULT_INDEX": "index-url", "UV_INDEX_URL": "index-url"},
}
_OF_UV = ("hatch-test", "hatch-static-analysis")
_TYPES = (None, "virtual")


def read(toml: Toml) -> list[Project]:
    """The projects of a pyproject.toml's or hatch.toml's environments."""
    base = ("tool", "hatch", "envs") if toml.path.endswith("pyproject.toml") else ("envs",)
    envs = {name: env for name, env in common.table(toml.data, *base).items() if isinstance(env, dict)}
    found = [_project(toml, base, name, _line(name, envs), envs) for name in envs]
    return [project for project in found if project.requirements or project.indexes]


def _line(name: str, envs: dict[str, dict[str, Any]]) -> list[str]:
    """An environment and those it is made from, itself first."""
    found: list[str] = []
    while name in envs and name not in found:
        found.append(name)
        if envs[name].get("detached") is True:
            break
        name = str(envs[name].get("template") or "default")
    return found


def _option(line: list[str], envs: dict[str, dict[str, Any]], key: str) -> tuple[str, Any]:
    """The nearest environment of a line that has a key, and its value."""
    return next(((name, envs[name][key]) for name in line if key in envs[name]), ("", None))


def _project(toml: Toml, base: tuple[str, ...], name: str, line: list[str], envs: dict[str, dict[str, Any]]) -> Project:
    env = Env(kind="environment", name=name, optional=name != "default")
    requirements: list[Requirement] = []
    owner, _ = _option(line, envs, "dependencies")
    for one, key in ((owner, "dependencies"), *((one, "extra-dependencies") for one in line)):
        for number, text in enumerate(common.array(envs.get(one), key)):
            if isinstance(text, str) and "{" not in text:  # a field that Hatch fills in
                req = common.requirement(toml, text, env, (*base, one, key, number))
                if req is not None:
                    requirements.append(req)
    installer = _option(line, envs, "installer")[1] or ("uv" if name in _OF_UV else "pip")
    indexes, known = _indexes(toml, base, line, envs, str(installer))
    commands = _option(line, envs, "pre-install-commands")[1]
    chooser, python = _option(line, envs, "python")
    sure = known and _option(line, envs, "type")[1] in _TYPES and not any("overrides" in envs[one] for one in line)
    return Project(
        tool="Hatch",
        root=common.folder(toml.path),
        path=toml.path,
        files=(toml.path,),
        requirements=tuple(requirements),
        indexes=tuple(indexes),
        dynamic=not sure or bool(commands),
        python_pin=python if isinstance(python, str) and re.fullmatch(r"3\.\d+", python) else "",
        python_where=toml.where(*base, chooser, "python") if chooser else None,
        title=name,
    )


def _indexes(
    toml: Toml, base: tuple[str, ...], line: list[str], envs: dict[str, dict[str, Any]], installer: str
) -> tuple[list[Index], bool]:
    """The indexes that an environment's variables name, and whether that is all there is to know of them."""
    found: list[Index] = []
    known = installer in _OPTIONS
    seen: set[str] = set()
    for one in line:
        for variable, value in common.table(envs[one], "env-vars").items():
            option = _OPTIONS.get(installer, {}).get(variable)
            if variable in seen or not isinstance(value, str):
                continue
            seen.add(variable)
            if option is None or "{" in value:
                known = known and "INDEX" not in variable and "FIND_LINKS" not in variable and "{" not in value
                continue
            for url in value.split():
                index = common.index_of(option, url, toml.where(*base, one, "env-vars", variable), None)
                if index is not None:
                    found.append(index)
    return found, known
