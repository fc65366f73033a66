"""How far what is deployed is pinned already: the requirements that admit more than one version."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.names import canonical
from gatepost.manifests.projects import on_linux
from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.manifests.projects import Pins, Repository

_FAMILY = ("torch", "torchvision", "torchaudio")
_REQUIREMENT = pattern(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*([^;]*)(?:;(.*))?", re.DOTALL)
_EXACT = pattern(r"\(?={2,3}[^,*]+\)?")
_POETRY_EXACT = pattern(r"={0,3}\d[\w.+!-]*")


def pins(repository: Repository, path: str, python: str = "") -> Pins | None:
    """A requirements file as a lock of its own, on a Python ("3.12") if one is known; a range with one release is a pin."""
    return repository.pins(path, single, python)


def single(name: str, specifier: str) -> bool:
    """Whether a range of PyTorch's packages admits one release, and none that is yet to come: `torch>=2.8,<2.9` is 2.8.0."""
    if name not in _FAMILY or not ("<" in specifier or "~=" in specifier or "*" in specifier):
        return False
    from gatepost.rules.torch_source import specs, table

    known = table.load()
    spec = specs.parse(specifier)
    if name == "torch":
        rows, unknown = known.torch_rows(spec)
        return len(rows) == 1 and not unknown
    releases, unknown = known.released(name, spec)
    return len(known.in_ranges(name, releases)) == 1 and not unknown


def loose_project(repository: Repository, manifest: str) -> list[str]:
    """Names of a project's own dependencies that admit more than one version."""
    data = repository.toml(manifest)
    if manifest.endswith("Pipfile"):
        packages = data.get("packages", {})
        entries = packages.items() if isinstance(packages, dict) else ()
        return [name for name, value in entries if not (isinstance(value, str) and value.startswith("=="))]
    listed = _table(data, "project").get("dependencies", [])
    found = _loose([item for item in listed if isinstance(item, str)] if isinstance(listed, list) else [])
    for path in dynamic(repository, manifest):
        listing = pins(repository, path)
        found += listing.loose if listing is not None else ()
    for name, value in _table(data, "tool", "poetry", "dependencies").items():
        text = value.get("version", "") if isinstance(value, dict) else value
        marker = value.get("markers", "") if isinstance(value, dict) else ""
        if isinstance(marker, str) and not on_linux(marker):
            continue
        if name != "python" and isinstance(text, str) and text and not _POETRY_EXACT.fullmatch(text.replace(" ", "")):
            found.append(name)
    return found


def dynamic(repository: Repository, manifest: str) -> tuple[str, ...]:
    """The requirements files that are a project's dependencies, as setuptools reads them ("Dynamic Metadata")."""
    data = repository.toml(manifest)
    fields = _table(data, "project").get("dynamic", [])
    if not isinstance(fields, list) or "dependencies" not in fields:
        return ()
    listed = _table(data, "tool", "setuptools", "dynamic", "dependencies").get("file", [])
    names = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
    folder = posixpath.dirname(manifest)
    paths = (posixpath.normpath(posixpath.join(folder, name)) for name in names if isinstance(name, str))
    return tuple(path for path in paths if path in repository.paths)


def _table(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    """A table by its keys; an empty one where there is none."""
    found: Any = data
    for key in keys:
        found = found.get(key, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _loose(listed: list[str]) -> list[str]:
    """Names of the requirements that admit more than one version, unless another one of the name pins it wherever it applies."""
    open_: list[tuple[str, str]] = []
    pinned: set[tuple[str, str]] = set()
    for item in listed:
        if match := _REQUIREMENT.match(item):
            marker = (match[3] or "").strip()
            exact = _EXACT.fullmatch(match[2].replace(" ", "")) or "@" in match[2]
            if exact or single(canonical(match[1]), match[2].strip(" ()")):
                pinned.add((canonical(match[1]), marker))
            elif on_linux(marker):
                open_.append((match[1], marker))
    return [name for name, marker in open_ if not pinned & {(canonical(name), ""), (canonical(name), marker)}]
