"""Which build of PyTorch an install command brings onto linux x86_64, as far as files can tell.

`effect` answers for one command of an image or of a CI step: directly named packages, requirements files, the
project it installs (its lock if there is one, else its declared dependencies). A build is "cpu", "pypi" (the default
wheel of the public registry: CUDA since torch 0.4), a CUDA or ROCm tag that somebody chose, or "" for not known.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.installs import canonical, sources
from gatepost.record import record
from gatepost.rules.torch_source import markers, specs, urls
from gatepost.rules.torch_source.carriers import CARRIERS, CARRYING_EXTRAS, GPU_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.installs import Install, Sources
    from gatepost.manifests.projects import Image, Repository

FAMILY = frozenset({"torch", "torchvision", "torchaudio"})


@record
class Asked:
    """One requirement that brings torch: `name` is the package that does, `spec` torch's own range if it is direct."""

    name: str
    spec: str
    build: str  # "cpu", "pypi", "cu121", "rocm6.2", "" (not known)
    path: str
    line: int


@record
class Effect:
    """What a command does about torch. `gpu` names a package that only makes sense with a GPU, "" when none."""

    asked: tuple[Asked, ...]
    gpu: str
    locked: bool  # the answer comes from a lock that the command installs exactly
    unknown: bool = False  # something was read that could not be judged

    @property
    def build(self) -> str:
        """One build for the command: "cpu" wins (whoever names it means it), then a tag, then not known, then "pypi"."""
        builds = [one.build for one in self.asked]
        if "cpu" in builds:
            return "cpu"
        for build in builds:
            if build not in ("", "pypi"):
                return build
        return "" if self.unknown or not builds or "" in builds else "pypi"

    @property
    def first(self) -> Asked:
        """The requirement to name: torch itself if it is there, else the first that brings it."""
        return next((one for one in self.asked if one.name == "torch"), self.asked[0])


NOTHING = Effect(asked=(), gpu="", locked=False)


def index_build(text: str) -> str:
    """The build an index serves: "cpu", "cu121", "pypi" for the registry and its known mirrors, "" for others."""
    url = urls.split(text)
    if urls.is_torch_index(text) and url.build:
        return url.build
    if urls.is_pypi(text):
        return "pypi"
    labels = url.host.split(".")
    mirrors = (
        "tsinghua.edu.cn",
        "aliyun.com",
        "ustc.edu.cn",
        "tencent.com",
        "tencentyun.com",
        "huaweicloud.com",
        "douban.com",
        "bfsu.edu.cn",
    )
    if ".".join(labels[-3:]) in mirrors or ".".join(labels[-2:]) in mirrors:
        return "pypi" if "pytorch" not in url.path else ""
    return ""


def carries(name: str, extras: Iterable[str]) -> bool:
    """Whether a package, asked for with these extras, requires torch."""
    if name == "torch" or name in CARRIERS:
        return True
    return bool(CARRYING_EXTRAS.get(name, frozenset()) & {canonical(extra) for extra in extras})


def _sourced(found: Sources) -> str:
    """The build that torch gets from a command's indexes; "pypi" when nothing says otherwise."""
    if found.unknown:
        return ""
    if found.backend:
        return {"auto": "cpu"}.get(found.backend, found.backend)
    default = index_build(found.index.text) if found.index is not None else "pypi"
    builds = [index_build(word.text) for word in found.extra]
    chosen = [build for build in builds if build not in ("", "pypi")]
    if "cpu" in chosen or default == "cpu":
        return "cpu"
    if chosen:
        return chosen[0]
    if any(build == "" for build in builds) or found.links:
        return "cpu" if any("/cpu" in word.text for word in found.links) else ""
    return default


def _labelled(spec: str, url: str, fallback: str) -> str:
    """The build that a local label or a direct URL states, else what the index gives."""
    text = url.replace("%2B", "+").replace("%2b", "+") if url else spec
    match = re.search(r"\+(cpu|cu\d+|rocm[\d.]+|xpu)", text) or (
        re.search(r"/whl/(cpu|cu\d+|rocm[\d.]+)/", text) if url else None
    )
    if match:
        return match[1]
    return "" if url else fallback


