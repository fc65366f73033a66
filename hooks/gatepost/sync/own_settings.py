"""What a project had written in `[tool.gatepost]` before the first sync, and the way back to it."""

from __future__ import annotations

from gatepost.sync.paths import get, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.sync.paths import Keys

TABLE = ("tool", "gatepost")
_TABLES = ("keep", "drop", "sync-configs")
_NAMES = ("profile", "skip", *_TABLES)  # what `gatepost init`, the sync and its commands write


def own_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """What of a pyproject.toml belongs into the record at the first sync: {"gatepost": settings}, {} if it has none."""
    table = get(data, TABLE)
    if not isinstance(table, dict):
        return {}
    had = {name: table[name] for name in _NAMES if name in table}
    return {"gatepost": had} if had or not table else {}


def way_back(data: Mapping[str, Any], skipped: tuple[str, ...], own: Mapping[str, Any] | None) -> list[Any]:
    """The operations that make [tool.gatepost] what it was before the first sync; other hooks' settings stay.

    Args:
        data: the pyproject.toml as it is now.
        skipped: the ids that `gatepost init` put into `skip`.
        own: what `own_of` gave at the first sync; None where the record does not have it: everything then goes.
    """
    then = get(own, ("gatepost",))
    had: dict[str, Any] = then if isinstance(then, dict) else {}
    now = get(data, TABLE)
    now = now if isinstance(now, dict) else {}
    ops: list[Any] = []
    for name in _TABLES:
        ops += _table((*TABLE, name), now.get(name), had.get(name))
    found = now.get("skip")
    skip = found if isinstance(found, list) else []
    gone = {number for number, each in enumerate(skip) if each in skipped}
    if gone and len(gone) == len(skip) and "skip" not in had:
        ops.append(("del", (*TABLE, "skip"), then == {}))
    elif gone:
        ops.append(("prune", (*TABLE, "skip"), gone))
    place = (*TABLE, "profile")
    if "profile" in had:
        ops += _value(place, now.get("profile"), had["profile"])
    elif "profile" in now:
        ops.append(("del", place, then == {}))
    return ops


def _table(path: Keys, now: Any, then: Any) -> list[Any]:
    if not isinstance(now, dict):
        return [] if not isinstance(then, dict) or now is not None else _missing(path, then)
    had = then if isinstance(then, dict) else {}
    ops = _missing(path, {key: value for key, value in had.items() if key not in now})
    for key, value in now.items():
        ops += _value((*path, key), value, had[key]) if key in had else [("del", (*path, key), then == {})]
    return ops


def _missing(path: Keys, values: Mapping[str, Any]) -> list[Any]:
    return [("add", (*path, key), value) for key, value in values.items()]


def _value(path: Keys, now: Any, then: Any) -> list[Any]:
    """From a value to an earlier one; of a list only the items that came to it are taken out, where that is enough."""
    if same(now, then):
        return []
    if now is None:
        return [("add", path, then)]
    if isinstance(now, list) and isinstance(then, list):
        new = {number for number, item in enumerate(now) if item not in then}
        if same([item for number, item in enumerate(now) if number not in new], then):
            return [("prune", path, new)]
    return [("set", path, then)]
