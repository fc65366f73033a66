"""Index addresses: which host, which build of PyTorch, and how to show one without its secret.

Host names of package registries are compared by label, so that the repository's own files name none.
"""

from __future__ import annotations

import re
from functools import lru_cache

from gatepost.patterns import pattern
from gatepost.record import record

_URL = pattern(r"([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/\s]*)@)?(\[[^\]]*\]|[^/:?#\s]*)(?::(\d+))?([^?#\s]*)")
_BUILD = pattern(r"cpu|cpu-cxx11-abi|xpu|cu(?:[789]\d|1\d\d)|rocm\d+(?:\.\d+){1,2}")
_PATH = pattern(
    r"/whl/(?:(nightly|test|lts/[\d.]+)/)?(cpu|cpu-cxx11-abi|cpu_pypi_pkg|xpu|cu\d{2,3}(?:_pypi_\w+|_full)?|rocm\d+(?:\.\d+){1,2})(?=/|$)"
)
OFFICIAL = (("download", "pytorch", "org"), ("download-r2", "pytorch", "org"))
CPU_INDEX = "https://" + ".".join(OFFICIAL[0]) + "/whl/cpu"
PYPI = (("pypi", "org"), ("pypi", "python", "org"), ("files", "pythonhosted", "org"), ("test", "pypi", "org"))
LOCAL = pattern(r"localhost|127\..*|\[::1\]|0\.0\.0\.0|host\.docker\.internal")


@record
class Url:
    """An address taken apart; `build` is the build tag of its path ("cu118", "" if none), `channel` "nightly"..."""

    text: str
    scheme: str
    user: str
    host: str
    path: str
    official: bool
    build: str
    channel: str


@lru_cache(maxsize=512)
def split(text: str) -> Url:
    """Take an address apart; what is no URL has an empty host."""
    found = _URL.match(text.strip())
    if found is None:
        return Url(text=text, scheme="", user="", host="", path=text, official=False, build="", channel="")
    host = found[3].lower().rstrip(".")
    path = re.sub(r"/{2,}", "/", found[5])
    labels = tuple(host.split("."))
    official = labels in OFFICIAL
    build = channel = ""
    if official or "pytorch" in text.lower() or "/whl/" in path:
        whl = _PATH.search(path + "/") if not official else _PATH.match(path)
        if whl is not None:
            channel = (whl[1] or "").split("/")[0]
            build = tag_of(whl[2].split("_")[0])
            if build == "cpu-cxx11-abi":
                build = "cpu"
    return Url(
        text=text,
        scheme=found[1].lower(),
        user=found[2] or "",
        host=host,
        path=path,
        official=official,
        build=build,
        channel=channel,
    )


def show(text: str) -> str:
    """An address fit to print: user and password masked, variables kept."""

    def mask(found: re.Match[str]) -> str:
        user = found[2]
        return found[1] + (user if re.fullmatch(r"[\w:]*\$\{?\w+\}?(?::\$\{?\w+\}?)?", user) else "****") + "@"

    if "@" not in text:
        return text
    masked = re.sub(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/\s]*)@", mask, text)
    if "****@" not in masked:
        return masked
    # A password with a slash in it: what is then left for a host has no dot, and an `@` comes later.
    return re.sub(r"(://\*{4}@)(?!localhost\b)[^./:\s]+/[^\s@]*@", r"\1", masked)


def same(left: str, right: str) -> bool:
    """Whether two addresses mean one index: case of the host, a final slash, user and the file host aside."""
    return canonical(left) == canonical(right)


def canonical(text: str) -> str:
    url = split(text)
    host = "download.pytorch.org" if url.official else url.host
    path = re.sub(r"/simple$", "", url.path.rstrip("/")) if is_pypi(text) else url.path.rstrip("/")
    return f"{host}{path}" if url.host else text.strip().rstrip("/")


def is_pypi(text: str) -> bool:
    labels = tuple(split(text).host.split("."))
    return labels in PYPI


def is_torch_index(text: str) -> bool:
    """Whether an address is PyTorch's own index: a known host, or a known mirror's copy with its path grammar."""
    url = split(text)
    return url.official or bool(url.build and "torch" in url.host + url.path.partition(f"/{url.build}")[0])


def is_index_root(text: str) -> bool:
    """Whether an address is the root of one of PyTorch's indexes (`/whl/cu121`), a list of projects and not of files."""
    url = split(text)
    return url.official and _PATH.fullmatch(url.path.rstrip("/")) is not None