def effect(repository: Repository, image: Image | None, stage: Stage | None, index: int, install: Install) -> Effect:
    """What an install command of an image (or, with `image` None, of a CI step) brings."""
    if install.tool in ("pip", "uv-pip", "pip-sync") and install.action in ("install", "wheel", "download", "sync"):
        return _pip(repository, image, stage, index, install)
    if install.tool in ("uv", "poetry", "pdm", "pipenv") and install.action in ("sync", "install", "add"):
        if install.action == "add" or (install.tool == "pipenv" and install.words):
            return _named(install, _sourced(sources(install)))
        return _project(repository, image, stage, index, install)
    if install.tool == "conda" and install.action in ("install", "create", "update"):
        names = {package.name: package.word for package in install.packages}
        torch = next((name for name in ("pytorch", "pytorch-cpu", "pytorch-gpu", "torch") if name in names), None)
        if torch is not None:
            build = "cpu" if "cpuonly" in names or torch == "pytorch-cpu" else ""
            return Effect(
                asked=(Asked(name="torch", spec="", build=build, path="", line=names[torch].line),),
                gpu="",
                locked=False,
            )
        return Effect(asked=(), gpu="", locked=False, unknown=bool(install.values("-f", "--file")))
    if install.tool in ("conda-env", "pixi"):
        return Effect(asked=(), gpu="", locked=False, unknown=True)
    return NOTHING


def _named(install: Install, build: str, path: str = "") -> Effect:
    asked = []
    gpu = ""
    for package in install.packages:
        if package.marker and not markers.possible(package.marker, "linux_x86_64"):
            continue
        gpu = gpu or (package.name if package.name in GPU_ONLY else "")
        if package.name == "torch" or (carries(package.name, package.extras) and not install.has("--no-deps")):
            asked.append(
                Asked(
                    name=package.name,
                    spec=package.specifier if package.name == "torch" else "",
                    build=_labelled(package.specifier, package.url, build) if package.name in FAMILY else build,
                    path=path,
                    line=package.word.line,
                )
            )
    for word in install.words:
        match = re.search(r"/torch-\d[^/]*\.whl", word.text)
        if match:
            asked.append(Asked(name="torch", spec="", build=_labelled("", word.text, ""), path=path, line=word.line))
    return Effect(asked=tuple(asked), gpu=gpu, locked=False)


def _pip(repository: Repository, image: Image | None, stage: Stage | None, index: int, install: Install) -> Effect:
    found = sources(install)
    build = _sourced(found)
    named = _named(install, build)
    asked = list(named.asked)
    gpu, unknown = named.gpu, False
    for word in install.files:
        path = located(repository, image, stage, index, install, word.text) if word.known else None
        if path is None or path.endswith((".toml", ".py", ".cfg")):
            if path is not None and path.endswith("pyproject.toml"):
                more = _declared(repository, posixpath.dirname(path), install, build, ())
                asked += more.asked
                gpu, unknown = gpu or more.gpu, unknown or more.unknown
            else:
                unknown = True
            continue
        if (
            image is not None
            and stage is not None
            and image.touched(stage, index, posixpath.basename(path), install.line)
        ):
            unknown = True
            continue
        more = requirements_effect(repository, path, build, found.index is not None, install.has("--no-deps"))
        asked += more.asked
        gpu, unknown = gpu or more.gpu, unknown or more.unknown
    for word in install.paths:
        folder = _folder(repository, image, stage, index, install, word.text)
        if folder is None:
            unknown = unknown or image is not None
            continue
        if install.has("--no-deps"):
            continue
        match = re.search(r"\[([^\]]*)\]", word.text)
        extras = tuple(canonical(one.strip()) for one in match[1].split(",")) if match else ()
        more = _declared(repository, folder, install, build, extras)
        asked += more.asked
        gpu, unknown = gpu or more.gpu, unknown or more.unknown
    for constraint in install.values("-c", "--constraint", "--constraints"):
        path = located(repository, image, stage, index, install, constraint.text) if constraint.known else None
        lines = repository.requirements(path) if path is not None else None
        unknown = unknown or lines is None
        for line in lines.lines if lines is not None else ():
            if canonical(line.name) == "torch" and (label := _labelled(line.specifier, line.url, "pypi")) != "pypi":
                asked = [
                    Asked(name=one.name, spec=one.spec, build=label, path=one.path, line=one.line) for one in asked
                ]
    return Effect(asked=tuple(asked), gpu=gpu, locked=False, unknown=unknown)


