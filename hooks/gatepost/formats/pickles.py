"""What loading a file's pickles would run, found without loading them.

`inspect_file` unwraps what a pickle can hide in (zip with any lies in its headers, npy and npz, zlib, gzip, bzip2,
xz, tar, pickles in strings, base64 and hex, one pickle behind another, joblib's arrays), walks each with
`pickle_machine`, and weighs the names with `pickle_names`.

Zip headers are not believed: a member is looked for at every local signature and at every offset the central
directory gives; its flags, its sizes and its checksum are ignored, because the loaders ignore them or differ
(CVE-2025-1944, -1945, -10156).
"""

from __future__ import annotations

import re

from gatepost.formats.pickle_machine import Walk
from gatepost.formats.pickle_names import DANGER, SAFE, UNKNOWN, judge
from gatepost.formats.pickle_values import Budget, Use
from gatepost.record import record

READ_MAX = 48 << 20  # bytes of a file that are looked at
MEMBERS_MAX = 20_000
FEW_MEMBERS = 16
DEPTH_MAX = 5
INFLATE_MAX = 16 << 20  # bytes of one compressed member that are looked at

PICKLE_MEMBER = re.compile(
    r"(?i)(?:^|[/\\])(?:data|constants|pickle|storages|tensors)(?:\.pkl)?$|\.(?:pkl|pickle|p|dill|joblib)$"
)
RAW_MEMBER = re.compile(r"(?i)[/\\](?:data|tensors)[/\\]\d+$")  # torch's raw storages
START = re.compile(rb"\x80[\x00-\x05]|[c(\]})iIlSVFLNKJMGXUTCBP\x82-\x84\x88-\x8f\x95-\x97]")


@record
class Import:
    """A name that a pickle imports: where, how (the opcode), whether it is called, and what we think of it."""

    module: str
    name: str
    opcode: str
    where: str  # "" or the member, e.g. "archive/data.pkl"
    offset: int  # bytes from the start of that pickle's container
    called: bool
    verdict: str  # SAFE, UNKNOWN, DANGER

    @property
    def full(self) -> str:
        return f"{self.module}.{self.name}"


@record
class Report:
    """All that was found. `dangers` and `unknowns` are sentences' ends such as "calls `os.system`", each once."""

    pickles: int
    opcodes: int
    imports: tuple[Import, ...]
    dangers: tuple[str, ...]
    unknowns: tuple[str, ...]
    gaps: tuple[str, ...]  # what could not be looked at, and why

    @property
    def verdict(self) -> str:
        """DANGER, UNKNOWN (something could not be verified) or SAFE."""
        return DANGER if self.dangers else UNKNOWN if self.unknowns or self.gaps else SAFE


def inspect_file(data: bytes, name: str = "", size: int | None = None, budget: Budget | None = None) -> Report:
    """Report on all pickles of a file, given its first bytes (at most READ_MAX of `size`). Never raises.

    Memory: a few times the input at the worst; time: linear in opcodes and inflated bytes, both limited by `budget`.
    """
    inspector = _Inspector(budget or Budget())
    total = len(data) if size is None else size
    data = data[:READ_MAX]
    inspector.cut = total > len(data)
    inspector.file(data, "", name, 0, named=True)
    if inspector.cut:
        inspector.gap(f"only the first {len(data) >> 20} MiB of {total >> 20} MiB were looked at")
    return inspector.report()


