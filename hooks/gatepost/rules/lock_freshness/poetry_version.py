"""The Poetry that an image or a CI job installs, against the options it is given and the lock it must read."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.installs.commands import installs
from gatepost.model import ERROR, WARNING, Finding, Location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository
    from gatepost.manifests.shell import Command
    from gatepost.manifests.workflow import Job

    Version = tuple[int, ...]

# (action, option or "" for the action itself) -> (first version without it, what to write instead).
GONE: dict[tuple[str, str], tuple[Version, str]] = {
    ("install", "--no-dev"): ((2, 0), "`poetry install --only main`"),
    ("update", "--no-dev"): ((2, 0), "`poetry update --only main`"),
    ("install", "--remove-untracked"): ((2, 0), "`poetry sync`"),
    ("lock", "--no-update"): ((2, 0), "`poetry lock`"),
    ("lock", "--check"): ((2, 0), "`poetry check --lock`"),
}
PLUGINS = {("export", ""): ((2, 0), "poetry-plugin-export"), ("shell", ""): ((2, 0), "poetry-plugin-shell")}
NEW: dict[tuple[str, str], Version] = {
    ("install", "--only"): (1, 2),
    ("install", "--without"): (1, 2),
    ("install", "--with"): (1, 2),
    ("sync", ""): (2, 0),
}
LATEST: Version = (2, 5)  # what an unpinned install gives, at least, on Python 3.9 and newer


def poetry_findings(repository: Repository, image: Image) -> Iterator[Finding]:
    """LF407 and LF408 of one Dockerfile."""
    commands: list[Command] = []
    used: list[tuple[int, int, Install]] = []
    for stage in image.dockerfile.stages:
        for index, step in enumerate(stage.steps):
            commands += step.commands if step.kind == "run" else ()
        used += [(stage.index, index, install) for index, install in image.installs(stage) if install.tool == "poetry"]
    if not used:
        return
    old = any(re.match(r"(?:.*/)?python:(?:2|3\.[5-8])(?:\D|$)", stage.image) for stage in image.dockerfile.stages)
    version, pinned = poetry_version(commands, unpinned=None if old else LATEST)
    if version is None:
        return
    plugins = " ".join(text for command in commands for text in command.texts)
    for number, index, install in used:
        if install.command.conditional:
            continue
        place = Location(path=image.path, line=install.line)
        yield from option_findings(install, place, version, pinned, plugins)
        if install.action not in ("install", "sync"):
            continue
        folder = image.project(image.dockerfile.stages[number], index, install)
        if folder is not None and pinned:
            yield from lock_findings(repository, folder, place, version)


def job_findings(repository: Repository, path: str, job: Job) -> Iterator[Finding]:
    """LF407 and LF408 of one CI job; only where it pins its Poetry."""
    commands = [command for step in job.steps for command in step.commands]
    version, pinned = poetry_version(commands, unpinned=None)
    for step in job.steps:
        given = ""
        if step.uses.startswith("snok/install-poetry"):
            given = step.inputs.get("version", "")
        elif step.uses.startswith("abatilo/actions-poetry"):
            given = step.inputs.get("poetry-version", "")
        if re.fullmatch(r"\d+\.\d+(?:\.\d+)?", given):
            version, pinned = (_version(given), True) if version is None else (None, False)
    if version is None or not pinned:
        return
    text = " ".join(word for command in commands for word in command.texts)
    for install in installs(commands):
        if install.tool != "poetry" or install.command.conditional:
            continue
        place = Location(path=path, line=install.line)
        yield from option_findings(install, place, version, pinned, text)
        if (
            install.action in ("install", "sync")
            and install.command.cwd is not None
            and not install.has("-C", "--directory")
        ):
            folder = install.command.cwd.strip("/")
            if posixpath.join(folder, "pyproject.toml") in repository.paths:
                yield from lock_findings(repository, folder, place, version)


def poetry_version(commands: Sequence[Command], unpinned: Version | None) -> tuple[Version | None, bool]:
    """(the version that the commands install, whether it is pinned); (None, False) when that is not known."""
    found: set[Version] = set()
    loose = False
    for command in commands:
        texts = command.texts
        if any("install.python-poetry" in text or "get-poetry" in text or "install-poetry" in text for text in texts):
            value = command.env.get("POETRY_VERSION", "") if "POETRY_VERSION" in command.env else ""
            if value is None:
                return None, False
            number = _version(value)
            if number:
                found.add(number)
            loose = loose or not number
        if texts[0].startswith("python") and command.after == "|":
            value = command.env.get("POETRY_VERSION")
            if value and (number := _version(value)):
                found.add(number)
            if "--version" in texts and (
                number := _version(texts[texts.index("--version") + 1] if texts[-1] != "--version" else "")
            ):
                found.add(number)
    for install in installs(commands):
        if install.action != "install" or install.tool not in ("pip", "uv-pip", "pipx", "uv-tool"):
            continue
        for package in install.packages:
            if package.name != "poetry":
                continue
            if match := re.fullmatch(r"={2,3}v?(\d[\w.]*)", package.specifier):
                found.add(_version(match[1]))
            elif not package.specifier:
                loose = True
            elif (
                re.match(r"(?:>=|~=)", package.specifier)
                and "<" not in package.specifier
                and (number := _version(package.specifier))
            ):
                if number >= (2,) or (package.specifier.startswith("~=") and len(number) > 2):
                    found.add(number)
                elif package.specifier.startswith("~="):
                    return None, False  # some 1.x
                else:
                    loose = True
            else:
                return None, False
        if any(not word.known and "poetry" in word.text for word in install.words):
            return None, False
    if len(found) == 1:
        return found.pop(), True
    if not found and loose and unpinned is not None:
        return unpinned, False
    return None, False


def option_findings(install: Install, place: Location, version: Version, pinned: bool, text: str) -> Iterator[Finding]:
    """LF407: options and commands that this Poetry does not have."""
    shown = ".".join(map(str, version))
    said = f"Poetry {shown}" if pinned else f"an unpinned Poetry ({LATEST[0]}.x today)"
    severity = ERROR if pinned else WARNING
    for (action, option), (gone, instead) in GONE.items():
        if install.action == action and install.has(option) and version >= gone:
            yield Finding(
                code="LF407",
                where=place,
                message=f"`poetry {action} {option}` was removed in Poetry {gone[0]}.{gone[1]}, and this installs {said}: the command fails",
                remedy=f"Write {instead}.",
                severity=severity,
            )
    for (action, _), (gone, plugin) in PLUGINS.items():
        if install.action == action and version >= gone and plugin not in text:
            yield Finding(
                code="LF407",
                where=place,
                message=f"`poetry {action}` is a plugin since Poetry {gone[0]}.{gone[1]}, and {said} is installed without it: the command fails",
                remedy=f"Install `{plugin}` beside Poetry.",
                severity=severity,
            )
    for (action, option), first in NEW.items():
        if install.action == action and (not option or install.has(option)) and version < first and pinned:
            yield Finding(
                code="LF407",
                where=place,
                message=f"`poetry {action} {option}`".replace(" `", "`")
                + f" needs Poetry {first[0]}.{first[1]}, and this installs {said}: the command fails",
                remedy=f"Install Poetry {first[0]}.{first[1]} or newer.",
            )


def lock_findings(repository: Repository, folder: str, place: Location, version: Version) -> Iterator[Finding]:
    """LF408: a Poetry that is too old for the lock or for the manifest it must read."""
    lock = posixpath.join(folder, "poetry.lock")
    data = repository.text(lock)
    shown = ".".join(map(str, version))
    manifest = posixpath.join(folder, "pyproject.toml")
    project = repository.toml(manifest).get("project")
    wrote = re.match(r"#[^\n]*by Poetry (\d+(?:\.\d+)*)", data)
    if (
        version < (2,)
        and isinstance(project, dict)
        and ("dependencies" in project or "name" in project)
        and "poetry" not in _dynamic(project)
    ):
        tool = repository.toml(manifest).get("tool", {})
        poetry = tool.get("poetry", {}) if isinstance(tool, dict) else {}
        listed = isinstance(poetry, dict) and "dependencies" in poetry and "name" in poetry
        if not listed:
            yield Finding(
                code="LF408",
                where=place,
                message=f"Poetry {shown} does not read `[project]`, where `{manifest}` declares its dependencies: the install fails",
                remedy="Install Poetry 2.0 or newer.",
                severity=ERROR,
                related=(Location(path=manifest),),
            )
            return
    form = re.search(r'^lock-version = "(\d+)\.(\d+)"', data, re.MULTILINE)
    number = (int(form[1]), int(form[2])) if form is not None else ()
    does, why = _reading(version, number)
    if not does:
        return
    by = f", which Poetry {wrote[1]} wrote" if wrote else ""
    newer = f"{wrote[1]}, the one that wrote the lock" if wrote else f"{'1.3' if number == (2, 0) else '2.0'} or newer"
    yield Finding(
        code="LF408",
        where=place,
        message=f"Poetry {shown} {does} lock-version {'.'.join(map(str, number))} of `{lock}`{by}{why}",
        remedy=f"Install Poetry {newer}.",
        severity=WARNING,
        related=(Location(path=lock),),
    )


def _reading(version: Version, form: Version) -> tuple[str, str]:
    """What a Poetry does with a lock of this lock-version, and what follows; ("", "") where it reads all of it.

    Source: `_VERSION`, `_READ_VERSION_RANGE` and `_get_lock_data` of poetry/packages/locker.py in Poetry 1.1.15, 1.2.1,
    1.2.2 (which reads 2.0, and 2.0 only), 1.3.0, 1.8.5 and 2.5.1.
    """
    if version >= (2,) or not (2,) <= form < (3,):
        return "", ""
    if version < (1, 1):
        return "does not know", ""
    if version < (1, 2, 2) or (version < (1, 3) and form > (2, 0)):
        return "refuses", ": the install fails"
    if form == (2, 0):
        return "", ""
    return "does not know", ": it warns, and reads no groups and no markers of the packages"


def _dynamic(project: dict[str, object]) -> tuple[str, ...]:
    return ("poetry",) if isinstance(project.get("dynamic"), list) and "dependencies" in str(project["dynamic"]) else ()


def _version(text: str) -> Version:
    match = re.search(r"(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in match[1].split(".")[:3]) if match else ()
