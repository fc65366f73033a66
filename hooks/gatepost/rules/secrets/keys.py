"""Private keys, and environment files that git tracks."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = re.compile(rb"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?)-----")
_BODY = re.compile(rb"[A-Za-z0-9+/=]{32,}")
_PUTTY = re.compile(rb"PuTTY-User-Key-File-[23]: \S+")


def find(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Each private key with a body: the offsets of its first line, and its kind.

    A header alone (documentation, a parser, an error message) is no key, nor is one with `...` for a body.
    """
    if b"PRIVATE KEY" in data:
        from gatepost.rules.secrets.placeholders import is_placeholder

        for match in _HEAD.finditer(data):
            end = data.find(b"-----END", match.end(), match.end() + 20_000)
            body = _BODY.search(data, match.end(), min(end if end >= 0 else len(data), match.end() + 1200))
            if body and not is_placeholder(body[0][-40:].decode("ascii").rstrip("=")):
                yield match.start(), match.end(), match[1].decode("ascii").lower()
    if b"PuTTY-User-Key-File-" in data:
        for match in _PUTTY.finditer(data):
            if b"Private-Lines:" in data[match.end() : match.end() + 20_000]:
                yield match.start(), match.end(), "putty private key"


_ENV_FILE = re.compile(
    r"(?:^|/)\.env(?:\.(?:local|dev|development|prod|production|staging|stage|live|secret|secrets|private|[\w\-]+\.local))?$|(?:^|/)(?:prod|production|local|secrets)\.env$"
)
_SETTING = re.compile(rb"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*([^\r\n]*)", re.MULTILINE)


def env_names(path: str, data: bytes) -> tuple[str, ...]:
    """The credentials that an environment file gives a value, by name; none for a template or another kind of file."""
    if ".env" not in path or not _ENV_FILE.search(path):
        return ()
    from gatepost.rules.secrets import words

    found = []
    for match in _SETTING.finditer(data):
        name = match[1].decode("ascii")
        value = match[2].split(b" #")[0].strip().strip(b"\"'")
        if (
            value
            and not value.startswith((b"$", b"#"))
            and value.lower() not in (b"true", b"false", b"none", b"null", b"0", b"1")
            and words.classify(name)
        ):
            found.append(name)
    return tuple(found)