class _Inspector:
    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.cut = False
        self.pickles = 0
        self.opcodes = 0
        self.imports: dict[tuple[str, str, str], Import] = {}
        self.dangers: dict[str, None] = {}
        self.unknowns: dict[str, None] = {}
        self.gaps: dict[str, None] = {}
        self.members = 0
        self.torchscript = False

    def gap(self, text: str) -> None:
        if len(self.gaps) < 20:
            self.gaps[text] = None

    def report(self) -> Report:
        return Report(
            pickles=self.pickles,
            opcodes=self.opcodes,
            imports=tuple(self.imports.values()),
            dangers=tuple(self.dangers),
            unknowns=tuple(self.unknowns),
            gaps=tuple(self.gaps),
        )

    # -- containers -------------------------------------------------------------------------------------------

    def file(self, data: bytes, where: str, name: str, depth: int, named: bool, scanned: bool = False) -> None:
        """One file or member: unwrap, then walk. `named`: its name or place says that it is a pickle.

        `scanned`: these bytes stand uncompressed in a zip whose every signature is followed already.
        """
        if depth > DEPTH_MAX:
            self.gap("archives are nested too deep")
            return
        if len(data) < 2:
            return
        two = data[:2]
        if data[:6] == b"\x93NUMPY":
            self.npy(data, where, depth)
            return
        if two in (b"\x1f\x8b", b"BZ", b"\xfd7", b"]\x00") or (two[0] == 0x78 and int.from_bytes(two, "big") % 31 == 0):
            inner = self.decompress(data, where)
            if inner:
                self.file(inner, where, name, depth + 1, named)
                return
        if data[257:262] == b"ustar":
            self.tar(data, where, depth)
        if not scanned and (two == b"PK" or b"PK\x01\x02" in data[-70_000:] or b"PK\x03\x04" in data[: 1 << 20]):
            self.zip(data, where, depth)
        if data[:4] == b"PK\x03\x04":
            return
        if START.match(data):
            self.pickle(data, where, depth, named)

    def decompress(self, data: bytes, where: str) -> bytes:
        """The beginning of a compressed stream, at most INFLATE_MAX and what is left of the budget."""
        most = min(INFLATE_MAX, self.budget.inflated)
        if most <= 0:
            self.gap("too much compressed data")
            return b""
        try:
            if data[:2] == b"\x1f\x8b" or data[0] == 0x78:
                import zlib

                inflater = zlib.decompressobj(31 if data[0] == 0x1F else 15)
                inner, left = inflater.decompress(data, most), not inflater.eof
            elif data[:2] == b"BZ":
                import bz2

                unzipper = bz2.BZ2Decompressor()
                inner, left = unzipper.decompress(data, most), not unzipper.eof
            else:
                import lzma

                expander = lzma.LZMADecompressor(memlimit=128 << 20)
                inner, left = expander.decompress(data, most), not expander.eof
        except Exception:  # noqa: BLE001  (zlib.error, OSError, LZMAError, MemoryError: not such a stream)
            return b""
        self.budget.inflated -= len(inner)
        if left and len(inner) >= most:
            self.gap(f"more than {most >> 20} MiB compressed{_in(where)}")
        return inner

    def npy(self, data: bytes, where: str, depth: int) -> None:
        """An array: a pickle only if its elements are objects."""
        start = 10 if data[6:7] < b"\x02" else 12
        length = int.from_bytes(data[8:start], "little")
        header = data[start : start + min(length, 1 << 16)]
        if re.search(rb"O", re.sub(rb"'(?:descr|fortran_order|shape)'|True|False", b"", header)):
            self.pickle(data[start + length :], where, depth + 1, named=True)

    def tar(self, data: bytes, where: str, depth: int) -> None:
        """Regular files of a tar, by its headers."""
        at = 0
        while at + 512 <= len(data) and data[at + 257 : at + 262] == b"ustar" and self.members < MEMBERS_MAX:
            self.members += 1
            raw = data[at : at + 100].split(b"\0")[0].decode("utf-8", "replace")
            try:
                length = int(data[at + 124 : at + 136].strip(b" \0") or b"0", 8)
            except ValueError:
                self.gap("a tar header that cannot be read")
                return
            if length < 0:
                return
            body = at + 512
            if data[at + 156 : at + 157] in (b"0", b"\0", b"7"):
                self.member(data[body : body + length], where, raw, depth)
            at = body + (length + 511) // 512 * 512

    def zip(self, data: bytes, where: str, depth: int) -> None:
        """Members at every local header in sight and at every offset that the central directory names."""
        starts: dict[int, tuple[str, int]] = {}
        at = data.find(b"PK\x03\x04")
        base = max(at, 0)
        while at >= 0 and len(starts) < MEMBERS_MAX:
            self.header(data, at, starts)
            at = data.find(b"PK\x03\x04", at + 4)
        at = data.find(b"PK\x01\x02")
        count = 0
        while at >= 0 and count < MEMBERS_MAX:
            count += 1
            offset = int.from_bytes(data[at + 42 : at + 46], "little")
            length = int.from_bytes(data[at + 28 : at + 30], "little")
            title = data[at + 46 : at + 46 + length].decode("utf-8", "replace")
            method = int.from_bytes(data[at + 10 : at + 12], "little")
            for local in (offset, offset + base):
                if local + 30 < len(data):
                    begin = local + 30 + int.from_bytes(data[local + 26 : local + 28], "little")
                    begin += int.from_bytes(data[local + 28 : local + 30], "little")
                    if begin not in starts and begin < len(data) and data[local : local + 2] == b"PK":
                        starts[begin] = (title, method)
                    elif begin in starts and PICKLE_MEMBER.search(title):
                        starts[begin] = (title, starts[begin][1])
            at = data.find(b"PK\x01\x02", at + 4)
        if len(starts) >= MEMBERS_MAX or count >= MEMBERS_MAX:
            self.gap("an archive of too many members")
        titles = [title for title, _ in starts.values()]
        self.torchscript = self.torchscript or any(title.endswith("constants.pkl") for title in titles)
        # A few members are followed past their declared ends; of many, each only to the next one (or copying is quadratic).
        places = sorted(starts)
        ends = dict(zip(places, [*places[1:], len(data)], strict=True)) if len(places) > FEW_MEMBERS else {}
        for begin, (title, method) in starts.items():
            self.members += 1
            if self.members > MEMBERS_MAX:
                self.gap("an archive of too many members")
                return
            stored = method != 8 and (method == 0 or bool(START.match(data, begin)))
            if not stored:
                body = self.inflate_member(data, begin, title, where)
            else:
                end = len(data) if PICKLE_MEMBER.search(title) else begin + (4 << 20)
                body = data[begin : min(end, ends.get(begin, end))]
            self.member(body, where, title, depth, scanned=stored)

    def header(self, data: bytes, at: int, starts: dict[int, tuple[str, int]]) -> None:
        length = int.from_bytes(data[at + 26 : at + 28], "little")
        begin = at + 30 + length + int.from_bytes(data[at + 28 : at + 30], "little")
        if begin < len(data):
            title = data[at + 30 : at + 30 + length].decode("utf-8", "replace")
            starts[begin] = (title, int.from_bytes(data[at + 8 : at + 10], "little"))

    def inflate_member(self, data: bytes, begin: int, title: str, where: str) -> bytes:
        import zlib

        wanted = bool(PICKLE_MEMBER.search(title))
        most = min(INFLATE_MAX if wanted else 1 << 20, self.budget.inflated)
        if most <= 0:
            self.gap("too much compressed data")
            return b""
        inflater = zlib.decompressobj(-15)
        try:
            inner = inflater.decompress(memoryview(data)[begin:], most)
        except zlib.error:
            if wanted:
                self.gap(f"the member `{_shown(title)}` cannot be decompressed")
            return b""
        self.budget.inflated -= len(inner)
        if wanted and not inflater.eof and len(inner) >= most:
            self.gap(f"more than {most >> 20} MiB compressed in `{_shown(title)}`")
        return inner

    def member(self, body: bytes, where: str, title: str, depth: int, scanned: bool = False) -> None:
        inside = f"{where}!{title}" if where else title
        if PICKLE_MEMBER.search(title):
            self.file(body, inside, title, depth + 1, named=True, scanned=scanned)
        elif not RAW_MEMBER.search(title):
            self.file(body, inside, title, depth + 1, named=False, scanned=scanned)

    # -- pickles ----------------------------------------------------------------------------------------------

    def pickle(self, data: bytes, where: str, depth: int, named: bool) -> None:
        """One pickle after another, from the start of `data`."""
        at, first = 0, True
        for _ in range(10_000):
            names: dict[tuple[str, str], Use] = {}
            walk = Walk(data, at, len(data), self.budget, names).run()
            if not first and walk.error and not self._alarming(walk):
                if walk.error == "limit":
                    self.gap("too many opcodes")
                return  # what follows a pickle need not be one
            if not named and walk.error in ("broken", "truncated") and not self._alarming(walk):
                return
            self.opcodes += walk.ops
            self.pickles += 1
            self.weigh(walk, where, depth, data)
            if walk.error == "limit":
                self.gap(f"{walk.detail}{_in(where)}")
                return
            if walk.error == "truncated" and not (self.cut and depth == 0):
                self.gap(f"a pickle is cut off{_in(where)}")
            elif walk.error == "broken":
                self.gap(f"a pickle is broken at byte {walk.end}{_in(where)}")
            if walk.error:
                return
            at, first = walk.end, False
            if at >= len(data) or not START.match(data, at):
                return
        self.gap("more than 10000 pickles in a row")

    def _alarming(self, walk: Walk) -> bool:
        return any(self.verdict_of(module, name, use) == DANGER for (module, name), use in walk.names.items())

    def verdict_of(self, module: str, name: str, use: Use) -> str:
        full = (module, name)
        if module == "copyreg" and name.startswith("extension "):
            return UNKNOWN
        if full in (("builtins", "getattr"), ("__builtin__", "getattr")):
            return SAFE if use.called and use.called == use.followed else UNKNOWN if not use.called else DANGER
        if full == ("torch.storage", "_load_from_bytes"):
            return SAFE if use.called == use.followed else UNKNOWN
        if name == "_ufunc_reconstruct":
            return SAFE if use.called == use.followed else DANGER
        if full in INDIRECT_LAZY and use.called:
            return SAFE if use.called == use.followed else DANGER
        if full in PARTIALS:
            return SAFE if use.called == use.followed else UNKNOWN
        if self.torchscript and module.startswith("__torch__"):
            return SAFE
        return judge(module, name, use.called > 0)

    def weigh(self, walk: Walk, where: str, depth: int, data: bytes) -> None:
        for (module, name), use in walk.names.items():
            verdict = self.verdict_of(module, name, use)
            key = (module, name, where)
            if key not in self.imports and len(self.imports) < 2000:
                self.imports[key] = Import(
                    module=module, name=name, opcode=use.opcode, where=where, offset=use.offset,
                    called=use.called > 0, verdict=verdict,
                )  # fmt: skip
            verb = "calls" if use.called else "imports"
            if verdict == DANGER:
                self.dangers[f"{verb} `{_shown(f'{module}.{name}')}`"] = None
            elif verdict == UNKNOWN and not name.startswith("extension "):
                self.unknowns[f"{verb} `{_shown(f'{module}.{name}')}`"] = None
        for kind, detail, _ in walk.notes:
            self.weigh_note(kind, detail)
        if len(walk.embedded) > 500:
            self.gap("too many strings that look like pickles")
        for at, length in walk.embedded[:500]:
            self.embedded(data[at : at + min(length, 8 << 20)], where, depth)

    def weigh_note(self, kind: str, detail: str) -> None:
        text = _shown(detail)
        if kind == "computed-name":
            self.dangers["imports a name that is put together while loading"] = None
        elif kind == "calls-result":
            lenient = detail.startswith(("cloudpickle.", "dill.")) or detail == ""
            target = self.unknowns if lenient else self.dangers
            target[f"calls what `{text}` returned" if text else "calls an object made while loading"] = None
        elif kind == "calls-unknown":
            self.unknowns["calls an object that cannot be followed"] = None
        elif kind == "patches":
            self.dangers[f"changes the imported `{text}` itself"] = None
        elif kind == "extension":
            self.unknowns[f"imports extension code {text}, a name that only the loading process knows"] = None
        elif kind == "attribute":
            attribute = detail.rpartition(".")[2]
            target = self.dangers if attribute.startswith("__") else self.unknowns
            target[f"takes the attribute `{text}` of an object"] = None
        elif kind == "raw-array":
            self.gap("an array in the stream whose length cannot be told")
        elif kind == "many":
            self.gap("more imported names than are listed")

    def embedded(self, body: bytes, where: str, depth: int) -> None:
        """A constant that begins like a pickle, an archive, or base64 or hex of one; only dangers count."""
        if depth >= DEPTH_MAX:
            return
        inside = f"{where} (a string)".strip()
        if body[:2] in (b"PK", b"\x1f\x8b"):
            self.file(body, inside, "", depth + 1, named=False)
        elif body[:1] == b"\x80" or (re.match(rb"[c(}\]]", body) and b"." in body[-3:]):
            self.pickle(body, inside, depth + 1, named=False)
        else:
            decoded = _decode(body)
            if decoded:
                self.file(decoded, inside, "", depth + 1, named=False)


