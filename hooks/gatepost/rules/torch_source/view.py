"""What a rule may ask besides the project itself: the table, the settings, other files' words, and how to make a fix."""

from __future__ import annotations

import posixpath
import re

from gatepost.model import Edit, Finding, Fix, Location
from gatepost.patterns import pattern
from gatepost.rules.torch_source import table as tables
from gatepost.rules.torch_source.model import fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gatepost.model import Severity
    from gatepost.rules.torch_source.model import Env, Project
    from gatepost.rules.torch_source.table import Table
    from gatepost.tree.base import Tree

_INSTALLERS = pattern(
    r"(?:^|/)(?:[^/]*Dockerfile[^/]*|[^/]*Containerfile[^/]*|[^/]+\.dockerfile|Makefile|makefile|justfile|Justfile|Taskfile\.ya?ml|tox\.ini|noxfile\.py"
    r"|[^/]+\.sh|[^/]+\.bash|[^/]+\.bat|[^/]+\.ps1|README[^/]*|INSTALL[^/]*|[^/]+\.md|[^/]+\.rst|\.gitlab-ci\.yml|[^/]+\.ipynb|azure-pipelines\.yml|cog\.yaml|environment[^/]*\.ya?ml)$"
    r"|(?:^|/)\.github/workflows/[^/]+\.ya?ml$|(?:^|/)\.(?:circleci|devcontainer)/",
)
_INDEX_WORDS = pattern(
    r"--index-url|--extra-index-url|--find-links|--index\b|--default-index|--torch-backend|\s-i\s|\s-f\s|PIP_(?:EXTRA_)?INDEX_URL|PIP_FIND_LINKS|UV_(?:EXTRA_)?INDEX|UV_TORCH_BACKEND|UV_DEFAULT_INDEX"
)
_PIP_INSTALL = pattern(r"(\buv\s+)?\bpip[0-9.]*\s+install\b")
_FILE_OPTION = pattern(r"\s(?:-r|--requirements?)(?:\s+|=)?[\"']?((?:\$\([^)]*\)|[^\s\"'()|&;<>])+)")
_VARIABLE = pattern(r"\$\{\{.*?\}\}|\$\([^)]*\)|\$\{[^}]*\}|\$\w+|%~?\w+%?|\{\{.*?\}\}|\{\w*\}")
_MERGING = "unsafe-best-match"
LARGEST = 400_000


