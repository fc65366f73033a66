"""What a pickle imports and calls, as far as its opcodes say: the names, the calls, what they return."""

from __future__ import annotations

import re

from gatepost.formats.pickle_values import NONE, Budget, Bytes, Made, Memo, Name, Use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES_MAX = 1_000  # different names reported
NOTES_MAX = 200
EMBEDDED_MAX = 2_000

# what embedded pickles begin with: raw, in base64, in hex, and zlib or gzip in base64
EMBEDDED = re.compile(
    rb"\x80[\x01-\x05]|gA|Y[23]|K[AEFGH]|8[0]0[1-5]|eJ|eN|H4sI|c[A-Za-z_][\w.]*\n|\([dlicI]|[\]}]q\x00|PK\x03\x04|\x1f\x8b"
)

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
        ("builtins", "iter"), ("__builtin__", "iter"), ("collections", "defaultdict"),
    }
)  # fmt: skip
LOADS_BYTES = frozenset({("torch.storage", "_load_from_bytes")})


class Calls:
    """The state of a walk over one pickle, and what is noted of imports and calls on the way."""

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
        self.stack: list[Any] = []
        self.marks: list[int] = []  # the stack's height at each MARK
        self.memo = Memo(data)

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

    def _fail(self, error: str, detail: str) -> None:
        if not self.error:
            self.error, self.detail = error, detail

    def _embed(self, at: int, length: int) -> None:
        if length >= 8 and EMBEDDED.match(self.data, at) and len(self.embedded) < EMBEDDED_MAX:
            self.embedded.append((at, length))
