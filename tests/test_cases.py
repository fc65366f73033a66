"""Every golden case of tests/cases, in memory and through a real index; UPDATE_CASES=1 rewrites what they expect."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from gatepost.engine import run_hook
from gatepost.model import Result
from gatepost.options import parser_of
from gatepost.registry import all_codes, own_hook, own_ids
from gatepost.report.text import render
from gatepost.settings import read_settings
from gatepost.tools.table import TOOLS
from gatepost.tree.base import Tree
from gatepost.tree.git import Git, IndexTree
from gatepost.tree.memory import MemoryTree
from tests.casefile import Case, read_case, write_expect
from tests.conftest import Repo

FOLDER = Path(__file__).parent / "cases"
CASES = [read_case(path) for path in sorted(FOLDER.glob("*/*.txt"))]


def judge(case: Case, tree: Tree) -> list[Result]:
    hook = own_hook(case.hook)
    settings = read_settings(case.files.get, lambda: [*own_ids(), *TOOLS])
    args = vars(parser_of(hook.id, hook.summary, [hook]).parse_args(case.args))
    return run_hook(hook, tree, settings, args=args, env={"GATEPOST_DEBUG": "1"})


def report_of(results: list[Result]) -> str:
    """The text report; the Python that runs the check (UL901 names it) is called 3.x."""
    version = re.escape(f"{sys.version_info[0]}.{sys.version_info[1]}")
    return re.sub(rf"(readable as|newer than) Python {version}\b", r"\1 Python 3.x", render(results, {}))


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_case_in_memory(case: Case) -> None:
    tree = MemoryTree(case.files, untracked=case.untracked, ignored=case.ignored)
    report = report_of(judge(case, tree))
    if os.environ.get("UPDATE_CASES"):
        write_expect(case, report)
    else:
        assert report == case.expect


@pytest.mark.parametrize("hook_id", sorted({case.hook for case in CASES}))
def test_cases_through_the_index(hook_id: str, tmp_path: Path) -> None:
    """The same reports from a git index whose work tree says something else."""
    for number, case in enumerate(case for case in CASES if case.hook == hook_id):
        repo = Repo(tmp_path / str(number))
        for name, data in case.files.items():
            repo.write(name, data)
        repo.git("add", "-A", "-f")
        for name in case.files:
            repo.write(name, b"not what was staged\n")
        for name, data in {**case.untracked, **case.ignored}.items():
            repo.write(name, data)
        if case.ignored:
            repo.write(".git/info/exclude", "".join(f"/{name}\n" for name in case.ignored))
        assert report_of(judge(case, IndexTree(Git(str(repo.path))))) == case.expect, case.id


def test_there_are_cases() -> None:
    assert len(CASES) > 100


def test_every_folder_is_a_hook() -> None:
    assert {path.name for path in FOLDER.iterdir()} <= set(own_ids())


def test_every_code_that_is_no_reason_for_unchecked_has_a_case_that_reports_it() -> None:
    reported = "".join(case.expect or "" for case in CASES)
    by_case = {"torch-source", "unsafe-load"}
    missing = [code.id for hook, code in all_codes() if hook in by_case and f"[{code.id}]" not in reported]
    assert missing == []
