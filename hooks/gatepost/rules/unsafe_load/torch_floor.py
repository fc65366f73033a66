"""Which torch a project may run with: since 2.6 `torch.load` has `weights_only=True` by default.

The nearest folder at or above a file that says anything of torch decides. What it declares is what its users may
install; a lock says what it runs with itself. So a declared floor of 2.6 makes a bare `torch.load` safe, and a lock
alone makes it less of a worry.
"""

from __future__ import annotations

import re

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from gatepost.tree.base import Tree

SAFE_SINCE = (2, 6)

_MANIFEST = re.compile(
    r"(?:^|/)(?:pyproject\.toml|setup\.(?:py|cfg)|Pipfile|[\w.\-]*requirements[\w.\-]*\.(?:txt|in)|requirements/[\w.\-]+\.(?:txt|in)|"
    r"environment[\w.\-]*\.ya?ml|conda[\w.\-]*\.ya?ml|pixi\.toml|uv\.lock|poetry\.lock|pdm\.lock|pylock[\w.\-]*\.toml|Pipfile\.lock)$"
)
_LOCK = re.compile(r"(?:^|/)(?:uv\.lock|poetry\.lock|pdm\.lock|pylock[\w.\-]*\.toml|Pipfile\.lock)$")
_LOCKED = re.compile(
    rb"^name\s*=\s*[\"']torch[\"']\r?\nversion\s*=\s*[\"']([^\"']+)|\"torch\"\s*:\s*\{[^{}]*?\"version\"\s*:\s*\"==([^\"]+)", re.MULTILINE
)  # fmt: skip
# `torch>=2.6` on a line, in quotes or behind a dash of YAML; `torch = "^2.6"` and `torch = { version = "..." }` in TOML.
_REQUIREMENT = re.compile(
    r"(?m)^[ \t]*(?:-[ \t]+)?[\"']?(?:[\w\-/]+::)?(?:py)?torch(?![\w.\-])(?:\[[^\]]*\])?([^\"'#;\n]*)"
)
_QUOTED = re.compile(r"[\"']torch(?![\w.\-])(?:\[[^\]]*\])?([^\"'#;\n@]*)[;\"']")
_KEY = re.compile(r"(?m)^[ \t]*(?:torch|pytorch)[ \t]*=[ \t]*(?:\{[^}\n]*?version[ \t]*=[ \t]*)?[\"']([^\"'\n]*)[\"']")
_CLAUSE = re.compile(r"(===|==|>=|~=|>|\^|~|=)?\s*v?(\d+(?:\.\d+)*)")


@record
class Torch:
    """What a project says of torch. `safe`: no torch before 2.6 is admitted; `said` is what admits one, and where, "" if nobody
    says anything; `locked`: the version that a lock has, "" if it may be one before 2.6."""

    safe: bool = False
    said: str = ""
    locked: str = ""


class Projects:
    """The torch of each folder of a snapshot; manifests are read when the first file asks."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._manifests: Mapping[str, list[str]] | None = None
        self._known: dict[str, Torch] = {}

    def of(self, path: str) -> Torch:
        """What the nearest project of a file says."""
        return self._folder(path.rpartition("/")[0])

    def _folder(self, folder: str) -> Torch:
        if folder not in self._known:
            found = self._read(folder)
            if found is None:
                found = self._folder(folder.rpartition("/")[0]) if folder else Torch()
            self._known[folder] = found
        return self._known[folder]

    def _read(self, folder: str) -> Torch | None:
        if self._manifests is None:
            self._manifests = _by_folder(self._tree)
        declared: list[tuple[str, str]] = []
        locked: list[str] = []
        for path, data in self._tree.read_many(self._manifests.get(folder, [])).items():
            if data is None or b"torch" not in data:
                continue
            if _LOCK.search(path):
                locked += [(match[1] or match[2]).decode("ascii", "replace") for match in _LOCKED.finditer(data)]
            else:
                found = specifiers(path, data.decode("utf-8", "replace"))
                declared += [(path, text) for text in found if not text.startswith("@")]  # a URL says no version
        if not declared and not locked:
            return None
        if main := [each for each in declared if each[0].endswith("pyproject.toml")]:
            declared = main
        open_ = next(((path, text) for path, text in declared if not has_floor(text)), None)
        new = min(locked, key=_release) if locked and all(_release(each) >= SAFE_SINCE for each in locked) else ""
        said = "" if open_ is None else f"`torch{open_[1]}` in {open_[0]}"
        return Torch(safe=bool(declared) and open_ is None, said=said, locked=new)


def _by_folder(tree: Tree) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in tree.paths():
        if _MANIFEST.search(path):
            folder = path.rpartition("/")[0]
            if folder.rpartition("/")[2] == "requirements":
                folder = folder.rpartition("/")[0]
            found.setdefault(folder, []).append(path)
    return found


def specifiers(path: str, text: str) -> Iterator[str]:
    """What a manifest asks of torch, once for each place; of a pyproject.toml only its main dependencies if they have torch."""
    if path.endswith("pyproject.toml"):
        main, other = _pyproject(text)
        yield from main or other
        return
    if path.endswith((".txt", ".in", ".yml", ".yaml")):
        regexes = [_REQUIREMENT]
    elif path.endswith(("Pipfile", "pixi.toml")):
        regexes = [_KEY]
    else:
        regexes = [_QUOTED, _REQUIREMENT]
    seen = set()
    for regex in regexes:
        for match in regex.finditer(text):
            if match.start(1) not in seen:
                seen.add(match.start(1))
                yield match[1].strip().rstrip(",")


def _pyproject(text: str) -> tuple[list[str], list[str]]:
    """What the main dependencies ask of torch, and what extras and groups do."""
    from gatepost.toml.load import TomlError, loads

    try:
        data = loads(text.encode("utf-8", "replace"))
    except TomlError:
        return [], []
    project, tool = _table(data, "project"), _table(data, "tool")
    poetry = _table(tool, "poetry")
    main = [*_asked(project.get("dependencies")), *_asked(_table(poetry, "dependencies"))]
    others = [*_table(project, "optional-dependencies").values(), *_table(data, "dependency-groups").values()]
    others += [*_table(_table(tool, "pdm"), "dev-dependencies").values(), _table(poetry, "dev-dependencies")]
    others += [_table(group, "dependencies") for group in _table(poetry, "group").values() if isinstance(group, dict)]
    return main, [text for each in others for text in _asked(each)]


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _asked(value: object) -> Iterator[str]:
    """The ranges that a list of requirements, or a table of Poetry's, has for torch."""
    if isinstance(value, list):
        for each in value:
            if isinstance(each, str) and (match := _REQUIREMENT.match(each)):
                yield match[1].strip()
    elif isinstance(value, dict) and "torch" in value:
        constraints = value["torch"] if isinstance(value["torch"], list) else [value["torch"]]
        for each in constraints:
            version = each.get("version") if isinstance(each, dict) else each
            if isinstance(version, str):
                yield version


def has_floor(text: str) -> bool:
    """Whether a version range (PEP 440, Poetry's, conda's) admits nothing before 2.6; no range admits all."""
    for alternative in text.replace("||", "|").split("|"):
        clauses = [part.strip(" ()") for part in alternative.split(",")]
        floors = [match for part in clauses if (match := _CLAUSE.match(part))]
        if not any(_release(match[2]) >= SAFE_SINCE for match in floors):
            return False
    return True


def _release(version: str) -> tuple[int, ...]:
    match = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()
