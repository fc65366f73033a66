"""The three-way merge of one file: what was shared last, what stands here, what is shared now.

Scalars and atomic lists go by key, other lists by item, mypy's overrides by (module, key). The project wins where it
says so (`[tool.gatepost.keep]`, `[tool.gatepost.drop]`) and at the first sync; afterwards an undeclared difference is
drift and is put back. The text is edited by `splice`, the data beside it by the same operations, and the text is
taken only if it reads back as that data.
"""

from __future__ import annotations

from gatepost.record import record
from gatepost.sync import overrides
from gatepost.sync.paths import get, leaves, plain, read, render, render_key, same, show
from gatepost.sync.record_file import ADDED, ADOPTED, Entry
from gatepost.sync.tables import atomic, covers, identity, is_code_list, legacy_keys, shareable
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    from gatepost.sync.paths import Keys

    Op: TypeAlias = tuple[Any, ...]

KEEP = ("tool", "gatepost", "keep")
DROP = ("tool", "gatepost", "drop")


@record
class Note:
    """One thing that the merge did or saw. `kind`: add update drift keep kept drop retired released conflict."""

    kind: str
    path: Keys
    text: str


@record
class Merged:
    """The outcome for one file. `refused` "" means that `text` may be written."""

    text: str
    entries: Mapping[Keys, Entry]
    notes: tuple[Note, ...] = ()
    refused: str = ""
    snippet: str = ""
    keeps: tuple[tuple[Keys, str], ...] = ()  # declarations that belong into pyproject.toml

    @property
    def lines(self) -> list[str]:
        return [note.text for note in self.notes]


@record
class Declared:
    """The project's own declarations: kept paths with their reason, refused list items with theirs."""

    keep: Mapping[Keys, str]
    drop: Mapping[Keys, Mapping[str, str]]

    def kept(self, path: Keys) -> str | None:
        """The reason for which a path is left alone, or None."""
        for size in range(len(path), 0, -1):
            reason = self.keep.get(path[:size])
            if reason is not None:
                return reason
        return None

    def dropped(self, path: Keys) -> frozenset[str]:
        return frozenset(identity(path, item) for item in self.drop.get(path, ()))


def declared(table: Any) -> Declared:
    """The declarations in a `[tool.gatepost]` table; what is malformed there is left out."""
    keep: dict[Keys, str] = {}
    drop: dict[Keys, dict[str, str]] = {}
    entries = get(table, ("keep",))
    for path, reason in entries.items() if isinstance(entries, dict) else ():
        keep[read(path)] = reason if isinstance(reason, str) else ""
    entries = get(table, ("drop",))
    for path, items in entries.items() if isinstance(entries, dict) else ():
        if isinstance(items, dict):
            drop[read(path)] = {str(item): str(reason) for item, reason in items.items()}
        elif isinstance(items, list):
            drop[read(path)] = {item: "" for item in items if isinstance(item, str)}
        elif isinstance(items, str):
            drop[read(path)] = {items: ""}
    return Declared(keep=keep, drop=drop)


def merge(
    text: str,
    shared: Mapping[str, Any],
    entries: Mapping[Keys, Entry] | None = None,
    *,
    derived: Mapping[str, Any] | None = None,
    prefix: Keys = (),
    declarations: Declared | None = None,
    older: Sequence[Mapping[str, Any]] = (),
    keeps: Sequence[tuple[Keys, str]] = (),
) -> Merged:
    """Merge a shared configuration into one file.

    Args:
        text: the file, decoded (a BOM as its first character).
        shared: the configuration as `{"tool": {...}}`; settings that only a project can know are left out of it.
        entries: the record of this file's last sync.
        derived: settings computed for this project, put over `shared`.
        prefix: the path that the top of this file stands for; ("tool", "ruff") for a ruff.toml.
        declarations: from elsewhere; None reads them from this file and writes new ones into it.
        older: earlier releases of the shared configuration, for a project whose record was lost.
        keeps: declarations that the merge of another file asks to be written here.
    """
    try:
        data = loads(text.encode("utf-8", "surrogatepass"))
    except TomlError as error:
        return Merged(text=text, entries=entries or {}, refused=f"not valid TOML: {error}")
    work = _Merge(text, data, prefix, entries or {}, declarations, older)
    work.keeps += keeps
    wanted = shareable(shared)
    for path, value in leaves(derived or {}):
        if value != {}:
            _put(wanted, path, value)
    return work.run(wanted)


