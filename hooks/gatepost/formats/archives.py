"""Archives and compressed files, and what they hold: PyTorch, Keras, NumPy, skops, MAR, NeMo, tar, gzip, llamafile.

A zip's central directory is in its tail; if that cannot be had, its first local headers are in the head. Sizes and
flags in it are not trusted: names are found by their signatures. Wheels, jars, eggs, office files and the like are
packages of something else, and never models, whatever their members are called.
"""

from __future__ import annotations

import re

from gatepost.formats.kind import ARCHIVE, ARRAY, CHECKPOINT, DATASET, HEAD, PART, WEIGHTS, Kind, no_tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatepost.formats.kind import Tail

DEPTH_MAX = 3  # an archive in an archive in an archive

# members that make an archive one of weights: extensions that mean nothing else
WEIGHT_MEMBER = re.compile(
    r"(?i)(?:\.(?:safetensors|gguf|ggml|pt|ckpt|onnx|h5|hdf5|keras|tflite|pdparams|pdiparams|pdmodel|skops|joblib"
    r"|engine|mlmodel|cbm|ubj|nemo|caffemodel|pte|mar|t7|msgpack)|(?:^|/)saved_model\.pb"
    r"|(?:^|/)(?:pytorch_model|model|diffusion_pytorch_model)[\w.-]*\.bin|\.data-\d{5}-of-\d{5})$"
)
WEIGHT_OR_PATH = re.compile(r"(?i)\.(?:pth|pkl|pickle)$")  # Python path files and test data are called so too
PICKLED_MEMBER = re.compile(r"(?i)\.(?:pkl|pickle|joblib|dill|pth?|ckpt)$")
DATA_MEMBER = re.compile(r"(?i)\.(?:parquet|arrow|feather|orc|avro|tfrecords?|npy|npz|lance|mat)$")
PACKAGE = re.compile(
    r"(?:^|/)(?:META-INF/MANIFEST\.MF|EGG-INFO/PKG-INFO|AndroidManifest\.xml|\[Content_Types\]\.xml|PKG-INFO"
    r"|setup\.py|pyproject\.toml|[^/]+\.dist-info/(?:METADATA|WHEEL|RECORD)|META-INF/container\.xml|mimetype"
    r"|extension\.vsixmanifest|manifest\.json/\.\.|Payload/[^/]+\.app/Info\.plist)$"
)
PACKAGE_NAME = (
    ".whl", ".jar", ".egg", ".war", ".ear", ".apk", ".aab", ".aar", ".docx", ".xlsx", ".pptx", ".odt", ".ods",
    ".odp", ".epub", ".xpi", ".vsix", ".nupkg", ".ipa", ".crx", ".conda",
)  # fmt: skip


def zip_file(head: bytes, size: int, name: str, tail: Tail, depth: int) -> Kind | None:
    """A zip, by the names of its members."""
    end = tail()
    names = zip_names(head, end)
    if not names:
        if head[:4] != b"PK\x03\x04" and not end.count(b"PK\x05\x06"):
            return None
        return Kind(id="zip", label="a zip archive", category=ARCHIVE, evidence="the zip signature")
    return zip_kind(names, name) or _first_member(head, names, depth) or _plain_zip(names, name)


def zip_names(head: bytes, tail: bytes) -> list[str]:
    """Members' names, from every central or local header that is in sight; never raises."""
    found: dict[str, None] = {}
    for data, signature, at_length, at_name in ((tail, b"PK\x01\x02", 28, 46), (head, b"PK\x03\x04", 26, 30)):
        at = data.find(signature)
        while at >= 0 and len(found) < 5000:
            length = int.from_bytes(data[at + at_length : at + at_length + 2], "little")
            raw = data[at + at_name : at + at_name + length]
            if 0 < length <= 1024 and len(raw) == length and b"\0" not in raw:
                found[raw.decode("utf-8", "replace")] = None
            at = data.find(signature, at + 4)
    return list(found)


