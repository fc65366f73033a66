"""What the golden cases cannot say: hostile input, the byte filter, cells and their lines."""

from __future__ import annotations

import json
import re
import sys

import pytest

from gatepost.model import Context, Finding, Unchecked
from gatepost.rules.unsafe_load.check import check, may_load
from gatepost.rules.unsafe_load.codes import CODES, SEVERITY
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
        {"cells": [1, {"cell_type": "code", "source": 3}]},
        {"cells": [{"cell_type": "code", "source": [1]}]},
        {"worksheets": [1, {"cells": [{"cell_type": "code", "input": 1}]}]},
        {"cells": [{"cell_type": "code", "source": "x <- ("}], "metadata": {"kernelspec": {"language": "R"}}},
    ],
)
def test_odd_notebooks(book: dict[str, object]) -> None:
    assert outcomes({"a.ipynb": json.dumps({**book, "x": "torch load"}).encode()}) == []


def test_a_notebook_of_nbformat_3() -> None:
    book = {"worksheets": [{"cells": [{"cell_type": "code", "input": "import torch\ntorch.load('x')"}]}]}
    assert [one.code for one in outcomes({"a.ipynb": json.dumps(book).encode()})] == ["UL101"]


_REMOTE = "from transformers import AutoModel\nAutoModel.from_pretrained('a/b', revision=r, trust_remote_code=True)\n"
_BOOK = json.dumps({"cells": [{"cell_type": "code", "source": _REMOTE}]}, indent=1)
_PYTHON = f"Python {sys.version_info[0]}.{sys.version_info[1]}"


@pytest.mark.parametrize(
    ("path", "text", "line", "why"),
    [
        pytest.param("a.py", _REMOTE + "x = (\n", 3, f"{_PYTHON} ('(' was never closed)", id="syntax error"),
        pytest.param("a.py", f"lr = 0.01  # 00\nt = '{{% if %}}'\n{_REMOTE}x = (", 5, _PYTHON, id="a chat template"),
        pytest.param("a.py", "<<<<<<< HEAD\n" + _REMOTE, 1, _PYTHON, id="a conflict"),
        pytest.param("a.py", _REMOTE + "x = 1\0", None, _PYTHON, id="a NUL byte"),
        pytest.param("a.ipynb", _BOOK[:-5], None, "a notebook (it is not valid JSON)", id="a notebook cut off"),
        pytest.param("a.ipynb", "<<<<<<< HEAD\n" + _BOOK, 1, "a notebook (it is not valid JSON)", id="conflict in it"),
        pytest.param("a.ipynb", json.dumps([_REMOTE]), None, "a notebook (it has no cells)", id="a list"),
        pytest.param("a.ipynb", _BOOK.replace("AutoModel.from", "(AutoModel.from"), 5, _PYTHON, id="a cell"),
    ],
)
def test_what_cannot_be_read_fails(path: str, text: str, line: int | None, why: str) -> None:
    (one,) = outcomes({path: text.encode()})
    assert (one.code, type(one), SEVERITY[one.code]) == ("UL901", Unchecked, "error")
    assert one.message.startswith(f"not readable as {why}")
    assert one.message.endswith(", so its loads were not looked at")
    assert line is None or one.where.line == line


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("{{cookiecutter.name}}/a.py", _REMOTE + "x = (", id="a folder of a template"),
        pytest.param("a.py", _REMOTE + "class {{ cookiecutter.name | title }}:\n    pass\n", id="cookiecutter"),
        pytest.param("a.py", "{%- if x -%}\n" + _REMOTE, id="jinja"),
        pytest.param("a.py", _REMOTE + "try:\n    x()\nexcept OSError, e:\n    print >>f, e\n", id="Python 2"),
        pytest.param("a.py", _REMOTE + "x = 0777\n", id="Python 2's octal"),
        pytest.param("a.py", _REMOTE + "x = @@NAME@@\n", id="a placeholder"),
        pytest.param("a.py", _REMOTE + "x = <YOUR_MODEL>\n", id="a placeholder of a tutorial"),
        pytest.param("run", f"#!/usr/bin/env python3\nPK\0{_REMOTE}", id="an archive with a first line"),
        pytest.param("run", f"#!/usr/bin/python2\n{_REMOTE}x = (", id="a script of Python 2"),
        pytest.param("a.py", "def f(:\n", id="no word of a load"),
        pytest.param("a.ipynb", _BOOK[:-5] + '"language": "R"', id="a damaged notebook of another language"),
    ],
)
def test_what_is_passed_over(path: str, text: str) -> None:
    assert outcomes({path: text.encode()}) == []


def test_a_notebook_saved_as_a_script() -> None:
    text = b"!pip install torch \\\n    --upgrade\n%cd /content\nimport torch\nfiles = !ls\nx = torch.load('x')\n"
    assert [(one.code, one.where.line) for one in outcomes({"a.py": text})] == [("UL101", 6)]
    (one,) = outcomes({"a.py": text + b"y = (\n"})
    assert (one.code, one.where.line) == ("UL901", 7)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python reads it")
def test_newer_syntax_is_not_taken_for_python_2() -> None:
    (one,) = outcomes({"a.py": f"{_REMOTE}try:\n    x()\nexcept KeyError, ValueError:\n    pass\n".encode()})
    assert (one.code, one.where.line) == ("UL901", 5)
    assert f"for syntax newer than {_PYTHON}, give the hook a `language_version` that reads it" in one.remedy


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
        ("!a \\\n  --b \\\n  --c\nx = 1", "pass\n\n\nx = 1"),
        ("x = !a \\\n  --b\ny = 1", "x = None\n\ny = 1"),
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
