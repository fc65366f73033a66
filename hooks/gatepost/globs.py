"""Path globs as .gitignore writes them: `*` stays within a folder, `**` crosses folders, no slash = any depth."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def matcher(globs: Iterable[str]) -> Callable[[str], bool]:
    """A predicate over repository paths: does any glob match the path, or a folder that holds it?"""
    parts = [translate(each, f"{at}_") for at, each in enumerate(globs) if each]
    if not parts:
        return lambda path: False
    import re

    search = re.compile("|".join(parts)).match
    return lambda path: search(path) is not None


CHILDREN = r"(?:/[\s\S]*)?\Z"  # how every translated glob ends: the path itself, or what lies below it


def translate(glob: str, names: str = "") -> str:
    """One glob as a regular expression for `re.match` (anchored at both ends); `names` keeps its groups apart from
    those of other globs in one expression.

    Between two stars the first place that fits is kept, as the second star can take whatever follows: so no glob, how
    many stars it may have, takes more than (its length) x (the path's length)^2 steps.
    """
    body = glob.rstrip("/")
    anchored = "/" in body
    parts: list[list[str]] = [[]]  # runs of segments, between them any number of folders
    for segment in body.removeprefix("./").removeprefix("/").split("/"):
        if segment == "**":
            parts.append([])
        else:
            parts[-1].append(segment)
    counter = iter(range(len(glob)))

    def first(text: str) -> str:
        """The first place where `text` fits, for good (what Python 3.11 writes as an atomic group)."""
        name = f"g{names}{next(counter)}"
        return f"(?=(?P<{name}>{text}))(?P={name})"

    runs = ["/".join(_segment(each, first) for each in run) for run in parts]
    out = runs[0]
    for at, run in enumerate(runs[1:], 1):
        lead = "/" if at == 1 and out else ""
        if not run:
            out += f"{lead}[\\s\\S]*" if at == len(runs) - 1 else lead
        elif at < len(runs) - 1:
            out += lead + first(f"(?:[^/]*/)*?{run}/")
        else:
            out += f"{lead}(?:[^/]*/)*?{run}"
    return ("" if anchored else "(?:[^/]*/)*?") + out + CHILDREN


def _segment(text: str, first: Callable[[str], str]) -> str:
    """The part of a glob between two slashes."""
    import re

    pieces = [""]  # what stands between the stars
    at = 0
    while at < len(text):
        if text[at] == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        elif text[at] == "?":
            pieces[-1] += "[^/]"
        elif text[at] == "[" and (end := text.find("]", at + 2)) > 0:
            inner = text[at + 1 : end].replace("\\", "\\\\")
            pieces[-1] += f"[^{inner[1:]}]" if inner[0] in "!^" else f"[{inner}]"
            at = end
        else:
            pieces[-1] += re.escape(text[at])
        at += 1
    try:
        re.compile("".join(pieces))
    except re.error:  # a range that runs backwards: the glob stands for itself
        return re.escape(text)
    if len(pieces) == 1:
        return pieces[0]
    return pieces[0] + "".join(first(f"[^/]*?{each}") for each in pieces[1:-1]) + "[^/]*" + pieces[-1]
