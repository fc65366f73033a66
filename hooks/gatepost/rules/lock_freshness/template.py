"""Dockerfiles that are templates: what they start is nowhere in the repository, so which files they copy is a guess."""

from __future__ import annotations

import posixpath
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Repository

_SERVERS = frozenset(("gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress-serve"))


def is_template(repository: Repository, image: Image) -> bool:
    """Whether a Dockerfile that nothing builds, and whose context is a guess above it, serves a module that is nowhere."""
    stages = image.dockerfile.stages
    if not stages or image.builds or image.context == posixpath.dirname(image.path):
        return False
    last = stages[-1]
    if image.opaque(last, len(last.steps)):
        return False
    names = {
        match[1]
        for step in last.steps
        if step.kind in ("cmd", "entrypoint")
        for command in step.commands
        if posixpath.basename(command.texts[0]) in _SERVERS
        for text in command.texts[1:]
        if (match := re.fullmatch(r"([A-Za-z_]\w*):[A-Za-z_]\w*(?:\(\))?", text))
    }
    modules = {posixpath.basename(path) for path in repository.paths} | {
        posixpath.basename(folder) for folder in repository.folders
    }
    return bool(names) and not any(f"{name}.py" in modules or name in modules for name in names)
