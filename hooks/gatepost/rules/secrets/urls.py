"""Credentials inside a URL: `https://user:password@host`, `https://<token>@host`.

They stand in pip.conf, Poetry and uv sources, Pipfiles, requirements, compose files, Dockerfiles and `.env` files, and
in the saved output of `git remote -v`. A development database's `postgres:postgres@db` is not a secret.
"""

from __future__ import annotations

import re
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Starts with a literal, so that the search is a memory scan. The scheme is looked at afterwards.
_URL = re.compile(
    rb"://([^\s/@:\"'`<>\\,;()|]{0,200})(?::([^\s/@\"'`<>\\,;()|]{1,400}))?@([A-Za-z0-9_.\-${}\[\]<>]{1,253})"
)
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]{1,30}$")
_EXAMPLE_HOST = re.compile(
    r"(?:^|\.)example(?:\.[a-z.]+)?$|\.(?:example|test|invalid)$|^(?:host|hostname|your[\w\-]*|my[\w\-]*host|server|domain)(?:\.|$)|^<|[${}]"
)
_LOCAL_HOST = re.compile(r"^(?:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[?::1?\]?|host\.docker\.internal)$")


# `curl -u user:password https://host`: the same credential, not yet in the URL.
_CURL = re.compile(
    rb"\bcurl\b[^\n]{0,400}?\s(?:-u|--user)(?:\s+|=)[\"']?([^\s:\"'`<>]{0,200}):([^\s\"'`<>\\]{1,400})[\"']?(?=[\s\\]|$)"
)
_NEAR_HOST = re.compile(rb"https?://([A-Za-z0-9_.\-]{1,253})")
_SENTRY = re.compile(r"[0-9a-f]{32}$")
_SOMEONE = frozenset(
    ["user", "username", "alice", "bob", "name", "login", "me", "myuser", "myusername", "your_username", "yourname"]
)


def find(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Each credential: the offsets of the secret part, and the host it is for."""
    if b"curl" in data:
        yield from _curl(data)
    if b"://" not in data or b"@" not in data:
        return
    for match in _URL.finditer(data):
        scheme = _SCHEME.search(data, max(0, match.start() - 32), match.start())
        if scheme is None:
            continue
        user = match[1].decode("latin-1")
        host = match[3].decode("latin-1").rstrip(".").lower()
        if match[2] is None:
            if _SENTRY.match(user) and re.match(rb"(?::\d+)?/\d+\b", data[match.end() : match.end() + 40]):
                continue  # the public half of a Sentry DSN
            if _is_token(user) and not _EXAMPLE_HOST.search(host):
                yield match.start(1), match.end(1), host
            continue
        password = match[2].decode("latin-1")
        if is_secret(user, password, host):
            yield match.start(2), match.end(2), host
        elif password in ("", "x-oauth-basic", "x-token-auth", "") and _is_token(user):
            yield match.start(1), match.end(1), host


def _curl(data: bytes) -> Iterator[tuple[int, int, str]]:
    for match in _CURL.finditer(data):
        place = _NEAR_HOST.search(data, match.start(), match.end() + 300)
        host = place[1].decode("latin-1").lower() if place else "host"
        if is_secret(match[1].decode("latin-1"), match[2].decode("latin-1"), host):
            yield match.start(2), match.end(2), host


def is_secret(user: str, password: str, host: str) -> bool:
    """Whether a URL's password is one, and not a default, an example or a reference.

    A host that can only be the developer's own machine or a container beside it (no dot in its name) has a
    development password, unless the password was drawn at random.
    """
    from gatepost.rules.secrets.placeholders import is_default_password, is_placeholder, is_reference, looks_random

    if "%" in password:
        from urllib.parse import unquote

        password = unquote(password)
    if user.lower() in _SOMEONE and len(password) < 12 and not _mixed(password):
        return False
    if (
        is_reference(password)
        or is_reference(user)
        or is_default_password(password, user)
        or (password.isdigit() and len(password) < 6)
    ):
        return False
    if _EXAMPLE_HOST.search(host):
        return False
    if "." not in host.strip("[]") or _LOCAL_HOST.match(host):
        return looks_random(password) or _mixed(password)
    return not is_placeholder(password) or (_mixed(password) and len(set(password)) > 7)


def _mixed(password: str) -> bool:
    """A password of ten or more characters of three classes that no one would choose for `docker compose up`."""
    from gatepost.rules.secrets.placeholders import is_placeholder

    kinds = (str.isdigit, str.islower, str.isupper)
    have = sum(any(kind(c) for c in password) for kind in kinds)
    switches = sum(a.isdigit() != b.isdigit() or a.isupper() != b.isupper() for a, b in pairwise(password))
    return len(password) >= 10 and have == 3 and switches >= len(password) // 3 and not is_placeholder(password)


def _is_token(user: str) -> bool:
    from gatepost.rules.secrets.placeholders import is_reference, looks_random

    return len(user) >= 20 and not is_reference(user) and looks_random(user)
