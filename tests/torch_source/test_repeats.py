"""What is written many times is judged once; what is asked for in very many ways is not compared pair by pair."""

from __future__ import annotations

from gatepost.engine import run_hook
from gatepost.model import Result
from gatepost.registry import own_hook
from gatepost.settings import read_settings
from gatepost.tree.memory import MemoryTree


def judge(files: dict[str, str]) -> list[Result]:
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    return run_hook(own_hook("torch-source"), tree, read_settings(lambda path: None, list))


def told(files: dict[str, str]) -> list[tuple[str, int | None]]:
    return [(each.code, each.line) for each in judge(files)]


def test_equal_lines_are_one() -> None:
    once = "torch==2.4.0\ntorchvision==0.20.0\n"
    assert told({"requirements.txt": once * 300}) == told({"requirements.txt": once}) != []


def test_equal_lock_entries_are_one() -> None:
    entry = '[[packages]]\nname = "torch"\nversion = "2.4.0"\n'
    head = 'lock-version = "1.0"\ncreated-by = "x"\n'
    project = {"pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["torch==2.5.0"]\n'}
    few = told({**project, "pylock.toml": head + entry})
    assert told({**project, "pylock.toml": head + entry * 3_000}) == few != []


def test_too_many_ways_are_not_compared() -> None:
    lines = "".join(f"torch>=2.{n} ; python_version < '3.{n}'\n" for n in range(2_000))
    (said,) = judge({"requirements.txt": lines})
    assert (said.kind, said.code) == ("unchecked", "TS001")
    assert said.message == "asks for `torch` in 2000 different ways: more than 50 are not compared"
