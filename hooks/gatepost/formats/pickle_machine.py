"""A pickle, followed without loading it: which names would be imported, and what would be called.

The machine keeps the stack and the memo of the real unpickler, but only values that can become a name: strings,
small tuples, imported names, results of calls. Whatever it cannot follow it says (`Walk.notes`), so that a name
built while loading is never taken for no name. Opcodes: `pickletools.opcodes` (protocols 0 to 5).

Time is linear in the opcodes and bounded by `Budget`; nothing recurses; memory is a few times the input at worst,
because strings are remembered as offsets. The opcodes that make up nearly all of every pickle are in one loop, the
others in `_rare` and `_line`: a call for each opcode would double the time.
"""

from __future__ import annotations

from gatepost.formats.pickle_calls import EMBEDDED, NOTES_MAX, Calls
from gatepost.formats.pickle_values import NONE, TEXT_MAX, Bytes, Made, Name, item_size, number_of, place, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STACK_MAX = 500_000  # values on the stack; a real pickler flushes its lists every 1000
LINE_OPS = {  # opcodes whose argument is a line of text
    0x63: "GLOBAL", 0x69: "INST", 0x67: "GET", 0x70: "PUT", 0x53: "STRING", 0x56: "UNICODE", 0x50: "PERSID",
    0x49: "INT", 0x4C: "LONG", 0x46: "FLOAT",
}  # fmt: skip
LONG_BYTES = {  # opcode -> bytes of the length, encoding of the text ("" for bytes)
    0x54: (4, "latin-1"), 0x42: (4, ""), 0x8D: (8, "utf-8"), 0x8E: (8, ""), 0x96: (8, ""),
}  # fmt: skip


