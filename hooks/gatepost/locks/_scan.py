"""What the quick looks over locks share: the shape of an entry's lines, and whether the pins meet a manifest.

A shape is text with every string emptied: entries differ in names and digests, their shapes are few. Read without
`re`, whose import takes as long as a whole look.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gatepost.locks._base import Need

    Keys = tuple[tuple[str, tuple[str, ...]], ...]

BOOLEAN = ("true", "false")
STRING = ('""',)
LIST = ("list",)  # `["", ""]` on a line
LINES = ("lines",)  # the same with a line for each string
TABLE = ("table",)  # `{main = "", dev = ""}`


class Shape:
    """The lines of an entry up to its first sub-table, strings emptied.

    `right`: every line has a key of `keys`, in that order, each once, with a value of its kinds; and all of `needed`
    are there. `values`: emptied values by key. `strings`: (number of the first string, how many) by key.
    """

    def __init__(self, text: str, keys: Keys, needed: frozenset[str]) -> None:
        self.values: dict[str, str] = {}
        self.strings: dict[str, tuple[int, int]] = {}
        self.right = self._read(text.split("\n"), keys) and needed <= self.values.keys()

    def _read(self, lines: list[str], keys: Keys) -> bool:
        at = count = number = 0
        while number < len(lines):
            key, equals, value = lines[number].partition(" = ")
            number += 1
            if value == "[":
                while number < len(lines) and lines[number] == '    "",':
                    value += '""'
                    number += 1
                value += "".join(lines[number : number + 1])
                number += 1
            while at < len(keys) and not (keys[at][0] == key and _is_value(value, keys[at][1])):
                at += 1
            if at == len(keys) or not equals or key in self.values:
                return False
            self.values[key] = value
            self.strings[key] = (count, value.count('""'))
            count += value.count('""')
            at += 1
        return True


def _is_value(value: str, kinds: Sequence[str]) -> bool:
    if kinds is LIST:
        return is_list(value)
    if kinds is TABLE:
        return _is_table(value)
    if kinds is LINES:
        return len(value) > 2 and value == "[" + '""' * (len(value) // 2 - 1) + "]"
    return value in kinds


def is_list(value: str) -> bool:
    """`["", ""]`"""
    return value == "[]" or (value[:1] == "[" and value[-1:] == "]" and value[1:-1].replace('"", ', "") == '""')


def _is_table(value: str) -> bool:
    """`{main = "", dev = ""}`, each key once; quoted keys are left to the parser."""
    if value[:1] != "{" or not value.endswith(' = ""}'):
        return False
    names = value[1:-6].split(' = "", ')
    return all(map(is_bare, names)) and not twice(names)


def is_bare(key: str) -> bool:
    """Whether a key needs no quotes."""
    return key.isascii() and key.replace("-", "").replace("_", "").isalnum()


def emptied(parts: Sequence[str]) -> str:
    """A text split at its quotes, with every string emptied; "" where a string is not closed."""
    return '""'.join(parts[::2]) if len(parts) % 2 else ""


def twice(keys: Sequence[str]) -> bool:
    """Whether one stands there twice."""
    return len(set(keys)) != len(keys)


def meets_all(needs: Iterable[Need], locked: Mapping[str, list[str]], elsewhere: set[str]) -> bool:
    """Whether every requirement of a manifest has an entry in the lock, and one that it admits. `elsewhere`: not pinned."""
    from gatepost.manifests import versions

    for need in needs:
        found = locked.get(need.name)
        if found is None:
            if not need.optional and not need.marker:
                return False
        elif need.specifier and not need.optional and need.name not in elsewhere:
            try:
                admitted = versions.ranges(need.specifier)
                if not any(versions.admits(admitted, version) for version in found):
                    return False
            except versions.VersionError:
                return False
    return True
