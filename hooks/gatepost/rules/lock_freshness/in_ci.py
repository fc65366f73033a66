"""LF405 in CI: a job installs without saying that the lock must hold, and no other step would notice a stale one."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.installs.commands import installs
from gatepost.model import INFO, WARNING, Finding, Location
from gatepost.rules.lock_freshness.owners import STRICT, STRICT_ENV, TEMPLATE, TOOL_LOCK, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.projects import Repository


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
