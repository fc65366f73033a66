"""One shared list: its items come and go one by one, and the project's own are never touched."""

from __future__ import annotations

from gatepost.sync.paths import render, same, show, word
from gatepost.sync.record_file import ADDED, ADOPTED, Entry
from gatepost.sync.tables import covers, identity, is_code_list
from gatepost.sync.work import brief

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from gatepost.sync.paths import Keys
    from gatepost.sync.work import Work


def merge_items(work: Work, path: Keys, value: list[Any], local: Any, entry: Entry | None) -> None:
    refused = work.declared.dropped(path)
    if entry is not None and not refused and same(local, value) and same(entry.value, value):
        work.entries[path] = entry
        return
    shared: dict[str, Any] = {}
    for item in value:
        if identity(path, item) not in refused:
            shared.setdefault(identity(path, item), item)
    if local is None:
        if shared or not value:
            work.op("add", path, list(shared.values()))
            origin = ADDED if entry is None else entry.origin
            if entry is None:
                work.note("add", path, f"add    {show(path)} = {brief(list(shared.values()))}")
            else:
                work.note("drift", path, f"drift  {show(path)} was removed; {work.hint(path)}")
            whole = origin == ADDED and same(list(shared.values()), value)
            work.entries[path] = Entry(
                value=value,
                origin=origin,
                ours=None if whole else tuple(shared.values()),
                table=work.was_empty(path) if entry is None else entry.table,
            )
        return
    mine = {identity(path, item): item for item in (entry.added_items() if entry else ())}
    present = {identity(path, item) for item in local}
    mute = said_otherwise(work, path, local, mine)
    added = [item for key, item in shared.items() if key not in present and not (mute and mute(key))]
    gone = [n for n, item in enumerate(local) if identity(path, item) in mine and identity(path, item) not in shared]
    ours: list[Any] = []
    for number, item in enumerate(local):
        key = identity(path, item)
        if number in gone or key not in mine or key not in shared:
            continue
        ours.append(shared[key])
        if path[-1] == "markers" and same(item, mine[key]) and not same(item, shared[key]):
            work.op("set", (*path, number), shared[key])
            work.note("update", path, f"update {show(path)}: {render(item)} -> {render(shared[key])}")
    if gone:
        work.op("prune", path, set(gone))
        names = ", ".join(str(local[n]) for n in gone)
        work.note("drop", path, f"dropped from {show(path)}: {names}")
    text = entry.text if entry else ""
    if added:
        if entry is None and "\n" not in (written := work.written(path)):
            text = written
        work.op("extend", path, added)
        back = [item for item in added if identity(path, item) in mine]
        new = [item for item in added if identity(path, item) not in mine]
        if back:
            names = ", ".join(map(str, back))
            hint = f"to refuse it: gatepost drop {' '.join(word(str(each)) for each in (show(path), *back))}"
            work.note("drift", path, f"drift  {show(path)} lost {names}; {hint}")
        if new:
            work.note("add", path, f"add    {show(path)}: {', '.join(map(str, new))}")
    ours += added
    order = {identity(path, item): n for n, item in enumerate(value)}
    ours.sort(key=lambda item: order.get(identity(path, item), 0))
    origin = entry.origin if entry else ADOPTED
    whole = origin == ADDED and same(ours, value)
    work.entries[path] = Entry(
        value=value, origin=origin, ours=None if whole else tuple(ours), table=bool(entry and entry.table), text=text
    )
    if origin == ADDED and value and not shared and local and len(gone) == len(local):
        del work.entries[path]  # every item is dropped
        work.ops.pop()
        work.op("del", path, bool(entry and entry.table))


def said_otherwise(work: Work, path: Keys, local: list[Any], mine: Mapping[str, Any]) -> Callable[[str], bool] | None:
    """Whether the project's own rule codes cover a shared one, or say the opposite: then it is not added.

    `E` has `E4` in it; a shared `PLC` beside an ignored `PL` would switch on, being the more specific one, what
    the project switched off; a shared ignore of a rule that the project selects by its code would switch it off.
    """
    if not is_code_list(path):
        return None

    def own(name: str) -> set[str]:
        place = (*path[:-1], name)
        items, entry = work.at(place), work.before.get(place)
        ours = {identity(place, item) for item in entry.added_items()} if entry else set()
        return {identity(place, item) for item in items} - ours if isinstance(items, list) else set()

    here = {identity(path, item) for item in local} - set(mine)
    if path[-1] == "select":
        off = own("ignore") | own("extend-ignore")
        return lambda code: any(covers(each, code) for each in here | off) or code in off
    if path[-1] == "ignore":
        on = own("select") | own("extend-select")
        return lambda code: any(covers(each, code) for each in here) or code in on
    return lambda code: any(covers(each, code) for each in here)
