"""mypy's overrides: shared ones by (module, key), in a block of our own, because two blocks must never disagree."""

from __future__ import annotations

from gatepost.sync import overrides
from gatepost.sync.override_update import pairs_of_ours, updated
from gatepost.sync.paths import render, same, show
from gatepost.sync.record_file import ADDED, ADOPTED, Entry
from gatepost.sync.work import brief

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.sync.paths import Keys
    from gatepost.sync.work import Work


def merge_overrides(work: Work, shared: dict[overrides.Pair, Any]) -> None:
    found = work.at(overrides.PATH)
    blocks = found if isinstance(found, list) else []
    before = {
        (path[3], path[4]): entry
        for path, entry in work.before.items()
        if path[:3] == overrides.PATH and len(path) == 5
    }
    blocks, before = updated(work, blocks, before, shared)
    mine = pairs_of_ours(before, overrides.explode(blocks), shared)
    owned = [overrides.owned(block, mine) for block in blocks]
    leaving = leave_shared_blocks(work, blocks, owned, before, shared)
    rest = [without(block, leaving.get(n, set())) for n, block in enumerate(blocks) if not owned[n]]
    foreign = overrides.explode(rest)
    wanted = ours_to_write(work, shared, foreign, before)
    placed = place(work, blocks, owned, wanted)
    bare, here = work.was_empty(overrides.PATH), overrides.explode(blocks)
    for module, body in wanted.items():
        for key, value in body.items():
            path = (*overrides.PATH, module, key)
            work.entries[path] = Entry(value=value, origin=ADDED, table=bare)
            if module not in placed:
                told(work, path, value, (module, key) in before, here.get((module, key)))
    for (module, key), entry in before.items():
        if (module, key) not in shared and (*overrides.PATH, module, key) not in work.entries:
            path = (*overrides.PATH, module, key)
            if entry.origin == ADDED and (module, key) not in foreign:
                work.note("retired", path, f"retired {show(path)}")
            else:
                work.note("released", path, f"released {show(path)}: no longer shared, left as it is")


def told(work: Work, path: Keys, value: Any, known: bool, local: Any) -> None:
    """The note on a pair that is written into a block of its own; `local` is what stood here, None: nothing."""
    if not known:
        work.note("add", path, f"add    {show(path)} = {render(value)}")
    elif local is None:
        work.note("drift", path, f"drift  {show(path)} = {render(value)} was removed; {work.hint(path)}")
    elif not same(local, value):
        work.note("update", path, f"update {show(path)}: {render(local)} -> {render(value)}")


def ours_to_write(
    work: Work,
    shared: Mapping[overrides.Pair, Any],
    foreign: Mapping[overrides.Pair, Any],
    before: Mapping[overrides.Pair, Entry],
) -> dict[str, dict[str, Any]]:
    """module -> key -> value of the shared pairs that no block of the project sets."""
    refused = work.declared.dropped(overrides.PATH)
    wanted: dict[str, dict[str, Any]] = {}
    for (module, key), value in shared.items():
        path = (*overrides.PATH, module, key)
        reason = work.declared.kept(path)
        if module in refused:
            continue
        if reason is not None:
            work.note("kept", path, f"kept   {show(path)} ({reason})")
        elif (module, key) not in foreign:
            wanted.setdefault(module, {})[key] = value
        elif same(foreign[module, key], value):
            entry = before.get((module, key))
            work.entries[path] = Entry(value=value, origin=entry.origin if entry else ADOPTED)
        else:
            theirs = brief(foreign[module, key])
            work.note(
                "conflict", path, f"conflict {show(path)}: the project's {theirs} stays, shared is {brief(value)}"
            )
    return wanted


def place(work: Work, blocks: list[Any], owned: list[bool], wanted: Mapping[str, dict[str, Any]]) -> set[str]:
    """Write what is wanted into the blocks that are ours, or new ones; the modules that stood right already."""
    placed: set[str] = set()
    staying: list[list[str]] = []
    for block, ours in zip(blocks, owned, strict=True):
        stay = [
            module
            for module in overrides.modules(block)
            if ours and module not in placed and same(wanted.get(module), overrides.body(block))
        ]
        staying.append(stay)
        placed.update(stay)
    new = overrides.collect(
        {(module, key): value for module, body in wanted.items() if module not in placed for key, value in body.items()}
    )
    for number, block in enumerate(blocks):
        if not owned[number] or not staying[number]:
            continue
        names = overrides.modules(block)
        joined = next((each for each in new if same(overrides.body(each), overrides.body(block))), None)
        where = (*overrides.PATH, number, "module")
        if joined is not None:
            new.remove(joined)
            if isinstance(block["module"], str):
                work.op("set", where, [*names, *overrides.modules(joined)])
            else:
                work.op("extend", where, overrides.modules(joined))
        gone = {n for n, name in enumerate(names) if name not in staying[number]}
        if gone:
            work.op("prune", where, gone)
    for number in range(len(blocks) - 1, -1, -1):
        if owned[number] and not staying[number]:
            work.op("unblock", (*overrides.PATH, number))
    for block in new:
        work.op("block", overrides.PATH, block)
    return placed


def leave_shared_blocks(
    work: Work,
    blocks: list[Any],
    owned: list[bool],
    before: Mapping[overrides.Pair, Entry],
    shared: Mapping[overrides.Pair, Any],
) -> dict[int, set[int]]:
    """Take our modules that are retired, or set otherwise now, out of blocks to which the project has added its own.

    Returns: block -> the numbers of the modules that left it.
    """
    refused = work.declared.dropped(overrides.PATH)
    found: dict[int, set[int]] = {}
    for number, block in enumerate(blocks):
        if owned[number] or not isinstance(block, dict) or not isinstance(block.get("module"), list):
            continue
        gone = set()
        for n, module in enumerate(block["module"]):
            if not isinstance(module, str):
                continue
            pairs = [(module, key) for key in block if key != "module"]
            entries = [before.get(pair) for pair in pairs]
            if any(work.declared.kept((*overrides.PATH, *pair)) is not None for pair in pairs):
                continue
            ours = all(
                entry is not None and entry.origin == ADDED and same(entry.value, block[key])
                for entry, (_, key) in zip(entries, pairs, strict=True)
            )
            stays = module not in refused and all(
                (module, key) in shared and same(shared[module, key], block[key]) for _, key in pairs
            )
            if pairs and ours and not stays:
                gone.add(n)
        if gone and len(gone) < len(block["module"]):
            work.op("prune", (*overrides.PATH, number, "module"), gone)
            found[number] = gone
    return found


def without(block: Any, numbers: set[int]) -> Any:
    """A block without some of its modules."""
    if not numbers:
        return block
    return {**block, "module": [item for n, item in enumerate(block["module"]) if n not in numbers]}
