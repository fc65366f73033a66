"""Which settings are shared here, for the commands that name one: what cannot be is a usage error, not a dead line."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from gatepost.sync.paths import Keys

_DERIVED = (("tool", "mypy", "python_version"), ("tool", "mypy", "mypy_path"), ("tool", "ruff", "target-version"))


def shared_here(root: str, data: dict[str, Any]) -> dict[Keys, Any] | None:
    """path -> shared value of this project's profile and of its last sync; None where that cannot be told."""
    from gatepost.sync import layers, overrides
    from gatepost.sync.declared import settings
    from gatepost.sync.merge import retargeted
    from gatepost.sync.paths import get, leaves
    from gatepost.sync.project import Disk
    from gatepost.sync.record_file import NAME, RecordError, empty, parse

    tree = Disk(root)
    raw = tree.read(NAME)
    try:
        shared = dict(layers.resolve(layers.names_of(settings(data)["profile"]), tree.read).data)
        record = parse(raw) if raw is not None else empty()
    except (layers.ProfileError, RecordError):
        return None
    found: dict[Keys, Any] = dict.fromkeys(_DERIVED)
    for name, entries in record.files.items():
        above = ("tool", "ruff") if name.endswith("ruff.toml") and entries and next(iter(entries))[0] != "tool" else ()
        found |= {(*above, *path): entry.value for path, entry in entries.items()}
    for each in (shared, retargeted(shared, data)):
        found |= {path: value for path, value in leaves(each) if path != overrides.PATH}
        pairs = overrides.explode(get(each, overrides.PATH))
        found |= {(*overrides.PATH, *pair): value for pair, value in pairs.items()}
        if pairs:
            found[overrides.PATH] = list(dict.fromkeys(module for module, _ in pairs))
    return found


def not_kept(root: str, data: dict[str, Any], path: Keys) -> str:
    """Why a path cannot be kept, "" if it can: it is, or holds, a shared setting."""
    from gatepost.sync.paths import show

    found = shared_here(root, data)
    if found is None or any(each[: len(path)] == path for each in found):
        return ""
    known = dict.fromkeys(each[:size] for each in found for size in range(2, len(each) + 1))
    return f"no shared setting is {show(path)}; the nearest is {nearest(show(path), map(show, known))}"


def not_dropped(root: str, data: dict[str, Any], path: Keys, items: Sequence[str]) -> str:
    """Why items cannot be dropped from a path, "" if they can: it is a shared list, and has them."""
    from gatepost.sync.paths import show
    from gatepost.sync.tables import atomic, identity

    found = shared_here(root, data)
    if found is None:
        return ""
    lists = {each: value for each, value in found.items() if isinstance(value, list) and not atomic(each, value)}
    if path not in lists:
        if path in found:
            return f'{show(path)} is one value, no list of items; to keep yours: gatepost keep {show(path)} "why"'
        right = nearest(show(path), map(show, lists))
        return f"no shared list is {show(path)}; " + (f"the nearest is {right}" if right else "none is shared")
    have = {identity(path, item) for item in lists[path]}
    wrong = [item for item in items if identity(path, item) not in have]
    if not wrong:
        return ""
    right = nearest(wrong[0], map(str, lists[path])) or "not there: the list is empty"
    return f"the shared {show(path)} does not have {', '.join(wrong)}; the nearest is {right}"


def nearest(text: str, known: Iterable[str]) -> str:
    """What was probably meant, "" if nothing is known."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(text, list(known), 1, 0.0)), "")
