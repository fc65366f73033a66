"""One shared value, a scalar or an atomic list: the decision table of the three-way merge."""

from __future__ import annotations

from gatepost.sync.paths import render, same, show
from gatepost.sync.record_file import ADDED, ADOPTED, Entry
from gatepost.sync.work import brief

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.sync.paths import Keys
    from gatepost.sync.work import Work


def merge_value(work: Work, path: Keys, value: Any, local: Any, entry: Entry | None) -> None:
    """`value` is shared now, `local` stands here (None: nothing), `entry` is what the last sync knew."""
    if entry is None:
        first(work, path, value, local)
        return
    if local is None:
        work.op("add", path, value)
        work.note("drift", path, f"drift  {show(path)} was removed; {work.hint(path)}")
    elif same(local, value):
        pass
    elif same(local, entry.value):
        write(work, path, local, value)
        work.note("update", path, f"update {show(path)}: {render(local)} -> {render(value)}")
    else:
        write(work, path, local, value)
        text = f"drift  {show(path)} was set to {render(local)} instead of {render(value)}; {work.hint(path)}"
        work.note("drift", path, text)
    before = entry.before
    if entry.origin == ADOPTED and not before and not same(entry.value, value):
        before = (entry.value,)
    work.entries[path] = Entry(value=value, origin=entry.origin, before=before, table=entry.table)


def write(work: Work, path: Keys, local: Any, value: Any) -> None:
    """Put a value in the place of another; in a list with comments the items that stay, and their comments, stay."""
    if not (isinstance(local, list) and isinstance(value, list) and "#" in work.written(path)):
        work.op("set", path, value)
        return
    kept, gone = 0, set()
    for number, item in enumerate(local):
        if kept < len(value) and same(item, value[kept]):
            kept += 1
        else:
            gone.add(number)
    if gone:
        work.op("prune", path, gone)
    if value[kept:]:
        work.op("extend", path, value[kept:])


def first(work: Work, path: Keys, value: Any, local: Any) -> None:
    """A setting that was not shared at the last sync, or the first sync: the project's own value stays."""
    if local is None:
        work.op("add", path, value)
        work.entries[path] = Entry(value=value, origin=ADDED, table=work.was_empty(path))
        work.note("add", path, f"add    {show(path)} = {brief(value)}")
    elif same(local, value):
        work.entries[path] = Entry(value=value, origin=ADOPTED)
    elif any(same(each.get(path), local) for each in work.older):
        write(work, path, local, value)
        work.entries[path] = Entry(value=value, origin=ADDED)
        work.note("update", path, f"update {show(path)}: {render(local)} -> {render(value)}")
    else:
        when = "it became shared" if work.before else "the first sync"
        was = render(local)
        if len(was) > 60:
            why = f"was set here before {when}"
        else:
            why = f"was {was} before {when}" + (f"; shared {render(value)}" if len(render(value)) <= 60 else "")
        work.keeps.append((path, why))
        work.entries[path] = Entry(value=value, origin=ADOPTED, before=(local,))
        work.note("keep", path, f"keep   {show(path)} = {brief(local)} (shared {brief(value)})")
