"""What a project's mypy config says of which files are checked and what their modules are called.

mypy takes `exclude` into account only where it looks for files itself, not for files that it is given; and one pair of
files that would have the same module name ends the run. So both are worked out here, by mypy's own rules
(mypy/find_sources.py and mypy/config_parser.py of mypy 2.4).
"""

from __future__ import annotations

import os
import re

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SKIPPED = ("__pycache__", "site-packages", "node_modules")


@record
class MypyConfig:
    """The config file in force (None: mypy's defaults), and what it says; folders are absolute."""

    path: str | None
    names_targets: bool = False
    exclude: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    explicit_bases: bool = False
    namespace_packages: bool = True


def find_config(cwd: str, top: str) -> str | None:
    """The config file that mypy finds, from `cwd` up to the repository's root (not the user's own)."""
    folder = os.path.abspath(cwd)
    while True:
        for name in ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg"):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and (name.endswith("mypy.ini") or _section(path)):
                return path
        if folder == os.path.abspath(top) or folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)


def read_config(path: str | None, cwd: str, options: Sequence[str], environ: Mapping[str, str]) -> MypyConfig:
    """The settings of a config file and of the command line that decide on files and module names."""
    section = _section(path) if path else {}
    exclude = _strings(section.get("exclude"), split=False)
    explicit = _flag(section.get("explicit_package_bases"), False)
    namespaces = _flag(section.get("namespace_packages"), True)
    words = iter(options)
    for word in words:
        if word.startswith("--exclude="):
            exclude.append(word.partition("=")[2])
        elif word == "--exclude":
            exclude.append(next(words, ""))
        elif word in ("--explicit-package-bases", "--no-explicit-package-bases"):
            explicit = not word.startswith("--no-")
        elif word in ("--namespace-packages", "--no-namespace-packages"):
            namespaces = not word.startswith("--no-")
    places = [each for each in environ.get("MYPYPATH", "").split(os.pathsep) if each]
    home = os.path.dirname(path) if path else cwd
    for each in _strings(section.get("mypy_path"), split=True):
        expanded = re.sub(r"\$\{?MYPY_CONFIG_FILE_DIR\b\}?", lambda _found: home, each)
        places.append(os.path.expanduser(os.path.expandvars(expanded)))
    return MypyConfig(
        path=path,
        names_targets=any(section.get(key) for key in ("files", "packages", "modules")),
        exclude=tuple(each for each in exclude if each),
        bases=tuple(os.path.normpath(os.path.join(cwd, each)) for each in places),
        explicit_bases=explicit,
        namespace_packages=namespaces,
    )


