"""Small steps that every lock format needs: read a manifest, parse a requirement, place a key, spell a command."""

from __future__ import annotations

import sys

from gatepost.locks import _base
from gatepost.locks._base import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from packaging.requirements import Requirement

    from gatepost.locks._base import Lock

# `re` is imported where it is used: with what it needs that takes 4 ms, a fifth of a run that needs no pattern
quote = _base.quote
_NAME = r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?=$|[\s\[(<>=!~;@,])"
_DIGITS = frozenset("0123456789.")
_PLAIN = _DIGITS | frozenset("*,<>=!~ ")
_MARK = b"\xef\xbb\xbf"
_MARKS = (b"<<<<<<< ", b">>>>>>> ")


def canonical(name: str) -> str:
    """A project name's normal form (PEP 503)."""
    if "_" in name or "." in name:
        name = name.replace("_", "-").replace(".", "-")
    while "--" in name:
        name = name.replace("--", "-")
    return name.lower()


def conflict_line(data: bytes) -> int | None:
    """The 1-based line of the first git conflict marker, or None."""
    for mark in _MARKS:
        at = 0 if data.startswith(mark) else data.find(b"\n" + mark) + 1
        if at or data.startswith(mark):
            return data.count(b"\n", 0, at) + 1
    return None


def load_toml(lock: Lock, path: str, rule: str) -> dict[str, Any] | Unknown:
    """A TOML manifest's data; Unknown when it is absent or cannot be parsed."""
    from gatepost.toml.load import TomlError

    data = lock.read(path) if path else None
    if data is None:
        return Unknown(rule=rule, reason=f"there is no {path or 'manifest'} to compare with", code="LF309")
    if data.startswith(_MARK) and lock.name.startswith(("poetry.", "pdm.", "Pipfile.")):
        reason = f"{path} begins with a byte order mark, which its tool cannot read"
        return Unknown(rule=rule, reason=reason, path=path, line=1, code="LF305", remedy=f"save {path} without it")
    try:
        return toml_of(lock, path)
    except TomlError as error:
        if (line := conflict_line(data)) is not None:
            return Unknown(rule=rule, reason=f"{path} has merge conflict markers", path=path, line=line, code="LF305")
        reason = f"{path} is not valid TOML: {error.reason}"
        return Unknown(rule=rule, reason=reason, path=path, line=error.line, code="LF305")


def toml_of(lock: Lock, path: str) -> dict[str, Any]:
    """A TOML file's data, parsed once a lock; empty where there is no such file. Not to be changed by the caller.

    Raises:
        TomlError: not a TOML document.
    """
    from gatepost.toml.load import loads

    return lock.once(f"toml {path}", lambda: loads(lock.read(path) or b""))


def project_of(lock: Lock) -> tuple[dict[str, Any], str] | None:
    """Data and build backend of the pyproject.toml beside a lock, empty where there is none; None if it is not TOML."""
    from gatepost.toml.load import TomlError

    try:
        data = toml_of(lock, lock.beside("pyproject.toml"))
    except TomlError:
        return None
    backend = table(data, "build-system").get("build-backend")
    return data, backend if isinstance(backend, str) else ""


def sha256(text: str) -> str:
    """The hex digest of a text, without the OpenSSL that `hashlib` loads (2 ms)."""
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256 as digest  # type: ignore[import-not-found,unused-ignore]
        else:
            from _sha256 import sha256 as digest  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from hashlib import sha256 as digest
    found: str = digest(text.encode()).hexdigest()
    return found


def json_text(value: object, comma: str = ", ", colon: str = ": ") -> str:
    """`json.dumps(value, sort_keys=True)` of parsed TOML or JSON, without the import of `json` (2 ms).

    Raises:
        TypeError: a value that JSON cannot hold (a date).
        RecursionError: nested too deeply.
    """
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return "[" + comma.join([json_text(item, comma, colon) for item in value]) + "]"
    if isinstance(value, dict):
        items = [f"{_quoted(key)}{colon}{json_text(value[key], comma, colon)}" for key in sorted(value)]
        return "{" + comma.join(items) + "}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return int.__repr__(value)
    from json import dumps

    return dumps(value)  # a float, or what raises


def _quoted(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    from json import dumps

    return dumps(text)


def table(value: Any, *keys: str) -> dict[str, Any]:
    """The table at `keys` below `value`; empty where there is none or something else stands there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def strings(value: Any) -> Iterator[tuple[int, str]]:
    """The strings of an array with their indexes; nothing for anything else."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, str):
                yield index, item


def line_of(lock: Lock, path: str, key: tuple[str | int, ...]) -> int | None:
    """The 1-based line of a key of a TOML file, or None where it cannot be placed."""
    from gatepost.toml.scan import scan

    data = lock.read(path)
    if data is None or not key:
        return None
    try:
        return scan(data.decode("utf-8", "replace")).line(key)
    except ValueError:
        return None


def spell_key(key: tuple[str | int, ...]) -> str:
    """A key path as a message shows it: `project.dependencies[2]`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def requirement(text: str) -> Requirement | None:
    """A PEP 508 requirement, or None where it is not one."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except (InvalidRequirement, RecursionError):
        return None


def requirement_name(text: str) -> str:
    """The canonical name that a requirement starts with, "" where there is none (a URL, a path)."""
    import re

    found = re.match(_NAME, text)
    return canonical(found[1]) if found else ""


def meets(version: str, specifier: str) -> bool | None:
    """Whether a version is in a PEP 440 specifier set; None where either cannot be read.

    Plain release numbers are compared without `packaging`, which takes longer to import than a lock to judge.
    """
    from gatepost.manifests import versions

    if _DIGITS.issuperset(version) and _PLAIN.issuperset(specifier) and "===" not in specifier:
        try:
            return versions.admits(versions.ranges(specifier), version)
        except versions.VersionError:
            pass

    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None


def in_directory(lock: Lock, command: str) -> str:
    """A command that must run beside the lock, spelled for the repository's root."""
    return f"(cd {quote(lock.directory)} && {command})" if lock.directory else command


def show(text: str, limit: int = 80) -> str:
    """A user's value for a message: one line, ASCII, not too long."""
    text = " ".join(text.split()).encode("ascii", "backslashreplace").decode()
    return text if len(text) <= limit else text[: limit - 3] + "..."
