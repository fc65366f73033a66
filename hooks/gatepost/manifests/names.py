"""The names of packages, extras and groups, in the form in which they are compared.

Source: PEP 503, "Normalized Names"; PEP 685 for extras.
"""

from __future__ import annotations


def canonical(name: str) -> str:
    """A name in lower case, each run of `-_.` as one dash."""
    name = name.replace("_", "-").replace(".", "-").lower()
    while "--" in name:
        name = name.replace("--", "-")
    return name
