"""Virtual environments that a stage makes, and whether an install goes into one that does not see the image's packages.

Source: Python's `venv` (`--system-site-packages`), the same option of virtualenv and `uv venv`.
"""

from __future__ import annotations

import posixpath
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.shell import Command
    from gatepost.rules.torch_source.images.events import Event


def apart(image: Image, stage: Stage, event: Event) -> bool:
    """Whether an install goes into an environment, made on the way to it, without the packages of the base image."""
    made: dict[str, bool] = {}  # folder -> whether it sees them
    for one, index, step in image.steps(stage):
        entered = ""
        for command in step.commands if step.kind == "run" else ():
            if (one.index, index) == (event.stage, event.step) and command == event.install.command:
                place = entered or _named(event, made)
                path = command.env.get("PATH") or ""
                first = path.partition(":")[0].rstrip("/")
                place = place or (posixpath.dirname(first) if first.endswith("/bin") else "")
                return made.get(place) is False
            folder = _made(command)
            if folder:
                made[folder] = "--system-site-packages" in command.texts
            if command.texts[0] in (".", "source") and len(command.texts) > 1:
                entered = _absolute(re.sub(r"/bin/activate$", "", command.texts[1]), command.cwd)
    return False


def makes_one(image: Image, stage: Stage) -> bool:
    """Whether a command on the way to the end of a stage makes an environment."""
    return any(_made(command) for _, _, step in image.steps(stage) for command in step.commands)


def _named(event: Event, made: dict[str, bool]) -> str:
    """The environment that the command itself names: by the path of its program, an option, or uv's own default."""
    place = event.place
    if place in made or place == "system":
        return place if place in made else ""
    return next((folder for folder in made if place.startswith(folder + "/")), "")


def _made(command: Command) -> str:
    """The folder of the environment that a command makes; "" for every other command."""
    texts = command.texts
    program = posixpath.basename(texts[0])
    if re.fullmatch(r"python[\d.]*", program) and texts[1:3] in (("-m", "venv"), ("-m", "virtualenv")):
        rest = texts[3:]
    elif program == "virtualenv":
        rest = texts[1:]
    elif program == "uv" and texts[1:2] == ("venv",):
        rest = (*texts[2:], ".venv")
    else:
        return ""
    words = [
        text
        for at, text in enumerate(rest)
        if not text.startswith("-") and (at == 0 or rest[at - 1] not in ("-p", "--python", "--prompt"))
    ]
    return _absolute(words[0], command.cwd) if words else ""


def _absolute(path: str, cwd: str | None) -> str:
    return posixpath.normpath(posixpath.join(cwd or "/", path)).rstrip("/")
