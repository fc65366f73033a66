"""A profile as one pyproject.toml, in the shape that the tools read from a file."""

from __future__ import annotations

import os

from gatepost.sync.layers import resolve
from gatepost.sync.merge import merge


def profile_text(root: str, name: str) -> str:
    """The text of a profile with everything it extends; `root` is a checkout of gatepost.

    Raises:
        ProfileError: there is no such profile.
    """
    shared = resolve((name,), lambda path: None, folder=os.path.join(root, "configs"))
    merged = merge("", shared.data)
    return f"# Rendered from configs/*.toml (profile {name}); do not edit.\n{merged.text}"
