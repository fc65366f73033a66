"""TS201, TS202: build tags where they are not allowed, or that nothing here can serve."""

from __future__ import annotations

import re

from gatepost.rules.torch_source import fixes, specs, urls
from gatepost.rules.torch_source.model import (
    CONSTRAINT,
    DEFAULT,
    DIRECT,
    EXTENDED,
    EXTRA,
    FAMILY,
    LINKS,
    SHARED,
)
from gatepost.rules.torch_source.versions.builds import unpublished_build
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding, Location, Severity
    from gatepost.rules.torch_source.model import Index, Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def label_in_range(p: Project, v: View) -> Findings:
    """TS201: a build tag in anything but `==`."""
    for req in p.requirements:
        if req.name not in EXTENDED or req.role == "conda":
            continue
        clauses = req.spec.labelled_ranges()
        if not clauses:
            continue
        clause = clauses[0]
        if p.semantics().label_in_range == "text":
            public = specs.public(clause.version)
            why = (
                f"{p.tool} compares the tag as text, so any newer build satisfies it, from any source, and pip refuses the wheel built from it"
                if public
                else ""
            )
        else:
            why = f"a build tag is only allowed after `==`, so {'pip and uv refuse' if p.tool == 'pip' else p.tool + ' refuses'} it"
        routed = bool(p.routes_of(req))
        yield found(
            "TS201",
            req.where,
            f"`{req.name}` {req.text.strip()} puts the build tag `+{specs.label(clause.version)}` in a range: {why}",
            f"Drop the tag: `{req.name}` `{re.sub(r'[+][A-Za-z0-9.]+', '', req.text.strip())}`"
            + (
                " (the source already chooses the build)"
                if routed
                else f", and choose the build with an index, or pin `=={clause.version}`"
            )
            + p.relocked(),
            fix=v.edit(req.where.path, f"drop the build tag from {req.name}", fixes.drop_label(req)),
        )


def label_without_index(p: Project, v: View) -> Findings:
    """TS202: a build tag that the public registry does not have, and no index that could."""
    if p.tool not in ("pip", "uv", "Poetry", "PDM", "Pipenv", "pyproject", "setuptools", "conda", "Hatch") or (
        p.dynamic and p.tool in ("pip", "Hatch")
    ):
        return
    missing: set[Location] | None = None
    said: set[tuple[str, str]] = set()
    behind = {fact.where for fact in p.facts if fact.code == "TS119"}  # its remedy gives the line the index
    for req in p.requirements:
        if req.name not in FAMILY or req.url or req.role not in (DIRECT, CONSTRAINT):
            continue
        tag = req.tag()
        if not tag or req.where in behind or p.routes_of(req) or v.table.never(tag):
            continue
        serving = [index for index in p.indexes if p.serves(index, req.name) or index.role == LINKS]
        if any(not _lacks(index, tag) for index in serving):
            continue
        if _given_elsewhere(p, v, req.where.path) or (_extra_of_pip(p, req) and v.index_given_for_extra(req.env.name)):
            continue
        if missing is None:
            missing = {finding.where for finding in unpublished_build(p, v)}
        if req.where in missing:
            continue  # TS207 says it, and that no index can help
        version = req.spec.pin()
        address = f"https://download.pytorch.org/whl/{'nightly/' if '.dev' in version else ''}{tag}"
        remedy = _served_by(p, req, address)
        severity: Severity | None = None
        if p.tool == "pip":
            from gatepost.rules.torch_source.versions import compiled

            lasting = compiled.advice(v, req.where.path, address)
            if lasting and (req.where.path, tag) in said:
                continue  # one option mends them all
            said.add((req.where.path, tag))
            remedy = lasting or remedy
            if compiled.command(v, req.where.path) and not v.install_tools(req.where.path):
                severity = "warning"  # a copy for others to read, perhaps
        yield found(
            "TS202",
            req.where,
            f"`{req.name}=={version}+{tag}` is not on PyPI, and no index here has it: it cannot be installed",
            remedy,
            severity=severity,
        )


def _given_elsewhere(p: Project, v: View, path: str) -> bool:
    """Whether what is outside of a manifest, such as the command that installs it, may give the index of a build."""
    if p.tool == "pip":
        from gatepost.rules.torch_source import constrained
        from gatepost.rules.torch_source.versions import compiled

        return (
            v.index_given_for(p.path)
            or v.index_given_for(path)
            or _given_by_includer(p, v, path)
            or constrained.beside_an_index(path, v)
            or compiled.given(v, path)
        )
    if p.tool in ("pyproject", "setuptools"):
        return p.settings_torch_backend is not None or v.index_given_for("pyproject.toml")
    return p.tool == "conda" and v.pip_conf()


def _extra_of_pip(p: Project, req: Requirement) -> bool:
    """Whether a requirement is of an extra that pip installs, and no tool with indexes of its own."""
    return p.tool in ("pyproject", "setuptools") and req.env.kind == EXTRA


def _served_by(p: Project, req: Requirement, address: str) -> str:
    """How the tool of a project is told of an index for one package."""
    if _extra_of_pip(p, req):  # a source for it would hold for every other extra too
        return f'Say in the README how to install it: `pip install ".[{req.env.name}]" --extra-index-url {address}`.'
    return {
        "pip": f"Add a line `--extra-index-url {address}` to the file.",
        "Hatch": f'Set `PIP_EXTRA_INDEX_URL = "{address}"` under `env-vars`.',
        "conda": f"Add `- --extra-index-url {address}` above it in the pip: list.",
        "Poetry": f'Add a [[tool.poetry.source]] with `url = "{address}"` and `priority = "explicit"`, and `source =` here, then run `poetry lock`.',
        "Pipenv": f'Add a [[source]] with `url = "{address}"` and `index =` here, then run `pipenv lock`.',
        "PDM": f'Add a [[tool.pdm.source]] with `url = "{address}"`, then run `pdm lock`.',
    }.get(
        p.tool,
        f'Add [[tool.uv.index]] with `url = "{address}"` and `explicit = true`, and route `{req.name}` in [tool.uv.sources], then run `{p.semantics().relock}`.',
    )


def _lacks(index: Index, tag: str) -> bool:
    """Whether an index is PyTorch's own of another build, so that it cannot have this one."""
    parts = index.parts()
    return (
        parts.official
        and index.role != LINKS
        and not parts.channel
        and urls.tag_of(index.tag()) != ""
        and index.tag() != tag
    )


def _given_by_includer(p: Project, v: View, path: str) -> bool:
    """Whether a file that includes this one names an index."""
    return any(
        other.tool == "pip"
        and other.path != p.path
        and path in other.files
        and any(index.role in (DEFAULT, SHARED, LINKS) for index in other.indexes)
        for other in v.projects
    )