class _Merge:
    def __init__(
        self,
        text: str,
        data: dict[str, Any],
        prefix: Keys,
        entries: Mapping[Keys, Entry],
        declarations: Declared | None,
        older: Sequence[Mapping[str, Any]],
    ) -> None:
        self.text = text
        self.local = data
        self.prefix = prefix
        self.before = entries
        self.here = declarations is None
        self.declared = declarations or declared(get(data, ("tool", "gatepost")))
        synced_before = get(data, ("tool", "gatepost")) is not None or not self.here
        self.older = [dict(leaves(each)) for each in older] if synced_before and not entries else []
        self.entries: dict[Keys, Entry] = {}
        self.notes: list[Note] = []
        self.ops: list[Op] = []
        self.keeps: list[tuple[Keys, str]] = []

    # --- the frame ---------------------------------------------------------------------------------------------------

    def run(self, shared: dict[str, Any]) -> Merged:
        shared = self.retargeted(shared)
        blocks = get(shared, overrides.PATH)
        if isinstance(blocks, list):
            del shared["tool"]["mypy"]["overrides"]
        wanted = {
            path: value
            for path, value in leaves(shared)
            if path[: len(self.prefix)] == self.prefix and len(path) > len(self.prefix) and value != {}
        }
        refused = self.obstacle(wanted, blocks)
        if refused:
            return self.refusal(refused, wanted, blocks)
        for path, value in wanted.items():
            self.wanted(path, value)
        for path, entry in self.before.items():
            if path not in wanted and path[:3] != overrides.PATH:
                self.retired(path, entry)
        if not self.prefix:
            self.override_blocks(overrides.explode(blocks))
        if self.here:
            for path, reason in self.keeps:
                self.ops.append(("add", (*KEEP, show(path)), reason))
        if not self.ops:
            return Merged(text=self.text, entries=self.entries, notes=tuple(self.notes), keeps=tuple(self.keeps))
        from gatepost.sync.splice import NotSpliceable

        try:
            text = proved(self.text, self.local, self.ops)
        except NotSpliceable as error:
            return self.refusal(str(error), wanted, blocks)
        return Merged(text=text, entries=self.entries, notes=tuple(self.notes), keeps=tuple(self.keeps))

    def refusal(self, reason: str, wanted: Mapping[Keys, Any], blocks: Any) -> Merged:
        missing = {
            path[len(self.prefix) :]: value
            for path, value in wanted.items()
            if not same(self.at(path), value) and self.declared.kept(path) is None
        }
        snippet = as_toml(missing)
        return Merged(text=self.text, entries=self.before, refused=reason, snippet=snippet)

    def retargeted(self, shared: dict[str, Any]) -> dict[str, Any]:
        """pytest 9 reads `[tool.pytest]` or `[tool.pytest.ini_options]` and stops at both: use the one that is there."""
        shared = plain(shared)
        local = get(self.local, ("tool", "pytest"))
        theirs = get(shared, ("tool", "pytest", "ini_options"))
        if isinstance(local, dict) and local and "ini_options" not in local and isinstance(theirs, dict):
            shared["tool"]["pytest"] = theirs
        return shared

    def obstacle(self, wanted: Mapping[Keys, Any], blocks: Any) -> str:
        """Why the file cannot be merged, "" if it can."""
        ruff = self.at(("tool", "ruff")) if self.prefix[:2] in ((), ("tool", "ruff")) else None
        legacy = legacy_keys(ruff)
        lint = [path for path in wanted if path[:3] == ("tool", "ruff", "lint")]
        if legacy and any(self.declared.kept(path) is None for path in lint):
            return f"legacy top-level ruff keys {', '.join(legacy)}"
        for path, value in wanted.items():
            if self.declared.kept(path) is not None:
                continue
            for size in range(len(self.prefix) + 1, len(path)):
                found = self.at(path[:size])
                if found is not None and not isinstance(found, dict):
                    return f"{show(path[:size])} is not a table"
            if isinstance(self.at(path), dict) and not isinstance(value, dict):
                return f"{show(path)} is a table"
        found = self.at(overrides.PATH)
        if blocks and not self.prefix and found is not None and not isinstance(found, list):
            return f"{show(overrides.PATH)} is not an array of tables"
        if self.here:
            for size in (1, 2, 3):
                found = get(self.local, KEEP[:size])
                if found is not None and not isinstance(found, dict):
                    return f"{show(KEEP[:size])} is not a table"
        return ""

    def at(self, path: Keys) -> Any:
        return get(self.local, path[len(self.prefix) :])

    def op(self, name: str, path: Sequence[str | int], *rest: Any) -> None:
        self.ops.append((name, tuple(path)[len(self.prefix) :], *rest))

    def note(self, kind: str, path: Keys, text: str) -> None:
        self.notes.append(Note(kind=kind, path=path, text=text))

    # --- one key -----------------------------------------------------------------------------------------------------

    def wanted(self, path: Keys, value: Any) -> None:
        local, entry = self.at(path), self.before.get(path)
        reason = self.declared.kept(path)
        if reason is not None:
            if entry is not None:
                self.entries[path] = entry
            if local is not None or entry is not None:
                self.note("kept", path, f"kept   {show(path)} ({reason})")
            return
        if not atomic(path, value) and (local is None or not atomic(path, local)):
            self.items(path, value, local, entry)
            return
        if entry is None:
            self.first(path, value, local)
            return
        if local is None:
            self.op("add", path, value)
            self.note("drift", path, f"drift  {show(path)} was removed, put back; {self.hint(path)}")
        elif same(local, value):
            pass
        elif same(local, entry.value):
            self.op("set", path, value)
            self.note("update", path, f"update {show(path)}: {render(local)} -> {render(value)}")
        else:
            self.op("set", path, value)
            self.note(
                "drift",
                path,
                f"drift  {show(path)} was {render(local)}, put back to {render(value)}; {self.hint(path)}",
            )
        before = entry.before
        if entry.origin == ADOPTED and not before and not same(entry.value, value):
            before = (entry.value,)
        self.entries[path] = Entry(value=value, origin=entry.origin, before=before, table=entry.table)

    def first(self, path: Keys, value: Any, local: Any) -> None:
        if local is None:
            self.op("add", path, value)
            self.entries[path] = Entry(value=value, origin=ADDED, table=self.was_empty(path))
            self.note("add", path, f"add    {show(path)} = {_brief(value)}")
        elif same(local, value):
            self.entries[path] = Entry(value=value, origin=ADOPTED)
        elif any(same(each.get(path), local) for each in self.older):
            self.op("set", path, value)
            self.entries[path] = Entry(value=value, origin=ADDED)
            self.note("update", path, f"update {show(path)}: {render(local)} -> {render(value)}")
        else:
            when = "it became shared" if self.before else "the first sync"
            was = render(local)
            if len(was) > 60:
                why = f"was set here before {when}"
            else:
                why = f"was {was} before {when}" + (f"; shared {render(value)}" if len(render(value)) <= 60 else "")
            self.keeps.append((path, why))
            self.entries[path] = Entry(value=value, origin=ADOPTED, before=(local,))
            self.note("keep", path, f"keep   {show(path)} = {_brief(local)} (shared {_brief(value)})")

    def was_empty(self, path: Keys) -> bool:
        """Whether the table of a key that is added was there before us, with nothing of its own in it."""
        beside = [entry.table for known, entry in self.before.items() if known[:-1] == path[:-1]]
        return any(beside) or self.at(path[:-1]) == {}

    def hint(self, path: Keys) -> str:
        return f'to keep it, write under [{show(KEEP)}]: {render(show(path))} = "why"'

    def items(self, path: Keys, value: list[Any], local: Any, entry: Entry | None) -> None:
        refused = self.declared.dropped(path)
        if entry is not None and not refused and same(local, value) and same(entry.value, value):
            self.entries[path] = entry
            return
        shared: dict[str, Any] = {}
        for item in value:
            if identity(path, item) not in refused:
                shared.setdefault(identity(path, item), item)
        if local is None:
            if shared or not value:
                self.op("add", path, list(shared.values()))
                origin = ADDED if entry is None else entry.origin
                if entry is None:
                    self.note("add", path, f"add    {show(path)} = {_brief(list(shared.values()))}")
                else:
                    self.note("drift", path, f"drift  {show(path)} was removed, put back; {self.hint(path)}")
                whole = origin == ADDED and same(list(shared.values()), value)
                self.entries[path] = Entry(
                    value=value,
                    origin=origin,
                    ours=None if whole else tuple(shared.values()),
                    table=self.was_empty(path) if entry is None else entry.table,
                )
            return
        mine = {identity(path, item): item for item in (entry.added_items() if entry else ())}
        present = {identity(path, item) for item in local}
        mute = self.said_otherwise(path, local, mine)
        added = [item for key, item in shared.items() if key not in present and not (mute and mute(key))]
        gone = [
            n for n, item in enumerate(local) if identity(path, item) in mine and identity(path, item) not in shared
        ]
        ours: list[Any] = []
        for number, item in enumerate(local):
            key = identity(path, item)
            if number in gone or key not in mine or key not in shared:
                continue
            ours.append(shared[key])
            if path[-1] == "markers" and same(item, mine[key]) and not same(item, shared[key]):
                self.op("set", (*path, number), shared[key])
                self.note("update", path, f"update {show(path)}: {render(item)} -> {render(shared[key])}")
        if gone:
            self.op("prune", path, set(gone))
            names = ", ".join(str(local[n]) for n in gone)
            self.note("drop", path, f"dropped from {show(path)}: {names}")
        if added:
            self.op("extend", path, added)
            back = [item for item in added if identity(path, item) in mine]
            new = [item for item in added if identity(path, item) not in mine]
            if back:
                names = ", ".join(map(str, back))
                hint = f"to refuse it, write under [{show(DROP)}]: {render(show(path))} = {render(back)}"
                self.note("drift", path, f"drift  {show(path)} lost {names}, put back; {hint}")
            if new:
                self.note("add", path, f"add    {show(path)}: {', '.join(map(str, new))}")
        ours += added
        order = {identity(path, item): n for n, item in enumerate(value)}
        ours.sort(key=lambda item: order.get(identity(path, item), 0))
        origin = entry.origin if entry else ADOPTED
        whole = origin == ADDED and same(ours, value)
        self.entries[path] = Entry(
            value=value, origin=origin, ours=None if whole else tuple(ours), table=bool(entry and entry.table)
        )
        if origin == ADDED and value and not shared and local and len(gone) == len(local):
            del self.entries[path]  # every item is dropped
            self.ops.pop()
            self.op("del", path, bool(entry and entry.table))

    def said_otherwise(self, path: Keys, local: list[Any], mine: Mapping[str, Any]) -> Callable[[str], bool] | None:
        """Whether the project's own rule codes cover a shared one, or say the opposite: then it is not added.

        `E` has `E4` in it; a shared `PLC` beside an ignored `PL` would switch on, being the more specific one, what
        the project switched off; a shared ignore of a rule that the project selects by its code would switch it off.
        """
        if not is_code_list(path):
            return None

        def own(name: str) -> set[str]:
            place = (*path[:-1], name)
            items, entry = self.at(place), self.before.get(place)
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

    def retired(self, path: Keys, entry: Entry) -> None:
        local = self.at(path)
        if local is None or self.declared.kept(path) is not None:
            return
        keys = [identity(path, item) for item in entry.added_items()]
        if isinstance(local, list) and isinstance(entry.value, list) and not atomic(path, entry.value):
            gone = {n for n, item in enumerate(local) if identity(path, item) in keys}
            if len(gone) == len(local) and entry.origin == ADDED:
                self.op("del", path, entry.table)
                self.note("retired", path, f"retired {show(path)}")
            elif gone:
                self.op("prune", path, gone)
                names = ", ".join(str(local[n]) for n in sorted(gone))
                self.note("drop", path, f"dropped from {show(path)}: {names}")
            else:
                self.note("released", path, f"released {show(path)}: no longer shared, left as it is")
        elif same(local, entry.value) and entry.origin == ADDED:
            self.op("del", path, entry.table)
            self.note("retired", path, f"retired {show(path)}")
        elif same(local, entry.value) and entry.before and not same(local, entry.before[0]):
            self.op("set", path, entry.before[0])
            self.note(
                "released",
                path,
                f"released {show(path)}: no longer shared, back to the project's {render(entry.before[0])}",
            )
        else:
            self.note("released", path, f"released {show(path)}: no longer shared, left as it is")

    # --- mypy's overrides --------------------------------------------------------------------------------------------

    def override_blocks(self, shared: dict[overrides.Pair, Any]) -> None:
        blocks = self.at(overrides.PATH)
        blocks = blocks if isinstance(blocks, list) else []
        before = {
            (path[3], path[4]): entry
            for path, entry in self.before.items()
            if path[:3] == overrides.PATH and len(path) == 5
        }
        mine = [pair for pair, entry in before.items() if entry.origin == ADDED]
        owned = [overrides.owned(block, mine) for block in blocks]
        foreign = overrides.explode([block for block, ours in zip(blocks, owned, strict=True) if not ours])
        refused = self.declared.dropped(overrides.PATH)
        wanted: dict[str, dict[str, Any]] = {}
        for (module, key), value in shared.items():
            path = (*overrides.PATH, module, key)
            reason = self.declared.kept(path)
            if module in refused:
                continue
            if reason is not None:
                self.note("kept", path, f"kept   {show(path)} ({reason})")
            elif (module, key) not in foreign:
                wanted.setdefault(module, {})[key] = value
            elif same(foreign[module, key], value):
                entry = before.get((module, key))
                self.entries[path] = Entry(value=value, origin=entry.origin if entry else ADOPTED)
            else:
                theirs = _brief(foreign[module, key])
                self.note(
                    "conflict", path, f"conflict {show(path)}: the project's {theirs} stays, shared is {_brief(value)}"
                )
        self.leave_shared_blocks(blocks, owned, before, shared)
        staying: list[list[str]] = []
        placed: set[str] = set()
        for block, ours in zip(blocks, owned, strict=True):
            body = {key: value for key, value in block.items() if key != "module"} if isinstance(block, dict) else {}
            stay = [
                module
                for module in overrides.modules(block)
                if ours and module not in placed and same(wanted.get(module), body)
            ]
            staying.append(stay)
            placed.update(stay)
        missing = {
            (module, key): value
            for module, body in wanted.items()
            if module not in placed
            for key, value in body.items()
        }
        new = overrides.collect(missing)
        for number, block in enumerate(blocks):
            if not owned[number] or not staying[number]:
                continue
            names = overrides.modules(block)
            gone = {n for n, name in enumerate(names) if name not in staying[number]}
            body = {key: value for key, value in block.items() if key != "module"}
            joined = next((each for each in new if same({k: v for k, v in each.items() if k != "module"}, body)), None)
            place = (*overrides.PATH, number, "module")
            if joined is not None:
                new.remove(joined)
                if isinstance(block["module"], str):
                    self.op("set", place, [*names, *overrides.modules(joined)])
                else:
                    self.op("extend", place, overrides.modules(joined))
            if gone:
                self.op("prune", place, gone)
        for number in range(len(blocks) - 1, -1, -1):
            if owned[number] and not staying[number]:
                self.op("unblock", (*overrides.PATH, number))
        for block in new:
            self.op("block", overrides.PATH, block)
        for module, body in wanted.items():
            for key, value in body.items():
                path = (*overrides.PATH, module, key)
                self.entries[path] = Entry(value=value, origin=ADDED)
                if module not in placed:
                    known = (module, key) in before
                    kind, verb = ("drift", "drift ") if known else ("add", "add   ")
                    text = f"{verb} {show(path)} = {render(value)}"
                    self.note(kind, path, f"{text} put back; {self.hint(path)}" if known else text)
        for (module, key), entry in before.items():
            if (module, key) not in shared and (*overrides.PATH, module, key) not in self.entries:
                path = (*overrides.PATH, module, key)
                verb = "retired" if entry.origin == ADDED else "released"
                self.note(verb, path, f"{verb} {show(path)}")

    def leave_shared_blocks(
        self,
        blocks: list[Any],
        owned: list[bool],
        before: Mapping[overrides.Pair, Entry],
        shared: Mapping[overrides.Pair, Any],
    ) -> None:
        """Take our retired modules out of blocks to which the project has added its own."""
        refused = self.declared.dropped(overrides.PATH)
        for number, block in enumerate(blocks):
            if owned[number] or not isinstance(block, dict) or not isinstance(block.get("module"), list):
                continue
            gone = set()
            for n, module in enumerate(block["module"]):
                pairs = [(module, key) for key in block if key != "module"]
                entries = [before.get(pair) for pair in pairs]
                if pairs and all(
                    entry is not None
                    and entry.origin == ADDED
                    and same(entry.value, block[key])
                    and ((module, key) not in shared or module in refused)
                    for entry, (_, key) in zip(entries, pairs, strict=True)
                ):
                    gone.add(n)
            if gone and len(gone) < len(block["module"]):
                self.op("prune", (*overrides.PATH, number, "module"), gone)


