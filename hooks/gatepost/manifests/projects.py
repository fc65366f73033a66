"""Projects of a repository and what deploys them: which image really copies and installs which file.

A Dockerfile is bound to a project by its own commands: `uv sync` in /app means the `pyproject.toml` that some COPY
put into /app. The build context comes from compose files, workflows and `docker build` lines where they are literal,
else from where the COPY sources exist. What is generated (mlruns, site-packages, ...) is no project; what lies in
examples, tests and docs is not deployed. `mlruns/` etc. follow MLflow's and Weights & Biases' own layouts.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import dockerfile, ignores, installs, workflow
from gatepost.patterns import pattern
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from gatepost.manifests.dockerfile import Copy, Dockerfile, Stage
    from gatepost.manifests.dockerfile import Step as DockerStep
    from gatepost.manifests.installs import Install
    from gatepost.manifests.requirements import ReqFile
    from gatepost.manifests.shell import Command
    from gatepost.manifests.workflow import Job

_GENERATED = pattern(
    r"(?:^|/)(?:mlruns|mlartifacts|wandb/(?:offline-)?run-[^/]+|site-packages|dist-packages|node_modules|\.?venv|\.tox|"
    r"\.nox|__pycache__|third_party|third-party|vendor|vendored|_vendor|external|submodules|lightning_logs|outputs/\d{4}-)/"
)
_EXAMPLE = pattern(
    r"(?:^|/)(?:examples?|samples?|tests?|testing|docs?|documentation|benchmarks?|tutorials?|notebooks?|templates?|"
    r"cookbooks?|demos?|fixtures|playground|workshops?|[^/]*exercises?[^/]*|lectures?|lessons?|homeworks?|archive[ds]?|legacy|"
    r"deprecated|\.devcontainer|\.github|\.circleci|\.gitpod|[^/]*\{\{[^/]*)(?:/|$)",
    re.IGNORECASE,
)
_DEV_NAME = pattern(
    r"(?:^|[._-])(?:dev|devel|development|test|tests|testing|ci|docs?|lint|debug|local|example|builder)(?:[._-]|$)",
    re.IGNORECASE,
)
_COMPOSE = pattern(r"(?:^|/)(?:docker-)?compose[^/]*\.ya?ml$")
_SCRIPTS = pattern(r"(?:^|/)(?:Makefile|makefile|GNUmakefile|justfile|Justfile|[^/]+\.sh|README(?:\.[a-z]+)?)$")
_FILE_LINES = pattern(rb'^    \{ ?(?:url|file) = "[^"\\\n]*", hash = "[^"\\\n]*"[^\n{}]*\},\n', re.MULTILINE)
LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "pixi.lock", "conda-lock.yml")
MAX_IMAGES = 200  # Dockerfiles looked at in one repository


def is_generated(path: str) -> bool:
    """Whether a path lies in a tree that a tool wrote (runs, environments, vendored code)."""
    return _GENERATED.search(path) is not None


def is_example(path: str) -> bool:
    """Whether a path lies among examples, tests, docs or the like: not deployed."""
    return _EXAMPLE.search(posixpath.dirname(path)) is not None


def is_dockerfile(path: str) -> bool:
    """`Dockerfile`, `Dockerfile.gpu`, `gpu.Dockerfile`, `Containerfile`; no ignore files, no templates."""
    name = posixpath.basename(path)
    lower = name.lower()
    if lower.endswith(
        (
            ".dockerignore",
            ".j2",
            ".jinja",
            ".jinja2",
            ".tmpl",
            ".template",
            ".md",
            ".bak",
            ".orig",
            ".py",
            ".txt",
            ".sh",
            ".yml",
            ".yaml",
        )
    ):
        return False
    return (
        lower.startswith(("dockerfile", "containerfile"))
        and (len(lower) in (10, 13) or lower[10:11] in "._-" or lower[13:14] in "._-")
    ) or lower.endswith((".dockerfile", ".containerfile"))


def is_development(path: str) -> bool:
    """Whether a Dockerfile's name says that it is for developers or for tests."""
    name = posixpath.basename(path)
    rest = re.sub(r"(?i)(?:docker|container)file", "", name)
    return _DEV_NAME.search(rest) is not None


