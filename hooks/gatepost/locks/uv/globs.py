"""Member globs that need a regular expression (`**`, `?`, `[ab]`, several `*` in one name). Loaded only for those."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def compiled(pattern: str) -> Callable[[str], bool]:
    """A test of whole paths; a pattern that is none matches only itself."""
    found, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**/", at):
            found.append("(?:[^/]+/)*")
            at += 3
            continue
        if pattern.startswith("**", at):
            found.append(".*")
            at += 2
            continue
        if char == "*":
            found.append("[^/]*")
        elif char == "?":
            found.append("[^/]")
        elif char == "[" and (end := pattern.find("]", at + 2)) > 0:
            body = pattern[at + 1 : end]
            negated = body.startswith("!")
            found.append("[" + ("^" if negated else "") + re.escape(body[negated:]).replace(r"\-", "-") + "]")
            at = end
        else:
            found.append(re.escape(char))
        at += 1
    try:
        test = re.compile("".join(found)).fullmatch
    except re.error:
        return lambda path: path == pattern
    return lambda path: test(path) is not None
