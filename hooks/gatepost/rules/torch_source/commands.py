"""Install commands of images and CI jobs, judged by the rules of manifests: TS109, TS12x, TS2xx and TS4xx.

One `pip install` (or `uv pip install`) is a requirements file of one command: its packages, and the indexes of its
options and environment. What one Python gets from several commands is then held together: companions and builds.
Rules about files that others install (floating ranges, macOS, Windows) are left out: an image is one platform.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import requirements
from gatepost.manifests.installs.sources import sources
from gatepost.model import INFO, WARNING, Finding, Location
from gatepost.record import replace
from gatepost.rules.torch_source import index_hygiene, markers, specs, urls
from gatepost.rules.torch_source.images.companions import PAIRED, left_behind
from gatepost.rules.torch_source.images.ran import Ran, steered
from gatepost.rules.torch_source.model import (
    DEFAULT,
    EXTENDED,
    FAMILY,
    FILE,
    LINKS,
    ROUTED,
    SHARED,
    WRONG_NAMES,
    Env,
    Index,
    Project,
    Requirement,
    Route,
)
from gatepost.rules.torch_source.readers.common import index_of, of_line, of_package
from gatepost.rules.torch_source.routing import options
from gatepost.rules.torch_source.versions import builds as build_rules
from gatepost.rules.torch_source.versions import companions, labels, neighbours, releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gatepost.manifests.installs import Install
    from gatepost.manifests.installs.sources import Sources
    from gatepost.manifests.requirements import ReqFile
    from gatepost.model import Severity
    from gatepost.rules.torch_source.view import View


_EACH = (
    *index_hygiene.RULES,
    options.extra_index,
    options.stable_page,
    options.starved,
    labels.label_in_range,
    labels.label_without_index,
    companions.companions,
    build_rules.tag_mix,
    build_rules.unpublished_build,
    neighbours.numpy_two,
    neighbours.forced_torch,
    releases.nightly,
    releases.yanked,
    releases.wrong_name,
)
_TOGETHER = (companions.companions, build_rules.tag_mix, neighbours.forced_torch)
_OF_FILES = ("TS121", "TS126")  # what a command's indexes do to the requirements files it installs
_NOT_IN_CI = ("TS125", "TS216")  # a job may try a nightly build, and ends with the job
_LESS_IN_CI: dict[Severity, Severity] = {"error": "warning", "warning": "info", "info": "info"}


def judge(path: str, ran: Iterable[Ran], v: View, ci: bool = False, python: str = "") -> Iterator[Finding]:
    """What the rules say of the commands of one stage or job, in their order.

    `python` is the minor version of the image (`3.13`), "" if it is not known.
    """
    commands = list(ran)
    configured = any(one.install.action == "config" for one in commands)
    latest: dict[str, dict[str, tuple[Requirement, tuple[Index, ...]]]] = {}
    for number, one in enumerate(commands):
        if one.install.tool == "conda" and one.install.action in ("install", "create", "update"):
            from gatepost.rules.torch_source.images.conda import conda_install

            yield from conda_install(path, one.install, v, ci)
        if one.install.tool not in ("pip", "uv-pip") or one.install.action not in ("install", "download", "wheel"):
            continue
        given = sources(one.install)
        project = _project(path, one, given, number)
        concerned = _concerned(project) or any(
            line.name.lower() in EXTENDED for _, file in one.files for line in file.lines
        )
        if concerned or any(urls.is_torch_index(index.url) for index in project.indexes):
            sure = not (given.unknown or given.backend or configured or one.install.has("--no-index"))
            yield from _of_one(project, one, v, ci, sure, _kept(one, latest.get(one.place, {}), v))
            yield from _trusted(path, one.install, project)
            yield from _strategy(path, one.install, project, v, latest.get(one.place, {}))
            yield from _uv_order(path, one.install, given, project)
        if python:
            yield from _python(path, one, project, v, python)
        if not one.conditional and not one.install.has("--no-deps"):
            into = latest.setdefault(one.place, {})
            for req in project.requirements:
                if req.name in EXTENDED:
                    into[req.name] = (req, project.indexes)
    if not configured:
        yield from left_behind(path, commands, v)
    if not ci and any(one.install.tool == "conda" for one in commands):
        from gatepost.rules.torch_source.images.both import over_conda

        yield from over_conda(path, commands, v)
    for found in latest.values():
        if len(found) > 1:
            project = _joined(path, found)
            for rule in _TOGETHER:
                yield from (replace(finding, fix=None) for finding in rule(project, v))


def _concerned(project: Project) -> bool:
    return any(req.name in EXTENDED or req.name in WRONG_NAMES for req in project.requirements)


def _project(path: str, one: Ran, given: Sources, number: int) -> Project:
    env = Env(kind=FILE, name=path)
    requirements = [of_package(package, env, path) for package in one.install.packages]
    written = [("index-url", given.index)] if given.index is not None else []
    written += [("extra-index-url", word) for word in given.extra] + [("find-links", word) for word in given.links]
    indexes = []
    for name, word in written:
        index = index_of(name, word.text, Location(path=path, line=word.line), None) if word.known else None
        if index is not None:
            indexes.append(index)
    return Project(
        tool="pip",
        root=posixpath.dirname(path),
        path=path,
        files=(path,),
        requirements=tuple(requirements),
        indexes=tuple(indexes),
    )


def _kept(one: Ran, there: Mapping[str, tuple[Requirement, tuple[Index, ...]]], v: View) -> dict[str, str]:
    """What is installed already and is not looked for again unless its range shuts it out: name to version."""
    if one.place == "target" or one.install.has("-U", "--upgrade", "--force-reinstall", "-I", "--ignore-installed"):
        return {}
    torch = _version(*there["torch"], v) if "torch" in there else ""
    kept = {"torch": torch} if torch else {}
    for name in PAIRED:
        if name in there and (version := there[name][0].spec.pin() or v.table.partner(name, torch)):
            kept[name] = version
    return kept


def _version(req: Requirement, indexes: tuple[Index, ...], v: View) -> str:
    """The release of torch that an earlier command installed, as far as the table knows it; "" if it does not."""
    tag = indexes[0].tag() if len(indexes) == 1 else ""
    known = [row.torch for row in v.table.rows if tag in ("", "cpu", "xpu") or tag in row.tags()]
    return req.spec.pin() or next((version for version in reversed(known) if req.spec.admits(version)), "")


def _anew(project: Project, kept: Mapping[str, str]) -> Project:
    """The project without what is there already."""
    wanted = tuple(
        req for req in project.requirements if req.name not in kept or not req.spec.admits(kept[req.name]) or req.url
    )
    return replace(project, requirements=wanted)


def _of_one(project: Project, one: Ran, v: View, ci: bool, sure: bool, kept: Mapping[str, str]) -> Iterator[Finding]:
    uv = one.install.tool == "uv-pip"
    for rule in _EACH:
        judged = _anew(project, kept) if rule is options.extra_index else project
        if rule is options.stable_page and one.files:
            judged = replace(project, requirements=project.requirements + _in_files(project, one.files))
        for finding in rule(judged, v):
            code = finding.code
            if code == "TS123" and _wants_more(one):  # an index that replaces PyPI's would starve it
                finding = replace(finding, remedy=finding.remedy.replace("`--index-url", "`--extra-index-url"))
            if (
                (code == "TS202" and (not sure or v.pip_conf()))
                or (ci and code in _NOT_IN_CI)
                or (code == "TS404" and finding.fix is None and _spares(one, project))
                or (code == "TS122" and any(not word.known for word in one.install.words))  # `torch==${VERSION}`
                or (
                    code == "TS122" and bool(one.install.files)
                )  # what is pinned stands in the files: judged with them below
                or (
                    code in ("TS121", "TS122", "TS125")
                    and (uv or any(index.role == DEFAULT for index in project.indexes))
                )
                or (
                    code == "TS126" and not any(req.name in FAMILY for req in project.requirements)
                )  # its own step: it may well be there
            ):
                continue
            yield _worded(_in_ci(finding) if ci else finding, project)
    files = [(where, file) for where, file in one.files if not steered(file)]
    if not files or not sure:
        return
    wide = replace(project, requirements=project.requirements + _in_files(project, files))
    if not any(req.name in FAMILY for req in wide.requirements):
        return
    for rule in (options.extra_index, options.starved):
        judged = _anew(wide, kept) if rule is options.extra_index else wide
        for finding in rule(judged, v) if judged.requirements else ():
            whole = finding.code == "TS122" and len(files) == len(one.install.files)
            if (finding.code in _OF_FILES or whole) and not (uv and finding.code in ("TS121", "TS122")):
                yield _worded(_in_ci(finding) if ci else finding, project)


def _in_ci(finding: Finding) -> Finding:
    """What merges PyTorch's index with PyPI weighs less in a job, which ends: the builds that it proves wrong do not."""
    if finding.code == "TS122":
        return replace(finding, severity=_LESS_IN_CI.get(finding.severity or WARNING, INFO))
    return replace(finding, severity=INFO) if finding.code == "TS121" and finding.severity == WARNING else finding