def zip_kind(names: Sequence[str], name: str) -> Kind | None:
    """The kind of a zip that its members' names prove, or None."""
    members = set(names)
    files = [member for member in names if not member.endswith("/")]
    bases = {member.rpartition("/")[2] for member in files}
    roots = {member.partition("/")[2] for member in files}
    lower = name.lower()
    if "MAR-INF/MANIFEST.json" in members:
        return _zip("torchserve-mar", "a TorchServe archive", WEIGHTS, "`MAR-INF/MANIFEST.json`", pickle=True)
    if lower.endswith(PACKAGE_NAME) or any(PACKAGE.search(member) for member in names):
        return None
    if "archive_format" in bases or "archive_format" in roots:
        return _zip("torch-export", "a PyTorch exported program", WEIGHTS, "`archive_format`", pickle=True)
    if "data.pkl" in roots or "data.pkl" in members:
        if "constants.pkl" in roots or any(part.startswith("code/") for part in roots):
            return _zip("torchscript", "a TorchScript model", WEIGHTS, "`data.pkl` and `constants.pkl`", pickle=True)
        return _zip("torch-zip", "a PyTorch checkpoint", CHECKPOINT, "a zip with `data.pkl`", pickle=True)
    if "config.json" in members and "model.weights.h5" in members:
        return _zip("keras", "a Keras model", WEIGHTS, "`config.json` and `model.weights.h5`")
    if "schema.json" in members and (lower.endswith(".skops") or any(re.match(r"\d+\.npy$", n) for n in files)):
        return _zip("skops", "a skops model", WEIGHTS, "`schema.json`")
    if "model_config.yaml" in bases and (lower.endswith(".nemo") or any(WEIGHT_MEMBER.search(n) for n in names)):
        return _zip("nemo", "a NeMo model", WEIGHTS, "`model_config.yaml`", pickle=True)
    if files and all(member.endswith(".npy") for member in files):
        return _zip("npz", "NumPy arrays (npz)", ARRAY, f"{len(files)} `.npy` members", pickle=False)
    return None


def _zip(ident: str, label: str, category: str, evidence: str, pickle: bool = False) -> Kind:
    return Kind(id=ident, label=label, category=category, evidence=evidence, pickle=pickle)


def _plain_zip(names: Sequence[str], name: str) -> Kind | None:
    """A zip of nothing special; None for packages, which are no archive of data."""
    if name.lower().endswith(PACKAGE_NAME) or any(PACKAGE.search(member) for member in names):
        return None
    return holder(names, "zip", "a zip archive")


def holder(names: Sequence[str], ident: str, label: str) -> Kind:
    """An archive by the extensions of its members: of weights, of data, or just an archive."""
    code = any(member.endswith((".py", ".pyc", ".class", ".so", ".js")) for member in names)
    for member in names:
        if WEIGHT_MEMBER.search(member) or (not code and WEIGHT_OR_PATH.search(member)):
            shown = _shown(member)
            pickled = bool(re.search(r"(?i)\.(?:pt|pth|ckpt|bin|pkl|pickle|joblib|nemo|mar)$", member))
            return Kind(
                id=f"{ident}-weights",
                label=f"{label} with model files",
                category=WEIGHTS,
                evidence=f"the member `{shown}`",
                pickle=pickled,
            )
    for member in names:
        if not code and DATA_MEMBER.search(member):
            evidence = f"the member `{_shown(member)}`"
            return Kind(id=f"{ident}-data", label=f"{label} with data files", category=DATASET, evidence=evidence)
    return Kind(id=ident, label=label, category=ARCHIVE, evidence="its signature")


def _shown(member: str) -> str:
    return member.rpartition("/")[2].encode("ascii", "backslashreplace").decode()[:60].replace("`", "'")


def _first_member(head: bytes, names: Sequence[str], depth: int) -> Kind | None:
    """The first member's own kind, if it stands at the head's start and its name says nothing."""
    if depth >= DEPTH_MAX or head[:4] != b"PK\x03\x04" or any(PACKAGE.search(member) for member in names):
        return None
    method = int.from_bytes(head[8:10], "little")
    start = 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    inner = head[start:] if method == 0 else inflate(head[start:], -15) if method == 8 else b""
    kind = _inside(inner, "", depth)
    return wrapped(kind, "zip", "a zip archive") if kind and kind.category not in (ARCHIVE, PART) else None


def wrapped(kind: Kind, ident: str, label: str) -> Kind:
    """A kind found inside an archive."""
    return Kind(
        id=f"{ident}+{kind.id}",
        label=f"{label} of {kind.label}",
        category=kind.category,
        evidence=f"inside it, {kind.evidence}",
        pickle=kind.pickle,
    )


