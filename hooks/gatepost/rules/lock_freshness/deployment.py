"""Locks that are missing, ignored or walked past where a project is deployed (LF401-LF409).

Applications only, and only what a Dockerfile's own commands install: the file that `pip install -r` reads is found
through the image's COPY instructions, so a Dockerfile never speaks for a project that it does not copy.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import ignores
from gatepost.manifests import projects as deployed
from gatepost.manifests.installs import canonical, installs
from gatepost.model import ERROR, INFO, WARNING, Finding, Location
from gatepost.rules.lock_freshness.poetry_version import job_findings, poetry_findings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Image, Pins, Repository
    from gatepost.model import Context, Outcome

TOOL_LOCK = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}
RELOCK = {"uv": "uv lock", "poetry": "poetry lock", "pdm": "pdm lock", "pipenv": "pipenv lock"}
_STRICT = {
    "uv": ("--locked", "--frozen"),
    "pdm": ("--frozen-lockfile", "--no-lock", "--check"),
    "pipenv": ("--deploy", "--ignore-pipfile"),
}
_STRICT_ENV = {
    "uv": ("UV_LOCKED", "UV_FROZEN"),
    "pdm": ("PDM_FROZEN_LOCKFILE", "PDM_NO_LOCK"),
    "pipenv": ("PIPENV_DEPLOY", "PIPENV_IGNORE_PIPFILE"),
}
# requirements of developers, tests and documentation: an image that installs them is not what is deployed
_DEVELOPMENT = re.compile(r"(?i)(?:^|[/_.-])(?:dev|devel|development|tests?|testing|docs?|lint|typing|ci)$")
_TEMPLATE = {"uv": "uv sync --locked", "pdm": "pdm install --frozen-lockfile", "pipenv": "pipenv install --deploy"}


def check(ctx: Context) -> Iterable[Outcome]:
    """Findings about deployment: LF401-LF409. Never raises on broken files."""
    paths = ctx.tree.paths()
    if not any(
        deployed.is_dockerfile(path)
        or path.startswith(".github/workflows/")
        or path.endswith(("Procfile", "render.yaml", ".gitlab-ci.yml"))
        for path in paths
    ):
        return
    repository = deployed.Repository((path for path in paths if not ctx.exclude(path)), ctx.tree.read)
    seen: set[tuple[str, str]] = set()
    for finding, concerned in _findings(repository):
        identity = (
            finding.code,
            finding.where.path if finding.code in ("LF401", "LF402") else f"{finding.where.path}:{finding.where.line}",
        )
        if identity in seen:
            continue
        seen.add(identity)
        if any(ctx.wants(path) for path in (finding.where.path, *concerned)):
            yield finding


def _findings(repository: Repository) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    for image in repository.images():
        example = deployed.is_example(image.path)
        for stage in image.dockerfile.stages:
            if not image.final(stage):
                continue
            for index, install in image.installs(stage):
                if install.command.conditional or (install.uncertain and not install.files):
                    continue
                if example or deployed.is_development(image.path):
                    continue
                yield from _judge(repository, image, stage, index, install)
        yield from ((found, ()) for found in poetry_findings(repository, image))
    yield from _platforms(repository)
    yield from _workflows(repository)
    for path, jobs in repository.jobs(b"poetry"):
        for job in jobs:
            yield from ((found, ()) for found in job_findings(repository, path, job))


def _judge(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    place = Location(path=image.path, line=install.line)
    if install.tool in ("pip", "uv-pip") and install.action in ("install", "wheel"):
        yield from _pip(repository, image, stage, index, install, place)
    elif install.tool in TOOL_LOCK and install.action in ("sync", "install"):
        yield from _project(repository, image, stage, index, install, place)
    elif install.tool in TOOL_LOCK and install.action in ("lock", "update", "upgrade"):
        yield from _relock(repository, image, stage, index, install, place)


def _pip(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install, place: Location
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    if install.has("--no-deps", "--require-hashes", "-c", "--constraint"):
        return
    if install.has("-t", "--target") and not install.files:
        return
    for word in install.files:
        if not word.known or install.command.cwd is None:
            continue
        path = image.locate(stage, index, posixpath.join(install.command.cwd, word.text))
        if path is None or path.endswith((".toml", ".py", ".cfg")):
            continue
        if image.touched(stage, index, posixpath.basename(path), install.line):
            continue
        pins = repository.pins(path)
        if pins is None or not pins.loose or pins.hashed:
            continue
        folder = posixpath.dirname(path)
        lock = _speaking(repository, folder, pins)
        if lock is not None:
            yield _past(place, install, f"`{path}`", lock), (path, lock)
        elif not repository.published(folder) and not _DEVELOPMENT.search(posixpath.splitext(path)[0]):
            yield _unlocked(pins, place), (image.path,)
    if install.paths and not install.files:
        project = image.project(stage, index, install)
        if project is None or _locked_before(repository, image, stage, index, install):
            return
        manifest = posixpath.join(project, "pyproject.toml")
        for lock in repository.locks(project)[:1]:
            if posixpath.basename(lock) in TOOL_LOCK.values() and _loose_project(repository, manifest):
                yield _past(place, install, f"the project in `{project or '.'}`", lock), (manifest, lock)
        if not repository.locks(project) and not repository.published(project):
            loose = _loose_project(repository, manifest)
            if loose:
                yield _unlocked_project(manifest, loose, place, "uv"), (image.path,)


def _project(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install, place: Location
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    tool = install.tool
    if (tool == "pipenv" and (install.action == "sync" or install.words)) or install.has(
        "--help", "--system-site-packages"
    ):
        if install.words:
            return
    folder = image.project(stage, index, install)
    if folder is None:
        return
    name = TOOL_LOCK[tool]
    manifest = posixpath.join(folder, "Pipfile" if tool == "pipenv" else "pyproject.toml")
    locks = [path for path in repository.locks(folder) if posixpath.basename(path) == name]
    strict = install.has(*_STRICT.get(tool, ())) or any(
        install.command.env.get(variable, "0") not in ("", "0", "false", "False")
        for variable in _STRICT_ENV.get(tool, ())
    )
    if not locks:
        fails = strict and image.lacks_only(name) and not image.opaque(stage, index)
        yield from _no_lock(repository, image, tool, folder, manifest, place, _shown(install) if fails else "")
        return
    lock = locks[0]
    inside = _inside(image, stage, index, install, lock, folder)
    if not inside:
        pattern = image.ignored(lock)
        if pattern is not None:
            named = _copied_by_name(image, stage, name)
            yield (
                Finding(
                    code="LF403",
                    where=Location(path=image.ignore_file, line=pattern.line),
                    message=f"`{pattern.text}` keeps `{lock}` out of the image that {image.path}:{install.line} installs with {tool}"
                    + (", and the Dockerfile copies it by name" if named else ""),
                    remedy=f"Remove the pattern, or add `!{name}` below it.",
                    severity=ERROR if named and image.certain else WARNING,
                    related=(place, Location(path=lock)),
                ),
                (lock, image.path),
            )
            return
        if image.opaque(stage, index) or not image.certain:
            return
        yield (
            Finding(
                code="LF409",
                where=place,
                message=f"`{_shown(install)}` runs where `{lock}` has not been copied: "
                + ("it fails without a lock" if strict else "every build resolves anew"),
                remedy=f"Copy it before the install: `COPY {posixpath.basename(manifest)} {name} ./`.",
                severity=ERROR if strict else WARNING,
                related=(Location(path=lock),),
            ),
            (lock, manifest),
        )
        return
    if tool in _TEMPLATE and not strict and not (tool == "pdm" and install.action == "sync"):
        checked = _lock_is_checked(repository, tool)
        yield (
            Finding(
                code="LF405",
                where=place,
                message=f"`{_shown(install)}` locks anew, silently, when `{lock}` is out of date: the image then holds "
                "versions that nobody committed",
                remedy=f"Write `{_TEMPLATE[tool]}`" + (" (or `--frozen`)." if tool == "uv" else "."),
                severity=INFO if checked else WARNING,
                related=(Location(path=lock),),
            ),
            (lock,),
        )


def _relock(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install, place: Location
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    if install.has("--check", "--locked", "--help", "--check-exists", "--dry-run"):
        return
    folder = image.project(stage, index, install)
    if folder is None:
        return
    name = TOOL_LOCK[install.tool]
    for lock in repository.locks(folder):
        if posixpath.basename(lock) == name:
            yield (
                Finding(
                    code="LF406",
                    where=place,
                    message=f"`{_shown(install)}` makes a new lock inside the image, so the committed `{lock}` does not decide what is installed",
                    remedy=f"Run `{RELOCK[install.tool]}` before you commit, and only install in the image.",
                    related=(Location(path=lock),),
                ),
                (lock,),
            )


def _no_lock(
    repository: Repository, image: Image, tool: str, folder: str, manifest: str, place: Location, fails: str
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """`fails` is the install command when it is one that fails without a lock, else ""."""
    name = TOOL_LOCK[tool]
    lock = posixpath.join(folder, name)
    ignored = ignores.git_ignored(lock, repository.read)
    if ignored is not None:
        yield _git_ignored(lock, ignored, place, tool), (manifest, image.path)
        return
    if fails:
        yield _needed(lock, fails, place, tool), (manifest, lock)
        return
    if repository.published(folder):
        return
    loose = _loose_project(repository, manifest)
    if loose:
        yield _unlocked_project(manifest, loose, place, tool), (image.path, lock)


def _needed(lock: str, command: str, place: Location, tool: str) -> Finding:
    return Finding(
        code="LF401",
        where=place,
        message=f"`{command}` fails without `{lock}`, and there is none",
        remedy=f"Run `{RELOCK[tool]}` and `git add {lock}` (or `git restore --staged --worktree {lock}` if it was deleted).",
        severity=ERROR,
    )


def _git_ignored(lock: str, ignored: tuple[str, ignores.Pattern], place: Location, tool: str) -> Finding:
    where, pattern = ignored
    return Finding(
        code="LF402",
        where=Location(path=where, line=pattern.line),
        message=f"`{pattern.text}` keeps `{lock}` out of git, but {place.path}:{place.line} deploys that project with {tool}: "
        "every build resolves anew",
        remedy=f"Remove the pattern, run `{RELOCK[tool]}` and `git add {lock}`.",
        related=(place,),
    )


def _unlocked(pins: Pins, place: Location) -> Finding:
    some = ", ".join(pins.loose[:3]) + (", ..." if len(pins.loose) > 3 else "")
    base = posixpath.splitext(pins.path)[0]
    return Finding(
        code="LF401",
        where=Location(path=pins.path, line=pins.first_loose or None),
        message=f"{place.path}:{place.line} deploys this file, and {len(pins.loose)} of its {pins.total} requirements "
        f"admit more than one version ({some}); no lock decides",
        remedy=f"Run `uv pip compile {pins.path} -o {base}.lock.txt`, commit it, and install that file.",
        severity=INFO if len(pins.loose) * 5 <= pins.total else WARNING,
        related=(place,),
    )


def _unlocked_project(manifest: str, loose: list[str], place: Location, tool: str) -> Finding:
    some = ", ".join(loose[:3]) + (", ..." if len(loose) > 3 else "")
    return Finding(
        code="LF401",
        where=Location(path=manifest),
        message=f"{place.path}:{place.line} deploys this project, and no lock decides the versions of {some}",
        remedy=f"Run `{RELOCK[tool]}` and commit `{TOOL_LOCK[tool]}`.",
        related=(place,),
    )


def _past(place: Location, install: Install, what: str, lock: str) -> Finding:
    tool = next(tool for tool, name in TOOL_LOCK.items() if posixpath.basename(lock) == name)
    how = {
        "uv": "`uv sync --locked`",
        "poetry": "`poetry install --only main`",
        "pdm": "`pdm sync --prod`",
        "pipenv": "`pipenv install --deploy`",
    }[tool]
    return Finding(
        code="LF404",
        where=place,
        message=f"`{_shown(install)}` installs {what} and never looks at `{lock}` beside it",
        remedy=f"Install from the lock with {how}, or from a file that `{tool} export` made of it."
        if tool in ("uv", "poetry", "pdm")
        else f"Install from the lock with {how}.",
        related=(Location(path=lock),),
    )


def _speaking(repository: Repository, folder: str, pins: Pins) -> str | None:
    """The tool lock in the same folder that holds most of the file's packages, if there is one."""
    for name in TOOL_LOCK.values():
        lock = posixpath.join(folder, name)
        if lock not in repository.paths or not pins.names:
            continue
        text = repository.text(lock)
        if name == "Pipfile.lock":
            held = {canonical(found) for found in re.findall(r'^\s{8}"([^"]+)": \{', text, re.MULTILINE)}
        else:
            held = {canonical(found) for found in re.findall(r'^name = "([^"]+)"', text, re.MULTILINE)}
        if len(pins.names & held) * 2 >= len(pins.names):
            return lock
    return None


