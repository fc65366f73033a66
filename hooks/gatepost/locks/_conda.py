"""conda's version syntax, as far as it decides: is a locked version certainly outside a match spec?

Source: conda's match specification (`conda/models/version.py`): `,` is and, `|` is or, `1.2.*` and `=1.2` are
prefixes, `==` is exact, a bare version is exact in a spec string and a prefix after a single `=`.
"""

from __future__ import annotations

import re

from gatepost.locks._base import Need

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_CLAUSE = re.compile(r"(===|==|=|!=|>=|<=|~=|>|<)?\s*([0-9][0-9A-Za-z_.+!-]*\*?|\*)")
_PLAIN = re.compile(r"\d+(?:\.\d+)*")


_NAMED = re.compile(r"(?:[^\s\[;]*::)?([A-Za-z0-9_.-]+)\s*(?![^;]*(?:;|\bif\b|\bwhen\b))")


def needs(depends: object) -> Iterator[Need]:
    """The packages that a conda record depends on: match specs as a list, or by name.

    Virtual packages (`__glibc`) are the machine's, and a condition decides about others: both are left out.
    """
    for spec in depends if isinstance(depends, list | dict) else ():
        found = _NAMED.match(str(spec))
        if found and not found[1].startswith("__"):
            yield Need(name=found[1].lower())


def key(version: str) -> tuple[int, ...] | None:
    """A version of numbers only, as a comparable tuple without trailing zeros; None for any other."""
    if not _PLAIN.fullmatch(version):
        return None
    parts = [int(part[:18]) for part in version.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def meets(version: str, spec: str) -> bool | None:
    """Whether a version is in a version spec (the part after the name); None where this is not decided."""
    text = spec.strip().strip("\"'")
    if text in ("", "*"):
        return True
    if "(" in text or "^" in text or "$" in text:
        return None
    answers = [_all(version, part) for part in text.split("|")]
    if True in answers:
        return True
    return None if None in answers else False


def _all(version: str, text: str) -> bool | None:
    answers = []
    for clause in text.split(","):
        # "=1.2=py39_0" and "1.2 py39_0": the build string does not bear on the version
        found = _CLAUSE.match(clause.strip())
        if not found:
            return None
        answers.append(_one(version, found[1] or "", found[2]))
    if False in answers:
        return False
    return None if None in answers else True


def _one(version: str, operator: str, wanted: str) -> bool | None:
    if wanted == "*":
        return True
    prefix = wanted.endswith("*") or operator == "="
    wanted = wanted.rstrip("*").rstrip(".")
    mine, theirs = key(version), key(wanted)
    if prefix and operator in ("", "=", "==", "!="):
        inside = version == wanted or version.startswith(wanted + ".")
        if not inside and (mine is None or theirs is None):
            return None
        if not inside and mine is not None and theirs is not None:
            size = wanted.count(".") + 1
            inside = (mine + (0,) * size)[:size] == (theirs + (0,) * size)[:size]
        return not inside if operator == "!=" else inside
    if mine is None or theirs is None:
        return True if version == wanted and operator in ("", "==", "===", ">=", "<=") else None
    if operator == "~=":
        size = wanted.count(".")
        return mine >= theirs and (mine + (0,) * size)[:size] == (theirs + (0,) * size)[:size]
    table = {
        "": mine == theirs, "==": mine == theirs, "===": mine == theirs, "!=": mine != theirs,
        ">=": mine >= theirs, "<=": mine <= theirs, ">": mine > theirs, "<": mine < theirs,
    }  # fmt: skip
    return table.get(operator)