class Walk(Calls):
    """The walk over one pickle. Read `names`, `notes`, `embedded`, `end`, `error` after `run`."""

    def run(self) -> Walk:
        """Walk to STOP, to the end, or to the first thing that the real unpickler would refuse."""
        try:
            self._run()
        except EOFError:
            self._fail("truncated", "the file ends in the middle")
        except IndexError:
            if self.reach >= self.limit:
                self._fail("truncated", "the file ends in the middle")
            else:
                self._fail("broken", "the stack runs empty")
        except (ValueError, UnicodeDecodeError):
            self._fail("broken", "an argument that is no number or text")
        return self

    # -- the stack ------------------------------------------------------------------------------------------------

    def _pop_mark(self) -> list[Any]:
        """The values above the last MARK."""
        at = self.marks.pop()
        items = self.stack[at:]
        del self.stack[at:]
        return items

    def _fill(self, items: list[Any], offset: int) -> None:
        """Keys and values go into what is on top of the stack; only entries of a small dict are followed."""
        target = self.stack[-1]
        if type(target) is dict:
            if len(target) < 64:
                for key, value in zip(items[::2], items[1::2], strict=False):
                    if type(key) is str:
                        target[key] = value
        elif type(target) is Name:
            self.note("patches", f"{target.module}.{target.name}", offset)

    def _string(self, at: int, length: int, encoding: str) -> None:
        """A string constant: text if it is short enough to be a name, else its place."""
        if length <= TEXT_MAX:
            memo = self.memo
            errors = "surrogatepass" if encoding == "utf-8" else "strict"
            memo.last = text = self.data[at : at + length].decode(encoding, errors)
            memo.last_at = place(at, length) if encoding == "utf-8" or text.isascii() else 2
            self.stack.append(text)
        else:
            self.stack.append(Bytes(at, length))

    # -- the loop -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        data, limit, stack, marks, memo = self.data, self.limit, self.stack, self.marks, self.memo
        put, get, from_bytes, embeds = memo.put, memo.get, int.from_bytes, EMBEDDED.match
        pos = self.start
        ops = 0
        left = self.budget.opcodes
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
                    return
                if op == 0x94:  # MEMOIZE
                    put(memo.count, stack[-1])
                elif op == 0x8C:  # SHORT_BINUNICODE
                    length = data[pos]
                    pos += 1
                    memo.last = data[pos : pos + length].decode("utf-8", "surrogatepass")
                    memo.last_at = pos << 16 | length << 1 | 1
                    stack.append(memo.last)
                    if length >= 8 and embeds(data, pos):
                        self._embed(pos, length)
                    pos += length
                elif op == 0x4B:  # BININT1
                    stack.append(data[pos])
                    pos += 1
                elif op == 0x68:  # BINGET
                    stack.append(get(data[pos]))
                    pos += 1
                elif op == 0x71:  # BINPUT
                    put(data[pos], stack[-1])
                    pos += 1
                elif 0x85 <= op <= 0x87:  # TUPLE1, TUPLE2, TUPLE3
                    count = op - 0x84
                    if len(stack) - (marks[-1] if marks else 0) < count:
                        raise IndexError
                    value = tuple(stack[-count:])
                    del stack[-count:]
                    stack.append(value)
                elif op == 0x58:  # BINUNICODE
                    length = from_bytes(data[pos : pos + 4], "little")
                    pos += 4
                    self._string(pos, length, "utf-8")
                    self._embed(pos, length)
                    pos += length
                elif op == 0x28:  # MARK
                    marks.append(len(stack))
                elif op == 0x6A:  # LONG_BINGET
                    stack.append(get(from_bytes(data[pos : pos + 4], "little")))
                    pos += 4
                elif op == 0x72:  # LONG_BINPUT
                    put(from_bytes(data[pos : pos + 4], "little"), stack[-1])
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
                elif op == 0x5D or op == 0x8F:  # EMPTY_LIST, EMPTY_SET
                    stack.append(None)
                elif op == 0x88 or op == 0x89:  # NEWTRUE, NEWFALSE
                    stack.append(op == 0x88)
                elif op == 0x74:  # TUPLE
                    items = self._pop_mark()
                    stack.append(tuple(items) if len(items) <= 16 else None)
                elif op == 0x65 or op == 0x90:  # APPENDS, ADDITEMS
                    self._pop_mark()
                    self._fill([], here)
                elif op == 0x61:  # APPEND
                    stack.pop()
                    self._fill([], here)
                elif op == 0x75:  # SETITEMS
                    self._fill(self._pop_mark(), here)
                elif op == 0x73:  # SETITEM
                    value, key = stack.pop(), stack.pop()
                    self._fill([key, value], here)
                elif op == 0x52 or op == 0x81:  # REDUCE, NEWOBJ
                    args, callee = stack.pop(), stack.pop()
                    stack.append(self.call(callee, args, here))
                elif op == 0x62:  # BUILD
                    state, target = stack.pop(), stack[-1]
                    if type(target) is Name:
                        self.note("patches", f"{target.module}.{target.name}", here)
                    elif type(target) is Made and target.by is not None and target.by.name == "NumpyArrayWrapper":
                        pos = self._joblib_array(state, pos)
                elif op == 0x93:  # STACK_GLOBAL
                    name, module = stack.pop(), stack.pop()
                    if type(name) is str and type(module) is str:
                        stack.append(self.imported(module, name, here, "STACK_GLOBAL"))
                    else:
                        self.note("computed-name", "", here)
                        stack.append(Made(None))
                elif op == 0x55 or op == 0x43:  # SHORT_BINSTRING, SHORT_BINBYTES
                    length = data[pos]
                    pos += 1
                    if op == 0x55:
                        self._string(pos, length, "latin-1")
                    else:
                        stack.append(Bytes(pos, length))
                    self._embed(pos, length)
                    pos += length
                elif op == 0x2E:  # STOP
                    if not stack:
                        raise IndexError
                    return
                elif op in LINE_OPS:
                    pos = self._line(op, pos, here)
                else:
                    pos = self._rare(op, pos, here)
                if pos > limit:
                    raise EOFError
                if len(stack) > STACK_MAX or len(marks) > STACK_MAX:
                    self._fail("limit", "too many values on the stack")
                    return
        finally:
            self.ops = ops
            self.budget.opcodes -= ops
            self.reach = pos
            self.end = min(pos, limit)

    def _rare(self, op: int, pos: int, here: int) -> int:
        """An opcode that is seldom met; where the next one stands.

        Raises:
            ValueError: no opcode, or an argument that the unpickler refuses.
        """
        data, stack = self.data, self.stack
        if op == 0x95:  # FRAME
            return pos + 8
        if op == 0x80:  # PROTO
            if data[pos] > 5:
                raise ValueError
            return pos + 1
        if op == 0x8A:  # LONG1
            length = data[pos]
            stack.append(int.from_bytes(data[pos + 1 : pos + 1 + length], "little") if length <= 8 else None)
            return pos + 1 + length
        if op == 0x8B:  # LONG4
            length = int.from_bytes(data[pos : pos + 4], "little", signed=True)
            if length < 0:
                raise ValueError
            stack.append(None)
            return pos + 4 + length
        if op in LONG_BYTES:  # BINSTRING, BINBYTES, BINUNICODE8, BINBYTES8, BYTEARRAY8
            width, encoding = LONG_BYTES[op]
            length = int.from_bytes(data[pos : pos + width], "little")
            if encoding:
                self._string(pos + width, length, encoding)
            else:
                stack.append(Bytes(pos + width, length))
            self._embed(pos + width, length)
            return pos + width + length
        if op == 0x91 or op == 0x6C:  # FROZENSET, LIST
            self._pop_mark()
            stack.append(None)
        elif op == 0x64:  # DICT
            items = self._pop_mark()
            stack.append({})
            self._fill(items, here)
        elif op == 0x6F:  # OBJ
            items = self._pop_mark()
            stack.append(self.call(items[0], tuple(items[1:]) if len(items) <= 16 else None, here))
        elif op == 0x92:  # NEWOBJ_EX
            stack.pop()
            args, callee = stack.pop(), stack.pop()
            stack.append(self.call(callee, args, here))
        elif op == 0x30:  # POP
            if self.marks and self.marks[-1] == len(stack):
                self.marks.pop()
            else:
                stack.pop()
        elif op == 0x31:  # POP_MARK
            self._pop_mark()
        elif op == 0x32:  # DUP
            stack.append(stack[-1])
        elif op == 0x51:  # BINPERSID
            stack[-1] = None
            self.persistent = True
        elif 0x82 <= op <= 0x84:  # EXT1, EXT2, EXT4
            width = 1 << (op - 0x82)
            code = int.from_bytes(data[pos : pos + width], "little")
            self.note("extension", str(code), here)
            stack.append(Name("copyreg", f"extension {code}"))
            return pos + width
        elif op == 0x97:  # NEXT_BUFFER
            stack.append(None)
        elif op == 0x98:  # READONLY_BUFFER
            stack[-1]
        else:
            raise ValueError
        return pos

    def _line(self, op: int, pos: int, here: int) -> int:
        """An opcode whose argument is a line of text; where the next one stands.

        Raises:
            EOFError: the line has no end.
            ValueError: no such number or text.
        """
        stop = self._end_of_line(pos)
        raw = self.data[pos:stop]
        stack = self.stack
        self.text_ops += 1
        if op == 0x63 or op == 0x69:  # GLOBAL, INST
            pos, stop = stop + 1, self._end_of_line(stop + 1)
            name = self.imported(raw.decode("utf-8"), self.data[pos:stop].decode("utf-8"), here, LINE_OPS[op])
            if op == 0x69:
                items = self._pop_mark()
                stack.append(self.call(name, tuple(items) if len(items) <= 16 else None, here))
            else:
                stack.append(name)
        elif op == 0x67:  # GET
            stack.append(self.memo.get(int(raw)))
        elif op == 0x70:  # PUT
            index = int(raw)
            if index < 0:
                raise ValueError
            self.memo.put(index, stack[-1])
        elif op == 0x53 or op == 0x56:  # STRING, UNICODE
            quoted = op == 0x53
            self._embed(pos + quoted, max(0, len(raw) - 2 * quoted))
            stack.append(text_of(raw, quoted))
            self.memo.last = None
        elif op == 0x50:  # PERSID
            self.persistent = True
            stack.append(None)
        else:  # INT, LONG, FLOAT
            stack.append(number_of(raw, op))
        return stop + 1

    def _end_of_line(self, at: int) -> int:
        stop = self.data.find(b"\n", at, self.limit)
        if stop < 0:
            raise EOFError
        return stop

    def _joblib_array(self, state: Any, pos: int) -> int:
        """Where the stream goes on behind an array that joblib wrote into it (joblib.numpy_pickle, 0.10 on)."""
        if type(state) is not dict:
            return pos
        shape, dtype = state.get("shape"), state.get("dtype")
        args = dtype.args if type(dtype) is Made else None
        width = item_size(args[0]) if type(args) is tuple and args and type(args[0]) is str else 0
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
