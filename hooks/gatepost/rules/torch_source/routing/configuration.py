"""TS122 of a pip.conf whose index was meant for torch, where pip is not what installs torch.

Poetry and uv do not read pip's configuration files (their documentation: "Repositories", "Compatibility with pip").
"""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.rules.torch_source import paths, urls
from gatepost.rules.torch_source.carriers import CARRIERS
from gatepost.rules.torch_source.model import FAMILY, SHARED
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]

_PIP_INSTALL = pattern(r"(?<!uv )\bpip3?\s+install\s+([^\n&|]*)")


def unread(p: Project, v: View) -> Findings:
    """TS122, said before the general rule: torch does not come from the index of this pip.conf."""
    if p.path.rpartition("/")[2] not in paths.PIP_CONFIGS:
        return
    index = next((index for index in p.torch_indexes() if index.role == SHARED and not index.parts().channel), None)
    past = _past_pip(v) if index is not None else None
    if index is None or past is None:
        return
    project, req = past
    route = (
        'a [[tool.poetry.source]] with `priority = "explicit"` and write `source =` on torch'
        if project.tool == "Poetry"
        else "an [[tool.uv.index]] with `explicit = true` and route torch there in [tool.uv.sources]"
    )
    yield found(
        "TS122",
        index.where,
        f"what pip installs with this configuration may come from {urls.show(index.url)}, but not `{req.name}`: {project.tool} installs it, and does not read this file",
        f"To take `{req.name}` from there, declare {route}, then run `{project.semantics().relock}`; remove this line.",
        related=(req.where,),
    )


def _past_pip(v: View) -> tuple[Project, Requirement] | None:
    """The project whose torch Poetry or uv installs from a lock, where pip installs none in the whole repository."""
    asking = [(project, req) for project in v.projects for req in project.family()[:1]]
    if not asking or not all(
        project.tool in ("Poetry", "uv") and project.locks and not project.torch_indexes() and not project.dynamic
        for project, _ in asking
    ):
        return None
    for _, text in v.installers():
        for words in _PIP_INSTALL.findall(text):
            named = {re.split(r"[\[<>=~!;@]", word.strip("\"'"))[0].lower() for word in words.split()}
            if not named.isdisjoint(CARRIERS | FAMILY | {"-r", "--requirement", "-e", "."}):
                return None
    return asking[0]