class View:
    """One run's surroundings. Reads lazily; nothing here writes."""

    def __init__(self, tree: Tree, settings: Mapping[str, Any], projects: Sequence[Project]) -> None:
        self.tree = tree
        self.settings = settings
        self.projects = projects
        self._installers: list[tuple[str, str]] | None = None
        self._file_installs: list[tuple[str, str, bool]] | None = None
        self._table: Table | None = None

    @property
    def table(self) -> Table:
        """The compatibility table: the shipped one, or the file that `compat` names.

        Raises:
            SettingsError: that file is not such a table.
        """
        if self._table is None:
            path = str(self.settings.get("compat") or "")
            self._table = tables.other(path, self.tree.read(path) or _outside(path)) if path else tables.load()
        return self._table

    def as_of(self) -> str:
        """The table's day, for a sentence that rests on what the table does not have."""
        return f"(table of {self.table.date})"

    # Policy -------------------------------------------------------------------------------------------------------

    def policy(self, env: Env, path: str) -> str:
        """The build that the project states for an environment or file ("cpu", "cu128"), or ""."""
        build = self.settings.get("build")
        if isinstance(build, str):
            return build.lower()
        if not isinstance(build, dict):
            return ""
        for key in (f"{env.kind}:{env.name}", env.name, path, "main" if env.kind == "main" else ""):
            if key and isinstance(build.get(key), str):
                return str(build[key]).lower()
        if env.kind in ("group", "extra"):  # PEP 685, PEP 735: `GPU_cu12` is `gpu-cu12`
            for key, value in build.items():
                if fold(str(key)) == fold(env.name) and isinstance(value, str):
                    return value.lower()
        return by_glob(build, path) or str(build.get("default") or build.get("*") or "").lower()

    def hosts(self) -> tuple[str, ...]:
        """The allowed hosts; an address stands for its host."""
        return tuple(_host(str(each)) for each in self.settings.get("hosts") or ())

    def nightly(self) -> bool:
        return bool(self.settings.get("nightly"))

    # Other files --------------------------------------------------------------------------------------------------

    def installers(self) -> list[tuple[str, str]]:
        """(path, text with continued lines joined) of the files that may hold install commands."""
        if self._installers is None:
            wanted = [path for path in self.tree.paths() if _INSTALLERS.search(path)][:1500]
            found = self.tree.read_many([path for path in wanted if (self.tree.size(path) or 0) < LARGEST])
            self._installers = [
                (path, re.sub(r"\\\r?\n", " ", data.decode("utf-8", "replace")))
                for path, data in found.items()
                if data is not None and (b"pip" in data or b"uv" in data)
            ]
        return self._installers

    def index_given_for(self, path: str) -> bool:
        """Whether some command in the repository installs this requirements file with an index of its own."""
        base = path.rpartition("/")[2]
        for other, text in self.installers():
            if base not in text or elsewhere(other, text, path):
                continue
            named = "|".join((re.escape(base), *(rf"(?<![\w.-]){re.escape(name)}" for name in _copied_as(base, text))))
            uses = re.compile(
                rf"(?:-r|-c|--requirement|--constraint)[=\s]*[\"']?[^\s\"']*(?:{named})\b|(?:compile|sync)[^\n]*(?:{named})\b"
            )
            for line in text.splitlines():
                if uses.search(line) and _INDEX_WORDS.search(line):
                    return True
            if re.search(
                r"(?:PIP_(?:EXTRA_)?INDEX_URL|PIP_FIND_LINKS|UV_(?:EXTRA_)?INDEX|UV_TORCH_BACKEND|UV_DEFAULT_INDEX|pip3? config set)",
                text,
            ) and uses.search(text):
                return True
        return self.pip_conf()

    def index_given_for_folder(self) -> bool:
        """Whether some command in the repository installs a project (`pip install .`) with an index of its own."""
        uses = re.compile(r"\bpip3?\s+install\b[^\n]*\s[\"']?\.{1,2}(?:[\"'/\[\s]|$)")
        return self.pip_conf() or any(
            (uses.search(line) and _INDEX_WORDS.search(line)) or re.search(r"(?:PIP|UV)_\w*INDEX", line)
            for _, text in self.installers()
            for line in text.splitlines()
        )

    def in_container(self, path: str) -> bool:
        """Whether a Dockerfile stands beside a requirements file: it is for Linux images then."""
        folder = path.rpartition("/")[0]
        return any(
            other.rpartition("/")[0] == folder
            and re.search(r"(?:^|/)(?:[^/]*Dockerfile[^/]*|[^/]+\.dockerfile|Containerfile)$", other)
            for other in self.tree.paths()
        )

    def index_given_for_extra(self, name: str) -> bool:
        """Whether some command in the repository installs an extra with an index of its own."""
        uses = re.compile(rf"\[[^\]\n]*\b{re.escape(name)}\b[^\]\n]*\]|--extra[= ]{re.escape(name)}\b")
        return any(
            uses.search(line) and _INDEX_WORDS.search(line)
            for _, text in self.installers()
            for line in text.splitlines()
        )

    def pip_conf(self) -> bool:
        """Whether the repository carries a pip configuration that names an index."""
        for path in self.tree.paths():
            if path.rpartition("/")[2] in ("pip.conf", "pip.ini"):
                data = self.tree.read(path)
                if data is not None and b"pytorch" in data:
                    return True
        return False

    def install_tools(self, path: str) -> set[str]:
        """Which of "pip" and "uv" some command in the repository installs this requirements file with."""
        return self._tools(path)[0]

    def reader(self, path: str) -> str:
        """How the indexes of a requirements file are read: "pip" merges them, "uv" asks them in turn.

        "either" where no command of pip's names the file, and some script installs a file by a variable with uv
        (`uv pip install -r "$file"`). "pip" too where uv is told to merge (`unsafe-best-match`), "perhaps" where some
        script beside the file tells it so, for this file or for another.
        """
        sure, possible, merging = self._tools(path)
        if merging or "pip" in sure or "uv" not in sure | possible or not path.endswith((".txt", ".in")):
            return "pip"
        folder = path.rpartition("/")[0]
        if any(_MERGING in text for other, text in self.installers() if other.rpartition("/")[0] == folder):
            return "perhaps"
        for place in dict.fromkeys((f"{folder}/" if folder else "", "")):
            for name in ("uv.toml", "pyproject.toml"):
                if _MERGING.encode() in (self.tree.read(place + name) or b""):
                    return "pip"
        return "uv" if sure == {"uv"} and "pip" not in possible else "either"

    def _tools(self, path: str) -> tuple[set[str], set[str], bool]:
        """The tools of the commands that name a requirements file, and of those that name it by nothing but a variable.

        And whether uv is told to merge its indexes where one of them stands.
        """
        base = path.rpartition("/")[2]
        sure: set[str] = set()
        possible: set[str] = set()
        merging = False
        for tool, word, merges in self._installs_of_files():
            name = word.rpartition("/")[2]
            parts = _VARIABLE.split(name)
            if re.fullmatch(".*".join(re.escape(part) for part in parts), base):
                named = "".join(parts).removesuffix(".txt").removesuffix(".in")
                (sure if named.strip("-_.") else possible).add(tool)
                merging = merging or merges
        return sure, possible, merging

    def _installs_of_files(self) -> list[tuple[str, str, bool]]:
        """(`pip` or `uv`, the word after `-r`, whether its file tells uv to merge) of the install commands."""
        if self._file_installs is None:
            seen: dict[tuple[str, str, bool], None] = {}
            for _, text in self.installers():
                for line in text.splitlines():
                    if "-r" not in line or "pip" not in line:
                        continue
                    for part in re.split(r"&&|\|\||;", line):
                        command = _PIP_INSTALL.search(part)
                        if command is not None:
                            tool = "uv" if command[1] else "pip"
                            for option in _FILE_OPTION.finditer(part, command.end()):
                                seen[tool, option[1], tool == "uv" and _MERGING in text] = None
            self._file_installs = list(seen)
        return self._file_installs

    # Findings -----------------------------------------------------------------------------------------------------

    def edit(self, path: str, title: str, changes: Sequence[tuple[int, int, str]], safe: bool = True) -> Fix | None:
        """A fix that replaces character ranges of one file; None where that cannot be done exactly."""
        data = self.tree.read(path)
        if data is None or not changes:
            return None
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return None
        crlf = "\r\n" in text
        last = len(text) + 1
        for start, end, new in sorted(changes, key=lambda change: (change[0], change[1]), reverse=True):
            if not 0 <= start <= end <= last:
                return None
            last = start
            if path.endswith(".py"):
                from gatepost.rules.torch_source.readers import script

                new = script.edited(text, start, new)
            text = text[:start] + (new.replace("\n", "\r\n") if crlf else new) + text[end:]
        new_data = text.encode("utf-8")
        if not _reads(path, new_data):
            return None
        return (
            Fix(title=title, edits=(Edit(path=path, old=data, new=new_data),), safe=safe) if new_data != data else None
        )


