"""Outcomes of the engine itself: of settings, of files that cannot be read, of tools, of ignores."""

from __future__ import annotations

from gatepost.model import Result
from gatepost.record import replace


def own(code_id: str, hook: str, path: str, line: int | None, message: str) -> Result:
    """The outcome for one of the engine's codes, with the name, severity and remedy of its page."""
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
    return own("GP101", hook, path, line, f"the settings cannot be read, {path} is not valid TOML: {reason}")


def unreadable(hook: str, path: str, reason: str) -> Result:
    """The outcome for a file that is on disk and cannot be read."""
    import shlex

    result = own("GP104", hook, path, None, f"cannot be read ({reason}), so what it holds was not judged")
    return replace(result, remedy=f"make it readable: `chmod u+r {shlex.quote(path)}`, as its owner.")


def tool_result(code_id: str, hook: str, message: str, remedy: str) -> Result:
    """The outcome of a tool run (GP201) or of a tool that could not be run (GP202)."""
    return replace(own(code_id, hook, "", None, message), remedy=remedy)
