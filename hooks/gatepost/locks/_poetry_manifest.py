"""What a pyproject.toml asks of Poetry: its direct requirements, and Poetry's own version syntax as PEP 440.

Poetry 2 reads `[project]` and, from 2.3, `[dependency-groups]`; every version reads `[tool.poetry]`.
Sources: poetry-core 2.4 `factory.py`, `constraints/version/parser.py`.
"""

from __future__ import annotations

from gatepost.locks._base import Need
from gatepost.locks._manifest import canonical, requirement, show, spell_key, strings, table
from gatepost.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Poetry before 1.5 never locked these
UNSAFE = frozenset({"setuptools", "distribute", "pip", "wheel"})
_OPERATORS = ("^", "~=", "~", "===", "==", "=", "!=", ">=", "<=", ">", "<")  # a longer one before what it begins with
_DIGITS = frozenset("0123456789")


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
    optional: bool = False  # of an extra, or marked so in [tool.poetry]


def pep440(constraint: str) -> str | None:
    """Poetry's version constraint as a PEP 440 specifier set, "" for any; None where it has no such form (`||`)."""
    text = constraint.strip()
    if text in ("", "*", "x"):
        return ""
    clauses, at = [], 0
    while at < len(text):
        operator = next((each for each in _OPERATORS if text.startswith(each, at)), "")
        at = _skip(text, at + len(operator))
        at += text.startswith("v", at)
        end = at
        while end < len(text) and text[end] not in ",|" and not text[end].isspace():
            end += 1
        if text[at : at + 1] not in _DIGITS or (clause := _clause(operator, text[at:end])) is None:
            return None
        clauses.append(clause)
        at = end
        while at < len(text) and text[at] in ", \t":
            at += 1
    return ",".join(clauses)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


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
    epoch, mark, plain = version.partition("!")
    if not mark or not epoch.isdigit() or plain[:1] not in _DIGITS:
        epoch, mark, plain = "", "", version
    numbers = [int(part[:9]) for part in _release(plain).split(".")]
    if operator == "^":
        index = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        index = min(1, len(numbers) - 1)
    kept = numbers[: index + 1]
    kept[-1] += 1
    return epoch + mark + ".".join(map(str, kept))


def _release(version: str) -> str:
    """The numbers that a version begins with: `1.2` of `1.2rc1`."""
    end = 0
    while version[end : end + 1].isdigit() or (version[end : end + 1] == "." and version[end + 1 : end + 2].isdigit()):
        end += 1
    return version[:end]


def python_versions(data: dict[str, Any]) -> tuple[str, tuple[str | int, ...]]:
    """What the lock records as `metadata.python-versions`, and the key it comes from."""
    poetry = table(data, "tool", "poetry", "dependencies").get("python")
    if isinstance(poetry, str):
        return poetry, ("tool", "poetry", "dependencies", "python")
    project = table(data, "project").get("requires-python")
    return (project if isinstance(project, str) else "*"), ("project", "requires-python")


def direct(data: dict[str, Any], groups: bool = True, project: bool = True) -> Iterator[Direct]:
    """Every requirement, main first. `groups`: read `[dependency-groups]`; `project`: read `[project]`."""
    poetry = table(data, "tool", "poetry")
    main = list(_poetry(table(poetry, "dependencies"), "main", ("tool", "poetry", "dependencies")))
    dynamic = table(data, "project").get("dynamic")
    mixed = isinstance(dynamic, list) and ("dependencies" in dynamic or "optional-dependencies" in dynamic)
    yield from _joined(list(_project(data)) if project else [], main, mixed)
    of_group: dict[str, list[Direct]] = {}
    for name, group in table(poetry, "group").items():
        key = ("tool", "poetry", "group", name, "dependencies")
        of_group.setdefault(canonical(name), []).extend(_poetry(table(group, "dependencies"), canonical(name), key))
    old = _poetry(table(poetry, "dev-dependencies"), "dev", ("tool", "poetry", "dev-dependencies"))
    of_group.setdefault("dev", []).extend(old)
    for name, items in (table(data, "dependency-groups") if groups else {}).items():
        found = [_pep508(text, canonical(name), ("dependency-groups", name, at)) for at, text in strings(items)]
        yield from _joined([one for one in found if one], of_group.pop(canonical(name), []), False)
    for rest in of_group.values():
        yield from rest


def _joined(standard: list[Direct], poetry: list[Direct], mixed: bool) -> list[Direct]:
    """What Poetry 2 locks of a group that stands in standard tables and in [tool.poetry].

    The latter only enriches the former. But where a list of [project] is `dynamic` (`mixed`) and the other one is
    static, the dynamic one is read from [tool.poetry]. Source: poetry-core 2.4 `packages/dependency_group.py`.
    """
    if not standard or not poetry:
        return standard or poetry
    limited = {one.name for one in poetry if one.conditional}
    found = [replace(one, conditional=True) if one.name in limited else one for one in standard]
    if mixed and len({one.optional for one in standard}) == 1:
        found += [one for one in poetry if one.optional is not standard[0].optional]
    return found


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
    from gatepost.manifests.pep508 import RequirementError, parse

    try:
        found = parse(text)
        name, marker, specifier = found.canonical, found.marker, "" if found.url else found.specifier
    except RequirementError:
        if not (other := requirement(text)):
            return None
        name, marker, specifier = (
            canonical(other.name),
            str(other.marker or ""),
            "" if other.url else str(other.specifier),
        )
    return Direct(
        name=name,
        text=show(text),
        group=group,
        key=key,
        extra=extra,
        specifier=specifier,
        marker=marker,
        conditional=bool(marker),
        optional=bool(extra),
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
            optional=limits.get("optional") is True,
        )


def extras(data: dict[str, Any]) -> tuple[set[str], tuple[str | int, ...]]:
    """The canonical names of the extras, and the key they come from."""
    if found := table(data, "project", "optional-dependencies"):
        return {canonical(name) for name in found}, ("project", "optional-dependencies")
    if table(data, "project").get("dependencies"):  # Poetry 2 then ignores the extras of its own table
        return set(), ("project", "dependencies")
    return {canonical(name) for name in table(data, "tool", "poetry", "extras")}, ("tool", "poetry", "extras")


def including(data: dict[str, Any]) -> set[str]:
    """The canonical names of the groups that include another: what they hold does not stand below their own name."""
    poetry = table(data, "tool", "poetry", "group")
    found = {name for name, group in poetry.items() if isinstance(group, dict) and group.get("include-groups")}
    for name, items in table(data, "dependency-groups").items():
        if isinstance(items, list) and any(isinstance(item, dict) for item in items):
            found.add(name)
    return set(map(canonical, found))


def own_names(manifest: dict[str, Any]) -> set[str]:
    """The canonical names of the project itself."""
    names = (table(manifest, "project").get("name"), table(manifest, "tool", "poetry").get("name"))
    return {canonical(name) for name in names if isinstance(name, str)}


def wanted(manifest: dict[str, Any], one: bool, groups: bool, path: str) -> Iterator[Need]:
    """The manifest's own requirements; `one`: as Poetry 1.x reads it; `groups`: with `[dependency-groups]`."""
    ours = own_names(manifest)
    for found in direct(manifest, groups=groups, project=not one):
        yield Need(
            name=found.name,
            specifier=found.specifier,
            marker=found.marker,
            optional=found.conditional or found.name in ours or found.name in UNSAFE,
            where=path,
            key=spell_key(found.key),
        )
