"""Profiles: TOML files with `[tool.*]` tables, put over one another, each able to take things away.

A profile names what it stands on with `extends = ["base"]` and takes items off the lists below it with
`[remove]` (path = [items], or true for the whole key). Ours are called by name; an organisation's own is a path in
the repository (`config/gatepost.toml`) or in an installed package (`package:acme_configs/gatepost.toml`).
Scalars and tables: the upper layer wins. Lists that are sets of items: joined. mypy's overrides: by module and key.
"""

from __future__ import annotations

import os
import sys

from gatepost.record import record
from gatepost.sync import overrides
from gatepost.sync.paths import get, leaves, plain, read
from gatepost.sync.tables import atomic, identity, is_code_list
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from gatepost.sync.paths import Keys

PROFILES = ("base", "strict", "research")
_TOP = frozenset({"extends", "remove", "tool"})


class ProfileError(ValueError):
    """A profile is missing or malformed; `str()` is one line."""


@record
class Layer:
    """One profile file: its name as written, its text, its settings, what it takes away."""

    name: str
    text: str
    data: Mapping[str, Any]
    remove: Mapping[Keys, Any]


@record
class Shared:
    """The joined layers: settings as `{"tool": ...}`, and for each path the layers that had a say, lowest first."""

    data: Mapping[str, Any]
    owners: Mapping[Keys, tuple[str, ...]]
    layers: tuple[Layer, ...]