def located(
    repository: Repository, image: Image | None, stage: Stage | None, index: int, install: Install, name: str
) -> str | None:
    """The repository's path of a file that a command names, or None if it is not known to be one."""
    if install.command.cwd is None:
        return None
    path = posixpath.normpath(posixpath.join(install.command.cwd, name))
    if image is not None and stage is not None:
        return image.locate(stage, index, path)
    path = path.lstrip("/")
    return path if path in repository.paths else None


def _folder(
    repository: Repository, image: Image | None, stage: Stage | None, index: int, install: Install, word: str
) -> str | None:
    target = word.split("[", 1)[0]
    for name in ("pyproject.toml", "setup.py"):
        found = located(repository, image, stage, index, install, posixpath.join(target, name))
        if found is not None:
            return posixpath.dirname(found) if name == "pyproject.toml" else None
    return None


def requirements_effect(repository: Repository, path: str, build: str, index_given: bool, alone: bool) -> Effect:
    """What a requirements file and its includes bring; options in the file choose the index, as pip has it."""
    family = repository.family(path)
    options = [option for _, parsed in family for option in parsed.options]
    chosen = ""
    foreign = False
    for option in options:
        if option.name in ("index-url", "extra-index-url", "find-links"):
            found = index_build(option.value)
            if option.name == "find-links" and not found:
                foreign = True
            elif found == "cpu":
                chosen = "cpu"
            elif found not in ("", "pypi"):
                chosen = chosen or found
            elif found == "":
                foreign = True
    for where, parsed in family:
        for include, constraint, _ in parsed.includes:
            other = (
                repository.requirements(posixpath.normpath(posixpath.join(posixpath.dirname(where), include)))
                if constraint
                else None
            )
            for line in other.lines if other is not None else ():
                if canonical(line.name) == "torch" and (label := _labelled(line.specifier, line.url, "pypi")) != "pypi":
                    chosen, foreign = chosen or label, foreign or not label
    default = chosen or ("" if foreign else build)
    asked = []
    gpu = ""
    exact = True
    unknown = False
    for where, parsed in family:
        unknown = unknown or any(
            option.value.startswith("http") for option in parsed.options if option.name == "requirement"
        )
        for line in parsed.lines:
            name = canonical(line.name) if line.name else ""
            if not name:
                unknown = unknown or bool(line.url and not line.url.startswith("."))
                continue
            if line.marker and not markers.possible(line.marker, "linux_x86_64"):
                continue
            exact = exact and line.specifier.strip().startswith("==")
            gpu = gpu or (name if name in GPU_ONLY else "")
            own = default
            for option in line.options:
                if option.name in ("index-url", "extra-index-url") and index_build(option.value) == "cpu":
                    own = "cpu"
            if name == "torch" or (carries(name, line.extras) and not alone):
                asked.append(
                    Asked(
                        name=name,
                        spec=line.specifier if name == "torch" else "",
                        build=_labelled(line.specifier, line.url, own) if name in FAMILY else own,
                        path=where,
                        line=line.line,
                    )
                )
    return Effect(asked=tuple(asked), gpu=gpu, locked=False, unknown=unknown and not asked)


