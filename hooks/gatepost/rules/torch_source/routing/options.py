"""TS121, TS122, TS123, TS125, TS126: pip's index options."""

from __future__ import annotations

import re

from gatepost.model import INFO
from gatepost.patterns import pattern
from gatepost.record import replace
from gatepost.rules.torch_source import markers, paths, specs, urls
from gatepost.rules.torch_source.model import (
    CONSTRAINT,
    DEFAULT,
    DIRECT,
    EXTENDED,
    FAMILY,
    SHARED,
)
from gatepost.rules.torch_source.versions.ranges import held, held_by_torch
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Index, Project, Requirement
    from gatepost.rules.torch_source.specs import Spec
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


CONFUSION = (
    ", and a name that only PyTorch's nightly index has can be taken on PyPI by anyone (torchtriton, December 2022)"
)


def extra_index(p: Project, v: View) -> Findings:
    """TS121, TS122, TS125: PyTorch's index merged with PyPI by `--extra-index-url`."""
    if p.tool not in ("pip", "conda", "Hatch"):
        return
    direct = [req for req in p.requirements if req.role == DIRECT]
    beside = any(index.role == "pypi" for index in p.indexes)  # named in its turn: pip merges whatever it is given
    reader = v.reader(p.path) if p.tool == "pip" else "pip"
    if reader == "uv":
        return  # it stops at the first index that has the package, and asks the extra ones first
    for index in p.torch_indexes():
        if not (index.role == SHARED or (index.role == DEFAULT and beside)):
            continue
        if reader == "either":
            if not (direct and all(req.spec.pin() or req.url for req in direct)):
                yield _read_differently(index, "or")
            continue
        if index.parts().channel:
            yield _nightly_merged(p, v, index, reader)
            continue
        report = None
        limits = _limits(p, v)
        for req in sorted(direct, key=lambda req: req.name != "torch"):
            if req.name not in FAMILY or req.url or req.spec.pin() or req.spec.broken:
                continue
            if markers.only_mac(req.marker):
                continue  # PyPI's wheels for macOS are those of every index
            if any(spec.pin() for spec in limits.get(req.name, ())) or held(p, v, req) or held_by_torch(p, v, req):
                continue
            report = _highest_wins(p, v, index, req)
            break
        if report is not None:
            yield from _compiled(p, v, report)
            continue
        pinned = bool(direct) and all(
            req.url
            or any(spec.pin() for spec in (req.spec, *limits.get(req.name, ())))
            or _of_one_release(v, req)
            or (req.name in FAMILY and markers.only_mac(req.marker))
            for req in direct
        )
        if not pinned and not (index.parts().path.rstrip("/") == "/whl" and p.family()):  # that is TS404
            yield _merged(p, v, index, limits)
        if p.tool == "pip" and v.install_tools(p.path) == {"pip", "uv"}:
            yield _read_differently(index, "and")


def _of_one_release(v: View, req: Requirement) -> bool:
    """Whether a range of PyTorch's own has one release, whose line later ones have closed: it is as good as a pin."""
    if req.name not in FAMILY or req.spec.broken or not req.spec.bounded_above():
        return False
    if req.name == "torch":
        rows, unknown = v.table.torch_rows(req.spec)
        return len(rows) == 1 and not unknown
    releases, unknown = v.table.released(req.name, req.spec)
    return len(releases) == 1 and not unknown


def _limits(p: Project, v: View) -> dict[str, list[Spec]]:
    """What constraint files say of the packages of a project: those that it names, and those of its commands."""
    from gatepost.rules.torch_source import constrained

    limits = constrained.by_commands(p, v)
    for req in p.requirements:
        if req.role == CONSTRAINT:
            limits.setdefault(req.name, []).append(req.spec)
    return limits


def _merged(p: Project, v: View, index: Index, limits: dict[str, list[Spec]]) -> Finding:
    """TS122 of a release index: information where its own packages are held, as then only names that float are merged."""
    config = p.path.rpartition("/")[2] in paths.PIP_CONFIGS
    asked = _installed_by_pip(v) if config else [p]
    family = [req for one in asked for req in one.family()]
    tagged = {
        req.name
        for req in family
        if req.tag() or any(urls.tag_of(one.exact_label()) for one in limits.get(req.name, ()))
    }
    held_there = "torch" in tagged and all(req.name in tagged or markers.only_mac(req.marker) for req in family)
    if config and asked:
        held_there = held_there or all(req.spec.pin() or req.url for one in asked for req in one.requirements)
    whose = _whose(p, index) if p.requirements else "that pip installs with this configuration"
    at = urls.show(index.url)
    return found(
        "TS122",
        index.where,
        f"`torch` is held by its build tag, but each package {whose} that is not pinned may come from {at} as well as from PyPI"
        if held_there and p.requirements
        else f"every package {whose} may come from {at} as well as from PyPI: pip takes the highest version it finds",
        f"Install PyTorch {p.semantics().apart} with `--index-url`, or pin every package.",
        severity=INFO if held_there else None,
    )


