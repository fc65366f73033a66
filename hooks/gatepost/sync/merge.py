"""The three-way merge of one file: what was shared last, what stands here, what is shared now.

Scalars and atomic lists go by key (`values`), other lists by item (`items`), mypy's overrides by (module, key)
(`override_merge`). The project wins where it says so (`[tool.gatepost.keep]`, `[tool.gatepost.drop]`) and at the first
sync; afterwards an undeclared difference is drift and is put back. The text is edited by `splice`, the data beside it
by the same operations, and the text is taken only if it reads back as that data (`proof`).
"""

from __future__ import annotations

from gatepost.record import record
from gatepost.sync import overrides
from gatepost.sync.declared import KEEP
from gatepost.sync.items import merge_items
from gatepost.sync.override_merge import merge_overrides
from gatepost.sync.paths import get, leaves, plain, put, render, render_key, same, show
from gatepost.sync.retired import retire
from gatepost.sync.tables import atomic, legacy_keys, shareable
from gatepost.sync.values import merge_value
from gatepost.sync.work import Work
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gatepost.sync.declared import Declared
    from gatepost.sync.paths import Keys
    from gatepost.sync.record_file import Entry
    from gatepost.sync.work import Note


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
    work = Work(text, data, prefix, entries or {}, declarations, older)
    work.keeps += keeps
    settings = retargeted(shareable(shared), data)
    for path, value in leaves(derived or {}):
        if value != {}:
            put(settings, path, value)
    blocks = get(settings, overrides.PATH)
    if isinstance(blocks, list):
        del settings["tool"]["mypy"]["overrides"]
    wanted = {
        path: value
        for path, value in leaves(settings)
        if path[: len(prefix)] == prefix and len(path) > len(prefix) and value != {}
    }
    refused = obstacle(work, wanted, blocks)
    if refused:
        return refusal(work, refused, wanted)
    decide(work, wanted, blocks)
    if not work.ops:
        return Merged(text=text, entries=work.entries, notes=tuple(work.notes), keeps=tuple(work.keeps))
    from gatepost.sync.layout import NotSpliceable
    from gatepost.sync.proof import proved

    try:
        new = proved(text, data, work.ops)
    except NotSpliceable as error:
        return refusal(work, str(error), wanted)
    return Merged(text=new, entries=work.entries, notes=tuple(work.notes), keeps=tuple(work.keeps))


def decide(work: Work, wanted: Mapping[Keys, Any], blocks: Any) -> None:
    """Collect the operations, the new record and the notes."""
    for path, value in wanted.items():
        local, entry = work.at(path), work.before.get(path)
        reason = work.declared.kept(path)
        if reason is not None:
            if entry is not None:
                work.entries[path] = entry
            if local is not None or entry is not None:
                work.note("kept", path, f"kept   {show(path)} ({reason})")
        elif not atomic(path, value) and (local is None or not atomic(path, local)):
            merge_items(work, path, value, local, entry)
        else:
            merge_value(work, path, value, local, entry)
    for path, entry in work.before.items():
        if path not in wanted and path[:3] != overrides.PATH:
            retire(work, path, entry)
    if not work.prefix:
        merge_overrides(work, overrides.explode(blocks))
    if work.here:
        for path, reason in work.keeps:
            work.op("add", (*KEEP, show(path)), reason)


def retargeted(shared: dict[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """pytest 9 reads `[tool.pytest]` or `[tool.pytest.ini_options]` and stops at both: use the one that is there."""
    shared = plain(shared)
    local = get(data, ("tool", "pytest"))
    theirs = get(shared, ("tool", "pytest", "ini_options"))
    if isinstance(local, dict) and local and "ini_options" not in local and isinstance(theirs, dict):
        shared["tool"]["pytest"] = theirs
    return shared


def obstacle(work: Work, wanted: Mapping[Keys, Any], blocks: Any) -> str:
    """Why the file cannot be merged, "" if it can."""
    ruff = work.at(("tool", "ruff")) if work.prefix[:2] in ((), ("tool", "ruff")) else None
    legacy = legacy_keys(ruff)
    lint = [path for path in wanted if path[:3] == ("tool", "ruff", "lint")]
    if legacy and any(work.declared.kept(path) is None for path in lint):
        return f"legacy top-level ruff keys {', '.join(legacy)}"
    for path, value in wanted.items():
        if work.declared.kept(path) is not None:
            continue
        for size in range(len(work.prefix) + 1, len(path)):
            found = work.at(path[:size])
            if found is not None and not isinstance(found, dict):
                return f"{show(path[:size])} is not a table"
        if isinstance(work.at(path), dict) and not isinstance(value, dict):
            return f"{show(path)} is a table"
    found = work.at(overrides.PATH)
    if blocks and not work.prefix and found is not None and not isinstance(found, list):
        return f"{show(overrides.PATH)} is not an array of tables"
    if work.here:
        for size in (1, 2, 3):
            found = get(work.local, KEEP[:size])
            if found is not None and not isinstance(found, dict):
                return f"{show(KEEP[:size])} is not a table"
    return ""


def refusal(work: Work, reason: str, wanted: Mapping[Keys, Any]) -> Merged:
    missing = {
        path[len(work.prefix) :]: value
        for path, value in wanted.items()
        if not same(work.at(path), value) and work.declared.kept(path) is None
    }
    return Merged(text=work.text, entries=work.before, refused=reason, snippet=as_toml(missing))


def as_toml(wanted: Mapping[Keys, Any]) -> str:
    """Settings as TOML to paste: one header a table."""
    tables: dict[Keys, list[str]] = {}
    for path, value in wanted.items():
        tables.setdefault(path[:-1], []).append(f"{render_key(path[-1])} = {render(value)}\n")
    return "\n".join(
        (f"[{show(table)}]\n" if table else "") + "".join(lines) for table, lines in sorted(tables.items())
    )
