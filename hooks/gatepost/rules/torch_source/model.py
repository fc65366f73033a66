"""The one normalised model that every reader makes and every rule reads.

A `Project` is one resolution: the packages a tool would resolve together (a pyproject with its lock, a requirements
file with what it includes, a conda environment). Rules know no tools; what differs between tools is data here.
"""

from __future__ import annotations

from gatepost.model import Location
from gatepost.record import record, replace
from gatepost.rules.torch_source import markers, specs, urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Span: TypeAlias = tuple[int, int]

FAMILY = frozenset({"torch", "torchvision", "torchaudio"})
EXTENDED = FAMILY | {
    "torchtext",
    "torchdata",
    "torchcodec",
    "xformers",
    "triton",
    "torchao",
    "torchrec",
    "torch-tensorrt",
    "fbgemm-gpu",
    "pytorch-triton",
    "pytorch-triton-rocm",
    "triton-rocm",
    "pytorch-triton-xpu",
    "triton-xpu",
    "vllm",
}
# Names on the registry that are not PyTorch's: the overlay's `wrong_names`, without what they should be.
WRONG_NAMES = frozenset(
    {"pytorch", "torch-gpu", "pytorch-gpu", "torch-cpu", "pytorch-cpu", "pytorch-geometric", "torchtriton"}
)
CONDA_NAMES = frozenset({"pytorch", "pytorch-gpu", "pytorch-cpu", "pytorch-cuda", "cpuonly", "libtorch"})
# Where a requirement stands.
MAIN, GROUP, EXTRA, FILE, SCRIPT = "main", "group", "extra", "file", "script"
# What a requirement does.
DIRECT, CONSTRAINT, OVERRIDE, BUILD = "direct", "constraint", "override", "build"
# When an index is asked for a package that is not routed to it.
DEFAULT = "default"  # instead of the public registry
SHARED = "shared"  # for every package, beside or before the others
FALLBACK = "fallback"  # only when the others have no match at all
ROUTED = "routed"  # never
LIMITED = "limited"  # for the packages it names
LINKS = "links"  # a page of files, merged with the others


@record
class Env:
    """The environment a requirement belongs to: the main one, a group, an extra, a file, a script."""

    kind: str
    name: str = ""
    optional: bool = False  # installed only when asked for

    def words(self) -> list[str]:
        import re

        return re.split(r"[^A-Za-z0-9.]+", self.name)

    def label(self) -> str:
        return "the main dependencies" if self.kind == MAIN else f"{self.kind} `{self.name}`"


@record
class Requirement:
    """One line that asks for a package."""

    name: str  # canonical (PEP 503)
    text: str  # the range as written
    spec: specs.Spec
    marker: str
    env: Env
    where: Location
    role: str = DIRECT
    route: str = ""  # the index that the requirement itself names
    url: str = ""  # a direct reference
    optional: bool = False
    extras: tuple[str, ...] = ()
    span: Span | None = None  # the characters of the range (or of the whole requirement string, if `whole`)
    whole: Span | None = None  # the characters of the requirement's whole value
    channel: str = ""  # conda: the channel it names
    build: str = ""  # conda: the build string
    hashed: bool = False

    def tag(self) -> str:
        """The build that an exact pin or a direct URL names, or ""."""
        if self.url:
            return url_tag(self.url)
        return urls.tag_of(self.spec.exact_label())


@record
class Index:
    """A place that packages may come from."""

    name: str
    url: str
    where: Location
    role: str
    span: Span | None = None  # the characters of the URL's value
    written: str = ""  # the priority as written
    packages: tuple[str, ...] = ()  # LIMITED: the names it serves
    insecure: bool = False  # certificates not checked

    def parts(self) -> urls.Url:
        return urls.split(self.url)

    def tag(self) -> str:
        return urls.split(self.url).build

    def torch(self) -> bool:
        return urls.is_torch_index(self.url)


@record
class Route:
    """ "This package comes from that index", for a marker, an extra or a group."""

    package: str
    index: str  # the index's name, "" for a direct reference
    where: Location
    marker: str = ""
    extra: str = ""
    group: str = ""
    url: str = ""  # url =, path =, git =
    env: Env | None = None  # the requirement's own environment, where the route is part of a requirement
    span: Span | None = None