def _inside(inner: bytes, name: str, depth: int) -> Kind | None:
    if len(inner) < 16:
        return None
    from gatepost.formats import identify_at

    return identify_at(inner[:HEAD], 1 << 62, name, no_tail, depth + 1)


def inflate(data: bytes, window: int, most: int = HEAD) -> bytes:
    """The first `most` bytes of a zlib (15), gzip (31) or raw (-15) stream; b"" if it is none."""
    import zlib

    try:
        return zlib.decompressobj(window).decompress(data, most)
    except (zlib.error, MemoryError):
        return b""


def _bz2(data: bytes) -> bytes:
    import bz2

    try:
        return bz2.BZ2Decompressor().decompress(data, HEAD)
    except (OSError, ValueError, EOFError, MemoryError):
        return b""


def _lzma(data: bytes) -> bytes:
    import lzma

    try:
        return lzma.LZMADecompressor(memlimit=256 << 20).decompress(data, HEAD)
    except (lzma.LZMAError, ValueError, EOFError, MemoryError):
        return b""


def _zstd(data: bytes) -> bytes:
    from importlib import import_module

    try:
        zstd = import_module("compression.zstd")  # Python 3.14
    except ImportError:
        return b""
    try:
        opened: bytes = zstd.ZstdDecompressor().decompress(data, HEAD)
    except (zstd.ZstdError, ValueError, EOFError, MemoryError):
        return b""
    return opened


def _nothing(data: bytes) -> bytes:
    return b""


# first bytes -> (id, label, how to read its beginning, extensions to take off)
STREAMS: dict[bytes, tuple[str, str, Callable[[bytes], bytes], tuple[str, ...]]] = {
    b"\x1f\x8b": ("gzip", "a gzip file", lambda data: inflate(data, 31), (".gz", ".gzip", ".tgz", ".z")),
    b"BZ": ("bzip2", "a bzip2 file", _bz2, (".bz2",)),
    b"\xfd7": ("xz", "an xz file", _lzma, (".xz",)),
    b"]\x00": ("lzma", "an lzma file", _lzma, (".lzma",)),
    b"(\xb5": ("zstd", "a zstd file", _zstd, (".zst", ".zstd")),
    b"\x04\x22": ("lz4", "an lz4 file", _nothing, (".lz4",)),
}
MAGICS = {
    b"\x1f\x8b": b"\x1f\x8b\x08", b"BZ": b"BZh", b"\xfd7": b"\xfd7zXZ\0", b"]\x00": b"]\0\0",
    b"(\xb5": b"(\xb5/\xfd", b"\x04\x22": b"\x04\x22\x4d\x18",
}  # fmt: skip


def stream(head: bytes, size: int, name: str, depth: int) -> Kind | None:
    """A compressed file: what its first inflated bytes are, else what its name without `.gz` says."""
    entry = STREAMS[head[:2]]
    ident, label, read, suffixes = entry
    if not head.startswith(MAGICS[head[:2]]) or size < 18:
        return None
    inner_name = name
    for suffix in suffixes:
        if name.lower().endswith(suffix):
            inner_name = name[: -len(suffix)]
    inner = read(head)
    if ident == "lzma" and not inner:
        return None
    if ident == "bzip2" and head[4:10] not in (b"1AY&SY", b"\x17rE8P\x90"):
        return None
    if depth < DEPTH_MAX and inner:
        kind = _inside(inner, inner_name, depth)
        if kind is not None:
            return wrapped(kind, ident, label)
    base = inner_name.rpartition("/")[2]
    if not inner and (
        WEIGHT_MEMBER.search(base) or WEIGHT_OR_PATH.search(base)
    ):  # bzip2: a block is larger than a head
        evidence = f"{ident}'s magic, and the name `{_shown(inner_name)}` inside it"
        pickled = ident == "bzip2" and bool(PICKLED_MEMBER.search(base))  # the others cannot be opened to be looked at
        return _zip(f"{ident}-weights", f"{label} of a model file", WEIGHTS, evidence, pickle=pickled)
    return Kind(id=ident, label=label, category=ARCHIVE, evidence=f"{ident}'s magic")


