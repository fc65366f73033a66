"""Old ruff settings in today's place and under today's names, comments kept, proved by reading back."""

from __future__ import annotations

from gatepost.sync.layout import NotSpliceable
from gatepost.sync.paths import get, leaves, plain, same, show
from gatepost.sync.proof import proved
from gatepost.sync.removal import remove
from gatepost.sync.tables import LEGACY_RUFF, REMOVED_RUFF, current_code, is_code_list, legacy_keys
from gatepost.toml.load import loads
from gatepost.toml.scan import KEY, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.sync.paths import Keys


def migrated(text: str, ruff: Keys) -> tuple[str, list[str]]:
    """The text with legacy lint keys under `lint` and removed or renamed rules mended, and what was done.

    Args:
        text: a TOML file.
        ruff: the path of ruff's settings in it: ("tool", "ruff"), or () in a ruff.toml.

    Raises:
        TomlError: not TOML.
        NotSpliceable: a shape that cannot be changed safely.
    """
    text, moved = _moved(text, ruff)
    text, mended = _mended(text, ruff)
    return text, moved + mended


def _moved(text: str, ruff: Keys) -> tuple[str, list[str]]:
    data = loads(text.encode("utf-8"))
    keys = legacy_keys(get(data, ruff))
    if not keys:
        return text, []
    meant = plain(data)
    table = get(meant, ruff)
    lint = table.setdefault("lint", {})
    if not isinstance(lint, dict):
        raise NotSpliceable(f"{show((*ruff, 'lint'))} is not a table")
    said = []
    for key in keys:
        old = table.pop(key)
        if key in lint and not (isinstance(old, dict) and isinstance(lint[key], dict)):
            said.append(f"{show((*ruff, key))} removed: {show((*ruff, 'lint', key))} has overruled it")
        else:
            lint[key] = {**old, **lint[key]} if key in lint else old
            said.append(f"{show((*ruff, key))} -> {show((*ruff, 'lint', key))}")
    new = text
    for _ in range(len(scan(text).statements) + 1):
        step = _one(new, ruff)
        if step is None:
            break
        new = step
    if not same(loads(new.encode("utf-8")), meant):
        raise NotSpliceable("the migrated file would not mean what was meant")
    return new, said


def _one(text: str, ruff: Keys) -> str | None:
    """The text with the first statement that holds a legacy key moved, None when there is none."""
    document = scan(text)
    data = loads(text.encode("utf-8"))
    size = len(ruff)
    header = document.statement((*ruff, "lint"))
    for statement in document.statements:
        path = statement.path
        if len(path) <= size or path[:size] != ruff or path[size] not in LEGACY_RUFF:
            continue
        to: Keys = (*ruff, "lint", *map(str, path[size:]))
        if statement.kind != KEY:
            if document.statement(to) is not None:
                raise NotSpliceable(f"both {show(map(str, path))} and {show(to)} have a header; join them by hand")
            bracket = text[statement.value_start : statement.value_end]
            double = 2 if bracket.startswith("[[") else 1
            return text[: statement.value_start] + "[" * double + show(to) + "]" * double + text[statement.value_end :]
        above = len(path) - len(statement.keys)
        if above > size:
            continue  # its header is a legacy one: renamed above
        if get(data, to) is not None:
            return remove(document, path)
        if header is None or header.kind == KEY:
            return text[: statement.key_start] + show(to[above:]) + text[statement.key_end :]
        number = document.statements.index(header)
        inside = [each for each in document.statements if each.parent == number]
        after = inside[-1] if inside else header
        line = show(to[size + 1 :]) + text[statement.key_end : statement.end]
        if not line.endswith("\n"):
            line += "\n"
        start = statement.start
        while start > 0:  # the comment lines right above go with it
            above_line = text.rfind("\n", 0, start - 1) + 1
            if not text[above_line:start].strip().startswith("#"):
                break
            start = above_line
        line = text[start : statement.start] + line
        at = after.end
        if not text[:at].endswith("\n"):
            line = "\n" + line
        if at > start:
            return text[:start] + text[statement.end : at] + line + text[at:]
        return text[:at] + line + text[at:start] + text[statement.end :]
    for size_up in range(1, size + 1):
        if document.span(ruff[:size_up]) is not None and legacy_keys(get(data, ruff)):
            raise NotSpliceable(f"{show(ruff[:size_up])} is an inline table; write it as [{show(ruff)}] first")
    return None


def _mended(text: str, ruff: Keys) -> tuple[str, list[str]]:
    data = loads(text.encode("utf-8"))
    ops: list[Any] = []
    said: list[str] = []
    table = get(data, ruff)
    for path, value in leaves(table) if isinstance(table, dict) else ():
        if not isinstance(value, list) or not is_code_list(("tool", "ruff", *path)) or path[-1] == "external":
            continue
        gone: set[int] = set()
        have = {item for item in value if isinstance(item, str)}
        for number, item in enumerate(value):
            if not isinstance(item, str):
                continue
            now = current_code(item)
            if item in REMOVED_RUFF and now == item:
                gone.add(number)
                said.append(f"{show((*ruff, *path))}: {item} is gone from ruff, removed")
            elif now in REMOVED_RUFF or (now != item and now in have):
                gone.add(number)
                said.append(f"{show((*ruff, *path))}: {item} removed, {now} is there")
            elif now != item:
                have.add(now)
                ops.append(("set", (*ruff, *path, number), now))
                said.append(f"{show((*ruff, *path))}: {item} -> {now}")
        if gone:
            ops.append(("prune", (*ruff, *path), gone))
    return (proved(text, data, ops) if ops else text), said
