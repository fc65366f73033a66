"""What the parts of one merge share: the file's data, the record, and what has been decided so far."""

from __future__ import annotations

from gatepost.record import record
from gatepost.sync.declared import KEEP, declared
from gatepost.sync.overrides import PATH as OVERRIDES
from gatepost.sync.paths import get, leaves, render, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gatepost.sync.declared import Declared
    from gatepost.sync.paths import Keys
    from gatepost.sync.proof import Op
    from gatepost.sync.record_file import Entry
    from gatepost.toml.scan import Document


@record
class Note:
    """One thing that the merge did or saw. `kind`: add update drift keep kept drop retired released conflict."""

    kind: str
    path: Keys
    text: str


class Work:
    """One file under merge: `local` is its data, `before` its record; `entries`, `notes`, `ops` and `keeps` come out."""

    def __init__(
        self,
        text: str,
        data: dict[str, Any],
        prefix: Keys,
        entries: Mapping[Keys, Entry],
        declarations: Declared | None,
        older: Sequence[Mapping[str, Any]],
    ) -> None:
        self.text = text
        self.local = data
        self.prefix = prefix
        self.before = entries
        self.here = declarations is None
        self.declared = declarations or declared(get(data, ("tool", "gatepost")))
        synced_before = get(data, ("tool", "gatepost")) is not None or not self.here
        self.older = [dict(leaves(each)) for each in older] if synced_before and not entries else []
        self.entries: dict[Keys, Entry] = {}
        self.notes: list[Note] = []
        self.ops: list[Op] = []
        self.keeps: list[tuple[Keys, str]] = []
        self._document: Document | None = None

    def at(self, path: Keys) -> Any:
        """The file's own value of a setting."""
        return get(self.local, path[len(self.prefix) :])

    def written(self, path: Keys) -> str:
        """A value as it is written in the file, "" if it is not written in one place."""
        if self._document is None:
            from gatepost.toml.scan import scan

            self._document = scan(self.text)
        span = self._document.span(path[len(self.prefix) :])
        return self.text[span[0] : span[1]] if span is not None else ""

    def op(self, name: str, path: Sequence[str | int], *rest: Any) -> None:
        self.ops.append((name, tuple(path)[len(self.prefix) :], *rest))

    def note(self, kind: str, path: Keys, text: str) -> None:
        self.notes.append(Note(kind=kind, path=path, text=text))

    def was_empty(self, path: Keys) -> bool:
        """Whether the table of a key that is added was there before us, with nothing of its own in it."""
        table = path[:-1]
        beside = [entry.table for known, entry in self.before.items() if table_of(known) == table]
        return any(beside) or self.at(table) == {}

    def hint(self, path: Keys) -> str:
        return f'to keep it, write under [{show(KEEP)}]: {render(show(path))} = "why"'


def table_of(path: Keys) -> Keys:
    """The table that `Entry.table` is about: the one above a key, [tool.mypy] for all of its overrides."""
    return OVERRIDES[:-1] if path[:3] == OVERRIDES else path[:-1]


def brief(value: Any) -> str:
    text = render(value)
    return text if len(text) <= 60 else text[:57] + "..."
