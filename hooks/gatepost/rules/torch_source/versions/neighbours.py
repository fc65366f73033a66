"""TS213, TS214, TS215: other packages that go with some releases of torch only."""

from __future__ import annotations

from gatepost.rules.torch_source import fixes, markers, specs, urls
from gatepost.rules.torch_source.model import (
    DEFAULT,
    LINKS,
    ROUTED,
)
from gatepost.rules.torch_source.versions.ranges import minor_of, row_range, shown_range, tightened
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.table import Row
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


FORCING = ("vllm", "xformers", "torchtext", "torchdata")
NUMPY_CAPPED = frozenset(
    {
        "scipy",
        "numba",
        "tensorflow",
        "tensorflow-cpu",
        "tensorflow-gpu",
        "thinc",
        "spacy",
        "gensim",
        "librosa",
        "langchain",
        "langchain-community",
        "chromadb",
        "scikit-image",
        "fairseq",
        "transformer-lens",
        "streamlit",
        "contourpy",
        "matplotlib",
        "pandas",
        "faiss-cpu",
        "unstructured",
    }
)


_LAST_OF_NUMPY_ONE = (
    "1.16.6", "1.17.5", "1.18.5", "1.19.5", "1.20.3", "1.21.6", "1.22.4", "1.23.5", "1.24.4", "1.25.2", "1.26.4",
)  # fmt: skip
_NUMPY_ONE = tuple(
    f"{minor}.{patch}"
    for minor, _, last in (version.rpartition(".") for version in _LAST_OF_NUMPY_ONE)
    for patch in range(int(last) + 1)
)


def numpy_two(p: Project, v: View) -> Findings:
    """TS213: a torch built against numpy 1 beside numpy 2."""
    table = v.table
    for torch in p.named("torch"):
        if torch.spec.broken or torch.url:
            continue
        rows, unknown = table.torch_rows(tightened(p, torch))
        systems = (
            {name[0] for name in markers.platforms(torch.marker)} if torch.marker else {"l"}
        )  # Linux, macOS, Windows
        if unknown or not rows or not systems or any(not systems.isdisjoint(row.numpy2) for row in rows):
            continue
        of_conda = [req for req in p.requirements if req.name == "numpy" and req.role == "conda"]
        for numpy in p.named("numpy") or of_conda:  # pip's own request decides: it replaces conda's
            if numpy.spec.broken or numpy.url or not p.together(torch, numpy):
                continue
            spec = numpy.spec if numpy.role == "conda" else tightened(p, numpy)
            if not any(spec.admits(f"2.{minor}.{patch}") for minor in range(6) for patch in range(7)):
                continue
            if any(
                entry.name == "numpy" and entry.version.startswith("1.") for lock in p.locks for entry in lock.entries
            ):
                continue
            from gatepost.rules.torch_source.versions.holders import holds_numpy_one
            from gatepost.rules.torch_source.versions.interpreters import below

            if _held_below_two(p, numpy) or holds_numpy_one(p, torch):
                continue
            if p.tags_of(numpy) or any(index.role == DEFAULT and index.torch() for index in p.indexes):
                continue
            pythons = {minor for row in rows for minor in row.python.get("linux_x86_64", ())}
            if not any(minor_of(minor) >= 9 for minor in pythons) or below(p, v, 9):
                continue
            at_risk = max(map(minor_of, pythons)) > 9  # numpy 2 needs 3.9: the one Python that both have, if any
            older = spec.rows(_NUMPY_ONE)
            sure = (numpy.role == "conda" and not older) or _major(numpy.spec.pin()) == "2"
            sure = sure or (
                numpy.role != "conda"  # of conda's other packages, any may hold it
                and not any(req.name in NUMPY_CAPPED and req.spec.bounded_above() for req in p.requirements)
            )
            one = bool(older) or bool(numpy.spec.pin())
            yield found(
                "TS213",
                numpy.where,
                f"`numpy{numpy.text.strip()}` admits numpy 2{'' if one else ' only'}, but torch {row_range(rows)} was built against numpy 1{' for Windows' if systems == {'w'} else ''} and fails to exchange arrays with it",
                ("Ask for `numpy<2`" if one else _newer_torch(p, v)) + p.relocked(),
                severity=None if sure and at_risk else "warning" if at_risk else "info",
                fix=v.edit(numpy.where.path, "cap numpy below 2", fixes.cap(numpy, "2", older))
                if older and numpy.role != "conda"
                else None,
                related=(torch.where,),
            )


def _held_below_two(p: Project, numpy: Requirement) -> bool:
    """Whether numpy is asked for elsewhere in the one resolution of every group, where numpy 2 is out."""
    return p.semantics().universal and any(
        other.spec.bounded_above()
        and not any(other.spec.admits(f"2.{minor}.0") for minor in range(9))
        and not other.marker
        and not other.url
        and not p.exclusive(other.env, numpy.env)
        for other in p.named("numpy")
        if other is not numpy
    )


def _newer_torch(p: Project, v: View) -> str:
    """The advice where numpy 2 is asked for: the first torch whose wheels for every system go with it."""
    row = next(row for row in v.table.rows if {"l", "w"} <= set(row.numpy2))
    beside = [f"{name} {row.companions[name][-1]}" for name in ("torchvision", "torchaudio") if p.named(name)]
    return f"Raise torch to {row.torch} or newer" + (f" (with {' and '.join(beside)})" if beside else "")


