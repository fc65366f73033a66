"""Setting paths: `tool.ruff.lint.per-file-ignores."tests/**"` as text, a tuple of keys inside."""

from __future__ import annotations

import math
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    Keys: TypeAlias = tuple[str, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_PART = re.compile(r"""\s*(?:([A-Za-z0-9_-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(\.|\Z)""")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def show(keys: Iterable[str]) -> str:
    """Keys as a dotted TOML key."""
    return ".".join(map(render_key, keys))


def read(text: str) -> Keys:
    """A dotted TOML key as keys; text that is none (`per-file-ignores.tests/**`) is split at its dots."""
    if '"' not in text and "'" not in text and " " not in text:
        return tuple(text.split("."))
    keys: list[str] = []
    at = 0
    while at < len(text) or not keys or text[at - 1 : at] == ".":
        found = _PART.match(text, at)
        if found is None:
            return tuple(text.split("."))
        bare, basic, literal, _ = found.groups()
        if basic and "\\" in basic:
            from gatepost.toml.scan import unquote

            basic = unquote(f'"{basic}"')
        keys.append(bare or literal or basic or "")
        at = found.end()
        if found[4] != ".":
            break
    return tuple(keys)


def normal(path: str) -> Keys:
    """A setting as a person writes it; `ruff.line-length` means `tool.ruff.line-length`, and the globs of
    `per-file-ignores` and the modules of mypy's overrides need no quotes."""
    keys = read(path)
    keys = keys if keys[:1] == ("tool",) else ("tool", *keys)
    if '"' in path or "'" in path:
        return keys
    if keys[:3] == ("tool", "ruff", "lint") and keys[3:4] in (("per-file-ignores",), ("extend-per-file-ignores",)):
        return (*keys[:4], ".".join(keys[4:])) if keys[4:] else keys
    if keys[:3] == ("tool", "mypy", "overrides") and keys[4:]:
        option = keys[-1:] if "_" in keys[-1] else ()  # `sklearn.*.ignore_missing_imports`
        return (*keys[:3], ".".join(keys[3 : len(keys) - len(option)]), *option)
    return keys


def render_key(key: str) -> str:
    return key if _BARE.match(key) else string(key)


def string(text: str) -> str:
    """A TOML basic string on one line, printable."""
    out = []
    for char in text:
        if char in _SHORT:
            out.append(_SHORT[char])
        elif ord(char) < 32 or 127 <= ord(char) < 160 or 0xD800 <= ord(char) < 0xE000:
            out.append(f"\\u{ord(char):04x}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def render(value: Any) -> str:
    """Any TOML value on one line.

    Raises:
        TypeError: no TOML value.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return string(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return {"inf": "inf", "-inf": "-inf", "nan": "nan"}.get(str(value)) or repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(render, value)) + "]"
    if isinstance(value, dict):
        body = ", ".join(f"{render_key(key)} = {render(item)}" for key, item in value.items())
        return "{ " + body + " }" if body else "{}"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(f"not a TOML value: {value!r}")


def same(left: Any, right: Any) -> bool:
    """Equality of TOML values: 1, 1.0 and true are three values, and a NaN is itself."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right) or (isinstance(left, float) and math.isnan(left) and math.isnan(right))


def get(data: Any, keys: Sequence[str | int]) -> Any:
    """The value at a path, None where there is none."""
    for key in keys:
        if isinstance(data, dict):
            data = data.get(key)
        elif isinstance(data, list) and isinstance(key, int) and -len(data) <= key < len(data):
            data = data[key]
        else:
            return None
    return data


def leaves(data: Mapping[str, Any], above: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Every value that is not a table, and every empty table, with its path."""
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key), value


def plain(value: Any) -> Any:
    """A deep copy of the tables and lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def put(data: Any, path: Sequence[str | int], value: Any) -> None:
    """Set the value at a path, making the tables on the way."""
    table: Any = data
    for key in path[:-1]:
        table = table[key] if isinstance(key, int) else table.setdefault(key, {})
    table[path[-1]] = value


def data_of(raw: bytes | None) -> dict[str, Any]:
    """A TOML file as data, {} if it is none."""
    from gatepost.toml.load import TomlError, loads

    try:
        return loads(raw or b"")
    except TomlError:
        return {}


def table_at(data: Any, keys: Sequence[str | int]) -> dict[str, Any]:
    """The table at a path, {} where none is."""
    value = get(data, keys)
    return value if isinstance(value, dict) else {}


def items_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def strings(value: Any) -> list[str]:
    return [item for item in items_of(value) if isinstance(item, str)]


def word(text: str) -> str:
    """A path as one word of a POSIX shell."""
    return (
        text
        if text.replace(".", "").replace("-", "").replace("_", "").isalnum()
        else "'" + text.replace("'", "'\\''") + "'"
    )