INDIRECT_LAZY = frozenset(
    {
        ("builtins", "map"), ("builtins", "filter"), ("__builtin__", "map"), ("__builtin__", "filter"),
        ("itertools", "starmap"), ("itertools", "accumulate"), ("itertools", "groupby"), ("itertools", "imap"),
        ("itertools", "takewhile"), ("itertools", "dropwhile"), ("itertools", "filterfalse"),
    }
)  # fmt: skip
PARTIALS = frozenset({("functools", "partial"), ("_functools", "partial")})


def _decode(body: bytes) -> bytes:
    """Base64 or hex turned back, b"" if it is neither."""
    text = b"".join(body[: 1 << 20].split())
    if len(text) < 12:
        return b""
    import binascii

    try:
        if re.fullmatch(rb"[0-9a-fA-F]+", text):
            return binascii.unhexlify(text[: len(text) // 2 * 2])
        if re.fullmatch(rb"[A-Za-z0-9+/_-]+={0,2}", text):
            text = text.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
            text = text[: len(text) // 4 * 4] if len(text) % 4 == 1 else text + b"=" * (-len(text) % 4)
            return binascii.a2b_base64(text)
    except (binascii.Error, ValueError):
        return b""
    return b""


def _shown(text: str) -> str:
    """A name as it may be printed: ASCII, no control characters, at most 120 characters."""
    safe = "".join(char if " " <= char <= "~" and char != "`" else f"\\x{ord(char):02x}" for char in text[:120])
    return safe if len(text) <= 120 else safe + "..."


def _in(where: str) -> str:
    return f" in `{_shown(where)}`" if where else ""