def _major(version: str) -> str:
    return version.split(".", maxsplit=1)[0]


def forced_torch(p: Project, v: View) -> Findings:
    """TS214: a package requires another torch, whatever release of it the range admits."""
    table = v.table
    if any(req.name == "torch" and req.role == "override" for req in p.requirements):
        return
    for name in (*FORCING, "triton"):
        for other in p.named(name):
            if other.url or other.spec.broken:
                continue
            wanted = _wanted(v, name, tightened(p, other)) if name != "triton" else []
            if not wanted and name != "triton":
                continue
            for torch in p.named("torch"):
                if torch.url or torch.spec.broken or not p.together(torch, other):
                    continue
                rows, unknown = table.torch_rows(tightened(p, torch))
                if not rows:
                    continue
                if name == "triton":
                    if not _other_triton(p, torch, other, rows, unknown):
                        continue
                    need = f"triton {rows[-1].triton}"
                    yield found(
                        "TS214",
                        other.where,
                        f"torch {row_range(rows)} requires {need}, which `triton{other.text.strip()}` excludes",
                        f"Ask for {need}, or leave triton to torch" + p.relocked(),
                        related=(torch.where,),
                    )
                    break
                if any(need.admits(row.torch) for row in rows for need in wanted):
                    continue
                if unknown and any(need.admits_unknown(table.newest) for need in wanted):
                    continue
                first, last = wanted[0].text, wanted[-1].text
                one = first if first == last else f"{first} to {last} (by its release)"
                yield found(
                    "TS214",
                    torch.where,
                    f"`{name}` {other.spec.pin() or shown_range(p, other)} requires torch{one}, which `torch{shown_range(p, torch)}` excludes",
                    f"Ask for torch {last.lstrip('=')}, or another {name}" + p.relocked(),
                    related=(other.where,),
                )
                break


def _wanted(v: View, name: str, spec: specs.Spec) -> list[specs.Spec]:
    """What the releases that a range admits require of torch, one range each; empty: not known.

    The rows of vllm are one in a minor: a release between two of them requires a torch between theirs. Releases newer
    than the table require at least what the newest known one does.
    """
    known = sorted(
        ((at, version, need) for version, need in v.table.requires.get(name, {}).items() if (at := specs.key(version))),
    )
    inside = [number for number, (_, version, _need) in enumerate(known) if spec.admits(version)]
    if not known or (not inside and (name != "vllm" or not spec.pin())):
        return []
    if any(not known[number][2] for number in inside) or (not spec.pin() and spec.admits_older(known[0][1])):
        return []
    open_above = spec.admits_unknown(known[-1][1])
    if inside and (spec.pin() or name != "vllm"):
        needs = [specs.parse(known[number][2]) for number in inside]
        if open_above:
            floor = specs.parse(known[-1][2]).clauses()
            if len(floor) != 1 or floor[0].op not in ("==", ">="):
                return []
            needs.append(specs.parse(">=" + floor[0].version))
        return needs
    at = specs.key(spec.pin()) if spec.pin() else None
    first = inside[0] - 1 if inside else max((n for n, one in enumerate(known) if at and one[0] < at), default=-1)
    last = inside[-1] + 1 if inside else first + 1
    if first < 0 or (last >= len(known) and not open_above):
        return []
    low = specs.parse(known[first][2]).clauses()
    high = specs.parse(known[last][2]).clauses() if last < len(known) and not open_above else ()
    if len(low) != 1 or low[0].op not in ("==", ">=") or (high and (len(high) != 1 or high[0].op != "==")):
        return []
    return [specs.parse(f">={low[0].version}" + (f",<={high[0].version}" if high else ""))]


def _other_triton(p: Project, torch: Requirement, other: Requirement, rows: list[Row], unknown: bool) -> bool:
    """Whether the Linux wheels of the public registry require a triton that the range excludes."""
    if unknown or torch.tag() or p.routes_of(torch) or any(index.torch() or index.role == LINKS for index in p.indexes):
        return False
    if not markers.possible(other.marker, "linux_x86_64") or not markers.possible(torch.marker, "linux_x86_64"):
        return False
    return all(row.triton and not other.spec.admits(row.triton) for row in rows)


def triton_unrouted(p: Project, v: View) -> Findings:
    """TS215: the triton of ROCm and XPU builds is only on PyTorch's index, and an explicit index serves what is routed."""
    if p.tool not in ("uv", "Poetry"):
        return
    overlay = v.table.overlay["rocm_triton"]
    for route in p.routes:
        if route.package != "torch" or not route.index or not p.own(route.where):
            continue
        index = p.index(route.index)
        kind = urls.kind(index.tag()) if index is not None else ""
        if index is None or index.role != ROUTED or kind not in ("rocm", "xpu"):
            continue
        names = overlay[kind]
        if any(other.package in names and other.index == route.index for other in p.routes):
            continue
        if p.tool == "uv" and any(entry.name in names for lock in p.locks for entry in lock.entries):
            continue
        yield found(
            "TS215",
            route.where,
            f"the {index.tag()} build needs `{names[0]}`, which only `{index.name}` has, and nothing routes it there",
            f"Add `{names[0]}` to the requirements and route it to `{index.name}` as well (newer torch: `{names[1]}`), then run `{p.semantics().relock}`.",
        )
