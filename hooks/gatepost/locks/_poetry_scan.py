"""A quick look over a poetry.lock in Poetry's own layout (1.5 and later): can the integrity rules find anything?

Every line must be of a known shape in the known order; then the text says what a TOML parser would, in a tenth of
the time. Any other text is "perhaps", and is parsed.
"""

from __future__ import annotations

import re

from gatepost.locks._manifest import canonical, toml_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gatepost.locks._base import Lock, Need

# of the text with every string emptied
_NAME = r'(?:[A-Za-z0-9_-]+|"")'
_ARRAY = r'\[(?:""(?:, "")*)?\]'
_LIMITED = rf'\{{version = ""(?:, extras = {_ARRAY})?(?:, optional = true)?(?:, markers = "")?\}}'
_PACKAGE = (
    r'name = ""\nversion = ""\ndescription = ""\n(?:category = ""\n)?optional = (?:true|false)\n'
    rf'python-versions = ""\n(?:groups = {_ARRAY}\n)?(markers = ""\n)?files = (1|\[\])\n'
    rf'(?:markers = \{{({_NAME} = ""(?:, {_NAME} = "")*)\}}\n)?(?:develop = (?:true|false)\n)?'
    rf'(?:\n\[package\.dependencies\]\n((?:{_NAME} = (?:""|{_LIMITED}|\[\n(?:    {_LIMITED},\n)+\])\n)+))?'
    rf"(?:\n\[package\.extras\]\n((?:{_NAME} = {_ARRAY}\n)+))?"
    r'(?:\n\[package\.source\]\ntype = ""\n((?:(?:url|reference|resolved_reference|subdirectory) = ""\n)+))?'
)
_END = (
    rf"(?:\[extras\]\n((?:{_NAME} = {_ARRAY}\n)+)\n)?"
    r'\[metadata\]\nlock-version = ""\npython-versions = ""\ncontent-hash = ""\n'
)
_ELSEWHERE = frozenset({"git", "url", "file", "directory"})  # kinds of source without hashes and pins


class _Shape:
    """What the text of an entry with its strings emptied says: right or not, and the packages that it refers to."""

    def __init__(self, text: str, package: re.Pattern[str]) -> None:
        self.needs: list[str] = []
        self.files = self.source = self.right = self.quoted = False
        found = package.fullmatch(text)
        if found is None:
            return
        marker, files, markers, needs, extras, source = found.groups()
        self.files = files == "1"
        self.source = source is not None
        keys = [re.findall(r"(?m)^(\S+) =", lines) for lines in (needs, extras, source) if lines]
        if markers:
            keys.append(re.findall(r"(\S+) =", markers))
        self.quoted = any('""' in names for names in keys)  # then only the text itself tells the keys
        self.right = not (marker and markers) and (self.quoted or not any(map(_twice, keys)))
        if needs:
            self.needs = re.findall(r'(?m)^(\S+) = ""$', needs)


def sound(lock: Lock) -> bool:
    """True if `contents` holds nothing to report; False if it may."""
    from gatepost.locks._poetry_lock import UNSAFE, judged_as_one, own_names, wanted
    from gatepost.locks._slim import canonical_text
    from gatepost.locks.poetry import metadata
    from gatepost.toml.load import TomlError

    data = canonical_text(lock)
    text = data.decode().replace('\\"', "") if data is not None else "\\"
    if "\\" in text:
        return False
    head, *blocks = text.split("\n[[package]]\n")
    if not blocks or head.count("\n") > 1 or (head and not (head.startswith("#") and head.endswith("\n"))):
        return False
    last = blocks[-1]
    cut = last.find("\n[extras]\n") if "\n[extras]\n" in last else last.find("\n[metadata]\n")
    tail = last[cut + 1 :]
    emptied = _emptied(tail.split('"')) if cut > 0 else ""
    end = re.fullmatch(_END, emptied)
    if end is None or emptied.count("\n") != tail.count("\n") or _twice(re.findall(r"(?m)^(\S+) =", end[1] or "")):
        return False
    blocks[-1] = last[:cut]
    package, readable = re.compile(_PACKAGE), re.compile(r"[A-Za-z0-9.+!_-]+").fullmatch
    shapes: dict[str, _Shape] = {}
    versions: dict[str, list[str]] = {}
    elsewhere: set[str] = set()  # names with an entry from somewhere else than an index
    seen: set[tuple[str, str, str]] = set()
    needed: set[str] = set()
    for block in blocks:
        parts = block.split('"')
        emptied = _emptied(parts)
        shape = shapes.get(emptied)
        if shape is None:
            shape = shapes[emptied] = _Shape(emptied, package)
        if not shape.right or emptied.count("\n") != block.count("\n") or not readable(parts[3]):
            return False
        name, version, kind, source = canonical(parts[1]), parts[3], "", ""
        if shape.source:
            source = block[block.rindex("\n[package.source]\n") :].partition('"')[2]
            kind, _, source = source.partition('"')
        if kind in _ELSEWHERE:
            elsewhere.add(name)
        elif not shape.files:
            return False
        if (name, version, source) in seen:
            return False
        seen.add((name, version, source))
        versions.setdefault(name, []).append(version)
        needs = _quoted(block) if shape.quoted else shape.needs
        if needs is None:
            return False
        needed.update(needs)
    try:
        path = lock.beside("pyproject.toml")
        manifest = toml_of(lock, path)
        missing = {canonical(name) for name in needed} - versions.keys()
        if missing - UNSAFE - own_names(manifest):
            return False
        one = judged_as_one({"metadata": metadata(lock)}, lock.data, manifest)
    except TomlError:
        return False
    return meets_all(wanted(manifest, one, path), versions, elsewhere)


def _quoted(block: str) -> list[str] | None:
    """The packages that an entry with quoted keys refers to; None where a key stands twice."""
    needs: list[str] = []
    if "\nmarkers = {" in block:
        return None
    for section in block.split("\n[package.")[1:]:
        found = re.findall(r'(?m)^("?)([^"\s=]+)\1 = (.)', section)
        if _twice([key for _, key, _ in found]):
            return None
        if section.startswith("dependencies]"):
            needs += [key for _, key, start in found if start == '"']
    return needs


def _emptied(parts: Sequence[str]) -> str:
    """A text split at its quotes, with every string emptied."""
    return '""'.join(parts[::2]) if len(parts) % 2 else ""


def _twice(keys: Sequence[str]) -> bool:
    return len(set(keys)) != len(keys)


def meets_all(needs: Iterable[Need], locked: Mapping[str, list[str]], elsewhere: set[str]) -> bool:
    """Whether every requirement of a manifest has an entry in the lock, and one that it admits. `elsewhere`: not pinned."""
    from gatepost.manifests import versions

    for need in needs:
        found = locked.get(need.name)
        if found is None:
            if not need.optional and not need.marker:
                return False
        elif need.specifier and not need.optional and need.name not in elsewhere:
            try:
                admitted = versions.ranges(need.specifier)
                if not any(versions.admits(admitted, version) for version in found):
                    return False
            except versions.VersionError:
                return False
    return True
