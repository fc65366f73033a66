"""`.gatepost.lock`: what the last sync wrote, as values, so that the next one can tell our edits from the project's.

One path a line. `value` is the shared value at the last sync, `origin` says who wrote the key ("added": we did,
"adopted": the project had it), `ours` lists the list items that we added, `before` is the project's own value where
an upgrade replaced an adopted one, `text` is how the project had written a list on one line before items were added,
and `table` marks a key whose empty table was there before us. `[own]` is what a file had in `[tool.gatepost]` before.
"""

from __future__ import annotations

from gatepost.record import record
from gatepost.sync.paths import read, render, show
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

NAME = ".gatepost.lock"
FORMAT = 1
HEADER = """\
# Written by `gatepost sync-configs`: the shared settings of the last sync. Commit it, do not edit it.
"""
ADDED, ADOPTED = "added", "adopted"


class RecordError(ValueError):
    """The record cannot be read; `newer` says that a newer gatepost wrote it."""

    def __init__(self, reason: str, *, newer: bool = False) -> None:
        super().__init__(reason)
        self.newer = newer


@record
class Entry:
    """One synced key."""

    value: Any
    origin: str
    ours: tuple[Any, ...] | None = None  # list items that we added; None: all of `value` (added), none (adopted)
    before: tuple[Any, ...] = ()  # (the project's value,) or ()
    table: bool = False
    text: str = ""

    def added_items(self) -> list[Any]:
        """The list items that are ours to take away again."""
        if self.ours is not None:
            return list(self.ours)
        return list(self.value) if self.origin == ADDED and isinstance(self.value, list) else []


@record
class Record:
    """The whole file: gatepost's version, the profiles, and for each synced file its entries by path."""

    version: str
    profile: tuple[str, ...]
    files: Mapping[str, Mapping[tuple[str, ...], Entry]]
    baseline: Mapping[str, tuple[str, ...]] | None = None  # ruff's findings at adoption: path -> codes
    made: tuple[str, ...] = ()  # files that `gatepost init` or the first sync made, for `gatepost uninstall`
    skipped: tuple[str, ...] = ()  # ids that it put into `skip`
    own: Mapping[str, Mapping[str, Any]] | None = None  # file -> its [tool.gatepost] before (`own_settings`)


def empty() -> Record:
    """The record of a project that was never synced."""
    return Record(version="", profile=(), files={})


def parse(data: bytes) -> Record:
    """Read a record.

    Raises:
        RecordError: not one of ours, or of a newer format.
    """
    try:
        content = loads(data)
    except TomlError as error:
        raise RecordError(f"not valid TOML: {error}") from None
    number = content.get("format")
    if not isinstance(number, int) or isinstance(number, bool):
        raise RecordError("it has no `format`")
    if number > FORMAT:
        raise RecordError(f"format {number} is newer than this gatepost knows ({FORMAT})", newer=True)
    files: dict[str, dict[tuple[str, ...], Entry]] = {}
    synced = content.get("synced")
    for name, table in synced.items() if isinstance(synced, dict) else ():
        entries = files.setdefault(name, {})
        for path, body in table.items() if isinstance(table, dict) else ():
            if not isinstance(body, dict) or "value" not in body or body.get("origin") not in (ADDED, ADOPTED):
                raise RecordError(f"the entry `{path}` is not understood")
            ours = body.get("ours")
            entries[read(path)] = Entry(
                value=body["value"],
                origin=body["origin"],
                ours=tuple(ours) if isinstance(ours, list) else None,
                before=(body["before"],) if "before" in body else (),
                table=body.get("table") is True,
                text=body["text"] if isinstance(body.get("text"), str) else "",
            )
    ignored, own = content.get("baseline"), content.get("own")
    return Record(
        baseline={path: tuple(map(str, codes)) for path, codes in ignored.items() if isinstance(codes, list)}
        if isinstance(ignored, dict)
        else None,
        version=str(content.get("version", "")),
        profile=_strings(content.get("profile")),
        files=files,
        made=_strings(content.get("made")),
        skipped=_strings(content.get("skipped")),
        own={name: table for name, table in own.items() if isinstance(table, dict)} if isinstance(own, dict) else None,
    )


def dump(content: Record) -> bytes:
    """The bytes of a record: sorted, so that the same state is the same file."""
    lines = [HEADER, f"format = {FORMAT}\n", f"version = {render(content.version)}\n"]
    lines.append(f"profile = {render(list(content.profile))}\n")
    if content.made:
        lines.append(f"made = {render(sorted(content.made))}\n")
    if content.skipped:
        lines.append(f"skipped = {render(sorted(content.skipped))}\n")
    for name in sorted(content.files):
        if not content.files[name]:
            continue
        lines.append(f"\n[synced.{show((name,))}]\n")
        for path, entry in sorted(content.files[name].items()):
            body: dict[str, Any] = {"origin": entry.origin, "value": entry.value}
            if entry.ours is not None:
                body["ours"] = list(entry.ours)
            if entry.before:
                body["before"] = entry.before[0]
            if entry.table:
                body["table"] = True
            if entry.text:
                body["text"] = entry.text
            lines.append(f"{_quoted(show(path))} = {render(body)}\n")
    if content.own is not None:
        lines.append("\n[own]\n")
        lines += [f"{render(name)} = {render(dict(table))}\n" for name, table in sorted(content.own.items())]
    if content.baseline is not None:
        lines.append("\n[baseline]\n")
        lines += [f"{render(path)} = {render(list(codes))}\n" for path, codes in sorted(content.baseline.items())]
    return "".join(lines).encode()


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _quoted(text: str) -> str:
    """A key that holds quotes, readable: in single quotes where it has none itself."""
    return f"'{text}'" if '"' in text and "'" not in text and text.isprintable() else render(text)