def _project(repository: Repository, image: Image | None, stage: Stage | None, index: int, install: Install) -> Effect:
    folder: str | None
    if image is not None and stage is not None:
        folder = image.project(stage, index, install)
    else:
        where = install.command.cwd
        for option in install.values("--directory", "--project", "-C", "-P"):
            where = posixpath.join(where, option.text) if where is not None and option.known else None
        folder = posixpath.normpath(where).strip("/") if where is not None else None
        folder = "" if folder == "." else folder
    if folder is None:
        return Effect(asked=(), gpu="", locked=False, unknown=True)
    name = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}[install.tool]
    lock = next((path for path in repository.locks(folder) if posixpath.basename(path) == name), None)
    if "torch" in [word.text for word in install.values("--no-install-package")] or install.has("--only-dev"):
        return NOTHING
    if lock is not None:
        if b"torch" not in (repository.read(lock) or b""):
            return NOTHING
        if install.tool in ("uv", "poetry"):
            given = tuple((option.name, option.value.text if option.value else "") for option in install.options)
            key = ("torch", lock, folder, install.tool, given)
            if key not in repository.memo:
                walk = _uv_lock if install.tool == "uv" else _poetry_lock
                repository.memo[key] = walk(repository, lock, folder, install)
            found: Effect = repository.memo[key]
            return found
        return Effect(asked=(), gpu="", locked=True, unknown=True)
    if install.tool in ("pdm", "pipenv"):
        return Effect(asked=(), gpu="", locked=False, unknown=True)
    extras = tuple(canonical(word.text) for word in install.values("--extra", "--extras", "-E"))
    return _declared(repository, folder, install, "pypi", extras)


def _declared(repository: Repository, folder: str, install: Install, build: str, extras: tuple[str, ...]) -> Effect:
    """What the declared dependencies of a pyproject bring when no lock is read."""
    path = posixpath.join(folder, "pyproject.toml")
    data = repository.toml(path)
    project = data.get("project", {})
    listed: list[Any] = []
    if isinstance(project, dict):
        own = project.get("dependencies", [])
        listed += own if isinstance(own, list) else []
        optional = project.get("optional-dependencies", {})
        for extra, items in optional.items() if isinstance(optional, dict) else ():
            if (canonical(extra) in extras or install.has("--all-extras")) and isinstance(items, list):
                listed += items
        dynamic = project.get("dynamic", [])
        if isinstance(dynamic, list) and "dependencies" in dynamic:
            return Effect(asked=(), gpu="", locked=False, unknown=True)
    tool = data.get("tool", {}) if isinstance(data.get("tool"), dict) else {}
    poetry = tool.get("poetry", {}) if isinstance(tool.get("poetry"), dict) else {}
    routed = _routes(tool) if install.tool in ("uv", "uv-pip") else {}
    asked = []
    gpu = ""
    entries: list[tuple[str, tuple[str, ...], str, str, str, str]] = []
    for item in listed:
        match = (
            re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?\s*(?:@\s*(\S+)|([^;]*))?(?:;(.*))?$", item)
            if isinstance(item, str)
            else None
        )
        if match:
            name = canonical(match[1])
            given = tuple(part.strip() for part in (match[2] or "").split(",") if part.strip())
            entries.append(
                (
                    name,
                    given,
                    (match[4] or "").strip(),
                    match[3] or "",
                    (match[5] or "").strip(),
                    routed.get(name, build),
                )
            )
    table = poetry.get("dependencies", {})
    for key, value in table.items() if isinstance(table, dict) else ():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                entries.append((canonical(key), (), one, "", "", build))
            elif isinstance(one, dict) and not one.get("optional"):
                marker = str(one.get("markers", ""))
                if str(one.get("platform", "linux")) != "linux":
                    continue
                source = index_build(_poetry_source(poetry, str(one["source"]))) if "source" in one else build
                extra = one.get("extras", [])
                entries.append(
                    (
                        canonical(key),
                        tuple(extra) if isinstance(extra, list) else (),
                        str(one.get("version", "")),
                        str(one.get("url", "")),
                        marker,
                        source if install.tool == "poetry" else build,
                    )
                )
    line = _line_of(repository.text(path))
    for name, given, spec, url, marker, own in entries:
        if marker and not markers.possible(marker, "linux_x86_64"):
            continue
        gpu = gpu or (name if name in GPU_ONLY else "")
        if carries(name, given):
            asked.append(
                Asked(
                    name=name,
                    spec=spec if name == "torch" else "",
                    build=_labelled(spec, url, own)
                    if name in FAMILY
                    else routed.get("torch", build)
                    if _has_torch(entries)
                    else build,
                    path=path,
                    line=line(name),
                )
            )
    if (
        poetry
        and install.tool == "poetry"
        and any(
            isinstance(source, dict) and index_build(str(source.get("url", ""))) != "pypi"
            for source in poetry.get("source", [])
            if isinstance(poetry.get("source"), list)
        )
    ):
        asked = [one for one in asked if one.build != "pypi"]
    return Effect(asked=tuple(asked), gpu=gpu, locked=False)


