"""pdm.lock: a hash over chosen keys of pyproject.toml, or, where the lock records them, its inputs and pins.

The hash is PDM's of 2.20 and later. Older PDMs hashed other keys; no later PDM accepts theirs, so such a lock is out
of date even if nothing was touched, and the message says that this is why. `lock_version` is looked at first.
Sources: PDM 2.29 `cli/actions.py` (`check_lockfile`), `project/lockfile/{pdmlock,freshness}.py`.
"""

from __future__ import annotations

from gatepost.locks._base import Fresh, LockFormat, Stale, Unknown, late
from gatepost.locks._manifest import load_toml, project_of, quote, show, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks._base import Lock, Verdict

KNOWN = (4, 5)  # the newest lock_version, major and minor
RULE = "content hash of PDM"


def head(lock: Lock) -> dict[str, Any]:
    """What stands before the packages, once a lock; all of it where nothing is recognised.

    Raises:
        TomlError: not a TOML document.
    """
    from gatepost.locks._slim import canonical_text, loads_lock
    from gatepost.toml.load import loads

    def head() -> dict[str, Any]:
        data = canonical_text(lock) or b""
        at = data.find(b"\n[[package]]\n")
        return loads(data[: at + 1]) if at > 0 else loads_lock(lock.data)

    return lock.once("pdm", head)


def metadata(lock: Lock) -> dict[str, Any]:
    """The `[metadata]` table; the packages are not parsed where it stands before them, as PDM writes it.

    Raises:
        TomlError: not a TOML document.
    """
    from gatepost.locks._slim import canonical_text, loads_lock
    from gatepost.toml.load import TomlError

    data = canonical_text(lock) or b""
    at = data.find(b"\n[[package]]\n")
    if at > 0 and data.find(b"\n[metadata", at) < 0:
        try:
            if values := table(head(lock), "metadata"):
                return values
        except TomlError:
            pass
    return table(loads_lock(lock.data), "metadata")


def _version(text: object) -> tuple[int, ...]:
    """(major, minor) that a lock_version begins with; () where it is none."""
    if not isinstance(text, str):
        return ()
    parts = text.split(".")
    if text.isascii() and len(parts) > 1 and all(part.isdigit() and len(part) < 10 for part in parts[:2]):
        return (int(parts[0]), int(parts[1]))
    import re

    found = re.match(r"(\d{1,9})(?:\.(\d{1,9}))?", text)
    return (int(found[1]), int(found[2] or 0)) if found else ()


def judge(lock: Lock) -> Verdict:
    """PDM's own check: readable lock_version, then hash or recorded inputs."""
    from gatepost.locks._slim import conflict
    from gatepost.toml.load import TomlError

    if (line := conflict(lock)) is not None:
        return Unknown(rule=RULE, reason="the lock has merge conflict markers", line=line, code="LF202")
    try:
        meta = metadata(lock)
    except TomlError as error:
        return Unknown(rule=RULE, reason=f"the lock is not valid TOML: {error.reason}", line=error.line, code="LF202")
    path = lock.beside("pyproject.toml")
    data = load_toml(lock, path, RULE)
    if isinstance(data, Unknown):
        return data
    text = meta.get("lock_version", "")
    version = _version(text)
    if version > KNOWN:
        reason = f"its lock_version {show(str(text))} is newer than {KNOWN[0]}.{KNOWN[1]}"
        return Unknown(rule=RULE, reason=reason, code="LF302")
    if not version or version[0] != KNOWN[0]:
        reason = f"its lock_version is {show(str(text)) or 'missing'}, which PDM 2.6 and later cannot read"
        return Stale(rule="lock_version of PDM", reason=reason)
    recorded = meta.get("content_hash", "")
    algorithm, _, digest = recorded.partition(":") if isinstance(recorded, str) else ("", "", "")
    wants_inputs = table(data, "tool", "pdm", "resolution").get("lock_inputs") is True
    if "lock_inputs" in meta:
        from gatepost.locks._pdm_inputs import judge_inputs

        return judge_inputs(lock, data, meta["lock_inputs"], path)
    if wants_inputs:
        reason = "tool.pdm.resolution.lock_inputs is on, the lock records no inputs"
        return Stale(rule="lock_inputs of PDM", reason=reason, path=path, key="tool.pdm.resolution.lock_inputs")
    return compare_hash(lock, data, algorithm, digest, path)


def compare_hash(lock: Lock, data: dict[str, Any], algorithm: str, digest: str, path: str) -> Verdict:
    """Hash mode, shared with the pylock.toml that PDM writes."""
    from gatepost.locks._pdm_hash import ERAS, NOW, Unhashable, whole_hash

    rule = f"{RULE} {NOW}"
    if not digest or not algorithm:
        return Stale(rule=rule, reason="the lock has no content hash", path="")
    try:
        if whole_hash(lock, data, algorithm) == digest:
            return Fresh(rule=rule)
        from gatepost.locks._pdm_lock import first_difference

        reason, key = first_difference(lock, data) or ("", ())
        if not reason:
            for era in ERAS:
                if whole_hash(lock, data, algorithm, era) == digest:
                    if table(data, "dependency-groups"):
                        return _stale(
                            lock, rule, "[dependency-groups] is not in the lock", path, ("dependency-groups",)
                        )
                    reason = f"nothing changed, but PDM {era} wrote it, whose hash no later PDM accepts"
                    command = f"pdm lock --refresh{_project(lock)}"
                    return Stale(rule=f"{RULE} {era}", reason=reason, path=path, relock=command)
    except Unhashable as error:
        return Unknown(rule=rule, reason=f"of {path}: {error}", path=path)
    if not reason:
        keys = "[project] dependencies, optional-dependencies, requires-python, [dependency-groups], tool.pdm.source"
        reason = (
            f"a requirement or setting is spelled or ordered differently than when it was locked (PDM compares {keys}"
        )
        reason += " and tool.pdm.resolution)"
    return _stale(lock, rule, reason, path, key)


def _stale(lock: Lock, rule: str, reason: str, path: str, key: tuple[str | int, ...]) -> Stale:
    from gatepost.locks._manifest import line_of, spell_key

    return Stale(rule=rule, reason=reason, path=path, key=spell_key(key), line=line_of(lock, path, key))


def _project(lock: Lock) -> str:
    return f" --project {quote(lock.directory)}" if lock.directory else ""


def relock(lock: Lock) -> str:
    """`pdm lock --update-reuse`, which keeps every pin that still fits."""
    return f"pdm lock --update-reuse{_project(lock)}"


def check(lock: Lock) -> str:
    """The command that asks PDM itself."""
    return f"pdm lock --check{_project(lock)}"


def owns(lock: Lock) -> bool | None:
    """`[tool.pdm]` or PDM's build backend: yes; another tool's table and neither: no."""
    found = project_of(lock)
    if found is None:
        return None
    data, backend = found
    if "pdm" in table(data, "tool") or "pdm" in backend:
        return True
    return False if {"uv", "poetry", "pixi", "hatch", "rye"} & set(table(data, "tool")) else None


FORMAT = LockFormat(
    name="pdm",
    files="pdm.lock, pdm.*.lock",
    decides="PDM's content hash of 2.20 and later, as today's PDM asks for, or the inputs that the lock records (2.28)",
    pattern=r"pdm\.lock|pdm\.[^/]+\.lock",
    manifests=("pyproject.toml",),
    relock=relock, check=check, judge=judge, owns=owns,
    packages=late("_pdm_lock", "contents"), sound=late("_pdm_scan", "sound"),
)  # fmt: skip
