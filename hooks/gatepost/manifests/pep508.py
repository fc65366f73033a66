"""Dependency specifiers (PEP 508), quickly: `name[extra]>=1 ; marker` and `name @ url ; marker`.

The marker is kept as text (see `markers`), the specifier as its clauses. `packaging` is not needed: the grammar
of names, extras and specifiers is small, and tests hold this parser against `packaging`.
"""

from __future__ import annotations

from gatepost.manifests.versions import VersionError, clauses
from gatepost.record import record

_URL_END = r"\s;|;\s|\s"
_BLANKS = " \t\n\r\f\v"
_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


class RequirementError(ValueError):
    """Not a PEP 508 dependency specifier; the message says which part."""


@record
class Requirement:
    """One dependency specifier. `specifier` is as written without blanks around clauses, "" for any version."""

    name: str  # as written
    canonical: str  # PEP 503
    extras: tuple[str, ...] = ()  # PEP 503 (PEP 685), sorted, each once
    specifier: str = ""  # ">=1,<2"
    url: str = ""  # after "@"
    marker: str = ""  # after ";"


def canonical(name: str) -> str:
    """A package, extra or group name in PEP 503 form: lower case, runs of `-_.` as one dash."""
    name = name.replace("_", "-").replace(".", "-").lower()
    while "--" in name:
        name = name.replace("--", "-")
    return name


def _head(text: str) -> tuple[str, str | None, str]:
    """(name, text between brackets or None, rest) of a dependency specifier, blanks around them left out."""
    text = text.lstrip(_BLANKS)
    end = 0
    while end < len(text) and text[end] in _NAME:
        end += 1
    name = text[:end].rstrip("._-")
    if not name or name[0] in "._-":
        raise RequirementError(f"no package name in {text[:60]!r}")
    rest = text[len(name) :].lstrip(_BLANKS)
    if rest.startswith("["):
        inner, close, after = rest[1:].partition("]")
        if close:
            return name, inner, after.lstrip(_BLANKS)
    return name, None, rest


def _is_name(text: str) -> bool:
    return bool(text) and _NAME.issuperset(text) and text[0] not in "._-" and text[-1] not in "._-"


def parse(text: str) -> Requirement:
    """Parse one dependency specifier.

    Raises:
        RequirementError: not PEP 508.
    """
    name, inner, rest = _head(text)
    extras: tuple[str, ...] = ()
    if inner is not None and inner.strip():
        parts = [part.strip() for part in inner.split(",")]
        if not all(map(_is_name, parts)):
            raise RequirementError(f"bad extras in {text[:60]!r}")
        extras = tuple(sorted({canonical(part) for part in parts}))
    url = specifier = ""
    if rest.startswith("@"):
        rest = rest[1:].lstrip()
        import re

        end = re.search(_URL_END, rest)
        url, rest = (rest, "") if end is None else (rest[: end.start()], rest[end.start() :].lstrip())
        if not url:
            raise RequirementError(f"no address after @ in {text[:60]!r}")
        marker = _marker(rest, text)
    else:
        body, semicolon, rest = rest.partition(";")
        marker = _marker(semicolon + rest, text)
        if body.strip():
            try:
                parsed = clauses(body)
            except VersionError:
                raise RequirementError(f"bad version specifier in {text[:60]!r}") from None
            if not parsed and body.strip() != "()":
                raise RequirementError(f"bad version specifier in {text[:60]!r}")
            specifier = ",".join(operator + version for operator, version in parsed)
    return Requirement(name=name, canonical=canonical(name), extras=extras, specifier=specifier, url=url, marker=marker)


def _marker(rest: str, text: str) -> str:
    if not rest:
        return ""
    if not rest.startswith(";") or not rest[1:].strip():
        raise RequirementError(f"unexpected text after the requirement in {text[:60]!r}")
    return rest[1:].strip()