def _installed_by_pip(v: View) -> list[Project]:
    """The requirements files of the repository: what a pip.conf is for."""
    return [other for other in v.projects if other.tool == "pip" and other.requirements]


def _compiled(p: Project, v: View, report: Finding) -> Findings:
    """TS121 of an `.in` file whose compiled file pins torch: nothing changes before it is compiled anew, by pip's rule."""
    from gatepost.rules.torch_source.versions import compiled

    folder = paths.folder(p.path)
    made = [path for path in compiled.outputs(v, p.path) if paths.folder(path) == folder]
    pins = [req for other in v.projects if other.path in made for req in other.named("torch") if req.spec.pin()]
    if not pins:
        yield report
    elif report.severity != "warning" and not any(compiled.command(v, path).startswith("uv") for path in made):
        yield replace(report, message=f"{report.message}, when the file is compiled anew", severity=INFO)


def _whose(p: Project, index: Index) -> str:
    """Of which installation an index is, in a message at the index."""
    included = p.tool == "pip" and index.where.path != p.path
    return f"of `{p.path}`, which includes this file," if included else f"of this {_unit(p)}"


def _unit(p: Project) -> str:
    """What one installation is called."""
    return "environment" if p.tool == "Hatch" else "file"


def _read_differently(index: Index, both: str) -> Finding:
    return found(
        "TS125",
        index.where,
        f"this file is installed with pip {both} with uv, which read --extra-index-url differently: pip takes the highest version, uv the first index that has the package",
        "Install it with one tool, or pin every package that both indexes have.",
    )


def _nightly_merged(p: Project, v: View, index: Index, reader: str) -> Finding:
    """TS122 at its worst: whoever takes a name on PyPI that only the nightly index has is installed from there."""
    return found(
        "TS122",
        index.where,
        f"{urls.show(index.url)} is merged with PyPI"
        + (CONFUSION if index.parts().channel == "nightly" else CONFUSION.replace("nightly", "test")),
        f"{'I' if v.nightly() else 'Use a release index, or i'}nstall from it alone, with `--index-url` {p.semantics().apart}.",
        severity="warning" if v.nightly() or reader == "perhaps" else "error",
    )


def _highest_wins(p: Project, v: View, index: Index, req: Requirement) -> Finding | None:
    from gatepost.rules.torch_source.versions.interpreters import newest_served

    tag = index.tag()
    table = v.table
    served, ended = newest_served(p, v)  # no later release will be for an old Python
    if req.name != "torch" and served:
        served = table.partner(req.name, served) or ""
    remedy = f"Pin the build, such as `{req.name}==<version>+{tag or 'cpu'}`, or install PyTorch {p.semantics().apart} with `--index-url {urls.show(index.url)}`."
    last = table.last_for(tag) if tag else None
    if last is not None:
        versions = table.torch if req.name == "torch" else table.versions(req.name)
        newest = [version for version in versions if req.spec.admits(version) and not _newer(version, served)]
        limit = last.torch if req.name == "torch" else table.partner(req.name, last.torch)
        high, bound = specs.key(newest[-1]) if newest else None, specs.key(limit)
        if high is not None and bound is not None and high > bound:
            if req.name == "torch" and not any(req.spec.admits(row.torch) for row in table.rows if tag in row.tags()):
                other = table.going_on(tag, [row for row in table.rows if req.spec.admits(row.torch)])
                address = f"https://download.pytorch.org/whl/{other or '<build>'}"
                remedy = f"Install PyTorch {p.semantics().apart} from the index of a build that such a torch has, as with `--index-url {address}`."
            return found(
                "TS121",
                index.where,
                f"`{req.name}{req.text}` is not pinned and {tag} ends at {req.name} {limit}: pip takes {newest[-1] if served else 'a newer one'}{'' if ended or not served else ' or newer'} from PyPI, not the {tag} build",
                remedy,
                related=(req.where,),
            )
        if high is not None and (ended or not req.spec.admits_unknown(table.newest)):
            return None
    both = [row for row in table.rows if served in (row.torch, table.partner(req.name, row.torch))] if ended else []
    if last is None and tag and any(tag == "cpu" or table.published(tag, row) for row in both):
        return None  # both end with the same release for this Python, and the labelled one of the two is taken
    if req.spec.bounded_above() and req.spec.rows(table.torch if req.name == "torch" else table.versions(req.name)):
        return None
    return found(
        "TS121",
        index.where,
        f"`{req.name}{req.text}` is not pinned, so the build depends on which index has the higher version on the day: {urls.show(index.url)} or PyPI",
        remedy,
        severity="warning",
        related=(req.where,),
    )


