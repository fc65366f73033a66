"""TS105, TS106, TS107, TS109, TS110: how PyTorch's index stands beside the public registry."""

from __future__ import annotations

from gatepost.patterns import pattern
from gatepost.rules.torch_source import fixes, urls
from gatepost.rules.torch_source.model import (
    DEFAULT,
    FALLBACK,
    LIMITED,
    ROUTED,
    SHARED,
)
from gatepost.rules.torch_source.routing.options import CONFUSION
from gatepost.rules.torch_source.view import found

_UV_PIP = pattern(r"\buv\s+pip\s+(?:install|sync|compile)\b")
_UV_LOCKS = pattern(r"\buv\s+(?:sync|lock)\b")
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Index, Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def index_not_explicit(p: Project, v: View) -> Findings:
    """TS105, TS106, TS107: how PyTorch's index stands beside the public registry."""
    if p.tool not in ("Poetry", "uv", "PDM", "Pipenv"):
        return
    for index in p.torch_indexes():
        if not p.own(index.where):
            continue
        name = index.name or urls.show(index.url)
        if index.role == FALLBACK and p.tool == "uv":
            yield _after_pypi(p, v, index, name)
            continue
        if index.role == FALLBACK:
            shadowed = [req for req in p.family() if not p.routes_of(req) and not req.url and not req.spec.labels()]
            if shadowed:
                fix = v.edit(p.path, f"make {name} explicit and route torch to it", fixes.make_explicit(v, p, index))
                yield found(
                    "TS107",
                    shadowed[0].where,
                    f"`{shadowed[0].name}` has no `source =` and `{name}` is {index.written}: PyPI has a match, so Poetry never asks `{name}`",
                    f'Write `source = "{name}"` on `{shadowed[0].name}` and `priority = "explicit"` on the source, then run `poetry lock`.',
                    fix=fix,
                )
                continue
        if index.role == DEFAULT and p.tool != "pip":
            yield found(
                "TS106",
                index.where,
                f"`{name}` stands in for PyPI, so every package "
                + (
                    "that PyTorch's stale mirror has too is taken from there"
                    if any(other.role == "pypi" for other in p.indexes)
                    else "is taken from PyTorch's stale mirror or not found"
                ),
                _default_remedy(p, name),
            )
        elif index.role in (SHARED, FALLBACK):
            fix = (
                v.edit(p.path, f"make {name} explicit", fixes.make_explicit(v, p, index))
                if p.tool in ("uv", "Poetry")
                else None
            )
            if p.tool == "PDM":
                fix = v.edit(p.path, f"limit {name} to PyTorch's packages", _include(v, p, index))
            yield found(
                "TS105",
                index.where,
                f"`{name}` is asked for every package, not only for PyTorch: {_why_shared(p, index)}"
                + (CONFUSION if (torchtriton := _merged_nightly(p, v, index)) else ""),
                _explicit_remedy(p, name),
                severity="error" if torchtriton else None,
                fix=fix,
            )


def _after_pypi(p: Project, v: View, index: Index, name: str) -> Finding:
    """TS105 of an index that uv asks after PyPI: not even torch comes from it, unless it is routed there."""
    bare = [req for req in _bare(p) if not req.spec.labels()]
    return found(
        "TS105",
        index.where,
        f"`{name}` is listed beside PyPI, which uv asks first: "
        + (f"it takes `{bare[0].name}` from PyPI" if bare else f"what PyPI does not have is asked of `{name}`"),
        _explicit_remedy(p, name)
        if bare
        else "Write `explicit = true` on the index"
        + (" instead of `default = true`" if index.written == "default" else "")
        + ", then run `uv lock`.",
        severity=None if bare else "info",
        fix=v.edit(p.path, f"make {name} explicit", fixes.make_explicit(v, p, index)),
    )


def _bare(p: Project) -> list[Requirement]:
    """PyTorch's packages that no route sends anywhere."""
    return [req for req in p.family() if not p.routes_of(req) and not req.url]


def _merged_nightly(p: Project, v: View, index: Index) -> bool:
    return p.semantics().merges and bool(index.parts().channel) and not v.nightly()


def _why_shared(p: Project, index: Index) -> str:
    if p.tool == "uv":
        if p.strategy == "unsafe-best-match":
            return "uv takes each package's highest version, from whichever index has it"
        return "uv takes numpy, filelock and the like from its stale mirror"
    if index.role == FALLBACK:
        return "Poetry asks it whenever PyPI has no match"
    return f"{p.tool} merges it with PyPI"


