"""What the golden cases cannot say: hostile input, the byte filter, cells and their lines."""

from __future__ import annotations

import json
import re

import pytest

from gatepost.model import Context, Finding, Unchecked
from gatepost.rules.unsafe_load.check import check, may_load
from gatepost.rules.unsafe_load.codes import CODES
from gatepost.rules.unsafe_load.source import python_of
from gatepost.tree.memory import MemoryTree


def outcomes(files: dict[str, bytes], scope: frozenset[str] | None = None) -> list[Finding | Unchecked]:
    return list(check(Context(tree=MemoryTree(files), scope=scope, settings={}, args={}, env={})))


@pytest.mark.parametrize(
    "data",
    [
        b"import torch\ntorch.load(" + b"(" * 5000,
        b"import torch\nx = " + b"-" * 50_000 + b"torch.load(1)",
        b"import torch\ntorch.load\x00",
        b"\xff\xfe torch load",
        b"# coding: nonsense\nimport torch\ntorch.load",
        b"torch.load = '\\d'\n",
        b"torch" + b".load" * 3000,
        b"torch" + b".load()" * 1000,
    ],
)
@pytest.mark.parametrize("path", ["a.py", "a.ipynb"])
def test_hostile_source_never_raises(data: bytes, path: str) -> None:
    for one in outcomes({path: data}):
        assert one.code in {code.id for code in CODES}


@pytest.mark.parametrize(
    "book",
    [
        [],
        {"cells": 1},
        {"cells": [1, {"cell_type": "code", "source": 3}]},
        {"cells": [{"cell_type": "code", "source": [1]}]},
    ],
)
def test_odd_notebooks(book: object) -> None:
    assert outcomes({"torch load.ipynb": json.dumps(book).encode() + b" torch.load"}) == []


def test_every_code_has_a_case() -> None:
    from pathlib import Path

    folder = Path(__file__).parents[1] / "cases" / "unsafe-load"
    text = "\n".join(path.read_text(encoding="utf-8").partition("=== expect")[2] for path in folder.glob("*.txt"))
    assert set(re.findall(r"\[(UL\d{3})\]", text)) == {code.id for code in CODES}


def test_scope() -> None:
    text = b"import torch\ntorch.load('x')\n"
    files = {"a.py": text, "b.py": text, "run": b"#!/usr/bin/env python3\n" + text, "other": text}
    assert [one.where.path for one in outcomes(files)] == ["a.py", "b.py", "run"]
    assert [one.where.path for one in outcomes(files, frozenset(["b.py", "run", "other"]))] == ["b.py", "run"]


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("%pip install x\ny = 1", "pass\ny = 1"),
        ("if a:\n    !ls", "if a:\n    pass"),
        ("x = !ls", "x = None"),
        ("x = %sql select 1", "x = None"),
        ("df.head?", "pass"),
        ("%%bash\ntorch.load x", ""),
        ("x = 7 % 3", "x = 7 % 3"),
        ("s = 'why?'", "s = 'why?'"),
    ],
)
def test_magics(cell: str, python: str) -> None:
    assert python_of(cell) == python


def test_the_byte_filter_lets_nothing_slip() -> None:
    for code in CODES:
        if code.unchecked or "(" not in code.bad:
            continue
        assert may_load(code.bad.encode()), code.id


def test_minified_notebook() -> None:
    book = {"cells": [{"cell_type": "code", "source": "import torch\ntorch.load('x')"}]}
    (one,) = outcomes({"a.ipynb": json.dumps(book).encode()})
    assert (one.where.line, "cell 1" in one.message) == (1, True)


def test_many_copies_of_one_file_are_reported_once() -> None:
    text = b"import pickle\npickle.load(x)\n"
    few = {f"{number}.py": text for number in range(5)}
    assert len(outcomes(few)) == 5
    (one,) = outcomes({f"{number}.py": text for number in range(8)})
    assert (one.where.path, one.message.rpartition(" (")[2]) == ("0.py", "the same file stands at 7 more paths)")
