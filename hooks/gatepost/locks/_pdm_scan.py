"""A quick look over a pdm.lock in PDM's own layout: can the integrity rules find anything? See `_poetry_scan`."""

from __future__ import annotations

from gatepost.locks._manifest import canonical, table, toml_of
from gatepost.locks._scan import LINES, LIST, STRING, Shape, emptied, meets_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gatepost.locks._base import Lock, Need
    from gatepost.locks._scan import Keys

# the keys of an entry in their order, with the kinds of their values
_KEYS: Keys = (
    ("name", STRING), ("version", STRING), ("extras", LIST), ("requires_python", STRING), ("summary", STRING),
    ("groups", LIST), ("marker", STRING), ("dependencies", LINES), ("files", ("1",)), ("groups", LIST),
    ("marker", STRING),
)  # fmt: skip
_NEEDED = frozenset({"name", "version", "files"})
_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_VERSION = _NAME | frozenset("+!")


def sound(lock: Lock) -> bool:
    """True if `contents` holds nothing to report; False if it may."""
    from gatepost.locks._pdm_hash import Unhashable, groups
    from gatepost.locks._slim import canonical_text
    from gatepost.locks.pdm import head
    from gatepost.toml.load import TomlError

    data = canonical_text(lock)
    if data is None or b"\\" in data.replace(b'\\"', b""):
        return False
    blocks = data.decode().replace('\\"', "").split("\n[[package]]\n")[1:]
    try:
        if "package" in head(lock):
            return False
        manifest = toml_of(lock, lock.beside("pyproject.toml"))
        groups(manifest)
    except (TomlError, Unhashable):
        return False
    entries = _Entries()
    if not blocks or not all(map(entries.add, blocks)):
        return False
    if {canonical(_name(need)) for need in entries.needed} - {"", *entries.versions}:
        return False
    wanted = _wanted(manifest)
    return wanted is not None and meets_all(wanted, entries.versions, set())


class _Entries:
    """What the entries of a lock hold together; `add` is False for one that must be parsed, or is at fault."""

    def __init__(self) -> None:
        self.versions: dict[str, list[str]] = {}
        self.needed: set[str] = set()
        self._seen: set[tuple[str, ...]] = set()
        self._shapes: dict[str, Shape] = {}

    def add(self, block: str) -> bool:
        parts = block.split('"')
        text = emptied(parts)
        shape = self._shapes.get(text)
        if shape is None:
            shape = self._shapes[text] = Shape(text.removesuffix("\n"), _KEYS, _NEEDED)
        if not shape.right or text.count("\n") != block.count("\n"):
            return False
        strings = parts[1::2]
        name, version = strings[:2]
        if not name or not version or not _NAME.issuperset(name) or not _VERSION.issuperset(version):
            return False
        name = canonical(name)
        first, count = shape.strings.get("extras", (0, 0))
        identity = (name, version, *sorted(strings[first : first + count]))
        new = identity not in self._seen
        self._seen.add(identity)
        self.versions.setdefault(name, []).append(version)
        first, count = shape.strings.get("dependencies", (0, 0))
        self.needed.update(need for need in strings[first : first + count] if ";" not in need)
        return new


def _name(need: str) -> str:
    """The name that a requirement begins with, "" where it begins with something else."""
    end = 0
    while end < len(need) and need[end] in _NAME:
        end += 1
    return "" if need[:1] in ("", ".", "_", "-") else need[:end].rstrip("._-")


def _wanted(manifest: dict[str, Any]) -> list[Need] | None:
    """The manifest's own requirements; None where one needs the full parser."""
    from gatepost.locks._base import Need
    from gatepost.manifests.pep508 import RequirementError, parse

    overrides = {canonical(name) for name in table(manifest, "tool", "pdm", "resolution", "overrides")}
    own = canonical(str(table(manifest, "project").get("name", "")))
    found = []
    for group, text in _texts(manifest):
        try:
            need = parse(text)
        except RequirementError:
            return None
        if need.canonical != own:
            specifier = "" if need.url or need.canonical in overrides else need.specifier
            optional = bool(need.marker) or group != "default"
            found.append(Need(name=need.canonical, specifier=specifier, marker=need.marker, optional=optional))
    return found


def _texts(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    from gatepost.locks._manifest import strings
    from gatepost.locks._pdm_hash import listed

    for group, _, items in listed(manifest):
        for _, text in strings(items):
            if not text.lstrip().startswith("-e"):
                yield group, text
