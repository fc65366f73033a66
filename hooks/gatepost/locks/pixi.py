"""pixi.lock: pixi walks from the manifest's specs through the locked records; this does the part that files decide.

Every spec of an environment must have a locked package on every platform, whose version it allows; environments,
platforms and channels must be those of the manifest. What is reported is out of date for sure; removed specs,
options, source packages and virtual packages are not seen.
Source: pixi `crates/pixi_core/src/lock_file/satisfiability` (2026), docs/workspace/lock_file.md.
"""

from __future__ import annotations

import re

from gatepost.locks._base import Contents, Fresh, LockFormat, Package, Stale, Unknown
from gatepost.locks._conda import meets, needs
from gatepost.locks._manifest import canonical, line_of, quote, show, spell_key, table
from gatepost.locks._pixi_manifest import Manifest, manifest
from gatepost.locks._yaml import read, read_to_judge
from gatepost.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks._base import Lock, Verdict
    from gatepost.locks._pixi_manifest import Asked, Key

RULE = "packages of pixi.lock against the manifest"
PARTIAL = "removed specs, channels, options, source packages and virtual packages"
KNOWN = 7  # the newest `version` of the lock that was read
_CONDA = re.compile(r"([^/]+)-([^/-]+)-[^/-]+\.(?:conda|tar\.bz2)$")
_WHEEL = re.compile(r"([A-Za-z0-9_.]+)-([^/-]+)-[^/]*\.whl$")
# keys of a spec that do not make it conditional, nor give it another origin
_SIMPLE = {"version", "build", "build-number", "channel", "subdir", "extras", "index", "file-name", "md5", "sha256"}


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
    found = manifest(lock, RULE)
    if isinstance(found, Unknown):
        return found
    path, data, prefix = found.path, found.data, found.prefix
    recorded = locked.get("environments")
    recorded = recorded if isinstance(recorded, dict) else {}
    wanted = found.environments()
    for name in wanted:
        if name not in recorded:
            return _stale(lock, path, f"environment {show(name)} was added", (*prefix, "environments", name))
    for name in recorded:
        if name not in wanted:
            return _stale(lock, path, f"environment {show(str(name))} was removed", ())
    workspace = table(data, "workspace") or table(data, "project")
    platforms = workspace.get("platforms")
    base = [name for name in platforms if isinstance(name, str)] if isinstance(platforms, list) else []
    subdirs, told = _subdirs(locked), _told(locked)
    for name, features in wanted.items():
        has = _locked_packages(recorded[name], told)
        allowed = _platforms(data, features, base)
        named = isinstance(platforms, list) and len(base) == len(platforms)  # none of them is described by a table
        surplus = [one for one in has if named and allowed and not {one, subdirs.get(one, one)} & set(allowed)]
        if surplus:
            gone = f"environment {show(name)} no longer has the platform {show(surplus[0])}, the lock still has it"
            return _stale(lock, path, gone, (*prefix, "workspace" if "workspace" in data else "project", "platforms"))
        for platform in allowed:
            for record in [one for one in has if one == platform or subdirs.get(one) == platform] or [platform]:
                if reason := _unmet(found, features, platform, has.get(record, {})):
                    return _stale(lock, path, *reason)
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


def _told(locked: dict[str, Any]) -> dict[str, tuple[set[str], str]]:
    """The address of a record -> the names that it says it has, and its version ("" if it does not say).

    Of a conda package these are the names on PyPI that it stands for (`purls`). Two records of one address may differ
    (a source package in two variants): then the version is not known.
    """
    found: dict[str, tuple[set[str], str]] = {}
    entries = locked.get("packages")
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        names, listed = set[str](), entry.get("purls")
        for purl in listed if isinstance(listed, list) else []:
            if isinstance(purl, str) and purl.startswith("pkg:pypi/"):
                names.add(canonical(re.split("[@?#]", purl[len("pkg:pypi/") :])[0]))
        if isinstance(entry.get("name"), str):
            names.add(canonical(entry["name"]))
        version = entry.get("version")
        place, said = _place(entry)[1], str(version) if version is not None else ""
        had = found.get(place)
        found[place] = (names | had[0], said if said == had[1] else "") if had else (names, said)
    return found