def _in_files(project: Project, files: Iterable[tuple[str, ReqFile]]) -> tuple[Requirement, ...]:
    """The packages of the requirements files that a command installs."""
    env = Env(kind=FILE, name=project.path)
    return tuple(
        of_line(line, env, Location(path=where, line=line.line))
        for where, file in files
        for line in file.lines
        if line.name
    )


def _wants_more(one: Ran) -> bool:
    """Whether a command installs what cannot be read here: a folder, or a requirements file that is not in the tree."""
    install = one.install
    return (
        len(one.files) < len(install.files)
        or install.has("-e", "--editable")
        or any(re.match(r"\.{0,2}(?:/|\[|$)", word.text) for word in install.words)
    )


def _spares(one: Ran, project: Project) -> bool:
    """Whether an index of every build does no harm: nothing of PyTorch is asked for, or only builds by their label."""
    if not one.install.files or any(req.name in FAMILY for req in project.requirements):
        return False
    asked = [line for _, file in one.files for line in file.lines if line.name.lower() in FAMILY]
    return all("+" in line.specifier or line.url for line in asked)


def _worded(finding: Finding, project: Project) -> Finding:
    """The finding in the words of a command, without an edit."""
    message = re.sub(r"of this file|that pip installs with this configuration", "of this command", finding.message)
    message, remedy = message.replace("for the whole file", "for the whole command"), finding.remedy
    if finding.code == "TS202":
        tag = re.search(r"\+([a-z0-9.]+)`", message)
        if tag is not None:
            channel = "nightly/" if ".dev" in message else ""
            remedy = f"Add `--index-url https://download.pytorch.org/whl/{channel}{tag[1]}` to the command."
    return replace(finding, message=message, remedy=remedy, fix=None)