def _section(path: str) -> Mapping[str, object]:
    """The `[mypy]` or `[tool.mypy]` table of a file, {} if there is none or the file cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read()
    except OSError:
        return {}
    if "mypy" not in text:
        return {}
    if path.endswith(".toml"):
        from gatepost.toml.load import TomlError, loads

        try:
            tool = loads(text.encode("utf-8", "replace")).get("tool")
        except TomlError:
            return {"broken": True}  # mypy will say so itself
        table = tool.get("mypy") if isinstance(tool, dict) else None
        return table if isinstance(table, dict) else {}
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    try:
        parser.read_string(text)
    except Error:
        return {"broken": True} if "[mypy]" in text else {}
    return dict(parser["mypy"]) if parser.has_section("mypy") else {}


def _strings(value: object, *, split: bool) -> list[str]:
    if isinstance(value, str):
        return [each.strip() for each in re.split("[,:\n]", value) if each.strip()] if split else [value.strip()]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _flag(value: object, default: bool) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in ("1", "true", "yes", "on")
    return value if isinstance(value, bool) else default


# --- which files ------------------------------------------------------------------------------------------------------


def discovered(tracked: Sequence[str], exclude: Sequence[str]) -> list[str]:
    """Those of the tracked files (POSIX, from the working folder) that `mypy .` would come across, sorted.

    A hidden folder, `exclude`, a module beside a stub or a package of its name: left out, as mypy does.
    """
    patterns = []
    for each in exclude:
        try:
            patterns.append(re.compile(each))
        except re.error:
            continue  # mypy says what is wrong with it
    gone: dict[str, bool] = {"": False}

    def out(folder: str) -> bool:
        if folder not in gone:
            parent, _, name = folder.rpartition("/")
            gone[folder] = (
                out(parent)
                or name.startswith(".")
                or name in _SKIPPED
                or any(pattern.search(folder + "/") for pattern in patterns)
            )
        return gone[folder]

    kept = [
        path
        for path in tracked
        if path.endswith((".py", ".pyi"))
        and not path.rpartition("/")[2].startswith(".")
        and not out(path.rpartition("/")[0])
        and not any(pattern.search(path) for pattern in patterns)
    ]
    names = set(kept)
    folders = {parent for path in kept for parent in _parents(path.rpartition("/")[0])}
    return sorted(
        path
        for path in kept
        if not (path.endswith(".py") and (f"{path}i" in names or path.removesuffix(".py") in folders))
    )


# --- which modules ----------------------------------------------------------------------------------------------------


class UnnameableError(Exception):
    """A folder with an `__init__.py` whose name is no identifier: mypy stops at it. `str()` is the folder."""


class Namer:
    """Module names of files under `cwd`, as mypy's `crawl_up` has them; each folder is looked at once."""

    def __init__(self, config: MypyConfig, cwd: str) -> None:
        self._cwd = os.path.abspath(cwd)
        self._bases = {*config.bases, self._cwd} if config.explicit_bases else set()
        self._namespaces = config.namespace_packages
        self._known: dict[str, tuple[str, str] | None] = {}

    def module_of(self, path: str) -> tuple[str, str]:
        """The module name of a file, and the folder that this name is relative to (absolute).

        Raises:
            UnnameableError: a package's folder has a name that is no identifier.
        """
        head, _, leaf = path.rpartition("/")
        folder = os.path.join(self._cwd, head) if head else self._cwd
        above, base = self._package(folder) or ("", folder)
        stem = leaf.rpartition(".")[0]
        if stem == "__init__":
            return above, base
        return f"{above}.{stem}" if above else stem, base

    def _package(self, folder: str) -> tuple[str, str] | None:
        if folder not in self._known:
            self._known[folder] = self._look(folder)
        return self._known[folder]

    def _look(self, folder: str) -> tuple[str, str] | None:
        if folder in self._bases:
            return "", folder
        parent, name = os.path.split(folder)
        name = name.removesuffix("-stubs")
        if any(os.path.isfile(os.path.join(folder, leaf)) for leaf in ("__init__.pyi", "__init__.py")):
            if not name.isidentifier():
                raise UnnameableError(folder)
            above, base = self._package(parent) or ("", parent)
            return f"{above}.{name}" if above else name, base
        if not name or parent == folder or not name.isidentifier() or not self._namespaces:
            return None
        found = self._package(parent)
        return found and (f"{found[0]}.{name}" if found[0] else name, found[1])


def rounds(files: Sequence[str], config: MypyConfig, cwd: str) -> tuple[list[list[str]], list[str]]:
    """Groups of files without a module name twice, each to be checked in a run of its own; and folders mypy cannot name.

    Files that are relative to the same folder stay together, so that what they import is what they mean.
    """
    namer = Namer(config, cwd)
    by_base: dict[str, list[tuple[str, str]]] = {}
    unnameable: dict[str, None] = {}
    for path in files:
        try:
            module, base = namer.module_of(path)
        except UnnameableError as error:
            unnameable[os.path.relpath(str(error), cwd)] = None
            continue
        by_base.setdefault(base, []).append((path, module))
    groups: list[tuple[list[str], set[str], set[str]]] = []
    for base in sorted(by_base):
        pairs = by_base[base]
        modules = {module for _path, module in pairs}
        tops = {module.partition(".")[0] for module in modules}
        packages = {top for top in tops if top in modules}
        for paths, taken, owned in groups:
            if (
                not (modules & taken)
                and not (packages & {each.partition(".")[0] for each in taken})
                and not (tops & owned)
            ):
                break
        else:
            paths, taken, owned = [], set(), set()
            groups.append((paths, taken, owned))
        paths += [path for path, _module in pairs]
        taken |= modules
        owned |= packages
    return [sorted(paths) for paths, _taken, _owned in groups], list(unnameable)


def shared_bases(tracked: Sequence[str], cwd: str) -> list[str]:
    """Folders that imports start from, for a project that configures nothing: those with a pyproject.toml or setup.py,
    and the `src` folders, that are no packages themselves. Absolute, the working folder left out."""
    found: dict[str, None] = {}
    folders = {path.rpartition("/")[0] for path in tracked}
    for folder in sorted({parent for each in folders for parent in _parents(each)}):
        home = os.path.join(cwd, *folder.split("/"))
        if os.path.isfile(os.path.join(home, "__init__.py")):
            continue
        if folder.rpartition("/")[2] == "src" or any(
            os.path.isfile(os.path.join(home, name)) for name in ("pyproject.toml", "setup.py")
        ):
            found[os.path.normpath(home)] = None
    return list(found)


def _parents(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
