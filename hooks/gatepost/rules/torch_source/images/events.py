"""The installs on the way to the end of a stage that bring torch, or could."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.installs.commands import installs
from gatepost.patterns import pattern
from gatepost.record import record
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.installed.build import Effect
from gatepost.rules.torch_source.installed.effect import effect, located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository


@record
class Event:
    """An install that concerns torch: where it stands, what it brings, where it installs to."""

    stage: int
    step: int
    install: Install
    effect: Effect
    place: str  # what Python it installs into, as far as words say
    firm: bool = False  # what it asks for is there, so that it runs

    @property
    def conditional(self) -> bool:
        """Whether it may be passed by."""
        return self.install.command.conditional and not self.firm


def events_of(repository: Repository, image: Image, stage: Stage) -> list[Event]:
    """Every install on the way to the end of a stage that brings torch, or could, or what is for a GPU only."""
    events = []
    shared = False  # `poetry config virtualenvs.create false`
    for one, index, step in image.steps(stage):
        if step.kind != "run":
            continue
        for command in step.commands:
            words = tuple(text for text in command.texts if not text.startswith("-"))
            shared = shared or words == ("poetry", "config", "virtualenvs.create", "false")
        for install in installs(step.commands):
            result = effect(repository, image, one, index, install)
            if result.asked or result.unknown or result.gpu:
                place = place_of(install)
                place = "system" if shared and place == "poetry" else place
                sure = firm(repository, image, one, index, install)
                events.append(
                    Event(stage=one.index, step=index, install=install, effect=result, place=place, firm=sure)
                )
    return events


def firm(repository: Repository, image: Image, stage: Stage, index: int, install: Install) -> bool:
    """Whether an install only asks for files that are there by then: `if [ -f FILE ]; then ...`."""
    guards = install.command.guards
    return bool(guards) and all(
        located(repository, image, stage, index, install, word.text) is not None for word in guards or ()
    )


def shown(install: Install, limit: int) -> str:
    """A command in a message: as the shell reads it, without secrets, and cut between two words where it is long."""
    words = [f'"{text}"' if re.search(r"\s|^$", text) else text for text in install.command.texts]
    said = ""
    for number, word in enumerate(words):
        if number > 1 and len(said) + 1 + len(word) > limit:
            return urls.show(said) + " ..."
        said = f"{said} {word}" if said else word
    return urls.show(said)


# What `--python` of uv takes besides a path: a version, a name on PATH, a distribution of it.
_INTERPRETER = pattern(r"(?:[a-z]+-)?(?:python|cpython|pypy|graalpy)?[@-]?(?:\d[\w.+-]*)?|[<>=~!].*|\$.*|/usr/.*")


def _root(path: str) -> str:
    """The folder of an environment, by itself or by the Python in it."""
    return re.sub(r"/bin(?:/python[\d.]*)?$", "", path)


def place_of(install: Install) -> str:
    """A name for the Python that a command installs into; equal names are the same one."""
    if install.has("-t", "--target", "--prefix", "--root"):
        return "target"
    if install.tool == "conda-env":
        return "conda-env"  # an environment that it makes
    env = install.command.env
    by_poetry = install.tool == "poetry" or install.command.runner[:2] == ("poetry", "run")
    if install.command.runner and not by_poetry:
        return " ".join(install.command.runner[:4])
    if install.tool == "uv":
        return env.get("UV_PROJECT_ENVIRONMENT") or posixpath.join(install.command.cwd or "?", ".venv")
    if install.tool == "uv-pip":
        if install.has("--system") or env.get("UV_SYSTEM_PYTHON") in ("1", "true"):
            return "system"
        given = install.values("--python", "-p")
        if given and _INTERPRETER.fullmatch(given[0].text):
            return given[0].text
        if given:
            return _root(posixpath.normpath(posixpath.join(install.command.cwd or "?", given[0].text)))
        return env.get("VIRTUAL_ENV") or posixpath.join(install.command.cwd or "?", ".venv")
    if by_poetry:
        loose = env.get("POETRY_VIRTUALENVS_CREATE") in ("0", "false", "False")
        return "system" if loose else "poetry"
    program = install.command.words[0].text
    return (
        _root(posixpath.dirname(program))
        if "/" in program and not program.startswith("/usr")
        else env.get("VIRTUAL_ENV") or "system"
    )