def _trusted(path: str, install: Install, project: Project) -> Iterator[Finding]:
    hosts = {index.parts().host for index in project.indexes if index.torch()}
    for option in install.options:
        if option.name not in ("--trusted-host", "--allow-insecure-host") or option.value is None:
            continue
        host = option.value.text.rpartition("://")[2].partition(":")[0].lower()
        if host in hosts or host.endswith("pytorch.org"):
            yield Finding(
                code="TS405",
                where=Location(path=path, line=option.line),
                message=f"certificates of `{host}` are not checked ({option.name})",
                remedy="Remove the option, or give the host's certificate.",
            )
    variable = "PIP_TRUSTED_HOST" if install.tool == "pip" else "UV_INSECURE_HOST"
    for given in (install.command.env.get(variable) or "").split():
        host = given.rpartition("://")[2].partition(":")[0].lower()
        if host in hosts or host.endswith("pytorch.org"):
            yield Finding(
                code="TS405",
                where=Location(path=path, line=install.line),
                message=f"certificates of `{host}` are not checked ({variable})",
                remedy=f"Remove `{variable}`, or give the host's certificate.",
            )


def _uv_order(path: str, install: Install, given: Sources, project: Project) -> Iterator[Finding]:
    """TS121 for uv, which asks --extra-index-url before --index-url and stops at the first that has the package."""
    if install.tool != "uv-pip" or given.index is None or install.has("--index-strategy"):
        return
    extra = next((word for word in given.extra if word.known and urls.is_pypi(word.text)), None)
    asked = [req.name for req in project.requirements if req.name in FAMILY]
    if extra is not None and asked and urls.split(given.index.text).official:
        yield Finding(
            code="TS121",
            where=Location(path=path, line=extra.line),
            message=f"uv asks --extra-index-url before --index-url and stops at the first that has the package: `{asked[0]}` comes from PyPI, not from {urls.show(given.index.text)}",
            remedy=f"Turn the two round: `--default-index <PyPI> --index {urls.show(given.index.text)}`, or install PyTorch in a step of its own.",
        )


