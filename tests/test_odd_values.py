"""Well-formed files with values of another type than any tool expects: every value of every golden case, one at a time.

Nothing may be raised: the tools refuse such files with an error of their own, which is not ours to guess.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import tomli
import tomlkit

from gatepost.engine import run_hook
from gatepost.registry import own_hook, own_ids
from gatepost.settings import SettingsError, read_settings
from gatepost.toml.load import TomlError
from gatepost.tree.memory import MemoryTree
from tests.casefile import Case, read_case

CASES = Path(__file__).parent / "cases"
ODD: tuple[Any, ...] = (
    0,
    True,
    "",
    "x",
    [],
    ["x"],
    [[0]],
    {},
    {"a": 1},
    [{"name": 1}],
    1.5,
    [{}],
    {"x": {"y": []}},
    10**15,
    "torch @",
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value below a value."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*at, key)
        yield from places(each, (*at, key))


def replaced(data: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    whole = copy.deepcopy(data)
    inner: Any = whole
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return whole


def variants(case: Case) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(what was changed, files), one odd value each."""
    odd = cycle(ODD)
    for name, text in case.files.items():
        as_json = text.lstrip().startswith(b"{")
        if not as_json and not name.endswith((".toml", ".lock", "Pipfile")):
            continue
        try:
            data: dict[str, Any] = json.loads(text) if as_json else tomli.loads(text.decode())
        except ValueError:
            continue
        for place in places(data):
            whole = replaced(data, place, next(odd))
            changed = json.dumps(whole) if as_json else tomlkit.dumps(whole)
            yield f"{name} {place}", {**case.files, name: changed.encode()}


@pytest.mark.parametrize("hook_id", ["lock-freshness", "torch-source", "sync-configs"])
def test_no_value_breaks_a_check(hook_id: str) -> None:
    hook, runs = own_hook(hook_id), 0
    for path in sorted((CASES / hook_id).glob("*.txt")):
        for what, files in variants(read_case(path)):
            runs += 1
            try:
                settings = read_settings(files.get, own_ids)
                run_hook(hook, MemoryTree(files), settings, env={"GATEPOST_DEBUG": "1"})
            except (SettingsError, TomlError):
                continue  # one line for the user
            except Exception as error:
                raise AssertionError(f"{path.name}: {what}") from error
    assert runs > 500
