"""TS203, TS204, TS205: torch and its companions, by the table's rows."""

from __future__ import annotations

from gatepost.record import replace
from gatepost.rules.torch_source import fixes, specs
from gatepost.rules.torch_source.versions.ranges import minor_of, overridden, shown_range, tightened
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.table import Row
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


CONDA = "conda"  # the role of what conda itself installs
CONDA_TORCH = ("pytorch", "pytorch-gpu", "pytorch-cpu")
_SOFT = "warning"
# A vendor's build of torch is beside its package: which companions go with it is the vendor's to say.
VENDORS = frozenset(
    {
        "torch-npu", "torch-xla", "torch-musa", "torch-mlu", "torch-gcu", "torch-neuronx", "torch-directml",
        "intel-extension-for-pytorch", "habana-torch-plugin",
    }
)  # fmt: skip
PAIRED = ("torchvision", "torchaudio")


def companions(p: Project, v: View) -> Findings:
    """TS203, TS204, TS205: torch and its companions, by the table's rows."""
    table = v.table
    if any(req.name in VENDORS for req in p.requirements):
        return
    torches = [req for req in (*p.named("torch"), *_conda(p, CONDA_TORCH)) if not req.url and not req.spec.broken]
    admitted = [(torch, *table.torch_rows(tightened(p, torch))) for torch in torches]
    for name in (*PAIRED, "torchcodec"):
        for other in (*p.named(name), *_conda(p, (name,))):
            if other.url or other.spec.broken:
                continue
            releases, other_unknown = table.released(name, tightened(p, other))
            for torch, rows, torch_unknown in admitted:
                if not rows or not p.together(torch, other) or _left_to_conda(torch, other):
                    continue
                pinned, version = _pin(torch, overridden(p, torch)), _pin(other, overridden(p, other))
                releases = releases if version else table.in_ranges(name, releases)
                report = None
                if pinned and version:
                    if not torch_unknown and (
                        table.pairs(name, version, pinned) is False or _of_torchs_number(v, name, version, pinned)
                    ):
                        report = (
                            _codec_pins(p, v, torch, other, pinned, version)
                            if name == "torchcodec"
                            else _pins(p, v, torch, other, pinned, version)
                        )
                elif (
                    releases and name != "torchcodec" and _never(v, name, rows, releases, torch_unknown, other_unknown)
                ):
                    report = _apart(p, v, torch, other, rows)
                if report is None and not torch_unknown and not version and other.role != CONDA:
                    report = uncapped(p, v, torch, other, rows)
                if report is not None:
                    yield replace(report, severity=_SOFT) if _rebuilt(p, torch, other) or _tied(p, other) else report
                    break


def _of_torchs_number(v: View, name: str, version: str, torch: str) -> bool:
    """Whether torchvision is pinned at torch's own number: its releases are numbered otherwise, and another one is for it."""
    same = name == "torchvision" and specs.key(version) == specs.key(specs.public(torch))
    return same and bool(v.table.partner(name, torch)) and not v.table.torch_of(name, version)


def _conda(p: Project, names: tuple[str, ...]) -> tuple[Requirement, ...]:
    return tuple(req for req in p.requirements if req.role == CONDA and req.name in names)


def _left_to_conda(torch: Requirement, other: Requirement) -> bool:
    """Whether two requests are not of one solver: conda's companions follow conda's pytorch, not pip's torch."""
    return torch.role != CONDA and other.role == CONDA


def _rebuilt(p: Project, torch: Requirement, other: Requirement) -> bool:
    """Whether conda-forge may serve both: it can rebuild a release against another torch, so this is no certainty."""
    if torch.role != CONDA or other.role != CONDA:
        return False
    channels = {name.rstrip("/").rsplit("/", 1)[-1] for name in p.channels}
    return not ((torch.channel == other.channel == "pytorch") or channels <= {"pytorch", "nvidia", "nodefaults"})


def _tied(p: Project, other: Requirement) -> bool:
    """Whether it stands in a constraints file, which installs nothing itself."""
    return p.tool == "pip" and other.where.path.rpartition("/")[2].startswith("constraint")


def _pin(req: Requirement, override: specs.Spec | None = None) -> str:
    """The one version that is asked for, or "": conda's `=2.5.1` names a whole version as well. uv's override decides."""
    if override is not None:
        return override.pin()
    if req.spec.dialect == specs.CONDA and len(clauses := req.spec.clauses()) == 1:
        clause = clauses[0]
        if clause.op == "=*" and clause.version.count(".") == 2:
            return clause.version
    return req.spec.pin()


