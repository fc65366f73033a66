"""pixi.lock: pixi walks from the manifest's specs through the locked records; this does the part that files decide.

Every spec of an environment must have a locked package on every platform, whose version it allows; environments,
platforms and channels must be those of the manifest. What is reported is out of date for sure; removed specs,
options, source packages and virtual packages are not seen.
Source: pixi `crates/pixi_core/src/lock_file/satisfiability` (2026), docs/workspace/lock_file.md.
"""

from __future__ import annotations

import re

from gatepost.locks._base import Contents, Fresh, LockFormat, Package, Stale, Unknown
from gatepost.locks._conda import meets
from gatepost.locks._manifest import canonical, line_of, load_toml, quote, show, spell_key, table
from gatepost.locks._yaml import read, read_to_judge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gatepost.locks._base import Lock, Verdict

    Key = tuple[str | int, ...]

RULE = "packages of pixi.lock against the manifest"
PARTIAL = "removed specs, channels, options, source packages and virtual packages"
KNOWN = 7  # the newest `version` of the lock that was read
_CONDA = re.compile(r"([^/]+)-([^/-]+)-[^/-]+\.(?:conda|tar\.bz2)$")
_WHEEL = re.compile(r"([A-Za-z0-9_.]+)-([^/-]+)-[^/]*\.whl$")
# keys of a spec that do not make it conditional, nor give it another origin
_SIMPLE = {"version", "build", "build-number", "channel", "subdir", "extras", "index", "file-name", "md5", "sha256"}
_FAMILIES = {"linux": ("linux", "unix"), "osx": ("osx", "unix"), "win": ("win",)}


def manifest(lock: Lock) -> tuple[str, dict[str, Any], tuple[str, ...]] | Unknown:
    """(path, the pixi tables, the prefix of their keys): pixi.toml goes before pyproject.toml."""
    path = lock.beside("pixi.toml")
    if lock.read(path) is not None:
        data = load_toml(lock, path, RULE)
        return data if isinstance(data, Unknown) else (path, data, ())
    path = lock.beside("pyproject.toml")
    data = load_toml(lock, path, RULE)
    if isinstance(data, Unknown):
        return data
    if not table(data, "tool", "pixi"):
        return Unknown(rule=RULE, reason=f"{path} has no [tool.pixi]", path=path)
    return path, table(data, "tool", "pixi"), ("tool", "pixi")


def environments(data: dict[str, Any]) -> dict[str, list[str]]:
    """Environment name -> names of its features, "default" last unless it is left out."""
    found = {"default": ["default"]}
    for name, value in table(data, "environments").items():
        features = value.get("features") if isinstance(value, dict) else value
        names = [one for one in features if isinstance(one, str)] if isinstance(features, list) else []
        bare = isinstance(value, dict) and value.get("no-default-feature") is True
        found[name] = names + ([] if bare else ["default"])
    return found


def specs(data: dict[str, Any], feature: str, platform: str) -> Iterator[tuple[str, object, Key, bool]]:
    """(name, spec, key, is from PyPI) of one feature on one platform."""
    top: dict[str, Any] = data if feature == "default" else table(data, "feature", feature)
    prefix: Key = () if feature == "default" else ("feature", feature)
    family = platform.partition("-")[0]
    targets = ("", platform, *_FAMILIES.get(family, ()))
    for target in targets:
        where = table(top, "target", target) if target else top
        key: Key = (*prefix, "target", target) if target else prefix
        for section in ("dependencies", "pypi-dependencies"):
            for name, spec in table(where, section).items():
                yield name, spec, (*key, section, name), section == "pypi-dependencies"


