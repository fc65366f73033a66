"""The files of a snapshot as deployment sees them: bytes, TOML tables, requirements families, CI jobs."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import workflow
from gatepost.manifests.places import is_generated
from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from gatepost.manifests.requirements import ReqFile
    from gatepost.manifests.workflow import Job

_FILE_LINES = pattern(rb'^    \{ ?(?:url|file) = "[^"\\\n]*", hash = "[^"\\\n]*"[^\n{}]*\},\n', re.MULTILINE)


class Files:
    """The files of a snapshot, read and parsed at most once each; nothing is cached elsewhere.

    Paths are POSIX, from the repository's root; `folders` holds "" for it.
    """

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
        self._jobs: dict[str, tuple[Job, ...]] = {}
        self._workflows = [path for path in sorted(self.paths) if workflow.is_workflow(path) and not is_generated(path)]

    def exists(self, path: str) -> bool:
        """Whether a file or a folder is in the snapshot."""
        return path in self.paths or path in self.folders

    def read(self, path: str) -> bytes | None:
        """A file's bytes; None when it is not in the snapshot."""
        if path not in self._bytes:
            self._bytes[path] = self._read(path) if path in self.paths else None
        return self._bytes[path]

    def text(self, path: str) -> str:
        """A file's first 4 MB as text, bytes that are no UTF-8 replaced; empty when it is missing."""
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

    def jobs(self, *needles: bytes) -> Iterator[tuple[str, tuple[Job, ...]]]:
        """The jobs of every CI file that holds any of the needles; YAML is read only for those."""
        for path in self._workflows:
            data = self.read(path) or b""
            if any(needle in data for needle in needles):
                if path not in self._jobs:
                    self._jobs[path] = workflow.parse(path, data)
                yield path, self._jobs[path]


def _slim(data: bytes) -> bytes:
    """A lock without the lines of its file lists, which are most of it and say nothing of what is deployed."""
    if b'"""' in data or b"'''" in data:
        return data
    return _FILE_LINES.sub(b"", data)
