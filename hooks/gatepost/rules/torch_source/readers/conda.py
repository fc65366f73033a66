"""conda's environment.yml and pixi's manifest: channels, match specs, the `pip:` part.

Semantics: the `pytorch` channel ends at 2.5.1; `cudatoolkit` chose builds up to 1.12, `pytorch-cuda` from 1.13 to 2.5;
conda-forge has `pytorch-gpu`, `cuda-version` and the virtual package `__cuda`; pixi needs
`[system-requirements] cuda` for that. Sources: pytorch/pytorch#138506, pixi's documentation.
"""

from __future__ import annotations

from gatepost.manifests import environment
from gatepost.manifests import requirements as lines
from gatepost.model import Location
from gatepost.record import replace
from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.model import DIRECT, FILE, MAIN, Env, Fact, Index, Project, Requirement, fold
from gatepost.rules.torch_source.readers import common
from gatepost.rules.torch_source.readers.own_options import own_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gatepost.rules.torch_source.model import Lock
    from gatepost.rules.torch_source.readers.common import Toml

PIP = "pip"  # the environment kind of the `pip:` part's requirements is FILE, of conda's own MAIN


def read(
    path: str,
    data: bytes,
    locks: tuple[Lock, ...] = (),
    included: Callable[[str], Project | None] = lambda _: None,
) -> Project | None:
    """The project of an environment file, or None if it is none.

    Args:
        locks: conda-lock's for this file.
        included: gives the project of a requirements file that the `pip:` part names.
    """
    file = environment.parse(data)
    if not file.is_environment:
        return None
    requirements: list[Requirement] = []
    indexes: list[Index] = []
    files: list[str] = []
    facts: list[Fact] = []
    for dep in file.dependencies:
        if "{" in dep.name:
            continue
        where = Location(path=path, line=dep.line)
        requirements.append(replace(of_match(dep, where), span=dep.spec_span, whole=dep.span))
    for item in file.pip:
        text = item.text.replace("\n", " ")
        parsed = lines.parse_text(text)
        for option in parsed.options:
            span = (item.span[0] + option.span[0], item.span[0] + option.span[1])
            found = common.index_of(option.name, option.value, Location(path=path, line=item.line), span)
            if found is not None:
                indexes.append(found)
        for name, is_constraint, _ in parsed.includes:
            other = included(common.join(common.folder(path), name)) if "://" not in name else None
            if other is not None and not is_constraint:
                files += other.files
                indexes += other.indexes
                requirements += [replace(req, env=Env(kind=FILE, name=path)) for req in other.requirements]
        for line in parsed.lines:
            if line.name:
                requirements.append(
                    common.of_line(
                        line,
                        Env(kind=FILE, name=path),
                        Location(path=path, line=item.line),
                        span=(item.span[0] + line.span[0], item.span[0] + line.span[1]),
                        whole=item.span,
                    )
                )
    whole = lines.parse_text("\n".join(item.text.replace("\n", " ") for item in file.pip))
    for line in whole.lines:
        if line.name and line.line <= len(file.pip):
            place = Location(path=path, line=file.pip[line.line - 1].line)
            facts += [replace(one, where=place) for one in own_options(path, whole, line, fold(line.name), listed=True)]
    return Project(
        tool="conda",
        root=common.folder(path),
        path=path,
        files=(path, *files, *(lock.path for lock in locks)),
        requirements=tuple(requirements),
        indexes=tuple(indexes),
        facts=tuple(facts),
        channels=file.channels,
        locks=locks,
        title=file.name,
        linux_only=bool(file.platforms) and all("linux" in name for name in file.platforms),
    )


def of_match(dep: environment.CondaDep, where: Location) -> Requirement:
    """The requirement of a match spec, in a file or on a command line."""
    return Requirement(
        name=dep.name,
        text=dep.spec,
        spec=specs.parse(dep.spec, specs.CONDA),
        marker="",
        env=Env(kind=MAIN),
        where=where,
        role="conda",
        channel=dep.channel,
        build=dep.build,
    )


def read_pixi(toml: Toml, prefix: tuple[str, ...], locks: tuple[Lock, ...]) -> Project:
    """The project of a pixi.toml, or of `[tool.pixi]` in a pyproject."""
    data = common.table(toml.data, *prefix)
    head = "workspace" if "workspace" in data else "project"
    requirements: list[Requirement] = []
    indexes: list[Index] = []
    cuda = "cuda" in common.table(data, "system-requirements")
    sections: list[tuple[dict[str, Any], tuple[str, ...], Env]] = [(data, prefix, Env(kind=MAIN))]
    for name, feature in common.table(data, "feature").items():
        if isinstance(feature, dict):
            sections.append((feature, (*prefix, "feature", name), Env(kind="feature", name=name, optional=True)))
            cuda = cuda or "cuda" in common.table(feature, "system-requirements")
    for section, path, env in list(sections):
        for name, target in common.table(section, "target").items():
            if isinstance(target, dict):
                sections.append((target, (*path, "target", name), env))
    for section, path, env in sections:
        for name, value in common.table(section, "dependencies").items():
            requirements.append(_package(toml, name, value, env, (*path, "dependencies", name), "conda"))
        for name, value in common.table(section, "pypi-dependencies").items():
            requirements.append(_package(toml, name, value, env, (*path, "pypi-dependencies", name), DIRECT))
        for number, url in enumerate(common.array(section, "pypi-options", "extra-index-urls")):
            if isinstance(url, str):
                place: tuple[str | int, ...] = (*path, "pypi-options", "extra-index-urls", number)
                found = common.index_of("extra-index-url", url, toml.where(*place), toml.inner(*place))
                if found is not None:
                    indexes.append(found)
    channels = tuple(
        str(item.get("channel")) if isinstance(item, dict) else str(item)
        for item in common.array(data, head, "channels")
    )
    platforms = [str(item) for item in common.array(data, head, "platforms")]
    return Project(
        tool="pixi",
        root=common.folder(toml.path),
        path=toml.path,
        files=(toml.path, *(lock.path for lock in locks)),
        requirements=tuple(requirements),
        indexes=tuple(indexes),
        channels=channels,
        locks=locks,
        system_cuda=cuda,
        linux_only=bool(platforms) and all("linux" in name for name in platforms),
    )


def _package(toml: Toml, name: str, value: Any, env: Env, path: tuple[str, ...], role: str) -> Requirement:
    data = value if isinstance(value, dict) else {"version": value if isinstance(value, str) else "*"}
    text = str(data.get("version") or "*")
    dialect = specs.CONDA if role == "conda" else specs.PEP440
    inner = toml.inner(*path, "version") if isinstance(value, dict) else toml.inner(*path)
    return Requirement(
        name=name.lower() if role == "conda" else fold(name),
        text="" if text == "*" else text,
        spec=specs.parse(text, dialect),
        marker="",
        env=env,
        where=toml.where(*path),
        role=role,
        channel=str(data.get("channel") or ""),
        build=str(data.get("build") or ""),
        url=str(data.get("url") or data.get("git") or data.get("path") or ""),
        span=inner,
    )
