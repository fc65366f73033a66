"""Path globs as .gitignore writes them: `*` stays within a folder, `**` crosses folders, no slash = any depth."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def matcher(globs: Iterable[str]) -> Callable[[str], bool]:
    """A predicate over repository paths: does any glob match the path, or a folder that holds it?"""
    parts = [translate(each) for each in globs if each]
    if not parts:
        return lambda path: False
    import re

    search = re.compile("|".join(parts)).match
    return lambda path: search(path) is not None


def translate(glob: str) -> str:
    """One glob as a regular expression for `re.match` (anchored at both ends)."""
    import re

    body = glob.rstrip("/")
    anchored = "/" in body
    body = body.removeprefix("./").removeprefix("/")
    out = []
    at = 0
    while at < len(body):
        if body.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
        elif body.startswith("**", at):
            out.append(".*")
            at += 2
        elif body[at] == "*":
            out.append("[^/]*")
            at += 1
        elif body[at] == "?":
            out.append("[^/]")
            at += 1
        elif body[at] == "[" and (end := body.find("]", at + 2)) > 0:
            inner = body[at + 1 : end].replace("\\", "\\\\")
            out.append(f"[^{inner[1:]}]" if inner[0] in "!^" else f"[{inner}]")
            at = end + 1
        else:
            out.append(re.escape(body[at]))
            at += 1
    lead = "" if anchored else "(?:.*/)?"
    try:
        re.compile("".join(out))
    except re.error:  # a range that runs backwards: the glob stands for itself
        out = [re.escape(body)]
    return lead + "".join(out) + r"(?:/.*)?\Z"
