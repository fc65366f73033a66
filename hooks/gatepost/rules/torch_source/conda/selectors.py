"""TS604, TS606, TS607: the packages and settings that select a CUDA build."""

from __future__ import annotations

import re

from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.conda.asked import has_channel, packages, provider, torches_of
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def unpublished(p: Project, v: View) -> Findings:
    """TS604: a CUDA build that the pytorch channel never had."""
    conda = v.table.overlay["conda"]
    torches = [req for req in torches_of(p) if req.name == "pytorch" and not req.spec.broken]
    for req in packages(p):
        if req.name not in ("pytorch-cuda", "cudatoolkit") or not torches:
            continue
        wanted = re.match(r"[=\s]*(\d+\.\d+)", req.text)
        if wanted is None or "," in req.text or "|" in req.text:
            continue
        if req.name == "cudatoolkit" and (
            not has_channel(p, "pytorch")
            or any(name in ("conda-forge", "defaults", "anaconda", "main") or name == "nvidia" for name in p.channels)
        ):
            continue
        builds = conda["pytorch_cuda" if req.name == "pytorch-cuda" else "cudatoolkit"]
        rows = torches[0].spec.rows(v.table.torch)
        minors = list(dict.fromkeys(".".join(row.split(".")[:2]) for row in rows))
        known = {minor: builds[minor] for minor in minors if minor in builds}
        if req.name == "pytorch-cuda":  # no other channel has it, and it was made for these releases only
            minors = [] if has_channel(p, "pytorch-nightly") else list(known)
        if not known or len(known) != len(minors):
            continue
        there = sorted({cuda for found_ in known.values() for cuda in found_}, key=lambda cuda: specs.key(cuda) or ())
        if wanted[1] not in there:
            shown = "; ".join(f"{minor}: {', '.join(found_)}" for minor, found_ in known.items())
            near = min(there, key=lambda cuda: abs(float(cuda) - float(wanted[1])))
            asked = f"{torches[0].name} {torches[0].text.lstrip('=')}".rstrip()
            yield found(
                "TS604",
                req.where,
                f"the `pytorch` channel has no build of {asked} for CUDA {wanted[1]} (it has {shown if len(known) < 3 else ', '.join(there)})",
                f"Write `{req.name}={near}`, or another pytorch.",
                related=(torches[0].where,),
            )


def _add_channel(v: View, path: str, name: str) -> list[tuple[int, int, str]]:
    """Add a channel behind the last one of an environment file: its priority is the lowest. [] where there is no list."""
    text = (v.tree.read(path) or b"").decode("utf-8", "replace")
    listed = re.search(
        r"^channels:[ \t]*(?:\[([^\]\n#]+)\]|(?:#[^\n]*)?((?:\r?\n[ \t]*(?:#[^\n]*|- [^\n]*)?)+))", text, re.MULTILINE
    )
    if listed is None:
        return []
    if listed[1]:
        return [(listed.end(1), listed.end(1), f", {name}")]
    items = list(re.finditer(r"^([ \t]*- )[^\r\n]*", listed[2], re.MULTILINE))
    at = listed.start(2) + items[-1].end() if items else 0
    return [(at, at, f"\n{items[-1][1]}{name}")] if items else []


# What `cudatoolkit` had, as far as a range that names 12 may admit it; it ends there on every channel.
_TOOLKITS = ("10.0", "10.2", "11.0", "11.3", "11.8")


