"""TS407: a key of the stated builds that names nothing in the repository, and so states nothing.

A key counts if any place could mean it, whether torch is there or not: better a typo unseen than a true name refused.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from gatepost.model import Finding, Location
from gatepost.rules.torch_source import paths
from gatepost.rules.torch_source.model import fold
from gatepost.rules.torch_source.readers import common

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Context
    from gatepost.tree.base import Tree

_ALWAYS = frozenset({"main", "default", "*", "dev"})
_KINDS = ("group", "extra", "file", "script", "feature", "factor", "environment", "stage")
# Where the keys of a TOML manifest are names of environments.
_TABLES = (
    ("project", "optional-dependencies"),
    ("dependency-groups",),
    ("tool", "poetry", "group"),
    ("tool", "poetry", "extras"),
    ("tool", "pdm", "dev-dependencies"),
    ("tool", "hatch", "envs"),
    ("envs",),
    ("tool", "pixi", "feature"),
    ("tool", "pixi", "environments"),
    ("feature",),
    ("environments",),
)
_TOMLS = ("pyproject.toml", "pixi.toml", "hatch.toml")
_STAGE = re.compile(rb"(?im)^\s*FROM\s.*\sAS\s+(\S+)")


def unmatched(ctx: Context) -> Iterator[Finding]:
    """A finding for each key of a `build` table that is no group, extra, file, glob or stage of the repository."""
    build = ctx.settings.get("build")
    if not isinstance(build, dict):
        return
    files = set(ctx.tree.paths())
    left = [key for key in build if key not in _ALWAYS and not _is_file(key, files)]
    if not left:
        return
    names, texts = _names(ctx.tree, files)
    for key in left:
        kind, colon, name = key.rpartition(":")
        if colon and kind not in _KINDS and not _is_file(kind, files):
            name = key
        if fold(name) in names or _is_file(name, files) or any(_says(text, name) for text in texts):
            continue
        where = _place(ctx.tree, key)
        if ctx.wants(where.path):
            yield Finding(
                code="TS407",
                where=where,
                message=f"`{key}` is no group, extra, file or Docker stage here, so the build that it states is nobody's",
                remedy=_remedy(key, names, files),
            )


def _is_file(key: str, files: set[str]) -> bool:
    """Whether a key is a path, or a glob that a path matches."""
    return key in files or (any(mark in key for mark in "*?[") and any(fnmatchcase(path, key) for path in files))


def _names(tree: Tree, files: set[str]) -> tuple[set[str], list[str]]:
    """The folded names of all groups, extras, features and stages; and the texts in which others may stand."""
    names: set[str] = set()
    texts: list[str] = []
    for path in sorted(files):
        base = path.rpartition("/")[2]
        if base in _TOMLS or base == "Pipfile":
            try:
                data = common.Toml(path, tree.read(path) or b"").data
            except ValueError:
                continue
            tables = [data] if base == "Pipfile" else [common.table(data, *where) for where in _TABLES]
            names |= {fold(name) for table in tables for name in table}
        elif base in paths.RUNNERS or base in paths.SETUPS:
            texts.append((tree.read(path) or b"").decode("utf-8", "replace"))
        elif "ockerfile" in base or "ontainerfile" in base:
            names |= {fold(name.decode("utf-8", "replace")) for name in _STAGE.findall(tree.read(path) or b"")}
    return names, texts


def _says(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text) is not None


def _place(tree: Tree, key: str) -> Location:
    """Where the settings have the key: the first pyproject.toml or gatepost.toml that does."""
    for path in sorted(tree.paths(), key=lambda path: (path.count("/"), path)):
        table = {"pyproject.toml": ("tool", "gatepost"), "gatepost.toml": ()}.get(path.rpartition("/")[2])
        data = tree.read(path) if table is not None else None
        if table is None or data is None or b"torch-source" not in data:
            continue
        try:
            toml = common.Toml(path, data)
        except ValueError:
            continue
        place = (*table, "torch-source", "build")
        if key in common.table(toml.data, *place):
            return toml.where(*place, key)
    return Location(path="pyproject.toml", key=f"tool.gatepost.torch-source.build.{key}")


def _remedy(key: str, names: set[str], files: set[str]) -> str:
    import difflib

    folder = key.rstrip("/") + "/"
    if any(path.startswith(folder) for path in files):
        return f"Write `{folder}**` for the files of that folder."
    same = sorted(path for path in files if path.endswith("/" + key))
    near = same or difflib.get_close_matches(key, sorted(names | files), n=1, cutoff=0.75)
    return f"Write `{near[0]}` if that is meant, or remove the key." if near else "Correct the key, or remove it."
