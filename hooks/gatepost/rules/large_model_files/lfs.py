"""Git LFS told right: what is a pointer is decided by the blob, never by an attribute.

An attribute `filter=lfs` only asks for a conversion that a machine without Git LFS does not do, and git does not mind.
The pointer format is that of the Git LFS specification 1 (docs/spec.md): less than 1024 bytes, `version` first, then
`ext-N-*`, `oid` and `size`; git-lfs also reads the older version lines and CRLF. An empty file has no pointer.
"""

from __future__ import annotations

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

POINTER_MAX = 1023  # bytes; git-lfs does not try to read a larger blob as a pointer

_VERSION = rb"https://git-lfs\.github\.com/spec/v1|https://hawser\.github\.com/spec/v1|http://git-media\.io/v/2"
_POINTER = (
    rb"version (?:" + _VERSION + rb")\r?\n"
    rb"(?:ext-\d-[^\n ]+ [a-z0-9]+:[0-9a-f]+\r?\n)*"
    rb"oid sha256:([0-9a-f]{64})\r?\n"
    rb"size ([0-9]{1,19})\s*"
)
_LOOKS_LIKE = tuple(b"version " + url for url in (b"https://git-lfs", b"https://hawser", b"http://git-media"))


def is_pointer(data: bytes) -> bool:
    """Whether a whole blob is an LFS pointer."""
    return declared(data) is not None


def declared(data: bytes) -> tuple[str, int] | None:
    """(SHA-256, bytes) of the object that a whole blob is the pointer of, None if it is no pointer."""
    if len(data) > POINTER_MAX or not data.startswith(b"version "):
        return None
    import re

    match = re.fullmatch(_POINTER, data)
    return (match[1].decode(), int(match[2])) if match else None


def poses_as_pointer(head: bytes) -> bool:
    """Whether a blob begins as an LFS pointer does."""
    return head.startswith(_LOOKS_LIKE)


@record
class DeadRule:
    """A line of a .gitattributes file that asks for LFS and can match no file."""

    line: int  # 1-based
    pattern: str
    folder: str  # the repository folder that it probably means, "" if unknown
    better: str  # the pattern that does what it means, "" if there is no telling
    why: str


def dead_rules(data: bytes, base: str) -> list[DeadRule]:
    """Rules with `filter=lfs` that match nothing whatever is tracked; `base` is the file's folder, "" or "sub/".

    gitattributes(5): a pattern with a trailing slash matches directories only, and attributes of directories are
    not passed on; negative patterns are forbidden; patterns are compared with paths that never begin with "./".
    """
    found = []
    for number, raw in enumerate(data.decode("utf-8", "surrogateescape").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#") or "filter=lfs" not in line:
            continue
        pattern = _pattern(line)
        why, better = _fault(pattern)
        if why:
            inside = pattern.lstrip("!").removeprefix("./").strip("/")
            folder = base + inside if not set(inside) & set("*?[") else ""
            found.append(DeadRule(line=number, pattern=pattern, folder=folder, better=better, why=why))
    return found


def _pattern(line: str) -> str:
    if line.startswith('"'):
        end = line.find('"', 1)
        return line[1:end] if end > 0 else line
    return line.split(maxsplit=1)[0]


def _fault(pattern: str) -> tuple[str, str]:
    """(why it never matches, what it should be), or ("", "")."""
    clean = pattern
    while clean.startswith("./"):
        clean = clean[2:]
    if pattern.startswith("!"):
        return "negative patterns are not allowed in .gitattributes", ""
    if pattern.endswith("/"):
        return "a trailing slash matches only the folder itself, never a file in it", clean.strip("/") + "/**"
    if pattern.startswith("./"):
        return "paths in .gitattributes never begin with `./`", clean
    if "//" in pattern:
        import re

        return "no path has two slashes in a row", re.sub("/+", "/", pattern)
    return "", ""


def near_rule(data: bytes, path: str) -> tuple[int, str] | None:
    """(line, pattern) of a rule with `filter=lfs` that means a file, by its name or ending, and does not match it.

    Ask only of a file that no rule covers: then the fault is the folder, the case or a letter.
    """
    from difflib import SequenceMatcher
    from fnmatch import fnmatchcase

    name = path.rpartition("/")[2].lower()
    ending = name.rpartition(".")[2]
    for number, raw in enumerate(data.decode("utf-8", "surrogateescape").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#") or "filter=lfs" not in line:
            continue
        last = _pattern(line).rpartition("/")[2].lower()
        if last.strip("*") and fnmatchcase(name, last):
            return number, _pattern(line)
        other = last.rpartition("*.")[2] if last.startswith("*.") else ""
        if len(other) > 3 and "." in name and SequenceMatcher(None, other, ending).ratio() > 0.85:
            return number, _pattern(line)
    return None


def beneath(folder: str, paths: Iterable[str]) -> list[str]:
    """Paths in a folder."""
    return [path for path in paths if path.startswith(folder.rstrip("/") + "/")] if folder else []
