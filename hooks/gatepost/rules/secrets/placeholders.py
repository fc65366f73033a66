"""What only looks like a secret: placeholders, examples, references to a variable, words, counting sequences.

Every question is answered from the value alone, on text of at most a few hundred characters.
"""

from __future__ import annotations

import re
from itertools import pairwise

# Words that nobody's random key spells out. Short ones would turn up by chance in a long random token, so each has
# five letters or more; shorter ones count only when they stand alone between separators (`_SHORT`).
_WORDS = re.compile(
    r"example|placeholder|changeme|change[_-]me|dummy|sample|redacted|your[_-]|yourtoken|yourkey|yourapi|yoursecret|"
    r"youropenai|insert|replace|notreal|not[_-]a[_-]|invalid|secretkey|mysecret|mytoken|myapikey|supersecret|"
    r"password|fakekey|faketoken|fake[_-]|testkey|testtoken|test[_-]|[_-]test|testing|mock[_-]|mocked|django-insecure|"
    r"goes[_-]?here|[_-]here\b|token[_-]here|key[_-]here|todo[_-]|foobar|deadbeef|cafebabe|lorem|redact|"
    r"abcdefgh|qwerty|asdfgh|12345678|87654321|01234567|abcd1234|abc123|1234abcd|a1b2c3d4|0a1b2c3d|1a2b3c4d",
    re.IGNORECASE,
)
_SHORT = re.compile(
    r"(?:^|[^a-z0-9])(?:xxx+|your|my|fake|test|dev|none|null|foo|bar|baz|abc|todo|tbd|user|pass|local)(?:[^a-z0-9]|$)",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"^\$|^%\(|^%[A-Za-z_]+%|^\{\{|^\{[A-Za-z_][\w.]*\}$|^<[^>]*>?$|^\[[^\]]*\]$|\$\{|\$\(|\{\{|^!(?:env|secret|vault)|^@@|^env:|^vault:|^secretref:|^op://|^arn:|^projects/"
)
_SEQUENCE = (
    "0123456789012345|abcdefghijklmnopqrstuvwxyzabcdef|zyxwvutsrqponmlkjihgfedcba|9876543210|qwertyuiopasdfghjklzxcvbnm"
)

# Keys that vendors print in their documentation, by their beginnings: Azure's storage emulator, GitHub's REST manual.
_PRINTED = ("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1", "16C7e42F292c6912E771")


def is_reference(value: str) -> bool:
    """Whether the value names a secret's place (`${TOKEN}`, `{{ token }}`, `<token>`), and is not one itself."""
    return bool(_REFERENCE.search(value))


