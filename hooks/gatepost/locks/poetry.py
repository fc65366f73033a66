"""poetry.lock: a hash over chosen keys of pyproject.toml, taken as they stand; Poetry itself looks at nothing else.

Which keys depends on the Poetry that wrote the lock:

* 1.x: `dependencies`, `source`, `extras`, `dev-dependencies` (absent ones as null) and, from 1.2, `group`, of
  `[tool.poetry]`. `[project]` does not exist for it.
* 2.0: also `requires-python`, `dependencies`, `optional-dependencies` of `[project]`; then absent keys are left out.
* 2.3: also the whole of `[dependency-groups]`; a lock of an older Poetry is compared without it as well.

Source: `poetry/packages/locker.py` of 1.0 to 2.5 (`Locker._get_content_hash`, `Locker.is_fresh`).
"""

from __future__ import annotations

from gatepost.locks._base import Fresh, LockFormat, Stale, Unknown, late
from gatepost.locks._manifest import json_text, load_toml, project_of, sha256, show, table, toml_of
from gatepost.locks._poetry_header import Header, header, is_one, reads_groups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks._base import Lock, Verdict

KNOWN_WRITER = (2, 5)  # the newest Poetry whose rule was checked against the tool itself
KNOWN_FORMAT = (2, 1)  # the newest lock-version

_LEGACY = ("dependencies", "source", "extras", "dev-dependencies")
_PROJECT = ("requires-python", "dependencies", "optional-dependencies")


def content_hash(data: dict[str, Any], project: bool = True, groups: bool = True, group: bool = True) -> str:
    """The hash of a parsed pyproject.toml: all three on is Poetry 2.3, no `groups` is 2.0, also no `project` is 1.2.

    Raises:
        TypeError, ValueError, RecursionError: the keys hold what JSON cannot (a date); Poetry fails likewise.
    """
    mine = data.get("project", {}) if project else {}
    chosen = {key: mine[key] for key in _PROJECT if mine.get(key) is not None}
    grouped = data.get("dependency-groups", {}) if groups else {}
    poetry = data.get("tool", {}).get("poetry", {})
    kept = {key: poetry.get(key) for key in _LEGACY if poetry.get(key) is not None or not (chosen or grouped)}
    if group and poetry.get("group") is not None:
        kept["group"] = poetry["group"]
    content: dict[str, Any] = {}
    if chosen:
        content["project"] = chosen
    if grouped:
        content["dependency-groups"] = grouped
    content = {**content, "tool": {"poetry": kept}} if content else kept
    return sha256(json_text(content))


def judge(lock: Lock) -> Verdict:
    """Compare the recorded hash with the one of the pyproject.toml beside the lock."""
    from gatepost.locks._slim import conflict
    from gatepost.toml.load import TomlError

    if (line := conflict(lock)) is not None:
        return Unknown(rule="poetry.lock", reason="the lock has merge conflict markers", line=line, code="LF202")
    try:
        head = header(lock)
    except TomlError as error:
        return Unknown(
            rule="poetry.lock", reason=f"the lock is not valid TOML: {error.reason}", line=error.line, code="LF202"
        )
    if head.format > KNOWN_FORMAT:
        reason = f"its lock-version {show(head.format_text)} is newer than {'.'.join(map(str, KNOWN_FORMAT))}"
        return Unknown(rule="poetry.lock", reason=reason, code="LF302")
    path = lock.beside("pyproject.toml")
    data = load_toml(lock, path, "poetry.lock")
    if isinstance(data, Unknown):
        return data
    one = is_one(head, data)
    by = f"Poetry {head.writer_text}" if head.writer else "Poetry"
    rule = f"content-hash of Poetry {_era(head, one)}" + (f" (written by {by})" if head.writer else "")
    try:
        found = _match(data, head, one)
    except (TypeError, ValueError, AttributeError, RecursionError):
        reason = "pyproject.toml holds a value that Poetry cannot read where dependencies stand"
        return Unknown(rule=rule, reason=reason, path=path, code="LF305")
    if found is None:
        return _stale(lock, data, head, one, rule)
    note = ""
    if one and content_hash(data) != head.content_hash:
        note = "Poetry 1.x ignores [project] and [dependency-groups]; Poetry 2 would call this lock out of date"
    return Fresh(rule=rule, note=note)


