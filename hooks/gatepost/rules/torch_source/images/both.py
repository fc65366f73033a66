"""TS602 of an image: torch by conda in one command, and by pip in a later one."""

from __future__ import annotations

import posixpath
from itertools import pairwise

from gatepost.model import Finding, Location
from gatepost.record import replace
from gatepost.rules.torch_source.conda.installers import both_installers
from gatepost.rules.torch_source.images.conda import matches
from gatepost.rules.torch_source.model import FAMILY, FILE, Env, Project, Requirement
from gatepost.rules.torch_source.readers.common import of_line, of_package
from gatepost.rules.torch_source.versions.companions import CONDA_TORCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gatepost.manifests.installs import Install
    from gatepost.rules.torch_source.images.ran import Ran
    from gatepost.rules.torch_source.view import View


def over_conda(path: str, commands: Iterable[Ran], v: View) -> Iterator[Finding]:
    """TS602 of an image: pip installs another torch into the environment that conda has put one in."""
    there: dict[str, list[Requirement]] = {}
    for one in commands:
        install = one.install
        env = _environment(one)
        if one.conditional or env is None:
            continue
        if install.tool == "conda":
            there.setdefault(env, []).extend(matches(path, install))
        elif there.get(env):
            asked = tuple(req for req in _asked(path, one) if not _stays(req, there[env], install, v))
            project = Project(
                tool="conda",
                root=posixpath.dirname(path),
                path=path,
                files=(path,),
                requirements=(*there[env], *asked),
            )
            told = [replace(finding, fix=None) for finding in both_installers(project, v)] if asked else []
            yield from told
            if told:
                return


def _environment(one: Ran) -> str | None:
    """The conda environment that a command installs into ("": the one that is active), or None if it is not known."""
    install = one.install
    if install.tool == "conda" and install.action in ("install", "create", "update"):
        if install.has("-p", "--prefix"):
            return None
        given = install.values("-n", "--name")
        return "" if not given or given[-1].text == "base" else given[-1].text
    if install.tool not in ("pip", "uv-pip") or install.action != "install" or install.has("-t", "--target", "--root"):
        return None
    runner = install.command.runner
    if not runner:
        return "" if one.place == "system" and "venv" not in (install.command.env.get("PATH") or "") else None
    named = [after for word, after in pairwise(runner) if word in ("-n", "--name")]
    return ("" if named[0] == "base" else named[0]) if named and posixpath.basename(runner[0]) in _CONDAS else None


_CONDAS = ("conda", "mamba", "micromamba")


def _asked(path: str, one: Ran) -> Iterator[Requirement]:
    env = Env(kind=FILE, name=path)
    for package in one.install.packages:
        if package.name in FAMILY:
            yield of_package(package, env, path)
    for name, file in one.files:
        for line in file.lines:
            if line.name.lower() in FAMILY:
                yield of_line(line, env, Location(path=name, line=line.line))


def _stays(req: Requirement, there: list[Requirement], install: Install, v: View) -> bool:
    """Whether pip may find its request satisfied by what conda installed: it then leaves that as it is."""
    if req.url or install.has("-U", "--upgrade", "--force-reinstall", "-I", "--ignore-installed"):
        return False
    names = CONDA_TORCH if req.name == "torch" else (req.name,)
    known = v.table.torch if req.name == "torch" else v.table.versions(req.name)
    mine = [dep for dep in there if dep.name in names]
    if not mine or req.marker:
        return True
    return not req.tag() and any(req.spec.admits(version) for dep in mine for version in dep.spec.rows(known))
