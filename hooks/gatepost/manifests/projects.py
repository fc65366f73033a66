"""Projects of a repository and what deploys them: requirements families, locks, images, CI jobs, platforms."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import builds, ignores, workflow
from gatepost.manifests.files import Files
from gatepost.manifests.image import Image
from gatepost.manifests.installs.packages import is_path
from gatepost.manifests.names import canonical
from gatepost.manifests.places import is_dockerfile, is_example, is_generated, join
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gatepost.manifests.builds import Build
    from gatepost.manifests.requirements import ReqFile

LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "pixi.lock", "conda-lock.yml")
MAX_IMAGES = 200  # Dockerfiles looked at in one repository


@record
class Pins:
    """A requirements file, with what it includes, as a lock: how many entries, which are not exact."""

    path: str
    total: int
    loose: tuple[str, ...]  # names that admit more than one version
    hashed: bool
    generated: str  # the compiler that its header names, "" when none
    first_loose: int  # line of the first of them in `path`, 0 when it is in an include
    names: frozenset[str]


class Repository(Files):
    """The projects of a snapshot, and what deploys them."""

    def __init__(self, paths: Iterable[str], read: Callable[[str], bytes | None]) -> None:
        super().__init__(paths, read)
        self._builds: tuple[Build, ...] | None = None
        self._images: tuple[Image, ...] | None = None

    def pins(self, path: str, single: Callable[[str, str], bool] | None = None, python: str = "") -> Pins | None:
        """How far a requirements file is a lock of its own, on Linux and, where it is known, on a Python ("3.12").

        `single` tells whether the range of a canonical name admits one release only, as a pin does.
        """
        family = self.family(path)
        if not family:
            return None
        constrained = self._constrained(family)
        pinned = {
            (canonical(line.name), line.marker)
            for _, parsed in family
            for line in parsed.lines
            if _exact(line.specifier, line.url)
        }
        loose: list[str] = []
        names: set[str] = set()
        first, hashed = 0, True
        for where, parsed in family:
            for line in parsed.lines:
                name = canonical(line.name)
                if (
                    line.editable
                    or (line.url and not line.name)
                    or is_path(line.text)
                    or not on_linux(line.marker, python)
                ):
                    continue
                names.add(name)
                hashed = hashed and bool(line.hashes)
                if name in constrained or pinned & {(name, ""), (name, line.marker)}:
                    continue
                if single is None or not single(name, line.specifier):
                    loose.append(name)
                    first = first or (line.line if where == path else 0)
        generated = family[0][1].generated
        return Pins(
            path=path,
            total=len(names),
            loose=tuple(dict.fromkeys(loose)),
            hashed=hashed and bool(names),
            generated=generated,
            first_loose=first,
            names=frozenset(names),
        )

    def _constrained(self, family: Sequence[tuple[str, ReqFile]]) -> frozenset[str]:
        found: set[str] = set()
        for where, parsed in family:
            for include, constraint, _ in parsed.includes:
                if constraint:
                    target = posixpath.normpath(posixpath.join(posixpath.dirname(where), include))
                    other = self.requirements(target)
                    for line in other.lines if other else ():
                        if _exact(line.specifier, line.url):
                            found.add(canonical(line.name))
        return frozenset(found)

    def locks(self, folder: str) -> tuple[str, ...]:
        """The lock files that speak for a folder: its own, else those of the uv workspace it is a member of."""
        own = tuple(path for name in LOCKS if (path := posixpath.join(folder, name)) in self.paths)
        if own:
            return own
        lock = posixpath.join(self.workspace(folder), "uv.lock")
        return (lock,) if lock in self.paths else ()

    def workspace(self, folder: str) -> str:
        """The root of the uv workspace that a folder is a member of; the folder itself where there is none."""
        parent = folder
        while parent:
            parent = posixpath.dirname(parent)
            if self._member(parent, folder):
                return parent
        return folder

    def _member(self, root: str, folder: str) -> bool:
        table: object = self.toml(posixpath.join(root, "pyproject.toml"))
        for key in ("tool", "uv", "workspace"):
            table = table.get(key) if isinstance(table, dict) else None
        inner = posixpath.relpath(folder, root or ".")

        def named(key: str) -> bool:
            globs = table.get(key) if isinstance(table, dict) else None
            globs = globs if isinstance(globs, list) else []
            return any(isinstance(glob, str) and ignores.glob_matches(glob, inner) for glob in globs)

        return named("members") and not named("exclude")

    def published(self, folder: str) -> bool:
        """Whether something in CI builds and uploads the project as a package: then it is a library."""
        for _, jobs in self.jobs(b"publish", b"twine"):
            for job in jobs:
                for step in job.steps:
                    if step.uses.startswith("pypa/gh-action-pypi-publish"):
                        return not self._applied(folder)
                    for command in step.commands:
                        texts = command.texts
                        if (
                            texts[:2]
                            in (
                                ("uv", "publish"),
                                ("poetry", "publish"),
                                ("twine", "upload"),
                                ("pdm", "publish"),
                                ("hatch", "publish"),
                                ("flit", "publish"),
                            )
                            or "twine" in texts[:3]
                        ):
                            return not self._applied(folder)
        return False

    def _applied(self, folder: str) -> bool:
        """A folder other than the root, without a build system of its own, is not what gets published."""
        return "build-system" not in self.toml(posixpath.join(folder, "pyproject.toml")) and bool(folder)

    def images(self) -> tuple[Image, ...]:
        """Every Dockerfile, bound to its context."""
        if self._images is None:
            files = [path for path in sorted(self.paths) if is_dockerfile(path) and not is_generated(path)]
            self._images = tuple(Image(self, path, self.builds()) for path in files[:MAX_IMAGES])
        return self._images

    def builds(self) -> tuple[Build, ...]:
        """Every literal build of an image: compose files, build-push actions, `docker build` lines."""
        if self._builds is None:
            self._builds = tuple(builds.builds(self))
        return self._builds


def on_linux(marker: str, python: str = "") -> bool:
    """Whether a marker may hold on Linux, with that Python ("3.12") if one is known; one that is not understood may."""
    if not any(word in marker for word in ("platform", "os_name", "os.name", "python")):
        return True
    from gatepost.manifests import markers, versions

    try:
        known = [markers.parse(f"python_version == '{python}'")] if python else []
        formula = markers.conjunction([markers.parse(marker), ("is", "sys_platform", "linux"), *known])
        return not markers.impossible(formula, versions.EVERYTHING)
    except markers.MarkerError:
        return True


def _exact(specifier: str, url: str) -> bool:
    """Whether a requirement admits one version only."""
    if url:
        return re.search(r"@[0-9a-f]{40}\b|\.(?:whl|tar\.gz|zip)(?:$|#)", url) is not None
    text = specifier.replace(" ", "")
    return re.fullmatch(r"\(?={2,3}[^,*]+\)?", text) is not None


def other_deployments(repository: Repository) -> Iterator[tuple[str, int, str]]:
    """(path, line, folder) of a Procfile or render.yaml: platforms that install the folder's requirements themselves."""
    for path in sorted(repository.paths):
        if is_generated(path) or is_example(path):
            continue
        name = posixpath.basename(path)
        if name == "Procfile":
            yield path, 1, posixpath.dirname(path)
        elif name in ("render.yaml", "render.yml"):
            root = workflow.compose(repository.read(path) or b"")
            services = workflow.get(root, "services")
            for service in services.value if services is not None and services.id == "sequence" else ():
                kind = workflow.text(workflow.get(service, "runtime")) or workflow.text(workflow.get(service, "env"))
                folder = join(posixpath.dirname(path), workflow.text(workflow.get(service, "rootDir")))
                if kind == "python" and folder is not None:
                    yield path, service.start_mark.line + 1, folder
