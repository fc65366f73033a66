"""Which build of PyTorch an install command brings onto linux x86_64, as far as files can tell.

`effect` answers for one command of an image or of a CI step: directly named packages, requirements files, the
project it installs (its lock if there is one, else its declared dependencies)."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.installs.sources import sources
from gatepost.manifests.names import canonical
from gatepost.manifests.pythons import python_of
from gatepost.rules.torch_source import markers
from gatepost.rules.torch_source.carriers import GPU_ONLY
from gatepost.rules.torch_source.installed.build import (
    FAMILY,
    NOTHING,
    Asked,
    Effect,
    carries,
    index_build,
    labelled,
    sourced,
)
from gatepost.rules.torch_source.installed.manifest import declared
from gatepost.rules.torch_source.installed.uv_settings import configured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository

LOCKS = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}


def effect(repository: Repository, image: Image | None, stage: Stage | None, index: int, install: Install) -> Effect:
    """What an install command of an image (or, with `image` None, of a CI step) brings."""
    if install.tool in ("pip", "uv-pip", "pip-sync") and install.action in ("install", "wheel", "download", "sync"):
        return _pip(repository, image, stage, index, install)
    if install.tool in ("uv", "poetry", "pdm", "pipenv") and install.action in ("sync", "install", "add"):
        if install.action == "add" or (install.tool == "pipenv" and install.words):
            return _named(install, sourced(sources(install)))
        return _project(repository, image, stage, index, install)
    if install.tool == "conda" and install.action in ("install", "create", "update"):
        names = {package.name: package.word for package in install.packages}
        torch = next((name for name in ("pytorch", "pytorch-cpu", "pytorch-gpu", "torch") if name in names), None)
        if torch is not None:
            build = "cpu" if "cpuonly" in names or torch == "pytorch-cpu" else ""
            return Effect(
                asked=(Asked(name="torch", spec="", build=build, path="", line=names[torch].line),),
                gpu="",
                locked=False,
            )
        return Effect(asked=(), gpu="", locked=False, unknown=bool(install.values("-f", "--file")))
    if install.tool == "conda-env" and install.action == "create" and image is not None and stage is not None:
        from gatepost.rules.torch_source.installed import conda

        words = install.values("-f", "--file")
        path = located(repository, image, stage, index, install, words[-1].text) if words and words[-1].known else None
        if path is not None and not image.touched(stage, index, posixpath.basename(path), install.command):
            return conda.effect(path, repository.read(path) or b"", install)
    if install.tool in ("conda-env", "pixi"):
        return Effect(asked=(), gpu="", locked=False, unknown=True)
    return NOTHING


def _named(install: Install, build: str, python: str = "") -> Effect:
    asked = []
    gpu = ""
    for package in install.packages:
        if package.marker and not markers.possible(package.marker, "linux_x86_64", python=python):
            continue
        gpu = gpu or (package.name if package.name in GPU_ONLY else "")
        if package.name == "torch" or (
            carries(package.name, package.extras, package.specifier) and not install.has("--no-deps")
        ):
            asked.append(
                Asked(
                    name=package.name,
                    spec=package.specifier if package.name == "torch" else "",
                    build=labelled(package.specifier, package.url, build) if package.name in FAMILY else build,
                    path="",
                    line=package.word.line,
                    range=package.specifier,
                )
            )
    for word in install.words:
        match = re.search(r"/torch-\d[^/]*\.whl", word.text)
        if match:
            asked.append(Asked(name="torch", spec="", build=labelled("", word.text, ""), path="", line=word.line))
    return Effect(asked=tuple(asked), gpu=gpu, locked=False)


def _pip(repository: Repository, image: Image | None, stage: Stage | None, index: int, install: Install) -> Effect:

    def tables(name: str) -> dict[str, Any]:
        path = located(repository, image, stage, index, install, name)
        return repository.toml(path) if path is not None else {}

    found = configured(install, tables)
    build = sourced(found)
    python = python_of(image, stage, install)
    named = _named(install, build, python)
    asked = list(named.asked)
    # A word that is not known may be options, or nothing: `pip install $PIP_ARGS -r requirements.txt`.
    gpu, unknown = named.gpu, any(not word.known and not word.text.strip() for word in install.words)
    for word in install.files:
        path = located(repository, image, stage, index, install, word.text) if word.known else None
        if path is None or path.endswith((".toml", ".py", ".cfg")):
            if path is not None and path.endswith("pyproject.toml"):
                more = declared(repository, posixpath.dirname(path), install, build, (), python)
                asked += more.asked
                gpu, unknown = gpu or more.gpu, unknown or more.unknown
            else:
                unknown = True
            continue
        if (
            image is not None
            and stage is not None
            and image.touched(stage, index, posixpath.basename(path), install.command)
        ):
            unknown = True
            continue
        more = requirements_effect(repository, path, build, install.has("--no-deps"), python)
        asked += more.asked
        gpu, unknown = gpu or more.gpu, unknown or more.unknown
    for word in install.paths:
        folder = _folder(repository, image, stage, index, install, word.text)
        if folder is None:
            unknown = unknown or image is not None
            continue
        if install.has("--no-deps"):
            continue
        match = re.search(r"\[([^\]]*)\]", word.text)
        extras = tuple(canonical(one.strip()) for one in match[1].split(",")) if match else ()
        more = declared(repository, folder, install, build, extras, python)
        asked += more.asked
        gpu, unknown = gpu or more.gpu, unknown or more.unknown
    for constraint in install.values("-c", "--constraint", "--constraints"):
        path = located(repository, image, stage, index, install, constraint.text) if constraint.known else None
        lines = repository.requirements(path) if path is not None else None
        unknown = unknown or lines is None
        for line in lines.lines if lines is not None else ():
            if canonical(line.name) == "torch" and (label := labelled(line.specifier, line.url, "pypi")) != "pypi":
                asked = [
                    Asked(name=one.name, spec=one.spec, build=label, path=one.path, line=one.line) for one in asked
                ]
    return Effect(asked=tuple(asked), gpu=gpu, locked=False, unknown=unknown)


def located(
    repository: Repository, image: Image | None, stage: Stage | None, index: int, install: Install, name: str
) -> str | None:
    """The repository's path of a file that a command names, or None if it is not known to be one."""
    if install.command.cwd is None:
        return None
    path = posixpath.normpath(posixpath.join(install.command.cwd, name))
    if image is not None and stage is not None:
        return image.locate(stage, index, path)
    path = path.lstrip("/")
    return path if path in repository.paths else None


