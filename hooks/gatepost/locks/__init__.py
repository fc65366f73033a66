"""Lock formats, one module each, found by name: a module here that does not begin with `_` exports FORMAT."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gatepost.locks._base import LockFormat


def names() -> list[str]:
    """The names of the format modules, sorted."""
    found = set()
    for folder in __path__:
        for entry in os.listdir(folder):
            stem = entry[:-3] if entry.endswith(".py") else "" if "." in entry else entry
            if stem and not stem.startswith("_"):
                found.add(stem)
    return sorted(found)


# a hint only, to spare imports: a module that is not named here is always asked. Substrings of base names.
_HINTS = {
    "uv": ("uv.lock", ".py.lock"), "poetry": ("poetry.lock",), "pdm": ("pdm.",), "pipenv": ("Pipfile.lock",),
    "pylock": ("pylock.",), "condalock": ("lock.y",), "pixi": ("pixi.lock",),
    "piptools": (".txt", "equirements"), "exports": (".txt",),
}  # fmt: skip


def formats(seen: Iterable[str] | None = None) -> tuple[LockFormat, ...]:
    """Every lock format, by module name; with `seen` (base names of files) only those that may have a lock there.

    Raises:
        TypeError: a module of this package does not export FORMAT.
    """
    found: list[LockFormat] = []
    bases = None if seen is None else list(seen)
    for name in names():
        hints = _HINTS.get(name)
        if bases is not None and hints is not None and not any(hint in base for base in bases for hint in hints):
            continue
        __import__(f"gatepost.locks.{name}")  # what import_module does, without importing importlib
        value = getattr(sys.modules[f"gatepost.locks.{name}"], "FORMAT", None)
        if value is None or type(value).__name__ != "LockFormat":
            raise TypeError(f"gatepost.locks.{name} must define FORMAT: LockFormat")
        found.append(value)
    return tuple(found)


def named(pattern: str) -> Callable[[str], bool]:
    """A test of base names by a format's pattern (full match); plain alternatives need no regular expression.

    Plain is a name in which `.+` or `[^/]+` may stand once for any characters.
    """
    exact: list[str] = []
    around: list[tuple[str, str]] = []
    for part in pattern.split("|"):
        before, some, after = part.replace("[^/]+", ".+").partition(".+")
        if not (before + after).replace("\\.", "").replace("_", "a").replace("-", "a").isalnum():
            import re

            return lambda name, test=re.compile(pattern).fullmatch: test(name) is not None  # type: ignore[misc]
        before, after = before.replace("\\.", "."), after.replace("\\.", ".")
        if some:
            around.append((before, after))
        else:
            exact.append(before)
    return lambda name: (
        name in exact
        or any(
            name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after)
            for before, after in around
        )
    )
