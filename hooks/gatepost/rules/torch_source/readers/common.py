"""What the readers share: a TOML document with places, requirement strings, safe access to nested data."""

from __future__ import annotations

from gatepost.manifests import requirements as pip_lines
from gatepost.model import Location
from gatepost.rules.torch_source import specs, urls
from gatepost.rules.torch_source.model import DEFAULT, DIRECT, LINKS, SHARED, Env, Index, Requirement, fold
from gatepost.rules.torch_source.paths import folder, join
from gatepost.toml.load import TomlError, loads
from gatepost.toml.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.manifests.installs.packages import Package
    from gatepost.manifests.requirements import ReqLine
    from gatepost.toml.scan import Document

    Path = tuple[str | int, ...]

LIMIT = 8 * 1024 * 1024


class Toml:
    """A TOML file: its data, and on demand where each part stands.

    Raises:
        TomlError: not TOML (its `path` names the file).
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.bytes = data
        try:
            self.data: dict[str, Any] = loads(data[:LIMIT])
        except TomlError as error:
            error.path = path
            raise
        self.text = data[:LIMIT].decode("utf-8", "replace")
        self._document: Document | None = None

    def document(self) -> Document:
        if self._document is None:
            try:
                self._document = scan(self.text)
            except TomlError:  # valid for the parser, odd for the scanner: places are then unknown
                self._document = scan("")
        return self._document

    def get(self, *path: str) -> Any:
        return dig(self.data, *path)

    def where(self, *path: str | int) -> Location:
        line = None
        parts = path
        while parts and line is None:
            line = self.document().line(parts)
            if line is None:
                parts = parts[:-1]
        return Location(path=self.path, line=line, key=dotted(path))

    def span(self, *path: str | int) -> tuple[int, int] | None:
        return self.document().span(path)

    def inner(self, *path: str | int) -> tuple[int, int] | None:
        """The characters between the quotes of a plain string value; None if it has escapes or is no string."""
        span = self.span(*path)
        if span is None:
            return None
        raw = self.text[span[0] : span[1]]
        if len(raw) < 2 or raw[0] not in "\"'" or raw[:3] in ('"""', "'''") or "\\" in raw:
            return None
        return span[0] + 1, span[1] - 1


def dig(data: Any, *path: str) -> Any:
    """A nested value, or None."""
    for part in path:
        if not isinstance(data, dict):
            return None
        data = data.get(part)
    return data


def table(data: Any, *path: str) -> dict[str, Any]:
    """A nested table, or an empty one."""
    found = dig(data, *path)
    return found if isinstance(found, dict) else {}


def array(data: Any, *path: str) -> list[Any]:
    """A nested array, or an empty one."""
    found = dig(data, *path)
    return found if isinstance(found, list) else []


def string(data: Any, *path: str) -> str:
    found = dig(data, *path)
    return found if isinstance(found, str) else ""


def dotted(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + part
    return text


def requirement(toml: Toml, text: Any, env: Env, path: tuple[str | int, ...], role: str = DIRECT) -> Requirement | None:
    """A PEP 508 string at a place of a TOML file."""
    if not isinstance(text, str):
        return None
    line = pip_lines.parse_requirement(text)
    if not line.name:
        return None
    placed = fold(line.name) in _PLACED
    inner = toml.inner(*path) if placed else None
    exact = inner is not None and toml.text[inner[0] : inner[1]] == text
    span = (inner[0] + line.span[0], inner[0] + line.span[1]) if inner is not None and exact else None
    return of_line(
        line,
        env,
        toml.where(*path) if placed else Location(path=toml.path, key=dotted(path)),
        role=role,
        span=span,
        whole=inner if exact else None,
    )


def of_package(package: Package, env: Env, path: str) -> Requirement:
    """A requirement as an install command in a file names it."""
    return Requirement(
        name=package.name,
        text=package.specifier,
        spec=specs.parse(package.specifier),
        marker=package.marker,
        env=env,
        where=Location(path=path, line=package.word.line),
        url=package.url,
        extras=package.extras,
    )


def of_line(
    line: ReqLine,
    env: Env,
    where: Location,
    *,
    role: str = DIRECT,
    span: tuple[int, int] | None = None,
    whole: tuple[int, int] | None = None,
) -> Requirement:
    """A requirement as pip reads it from a line; `span` and `whole` are its places in the file, where they are known."""
    return Requirement(
        name=fold(line.name),
        text=line.specifier,
        spec=specs.parse(line.specifier),
        marker=line.marker,
        env=env,
        where=where,
        role=role,
        url=line.url,
        extras=line.extras,
        span=span,
        whole=whole,
        hashed=bool(line.hashes),
    )


def index_of(name: str, value: str, where: Location, span: tuple[int, int] | None) -> Index | None:
    """The index that an option adds. A public registry as `--index-url` is no index of its own."""
    if name == "index-url":
        role = "pypi" if urls.is_pypi(value) else DEFAULT
    elif name == "extra-index-url":
        role = "pypi" if urls.is_pypi(value) else SHARED
    elif name == "find-links":
        role = LINKS
    else:
        return None
    return Index(name="", url=value, where=where, role=role, span=span, written=name)


def linux_only(classifiers: list[Any]) -> bool:
    """Whether the classifiers name Linux and no other system."""
    systems = [str(item) for item in classifiers if str(item).startswith("Operating System ::")]
    return bool(systems) and all("Linux" in item for item in systems)


# Packages whose exact place is worth finding; the place of others is never printed or edited.
_PLACED = frozenset(
    {
        "torch",
        "torchvision",
        "torchaudio",
        "torchtext",
        "torchdata",
        "torchcodec",
        "xformers",
        "triton",
        "vllm",
        "numpy",
        "pytorch",
        "torch-gpu",
        "torch-cpu",
        "pytorch-gpu",
        "pytorch-cpu",
        "pytorch-geometric",
        "torchtriton",
        "torchao",
        "pytorch-triton-rocm",
        "triton-rocm",
        "pytorch-triton-xpu",
        "triton-xpu",
    }
)
__all__ = [
    "LIMIT",
    "Toml",
    "array",
    "dig",
    "dotted",
    "folder",
    "index_of",
    "join",
    "linux_only",
    "of_line",
    "requirement",
    "string",
    "table",
]
