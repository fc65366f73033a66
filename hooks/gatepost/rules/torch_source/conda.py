"""TS6xx: conda and pixi environments."""

from __future__ import annotations

import re

from gatepost.manifests import places
from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.model import DIRECT, FAMILY
from gatepost.rules.torch_source.table import names_build
from gatepost.rules.torch_source.versions.ranges import conda_minors, minor_of
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gatepost.model import Finding, Severity
    from gatepost.rules.torch_source.model import Env, Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]

TORCH = ("pytorch", "pytorch-gpu", "pytorch-cpu")
LOCKED = ("pytorch", "libtorch")


def _deps(p: Project) -> list[Requirement]:
    return [req for req in p.requirements if req.role == "conda"]


def _has(p: Project, channel: str) -> bool:
    return any(name.rstrip("/").rsplit("/", 1)[-1] == channel or name == channel for name in p.channels)


def _torch(p: Project) -> list[Requirement]:
    return [req for req in _deps(p) if req.name in TORCH]


# Channels that have pytorch, besides its own.
PROVIDERS = ("pytorch", "conda-forge", "defaults", "main", "anaconda", "intel")


def _provider(p: Project, req: Requirement) -> str:
    """The channel that pytorch comes from: the one it names, else the first listed that has it; "" if not known."""
    if req.channel:
        return req.channel
    names = [name.rstrip("/").rsplit("/", 1)[-1] for name in p.channels]
    return next((name for name in names if name in PROVIDERS), "")


def _of_ended_channel(p: Project, v: View) -> tuple[Requirement, bool, bool] | None:
    """The request for pytorch that the `pytorch` channel answers: (it, whether no other channel is there, never served)."""
    for req in _torch(p):
        if req.name != "pytorch" or _provider(p, req) != "pytorch":
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
            f"Take it from conda-forge (`conda-forge::pytorch{req.text}`) or from pip.",
            severity=_ended(p, "error" if only else "warning"),
        )
    elif not _old(p, v, req):
        yield found(
            "TS601",
            req.where,
            f"the `pytorch` channel ended with {last}: `pytorch{req.text}` never gets anything newer from it",
            f"Take it from conda-forge or pip, or pin `pytorch={_newest_there(p, v, req)}`.",
            severity=_ended(p, "error" if only else "warning"),
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


def _held_below(p: Project, v: View) -> bool:
    """Whether a package beside pytorch goes with none of the channel's last release: a pin of that cannot be solved."""
    conda = v.table.overlay["conda"]
    minor = conda["last"].rpartition(".")[0]
    for req in _deps(p):
        if req.name == "pytorch-cuda":
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
    names = {dep.name: dep for dep in _deps(p)}
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


def both_installers(p: Project, v: View) -> Findings:
    """TS602: torch from conda and from pip in one environment."""
    conda = {
        "torch" if req.name in TORCH else req.name: req for req in _deps(p) if req.name in TORCH or req.name in FAMILY
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
    return next((req.env for req in _torch(p)), None)


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


def locked_build(p: Project, v: View) -> Findings:
    """TS301: the environment asks for the CPU build and the lock holds a CUDA one, or the other way round."""
    deps = {req.name: req for req in _deps(p) if not req.env.optional}
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


def channel_order(p: Project, v: View) -> Findings:
    """TS603: conda-forge before pytorch, with the pytorch channel's own selector."""
    if p.tool != "conda" or not _has(p, "pytorch") or not _has(p, "conda-forge"):
        return
    names = [name.rstrip("/").rsplit("/", 1)[-1] for name in p.channels]
    if names.index("conda-forge") > names.index("pytorch"):
        return
    selectors = [req for req in _deps(p) if req.name in ("pytorch-cuda", "cpuonly")]
    for req in _torch(p):
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


def unpublished(p: Project, v: View) -> Findings:
    """TS604: a CUDA build that the pytorch channel never had."""
    conda = v.table.overlay["conda"]
    torches = [req for req in _torch(p) if req.name == "pytorch" and not req.spec.broken]
    for req in _deps(p):
        if req.name not in ("pytorch-cuda", "cudatoolkit") or not torches:
            continue
        wanted = re.match(r"[=\s]*(\d+\.\d+)", req.text)
        if wanted is None or "," in req.text or "|" in req.text:
            continue
        if req.name == "cudatoolkit" and (
            not _has(p, "pytorch")
            or any(name in ("conda-forge", "defaults", "anaconda", "main") or name == "nvidia" for name in p.channels)
        ):
            continue
        builds = conda["pytorch_cuda" if req.name == "pytorch-cuda" else "cudatoolkit"]
        rows = torches[0].spec.rows(v.table.torch)
        minors = list(dict.fromkeys(".".join(row.split(".")[:2]) for row in rows))
        known = {minor: builds[minor] for minor in minors if minor in builds}
        if req.name == "pytorch-cuda":  # no other channel has it, and it was made for these releases only
            minors = [] if _has(p, "pytorch-nightly") else list(known)
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


def cuda_in_cpu(p: Project, v: View) -> Findings:
    """TS605: a CUDA toolkit beside cpuonly, or in an environment whose name says cpu."""
    cpu = [req for req in _deps(p) if req.name in ("cpuonly", "pytorch-cpu")]
    named = "" if cpu or p.tool != "conda" else _says_cpu(p)
    for req in _deps(p):
        if req.name not in ("cudatoolkit", "pytorch-cuda") or not (cpu or (named and _torch(p))):
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
    for req in _deps(p):
        wrong = (build in ("cuda", "rocm") or build.startswith("cu")) and req.name in ("cpuonly", "pytorch-cpu")
        gpu = build == "cpu" and (
            req.name == "pytorch-gpu" or (req.name == "pytorch" and re.search(r"cuda|gpu", req.build) is not None)
        )
        if wrong or gpu:
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
    if p.tool != "conda":
        return
    torches = [req for req in _torch(p) if req.name == "pytorch" and not req.spec.broken]
    builds = v.table.overlay["conda"]["pytorch_cuda"]
    for req in _deps(p):
        if req.name != "cudatoolkit" or any(other.name == "cpuonly" for other in _deps(p)):
            continue
        wanted = re.match(r"[=<>~\s]*(\d+)(?:\.(\d+))?", req.text)
        missing = wanted is not None and int(wanted[1]) >= 12 and not any(map(req.spec.admits, _TOOLKITS))
        rows = torches[0].spec.rows(v.table.torch) if torches else []
        new = bool(rows) and not any(specs.parse("<1.13").admits(row) for row in rows)
        own = bool(torches) and _provider(p, torches[0]) == "pytorch"
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
            f"`cudatoolkit{req.text}`: {why}",
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
    for req in _deps(p):
        # conda-forge's builds ask for the virtual package; those of the `pytorch` channel do not.
        forge = any(torch.channel != "pytorch" for torch in _torch(p)) and not any(
            dep.name == "pytorch-cuda" for dep in _deps(p)
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


RULES = (
    ended_channel,
    frozen_channel,
    both_installers,
    locked_by_both,
    locked_build,
    channel_order,
    unpublished,
    cuda_in_cpu,
    cpu_in_gpu,
    old_selector,
    no_system_cuda,
)
