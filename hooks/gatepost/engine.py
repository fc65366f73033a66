"""Run checks over a tree: scope, settings, ignores with a reason, order, verdict. No IO of its own."""

from __future__ import annotations

from gatepost.globs import matcher
from gatepost.model import Context, Finding, Result
from gatepost.settings import PREFIXES
from gatepost.tree.links import followed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from gatepost.model import Code, Hook, Outcome
    from gatepost.settings import Settings
    from gatepost.tree.base import Tree


_FOLLOWING = ("sync-configs", "torch-source", "lock-freshness")  # they read the settings that tools read
_WORD, _IGNORE = b"gatepost", rb"gatepost(?::\s*|\s+)ignore\b"  # files without them have no comment that ignores


class CheckError(Exception):
    """A check broke: our bug. `str()` is one line."""


def run_hook(
    hook: Hook,
    tree: Tree,
    settings: Settings,
    *,
    scope: frozenset[str] | None = None,
    args: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    within: str = "",
) -> list[Result]:
    """The results of one hook, ignores applied, sorted by path, line and code.

    `within` ("" or "sub/dir/") limits what is reported to a folder: prek runs each sub-project's hooks in its folder.

    Raises:
        SettingsError: the hook's own table has a wrong key or value.
        GitError: git failed.
        CheckError: the check itself broke.
    """
    part: list[None] = []
    view, found = _watched(tree) if scope is None and not hook.index_only else (tree, {})
    context = Context(
        tree=followed(view) if hook.id in _FOLLOWING else view,
        scope=scope,
        settings=settings.of(hook),
        args=args or {},
        env=env or {},
        common=settings.common,
        exclude=_excluded(settings.common["exclude"], within),
        partly=lambda: part.append(None),
    )
    outcomes = _guarded(hook, context)
    unread = _unread(hook.id, tree, context) if tree.git is not None and tree.git.unread else []
    marked = [path for path, has in found.items() if has and not part]
    if not outcomes and not settings.ignores and not marked and not _allowed(settings, hook.id):
        return unread
    from gatepost import silence

    codes = {code.id: code for code in hook.codes()}
    silence.known(settings, codes, _allowed(settings, hook.id))
    results = [_result(hook.id, each, codes) for each in outcomes if not context.exclude(each.where.path)] + unread
    kept, used = silence.apply(results, tree, settings, codes, whole=scope is None and not part, hook=hook.id)
    kept += silence.idle(
        hook, results, kept, used, codes, {each: tree.read(each) for each in marked if not context.exclude(each)}
    )
    return sorted(dict.fromkeys(kept), key=lambda each: (each.path, each.line or 0, each.code, each.message))


def _unread(hook: str, tree: Tree, context: Context) -> list[Result]:
    """The files that were asked for, are on disk and cannot be read; each is told once in a run."""
    if tree.git is None:
        return []
    unread = sorted(tree.git.unread.items())
    tree.git.unread.clear()
    from gatepost.engine_outcomes import unreadable

    return [unreadable(hook, path, reason) for path, reason in unread if not context.exclude(path)]


def _watched(tree: Tree) -> tuple[Tree, dict[str, bool]]:
    from gatepost.tree.watched import watched

    return watched(tree, _WORD, _IGNORE)


def _allowed(settings: Settings, hook_id: str) -> list[str]:
    """The codes of a hook, and of the engine, in `allow-unchecked`."""
    allow = settings.common["allow-unchecked"]
    return [] if isinstance(allow, bool) else [code for code in allow if PREFIXES[code[:2]] in (hook_id, "gatepost")]


def _excluded(globs: Sequence[str], within: str) -> Callable[[str], bool]:
    matches = matcher(globs)
    return matches if not within else lambda path: not path.startswith(within) or matches(path)


def failing(results: Iterable[Result], *, strict: bool, allow_unchecked: bool | Sequence[str]) -> bool:
    """Whether these results fail the run (exit code 1)."""
    for each in results:
        if each.kind == "unchecked":
            allowed = allow_unchecked is True or (
                not isinstance(allow_unchecked, bool) and each.code in allow_unchecked
            )
            if not allowed and (each.severity == "error" or strict):
                return True
        elif each.severity == "error" or strict:
            return True
    return False


def _guarded(hook: Hook, context: Context) -> list[Outcome]:
    from gatepost.settings import SettingsError
    from gatepost.tree.git import GitError

    try:
        return list(hook.check(context))
    except (GitError, CheckError, SettingsError):
        raise
    except RecursionError:
        raise CheckError(f"{hook.id}: an input is nested too deeply to be checked") from None
    except Exception as error:  # the user gets one line; GATEPOST_DEBUG=1 gives the traceback
        if context.env.get("GATEPOST_DEBUG"):
            raise
        place = ""
        at = error.__traceback__
        while at is not None:
            place = f"{at.tb_frame.f_globals.get('__name__', '?')}:{at.tb_lineno}"
            at = at.tb_next
        raise CheckError(
            f"{hook.id}: internal error, {type(error).__name__}: {error} at {place}; "
            "set GATEPOST_DEBUG=1 for the traceback and report it"
        ) from None


def _result(hook_id: str, outcome: Outcome, codes: Mapping[str, Code]) -> Result:
    code = codes.get(outcome.code)
    if code is None:
        raise CheckError(f"{hook_id}: internal error, no page for the code {outcome.code}; report it")
    found = isinstance(outcome, Finding)
    return Result(
        kind="finding" if found else "unchecked",
        hook=hook_id,
        code=code.id,
        name=code.name,
        severity=outcome.severity or code.severity,
        path=outcome.where.path,
        line=outcome.where.line,
        key=outcome.where.key,
        message=outcome.message,
        remedy=outcome.remedy,
        fix=outcome.fix if isinstance(outcome, Finding) else None,
    )
