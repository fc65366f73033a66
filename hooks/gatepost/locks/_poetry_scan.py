"""A quick look over a poetry.lock in Poetry's own layout (1.5 and later): can the integrity rules find anything?

Every line must be of a known shape in the known order; then the text says what a TOML parser would, in a twentieth of
the time. Any other text is "perhaps", and is parsed. Read without `re`, whose import takes as long as all of this.
"""

from __future__ import annotations

from gatepost.locks._manifest import canonical, toml_of
from gatepost.locks._scan import BOOLEAN, LIST, STRING, TABLE, Shape, emptied, is_bare, is_list, meets_all, twice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.locks._base import Lock
    from gatepost.locks._scan import Keys

# the keys of an entry in their order, with the kinds of their values
_KEYS: Keys = (
    ("name", STRING), ("version", STRING), ("description", STRING), ("category", STRING), ("optional", BOOLEAN),
    ("python-versions", STRING), ("groups", LIST), ("markers", STRING), ("files", ("1", "[]")), ("markers", TABLE),
    ("develop", BOOLEAN),
)  # fmt: skip
_NEEDED = frozenset({"name", "version", "description", "optional", "python-versions", "files"})
_END = '[metadata]\nlock-version = ""\npython-versions = ""\ncontent-hash = ""\n'
_SOURCE = frozenset({"url", "reference", "resolved_reference", "subdirectory"})
_ELSEWHERE = frozenset({"git", "url", "file", "directory"})  # kinds of source without hashes and pins
_VERSION = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+!_-")


def _is_limited(value: str) -> bool:
    """`{version = "", extras = [""], optional = true, markers = ""}`, all but the first where there is one."""
    if not value.startswith('{version = ""') or not value.endswith("}"):
        return False
    rest = value[13:-1]
    if rest.startswith(", extras = ["):
        array, close, rest = rest[11:].partition("]")
        if not close or not is_list(array + close):
            return False
    return rest.removeprefix(", optional = true") in ("", ', markers = ""')


def sound(lock: Lock) -> bool:
    """True if `contents` holds nothing to report; False if it may."""
    from gatepost.locks._poetry_header import header, is_one, reads_groups
    from gatepost.locks._poetry_manifest import UNSAFE, own_names, wanted
    from gatepost.locks._slim import canonical_text
    from gatepost.toml.load import TomlError

    data = canonical_text(lock)
    text = data.decode().replace('\\"', "") if data is not None else "\\"
    if "\\" in text:
        return False
    head, *blocks = text.split("\n[[package]]\n")
    if not blocks or head.count("\n") > 1 or (head and not (head.startswith("#") and head.endswith("\n"))):
        return False
    cut = blocks[-1].find("\n[extras]\n")
    cut = blocks[-1].find("\n[metadata]\n") if cut < 0 else cut
    if cut < 0 or not _is_end(blocks[-1][cut + 1 :]):
        return False
    blocks[-1] = blocks[-1][:cut]
    found = _Entries()
    if not all(map(found.add, blocks)):
        return False
    try:
        path = lock.beside("pyproject.toml")
        manifest = toml_of(lock, path)
        missing = {canonical(name) for name in found.needed} - found.versions.keys()
        if missing and missing - UNSAFE - own_names(manifest):
            return False
        told = header(lock)
        one = is_one(told, manifest)
    except TomlError:
        return False
    return meets_all(wanted(manifest, one, reads_groups(told, one), path), found.versions, found.elsewhere)


class _Entries:
    """What the entries of a lock hold together; `add` is False for one that must be parsed, or is at fault."""

    def __init__(self) -> None:
        self.versions: dict[str, list[str]] = {}
        self.elsewhere: set[str] = set()  # names with an entry from somewhere else than an index
        self.needed: set[str] = set()
        self._seen: set[tuple[str, str, str]] = set()
        self._shapes: dict[str, Shape] = {}

    def add(self, block: str) -> bool:
        parts = block.split('"')
        text = emptied(parts)
        top, *sections = text.removesuffix("\n").split("\n\n[package.")
        shape = self._shapes.get(top)
        if shape is None:
            shape = self._shapes[top] = Shape(top, _KEYS, _NEEDED)
        if not shape.right or text.count("\n") != block.count("\n") or not _VERSION.issuperset(parts[3]):
            return False
        kind = source = ""
        order = ["dependencies]", "extras]", "source]"]
        for section in sections:
            name, _, body = section.partition("\n")
            if name not in order:
                return False
            del order[: order.index(name) + 1]
            if name == "source]":
                if not _is_source(body):
                    return False
                source = block[block.rindex("\n[package.source]\n") :].partition('"')[2]
                kind, _, source = source.partition('"')
            elif not self._table(body, block, name):
                return False
        if kind in _ELSEWHERE:
            self.elsewhere.add(canonical(parts[1]))
        elif shape.values["files"] != "1":
            return False
        name = canonical(parts[1])
        identity = (name, parts[3], source)
        new = identity not in self._seen and bool(parts[3])
        self._seen.add(identity)
        self.versions.setdefault(name, []).append(parts[3])
        return new

    def _table(self, body: str, block: str, name: str) -> bool:
        """The lines of `[package.dependencies]` or `[package.extras]`, strings emptied."""
        if '"" = ' in body:  # quoted keys: the text itself tells them
            _, _, body = block.partition(f"\n[package.{name}\n")
            body = _bare_keys(body.partition("\n\n[package.")[0].removesuffix("\n"))
        keys = []
        several = False
        for line in body.split("\n"):
            if several:
                several = line != "]"
                if several and not (line.startswith("    {") and line.endswith("},") and _is_limited(line[4:-1])):
                    return False
                continue
            key, equals, value = line.partition(" = ")
            if not equals or not (is_bare(key) or key[:1] == "\0"):
                return False
            keys.append(key.removeprefix("\0"))
            if name == "extras]":
                if not is_list(value):
                    return False
            elif value == '""':
                self.needed.add(keys[-1])
            elif value == "[":
                several = True
            elif not _is_limited(value):
                return False
        return not several and not twice(keys)


def _is_source(body: str) -> bool:
    """The lines of `[package.source]`, strings emptied: its type, then where it is."""
    first, *rest = body.split("\n")
    keys = [line.removesuffix(' = ""') for line in rest]
    if first != 'type = ""' or not keys or twice(keys) or not _SOURCE.issuperset(keys):
        return False
    return all(line.endswith(' = ""') for line in rest)


def _bare_keys(body: str) -> str:
    """Lines with every string emptied but the quoted keys, which get a NUL in front (no document holds one)."""
    lines = []
    for line in body.split("\n"):
        key = ""
        if line.startswith('"'):
            key, _, line = line[1:].partition('"')
            if not key or "=" in key or " " in key:
                return ""
            key = "\0" + key
        lines.append(key + emptied(line.split('"')))
    return "\n".join(lines)


def _is_end(text: str) -> bool:
    """`[extras]`, where there are any, and `[metadata]`."""
    rest = emptied(text.split('"'))
    if rest.count("\n") != text.count("\n"):
        return False
    if rest.startswith("[extras]\n"):
        extras, _, rest = rest[9:].partition("\n\n")
        pairs = [line.partition(" = ") for line in extras.split("\n")]
        if twice([key for key, _, _ in pairs]) or not all(is_bare(key) and is_list(array) for key, _, array in pairs):
            return False
    return rest == _END
