"""conda-lock.yml: no offline check exists (its content hash mixes in the solver's virtual packages), so satisfiability.

Every spec of the source files must have a package in the lock, for every platform, whose version it allows. What is
reported is out of date for sure; removed specs, channels and changed options are not seen.
Sources: conda-lock 4.0 `content_hash.py`, `lockfile/v1/models.py`, conda/conda-lock#432 and #479.
"""

from __future__ import annotations

import re

from gatepost.locks._base import Contents, Fresh, LockFormat, Package, Stale, Unknown
from gatepost.locks._conda import meets, needs
from gatepost.locks._manifest import canonical, quote, show
from gatepost.locks._yaml import read, read_to_judge
from gatepost.manifests.environment import parse
from gatepost.manifests.requirements import parse_requirement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks._base import Lock, Verdict
    from gatepost.manifests.environment import CondaFile

RULE = "packages of conda-lock.yml against its sources"
PARTIAL = "removed specs, channels, options and markers"
_SELECTOR = re.compile(rb"#\s*\[([^\]\n]*)\]")
_AFFIXES = {"py", "python", "python3", "base", "core", "binary", "cpu", "gpu", "headless", "default", "standard", "all"}
_PLATFORM = re.compile(r"^[a-z]+-[a-z0-9]+$")


def judge(lock: Lock) -> Verdict:
    """Satisfiability of the sources' specs; see the module."""
    data = read_to_judge(lock, RULE)
    if isinstance(data, Unknown):
        return data
    if data.get("version") != 1:
        if "version" not in data:
            return Unknown(rule=RULE, reason="it has no format version: it is no conda-lock.yml", code="LF202")
        return Unknown(rule=RULE, reason=f"its version {show(str(data['version']))} is not 1", code="LF302")
    meta = data.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    sources = meta.get("sources")
    sources = [name for name in sources if isinstance(name, str)] if isinstance(sources, list) else []
    platforms = (
        [name for name in meta.get("platforms", []) if isinstance(name, str)]
        if isinstance(meta.get("platforms"), list)
        else []
    )
    locked: dict[tuple[str, str, str], list[str]] = {}
    entries = data.get("package")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            place = (str(entry.get("manager")), str(entry.get("platform")), str(entry.get("name")).lower())
            locked.setdefault(place, []).append(str(entry.get("version", "")))
    unseen = []
    later: set[str] = set()  # what a source says of a package goes before what those before it say
    first: Stale | None = None
    for name in reversed(sources or ["environment.yml"]):
        path = _place(lock, name)
        text = lock.read(path) if path else None
        if text is None or not path.endswith((".yml", ".yaml")):
            unseen.append(name)
            continue
        environment = parse(text)
        if not environment.is_environment or b"{%" in text:  # a recipe, a template
            unseen.append(name)
            continue
        first = _against(path, text, environment, platforms, locked, later) or first
        later.update(one.name.lower() for one in environment.dependencies)
        later.update(canonical(parse_requirement(item.text).name) for item in environment.pip)
    if first is not None:
        return first
    if unseen:
        reason = f"its source {show(unseen[0])} cannot be compared without conda-lock"
        return Unknown(rule=RULE, reason=reason, path=lock.path)
    return Fresh(rule=RULE, partial=PARTIAL)


def _place(lock: Lock, name: str) -> str:
    return "" if name.startswith(("/", "~")) or name[1:2] == ":" else lock.beside(name)


def _against(
    path: str,
    text: bytes,
    environment: CondaFile,
    platforms: list[str],
    locked: dict[tuple[str, str, str], list[str]],
    later: set[str],
) -> Stale | None:
    """The first spec of one environment.yml that the lock does not meet, but for the names that a later source has."""
    lines = text.split(b"\n")
    for platform in environment.platforms:
        if platforms and _PLATFORM.match(platform) and platform not in platforms:
            reason = f"it names the platform {show(platform)}, the lock has {show(', '.join(platforms))}"
            return Stale(rule=RULE, reason=reason, path=path, key="platforms", partial=PARTIAL)
    for dependency in environment.dependencies:
        raw = lines[dependency.line - 1] if dependency.line <= len(lines) else b""
        name = dependency.name.lower()
        if name == "pip" or name in later or name.startswith("__") or "{{" in dependency.name:
            continue
        for platform in platforms:
            if not _selected(raw, platform):
                continue
            versions = locked.get(("conda", platform, name))
            reason = ""
            if versions is None:
                if ("pip", platform, canonical(name)) in locked:
                    continue
                reason = (
                    f"it gained {show(name)}{show(_spaced(dependency.spec))}: the lock has none for {show(platform)}"
                )
            elif all(meets(version, dependency.spec) is False for version in versions):
                held = show(", ".join(versions))
                reason = f"it asks for {show(name)}{show(_spaced(dependency.spec))}, the lock holds {held} for {show(platform)}"
            if reason:
                return Stale(rule=RULE, reason=reason, path=path, line=dependency.line, partial=PARTIAL)
    return _against_pip(path, environment.pip, platforms, locked, later)


