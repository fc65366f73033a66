"""The text report: place, severity, code, one sentence; then what to do.

pyproject.toml:12: error[TS101] torch names source `pytorch-gpu`, which no source declares (undeclared-index)
    fix: declare it: ...
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gatepost.model import Result


def render(results: Sequence[Result], changed: Mapping[str, str]) -> str:
    """One block of lines an outcome, then one line for every file written (path -> the command to run after it)."""
    lines: list[str] = []
    for each in results:
        place = printable(each.path) + (f":{each.line}" if each.line is not None else "")
        word = "unchecked" if each.kind == "unchecked" else each.severity
        lines.append(f"{place}: {word}[{each.code}] {each.message} ({each.name})")
        if each.remedy:
            lines.append("    fix: " + each.remedy.replace("\n", "\n         "))
    for path, command in changed.items():
        after = f" run `{command}`," if command else ""
        lines.append(f"{printable(path)}: written; look at the change,{after} then `git add {quote(path)}`")
    return "".join(f"{line}\n" for line in lines)


def printable(text: str) -> str:
    """Control characters and undecodable bytes escaped, so that a name cannot forge a line of the report."""
    if text.isprintable():
        return text
    out = []
    for char in text:
        if "\udc80" <= char <= "\udcff":
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        elif char.isprintable():
            out.append(char)
        else:
            out.append(char.encode("unicode_escape").decode("ascii"))
    return "".join(out)


def quote(path: str) -> str:
    """The path as one word of a POSIX shell."""
    import shlex

    return shlex.quote(printable(path))
