"""TS508: a README's install line against the project beside it."""

from __future__ import annotations

import posixpath

from gatepost.manifests import places
from gatepost.model import INFO, Finding, Location
from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatepost.manifests.projects import Repository
    from gatepost.rules.torch_source.model import Project, Requirement

_NAME = pattern(r"(?:^|/)README\.(?:md|rst)$")
_PROMPT = r"\s*(?:[$>!%] ?|`|- `|\* `|RUN )?"
_INSTALL = pattern(
    _PROMPT + r"(?:python3? -m |uv |conda run [-\w ]+ )?pip3? install\b.*?\btorch\s*==\s*(\d+(?:\.\d+)+)"
    "|" + _PROMPT + r"(?:conda|mamba|micromamba) install\b.*?\bpytorch={1,2}(\d+(?:\.\d+)+)"
)
_INLINE = pattern(r"`([^`\n]{1,300})`")  # in a sentence: Install it with `pip install torch==2.1.0`.
_BUILD = pattern(r"(?:/whl/|\btorch\s*==\s*[\d.]+\+)((?:cu|cpu|rocm|xpu)[\w.]*)")


def readme(repository: Repository, projects: Sequence[Project]) -> Iterator[Finding]:
    """TS508: the version that a README installs, where no manifest of its folder admits it."""
    for path in sorted(path for path in repository.paths if path.endswith((".md", ".rst"))):
        if not _NAME.search(path) or places.is_generated(path) or places.is_example(path):
            continue
        data = repository.read(path) or b""
        if b"torch=" not in data.replace(b" ", b""):
            continue
        beside = _beside(projects, posixpath.dirname(path))
        wanted = [req for req, _ in beside]
        rows = enumerate(data.decode("utf-8", "replace").splitlines(), 1) if wanted else ()
        lines = [
            (number, row, hit[1] or hit[2])
            for number, row in rows
            if "torch" in row
            and (hit := _INSTALL.match(row) or next(filter(None, map(_INSTALL.match, _INLINE.findall(row))), None))
        ]
        if any(_agrees(row, version, beside) for _, row, version in lines):
            continue  # the others are alternatives, for another driver or system
        for number, _, version in lines:
            if any(req.spec.admits(version) for req in wanted):
                continue
            where = wanted[0].where
            yield Finding(
                code="TS508",
                where=Location(path=path, line=number),
                message=f"the README installs torch {version}, and {where.path}{f':{where.line}' if where.line else ''} wants {wanted[0].name}{_said(wanted[0])}",
                remedy="Say the same version in both.",
                severity=INFO,
                related=(where,),
            )


def _said(req: Requirement) -> str:
    text = req.text.strip()
    return text if text[:1] in "<>=!~^" else f" {text}"


def _agrees(row: str, version: str, beside: list[tuple[Requirement, set[str]]]) -> bool:
    """Whether an install line names a version and, if it names a build at all, the build that a manifest asks for."""
    build = _BUILD.search(row)
    return any(req.spec.admits(version) and (not build or not tags or build[1] in tags) for req, tags in beside)


def _beside(projects: Sequence[Project], folder: str) -> list[tuple[Requirement, set[str]]]:
    """What the manifests of a folder ask of torch, those that any plain install reads, and the builds they name."""
    return [
        (req, {tag for tag in (req.tag(), *(index.tag() for index in project.indexes)) if tag})
        for project in projects
        if project.root == folder
        for req in project.requirements
        if req.name in ("torch", "pytorch")
        and req.role in ("direct", "conda")
        and req.env.kind in ("main", "file")
        and req.text.strip()
        and not (req.url or req.marker or req.spec.broken or req.optional)
    ]
