"""The first difference between two lists of requirements, in words. Loaded only for a stale lock."""

from __future__ import annotations

from gatepost.locks.uv.case import Difference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.locks.uv.identity import Wanted


def difference(missing: list[Wanted], extra: list[Wanted], what: str, path: str) -> Difference:
    """Name the first difference in words."""
    for item in missing:
        old = next((other for other in extra if other.name == item.name and other.label in ("", item.label)), None)
        where = item.label or what
        if old is None:
            return Difference("LF101", f"{where} gained {_short(item)}", item.path, item.key)
        new, had = _short(item), _short(old)
        if new == had:
            new, had = (f"{text} ({_kind(each)})" for text, each in ((new, item), (had, old)))
        asks = "ask" if where.endswith("'s dependencies") or "-dependencies" in where else "asks"
        return Difference("LF101", f"{where} now {asks} for {new}, the lock has {had}", item.path, item.key)
    old = extra[0]
    return Difference("LF101", f"{old.label or what} lost {_short(old)}", path)


def _short(item: Wanted) -> str:
    text = " ".join(item.text.split())
    kind = item.identity[2]
    if " @ " not in text and kind in ("git", "url"):
        text += f" from {item.identity[3]}"
    elif kind in ("directory", "path"):
        text += f" from {item.identity[3] or '.'}"
    elif kind == "registry" and item.identity[4]:
        text += f" from index {item.identity[4]}"
    return text


def _kind(item: Wanted) -> str:
    """What tells two requirements apart that are written alike."""
    if item.identity[2] == "directory":
        _, _, _, _, editable, virtual = item.identity
        words = "editable" if editable else "not a package" if virtual else "a package"
    else:
        words = ", ".join(item.identity[4:]) if item.identity[2] == "git" else ""
    return ", ".join(part for part in (words, "under a marker" if item.marker is not True else "everywhere") if part)