def zlib_stream(head: bytes, size: int, name: str, depth: int) -> Kind | None:
    """A bare zlib stream counts only if a pickle is in it (joblib's default compression) or another known thing."""
    if depth >= DEPTH_MAX or int.from_bytes(head[:2], "big") % 31:
        return None
    inner = inflate(head, 15)
    kind = _inside(inner, name, depth) if inner else None
    return wrapped(kind, "zlib", "a zlib stream") if kind and kind.category != ARCHIVE else None


def tar(head: bytes, size: int, name: str, tail: Tail, depth: int) -> Kind | None:
    """A tar, by the names in the headers that are in sight, and the content of its first file."""
    names = tar_names(head, size, tail() if size < 1 << 61 else b"")
    bases = {member.rpartition("/")[2] for member in names}
    if any(PACKAGE.search(member) for member in names):
        return Kind(id="tar", label="a tar archive", category=ARCHIVE, evidence="`ustar` at byte 257")
    if "model_config.yaml" in bases and (
        ".nemo" in name.lower() or any(WEIGHT_MEMBER.search(member) for member in names)
    ):
        return _zip("nemo", "a NeMo model", WEIGHTS, "`model_config.yaml`", pickle=True)
    if {"sys_info", "pickle", "storages"} <= bases:
        return _zip("torch-tar", "a PyTorch checkpoint (0.1)", CHECKPOINT, "`storages` and `pickle`", pickle=True)
    kind = holder(names, "tar", "a tar archive")
    if kind.category == ARCHIVE and depth < DEPTH_MAX:
        start = _first_content(head)
        inner = _inside(head[start:], "", depth) if start else None
        if inner and inner.category not in (ARCHIVE, PART):
            return wrapped(inner, "tar", "a tar archive")
    return kind


def _octal(raw: bytes) -> int:
    if raw[:1] and raw[0] & 0x80:
        return int.from_bytes(raw[1:], "big")
    try:
        return int(raw.strip(b" \0") or b"0", 8)
    except ValueError:
        return -1


def tar_names(head: bytes, size: int, tail: bytes) -> list[str]:
    """Names in the headers of the head (followed by their sizes) and of the tail (512-byte blocks with `ustar`)."""
    names: list[str] = []
    at = 0
    while at + 512 <= len(head) and head[at + 257 : at + 262] == b"ustar":
        _tar_name(head, at, names)
        length = _octal(head[at + 124 : at + 136])
        if length < 0:
            break
        at += 512 + (length + 511) // 512 * 512
    first = (size - len(tail)) % 512
    for at in range((512 - first) % 512, len(tail) - 511, 512):
        if tail[at + 257 : at + 262] == b"ustar":
            _tar_name(tail, at, names)
    return names


def _tar_name(data: bytes, at: int, names: list[str]) -> None:
    kind = data[at + 156 : at + 157]
    if kind in (b"x", b"g"):  # pax: records follow, one may be the path
        match = re.search(rb"\d+ path=([^\n]+)\n", data[at + 512 : at + 2560])
        if match:
            names.append(match[1].decode("utf-8", "replace"))
    elif kind == b"L":  # GNU long name
        names.append(data[at + 512 : at + 1536].split(b"\0")[0].decode("utf-8", "replace"))
    elif kind in (b"0", b"\0", b"7"):
        prefix = data[at + 345 : at + 500].split(b"\0")[0] if data[at + 257 : at + 263] == b"ustar\0" else b""
        raw = data[at : at + 100].split(b"\0")[0]
        names.append((prefix + b"/" + raw if prefix else raw).decode("utf-8", "replace"))


def _first_content(head: bytes) -> int:
    """Where the first regular file's bytes begin in a tar's head, 0 if not in sight."""
    at = 0
    while at + 512 <= len(head) and head[at + 257 : at + 262] == b"ustar":
        length = _octal(head[at + 124 : at + 136])
        if head[at + 156 : at + 157] in (b"0", b"\0") and length > 0:
            return at + 512
        if length < 0:
            return 0
        at += 512 + (length + 511) // 512 * 512
    return 0


def llamafile(head: bytes, size: int, name: str, tail: Tail) -> Kind | None:
    """An Actually Portable Executable whose zip tail lists weights."""
    for member in zip_names(b"", tail()):
        if WEIGHT_MEMBER.search(member):
            return _zip("llamafile", "a llamafile", WEIGHTS, f"an executable with the member `{_shown(member)}`")
    return None
