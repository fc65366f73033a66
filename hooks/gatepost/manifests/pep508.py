"""Dependency specifiers (PEP 508), quickly: `name[extra]>=1 ; marker` and `name @ url ; marker`.

The marker is kept as text (see `markers`), the specifier as its clauses. `packaging` is not needed: the grammar
of names, extras and specifiers is small, and tests hold this parser against `packaging`.
"""

from __future__ import annotations

import re

from gatepost.manifests.versions import VersionError, clauses
from gatepost.record import record

_HEAD = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*", re.ASCII)
_EXTRA = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_URL_END = re.compile(r"\s;|;\s|\s")
_DASHES = re.compile(r"[-_.]+")


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
    return _DASHES.sub("-", name).lower()


def parse(text: str) -> Requirement:
    """Parse one dependency specifier.

    Raises:
        RequirementError: not PEP 508.
    """
    head = _HEAD.match(text)
    if head is None:
        raise RequirementError(f"no package name in {text[:60]!r}")
    extras: tuple[str, ...] = ()
    if head[2] is not None and head[2].strip():
        parts = [part.strip() for part in head[2].split(",")]
        if not all(_EXTRA.fullmatch(part) for part in parts):
            raise RequirementError(f"bad extras in {text[:60]!r}")
        extras = tuple(sorted({canonical(part) for part in parts}))
    rest = text[head.end() :]
    url = specifier = ""
    if rest.startswith("@"):
        rest = rest[1:].lstrip()
        end = _URL_END.search(rest)
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
    return Requirement(
        name=head[1], canonical=canonical(head[1]), extras=extras, specifier=specifier, url=url, marker=marker
    )


def _marker(rest: str, text: str) -> str:
    if not rest:
        return ""
    if not rest.startswith(";") or not rest[1:].strip():
        raise RequirementError(f"unexpected text after the requirement in {text[:60]!r}")
    return rest[1:].strip()
