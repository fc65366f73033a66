"""Findings that were there before: rules ignored in single files, a list that may only shrink.

They stand in ruff's own `extend-per-file-ignores`, so that the editor and every runner agree; the record says which
of them were there at adoption, and whatever is added later is a finding.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.model import Edit
    from gatepost.sync.project import Disk

KEY = ("lint", "extend-per-file-ignores")
_GLOB = frozenset("*?[{!")


def listed(ruff: Any) -> dict[str, tuple[str, ...]]:
    """The entries of `extend-per-file-ignores` that name one file."""
    from gatepost.sync.paths import get

    table = get(ruff, KEY)
    return {
        path: tuple(code for code in codes if isinstance(code, str))
        for path, codes in (table.items() if isinstance(table, dict) else ())
        if isinstance(codes, list) and not _GLOB & set(path)
    }


def grown(before: Mapping[str, tuple[str, ...]], now: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """path -> codes that the baseline did not have."""
    out = {path: [code for code in codes if code not in before.get(path, ())] for path, codes in now.items()}
    return {path: codes for path, codes in out.items() if codes}


def shrunk(before: Mapping[str, tuple[str, ...]], now: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The baseline without what is not ignored any more."""
    out = {path: tuple(code for code in codes if code in now.get(path, ())) for path, codes in before.items()}
    return {path: codes for path, codes in out.items() if codes}


def edits(tree: Disk, counts: Mapping[str, list[str]]) -> list[Edit]:
    """The edits that put a baseline into the project's ruff settings and its record.

    Raises:
        NotSpliceable, RecordError: they cannot be made.
    """
    from gatepost.model import Edit
    from gatepost.record import replace
    from gatepost.sync import record_file
    from gatepost.sync.paths import get
    from gatepost.sync.project import changed
    from gatepost.sync.shadow import RUFF_FILES
    from gatepost.toml.load import loads

    name = next((each for each in RUFF_FILES if tree.read(each) is not None), "pyproject.toml")
    prefix: tuple[str, ...] = ("tool", "ruff") if name == "pyproject.toml" else ()
    raw = tree.read(name)
    data = loads(raw or b"")
    ops: list[Any] = []
    for path, codes in counts.items():
        have = get(data, (*prefix, *KEY, path))
        if have is None:
            ops.append(("add", (*prefix, *KEY, path), codes))
        else:
            ops.append(("extend", (*prefix, *KEY, path), [code for code in codes if code not in have]))
    record_raw = tree.read(record_file.NAME)
    record = record_file.parse(record_raw) if record_raw is not None else record_file.empty()
    edit = changed(raw, ops, name)
    now = listed(get(loads(edit.new or b""), prefix))
    new = record_file.dump(replace(record, baseline=now))
    return [edit, Edit(path=record_file.NAME, old=record_raw, new=new)]
