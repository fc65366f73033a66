"""What of a profile fits a project: its tools, its dependencies, what is derived from it."""

from __future__ import annotations

from gatepost.sync import derive
from gatepost.sync.paths import get, leaves, plain, put, same
from gatepost.sync.record_file import ADDED
from gatepost.sync.work import table_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from gatepost.sync.declared import Declared
    from gatepost.sync.paths import Keys
    from gatepost.sync.record_file import Entry

REQUIREMENTS = ("requirements.txt", "requirements.in", "requirements-dev.txt", "dev-requirements.txt")


def shared_for(
    data: Mapping[str, Any],
    shared: Mapping[str, Any],
    *,
    src: bool,
    requirements: Iterable[str],
    tools: Sequence[str],
    paths: Iterable[str],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The shared settings that fit a project (`data` is its pyproject.toml, `paths` its files), and those derived."""
    chosen = plain(shared)
    table = chosen.get("tool", {})
    for name in list(table):
        if tools and name not in tools:
            del table[name]
    names = derive.depends_on(data, requirements)
    for name in derive.idle(data, names, paths):
        table.pop(name, None)
    fitting = derive.fitted(chosen, names, data)
    return fitting, derive.derived(data, fitting, src=src)


def without_ours(data: Mapping[str, Any], entries: Mapping[Keys, Entry], said: Declared) -> dict[str, Any]:
    """A pyproject.toml as far as it is the project's own: what is derived from it must not depend on what was synced."""
    theirs: dict[str, Any] = {}
    for path, value in leaves(data):
        entry = entries.get(path)
        if entry is None or entry.origin != ADDED or not same(entry.value, value) or said.kept(path) is not None:
            put(theirs, path, value)
    for path, entry in entries.items():
        if entry.table and get(theirs, table_of(path)) is None:
            put(theirs, table_of(path), {})
    return theirs
