"""Locks in TOML whose packages are an array of inline tables, `packages = [{...}]`: valid, and written by tomli-w for short ones.

They are laid out anew as their tools lay them out, for the readers that look at the lines of a block.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from gatepost.model import Location
from gatepost.patterns import pattern
from gatepost.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from gatepost.rules.torch_source.model import Lock, Locked

_INLINE = pattern(r"""^[ \t]*(?:packages?|"packages?"|'packages?')[ \t]*=[ \t]*\[""", re.MULTILINE)
_BARE = pattern(r"[A-Za-z0-9_-]+")
LIMIT = 4 * 1024 * 1024  # bytes: all of it has to be parsed


def is_inline(data: bytes) -> bool:
    """Whether a lock has no block of a package, and may have an array of them."""
    if b"[[package" in data or b"package" not in data:
        return False
    return _INLINE.search(data.decode("utf-8", "replace")) is not None


def read(reader: Callable[[str, bytes], Lock], path: str, data: bytes) -> Lock:
    """What a reader finds in such a lock, at the lines of the file itself.

    Raises:
        ValueError: it is not TOML, or too large to be parsed.
    """
    from gatepost.toml.load import loads
    from gatepost.toml.scan import scan

    if len(data) > LIMIT:
        raise ValueError("its packages are an array of inline tables, and too large to be parsed")
    tables = loads(data)
    key = "packages" if "packages" in tables else "package"
    items = tables.get(key)
    entries = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    nested = path.endswith("poetry.lock")
    head = "".join(f"{line}\n" for line in data[:2000].decode("utf-8", "replace").split("\n")[:3] if line[:1] == "#")
    head += "".join(f"{_key(name)} = {_value(value)}\n" for name, value in tables.items() if isinstance(value, str))
    starts: list[int] = []
    parts = [head]
    line = head.count("\n") + 1
    for entry in entries:
        starts.append(line)
        parts.append(f"\n[[{key}]]\n" + "".join(_lines(entry, nested)))
        line += parts[-1].count("\n")
    lock = reader(path, "".join(parts).encode("utf-8", "replace"))
    places = scan(data.decode("utf-8-sig"))

    def placed(found: Locked) -> Locked:
        number = bisect_right(starts, found.where.line or 0) - 1
        return replace(found, where=Location(path=path, line=places.line((key, max(number, 0)))))

    return replace(lock, entries=tuple(map(placed, lock.entries)), strangers=tuple(map(placed, lock.strangers)))


def _lines(entry: dict[str, Any], nested: bool) -> Iterator[str]:
    """The lines of a block, its name and version first; `nested`: its tables are sub-tables, as in poetry.lock."""
    order = ("name", "version", "marker", "index", "source")
    keys = [*(name for name in order if name in entry), *(name for name in entry if name not in order)]
    tables = [name for name in keys if nested and isinstance(entry[name], dict) and name != "markers"]
    for name in keys:
        if name not in tables:
            yield f"{_key(name)} = {_listed(entry[name], name)}\n"
    for name in tables:
        yield f"\n[package.{_key(name)}]\n"
        yield from (f"{_key(inner)} = {_value(value)}\n" for inner, value in entry[name].items())


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _listed(value: Any, name: str) -> str:
    """The value of an entry's key: the tables of a list, and uv's forks, stand on a line each."""
    if isinstance(value, list) and (name == "resolution-markers" or any(isinstance(one, dict) for one in value)):
        return "[\n" + "".join(f"    {_value(one)},\n" for one in value) + "]"
    return _value(value)


def _value(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value)