def judge(lock: Lock) -> Verdict:
    """Environments, platforms, then specs; see the module."""
    locked = read_to_judge(lock, RULE)
    if isinstance(locked, Unknown):
        return locked
    version = locked.get("version")
    if version is None:
        return Unknown(rule=RULE, reason="it has no format version: it is no pixi.lock", code="LF202")
    if not isinstance(version, int) or version > KNOWN:
        return Unknown(rule=RULE, reason=f"its version {show(str(version))} is newer than {KNOWN}", code="LF302")
    if version < 5:
        return Unknown(rule=RULE, reason=f"its version {version} is older than 5, which pixi rewrites on sight")
    found = manifest(lock)
    if isinstance(found, Unknown):
        return found
    path, data, prefix = found
    recorded = locked.get("environments")
    recorded = recorded if isinstance(recorded, dict) else {}
    wanted = environments(data)
    for name in wanted:
        if name not in recorded:
            return _stale(lock, path, f"environment {show(name)} was added", (*prefix, "environments", name))
    for name in recorded:
        if name not in wanted:
            return _stale(lock, path, f"environment {show(str(name))} was removed", ())
    workspace = table(data, "workspace") or table(data, "project")
    platforms = workspace.get("platforms")
    base = [name for name in platforms if isinstance(name, str)] if isinstance(platforms, list) else []
    subdirs, purls = _subdirs(locked), _purls(locked)
    for name, features in wanted.items():
        has = _locked_packages(recorded[name], purls)
        allowed = _platforms(data, features, base)
        named = isinstance(platforms, list) and len(base) == len(platforms)  # none of them is described by a table
        surplus = [one for one in has if named and allowed and not {one, subdirs.get(one, one)} & set(allowed)]
        if surplus:
            gone = f"environment {show(name)} no longer has the platform {show(surplus[0])}, the lock still has it"
            return _stale(lock, path, gone, (*prefix, "workspace" if "workspace" in data else "project", "platforms"))
        for platform in allowed:
            for record in [one for one in has if one == platform or subdirs.get(one) == platform] or [platform]:
                if reason := _unmet(data, features, platform, has.get(record, {})):
                    return _stale(lock, path, reason[0], (*prefix, *reason[1]))
    return Fresh(rule=RULE, partial=PARTIAL)


def _subdirs(locked: dict[str, Any]) -> dict[str, str]:
    """Since version 7 a lock names its platforms itself: name -> conda's name of it."""
    entries = locked.get("platforms")
    return {
        str(entry.get("name")): str(entry.get("subdir", entry.get("name")))
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    }


def _platforms(data: dict[str, Any], features: list[str], base: list[str]) -> list[str]:
    """The platforms of an environment: those of the workspace that every feature allows."""
    allowed = base
    for feature in features:
        own = table(data, "feature", feature).get("platforms")
        if feature != "default" and isinstance(own, list):
            allowed = [name for name in allowed if name in own]
    return allowed


def _purls(locked: dict[str, Any]) -> dict[str, list[str]]:
    """The address of a conda package -> the names on PyPI that it stands for, where it says so (`purls`)."""
    found: dict[str, list[str]] = {}
    entries = locked.get("packages")
    for entry in entries if isinstance(entries, list) else []:
        listed = entry.get("purls") if isinstance(entry, dict) else None
        for purl in listed if isinstance(listed, list) else []:
            if isinstance(purl, str) and purl.startswith("pkg:pypi/"):
                name = re.split("[@?#]", purl[len("pkg:pypi/") :])[0]
                found.setdefault(str(entry.get("conda")), []).append(canonical(name))
    return found


def _locked_packages(environment: object, purls: dict[str, list[str]]) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """Platform -> normal name -> (kind, version); "" for a version that the record does not show."""
    found: dict[str, dict[str, list[tuple[str, str]]]] = {}
    packages = environment.get("packages") if isinstance(environment, dict) else None
    for platform, entries in (packages if isinstance(packages, dict) else {}).items():
        names = found.setdefault(str(platform), {})
        for entry in entries if isinstance(entries, list) else []:
            for kind in ("conda", "pypi"):
                if isinstance(entry, dict) and isinstance(entry.get(kind), str):
                    name, version = _named(kind, entry[kind])
                    for each in {name, *purls.get(entry[kind], ())}:
                        names.setdefault(each, []).append((kind, version))
    return found


