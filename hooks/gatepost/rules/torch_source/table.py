"""The compatibility table: which releases pair, which builds and wheels were published. Loaded when first asked.

`data/torch_table.json` is generated (see `scripts/update_torch_table.py`), `data/torch_overlay.json` is kept by hand
for what no metadata says. A version, build tag or host that neither knows is unknown, never a fault.
"""

from __future__ import annotations

from gatepost.rules.torch_source import specs, urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from gatepost.rules.torch_source.specs import Spec

COMPANIONS = ("torchvision", "torchaudio")
FAMILY = ("torch", *COMPANIONS)


class Row:
    """A torch release: what was published with it."""

    def __init__(self, values: list[Any]) -> None:
        self.torch: str = values[0]
        self.date: str = values[1]  # of the release, "2026-07-08"
        self.companions: dict[str, list[str]] = {"torchvision": values[2].split(), "torchaudio": values[3].split()}
        self.pypi_cuda: str = values[4]
        self.cuda: list[str] = values[5].split()
        self.unadvertised: list[str] = values[6].split()
        self.rocm: list[str] = values[7].split()
        self.triton: str = values[8]
        self.numpy2: str = values[9]
        self.python: dict[str, list[str]] = {name: text.split() for name, text in values[10].items()}

    def tags(self) -> set[str]:
        """Every build tag the release is known to have; empty: not known."""
        return {*self.cuda, *self.unadvertised, *("rocm" + version for version in self.rocm)}


class Table:
    """The table and its overlay."""

    def __init__(self, table: Mapping[str, Any], overlay: Mapping[str, Any]) -> None:
        self.date: str = table["generated"]
        self.overlay = overlay
        self.rows = [Row(values) for values in table["torch"]]
        self.torch = [row.torch for row in self.rows]
        self.newest = self.torch[-1]
        self.requires: dict[str, dict[str, str]] = {name: dict(found) for name, found in table["requires"].items()}
        self.requires["torchcodec"] = dict(overlay["torchcodec"]["requires"])
        for name in ("torchtext",):
            self.requires[name] = {**overlay[name]["requires"], **self.requires.get(name, {})}
        self.vision_python: dict[str, dict[str, str]] = table["torchvision_python"]
        self._needs: dict[str, dict[object, str]] = {}
        self._keys = {specs.key(row.torch): row for row in self.rows}
        for tag, versions in overlay["builds"]["tags"].items():
            for row in filter(None, map(self.row, versions)):
                row.unadvertised += [tag]

    def row(self, version: str) -> Row | None:
        """The row of a torch version (`2.1` is `2.1.0`), or None if it is not known."""
        return self._keys.get(specs.key(version))

    def torch_rows(self, spec: Spec) -> tuple[list[Row], bool]:
        """The rows a range admits, and whether it may also admit releases that are not in the table."""
        rows = [row for row in self.rows if spec.admits(row.torch)]
        return rows, self._unknown(spec, self.newest, [row.torch for row in rows])

    def versions(self, name: str) -> list[str]:
        """The known releases of a package that names a torch version."""
        return list(self.requires.get(name, ()))

    def released(self, name: str, spec: Spec) -> tuple[list[str], bool]:
        """The known releases of `name` that a range admits, and whether it may admit unknown ones."""
        known = self.versions(name)
        found = spec.rows(known)
        newest = max(known, key=lambda version: specs.key(version) or (0, (), 0, 0, 0, 0, 0), default="0")
        return found, self._unknown(spec, newest, found)

    @staticmethod
    def _unknown(spec: Spec, newest: str, found: list[str]) -> bool:
        if spec.broken or spec.admits_unknown(newest):
            return True
        return not found  # a pin or range between known releases: nothing is known of it

    def pairs(self, name: str, version: str, torch: str) -> bool | None:
        """Whether a release of a companion goes with a torch release; None if the table does not say."""
        row = self.row(torch)
        known = self._needs.get(name)
        if known is None:
            known = {specs.key(found): need for found, need in self.requires.get(name, {}).items()}
            self._needs[name] = known
        have = specs.key(version)
        if name == "torchcodec" and have not in known:
            have = specs.key(".".join(version.split(".")[:2]))  # its table has lines, of any patch
        if row is None or have not in known:
            return None
        stable = self.overlay["torchaudio_stable_from"]
        if name == "torchaudio" and have == specs.key(stable["torchaudio"]):
            return specs.parse(">=" + stable["torch"]).admits(torch)
        if name in row.companions and any(specs.key(found) == have for found in row.companions[name]):
            return True
        need = known[have]
        return specs.parse(need).admits(torch) if need else None

    def meet(self, name: str, version: str, torch: str) -> bool:
        """Whether some platform and Python has a wheel of both; where wheels are not known, they are taken to meet."""
        row = self.row(torch)
        mine = self.vision_python.get(version, {}) if name == "torchvision" else {}
        if row is None or not mine or not row.python:
            return True
        return any(not set(row.python.get(platform, ())).isdisjoint(text.split()) for platform, text in mine.items())

    def in_ranges(self, name: str, releases: list[str]) -> list[str]:
        """The releases that a resolver takes for a range: not those that were all withdrawn, without wheels in the table."""
        return [found for found in releases if name != "torchvision" or found in self.vision_python]

    def partner(self, name: str, torch: str) -> str:
        """The newest release of a companion that goes with a torch release, or ""."""
        row = self.row(torch)
        if row is not None and row.companions.get(name):
            return row.companions[name][-1]
        found = [version for version in self.versions(name) if self.pairs(name, version, torch)]
        return found[-1] if found else ""

    def known_tag(self, tag: str) -> bool:
        """Whether any release in the table has this build tag."""
        return any(tag in row.tags() for row in self.rows)

    def never(self, tag: str) -> bool:
        """Whether a CUDA tag lies between tags that releases have, and no release has it: none was ever published."""
        if not tag.startswith("cu") or not tag[2:].isdigit() or self.known_tag(tag):
            return False
        known = [int(other[2:]) for row in self.rows for other in row.tags() if other.startswith("cu")]
        return bool(known) and min(known) < int(tag[2:]) < max(known)

    def nearest(self, tag: str) -> str:
        """The next lower CUDA tag that was published, else the lowest."""
        known = sorted({int(other[2:]) for row in self.rows for other in row.tags() if other.startswith("cu")})
        return "cu" + str(max((number for number in known if number < int(tag[2:])), default=known[0]))

    def published(self, tag: str, row: Row) -> bool | None:
        """Whether a torch release was published with a build tag; None if not known."""
        if tag in ("cpu", "xpu") or not row.tags() or not self.known_tag(tag):
            return None
        if tag.startswith("rocm") and not row.rocm:
            return None
        return tag in row.tags()

    def last_for(self, tag: str) -> Row | None:
        """The last torch release of a build line that has ended, or None if it goes on (or is not known)."""
        if tag in ("cpu", "xpu", ""):
            return None
        having = [row for row in self.rows if tag in row.tags()]
        tagged = [row for row in self.rows if (row.rocm if tag.startswith("rocm") else row.tags())]
        return having[-1] if having and having[-1] is not tagged[-1] else None

    def going_on(self, tag: str, rows: list[Row], major: str = "") -> str:
        """The next higher build of a tag's kind that the newest tagged one of `rows` has, else its highest; "": none.

        `major` ("12") limits it to builds for that CUDA, if there are any.
        """
        kind = [row for row in rows if (row.rocm if tag.startswith("rocm") else row.cuda)]
        if not kind or tag.startswith("rocm"):
            return "rocm" + kind[-1].rocm[-1] if kind else ""
        having = [other for other in kind[-1].cuda if major and other.startswith("cu" + major)] or kind[-1].cuda
        number = int(tag[2:]) if tag[2:].isdigit() else 0
        return next((other for other in having if int(other[2:]) >= number), having[-1])

    def built(self, name: str, version: str) -> set[str]:
        """The build tags of a release of the family: those of the first torch that it came out with."""
        if name == "torch":
            row = self.row(version)
        else:
            row = next((row for row in self.rows if version in row.companions.get(name, ())), None)
        return row.tags() if row is not None else set()

    def first_for(self, tag: str) -> Row | None:
        return next((row for row in self.rows if tag in row.tags()), None)

    def torch_of(self, name: str, version: str) -> list[Row]:
        """The torch releases that a release of `name` goes with."""
        return [row for row in self.rows if self.pairs(name, version, row.torch)]

    def index_packages(self) -> frozenset[str]:
        """What PyTorch's own index publishes."""
        return frozenset(self.overlay["index_packages"]["names"])


