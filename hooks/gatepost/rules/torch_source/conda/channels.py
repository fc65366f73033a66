"""TS601, TS603: the channel that pytorch comes from: one that has ended, one that comes too late."""

from __future__ import annotations

import re

from gatepost.manifests import places
from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.conda.asked import has_channel, packages, provider, torches_of
from gatepost.rules.torch_source.versions.ranges import conda_minors, minor_of
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding, Severity
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def _of_ended_channel(p: Project, v: View) -> tuple[Requirement, bool, bool] | None:
    """The request for pytorch that the `pytorch` channel answers: (it, whether no other channel is there, never served)."""
    for req in torches_of(p):
        if req.name != "pytorch" or provider(p, req) != "pytorch":
            continue
        only = req.channel == "pytorch" or not any(
            not name.endswith(("pytorch", "nvidia", "nodefaults")) for name in p.channels
        )
        if req.spec.broken:
            continue
        newer = specs.parse(">=2.6")
        rows = req.spec.rows(v.table.torch)
        served = any(not newer.admits(row) for row in rows)
        return req, only, not served and (bool(rows) or newer.admits(req.spec.pin() or "0"))
    return None


def ended_channel(p: Project, v: View) -> Findings:
    """TS601: what the `pytorch` channel, which has had no release since 2.5.1, never got or never will."""
    asked = _of_ended_channel(p, v)
    if asked is None:
        return
    req, only, never = asked
    last = v.table.overlay["conda"]["last"]
    if never:
        yield found(
            "TS601",
            req.where,
            f"pytorch {req.text} is not on the `pytorch` channel, which ended with {last}",
            f"Take it from conda-forge ({_from_forge(p, req)}) or from pip.",
            severity=_ended(p, "error" if only or p.tool == "pixi" else "warning"),
        )
    elif not _old(p, v, req):
        yield found(
            "TS601",
            req.where,
            f"the `pytorch` channel ended with {last}: `pytorch{req.text}` never gets anything newer from it",
            f"Take it from conda-forge or pip, or pin `pytorch={_newest_there(p, v, req)}`.",
            severity=_ended(p, "error"),  # the first channel that has a package serves it, whatever stands behind
        )


def _from_forge(p: Project, req: Requirement) -> str:
    """How a request names conda-forge. pixi looks no further than the first channel that has a package (its
    `channel-priority` is strict), conda goes on where nothing there fits."""
    return (
        f'`pytorch = {{ version = "{req.text}", channel = "conda-forge" }}`'
        if p.tool == "pixi"
        else f"`conda-forge::pytorch{req.text}`"
    )


def _ended(p: Project, severity: Severity) -> Severity:
    """How much an ended channel matters: little in a file that nothing uses any more, or in a fork that is carried."""
    return "info" if places.is_retired(p.path) or places.is_carried(p.path) else severity


def _old(p: Project, v: View, req: Requirement) -> bool:
    """Whether only releases that the channel had in its time are asked for: by the range, by another package of the
    environment, or by too old a Python."""
    newer = specs.parse(">=2.6")
    needed = {
        minor_of(python)
        for row in v.table.rows
        if newer.admits(row.torch)
        for python in row.python.get("linux_x86_64", ())
    }
    minors = conda_minors(p)
    return req.spec.bounded_above() or _held_below(p, v) or (bool(minors and needed) and max(minors) < min(needed))


# What brings CUDA's libraries, each of one minor, which `pytorch-cuda` requires of its own.
_TOOLKITS = ("cuda-toolkit", "cuda-version", "cuda-libraries", "cuda-runtime", "cuda")


def _held_below(p: Project, v: View) -> bool:
    """Whether a package beside pytorch goes with none of the channel's last release: a pin of that cannot be solved."""
    conda = v.table.overlay["conda"]
    minor = conda["last"].rpartition(".")[0]
    chosen = any(req.name == "pytorch-mutex" and "cuda" in req.text for req in packages(p))  # else a CPU build fits
    for req in packages(p):
        if req.name == "pytorch-cuda" or (chosen and req.name in _TOOLKITS and not req.spec.broken):
            having = [name for name, builds in conda["pytorch_cuda"].items() if any(map(req.spec.admits, builds))]
            if having and minor not in having:
                return True
        elif req.name in ("torchvision", "torchaudio") and not req.spec.broken:
            known, unknown = v.table.released(req.name, req.spec)
            pairs = [v.table.pairs(req.name, version, conda["last"]) for version in known]
            if pairs and not unknown and all(pair is False for pair in pairs):
                return True
    return False


def _newest_there(p: Project, v: View, req: Requirement) -> str:
    """The release to pin: the channel's last, or the last that the `cudatoolkit` beside it selects a build of."""
    conda = v.table.overlay["conda"]
    names = {dep.name: dep for dep in packages(p)}
    toolkit = names.get("cudatoolkit")
    if toolkit is not None and names.keys().isdisjoint(("cpuonly", "pytorch-cuda")):
        minors = [name for name, builds in conda["cudatoolkit"].items() if any(map(toolkit.spec.admits, builds))]
        rows = [row for row in req.spec.rows(v.table.torch) if minors and row.rpartition(".")[0] == minors[-1]]
        return rows[-1] if rows else str(conda["last"])
    return str(conda["last"])


def frozen_channel(p: Project, v: View) -> Findings:
    """TS601: an old release that the `pytorch` channel still has. No fault in CI, where a job tries one on purpose."""
    asked = _of_ended_channel(p, v)
    if asked is not None and not asked[2] and _old(p, v, asked[0]):
        yield found(
            "TS601",
            asked[0].where,
            f"the `pytorch` channel ended with {v.table.overlay['conda']['last']} and gets no more fixes",
            "Move to conda-forge or pip when the environment is next renewed.",
            severity=_ended(p, "warning"),
        )


def channel_order(p: Project, v: View) -> Findings:
    """TS603: conda-forge before pytorch, with the pytorch channel's own selector."""
    if p.tool != "conda" or not has_channel(p, "pytorch") or not has_channel(p, "conda-forge"):
        return
    names = [name.rstrip("/").rsplit("/", 1)[-1] for name in p.channels]
    if names.index("conda-forge") > names.index("pytorch"):
        return
    selectors = [req for req in packages(p) if req.name in ("pytorch-cuda", "cpuonly")]
    for req in torches_of(p):
        if req.name == "pytorch" and not req.channel and selectors:
            yield found(
                "TS603",
                req.where,
                f"conda-forge comes before `pytorch`, so it provides pytorch, while `{selectors[0].name}` is for the `pytorch` channel's builds",
                _of_forge(req, selectors[0])
                if any(map(specs.parse(">=2.6").admits, req.spec.rows(v.table.torch)))
                else "Write `pytorch::pytorch`, or put `pytorch` before conda-forge in `channels`.",
                related=(selectors[0].where,),
            )
            return


def _of_forge(req: Requirement, selector: Requirement) -> str:
    """The remedy where conda-forge goes on and the `pytorch` channel does not: conda-forge's own names for a build."""
    if selector.name == "cpuonly":
        return f"Write `pytorch-cpu{req.text}`, which is conda-forge's, and remove `cpuonly`."
    wanted = re.match(r"[=\s]*(\d+)(\.\d+)?", selector.text)
    cuda = "" if wanted is None else f" and `cuda-version={'11.8' if wanted[1] == '11' else wanted[1]}`"
    return f"Write `pytorch-gpu{req.text}`{cuda}, which are conda-forge's, in place of `pytorch` and `pytorch-cuda`."
