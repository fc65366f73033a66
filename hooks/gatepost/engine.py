"""Run checks over a tree: scope, settings, ignores with a reason, order, verdict. No IO of its own."""

from __future__ import annotations

from gatepost.globs import matcher
from gatepost.model import Context, Finding
from gatepost.record import record, replace
from gatepost.settings import PREFIXES
from gatepost.tree.links import Followed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from gatepost.model import Code, Fix, Hook, Outcome, Severity
    from gatepost.settings import Settings
    from gatepost.tree.base import Tree
    from gatepost.tree.watched import Watched


_FOLLOWING = ("sync-configs", "torch-source", "lock-freshness")  # they read the settings that tools read
_WORD, _IGNORE = b"gatepost", rb"gatepost(?::\s*|\s+)ignore\b"  # files without them have no comment that ignores


@record
class Result:
    """An outcome with everything a reporter needs: its hook, and name and severity from its code."""

    kind: str  # "finding" | "unchecked"
    hook: str
    code: str
    name: str
    severity: Severity
    path: str
    line: int | None
    key: str
    message: str
    remedy: str
    fix: Fix | None = None

    @property
    def fixable(self) -> bool:
        """Whether `--fix` would mend it."""
        return self.fix is not None and self.fix.safe


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
    watched = _watched(tree) if scope is None and not hook.index_only else None
    view = tree if watched is None else watched
    context = Context(
        tree=Followed(view) if hook.id in _FOLLOWING else view,
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
    marked = [path for path, has in watched.found.items() if has] if watched is not None and not part else []
    if not outcomes and not settings.ignores and not marked and not _allowed(settings, hook.id):
        return unread
    codes = {code.id: code for code in hook.codes()}
    _known(settings, codes, hook.id)
    results = [_result(hook.id, each, codes) for each in outcomes if not context.exclude(each.where.path)] + unread
    kept, used = _ignored(results, tree, settings, codes, whole=scope is None and not part, hook=hook.id)
    kept += _idle(
        hook, results, kept, used, codes, {each: tree.read(each) for each in marked if not context.exclude(each)}
    )
    return sorted(dict.fromkeys(kept), key=lambda each: (each.path, each.line or 0, each.code, each.message))


def _unread(hook: str, tree: Tree, context: Context) -> list[Result]:
    """The files that were asked for, are on disk and cannot be read; each is told once in a run."""
    if tree.git is None:
        return []
    unread = sorted(tree.git.unread.items())
    tree.git.unread.clear()
    return [unreadable(hook, path, reason) for path, reason in unread if not context.exclude(path)]


def _watched(tree: Tree) -> Watched:
    from gatepost.tree.watched import Watched

    return Watched(tree, _WORD, _IGNORE)


def _allowed(settings: Settings, hook_id: str) -> list[str]:
    """The codes of a hook, and of the engine, in `allow-unchecked`."""
    allow = settings.common["allow-unchecked"]
    return [] if isinstance(allow, bool) else [code for code in allow if PREFIXES[code[:2]] in (hook_id, "gatepost")]


def _known(settings: Settings, codes: Mapping[str, Code], hook_id: str) -> None:
    """Refuse a code in the settings that looks like one of these and is none, or is never `unchecked` where that is
    allowed."""
    from gatepost.settings import SettingsError, no_rule

    for each in settings.ignores:
        if any(code[:2] == each.code[:2] for code in codes) and not any(code.startswith(each.code) for code in codes):
            lead = settings.leads["ignore"]
            raise SettingsError(f"{lead}ignore[{each.index}].code: {no_rule(each.code, [*codes])}")
    for name in _allowed(settings, hook_id):
        from gatepost.engine_codes import CODES

        every = [*codes.values(), *CODES]
        if all(code.id != name for code in every):
            raise SettingsError(
                f"{settings.leads['allow-unchecked']}allow-unchecked: {no_rule(name, [code.id for code in every])}"
            )
        if not any(code.id == name and code.unchecked for code in every):
            can = ", ".join(code.id for code in every if code.unchecked)
            raise SettingsError(
                f"{settings.leads['allow-unchecked']}allow-unchecked: {name} is a finding, never `unchecked` (those are: "
                f"{can}); to allow it, use [[tool.gatepost.ignore]]"
            )


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


def _ignored(
    results: list[Result], tree: Tree, settings: Settings, codes: Mapping[str, Code], *, whole: bool, hook: str
) -> tuple[list[Result], set[tuple[str, int, str]]]:
    """Take out what is ignored with a reason; say so where an entry has none, or silences nothing. With it, the
    comments that speak for a finding: path, line, the finding's code."""
    entries = [(each, matcher([each.path]) if each.path else None) for each in settings.ignores]
    used: set[int] = set()
    bare: set[int] = set()
    kept: list[Result] = []
    spoken: set[tuple[str, int, str]] = set()
    for each in results:
        silent = False
        for ignore, matches in entries:
            if each.code.startswith(ignore.code) and (matches is None or matches(each.path)):
                used.add(ignore.index)
                if ignore.reason:
                    silent = True
                else:
                    bare.add(ignore.index)
        left = _inline(each, tree, spoken)
        if not silent:
            kept.extend(left)
    where = settings.path or "pyproject.toml"
    for ignore, _matches in entries:
        if not any(code[:2] == ignore.code[:2] for code in codes):
            continue  # another hook's
        if ignore.index in bare:
            kept.append(
                _own("GP102", hook, where, None, f"the ignore of `{ignore.code}` gives no reason, so it is not applied")
            )
        elif whole and ignore.index not in used:
            at = f" in `{ignore.path}`" if ignore.path else ""
            kept.append(_own("GP103", hook, where, None, f"the ignore of `{ignore.code}`{at} silences nothing"))
    return kept, spoken


def _inline(result: Result, tree: Tree, spoken: set[tuple[str, int, str]]) -> list[Result]:
    """A `gatepost: ignore[CODE] reason` comment on the finding's line, or alone on the line above it: noted in `spoken`
    and, with a reason, applied."""
    data = tree.read(result.path) if result.line is not None else None
    if result.line is None or data is None or _WORD not in data:
        return [result]
    from gatepost.ignores import lines_of, near

    for ignore in near(lines_of(data), result.line):
        if not ignore.named:
            message = f"the ignore does not name its codes as `ignore[{result.code}]`, so it is not applied"
        elif not any(result.code.startswith(code) for code in ignore.codes):
            continue
        else:
            spoken.add((result.path, ignore.line, result.code))
            if not ignore.colon:
                message = f"the ignore of `{result.code}` has no colon, so it is not applied"
            elif ignore.reason:
                return []
            else:
                message = f"the ignore of `{result.code}` gives no reason, so it is not applied"
        return [result, _own("GP102", result.hook, result.path, ignore.line, message)]
    return [result]


def _idle(
    hook: Hook,
    results: Sequence[Result],
    kept: Sequence[Result],
    spoken: set[tuple[str, int, str]],
    codes: Mapping[str, Code],
    files: Mapping[str, bytes | None],
) -> list[Result]:
    """What is wrong with comments that ignore a code of this hook, in the files that it has looked at.

    For a run over the whole repository only. Where something could not be checked, an ignore may have its reasons.
    """
    if not files:
        return []
    import re

    from gatepost.ignores import idle, written

    told = {(each.path, each.line) for each in kept if each.code == "GP102"}
    found = []
    for path, data in files.items():
        if data is None or not re.search(hook.files, path):
            continue
        for code, line, message in idle(
            written(path, data),
            [*codes.values()],
            [(line, code) for at, line, code in spoken if at == path],
            [(each.line, each.code) for each in results if each.path == path and each.line],
            sure=all(each.kind != "unchecked" for each in results),
        ):
            if (path, line) not in told:
                found.append(_own(code, hook.id, path, line, message))
    return found


def _own(code_id: str, hook: str, path: str, line: int | None, message: str) -> Result:
    from gatepost.engine_codes import CODES

    code = next(each for each in CODES if each.id == code_id)
    return Result(
        kind="unchecked" if code.unchecked else "finding",
        hook=hook,
        code=code.id,
        name=code.name,
        severity=code.severity,
        path=path,
        line=line,
        key="",
        message=message,
        remedy=code.fix,
    )


def broken_settings(hook: str, path: str, line: int | None, reason: str) -> Result:
    """The outcome when the settings file cannot be read (the hook is then not run)."""
    return _own("GP101", hook, path, line, f"the settings cannot be read, {path} is not valid TOML: {reason}")


def unreadable(hook: str, path: str, reason: str) -> Result:
    """The outcome for a file that is on disk and cannot be read."""
    import shlex

    result = _own("GP104", hook, path, None, f"cannot be read ({reason}), so what it holds was not judged")
    return replace(result, remedy=f"make it readable: `chmod u+r {shlex.quote(path)}`, as its owner.")


def tool_result(code_id: str, hook: str, message: str, remedy: str) -> Result:
    """The outcome of a tool run (GP201) or of a tool that could not be run (GP202)."""
    return replace(_own(code_id, hook, "", None, message), remedy=remedy)
