"""LF401 and LF402: something is deployed and no lock decides its versions, or git ignores the lock."""

from __future__ import annotations

import posixpath
import re

from gatepost.locks._base import quote
from gatepost.manifests import ignores
from gatepost.manifests import projects as deployed
from gatepost.manifests.names import canonical
from gatepost.model import ERROR, INFO, WARNING, Finding, Location
from gatepost.record import replace
from gatepost.rules.lock_freshness.owners import FROM_LOCK, RELOCK, TOOL_LOCK
from gatepost.rules.lock_freshness.paste import compiled, own_addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Pins, Repository
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
    lock = posixpath.join(folder, name)
    if any(path.startswith(f"{lock}.") for path in repository.paths):
        return  # `uv.lock.cpu` and its like: which one becomes the lock is decided elsewhere
    ignored = ignores.git_ignored(lock, repository.read)
    if ignored is not None:
        yield _git_ignored(lock, ignored, place, tool, strict), (manifest, image.path)
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


def _git_ignored(lock: str, ignored: tuple[str, ignores.Pattern], place: Location, tool: str, strict: bool) -> Finding:
    where, pattern = ignored
    then = "a clean clone cannot be built" if strict else "every build resolves anew"
    return Finding(
        code="LF402",
        where=Location(path=where, line=pattern.line),
        message=f"`{pattern.text}` keeps `{lock}` out of git, but {place.path}:{place.line} deploys that project with "
        f"{tool}: {then}",
        remedy=f"Remove the pattern, run `{RELOCK[tool]}` and `git add {lock}`.",
        related=(place,),
    )


def unlocked(pins: Pins, place: Location, remedy: str) -> Finding:
    some = ", ".join(pins.loose[:3]) + (", ..." if len(pins.loose) > 3 else "")
    return Finding(
        code="LF401",
        where=Location(path=pins.path, line=pins.first_loose or None),
        message=f"{place.path}:{place.line} deploys this file, and {len(pins.loose)} of its {pins.total} requirements "
        f"admit more than one version ({some}); no lock decides",
        remedy=remedy,
        severity=INFO if len(pins.loose) * 5 <= pins.total else WARNING,
        related=(place,),
    )


def unlocked_project(
    manifest: str, loose: list[str], place: Location, tool: str, remedy: str = "", severity: Severity = WARNING
) -> Finding:
    """`remedy`: what to do where a lock of the project itself would not help."""
    some = ", ".join(loose[:3]) + (", ..." if len(loose) > 3 else "")
    return Finding(
        code="LF401",
        where=Location(path=manifest),
        message=f"{place.path}:{place.line} deploys this project, and no lock decides the versions of {some}",
        remedy=remedy
        or f"Run `{RELOCK[tool]}`, commit `{TOOL_LOCK[tool]}`, and install from it with `{FROM_LOCK[tool]}`.",
        severity=severity,
        related=(place,),
    )


def loose_project(repository: Repository, manifest: str) -> list[str]:
    """Names of a project's own dependencies that admit more than one version."""
    if manifest.endswith("Pipfile"):
        packages = repository.toml(manifest).get("packages", {})
        entries = packages.items() if isinstance(packages, dict) else ()
        return [name for name, value in entries if not (isinstance(value, str) and value.startswith("=="))]
    data = repository.toml(manifest)
    project = data.get("project", {})
    listed = project.get("dependencies", []) if isinstance(project, dict) else []
    found = _loose([item for item in listed if isinstance(item, str)] if isinstance(listed, list) else [])
    tool = data.get("tool", {})
    poetry = tool.get("poetry", {}) if isinstance(tool, dict) else {}
    table = poetry.get("dependencies", {}) if isinstance(poetry, dict) else {}
    for name, value in table.items() if isinstance(table, dict) else ():
        text = value.get("version", "") if isinstance(value, dict) else value
        if (
            name != "python"
            and isinstance(text, str)
            and text
            and not re.fullmatch(r"={0,3}\d[\w.+!-]*", text.replace(" ", ""))
        ):
            found.append(name)
    return found


def _loose(listed: list[str]) -> list[str]:
    """Names of the requirements that admit more than one version, unless another one of the name pins it wherever it applies."""
    open_: list[tuple[str, str]] = []
    pinned: set[tuple[str, str]] = set()
    for item in listed:
        if match := re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*([^;]*)(?:;(.*))?", item, re.DOTALL):
            marker = (match[3] or "").strip()
            if re.fullmatch(r"\(?={2,3}[^,*]+\)?", match[2].replace(" ", "")) or "@" in match[2]:
                pinned.add((canonical(match[1]), marker))
            else:
                open_.append((match[1], marker))
    return [name for name, marker in open_ if not pinned & {(canonical(name), ""), (canonical(name), marker)}]


def platforms(repository: Repository) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """Procfile and render.yaml: the platform installs `requirements.txt` (or the lock) of the folder itself."""
    for path, line, folder in deployed.other_deployments(repository):
        file = posixpath.join(folder, "requirements.txt")
        if repository.locks(folder) or file not in repository.paths or repository.published(folder):
            continue
        pins = repository.pins(file)
        if pins is not None and pins.loose:
            remedy = compiled(file, own_addresses(repository, file))
            yield unlocked(pins, Location(path=path, line=line), remedy), (path,)
