"""TS602: torch from conda and from pip in one environment."""

from __future__ import annotations

from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.conda.asked import TORCH, packages, torches_of
from gatepost.rules.torch_source.model import DIRECT, FAMILY
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Env, Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


LOCKED = ("pytorch", "libtorch")


def both_installers(p: Project, v: View) -> Findings:
    """TS602: torch from conda and from pip in one environment."""
    conda = {
        "torch" if req.name in TORCH else req.name: req
        for req in packages(p)
        if req.name in TORCH or req.name in FAMILY
    }
    for req in p.requirements:
        there = conda.get(req.name)
        if req.role != DIRECT or req.name not in FAMILY or (p.tool != "conda" and req.env != _torch_env(p)):
            continue
        elsewhere = req.where.path != p.path
        if there is not None and _same_release(there, req, v):
            yield found(
                "TS602",
                there.where if elsewhere else req.where,
                f"`{req.name}{req.text}`{f' of pip ({req.where.path}:{req.where.line})' if elsewhere else ''} is the release that conda installs: pip leaves conda's, until one of the two is raised alone",
                "Remove one of the two.",
                severity="warning",
                related=(req.where if elsewhere else there.where,),
            )
        elif there is not None:
            yield found(
                "TS602",
                there.where if elsewhere else req.where,
                f"pip installs `{req.name}`{f' ({req.where.path}:{req.where.line})' if elsewhere else ''} over conda's `{there.name}`: two builds share one folder",
                "Remove one of the two.",
                related=(req.where if elsewhere else there.where,),
            )
        elif "torch" in conda and "torch" not in {one.name for one in p.requirements if one.role == DIRECT}:
            if req.name == "torchvision" and not req.url and not req.spec.bounded_above() and not req.marker:
                yield found(
                    "TS602",
                    conda["torch"].where if elsewhere else req.where,
                    f"pip takes the newest `{req.name}`{f' ({req.where.path}:{req.where.line})' if elsewhere else ''}, which requires a torch of its own and replaces conda's `{conda['torch'].name}`",
                    f"Take `{req.name}` from conda as well, or pin the release that goes with conda's torch.",
                    severity="warning",
                    related=(req.where if elsewhere else conda["torch"].where,),
                )


def _same_release(conda: Requirement, pip: Requirement, v: View) -> bool:
    """Whether pip finds its pin satisfied by what conda installed before it: the newest release that conda's range admits."""
    versions = v.table.torch if pip.name == "torch" else v.table.versions(pip.name)
    rows = conda.spec.rows(versions) if conda.spec.bounded_above() else []
    pin = pip.spec.pin()
    return bool(rows) and not pip.url and "+" not in pip.text and specs.key(pin) == specs.key(rows[-1])


def _torch_env(p: Project) -> Env | None:
    return next((req.env for req in torches_of(p)), None)


def locked_by_both(p: Project, v: View) -> Findings:
    """TS602: the lock installs torch from conda and from pip on one platform; often pip's part asks for it unseen."""
    for lock in p.locks:
        conda = {entry.groups: entry for entry in lock.entries if entry.reference == "conda" and entry.name in LOCKED}
        for entry in lock.entries:
            other = conda.get(entry.groups)
            if entry.reference == "pip" and entry.name == "torch" and other is not None:
                yield found(
                    "TS602",
                    entry.where,
                    f"the lock installs pip's torch {entry.version} over conda's {other.name} {other.version} on {entry.groups[-1]}",
                    f"Leave torch to one of the two, then run `{p.semantics().relock}`.",
                    related=(other.where,),
                )
                break