def _has_torch(entries: Iterable[tuple[str, tuple[str, ...], str, str, str, str]]) -> bool:
    return any(entry[0] == "torch" for entry in entries)


def _line_of(text: str) -> Callable[[str], int]:
    """A finder of the first line of a manifest that names a package as a key or at the start of a string."""
    rows = text.splitlines()

    def find(name: str) -> int:
        spelled = re.escape(name).replace(r"\-", "[-_.]")
        pattern = re.compile(r"(?:^\s*|[\"'])" + spelled + r"(?![A-Za-z0-9_.-])", re.IGNORECASE)
        skipped = re.compile(r"\s*(?:name|#|description|keywords)\b")
        return next((number for number, row in enumerate(rows, 1) if pattern.search(row) and not skipped.match(row)), 0)

    return find


def _poetry_source(poetry: dict[str, Any], name: str) -> str:
    found = poetry.get("source", [])
    for source in found if isinstance(found, list) else ():
        if isinstance(source, dict) and str(source.get("name", "")).lower() == name.lower():
            return str(source.get("url", ""))
    return ""


def _routes(tool: dict[str, Any]) -> dict[str, str]:
    """What `[tool.uv.sources]` gives on linux: package -> build; "" for a mix or a source that is no index."""
    uv = tool.get("uv", {}) if isinstance(tool.get("uv"), dict) else {}
    listed = uv.get("index", [])
    indexes = (
        {str(one.get("name")): str(one.get("url", "")) for one in listed if isinstance(one, dict)}
        if isinstance(listed, list)
        else {}
    )
    table = uv.get("sources", {})
    found: dict[str, str] = {}
    for name, value in table.items() if isinstance(table, dict) else ():
        builds = set()
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and markers.possible(str(one.get("marker", "")), "linux_x86_64"):
                builds.add(index_build(indexes.get(str(one.get("index", "")), "")) if "index" in one else "")
        if builds:
            found[canonical(name)] = builds.pop() if len(builds) == 1 else "cpu" if "cpu" in builds else ""
    open_indexes = (
        [index_build(str(one.get("url", ""))) for one in listed if isinstance(one, dict) and not one.get("explicit")]
        if isinstance(listed, list)
        else []
    )
    for build in open_indexes:
        if build != "pypi":
            found.setdefault("torch", build)
    return found


