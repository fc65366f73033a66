"""LF403, LF405, LF406 and LF409: an image installs with the tool that owns the lock, and not from the lock."""

from __future__ import annotations

import posixpath

from gatepost.model import ERROR, INFO, WARNING, Finding, Location
from gatepost.record import replace
from gatepost.rules.lock_freshness.holds import before
from gatepost.rules.lock_freshness.in_ci import lock_is_checked
from gatepost.rules.lock_freshness.missing import no_lock
from gatepost.rules.lock_freshness.owners import (
    HARMLESS,
    RELOCK,
    STRICT,
    STRICT_ENV,
    TEMPLATE,
    TOOL_LOCK,
    makes_nothing,
    shown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository
    from gatepost.manifests.shell import Command


def project(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install, place: Location
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    tool = install.tool
    if (tool == "pipenv" and (install.action == "sync" or install.words)) or install.has(
        "--help", "--system-site-packages"
    ):
        if install.words:
            return
    folder = image.project(stage, index, install)
    if folder is None:
        return
    name = TOOL_LOCK[tool]
    manifest = posixpath.join(folder, "Pipfile" if tool == "pipenv" else "pyproject.toml")
    locks = [path for path in repository.locks(folder) if posixpath.basename(path) == name]
    strict = (
        install.has(*STRICT.get(tool, ()))
        or (tool in ("pdm", "pipenv") and install.action == "sync")  # PDM 2.29, Pipenv 2026.10: stop without a lock
        or any(
            install.command.env.get(variable, "0") not in ("", "0", "false", "False")
            for variable in STRICT_ENV.get(tool, ())
        )
    )
    if not locks:
        fails = (
            strict
            and not image.opaque(stage, index)
            and (image.lacks_only(name) or _nowhere(repository, image, stage, index, install))
        )
        command = shown(install) if fails else ""
        yield from no_lock(repository, image, tool, folder, manifest, place, command, strict)
        return
    lock = locks[0]
    inside = _inside(image, stage, index, install, lock, folder)
    if not inside:
        pattern = image.ignored(lock)
        if pattern is not None:
            named = _copied_by_name(image, stage, name)
            yield (
                Finding(
                    code="LF403",
                    where=Location(path=image.ignore_file, line=pattern.line),
                    message=f"`{pattern.text}` keeps `{lock}` out of the image that {image.path}:{install.line} installs with {tool}"
                    + (", and the Dockerfile copies it by name" if named else ""),
                    remedy=f"Remove the pattern, or add `!{name}` below it.",
                    severity=ERROR if named and image.certain else WARNING,
                    related=(place, Location(path=lock)),
                ),
                (lock, image.path),
            )
            return
        if image.opaque(stage, index) or not image.certain:
            return
        yield (
            Finding(
                code="LF409",
                where=place,
                message=f"`{shown(install)}` runs where `{lock}` has not been copied: "
                + ("it fails without a lock" if strict else "every build resolves anew"),
                remedy=f"Copy it before the install: `COPY {posixpath.basename(manifest)} {name} ./`.",
                severity=ERROR if strict else WARNING,
                related=(Location(path=lock),),
            ),
            (lock, manifest),
        )
        return
    if tool in TEMPLATE and not strict and not (tool == "pdm" and install.action == "sync"):
        checked = lock_is_checked(repository, tool)
        yield (
            Finding(
                code="LF405",
                where=place,
                message=f"`{shown(install)}` locks anew, silently, when `{lock}` is out of date: the image then holds "
                "versions that nobody committed",
                remedy=f"Write `{TEMPLATE[tool]}`" + (" (or `--frozen`)." if tool == "uv" else "."),
                severity=INFO if checked else WARNING,
                related=(Location(path=lock),),
            ),
            (lock,),
        )


def _nowhere(repository: Repository, image: Image, stage: Stage, index: int, install: Install) -> bool:
    """Whether no lock can be where the command runs: none in any folder that may be the context, and nothing makes one."""
    name = TOOL_LOCK[install.tool]
    folder = posixpath.dirname(image.path)
    while folder and posixpath.join(folder, name) not in repository.paths:
        folder = posixpath.dirname(folder)
    if posixpath.join(folder, name) in repository.paths or any(
        name in word.text for _, _, step in image.steps(stage) for copy in step.copies for word in copy.sources
    ):
        return False
    if any(
        found.tool == install.tool and found.action not in HARMLESS for found in before(image, stage, index, install)
    ):
        return False
    return not image.touched(stage, index, name, install.command) and not any(
        not makes_nothing(command)
        for _, number, step in image.steps(stage)
        for command in step.commands
        if step.kind == "run" and command is not install.command
    )


def exported(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install, place: Location
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """LF401 and LF402 of `poetry export` and `uv export`, which lock anew where there is no lock."""
    folder = image.project(stage, index, install)
    if folder is None or install.has("--frozen", "--help", "--script"):
        return
    if not image.touched(stage, index, TOOL_LOCK[install.tool], install.command):
        yield from _lacking(repository, image, install.tool, folder, place, strict=install.has("--locked"))


def started(
    repository: Repository, image: Image, stage: Stage, index: int, command: Command
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """LF401 and LF402 of an image that starts with `uv run`, which installs the project then."""
    if command.runner[:2] != ("uv", "run") or command.cwd is None or command.conditional:
        return
    if any(option.startswith(_RUN_OPTIONS) for option in command.runner[2:]) or any(
        name in command.env for name in ("UV_FROZEN", "UV_NO_SYNC", "UV_PROJECT", "UV_WORKING_DIRECTORY")
    ):
        return
    manifest = image.locate(stage, index, posixpath.join(command.cwd, "pyproject.toml"))
    if manifest is not None and not image.touched(stage, index, "uv.lock", command):
        place = Location(path=image.path, line=command.line)
        folder = posixpath.dirname(manifest)
        found = _lacking(repository, image, "uv", folder, place, strict="--locked" in command.runner)
        yield from (
            (replace(one, message=one.message.replace("every build", "every start")), also) for one, also in found
        )


# options of `uv run` that make it install nothing, or another project
_RUN_OPTIONS = (
    "--no-sync",
    "--frozen",
    "--no-project",
    "--isolated",
    "--script",
    "--gui-script",
    "--project",
    "--directory",
    "-s",
)


def _lacking(
    repository: Repository, image: Image, tool: str, folder: str, place: Location, strict: bool
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    if not any(posixpath.basename(path) == TOOL_LOCK[tool] for path in repository.locks(folder)):
        yield from no_lock(repository, image, tool, folder, posixpath.join(folder, "pyproject.toml"), place, "", strict)


def relock(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install, place: Location
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    if install.has("--check", "--locked", "--help", "--check-exists", "--dry-run"):
        return
    folder = image.project(stage, index, install)
    if folder is None:
        return
    name = TOOL_LOCK[install.tool]
    for lock in repository.locks(folder):
        if posixpath.basename(lock) == name:
            yield (
                Finding(
                    code="LF406",
                    where=place,
                    message=f"`{shown(install)}` makes a new lock inside the image, so the committed `{lock}` does not decide what is installed",
                    remedy=f"Run `{RELOCK[install.tool]}` before you commit, and only install in the image.",
                    related=(Location(path=lock),),
                ),
                (lock,),
            )


def _inside(image: Image, stage: Stage, index: int, install: Install, lock: str, folder: str) -> bool:
    """Whether the lock is where the command looks for it."""
    where = install.command.cwd
    for option in install.values("--directory", "--project", "-C", "-P"):
        where = posixpath.join(where, option.text) if where is not None and option.known else None
    if where is None:
        return True
    root = posixpath.dirname(lock)
    up = posixpath.relpath(root or ".", folder or ".")
    target = posixpath.normpath(posixpath.join(where, up, posixpath.basename(lock)))
    return image.locate(stage, index, target) == lock or image.touched(
        stage, index, posixpath.basename(lock), install.command
    )


def _copied_by_name(image: Image, stage: Stage, name: str) -> bool:
    for _, _, step in image.steps(stage):
        for copy in step.copies:
            if copy.source == "" and any(posixpath.basename(word.text) == name for word in copy.sources):
                return True
    return False
