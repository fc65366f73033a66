"""Apply the fixes of findings: only safe ones, only over the bytes they were made from, and looked at again."""

from __future__ import annotations

from gatepost.model import Edit
from gatepost.tree.memory import OverlayTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatepost.engine import Result
    from gatepost.tree.base import Tree


def plan(
    results: Sequence[Result], tree: Tree, again: Callable[[Tree], list[Result]]
) -> tuple[list[Edit], list[Result]]:
    """Edits that mend what can safely be mended, and the results that are left once they are made.

    Fixes are made one after the other, each on what the one before left, so that two of them in one file cannot
    overwrite each other. A fix after which its finding is still there, or a new error appears, is left out.
    """
    view: Tree = tree
    done: dict[str, Edit] = {}
    left = list(results)
    refused: set[tuple[str, str, str]] = set()
    while True:
        todo = next((each for each in left if _edits(each) and _id(each) not in refused), None)
        if todo is None:
            return list(done.values()), left
        if any(view.read(edit.path) != edit.old for edit in _edits(todo)):
            refused.add(_id(todo))
            continue
        trial = {**done}
        for edit in _edits(todo):
            first = done[edit.path].old if edit.path in done else edit.old
            trial[edit.path] = Edit(path=edit.path, old=first, new=edit.new)
        after_view: Tree = OverlayTree(tree, trial.values())
        after = again(after_view)
        before_errors = {_id(each) for each in left if each.severity == "error"}
        worse = any(
            each.severity == "error" and _id(each) not in before_errors and not _is_lock(each.path) for each in after
        )
        if worse or sum(_id(each) == _id(todo) for each in after) >= sum(_id(each) == _id(todo) for each in left):
            refused.add(_id(todo))
            continue
        view, done, left = after_view, trial, after


def _edits(result: Result) -> tuple[Edit, ...]:
    return result.fix.edits if result.fix is not None and result.fix.safe else ()


def _is_lock(path: str) -> bool:
    """Whether a path is a lock file: one that a fix of its manifest makes stale is renewed by the remedy's command."""
    name = path.rpartition("/")[2]
    return name.endswith(".lock") or name.startswith("pylock") or "conda-lock" in name


def _id(result: Result) -> tuple[str, str, str]:
    return (result.path, result.code, result.message)


def apply_fixes(
    results: Sequence[Result], tree: Tree, again: Callable[[Tree], list[Result]]
) -> tuple[list[Result], list[str]]:
    """Write the fixes; the results that are left, and the paths written.

    Raises:
        OSError: a file cannot be written (nothing is left half written).
    """
    from gatepost.writer import write_all

    edits, left = plan(results, tree, again)
    if not edits:
        return list(results), []
    write_all(tree.root, edits)
    return left, [edit.path for edit in edits]


def show_fixes(results: Sequence[Result], tree: Tree, again: Callable[[Tree], list[Result]]) -> None:
    """Print the fixes as a unified diff on standard output."""
    import difflib
    import sys

    edits, _left = plan(results, tree, again)
    for edit in edits:
        old = (edit.old or b"").decode("utf-8", "replace").splitlines(keepends=True)
        new = (edit.new or b"").decode("utf-8", "replace").splitlines(keepends=True)
        for line in difflib.unified_diff(old, new, f"a/{edit.path}", f"b/{edit.path}"):
            sys.stdout.write(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
