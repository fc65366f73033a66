"""PDM's `lock_inputs` mode: the lock records its inputs without version limits; the pins must meet the limits.

What is decided here: named requirements, groups, requires-python, resolution, sources. What needs PDM's marker
algebra, a local path or a URL is unknown, unless something else makes the lock stale. Source: PDM 2.29 `project/lockfile/freshness.py`.
"""

from __future__ import annotations

import re

from gatepost.locks._base import Fresh, Stale, Unknown
from gatepost.locks._manifest import canonical, line_of, meets, requirement, show, spell_key, strings, table
from gatepost.locks._pdm_hash import Unhashable, groups, listed, members, normal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from packaging.requirements import Requirement

    from gatepost.locks._base import Lock, Verdict

    Key = tuple[str | int, ...]
    Asked = tuple[Key, str, Requirement]

RULE = "lock_inputs of PDM 2.28 and later"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def judge_inputs(lock: Lock, data: dict[str, Any], recorded: object, path: str) -> Verdict:
    """Compare the recorded inputs with the manifest's, then the pins with the limits."""
    from gatepost.locks._pdm_lock import entries, locked_groups
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
        held, unsure = _asked(data)
    except Unhashable as error:
        return _unknown(f"of {path}: {error}", path)
    then_groups = table(then, "groups")
    for name in sorted(held):
        if name not in then_groups:
            return _stale(lock, path, f'group "{show(name)}" was added', ())
    for name in sorted(then_groups):
        if name not in held:
            return _stale(lock, path, f'group "{show(name)}" was removed', ())
    doubt = ""
    for group, found in held.items():
        lines = then_groups[group]
        listed = [_normal_line(str(line)) for line in lines] if isinstance(lines, list) else []
        changed = _changed(group, found, listed, group in unsure)
        if isinstance(changed, str):
            doubt = doubt or changed
        elif changed is not None:
            return _stale(lock, path, *changed)
    python, before = str(table(data, "project").get("requires-python", "")), str(then.get("requires-python", ""))
    if not _same_set(before, python):
        if _floor(before) and _floor(python):
            reason = f'requires-python is "{show(python)}", the lock has "{show(before)}"'
            return _stale(lock, path, reason, ("project", "requires-python"))
        doubt = doubt or "requires-python is spelled differently, whose comparison needs PDM itself"
    resolution = {key: value for key, value in table(data, "tool", "pdm", "resolution").items() if key != "lock_inputs"}
    if (
        _URL.search(str(resolution))
        or _URL.search(str(then.get("resolution")))
        or "sha256:" in str(then.get("resolution"))
    ):
        doubt = doubt or "tool.pdm.resolution holds a URL, whose comparison needs PDM itself"
    elif resolution != then.get("resolution", {}):
        return _stale(lock, path, "tool.pdm.resolution changed", ("tool", "pdm", "resolution"))
    if _sources(data) != then.get("sources", []):
        return _stale(lock, path, "tool.pdm.source changed", ("tool", "pdm", "source"))
    try:
        locked = [(canonical(str(entry.get("name"))), str(entry.get("version", ""))) for entry in entries(lock)]
        chosen = locked_groups(lock) or {"default"}
    except TomlError as error:
        return _unknown(f"the lock is not valid TOML: {error.reason}", "")
    excludes = resolution.get("excludes")
    decided = {canonical(name) for name in table(resolution, "overrides")}
    decided |= {canonical(name) for _, name in strings(excludes)}
    for key, text, parsed in [one for group in held if group in chosen for one in held[group]]:
        if parsed.url or canonical(parsed.name) in decided:  # an override is an input, compared above
            continue
        versions = [version for name, version in locked if name == canonical(parsed.name)]
        answers = [meets(version, str(parsed.specifier)) for version in versions]
        if parsed.marker is None and (not versions or False in answers):
            held_now = show(", ".join(versions)) or "nothing"
            return _stale(lock, path, f"{text} is asked for, the lock holds {held_now}", key)
        if not versions or not all(answers):
            doubt = doubt or f"{text} cannot be compared with its pin"
    return _unknown(doubt, path) if doubt else Fresh(rule=RULE)


def _asked(data: dict[str, Any]) -> tuple[dict[str, list[Asked]], set[str]]:
    """Group -> its requirements, with those of the groups it includes; and the groups with more than these.

    Raises:
        Unhashable: two groups have one name, or a group is not a list.
    """
    from gatepost.locks._pdm_lock import wanted

    names = ["default", *(normal(name) for name in table(data, "project", "optional-dependencies"))]
    included = {name: [_includes(item) for item in items] for name, items in groups(data).items()}
    own: dict[str, list[Asked]] = {name: [] for name in [*names, *included]}
    for group, key, text, parsed in wanted(data):
        own[group].append((key, text, parsed))
    size: dict[str, int] = {}
    for group, _, items in listed(data):
        size[group] = size.get(group, 0) + (len(items) if isinstance(items, list) else 0)
    found, unsure = {}, set()
    for group, mine in own.items():
        others = [name for name in included.get(group, ()) if name]
        found[group] = [*mine, *(one for other in dict.fromkeys(others) for one in own.get(other, ()))]
        if size.get(group, 0) != len(mine) + len(others) or any(
            size.get(other, -1) != len(own.get(other, ())) for other in others
        ):
            unsure.add(group)
    return found, unsure


def _includes(item: object) -> str:
    other = item.get("include-group") if isinstance(item, dict) else None
    return normal(other) if isinstance(other, str) else ""


def _changed(group: str, found: list[Asked], listed: list[str], unsure: bool) -> str | tuple[str, Key] | None:
    """The first difference of a group, with its key; a text says why there may be one; None if there is none."""
    place = "dependencies" if group == "default" else f'group "{show(group)}"'
    doubt = "a group holds a path, an editable or the project itself, which needs PDM" if unsure else ""
    lines = []
    for key, text, parsed in found:
        line = _line(parsed)
        if line in listed and not parsed.url:
            lines.append(line)
        elif parsed.url or parsed.marker is not None:
            doubt = doubt or f"{text} has a marker or a URL, whose comparison needs PDM itself"
        else:
            return f"{place} gained {text}", key
    if doubt:
        names = {parsed.name for _, _, parsed in found if not parsed.url}
        plain = [line for line in listed if ";" not in line and ":" not in line and not line.startswith("{")]
        gone = [line for line in plain if line.partition("[")[0] not in names]
        return (f"{place} lost {show(gone[0])}", ()) if gone and not unsure else doubt
    if sorted(lines) == sorted(listed):
        return None
    missing = sorted(set(listed) - set(lines))
    return f"{place} {f'lost {show(missing[0])}' if missing else 'changed'}", ()


def _line(parsed: Requirement) -> str:
    extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
    return f"{parsed.name}{extras}" + (f"; {parsed.marker}" if parsed.marker is not None else "")


def _normal_line(text: str) -> str:
    parsed = requirement(text)
    return _line(parsed) if parsed else text


def _floor(text: str) -> bool:
    """Whether a Python range is one lower bound, or none: two such ranges differ if their texts do."""
    return "," not in text and (not text or text.lstrip().startswith(">="))


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
