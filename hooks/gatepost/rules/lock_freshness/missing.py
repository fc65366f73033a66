"""LF401 and LF402: something is deployed and no lock decides its versions, or git ignores the lock."""

from __future__ import annotations

import posixpath

from gatepost.locks._base import quote
from gatepost.manifests import ignores
from gatepost.manifests import projects as deployed
from gatepost.model import ERROR, INFO, WARNING, Finding, Location
from gatepost.record import replace
from gatepost.rules.lock_freshness.loose import loose_project
from gatepost.rules.lock_freshness.loose import pins as pins_of
from gatepost.rules.lock_freshness.owners import RELOCK, TOOL_LOCK, from_lock
from gatepost.rules.lock_freshness.paste import compiled, own_addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Pins, Repository
    from gatepost.manifests.shell import Word
    from gatepost.model import Severity


def no_lock(
    repository: Repository,
    image: Image,
    tool: str,
    folder: str,
    manifest: str,
    place: Location,
    fails: str,
    strict: bool,
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """`fails` is the install command where it certainly fails without a lock, else ""; `strict`: it asks for one."""
    name = TOOL_LOCK[tool]
    lock = posixpath.join(repository.workspace(folder) if tool == "uv" else folder, name)
    if any(path.startswith(f"{lock}.") for path in repository.paths):
        return  # `uv.lock.cpu` and its like: which one becomes the lock is decided elsewhere
    ignored = ignores.git_ignored(lock, repository.read)
    if ignored is not None:
        fails_clean = strict or _copied(image, lock)
        yield _git_ignored(lock, ignored, place, tool, fails_clean), (manifest, image.path)
        return
    if fails:
        yield _needed(lock, fails, place, tool), (manifest, lock)
        return
    if repository.published(folder):
        return
    loose = loose_project(repository, manifest)
    if loose:
        yield unlocked_project(manifest, loose, place, tool), (image.path, lock)


def _needed(lock: str, command: str, place: Location, tool: str) -> Finding:
    return Finding(
        code="LF401",
        where=place,
        message=f"`{command}` fails without `{lock}`, and there is none",
        remedy=f"Run `{RELOCK[tool]}` and `git add {lock}` (or `git restore --staged --worktree {lock}` if it was deleted).",
        severity=ERROR,
    )


def gone(finding: Finding, lock: str) -> Finding:
    """LF401 where git holds the lock and only the work tree does not: nothing is wrong with what is committed."""
    return replace(
        finding,
        message=f"{finding.message}; `{lock}` is tracked, and only deleted on disk",
        remedy=f"`git restore {quote(lock)}` (or `git rm {quote(lock)}`, if it is meant to go).",
        severity=WARNING,
    )


def _copied(image: Image, lock: str) -> bool:
    """Whether a COPY of an image names a lock without a glob: it fails where the lock is not there."""
    return any(
        copy.source == "" and not copy.mount and any(_names(image, word, lock) for word in copy.sources)
        for stage in image.dockerfile.stages
        if image.final(stage)
        for step in stage.steps
        for copy in step.copies
    )


def _names(image: Image, word: Word, lock: str) -> bool:
    return word.known and posixpath.normpath(posixpath.join(image.context, word.text.lstrip("/"))) == lock


def _git_ignored(lock: str, ignored: tuple[str, ignores.Pattern], place: Location, tool: str, fails: bool) -> Finding:
    """`fails`: nothing can be built without the lock, as it is copied or installed from by name."""
    where, pattern = ignored
    return Finding(
        code="LF402",
        where=Location(path=where, line=pattern.line),
        message=f"`{pattern.text}` keeps `{lock}` out of git, but {place.path}:{place.line} deploys that project with "
        f"{tool}: {_FAILS if fails else _ANEW}",
        remedy=f"Remove the pattern, run `{RELOCK[tool]}` and `git add {quote(lock)}`.",
        related=(place,),
    )


_FAILS, _ANEW = "a clean clone cannot be built", "every build resolves anew"
_SHOWN = 4  # of the places that one pattern hides the locks of


def together(found: Sequence[Finding]) -> Finding:
    """LF402 of one pattern that hides the locks of several projects: those that resolve anew unseen go first."""
    first, *others = sorted(found, key=lambda one: one.message.endswith(_FAILS))
    if not others:
        return first
    fails = first.message.endswith(_FAILS)
    same = [one for one in others if one.message.endswith(_FAILS) == fails]
    more = f"; so with {_places(same)}" if same else ""
    if len(same) < len(others):
        more += f"; and {_FAILS} from {_places([one for one in others if one not in same])}"
    return replace(
        first,
        message=first.message + more,
        remedy=first.remedy.rstrip(".") + ", and likewise for the others.",
        related=tuple(place for one in (first, *others) for place in one.related),
    )


def _places(found: Sequence[Finding]) -> str:
    shown = [f"{one.related[0].path}:{one.related[0].line}" for one in found]
    return ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")


def unlocked(pins: Pins, place: Location, remedy: str, mild: bool = False) -> Finding:
    """LF401 of a requirements file; `mild`: as information in any case."""
    some = ", ".join(pins.loose[:3]) + (", ..." if len(pins.loose) > 3 else "")
    return Finding(
        code="LF401",
        where=Location(path=pins.path, line=pins.first_loose or None),
        message=f"{place.path}:{place.line} deploys this file, and {len(pins.loose)} of its {pins.total} requirements "
        f"admit more than one version ({some}); no lock decides",
        remedy=remedy,
        severity=INFO if mild or len(pins.loose) * 5 <= pins.total else WARNING,
        related=(place,),
    )


def unlocked_project(
    manifest: str,
    loose: list[str],
    place: Location,
    tool: str,
    remedy: str = "",
    severity: Severity = WARNING,
    extras: Sequence[str] = (),
) -> Finding:
    """`remedy`: what to do where a lock of the project itself would not help; `extras`: those that are installed."""
    some = ", ".join(loose[:3]) + (", ..." if len(loose) > 3 else "")
    return Finding(
        code="LF401",
        where=Location(path=manifest),
        message=f"{place.path}:{place.line} deploys this project, and no lock decides the versions of {some}",
        remedy=remedy
        or f"Run `{RELOCK[tool]}`, commit `{TOOL_LOCK[tool]}`, and install from it with `{from_lock(tool, extras)}`.",
        severity=severity,
        related=(place,),
    )


def platforms(repository: Repository) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """Procfile and render.yaml: the platform installs `requirements.txt` (or the lock) of the folder itself."""
    for path, line, folder in deployed.other_deployments(repository):
        file = posixpath.join(folder, "requirements.txt")
        if repository.locks(folder) or file not in repository.paths or repository.published(folder):
            continue
        pins = pins_of(repository, file)
        if pins is not None and pins.loose:
            remedy = compiled((file,), own_addresses(repository, file))
            yield unlocked(pins, Location(path=path, line=line), remedy), (path,)
