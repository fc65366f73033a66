"""A requirement's range as a whole: what constraints, overrides and repetitions leave of it, and how to say it."""

from __future__ import annotations

from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.model import (
    CONSTRAINT,
    DIRECT,
    MAIN,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.table import Row
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def shown_range(p: Project, req: Requirement) -> str:
    """A range as written; with the constraints on it where there are any."""
    texts = [req.text.strip()] + [
        other.text.strip()
        for other in p.requirements
        if other.name == req.name and other.role in (CONSTRAINT, "override")
    ]
    return ",".join(dict.fromkeys(text for text in texts if text)) or "*"


_MOST = 64  # groups of clauses that are multiplied out; a range that is left out makes the answer wider, never wrong


def overridden(p: Project, req: Requirement) -> specs.Spec | None:
    """What an override puts in the place of every request for a package, or None."""
    return next(
        (other.spec for other in p.requirements if other.name == req.name and other.role == "override"),
        None,
    )


def tightened(p: Project, req: Requirement) -> specs.Spec:
    """A requirement's range with the constraints and overrides on the same name."""
    extra = [
        other.spec
        for other in p.requirements
        if other.name == req.name and other.role in (CONSTRAINT, "override") and not other.spec.broken
    ]
    extra += [
        other.spec
        for other in p.requirements
        if other.name == req.name
        and other.role == DIRECT
        and other is not req
        and not other.url
        and not other.spec.broken
        and not other.marker
        and ((other.env == req.env and other.env.kind == "file") or (other.env.kind == MAIN and req.env.kind != MAIN))
    ]
    if not extra:
        return req.spec
    overrides = [other.spec for other in p.requirements if other.name == req.name and other.role == "override"]
    if overrides:
        return overrides[0]
    groups = list(req.spec.alternatives)
    for spec in dict.fromkeys(extra):
        if spec.alternatives != req.spec.alternatives and len(groups) * len(spec.alternatives) <= _MOST:
            groups = [left + right for left in groups for right in spec.alternatives]
    return specs.Spec(text=req.text, dialect=req.spec.dialect, alternatives=tuple(groups), broken=req.spec.broken)


def held(p: Project, v: View, req: Requirement) -> bool:
    """Whether a pin beside torch holds it: a companion's, whose metadata names one torch, or that of a triton.

    torch's Linux wheels with CUDA require one triton exactly; those of a CPU index require none.
    """
    if req.name != "torch":
        return False
    for name in ("torchvision", "torchaudio", "torchtext", "torchdata", "xformers", "vllm"):
        for other in p.named(name):
            need = v.table.requires.get(name, {}).get(other.spec.pin(), "")
            if need.startswith("==") and not other.url and (other.env == req.env or p.together(req, other)):
                return True
    if any(not index.tag().startswith("cu") for index in p.indexes):
        return False
    tritons = {specs.key(row.triton) for row in v.table.rows if row.triton}
    return any(
        other.spec.pin() and specs.key(other.spec.pin()) in tritons and not other.url and not other.marker
        for other in p.named("triton")
        if other.env == req.env or p.together(req, other)
    )


_NAMES_TORCH = ("torchvision", "torchaudio", "torchtext", "xformers", "vllm")  # nearly each release requires one torch


def ceiling(p: Project, v: View, req: Requirement) -> Row | None:
    """The newest torch that companions beside a requirement leave to it, or None: any, or not known.

    Each release that the companion's range admits must require a torch with an end. A pin that the table does not
    know goes with no newer torch than the next release that it knows.
    """
    ends = []
    for name in _NAMES_TORCH:
        needs = v.table.requires.get(name, {})
        for other in p.named(name):
            spec = tightened(p, other)
            if (
                other.url
                or (other.marker and other.marker != req.marker)
                or not spec.bounded_above()
                or not (other.env == req.env or p.together(req, other))
            ):
                continue
            admitted = spec.rows(list(needs)) or _next_known(list(needs), spec.pin())
            asked = [specs.parse(needs[version]) for version in admitted]
            rows = [row for row in v.table.rows if any(need.admits(row.torch) for need in asked)]
            if rows and all(need.bounded_above() for need in asked):
                ends.append(rows[-1])
    return min(ends, key=lambda row: v.table.torch.index(row.torch), default=None)


def _next_known(known: list[str], pin: str) -> list[str]:
    """The lowest of the known releases above a pin, if there is one."""
    at = specs.key(pin) if pin else None
    above = [(key, version) for version in known if at is not None and (key := specs.key(version)) and key > at]
    return [min(above)[1]] if above else []


def asks(req: Requirement) -> str:
    """A requirement as people write it: Poetry's bare version is a pin."""
    text = req.text.strip()
    return f"{req.name}{'==' if text[:1].isdigit() else ''}{text}"


def held_by_torch(p: Project, v: View, req: Requirement) -> bool:
    """Whether a pin of torch holds a companion: every release of it above torch's partner requires another torch."""
    needs = v.table.requires.get(req.name, {})
    for other in p.named("torch"):
        pin = specs.public(other.spec.pin())
        partner = specs.key(v.table.partner(req.name, pin)) if pin else None
        if partner is None or other.url or not (other.env == req.env or p.together(req, other)):
            continue
        above = [version for version in needs if (specs.key(version) or partner) > partner]
        if above and all(needs[version] and not specs.parse(needs[version]).admits(pin) for version in above):
            return True
    return False


def conda_minors(p: Project) -> frozenset[int]:
    """The N of every Python 3.N that an environment of conda's may have; empty: it does not say, or has no upper end."""
    python = conda_python(p)
    if python is None or not python.spec.bounded_above():
        return frozenset()
    return frozenset(
        minor for minor in range(30) if any(python.spec.admits(f"3.{minor}.{patch}") for patch in range(30))
    )


def conda_python(p: Project) -> Requirement | None:
    """The Python that an environment of conda's asks for."""
    return next(
        (
            req
            for req in p.requirements
            if req.name == "python" and req.role == "conda" and req.env.kind == MAIN and not req.spec.broken
        ),
        None,
    )


def minor_of(version: str) -> int:
    return int(version.split(".")[1]) if version.startswith("3.") else -1


def row_range(rows: list[Row]) -> str:
    return rows[0].torch if len(rows) == 1 else f"{rows[0].torch} to {rows[-1].torch}"
