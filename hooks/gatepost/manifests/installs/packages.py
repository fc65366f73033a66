"""The words of an installer's command line that name packages: PEP 508 for most, match specifications for conda."""

from __future__ import annotations

import re

from gatepost.manifests.names import canonical
from gatepost.patterns import pattern
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.shell import Word

_REQUIREMENT = pattern(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(?:@\s*(\S+)|\(?([^;()]*?)\)?)\s*(?:;(.*))?$"
)
_CONDA = pattern(r"([A-Za-z0-9_][A-Za-z0-9._-]*?)\s*(?:([=<>!~].*))?$")


@record
class Package:
    """A requirement given on a command line: canonical name, extras, specifier or URL, marker."""

    name: str
    extras: tuple[str, ...]
    specifier: str
    url: str
    marker: str
    word: Word


def is_path(text: str) -> bool:
    """Whether pip would take the word for a local directory or file rather than a name."""
    bare = text.split("[", 1)[0].split(";", 1)[0].strip()
    return (
        bare in (".", "..")
        or bare.startswith(("./", "../", "/", "~"))
        or ("/" in bare and "://" not in bare and "@" not in bare)
    )


def requirement(word: Word) -> Package | None:
    """A requirement word, or None when it is a path, a URL or not known."""
    text = word.text.strip()
    if is_path(text) or re.match(r"[a-z+]+://", text) or text.startswith("git+") or not word.known:
        return None
    match = _REQUIREMENT.match(text)
    if match is None:
        return None
    extras = tuple(sorted(canonical(extra.strip()) for extra in (match[2] or "").split(",") if extra.strip()))
    return Package(
        name=canonical(match[1]),
        extras=extras,
        specifier=(match[4] or "").replace(" ", ""),
        url=match[3] or "",
        marker=(match[5] or "").strip(),
        word=word,
    )


def conda_package(word: Word) -> Package | None:
    """A conda match specification without its channel, or None when it is a path or not known."""
    text = word.text.rpartition("::")[2]
    match = _CONDA.match(text)
    if match is None or not word.known or is_path(text):
        return None
    return Package(name=match[1].lower(), extras=(), specifier=match[2] or "", url="", marker="", word=word)
