"""What a pixi manifest asks of its lock: environments, the specs of their features, and those of `[project]`.

Source: pixi `crates/pixi_manifest/src/{feature,target,pyproject}.rs` (2026).
"""

from __future__ import annotations

import re

from gatepost.locks._base import Unknown
from gatepost.locks._manifest import canonical, load_toml, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    from gatepost.locks._base import Lock

    Key: TypeAlias = tuple[str | int, ...]
    Asked: TypeAlias = tuple[object, Key]  # a spec as its TOML value, and where it stands in the manifest

_FAMILIES = {"linux": ("linux", "unix"), "osx": ("osx", "unix"), "win": ("win",)}
_OTHER = re.compile(r"linux|unix|osx|win|(?:linux|osx|win|freebsd|emscripten|wasi|zos)-[a-z0-9]+|noarch")
_SECTIONS = ("build-dependencies", "host-dependencies", "dependencies")  # the first that has a name decides


class Manifest:
    """The pixi tables of a manifest. `path` of the file, `prefix` of their keys in it."""

    def __init__(self, path: str, data: dict[str, Any], prefix: Key, project: dict[str, Any] | None = None) -> None:
        self.path = path
        self.data = data
        self.prefix = prefix
        self._whole = project or {}  # of a pyproject.toml, which adds its requirements
        self._added: dict[str, list[tuple[str, bool, Asked]]] = {}

    def environments(self) -> dict[str, list[str]]:
        """Environment name -> names of its features, "default" last unless it is left out."""
        found = {"default": ["default"]}
        for name, value in table(self.data, "environments").items():
            features = value.get("features") if isinstance(value, dict) else value
            names = [one for one in features if isinstance(one, str)] if isinstance(features, list) else []
            bare = isinstance(value, dict) and value.get("no-default-feature") is True
            found[name] = names + ([] if bare else ["default"])
        return found

    def specs(self, feature: str, platform: str) -> Iterator[tuple[str, bool, list[list[Asked]]]]:
        """(name, is from PyPI, alternatives) of one feature on one platform; all specs of an alternative hold together.

        What a target says of a name takes the place of what stands outside of targets. Of several targets the
        manifest's order decides, which is lost here: one of the alternatives holds. A name of which a target speaks
        that is not understood (a pattern, a platform of the user's own) is left out.
        """
        top: dict[str, Any] = self.data if feature == "default" else table(self.data, "feature", feature)
        prefix: Key = self.prefix if feature == "default" else (*self.prefix, "feature", feature)
        own = {platform, *_FAMILIES.get(platform.partition("-")[0], ())}
        general = _stated(top, prefix)
        special: dict[tuple[str, bool], list[list[Asked]]] = {}
        unsure: set[tuple[str, bool]] = set()
        for target in table(top, "target"):
            stated = _stated(table(top, "target", target), (*prefix, "target", target))
            if target in own:
                for place, asked in stated.items():
                    special.setdefault(place, []).append(asked)
            elif not _OTHER.fullmatch(target):
                unsure.update(stated)
        for name, pypi, spec in self._of_project(feature):
            if pypi or (name, pypi) not in general:
                general.setdefault((name, pypi), []).append(spec)
        overrides = table(top, "pypi-options", "dependency-overrides")
        unsure.update((canonical(name), True) for name in overrides)
        for place in {**general, **special}:
            if place not in unsure:
                yield (*place, special.get(place) or [general[place]])

    def _of_project(self, feature: str) -> list[tuple[str, bool, Asked]]:
        """What `[project]` and `[dependency-groups]` add to a feature: (name, is from PyPI, spec)."""
        if feature not in self._added:
            self._added[feature] = list(self._requirements(feature))
        return self._added[feature]

    def _requirements(self, feature: str) -> Iterator[tuple[str, bool, Asked]]:
        project = table(self._whole, "project")
        python = project.get("requires-python")
        if feature == "default":
            if isinstance(python, str):
                yield "python", False, (re.sub(r"^==", "", python.strip()), ("project", "requires-python"))
            yield from self._pypi(project.get("dependencies"), ("project", "dependencies"), ())
        groups, extras = table(self._whole, "dependency-groups"), table(project, "optional-dependencies")
        if feature in groups:
            yield from self._pypi(groups[feature], ("dependency-groups", feature), (feature,))
        elif feature in extras:
            yield from self._pypi(extras[feature], ("project", "optional-dependencies", feature), ())

    def _pypi(self, listed: object, key: Key, within: tuple[str, ...]) -> Iterator[tuple[str, bool, Asked]]:
        """The requirements of a list that hold everywhere; `within`: the groups that are being read."""
        from gatepost.manifests.pep508 import RequirementError, parse

        groups = table(self._whole, "dependency-groups")
        for index, entry in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(entry, str):
                try:
                    found = parse(entry)
                except RequirementError:
                    continue
                own = found.canonical == canonical(str(table(self._whole, "project").get("name", "")))
                if not (own or found.marker or found.url):
                    yield found.canonical, True, (found.specifier or "*", (*key, index))
            elif isinstance(entry, dict) and isinstance(entry.get("include-group"), str):
                wanted = canonical(entry["include-group"])
                for name in groups:
                    if canonical(name) == wanted and name not in within:
                        yield from self._pypi(groups[name], ("dependency-groups", name), (*within, name))


def _stated(where: dict[str, Any], key: Key) -> dict[tuple[str, bool], list[Asked]]:
    """(normal name, is from PyPI) -> its one spec, of a table with `dependencies` and the like."""
    found: dict[tuple[str, bool], list[Asked]] = {}
    for section in (*_SECTIONS, "pypi-dependencies"):
        for name, spec in table(where, section).items():
            found.setdefault((canonical(name), section == "pypi-dependencies"), [(spec, (*key, section, name))])
    return found


def manifest(lock: Lock, rule: str) -> Manifest | Unknown:
    """pixi.toml goes before pyproject.toml."""
    path = lock.beside("pixi.toml")
    if lock.read(path) is not None:
        data = load_toml(lock, path, rule)
        return data if isinstance(data, Unknown) else Manifest(path, data, ())
    path = lock.beside("pyproject.toml")
    data = load_toml(lock, path, rule)
    if isinstance(data, Unknown):
        return data
    if not table(data, "tool", "pixi"):
        return Unknown(rule=rule, reason=f"{path} has no [tool.pixi]", path=path)
    return Manifest(path, table(data, "tool", "pixi"), ("tool", "pixi"), data)