@record
class Locked:
    """An entry of a lock."""

    name: str
    version: str
    where: Location
    origin: str = ""  # the index's address, "" for the public registry or unknown
    reference: str = ""  # the index's name
    known: bool = True  # whether the origin can be told
    files: tuple[str, ...] = ()  # names or addresses of its files
    marker: str = ""
    groups: tuple[str, ...] = ()
    conda_build: str = ""

    def tag(self) -> str:
        """The build of the entry: its local label, else that of its files where they agree."""
        if found := urls.tag_of(specs.label(self.version)):
            return found
        tags = {tag for file in self.files if (tag := url_tag(file))}
        return tags.pop() if len(tags) == 1 else ""


@record
class Lock:
    """A lock file's part that is about PyTorch."""

    path: str
    format: str
    entries: tuple[Locked, ...]
    strangers: tuple[Locked, ...] = ()  # other packages that come from PyTorch's index
    sources: tuple[tuple[str, str], ...] = ()  # (name, url) that the lock itself declares
    generator: str = ""
    python: str = ""
    declared: tuple[str, ...] = ()  # indexes recorded for the root's requirements
    names: frozenset[str] = frozenset()  # every package in it, canonical (empty: not read)
    header: str = ""  # what an exported file says of itself


@record
class Fact:
    """Something that only one tool's file can say, in the words of a rule: its code, place and sentence."""

    code: str
    where: Location
    message: str
    remedy: str
    edits: tuple[tuple[int, int, str], ...] = ()  # (start, end, new text) in the file of `where`
    severity: str = ""


@record
class Semantics:
    """How a tool resolves. Source: the tool's documentation, and the oracle tests."""

    relock: str  # the command that renews its lock
    install: str  # the command that installs
    routes_need_direct: bool = False  # a route works only for a package that the project itself declares
    one_per_name: bool = False  # one locked entry serves every group: a source in one group serves all
    label_in_range: str = "rejected"  # or "text": compared as text
    merges: bool = False  # all indexes are asked, the highest version wins (else the first that has the package)
    universal: bool = False  # locks for every platform at once
    names_fold: bool = False  # index names are compared without case
    index_table: str = ""  # where it declares indexes
    apart: str = "in a step of its own"  # where PyTorch is installed before the rest


SEMANTICS = {
    "Poetry": Semantics(
        relock="poetry lock",
        install="poetry install",
        routes_need_direct=True,
        one_per_name=True,
        label_in_range="text",
        merges=True,
        universal=True,
        names_fold=True,
        index_table="[[tool.poetry.source]]",
    ),
    "uv": Semantics(
        relock="uv lock", install="uv sync", routes_need_direct=True, universal=True, index_table="[[tool.uv.index]]"
    ),
    "PDM": Semantics(
        relock="pdm lock", install="pdm install", merges=True, universal=True, index_table="[[tool.pdm.source]]"
    ),
    "Pipenv": Semantics(relock="pipenv lock", install="pipenv install", index_table="[[source]]"),
    "pip": Semantics(relock="pip-compile", install="pip install -r", merges=True),
    "conda": Semantics(
        relock="conda-lock", install="conda env create -f", merges=True, apart="outside this file, in a step of its own"
    ),
    "pixi": Semantics(relock="pixi lock", install="pixi install", universal=True),
    "pyproject": Semantics(relock="uv lock", install="pip install .", merges=True),
    "Hatch": Semantics(relock="", install="hatch env create", merges=True, apart="in `pre-install-commands`"),
    "setuptools": Semantics(relock="", install="pip install .", merges=True),
}