def _reads(path: str, data: bytes) -> bool:
    """Whether a TOML file, or the block of a script, can still be read after an edit; True of other files."""
    from gatepost.toml.load import TomlError, loads

    if path.endswith(".py"):
        from gatepost.rules.torch_source.readers import script

        data = script.block(data) or b"["
    elif not path.endswith((".toml", "Pipfile")):
        return True
    try:
        loads(data)
    except TomlError:
        return False
    return True


def elsewhere(installer: str, text: str, path: str) -> bool:
    """Whether the file that a script installs by its bare name is one of another folder, with the same name.

    A script beside, above or below the file may mean it, one of a CI service too, and one that names its folder.
    """
    folder, own = path.rpartition("/")[0], installer.rpartition("/")[0]
    if not folder or not own or own.startswith(".") or f"{folder}/".startswith(f"{own}/"):
        return False
    named = rf"(?<![\w-]){re.escape(folder.rpartition('/')[2])}(?![\w-])"
    return not f"{own}/".startswith(f"{folder}/") and not re.search(named, text)


def _copied_as(base: str, text: str) -> list[str]:
    """The names that COPY, ADD or a bind mount of a Dockerfile gives a file of this name."""
    name = re.escape(base)
    copied = rf"(?im)^[ \t]*(?:COPY|ADD)[ \t](?:[^\n]*[\s/])?{name}[ \t]+(\S*[^\s/.])[ \t]*$"
    bound = rf"\bsource=(?:[^\s,]*/)?{name},(?:[^\s,]+,)*?(?:target|dst|destination)=([^\s,]+)"
    return [posixpath.basename(found) for found in (*re.findall(copied, text), *re.findall(bound, text))]


def by_glob(build: Mapping[str, Any], path: str) -> str:
    """The build that the settings state for a path by a glob such as `"services/**"`, or ""."""
    from fnmatch import fnmatchcase

    for key, value in build.items():
        if isinstance(value, str) and len(key) > 1 and any(mark in key for mark in "*?[") and fnmatchcase(path, key):
            return value.lower()
    return ""


def _host(text: str) -> str:
    """The host of an address (`https://me@Index.example:8080/simple`), or of itself."""
    rest = text.strip().lower()
    return re.sub(r":\d*$", "", rest.partition("://")[2 if "://" in rest else 0].split("/")[0].rpartition("@")[2])


def require(tree: Tree, compat: str) -> None:
    """See to it that the file that `compat` names is there, also where no project needs it.

    Raises:
        SettingsError: it is not.
    """
    if tree.entry(compat) is None and _outside(compat) is None:
        tables.other(compat, None)


def _outside(path: str) -> bytes | None:
    """A file that is not in the tree: the user names it, so it may stand anywhere."""
    try:
        with open(path, "rb") as file:
            return file.read(4_000_000)
    except (OSError, ValueError):
        return None


def found(
    code: str,
    where: Location,
    message: str,
    remedy: str,
    severity: Severity | None = None,
    fix: Fix | None = None,
    related: tuple[Location, ...] = (),
) -> Finding:
    return Finding(code=code, where=where, message=message, remedy=remedy, severity=severity, fix=fix, related=related)
