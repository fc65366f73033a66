"""TS302 of the stated builds where no requirement of the project's own is: in locks, conda's selectors, CI jobs."""

from __future__ import annotations

import re

from gatepost.model import Finding, Location
from gatepost.rules.torch_source import markers, urls
from gatepost.rules.torch_source.conda.asked import packages, torches_of
from gatepost.rules.torch_source.intent import agrees
from gatepost.rules.torch_source.locks.edges import PYTHON_LOCKS
from gatepost.rules.torch_source.model import MAIN, Env
from gatepost.rules.torch_source.view import by_glob, found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gatepost.rules.torch_source.images.events import Event
    from gatepost.rules.torch_source.model import Locked, Project
    from gatepost.rules.torch_source.view import View


def locked(p: Project, v: View) -> Iterator[Finding]:
    """TS302: torch comes through other packages only, and each build that the lock has for Linux is another one."""
    stated = v.policy(Env(kind=MAIN), p.path)
    parts = v.settings.get("build")
    if (
        not stated
        or p.named("torch")
        or (isinstance(parts, dict) and {req.env.name for req in p.requirements} & set(parts))
    ):
        return
    for lock in p.locks:
        if lock.format not in PYTHON_LOCKS or lock.path.rpartition("/")[0] != p.root or lock.path == p.path:
            continue
        entries = [one for one in lock.entries if one.name == "torch" and markers.possible(one.marker, "linux_x86_64")]
        if entries and all(_contradicts(stated, entry) for entry in entries):
            entry = entries[0]
            yield found(
                "TS302",
                entry.where,
                f"`torch` {entry.version} is locked {'as the ' + entry.tag() + ' build' if entry.tag() else 'from PyPI, whose Linux build holds CUDA'}, but [tool.gatepost.torch-source] states `{stated}`",
                f"Require torch, route it to https://download.pytorch.org/whl/{stated if urls.tag_of(stated) else 'cpu'}, then run `{p.semantics().relock}`; or change the policy.",
            )


def _contradicts(stated: str, entry: Locked) -> bool:
    if tag := entry.tag():
        return not agrees(stated, tag)
    return stated == "cpu" and entry.known and not entry.origin


def selected(p: Project, v: View) -> Iterator[Finding]:
    """TS302: what selects conda's build is not for what the settings state."""
    for req in packages(p) if torches_of(p) else ():
        stated = v.policy(req.env, p.path)
        wanted = re.match(r"[=\s]*(\d+)\.(\d+)", req.text)
        tag = {"cpuonly": "cpu", "pytorch-cpu": "cpu"}.get(req.name, "")
        if req.name in ("pytorch-cuda", "cudatoolkit") and wanted is not None:
            tag = f"cu{wanted[1]}{wanted[2]}"
        elif req.name == "pytorch-gpu":
            tag = stated if stated not in ("", "cpu") else "cuda"
        if stated and tag and not agrees(stated, tag):
            yield found(
                "TS302",
                req.where,
                f"`{req.name}{req.text}` chooses {'the CPU' if tag == 'cpu' else 'a CUDA'} build, but [tool.gatepost.torch-source] states `{stated}`",
                "Select the build that is stated, or change the policy.",
            )


def installed(path: str, events: Iterable[Event], v: View) -> Iterator[Finding]:
    """TS302: a command of a CI job names another build than is stated: for its file, or `cpu` for everything.

    That jobs take the CPU build of a project for GPUs is how they run without one.
    """
    build = v.settings.get("build")
    own = str(build.get(path) or by_glob(build, path)).lower() if isinstance(build, dict) else ""
    everywhere = v.policy(Env(kind="file", name=path), path)
    stated = own or ("cpu" if everywhere == "cpu" else "")
    for event in events:
        for one in event.effect.asked:
            if (
                stated
                and one.name == "torch"
                and not one.path
                and urls.tag_of(one.build)
                and not agrees(stated, one.build)
            ):
                yield Finding(
                    code="TS302",
                    where=Location(path=path, line=one.line),
                    message=f"this installs the {one.build} build of torch, but [tool.gatepost.torch-source] states `{stated}` for {path}",
                    remedy="Take the build that is stated, or change the settings.",
                )
                break


RULES = (locked, selected)
