"""The edit of a Dockerfile that installs the CPU build first."""

from __future__ import annotations

import re

from gatepost.model import Edit, Fix
from gatepost.rules.torch_source.images.events import Event, place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Repository


def inserted(repository: Repository, image: Image, stage: Stage, event: Event, line: str) -> Fix | None:
    """A line before the RUN that installs, where that RUN is a plain one and pip is there before it."""
    old = repository.read(image.path)
    step = stage.steps[event.step]
    install = event.install
    if old is None or install.command.runner or install.has("-U", "--upgrade", "--force-reinstall", "-I"):
        return None
    program = install.command.words[0].text
    if program not in ("pip", "pip3", "python", "python3", "uv") or place_of(install) != "system":
        return None
    if not _installer_is_there(image, stage, event.step, "uv" if program == "uv" else "pip"):
        return None
    rows = old.decode("utf-8", "surrogateescape").splitlines(keepends=True)
    at = step.line - 1
    if not rows[at].lstrip().upper().startswith("RUN"):
        return None
    rows.insert(at, line + ("\r\n" if rows[at].endswith("\r\n") else "\n"))
    new = "".join(rows).encode("utf-8", "surrogateescape")
    return Fix(title="install the CPU build first", edits=(Edit(path=image.path, old=old, new=new),), safe=True)


def _installer_is_there(image: Image, stage: Stage, index: int, name: str) -> bool:
    """Whether pip or uv is in the image before a step: its base has it, or an earlier command runs or installs it."""
    base, known = image.dockerfile.image(stage)
    has = r"(?:^|/)uv:" if name == "uv" else r"(?:^|/)(?:python|[\w-]*conda\d?|[\w-]*mamba\w*|miniforge\d?|airflow):"
    if known and re.search(has, base + ":"):
        return True
    for step in stage.steps[:index]:
        if any(name in text.split("/") for copy in step.copies for text in [word.text for word in copy.sources]):
            return True
        if any(name in command.texts[:3] or name in command.texts[2:] for command in step.commands):
            return True
    return False
