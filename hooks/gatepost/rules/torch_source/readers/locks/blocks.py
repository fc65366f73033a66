"""The blocks of a lock in TOML that are about the PyTorch family, found by their first lines and read alone."""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.model import EXTENDED, fold

LIMIT = 64 * 1024 * 1024
_NAMES = EXTENDED | {"numpy"}
_WANTED = "|".join(sorted((name.replace("-", "[-_.]") for name in _NAMES), key=len, reverse=True))
_BLOCK = rf'^\[\[packages?\]\]\r?\n(?:[ \t]*\r?\n)*name *= *"((?i:{_WANTED}))"\r?$'
_NEXT = pattern(r"^\[\[|^\[(?!package)", re.MULTILINE)
STRING = pattern(r'^(\w[\w-]*) *= *"((?:[^"\\]|\\.)*)"', re.MULTILINE)
FILE = pattern(r'\{\s*(?:name = "[^"]*",\s*)?(?:url|file) *= *"([^"]+)"')


def text_of(data: bytes) -> str:
    """A lock as text, as far as it is read at all."""
    return data[:LIMIT].decode("utf-8", "replace")


def blocks(text: str) -> list[tuple[str, int, str]]:
    """(name, offset, text) of each package block of the PyTorch family."""
    found = []
    for name, start in sorted(_starts(text), key=lambda item: item[1]):
        stop = _NEXT.search(text, start + 12)
        found.append((name, start, text[start : stop.start() if stop else len(text)]))
    return found


def _starts(text: str) -> list[tuple[str, int]]:
    """(name, offset of `[[package]]`) of the family's blocks. As tools write them, a plain search finds them."""
    if '\nname = "' not in text:
        return [(fold(match[1]), match.start()) for match in re.finditer(_BLOCK, text, re.MULTILINE)]
    found = []
    at = text.find('\nname = "')
    while at >= 0:
        name = text[at + 9 : text.find('"', at + 9)]
        if name in _NAMES:
            start = text.rfind("\n", 0, at) + 1
            if text[start:at].rstrip() in ("[[package]]", "[[packages]]"):
                found.append((fold(name), start))
        at = text.find('\nname = "', at + 9)
    return found


def line_at(text: str, offset: int) -> int:
    """The 1-based line of an offset."""
    return text.count("\n", 0, offset) + 1


def whole(text: str) -> None:
    """Raises: ValueError: merge conflict markers."""
    if "\n<<<<<<< " in text or "\n>>>>>>> " in text:
        raise ValueError("it holds the marks of a merge conflict")


def version_of(fields: dict[str, str], name: str) -> str:
    """Raises: ValueError: an entry without a version, as in a file that was cut off."""
    if not fields.get("version"):
        raise ValueError(f"its entry of {name} has no version")
    return fields["version"]


def address_of(parts: urls.Url) -> str:
    """The index of PyTorch's that a file of its hosts belongs to."""
    return f"https://download.pytorch.org/whl/{parts.build}" if parts.build else "https://download.pytorch.org/whl"
