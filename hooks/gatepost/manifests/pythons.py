"""The Python of an official image that a command installs for."""

from __future__ import annotations

import posixpath
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install

# What makes an environment with another Python, or puts another one first on PATH.
_OTHERS = frozenset(("virtualenv", "pyenv", "conda", "mamba", "micromamba", "rye", "hatch"))


def python_of(image: Image | None, stage: Stage | None, install: Install) -> str:
    """The version ("3.12") where pip, or `uv pip --system`, of `python:3.N` installs; "" where it is not known."""
    if image is None or stage is None or install.command.runner or install.has("--python", "--python-version", "-p"):
        return ""
    env = install.command.env
    if install.tool == "uv-pip":
        if "UV_PYTHON" in env or not (install.has("--system") or env.get("UV_SYSTEM_PYTHON") in ("1", "true")):
            return ""
    elif install.tool != "pip":
        return ""
    base, known = image.dockerfile.image(stage)
    found = re.match(r"(?:docker\.io/)?(?:library/)?python:(3\.\d+)(?![\d])", base)
    if not known or found is None:
        return ""
    named = re.search(r"(?:python|pip)(3\.\d+)$", posixpath.basename(install.command.words[0].text))
    if named is not None and named[1] != found[1]:
        return ""
    for _, _, step in image.steps(stage):
        if any(_another(command.texts) for command in step.commands):
            return ""
    return found[1]


def _another(texts: tuple[str, ...]) -> bool:
    """Whether a command makes, or gets, an environment that need not have the image's Python."""
    return posixpath.basename(texts[0]) in _OTHERS or (
        texts[0] == "uv" and texts[1:2] in (("venv",), ("python",)) and len(texts) > 2
    )
