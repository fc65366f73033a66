"""TS301, TS302, TS605: the CPU build or one for CUDA, as the environment asks, is named and is locked."""

from __future__ import annotations

import re

from gatepost.rules.torch_source.conda.asked import packages, torches_of
from gatepost.rules.torch_source.table import names_build
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def locked_build(p: Project, v: View) -> Findings:
    """TS301: the environment asks for the CPU build and the lock holds a CUDA one, or the other way round."""
    deps = {req.name: req for req in packages(p) if not req.env.optional}
    cpu = next((deps[name] for name in ("cpuonly", "pytorch-cpu") if name in deps), None)
    cuda = next((deps[name] for name in ("pytorch-cuda", "pytorch-gpu") if name in deps), None)
    if (cpu is None) == (cuda is None):
        return
    asked = cpu or cuda
    for lock in p.locks:
        for entry in lock.entries:
            if entry.reference != "conda" or entry.name != "pytorch" or entry.groups[0] not in ("linux-64", "default"):
                continue
            if entry.groups[-1] not in ("linux-64", "win-64"):
                continue
            build = "cuda" if "cuda" in entry.conda_build else "cpu" if "cpu" in entry.conda_build else ""
            if asked is not None and build and build != ("cpu" if cpu is not None else "cuda"):
                yield found(
                    "TS301",
                    entry.where,
                    f"the lock holds the {build} build of pytorch {entry.version} ({entry.conda_build}) for {entry.groups[-1]}, "
                    f"and {asked.where.path}:{asked.where.line} asks for `{asked.name}`",
                    f"Run `{p.semantics().relock}`.",
                    related=(asked.where,),
                )
                return


def cuda_in_cpu(p: Project, v: View) -> Findings:
    """TS605: a CUDA toolkit beside cpuonly, or in an environment whose name says cpu."""
    cpu = [req for req in packages(p) if req.name in ("cpuonly", "pytorch-cpu")]
    named = "" if cpu or p.tool != "conda" else _says_cpu(p)
    for req in packages(p):
        if req.name not in ("cudatoolkit", "pytorch-cuda") or not (cpu or (named and torches_of(p))):
            continue
        beside = f"beside `{cpu[0].name}`" if cpu else f"in {named}"
        yield found(
            "TS605",
            req.where,
            f"`{req.name}` {beside}: the environment is for the CPU, and the toolkit is gigabytes",
            f"Remove `{req.name}`." if cpu else f"Write `cpuonly` in place of `{req.name}`, or rename the environment.",
            fix=v.edit(req.where.path, f"remove {req.name}", _line(v, req)) if cpu else None,
            related=(cpu[0].where,) if cpu else (),
        )


def _says_cpu(p: Project) -> str:
    """What says that an environment is for the CPU: its name or its file's, unless the settings of the project do."""
    for words, shown in ((p.title, f"the environment `{p.title}`"), (_stem(p), f"`{p.path}`")):
        if names_build(re.split(r"[^A-Za-z0-9.]+", words)) == "cpu":
            return shown
    return ""


def _stem(p: Project) -> str:
    return p.path.rpartition("/")[2].rpartition(".")[0]


def cpu_in_gpu(p: Project, v: View) -> Findings:
    """TS302: an environment whose name says gpu and that asks for the CPU build, or a GPU build in one for the CPU."""
    if p.tool != "conda":
        return
    build = names_build(re.split(r"[^A-Za-z0-9.]+", _stem(p))) or names_build(re.split(r"[^A-Za-z0-9.]+", p.title))
    for req in packages(p):
        wrong = (build in ("cuda", "rocm") or build.startswith("cu")) and req.name in ("cpuonly", "pytorch-cpu")
        gpu = build == "cpu" and (
            req.name == "pytorch-gpu" or (req.name == "pytorch" and re.search(r"cuda|gpu", req.build) is not None)
        )
        if (wrong or gpu) and not v.policy(req.env, p.path):
            yield found(
                "TS302",
                req.where,
                f"{p.path}{f' (`{p.title}`)' if p.title else ''} says {build}, but `{req.name}` chooses the {'CPU' if wrong else 'CUDA'} build",
                f"Remove `{req.name}`, or rename the environment."
                if wrong
                else "Write `cpuonly` or `pytorch-cpu`, or rename the environment.",
            )


def _line(v: View, req: Requirement) -> list[tuple[int, int, str]]:
    data = v.tree.read(req.where.path)
    if data is None or req.whole is None:
        return []
    text = data.decode("utf-8", "replace")
    start = text.rfind("\n", 0, req.whole[0]) + 1
    stop = text.find("\n", req.whole[1])
    return [(start, len(text) if stop < 0 else stop + 1, "")]
