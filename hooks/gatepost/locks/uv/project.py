"""The projects and workspaces of uv, as the files of a snapshot show them.

Sources: uv's `uv-workspace/src/{workspace,pyproject,dependency_groups}.rs` (0.12), corrected by runs of 0.13.8 and
0.9.30.
"""

from __future__ import annotations

from gatepost.manifests.pep508 import canonical
from gatepost.record import record
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any


class Undecidable(ValueError):
    """Files alone do not say what uv would see. Fields as in `Unknown`."""

    def __init__(self, reason: str, code: str = "LF301", path: str = "", key: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.path = path
        self.key = key


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
    from gatepost.locks.uv.globs import compiled

    return compiled(pattern)


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
    return Workspace(root=root, members=members, required=_required(root, members))


def _required(root: Project, members: Mapping[str, Project]) -> dict[str, bool | None]:
    """What is taken with `workspace = true`, editable or not: the last one says, in the order of the members' names.

    Raises:
        Undecidable: one asks for it as editable and the next as not, which uv refuses.
    """
    required: dict[str, bool | None] = {}
    for project in (root, *(member for _, member in sorted(members.items()))):
        for name, entries in source_tables(project).items():
            if name == project.name:
                continue
            for entry in entries:
                if "workspace" not in entry:
                    continue
                editable = entry.get("editable") if isinstance(entry.get("editable"), bool) else None
                if required.get(name) is not None and editable is not None and editable != required[name]:
                    reason = f"the member {name} is asked for both as editable and as not editable"
                    raise Undecidable(reason, "LF305", project.path, f"tool.uv.sources.{name}")
                required[name] = editable
    return required


def _check_folders(root: Project, prefix: str, barred: list[Callable[[str], bool]], paths: Sequence[str]) -> None:
    """uv refuses a folder with files that a member glob names and that has no pyproject.toml (a hidden one it skips).

    Raises:
        Undecidable: there is such a folder.
    """
    projects = {path for path in paths if path.endswith("/pyproject.toml")}
    for pattern in strings(table(root.uv, "workspace").get("members")):
        parts = [part for part in pattern.replace("\\", "/").split("/") if part not in ("", ".")]
        if not parts or ".." in parts:
            continue
        start = prefix
        for part in parts:
            if "*" in part or "?" in part or "[" in part:
                break
            start += part + "/"
        test = glob(pattern)
        for folder in _folders(paths, start, prefix.count("/") + len(parts), every="**" in parts):
            inner = folder[len(prefix) :]
            if test(inner) and not inner.rpartition("/")[2].startswith(".") and not any(skip(inner) for skip in barred):
                if f"{folder}/pyproject.toml" not in projects:
                    reason = f"the folder {folder} is a member by the glob {pattern}, but has no pyproject.toml"
                    raise Undecidable(
                        reason + ": uv refuses the workspace", "LF305", root.path, "tool.uv.workspace.members"
                    )


def _folders(paths: Sequence[str], start: str, depth: int, every: bool) -> Iterable[str]:
    """The folders with files below `start`, in their order: those that lie `depth` names deep, or every one."""
    found: dict[str, None] = {}
    for path in paths:
        if path.startswith(start):
            names = path.split("/")
            for count in range(start.count("/") + 1 if every else depth, len(names) if every else depth + 1):
                if count < len(names):
                    found["/".join(names[:count])] = None
    return found


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
