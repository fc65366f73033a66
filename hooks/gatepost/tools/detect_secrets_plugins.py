"""The rule table of the `secrets` hook as plugins for detect-secrets 1.5.

detect-secrets loads this file by its `file://` path, under a name of its own. Each plugin is the same scanner, asked
for one kind of hit; it looks at a line with the two lines before it, so that a name and its value may stand on two.
"""

from __future__ import annotations

from detect_secrets.plugins.base import BasePlugin

from gatepost.rules.secrets.hit import KEY, NAMED, TOKEN, URL
from gatepost.rules.secrets.scan import Scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Any

    from detect_secrets.core.potential_secret import PotentialSecret
    from detect_secrets.util.code_snippet import CodeSnippet

    from gatepost.rules.secrets.hit import Hit

_SCANNER = Scanner()
_last: tuple[tuple[bytes, str], list[Hit]] | None = None  # the plugins are asked about a line one after the other


def _hits(data: bytes, filename: str) -> list[Hit]:
    global _last
    if _last is None or _last[0] != (data, filename):
        _last = (data, filename), _SCANNER.scan(data, filename)
    return _last[1]


def values(line: str, before: Iterable[str], kind: str, filename: str) -> list[str]:
    """The secrets of one kind that begin in `line`, given the lines before it."""
    head = "".join(one.rstrip("\r\n") + "\n" for one in before)
    data = (head + line).encode("utf-8", "surrogateescape")
    start = len(head.encode("utf-8", "surrogateescape"))
    return [
        hit.secret.decode("utf-8", "replace")
        for hit in _hits(data, filename)
        if hit.kind == kind and hit.start >= start
    ]


class _Gatepost(BasePlugin):
    kind = ""
    secret_type = ""

    def analyze_string(self, string: str, **_: Any) -> Generator[str, None, None]:
        yield from values(string, (), self.kind, "")

    def analyze_line(
        self, filename: str, line: str, line_number: int = 0, context: CodeSnippet | None = None, **_: Any
    ) -> set[PotentialSecret]:
        from detect_secrets.core.potential_secret import PotentialSecret

        before = context.lines[max(0, context.target_index - 2) : context.target_index] if context else ()
        return {
            PotentialSecret(type=self.secret_type, filename=filename, secret=value, line_number=line_number)
            for value in values(line, before, self.kind, filename)
        }


class GatepostTokenDetector(_Gatepost):
    """Tokens with a shape of their own: every row of the table."""

    kind = TOKEN
    secret_type = "Provider Token"


class GatepostNamedKeyDetector(_Gatepost):
    """Keys that only the name beside them can tell."""

    kind = NAMED
    secret_type = "Named Key"


class GatepostUrlCredentialDetector(_Gatepost):
    """Passwords and tokens in URLs."""

    kind = URL
    secret_type = "URL Credential"


class GatepostPrivateKeyDetector(_Gatepost):
    """Private keys; only the header is looked at, as in detect-secrets' own."""

    kind = KEY
    secret_type = "Private Key Header"

    def analyze_line(
        self, filename: str, line: str, line_number: int = 0, context: CodeSnippet | None = None, **_: Any
    ) -> set[PotentialSecret]:
        from detect_secrets.core.potential_secret import PotentialSecret

        after = context.lines[context.target_index + 1 :] if context else ()
        text = "\n".join([line, *(one.rstrip("\r\n") for one in after)])
        data = text.encode("utf-8", "surrogateescape")
        size = len(line.encode("utf-8", "surrogateescape"))
        return {
            PotentialSecret(
                type=self.secret_type,
                filename=filename,
                secret=hit.secret.decode("ascii", "replace"),
                line_number=line_number,
            )
            for hit in _SCANNER.scan(data, filename)
            if hit.kind == KEY and hit.start < size
        }
