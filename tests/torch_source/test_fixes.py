"""Every fix on offer removes its finding, brings no other error, keeps comments, and leaves a file that parses."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.engine import run_hook
from gatepost.fixing import plan
from gatepost.model import Result
from gatepost.registry import own_hook, own_ids
from gatepost.settings import read_settings
from gatepost.toml.load import loads
from gatepost.tools.table import TOOLS
from gatepost.tree.base import Tree
from gatepost.tree.memory import MemoryTree, OverlayTree
from tests.casefile import read_case

FOLDER = Path(__file__).parents[1] / "cases" / "torch-source"
HOOK = own_hook("torch-source")
SAFE = {code.id for code in HOOK.codes() if code.safe_fix}
CASES = [read_case(path) for path in sorted(FOLDER.glob("ts[1-6]*.txt")) if "-clean-" not in path.stem]


def judge(tree: Tree) -> list[Result]:
    settings = read_settings(tree.read, lambda: [*own_ids(), *TOOLS])
    return run_hook(HOOK, tree, settings, args={}, env={"GATEPOST_DEBUG": "1"})


def commented(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same files with a comment behind every line that can carry one, and one above."""
    found = {}
    for name, data in files.items():
        if name.endswith((".toml", "Pipfile")) and b"uv.lock" not in name.encode():
            data = b"# top\n" + data
            try:
                loads(data)
            except ValueError:
                pass
        found[name] = data
    return found


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
@pytest.mark.parametrize("crlf", [False, True], ids=["lf", "crlf"])
def test_fix(case, crlf: bool) -> None:  # type: ignore[no-untyped-def]
    files = commented(case.files)
    if crlf:
        files = {name: data.replace(b"\n", b"\r\n") for name, data in files.items()}
    tree = MemoryTree(files)
    before = judge(tree)
    for result in before:
        if result.fix is None or not result.fix.edits:
            continue
        for edit in result.fix.edits:
            assert edit.old == tree.read(edit.path)
            assert edit.new is not None
            script = edit.path.endswith(".py")  # the settings of a script stand in its comments
            old_comments = [line for line in (edit.old or b"").splitlines() if line.startswith(b"#") and not script]
            assert all(line in edit.new.splitlines() for line in old_comments)
            if crlf:
                assert edit.new.count(b"\n") == edit.new.count(b"\r\n")
            if edit.path.endswith((".toml", "Pipfile")):
                loads(edit.new)
        after = judge(OverlayTree(tree, result.fix.edits))
        same = [other for other in after if other.code == result.code]
        assert len(same) < len([other for other in before if other.code == result.code]), (
            result.code,
            result.fix.title,
        )


def test_every_safe_code_is_fixed_in_some_case() -> None:
    fixed = {result.code for case in CASES for result in judge(MemoryTree(case.files)) if result.fix is not None}
    assert fixed >= SAFE, sorted(SAFE - fixed)


def test_a_fix_that_makes_the_lock_stale_is_made_and_the_lock_reported() -> None:
    case = read_case(FOLDER / "ts103-uv.txt")
    lock = (
        'version = 1\n\n[[package]]\nname = "torch"\nversion = "2.8.0+cpu"\n'
        'source = { registry = "https://download.pytorch.org/whl/cpu" }\n\n'
        '[[package]]\nname = "torchvision"\nversion = "0.23.0"\nsource = { registry = "https://index.example/simple" }\n'
    )
    tree = MemoryTree({**case.files, "uv.lock": lock.encode()})
    edits, then, left = plan(judge(tree), tree, judge)
    assert then == {"pyproject.toml": "uv lock"}
    assert list(edits) == ["pyproject.toml"]
    assert [(result.code, result.path) for result in left] == [("TS301", "uv.lock")]
    assert "uv lock" in left[0].remedy


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_what_is_offered_is_made_and_made_once(case) -> None:  # type: ignore[no-untyped-def]
    tree = MemoryTree(case.files)
    edits, _then, left = plan(judge(tree), tree, judge)
    offered = [(each.code, each.line) for each in left if each.fix is not None and each.fix.edits]
    assert offered == []
    again, _then, _left = plan(judge(OverlayTree(tree, edits.values())), OverlayTree(tree, edits.values()), judge)
    assert again == {}


def test_the_selector_fix_names_the_channel_of_its_packages() -> None:
    case = read_case(FOLDER / "ts606-nvidia.txt")
    tree = MemoryTree(case.files)
    edits, _then, _left = plan(judge(tree), tree, judge)
    for name, data in case.files.items():
        assert b"nvidia" not in data.partition(b"dependencies")[0]
        new = edits[name].new
        assert new is not None
        assert b"nvidia" in new.partition(b"dependencies")[0]
        assert b"pytorch-cuda=11.7" in new
