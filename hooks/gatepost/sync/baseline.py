"""Findings that were there before: rules ignored in single files, a list that may only shrink.

They stand in ruff's own `extend-per-file-ignores`, so that the editor and every runner agree; the record says which
of them were there at adoption, and whatever is added later is a finding.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
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


def listed(ruff: Any, folder: str = "") -> dict[str, tuple[str, ...]]:
    """The entries of `extend-per-file-ignores` that name one file, below the folder ("libs/a/") of the settings."""
    from gatepost.sync.paths import get

    table = get(ruff, KEY)
    return {
        folder + path: tuple(code for code in codes if isinstance(code, str))
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


def settings_of(tree: Disk, path: str, synced: Collection[str]) -> str | None:
    """The synced file whose ruff settings hold for a file, None if those are of a file that is not synced."""
    from gatepost.sync.paths import get
    from gatepost.sync.shadow import RUFF_FILES
    from gatepost.toml.load import TomlError, loads

    folder = path.rpartition("/")[0]
    while True:
        for name in (*RUFF_FILES, "pyproject.toml"):
            place = f"{folder}/{name}" if folder else name
            raw = tree.read(place)
            try:
                data = loads(raw or b"")
            except TomlError:
                data = {}
            ruff = data if name in RUFF_FILES else get(data, ("tool", "ruff"))
            if raw is None or ruff is None:
                continue
            above = ruff.get("extend") if isinstance(ruff, dict) else None
            if isinstance(above, str):  # its own list is joined to that of the file it extends
                import posixpath

                place = posixpath.normpath(posixpath.join(folder, above))
            return place if place in synced else None
        if not folder:
            return None
        folder = folder.rpartition("/")[0]


def edits(tree: Disk, counts: Mapping[str, list[str]]) -> tuple[list[Edit], list[str]]:
    """The edits that put a baseline into the project's ruff settings and its record, and the files left out because
    their settings are not synced.

    Raises:
        NotSpliceable, RecordError: they cannot be made.
    """
    from gatepost.model import Edit
    from gatepost.record import replace
    from gatepost.sync import record_file
    from gatepost.sync.paths import get
    from gatepost.sync.project import changed
    from gatepost.toml.load import loads

    record_raw = tree.read(record_file.NAME)
    record = record_file.parse(record_raw) if record_raw is not None else record_file.empty()
    by_file: dict[str, dict[str, list[str]]] = {}
    left: list[str] = []
    for file, codes in counts.items():
        place = settings_of(tree, file, record.files)
        if place is None:
            left.append(file)
        else:
            by_file.setdefault(place, {})[file] = codes
    found: list[Edit] = []
    now: dict[str, tuple[str, ...]] = {}
    for place, files in by_file.items():
        folder = place[: place.rfind("/") + 1]
        prefix: tuple[str, ...] = () if place.endswith("ruff.toml") else ("tool", "ruff")
        raw = tree.read(place)
        have = get(loads(raw or b""), (*prefix, *KEY))
        ops: list[Any] = []
        fresh: dict[str, list[str]] = {}
        for file, codes in files.items():
            path = glob_of(file[len(folder) :])
            if get(have, (path,)) is None:
                fresh[path] = codes
            else:
                new = [code for code in codes if code not in have[path]]
                ops += [("extend", (*prefix, *KEY, path), new)] if new else []
        if fresh:
            ops.append(("fill", (*prefix, *KEY), fresh))
        edit = changed(raw, ops, place)
        found.append(edit)
        now |= listed(get(loads(edit.new or b""), prefix), folder)
    dumped = record_file.dump(replace(record, baseline=now))
    return [*found, Edit(path=record_file.NAME, old=record_raw, new=dumped)], left
