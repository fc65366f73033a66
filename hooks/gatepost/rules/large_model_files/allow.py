"""The allow-list: a path with the id of the content that is allowed there, and the reason.

The id is git's own (`git rev-parse :PATH`, or `git hash-object PATH`), so that asking costs nothing and a fixture
cannot grow behind its entry's back.
"""

from __future__ import annotations

from gatepost.model import Finding, Location, Setting
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from gatepost.tree.history import Source

_FIELDS = tuple(Setting(key=key, kind="str", default="", help="") for key in ("path", "id", "reason"))
_WHERE = "tool.gatepost.large-model-files.allow"


@record
class Allowed:
    """One entry."""

    path: str
    oid: str
    reason: str
    index: int


def read_allowed(value: Any) -> tuple[Allowed, ...]:
    """The entries of the `allow` setting.

    Raises:
        gatepost.settings.SettingsError: not an array of tables, or an entry lacks a part.
    """
    from gatepost.settings import SettingsError, validate

    if not isinstance(value, (list, tuple)) or not all(isinstance(each, dict) for each in value):
        raise SettingsError(f"{_WHERE} must be an array of tables with `path`, `id` and `reason`")
    found = []
    for index, each in enumerate(value):
        entry = validate(_FIELDS, each, f"{_WHERE}[{index}].")
        for key in ("path", "id", "reason"):
            if not entry[key].strip():
                raise SettingsError(f"{_WHERE}[{index}] has no `{key}`")
        oid = entry["id"].strip().lower()
        if len(oid) not in (40, 64) or oid.strip("0123456789abcdef"):
            raise SettingsError(
                f"{_WHERE}[{index}].id must be git's full blob id (`git hash-object FILE`), not {entry['id']!r}"
            )
        path = entry["path"].strip().removeprefix("./")
        found.append(Allowed(path=path, oid=oid, reason=entry["reason"].strip(), index=index))
    return tuple(found)


def stale(source: Source, entries: Iterable[Allowed]) -> Iterator[Finding]:
    """Entries that allow nothing, asked where all that is tracked is judged."""
    for each in entries:
        found = source.entry(each.path)
        if found is not None and found[1] == each.oid:
            continue
        what = f"has other content now ({found[1][:10]})" if found is not None else "is not tracked"
        yield Finding(
            code="MF122",
            where=Location(path=each.path),
            message=f"{_WHERE}[{each.index}] allows nothing: `{each.path}` {what}",
            remedy="delete the entry" + (f', or write `id = "{found[1]}"`' if found is not None else ""),
        )


def snippet(path: str, oid: str) -> str:
    """The entry that would allow a blob, on one line; the reason is left to be written; "" if it cannot be written so."""
    quoted = '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if not path or not path.isprintable() or any("\ud800" <= char <= "\udfff" for char in path):
        return ""
    return f'allow = [{{ path = {quoted}, id = "{oid}", reason = "..." }}]'