def _never(v: View, name: str, rows: list[Row], releases: list[str], torch_unknown: bool, other_unknown: bool) -> bool:
    """Whether no release of a companion pairs with any torch, releases newer than the table included.

    A newer torch pairs with a known release only if that release's own requirement admits it; a newer torchvision
    asks for at least the torch of the newest known one. Of a newer torchaudio nothing is known (TS205).
    """
    table = v.table
    if any(
        table.pairs(name, release, row.torch) is not False and table.meet(name, release, row.torch)
        for row in rows
        for release in releases
    ):
        return False
    if torch_unknown and any(
        not need or specs.parse(need).admits_unknown(table.newest)
        for release in releases
        for need in (table.requires[name].get(release, ""),)
    ):
        return False
    if not other_unknown:
        return True
    return name == "torchvision" and not torch_unknown


def _apart(p: Project, v: View, torch: Requirement, other: Requirement, rows: list[Row]) -> Finding:
    table = v.table
    name = other.name
    top = rows[-1].torch
    while len(rows) > 1 and not table.partner(name, top):
        rows = rows[:-1]
        top = rows[-1].torch
    partner = table.partner(name, top)
    goes = table.torch_of(name, _pin(other)) if _pin(other) else []
    example = (
        f"{name} {_pin(other)} goes with torch {goes[-1].torch}" if goes else f"torch {top} goes with {name} {partner}"
    )
    return found(
        "TS204",
        other.where,
        f"no `{name}` in `{shown_range(p, other)}` goes with any torch in `{shown_range(p, torch)}` ({example})",
        f"Ask for `{name}` {partner}" + p.relocked(),
        related=(torch.where,),
    )


def _pins(p: Project, v: View, torch: Requirement, other: Requirement, pinned: str, version: str) -> Finding:
    table = v.table
    partner = table.partner(other.name, pinned)
    goes = table.torch_of(other.name, version)
    with_ = f" ({other.name} {version} goes with torch {goes[-1].torch})" if goes else ""
    return found(
        "TS203",
        other.where,
        f"`{other.name}` {version} does not go with `torch` {pinned}{with_}",
        f"Pin `{other.name}` {partner}" + p.relocked(),
        fix=v.edit(other.where.path, f"pin {other.name} {partner}", fixes.replace_version(other, partner))
        if partner
        else None,
        related=(torch.where,),
    )


def _codec_pins(p: Project, v: View, torch: Requirement, other: Requirement, pinned: str, version: str) -> Finding:
    """TS203 of torchcodec: its metadata names no torch, so nothing but its own list of releases says what it is for."""
    partner = _codec(v, pinned)
    lines = list(dict.fromkeys(row.torch.rpartition(".")[0] for row in v.table.torch_of(other.name, version)))
    goes = lines[0] + (" or newer" if len(lines) > 1 else "") if lines else ""
    return found(
        "TS203",
        other.where,
        f"`torchcodec` {version} is made for torch {goes}, by its own list, and `torch` is {pinned}"
        if goes
        else f"`torchcodec` {version} is not made for `torch` {pinned}, by its own list",
        (f"Pin `torchcodec` {partner}" if partner else "Pin a newer torch: that list has no `torchcodec` for this one")
        + p.relocked(),
        severity="warning",
        fix=v.edit(other.where.path, f"pin torchcodec {partner}", fixes.replace_version(other, partner))
        if partner
        else None,
        related=(torch.where,),
    )


