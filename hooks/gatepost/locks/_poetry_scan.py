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

_STRING = r'"[^"\\\n]*(?:\\"[^"\\\n]*)*"'
_NAME = r'(?:[A-Za-z0-9_-]+|"[^"\\\n]+")'
_ARRAY = rf"\[(?:{_STRING}(?:, {_STRING})*)?\]"
_LIMITED = rf"\{{version = {_STRING}(?:, extras = {_ARRAY})?(?:, optional = true)?(?:, markers = {_STRING})?\}}"
_PACKAGE = (
    rf'name = "([A-Za-z0-9._-]+)"\nversion = "([A-Za-z0-9.+!_-]+)"\ndescription = {_STRING}\n(?:category = {_STRING}\n)?'
    rf"optional = (?:true|false)\npython-versions = {_STRING}\n(?:groups = {_ARRAY}\n)?"
    rf"(markers = {_STRING}\n)?files = (1|\[\])\n"
    rf"(?:markers = \{{({_NAME} = {_STRING}(?:, {_NAME} = {_STRING})*)\}}\n)?(?:develop = (?:true|false)\n)?"
    rf"(?:\n\[package\.dependencies\]\n((?:{_NAME} = (?:{_STRING}|{_LIMITED}|\[\n(?:    {_LIMITED},\n)+\])\n)+))?"
    rf"(?:\n\[package\.extras\]\n((?:{_NAME} = {_ARRAY}\n)+))?"
    rf"(?:\n\[package\.source\]\ntype = ({_STRING})\n((?:(?:url|reference|resolved_reference|subdirectory) = {_STRING}\n)+))?"
)
_END = (
    rf"(?:\[extras\]\n((?:{_NAME} = {_ARRAY}\n)+)\n)?"
    rf"\[metadata\]\nlock-version = {_STRING}\npython-versions = {_STRING}\ncontent-hash = {_STRING}\n"
)
_ELSEWHERE = frozenset({'"git"', '"url"', '"file"', '"directory"'})  # kinds of source without hashes and pins
_KEY = rf"(?m)^({_NAME}) ="
_PLAIN = rf'(?m)^({_NAME}) = "'


def sound(lock: Lock) -> bool:
    """True if `contents` holds nothing to report; False if it may."""
    from gatepost.locks._poetry_lock import UNSAFE, judged_as_one, own_names, wanted
    from gatepost.locks._slim import slim_canonical
    from gatepost.locks.poetry import metadata
    from gatepost.toml.load import TomlError

    data = slim_canonical(lock.data)
    if data is None:
        return False
    head, *blocks = data.decode().split("\n[[package]]\n")
    if not blocks or not re.fullmatch(r"(?:#[^\n]*\n)?", head):
        return False
    last = blocks[-1]
    cut = last.find("\n[extras]\n") if "\n[extras]\n" in last else last.find("\n[metadata]\n")
    end = re.compile(_END).fullmatch(last[cut + 1 :]) if cut > 0 else None
    keys = re.compile(_KEY).findall
    if end is None or (end[1] and _twice(keys(end[1]))):
        return False
    blocks[-1] = last[:cut]
    package, plain = re.compile(_PACKAGE), re.compile(_PLAIN).findall
    versions: dict[str, list[str]] = {}
    elsewhere: set[str] = set()  # names with an entry from somewhere else than an index
    seen: set[tuple[str, str, str]] = set()
    needed: set[str] = set()
    for block in blocks:
        found = package.fullmatch(block)
        if found is None:
            return False
        name, version, marker, files, markers, needs, extras, kind, source = found.groups()
        if markers and (marker or len(set(re.findall(rf"({_NAME}) = {_STRING}", markers))) != markers.count(" = ")):
            return False
        name = canonical(name)
        identity = (name, version, source or "")
        if identity in seen or any(_twice(keys(lines)) for lines in (needs, extras, source) if lines):
            return False
        seen.add(identity)
        versions.setdefault(name, []).append(version)
        if kind in _ELSEWHERE:
            elsewhere.add(name)
        elif files != "1":
            return False
        if needs:
            needed.update(plain(needs))
    path = lock.beside("pyproject.toml")
    try:
        manifest = toml_of(lock, path)
        missing = {canonical(name.strip('"')) for name in needed} - versions.keys()
        if missing - UNSAFE - own_names(manifest):
            return False
        one = judged_as_one({"metadata": metadata(lock.data)}, lock.data, manifest)
    except TomlError:
        return False
    return meets_all(wanted(manifest, one, path), versions, elsewhere)


def _twice(keys: Sequence[str]) -> bool:
    """Whether a key stands twice, bare or quoted."""
    return len({key.strip('"') for key in keys}) != len(keys)


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
