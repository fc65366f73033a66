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
_TAGGED = pattern(r"\S*[:-]py3\.?(\d{1,2})(?:-\S*)?")
# Python of a distribution, as its package `python3` has it.
_DISTRIBUTION = pattern(
    r"(?:\S*[^a-z])?(?:ubuntu[:-]?(?P<u>18|20|22|24)\.04|debian:(?P<d>bullseye|bookworm|trixie|11|12|13))(?:[-.]\S*)?"
)
_OF_DISTRIBUTION = {
    "18": 6, "20": 8, "22": 10, "24": 12, "bullseye": 9, "11": 9, "bookworm": 11, "12": 11, "trixie": 13, "13": 13,
}  # fmt: skip
_ANOTHER = pattern(r"(?i)deadsnakes|python-?3\.\d|conda|mamba|pyenv|\buv\b|Python-3|/python3?:|\bpython:")
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
    """Whether images install a requirements file, and each of them has a Python below 3.`minor`: its own, its distribution's."""
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
            python = _minor(base, text)
            if python is None or python >= minor:
                return False
            found = True
        stages.add(name.lower())
    return found


def _minor(base: str, text: str) -> int | None:
    """The Python of a base image, by its tag or its distribution, where the Dockerfile gets no other one."""
    tagged = _PYTHON.fullmatch(base) or _TAGGED.fullmatch(base)
    if tagged is not None:
        return int(tagged[1])
    distribution = _DISTRIBUTION.fullmatch(base)
    if distribution is None or _ANOTHER.search(text):
        return None
    return _OF_DISTRIBUTION[distribution["u"] or distribution["d"]]


def newest_served(p: Project, v: View) -> tuple[str, bool]:
    """The newest release of torch with wheels for the Pythons of a project, and whether these are known to end there.

    ("", False) where nothing says which Python it is: a newer one than the table's newest release serves may be meant.
    """
    for row in reversed(v.table.rows):
        minors = [int(python.split(".")[1]) for python in row.python.get("linux_x86_64", ())]
        if minors and not below(p, v, min(minors)):
            known = below(p, v, max(minors) + 1)
            return (row.torch, row is not v.table.rows[-1]) if known else ("", False)
    return "", False
