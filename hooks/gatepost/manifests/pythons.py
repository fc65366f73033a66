"""The Python of an image that a command installs for, where all that says something of it agrees.

What says it: the tag of the base, the distribution's `python3`, and every command that names a version. Sources: the
release notes of Ubuntu and Debian for `python3`; the tags of python, astral-sh/uv, nvidia/cuda, rocm.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.shell import Command

_OFFICIAL = pattern(r"(?:^|/)python:(3\.\d+)(?!\d)")
_TAGGED = pattern(r"[:/._-]py(?:thon)?-?3\.?(\d{1,2})(?!\d)")  # uv:python3.12-bookworm, base:py310-cu124
_DISTRIBUTION = pattern(
    r"(?:^|/)(?:(?:ubuntu:|(?:cuda|cudagl):[\w.-]*ubuntu|dev-ubuntu-)(\d\d\.\d\d)|"
    r"debian:(\d\d|[a-z]+)|(?:ubuntu|node|buildpack-deps):(?:[\w.]+-)?([a-z]+))(?![\w])"
)
_PYTHON3 = {
    "18.04": "3.6", "20.04": "3.8", "22.04": "3.10", "24.04": "3.12",
    "bionic": "3.6", "focal": "3.8", "jammy": "3.10", "noble": "3.12",
    "11": "3.9", "12": "3.11", "13": "3.13", "bullseye": "3.9", "bookworm": "3.11", "trixie": "3.13",
}  # fmt: skip
_NAMED = pattern(r"(?:^|/)(?:python|pip)(3\.\d+)$")
_VERSION = pattern(r"(?:--python=|cpython-|python)?(3\.\d+)(?:\.\d+)?$")
_PACKAGE = pattern(r"python(3\.\d+)(?:-[a-z-]+)?$")
_PLAIN_PACKAGE = pattern(r"python3?(?:-[a-z0-9.-]+)?$")
_SPEC = pattern(r"""python={1,2}(3\.\d+)(?:\.[\d*]+)?$""")
_FOREIGN = pattern(r"conda|mamba|python[^:]*:")  # an image whose Python may be copied
_INSTALLER = pattern(r"(?i)(?:mini|ana)conda|miniforge|mambaforge")
_CONDAS = ("conda", "mamba", "micromamba")
_UNKNOWN = ""  # a Python whose version is not known


def python_of(image: Image | None, stage: Stage | None, install: Install) -> str:
    """The version ("3.12") of the Python that pip or `uv pip` installs for; "" where it is not known."""
    if image is None or stage is None or install.tool not in ("pip", "uv-pip") or install.has("--python-version"):
        return ""
    named = {match[1] for word in install.command.words[:1] if (match := _NAMED.search(word.text))}
    if install.tool == "uv-pip":
        named = {_asked(text) for text in _interpreters(install)}
    if named:
        return named.pop() if len(named) == 1 else ""
    runner = install.command.runner
    if runner and posixpath.basename(runner[0]) not in _CONDAS:
        return ""
    found = set(_evidence(image, stage, bool(runner)))
    if install.tool == "uv-pip":
        found.update(_pinned(image))
    return found.pop() if len(found) == 1 else ""


def _interpreters(install: Install) -> Iterator[str]:
    """What `uv pip` is told of the Python, but for the one that is first on PATH."""
    given = [word.text for word in install.values("--python", "-p")]
    env = install.command.env
    if not given and "UV_PYTHON" in env:
        given = [env["UV_PYTHON"] or "?"]
    return (text for text in given if text not in ("python", "python3"))


def _asked(text: str) -> str:
    match = _VERSION.match(posixpath.basename(text))
    return match[1] if match else _UNKNOWN


def _evidence(image: Image, stage: Stage, in_environment: bool) -> Iterator[str]:
    """Every version that the base and the commands of a stage speak of; `in_environment`: conda's, by `conda run`."""
    base, known = image.dockerfile.image(stage)
    commands = [command for _, _, step in image.steps(stage) for command in step.commands if step.kind == "run"]
    condas = [command for command in commands if posixpath.basename(command.texts[0]) in _CONDAS]
    if condas or in_environment:
        yield from _of_conda(condas, in_environment)
        return
    distribution = _UNKNOWN
    own = _OFFICIAL.search(base) or _TAGGED.search(base)
    if not known:
        yield _UNKNOWN
    elif own is not None:
        yield own[1] if "." in own[1] else f"3.{own[1]}"
    else:
        release = _DISTRIBUTION.search(base)
        name = next(filter(None, release.groups()), "") if release is not None else ""
        distribution = _PYTHON3.get(name, _UNKNOWN)
        if not distribution:
            yield _UNKNOWN
    if any(_FOREIGN.search(copy.source) for _, _, step in image.steps(stage) for copy in step.copies):
        yield _UNKNOWN
    for command in commands:
        yield from _spoken(command, own is not None, distribution)


def _spoken(command: Command, own: bool, distribution: str) -> Iterator[str]:
    """The versions that one command names; `own`: the base has a Python of its own, before the distribution's."""
    name, texts = posixpath.basename(command.texts[0]), command.texts
    if name in ("apt-get", "apt", "aptitude"):
        for text in texts[1:]:
            if match := _PACKAGE.match(text.partition("=")[0]):
                yield match[1]
            elif not own and "install" in texts and _PLAIN_PACKAGE.match(text.partition("=")[0]):
                yield distribution
    elif name in ("rye", "hatch", "pixi", "asdf", "mise"):
        yield _UNKNOWN
    elif name in ("pyenv", "virtualenv") or (name == "uv" and texts[1:2] in (("venv",), ("python",))):
        versions = [match[1] for text in texts[1:] if (match := _VERSION.match(text))]
        yield from versions or ([_UNKNOWN] if name == "pyenv" and "install" in texts else [])
    elif any(_INSTALLER.search(text) for text in texts):
        yield _UNKNOWN
    else:
        yield from (match[1] for text in texts if (match := _NAMED.search(text)))


def _of_conda(commands: list[Command], in_environment: bool) -> Iterator[str]:
    """The versions that conda is asked for, where pip is the environment's; of its base only what it installs there."""
    for command in commands:
        given = [match[1] for text in command.texts if (match := _SPEC.match(text))]
        if in_environment == ("create" in command.texts):
            yield from given or [_UNKNOWN]
        elif given or "env" in command.texts[1:2]:
            yield _UNKNOWN
    if not commands:
        yield _UNKNOWN


def _pinned(image: Image) -> Iterator[str]:
    """What the .python-version of the build context says, which `uv venv` follows."""
    text = image.files.text(posixpath.join(image.context, ".python-version")).strip()
    if text:
        match = re.match(r"(?:cpython-)?(3\.\d+)(?:\.\d+)?$", text)
        yield match[1] if match else _UNKNOWN
