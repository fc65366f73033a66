"""Apply the fixes of findings: only safe ones, only over the bytes they were made from, and looked at again."""

from __future__ import annotations

from gatepost.model import Edit
from gatepost.tree.links import followed
from gatepost.tree.memory import OverlayTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatepost.model import Result
    from gatepost.tree.base import Tree


def plan(
    results: Sequence[Result], tree: Tree, again: Callable[[Tree], list[Result]]
) -> tuple[dict[str, Edit], dict[str, str], list[Result]]:
    """What can safely be mended: an edit by path, the command to run after it by path ("" for none), the results left.

    Fixes are made one after the other, each on what the one before left, so that two of them in one file cannot
    overwrite each other. A fix after which its finding is still there, or a new error appears, is left out.
    """
    view: Tree = tree
    done: dict[str, Edit] = {}
    after_it: dict[str, str] = {}
    left = list(results)
    refused: set[tuple[str, str, str]] = set()
    while True:
        todo = next((each for each in left if _edits(each) and _id(each) not in refused), None)
        if todo is None:
            return done, after_it, left
        if any(followed(view).read(edit.path) != edit.old for edit in _edits(todo)):
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
        for edit in _edits(todo):
            after_it[edit.path] = (todo.fix.then if todo.fix is not None else "") or after_it.get(edit.path, "")


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
) -> tuple[list[Result], dict[str, str]]:
    """Write the fixes; the results that are left, and the paths written, each with the command to run after it or "".

    Raises:
        OSError: a file cannot be written (nothing is left half written).
    """
    from gatepost.writer import write_all

    edits, after_it, left = plan(results, tree, again)
    if not edits:
        return list(results), {}
    write_all(tree.root, edits.values())
    return left, after_it


def show_fixes(results: Sequence[Result], tree: Tree, again: Callable[[Tree], list[Result]]) -> None:
    """Print the fixes as a unified diff on standard output, what has to be run after them as comment lines."""
    import difflib
    import re
    import sys

    def masked(line: str) -> str:
        """The line without the credentials of URLs (RFC 3986, userinfo): a diff ends up in logs."""
        return re.sub(r"(\w://)(?!git@)[^\s/@'\"]+@", r"\1****@", line)

    edits, after_it, _left = plan(results, tree, again)
    for command in dict.fromkeys(filter(None, after_it.values())):
        print(f"# after --fix, run `{command}`")
    hidden = 0
    for edit in edits.values():
        old = (edit.old or b"").decode("utf-8", "replace").splitlines(keepends=True)
        new = (edit.new or b"").decode("utf-8", "replace").splitlines(keepends=True)
        for line in difflib.unified_diff(old, new, f"a/{edit.path}", f"b/{edit.path}"):
            shown = masked(line)
            hidden += shown != line
            sys.stdout.write(shown if line.endswith("\n") else shown + "\n\\ No newline at end of file\n")
    if hidden:
        sys.stdout.flush()
        print("gatepost: the credentials of URLs are masked in this diff: apply it with --fix", file=sys.stderr)
