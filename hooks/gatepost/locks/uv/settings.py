"""Settings that uv records in the lock: resolver options, cutoffs, environments, conflicts, metadata of dependencies.

Loaded only where the lock or the manifest has any of them.
"""

from __future__ import annotations

from gatepost.locks.uv.case import Case, Difference, members_first
from gatepost.locks.uv.identity import recorded, specifier_identity
from gatepost.locks.uv.project import Undecidable, listed, strings, table
from gatepost.manifests import markers, pep508, versions
from gatepost.manifests.pep508 import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def options(case: Case, python: versions.Ranges) -> None:
    """Resolution, fork strategy, pre-releases and cutoff dates."""
    head = table(case.data.head, "options")
    settings, path = case.settings, case.settings_path
    prefix = "" if path.endswith("uv.toml") or not path.endswith(".toml") else "tool.uv."

    def plain(key: str, locked_key: str, *defaults: str) -> None:
        wanted, locked = settings.get(key), head.get(locked_key)
        wanted = None if wanted in defaults else wanted
        locked = None if locked in defaults else locked
        if wanted != locked:
            shown = f'"{wanted}"' if wanted is not None else "not set"
            raise Difference(
                "LF105", f"{prefix}{key} is {shown}, the lock was made with \"{locked or defaults[0]}\"", path,
                prefix + key,
            )  # fmt: skip

    plain("resolution", "resolution-mode", "highest")
    plain("fork-strategy", "fork-strategy", "requires-python")
    if isinstance(settings.get("prerelease"), dict):
        reason = f"{prefix}prerelease is a table, so uv ignores all settings beside it"
        raise Undecidable(reason, "LF305", path, prefix + "prerelease")
    plain("prerelease", "prerelease-mode", "if-necessary", "if-necessary-or-explicit")
    _prereleases(case, table(settings, "prerelease-package"), table(head, "prerelease-package"), path, prefix)
    _cutoffs(case, settings, head, path, prefix)


def _prereleases(case: Case, setting: Mapping[str, Any], recorded: Mapping[str, Any], path: str, prefix: str) -> None:
    """Pre-releases by package (uv 0.13): what is said of packages that are not locked does not count."""
    wanted = {canonical(name): value for name, value in setting.items()}
    locked = {canonical(name): value for name, value in recorded.items()}
    for name in sorted({*wanted, *locked}):
        if wanted.get(name) != locked.get(name) and (name in locked or _locks(case, name)):
            key = f"{prefix}prerelease-package.{name}"
            now, had = (f'"{found[name]}"' if name in found else "none" for found in (wanted, locked))
            raise Difference("LF105", f"{key} is {now if name in wanted else 'not set'}, the lock has {had}", path, key)


def _locks(case: Case, name: str) -> bool:
    return any(entry.name == name for entry in case.data.entries)


def _cutoffs(case: Case, settings: Mapping[str, Any], head: Mapping[str, Any], path: str, prefix: str) -> None:
    wanted = {canonical(name): value for name, value in table(settings, "exclude-newer-package").items()}
    locked = {canonical(name): value for name, value in table(head, "exclude-newer-package").items()}
    whole = (settings.get("exclude-newer"), head.get("exclude-newer"), head.get("exclude-newer-span"))
    if not wanted and not locked and whole == (None, None, None):
        return
    from gatepost.locks.uv.cutoffs import compare

    compare(*whole, path, prefix)
    for name in sorted({*wanted, *locked}):
        old, span = locked.get(name), None
        if isinstance(old, dict):
            span = old.get("span", old.get("exclude-newer-span"))
            old = old.get("timestamp", old.get("exclude-newer"))
        if (wanted.get(name) is False and old in (None, False)) or (old is False and name not in wanted):
            continue
        if name not in locked and isinstance(wanted[name], str) and not _locks(case, name):
            continue  # 0.13 lets what is new for packages that are not locked pass
        compare(wanted.get(name), old, span, path, prefix, f"-package.{name}")


def environments(case: Case, python: versions.Ranges) -> None:
    """The environments that the lock was made for, and those it must have wheels for: ordered lists of markers."""
    if case.space is None:
        return
    for key, locked_key in (("environments", "supported-markers"), ("required-environments", "required-markers")):
        value = case.root.uv.get(key)
        wanted = [value] if isinstance(value, str) else strings(value)
        locked = strings(case.data.head.get(locked_key))
        try:
            new, old = [markers.parse(text) for text in wanted], [markers.parse(text) for text in locked]
            same = len(new) == len(old) and all(
                markers.equivalent(a, b, python) for a, b in zip(new, old, strict=False)
            )
        except markers.MarkerError as error:
            raise Undecidable(f"tool.uv.{key}: {error}", "LF305", case.root.path) from None
        if not same:
            shown = ", ".join(f'"{text}"' for text in wanted) or "not set"
            raise Difference(
                "LF105", f"tool.uv.{key} is {shown}, the lock was made for {', '.join(locked) or 'every platform'}",
                case.root.path, f"tool.uv.{key}",
            )  # fmt: skip


