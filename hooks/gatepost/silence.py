"""What is ignored with a reason, in the settings or by a comment; and ignores that do nothing, or name no code."""

from __future__ import annotations

from gatepost.globs import matcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gatepost.model import Code, Hook, Result
    from gatepost.settings import Settings
    from gatepost.tree.base import Tree


def known(settings: Settings, codes: Mapping[str, Code], allowed: Sequence[str]) -> None:
    """Refuse a code in the settings that looks like one of these and is none, or is never `unchecked` where that is
    allowed."""
    from gatepost.settings import SettingsError, no_rule

    for each in settings.ignores:
        if any(code[:2] == each.code[:2] for code in codes) and not any(code.startswith(each.code) for code in codes):
            lead = settings.leads["ignore"]
            raise SettingsError(f"{lead}ignore[{each.index}].code: {no_rule(each.code, [*codes])}")
    for name in allowed:
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


def apply(
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
    if result.line is None or data is None or b"gatepost" not in data:
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


def idle(
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


def _own(code: str, hook: str, path: str, line: int | None, message: str) -> Result:
    from gatepost.engine_outcomes import own

    return own(code, hook, path, line, message)