# --- applying and proving --------------------------------------------------------------------------------------------


def proved(text: str, data: Mapping[str, Any], ops: Sequence[Op]) -> str:
    """The text with the operations made, proved to read back as the data with the same operations made.

    Raises:
        NotSpliceable: an operation cannot be made, or the result would mean something else or lose a comment.
    """
    if not ops:
        return text
    from gatepost.sync import splice

    meant = plain(data)
    new = text
    for op in ops:
        before = new
        new = _spliced(before, op)
        _change(meant, op, before, new)
        if op[0] not in ("prune", "del"):
            lost = _comments_lost(before, new)
            if lost:
                raise splice.NotSpliceable(f"writing {show(map(str, op[1]))} would lose the comment `{lost}`")
    try:
        found = loads(new.encode("utf-8", "surrogatepass"))
    except TomlError as error:
        raise splice.NotSpliceable(f"the merged file would not be valid TOML ({error})") from None
    if not same(found, meant):
        raise splice.NotSpliceable("the merged file would not mean what was meant")
    return new


def _spliced(text: str, op: Op) -> str:
    from gatepost.sync import splice

    name, path = op[0], op[1]
    if name == "set":
        return splice.set_value(text, path, op[2])
    if name == "add":
        return splice.add_key(text, path, op[2])
    if name == "del":
        return splice.remove(text, path, keep_header=op[2])
    if name == "extend":
        return splice.add_items(text, path, op[2])
    if name == "prune":
        return splice.remove_items(text, path, op[2])
    if name == "block":
        return splice.add_element(text, path, op[2])
    return splice.remove_element(text, path)


