"""What the pickle machine keeps on its stack and in its memo, and how arguments in text are read."""

from __future__ import annotations

import re
from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT_MAX = 1_024  # bytes of the longest string that can be a name
OBJECTS_MAX = 200_000  # memoised tuples, calls and decoded strings
DENSE_MAX = 4_000_000  # memo indices that are kept in an array


class Budget:
    """How much work is left: opcodes over all pickles of one file, and bytes that may be inflated."""

    def __init__(self, opcodes: int = 4_000_000, inflated: int = 32 << 20) -> None:
        self.opcodes = opcodes
        self.inflated = inflated


class Name:
    """An imported name, before anything is called: `module` and a possibly dotted `name`."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name


class Made:
    """What a call, or an attribute look-up on one, gave. `by` is the callee, if it is known."""

    __slots__ = ("args", "by")

    def __init__(self, by: Name | None, args: Any = None) -> None:
        self.by = by
        self.args = args


class Bytes:
    """A long string or byte string, by its place in the input."""

    __slots__ = ("at", "length")

    def __init__(self, at: int, length: int) -> None:
        self.at = at
        self.length = length


class Use:
    """How a name is used: the opcode that imports it, where (byte offset), whether it is called."""

    __slots__ = ("called", "followed", "offset", "opcode")

    def __init__(self, offset: int, opcode: str) -> None:
        self.offset = offset
        self.opcode = opcode
        self.called = 0  # calls
        self.followed = 0  # calls whose effect this walk has worked out (getattr with a plain name)


class _None:
    """The constant None, apart from "not followed"."""


NONE = _None()


class Memo:
    """The memo: strings as offsets into the input, everything else that is followed as it is.

    `last` is the string constant that was read last, `last_at` its place (see `place`); a string that is put while it
    is the last one costs eight bytes.
    """

    __slots__ = ("_far", "_objects", "_places", "count", "data", "last", "last_at")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.count = 0  # entries so far: MEMOIZE's next index
        self.last: str | None = None
        self.last_at = 0
        self._places = array("Q")  # by index: 0 nothing, 1 bit set a string's place, 2 not followed, 4 in _objects
        self._objects: dict[int, Any] = {}
        self._far: set[int] = set()  # indices beyond DENSE_MAX (sparse memos)

    def put(self, index: int, value: Any) -> None:
        """Remember a value."""
        if index >= DENSE_MAX:
            self.count += index not in self._far
            if len(self._far) < OBJECTS_MAX:
                self._far.add(index)
                self._objects[index] = value
            return
        places, objects = self._places, self._objects
        have = len(places)
        if index >= have:
            places.extend(ZEROS if index == have else array("Q", bytes(8 * (index - have + 1))))
            self.count += 1
        elif places[index] == 0:
            self.count += 1
        kept = 2
        if value is self.last and value is not None:
            kept = self.last_at
        elif value is not None and len(objects) < OBJECTS_MAX:
            kept = 4
        if kept == 4:
            objects[index] = value
        elif objects:
            objects.pop(index, None)
        places[index] = kept

    def get(self, index: int) -> Any:
        """A value, None if it is not followed."""
        kept = self._places[index] if 0 <= index < len(self._places) else 4
        if kept & 1:
            at, length = kept >> 16, (kept & 0xFFFF) >> 1
            self.last, self.last_at = self.data[at : at + length].decode("utf-8", "surrogatepass"), kept
            return self.last
        return self._objects.get(index) if kept == 4 else None


def place(at: int, length: int) -> int:
    """Offset and length of a string constant in one number, for `Memo.last_at`."""
    return at << 16 | length << 1 | 1


ZEROS = array("Q", bytes(8))


def item_size(dtype: str) -> int | None:
    """Bytes an element of a dtype such as "f8" or "U5"; 0 for objects, None if it is not plain."""
    match = re.fullmatch(r"[<>|=]?([biufcmMSUVO?])(\d{0,9})", dtype)
    if not match:
        return None
    letter, digits = match[1], match[2]
    if letter == "O":
        return 0
    if letter == "?":
        return 1
    return int(digits or 0) * (4 if letter == "U" else 1) or None


def text_of(raw: bytes, quoted: bool) -> str | None:
    """A string of protocol 0: quoted with escapes (STRING) or raw-unicode-escape (UNICODE)."""
    if len(raw) > 4 * TEXT_MAX:
        return None
    if not quoted:
        return raw.decode("raw-unicode-escape")
    raw = raw.strip()
    if len(raw) < 2 or raw[:1] != raw[-1:] or raw[:1] not in (b"'", b'"'):
        raise ValueError
    import codecs
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an escape that is none: kept as it is, as the unpickler does
        data: bytes = codecs.escape_decode(raw[1:-1])[0]  # type: ignore[attr-defined, unused-ignore]
    return data.decode("latin-1")


def number_of(raw: bytes, op: int) -> int | None:
    """The value of INT, LONG or FLOAT if it is a small whole number."""
    if op == 0x46:
        float(raw)
        return None
    text = raw.strip()
    if not re.fullmatch(rb"[-+]?(?:0[xX][0-9a-fA-F]+|[0-9_]+)[lL]?", text):
        raise ValueError
    return int(text) if len(text) <= 18 and text.lstrip(b"-").isdigit() else None