def _strategy(
    path: str,
    install: Install,
    project: Project,
    v: View,
    there: Mapping[str, tuple[Requirement, tuple[Index, ...]]],
) -> Iterator[Finding]:
    """TS109, as an option or a variable of `uv pip`. `there` is what earlier commands have installed."""
    if install.tool != "uv-pip" or not any(index.role in (SHARED, DEFAULT) for index in project.torch_indexes()):
        return
    given = install.values("--index-strategy")
    value = given[-1].text if given else install.command.env.get("UV_INDEX_STRATEGY") or ""
    if value not in ("unsafe-best-match", "unsafe-first-match") or _constrained(path, install, v):
        return
    asked = project.requirements
    held = not install.files and bool(asked) and all(req.spec.pin() for req in asked)
    extra = [index for index in project.torch_indexes() if index.role == SHARED]
    before = there["torch"] if "torch" in there and not any(req.name in EXTENDED for req in asked) else None
    done = before is not None and bool(extra) and any(one.url == extra[0].url for one in before[1])
    labelled = held and all(req.tag() for req in asked if req.name in FAMILY)
    yield Finding(
        code="TS109",
        where=Location(path=path, line=given[-1].line if given else install.line),
        message=f"index strategy `{value}` lets any index serve any package by the highest version, as in the torchtriton attack",
        remedy="What is named here is pinned, what it requires is not: hold that with `--constraint`, a file exported from a lock."
        if labelled
        else f"torch is there already (line {before[0].where.line}): leave out `--extra-index-url` and the strategy."
        if done and before is not None
        else "Leave the option out, and install PyTorch in a step of its own with `--index-url`.",
        severity=INFO if labelled else None,
    )


# What torch itself requires: a constraint file that names them holds what torch brings, not PyTorch alone.
_BROUGHT = frozenset({"filelock", "jinja2", "networkx"})


def _constrained(path: str, install: Install, v: View) -> bool:
    """Whether a constraint file holds every version, as one that is exported from a lock does, there or on the way."""
    for word in install.values("-c", "--constraint", "--constraints"):
        name = posixpath.basename(word.text) if word.known else ""
        there = [other for other in v.tree.paths() if name and posixpath.basename(other) == name]
        lines = [line for other in there for line in requirements.parse(v.tree.read(other) or b"").lines]
        if {line.name.lower() for line in lines if specs.parse(line.specifier).pin()} >= _BROUGHT:
            return True
        text = re.sub(r"\\\r?\n", " ", (v.tree.read(path) or b"").decode("utf-8", "replace"))
        if name and re.search(rf"\b(?:export|freeze|compile)\b[^;&|\n]*{re.escape(name)}", text):
            return True
    return False


def _python(path: str, one: Ran, project: Project, v: View, python: str) -> Iterator[Finding]:
    """TS208: the image's Python has no wheel of the pinned torch."""
    if one.install.has("--python", "-p", "--target", "-t") or one.conditional:
        return
    asked = [
        (req.spec, req.where, "")
        for req in project.requirements
        if req.name == "torch" and not req.url and markers.possible(req.marker, python=python)
    ]
    asked += [
        (specs.parse(line.specifier), Location(path=path, line=one.install.line), f" ({where}:{line.line})")
        for where, file in one.files
        for line in file.lines
        if line.name.lower() == "torch" and line.specifier and not line.marker
    ]
    for spec, where, source in asked:
        row = v.table.row(spec.pin()) if spec.pin() else None
        wheels = row.python.get("linux_x86_64", []) if row is not None else []
        if row is not None and wheels and python not in wheels:
            yield Finding(
                code="TS208",
                where=where,
                message=f"the {'job' if path.endswith(('.yml', '.yaml')) else 'image'} has Python {python}, and torch {row.torch}{source} has wheels for {wheels[0]} to {wheels[-1]} only: it cannot be installed",
                remedy=f"Take Python {wheels[-1]} there, or ask for a newer torch.",
            )


def _joined(path: str, found: dict[str, tuple[Requirement, tuple[Index, ...]]]) -> Project:
    """What one Python holds after all commands: the last request of each name, routed to its own command's index."""
    indexes: list[Index] = []
    routes: list[Route] = []
    for req, given in found.values():
        default = next((index for index in given if index.role == DEFAULT), None)
        if default is not None and not any(index.role in (SHARED, LINKS) for index in given):
            name = f"{req.name}"
            indexes.append(replace(default, name=name, role=ROUTED))
            routes.append(Route(package=req.name, index=name, where=req.where, env=req.env))
    return Project(
        tool="pip",
        root=posixpath.dirname(path),
        path=path,
        files=(path,),
        requirements=tuple(req for req, _ in found.values()),
        indexes=tuple(indexes),
        routes=tuple(routes),
    )


def files_of(install: Install, locate: Callable[[str], tuple[str, ReqFile] | None]) -> tuple[tuple[str, ReqFile], ...]:
    """The requirements files of a command that are in the repository, as they are there."""
    found = (locate(word.text) for word in install.files if word.known)
    return tuple(one for one in found if one is not None)
