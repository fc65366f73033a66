"""The manifest side of uv: projects, workspaces, and requirements lowered by `tool.uv.sources`.

Sources: uv's `uv-workspace/src/{workspace,pyproject,dependency_groups}.rs` and
`uv-distribution/src/metadata/lowering.rs` (0.12), corrected by runs of 0.13.8 and 0.9.30.
"""

from __future__ import annotations

from gatepost.manifests import markers, pep508, versions
from gatepost.manifests.markers import MarkerError
from gatepost.manifests.pep508 import canonical
from gatepost.record import record
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from gatepost.manifests.markers import Formula


class Undecidable(ValueError):
    """Files alone do not say what uv would see. Fields as in `Unknown`."""

    def __init__(self, reason: str, code: str = "LF301", path: str = "", key: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.path = path
        self.key = key


@record
class Wanted:
    """One lowered requirement, comparable with one of the lock: `identity` plus the marker is its meaning."""

    name: str
    identity: tuple[Any, ...]  # (name, extras, kind, ...)
    marker: Formula
    text: str  # as the user wrote it
    path: str = ""
    key: str = ""
    label: str = ""  # 'group "dev"', 'extra "x"', "" for plain dependencies


@record
class Project:
    """One pyproject.toml, and where it lies. `directory` is "" at the root of the repository."""

    directory: str
    path: str
    data: Mapping[str, Any]

    @property
    def project(self) -> Mapping[str, Any]:
        """`[project]`, or nothing."""
        return table(self.data, "project")

    @property
    def uv(self) -> Mapping[str, Any]:
        """`[tool.uv]`, or nothing."""
        return table(self.data, "tool", "uv")

    @property
    def name(self) -> str:
        """The canonical name, "" where there is no `[project]`."""
        name = self.project.get("name")
        return canonical(name) if isinstance(name, str) else ""

    @property
    def dynamic(self) -> frozenset[str]:
        """The fields that a build backend fills in."""
        found = self.project.get("dynamic")
        return frozenset(map(str, found)) if isinstance(found, list) else frozenset()

    def is_package(self, needs_build_system: bool) -> bool:
        """Whether uv would build and install it (`tool.uv.package`, else the presence of `[build-system]`)."""
        package = self.uv.get("package")
        if isinstance(package, bool):
            return package
        return "build-system" in self.data or not needs_build_system


@record
class Workspace:
    """A root and its members (with the root, if it has `[project]`), by canonical name."""

    root: Project
    members: Mapping[str, Project]
    required: Mapping[str, bool | None]  # members that another one takes with `workspace = true`: editable or not


def table(data: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """A nested table, {} where it or a parent is missing or no table."""
    for key in keys:
        found = data.get(key)
        if not isinstance(found, dict):
            return {}
        data = found
    return data


def strings(value: Any) -> list[str]:
    """The strings of a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def listed(value: Any) -> list[Any]:
    """A list as it is, anything else as an empty one."""
    return value if isinstance(value, list) else []


def join(directory: str, path: str) -> str | None:
    """A POSIX path relative to a directory, `..` resolved; None if it leaves the repository or is absolute."""
    path = path.replace("\\", "/")
    if path.startswith("/") or (path[1:2] == ":" and path[0].isascii() and path[0].isalpha()):
        return None
    parts = directory.split("/") if directory else []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def load(directory: str, read: Callable[[str], bytes | None]) -> Project | None:
    """The project in a directory, None if it has no pyproject.toml.

    Raises:
        Undecidable: the file is not TOML.
    """
    path = f"{directory}/pyproject.toml" if directory else "pyproject.toml"
    data = read(path)
    if data is None:
        return None
    try:
        if data not in _parsed:  # the root of a workspace is asked for once per member
            _parsed[data] = loads(data)
        return Project(directory=directory, path=path, data=_parsed[data])
    except TomlError as error:
        raise Undecidable(f"{path} is not TOML: {error}", "LF305", path) from None


_parsed: dict[bytes, Mapping[str, Any]] = {}
_globs: dict[str, Callable[[str], bool]] = {}


def glob(pattern: str) -> Callable[[str], bool]:
    """A member glob as a test of paths relative to the workspace root (`*` stays within a directory)."""
    if pattern not in _globs:
        _globs[pattern] = _glob(pattern)
    return _globs[pattern]


def _glob(pattern: str) -> Callable[[str], bool]:
    parts = [part for part in pattern.replace("\\", "/").split("/") if part not in ("", ".")]
    pattern = "/".join(parts)
    if not any(char in pattern for char in "?[") and all(part.count("*") < 2 for part in parts):
        pairs = [part.partition("*") for part in parts]

        def plain(path: str) -> bool:
            names = path.split("/")
            return len(names) == len(pairs) and all(
                name == front if not star
                else len(name) >= len(front) + len(back) and name.startswith(front) and name.endswith(back)
                for name, (front, star, back) in zip(names, pairs, strict=False)
            )  # fmt: skip

        return plain
    import re

    found, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**/", at):
            found.append("(?:[^/]+/)*")
            at += 3
            continue
        if pattern.startswith("**", at):
            found.append(".*")
            at += 2
            continue
        if char == "*":
            found.append("[^/]*")
        elif char == "?":
            found.append("[^/]")
        elif char == "[" and (end := pattern.find("]", at + 2)) > 0:
            body = pattern[at + 1 : end]
            negated = body.startswith("!")
            found.append("[" + ("^" if negated else "") + re.escape(body[negated:]).replace(r"\-", "-") + "]")
            at = end
        else:
            found.append(re.escape(char))
        at += 1
    try:
        test = re.compile("".join(found)).fullmatch
    except re.error:
        return lambda path: path == pattern
    return lambda path: test(path) is not None


def _normal_glob(pattern: str) -> str:
    return join("", pattern) or ""


def includes(root: Project, directory: str) -> bool:
    """Whether a workspace root's globs take a directory in and do not exclude it."""
    settings = table(root.uv, "workspace")
    prefix = f"{root.directory}/" if root.directory else ""
    if not directory.startswith(prefix) or directory == root.directory:
        return False
    inner = directory[len(prefix) :]
    if any(glob(each)(inner) for each in strings(settings.get("exclude"))):
        return False
    return any(glob(each)(inner) for each in strings(settings.get("members")))


def owner(directory: str, read: Callable[[str], bytes | None]) -> Project | None:
    """The workspace root above a directory that has it as a member; only the nearest pyproject.toml counts."""
    while directory:
        at = directory
        directory = directory.rpartition("/")[0]
        inner = at
        while True:
            path = f"{directory}/pyproject.toml" if directory else "pyproject.toml"
            if read(path) is not None:
                break
            if not directory:
                return None
            directory = directory.rpartition("/")[0]
        root = load(directory, read)
        return root if root is not None and "workspace" in root.uv and includes(root, inner) else None
    return None


def workspace(root: Project, read: Callable[[str], bytes | None], paths: Callable[[], Sequence[str]]) -> Workspace:
    """The workspace of a root project: itself alone, or with the members that its globs find.

    Raises:
        Undecidable: uv would refuse it (a member without `[project]`, two of one name), or a file is not TOML.
    """
    members: dict[str, Project] = {}
    if root.project:
        if not root.name:
            raise Undecidable("[project] has no name", "LF305", root.path, "project.name")
        members[root.name] = root
    settings = table(root.uv, "workspace")
    globs = [glob(each) for each in strings(settings.get("members"))]
    if globs:
        barred = [glob(each) for each in strings(settings.get("exclude"))]
        prefix = f"{root.directory}/" if root.directory else ""
        _check_folders(root, prefix, barred, paths())
        for path in paths():
            if not path.endswith("/pyproject.toml") or not path.startswith(prefix):
                continue
            inner = path[len(prefix) : -len("/pyproject.toml")]
            if not inner or not any(test(inner) for test in globs):
                continue
            if any(test(inner) for test in barred):
                continue
            member = load(prefix + inner, read)
            if member is None or member.uv.get("managed") is False:
                continue
            if "workspace" in member.uv:
                raise Undecidable(f"{path} is a workspace inside a workspace, which uv refuses", "LF305", path)
            if not member.name:
                raise Undecidable(f"{path} is a workspace member without [project] name", "LF305", path)
            if member.name in members and members[member.name].path != path:
                raise Undecidable(f"two workspace members are called {member.name}", "LF305", path)
            members[member.name] = member
    required: dict[str, bool | None] = {}
    for project in (root, *members.values()):
        for name, entries in source_tables(project).items():
            if name == project.name:
                continue
            for entry in entries:
                if "workspace" in entry:
                    editable = entry.get("editable")
                    required[name] = editable if isinstance(editable, bool) else required.get(name)
    return Workspace(root=root, members=members, required=required)


def _check_folders(root: Project, prefix: str, barred: list[Callable[[str], bool]], paths: Sequence[str]) -> None:
    """uv refuses a folder with files that a member glob names and that has no pyproject.toml (a hidden one it skips).

    Raises:
        Undecidable: there is such a folder, for a glob of a fixed depth.
    """
    projects = {path for path in paths if path.endswith("/pyproject.toml")}
    for pattern in strings(table(root.uv, "workspace").get("members")):
        parts = [part for part in pattern.replace("\\", "/").split("/") if part not in ("", ".")]
        if not parts or "**" in parts or ".." in parts:
            continue
        start = prefix
        for part in parts:
            if "*" in part or "?" in part or "[" in part:
                break
            start += part + "/"
        at, test, last = prefix.count("/") + len(parts), glob(pattern), ""
        for path in paths:
            if not path.startswith(start) or path.count("/") < at:
                continue
            folder = "/".join(path.split("/", at)[:at])
            if folder == last:
                continue
            last = folder
            inner = folder[len(prefix) :]
            if test(inner) and not inner.rpartition("/")[2].startswith(".") and not any(skip(inner) for skip in barred):
                if f"{folder}/pyproject.toml" not in projects:
                    reason = f"the folder {folder} is a member by the glob {pattern}, but has no pyproject.toml"
                    raise Undecidable(
                        reason + ": uv refuses the workspace", "LF305", root.path, "tool.uv.workspace.members"
                    )


def source_tables(project: Project) -> dict[str, list[Mapping[str, Any]]]:
    """`tool.uv.sources`: canonical name to its list of entries."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for name, value in table(project.uv, "sources").items():
        entries = value if isinstance(value, list) else [value]
        found[canonical(name)] = [entry for entry in entries if isinstance(entry, dict)]
    return found


def index_urls(project: Project | None) -> dict[str, str]:
    """The named indexes of `[[tool.uv.index]]`: name to URL."""
    found: dict[str, str] = {}
    for entry in listed(project.uv.get("index") if project is not None else None):
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("url"), str):
            found.setdefault(entry["name"], entry["url"])
    return found


def bare_url(url: str) -> str:
    """A URL without user, password, query-less fragment: what a lock records."""
    url = url.partition("#")[0]
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    host, slash, path = rest.partition("/")
    host = host.rpartition("@")[2].lower()
    for plain in (":443",) if scheme.lower() == "https" else (":80",) if scheme.lower() == "http" else ():
        host = host.removesuffix(plain)
    if not slash and scheme.lower() in ("http", "https"):
        slash = "/"
    return f"{scheme.lower()}://{host}{slash}{path}"


def git_identity(url: str, entry: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """A Git requirement: repository, the kind and name of the reference, subdirectory, LFS."""
    url = url.removeprefix("git+")
    base, _, fragment = url.partition("#")
    base, _, query = base.partition("?")
    fields: dict[str, str] = {}
    for part in (*query.split("&"), *fragment.split("&")):
        key, _, value = part.partition("=")
        if key in ("rev", "tag", "branch", "subdirectory", "lfs", "path"):
            fields.setdefault(key, _unquote(value))
    scheme, mark, rest = base.partition("://")
    head, slash, tail = rest.rpartition("/")
    if mark and "@" in tail:
        tail, _, revision = tail.rpartition("@")
        fields.setdefault("rev", revision)
        base = f"{scheme}://{head}{slash}{tail}"
    elif mark and "@" in rest.partition("/")[2]:
        front, _, revision = rest.rpartition("@")
        fields.setdefault("rev", revision)
        base = f"{scheme}://{front}"
    for key, value in (entry or {}).items():
        if key in ("rev", "tag", "branch", "subdirectory", "path") and isinstance(value, str):
            fields[key] = value
        elif key == "lfs" and value is True:
            fields[key] = "true"
    if fields.get("lfs") == "false":
        del fields["lfs"]
    if "subdirectory" in fields:
        fields["subdirectory"] = fields["subdirectory"].strip("/")
    return (bare_url(base).rstrip("/"), *(f"{key}={fields[key]}" for key in sorted(fields)))


def _unquote(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text)


def specifier_identity(text: str) -> Any:
    """A specifier set by meaning (uv 0.13 compares ranges); its own text where it is not PEP 440."""
    if not text:
        return versions.EVERYTHING
    try:
        return versions.ranges(text)
    except versions.VersionError:
        return text


class Lowering:
    """Requirements of one project as uv would put them into the lock (`root` is where the lock lies)."""

    def __init__(self, lock_directory: str, project: Project, space: Workspace | None, read: Any, exists: Any) -> None:
        self.base = lock_directory
        self.project = project
        self.space = space
        self.read = read
        self.exists = exists
        self.own = source_tables(project)
        self.shared = source_tables(space.root) if space is not None else {}
        self.indexes = index_urls(project)
        for name, url in index_urls(space.root if space is not None else None).items():
            self.indexes.setdefault(name, url)

    def requirement(
        self, text: str, key: str, marker: Formula = True, extra: str = "", group: str = "", member: bool = True
    ) -> list[Wanted]:
        """Lower one requirement string; `marker` is joined to its own. `member` False: constraints, overrides.

        Raises:
            Undecidable: not PEP 508, an unknown marker, or a source that uv would refuse.
        """
        path = self.project.path
        try:
            parsed = pep508.parse(text)
            own = markers.parse(parsed.marker) if parsed.marker else True
        except (pep508.RequirementError, MarkerError) as error:
            raise Undecidable(f"{key} in {path}: {error}", "LF305", path, key) from None
        joined = markers.conjunction([own, marker])
        if not extra:
            extra = top_extra(own)
        label = f'group "{group}"' if group else f'extra "{extra}"' if extra else ""
        plain = self._plain(parsed)
        if parsed.canonical in self.own:
            entries, origin = self.own[parsed.canonical], self.project.directory
        elif member and parsed.canonical in self.shared and self.space is not None:
            entries, origin = self.shared[parsed.canonical], self.space.root.directory
        else:
            return [self._wanted(parsed, plain, joined, text, key, label)]
        chosen = []
        for entry in entries:
            if isinstance(entry.get("extra"), str) and canonical(entry["extra"]) != extra:
                continue
            if member and isinstance(entry.get("group"), str) and canonical(entry["group"]) != group:
                continue
            chosen.append(entry)
        found = []
        covered: list[Formula] = []
        for entry in chosen:
            mark: Formula = True
            if isinstance(entry.get("marker"), str):
                try:
                    mark = markers.parse(entry["marker"])
                except MarkerError as error:
                    raise Undecidable(f"tool.uv.sources in {path}: {error}", "LF305", path) from None
            covered.append(mark)
            identity = self._source(parsed, entry, origin, member)
            found.append(self._wanted(parsed, identity, markers.conjunction([mark, joined]), text, key, label))
        rest = markers.conjunction([markers.negate(markers.disjunction(covered)), joined]) if covered else joined
        found.append(self._wanted(parsed, plain, rest, text, key, label))
        return [item for item in found if not markers.impossible(item.marker, versions.EVERYTHING)]

    def _wanted(self, parsed: Any, source: Any, marker: Formula, text: str, key: str, label: str) -> Wanted:
        identity = (parsed.canonical, parsed.extras, *source)
        return Wanted(
            name=parsed.canonical, identity=identity, marker=marker, text=text, path=self.project.path, key=key,
            label=label,
        )  # fmt: skip

    def _plain(self, parsed: Any) -> tuple[Any, ...]:
        url: str = parsed.url
        if not url:
            return ("registry", specifier_identity(parsed.specifier), "", "")
        if "$" in url:
            raise Undecidable(f"{parsed.name} takes its address from the environment", "LF303", self.project.path)
        if url.startswith("git+"):
            return ("git", *git_identity(url))
        if url.startswith("file:") or "://" not in url:
            local = url.removeprefix("file:")
            if local != url:
                local = local.removeprefix("//").removeprefix("localhost")
            return self._path(_unquote(local), self.project.directory, {})
        return url_identity(url, "")

    def _source(self, parsed: Any, entry: Mapping[str, Any], origin: str, member: bool) -> tuple[Any, ...]:
        path = self.project.path
        if isinstance(entry.get("git"), str):
            return ("git", *git_identity(entry["git"], entry))
        if isinstance(entry.get("url"), str):
            return url_identity(entry["url"], str(entry.get("subdirectory", "")))
        if isinstance(entry.get("path"), str):
            return self._path(entry["path"], origin, entry)
        if isinstance(entry.get("index"), str):
            url = self.indexes.get(entry["index"])
            if url is None:
                raise Undecidable(f"{parsed.name} names the undeclared index {entry['index']}", "LF305", path)
            conflict = ""
            if member and self.project.name:
                for kind in ("extra", "group"):
                    if isinstance(entry.get(kind), str):
                        conflict = f"{self.project.name} {kind} {canonical(entry[kind])}"
                        break
            specifier = specifier_identity("" if parsed.url else parsed.specifier)
            return ("registry", specifier, index_identity(url, origin), conflict)
        if entry.get("workspace") is True and self.space is not None:
            target = self.space.members.get(parsed.canonical)
            if target is None:
                raise Undecidable(
                    f"{parsed.name} is taken from the workspace, which has no member of that name in the snapshot",
                    "LF304", path,
                )  # fmt: skip
            package = target.is_package(parsed.canonical not in self.space.required)
            editable = package and self.space.required.get(parsed.canonical) is not False
            return ("directory", target.directory, editable, not package)
        raise Undecidable(f"tool.uv.sources.{parsed.name} is of a kind that is not known here", "LF302", path)

    def _path(self, given: str, origin: str, entry: Mapping[str, Any]) -> tuple[Any, ...]:
        where = join(origin, given)
        if where is None:
            raise Undecidable(f"{given} lies outside the repository", "LF304", self.project.path)
        if _is_archive(where.rpartition("/")[2]) and not self.exists(where + "/pyproject.toml"):
            return ("path", where)
        if entry.get("editable") is True:
            return ("directory", where, True, False)
        package = entry.get("package")
        if not isinstance(package, bool):
            target = load(where, self.read)
            package = target is None or target.is_package(False)
        return ("directory", where, False, not package)


def _is_archive(name: str) -> bool:
    front, dot, last = name.rpartition(".")
    return bool(dot) and (
        last in ("whl", "zip", "tgz", "tbz", "txz", "tar")
        or (front.endswith(".tar") and last.replace("_", "a").isalnum())
    )


def url_identity(url: str, subdirectory: str) -> tuple[Any, ...]:
    """A direct URL: without credentials and hash, with its subdirectory."""
    for part in url.partition("#")[2].split("&"):
        key, _, value = part.partition("=")
        if key == "subdirectory" and not subdirectory:
            subdirectory = value
    return ("url", bare_url(url), subdirectory.strip("/"))


def index_identity(url: str, directory: str) -> str:
    """An index by its URL without credentials; a local one by its path."""
    if "://" in url and not url.startswith("file:"):
        return bare_url(url)
    if url.startswith("file:"):
        return url.rstrip("/")
    where = join(directory, url)
    return url if where is None else "path " + where


def top_extra(formula: Formula) -> str:
    """The extra that a whole requirement belongs to: `extra == 'x'` at the top of its marker."""
    if isinstance(formula, tuple):
        for atom in formula[1] if formula[0] == "and" else (formula,):
            if isinstance(atom, tuple) and atom[0] == "flag" and atom[1].startswith("extra == ") and atom[2]:
                return str(atom[1][len("extra == ") :])
    return ""


def group_lines(project: Project) -> dict[str, list[tuple[str, str, Formula]]]:
    """Every dependency group, includes resolved: canonical name to (requirement, key, marker of the group).

    Raises:
        Undecidable: a cycle, a missing include or an unknown entry: uv would refuse the file.
    """
    raw: dict[str, tuple[str, list[Any]]] = {}
    for name, entries in table(project.data, "dependency-groups").items():
        raw[canonical(name)] = (name, entries if isinstance(entries, list) else [])
    settings = {canonical(name): value for name, value in table(project.uv, "dependency-groups").items()}
    done: dict[str, list[tuple[str, str, Formula]]] = {}

    def resolve(name: str, parents: tuple[str, ...]) -> list[tuple[str, str, Formula]]:
        if name in done:
            return done[name]
        if name in parents or name not in raw or len(parents) > 100:
            reason = f"dependency group {name} {'includes itself' if name in parents else 'is missing'}"
            raise Undecidable(reason, "LF305", project.path, f"dependency-groups.{name}")
        written, entries = raw[name]
        found: list[tuple[str, str, Formula]] = []
        for position, entry in enumerate(entries):
            key = f"dependency-groups.{written}[{position}]"
            if isinstance(entry, str):
                found.append((entry, key, True))
            elif isinstance(entry, dict) and isinstance(entry.get("include-group"), str):
                found.extend(resolve(canonical(entry["include-group"]), (*parents, name)))
            else:
                raise Undecidable(f"{key} is neither a requirement nor an include-group", "LF305", project.path, key)
        limit = table(settings, name).get("requires-python")
        if isinstance(limit, str):
            try:
                allowed = versions.bounds(versions.python_ranges(limit))
            except versions.VersionError as error:
                raise Undecidable(str(error), "LF305", project.path) from None
            mark: Formula = ("python", allowed) if allowed else False
            found = [(text, key, markers.conjunction([formula, mark])) for text, key, formula in found]
        done[name] = found
        return found

    for name in raw:
        resolve(name, ())
    legacy = project.uv.get("dev-dependencies")
    if isinstance(legacy, list):
        lines: list[tuple[str, str, Formula]] = []
        for position, text in enumerate(legacy):
            if isinstance(text, str):
                lines.append((text, f"tool.uv.dev-dependencies[{position}]", True))
        done["dev"] = [*done.get("dev", []), *lines]
    return done


def group_pythons(project: Project) -> dict[str, versions.Ranges]:
    """The Pythons of every group that limits them, itself or through what it includes (`group_lines` found no cycle)."""
    raw = {canonical(name): value for name, value in table(project.data, "dependency-groups").items()}
    settings = {canonical(name): value for name, value in table(project.uv, "dependency-groups").items()}
    done: dict[str, versions.Ranges | None] = {}

    def resolve(name: str) -> versions.Ranges | None:
        if name in done:
            return done[name]
        done[name] = None
        limit = table(settings, name).get("requires-python")
        found = versions.python_ranges(limit) if isinstance(limit, str) else None
        entries = raw.get(name)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("include-group"), str):
                inner = resolve(canonical(entry["include-group"]))
                if inner is not None:
                    found = inner if found is None else versions.intersect(found, inner)
        done[name] = found
        return found

    limits = {name: resolve(name) for name in raw}
    return {name: versions.bounds(found) for name, found in limits.items() if found is not None}


def check_sources(project: Project) -> None:
    """uv refuses a source for an extra or group that does not exist or does not ask for the package.

    Raises:
        Undecidable: there is such a source.
    """
    places = {
        "extra": table(project.project, "optional-dependencies"),
        "group": table(project.data, "dependency-groups"),
    }
    for name, entries in source_tables(project).items():
        for entry in entries:
            for kind, place in places.items():
                target = entry.get(kind)
                if not isinstance(target, str):
                    continue
                lines = next((value for key, value in place.items() if canonical(key) == canonical(target)), None)
                if kind == "group" and canonical(target) == "dev" and "dev-dependencies" in project.uv:
                    continue
                found = False
                for line in lines if isinstance(lines, list) else ():
                    try:
                        found = found or not isinstance(line, str) or pep508.parse(line).canonical == name
                    except pep508.RequirementError:
                        found = True
                if not found:
                    reason = f'tool.uv.sources.{name} is for {kind} "{target}", which does not ask for {name}'
                    raise Undecidable(reason, "LF305", project.path, f"tool.uv.sources.{name}")


def check_default_groups(root: Project) -> None:
    """uv refuses a project whose `tool.uv.default-groups` names a group that it has not.

    Raises:
        Undecidable: there is such a name.
    """
    names = strings(root.uv.get("default-groups"))
    if not names:
        return
    known = set(map(canonical, table(root.data, "dependency-groups")))
    if "dev-dependencies" in root.uv:
        known.add("dev")
    for name in names:
        if canonical(name) not in known:
            reason = f'tool.uv.default-groups names the group "{name}", which is not defined'
            raise Undecidable(reason, "LF305", root.path, "tool.uv.default-groups")


def requires_dist(project: Project, lower: Lowering) -> tuple[list[Wanted], set[str], dict[str, list[Wanted]]]:
    """(requirements incl. extras', extras, groups) of a project with static metadata, lowered.

    Raises:
        Undecidable: dynamic dependencies, or something uv would refuse.
    """
    for field in ("dependencies", "optional-dependencies"):
        if field in project.dynamic:
            raise Undecidable(f"{project.path} leaves its {field} to the build backend", "LF301", project.path)
    check_sources(project)
    found: list[Wanted] = []
    for position, text in enumerate(strings(project.project.get("dependencies"))):
        found.extend(lower.requirement(text, f"project.dependencies[{position}]"))
    extras: set[str] = set()
    for name, lines in table(project.project, "optional-dependencies").items():
        extra = canonical(name)
        extras.add(extra)
        for position, text in enumerate(strings(lines)):
            key = f"project.optional-dependencies.{name}[{position}]"
            found.extend(lower.requirement(text, key, markers.extra(extra), extra=extra))  # noqa: S610
    groups = {
        name: [item for text, key, mark in lines for item in lower.requirement(text, key, mark, group=name)]
        for name, lines in group_lines(project).items()
    }
    return found, extras, groups


def recorded(entry: Mapping[str, Any], base: str) -> Wanted:
    """One requirement of the lock in the same form. `base` is the lock's directory.

    Raises:
        Undecidable: a field of it is not known here.
    """
    name = canonical(str(entry.get("name", "")))
    extras = tuple(sorted({canonical(item) for item in strings(entry.get("extras"))}))
    text = name + (f"[{','.join(extras)}]" if extras else "") + str(entry.get("specifier", ""))
    mark: Formula = True
    if isinstance(entry.get("marker"), str):
        try:
            mark = markers.parse(entry["marker"])
        except MarkerError as error:
            raise Undecidable(f"the lock's marker for {name}: {error}", "LF302") from None
        text += f" ; {entry['marker']}"
    source: tuple[Any, ...]
    if isinstance(entry.get("git"), str):
        source = ("git", *git_identity(entry["git"]))
    elif isinstance(entry.get("url"), str):
        source = url_identity(entry["url"], str(entry.get("subdirectory", "")))
    else:
        for kind in ("editable", "virtual", "directory", "path"):
            if isinstance(entry.get(kind), str):
                where = join(base, entry[kind])
                if where is None:
                    where = entry[kind]
                source = ("path", where) if kind == "path" else (
                    "directory", where, kind == "editable", kind == "virtual")  # fmt: skip
                break
        else:
            conflict = ""
            clash = entry.get("conflict")
            if isinstance(clash, dict):
                kind = "extra" if "extra" in clash else "group"
                conflict = f"{clash.get('package')} {kind} {clash.get(kind)}"
            index = entry.get("index")
            source = (
                "registry",
                specifier_identity(str(entry.get("specifier", "")).replace("*", "") if entry.get("specifier") == "*"
                                   else str(entry.get("specifier", ""))),
                index_identity(index, base) if isinstance(index, str) else "",
                conflict,
            )  # fmt: skip
    label = top_extra(mark)
    return Wanted(
        name=name, identity=(name, extras, *source), marker=mark, text=text, label=f'extra "{label}"' if label else ""
    )


def differ(
    wanted: Iterable[Wanted], locked: Iterable[Wanted], python: versions.Ranges
) -> tuple[list[Wanted], list[Wanted]]:
    """(wanted that the lock lacks, locked that nobody wants), as sets by meaning under the Python range.

    Raises:
        Undecidable: a marker too tangled to compare.
    """
    new, old = list(wanted), list(locked)
    missing, extra = _differ(new, old, python)
    if missing or extra:
        from gatepost.locks.uv.regions import unequal

        first = (*missing, *extra)[0]
        try:
            names = unequal(new, old, {item.name for item in (*missing, *extra)}, python)
        except MarkerError as error:
            raise Undecidable(f"{first.text[:76]}: {error}", "LF307", first.path, first.key) from None
        missing, extra = ([item for item in found if item.name in names] for found in (missing, extra))
    return missing, extra


def _differ(
    wanted: Iterable[Wanted], locked: Iterable[Wanted], python: versions.Ranges
) -> tuple[list[Wanted], list[Wanted]]:
    pool: dict[tuple[Any, ...], list[Wanted]] = {}
    for item in locked:
        pool.setdefault(item.identity, []).append(item)
    hit: set[int] = set()
    missing = []
    for item in wanted:
        found = False
        for other in pool.get(item.identity, ()):
            try:
                if item.marker == other.marker or markers.equivalent(item.marker, other.marker, python):
                    hit.add(id(other))
                    found = True
            except MarkerError as error:
                shown = item.text if len(item.text) < 80 else f"{item.text[:76]} ..."
                raise Undecidable(f"{shown}: {error}", "LF307", item.path, item.key) from None
        if not found:
            missing.append(item)
    return missing, [item for group in pool.values() for item in group if id(item) not in hit]
