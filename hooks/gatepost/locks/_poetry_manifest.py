"""What a pyproject.toml asks of Poetry: its direct requirements, and Poetry's own version syntax as PEP 440.

Poetry 2 reads `[project]` and, from 2.3, `[dependency-groups]`; every version reads `[tool.poetry]`.
Sources: poetry-core 2.4 `factory.py`, `constraints/version/parser.py`.
"""

from __future__ import annotations

import re

from gatepost.locks._manifest import canonical, requirement, show, strings, table
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PEP440 = re.compile(r"(?:>=|<=|>|<|!=|~=)\d+(?:\.\d+)*(?:,(?:>=|<=|>|<|!=|~=)\d+(?:\.\d+)*)*")
_CLAUSE = re.compile(r"(\^|~=|~|===|==|=|!=|>=|<=|>|<)?\s*v?([0-9][^\s,|]*)")
_PLAIN = re.compile(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._, -]*\])?"
    r"\s*((?:(?:~=|===|==|!=|>=|<=|>|<)\s*[A-Za-z0-9.*+!_-]+\s*,?\s*)*)"
)
_RELEASE = re.compile(r"(?:\d+!)?(\d+(?:\.\d+)*)")


@record
class Direct:
    """One requirement of the manifest. `specifier` is PEP 440 or "" where it does not translate or is any."""

    name: str
    text: str  # as a message shows it: "ruff>=0.9", "ruff ^0.9"
    group: str  # canonical; "main" for the project's own
    key: tuple[str | int, ...]
    extra: str = ""
    specifier: str = ""
    marker: str = ""
    conditional: bool = False  # a marker, a python or a platform may keep it out of the lock


def pep440(constraint: str) -> str | None:
    """Poetry's version constraint as a PEP 440 specifier set, "" for any; None where it has no such form (`||`)."""
    text = constraint.strip()
    if text in ("", "*", "x"):
        return ""
    if _PEP440.fullmatch(text):
        return text
    clauses, at = [], 0
    while at < len(text):
        if not (found := _CLAUSE.match(text, at)):
            return None
        clause = _clause(found[1] or "", found[2])
        if clause is None:
            return None
        clauses.append(clause)
        at = found.end()
        while at < len(text) and text[at] in ", \t":
            at += 1
    return ",".join(clauses)


def _clause(operator: str, version: str) -> str | None:
    """One comparison; None for what PEP 440 cannot say."""
    if operator in ("", "=", "==") and version.endswith((".*", ".x")):
        return f"=={version[:-2]}.*"
    if operator in ("^", "~"):
        upper = _upper(operator, version)
        return None if upper is None else f">={version},<{upper}"
    return f"{'==' if operator in ('', '=') else operator}{version}"


def _upper(operator: str, version: str) -> str | None:
    """The excluded upper bound of `^version` and `~version` (poetry-core: next breaking / next minor)."""
    found = _RELEASE.match(version)
    if not found:
        return None
    numbers = [int(part[:9]) for part in found[1].split(".")]
    if operator == "^":
        index = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        index = min(1, len(numbers) - 1)
    kept = numbers[: index + 1]
    kept[-1] += 1
    epoch = version[: found.start(1)]
    return epoch + ".".join(map(str, kept))


def python_versions(data: dict[str, Any]) -> tuple[str, tuple[str | int, ...]]:
    """What the lock records as `metadata.python-versions`, and the key it comes from."""
    poetry = table(data, "tool", "poetry", "dependencies").get("python")
    if isinstance(poetry, str):
        return poetry, ("tool", "poetry", "dependencies", "python")
    project = table(data, "project").get("requires-python")
    return (project if isinstance(project, str) else "*"), ("project", "requires-python")


def direct(data: dict[str, Any], groups: bool = True, project: bool = True) -> Iterator[Direct]:
    """Every requirement, main first. `groups`: read `[dependency-groups]`; `project`: read `[project]`."""
    named: set[str] = set()
    if project:
        for found in _project(data):
            named.add(found.name)
            yield found
    poetry = table(data, "tool", "poetry")
    for found in _poetry(table(poetry, "dependencies"), "main", ("tool", "poetry", "dependencies")):
        if found.name not in named:  # Poetry 2: an entry beside [project] only adds a source to it
            yield found
    yield from _poetry(table(poetry, "dev-dependencies"), "dev", ("tool", "poetry", "dev-dependencies"))
    for name, group in table(poetry, "group").items():
        key = ("tool", "poetry", "group", name, "dependencies")
        yield from _poetry(table(group, "dependencies"), canonical(name), key)
    if groups:
        for name, items in table(data, "dependency-groups").items():
            for index, text in strings(items):
                if found_one := _pep508(text, canonical(name), ("dependency-groups", name, index)):
                    yield found_one


def _project(data: dict[str, Any]) -> Iterator[Direct]:
    project = table(data, "project")
    for index, text in strings(project.get("dependencies")):
        if found := _pep508(text, "main", ("project", "dependencies", index)):
            yield found
    for extra, items in table(project, "optional-dependencies").items():
        for index, text in strings(items):
            key = ("project", "optional-dependencies", extra, index)
            if found := _pep508(text, "main", key, canonical(extra)):
                yield found


def _pep508(text: str, group: str, key: tuple[str | int, ...], extra: str = "") -> Direct | None:
    found = _PLAIN.fullmatch(text)
    marker = specifier = ""
    if found:
        name, specifier = canonical(found[1]), found[2].strip()
    elif parsed := requirement(text):
        name, marker = canonical(parsed.name), str(parsed.marker or "")
        specifier = "" if parsed.url else str(parsed.specifier)
    else:
        return None
    return Direct(
        name=name,
        text=show(text),
        group=group,
        key=key,
        extra=extra,
        specifier=specifier,
        marker=marker,
        conditional=bool(marker),
    )


def _poetry(entries: dict[str, Any], group: str, key: tuple[str | int, ...]) -> Iterator[Direct]:
    for name, value in entries.items():
        if canonical(name) == "python":
            continue
        version = value if isinstance(value, str) else value.get("version", "") if isinstance(value, dict) else ""
        plain = isinstance(value, str) or (isinstance(value, dict) and not {"git", "path", "url", "file"} & set(value))
        limits = value if isinstance(value, dict) else {}
        yield Direct(
            name=canonical(name),
            text=show(f"{name} {version}".strip() if isinstance(version, str) else name),
            group=group,
            key=(*key, name),
            specifier=(pep440(version) or "") if plain and isinstance(version, str) else "",
            marker=str(limits.get("markers", "")),
            conditional=isinstance(value, list) or bool({"markers", "python", "platform"} & set(limits)),
        )


def extras(data: dict[str, Any]) -> tuple[set[str], tuple[str | int, ...]]:
    """The canonical names of the extras, and the key they come from."""
    if found := table(data, "project", "optional-dependencies"):
        return {canonical(name) for name in found}, ("project", "optional-dependencies")
    return {canonical(name) for name in table(data, "tool", "poetry", "extras")}, ("tool", "poetry", "extras")