def _against_pip(
    path: str, pips: Any, platforms: list[str], locked: dict[tuple[str, str, str], list[str]], later: set[str]
) -> Stale | None:
    from gatepost.locks._manifest import meets as pip_meets

    python: dict[str, tuple[dict[str, list[str]], set[str]]] = {}
    for item in pips:
        if item.text.startswith("-"):
            continue
        line = parse_requirement(item.text)
        name = canonical(line.name)
        if not name or name in later or line.url or line.marker:
            continue
        for platform in platforms:
            if platform not in python:
                python[platform] = _of_python(locked, platform)
            versions = python[platform][0].get(name, [])
            reason = ""
            if not versions:
                if (
                    stem(name) in python[platform][1]
                ):  # conda's pytables stands for tables, which conda-lock then leaves out
                    continue
                reason = f"it gained {show(item.text)} below pip: the lock has none for {show(platform)}"
            elif all(pip_meets(version, line.specifier) is False for version in versions):
                reason = f"it asks for {show(item.text)} below pip, the lock holds {show(', '.join(versions))}"
            if reason:
                return Stale(rule=RULE, reason=reason, path=path, line=item.line, partial=PARTIAL)
    return None


def _of_python(locked: dict[tuple[str, str, str], list[str]], platform: str) -> tuple[dict[str, list[str]], set[str]]:
    """(normal name -> versions, of pip and conda alike; stems of conda's names) on a platform."""
    versions: dict[str, list[str]] = {}
    for (_, where, name), found in locked.items():
        if where == platform:
            versions.setdefault(canonical(name), []).extend(found)
    return versions, {stem(name) for manager, where, name in locked if where == platform and manager == "conda"}


def stem(name: str) -> str:
    """What conda's name of a package and its name on PyPI have in common: `opencv` of py-opencv and opencv-python."""
    words = [word for word in canonical(name).split("-") if word not in _AFFIXES]
    text = "-".join(words) or name
    text = text.rstrip("0123456789") or text
    return text[2:] if text.startswith("py") and len(text) > 3 else text


def _spaced(spec: str) -> str:
    return f" {spec.strip()}" if spec.strip() else ""


def _selected(raw: bytes, platform: str) -> bool:
    """Whether a line's selector comment (`# [linux]`, `# [osx or win]`) lets the platform see it; unsure means no."""
    found = _SELECTOR.search(raw)
    if not found:
        return True
    family = platform.partition("-")[0]
    words = set(re.split(rb"[\s,]+", found[1].strip()))
    known = {
        family.encode(),
        platform.replace("-", "").encode(),
        platform.encode(),
        b"unix" if family in ("linux", "osx") else b"",
    }
    return bool(words & known) and b"not" not in words and b"and" not in words


def relock(lock: Lock) -> str:
    """`conda-lock lock` with the sources that the lock names."""
    data = read(lock)
    meta = data.get("metadata") if isinstance(data, dict) else None
    sources = meta.get("sources") if isinstance(meta, dict) else None
    names = [name for name in sources if isinstance(name, str)] if isinstance(sources, list) else []
    files = "".join(f" -f {quote(_place(lock, name) or name)}" for name in names)
    output = "" if lock.path == "conda-lock.yml" else f" --lockfile {quote(lock.path)}"
    return f"conda-lock lock{files}{output}"


def packages(lock: Lock) -> Contents:
    """The packages of every platform and manager; each has a hash."""
    data = read(lock)
    if isinstance(data, Contents):
        return data
    listed = data.get("package")
    entries = listed if isinstance(listed, list) else []
    if not all(isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in entries):
        return Contents(broken="a package has no name")
    return Contents(packages=tuple(map(_package, entries)), hashes=True)


def _package(entry: dict[str, Any]) -> Package:
    name, hashes = entry["name"], entry.get("hash")
    virtual = name.startswith("__")  # a virtual package has no archive
    kind = (str(entry.get("manager")), str(entry.get("platform")), str(entry.get("category")))
    return Package(
        name=name.lower() if kind[0] == "conda" else canonical(name),
        version=str(entry.get("version", "")),
        identity=(name.lower(), *kind),
        hashed=None if virtual else isinstance(hashes, dict) and any(hashes.values()),
        requires=tuple(needs(entry.get("dependencies"))) if kind[0] == "conda" else (),
    )


FORMAT = LockFormat(
    name="conda-lock",
    files="conda-lock.yml",
    decides="every spec of the sources has a package on every platform, in a version it allows",
    unseen=PARTIAL,
    pattern=r"conda-lock\.ya?ml|[^/]+\.conda-lock\.ya?ml",
    manifests=("environment.yml", "environment.yaml"),
    relock=relock,
    judge=judge,
    packages=packages,
    triggers=r"environment[^/]*\.ya?ml",
)