def _folder(
    repository: Repository, image: Image | None, stage: Stage | None, index: int, install: Install, word: str
) -> str | None:
    target = word.split("[", 1)[0]
    for name in ("pyproject.toml", "setup.py"):
        found = located(repository, image, stage, index, install, posixpath.join(target, name))
        if found is not None:
            return posixpath.dirname(found) if name == "pyproject.toml" else None
    return None


def requirements_effect(repository: Repository, path: str, build: str, alone: bool, python: str = "") -> Effect:
    """What a requirements file and its includes bring; options in the file choose the index, as pip has it.

    Args:
        build: what the command's own sources give.
        alone: whether the command leaves out dependencies.
        python: the version that it installs for, "" where it is not known.
    """
    family = repository.family(path)
    options = [option for _, parsed in family for option in parsed.options]
    chosen = ""
    foreign = False
    for option in options:
        if option.name in ("index-url", "extra-index-url", "find-links"):
            found = index_build(option.value)
            if option.name == "find-links" and not found:
                foreign = True
            elif found == "cpu":
                chosen = "cpu"
            elif found not in ("", "pypi"):
                chosen = chosen or found
            elif found == "":
                foreign = True
    for where, parsed in family:
        for include, constraint, _ in parsed.includes:
            other = (
                repository.requirements(posixpath.normpath(posixpath.join(posixpath.dirname(where), include)))
                if constraint
                else None
            )
            for line in other.lines if other is not None else ():
                if canonical(line.name) == "torch" and (label := labelled(line.specifier, line.url, "pypi")) != "pypi":
                    chosen, foreign = chosen or label, foreign or not label
    default = chosen or ("" if foreign else build)
    asked = []
    gpu = ""
    unknown = False
    for where, parsed in family:
        unknown = unknown or any(
            option.value.startswith("http") for option in parsed.options if option.name == "requirement"
        )
        for line in parsed.lines:
            name = canonical(line.name) if line.name else ""
            if not name:
                unknown = unknown or bool(line.url and not line.url.startswith("."))
                continue
            if line.marker and not markers.possible(line.marker, "linux_x86_64", python=python):
                continue
            gpu = gpu or (name if name in GPU_ONLY else "")
            own = default
            for option in line.options:
                if option.name in ("index-url", "extra-index-url") and index_build(option.value) == "cpu":
                    own = "cpu"
            if name == "torch" or (carries(name, line.extras, line.specifier) and not alone):
                asked.append(
                    Asked(
                        name=name,
                        spec=line.specifier if name == "torch" else "",
                        build=labelled(line.specifier, line.url, own) if name in FAMILY else own,
                        path=where,
                        line=line.line,
                        range=line.specifier,
                    )
                )
    return Effect(asked=tuple(asked), gpu=gpu, locked=False, unknown=unknown and not asked)