def _uv_lock(repository: Repository, lock: str, folder: str, install: Install) -> Effect:
    """Walk uv.lock from the project that is installed, over the groups and extras that the command names."""
    data = repository.toml(lock)
    packages = (
        [one for one in data.get("package", []) if isinstance(one, dict)]
        if isinstance(data.get("package"), list)
        else []
    )
    by_name: dict[str, list[dict[str, Any]]] = {}
    for one in packages:
        by_name.setdefault(canonical(str(one.get("name", ""))), []).append(one)
    inner = posixpath.relpath(folder or ".", posixpath.dirname(lock) or ".")
    wanted = {canonical(word.text) for word in install.values("--package")}
    roots = []
    for one in packages:
        source = one.get("source", {})
        where = source.get("editable", source.get("virtual")) if isinstance(source, dict) else None
        if (
            (where == inner and not wanted)
            or (canonical(str(one.get("name"))) in wanted and where is not None)
            or (install.has("--all-packages") and where is not None)
        ):
            roots.append(one)
    if not roots:
        return Effect(asked=(), gpu="", locked=True, unknown=True)
    manifest = repository.toml(posixpath.join(folder, "pyproject.toml"))
    todo: list[tuple[dict[str, Any], str]] = []
    for root in roots:
        todo += [(dependency, "") for dependency in _uv_direct(root, manifest, install)]
    reached: dict[int, tuple[dict[str, Any], str]] = {}
    visited: set[tuple[int, str]] = set()
    while todo:
        dependency, top = todo.pop(0)
        if not markers.possible(_no_extra(str(dependency.get("marker", ""))), "linux_x86_64"):
            continue
        name = canonical(str(dependency.get("name", "")))
        for one in by_name.get(name, ()):
            if "version" in dependency and one.get("version") != dependency["version"]:
                continue
            source = dependency.get("source")
            if source is not None and one.get("source") != source:
                continue
            resolution = one.get("resolution-markers")
            if (
                isinstance(resolution, list)
                and resolution
                and not any(markers.possible(_no_extra(str(marker)), "linux_x86_64") for marker in resolution)
            ):
                continue
            extras = dependency.get("extra", [])
            for extra in ["", *(extras if isinstance(extras, list) else [])]:
                if (id(one), str(extra)) in visited:
                    continue
                visited.add((id(one), str(extra)))
                reached.setdefault(id(one), (one, top or name))
                optional = one.get("optional-dependencies", {})
                more = (
                    one.get("dependencies", [])
                    if not extra
                    else optional.get(extra, [])
                    if isinstance(optional, dict)
                    else []
                )
                todo += (
                    [(inner_one, top or name) for inner_one in more if isinstance(inner_one, dict)]
                    if isinstance(more, list)
                    else []
                )
    line = _line_of(repository.text(posixpath.join(folder, "pyproject.toml")))
    asked = []
    gpu = ""
    for one, top in reached.values():
        name = canonical(str(one.get("name", "")))
        if name in GPU_ONLY - {"triton"}:
            gpu = gpu or name
        if name == "torch":
            version = str(one.get("version", ""))
            source = one.get("source", {})
            registry = str(source.get("registry", "")) if isinstance(source, dict) else ""
            label = specs.label(version)
            asked.append(
                Asked(
                    name=top,
                    spec="==" + version,
                    build=label or index_build(registry),
                    path=posixpath.join(folder, "pyproject.toml"),
                    line=line(top),
                )
            )
    return Effect(asked=tuple(asked), gpu=gpu, locked=True)


def _no_extra(marker: str) -> str:
    """uv's conflict markers (`extra == 'extra-3-app-cpu'`) may hold either way: leave such a marker out."""
    return "" if "extra" in marker else marker


def _uv_direct(root: dict[str, Any], manifest: dict[str, Any], install: Install) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def add(items: Any) -> None:
        found.extend(one for one in items if isinstance(one, dict)) if isinstance(items, list) else None

    only = {word.text for word in install.values("--only-group")}
    if not only:
        add(root.get("dependencies", []))
    optional = root.get("optional-dependencies", {})
    extras = {canonical(word.text) for word in install.values("--extra")}
    for extra, items in optional.items() if isinstance(optional, dict) else ():
        if not only and (canonical(extra) in extras or install.has("--all-extras")):
            add(items)
    tool = manifest.get("tool", {})
    uv = tool.get("uv", {}) if isinstance(tool, dict) else {}
    defaults = uv.get("default-groups", ["dev"]) if isinstance(uv, dict) else ["dev"]
    groups = set(defaults) if isinstance(defaults, list) else {"dev"}
    everything = defaults == "all" or install.has("--all-groups")
    if install.has("--no-dev"):
        groups.discard("dev")
    if install.has("--no-default-groups") or only:
        groups = set()
    groups |= {word.text for word in install.values("--group")} | only
    groups -= {word.text for word in install.values("--no-group")}
    table = root.get("dev-dependencies", {})
    for group, items in table.items() if isinstance(table, dict) else ():
        if group in groups or (everything and not only):
            add(items)
    return found