def uncapped(p: Project, v: View, torch: Requirement, other: Requirement, rows: list[Row]) -> Finding | None:
    """TS205: torchaudio 2.11 and torchcodec ask for no torch at all, so a resolver takes the newest beside any torch."""
    table = v.table
    if other.name == "torchaudio":
        stable = table.overlay["torchaudio_stable_from"]
        first, limit = stable["torchaudio"], stable["torch"]
    elif other.name == "torchcodec":
        first = next((version for version, need in table.requires["torchcodec"].items() if need.startswith(">=")), "")
        limit = table.overlay["torchaudio_stable_from"]["torch"]
    else:
        return None
    if not first or any(specs.parse(">=" + limit).admits(row.torch) for row in rows):
        return None
    spec = tightened(p, other)
    if not spec.admits(first) and not spec.admits_unknown(first):
        return None
    if spec.bounded_above() and not spec.admits(first):
        return None
    from gatepost.rules.torch_source.versions.holders import holds_torchaudio
    from gatepost.rules.torch_source.versions.interpreters import below

    needed = table.row(f"{limit}.0")
    if needed is not None and below(p, v, min(map(minor_of, needed.python.get("linux_x86_64", ["3.0"])))):
        return None  # that release has no wheel for any Python of the project
    if other.name == "torchaudio" and holds_torchaudio(p, torch, other):
        return None
    tags = p.tags_of(other)
    if not tags and other.name == "torchaudio" and p.tool == "pip" and v.reader(p.path) in ("uv", "either"):
        tags = {index.tag() for index in p.torch_indexes() if index.tag()}  # uv asks them first, and stops there
    if tags and all(
        (last := table.last_for(tag)) is not None and not specs.parse(">=" + limit).admits(last.torch) for tag in tags
    ):
        return None  # the index ends before that release
    fitting = _fitting(v, other.name, first, spec, rows)
    if not fitting and not (other.name == "torchcodec" and _before_codec(v, rows)):
        return replace(report := _apart(p, v, torch, other, rows), remedy=_either(report.remedy, v, other.name, spec))
    top = rows[-1].torch
    partner = table.partner(other.name, top) if other.name == "torchaudio" else _codec(v, top)
    ceiling = limit if other.name == "torchaudio" else _next_minor(partner)
    advice = f"`{other.name}` {partner}"
    fix = None
    if ceiling and fitting:
        fix = v.edit(other.where.path, f"cap {other.name} below {ceiling}", fixes.cap(other, ceiling, fitting))
    return found(
        "TS205",
        other.where,
        f"`{other.name}{other.text.strip()}` has no upper bound beside torch {top}{_elsewhere(torch, other)}: {other.name} {first} requires no torch version, so resolvers take it or a newer one, which needs torch>={limit}",
        (
            f"Ask for {advice}, or cap it with `<{ceiling}`"
            if partner
            else f"Ask for a newer torch: none of `{other.name}` is known to go with this one"
        )
        + p.relocked(),
        severity="warning" if _locked_before(p, other.name, first) else None,
        fix=fix,
        related=(torch.where,),
    )


def _locked_before(p: Project, name: str, first: str) -> bool:
    """Whether the project's lock holds an older release: only the next update of the lock takes the newest."""
    end = specs.key(first)
    entries = [specs.key(entry.version) for lock in p.locks for entry in lock.entries if entry.name == name]
    return bool(entries) and all(end is not None and at is not None and at < end for at in entries)


def _fitting(v: View, name: str, first: str, spec: specs.Spec, rows: list[Row]) -> list[str]:
    """The releases below `first` that a range admits and that go with one of the torches. Those of a torchcodec line
    are not in the table: any of its patches may be meant."""
    found_ = []
    for version in v.table.versions(name):
        if (specs.key(version) or ()) >= (specs.key(first) or ()):
            continue
        patches = [f"{version}.{patch}" for patch in range(10)] if version.count(".") == 1 else [version]
        if any(v.table.pairs(name, version, row.torch) is not False for row in rows):
            found_ += spec.rows(patches)
    return found_


def _before_codec(v: View, rows: list[Row]) -> bool:
    """Whether a torch is older than every one that the table has a torchcodec for."""
    return not any(_codec(v, row.torch) for row in rows)


def _either(remedy: str, v: View, name: str, spec: specs.Spec) -> str:
    """A remedy with the other way out: the torch that the lowest admitted release goes with."""
    for version in v.table.versions(name):
        goes = v.table.torch_of(name, version)
        if goes and any(spec.admits(each) for each in (version, f"{version}.9")):
            asked, comma, rest = remedy.partition(",")
            return f"{asked.rstrip('.')}, or for torch {goes[0].torch} or newer{comma}{rest}" + ("" if comma else ".")
    return remedy


def _elsewhere(torch: Requirement, other: Requirement) -> str:
    """Where torch is asked for, if that is another file."""
    return "" if torch.where.path == other.where.path else f" ({torch.where.path}:{torch.where.line})"


def _codec(v: View, torch: str) -> str:
    found_ = [version for version, need in v.table.requires["torchcodec"].items() if specs.parse(need).admits(torch)]
    return found_[-1] if found_ else ""


def _next_minor(version: str) -> str:
    parts = version.split(".")
    return f"{parts[0]}.{int(parts[1]) + 1}" if len(parts) > 1 else ""
