"""How much is too much: limits by kind, by glob, for lock files, and for a file that was over its limit before."""

from __future__ import annotations

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from gatepost.formats import Kind

KIB, MIB = 1024, 1024 * 1024
UNLIMITED = 1 << 62
# A lock file that is larger than any known one is something else.
LOCK_LIMIT = 32 * MIB

# Kinds (categories of gatepost.formats) that are held to `weights-limit`.
HEAVY = ("weights", "checkpoint", "pickle", "log")

FIXTURE = r"(?i)(?:^|/)(tests?|testing|fixtures?|test[-_]?(?:data|files|resources)|_?data_for_tests)/"

# Lock files that tools write and that belong in git whatever their size: 41 of 225 repositories have one over 500 KB.
_LOCK_FILES = """
    bun.lock bun.lockb cargo.lock composer.lock conda-lock.yml conda-lock.yaml deno.lock flake.lock gemfile.lock
    go.sum go.work.sum gradle.lockfile mix.lock module.bazel.lock npm-shrinkwrap.json package-lock.json
    package.resolved packages.lock.json paket.lock pdm.lock pipfile.lock pixi.lock pnpm-lock.yaml podfile.lock
    poetry.lock pubspec.lock pylock.toml rush-lock.json stack.yaml.lock uv.lock yarn.lock .terraform.lock.hcl
"""
LOCK_FILES = frozenset(_LOCK_FILES.split())


def human(size: int) -> str:
    """Bytes in the largest unit that keeps a digit before the point: "500 KiB", "2.1 MiB"; never rounded up to one."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", MIB), ("KiB", KIB)):
        if size >= factor:
            tenths = size * 10 // factor
            return f"{tenths // 10}.{tenths % 10} {unit}" if size % factor else f"{size // factor} {unit}"
    return f"{size} B"


def exact(size: int) -> str:
    """Bytes in words and to the byte where the words round: "500.0 KiB (512,001 bytes)"."""
    words = human(size)
    return words if "." not in words else f"{words} ({size:,} bytes)"


def is_text(head: bytes) -> bool:
    """Whether a file is text, by git's own rule: no NUL in its first 8,000 bytes."""
    return b"\0" not in head[:8000]


def is_lock(path: str, head: bytes) -> bool:
    """Whether a path and the first bytes are those of a lock file that a tool wrote."""
    name = path.rpartition("/")[2].lower()
    known = name in LOCK_FILES or (name.startswith("pylock.") and name.endswith(".toml"))
    return known and (is_text(head) or (name == "bun.lockb" and head.startswith(b"#!/usr/bin/env bun\n")))


def is_fixture(path: str) -> bool:
    """Whether a path lies in a folder of tests or fixtures (but `data/test/` holds the test split of a data set)."""
    import re

    match = re.search(FIXTURE, path)
    if match is None:
        return False
    return match[1].lower() not in ("test", "testing") or not re.search(
        r"(?i)data(?:sets?)?/", path[: match.start() + 1]
    )


@record
class Limit:
    """Bytes that a file may have, and what says so: "500 KiB", "100 KiB (weights-limit)", a glob."""

    size: int
    why: str = ""


@record
class Limits:
    """The settings about size, ready to be asked."""

    general: int
    weights: int
    fixture: int
    tokenizer: int
    growth: int
    exempt_locks: bool
    by_glob: tuple[tuple[Callable[[str], bool], int, str], ...]

    @property
    def floor(self) -> int:
        """No smaller file can be over any limit."""
        return (
            min(
                self.general,
                self.weights,
                self.fixture,
                self.tokenizer,
                *(size for _match, size, _glob in self.by_glob),
            )
            + 1
        )

    def of(self, path: str, kind: Kind | None, head: bytes) -> Limit:
        """The limit of one file."""
        for matches, size, glob in reversed(self.by_glob):
            if matches(path):
                return Limit(size=size, why=f"`{glob}` in limits")
        if kind is None and self.exempt_locks and is_lock(path, head):
            return Limit(size=LOCK_LIMIT, why="lock file")
        if kind is not None and kind.category in HEAVY and self.fixture > self.weights and is_fixture(path):
            return Limit(size=self.fixture, why="fixture-limit")
        if kind is not None and kind.category in HEAVY:
            return Limit(size=self.weights, why="weights-limit")
        if kind is not None and kind.category == "tokenizer":
            return Limit(size=self.tokenizer, why="tokenizer-limit")
        return Limit(size=self.general, why="limit")

    def still_the_same(self, path: str, kind: Kind | None, head: bytes, size: int, before: int) -> bool:
        """Whether a file that was over its limit before may stay as it now is: shrunk, or text that hardly grew.

        A recognised binary format counts with every new version: git cannot keep a delta of it.
        """
        if kind is not None and kind.category != "tokenizer":
            return False
        if before <= self.of(path, kind, head).size:
            return False
        grown = is_text(head) and not path.endswith(".ipynb")
        return size <= before + self.growth if grown else size < before


def read_limits(settings: Mapping[str, Any]) -> Limits:
    """The limits that the settings ask for."""
    from gatepost.globs import matcher

    return Limits(
        general=settings["limit"],
        weights=settings["weights-limit"],
        fixture=settings["fixture-limit"],
        tokenizer=settings["tokenizer-limit"],
        growth=settings["growth"],
        exempt_locks=settings["exempt-lock-files"],
        by_glob=tuple((matcher([glob]), size, glob) for glob, size in settings["limits"].items()),
    )
