"""The scanner: bytes of one file -> hits.

Speed comes from looking at few places. The bytes are mapped to "token character" and "other" in one pass, and runs of
at least 16 token characters are found with a memory search; everything a rule looks for is such a run, or has a
literal of its own. Only a run that begins with a row's literal, or has a digit and a credential's name to its left,
reaches a regular expression.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from gatepost.rules.secrets import keys, urls
from gatepost.rules.secrets.formats import FORMATS, by_start, prefix_of, token_regex
from gatepost.rules.secrets.hit import KEY, NAMED, TOKEN, URL, Hit
from gatepost.rules.secrets.tokens import is_mixed, token_hit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.rules.secrets.formats import Format

# A quick look at the line before a value, in lower case: no such word, no question.
_CREDENTIAL = (
    b"key", b"token", b"secret", b"passw", b"pwd", b"passphrase", b"bearer", b"auth", b"credential", b"login", b"pat", b"client", b"mistral", b"http-basic", b"identified"
)  # fmt: skip
_ALNUM = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MARKS = bytes(97 if byte in _ALNUM + b"_-" else 32 for byte in range(256))
_RUN = b"a" * 16
_HEADS = by_start()
_FREE = tuple((row.literal.encode(), row) for row in FORMATS if row.free)
_CODE = (
    ".py",
    ".pyi",
    ".js",
    ".ts",
    ".tsx",
    ".jsx",
    ".java",
    ".go",
    ".rs",
    ".c",
    ".cc",
    ".cpp",
    ".h",
    ".cs",
    ".rb",
    ".kt",
    ".scala",
    ".swift",
    ".php",
    ".ipynb",
)
_PRAGMA = re.compile(rb"pragma: ?(?:allow|white)list secret|gitleaks:allow", re.IGNORECASE)
_NEXT = re.compile(rb"pragma: ?(?:allow|white)list nextline secret", re.IGNORECASE)
_AWS = re.compile(rb"(?i:secret[_-]?access[_-]?key)[\s\S]{0,60}?[\"'`=:\s]([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])")
_AWS_WORDS = (b"ecret_access_key", b"ECRET_ACCESS_KEY", b"ecretAccessKey", b"ecret-access-key", b"ecretaccesskey")
_AFTER_PLAIN = re.compile(rb"\(|\.[A-Za-z_]|\[|\$")


class Scanner:
    """Regexes of the rows, each compiled when its literal is first met."""

    def __init__(self) -> None:
        self._regex: dict[str, re.Pattern[bytes]] = {}

    def scan(self, data: bytes, path: str = "") -> list[Hit]:
        """Every secret of a text, in order, none inside another, none that a pragma on its line allows."""
        hits = [*self._free(data), *self._runs(data, path.endswith(_CODE))]
        for start, end, host in urls.find(data):
            hits.append(Hit(start=start, end=end, kind=URL, about=host, secret=data[start:end]))
        for start, end, kind in keys.find(data):
            body = re.sub(rb"\\n|\s", b"", data[end : end + 400])[:64]
            hits.append(Hit(start=start, end=end, kind=KEY, about=kind, secret=body))
        if not hits:
            return hits
        order = {TOKEN: 0, KEY: 1, URL: 2, NAMED: 3}
        hits.sort(key=lambda hit: (order[hit.kind], hit.start - hit.end))
        allowed = _Allowed(data)
        kept: list[Hit] = []
        starts: list[int] = []  # of the hits that are kept, in order; they do not overlap
        for hit in hits:
            at = bisect_left(starts, hit.end)
            if (at and kept[at - 1].end > hit.start) or allowed.at(hit):
                continue
            starts.insert(at, hit.start)
            kept.insert(at, hit)
        return kept

    def _compiled(self, row: Format) -> re.Pattern[bytes]:
        regex = self._regex.get(row.id)
        if regex is None:
            regex = self._regex[row.id] = re.compile(token_regex(row).encode())
        return regex

    def _free(self, data: bytes) -> Iterator[Hit]:
        for literal, row in _FREE:
            if literal in data:
                for match in self._compiled(row).finditer(data):
                    if hit := token_hit(row, match[1], match.start(1)):
                        yield hit
        if any(word in data for word in _AWS_WORDS):
            from gatepost.rules.secrets.placeholders import is_placeholder, looks_random

            for match in _AWS.finditer(data):
                value = match[1].decode()
                if not is_placeholder(value) and looks_random(value.replace("/", "").replace("+", "")):
                    yield Hit(
                        start=match.start(1),
                        end=match.end(1),
                        kind=NAMED,
                        about="AWS secret access key",
                        variable="AWS_SECRET_ACCESS_KEY",
                        secret=match[1],
                    )

    def _runs(self, data: bytes, code: bool) -> Iterator[Hit]:
        marks = data.translate(_MARKS)
        find = marks.find
        heads = _HEADS
        at = find(_RUN)
        size = len(data)
        while at >= 0:
            end = find(b" ", at + 16)
            if end < 0:
                end = size
            begin = at
            rows = heads.get(data[at : at + 3])
            if rows is None:
                begin = _begin(data, at, end)
                if begin != at:
                    rows = heads.get(data[begin : begin + 3])
            shaped, hit = self._token(rows, data, begin) if rows is not None else (False, None)
            if not shaped:
                hit = self._named(data, begin, end, code)
            if hit is not None:
                yield hit
                end = max(end, hit.end)
            at = find(_RUN, end)

    def _token(self, rows: tuple[Format, ...], data: bytes, begin: int) -> tuple[bool, Hit | None]:
        """Whether a token of one of the rows stands here, and the hit, None for a placeholder or an example."""
        for row in rows:
            match = self._compiled(row).match(data, begin)
            if match and row.id in _BASE64 and data[begin - 1 : begin] in (b"/", b"+"):
                continue  # inside a longer base64 text
            if match and (not row.mixed or is_mixed(match[1][len(prefix_of(row, match[1].decode("latin-1"))) :])):
                return True, token_hit(row, match[1], begin)
        return False, None

    def _named(self, data: bytes, begin: int, end: int, code: bool) -> Hit | None:
        if data[begin:end].translate(None, b"_-").isalpha() and (
            end - begin < 20 or data[begin - 1 : begin] not in _OPENERS
        ):
            return None
        if begin and data[begin - 1] in b"+/":
            start = begin
            while start > begin - 40 and start and (data[start - 1] in _ALNUM or data[start - 1] in b"+/"):
                start -= 1
            if not _BASE64_KEY.match(data, start):  # a path, or the inside of a longer base64 text
                return None
            begin = start
        before = data[max(0, begin - 240) : begin]
        if before[-1:] == b".":
            return None
        line = before[before.rfind(b"\n") + 1 :].lower()
        if not any(word in line for word in _CREDENTIAL) and (
            len(line.strip()) > 24 or not _CARRIED.search(before.decode("latin-1"))
        ):
            return None
        # Compiled only now: most runs of the hook get here for no file.
        from gatepost.rules.secrets import names, words
        from gatepost.rules.secrets.placeholders import looks_random

        text = before.decode("latin-1")
        while end < len(data) and data[end : end + 1] in b"+/=~." and end - begin < 400:
            end += 1
            while end < len(data) and (data[end] in _ALNUM or data[end] in b"_-"):
                end += 1
        value = data[begin:end].decode("latin-1").rstrip(".")
        end = begin + len(value)
        if not looks_random(value) or data[end : end + 2] == b"..":  # cut short, with dots
            return None
        if (
            (value.startswith("eyJ") and data[begin : end + 1].count(b".") >= 2)
            or _USERINFO.search(text)
            or _LOCAL_URL.search(text, text.rfind("\n") + 1)
            or "ENC[" in text[text.rfind("\n") + 1 :]
            or _encoded_default(value)
        ):
            return (
                None  # a JWT that its own row would not have; a URL's; a server on someone's machine; encrypted (SOPS)
            )
        found = names.owner([line.decode("latin-1") for line in before.split(b"\n")[-3:]])
        if found is None:
            return None
        name, sure, quoted = found
        if sure == words.PLAIN and (
            _UUID_LIKE.fullmatch(value) or (_LINKED.search(text) and "_" in words.words_of(name))
        ):
            return None
        if not quoted and not _QUERY.search(text):
            if _AFTER_PLAIN.match(data, end):
                return None
            dense = _UUID_LIKE.fullmatch(value) or (sure == words.PROVIDER and not _IDENTIFIER.search(value))
            shell = line.lstrip()[:1] in (b"!", b"%")  # in a notebook
            if code and not shell and not looks_random(value, strict=True) and (sure == words.PLAIN or not dense):
                return None
        if name.lower() in value.lower() or value.startswith(_PUBLIC) or _SEARCH.search(text):
            return None
        label = name if len(name) <= 60 and not looks_random(name) else "a credential"
        variable = words.words_of(name).upper() if re.fullmatch(r"[A-Za-z_][\w\-.]*", name) else ""
        return Hit(start=begin, end=end, kind=NAMED, about=label, variable=variable, secret=data[begin:end])


# Public by design: PostHog's project keys, publishable keys of Stripe, Langfuse, Supabase and Mapbox.
_PUBLIC = ("phc_", "pk_live_", "pk_test_", "pk-lf-", "sb_publishable_", "pk.eyJ")
_SEARCH = re.compile(
    r"(?i:algolia|docsearch|indexName|appId)[\s\S]*\bapiKey[\"']?\s*[:=]\s*[\"']$"
)  # Algolia's key for searching
_USERINFO = re.compile(r"://[^\s/:@]*:$")  # a URL's password is the business of `urls`
_QUERY = re.compile(r"[?&][\w.\-]+=$")
_LINKED = re.compile(r"://[^\s\"']*[?&][\w.\-]+=$")  # a link's `redir_token`, `page_token`: not the reader's own
_IDENTIFIER = re.compile(r"[A-Z][a-z]{5,}|[a-z]{7,}")
_OPENERS = (b'"', b"'", b"=", b" ", b":", b"`")
_BASE64_KEY = re.compile(rb"[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/])|[A-Za-z0-9+/]{43,88}={1,2}(?![A-Za-z0-9+/=])")
_BASE64 = ("neptune",)
_UUID_LIKE = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


_LOCAL_URL = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::\]|[0-9a-f]{12}|\([^)]*\)|[\w\-]+):\d+/[^\s\"']*[?&][\w\-]+=$"
)


def _encoded_default(value: str) -> bool:
    """Whether a value is the base64 of readable text that is itself a placeholder (`username:password`)."""
    import binascii

    from gatepost.rules.secrets.placeholders import is_placeholder

    if len(value) % 4 or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", value):
        return False
    try:
        plain = binascii.a2b_base64(value)
    except ValueError:
        return False
    text = plain.decode("latin-1")
    return (
        text.isascii()
        and text.isprintable()
        and (is_placeholder(text) or bool(re.match(r"(?:test|user|admin|demo)\w*:", text)))
    )


def _begin(data: bytes, at: int, end: int) -> int:
    """Where a run's word begins: after dashes, and after the tail of an escape (`\\n`, `\\u0022`, `%3D`, ANSI colour)."""
    last = data[at - 1] if at else 0
    first = data[at]
    if last == 92:  # a backslash
        if first in b"nrt":
            return at + 1
        if first == 117:
            return at + 5
        return at + 3 if first == 120 else at
    if last == 37 and at + 2 < end:  # a percent sign
        return at + 2
    if last in (91, 59) and (colour := _COLOUR.match(data, at)):
        return colour.end()
    while at < end and data[at] in b"-_":
        at += 1
    return at


# The name may stand on an earlier line: nothing but an opening before the value, or only `value:` or `default=`.
_CARRIED = re.compile(
    r"\n[ \t]*(?:-\s*)?[\\\"'`]*(?:(?:value|default|fallback|content|const|val)\w{0,6}[\\\"'`]*\s*[:=]\s*)?[rbuf]?[(\[{\\\"'`]*$",
    re.IGNORECASE,
)
_COLOUR = re.compile(rb"\d{1,3}m(?=[A-Za-z])")


class _Allowed:
    """Whether a comment on a hit's line, or on the one before, allows it; a line of many hits is looked at once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._line = (0, -1, False)  # the last line asked for: its begin, its end, the answer

    def at(self, hit: Hit) -> bool:
        first, last, answer = self._line
        if not first <= hit.start <= hit.end <= last:
            first = self._data.rfind(b"\n", 0, hit.start) + 1
            last = self._data.find(b"\n", hit.end)
            last = len(self._data) if last < 0 else last
            before = self._data.rfind(b"\n", 0, max(first - 1, 0)) + 1
            answer = bool(
                _PRAGMA.search(self._data, first, last) or (first and _NEXT.search(self._data, before, first))
            )
            self._line = (first, last, answer)
        return answer
