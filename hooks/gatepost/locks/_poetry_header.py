"""Who wrote a poetry.lock and what it says of itself, read without parsing the lock where its layout is Poetry's own."""

from __future__ import annotations

from gatepost.locks._manifest import table
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks._base import Lock

_VERSION = r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(\.?[^\d.].*)?"  # compiled for what is not just numbers
_KEY = frozenset(b"abcdefghijklmnopqrstuvwxyz-")


@record
class Header:
    """Who wrote the lock, and what it says of itself. Versions are release tuples, () where absent or unreadable."""

    writer: tuple[int, int, int] | tuple[()]
    writer_text: str
    format: tuple[int, int] | tuple[()]
    format_text: str
    python_versions: str
    content_hash: str


def header(lock: Lock) -> Header:
    """Read the generator comment and the metadata, once a lock.

    Raises:
        TomlError: not a TOML document.
    """
    return lock.once("poetry", lambda: header_of(lock.data, metadata(lock)))


def header_of(data: bytes, values: dict[str, Any]) -> Header:
    """The same from a `[metadata]` table already read."""
    comment = data[:400].partition(b"\n")[0] if data.startswith(b"#") else b""
    word = comment.rpartition(b"Poetry ")[2] if b"Poetry " in comment else b""
    writer = word.partition(b" ")[0].partition(b"\r")[0].decode("ascii", "replace")
    version = values.get("lock-version")
    format_text = version if isinstance(version, str) else ""
    python, content_hash = values.get("python-versions"), values.get("content-hash")
    return Header(
        writer=release(writer),
        writer_text=writer if release(writer) else "",
        format=release(format_text)[:2],
        format_text=format_text,
        python_versions=python if isinstance(python, str) else "",
        content_hash=content_hash if isinstance(content_hash, str) else "",
    )


def is_one(head: Header, data: dict[str, Any]) -> bool:
    """Whether Poetry 1.x wrote the lock (by the comment, else by the format) and can still read the project."""
    one = (head.writer[0] == 1) if head.writer else bool(head.format) and head.format < (2, 1)
    return one and one_reads(data, head.writer)


def reads_groups(head: Header, one: bool) -> bool:
    """Whether the Poetry that wrote the lock reads `[dependency-groups]`: since 2.2, which did not hash them yet."""
    return not one and not (head.writer and head.writer < (2, 2, 0))


def one_reads(data: dict[str, Any], writer: tuple[int, ...]) -> bool:
    """Whether Poetry 1.x can read the project at all: `[tool.poetry]` with what it requires there."""
    poetry = table(data, "tool", "poetry")
    if isinstance(wanted := poetry.get("requires-poetry"), str):
        from gatepost.locks._manifest import meets
        from gatepost.locks._poetry_manifest import pep440

        if meets(".".join(map(str, writer or (1, 8, 5))), pep440(wanted) or "") is False:
            return False
    return poetry.get("package-mode") is False or {"name", "version"} <= set(poetry)


def metadata(lock: Lock) -> dict[str, Any]:
    """The `[metadata]` table.

    Raises:
        TomlError: not a TOML document.
    """
    from gatepost.locks._slim import canonical_text

    return metadata_of(canonical_text(lock) or lock.data)


def metadata_of(data: bytes) -> dict[str, Any]:
    """The `[metadata]` table, read from the text where the layout is Poetry's own, else by parsing the lock.

    Raises:
        TomlError: the lock had to be parsed and is not TOML.
    """
    values = None if b'"""' in data or b"'''" in data else _pairs(data)
    if values is not None:
        return values
    from gatepost.locks._slim import loads_lock

    return table(loads_lock(data), "metadata")


def _pairs(data: bytes) -> dict[str, Any] | None:
    """The keys and values of the only `[metadata]`, if it is last but for its sub-tables, and holds plain strings."""
    _, found, text = data.rpartition(b"\n[metadata]\n")
    body, gap, rest = text.partition(b"\n\n")
    if not found or data.count(b"\n[metadata]") != 1 or (rest and not rest.startswith(b"[metadata.")):
        return None
    if not gap and not body.endswith(b"\n"):
        return None
    values = {}
    lines = body.removesuffix(b"\n").split(b"\n")
    for line in lines:
        key, equals, value = line.partition(b' = "')
        if not key or not equals or not _KEY.issuperset(key) or value.find(b'"') != len(value) - 1 or b"\\" in value:
            return None
        values[key.decode()] = value[:-1].decode("utf-8", "replace")
    return values if len(values) == len(lines) else None


def release(text: str) -> tuple[int, int, int] | tuple[()]:
    """`2.3.1` as (2, 3, 1); a pre-release sorts before its release (2.3.0a1 as (2, 2, 999)); () if unreadable."""
    parts = text.split(".")
    if text.isascii() and len(parts) <= 3 and all(part.isdigit() and len(part) < 10 for part in parts):
        numbers = [*map(int, parts), 0, 0]
        return (numbers[0], numbers[1], numbers[2])
    import re

    found = re.fullmatch(_VERSION, text)
    if not found:
        return ()
    major, minor, patch = (int(found[index] or 0) for index in (1, 2, 3))
    if found[4] and not found[4].lstrip("-_.").startswith(("+", "post")) and patch == 0:
        return (major, minor - 1, 999) if minor else (major - 1, 999, 999)
    return (major, minor, patch)
