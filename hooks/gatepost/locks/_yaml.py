"""conda-lock.yml and pixi.lock as data."""

from __future__ import annotations

from gatepost.locks._base import Contents, Unknown
from gatepost.locks._manifest import conflict_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks._base import Lock


_UNREAD = 100_000  # bytes: a larger file that is no lock is not parsed to find that out


def _has_version(data: bytes) -> bool:
    """Whether a line begins with the key, or the whole is written in braces or indented."""
    keys = (b"version", b'"version"', b"'version'")
    if data.startswith((*keys, b"{", b" ", b"---", b"%", b"\xef\xbb\xbf")):
        return True
    return any(b"\n" + key in data or b"\r" + key in data for key in keys)


def read(lock: Lock) -> dict[str, Any] | Contents:
    """The lock's data, parsed once a lock, or contents that say why it is none. Not to be changed by the caller."""
    return lock.once("yaml", lambda: _parsed(lock.data))


def _parsed(data: bytes) -> dict[str, Any] | Contents:
    """YAML 1.1, safe tags only."""
    if (line := conflict_line(data)) is not None:
        return Contents(broken="it has merge conflict markers", line=line)
    if data.count(b"&") > 1000 and data.count(b"*") > 1000:
        return Contents(broken="it has too many anchors")
    if len(data) > _UNREAD and not _has_version(data):
        return Contents(broken="it has no format version")
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        value = yaml.load(data, Loader=loader)  # noqa: S506 (a safe loader, the compiled one where it is there)
    except (yaml.YAMLError, ValueError, RecursionError, UnicodeDecodeError):
        return Contents(broken="it is not valid YAML")
    return value if isinstance(value, dict) else Contents(broken="it is not a mapping")


def read_to_judge(lock: Lock, rule: str) -> dict[str, Any] | Unknown:
    """The same, or the verdict on a lock that cannot be read."""
    data = read(lock)
    if isinstance(data, dict):
        return data
    reason = f"the lock cannot be read: {data.broken}" if data.line is None else "the lock has merge conflict markers"
    return Unknown(rule=rule, reason=reason, line=data.line, code="LF202")