_LOADED: list[Table] = []


def load() -> Table:
    """The shipped table (about 0.5 ms, once a process)."""
    if not _LOADED:
        import json
        import os

        documents = []
        for name in ("torch_table.json", "torch_overlay.json"):
            with open(os.path.join(_folder(), name), encoding="utf-8") as file:
                documents.append(json.load(file))
        _LOADED.append(Table(*documents))
    return _LOADED[0]


def other(path: str, data: bytes | None) -> Table:
    """A table of the user's own, in the shipped one's format (`scripts/update_torch_table.py` writes it).

    Raises:
        SettingsError: there is no such file, or it is not such a table.
    """
    import json

    from gatepost.settings import SettingsError

    if data is None:
        raise SettingsError(f"torch-source: `compat` names `{path}`, which cannot be read")
    try:
        document = json.loads(data)
        if not isinstance(document, dict) or document.get("schema") != 1:
            raise ValueError("its `schema` is not 1")
        return Table(document, load().overlay)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise SettingsError(f"torch-source: `{path}` is not a compatibility table: {error}") from None


def date() -> str:
    """The day of the shipped table, read from its first lines: pages name it, and need nothing else of it."""
    import os

    with open(os.path.join(_folder(), "torch_table.json"), encoding="utf-8") as file:
        head = file.read(400)
    return head.partition('"generated": "')[2].partition('"')[0]


def _folder() -> str:
    import os

    return os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "data")


_SYSTEMS = {
    "windows": "win", "win": "win", "win32": "win", "win64": "win", "macos": "macos", "mac": "macos", "osx": "macos",
    "darwin": "macos", "linux": "linux", "ubuntu": "linux",
}  # fmt: skip


def names_system(words: Iterable[str]) -> str:
    """The system that a name (a file, an extra, a group) states: "win", "macos", "linux" as wheel platforms begin, or ""."""
    return next((_SYSTEMS[word.lower()] for word in words if word.lower() in _SYSTEMS), "")


def names_build(words: Iterable[str]) -> str:
    """The kind of build that a name (a group, an extra, a file) asks for: "cpu", "cuda", "rocm", "cu128", or ""."""
    for word in words:
        lower = word.lower()
        if lower in ("cpu", "cpuonly", "nogpu"):
            return "cpu"
        if lower in ("gpu", "cuda"):
            return "cuda"
        if tag := urls.tag_of(lower):
            return tag
        if lower in ("cu11", "cu12", "cu13", "cu14"):
            return lower  # a CUDA major, any minor
        if lower == "rocm":
            return "rocm"
    return ""