def configs_folder() -> str:
    """Absolute path of the shipped configs: in the wheel `gatepost/_configs`, in a checkout `configs`."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    packaged = os.path.join(here, "_configs")
    return packaged if os.path.isdir(packaged) else os.path.normpath(os.path.join(here, "..", "..", "configs"))


def names_of(profile: Any) -> tuple[str, ...]:
    """The setting `profile` as names.

    Raises:
        ProfileError: neither a string nor an array of strings.
    """
    if isinstance(profile, str):
        return (profile,)
    if isinstance(profile, (list, tuple)) and profile and all(isinstance(each, str) for each in profile):
        return tuple(profile)
    raise ProfileError('`profile` must be a name such as "base" or an array of names')


def resolve(
    profile: Sequence[str], file: Callable[[str], bytes | None], folder: str | None = None, version: str = ""
) -> Shared:
    """Load profiles with everything they extend, and join them.

    Args:
        profile: names, the lowest layer first.
        file: reads a path of the repository.
        folder: where our own profiles are; None for the shipped ones.
        version: of an earlier release, for its profiles as they were.

    Raises:
        ProfileError: see there.
    """
    base = folder or configs_folder()
    if version:
        base = os.path.join(base, "history", version)
    layers: list[Layer] = []
    for name in profile:
        _load(name, file, base, layers, ())
    return join(layers)


def releases(folder: str | None = None) -> list[str]:
    """The versions whose profiles are shipped, newest first."""
    try:
        names = os.listdir(os.path.join(folder or configs_folder(), "history"))
    except OSError:
        return []
    return sorted(
        (name for name in names if name[:1].isdigit()),
        key=lambda name: [int(part) if part.isdigit() else 0 for part in name.split(".")],
        reverse=True,
    )


def _load(
    name: str, file: Callable[[str], bytes | None], base: str, layers: list[Layer], above: tuple[str, ...]
) -> None:
    if any(layer.name == name for layer in layers):
        return
    if name in above:
        raise ProfileError(f"profile `{name}` extends itself")
    data = _bytes(name, file, base)
    try:
        content = loads(data)
    except TomlError as error:
        raise ProfileError(f"profile `{name}` is not valid TOML: {error}") from None
    unknown = sorted(set(content) - _TOP)
    if unknown:
        raise ProfileError(f"profile `{name}` has `{unknown[0]}` at its top; only extends, remove and [tool.*] can be")
    tools = content.get("tool", {})
    remove = content.get("remove", {})
    if not isinstance(tools, dict) or not all(isinstance(table, dict) for table in tools.values()):
        raise ProfileError(f"profile `{name}`: `tool` must hold tables such as [tool.ruff]")
    if not isinstance(remove, dict):
        raise ProfileError(f"profile `{name}`: `remove` must be a table of path = [items] or path = true")
    if "gatepost" in tools:
        raise ProfileError(f"profile `{name}`: [tool.gatepost] belongs to a project, not into a profile")
    extends = content.get("extends", [])
    for below in names_of(extends) if extends else ():
        _load(below, file, base, layers, (*above, name))
    layers.append(
        Layer(
            name=name,
            text=data.decode("utf-8-sig"),
            data={"tool": tools},
            remove={read(path): what for path, what in remove.items()},
        )
    )


def _bytes(name: str, file: Callable[[str], bytes | None], base: str) -> bytes:
    data: bytes | None
    if name in PROFILES:
        data = _disk(os.path.join(base, f"{name}.toml"))
    elif name.startswith("package:"):
        inner = name[len("package:") :]
        parts = inner.split("/")
        if len(parts) < 2 or any(part in ("", ".", "..") for part in parts):
            raise ProfileError(f"profile `{name}`: write package:NAME/FILE.toml")
        found = (_disk(os.path.join(entry, *parts)) for entry in sys.path)
        data = next((each for each in found if each is not None), None)
        if data is None:
            raise ProfileError(
                f"profile `{name}` is in no installed package; list the package under `additional_dependencies`"
            )
    elif name.endswith(".toml"):
        data = file(name.removeprefix("./"))
    else:
        raise ProfileError(
            f"there is no profile `{name}`; ours are {', '.join(PROFILES)}, a file of yours ends in .toml"
        )
    if data is None:
        raise ProfileError(f"profile `{name}` is not in the repository")
    return data


def _disk(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return None


def join(layers: Sequence[Layer]) -> Shared:
    """Put layers over one another, the lowest first."""
    flat: dict[Keys, Any] = {}
    owners: dict[Keys, tuple[str, ...]] = {}
    pairs: dict[overrides.Pair, Any] = {}
    for layer in layers:
        for path, what in layer.remove.items():
            _take_away(flat, pairs, path, what)
        for path, value in leaves(layer.data):
            if value == {}:
                continue
            if path == overrides.PATH:
                for pair, each in overrides.explode(value).items():
                    pairs[pair] = each
                    owners[path + pair] = (layer.name,)
                continue
            below = flat.get(path)
            if isinstance(below, list) and not atomic(path, value) and not atomic(path, below):
                have = {identity(path, item) for item in below}
                joined = below + [item for item in value if identity(path, item) not in have]
                flat[path] = sorted(joined) if is_code_list(path) and below == sorted(below) else joined
                owners[path] = (*owners[path], layer.name)
            else:
                for known in [known for known in flat if path[: len(known)] == known or known[: len(path)] == path]:
                    del flat[known]
                flat[path] = plain(value)
                owners[path] = (layer.name,)
    data: dict[str, Any] = {}
    for path, value in flat.items():
        table = data
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
    if pairs:
        data.setdefault("tool", {}).setdefault("mypy", {})["overrides"] = overrides.collect(pairs)
    live = {path: names for path, names in owners.items() if path in flat or path[3:] in pairs}
    return Shared(data=data, owners=live, layers=tuple(layers))


def _take_away(flat: dict[Keys, Any], pairs: dict[overrides.Pair, Any], path: Keys, what: Any) -> None:
    items = what if isinstance(what, list) else None
    if path == overrides.PATH:
        for pair in [pair for pair in pairs if items is None or pair[0] in items]:
            del pairs[pair]
        return
    if items is None:
        for known in [known for known in flat if known[: len(path)] == path]:
            del flat[known]
    elif isinstance(flat.get(path), list):
        gone = {identity(path, item) for item in items}
        flat[path] = [item for item in flat[path] if identity(path, item) not in gone]


def reason(shared: Shared, path: Keys, item: Any = None) -> str:
    """The comment that stands beside a setting, or a list item, in the topmost profile that has it; "" if none."""
    from gatepost.toml.scan import scan

    for layer in reversed(shared.layers):
        value = get(layer.data, path)
        if value is None:
            continue
        document = scan(layer.text)
        where: tuple[str | int, ...] = path
        if item is not None:
            if not isinstance(value, list) or item not in value:
                continue
            where = (*path, value.index(item))
        line = document.line(where)
        for start, end in document.comments():
            if document.line_at(start) == line:
                return layer.text[start:end].lstrip("# ")
    return ""
