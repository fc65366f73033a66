"""LF404: a Dockerfile installs requirements or a project with pip, and the lock beside them is never looked at."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.installs.commands import installs
from gatepost.manifests.names import canonical
from gatepost.model import INFO, WARNING, Finding, Location
from gatepost.rules.lock_freshness.holds import foreign, torch_base
from gatepost.rules.lock_freshness.loose import dynamic, loose_project
from gatepost.rules.lock_freshness.loose import pins as pins_of
from gatepost.rules.lock_freshness.missing import unlocked, unlocked_project
from gatepost.rules.lock_freshness.owners import TOOL_LOCK, extras_of, from_lock, shown
from gatepost.rules.lock_freshness.paste import (
    application,
    export_without_torch,
    freeze,
    locked_file,
)
from gatepost.rules.lock_freshness.test_image import is_workbench

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Pins, Repository

# requirements of developers, tests and documentation: an image that installs them is not what is deployed
_DEVELOPMENT = re.compile(r"(?i)(?:^|[/_.-])(?:dev|devel|development|tests?|testing|docs?|lint|typing|ci)$")

# what stands beside the requirements and decides their versions
_LIMITED = ("--no-deps", "--require-hashes", "-c", "--constraint", "--constraints", "--override", "--overrides")
_LIMITS = {
    "pip": ("PIP_CONSTRAINT", "PIP_REQUIRE_HASHES"),
    "uv-pip": ("UV_CONSTRAINT", "UV_OVERRIDE", "UV_REQUIRE_HASHES"),
}

_DIRECT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*@\s*(\S+)(?:\s*;(.*))?", re.DOTALL)
_COMPILED_NAME = re.compile(r"(?i)(?:req|lock|constraint|pin).*\.txt$|\.lock$")


def pip(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install, place: Location
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    if install.has(*_LIMITED) or any(
        name in install.command.env and install.command.env[name] != "" for name in _LIMITS.get(install.tool, ())
    ):
        return
    if install.has("-t", "--target") and not install.files:
        return
    from gatepost.manifests.pythons import python_of

    for word in install.files:
        if not word.known or install.command.cwd is None:
            continue
        path = image.locate(stage, index, posixpath.join(install.command.cwd, word.text))
        if path is not None and install.tool == "uv-pip" and posixpath.basename(path) == "pyproject.toml":
            yield from _project(repository, image, stage, index, install, place, posixpath.dirname(path))
            continue
        if path is None or path.endswith((".toml", ".py", ".cfg")):
            continue
        if image.touched(stage, index, posixpath.basename(path), install.command):
            continue
        pins = pins_of(repository, path)
        if pins is not None and pins.loose:
            pins = pins_of(repository, path, python_of(image, stage, install))
        if pins is None or not pins.loose or pins.hashed:
            continue
        folder = posixpath.dirname(path)
        lock = _speaking(repository, folder, pins)
        if lock is not None:
            yield _past(repository, image, stage, index, place, install, f"`{path}`", lock), (path, lock)
            continue
        if _DEVELOPMENT.search(posixpath.splitext(path)[0]) or _DEVELOPMENT.search(folder):
            continue
        compiled = _compiled(repository, path)
        if compiled is not None:
            if not _locked_before(repository, image, stage, index, install):
                yield _uncompiled(place, install, path, compiled), (path, compiled)
        elif not repository.published(folder):
            mild = _dead(image) or (torch_base(image, stage) != "" and is_workbench(image, stage))
            yield (
                unlocked(pins, place, locked_file(repository, image, stage, index, install, path), mild),
                (image.path,),
            )
    if install.paths and not install.files:
        project = image.project(stage, index, install)
        if project is not None:
            yield from _project(repository, image, stage, index, install, place, project)


def _project(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install, place: Location, folder: str
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """What is installed is what the pyproject.toml of a folder asks for."""
    manifest = posixpath.join(folder, "pyproject.toml")
    if _locked_before(repository, image, stage, index, install) or not _copied(image, stage, index, install):
        return
    loose = loose_project(repository, manifest)
    locks = repository.locks(folder)
    if not loose:
        return
    if locks and posixpath.basename(locks[0]) in TOOL_LOCK.values():
        what = "the project" if install.paths else "the dependencies of the project"
        what = f"{what} in `{folder or '.'}`"
        yield _past(repository, image, stage, index, place, install, what, locks[0]), (manifest, locks[0])
    if not locks and not repository.published(folder):
        yield from _unlocked(repository, image, stage, index, install, place, manifest, loose)


def _unlocked(
    repository: Repository,
    image: Image,
    stage: Stage,
    index: int,
    install: Install,
    place: Location,
    manifest: str,
    loose: list[str],
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """LF401 of a project: information where the image is chosen for its torch, or the project is a part of another one."""
    folder = posixpath.dirname(manifest)
    tables = repository.toml(manifest)
    project = tables.get("project", {})
    severity = INFO if _dead(image) else WARNING
    remedy = ""
    whole = application(repository, image, stage, index, install, folder)
    if whole is not None:
        one, number, found, path = whole
        pins = pins_of(repository, path)
        if pins is not None and {canonical(name) for name in loose} <= pins.names:
            return
        severity = INFO
        remedy = locked_file(repository, image, one, number, found, path, manifest, project=True)
    elif torch_base(image, stage) or foreign(repository, image, stage, index, install) or _clashing(tables):
        severity = INFO if torch_base(image, stage) or _dead(image) else WARNING
        name = project.get("name", "") if isinstance(project, dict) else ""
        remedy = freeze(stage, index, install, name if isinstance(name, str) else "")
    elif listed := dynamic(repository, manifest):
        # a uv.lock of such a project cannot be judged from files alone
        remedy = locked_file(repository, image, stage, index, install, *listed, project=True)
    tool = "uv" if "project" in tables else "poetry"
    yield (
        unlocked_project(manifest, loose, place, tool, remedy, severity, extras_of(install)),
        (image.path, posixpath.join(folder, "uv.lock")),
    )


def _dead(image: Image) -> bool:
    """Whether an image copies what the repository no longer has: nobody can have built it from a clean clone."""
    return posixpath.basename(image.absent()) not in ("", *TOOL_LOCK.values())


def _clashing(tables: dict[str, Any]) -> bool:
    """Whether extras take one package from different addresses, which uv locks only if they are declared as `conflicts`."""
    tool, project = tables.get("tool"), tables.get("project")
    uv = tool.get("uv") if isinstance(tool, dict) else None
    extras = project.get("optional-dependencies") if isinstance(project, dict) else None
    if not isinstance(extras, dict) or (isinstance(uv, dict) and "conflicts" in uv):
        return False
    seen: dict[tuple[str, str], str] = {}
    for listed in extras.values():
        for item in listed if isinstance(listed, list) else ():
            if isinstance(item, str) and (match := _DIRECT.match(item)):
                if seen.setdefault((canonical(match[1]), (match[3] or "").strip()), match[2]) != match[2]:
                    return True
    return False


def _copied(image: Image, stage: Stage, index: int, install: Install) -> bool:
    """Whether the pyproject.toml of the folder that is installed is in the image, and not its setup.py alone."""
    where = install.command.cwd
    if not install.paths or where is None:
        return True
    target = posixpath.join(where, install.paths[0].text.split("[", 1)[0], "pyproject.toml")
    return image.locate(stage, index, target) is not None


def _past(
    repository: Repository,
    image: Image,
    stage: Stage,
    index: int,
    place: Location,
    install: Install,
    what: str,
    lock: str,
) -> Finding:
    tool = next(tool for tool, name in TOOL_LOCK.items() if posixpath.basename(lock) == name)
    base = torch_base(image, stage)
    if base:
        remedy = export_without_torch(repository, install, lock) if tool == "uv" else freeze(stage, index, install)
    elif tool == "pipenv":
        remedy = f"Install from the lock with `{from_lock(tool, extras_of(install))}`."
    else:
        remedy = f"Install from the lock with `{from_lock(tool, extras_of(install))}`, or from a file that `{tool} export` made of it."
    return Finding(
        code="LF404",
        where=place,
        message=f"`{shown(install)}` installs {what} and never looks at `{lock}` beside it",
        remedy=remedy,
        severity=INFO if base else WARNING,
        related=(Location(path=lock),),
    )


def _uncompiled(place: Location, install: Install, path: str, compiled: str) -> Finding:
    return Finding(
        code="LF404",
        where=place,
        message=f"`{shown(install)}` installs `{path}`, and not `{compiled}` that was compiled from it",
        remedy=f"Copy `{compiled}` into the image and install that file.",
        related=(Location(path=compiled), Location(path=path)),
    )


def _compiled(repository: Repository, path: str) -> str | None:
    """The file beside a requirements file that its own header says was compiled from it, if it pins everything."""
    from gatepost.locks._compiled import join, parse_command

    folder = posixpath.dirname(path)
    bases = [folder]
    while bases[-1]:
        bases.append(posixpath.dirname(bases[-1]))
    for other in sorted(repository.paths):
        name = posixpath.basename(other)
        if posixpath.dirname(other) != folder or other == path or not _COMPILED_NAME.search(name):
            continue
        if b"autogenerated by" not in (repository.read(other) or b"")[:1000]:
            continue
        file = repository.requirements(other)
        command = parse_command(file.header, file.generated) if file is not None else None
        if command is None or not any(join(base, one) == path for base in bases for one in command.inputs):
            continue
        output = command.values("--output-file")
        pins = pins_of(repository, other)
        if pins is not None and pins.total and not pins.loose and all(posixpath.basename(o) == name for o in output):
            return other
    return None


def _speaking(repository: Repository, folder: str, pins: Pins) -> str | None:
    """The tool lock in the same folder that holds most of the file's packages, if there is one."""
    for name in TOOL_LOCK.values():
        lock = posixpath.join(folder, name)
        if lock not in repository.paths or not pins.names:
            continue
        text = repository.text(lock)
        if name == "Pipfile.lock":
            held = {canonical(found) for found in re.findall(r'^\s{8}"([^"]+)": \{', text, re.MULTILINE)}
        else:
            held = {canonical(found) for found in re.findall(r'(?<![\w-])name = "([^"]+)"', text)}
        if len(pins.names & held) * 2 >= len(pins.names):
            return lock
    return None


def _locked_before(repository: Repository, image: Image, stage: Stage, index: int, install: Install) -> bool:
    """Whether an earlier command of the same image already installed pinned versions."""
    for one, number, step in image.steps(stage):
        for found in installs(step.commands):
            if one is stage and (number > index or (number == index and found.line >= install.line)):
                return False
            if found.tool in TOOL_LOCK and found.action in ("sync", "install", "export"):
                return True
            if found.tool in ("pip", "uv-pip", "pip-sync"):
                for word in found.files:
                    if found.command.cwd is None or not word.known:
                        return True
                    path = image.locate(one, number, posixpath.join(found.command.cwd, word.text))
                    pins = pins_of(repository, path) if path is not None else None
                    if pins is None or not pins.loose:
                        return True
    return False
