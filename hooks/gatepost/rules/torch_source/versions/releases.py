"""TS216, TS217, TS218: which release of which name is asked for at all."""

from __future__ import annotations

import re

from gatepost.model import Location
from gatepost.rules.torch_source import fixes, specs, urls
from gatepost.rules.torch_source.model import (
    DEFAULT,
    DIRECT,
    ROUTED,
    SHARED,
    fold,
)
from gatepost.rules.torch_source.routing.options import extra_index
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def nightly(p: Project, v: View) -> Findings:
    """TS216: nightly or test builds."""
    if v.nightly():
        return
    merged: set[Location] = set()
    if any(index.role in (SHARED, DEFAULT) and index.parts().channel for index in p.indexes):
        merged = {one.where for one in extra_index(p, v) if one.code == "TS122"}  # it says the worse, and mends both
    for index in p.indexes:
        if index.where in merged:
            continue
        channel = index.parts().channel
        unused = index.role == ROUTED and all(route.index != index.name for route in p.routes)  # TS102 says so
        if channel in ("nightly", "test") and not unused:
            why = (
                "its builds are deleted after some weeks"
                if channel == "nightly"
                else "it holds release candidates, which no release need keep to"
            )
            alone = index.role == DEFAULT and not any(urls.is_pypi(other.url) for other in p.indexes)
            if index.role != ROUTED and not alone:
                why += ", and its names may be free on PyPI (torchtriton, December 2022)"
            yield found(
                "TS216",
                index.where,
                f"{urls.show(index.url)} is PyTorch's {channel} index: {why}",
                "Use a release index, or allow it with `nightly = true` under [tool.gatepost.torch-source].",
            )
    if "pytorch-nightly" in p.channels:
        yield found(
            "TS216",
            Location(path=p.path),
            "`pytorch-nightly` is PyTorch's nightly channel: its builds are deleted after some weeks",
            "Use conda-forge, or allow it with `nightly = true` under [tool.gatepost.torch-source].",
        )


def yanked(p: Project, v: View) -> Findings:
    """TS217: a companion release that was withdrawn."""
    overlay = v.table.overlay["yanked"]
    for req in p.requirements:
        known = overlay.get(req.name)
        version = req.spec.pin()
        if not isinstance(known, dict) or not version or req.role == "conda":
            continue
        better = next((new for old, new in known.items() if specs.key(old) == specs.key(version)), "")
        if better:
            label = f"+{req.tag()}" if req.tag() else ""
            elsewhere = _of_pytorch_alone(p, req)
            yield found(
                "TS217",
                req.where,
                f"`{req.name}` {version} was withdrawn from PyPI"
                + ("; PyTorch's index still has it" if elsewhere else ""),
                f"Pin `{req.name}` {better}{label}" + p.relocked(),
                severity="warning" if elsewhere else None,
                fix=v.edit(req.where.path, f"pin {req.name} {better}", fixes.replace_version(req, better)),
            )


def _of_pytorch_alone(p: Project, req: Requirement) -> bool:
    """Whether a pin is served by PyTorch's own index, where nothing is withdrawn."""
    routed = [p.index(route.index) for route in p.routes_of(req) if route.index]
    serving = routed or [index for index in p.indexes if index.role == DEFAULT or req.tag()]
    return any(index is not None and index.parts().official for index in serving)


def wrong_name(p: Project, v: View) -> Findings:
    """TS218: a name on PyPI that is not PyTorch's."""
    names = v.table.overlay["wrong_names"]
    for req in p.requirements:
        if req.role != DIRECT or req.url or req.name not in names or req.name == "source" or p.routes_of(req):
            continue
        right = names[req.name]
        place = req.whole or req.span
        changes: list[tuple[int, int, str]] = []
        if place is not None and not req.hashed:
            data = v.tree.read(req.where.path)
            text = data.decode("utf-8", "replace") if data else ""
            start, end = place
            hit = re.match(r"\s*[A-Za-z0-9._-]+", text[start:end])
            key = re.search(r"""([A-Za-z0-9._-]+)["']?[ \t]*=[ \t]*["']?$""", text[:start].rpartition("\n")[2])
            if key is not None and fold(key[1]) == req.name:  # a table of TOML: the name is the value's key
                begin = text.rfind("\n", 0, start) + 1 + key.start(1)
                changes = [(begin, begin + len(key[1]), right)]
            elif hit is not None and fold(hit[0].strip()) == req.name:
                changes = [(start, start + hit.end(), right)]
        yield found(
            "TS218",
            req.where,
            f"`{req.name}` on PyPI is not PyTorch",
            f"Ask for `{right}`.",
            fix=v.edit(req.where.path, f"ask for {right}", changes),
        )