@record
class Project:
    """One resolution."""

    tool: str  # a key of SEMANTICS
    root: str  # its folder, "" for the repository's own
    path: str  # the manifest
    files: tuple[str, ...]
    requirements: tuple[Requirement, ...] = ()
    indexes: tuple[Index, ...] = ()
    routes: tuple[Route, ...] = ()
    locks: tuple[Lock, ...] = ()
    facts: tuple[Fact, ...] = ()
    python: str = ""  # requires-python as written, PEP 440 or Poetry
    python_where: Location | None = None
    python_span: Span | None = None
    python_pin: str = ""  # .python-version
    python_beside: tuple[str, ...] = ()  # requires-python of the others of its workspace: uv locks for what all allow
    environments: tuple[str, ...] = ()  # markers that limit the resolution
    required: tuple[str, ...] = ()  # markers that must be installable
    conflicts: tuple[frozenset[str], ...] = ()  # {"extra:cpu", "group:gpu"}
    extras: tuple[tuple[str, tuple[str, ...]], ...] = ()
    published: bool = False  # builds a distribution whose metadata others read
    dynamic: bool = False  # dependencies are computed elsewhere
    linux_only: bool = False
    strategy: str = ""
    settings_torch_backend: Location | None = None
    path_sources: bool = False  # has path or git dependencies, whose own sources may leak
    channels: tuple[str, ...] = ()
    members: bool = False  # a workspace: routes also serve its members
    foreign: tuple[Requirement, ...] = ()  # requirements of workspace members
    system_cuda: bool = False
    title: str = ""
    # Environments that bring others, all the way: ("group:dev", {"group:test"}).
    includes: tuple[tuple[str, frozenset[str]], ...] = ()

    def of_a_task(self) -> bool:
        """Whether it is an environment that tox, nox or Hatch makes for a task: nobody deploys it."""
        return self.tool == "Hatch" or self.path.endswith(("tox.ini", "noxfile.py"))

    def semantics(self) -> Semantics:
        if self.tool == "uv" and self.path.endswith(".py"):  # a script with dependencies of its own (PEP 723)
            import shlex

            run = f"uv run {shlex.quote(self.path)}"
            return replace(SEMANTICS["uv"], relock=run, install=run)
        return SEMANTICS[self.tool]

    def relocked(self) -> str:
        """How a remedy ends that makes the lock stale: with the command that renews it."""
        return f", then run `{self.semantics().relock}`." if self.locks else "."

    def about_torch(self) -> bool:
        """Whether PyTorch has any part in it."""
        return (
            any(req.name in EXTENDED or req.name in CONDA_NAMES or req.name in WRONG_NAMES for req in self.requirements)
            or any(
                index.torch() or "torch" in index.url.lower() or urls.look_alike(index.url) for index in self.indexes
            )
            or any(lock.entries for lock in self.locks)
            or any(route.package in EXTENDED for route in self.routes)
        )

    def torch_indexes(self) -> tuple[Index, ...]:
        """The indexes that are PyTorch's own."""
        return tuple(index for index in self.indexes if index.parts().official)

    def own(self, where: Location) -> bool:
        """Whether a place is in the project's own files, not in those of its workspace."""
        return where.path == self.path or where.path.endswith("uv.toml")

    def family(self) -> list[Requirement]:
        """The requirements on torch, torchvision and torchaudio, torch first."""
        found = [req for req in self.requirements if req.name in FAMILY and req.role == DIRECT]
        return sorted(found, key=lambda req: req.name != "torch")

    def named(self, name: str) -> tuple[Requirement, ...]:
        """The requirements that install `name` (not constraints)."""
        return tuple(req for req in self.requirements if req.name == name and req.role == DIRECT)

    def index(self, name: str) -> Index | None:
        exact = next((index for index in self.indexes if index.name == name), None)
        if exact is not None or not self.semantics().names_fold:
            return exact
        folded = name.lower()
        return next((index for index in self.indexes if index.name.lower() == folded), None)

    def routes_of(self, req: Requirement) -> tuple[Route, ...]:
        """The routes that apply to a requirement where it stands."""
        found = []
        for route in self.routes:
            if route.package != req.name:
                continue
            if route.env is not None:
                if route.where == req.where and (
                    not route.marker or not req.marker or markers.overlap(route.marker, req.marker)
                ):
                    found.append(route)
                continue
            if route.extra and (req.env.kind != EXTRA or _fold(req.env.name) != _fold(route.extra)):
                continue
            if route.group and (req.env.kind != GROUP or _fold(req.env.name) != _fold(route.group)):
                continue
            if not route.marker or not req.marker or markers.overlap(route.marker, req.marker):
                found.append(route)
        return tuple(found)

    def pool(self) -> tuple[Index, ...]:
        """The indexes asked for a package that has no route, besides the public registry."""
        return tuple(index for index in self.indexes if index.role in (DEFAULT, SHARED, FALLBACK, LINKS))

    def serves(self, index: Index, name: str) -> bool:
        """Whether an index is asked for an unrouted package of that name."""
        if index.role == LIMITED:
            from fnmatch import fnmatchcase

            return any(fnmatchcase(name, pattern) for pattern in index.packages)
        return index.role in (DEFAULT, SHARED, FALLBACK, LINKS)

    def tags_of(self, req: Requirement) -> set[str]:
        """The build tags that a requirement can be told to get; empty: not known, or the public registry's."""
        if tag := req.tag():
            return {tag}
        if req.url:
            return set()
        routes = self.routes_of(req)
        found = set()
        for route in routes:
            index = self.index(route.index) if route.index else None
            if index is not None and index.tag():
                found.add(index.tag())
        if routes:
            return found
        serving = [index for index in self.indexes if self.serves(index, req.name) and index.role != FALLBACK]
        tags = {index.tag() for index in serving if index.tag() and (index.torch() or index.role == LIMITED)}
        if self.semantics().merges and any(index.role == "pypi" for index in self.indexes):
            return set()  # the registry is named as well, so the highest version wins
        if tags and (any(index.role == DEFAULT for index in serving) or not self.semantics().merges):
            return tags if len(tags) == 1 else set()
        return set()

    def exclusive(self, left: Env, right: Env) -> bool:
        """Whether two environments are declared (or by their kind known) never to be installed together."""
        if left == right:
            return False
        keys = {f"{left.kind}:{_fold(left.name)}", f"{right.kind}:{_fold(right.name)}"}
        return any(keys <= conflict for conflict in self.conflicts)

    def _contains(self, outer: Env, inner: Env) -> bool:
        """Whether installing one environment installs another: a group that includes it, an extra that asks for it."""
        wanted = f"{inner.kind}:{_fold(inner.name)}"
        return any(key == f"{outer.kind}:{_fold(outer.name)}" and wanted in names for key, names in self.includes)

    def together(self, left: Requirement, right: Requirement) -> bool:
        """Whether two requirements are certain to meet in one environment."""
        if left.env != right.env and MAIN not in (left.env.kind, right.env.kind):
            if not (self._contains(left.env, right.env) or self._contains(right.env, left.env)):
                return False
        if self.exclusive(left.env, right.env):
            return False
        return markers.overlap(left.marker, right.marker) if left.marker or right.marker else True


