"""A project's files for the commands: read, change by proved operations, write."""

from __future__ import annotations

import os

from gatepost.sync.paths import normal, show
from gatepost.sync.proof import proved
from gatepost.toml.load import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gatepost.model import Edit
    from gatepost.sync.paths import Keys

PYPROJECT = "pyproject.toml"


class Disk:
    """A project's folder as a tree: the files as they are on disk, whether git knows them or not."""

    label = "work tree"
    git = None

    def __init__(self, root: str) -> None:
        self.root = root
        self._paths: list[str] | None = None

    def read(self, path: str) -> bytes | None:
        """A file's bytes, or None if there is none.

        Raises:
            OSError: it is there and cannot be read.
        """
        name = os.path.join(self.root, path)
        try:
            with open(name, "rb") as stream:
                return stream.read()
        except OSError as error:
            from gatepost.tree.git import is_gone

            if not is_gone(name, error):
                raise
            return None

    def read_many(self, paths: Any) -> dict[str, bytes | None]:
        return {path: self.read(path) for path in paths}

    def paths(self) -> Sequence[str]:
        """Every file, without what is never source: folders that start with a dot, environments, node_modules."""
        if self._paths is None:
            found = []
            for folder, folders, names in os.walk(self.root):
                folders[:] = [
                    name
                    for name in folders
                    if name not in ("node_modules", "__pycache__", "venv", "build", "dist")
                    and (not name.startswith(".") or name == ".github")
                    and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
                ]
                above = os.path.relpath(folder, self.root).replace(os.sep, "/")
                found += [name if above == "." else f"{above}/{name}" for name in names]
            self._paths = sorted(found)
        return self._paths

    def entry(self, path: str) -> None:
        return None

    def size(self, path: str) -> int | None:
        data = self.read(path)
        return None if data is None else len(data)

    def status(self, path: str) -> str:
        return "absent" if self.read(path) is None else "tracked"


def pyproject(root: str) -> tuple[bytes | None, dict[str, Any]]:
    """pyproject.toml as bytes and data.

    Raises:
        TomlError: it is not TOML.
    """
    raw = Disk(root).read(PYPROJECT)
    return raw, loads(raw or b"")


def changed(raw: bytes | None, ops: Sequence[Any], path: str = PYPROJECT) -> Edit:
    """The edit that makes operations in a TOML file.

    Raises:
        NotSpliceable: they cannot be made there.
        TomlError: it is not TOML.
    """
    from gatepost.model import Edit

    text = (raw or b"").decode("utf-8")
    return Edit(path=path, old=raw, new=proved(text, loads(raw or b""), ops).encode("utf-8"))


def written_key(table: Any, path: Keys) -> str | None:
    """The key of a declaration table that means `path`, as it is written there."""
    for key in table if isinstance(table, dict) else ():
        if normal(key) == path:
            return str(key)
    return None


def shown(path: Keys) -> str:
    return show(path)
