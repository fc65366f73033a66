"""A block of mypy's overrides that the last sync wrote: its keys follow the shared ones in place.

So a value that changes keeps its line, its comments and its neighbours. Only where all modules of the block go the same
way: what concerns some of them is for `override_merge`, which gives those a block of their own.
"""

from __future__ import annotations

from gatepost.sync import overrides
from gatepost.sync.paths import render, same, show
from gatepost.sync.record_file import ADDED, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.sync.work import Work

    Known = Mapping[overrides.Pair, Entry]


def updated(
    work: Work, blocks: list[Any], before: Known, shared: Mapping[overrides.Pair, Any]
) -> tuple[list[Any], dict[overrides.Pair, Entry]]:
    """The blocks with our keys brought up to date, and what is known of their pairs then."""
    after, known = list(blocks), dict(before)
    for number, block in enumerate(blocks):
        names = overrides.modules(block)
        if not names or len(names) != len(set(names)) or _unreadable(block, names):
            continue
        others = overrides.explode([each for n, each in enumerate(blocks) if n != number])
        target = _target(work, block, names, before, shared, others)
        if target is not None and not same(target, overrides.body(block)):
            _write(work, number, names, block, target, known)
            after[number] = {"module": block["module"], **target}
    return after, known


def pairs_of_ours(
    before: Known, here: Mapping[overrides.Pair, Any], shared: Mapping[overrides.Pair, Any]
) -> set[overrides.Pair]:
    """The pairs that we added, but for those that the project has set otherwise and that are no longer shared."""
    return {
        pair
        for pair, entry in before.items()
        if entry.origin == ADDED and (pair in shared or pair not in here or same(here[pair], entry.value))
    }


def _unreadable(block: Any, names: list[str]) -> bool:
    return isinstance(block["module"], list) and len(block["module"]) != len(names)


def _target(
    work: Work,
    block: dict[str, Any],
    names: list[str],
    before: Known,
    shared: Mapping[overrides.Pair, Any],
    others: Mapping[overrides.Pair, Any],
) -> dict[str, Any] | None:
    """The settings that the block shall have; None if its modules do not agree, or nothing of it stays."""
    whole = overrides.owned(block, pairs_of_ours(before, overrides.explode([block]), shared))
    refused = work.declared.dropped(overrides.PATH)
    wanted: list[dict[str, Any]] = []
    for module in names:
        body = {} if module in refused else {key: value for (name, key), value in shared.items() if name == module}
        for key in {*body, *block} if whole else block:
            if (module, key) in others or work.declared.kept((*overrides.PATH, module, key)) is not None:
                return None
        wanted.append(body)
    if whole:
        return wanted[0] if wanted[0] and all(same(each, wanted[0]) for each in wanted) else None
    target = overrides.body(block)
    for key, value in overrides.body(block).items():
        entries = [before.get((module, key)) for module in names]
        if not all(each is not None and each.origin == ADDED and same(each.value, value) for each in entries):
            continue
        values = [body.get(key) for body in wanted]
        if not all(same(each, values[0]) for each in values):
            return None
        if values[0] is None:
            del target[key]
        else:
            target[key] = values[0]
    return target or None


def _write(
    work: Work,
    number: int,
    names: list[str],
    block: dict[str, Any],
    target: dict[str, Any],
    known: dict[overrides.Pair, Entry],
) -> None:
    place = (*overrides.PATH, number)
    for key, value in target.items():
        if key not in block:
            work.op("add", (*place, key), value)
        elif not same(block[key], value):
            work.op("set", (*place, key), value)
    for key in overrides.body(block):
        if key not in target:
            work.op("del", (*place, key), True)
    for module in names:
        for key in {**overrides.body(block), **target}:
            path, entry, new = (*overrides.PATH, module, key), known.get((module, key)), target.get(key)
            if same(block.get(key), new):
                continue
            if new is None:
                del known[module, key]
                work.note("retired", path, f"retired {show(path)}")
                continue
            known[module, key] = Entry(value=new, origin=ADDED, table=entry.table if entry else False)
            if entry is None:
                work.note("add", path, f"add    {show(path)} = {render(new)}")
            elif key not in block:
                work.note("drift", path, f"drift  {show(path)} = {render(new)} was removed; {work.hint(path)}")
            elif same(entry.value, block[key]):
                work.note("update", path, f"update {show(path)}: {render(block[key])} -> {render(new)}")
            else:
                was = f"was set to {render(block[key])} instead of {render(new)}"
                work.note("drift", path, f"drift  {show(path)} {was}; {work.hint(path)}")
