"""`[[tool.poetry.source]]`: roles by priority, and the keys that Poetry 2 rejects (TS108, TS133)."""

from __future__ import annotations

from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.model import (
    DEFAULT,
    FALLBACK,
    ROUTED,
    SHARED,
    Fact,
    Index,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.rules.torch_source.readers.common import Toml


def sources_of(toml: Toml, sources: list[Any]) -> tuple[list[Index], list[Fact]]:
    indexes: list[Index] = []
    facts: list[Fact] = []
    primaries = sum(1 for item in sources if isinstance(item, dict) and _priority(item) in ("primary", "default"))
    names: dict[str, int] = {}
    for number, item in enumerate(sources):
        if not isinstance(item, dict):
            continue
        path = ("tool", "poetry", "source", number)
        name, priority = str(item.get("name", "")), _priority(item)
        url = str(item.get("url", ""))
        if name.lower() in names:
            facts.append(
                Fact(
                    code="TS133",
                    where=toml.where(*path, "name"),
                    message=f"source `{name}` is declared twice (Poetry refuses the file)",
                    remedy="Remove or rename one of the two [[tool.poetry.source]] entries.",
                )
            )
        names[name.lower()] = number
        role = {"explicit": ROUTED, "supplemental": FALLBACK, "secondary": FALLBACK}.get(priority, "")
        if not role:
            role = DEFAULT if primaries == 1 and not urls.is_pypi(url) and name.lower() != "pypi" else SHARED
        if (not url and name.lower() == "pypi") or urls.is_pypi(url):
            url = url or "pypi"
            role = "pypi" if priority != "explicit" else ROUTED
        legacy = _legacy(item)
        if legacy:
            key = legacy if legacy in item else "priority"
            target = "primary" if legacy == "default" else "supplemental"
            if urls.is_torch_index(url):
                target = "explicit"
            facts.append(
                Fact(
                    code="TS108",
                    where=toml.where(*path, key),
                    message=f"source `{name}` uses {_shown_legacy(item)}, which Poetry 2 rejects",
                    remedy=f'Write `priority = "{target}"`, then run `poetry lock`.'
                    if priority in ("default", "secondary")
                    else f"Remove `{legacy}`, then run `poetry lock`.",
                    edits=_legacy_edits(toml, path, item, target),
                )
            )
        indexes.append(
            Index(
                name=name,
                url=url,
                where=toml.where(*path, "url") if item.get("url") else toml.where(*path),
                role=role,
                span=toml.inner(*path, "url"),
                written=priority,
            )
        )
    return indexes, facts


def _legacy_edits(
    toml: Toml, path: tuple[str | int, ...], item: dict[str, Any], target: str
) -> tuple[tuple[int, int, str], ...]:
    """`priority = "default"` -> the new word; the keys `default` and `secondary` -> one priority key, or none."""
    edits: list[tuple[int, int, str]] = []
    doc = toml.document()
    header = doc.statement(path)
    if header is None:  # an inline table
        return ()
    written = item.get("priority")
    if str(written).lower() in ("default", "secondary"):
        inner = toml.inner(*path, "priority")
        if inner is None:
            return ()
        edits.append((*inner, target))
    wanted = written is None and (item.get("default") is True or item.get("secondary") is True)
    for key in ("default", "secondary"):
        statement = doc.statement((*path, key))
        if statement is None:
            continue
        if wanted and item[key] is True:
            edits.append((statement.key_start, statement.value_end, f'priority = "{target}"'))
            wanted = False
        elif statement.comment_start >= 0:
            edits.append((statement.key_start, statement.comment_start, ""))
        else:
            edits.append((statement.start, statement.end, ""))
    return tuple(edits)


def _priority(item: dict[str, Any]) -> str:
    written = item.get("priority")
    if isinstance(written, str):
        return written.lower()
    if item.get("secondary") is True:
        return "secondary"
    if item.get("default") is True:
        return "default"
    return "primary"


def _legacy(item: dict[str, Any]) -> str:
    written = item.get("priority")
    if isinstance(written, str) and written.lower() in ("default", "secondary"):
        return written.lower()
    return next((key for key in ("default", "secondary") if key in item), "")


def _shown_legacy(item: dict[str, Any]) -> str:
    if str(item.get("priority")).lower() in ("default", "secondary"):
        return f'`priority = "{item["priority"]}"`'
    key = _legacy(item)
    return f"the key `{key} = {str(item[key]).lower()}`"