def _fold(name: str) -> str:
    import re

    return re.sub(r"[-_.]+", "-", name).lower()


def fold(name: str) -> str:
    """The canonical form of a package, extra or group name (PEP 503)."""
    return _fold(name)


def url_tag(url: str) -> str:
    """The build tag in a wheel's address or file name: `torch-2.4.0%2Bcu118-...` -> `cu118`."""
    import re

    name = url.replace("%2B", "+").replace("%2b", "+")
    base = name.rsplit("/", 1)[-1]
    if found := re.match(r"[A-Za-z0-9_.]+-[^-+]+\+([A-Za-z0-9.]+)-", base):
        return urls.tag_of(found[1])
    return urls.split(url).build if "://" in url and "/whl/" in url else ""


def wheel_platforms(file: str) -> set[str]:
    """The platforms (names of `markers.PLATFORMS`) that a wheel file serves; an unknown tag gives an empty set."""
    base = file.split("#", maxsplit=1)[0].split("?", maxsplit=1)[0].rsplit("/", 1)[-1]
    if not base.endswith(".whl"):
        return set()
    tag = base[:-4].rsplit("-", 1)[-1]
    found = set()
    for part in tag.split("."):
        if part == "any":
            return {name for name, _ in markers.PLATFORMS}
        if "linux" in part and part.endswith("x86_64"):
            found.add("linux_x86_64")
        elif "linux" in part and part.endswith(("aarch64", "arm64")):
            found.add("linux_aarch64")
        elif part.startswith("macosx"):
            if part.endswith(("arm64", "universal2")):
                found.add("macos_arm64")
            if part.endswith(("x86_64", "universal2", "intel")):
                found.add("macos_x86_64")
        elif part == "win_amd64":
            found.add("win_amd64")
    return found