def tag_of(label: str) -> str:
    """The build tag that a local label or path part means: "cu118", "cpu", "rocm6.2", "xpu"; else ""."""
    found = _BUILD.fullmatch(label.lower().strip())
    return found[0] if found else ""


def kind(tag: str) -> str:
    """The kind of a build tag: "cpu", "cuda", "rocm", "xpu", or ""."""
    return "cuda" if tag.startswith("cu") else "rocm" if tag.startswith("rocm") else tag


def cuda_version(tag: str) -> str:
    """`cu118` -> `11.8`, `cu92` -> `9.2`."""
    digits = tag[2:]
    return f"{digits[:-1]}.{digits[-1]}"


def has_credentials(text: str) -> bool:
    """Whether an address carries a literal password or token (a variable such as ${TOKEN} is none)."""
    user = split(text).user
    if not user:
        return False
    name, colon, password = user.partition(":")
    secret = password if colon else name
    if (
        not secret
        or "$" in secret
        or "{" in secret
        or secret.startswith("%")
        or re.fullmatch(r"<.*>|\*+|[xX]+", secret)
    ):
        return False
    return bool(colon) or (len(secret) >= 20 and any(char.isdigit() for char in secret))


def posing(text: str) -> str:
    """The host that an address only names as its user (`https://download.pytorch.org@evil.example`), or ""."""
    url = split(text)
    user = url.user.partition(":")[0].lower().rstrip(".")
    return user if not url.official and (user == "pytorch.org" or user.endswith(".pytorch.org")) else ""


def look_alike(text: str) -> bool:
    """Whether the host imitates pytorch.org: one or two letters off, or the name in front of a foreign domain."""
    host = split(text).host
    if posing(text):
        return True
    if not host or "." not in host:
        return False
    labels = host.split(".")
    if labels[-2:] == ["pytorch", "org"]:
        return False
    target = "download.pytorch.org"
    if host.startswith((target + ".", "pytorch.org.")):
        return True
    near = ".".join(labels[-2:])
    if near == "pytorch.org" or len(near) < 6:
        return False
    if labels[-2] in ("pytorch", "py-torch", "download-pytorch", "pytorch-download", "pytorch-org", "pytorchorg"):
        return True
    return 0 < distance(near, "pytorch.org") <= 2 or 0 < distance(host, target) <= 2


def distance(left: str, right: str) -> int:
    """Edit distance with transpositions (Damerau, restricted)."""
    rows = [list(range(len(right) + 1))]
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                best = min(best, rows[i - 2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def repaired(text: str) -> str:
    """The address that a malformed one on an official host must have meant, or "" if it is well formed or unknown.

    Grammar: `/whl/[nightly/|test/|lts/1.8/]<build>`; `/whl/` alone serves every build at once.
    """
    url = split(text)
    if not url.official or "torch_stable" in url.path or url.path.endswith((".html", ".whl")):
        return ""
    path = url.path.rstrip("/")
    base = f"{url.scheme}://{url.host}"
    if _PATH.fullmatch(path):
        return ""
    if found := re.fullmatch(r"(/whl/(?:(?:nightly|test)/)?)([^/]+)(/[a-z-]+)?", path):
        tag = fixed_tag(found[2])
        if tag and (found[3] in (None, "/torch", "/torchvision", "/torchaudio", "/simple")):
            return base + found[1] + tag
        return "?" if found[3] is None and not tag and re.match(r"cu|rocm|cpu|gpu", found[2]) else ""
    if found := re.fullmatch(r"/([^/]+)", path):
        tag = fixed_tag(found[1])
        return f"{base}/whl/{tag}" if tag else ("?" if found[1] == "whl" else "")
    return "?" if path == "" else ""


def fixed_tag(part: str) -> str:
    """`cu12.1` -> `cu121`, `cu1180` -> `cu118`, `cuda118` -> `cu118`; "" if it cannot be told."""
    lower = part.lower()
    if tag_of(lower) and not (lower.startswith("cu") and len(lower) == 5 and not 80 <= int(lower[2:]) < 200):
        return lower
    if found := re.fullmatch(r"cu(?:da)?-?(\d{1,2})\.(\d)(?:\.\d+)?", lower):
        return f"cu{found[1]}{found[2]}"
    if found := re.fullmatch(r"cuda-?(\d{2,3})", lower):
        return f"cu{found[1]}"
    if found := re.fullmatch(r"cu(\d{2}\d)0", lower):
        return f"cu{found[1]}"
    return ""
