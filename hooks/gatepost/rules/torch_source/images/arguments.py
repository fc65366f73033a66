"""TS510: the index of an image's torch is a build argument that nothing sets."""

from __future__ import annotations

import re

from gatepost.manifests.installs.sources import sources
from gatepost.model import INFO, Finding, Location
from gatepost.patterns import pattern
from gatepost.rules.torch_source.images.events import Event
from gatepost.rules.torch_source.installed.build import FAMILY
from gatepost.rules.torch_source.urls import CPU_INDEX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.dockerfile import Stage, Step
    from gatepost.manifests.image import Image

_INDEX_VARIABLES = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_EXTRA_INDEX_URL",
)
_INDEX_OPTIONS = ("-i", "--index-url", "--extra-index-url", "--index", "-f", "--find-links")
# `$X` and `${X}`, cut or replaced in part or not; not `${X:-default}` and its like.
_VARIABLE = pattern(r"\$(?:\{([A-Za-z_]\w*)(?:[}/#%^,]|:\d)|([A-Za-z_]\w*))")
# BuildKit sets these itself (Dockerfile reference, "Automatic platform ARGs in the global scope").
_AUTOMATIC = pattern(r"(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)")


def unresolved(image: Image, events: list[Event]) -> Iterator[Finding]:
    """TS510: a build argument without a default stands for the index, or for a part of its address."""
    rows = (image.files.read(image.path) or b"").decode("utf-8", "replace").splitlines()
    for event in events:
        if not any(one.name in FAMILY and not one.path for one in event.effect.asked):
            continue
        step = image.dockerfile.stages[event.stage].steps[event.step]
        for option in event.install.options:
            if option.name not in _INDEX_OPTIONS or option.value is None or option.value.known:
                continue
            value = _written(rows[option.line - 1 : step.end], option.name)
            text = re.sub(r"[\\`]\n", "  ", "\n".join(rows[step.line - 1 : step.end]))
            at = sum(len(row) + 1 for row in rows[step.line - 1 : option.line - 1])
            start = max(text.find(value, at), at)
            missing = _missing(value, step, text, start, event)
            before = (
                "\n".join(rows[image.dockerfile.stages[event.stage].line - 1 : step.line - 1]) + "\n" + text[:start]
            )
            if not missing or any(missing in build.given for build in image.builds) or _guarded(before, missing):
                continue
            whole = _VARIABLE.fullmatch(value) is not None
            yield Finding(
                code="TS510",
                where=Location(path=image.path, line=option.line),
                message=f"the index of torch is a build argument without a default: a plain build gets an empty `{option.name}`"
                if whole
                else f"the address of torch's index needs `{missing}`, a build argument without a default: a plain build gets only the rest of it",
                remedy=f"Give the ARG a default, such as `{CPU_INDEX}`."
                if whole
                else f"Give `ARG {missing}` a default with which `{option.name}` is an index, such as that of {CPU_INDEX}.",
                severity=INFO,
            )


def unresolved_variables(image: Image, stage: Stage, events: list[Event]) -> Iterator[Finding]:
    """TS510: an index variable of the stage is a build argument without a default; an empty one is none (pip, uv)."""
    rows = (image.files.read(image.path) or b"").decode("utf-8", "replace").splitlines()
    asking = [
        event
        for event in events
        if event.stage == stage.index and any(one.name in FAMILY and not one.build for one in event.effect.asked)
    ]
    for step in stage.steps if asking else ():
        for name in step.names if step.kind == "env" else ():
            text = "\n".join(rows[step.line - 1 : step.end])
            given = re.search(rf"(?<!\w){name}[=\s]\s*[\"']?\$\{{?([A-Za-z_]\w*)\}}?[\"']?(?=\s|$)", text)
            if name not in _INDEX_VARIABLES or given is None or any(given[1] in build.given for build in image.builds):
                continue
            if given[1] not in step.env or step.env[given[1]] is not None:
                continue
            if any(
                name in sources(event.install).from_env and event.step > stage.steps.index(step) for event in asking
            ):
                yield Finding(
                    code="TS510",
                    where=Location(path=image.path, line=step.line),
                    message=f"`{name}` is a build argument without a default: a plain build leaves it empty, and torch comes from the default index",
                    remedy=f"Give `ARG {given[1]}` a default, such as `{CPU_INDEX}`.",
                    severity=INFO,
                )


def _written(rows: list[str], name: str) -> str:
    """The first value of an option that holds a variable, as the Dockerfile has it; "" where there is none."""
    text = re.sub(r"[\\`]\n", " ", "\n".join(rows))
    found = re.finditer(rf"(?<!\S){re.escape(name)}[=\s]\s*(?:\"([^\"]*)\"|([^\s;&|\"']+))", text)
    return next((value for hit in found if "$" in (value := hit[1] or hit[2] or "")), "")


def _guarded(before: str, name: str) -> bool:
    """Whether the stage fails, before it comes to the address, where an argument is empty."""
    before = re.sub(r"[\\`]\n", "  ", before)
    variable = rf"[\"']?\$\{{?{name}\}}?[\"']?"
    fails = r"\bexit\s+[1-9]|\bfalse\b"
    return any(
        re.search(expression, before)
        for expression in (
            rf"\$\{{{name}:\?",
            rf"(?<!if )(?:\btest|\[)\s+-n\s+{variable}(?:\s*\]+)?[ \t]*(?:$|\n|&&|\|\|[^\n]*?(?:{fails}))",
            rf"(?:\btest|\[)\s+-z\s+{variable}(?:(?!\bfi\b)[^\n])*?(?:{fails})",
        )
    )


def _missing(value: str, step: Step, text: str, at: int, event: Event) -> str:
    """The first build argument of an address that a plain build leaves empty, as far as the instruction says.

    Args:
        text: the instruction, its lines joined.
        at: the character of it where the address stands.
    """
    for hit in _VARIABLE.finditer(value):
        name = hit[1] or hit[2]
        if name not in step.env or step.env[name] is not None or _AUTOMATIC.fullmatch(name):
            continue  # set, or a variable of the shell or of the base image
        if re.search(rf"(?<![\w${{])(?:{name}\+?=|(?:for|read\b[^;|&\n]*)\s+{name}\b)", text):
            continue  # the instruction sets it itself
        tested = rf"(?:\bcase\s+[\"']?|(?:\b(?:if|elif|while|test)\b|\[)[^;&|\]\n]*)\$\{{?{name}\b"
        if event.conditional and re.search(tested, text) and not _falls_to(text[:at], name):
            continue  # a branch that a plain build does not take
        return name
    return ""


def _falls_to(before: str, name: str) -> bool:
    """Whether a plain build takes the branch of `case $NAME in` that a text ends in: the first that matches nothing."""
    heads = re.finditer(rf"\bcase\s+[\"']?\$\{{?{name}(?::?-([^}}]*))?\}}?[\"']?\s+in\b", before)
    head = next(reversed(list(heads)), None)
    if head is None or re.search(r"\besac\b", before[head.end() :]):
        return False
    from fnmatch import fnmatchcase

    takes = [
        any(
            fnmatchcase(head[1] or "", one.strip(" \t\n\"'"))
            for one in branch.partition(")")[0].lstrip(" \t\n(").split("|")
        )
        for branch in before[head.end() :].split(";;")
    ]
    return takes[-1] and not any(takes[:-1])