def _place(entry: dict[str, Any]) -> tuple[str, str]:
    """(conda or pypi, address) of an entry of `packages`; version 5 has `kind` and `url` or `path` for it."""
    for kind in ("conda", "pypi"):
        if isinstance(entry.get(kind), str):
            return kind, entry[kind]
    return str(entry.get("kind", "")), str(entry.get("url", entry.get("path", "")))


def _locked_packages(
    environment: object, told: dict[str, tuple[set[str], str]]
) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """Platform -> normal name -> (kind, version); "" for a name or version that the record does not show."""
    found: dict[str, dict[str, list[tuple[str, str]]]] = {}
    packages = environment.get("packages") if isinstance(environment, dict) else None
    for platform, entries in (packages if isinstance(packages, dict) else {}).items():
        names = found.setdefault(str(platform), {})
        for entry in entries if isinstance(entries, list) else []:
            kind, address = _place(entry) if isinstance(entry, dict) else ("", "")
            if kind not in ("conda", "pypi"):
                names.setdefault("", []).append(("", ""))
                continue
            name, version = _named(kind, address)
            said, also = told.get(address, (set[str](), ""))
            for each in {name, *said} - ({""} if said else set()):
                names.setdefault(each, []).append((kind, version or also))
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
    asked: Manifest, features: list[str], platform: str, has: dict[str, list[tuple[str, str]]]
) -> tuple[str, Key] | None:
    """The first spec of an environment that no record of a platform meets: in words, and its key."""
    for feature in features:
        for name, pypi, alternatives in asked.specs(feature, platform):
            lacks = [_lacking(name, pypi, one, has, feature, platform) for one in alternatives]
            if lacks[-1] is not None and None not in lacks:
                return lacks[-1]
    return None


def _lacking(
    name: str, pypi: bool, specs: list[Asked], has: dict[str, list[tuple[str, str]]], feature: str, platform: str
) -> tuple[str, Key] | None:
    from gatepost.locks._manifest import meets as pip_meets

    values = [(spec.get("version", "*") if isinstance(spec, dict) else spec) for spec, _ in specs]
    if any(isinstance(spec, dict) and not set(spec) <= _SIMPLE for spec, _ in specs):
        return None  # it has another origin, or is conditional
    records = has.get(name, [])
    for plain, (_, key) in zip(values, specs, strict=True):
        if not isinstance(plain, str) or (not records and "" in has):
            continue
        written = isinstance(key[-1], str) and str(key[-2]).endswith("dependencies")
        shown = show(str(key[-1]) if written else name) + ("" if plain in ("", "*") else f" {show(plain)}")
        where = "dependencies" if feature == "default" else f'feature "{show(feature)}"'
        if not records:
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
    found = manifest(lock, RULE)
    return None if isinstance(found, Unknown) else True


def packages(lock: Lock) -> Contents:
    """Every record of the lock; each but a local one has a sha256."""
    data = read(lock)
    if isinstance(data, Contents):
        return data
    entries = data.get("packages")
    found = []
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        kind, url = _place(entry) if isinstance(entry, dict) else ("", "")
        if kind not in ("conda", "pypi") or not url:
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
                requires=tuple(replace(need, name=canonical(need.name)) for need in needs(entry.get("depends")))
                if kind == "conda"
                else (),
            )
        )
    if found and (lost := _without_record(data, {package.identity[1] for package in found})):
        return Contents(broken=f"it names {show(lost)}, which its packages do not have")
    return Contents(packages=tuple(found), hashes=True)


def _without_record(data: dict[str, Any], known: set[str]) -> str:
    """The first address that an environment names and that is not among `packages`: pixi does not read such a lock."""
    for environment in table(data, "environments").values():
        for entries in table(environment, "packages").values():
            for entry in entries if isinstance(entries, list) else []:
                kind, address = _place(entry) if isinstance(entry, dict) else ("", "")
                if kind in ("conda", "pypi") and address not in known:
                    return address
    return ""


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
)