def _poetry_lock(repository: Repository, lock: str, folder: str, install: Install) -> Effect:
    """Walk poetry.lock by name from the groups that the command installs."""
    data = repository.toml(lock)
    packages = (
        [one for one in data.get("package", []) if isinstance(one, dict)]
        if isinstance(data.get("package"), list)
        else []
    )
    by_name: dict[str, list[dict[str, Any]]] = {}
    for one in packages:
        by_name.setdefault(canonical(str(one.get("name", ""))), []).append(one)
    manifest = repository.toml(posixpath.join(folder, "pyproject.toml"))
    todo = [(name, name) for name in _poetry_direct(manifest, install)]
    seen: set[str] = set()
    asked = []
    gpu = ""
    line = _line_of(repository.text(posixpath.join(folder, "pyproject.toml")))
    while todo:
        name, top = todo.pop(0)
        if name in seen:
            continue
        seen.add(name)
        for one in by_name.get(name, ()):
            if name in GPU_ONLY - {"triton"}:
                gpu = gpu or name
            if name == "torch":
                source = one.get("source", {})
                version = str(one.get("version", ""))
                where = str(source.get("url", "")) if isinstance(source, dict) else ""
                kind = str(source.get("type", "")) if isinstance(source, dict) else ""
                build = specs.label(version) or (
                    index_build(where) if kind in ("legacy", "") and where else "" if where else "pypi"
                )
                marker = str(one.get("markers", "")) if isinstance(one.get("markers"), str) else ""
                if markers.possible(marker, "linux_x86_64"):
                    asked.append(
                        Asked(
                            name=top,
                            spec="==" + version,
                            build=build,
                            path=posixpath.join(folder, "pyproject.toml"),
                            line=line(top),
                        )
                    )
            table = one.get("dependencies", {})
            for key, value in table.items() if isinstance(table, dict) else ():
                for entry in value if isinstance(value, list) else [value]:
                    marker = str(entry.get("markers", "")) if isinstance(entry, dict) else ""
                    if isinstance(entry, dict) and entry.get("optional"):
                        continue
                    if "extra ==" in marker or not markers.possible(marker, "linux_x86_64"):
                        continue
                    todo.append((canonical(key), top))
    return Effect(asked=tuple(asked), gpu=gpu, locked=True)


def _poetry_direct(manifest: dict[str, Any], install: Install) -> list[str]:
    found: list[str] = []
    project = manifest.get("project", {})
    tool = manifest.get("tool", {}) if isinstance(manifest.get("tool"), dict) else {}
    poetry = tool.get("poetry", {}) if isinstance(tool.get("poetry"), dict) else {}
    only = {part.strip() for word in install.values("--only") for part in word.text.split(",")}
    without = {part.strip() for word in install.values("--without") for part in word.text.split(",")}
    chosen = {part.strip() for word in install.values("--with") for part in word.text.split(",")}
    extras = {
        canonical(part)
        for word in install.values("--extras", "-E", "--extra")
        for part in re.split(r"[,\s]+", word.text)
        if part
    }

    def main() -> None:
        listed = project.get("dependencies", []) if isinstance(project, dict) else []
        for item in listed if isinstance(listed, list) else ():
            match = re.match(r"\s*([A-Za-z0-9._-]+)", item) if isinstance(item, str) else None
            if match:
                found.append(canonical(match[1]))
        optional = project.get("optional-dependencies", {}) if isinstance(project, dict) else {}
        for extra, items in optional.items() if isinstance(optional, dict) else ():
            if (canonical(extra) in extras or install.has("--all-extras")) and isinstance(items, list):
                found.extend(
                    canonical(match[1])
                    for item in items
                    if isinstance(item, str) and (match := re.match(r"\s*([A-Za-z0-9._-]+)", item))
                )
        table = poetry.get("dependencies", {})
        named = poetry.get("extras", {})
        asked = (
            {
                canonical(str(one))
                for extra, items in named.items()
                if canonical(extra) in extras or install.has("--all-extras")
                for one in (items if isinstance(items, list) else ())
            }
            if isinstance(named, dict)
            else set()
        )
        for key, value in table.items() if isinstance(table, dict) else ():
            if isinstance(value, dict) and value.get("optional") and canonical(key) not in asked:
                continue
            found.append(canonical(key))

    if not only or "main" in only:
        main()
    groups = poetry.get("group", {})
    for name, group in groups.items() if isinstance(groups, dict) else ():
        if not isinstance(group, dict) or name in without or (only and name not in only):
            continue
        if group.get("optional") and name not in chosen and name not in only:
            continue
        if name == "dev" and install.has("--no-dev"):
            continue
        table = group.get("dependencies", {})
        found += [canonical(key) for key in table] if isinstance(table, dict) else []
    return found