def _named(kind: str, url: str) -> tuple[str, str]:
    """Normal name and version of a record's address; ("", "") where it shows neither."""
    last = url.split("#", maxsplit=1)[0].split("?", maxsplit=1)[0].rstrip("/").rpartition("/")[2]
    match = (_CONDA if kind == "conda" else _WHEEL).match(last)
    if match:
        return canonical(match[1]), match[2]
    source = re.match(r"(.+)-(\d[^/]*?)\.(?:tar\.gz|zip|tgz)$", last)
    return (canonical(source[1]), source[2]) if source and kind == "pypi" else ("", "")


def _unmet(
    data: dict[str, Any], features: list[str], platform: str, has: dict[str, list[tuple[str, str]]]
) -> tuple[str, Key] | None:
    from gatepost.locks._manifest import meets as pip_meets

    opaque = "" in has
    for feature in features:
        for name, spec, key, pypi in specs(data, feature, platform):
            plain = spec if isinstance(spec, str) else spec.get("version", "*") if isinstance(spec, dict) else None
            if not isinstance(plain, str) or (isinstance(spec, dict) and not set(spec) <= _SIMPLE):
                continue
            records = has.get(canonical(name), [])
            shown = f"{show(name)}{'' if plain in ('', '*') else ' ' + show(plain)}"
            where = "dependencies" if feature == "default" else f'feature "{show(feature)}"'
            if not records:
                if opaque:
                    continue
                return f"{where} gained {shown}: the lock has none for {show(platform)}", key
            check = pip_meets if pypi else meets
            versions = [version for _, version in records]
            wanted = "" if plain == "*" else plain
            if all(version and check(version, wanted) is False for version in versions):
                return f"{where} asks for {shown}, the lock holds {show(', '.join(versions))} for {show(platform)}", key
    return None


def _stale(lock: Lock, path: str, reason: str, key: Key) -> Stale:
    return Stale(
        rule=RULE, reason=reason, path=path, key=spell_key(key), line=line_of(lock, path, key), partial=PARTIAL
    )


def relock(lock: Lock) -> str:
    """`pixi lock`, for the manifest beside the lock."""
    name = "pixi.toml" if lock.read(lock.beside("pixi.toml")) is not None else "pyproject.toml"
    return "pixi lock" + (f" --manifest-path {quote(lock.beside(name))}" if lock.directory else "")


def check(lock: Lock) -> str:
    """The command that asks pixi itself."""
    return relock(lock) + " --check"


def owns(lock: Lock) -> bool | None:
    """pixi.toml or `[tool.pixi]`."""
    found = manifest(lock)
    return None if isinstance(found, Unknown) else True


def packages(lock: Lock) -> Contents:
    """Every record of the lock; each but a local one has a sha256."""
    data = read(lock)
    if isinstance(data, Contents):
        return data
    entries = data.get("packages")
    found = []
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if not isinstance(entry, dict):
            continue
        kind = "conda" if "conda" in entry else "pypi"
        url = entry.get(kind)
        if not isinstance(url, str):
            continue
        name, version = _named(kind, url)
        local = "://" not in url
        name = canonical(str(entry.get("name", name)))
        found.append(
            Package(
                name=name or url,
                version=str(entry.get("version", version)),
                identity=(kind, url, str(index) if local else ""),
                origin="path" if local else "git" if url.startswith("git+") else "registry",
                hashed=None if local or kind == "pypi" else bool(entry.get("sha256") or entry.get("md5")),
            )
        )
    return Contents(packages=tuple(found), hashes=True)


FORMAT = LockFormat(
    name="pixi",
    files="pixi.lock",
    decides="every spec of every environment has a package on every platform, in a version it allows; environments and platforms agree",
    unseen=PARTIAL,
    pattern=r"pixi\.lock",
    manifests=("pixi.toml", "pyproject.toml"),
    relock=relock,
    judge=judge,
    owns=owns,
    packages=packages,
    check=check,
    network="the network (conda channels and package index)",
)
