"""Ruff, with the project's config for the files that have one and the shared config for those that have none."""

from __future__ import annotations

import os
import re
import sys

from gatepost.tools.command import CannotRun, Command, chunks, executable, tracked
from gatepost.tools.config import required_ruff, ruff_groups, satisfies, shared_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def command(
    verb: str, cwd: str, options: Sequence[str], files: Sequence[str], environ: Mapping[str, str]
) -> Command | None:
    """How `ruff check` or `ruff format` is to be run on these files, without files on the whole folder.

    Raises:
        CannotRun: Ruff is not there, or not in the version that the project asks for.
    """
    from gatepost.tree.git import Git, GitError, find_root

    head: tuple[str, ...] = (executable(f"ruff-{verb}", environ), verb, "--force-exclude")
    if any(not name.isascii() and not _is_utf8(name) for name in files):
        head = (*head, "--no-cache")  # Ruff 0.17 fails when it writes a cache with such a name in it
    if any(word == "--config" or word.startswith("--config=") or word == "--isolated" for word in options):
        return Command(argvs=tuple((*head, *options, *part) for part in _parts(files, environ)))
    try:
        top = find_root(cwd, environ)
    except GitError:
        top = cwd
    if files:
        own, bare, configs = ruff_groups(cwd, top, files)
    else:
        _own, _bare, configs = ruff_groups(cwd, top, tracked(Git(cwd), "*.py", "*.pyi", "*.ipynb") or ["x.py"])
        own, bare = ([], []) if configs else ([], ["."])
    _check_version(configs, top)
    argvs = []
    if own or not bare:
        argvs += [(*head, *options, *part) for part in _parts(own, environ)]
    if bare:
        argvs += [(*head, "--config", shared_config(), *options, *part) for part in _parts(bare, environ)]
    return Command(argvs=tuple(argvs))


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parts(files: Sequence[str], environ: Mapping[str, str]) -> list[Sequence[str]]:
    return chunks(files, environ) if files else [()]


def _check_version(configs: Sequence[str], top: str) -> None:
    for path in configs:
        wanted = required_ruff(path)
        if wanted and not satisfies(version := installed_version("ruff"), wanted):
            pin = f"ruff{wanted}" if re.match(r"[<>=!~]", wanted) else f"ruff=={wanted}"
            raise CannotRun(
                f"{os.path.relpath(path, top)} asks for Ruff {wanted}, this is Ruff {version}",
                f"write `additional_dependencies: ['{pin}']` at `id: ruff-check` and `id: ruff-format` (at `id: gatepost`: "
                f"['.[mypy,bandit,detect-secrets]', '{pin}']), or change `required-version`.",
            )


def installed_version(name: str) -> str:
    """Version of a distribution beside this interpreter, by the name of its folder ("" if it is not there)."""
    for place in sys.path:
        try:
            leaves = os.listdir(place or ".")
        except OSError:
            continue
        for leaf in leaves:
            if leaf.startswith(f"{name}-") and leaf.endswith(".dist-info"):
                return leaf[len(name) + 1 : -len(".dist-info")]
    return ""
