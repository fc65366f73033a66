"""What a project declares to need, and what an environment holds: which environment is whose."""

from __future__ import annotations

import os
import re

from gatepost.tools.config import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def upwards(root: str, top: str) -> Iterator[str]:
    """`root`, and the folders above it up to `top`."""
    folder = os.path.abspath(root)
    end = os.path.abspath(top)
    while True:
        yield folder
        if folder == end or not folder.startswith(end.rstrip(os.sep) + os.sep):
            return
        folder = os.path.dirname(folder)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def dependencies(root: str, top: str) -> frozenset[str]:
    """Names of what the project declares to need (its own name too): more than none is enough to tell environments."""
    found: set[str] = set()
    for home in upwards(root, top):
        text = text_of(home, "pyproject.toml")
        if text:
            found |= _declared(text)
        for name in ("requirements.txt", "requirements-dev.txt", "dev-requirements.txt", "requirements/base.txt"):
            lines = text_of(home, *name.split("/")).splitlines()
            found |= {canonical(each[0]) for line in lines if (each := re.match(r"[A-Za-z0-9][\w.-]*", line.strip()))}
    return frozenset(found)


_REQUIREMENTS = re.compile(
    r"(?:^|/)(?:[\w.-]*requirements[\w.-]*\.(?:txt|in)|Pipfile|setup\.(?:py|cfg)|environment[\w.-]*\.ya?ml|pixi\.toml)$"
)


def needs_nothing(root: str, tracked: Iterable[str]) -> bool:
    """Whether a project says that it needs no packages: each of its pyproject.toml files declares a project (PEP 621) without
    any, in no group either, and nothing else declares some. `tracked` are its files, relative to `root`."""
    found = False
    for path in tracked:
        if _REQUIREMENTS.search(path):
            return False
        if path.rpartition("/")[2] == "pyproject.toml":
            text = text_of(root, *path.split("/"))
            if _declared(text, names=False) or not re.search(r"(?m)^\[project\]", text) or _dynamic(text):
                return False
            found = True
    return found


def _dynamic(text: str) -> bool:
    return re.search(r"(?m)^dynamic\s*=\s*\[[^\]]*[\"'](?:optional-)?dependencies[\"']", text) is not None


def _declared(text: str, *, names: bool = True) -> set[str]:
    from gatepost.toml.load import TomlError, loads

    try:
        data = loads(text.encode("utf-8", "replace"))
    except TomlError:
        return set()
    tool = _table(data, "tool")
    project, poetry = _table(data, "project"), _table(tool, "poetry")
    lists = [project.get("dependencies"), *_table(project, "optional-dependencies").values()]
    lists += [*_table(data, "dependency-groups").values()]
    tables = [_table(poetry, "dependencies"), _table(poetry, "dev-dependencies")]
    tables += [_table(_table(_table(poetry, "group"), name), "dependencies") for name in _table(poetry, "group")]
    lists += [*_table(_table(tool, "pdm"), "dev-dependencies").values(), _table(tool, "uv").get("dev-dependencies")]
    given = [each for items in lists if isinstance(items, list) for each in items if isinstance(each, str)]
    given += [name for table in tables for name in table if name != "python"]
    given += [name for name in (project.get("name"), poetry.get("name")) if names and isinstance(name, str)]
    return {canonical(each[0]) for name in given if (each := re.match(r"[A-Za-z0-9][\w.-]*", name.strip()))}


def _table(data: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def installed(python: str) -> frozenset[str]:
    """Canonical names of the distributions in the environment of an interpreter, by the names of their folders."""
    prefix = os.path.dirname(python)
    if os.path.basename(prefix).lower() in ("bin", "scripts"):
        prefix = os.path.dirname(prefix)
    places = [os.path.join(prefix, "Lib", "site-packages")]
    for lib in ("lib", "lib64"):
        try:
            places += [
                os.path.join(prefix, lib, name, "site-packages")
                for name in os.listdir(os.path.join(prefix, lib))
                if name.startswith("python")
            ]
        except OSError:
            continue
    found = set()
    for place in places:
        try:
            leaves = os.listdir(place)
        except OSError:
            continue
        found |= {
            canonical(leaf.split("-", 1)[0])
            for leaf in leaves
            if leaf.endswith((".dist-info", ".egg-info", ".egg-link"))
        }
    return frozenset(found)
