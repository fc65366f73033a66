"""LF405 in CI: a job installs without saying that the lock must hold, and no other step would notice a stale one."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.installs.commands import installs
from gatepost.model import ERROR, INFO, WARNING, Finding, Location
from gatepost.rules.lock_freshness.owners import (
    HARMLESS,
    STRICT,
    STRICT_ENV,
    TEMPLATE,
    TOOL_LOCK,
    makes_nothing,
    shown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository
    from gatepost.manifests.shell import Command


def lock_is_checked(repository: Repository, tool: str) -> bool:
    """Whether CI or a pre-commit hook that CI runs would notice a stale lock of this tool."""
    ran = False
    needles = (
        b"--locked",
        b"--check",
        b"pre-commit",
        b"prek",
        b"UV_LOCKED",
        b"--deploy",
        b"verify",
        b"--frozen-lockfile",
    )
    for _, jobs in repository.jobs(*needles):
        for job in jobs:
            for step in job.steps:
                if step.uses.startswith(("pre-commit/action", "j178/prek-action")):
                    ran = True
                for command in step.commands:
                    texts = command.texts
                    if texts[:2] in (("pre-commit", "run"), ("prek", "run")):
                        ran = True
                    if texts[0] == tool and (
                        "--locked" in texts
                        or "--check" in texts
                        or "--frozen-lockfile" in texts
                        or "--deploy" in texts
                        or "verify" in texts[1:2]
                    ):
                        return True
                    if tool == "uv" and texts[0] == "uv" and command.env.get("UV_LOCKED") in ("1", "true"):
                        return True
    configuration = repository.text(".pre-commit-config.yaml")
    hooks = {"uv": "uv-lock", "pdm": "pdm-lock-check", "pipenv": "pipenv"}
    marked = re.search(rf"id:\s*[\"']?(?:{hooks.get(tool, tool)}|lock-freshness|gatepost)\b", configuration)
    return marked is not None and (ran or "ci:" in configuration)


# actions that bring no lock into a checkout
_SETUP = (
    "actions/setup-",
    "astral-sh/setup-uv",
    "docker/setup-",
    "docker/login-action",
    "aws-actions/",
    "google-github-actions/auth",
)


def lacking(repository: Repository) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """LF401: a CI step that says that uv.lock must hold, where there is none in what it checks out."""
    if any(posixpath.basename(path).startswith("uv.lock") for path in repository.paths):
        return
    for path, jobs in repository.jobs(b"uv sync"):
        for job in jobs:
            checkout = job.kind == "gitlab"
            for step in job.steps:
                if step.uses.startswith("actions/checkout"):
                    checkout = not {"repository", "ref", "path"} & set(step.inputs)
                elif step.uses and not step.uses.startswith(_SETUP):
                    break
                fails = _fails(repository, step.commands) if checkout and not step.conditional else None
                if fails is not None:
                    command, lock = fails
                    yield (
                        Finding(
                            code="LF401",
                            where=Location(path=path, line=command.line),
                            message=f"`{shown(command)}` fails without `{lock}`, and there is none",
                            remedy=f"Run `uv lock` and `git add {lock}` (or `git restore --staged --worktree {lock}` if it was deleted).",
                            severity=ERROR,
                        ),
                        (lock, posixpath.join(posixpath.dirname(lock), "pyproject.toml")),
                    )
                    break
                if not all(makes_nothing(one) for one in step.commands) or any(
                    found.tool == "uv" and found.action not in HARMLESS for found in installs(step.commands)
                ):
                    break


def _fails(repository: Repository, commands: Sequence[Command]) -> tuple[Install, str] | None:
    """The `uv sync --locked` (or `--frozen`) among commands that make no lock before it, with the lock that it lacks."""
    for command in commands:
        for found in installs((command,)):
            if found.tool == "uv" and found.action == "sync" and found.has(*STRICT["uv"]):
                folder = command.cwd.strip("/") if command.cwd is not None else None
                if folder is None or found.uncertain or command.conditional:
                    return None
                if found.has("--project", "--directory", "--script", "--help", "--package"):
                    return None
                present = posixpath.join(folder, "pyproject.toml") in repository.paths
                return (found, posixpath.join(repository.workspace(folder), "uv.lock")) if present else None
            if found.tool == "uv" and found.action not in HARMLESS:
                return None
        if not makes_nothing(command):
            return None
    return None


# actions and commands that bring what a job changed into the repository
_PROPOSES = ("peter-evans/create-pull-request", "stefanzweifel/git-auto-commit-action", "EndBug/add-and-commit")


def _follows(repository: Repository) -> str:
    """The workflow that makes uv.lock anew when it is out of date, and brings it into the repository; "" when none does."""
    for path, jobs in repository.jobs(b"uv lock"):
        for job in jobs:
            if re.search(r"releas|publish|bump|nightly|latest", job.name + posixpath.basename(path), re.IGNORECASE):
                continue
            commands = [command for step in job.steps for command in step.commands]
            proposes = any(step.uses.startswith(_PROPOSES) for step in job.steps) or any(
                command.texts[:3] == ("gh", "pr", "create") for command in commands
            )
            if proposes and any(
                found.tool == "uv"
                and found.action == "lock"
                and not found.has("--check", "--locked", "--dry-run", "-U", "--upgrade", "-P", "--upgrade-package")
                for found in installs(commands)
            ):
                return path
    return ""


def workflows(repository: Repository) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """CI that syncs without saying that the lock must hold: once per lock, and only if nothing else checks it."""
    done: set[str] = set()
    for path, jobs in repository.jobs(b"uv sync", b"uv ", b"pdm ", b"pipenv "):
        for job in jobs:
            if re.search(
                r"updat|upgrad|bump|nightly|lowest|latest|release", job.name + posixpath.basename(path), re.IGNORECASE
            ):
                continue
            relocked = False
            for step in job.steps:
                for install in installs(step.commands):
                    tool = install.tool
                    if tool == "uv" and install.action in ("lock", "add", "remove"):
                        relocked = True
                    if tool not in ("uv", "pipenv", "pdm") or install.action not in ("sync", "install") or relocked:
                        continue
                    if (tool in ("pipenv", "pdm") and install.action == "sync") or install.words:
                        continue
                    if install.has(
                        *STRICT[tool],
                        "-U",
                        "--upgrade",
                        "-P",
                        "--upgrade-package",
                        "--resolution",
                        "--no-sources",
                        "--help",
                        "--script",
                        "--active",
                    ):
                        continue
                    env = install.command.env
                    if any(name in env for name in (*STRICT_ENV[tool], "UV_RESOLUTION")):
                        continue
                    where = install.command.cwd
                    for option in install.values("--directory", "--project"):
                        where = posixpath.join(where, option.text) if where is not None and option.known else None
                    if where is None:
                        continue
                    folder = posixpath.normpath(where).strip("/")
                    folder = "" if folder == "." else folder
                    for lock in repository.locks(folder):
                        if (
                            posixpath.basename(lock) == TOOL_LOCK[tool]
                            and lock not in done
                            and not lock_is_checked(repository, tool)
                        ):
                            done.add(lock)
                            follows = _follows(repository) if tool == "uv" else ""
                            yield (
                                Finding(
                                    code="LF405",
                                    where=Location(path=path, line=install.line),
                                    message=f"`{shown(install)}` locks anew, silently, when `{lock}` is out of date, and no "
                                    "step of CI checks the lock"
                                    + (f"; {follows} makes it anew afterwards" if follows else ""),
                                    remedy=f"Write `{TEMPLATE[tool]}`"
                                    + (
                                        " if each change should bring its own lock."
                                        if follows
                                        else ": CI then fails on a stale lock."
                                    ),
                                    severity=INFO if follows else WARNING,
                                    related=(Location(path=lock),),
                                ),
                                (lock,),
                            )
