"""Whether .dockerignore or .gitignore leaves a path out, as Docker and git read them.

Sources: moby/patternmatcher `MatchesOrParentMatches` (last matching pattern decides, a parent's match counts,
patterns start at the context's root); gitignore(5) (patterns without a slash match at any depth, a file below an
ignored folder cannot be taken back).
"""

from __future__ import annotations

import re

from gatepost.globs import CHILDREN, translate
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


@record
class Pattern:
    """One pattern: what it matches, the line it stands on, whether it takes back (`!`)."""

    text: str
    line: int
    negated: bool
    folder_only: bool
    regex: str


def docker_patterns(data: bytes) -> tuple[Pattern, ...]:
    """The patterns of a .dockerignore file."""
    found = []
    for number, row in enumerate(data.decode("utf-8", "replace").lstrip("\ufeff").splitlines(), 1):
        text = row.strip()
        if not text or text.startswith("#"):
            continue
        negated = text.startswith("!")
        body = text[1:].strip() if negated else text
        body = re.sub(r"/{2,}", "/", body).removeprefix("./").strip("/")
        if body in ("", "."):
            continue
        found.append(Pattern(text=text, line=number, negated=negated, folder_only=False, regex=translate("/" + body)))
    return tuple(found)


def docker_ignored(patterns: tuple[Pattern, ...], path: str) -> Pattern | None:
    """The pattern that keeps a path (from the context's root) out of the build, or None when it gets in."""
    decided: Pattern | None = None
    for pattern in patterns:
        if _matches(pattern, path):
            decided = None if pattern.negated else pattern
    return decided


def git_patterns(data: bytes) -> tuple[Pattern, ...]:
    """The patterns of a .gitignore file."""
    found = []
    for number, row in enumerate(data.decode("utf-8", "replace").lstrip("\ufeff").splitlines(), 1):
        text = row.rstrip()
        if not text or text.startswith("#"):
            continue
        negated = text.startswith("!")
        body = text[1:] if negated else text.removeprefix("\\")
        if not body.strip("/"):
            continue
        found.append(
            Pattern(text=text, line=number, negated=negated, folder_only=body.endswith("/"), regex=translate(body))
        )
    return tuple(found)


def git_ignored(path: str, read: Callable[[str], bytes | None]) -> tuple[str, Pattern] | None:
    """(the .gitignore, its pattern) that ignores a file, or None."""
    folders = [""]
    for part in path.split("/")[:-1]:
        folders.append(folders[-1] + part + "/")
    files = [(folder, git_patterns(data)) for folder in folders if (data := read(folder + ".gitignore"))]
    steps = [folder.rstrip("/") for folder in folders[1:]] + [path]
    for step in steps:
        decided: tuple[str, Pattern] | None = None
        for folder, patterns in files:
            if not step.startswith(folder) or step == folder.rstrip("/"):
                continue
            for pattern in patterns:
                if pattern.folder_only and step == path:
                    continue
                if _search(pattern.regex, step[len(folder) :]):
                    decided = None if pattern.negated else (folder + ".gitignore", pattern)
        if decided is not None:
            return decided
    return None


def glob_matches(glob: str, path: str, exact: bool = False) -> bool:
    """Whether an anchored glob matches a path, or (unless `exact`) a folder that holds it."""
    regex = translate("/" + glob.removeprefix("./").lstrip("/"))
    return _search(regex.removesuffix(CHILDREN) + r"\Z" if exact else regex, path)


def _matches(pattern: Pattern, path: str) -> bool:
    return _search(pattern.regex, path)


def _search(regex: str, path: str) -> bool:
    try:
        return re.match(regex, path) is not None
    except (re.error, OverflowError, RecursionError):  # `[z-a]`: a glob that matches nothing
        return False