def old_selector(p: Project, v: View) -> Findings:
    """TS606: cudatoolkit where pytorch-cuda is the selector."""
    if p.tool not in ("conda", "pixi"):
        return
    torches = [req for req in torches_of(p) if req.name == "pytorch" and not req.spec.broken]
    builds = v.table.overlay["conda"]["pytorch_cuda"]
    for req in packages(p):
        if req.name != "cudatoolkit" or any(other.name == "cpuonly" for other in packages(p)):
            continue
        wanted = re.match(r"[=<>~\s]*(\d+)(?:\.(\d+))?", req.text)
        missing = wanted is not None and int(wanted[1]) >= 12 and not any(map(req.spec.admits, _TOOLKITS))
        rows = torches[0].spec.rows(v.table.torch) if torches else []
        new = bool(rows) and not any(specs.parse("<1.13").admits(row) for row in rows)
        own = bool(torches) and provider(p, torches[0]) == "pytorch"
        if not missing and not (new and own):
            continue
        if not torches and not missing:
            continue
        version = wanted[0].lstrip("=<>~ ") if wanted else ""
        known = {cuda for row in rows for cuda in builds.get(".".join(row.split(".")[:2]), ())}
        fix = None
        nvidia = [] if "nvidia" in p.channels else _add_channel(v, req.where.path, "nvidia")
        if version in known and req.whole is not None and own and ("nvidia" in p.channels or nvidia):
            selector = ("" if "pytorch" in p.channels else "pytorch::") + f"pytorch-cuda={version}"
            changes = [*nvidia, (*req.whole, selector)]
            fix = v.edit(req.where.path, f"select the build with pytorch-cuda={version}", changes)
        why = (
            "`cudatoolkit` ends at 11.8"
            if missing
            else f"pytorch {torches[0].text.lstrip('=')} chooses its CUDA with `pytorch-cuda`, so `cudatoolkit` selects nothing and the CPU build may come"
        )
        yield found(
            "TS606",
            req.where,
            f"`cudatoolkit{' ' if req.text[:1].isdigit() else ''}{req.text}`: {why}",
            _selector(version, _latest(rows, builds), bool(torches)),
            fix=fix,
        )


def _latest(rows: list[str], builds: Mapping[str, list[str]]) -> set[str]:
    """The CUDA versions that the newest of some releases has on pytorch's channel."""
    minors = [minor for row in rows if (minor := row.rpartition(".")[0]) in builds]
    return set(builds[minors[-1]]) if minors else set()


def _selector(version: str, known: set[str], torch: bool) -> str:
    """What to write in place of `cudatoolkit`: of pytorch's channel, a build that there is for the release asked for."""
    if not torch:
        return f"Write `cuda-toolkit={version}` with the channel nvidia, or remove the line: pip's torch brings its own CUDA."
    given = version if version == "11.8" else (version or "12").partition(".")[0]  # its builds are of few minors
    forge = f"`cuda-version={given}` with conda-forge"
    if not known:
        return f"Write {forge}."
    number = float(version) if re.fullmatch(r"\d+(?:\.\d+)?", version) else 12.1
    near = version if version in known else min(known, key=lambda cuda: (abs(float(cuda) - number), float(cuda)))
    return f"Write `pytorch-cuda={near}` with the channels pytorch and nvidia, or {forge}."


def no_system_cuda(p: Project, v: View) -> Findings:
    """TS607: pixi chooses the CPU build unless the system is said to have CUDA."""
    if p.tool != "pixi" or p.system_cuda:
        return
    for req in packages(p):
        # conda-forge's builds ask for the virtual package; those of the `pytorch` channel do not.
        forge = any(torch.channel != "pytorch" for torch in torches_of(p)) and not any(
            dep.name == "pytorch-cuda" for dep in packages(p)
        )
        wants = req.name == "pytorch-gpu" or (req.name == "pytorch" and ("cuda" in req.build or "gpu" in req.build))
        wants = forge and (wants or req.name == "cuda-version")
        if not wants:
            continue
        from gatepost.rules.torch_source import fixes

        doc = fixes.document(v, p.path)
        table = (
            ("tool", "pixi", "system-requirements") if p.path.endswith("pyproject.toml") else ("system-requirements",)
        )
        if req.env.kind == "feature":
            table = (*table[:-1], "feature", req.env.name, "system-requirements")
        name = ".".join(table)
        changes = (
            []
            if doc is None or doc.under(table)
            else [
                (len(doc.text), len(doc.text), ("" if doc.text.endswith("\n") else "\n") + f'\n[{name}]\ncuda = "12"\n')
            ]
        )
        yield found(
            "TS607",
            req.where,
            f"`{req.name}` asks for a GPU build, but no [system-requirements] says that CUDA is there: pixi takes the CPU build or fails",
            f'Add `cuda = "12"` under [{name}], then run `pixi lock`.',
            fix=v.edit(p.path, "say that CUDA 12 is there", changes),
        )
        return
