"""What uv's own settings add to a `uv pip` command, or to `uv sync` without a lock: an index, or `uv pip`'s backend.

uv reads the nearest `uv.toml`, or pyproject.toml with `[tool.uv]`, from the working directory up; in a workspace, its
root's. `[pip]` wins over the keys beside it, the command line and its environment over both. Tested with uv 0.13.8:
`uv pip` reads `torch-backend` and the indexes that are not explicit, and no `[tool.uv.sources]` for `-r` and names.
"""

from __future__ import annotations

import posixpath

from gatepost.manifests.installs.sources import sources
from gatepost.manifests.shell import Word
from gatepost.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from gatepost.manifests.installs import Install
    from gatepost.manifests.installs.sources import Sources


def configured(install: Install, tables: Callable[[str], dict[str, Any]]) -> Sources:
    """The sources of an install, with those that uv's settings add to a command of uv.

    Args:
        tables: the tables of the TOML file that a command would see under a name; empty where there is none.
    """
    given = sources(install)
    if install.tool == "uv":  # a project's own commands read neither `[pip]` nor the backend
        given = replace(given, backend="")
    elif install.tool != "uv-pip":
        return given
    if install.has("--no-config") or "UV_NO_CONFIG" in install.command.env:
        return given
    found = _settings(install, tables)
    if not found:
        return given
    pip = found.get("pip") if install.tool == "uv-pip" else None
    merged = {**found, **pip} if isinstance(pip, dict) else found
    listed = merged.get("index")
    indexes = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    main = [str(one.get("url", "")) for one in indexes if one.get("default") is True] or _texts(merged.get("index-url"))
    open_ones = [str(one.get("url", "")) for one in indexes if not (one.get("explicit") or one.get("default"))]
    backend = merged.get("torch-backend") if install.tool == "uv-pip" else None
    line = install.line
    return replace(
        given,
        index=given.index or next((Word(text=text, line=line) for text in main), None),
        extra=given.extra
        + tuple(Word(text=text, line=line) for text in open_ones + _texts(merged.get("extra-index-url"))),
        links=given.links + tuple(Word(text=text, line=line) for text in _texts(merged.get("find-links"))),
        backend=given.backend
        or (backend if isinstance(backend, str) and given.index is None and not given.extra else ""),
    )


def _settings(install: Install, tables: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """The table of settings that the command reads; empty where there is none."""
    named = install.values("--config-file")
    file = named[-1].text if named else install.command.env.get("UV_CONFIG_FILE")
    if file:
        return tables(file)
    nearest: dict[str, Any] = {}
    for folder in _upwards(install):
        own = tables(posixpath.join(folder, "uv.toml"))
        tool = tables(posixpath.join(folder, "pyproject.toml")).get("tool")
        uv = tool.get("uv") if isinstance(tool, dict) else None
        uv = uv if isinstance(uv, dict) else {}
        nearest = nearest or own or uv
        if "workspace" in uv:
            return own or uv
    return nearest


def _upwards(install: Install) -> Iterator[str]:
    """The folders that uv looks into, the innermost first."""
    folder = install.command.cwd
    for option in install.values("--directory", "--project"):
        folder = posixpath.join(folder, option.text) if folder is not None and option.known else None
    while folder is not None:
        yield folder
        above = posixpath.dirname(folder.rstrip("/"))
        folder = above if above != folder else None


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [value] if isinstance(value, str) else []
