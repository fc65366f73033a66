"""The worked merge cases: a file, what is shared now and was shared last, and what has to come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gatepost.sync.merge import Merged, merge
from gatepost.sync.overrides import PATH, explode
from gatepost.sync.paths import leaves, read
from gatepost.sync.record_file import Entry
from gatepost.toml.load import loads

CASES = sorted(Path(__file__).with_name("cases").iterdir())


def entries_of(base: dict[str, Any], lock: dict[str, Any] | None) -> dict[tuple[str, ...], Entry]:
    """The record that a sync of `base` would have left, with the origins and items that `lock` names."""
    if lock is None:
        return {}
    origin = {read(path): value for path, value in lock["origin"].items()}
    items = {read(path): tuple(value) for path, value in lock["items"].items()}
    flat: dict[tuple[str, ...], Any] = {path: value for path, value in leaves(base) if path != PATH}
    blocks = base.get("tool", {}).get("mypy", {}).get("overrides")
    flat |= {(*PATH, *pair): value for pair, value in explode(blocks).items()}
    return {
        path: Entry(value=value, origin=origin.get(path, "added"), ours=items.get(path)) for path, value in flat.items()
    }


def run(case: Path) -> tuple[Merged, bytes]:
    def load(name: str) -> dict[str, Any]:
        file = case / name
        return loads(file.read_bytes()) if file.exists() else {}

    lock = case / "lock.json"
    entries = entries_of(load("base.toml"), json.loads(lock.read_text()) if lock.exists() else None)
    before = (case / "input.toml").read_bytes()
    merged = merge(before.decode(), load("shared.toml"), entries)
    return merged, merged.text.encode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path) -> None:
    meta = json.loads((case / "meta.json").read_text())
    merged, text = run(case)
    assert text.decode() == (case / "expected.toml").read_bytes().decode()
    if meta["refused"]:
        assert meta["refused"] in merged.refused
    else:
        assert merged.refused == ""
    for needle in meta["notes_contain"]:
        assert needle in "\n".join(merged.lines)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_next_sync_has_nothing_to_do(case: Path) -> None:
    merged, _ = run(case)
    if not merged.refused:
        again = merge(merged.text, loads((case / "shared.toml").read_bytes()), merged.entries)
        assert (again.text, again.entries, again.refused) == (merged.text, merged.entries, "")
        assert not [note for note in again.notes if note.kind not in ("kept", "conflict")]
