"""A quick look over a pdm.lock in PDM's own layout: can the integrity rules find anything? See `_poetry_scan`."""

from __future__ import annotations

import re

from gatepost.locks._manifest import canonical, table, toml_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gatepost.locks._base import Lock, Need

_STRING = r'"[^"\\\n]*(?:\\"[^"\\\n]*)*"'
_ARRAY = rf"\[(?:{_STRING}(?:, {_STRING})*)?\]"
_PACKAGE = (
    rf'name = "([A-Za-z0-9._-]+)"\nversion = "([A-Za-z0-9.+!_-]+)"\n(?:extras = ({_ARRAY})\n)?'
    rf"(?:requires_python = {_STRING}\n)?(?:summary = {_STRING}\n)?(?:groups = {_ARRAY}\n)?(?:marker = {_STRING}\n)?"
    rf"(?:dependencies = \[\n((?:    {_STRING},\n)+)\]\n)?files = 1\n(?:groups = {_ARRAY}\n)?(?:marker = {_STRING}\n)?"
)
_NEED = r'(?m)^    "([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(.*)",$'


def sound(lock: Lock) -> bool:
    """True if `contents` holds nothing to report; False if it may."""
    from gatepost.locks._pdm_hash import Unhashable, groups
    from gatepost.locks._poetry_scan import meets_all
    from gatepost.locks._slim import canonical_text
    from gatepost.toml.load import TomlError, loads

    data = canonical_text(lock)
    if data is None:
        return False
    head, *blocks = data.split(b"\n[[package]]\n")
    try:
        if "package" in loads(head):
            return False
        manifest = toml_of(lock, lock.beside("pyproject.toml"))
        groups(manifest)
    except (TomlError, Unhashable):
        return False
    package, needs_of = re.compile(_PACKAGE), re.compile(_NEED).findall
    versions: dict[str, list[str]] = {}
    seen: set[tuple[str, str, str]] = set()
    needed: set[str] = set()
    for block in blocks:
        found = package.fullmatch(block.decode())
        if found is None or block.count(b"\ngroups = ") > 1 or block.count(b"\nmarker = ") > 1:
            return False
        name, version, extras, needs = found.groups()
        name = canonical(name)
        identity = (name, version, extras or "")
        if identity in seen:
            return False
        seen.add(identity)
        versions.setdefault(name, []).append(version)
        for need, rest in needs_of(needs) if needs else ():
            if ";" not in rest:
                needed.add(need)
    if {canonical(name) for name in needed} - versions.keys():
        return False
    wanted = _wanted(manifest)
    return wanted is not None and meets_all(wanted, versions, set())


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
    from gatepost.locks._pdm_lock import listed

    for group, _, items in listed(manifest):
        for _, text in strings(items):
            if not text.lstrip().startswith("-e"):
                yield group, text
