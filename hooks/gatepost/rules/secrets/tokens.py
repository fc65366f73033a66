"""Tokens with a shape of their own: is a match of a row's regex a live token, or a placeholder, an example, public by design?"""

from __future__ import annotations

import re

from gatepost.rules.secrets.formats import prefix_of
from gatepost.rules.secrets.hit import TOKEN, Hit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.secrets.formats import Format


def is_mixed(body: bytes) -> bool:
    return bool(re.search(rb"\d", body) and re.search(rb"[a-z]", body) and re.search(rb"[A-Z]", body))


def token_hit(row: Format, token: bytes, start: int) -> Hit | None:
    """The hit of a row's match, or None where the match is a placeholder, an example or too plain for its row."""
    from gatepost.rules.secrets.placeholders import is_placeholder

    text = token.decode("latin-1")
    prefix = prefix_of(row, text)
    body = text[len(prefix) :]
    if row.id == "jwt":
        if not _live_jwt(text):
            return None
    elif (
        (is_placeholder(body) and row.id not in ("slack-webhook", "slack", "aws-bedrock-short"))
        or (row.id in ("slack", "slack-webhook") and re.search(r"xxx|XXX|0000000|1234567|example|your|[#*]", text))
        or (row.id == "voyage" and body.count("-") > 3)
    ):
        return None
    return Hit(
        start=start,
        end=start + len(token),
        kind=TOKEN,
        about=row.provider,
        prefix=prefix,
        variable=row.variable,
        secret=token,
    )


def _live_jwt(text: str) -> bool:
    """Whether a JWT may still be of use: not the specification's example, not public by design
    (Supabase's `anon` role), not one that lived an hour or less."""
    import binascii
    import json

    from gatepost.rules.secrets.placeholders import is_placeholder

    payload = text.split(".")[1]
    try:
        claims = json.loads(
            binascii.a2b_base64(payload.replace("-", "+").replace("_", "/") + "=" * (-len(payload) % 4))
        )
    except (ValueError, RecursionError):
        return not is_placeholder(payload)
    if not isinstance(claims, dict):
        return True
    if (
        claims.get("role") == "anon"
        or claims.get("sub") == "1234567890"
        or claims.get("name") == "John Doe"
        or claims.get("iss") in ("supabase-demo", "joe", "example")
    ):
        return False
    begun, ends = claims.get("iat", claims.get("nbf")), claims.get("exp")
    return not (isinstance(begun, int) and isinstance(ends, int) and 0 <= ends - begun <= 3600)
