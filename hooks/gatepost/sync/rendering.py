"""A profile as one TOML text that the tools themselves can read: what a project without synced config is checked with.

Named `pyproject.toml` in the package, because ruff reads a file of any other name as a `ruff.toml`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def profile_text(root: str, name: str) -> str:
    """The settings of a shipped profile with everything it extends; `root` is the checkout of gatepost.

    Raises:
        ProfileError: a profile is missing or malformed.
    """
    import tomlkit

    from gatepost.sync.layers import resolve

    shared = resolve([name], lambda path: None, os.path.join(root, "configs"))
    head = f"# Rendered from configs/*.toml (profile {name}); do not edit.\n"
    return head + tomlkit.dumps(_styled(shared.data))


def _styled(data: Mapping[str, Any]) -> dict[str, Any]:
    """Long lists one item a line, tables and everything else as they are."""
    import tomlkit

    styled: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            styled[key] = _styled(value)
        elif isinstance(value, list) and len(value) > 4 and not any(isinstance(each, dict) for each in value):
            array = tomlkit.array()
            array.extend(value)
            styled[key] = array.multiline(True)
        else:
            styled[key] = value
    return styled