def _project(repository: Repository, image: Image | None, stage: Stage | None, index: int, install: Install) -> Effect:
    folder: str | None
    if image is not None and stage is not None:
        folder = image.project(stage, index, install)
    else:
        where = install.command.cwd
        for option in install.values("--directory", "--project", "-C", "-P"):
            where = posixpath.join(where, option.text) if where is not None and option.known else None
        folder = posixpath.normpath(where).strip("/") if where is not None else None
        folder = "" if folder == "." else folder
    if folder is None:
        return Effect(asked=(), gpu="", locked=False, unknown=True)
    name = LOCKS[install.tool]
    lock = next((path for path in repository.locks(folder) if posixpath.basename(path) == name), None)
    if "torch" in [word.text for word in install.values("--no-install-package")] or install.has("--only-dev"):
        return NOTHING
    if lock is not None:
        if b"torch" not in (repository.read(lock) or b""):
            return NOTHING
        if install.tool in ("uv", "poetry"):
            given = tuple((option.name, option.value.text if option.value else "") for option in install.options)
            key = ("torch", lock, folder, install.tool, given)
            if key not in repository.memo:
                repository.memo[key] = _locked(repository, lock, folder, install)
            found: Effect = repository.memo[key]
            return found
    if install.tool == "pdm":
        from gatepost.rules.torch_source.installed import pdm

        return pdm.effect(repository, folder, lock, install)
    if install.tool == "pipenv":
        from gatepost.rules.torch_source.installed import pipenv

        return pipenv.effect(repository, folder, lock, install)
    extras = tuple(canonical(word.text) for word in install.values("--extra", "--extras", "-E"))
    build = "pypi"
    if install.tool == "uv":  # without a lock, `uv sync` resolves: with its indexes, those of the environment first
        within: str = folder

        def tables(name: str) -> dict[str, Any]:
            return repository.toml(posixpath.normpath(posixpath.join(within, posixpath.basename(name))))

        build = sourced(configured(install, tables))
    return declared(repository, folder, install, build, extras)


def _locked(repository: Repository, lock: str, folder: str, install: Install) -> Effect:
    if install.tool == "uv":
        from gatepost.rules.torch_source.installed.uv import uv_lock

        return uv_lock(repository, lock, folder, install)
    from gatepost.rules.torch_source.installed.poetry import poetry_lock

    return poetry_lock(repository, lock, folder, install)