def _locked_before(repository: Repository, image: Image, stage: Stage, index: int, install: Install) -> bool:
    """Whether an earlier command of the same image already installed pinned versions."""
    for one, number, step in image.steps(stage):
        for found in installs(step.commands):
            if one is stage and (number > index or (number == index and found.line >= install.line)):
                return False
            if found.tool in TOOL_LOCK and found.action in ("sync", "install", "export"):
                return True
            if found.tool in ("pip", "uv-pip", "pip-sync"):
                for word in found.files:
                    if found.command.cwd is None or not word.known:
                        return True
                    path = image.locate(one, number, posixpath.join(found.command.cwd, word.text))
                    pins = repository.pins(path) if path is not None else None
                    if pins is None or not pins.loose:
                        return True
    return False


def _loose_project(repository: Repository, manifest: str) -> list[str]:
    """Names of a project's own dependencies that admit more than one version."""
    if manifest.endswith("Pipfile"):
        packages = repository.toml(manifest).get("packages", {})
        entries = packages.items() if isinstance(packages, dict) else ()
        return [name for name, value in entries if not (isinstance(value, str) and value.startswith("=="))]
    data = repository.toml(manifest)
    project = data.get("project", {})
    found: list[str] = []
    listed = project.get("dependencies", []) if isinstance(project, dict) else []
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, str) and (match := re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*([^;]*)", item)):
            if not re.fullmatch(r"\(?={2,3}[^,*]+\)?", match[2].replace(" ", "")) and "@" not in match[2]:
                found.append(match[1])
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


def _inside(image: Image, stage: Stage, index: int, install: Install, lock: str, folder: str) -> bool:
    """Whether the lock is where the command looks for it."""
    where = install.command.cwd
    for option in install.values("--directory", "--project", "-C", "-P"):
        where = posixpath.join(where, option.text) if where is not None and option.known else None
    if where is None:
        return True
    root = posixpath.dirname(lock)
    up = posixpath.relpath(root or ".", folder or ".")
    target = posixpath.normpath(posixpath.join(where, up, posixpath.basename(lock)))
    return image.locate(stage, index, target) == lock or image.touched(
        stage, index, posixpath.basename(lock), install.line
    )


def _copied_by_name(image: Image, stage: Stage, name: str) -> bool:
    for _, _, step in image.steps(stage):
        for copy in step.copies:
            if copy.source == "" and any(posixpath.basename(word.text) == name for word in copy.sources):
                return True
    return False


def _shown(install: Install) -> str:
    return " ".join(install.command.texts)[:60]


def _lock_is_checked(repository: Repository, tool: str) -> bool:
    """Whether CI or a pre-commit hook that CI runs would notice a stale lock of this tool."""
    ran = False
    needles = (
        b"--locked",
        b"--check",
        b"pre-commit",
        b"prek",
        b"UV_LOCKED",
        b"--deploy",
        b"verify",
        b"--frozen-lockfile",
    )
    for _, jobs in repository.jobs(*needles):
        for job in jobs:
            for step in job.steps:
                if step.uses.startswith(("pre-commit/action", "j178/prek-action")):
                    ran = True
                for command in step.commands:
                    texts = command.texts
                    if texts[:2] in (("pre-commit", "run"), ("prek", "run")):
                        ran = True
                    if texts[0] == tool and (
                        "--locked" in texts
                        or "--check" in texts
                        or "--frozen-lockfile" in texts
                        or "--deploy" in texts
                        or "verify" in texts[1:2]
                    ):
                        return True
                    if tool == "uv" and texts[0] == "uv" and command.env.get("UV_LOCKED") in ("1", "true"):
                        return True
    configuration = repository.text(".pre-commit-config.yaml")
    hooks = {"uv": "uv-lock", "pdm": "pdm-lock-check", "pipenv": "pipenv"}
    marked = re.search(rf"id:\s*[\"']?(?:{hooks.get(tool, tool)}|lock-freshness|gatepost)\b", configuration)
    return marked is not None and (ran or "ci:" in configuration)


def _platforms(repository: Repository) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """Procfile and render.yaml: the platform installs `requirements.txt` (or the lock) of the folder itself."""
    for path, line, folder in deployed.other_deployments(repository):
        file = posixpath.join(folder, "requirements.txt")
        if repository.locks(folder) or file not in repository.paths or repository.published(folder):
            continue
        pins = repository.pins(file)
        if pins is not None and pins.loose:
            yield _unlocked(pins, Location(path=path, line=line)), (path,)


def _workflows(repository: Repository) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """CI that syncs without saying that the lock must hold: once per lock, and only if nothing else checks it."""
    done: set[str] = set()
    for path, jobs in repository.jobs(b"uv sync", b"uv ", b"pdm ", b"pipenv "):
        for job in jobs:
            if re.search(
                r"updat|upgrad|bump|nightly|lowest|latest|release", job.name + posixpath.basename(path), re.IGNORECASE
            ):
                continue
            relocked = False
            for step in job.steps:
                for install in installs(step.commands):
                    tool = install.tool
                    if tool == "uv" and install.action in ("lock", "add", "remove"):
                        relocked = True
                    if tool not in ("uv", "pipenv", "pdm") or install.action not in ("sync", "install") or relocked:
                        continue
                    if (tool in ("pipenv", "pdm") and install.action == "sync") or install.words:
                        continue
                    if install.has(
                        *_STRICT[tool],
                        "-U",
                        "--upgrade",
                        "-P",
                        "--upgrade-package",
                        "--resolution",
                        "--no-sources",
                        "--help",
                        "--script",
                        "--active",
                    ):
                        continue
                    env = install.command.env
                    if any(name in env for name in (*_STRICT_ENV[tool], "UV_RESOLUTION")):
                        continue
                    where = install.command.cwd
                    for option in install.values("--directory", "--project"):
                        where = posixpath.join(where, option.text) if where is not None and option.known else None
                    if where is None:
                        continue
                    folder = posixpath.normpath(where).strip("/")
                    folder = "" if folder == "." else folder
                    for lock in repository.locks(folder):
                        if (
                            posixpath.basename(lock) == TOOL_LOCK[tool]
                            and lock not in done
                            and not _lock_is_checked(repository, tool)
                        ):
                            done.add(lock)
                            yield (
                                Finding(
                                    code="LF405",
                                    where=Location(path=path, line=install.line),
                                    message=f"`{_shown(install)}` locks anew, silently, when `{lock}` is out of date, and no "
                                    "step of CI checks the lock",
                                    remedy=f"Write `{_TEMPLATE[tool]}`: CI then fails on a stale lock.",
                                    related=(Location(path=lock),),
                                ),
                                (lock,),
                            )
