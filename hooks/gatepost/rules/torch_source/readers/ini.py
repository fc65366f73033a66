"""INI files as configparser reads them, with the place of every row of a value: setup.cfg, tox.ini."""

from __future__ import annotations

from gatepost.patterns import pattern
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ROW = pattern(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # as Python counts lines


@record
class Text:
    """A string of the file: its value, 1-based line, and the character where it starts if it stands there as it is."""

    value: str
    line: int
    start: int | None


def entries(text: str) -> Iterable[tuple[str, str, list[Text]]]:
    """(section, key, the rows of its value) of an INI file as configparser reads it; comments are left out."""
    section, key = "", ""
    rows: list[Text] = []
    at = 0
    for number, row in enumerate(ROW.findall(text), 1):
        plain = row.strip()
        start, at = at + len(row) - len(row.lstrip()), at + len(row)
        if not plain or plain[0] in "#;":
            continue
        if row[0].isspace() and key:
            rows.append(Text(value=plain, line=number, start=start))
            continue
        if key:
            yield section, key, rows
        key, rows = "", []
        if plain[0] == "[" and plain.endswith("]"):
            section = plain[1:-1].strip()
            continue
        stop = min((place for mark in "=:" if (place := row.find(mark)) >= 0), default=-1)
        if stop < 0:
            continue
        key = row[:stop].strip().lower().replace("-", "_") if section == "options" else row[:stop].strip().lower()
        value = row[stop + 1 :].strip()
        if value:
            rows.append(Text(value=value, line=number, start=at - len(row) + row.index(value, stop + 1)))
    if key:
        yield section, key, rows
