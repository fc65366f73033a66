"""Declarations that are malformed, or make no difference any more."""

from __future__ import annotations

from gatepost.sync import overrides, shadow
from gatepost.sync.paths import data_of, get, leaves, normal, plain, same, table_at, word
from gatepost.sync.tables import identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.sync.declared import Declared
    from gatepost.sync.findings import Findings


def malformed(found: Findings) -> None:
    """Declarations without a reason, or of the wrong kind."""
    keep = get(found.data, ("tool", "gatepost", "keep"))
    for path, reason in keep.items() if isinstance(keep, dict) else ():
        if not isinstance(reason, str) or not reason.strip():
            line = found.line("tool", "gatepost", "keep", path)
            found.say("SC106", f"`{path}` is kept without a reason", f'gatepost keep {word(path)} "why"', line)
    for name in ("keep", "drop"):
        if get(data_of(found.tree.read(found.folder + "gatepost.toml")), (name,)):
            message = f"`{name}` of gatepost.toml is not read: it belongs beside the settings that it is about"
            remedy = f"move it to [tool.gatepost.{name}] of {found.path}"
            found.say("SC106", message, remedy, path=found.folder + "gatepost.toml")
    drop = get(found.data, ("tool", "gatepost", "drop"))
    for path, items in drop.items() if isinstance(drop, dict) else ():
        strings = isinstance(items, (list, dict)) and all(isinstance(item, str) for item in items)
        if not strings and not isinstance(items, str):
            line = found.line("tool", "gatepost", "drop", path)
            found.say(
                "SC106", f"what `{path}` drops is not an array of items", f"gatepost drop {word(path)} ITEM", line
            )


def stale(
    found: Findings, said: Declared, fitting: Mapping[str, Any], extra: Mapping[str, Any], ruff_file: str | None
) -> None:
    """Declarations that make no difference any more."""
    wanted = {path: value for table in (fitting, extra) for path, value in leaves(table) if path != overrides.PATH}
    pairs = overrides.explode(get(fitting, overrides.PATH))
    wanted |= {(*overrides.PATH, *pair): value for pair, value in pairs.items()}
    here = plain(found.data)
    if ruff_file is not None:
        tools = here.get("tool")
        here["tool"] = {
            **(tools if isinstance(tools, dict) else {}),
            "ruff": data_of(found.tree.read(found.folder + ruff_file)),
        }
    local = {(*overrides.PATH, *pair): value for pair, value in overrides.explode(get(here, overrides.PATH)).items()}
    table = get(found.data, ("tool", "gatepost"))
    hidden = {
        ("tool", each.tool) for each in shadow.shadows(lambda name: found.tree.read(found.folder + name), found.data)
    }
    for written in table_at(table, ("keep",)):
        path = normal(written)
        under = {each: value for each, value in wanted.items() if each[: len(path)] == path}
        if path[:2] in hidden:
            continue
        if not under:
            message = f"`{written}` is kept, but no shared setting is there any more"
        elif all(same(local[each] if each in local else get(here, each), value) for each, value in under.items()):
            message = f"`{written}` is kept, but is the same as the shared setting"
        else:
            continue
        line = found.line("tool", "gatepost", "keep", written)
        found.say("SC104", message, f"gatepost keep --remove {word(written)}", line)
    for written in table_at(table, ("drop",)):
        path = normal(written)
        shared = wanted.get(path)
        if path == overrides.PATH:
            shared = [module for module, _ in pairs]
        have = {identity(path, item) for item in shared} if isinstance(shared, list) else set()
        gone = [item for item in said.drop.get(path, ()) if identity(path, item) not in have]
        if gone:
            line = found.line("tool", "gatepost", "drop", written)
            message = f"`{written}` drops {', '.join(gone)}, which the shared list does not have"
            found.say("SC105", message, f"gatepost drop --remove {word(written)} {' '.join(map(word, gone))}", line)
