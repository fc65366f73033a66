"""Known secrets that a team has looked at: ours, and the baseline of detect-secrets.

Ours is a text file, one line a secret, sorted: `<code> <digest> <path>  # <reason>`. The digest is scrypt (salted, slow:
a weak password cannot be read back from a public file) of the secret itself, so an entry survives the moving of
lines, and a renamed file: an entry whose own file no longer has the secret covers one other place. A copy is new.
"""

from __future__ import annotations

import json
import re

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HEAD = "# gatepost secrets baseline 1 salt="
_LINE = re.compile(r"(SE\d{3}) ([0-9a-f]{32}) (\S.*?)(?:  # (.*))?")


class BaselineError(ValueError):
    """A baseline that cannot be read; the text says why."""


@record
class Entry:
    """One known secret. `line` is its 1-based line in the baseline."""

    code: str
    digest: str
    path: str
    reason: str = ""
    line: int = 0


@record
class Baseline:
    salt: str
    entries: tuple[Entry, ...]


def digest(salt: str, secret: bytes) -> str:
    """32 hex digits of scrypt (RFC 7914, N=2^14, r=8, p=1); about 30 ms."""
    import hashlib

    return hashlib.scrypt(secret, salt=bytes.fromhex(salt), n=2**14, r=8, p=1, maxmem=64 * 2**20, dklen=16).hex()


def parse(data: bytes) -> Baseline:
    """Raises BaselineError: no head line, or a line that is no entry."""
    lines = data.decode("utf-8", "surrogateescape").splitlines()
    if not lines or not re.fullmatch(re.escape(HEAD) + r"(?:[0-9a-f]{2}){8,64}", lines[0]):
        raise BaselineError(f"line 1 is not `{HEAD}<hex digits>`")
    entries = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            raise BaselineError(f"line {number} is not `<code> <digest> <path>  # <reason>`")
        entries.append(Entry(code=match[1], digest=match[2], path=match[3], reason=match[4] or "", line=number))
    return Baseline(salt=salt_of(lines[0]), entries=tuple(entries))


def salt_of(head: str) -> str:
    return head[len(HEAD) :].strip()


def render(baseline: Baseline) -> bytes:
    rows = sorted({(e.path, e.code, e.digest, e.reason) for e in baseline.entries})
    lines = [HEAD + baseline.salt]
    lines.extend(f"{code} {key} {path}" + (f"  # {reason}" if reason else "") for path, code, key, reason in rows)
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def new_salt(paths: Iterable[str]) -> str:
    """16 bytes as hex, from the paths of the files with secrets: the same tree makes the same file.

    Never from the secrets: the salt is public, and a fast hash of them would let anyone try passwords a million times
    as fast as scrypt does.
    """
    import hashlib

    names = "\0".join(sorted(set(paths))).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(names, digest_size=16).hexdigest()


def parse_detect_secrets(data: bytes) -> Mapping[str, frozenset[str]]:
    """SHA-1 digests by path, from a `.secrets.baseline` (plain or slim).

    Raises BaselineError: not JSON, or no `results`.
    """
    try:
        results = json.loads(data)["results"]
        return {
            path.replace("\\", "/").removeprefix("./"): frozenset(str(one["hashed_secret"]) for one in found)
            for path, found in results.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BaselineError(f"no `results` of detect-secrets ({type(error).__name__})") from None


def sha1s(secret: bytes, line: bytes) -> frozenset[str]:
    """What detect-secrets may have stored for a secret: of itself, of the quoted string around it, of a key's header."""
    import hashlib

    texts = {secret}
    texts.update(match[1] for match in re.finditer(rb"[\"'`]([^\"'`]*)[\"'`]", line) if secret in match[1])
    texts.update(match[0] for match in re.finditer(rb"BEGIN (?:[A-Z]+ )?PRIVATE KEY(?: BLOCK)?", line))
    texts.update(word.strip(b"\"',;") for word in re.split(rb"[\s=]+", line) if secret in word)
    return frozenset(hashlib.sha1(text, usedforsecurity=False).hexdigest() for text in texts)
