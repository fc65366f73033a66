"""PEP 440 versions and specifier sets as ranges, without `packaging` (30 ms of imports).

A range is a sorted tuple of half-open intervals between cuts. A cut is `(key, side)`: side 0 lies just below the
version with that key, side 1 just above it; `LOW` and `HIGH` are below and above everything. Two specifier sets
mean the same versions exactly when their ranges are equal, whatever their spelling or order.

Source: PEP 440, the version specifiers page of packaging.python.org, and uv's `uv-pep440` (`version_ranges.rs`).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Cut: TypeAlias = tuple[Any, int]
    Ranges: TypeAlias = tuple[tuple[Cut, Cut], ...]

_INF = 1 << 62
LOW: Cut = ((-1,), 0)
HIGH: Cut = ((_INF,), 0)
EVERYTHING: Ranges = ((LOW, HIGH),)
NOTHING: Ranges = ()

# compiled where they are needed: plain releases and clauses are read without them
_VERSION = (
    r"(?ai)\s*v?(?:(\d+)!)?(\d+(?:\.\d+)*)"
    r"(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?"
    r"(?:(?:-(\d+))|(?:[-_.]?(post|rev|r)[-_.]?(\d*)))?"
    r"(?:[-_.]?(dev)[-_.]?(\d*))?"
    r"(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*"
)
_CLAUSE = r"\s*(===|==|~=|!=|<=|>=|<|>)\s*([^\s,;()]+)\s*"
_OPERATORS = ("===", "==", "~=", "!=", "<=", ">=", "<", ">")
_BLANKS = " \t\n\r\f\v"
_PRE = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}


class VersionError(ValueError):
    """Not a PEP 440 version or specifier set."""


def clauses(text: str) -> list[tuple[str, str]]:
    """`">=1, <2"` as `[(">=", "1"), ("<", "2")]`; parentheses around the whole and stray commas are accepted.

    Raises:
        VersionError: not a specifier set.
    """
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    found = []
    for part in text.split(","):
        if not part.strip():
            continue
        found.append(_parts(part))
    return found


def _parts(clause: str) -> tuple[str, str]:
    text = clause.strip()
    for operator in _OPERATORS:
        if text.startswith(operator):
            version = text[len(operator) :].lstrip()
            if version.replace(".", "").replace("*", "").isalnum() and version.isascii():
                return operator, version
            break
    import re

    match = re.fullmatch(_CLAUSE, clause)
    if match is None:
        raise VersionError(f"not a version specifier: {text!r}")
    return match[1], match[2]


def release(text: str) -> tuple[int, ...]:
    """The release numbers of a version as written: `"v3.10.0rc1"` gives `(3, 10, 0)`.

    Raises:
        VersionError: not a version.
    """
    return tuple(map(int, _match(text)[2].split(".")))


def _match(text: str) -> tuple[Any, ...]:
    """The groups of `_VERSION`, by their numbers."""
    plain = text.strip(_BLANKS)
    if len(text) < 200 and plain.isascii() and all(part.isdigit() for part in plain.split(".")):
        return (plain, None, plain, None, None, None, None, None, None, None, None)
    import re

    match = re.fullmatch(_VERSION, text) if len(text) < 200 else None
    if match is None:
        raise VersionError(f"not a version: {text[:60]!r}")
    return (match[0], *match.groups())


def _trim(numbers: tuple[int, ...]) -> tuple[int, ...]:
    end = len(numbers)
    while end and not numbers[end - 1]:
        end -= 1
    return numbers[:end]


def key(text: str) -> tuple[Any, ...]:
    """A version's sort key: `(epoch, release, pre, post, dev, local)`, equal for equal versions (`1.0` and `1`).

    Raises:
        VersionError: not a version.
    """
    found = _match(text)
    pre: tuple[int, ...] = (3,)
    post: tuple[int, ...] = (-1,)
    dev: tuple[int, ...] = (_INF,)
    if found[3]:
        pre = (_PRE[found[3].lower()], int(found[4] or 0))
    if found[5] or found[6]:
        post = (int(found[5] or found[7] or 0),)
    if found[8]:
        dev = (int(found[9] or 0),)
        if not found[3] and post == (-1,):
            pre = (-1,)
    local: tuple[Any, ...] = ()
    if found[10]:
        parts = found[10].lower().replace("-", ".").replace("_", ".").split(".")
        local = tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)
    return (int(found[1] or 0), _trim(tuple(map(int, found[2].split(".")))), pre, post, dev, local)


def _edge(epoch: int, numbers: tuple[int, ...], top: bool) -> tuple[Any, ...]:
    """Below every version of a release (its first development release), or above all its post releases."""
    if top:
        return (epoch, _trim(numbers), (3,), (_INF,), (_INF,), ())
    return (epoch, _trim(numbers), (-1,), (-1,), (-1,), ())


def ranges(text: str) -> Ranges:
    """The versions that a specifier set admits.

    Raises:
        VersionError: not a specifier set.
    """
    found = EVERYTHING
    for operator, version in clauses(text):
        found = intersect(found, _clause(operator, version))
    return found


def _clause(operator: str, version: str) -> Ranges:
    if operator == "===":
        try:
            exact = key(version)
        except VersionError:  # arbitrary equality admits any text
            exact = (-1, (), version)
        return (((exact, 0), (exact, 1)),)
    if version.endswith(".*"):
        if operator not in ("==", "!="):
            raise VersionError(f"{operator} does not take a wildcard")
        found = _match(version[:-2])
        if found[10] or found[8]:
            raise VersionError(f"a wildcard after {version[:-2]!r}")
        return _sign(operator, _below_next(int(found[1] or 0), release(version[:-2])))
    at = key(version)
    epoch, numbers, pre, post, dev, local = at
    if operator in ("==", "!="):
        last = at if local else (*at[:5], ((2,),))
        return _sign(operator, (((at, 0), (last, 1)),))
    if operator == ">=":
        return (((at, 0), HIGH),)
    if operator == "<=":
        return ((LOW, ((*at[:5], ((2,),)), 1)),)
    if operator == "<":
        stable = pre == (3,) and dev == (_INF,) and post == (-1,)
        return ((LOW, (_edge(epoch, numbers, False) if stable else at, 0)),)
    if operator == ">":
        if dev != (_INF,) or post != (-1,):
            return ((((*at[:5], ((2,),)), 1), HIGH),)
        return ((((*at[:3], (_INF,), (_INF,), ()), 1), HIGH),)
    full = release(version)
    if len(full) < 2:
        raise VersionError("~= needs at least two release numbers")
    return intersect((((at, 0), HIGH),), _below_next(epoch, full[:-1]))


def _below_next(epoch: int, numbers: tuple[int, ...]) -> Ranges:
    following = (*numbers[:-1], numbers[-1] + 1)
    return (((_edge(epoch, numbers, False), 0), (_edge(epoch, following, False), 0)),)


def _sign(operator: str, found: Ranges) -> Ranges:
    return found if operator == "==" else complement(found)


def python_ranges(text: str) -> Ranges:
    """The Python versions that a specifier set admits, release numbers only (pre-releases count as their release).

    Raises:
        VersionError: not a specifier set.
    """
    found = EVERYTHING
    for operator, version in clauses(text):
        found = intersect(found, python_clause(operator, version))
    return found


def python_clause(operator: str, version: str) -> Ranges:
    """One clause over release numbers: a cut's key is the trimmed tuple of them.

    Raises:
        VersionError: not a version, or a wildcard where none may be.
    """
    if version.endswith(".*"):
        if operator not in ("==", "!="):
            raise VersionError(f"{operator} does not take a wildcard")
        numbers = release(version[:-2])
        return _sign(operator, _python_star(numbers))
    numbers = release(version)
    at = _trim(numbers)
    if operator in ("==", "===", "!="):
        return _sign("!=" if operator == "!=" else "==", (((at, 0), (at, 1)),))
    if operator == ">=":
        return (((at, 0), HIGH),)
    if operator == "<=":
        return ((LOW, (at, 1)),)
    if operator == "<":
        return ((LOW, (at, 0)),)
    if operator == ">":
        return (((at, 1), HIGH),)
    if len(numbers) < 2:
        raise VersionError("~= needs at least two release numbers")
    return intersect((((at, 0), HIGH),), _python_star(numbers[:-1]))


def _python_star(numbers: tuple[int, ...]) -> Ranges:
    return (((_trim(numbers), 0), (_trim((*numbers[:-1], numbers[-1] + 1)), 0)),)


def bounds(found: Ranges) -> Ranges:
    """The single interval from the lowest to the highest admitted version: holes are filled."""
    return ((found[0][0], found[-1][1]),) if found else NOTHING


def intersect(left: Ranges, right: Ranges) -> Ranges:
    """What both admit."""
    found = []
    i = j = 0
    while i < len(left) and j < len(right):
        low = max(left[i][0], right[j][0])
        high = min(left[i][1], right[j][1])
        if low < high:
            found.append((low, high))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def union(left: Ranges, right: Ranges) -> Ranges:
    """What either admits."""
    found: list[tuple[Cut, Cut]] = []
    for low, high in sorted((*left, *right)):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def complement(found: Ranges) -> Ranges:
    """What it does not admit."""
    gaps = []
    low = LOW
    for start, end in found:
        if low < start:
            gaps.append((low, start))
        low = end
    if low < HIGH:
        gaps.append((low, HIGH))
    return tuple(gaps)


def admits(found: Ranges, version: str) -> bool:
    """Whether a version lies in a range of `ranges`; pre-releases are not excluded.

    Raises:
        VersionError: not a version.
    """
    at = (key(version), 0)
    return any(low <= at < high for low, high in found)
