"""The tools that own a lock: its name, how to make it again, and how an install is told that the lock must hold."""

from __future__ import annotations

from gatepost.locks._base import quote
from gatepost.manifests.installs.commands import install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.manifests.installs import Install
    from gatepost.manifests.shell import Command

TOOL_LOCK = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}
RELOCK = {"uv": "uv lock", "poetry": "poetry lock", "pdm": "pdm lock", "pipenv": "pipenv lock"}
STRICT = {
    "uv": ("--locked", "--frozen"),
    "pdm": ("--frozen-lockfile", "--no-lock", "--check"),
    "pipenv": ("--deploy", "--ignore-pipfile"),
}
STRICT_ENV = {
    "uv": ("UV_LOCKED", "UV_FROZEN"),
    "pdm": ("PDM_FROZEN_LOCKFILE", "PDM_NO_LOCK"),
    "pipenv": ("PIPENV_DEPLOY", "PIPENV_IGNORE_PIPFILE"),
}
TEMPLATE = {"uv": "uv sync --locked", "pdm": "pdm install --frozen-lockfile", "pipenv": "pipenv install --deploy"}
# how an image installs what the lock says
_FROM_LOCK = {
    "uv": "uv sync --locked",
    "poetry": "poetry install --only main",
    "pdm": "pdm sync --prod",
    "pipenv": "pipenv install --deploy",
}
# actions of these tools that make no lock
HARMLESS = ("venv", "python", "cache", "self", "tool", "version", "help", "config", "pip")
_KNOWN = frozenset(
    [
        "apt-get",
        "apt",
        "apk",
        "yum",
        "dnf",
        "microdnf",
        "pip",
        "pip3",
        "pipx",
        "curl",
        "rm",
        "mkdir",
        "chmod",
        "chown",
        "echo",
        "export",
        "set",
        "cd",
        "useradd",
        "groupadd",
        "adduser",
        "addgroup",
        "ln",
        "locale-gen",
        "update-ca-certificates",
        "touch",
        "ls",
        "true",
        "uv",
        "poetry",
        "pdm",
        "pipenv",
        "test",
        "[",
        "sudo",
        "which",
    ]
)


def from_lock(tool: str, extras: Iterable[str] = ()) -> str:
    """The command that installs what the lock says, with these extras of the project."""
    given = {"uv": "--extra", "poetry": "--extras", "pdm": "-G"}.get(tool)
    return " ".join((_FROM_LOCK[tool], *(f"{given} {quote(extra)}" for extra in extras if given)))


def extras_of(found: Install) -> tuple[str, ...]:
    """The extras of the project that a command installs from a folder, the first one: `.[cuda,web]`."""
    text = found.paths[0].text.partition("[")[2].rpartition("]")[0] if found.paths else ""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def makes_nothing(command: Command) -> bool:
    """Whether a command is an installer's, or of a program that makes no lock of a project."""
    return not command.runner and (command.texts[0] in _KNOWN or install(command) is not None)


def shown(found: Install) -> str:
    """An install command for a message: whole words, not too many."""
    text = ""
    for word in found.command.texts:
        if len(text) + len(word) > 70 and text:
            return f"{text} ..."
        text += f" {word}" if text else word[:200]
    return text