def _newer(version: str, served: str) -> bool:
    """Whether a release is newer than the last one that there is for the Python in use; False where none is known."""
    mine, limit = specs.key(version), specs.key(served)
    return bool(served) and mine is not None and limit is not None and mine > limit


# The label of a build that only NVIDIA's images hold, `2.7.0a0+79aa17489c.nv25.4`: no index has it.
_NVIDIAS = pattern(r"\+[\w.]*\bnv\d\d\.\d")


def stable_page(p: Project, v: View) -> Findings:
    """TS123: the legacy find-links page."""
    for index in p.indexes:
        if "torch_stable.html" not in index.url or any(_NVIDIAS.search(req.text) for req in p.family()):
            continue
        tags = {tag for req in p.requirements if (tag := req.tag())}
        tag = urls.split(index.url).build or (tags.pop() if len(tags) == 1 else "")
        pins = [row for req in p.named("torch") if (row := v.table.row(specs.public(req.spec.pin()))) is not None]
        if any(v.table.published(tag, row) is False for row in pins):
            tag = ""  # its index has no such build: TS207 says which one has
        option = (
            "--index-url"
            if all(req.name in EXTENDED for req in p.requirements if req.role == DIRECT) and not _wants_others(p)
            else "--extra-index-url"
        )
        address = f"https://download.pytorch.org/whl/{tag or '<build>'}"
        fix = None
        if tag and p.tool == "pip" and index.span is not None:
            data = v.tree.read(index.where.path)
            text = data.decode("utf-8", "replace") if data else ""
            head = re.search(r"(?:-f|--find-links)[=\s]*[\"']?$", text[: index.span[0]])
            if head is not None:
                fix = v.edit(
                    index.where.path, f"use the index of {tag}", [(head.start(), index.span[1], f"{option} {address}")]
                )
        yield found(
            "TS123",
            index.where,
            f"this is PyTorch's legacy page of the {urls.split(index.url).build} builds"
            if urls.split(index.url).build
            else "torch_stable.html lists every build of every release at once; it is PyTorch's legacy page",
            f"Use the index of one build instead: `{option} {address}`.",
            fix=fix,
        )


# The first releases that require nothing besides what PyTorch's index has: torch 1.5 to 1.7.0 require `future`, and
# 1.7.0 `dataclasses` (their metadata, resolved with uv); the companions pin their torch.
_ALONE = {"torch": "1.7.1", "torchvision": "0.8.2", "torchaudio": "0.7.2"}


def _wants_others(p: Project) -> bool:
    """Whether a pinned release requires packages that PyTorch's index lacks, so that it cannot stand alone."""
    for req in p.named("torch") + p.named("torchvision") + p.named("torchaudio"):
        pin, first = specs.key(req.spec.pin()), specs.key(_ALONE[req.name])
        if pin is not None and first is not None and pin < first:
            return True
    return False


def starved(p: Project, v: View) -> Findings:
    """TS126: `--index-url` replaces PyPI for every other package of the file."""
    if p.tool not in ("pip", "conda", "Hatch"):
        return
    for index in p.torch_indexes():
        if index.role != DEFAULT or any(other.role in ("pypi", SHARED) for other in p.indexes):
            continue
        if p.tool == "pip":
            from gatepost.rules.torch_source import constrained

            if constrained.served_beside(p.path, v):
                continue
        there = v.table.index_packages() | set(v.table.overlay["mirrored"]["names"])
        others = [
            req
            for req in p.requirements
            if req.role == DIRECT and req.name not in there and not req.url and not req.name.startswith("nvidia-")
        ]
        if others:
            shown = ", ".join(f"`{req.name}`" for req in others[:3]) + (
                f" and {len(others) - 3} more" if len(others) > 3 else ""
            )
            yield found(
                "TS126",
                index.where,
                f"--index-url replaces PyPI for the whole {_unit(p)}, and PyTorch's index does not have {shown}",
                f"Install PyTorch {p.semantics().apart} with that index."
                if p.tool == "Hatch"
                else "Put PyTorch into a file and an install step of its own.",
            )