def _explicit_remedy(p: Project, name: str) -> str:
    if p.tool == "uv" and "://" in name:  # `index-url`, `extra-index-url`: an index without a name
        return (
            "Write it as [[tool.uv.index]] with a `name`, this `url` and `explicit = true`, and route torch to that name "
            f"in [tool.uv.sources], then run `{p.semantics().relock}`."
        )
    routed = bool(p.family()) and not _bare(p)
    to_do = "" if routed else f" and route torch to `{name}` in [tool.uv.sources]"
    sourced = "" if routed else " and `source =` on torch and its companions"
    return {
        "uv": f"Add `explicit = true` to the index{to_do}, then run `{p.semantics().relock}`.",
        "Poetry": f'Write `priority = "explicit"` on the source{sourced}, then run `poetry lock`.',
        "PDM": 'Add `include_packages = ["torch", "torchvision", "torchaudio"]` to the source, then run `pdm lock`.',
    }.get(p.tool, "Route only PyTorch's packages to it.")


def _default_remedy(p: Project, name: str) -> str:
    if p.tool == "Pipenv":
        return f'Put PyPI first among the [[source]] entries and write `index = "{name}"` on torch, then run `pipenv lock`.'
    return _explicit_remedy(p, name)


def _include(v: View, p: Project, index: Index) -> list[tuple[int, int, str]]:
    doc = fixes.document(v, p.path)
    if doc is None:
        return []
    for statement in doc.statements:
        if statement.path[:3] == ("tool", "pdm", "source") and statement.path[-1:] == ("url",):
            if index.url in doc.text[statement.value_start : statement.value_end]:
                return fixes.add_key(
                    doc,
                    statement.path[:-1],
                    'include_packages = ["torch", "torchvision", "torchaudio", "pytorch-*", "nvidia-*"]',
                )
    return []


def _locked_with_uv(p: Project, v: View) -> bool:
    """Whether uv locks the project: its lock is there, or an image or job that is no page runs `uv sync` for it."""
    return any(lock.format == "uv.lock" for lock in p.locks) or any(
        _UV_LOCKS.search(text)
        for path, text in v.installers()
        if not path.endswith((".md", ".rst", ".txt")) and (not p.root or path.startswith(p.root + "/"))
    )


def unsafe_strategy(p: Project, v: View) -> Findings:
    """TS109, TS110: settings of uv that undo or do not do what they seem to."""
    if p.tool != "uv":
        return
    if p.strategy in ("unsafe-best-match", "unsafe-first-match") and p.indexes:
        index = p.indexes[0]
        where = index.where
        doc = fixes.document(v, p.path)
        for path in (("tool", "uv", "index-strategy"), ("tool", "uv", "pip", "index-strategy")):
            line = doc.line(path) if doc is not None else None
            if line is not None:
                from gatepost.model import Location

                where = Location(path=p.path, line=line, key=".".join(path))
        if all(one.role in (ROUTED, LIMITED) for one in p.indexes):
            yield found(
                "TS109",
                where,
                f'`index-strategy = "{p.strategy}"` changes nothing while every index here is explicit, and would let the next one serve any package',
                "Remove `index-strategy`.",
                severity="info",
            )
        else:
            yield found(
                "TS109",
                where,
                f'`index-strategy = "{p.strategy}"` lets any index serve any package by the highest version, as in the torchtriton attack',
                "Remove `index-strategy` and route PyTorch's packages with an explicit index, then run `uv lock`.",
            )
    in_pip = p.settings_torch_backend is not None and ".pip." in f".{p.settings_torch_backend.key}"
    if in_pip and any(_UV_PIP.search(text) for _, text in v.installers()):
        return  # meant for what some script installs with `uv pip`
    if p.settings_torch_backend is not None and _locked_with_uv(p, v):
        direct = p.family()
        if direct and not any(p.routes_of(req) for req in direct):
            yield found(
                "TS110",
                p.settings_torch_backend,
                "`torch-backend` is read by `uv pip` only: `uv lock` and `uv sync` ignore it without a word",
                "Declare the index under [[tool.uv.index]] with `explicit = true` and route torch in [tool.uv.sources], then run `uv lock`.",
            )
