"""What a project says itself in `[tool.gatepost]`: the profile, what it keeps and what it drops."""

from __future__ import annotations

from gatepost.record import record
from gatepost.sync.paths import get, normal
from gatepost.sync.tables import identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.sync.paths import Keys

KEEP = ("tool", "gatepost", "keep")
DROP = ("tool", "gatepost", "drop")


@record
class Declared:
    """Kept paths with their reason, refused list items with theirs."""

    keep: Mapping[Keys, str]
    drop: Mapping[Keys, Mapping[str, str]]

    def kept(self, path: Keys) -> str | None:
        """The reason for which a path is left alone, or None."""
        for size in range(len(path), 0, -1):
            reason = self.keep.get(path[:size])
            if reason is not None:
                return reason
        return None

    def dropped(self, path: Keys) -> frozenset[str]:
        return frozenset(identity(path, item) for item in self.drop.get(path, ()))


def declared(table: Any) -> Declared:
    """The declarations in a `[tool.gatepost]` table; what is malformed there is left out."""
    keep: dict[Keys, str] = {}
    drop: dict[Keys, dict[str, str]] = {}
    entries = get(table, ("keep",))
    for path, reason in entries.items() if isinstance(entries, dict) else ():
        keep[normal(path)] = reason if isinstance(reason, str) else ""
    entries = get(table, ("drop",))
    for path, items in entries.items() if isinstance(entries, dict) else ():
        if isinstance(items, dict):
            drop[normal(path)] = {str(item): str(reason) for item, reason in items.items()}
        elif isinstance(items, list):
            drop[normal(path)] = {item: "" for item in items if isinstance(item, str)}
        elif isinstance(items, str):
            drop[normal(path)] = {items: ""}
    return Declared(keep=keep, drop=drop)


def settings(data: dict[str, Any]) -> dict[str, Any]:
    """What `sync.plan.plan` needs of [tool.gatepost]."""
    table = get(data, ("tool", "gatepost"))
    table = table if isinstance(table, dict) else {}
    own = table.get("sync-configs")
    lists = {
        key: [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
        for key, value in (own if isinstance(own, dict) else {}).items()
    }
    return {"profile": table.get("profile", "base"), **lists}
