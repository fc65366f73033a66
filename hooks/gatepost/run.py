"""Run own hooks on one snapshot, write what they may write, report."""

from __future__ import annotations

import os
import sys

from gatepost.options import output_format, skipped
from gatepost.view import choose_tree, look_ahead, open_git, prefix_of, require_view, root_note, scope_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gatepost.model import Hook, Result
    from gatepost.options import Known
    from gatepost.settings import Settings
    from gatepost.tree.base import Tree
    from gatepost.tree.git import Git

CLEAN, FINDINGS = 0, 1


class _Unreadable(Exception):
    """A file of settings is there and cannot be read: its path and why."""


def run_hooks(hooks: Sequence[Hook], known: Known, files: list[str], together: bool = False) -> int:
    """Run own hooks and report; with `together`, without those that are skipped. The exit code, 0 or 1.

    Raises:
        SettingsError, UsageError: a wrong setting or option.
        GitError, CheckError, OSError: a check could not run.
    """
    how = output_format(known)
    git = open_git(os.getcwd(), bare=True)
    require_view(git, known.tree)
    if not hooks[0].index_only:  # that one asks git other questions
        look_ahead(git, known.tree, disk=hooks[0].fixer or known.fix or known.diff)
    from gatepost.engine import failing

    scope, extra = scope_of(git, files, known.tree)
    settings, broken = load_settings(git, hooks[0].id)
    hooks[0].load()  # before git's answer is waited for
    results: list[Result] = [] if broken is None else [broken]
    changed: dict[str, str] = {}
    trees: dict[tuple[bool, str | None], Tree] = {}
    skip = skipped(settings) if together else ()

    def fresh() -> Tree:
        git.forget()
        return choose_tree(git, None, extra, disk=True)

    if broken is None:
        for hook in hooks:
            if hook.id in skip:
                continue
            disk = hook.fixer or known.fix or known.diff
            view = known.tree or ("index" if hook.index_only else None)
            if (disk, view) not in trees:
                trees[disk, view] = choose_tree(git, view, extra, disk=disk)
            found, wrote = run_one(hook, trees[disk, view], settings, scope, known, fresh)
            results += found
            changed.update(wrote)
            if wrote:
                trees.clear()
    report(results, changed, how, root_note(git.root))
    strict = known.strict or settings.common["strict"]
    allow = known.allow_unchecked or settings.common["allow-unchecked"]
    return FINDINGS if changed or failing(results, strict=strict, allow_unchecked=allow) else CLEAN


def run_one(
    hook: Hook, tree: Tree, settings: Settings, scope: frozenset[str] | None, known: Known, fresh: Callable[[], Tree]
) -> tuple[list[Result], dict[str, str]]:
    """Results of a hook, and the files written for them, each with the command to run after it or "".

    `fresh` makes a view of the files as they are now.
    """
    from gatepost.engine import run_hook

    args = vars(known)
    within = prefix_of(tree.root) if "PRE_COMMIT" in os.environ else ""

    def again(view: Tree) -> list[Result]:
        return run_hook(hook, view, settings, scope=scope, args=args, env=os.environ, within=within)

    writes = known.fix or (hook.fixer and not args.get("check"))
    if writes:
        from gatepost.journal import resume

        if resume(tree.root):  # a write that was interrupted
            tree = fresh()
    results = again(tree)
    if not (known.diff or writes) or not any(each.fix is not None for each in results):
        return results, {}
    from gatepost.fixing import apply_fixes, show_fixes
    from gatepost.tools.relock import relock, show_commands

    if known.diff:
        show_fixes(results, tree, again)
        show_commands(results)
        return results, {}
    left, wrote = apply_fixes(results, tree, again)
    kept, made = relock(left, tree.root) if known.fix else (left, [])
    if kept != left:
        left = again(fresh())
    wrote.update(dict.fromkeys(made, ""))
    if hook.fixer and wrote:  # it writes by default: say what it took for wrong, and how to keep it
        left = [*left, *(_written(each) for each in results if each.fix is not None and each not in left)]
    return left, wrote


def _written(result: Result) -> Result:
    """A finding whose fix has been written: of its remedy (`command; what else there is`) only the rest is left."""
    from gatepost.record import replace

    rest = result.remedy.partition("; ")[2]
    return replace(result, remedy=f"it has been written{rest and '; '}{rest}")


def report(results: Sequence[Result], changed: Mapping[str, str], how: str, note: str = "") -> None:
    """Print the report, with a last line for people; nothing for a clean run in text form."""
    if not results and not changed and how == "text":
        return
    if how == "json":
        from gatepost.report.json_v1 import render
    else:
        from gatepost.report.text import render
    text = render(results, changed)
    if how == "text":
        text += paste_note(text) + note
    sys.stdout.write(text)
    sys.stdout.flush()


def paste_note(report: str) -> str:
    """For who has no `gatepost` on PATH, the line that makes the commands of a report work: a runner keeps it in an
    environment of its own."""
    if "PRE_COMMIT" not in os.environ or "gatepost " not in report:
        return ""
    own = os.path.abspath(sys.argv[0])
    if not os.path.basename(own).startswith("gatepost"):
        return ""
    from gatepost.report.text import quote

    return f"(the command `gatepost` is in the hook's own environment: `alias gatepost={quote(own)}`)\n"


def load_settings(git: Git, hook_id: str) -> tuple[Settings, Result | None]:
    """Settings of the project in the current folder, else of the root; and the outcome if they cannot be read.

    The work tree's file counts: settings are how the person at the keyboard wants the check to run.
    """
    from gatepost.settings import read_settings
    from gatepost.tree.git import is_gone

    def read(path: str) -> bytes | None:
        name = os.path.join(git.root, path)
        try:
            with open(name, "rb") as stream:
                return stream.read()
        except OSError as error:
            if is_gone(name, error):
                return None
            raise _Unreadable(path, error.strerror or str(error)) from None
        except ValueError:
            return None

    def known() -> list[str]:
        from gatepost.tools.table import known_ids

        return known_ids()

    here = prefix_of(git.root)
    try:
        settings = read_settings(read, known, here)
        if settings.path is None and here:
            settings = read_settings(read, known)
        return settings, None
    except _Unreadable as error:
        from gatepost.engine_outcomes import unreadable

        return read_settings(lambda path: None, known), unreadable(hook_id, *error.args)
    except ValueError as error:
        from gatepost.engine_outcomes import broken_settings
        from gatepost.toml.load import TomlError

        if not isinstance(error, TomlError):
            raise
        empty = read_settings(lambda path: None, known)
        return empty, broken_settings(hook_id, error.path, error.line, error.reason)
