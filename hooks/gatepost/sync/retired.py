"""A setting that is no longer shared: taken out if it was ours, else left."""

from __future__ import annotations

from gatepost.sync.paths import render, same, show
from gatepost.sync.record_file import ADDED
from gatepost.sync.tables import atomic, identity
from gatepost.sync.values import write
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.sync.paths import Keys
    from gatepost.sync.record_file import Entry
    from gatepost.sync.work import Work


def retire(work: Work, path: Keys, entry: Entry) -> None:
    local = work.at(path)
    if local is None or work.declared.kept(path) is not None:
        return
    keys = [identity(path, item) for item in entry.added_items()]
    if isinstance(local, list) and isinstance(entry.value, list) and not atomic(path, entry.value):
        gone = {n for n, item in enumerate(local) if identity(path, item) in keys}
        if len(gone) == len(local) and entry.origin == ADDED:
            work.op("del", path, entry.table)
            work.note("retired", path, f"retired {show(path)}")
        elif gone:
            left = [item for n, item in enumerate(local) if n not in gone]
            if entry.text and "#" not in work.written(path) and is_written(entry.text, left):
                work.op("write", path, left, entry.text)
            else:
                work.op("prune", path, gone)
            names = ", ".join(str(local[n]) for n in sorted(gone))
            work.note("drop", path, f"dropped from {show(path)}: {names}")
        else:
            work.note("released", path, f"released {show(path)}: no longer shared, left as it is")
    elif same(local, entry.value) and entry.origin == ADDED:
        work.op("del", path, entry.table)
        work.note("retired", path, f"retired {show(path)}")
    elif same(local, entry.value) and entry.before and not same(local, entry.before[0]):
        write(work, path, local, entry.before[0])
        work.note(
            "released",
            path,
            f"released {show(path)}: no longer shared, back to the project's {render(entry.before[0])}",
        )
    else:
        work.note("released", path, f"released {show(path)}: no longer shared, left as it is")


def is_written(text: str, value: object) -> bool:
    """Whether a TOML text is that of a value."""
    try:
        return same(loads(f"_ = {text}".encode()).get("_"), value)
    except TomlError:
        return False
