"""PDM's `lock_inputs` mode: the lock records its inputs without version limits; the pins must meet the limits.

What is decided here: plain named requirements, groups, requires-python, resolution, sources. What needs PDM's marker
algebra, a local path or a URL is unknown. Source: PDM 2.29 `project/lockfile/freshness.py`.
"""

from __future__ import annotations

import re

from gatepost.locks._base import Fresh, Stale, Unknown
from gatepost.locks._manifest import canonical, line_of, meets, requirement, show, spell_key, table
from gatepost.locks._pdm_hash import Unhashable, groups, members, normal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks._base import Lock, Verdict

RULE = "lock_inputs of PDM 2.28 and later"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def judge_inputs(lock: Lock, data: dict[str, Any], recorded: object, path: str) -> Verdict:
    """Compare the recorded inputs with the manifest's, then the pins with the limits."""
    from gatepost.locks._pdm_lock import entries, wanted
    from gatepost.toml.load import TomlError

    if not isinstance(recorded, dict) or not isinstance(recorded.get("project"), dict):
        return Stale(rule=RULE, reason="the inputs that the lock records cannot be read")
    if "volatile = true" in lock.data.decode("utf-8", "replace"):
        return Stale(rule=RULE, reason="it records an input that PDM always treats as changed (dynamic metadata)")
    if table(data, "tool", "pdm").get("workspace") or "workspace" in recorded:
        if sorted(table(recorded, "workspace")) != members(lock, data):
            return Stale(rule=RULE, reason="the members of the workspace changed", path=path, key="tool.pdm.workspace")
        return _unknown("it is of a workspace, whose members' inputs need PDM itself", path)
    then = recorded["project"]
    try:
        now_groups = {
            "default": None,
            **{normal(name): None for name in table(data, "project", "optional-dependencies")},
        }
        now_groups |= dict.fromkeys(groups(data))
    except Unhashable as error:
        return _unknown(f"of {path}: {error}", path)
    then_groups = table(then, "groups")
    for name in sorted(now_groups):
        if name not in then_groups:
            return _stale(lock, path, f'group "{show(name)}" was added', ())
    for name in sorted(then_groups):
        if name not in now_groups:
            return _stale(lock, path, f'group "{show(name)}" was removed', ())
    doubt = ""
    asked: dict[str, list[str]] = {name: [] for name in now_groups}
    limits = []
    for group, key, text, parsed in wanted(data):
        if parsed.url or parsed.marker is not None:
            doubt = doubt or f"{text} has a marker or a URL, whose comparison needs PDM itself"
        asked[group].append(_line(parsed.name, parsed.extras))
        limits.append((group, key, text, parsed))
    if _unread(data):
        doubt = doubt or "a group includes another, a path or an editable requirement, which needs PDM itself"
    recorded_lines = {
        name: [_normal_line(str(line)) for line in lines]
        for name, lines in then_groups.items()
        if isinstance(lines, list)
    }
    for group, key, text, parsed in limits:
        mine = _line(parsed.name, parsed.extras)
        if not parsed.url and parsed.marker is None and mine not in recorded_lines.get(group, []):
            place = "dependencies" if group == "default" else f'group "{show(group)}"'
            return _stale(lock, path, f"{place} gained {text}", key)
    if not doubt:
        for group, lines in asked.items():
            if sorted(lines) != sorted(recorded_lines.get(group, [])):
                gone = sorted(set(recorded_lines.get(group, [])) - set(lines))
                what = f"lost {show(gone[0])}" if gone else "changed"
                place = "dependencies" if group == "default" else f'group "{show(group)}"'
                return _stale(lock, path, f"{place} {what}", ())
    python = table(data, "project").get("requires-python", "")
    if not _same_set(str(then.get("requires-python", "")), str(python)):
        doubt = doubt or "requires-python is spelled differently, whose comparison needs PDM itself"
    if not doubt:
        resolution = {
            key: value for key, value in table(data, "tool", "pdm", "resolution").items() if key != "lock_inputs"
        }
        if (
            _URL.search(str(resolution))
            or _URL.search(str(then.get("resolution")))
            or "sha256:" in str(then.get("resolution"))
        ):
            doubt = "tool.pdm.resolution holds a URL, whose comparison needs PDM itself"
        elif resolution != then.get("resolution", {}):
            return _stale(lock, path, "tool.pdm.resolution changed", ("tool", "pdm", "resolution"))
        elif _sources(data) != then.get("sources", []):
            return _stale(lock, path, "tool.pdm.source changed", ("tool", "pdm", "source"))
        elif resolution.get("overrides") or resolution.get("excludes"):
            doubt = "tool.pdm.resolution has overrides or excludes, which need PDM itself"
    try:
        locked = [(canonical(str(entry.get("name"))), str(entry.get("version", ""))) for entry in entries(lock)]
    except TomlError as error:
        return _unknown(f"the lock is not valid TOML: {error.reason}", "")
    if doubt:
        return _unknown(doubt, path)
    for _, key, text, parsed in limits:
        versions = [version for name, version in locked if name == canonical(parsed.name)]
        answers = [meets(version, str(parsed.specifier)) for version in versions]
        if not versions or False in answers:
            held = show(", ".join(versions)) or "nothing"
            return _stale(lock, path, f"{text} is asked for, the lock holds {held}", key)
        if None in answers:
            return _unknown(f"{text} cannot be compared with its pin", path)
    return Fresh(rule=RULE)


def _line(name: str, extras: set[str]) -> str:
    return f"{name}[{','.join(sorted(extras))}]" if extras else name


def _normal_line(text: str) -> str:
    parsed = requirement(text)
    return _line(parsed.name, parsed.extras) if parsed and not parsed.marker else text


def _unread(data: dict[str, Any]) -> bool:
    """Whether a list holds what `wanted` skips: includes, paths, editables, the project's own extras."""
    from gatepost.locks._pdm_lock import wanted

    lists = [table(data, "project").get("dependencies"), *table(data, "project", "optional-dependencies").values()]
    lists += [*table(data, "dependency-groups").values(), *table(data, "tool", "pdm", "dev-dependencies").values()]
    return sum(len(items) for items in lists if isinstance(items, list)) != sum(1 for _ in wanted(data))


def _same_set(one: str, other: str) -> bool:
    def clauses(text: str) -> list[str]:
        return sorted(part.strip().replace(" ", "") for part in text.split(",") if part.strip())

    return clauses(one) == clauses(other)


def _sources(data: dict[str, Any]) -> list[dict[str, Any]]:
    from hashlib import sha256

    found = []
    sources = table(data, "tool", "pdm").get("source", [])
    for source in sources if isinstance(sources, list) else []:
        item = {key: value for key, value in source.items() if key not in ("username", "password")}
        if item.get("url"):
            item["url"] = "sha256:" + sha256(str(item["url"]).encode()).hexdigest()
        for key in ("include_packages", "exclude_packages"):
            if isinstance(item.get(key), list):
                item[key] = sorted(item[key])
        found.append(item)
    return found


def _unknown(reason: str, path: str) -> Unknown:
    return Unknown(rule=RULE, reason=reason, path=path)


def _stale(lock: Lock, path: str, reason: str, key: tuple[str | int, ...]) -> Stale:
    return Stale(rule=RULE, reason=reason, path=path, key=spell_key(key), line=line_of(lock, path, key))
