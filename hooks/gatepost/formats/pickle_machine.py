"""A pickle, followed without loading it: which names would be imported, and what would be called.

The machine keeps the stack and the memo of the real unpickler, but only values that can become a name: strings,
small tuples, imported names, results of calls. Whatever it cannot follow it says (`Walk.notes`), so that a name
built while loading is never taken for no name. Opcodes: `pickletools.opcodes` (protocols 0 to 5).

Time is linear in the opcodes and bounded by `Budget`; nothing recurses; memory is a few times the input at worst,
because strings are remembered as offsets.
"""

from __future__ import annotations

import re
from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STACK_MAX = 500_000  # values on the stack; a real pickler flushes its lists every 1000
OBJECTS_MAX = 200_000  # memoised tuples, calls and decoded strings
NAMES_MAX = 1_000  # different names reported
TEXT_MAX = 1_024  # bytes of the longest string that can be a name
NOTES_MAX = 200
EMBEDDED_MAX = 2_000

# what embedded pickles begin with: raw, in base64, in hex, and zlib or gzip in base64
EMBEDDED = re.compile(
    rb"\x80[\x01-\x05]|gA|Y[23]|K[AEFGH]|8[0]0[1-5]|eJ|eN|H4sI|c[A-Za-z_][\w.]*\n|\([dlicI]|[\]}]q\x00|PK\x03\x04|\x1f\x8b"
)


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

    __slots__ = ("called", "checked", "followed", "offset", "opcode")

    def __init__(self, offset: int, opcode: str) -> None:
        self.offset = offset
        self.opcode = opcode
        self.called = 0  # calls
        self.followed = 0  # calls whose effect this walk has worked out (getattr with a plain name)
        self.checked = 0  # calls whose arguments are all known to be harmless


# names whose call gives another name that can be told: (target, attribute) or (module, attribute)
GETATTR = frozenset({("builtins", "getattr"), ("__builtin__", "getattr")})
IMPORTERS = frozenset(
    {
        ("numpy.core", "_ufunc_reconstruct"),
        ("numpy._core", "_ufunc_reconstruct"),
        ("cloudpickle.cloudpickle", "_getattribute"),
    }
)
# names that call, sooner or later, the function they are given
INDIRECT = frozenset(
    {
        ("builtins", "map"), ("builtins", "filter"), ("__builtin__", "map"), ("__builtin__", "filter"),
        ("functools", "partial"), ("_functools", "partial"),
        ("itertools", "starmap"), ("itertools", "accumulate"), ("itertools", "groupby"), ("itertools", "imap"),
        ("itertools", "takewhile"), ("itertools", "dropwhile"), ("itertools", "filterfalse"),
    }
)  # fmt: skip
LOADS_BYTES = frozenset({("torch.storage", "_load_from_bytes")})


