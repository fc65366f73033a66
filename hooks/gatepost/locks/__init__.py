"""Lock formats, one module each, found by name: a module here that does not begin with `_` exports FORMAT."""

from __future__ import annotations

import os
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
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


def formats() -> tuple[LockFormat, ...]:
    """Every lock format, by module name.

    Raises:
        TypeError: a module of this package does not export FORMAT.
    """
    found = []
    for name in names():
        module = import_module(f"gatepost.locks.{name}")
        value = getattr(module, "FORMAT", None)
        if type(value).__name__ != "LockFormat":
            raise TypeError(f"gatepost.locks.{name} must define FORMAT: LockFormat")
        found.append(value)
    return tuple(found)
