"""Finds the files that can say something about PyTorch and turns them into projects.

A byte search comes first: without `torch` in any manifest nothing is parsed and the table is not loaded.
"""

from __future__ import annotations

import sys

from gatepost.patterns import pattern
from gatepost.rules.torch_source import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.manifests.requirements import ReqFile
    from gatepost.model import Context
    from gatepost.rules.torch_source.model import Lock, Project
    from gatepost.rules.torch_source.readers.common import Toml

_INCLUDE = pattern(rb"(?m)(?:^|\s)(?:-r|-c|--requirement|--constraint)[=\s]*([^\s,\]}]+)")
_SCRIPTS = pattern(r"(?:^|/)(?:scripts?|examples?|tools?|bin)/")


class Broken(Exception):
    """A file that cannot be read: `path`, `line`, `reason`."""

    def __init__(self, path: str, line: int | None, reason: str) -> None:
        super().__init__(reason)
        self.path, self.line, self.reason = path, line, reason


class Collector:
    """The projects of a tree. `broken` lists what could not be read."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.tree = ctx.tree
        self.paths = [path for path in ctx.tree.paths() if not paths.skipped(path)]
        self.known = set(self.paths)
        self.broken: list[Broken] = []
        self._tomls: dict[str, Toml | None] = {}
        self._requirements: dict[str, ReqFile | None] = {}

    def candidates(self) -> dict[str, bytes]:
        """The manifests that speak of PyTorch."""
        found = self.tree.read_many([path for path in self.paths if paths.declares(path)])
        return {
            path: data
            for path, data in found.items()
            if data is not None and (paths.names_torch(data) or path.rpartition("/")[2] in paths.PIP_CONFIGS)
        }

    def toml(self, path: str) -> Toml | None:
        """A TOML file of the tree, or None if there is none or it is broken."""
        if path not in self._tomls:
            data = self.tree.read(path) if path in self.known else None
            toml = None
            if data is not None:
                from gatepost.rules.torch_source.readers import common

                try:
                    toml = common.Toml(path, data)
                except ValueError as error:
                    self.broken.append(Broken(path, getattr(error, "line", None), getattr(error, "reason", str(error))))
            self._tomls[path] = toml
        return self._tomls[path]

    def requirements(self, path: str) -> ReqFile | None:
        """A requirements file of the tree, or None if there is none."""
        if path not in self._requirements:
            from gatepost.manifests import requirements

            data = self.tree.read(path) if path in self.known else None
            self._requirements[path] = None if data is None else requirements.parse(data)
        return self._requirements[path]

    def _read(self, path: str) -> bytes | None:
        """A file of the tree, or None if there is none."""
        return self.tree.read(path) if path in self.known else None

    def _requirements_project(self, path: str) -> Project | None:
        """The project of a requirements file that another file names, or None."""
        from gatepost.rules.torch_source.readers import pip

        return pip.read(path, self.requirements) if path in self.known else None

    def projects(self) -> list[Project]:
        """Every project that speaks of PyTorch, in the order of their paths."""
        found: list[Project] = []
        candidates = self.candidates()
        for path in sorted(candidates):
            if not self.ctx.exclude(path):
                found += self._of(path, candidates[path])
        found += self._lone_locks({path for project in found for path in project.files})
        for path, data in self._includers(candidates):
            project = self._environment(path, data) if paths.is_environment(path) else self._requirements_project(path)
            if project is not None:
                found.append(project)
        found += self.scripts()
        return found

    def _of(self, path: str, data: bytes) -> list[Project]:
        """The projects of one manifest, by its name; each reader is loaded when there is something for it."""
        base = path.rpartition("/")[2]
        if base == "pyproject.toml":
            from gatepost.rules.torch_source.readers import pyproject

            return pyproject.read(self, path)
        if base in ("Pipfile", "hatch.toml", "pixi.toml"):
            toml = self.toml(path)
            return [] if toml is None else self._of_toml(base, toml)
        if base in paths.SETUPS:
            return self._setup(path, data)
        if base in paths.RUNNERS:
            return self._runner(path, data)
        project: Project | None = None
        if base in paths.PIP_CONFIGS:
            from gatepost.rules.torch_source.readers import pip

            project = pip.read_config(path, data)
        elif paths.is_requirements(path):
            from gatepost.rules.torch_source.readers import packaged, pip

            project = pip.read(path, self.requirements)
            project = None if project is None else packaged.of_package(project, self._read, self.toml)
        elif paths.is_environment(path):
            project = self._environment(path, data)
        return [] if project is None else [project]

    def _of_toml(self, base: str, toml: Toml) -> list[Project]:
        """The projects of a tool's own TOML file."""
        if base == "Pipfile":
            from gatepost.rules.torch_source.readers import pipenv

            return [pipenv.read(toml, self.locks(toml.path, ("Pipfile.lock",)))]
        if base == "hatch.toml":
            from gatepost.rules.torch_source.readers import hatch

            return hatch.read(toml)
        from gatepost.rules.torch_source.readers import conda

        return [conda.read_pixi(toml, (), self.locks(toml.path, ("pixi.lock",)))]

    def _environment(self, path: str, data: bytes) -> Project | None:
        """The project of an environment file of conda."""
        from gatepost.rules.torch_source.readers import conda

        return conda.read(path, data, self._conda_locks(path), self._requirements_project)

    def _lone_locks(self, read: set[str]) -> list[Project]:
        """PEP 751 locks that no manifest stands beside: what is deployed with `pip install -r pylock.toml`."""
        wanted = [
            path
            for path in self.paths
            if path.endswith(".toml")
            and path not in read
            and paths.is_pylock(path.rpartition("/")[2])
            and not self.ctx.exclude(path)
        ]
        if not wanted:
            return []
        from gatepost.rules.torch_source.model import Project

        return [
            Project(tool="pip", root=paths.folder(path), path=path, files=(path,), locks=locks)
            for path in wanted
            if (locks := self.locks(path, (path.rpartition("/")[2],)))
        ]

    def _includers(self, candidates: dict[str, bytes]) -> list[tuple[str, bytes]]:
        """Requirements and environment files without the word, that include a file with it."""
        others = [
            path
            for path in self.paths
            if path not in candidates and (paths.is_requirements(path) or paths.is_environment(path))
        ]
        found = []
        for path, data in sorted(self.tree.read_many(others).items()):
            if data is None or self.ctx.exclude(path):
                continue
            named = [match[1].decode("utf-8", "replace") for match in _INCLUDE.finditer(data)]
            inner = {paths.join(paths.folder(path), name.strip("'\"")) for name in named} & self.known
            if any(paths.names_torch(self.tree.read(name) or b"") or self._includes(name) for name in inner):
                found.append((path, data))
        return found

    def _includes(self, path: str) -> bool:
        """Whether what a requirements file includes in its turn speaks of PyTorch."""
        project = self._requirements_project(path)
        return project is not None and project.about_torch()

    def scripts(self) -> list[Project]:
        """The scripts with dependencies of their own (PEP 723) that speak of PyTorch."""
        scope = self.ctx.scope
        wanted = [path for path in self.paths if path.endswith(".py") and (scope is None or path in scope)]
        if scope is None and len(wanted) > 20000:
            return []
        small = [path for path in wanted if not self.ctx.exclude(path)]
        found: list[Project] = []
        chosen = small if scope is not None else self._heads(small)
        for path, data in sorted(self.tree.read_many(chosen).items()):
            if data is not None and b"# /// script" in data and paths.names_torch(data):
                from gatepost.rules.torch_source.readers import script

                project = script.read(path, data)
                if project is not None:
                    found.append(project)
        return found

    @staticmethod
    def _heads(paths: list[str]) -> list[str]:
        """Of a whole repository, only the scripts that stand where PEP 723 scripts stand: few enough to read."""
        return (
            paths
            if len(paths) <= 400
            else [path for path in paths if path.count("/") <= 1 or _SCRIPTS.search(path)][:400]
        )

    def _setup(self, path: str, data: bytes) -> list[Project]:
        """The project of a setup.py or setup.cfg, as far as the pyproject beside it leaves the fields to setuptools."""
        from gatepost.rules.torch_source.readers import common, setuptools

        beside = self.toml(paths.join(paths.folder(path), "pyproject.toml"))
        dynamic = None
        if beside is not None and "project" in beside.data:
            dynamic = frozenset(str(name) for name in common.array(beside.data, "project", "dynamic"))
        try:
            project = setuptools.read(path, data, dynamic)
        except SyntaxError as error:
            self.broken.append(Broken(path, error.lineno, f"not Python {sys.version_info[0]}: {error.msg}"))
            return []
        return [] if project is None else [project]

    def _runner(self, path: str, data: bytes) -> list[Project]:
        """The environments of a tox.ini or noxfile.py."""
        from gatepost.rules.torch_source.readers import runners

        try:
            return runners.read(path, data)
        except SyntaxError as error:
            self.broken.append(Broken(path, error.lineno, f"not Python {sys.version_info[0]}: {error.msg}"))
            return []

    def _conda_locks(self, path: str) -> tuple[Lock, ...]:
        """conda-lock's locks beside an environment file that name it among their sources."""
        above, _, base = path.rpartition("/")
        wanted = []
        for name in self.paths:
            if paths.folder(name) == above and paths.is_lock(name) and name.endswith((".yml", ".yaml")):
                head = (self.tree.read(name) or b"").partition(b"\npackage:")[0]
                if f"- {base}".encode() in {row.strip() for row in head.splitlines()}:
                    wanted.append(name.rpartition("/")[2])
        return self.locks(path, wanted) if wanted else ()

    def locks(self, path: str, names: Iterable[str], pylock: bool = False) -> tuple[Lock, ...]:
        """The locks of these names beside a manifest; with `pylock`, those of PEP 751 too."""
        from gatepost.rules.torch_source.readers import locks

        root = paths.folder(path)
        found = []
        wanted = [paths.join(root, name) for name in names]
        if pylock:
            wanted += [
                name for name in self.paths if paths.folder(name) == root and paths.is_pylock(name.rpartition("/")[2])
            ]
        for name in wanted:
            data = self.tree.read(name) if name in self.known else None
            if data is None:
                continue
            try:
                lock = locks.read(name, data)
            except ValueError as error:
                self.broken.append(Broken(name, None, f"not a lock file: {error}"))
                continue
            if lock is not None:
                found.append(lock)
        return tuple(found)