def is_placeholder(body: str) -> bool:
    """Whether a token's body (the part after the provider's prefix) was typed by a person to fill the space."""
    if _WORDS.search(body) or "..." in body or "***" in body or "xxxx" in body.lower() or body.startswith(_PRINTED):
        return True
    low = body.lower()
    plain = re.sub(r"[^a-z0-9]", "", low)
    if not plain:
        return True
    distinct = len(set(plain))
    if distinct <= max(4, min(7, len(plain) // 5)):
        return True
    return _patterned(plain) * 2 > len(plain) or _periodic(plain)


def _patterned(text: str) -> int:
    """How many characters stand in runs of three or more that count up, down or in place (`abcd`, `4321`, `000`)."""
    covered = 0
    start = 0
    step: int | None = None
    for at in range(1, len(text) + 1):
        now = ord(text[at]) - ord(text[at - 1]) if at < len(text) else None
        if text[at - 1 : at + 1] == "90" or text[at - 1 : at + 1] == "za":
            now = 1
        if now is not None and now in (-1, 0, 1) and (step is None or now == step):
            step = now
            continue
        if at - start >= 3:
            covered += at - start
        start = at - 1 if now in (-1, 0, 1) and now is not None else at
        step = now if now in (-1, 0, 1) else None
    return covered


def _periodic(text: str) -> bool:
    """Whether the text is one block of at most half its length over and over (`a1b2a1b2`)."""
    return len(text) >= 12 and text in (text + text)[1:-1][: len(text) + len(text) // 2]


def looks_random(value: str, strict: bool = False) -> bool:
    """Whether a value with no known prefix looks drawn at random: no word, no identifier, no version, no path.

    The measure is how often the character class (digit, lower, upper) changes from one character to the next: in 32
    random hex digits 15 times, in 32 random letters and digits 20 times, in a name or a date seldom. `strict` asks
    for more of it, for values that stand unquoted where a name could stand.
    """
    if len(value) < 16 or len(value) > 400 or is_placeholder(value):
        return False
    if _UUID.fullmatch(value):
        return not strict
    plain = re.sub(r"[^A-Za-z0-9]", "", value)
    if len(plain) < 14 or len(plain) * 10 < len(value) * 8:
        return False
    digits = sum(c.isdigit() for c in plain)
    words = sum(len(word) for word in _LONG_WORD.findall(value) if len(word) > 4 and _VOWEL.search(word))
    if words * 2 >= len(value) and not (len(plain) >= 32 and digits * 7 >= len(plain)):
        return False  # a name in camel case
    classes = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in plain]
    switches = sum(a != b for a, b in pairwise(classes))
    if digits == 0 and not (switches * 10 >= len(plain) * 3 and not strict and not _WORDY.search(value)):
        return False
    if digits == len(plain):
        return False
    if len(set(plain.lower())) < 8:
        return False
    # Words joined by separators, with a number or two: `my-service-v2-prod-eu1`.
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", value) if part]
    if len(parts) >= 3 and sum(len(part) for part in parts if _PART.fullmatch(part)) * 2 >= len(plain):
        return False
    share = switches / (len(plain) - 1)
    return share >= (0.3 if strict else 0.2) and (digits >= 3 or not strict)


_PART = re.compile(r"\d+|[A-Z]+|(?:[A-Z]?[a-z]+)(?:[A-Z][a-z]+)*")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_LONG_WORD = re.compile(r"[A-Z]?[a-z]{4,}")
_WORDY = re.compile(r"[A-Z][a-z]{4,}.*[A-Z][a-z]{4,}|[a-z]{7,}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_DEFAULTS = frozenset((
    "admin", "administrator", "airflow", "alice", "bob", "changeit", "changethis", "credentials", "default",
    "demo", "docker", "example", "foo", "foobar", "ftp", "guest", "hunter2", "id", "key", "letmein", "local",
    "login", "minio", "minio123", "minioadmin", "mongo", "mypass", "mypassword", "mysecret", "mysecretpassword",
    "mysql", "myuser", "name", "none", "null", "openai", "p", "pass", "passw0rd", "passwd", "password",
    "password1", "password123", "pgpassword", "postgres", "postgresql", "pw", "pwd", "rabbitmq", "redacted",
    "redis", "root", "s3cr3t", "sa", "secret", "secretpassword", "server", "some_password", "somepassword",
    "string", "super", "test", "test123", "testpass", "testpassword", "testuser", "token", "toor", "user",
    "user1", "username", "value", "x", "xxx", "your_password", "yourpassword",
))  # fmt: skip


def is_default_password(password: str, user: str = "") -> bool:
    """Whether a password is one that documentation, a development database or a template would have."""
    low = password.lower().strip("*")
    if len(low) < 4 or is_reference(password) or low in _DEFAULTS or low == user.lower():
        return True
    if low.strip("0123456789!@#_-") in _DEFAULTS or re.fullmatch(r"[x*.\-_#?]+", low):
        return True
    if re.search(
        r"password|passwd|p@ss|pass:|pword|secret|token|example|change.?me|placeholder|your|redacted|<|>|\*\*\*|\.\.\.|[{}$%]",
        low,
    ) and not re.search(r"%[0-9a-f]{2}", low):
        return True
    return low.isalpha() and len(low) < 12 and low == password and bool(user) and user.lower() in low