class Walk:
    """The walk over one pickle. Read `names`, `notes`, `embedded`, `end`, `error` after `run`."""

    def __init__(self, data: bytes, start: int, end: int, budget: Budget, names: dict[tuple[str, str], Use]) -> None:
        self.data = data
        self.start = start
        self.limit = end
        self.budget = budget
        self.names = names
        self.notes: list[tuple[str, str, int]] = []
        self.embedded: list[tuple[int, int]] = []  # (offset, length) of constants that may be pickles
        self.raw: list[tuple[int, int]] = []  # joblib's arrays inside the stream
        self.ops = 0
        self.end = start  # behind STOP, or where the walk broke off
        self.reach = start  # how far the last argument reaches: past the end if the file is cut off
        self.error = ""  # "", "truncated", "broken", "limit"
        self.detail = ""
        self.text_ops = 0
        self.persistent = False

    def note(self, kind: str, detail: str, offset: int) -> None:
        if len(self.notes) < NOTES_MAX:
            self.notes.append((kind, detail, offset))

    def imported(self, module: str, name: str, offset: int, opcode: str) -> Name:
        use = self.names.get((module, name))
        if use is None and len(self.names) < NAMES_MAX:
            self.names[module, name] = Use(offset, opcode)
        elif use is None:
            self.note("many", "", offset)
        return Name(module, name)

    def call(self, callee: Any, args: Any, offset: int) -> Made | Name:
        """Note a call, and give what it returns."""
        if type(callee) is not Name:
            if type(callee) is Made:
                by = f"{callee.by.module}.{callee.by.name}" if callee.by else ""
                self.note("calls-result", by, offset)
            else:
                self.note("calls-unknown", "", offset)
            return Made(None)
        key = (callee.module, callee.name)
        use = self.names.get(key)
        if use is None:
            return Made(callee)
        use.called += 1
        known = args if type(args) is tuple else None
        if key in GETATTR and known and len(known) in (2, 3) and type(known[1]) is str:
            use.followed += 1
            target, attribute = known[0], known[1]
            if type(target) is Name:
                return self.imported(target.module, f"{target.name}.{attribute}", offset, "getattr")
            owner = target.by if type(target) is Made else None
            self.note("attribute", f"{owner.module}.{owner.name}().{attribute}" if owner else attribute, offset)
            return Made(owner)
        if key in IMPORTERS and known and len(known) == 2 and type(known[0]) is str and type(known[1]) is str:
            use.followed += 1
            return self.imported(known[0], known[1], offset, callee.name)
        if key in INDIRECT and known and (type(known[0]) is Name or known[0] is NONE):
            use.followed += 1
            inner = self.names.get((known[0].module, known[0].name)) if type(known[0]) is Name else None
            if inner is not None:
                inner.called += 1
        if key in LOADS_BYTES and known and len(known) == 1 and type(known[0]) is Bytes:
            use.followed += 1
            if len(self.embedded) < EMBEDDED_MAX:
                self.embedded.append((known[0].at, known[0].length))
        return Made(callee, known)

    def run(self) -> Walk:
        """Walk to STOP, to the end, or to the first thing that the real unpickler would refuse."""
        try:
            self._run()
        except IndexError:
            self._fail("broken", "the stack runs empty")
        except (ValueError, UnicodeDecodeError):
            self._fail("broken", "an argument that is no number or text")
        return self

    def _fail(self, error: str, detail: str) -> None:
        if not self.error:
            self.error, self.detail = error, detail

    def _embed(self, at: int, length: int) -> None:
        if length >= 8 and EMBEDDED.match(self.data, at) and len(self.embedded) < EMBEDDED_MAX:
            self.embedded.append((at, length))

    def _run(self) -> None:  # one loop, one branch an opcode
        data, limit = self.data, self.limit
        pos = self.start
        stack: list[Any] = []
        marks: list[int] = []
        strings = array("Q")  # memo of strings: offset << 16 | length << 1 | 1, by index; 0 is "not one"
        objects: dict[int, Any] = {}  # memo of everything else that is followed
        known: set[int] = set()  # far-away indices (sparse memos)
        top_memo = 0  # number of memo entries so far
        last: Any = None  # the last string constant, to remember it as an offset
        last_at = 0
        from_bytes = int.from_bytes
        ops = 0
        left = self.budget.opcodes

        def line(at: int) -> int:
            stop = data.find(b"\n", at, limit)
            if stop < 0:
                raise EOFError
            return stop

        def put(index: int) -> None:
            nonlocal top_memo
            value = stack[-1]
            fresh = True
            if 0 <= index < 4_000_000:
                have = len(strings)
                if index >= have:
                    strings.extend(ZEROS if index == have else array("Q", bytes(8 * (index - have + 1))))
                else:
                    fresh = strings[index] == 0
                packed = 2
                if value is last and last is not None:
                    packed = last_at
                    if objects:
                        objects.pop(index, None)
                elif value is None:
                    if objects:
                        objects.pop(index, None)
                elif len(objects) < OBJECTS_MAX:
                    objects[index] = value
                    packed = 4
                strings[index] = packed
            else:
                fresh = index not in known
                if len(known) < OBJECTS_MAX:
                    known.add(index)
                    objects[index] = value
            if fresh:
                top_memo += 1

        def get(index: int) -> Any:
            nonlocal last, last_at
            packed = strings[index] if 0 <= index < len(strings) else 4
            if packed & 1:
                at, length = packed >> 16, (packed & 0xFFFF) >> 1
                last, last_at = data[at : at + length].decode("utf-8", "surrogatepass"), packed
                return last
            return objects.get(index) if packed == 4 else None

        def pop_mark() -> list[Any]:
            nonlocal stack
            at = marks.pop()
            items = stack[at:]
            del stack[at:]
            return items

        def fill(target: Any, items: list[Any]) -> None:
            if type(target) is dict:
                if len(target) < 64:
                    for key, value in zip(items[::2], items[1::2], strict=False):
                        if type(key) is str:
                            target[key] = value
            elif type(target) is Name:
                self.note("patches", f"{target.module}.{target.name}", pos)

        try:
            while True:
                if pos >= limit:
                    raise EOFError
                op = data[pos]
                here = pos
                pos += 1
                ops += 1
                if ops > left:
                    self._fail("limit", "too many opcodes")
                    break
                if op >= 0x80:
                    if op == 0x94:  # MEMOIZE
                        put(top_memo)
                    elif op == 0x8C:  # SHORT_BINUNICODE
                        length = data[pos]
                        pos += 1
                        last = data[pos : pos + length].decode("utf-8", "surrogatepass")
                        last_at = pos << 16 | length << 1 | 1
                        stack.append(last)
                        if length >= 8 and EMBEDDED.match(data, pos):
                            self._embed(pos, length)
                        pos += length
                        if pos > limit:
                            raise EOFError
                    elif op <= 0x87 and op >= 0x85:  # TUPLE1, TUPLE2, TUPLE3
                        count = op - 0x84
                        if len(stack) - (marks[-1] if marks else 0) < count:
                            raise IndexError
                        value = tuple(stack[-count:])
                        del stack[-count:]
                        stack.append(value)
                    elif op == 0x93:  # STACK_GLOBAL
                        name, module = stack.pop(), stack.pop()
                        if type(name) is str and type(module) is str:
                            stack.append(self.imported(module, name, here, "STACK_GLOBAL"))
                        else:
                            self.note("computed-name", "", here)
                            stack.append(Made(None))
                    elif op == 0x81:  # NEWOBJ
                        args, callee = stack.pop(), stack.pop()
                        stack.append(self.call(callee, args, here))
                    elif op == 0x92:  # NEWOBJ_EX
                        stack.pop()
                        args, callee = stack.pop(), stack.pop()
                        stack.append(self.call(callee, args, here))
                    elif op in (0x88, 0x89):
                        stack.append(op == 0x88)
                    elif op == 0x95:  # FRAME
                        pos += 8
                    elif op == 0x80:  # PROTO
                        if data[pos] > 5:
                            raise ValueError
                        pos += 1
                    elif op == 0x8A:  # LONG1
                        length = data[pos]
                        stack.append(from_bytes(data[pos + 1 : pos + 1 + length], "little") if length <= 8 else None)
                        pos += 1 + length
                    elif op == 0x8B:  # LONG4
                        length = from_bytes(data[pos : pos + 4], "little", signed=True)
                        if length < 0:
                            raise ValueError
                        pos += 4 + length
                        stack.append(None)
                    elif op in (0x8D, 0x8E, 0x96):  # BINUNICODE8, BINBYTES8, BYTEARRAY8
                        length = from_bytes(data[pos : pos + 8], "little")
                        pos += 8
                        if op == 0x8D and length <= TEXT_MAX:
                            last = data[pos : pos + length].decode("utf-8", "surrogatepass")
                            last_at = pos << 16 | length << 1 | 1
                            stack.append(last)
                        else:
                            stack.append(Bytes(pos, length))
                        self._embed(pos, length)
                        pos += length
                        if pos > limit:
                            raise EOFError
                    elif op == 0x8F:  # EMPTY_SET
                        stack.append(None)
                    elif op == 0x90:  # ADDITEMS
                        pop_mark()
                        fill(stack[-1], [])
                    elif op == 0x91:  # FROZENSET
                        pop_mark()
                        stack.append(None)
                    elif op <= 0x84 and op >= 0x82:  # EXT1, EXT2, EXT4
                        width = 1 << (op - 0x82)
                        code = from_bytes(data[pos : pos + width], "little")
                        pos += width
                        self.note("extension", str(code), here)
                        stack.append(Name("copyreg", f"extension {code}"))
                    elif op == 0x97:  # NEXT_BUFFER
                        stack.append(None)
                    elif op == 0x98:  # READONLY_BUFFER
                        stack[-1]
                    else:
                        raise ValueError
                elif op == 0x68:  # BINGET
                    stack.append(get(data[pos]))
                    pos += 1
                elif op == 0x71:  # BINPUT
                    put(data[pos])
                    pos += 1
                elif op == 0x4B:  # BININT1
                    stack.append(data[pos])
                    pos += 1
                elif op == 0x58 or op == 0x54:  # BINUNICODE, BINSTRING
                    length = from_bytes(data[pos : pos + 4], "little")
                    pos += 4
                    if length <= TEXT_MAX:
                        last = data[pos : pos + length].decode("utf-8", "surrogatepass" if op == 0x58 else "replace")
                        last_at = pos << 16 | length << 1 | 1 if op == 0x58 or last.isascii() else 2
                        stack.append(last)
                    else:
                        stack.append(Bytes(pos, length))
                    self._embed(pos, length)
                    pos += length
                    if pos > limit:
                        raise EOFError
                elif op == 0x28:  # MARK
                    marks.append(len(stack))
                elif op == 0x6A:  # LONG_BINGET
                    stack.append(get(from_bytes(data[pos : pos + 4], "little")))
                    pos += 4
                elif op == 0x72:  # LONG_BINPUT
                    put(from_bytes(data[pos : pos + 4], "little"))
                    pos += 4
                elif op == 0x4E:  # NONE
                    stack.append(NONE)
                elif op == 0x47:  # BINFLOAT
                    stack.append(None)
                    pos += 8
                elif op == 0x4A:  # BININT
                    stack.append(from_bytes(data[pos : pos + 4], "little", signed=True))
                    pos += 4
                elif op == 0x4D:  # BININT2
                    stack.append(data[pos] | data[pos + 1] << 8)
                    pos += 2
                elif op == 0x29:  # EMPTY_TUPLE
                    stack.append(())
                elif op == 0x7D:  # EMPTY_DICT
                    stack.append({})
                elif op == 0x5D:  # EMPTY_LIST
                    stack.append(None)
                elif op == 0x74:  # TUPLE
                    items = pop_mark()
                    stack.append(tuple(items) if len(items) <= 16 else None)
                elif op == 0x65:  # APPENDS
                    pop_mark()
                    fill(stack[-1], [])
                elif op == 0x61:  # APPEND
                    stack.pop()
                    fill(stack[-1], [])
                elif op == 0x75:  # SETITEMS
                    items = pop_mark()
                    fill(stack[-1], items)
                elif op == 0x73:  # SETITEM
                    value, key = stack.pop(), stack.pop()
                    fill(stack[-1], [key, value])
                elif op == 0x52:  # REDUCE
                    args, callee = stack.pop(), stack.pop()
                    stack.append(self.call(callee, args, here))
                elif op == 0x62:  # BUILD
                    state = stack.pop()
                    target = stack[-1]
                    if type(target) is Name:
                        self.note("patches", f"{target.module}.{target.name}", here)
                    elif type(target) is Made and target.by is not None and target.by.name == "NumpyArrayWrapper":
                        pos = self._joblib_array(state, pos)
                elif op == 0x63 or op == 0x69:  # GLOBAL, INST
                    stop = line(pos)
                    module = data[pos:stop].decode("utf-8")
                    pos = stop + 1
                    stop = line(pos)
                    name = data[pos:stop].decode("utf-8")
                    pos = stop + 1
                    self.text_ops += 1
                    callee = self.imported(module, name, here, "GLOBAL" if op == 0x63 else "INST")
                    if op == 0x69:
                        items = pop_mark()
                        stack.append(self.call(callee, tuple(items) if len(items) <= 16 else None, here))
                    else:
                        stack.append(callee)
                elif op == 0x2E:  # STOP
                    if not stack:
                        raise IndexError
                    self.end = pos
                    return
                elif op == 0x30:  # POP
                    if marks and marks[-1] == len(stack):
                        marks.pop()
                    else:
                        stack.pop()
                elif op == 0x31:  # POP_MARK
                    pop_mark()
                elif op == 0x32:  # DUP
                    stack.append(stack[-1])
                elif op == 0x55 or op == 0x43:  # SHORT_BINSTRING, SHORT_BINBYTES
                    length = data[pos]
                    pos += 1
                    if op == 0x55:
                        last = data[pos : pos + length].decode("latin-1")
                        last_at = pos << 16 | length << 1 | 1 if last.isascii() else 2
                        stack.append(last)
                    else:
                        stack.append(Bytes(pos, length))
                    self._embed(pos, length)
                    pos += length
                    if pos > limit:
                        raise EOFError
                elif op == 0x42:  # BINBYTES
                    length = from_bytes(data[pos : pos + 4], "little")
                    pos += 4
                    stack.append(Bytes(pos, length))
                    self._embed(pos, length)
                    pos += length
                    if pos > limit:
                        raise EOFError
                elif op == 0x6F:  # OBJ
                    items = pop_mark()
                    callee = items[0]
                    stack.append(self.call(callee, tuple(items[1:]) if len(items) <= 16 else None, here))
                elif op == 0x51:  # BINPERSID
                    stack.pop()
                    stack.append(None)
                    self.persistent = True
                elif op in LINE_OPS:
                    stop = line(pos)
                    self.text_ops += 1
                    if op == 0x67:  # GET
                        stack.append(get(int(data[pos:stop])))
                    elif op == 0x70:  # PUT
                        index = int(data[pos:stop])
                        if index < 0:
                            raise ValueError
                        put(index)
                    elif op == 0x53 or op == 0x56:  # STRING, UNICODE
                        self._embed(pos + (op == 0x53), max(0, stop - pos - (2 if op == 0x53 else 0)))
                        stack.append(_text(data[pos:stop], op == 0x53))
                        last = None
                    elif op == 0x50:  # PERSID
                        self.persistent = True
                        stack.append(None)
                    else:  # INT, LONG, FLOAT
                        stack.append(_number(data[pos:stop], op))
                    pos = stop + 1
                elif op == 0x64:  # DICT
                    items = pop_mark()
                    stack.append({})
                    fill(stack[-1], items)
                elif op == 0x6C:  # LIST
                    pop_mark()
                    stack.append(None)
                else:
                    raise ValueError
                if len(stack) > STACK_MAX or len(marks) > STACK_MAX:
                    self._fail("limit", "too many values on the stack")
                    break
        except EOFError:
            self._fail("truncated", "the file ends in the middle")
        except IndexError:
            if pos >= limit:
                self._fail("truncated", "the file ends in the middle")
            else:
                self._fail("broken", "the stack runs empty")
        finally:
            self.ops = ops
            self.budget.opcodes -= ops
            self.end = min(pos, limit)
            self.reach = pos

    def _joblib_array(self, state: Any, pos: int) -> int:
        """Where the stream goes on behind an array that joblib wrote into it (joblib.numpy_pickle, 0.10 on)."""
        if type(state) is not dict:
            return pos
        shape, dtype = state.get("shape"), state.get("dtype")
        args = dtype.args if type(dtype) is Made else None
        width = _item_size(args[0]) if type(args) is tuple and args and type(args[0]) is str else 0
        if type(shape) is not tuple or not all(type(side) is int for side in shape) or width is None:
            self.note("raw-array", "", pos)
            return pos
        if width == 0:
            if type(args) is tuple and args and args[0] in ("O8", "O", "O4"):
                inner = Walk(self.data, pos, self.limit, self.budget, self.names).run()
                self.notes.extend(inner.notes[: NOTES_MAX - len(self.notes)])
                if inner.error:
                    self._fail(inner.error, inner.detail)
                return inner.end
            self.note("raw-array", "", pos)
            return pos
        count = width
        for side in shape:
            count *= side
        if state.get("numpy_array_alignment_bytes"):
            padding = self.data[pos] if pos < self.limit else 0
            if padding <= 64:
                count += 1 + padding
        if count > self.limit - pos:
            self._fail("truncated", "an array reaches past the end")
            raise EOFError
        self.raw.append((pos, count))
        return pos + count


ZEROS = array("Q", bytes(8))
LINE_OPS = frozenset(b"FILPSVgp")


class _None:
    """The constant None, apart from "not followed"."""


NONE = _None()


def _item_size(dtype: str) -> int | None:
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


def _text(raw: bytes, quoted: bool) -> str | None:
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


def _number(raw: bytes, op: int) -> int | None:
    """The value of INT, LONG or FLOAT if it is a small whole number."""
    if op == 0x46:
        float(raw)
        return None
    text = raw.strip()
    if not re.fullmatch(rb"[-+]?(?:0[xX][0-9a-fA-F]+|[0-9_]+)[lL]?", text):
        raise ValueError
    return int(text) if len(text) <= 18 and text.lstrip(b"-").isdigit() else None
