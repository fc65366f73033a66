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


def glob_of(path: str) -> str:
    """The glob of ruff that means this one file: `*` and the like in brackets, `./` before a file at the root (a
    name without a slash would mean every file of that name)."""
    import re

    escaped = re.sub(r"([*?\[\]{}])", r"[\1]", path)
    return escaped if "/" in path else f"./{escaped}"


def is_single(glob: str) -> bool:
    """Whether a glob is one that `glob_of` makes, or a plain path."""
    import re

    return not _GLOB & set(re.sub(r"\[[*?\[\]{}]\]", "", glob))


def listed(ruff: Any) -> dict[str, tuple[str, ...]]:
    """The entries of `extend-per-file-ignores` that name one file."""
    from gatepost.sync.paths import get

    table = get(ruff, KEY)
    return {
        path: tuple(code for code in codes if isinstance(code, str))
        for path, codes in (table.items() if isinstance(table, dict) else ())
        if isinstance(codes, list) and is_single(path)
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
    fresh: dict[str, list[str]] = {}
    for file, codes in counts.items():
        path = glob_of(file)
        have = get(data, (*prefix, *KEY, path))
        if have is None:
            fresh[path] = codes
        else:
            new = [code for code in codes if code not in have]
            ops += [("extend", (*prefix, *KEY, path), new)] if new else []
    if fresh:
        ops.append(("fill", (*prefix, *KEY), fresh))
    record_raw = tree.read(record_file.NAME)
    record = record_file.parse(record_raw) if record_raw is not None else record_file.empty()
    edit = changed(raw, ops, name)
    now = listed(get(loads(edit.new or b""), prefix))
    dumped = record_file.dump(replace(record, baseline=now))
    return [edit, Edit(path=record_file.NAME, old=record_raw, new=dumped)]
