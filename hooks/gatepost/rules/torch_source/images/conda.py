"""What the rules of conda's environments say of `conda install` and `conda create`."""

from __future__ import annotations

import posixpath

from gatepost.model import Finding, Location
from gatepost.record import replace
from gatepost.rules.torch_source.model import (
    CONDA_NAMES,
    FAMILY,
    Project,
)
from gatepost.rules.torch_source.readers.conda import of_match
from gatepost.rules.torch_source.versions import companions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.installs import Install
    from gatepost.rules.torch_source.model import Requirement
    from gatepost.rules.torch_source.view import View


def conda_install(path: str, install: Install, v: View, ci: bool) -> Iterator[Finding]:
    """What the rules of conda's environments say of `conda install` and `conda create`; `ci`: in a CI job."""
    from gatepost.rules.torch_source.conda import RULES, channels

    requirements = matches(path, install)
    if not any(req.name in CONDA_NAMES or req.name in FAMILY for req in requirements):
        return
    project = Project(
        tool="conda",
        root=posixpath.dirname(path),
        path=path,
        files=(path,),
        requirements=tuple(requirements),
        channels=tuple(word.text for word in install.values("-c", "--channel") if word.known),
    )
    for rule in (*RULES, companions.companions):
        if ci and rule is channels.frozen_channel:
            continue
        for finding in rule(project, v):
            if finding.code != "TS302":  # the name of the file is judged with its images
                yield replace(finding, fix=None)


def matches(path: str, install: Install) -> list[Requirement]:
    from gatepost.manifests import environment

    found = ((environment.dependency(word.text), word) for word in install.words if word.known)
    return [of_match(dep, Location(path=path, line=word.line)) for dep, word in found if dep is not None]
