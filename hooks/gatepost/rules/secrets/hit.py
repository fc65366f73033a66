"""One secret in a text."""

from __future__ import annotations

from gatepost.record import record

TOKEN = "token"
NAMED = "named"
URL = "url"
KEY = "key"


@record
class Hit:
    """One secret in a text: where (byte offsets), what kind, and words about it that may be printed."""

    start: int
    end: int
    kind: str
    about: str  # the provider, the name or the host
    prefix: str = ""  # the public part of a token
    variable: str = ""  # what to read instead
    secret: bytes