@record
class Build:
    """A literal `docker build`: paths from the repository's root; None is "not said"."""

    dockerfile: str
    context: str
    target: str
    arguments: tuple[tuple[str, str], ...]
    gpu: bool  # the compose service asks for a GPU
    path: str  # where it is said
    line: int


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


class Repository:
    """The files of a snapshot as deployment sees them. Reads each file at most once; nothing is cached elsewhere."""

    def __init__(self, paths: Iterable[str], read: Callable[[str], bytes | None]) -> None:
        self.paths = frozenset(paths)
        self._read = read
        self._bytes: dict[str, bytes | None] = {}
        self.folders = {""}
        for path in self.paths:
            folder = posixpath.dirname(path)
            while folder not in self.folders:
                self.folders.add(folder)
                folder = posixpath.dirname(folder)
        self._requirements: dict[str, ReqFile | None] = {}
        self._tomls: dict[str, dict[str, Any] | None] = {}
        self.memo: dict[tuple[object, ...], Any] = {}  # what a rule worked out, by its own key
        self._builds: tuple[Build, ...] | None = None
        self._jobs: dict[str, tuple[Job, ...]] = {}
        self._workflows = [path for path in sorted(self.paths) if workflow.is_workflow(path) and not is_generated(path)]
        self._images: tuple[Image, ...] | None = None

    def read(self, path: str) -> bytes | None:
        if path not in self._bytes:
            self._bytes[path] = self._read(path) if path in self.paths else None
        return self._bytes[path]

    def text(self, path: str) -> str:
        return (self.read(path) or b"")[:4_000_000].decode("utf-8", "replace")

    def toml(self, path: str) -> dict[str, Any]:
        """A TOML file's tables; empty when it is missing or broken."""
        if path not in self._tomls:
            from gatepost.toml.load import TomlError, loads

            found: dict[str, Any] | None = None
            if path in self.paths:
                try:
                    found = loads(_slim(self.read(path) or b"") if path.endswith(".lock") else self.read(path) or b"")
                except (TomlError, RecursionError, ValueError):
                    found = None
            self._tomls[path] = found
        return self._tomls[path] or {}

    def requirements(self, path: str) -> ReqFile | None:
        """A requirements file as pip reads it, or None when it is not in the snapshot."""
        if path not in self._requirements:
            from gatepost.manifests.requirements import parse

            data = self.read(path)
            self._requirements[path] = parse(data) if data is not None else None
        return self._requirements[path]

    def family(self, path: str) -> tuple[tuple[str, ReqFile], ...]:
        """A requirements file and all that it includes by `-r` (not `-c`), each once; cycles end."""
        found: dict[str, ReqFile] = {}
        todo = [path]
        while todo and len(found) < 100:
            one = todo.pop(0)
            parsed = self.requirements(one)
            if parsed is None or one in found:
                continue
            found[one] = parsed
            for include, constraint, _ in parsed.includes:
                if not constraint:
                    todo.append(posixpath.normpath(posixpath.join(posixpath.dirname(one), include)))
        return tuple(found.items())

    def pins(self, path: str) -> Pins | None:
        """How far a requirements file is a lock of its own."""
        family = self.family(path)
        if not family:
            return None
        constrained = self._constrained(family)
        loose: list[str] = []
        names: set[str] = set()
        total, first, hashed = 0, 0, True
        for where, parsed in family:
            for line in parsed.lines:
                name = installs.canonical(line.name)
                if line.editable or (line.url and not line.name) or installs.is_path(line.text):
                    continue
                total += 1
                names.add(name)
                hashed = hashed and bool(line.hashes)
                if not _exact(line.specifier, line.url) and name not in constrained:
                    loose.append(name)
                    first = first or (line.line if where == path else 0)
        generated = family[0][1].generated
        return Pins(
            path=path,
            total=total,
            loose=tuple(dict.fromkeys(loose)),
            hashed=hashed and total > 0,
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
                            found.add(installs.canonical(line.name))
        return frozenset(found)

    def locks(self, folder: str) -> tuple[str, ...]:
        """The lock files that speak for a folder: its own, else those of the uv workspace it is a member of."""
        own = tuple(path for name in LOCKS if (path := posixpath.join(folder, name)) in self.paths)
        if own:
            return own
        parent = folder
        while parent:
            parent = posixpath.dirname(parent)
            lock = posixpath.join(parent, "uv.lock")
            if lock in self.paths and self._member(parent, folder):
                return (lock,)
        return ()

    def _member(self, root: str, folder: str) -> bool:
        table = self.toml(posixpath.join(root, "pyproject.toml")).get("tool", {})
        workspace = table.get("uv", {}).get("workspace", {}) if isinstance(table, dict) else {}
        members = workspace.get("members", []) if isinstance(workspace, dict) else []
        inner = posixpath.relpath(folder, root or ".")
        return any(isinstance(glob, str) and ignores.glob_matches(glob, inner) for glob in members)

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

    def jobs(self, *needles: bytes) -> Iterator[tuple[str, tuple[Job, ...]]]:
        """The jobs of every CI file that holds any of the needles; YAML is read only for those."""
        for path in self._workflows:
            data = self.read(path) or b""
            if any(needle in data for needle in needles):
                if path not in self._jobs:
                    self._jobs[path] = workflow.parse(path, data)
                yield path, self._jobs[path]

    def images(self) -> tuple[Image, ...]:
        """Every Dockerfile, bound to its context."""
        if self._images is None:
            files = [path for path in sorted(self.paths) if is_dockerfile(path) and not is_generated(path)]
            self._images = tuple(Image(self, path) for path in files[:MAX_IMAGES])
        return self._images

    def builds(self) -> tuple[Build, ...]:
        """Every literal build of an image: compose files, build-push actions, `docker build` lines."""
        if self._builds is None:
            self._builds = tuple(self._find_builds())
        return self._builds

    def _find_builds(self) -> Iterator[Build]:
        for path in sorted(path for path in self.paths if path.endswith((".yml", ".yaml"))):
            if _COMPOSE.search(path) and not is_generated(path):
                yield from _compose_builds(path, self.read(path) or b"")
        for path, jobs in self.jobs(b"docker", b"podman"):
            for job in jobs:
                for step in job.steps:
                    if step.uses.startswith("docker/build-push-action"):
                        yield from _action_build(path, step.line, step.inputs)
                    for command in step.commands:
                        yield from _command_build(path, command.texts, command.cwd, command.line)
        for path in sorted(self.paths):
            if _SCRIPTS.search(path) and not is_generated(path) and not is_example(path):
                data = self.read(path) or b""
                if b"docker build" in data or b"docker buildx build" in data or b"podman build" in data:
                    from gatepost.manifests.shell import Source, split

                    body = data[:500_000].decode("utf-8", "replace").replace("\\\r\n", " ").replace("\\\n", " ")
                    folder = posixpath.dirname(path)
                    for match in re.finditer(r"(?:docker|podman)(?: buildx)? build[^\n`]*", body):
                        for command in split(Source(text=match[0]), cwd="/" + folder):
                            yield from _command_build(path, command.texts, command.cwd, 0)


def _slim(data: bytes) -> bytes:
    """A lock without the lines of its file lists, which are most of it and say nothing of what is deployed."""
    if b'"""' in data or b"'''" in data:
        return data
    return _FILE_LINES.sub(b"", data)


def _exact(specifier: str, url: str) -> bool:
    """Whether a requirement admits one version only."""
    if url:
        return re.search(r"@[0-9a-f]{40}\b|\.(?:whl|tar\.gz|zip)(?:$|#)", url) is not None
    text = specifier.replace(" ", "")
    return re.fullmatch(r"\(?={2,3}[^,*]+\)?", text) is not None


def _join(*parts: str) -> str | None:
    """A path from the root; None when it leaves the repository."""
    joined = posixpath.normpath(posixpath.join(*parts)) if any(parts) else ""
    if joined.startswith(("..", "/")):
        return None
    return "" if joined == "." else joined


def _compose_builds(path: str, data: bytes) -> Iterator[Build]:
    if b"build" not in data:
        return
    root = workflow.compose(data)
    folder = posixpath.dirname(path)
    for _, key, service in workflow.items(workflow.get(root, "services")):
        build = workflow.get(service, "build")
        if build is None:
            continue
        context = workflow.text(build) or workflow.text(workflow.get(build, "context")) or "."
        name = workflow.text(workflow.get(build, "dockerfile")) or "Dockerfile"
        if "$" in context or "$" in name or "://" in context:
            continue
        where = _join(folder, context)
        target = _join(where, name) if where is not None else None
        if where is None or target is None:
            continue
        listed = workflow.get(build, "args")
        pairs = [(name, workflow.text(value)) for name, _, value in workflow.items(listed)]
        if not pairs:
            pairs = [(item.partition("=")[0], item.partition("=")[2]) for item in workflow.texts(listed) if "=" in item]
        yield Build(
            dockerfile=target,
            context=where,
            target=workflow.text(workflow.get(build, "target")),
            arguments=tuple(pair for pair in pairs if "$" not in pair[1]),
            gpu=_wants_gpu(service),
            path=path,
            line=key.start_mark.line + 1,
        )


def _wants_gpu(service: Any) -> bool:
    if workflow.text(workflow.get(service, "runtime")) == "nvidia" or workflow.get(service, "gpus") is not None:
        return True
    devices = workflow.get(service, "deploy", "resources", "reservations", "devices")
    for device in devices.value if devices is not None and devices.id == "sequence" else ():
        if workflow.text(workflow.get(device, "driver")) == "nvidia" or "gpu" in workflow.texts(
            workflow.get(device, "capabilities")
        ):
            return True
    return False


def _action_build(path: str, line: int, inputs: Any) -> Iterator[Build]:
    context = inputs.get("context", ".") or "."
    name = inputs.get("file", "")
    if "$" in context or "$" in name or "://" in context:
        return
    where = _join(context)
    target = _join(name) if name else _join(where or "", "Dockerfile")
    if where is None or target is None:
        return
    pairs = [
        (row.partition("=")[0].strip(), row.partition("=")[2].strip())
        for row in inputs.get("build-args", "").splitlines()
    ]
    yield Build(
        dockerfile=target,
        context=where,
        target=inputs.get("target", "") if "$" not in inputs.get("target", "") else "",
        arguments=tuple(pair for pair in pairs if pair[0] and "$" not in pair[1]),
        gpu=False,
        path=path,
        line=line,
    )


def _command_build(path: str, texts: Sequence[str], cwd: str | None, line: int) -> Iterator[Build]:
    words = list(texts)
    if (
        not words
        or words[0] not in ("docker", "podman", "buildah", "nerdctl")
        or "build" not in words[1:3]
        or cwd is None
    ):
        return
    rest = words[words.index("build") + 1 :]
    name = target = ""
    arguments: list[tuple[str, str]] = []
    plain: list[str] = []
    valued = {"-t", "--tag", "--platform", "--cache-from", "--cache-to", "--secret", "--label", "--network", "--output", "-o",
              "--progress", "--ssh", "--add-host", "--builder", "--build-context", "-m", "--memory", "--shm-size", "--iidfile"}  # fmt: skip
    index = 0
    while index < len(rest):
        word = rest[index]
        key, equals, value = word.partition("=")
        if key in ("-f", "--file", "--target", "--build-arg") or key in valued:
            if not equals:
                index += 1
                value = rest[index] if index < len(rest) else ""
            if key in ("-f", "--file"):
                name = value
            elif key == "--target":
                target = value
            elif key == "--build-arg" and "=" in value and "$" not in value:
                arguments.append((value.partition("=")[0], value.partition("=")[2]))
        elif not word.startswith("-"):
            plain.append(word)
        index += 1
    folder = cwd.lstrip("/")
    if len(plain) != 1 or not plain[0] or "$" in plain[0] + name or "://" in plain[0] or "<" in plain[0]:
        return
    where = _join(folder, plain[0])
    file = _join(folder, name) if name else _join(where or "", "Dockerfile")
    if where is not None and file is not None:
        yield Build(
            dockerfile=file, context=where, target=target, arguments=tuple(arguments), gpu=False, path=path, line=line
        )


class Image:
    """A Dockerfile bound to the files that its build sees."""

    def __init__(self, repository: Repository, path: str) -> None:
        self.repository = repository
        self.path = path
        self.builds = tuple(build for build in repository.builds() if build.dockerfile == path)
        arguments = {key: value for build in self.builds[:1] for key, value in build.arguments}
        data = repository.read(path) or b""
        self.dockerfile: Dockerfile = dockerfile.parse(data, arguments)
        self.ambiguous_arguments = len({build.arguments for build in self.builds}) > 1
        self.context, self.certain = self._context()
        self._patterns: tuple[ignores.Pattern, ...] | None = None
        self.ignore_file = ""

    def _context(self) -> tuple[str, bool]:
        """The folder that COPY reads from, and whether something literal says so."""
        wanted = [
            word.text.removeprefix("./").strip("/")
            for stage in self.dockerfile.stages
            for step in stage.steps
            for copy in step.copies
            if copy.source == "" and not copy.inline
            for word in copy.sources
            if word.known and "://" not in word.text and not re.search(r"[*?\[]", word.text)
        ]
        named = [word for word in wanted if word not in ("", ".")]
        self._named = tuple(named)

        def score(folder: str) -> int:
            return sum(self._exists(posixpath.join(folder, word)) for word in named)

        for build in self.builds:
            if score(build.context) == len(named):
                return build.context, True
        folder = posixpath.dirname(self.path)
        candidates = [folder]
        while folder:
            folder = posixpath.dirname(folder)
            candidates.append(folder)
        best = max(candidates, key=lambda one: (score(one), -candidates.index(one)))
        if not named and not self._project(best):
            best = next((one for one in candidates if self._project(one)), self._installable(candidates, best))
        return best, bool(named) and score(best) == len(named)

    def lacks_only(self, name: str) -> bool:
        """Whether every file and folder that COPY names is in the context, except files of this base name."""
        others = [word for word in self._named if posixpath.basename(word) != name]
        return bool(others) and all(self._exists(posixpath.join(self.context, word)) for word in others)

    def _exists(self, path: str) -> bool:
        return path in self.repository.paths or path in self.repository.folders

    def _installable(self, candidates: list[str], otherwise: str) -> str:
        """The nearest folder that holds a file which `pip install -r` names, where the whole context is copied."""
        files = {
            posixpath.basename(word.text)
            for stage in self.dockerfile.stages
            for step in stage.steps
            if step.kind == "run"
            for install in installs.installs(step.commands)
            for word in install.files
            if word.known
        }
        held = (one for one in candidates for file in files if posixpath.join(one, file) in self.repository.paths)
        return next(held, otherwise)

    def _project(self, folder: str) -> bool:
        names = ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile", "environment.yml")
        return any(posixpath.join(folder, name) in self.repository.paths for name in names)

    def ignored(self, path: str) -> ignores.Pattern | None:
        """The .dockerignore pattern that keeps a repository path out of the build."""
        if self._patterns is None:
            own = self.path + ".dockerignore"
            self.ignore_file = own if own in self.repository.paths else posixpath.join(self.context, ".dockerignore")
            self._patterns = ignores.docker_patterns(self.repository.read(self.ignore_file) or b"")
        if not self._patterns:
            return None
        inner = path[len(self.context) + 1 :] if self.context else path
        return ignores.docker_ignored(self._patterns, inner)

    def steps(self, stage: Stage) -> tuple[tuple[Stage, int, DockerStep], ...]:
        """Every step that makes a stage, those of the stages below it first."""
        return tuple(
            (one, index, step) for one in self.dockerfile.lineage(stage) for index, step in enumerate(one.steps)
        )

    def installs(self, stage: Stage) -> tuple[tuple[int, Install], ...]:
        """The installer commands of a stage alone: (number of the step, command)."""
        return tuple(
            (index, found)
            for index, step in enumerate(stage.steps)
            if step.kind == "run"
            for found in installs.installs(step.commands)
        )

    def locate(self, stage: Stage, index: int, path: str, seen: int = 0) -> str | None:
        """The repository file that is at an absolute path of the image when step `index` runs, or None."""
        path = posixpath.normpath(path)
        chain = self.dockerfile.lineage(stage)
        for one in reversed(chain):
            last = index if one is stage else len(one.steps) - 1
            for number in range(min(last, len(one.steps) - 1), -1, -1):
                step = one.steps[number]
                for copy in reversed(step.copies):
                    if copy.mount and not (one is stage and number == index):
                        continue
                    found = self._from(copy, path, one, seen)
                    if found is not None:
                        return found
        return None

    def _from(self, copy: Copy, path: str, stage: Stage, seen: int) -> str | None:
        if copy.dest is None or copy.inline or seen > 20:
            return None
        dest = copy.dest.rstrip("/") or "/"
        if path != dest and not path.startswith(dest if dest == "/" else dest + "/"):
            return None
        inner = path[len(dest) :].lstrip("/")
        for word in copy.sources:
            if not word.known or "://" in word.text:
                continue
            if copy.source:
                other = self.dockerfile.find(copy.source)
                if other is None or other.index >= stage.index:
                    continue
                base = posixpath.normpath("/" + word.text.lstrip("/"))
                targets = [posixpath.join(base, inner) if inner else base]
                if inner == posixpath.basename(base):
                    targets.append(base)
                for target in targets:
                    found = self.locate(other, len(other.steps) - 1, target, seen + 1)
                    if found is not None:
                        return found
                continue
            for target in self._sources(word.text, inner, copy):
                if target in self.repository.paths and self.ignored(target) is None:
                    return target
        return None

    def _sources(self, text: str, inner: str, copy: Copy) -> Iterator[str]:
        """Repository paths that could be the file at `inner` below the copy's destination."""
        source = posixpath.normpath(text.lstrip("/") or ".")
        source = "" if source == "." else source
        if source.startswith(".."):
            return
        if re.search(r"[*?\[]", source):
            yield from self._globbed(source, inner)
            return
        base = _join(self.context, source)
        if base is None:
            return
        if base in self.repository.paths:
            name = posixpath.basename(base)
            if inner == "" or inner == name or (copy.parents and inner == source):
                yield base
            return
        if base in self.repository.folders:
            found = _join(base, inner)
            if found:
                yield found
            if copy.parents and (found := _join(self.context, inner)):
                yield found

    def _globbed(self, source: str, inner: str) -> Iterator[str]:
        """Files that a glob names, and those inside folders that it names (COPY takes a folder's contents)."""
        prefix = self.context + "/" if self.context else ""
        base, _, rest = inner.partition("/")
        for path in sorted(self.repository.paths):
            if not path.startswith(prefix) or not path.endswith(inner):
                continue
            relative = path[len(prefix) :]
            if posixpath.basename(relative) == base and not rest and ignores.glob_matches(source, relative, exact=True):
                yield path
            folder = relative[: -len(inner)].rstrip("/") if inner else ""
            if folder and ignores.glob_matches(source, folder, exact=True):
                yield path

    def opaque(self, stage: Stage, index: int) -> bool:
        """Whether files may be there that the repository does not show: a clone, a download, an unknown COPY."""
        for one in self.dockerfile.lineage(stage):
            for number, step in enumerate(one.steps):
                if one is stage and number > index:
                    break
                for copy in step.copies:
                    if (
                        copy.inline
                        or copy.dest is None
                        or any(not word.known or "://" in word.text for word in copy.sources)
                    ):
                        return True
                    if copy.source and self.dockerfile.find(copy.source) is None and not copy.mount:
                        if not any(word.text.endswith(("/uv", "/uvx", "/bin/")) for word in copy.sources):
                            return True
                for command in step.commands:
                    texts = command.texts
                    if texts[:2] == ("git", "clone") or texts[0] in (
                        "wget",
                        "tar",
                        "unzip",
                        "svn",
                        "mv",
                        "cp",
                        "rsync",
                    ):
                        return True
        return False

    def touched(self, stage: Stage, index: int, name: str, before: Command) -> bool:
        """Whether a command before this one makes or changes a file of that base name (export, compile, sed, redirect)."""
        for one in self._feeding(stage):
            for number, step in enumerate(one.steps):
                if one is stage and number > index:
                    break
                if any(copy.inline and (copy.dest or "").endswith(name) for copy in step.copies):
                    return True
                for command in step.commands:
                    if command is before:
                        break
                    if any(posixpath.basename(output) == name for output in command.outputs):
                        return True
                    texts = command.texts
                    found = installs.install(command)
                    if found is not None and found.action not in ("export", "compile", "lock", "freeze"):
                        continue
                    if any(posixpath.basename(text.partition("=")[2] or text) == name for text in texts[1:]):
                        return texts[0] not in ("cat", "ls", "test", "[", "echo", "chmod", "chown", "rm")
        return False

    def _feeding(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages whose files can be in a stage: what it starts from, and what it copies from."""
        found: dict[int, Stage] = {}
        todo = list(self.dockerfile.lineage(stage))
        while todo:
            one = todo.pop()
            if one.index in found:
                continue
            found[one.index] = one
            for step in one.steps:
                for copy in step.copies:
                    other = self.dockerfile.find(copy.source) if copy.source else None
                    if other is not None and other.index < one.index:
                        todo += self.dockerfile.lineage(other)
        return tuple(found[index] for index in sorted(found))

    def descendants(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages that carry what a stage holds: built on it, or copying from it; itself included."""
        found = {stage.index}
        for other in self.dockerfile.stages[stage.index + 1 :]:
            sources = {copy.source for step in other.steps for copy in step.copies if not copy.mount and copy.source}
            copied = {one.index for name in sources if (one := self.dockerfile.find(name)) is not None}
            if (other.parent is not None and other.parent in found) or copied & found:
                found.add(other.index)
        return tuple(one for one in self.dockerfile.stages if one.index in found)

    def final(self, stage: Stage) -> bool:
        """Whether what a stage holds ends up in an image that is built: the last stage, or a named target."""
        stages = self.dockerfile.stages
        targets = {build.target.lower() for build in self.builds if build.target}
        carried = self.descendants(stage)
        return any(one.index == len(stages) - 1 or (one.name and one.name in targets) for one in carried)

    def project(self, stage: Stage, index: int, install: Install) -> str | None:
        """The repository folder whose project a project command (`uv sync`, `poetry install`, `pip install .`) means."""
        where = install.command.cwd
        for option in install.values("--directory", "--project", "-C", "-P"):
            where = posixpath.join(where, option.text) if where is not None and option.known else None
        for word in install.paths:
            target = word.text.split("[", 1)[0]
            where = posixpath.join(where, target) if where is not None and word.known else None
            break
        if where is None:
            return None
        names = ("Pipfile",) if install.tool == "pipenv" else ("pyproject.toml", "setup.py")
        for name in names:
            found = self.locate(stage, index, posixpath.join(where, name))
            if found is not None:
                return posixpath.dirname(found)
        return None


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
                folder = _join(posixpath.dirname(path), workflow.text(workflow.get(service, "rootDir")))
                if kind == "python" and folder is not None:
                    yield path, service.start_mark.line + 1, folder
