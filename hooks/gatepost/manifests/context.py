"""The folder that a Dockerfile's COPY reads from: as compose files, workflows and `docker build` lines say it where
they are literal, else where the sources of COPY exist."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.installs.commands import installs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.builds import Build
    from gatepost.manifests.dockerfile import Dockerfile
    from gatepost.manifests.files import Files


def context_of(
    files: Files, path: str, dockerfile: Dockerfile, builds: tuple[Build, ...]
) -> tuple[str, bool, tuple[str, ...]]:
    """The folder, whether something literal says so, and the files and folders that COPY names."""
    wanted = [
        word.text.removeprefix("./").strip("/")
        for stage in dockerfile.stages
        for step in stage.steps
        for copy in step.copies
        if copy.source == "" and not copy.inline
        for word in copy.sources
        if word.known and "://" not in word.text and not re.search(r"[*?\[]", word.text)
    ]
    named = [word for word in wanted if word not in ("", ".")]

    def score(folder: str) -> int:
        return sum(files.exists(posixpath.join(folder, word)) for word in named)

    for build in builds:
        if score(build.context) == len(named):
            return build.context, True, tuple(named)
    folder = posixpath.dirname(path)
    candidates = [folder]
    while folder:
        folder = posixpath.dirname(folder)
        candidates.append(folder)
    started = _started(dockerfile)
    candidates = [
        one for one in candidates if all(posixpath.join(one, name) in files.paths for name in started)
    ] or candidates
    best = max(candidates, key=lambda one: (score(one), -candidates.index(one)))
    if not named and not _project(files, best):
        best = next(
            (one for one in candidates if _project(files, one)), _installable(files, dockerfile, candidates, best)
        )
    return best, bool(named) and score(best) == len(named), tuple(named)


def _started(dockerfile: Dockerfile) -> tuple[str, ...]:
    """The scripts that CMD or ENTRYPOINT starts where the stage copies its whole context: they lie in the context."""
    last = dockerfile.stages[-1] if dockerfile.stages else None
    steps = last.steps if last is not None else ()
    whole = {
        (copy.dest or "").rstrip("/")
        for step in steps
        for copy in step.copies
        if not (copy.source or copy.inline or step.kind == "run")
        and any(posixpath.normpath(word.text.lstrip("/") or ".") == "." for word in copy.sources if word.known)
    }
    names = [
        posixpath.normpath(command.texts[1])
        for step in steps
        if step.kind in ("cmd", "entrypoint") and (step.cwd or "").rstrip("/") in whole
        for command in step.commands
        if len(command.texts) > 1
        and re.fullmatch(r"(?:\./)?[\w./-]+\.py", command.texts[1])
        and re.fullmatch(r"python[\d.]*", posixpath.basename(command.texts[0]))
    ]
    return tuple(name for name in names if not name.startswith(("/", "..")))


def _installable(files: Files, dockerfile: Dockerfile, candidates: list[str], otherwise: str) -> str:
    """The nearest folder that holds a file which `pip install -r` names, where the whole context is copied."""
    listed = {
        posixpath.basename(word.text)
        for stage in dockerfile.stages
        for step in stage.steps
        if step.kind == "run"
        for install in installs(step.commands)
        for word in install.files
        if word.known
    }
    held = (one for one in candidates for file in listed if posixpath.join(one, file) in files.paths)
    return next(held, otherwise)


def _project(files: Files, folder: str) -> bool:
    """Whether a folder holds the manifest of a project."""
    names = ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile", "environment.yml")
    return any(posixpath.join(folder, name) in files.paths for name in names)