def _change(data: dict[str, Any], op: Op, before: str, after: str) -> None:
    from gatepost.toml.scan import scan

    name, path = op[0], op[1]
    above = get(data, path[:-1])
    if name == "add":
        _put(data, path, plain(op[2]))
    elif name == "set":
        above[path[-1]] = plain(op[2])
    elif name == "extend":
        above[path[-1]].extend(plain(op[2]))
    elif name == "prune":
        above[path[-1]] = [item for n, item in enumerate(above[path[-1]]) if n not in op[2]]
    elif name == "block":
        _put(data, path, [*(get(data, path) or []), plain(op[2])])
    elif name == "unblock":
        del above[path[-1]]
        if not above and scan(before).span(path[:-1]) is None:
            _prune_empty(data, path[:-1], after)
    else:
        del above[path[-1]]
        _prune_empty(data, path[:-1], after)


def _prune_empty(data: dict[str, Any], path: tuple[Any, ...], text: str) -> None:
    """Drop tables that lost their last key, where the text lost their header too."""
    from gatepost.toml.scan import scan

    document = scan(text)
    while path and get(data, path) in ({}, []) and document.place(path) is None:
        del get(data, path[:-1])[path[-1]]
        path = path[:-1]


def _put(data: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    table: Any = data
    for key in path[:-1]:
        table = table[key] if isinstance(table, list) else table.setdefault(key, {})
    table[path[-1]] = value


def _comments_lost(before: str, after: str) -> str:
    """The text of a comment that is gone, "" if none is."""
    if before.count("#") <= after.count("#") and "#" not in before:
        return ""
    from gatepost.toml.scan import scan

    left: dict[str, int] = {}
    for start, end in scan(after).comments():
        left[after[start:end]] = left.get(after[start:end], 0) + 1
    for start, end in scan(before).comments():
        comment = before[start:end]
        left[comment] = left.get(comment, 0) - 1
        if left[comment] < 0:
            return comment
    return ""


def as_toml(wanted: Mapping[Keys, Any]) -> str:
    """Settings as TOML to paste: one header a table."""
    tables: dict[Keys, list[str]] = {}
    for path, value in wanted.items():
        tables.setdefault(path[:-1], []).append(f"{render_key(path[-1])} = {render(value)}\n")
    return "\n".join(
        (f"[{show(table)}]\n" if table else "") + "".join(lines) for table, lines in sorted(tables.items())
    )


def _brief(value: Any) -> str:
    text = render(value)
    return text if len(text) <= 60 else text[:57] + "..."
