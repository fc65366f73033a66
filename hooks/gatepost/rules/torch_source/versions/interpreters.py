"""Which Pythons a project runs on, as far as its files say."""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.versions.ranges import conda_minors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.view import View

_FROM = pattern(r"(?im)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)(?:[ \t]+AS[ \t]+(\S+))?")
_PYTHON = pattern(r"(?:\S*/)?python:3\.(\d+)\b\S*")
_IMAGE = pattern(r"(?:^|/)(?:[^/]*(?:Dockerfile|Containerfile)[^/]*|[^/]+\.dockerfile)$")


def below(p: Project, v: View, minor: int) -> bool:
    """Whether the project only runs on Pythons below 3.`minor`: by its range, its pin, conda's Python, its images."""
    if minors := conda_minors(p):
        return max(minors) < minor
    if p.python:
        spec = specs.parse(p.python, specs.POETRY if p.tool == "Poetry" else specs.PEP440)
        return not spec.broken and not any(
            spec.admits(f"3.{number}") or spec.admits(f"3.{number}.5") for number in range(minor, 20)
        )
    if p.python_pin.startswith("3.") and not p.semantics().universal:
        return int(p.python_pin.split(".")[1]) < minor
    return p.tool == "pip" and _images_below(p, v, minor)


def _images_below(p: Project, v: View, minor: int) -> bool:
    """Whether images install a requirements file, and each of them is one of Python's own below 3.`minor`."""
    named = re.compile(rf"(?<![\w.-]){re.escape(p.path.rpartition('/')[2])}(?![\w-])")
    texts = [
        text
        for where, text in v.installers()
        if _IMAGE.search(where) and (where == p.path or (named.search(text) and _near(where, p.path)))
    ]
    return bool(texts) and all(_image_below(text, minor) for text in texts)


def _near(image: str, path: str) -> bool:
    """Whether a Dockerfile stands above, below or beside a file, so that it may copy it."""
    left, right = image.rpartition("/")[0], path.rpartition("/")[0]
    return f"{left}/".startswith(f"{right}/") or f"{right}/".startswith(f"{left}/") or not left or not right


def _image_below(text: str, minor: int) -> bool:
    stages: set[str] = set()
    found = False
    for base, name in _FROM.findall(text):
        if base.lower() not in stages:
            python = _PYTHON.fullmatch(base)
            if python is None or int(python[1]) >= minor:
                return False
            found = True
        stages.add(name.lower())
    return found
