"""Versions and version ranges of the three dialects in play: PEP 440, Poetry's constraints, conda's match specs.

Rules never do arithmetic on companions: they ask which rows of the compatibility table a range admits. So all that
is needed is a total order of versions, "does this range admit that public version", and "could it admit a version
that the table does not know". Build tags (local labels such as `+cu118`) are kept apart from the public version.
Sources: PEP 440; Poetry's dependency specification; conda's package match specification.
"""

from __future__ import annotations

import re
from functools import lru_cache

from gatepost.patterns import pattern
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    Key: TypeAlias = tuple[int, tuple[int, ...], int, int, int, int, int]

PEP440 = "pep440"
POETRY = "poetry"
CONDA = "conda"
_VERSION = pattern(
    r"v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?"
    r"(?:(?:[-_.]?(?:post|rev|r)[-_.]?(\d*))|-(\d+))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*))?",
    re.IGNORECASE,
)
_CLAUSE = pattern(r"\s*(===|~=|==|!=|<=|>=|<|>|\^|~|=)?\s*([^\s,|<>=!~^]+)\s*")
_PRE = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_LAST = 1 << 30


@lru_cache(maxsize=4096)
def key(version: str) -> Key | None:
    """The sort key of a version's public part, or None if it is no PEP 440 version."""
    found = _VERSION.fullmatch(version.strip())
    if found is None:
        return None
    epoch, release, pre, pre_number, post, post_dash, dev, dev_number, _ = found.groups()
    numbers = [int(part) for part in release.split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    is_post = found[5] is not None or post_dash is not None
    pre_rank = _PRE[pre.lower()] if pre else (-1 if dev and not is_post else 9)
    return (
        int(epoch or 0),
        tuple(numbers),
        pre_rank,
        int(pre_number or 0),
        int(post or post_dash or 0) if is_post else -1,
        int(dev_number or 0) if dev else _LAST,
        0,
    )


def label(version: str) -> str:
    """The local label of a version, lower case: `2.0.0+CU118` -> `cu118`; "" if there is none."""
    _, _, local = version.partition("+")
    return local.strip().lower()


def public(version: str) -> str:
    """A version without its local label."""
    return version.partition("+")[0].strip()


@record
class Clause:
    """One comparison: `op` is one of == != === ~= <= >= < > ^ ~ =* (a prefix) or "*" (anything)."""

    op: str
    version: str
    start: int = 0  # place of the version in the text of the range
    end: int = 0


@record
class Spec:
    """A version range: any one of `alternatives`, each of which is clauses that must all hold."""

    text: str
    dialect: str
    alternatives: tuple[tuple[Clause, ...], ...]
    broken: bool = False  # not understood: nothing is known of it

    def clauses(self) -> tuple[Clause, ...]:
        return tuple(clause for group in self.alternatives for clause in group)

    def pin(self) -> str:
        """The public version of an exact pin, or ""."""
        if self.broken or len(self.alternatives) != 1 or len(self.alternatives[0]) != 1:
            return ""
        clause = self.alternatives[0][0]
        return public(clause.version) if clause.op in ("==", "===") else ""

    def labels(self) -> tuple[str, ...]:
        """The local labels that the range names, whatever the operator."""
        return tuple(dict.fromkeys(found for clause in self.clauses() if (found := label(clause.version))))

    def exact_label(self) -> str:
        """The local label of an exact pin, or ""."""
        return label(self.alternatives[0][0].version) if self.pin() else ""

    def labelled_ranges(self) -> tuple[Clause, ...]:
        """The comparisons that carry a local label though their operator may not (PEP 440: only ==, !=, ===)."""
        return tuple(
            clause for clause in self.clauses() if label(clause.version) and clause.op not in ("==", "!=", "===")
        )

    def admits(self, version: str) -> bool:
        """Whether a public version lies in the range; local labels in the range are ignored."""
        want = key(version)
        if want is None or self.broken:
            return False
        return any(all(_holds(clause, want, version) for clause in group) for group in self.alternatives)

    def rows(self, versions: Iterable[str]) -> list[str]:
        """Those of `versions` that the range admits, in their order."""
        return [version for version in versions if self.admits(version)]

    def admits_unknown(self, newest: str) -> bool:
        """Whether the range may admit a version newer than `newest` (a release the table does not know)."""
        if self.broken:
            return True
        found = key(newest)
        if found is None:
            return True
        major, minor = (*found[1], 0)[:2]
        trial = [f"{major}.{minor}.{patch}" for patch in range(1, 10)] + [
            f"{major}.{minor + 1}.0",
            f"{major}.{minor + 9}.0",
        ]
        trial += [f"{major + 1}.0.0", f"{major + 1}.1.0", "9999.0"]
        return any(self.admits(version) for version in trial if (key(version) or found) > found)

    def admits_older(self, oldest: str) -> bool:
        """Whether the range may admit a version older than `oldest` (a release that the table does not go back to)."""
        found = key(oldest)
        if self.broken or found is None:
            return True
        major, minor = (*found[1], 0)[:2]
        trial = ["0.0.1", "0.1.0", *(f"{number}.0.0" for number in range(1, major + 1))]
        trial += [f"{major}.{number}.{patch}" for number in range(minor + 1) for patch in range(3)]
        return any(self.admits(version) for version in trial if (key(version) or found) < found)

    def empty(self) -> bool:
        """Whether no version at all lies in the range: none of its bounds, none just above one, none below them all."""
        trial = ["0", "9999.0"]
        for clause in self.clauses():
            release = _release(clause.version)
            if not release:
                trial.append(clause.version)  # `===` with any text
                continue
            epoch = clause.version.partition("!")[0].strip() + "!" if "!" in clause.version else ""
            bounds = [release, *(_next(release, place) for place in range(len(release)))]
            trial += [public(clause.version), f"{public(clause.version)}.post1", f"{epoch}0"]
            trial += [epoch + ".".join(map(str, bound)) for bound in bounds]
            trial += [epoch + ".".join(map(str, (*bound, 0, 0, 1))) for bound in bounds]
        return not any(self.admits(version) for version in trial)

    def bounded_above(self) -> bool:
        return not self.admits("9999.0") and not self.admits("999999.1")


ANY = Clause(op="*", version="")


@lru_cache(maxsize=1024)
def parse(text: str, dialect: str = PEP440) -> Spec:
    """A range from its text; never raises: what it does not understand is `broken`."""
    written = text
    stripped = text.strip()
    if stripped.startswith("(") and stripped.endswith(")"):
        text = " " + text.strip()[1:-1]
        stripped = text.strip()
    if stripped in ("", "*"):
        return Spec(text=written, dialect=dialect, alternatives=((ANY,),))
    alternatives: list[tuple[Clause, ...]] = []
    separator = r"\|\|?" if dialect != PEP440 else r"(?!)"
    offset = 0
    for part in re.split(separator, text):
        clauses: list[Clause] = []
        at = 0
        while at < len(part):
            if part[at] in ", \t\r\n":
                at += 1
                continue
            found = _CLAUSE.match(part, at)
            if found is None or found.end() == at:
                return Spec(text=written, dialect=dialect, alternatives=(), broken=True)
            clause = _clause(found[1] or "", found[2], dialect)
            if clause is None:
                return Spec(text=written, dialect=dialect, alternatives=(), broken=True)
            clauses.append(
                Clause(op=clause[0], version=clause[1], start=offset + found.start(2), end=offset + found.end(2))
            )
            at = found.end()
        alternatives.append(tuple(clauses) or (ANY,))
        found_bar = re.match(separator, text[offset + len(part) :]) if dialect != PEP440 else None
        offset += len(part) + (len(found_bar[0]) if found_bar else 0)
    return Spec(text=written, dialect=dialect, alternatives=tuple(alternatives))


def _clause(op: str, version: str, dialect: str) -> tuple[str, str] | None:
    if version == "*":
        return "*", ""
    if dialect == CONDA and op == "=":
        op = "=*"
    elif dialect == CONDA and not op:
        op = "=="
    elif op in ("", "="):
        if dialect == PEP440:
            return None
        op = "=="
    if op == "===":
        return op, version
    plain, _, local = version.partition("+")
    if plain.endswith(".*"):
        if op not in ("==", "!=", "=*", "~", "^", ">=", "<", "<=", ">"):
            return None
        plain = plain[:-2]
        while plain.endswith(".*"):
            plain = plain[:-2]
        if key(plain) is None:
            return None
        op = {"==": "=*", "!=": "!*"}.get(op, op)
        return op, plain + ("+" + local if local else "")
    if key(version) is None:
        return None
    return op, version


def _release(version: str) -> tuple[int, ...]:
    found = _VERSION.fullmatch(version.strip())
    return tuple(int(part) for part in found[2].split(".")) if found else ()


def _prefix(version: str, want: Key) -> bool:
    release = _release(version)
    have = want[1] + (0,) * len(release)
    return have[: len(release)] == release


def _next(release: tuple[int, ...], place: int) -> tuple[int, ...]:
    return (*release[:place], release[place] + 1)


def _bump(release: tuple[int, ...], place: int) -> str:
    return ".".join(map(str, _next(release, place)))


def _holds(clause: Clause, want: Key, text: str) -> bool:
    op, version = clause.op, clause.version
    if op == "*":
        return True
    have = key(version)
    if have is None:
        return op == "===" and version == text
    if op in ("==", "==="):
        return want == have
    if op == "!=":
        return want != have or bool(label(version))  # `!=2.0+cu118` leaves the other builds of 2.0
    if op == "=*":
        return _prefix(version, want)
    if op == "!*":
        return not _prefix(version, want)
    if op == ">=":
        return want >= have
    if op == "<=":
        return want <= have
    if op == ">":
        return want > have
    if op == "<":
        return want < have and not (want[1] == have[1] and want[2] < 9 <= have[2])
    release = _release(version)
    if op == "~=":
        return want >= have and (len(release) < 2 or _prefix(".".join(str(part) for part in release[:-1]), want))
    if op == "~":
        place = 1 if len(release) > 1 else 0
    else:  # ^
        place = next((number for number, part in enumerate(release) if part), len(release) - 1)
    limit = key(_bump(release, place))
    return limit is None or have <= want < limit