def conflicts(case: Case, python: versions.Ranges) -> None:
    """Extras and groups that are never installed together: a list of sets, of the members in the order of their names."""
    if case.space is None:
        return
    wanted = []
    includes = False
    for _, member in sorted(case.space.members.items()):
        for group in _sets(member.uv.get("conflicts")):
            wanted.append(frozenset(_conflict(item, member.name) for item in group))
            includes = includes or any("group" in item for item in group)
    if not case.space.root.project:
        sets = _sets(case.root.uv.get("conflicts"))
        wanted = [frozenset(_conflict(item, "") for item in group) for group in sets] + wanted
        includes = includes or any("group" in item for group in sets for item in group)
    locked = [frozenset(_conflict(item, "") for item in group) for group in _sets(case.data.head.get("conflicts"))]
    if wanted == locked:  # uv compares the order of the sets, too
        return
    if includes and any(
        isinstance(entry, dict)
        for member in members_first(case.space)
        for lines in table(member.data, "dependency-groups").values()
        for entry in (lines if isinstance(lines, list) else ())
    ):
        if {item for group in wanted for item in group} <= {item for group in locked for item in group}:
            if set(wanted) <= set(locked):
                return  # uv adds the sets that follow through include-group
    shown = "; ".join(" / ".join(sorted(item[1] for item in group)) for group in wanted) or "not set"
    had = "; ".join(" / ".join(sorted(item[1] for item in group)) for group in locked) or "none"
    path, where = case.root.path, "tool.uv.conflicts"
    if set(wanted) == set(locked):
        raise Difference("LF105", f"the sets of {where} are {shown}, the lock has them as {had}", path, where)
    raise Difference("LF105", f"{where} is {shown}, the lock has {had}", path, where)


def _sets(value: object) -> list[list[Mapping[str, Any]]]:
    """An array of arrays of tables; what is something else is left out."""
    groups = value if isinstance(value, list) else []
    return [[item for item in (group if isinstance(group, list) else ()) if isinstance(item, dict)] for group in groups]


def _conflict(item: Mapping[str, Any], package: str) -> tuple[str, str]:
    name = canonical(str(item["package"])) if isinstance(item.get("package"), str) else package
    for kind in ("extra", "group"):
        if isinstance(item.get(kind), str):
            return name, f"{kind} {canonical(item[kind])}"
    return name, "project"


def metadata(case: Case, python: versions.Ranges) -> None:
    """`tool.uv.dependency-metadata`: what it says of each package that is in the lock."""
    manifest = table(case.data.head, "manifest")
    locked_names = {entry.name for entry in case.data.entries}

    def shape(item: Any) -> tuple[Any, ...]:
        item = item if isinstance(item, dict) else {}
        needs: list[tuple[Any, ...]] = []
        for text in strings(item.get("requires-dist")):
            try:
                parsed = pep508.parse(text)
            except pep508.RequirementError:
                needs.append((text,))
                continue
            needs.append((parsed.canonical, parsed.extras, specifier_identity(parsed.specifier), parsed.url,
                          "".join(parsed.marker.split()).replace('"', "'")))  # fmt: skip
        for entry in listed(item.get("requires-dist")):
            if isinstance(entry, dict):
                found = recorded(entry, case.lock.directory)
                needs.append((*found.identity[:2], found.identity[3], "",
                              "".join(str(entry.get("marker", "")).split()).replace('"', "'")))  # fmt: skip
        extras = tuple(sorted(map(canonical, strings(item.get("provides-extra") or item.get("provides-extras")))))
        return (canonical(str(item.get("name", ""))), item.get("version"), tuple(map(str, sorted(map(str, needs)))),
                item.get("requires-python"), extras)  # fmt: skip

    def all_of(value: Any) -> set[tuple[Any, ...]]:
        return {shape(item) for item in value} if isinstance(value, list) else set()

    key = "dependency-metadata"
    wanted, had = all_of(case.settings.get(key)), all_of(manifest.get(key))
    for item in sorted(wanted - had, key=str):
        if item[0] in locked_names or any(other[0] == item[0] for other in had):
            raise Difference(
                "LF105", f"the tool.uv.{key} of {item[0]} differs from the lock's", case.settings_path, key
            )
    for item in sorted(had - wanted, key=str):
        raise Difference(
            "LF105", f"tool.uv.{key} no longer describes {item[0]} as the lock has it", case.settings_path, key
        )