def _era(head: Header, one: bool) -> str:
    if one:
        return "1.x"
    return "2.0 to 2.2" if head.writer and head.writer < (2, 3, 0) else "2.3 and later"


def _match(data: dict[str, Any], head: Header, one: bool) -> str | None:
    """Which rule of the writer's accepts the hash, or None."""
    if not head.content_hash:
        return None
    if one:
        return "1.x" if content_hash(data, project=False, groups=False) == head.content_hash else None
    if content_hash(data) == head.content_hash:
        return "2.3"
    if head.writer and head.writer < (2, 3, 0) and content_hash(data, groups=False) == head.content_hash:
        return "2.0"
    return None


def _stale(lock: Lock, data: dict[str, Any], head: Header, one: bool, rule: str) -> Verdict:
    from gatepost.locks._manifest import line_of, spell_key
    from gatepost.locks._poetry_lock import first_difference

    path = lock.beside("pyproject.toml")
    groups = reads_groups(head, one)
    difference = first_difference(lock.data, data, head.python_versions, project=not one, groups=groups)
    if difference is None and head.writer and head.writer[:2] > KNOWN_WRITER:
        reason = f"Poetry {head.writer_text} wrote it, whose hash rule is not known, and no requirement differs visibly"
        return Unknown(rule=rule, reason=reason, code="LF302", path=path)
    reason, key = difference or (_guess(data, head, one), ())
    code = "LF102" if key and key[-1] in ("python", "requires-python") else "LF101"
    line = line_of(lock, path, key)
    return Stale(rule=rule, reason=reason, code=code, path=path, key=spell_key(key), line=line, relock=relock(lock))


def _guess(data: dict[str, Any], head: Header, one: bool) -> str:
    """What to say when names and versions agree: the hash covers spelling, too."""
    if not head.content_hash:
        return "the lock has no content-hash"
    variants = (
        (
            {"project": False, "groups": False, "group": False},
            "the lock does not know the groups of [tool.poetry.group]",
        ),
        ({"groups": False}, "the lock does not know [dependency-groups], which Poetry counts since 2.3"),
        ({"project": False, "groups": False}, "the lock does not know [project], which Poetry counts since 2.0"),
    )
    for options, reason in variants:
        if content_hash(data, **options) == head.content_hash:
            return reason
    keys = "[tool.poetry] dependencies, group, extras or source"
    if not one and table(data, "project"):
        keys = "[project] requires-python or dependencies, [dependency-groups], or " + keys
    return f"a requirement is spelled, ordered or limited differently than when it was locked (Poetry compares {keys})"


def relock(lock: Lock) -> str:
    """`poetry lock --no-update` for a lock of 1.x that 1.x can still make, `poetry lock` since 2.0."""
    from gatepost.locks._manifest import quote
    from gatepost.toml.load import TomlError

    one = False
    try:
        head = header(lock)
        one = is_one(head, toml_of(lock, lock.beside("pyproject.toml")))
    except TomlError:
        pass
    command = "poetry lock --no-update" if one else "poetry lock"
    return command + (f" -C {quote(lock.directory)}" if lock.directory else "")


def check(lock: Lock) -> str:
    """The command that asks Poetry itself."""
    from gatepost.locks._manifest import quote

    return "poetry check --lock" + (f" -C {quote(lock.directory)}" if lock.directory else "")


def owns(lock: Lock) -> bool | None:
    """`[tool.poetry]` or its build backend: yes; another tool's table and neither: no."""
    found = project_of(lock)
    if found is None:
        return None
    data, backend = found
    if table(data, "tool", "poetry") or "poetry" in backend:
        return True
    others = {"uv", "pdm", "pixi", "hatch", "rye"} & set(table(data, "tool"))
    return False if others or not table(data, "project") else None


FORMAT = LockFormat(
    name="poetry",
    files="poetry.lock",
    decides="Poetry's content hash, by the rule of the Poetry that wrote the lock (1.0 to 2.5)",
    pattern=r"poetry\.lock",
    manifests=("pyproject.toml",),
    relock=relock, check=check, judge=judge, owns=owns,
    packages=late("_poetry_lock", "contents"), sound=late("_poetry_scan", "sound"),
)  # fmt: skip
