"""TS209, TS210, TS211, TS219: builds asked for on platforms that have none, markers that leave one out."""

from __future__ import annotations

import re

from gatepost.model import Location
from gatepost.rules.torch_source import fixes, markers, urls
from gatepost.rules.torch_source.model import (
    CONSTRAINT,
    DIRECT,
    EXTENDED,
    EXTRA,
    FAMILY,
    GROUP,
    MAIN,
    SCRIPT,
)
from gatepost.rules.torch_source.versions.ranges import tightened
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def gpu_everywhere(p: Project, v: View) -> Findings:
    """TS209: a GPU index for every platform, though macOS has no such build."""
    if p.tool not in ("uv", "Poetry") or p.environments or p.linux_only or p.required:
        return
    for route in p.routes:
        if route.package != "torch" or not route.index or route.extra or route.group or not p.own(route.where):
            continue
        index = p.index(route.index)
        if index is None or not index.parts().official or urls.kind(index.tag()) not in ("cuda", "rocm", "xpu"):
            continue
        if route.env is not None and (route.env.kind == EXTRA or route.env.kind == GROUP):
            continue
        if not markers.possible(route.marker, "macos_arm64"):
            continue
        reqs = [req for req in p.requirements if req.name == "torch" and req.role == DIRECT]
        reqs = [req for req in reqs if route.env is None or req.where == route.where]
        member = None
        if not any(map(_on_mac, reqs)):
            reqs = [req for req in _of_members(p, v) if _on_mac(req)] if route.env is None else []
            if not reqs:
                continue
            member = reqs[0].where.path
        fix = None
        if (
            p.tool == "uv"
            and not route.marker
            and route.span is not None
            and len([r for r in p.routes if r.package == "torch"]) == 1
        ):
            fix = v.edit(route.where.path, "limit the GPU index to Linux and Windows", _add_markers(p, v, index.name))
        yield found(
            "TS209",
            route.where,
            f"`torch` comes from `{index.name}` ({index.tag()}) on every platform, but macOS has no {index.tag()} build: {f'uv sync --all-packages fails there, for {member}' if member else f'{p.semantics().install} fails there'}",
            "Limit the source: `marker = \"sys_platform == 'linux' or sys_platform == 'win32'\"`"
            + (
                " (or set `environments` under [tool.uv] if only Linux counts)."
                if p.tool == "uv" and reqs[0].env.kind != SCRIPT
                else "."
            ),
            fix=fix,
        )


def _on_mac(req: Requirement) -> bool:
    """Whether macOS installs a requirement, without any extra or group."""
    return (
        req.env.kind in (MAIN, SCRIPT)
        and markers.possible(req.marker, "macos_arm64")
        and not markers.extra_names(markers.parse(req.marker))
        and not req.optional
    )


def _of_members(p: Project, v: View) -> list[Requirement]:
    """The members' requirements on torch, of those without a source of their own: the workspace's sources hold for them."""
    own = {
        other.path
        for other in v.projects
        for route in other.routes
        if route.package == "torch" and other.own(route.where)
    }
    return [req for req in p.foreign if req.name == "torch" and req.role == DIRECT and req.where.path not in own]


def _add_markers(p: Project, v: View, index: str) -> list[tuple[int, int, str]]:
    changes = []
    doc = fixes.document(v, p.path)
    if doc is None:
        return []
    for route in p.routes:
        if (
            route.index != index
            or route.package not in EXTENDED
            or route.marker
            or route.span is None
            or route.extra
            or route.group
            or not p.own(route.where)
        ):
            continue
        start, end = route.span
        raw = doc.text[start:end]
        if raw[:1] != "{":
            return []
        body = raw[1:-1].rstrip().rstrip(",")
        changes.append((start, end, "{" + body + ", marker = \"sys_platform == 'linux' or sys_platform == 'win32'\" }"))
    return changes


def tag_on_mac(p: Project, v: View) -> Findings:
    """TS210: a build tag pinned where macOS counts, which has no tagged wheels."""
    for req in p.requirements:
        if req.name not in FAMILY or req.url or req.role not in (DIRECT, CONSTRAINT) or not req.tag():
            continue
        if (
            p.environments
            or p.linux_only
            or (not markers.possible(req.marker, "macos_arm64") and not markers.possible(req.marker, "macos_x86_64"))
        ):
            continue
        explicit = markers.mentions(req.marker, "darwin")
        if not explicit and (
            not p.semantics().universal
            or req.env.optional
            or req.env.kind in (GROUP, EXTRA)
            or markers.extra_names(markers.parse(req.marker))
        ):
            continue
        if not explicit and req.env.kind not in (MAIN, SCRIPT):
            continue
        doc = fixes.document(v, req.where.path) if req.where.path.endswith(".toml") else None
        changes = fixes.marker_of(req, "sys_platform != 'darwin'", doc) if not req.marker else []
        yield found(
            "TS210",
            req.where,
            f"`{req.name}=={req.spec.pin()}+{req.tag()}` {'is asked for on macOS' if explicit else 'is asked for on every platform'}, but macOS wheels carry no build tag",
            "Drop the tag for macOS, or add the marker `sys_platform != 'darwin'`" + p.relocked(),
            severity="error" if explicit else "warning",
            fix=v.edit(req.where.path, f"leave macOS out of {req.name}", changes),
        )


def machine_name(p: Project, v: View) -> Findings:
    """TS211: `platform_machine == 'x86_64'` is false on 64-bit Windows, whose name is AMD64."""
    seen: set[Location] = set()
    for name, marker, where, is_route in (
        *((req.name, req.marker, req.where, False) for req in p.requirements if req.role == DIRECT),
        *((route.package, route.marker, route.where, route.env is None) for route in p.routes),
    ):
        if (
            name not in FAMILY
            or "x86_64" not in marker
            or "platform_machine" not in marker
            or where in seen
            or (not p.own(where) and p.tool == "uv")
        ):
            continue
        node = markers.parse(marker)
        values = dict(next(values for platform, values in markers.PLATFORMS if platform == "win_amd64"))
        if any(
            markers.evaluate(
                node,
                {
                    **values,
                    "python_version": python,
                    "python_full_version": python + ".5",
                    "platform_machine": "x86_64",
                },
            )
            is True
            and markers.evaluate(node, {**values, "python_version": python, "python_full_version": python + ".5"})
            is False
            for python in markers.PYTHONS
        ):
            others = (
                [other.marker for other in p.routes if other.package == name and other.where != where]
                if is_route
                else [
                    other.marker
                    for other in p.requirements
                    if other.name == name and other.where != where and other.role == DIRECT
                ]
            )
            if any(markers.possible(other, "win_amd64") for other in others):
                continue
            if p.environments and not any(markers.possible(env, "win_amd64") for env in p.environments):
                continue
            if p.tool == "pip" and v.in_container(where.path):
                continue
            seen.add(where)
            yield found(
                "TS211",
                where,
                f"the marker of `{name}` leaves 64-bit Windows out: platform_machine is `AMD64` there, not `x86_64`",
                "Write `(platform_machine == 'x86_64' or platform_machine == 'AMD64')`, or say `sys_platform == 'linux'` if Windows is not meant.",
                fix=v.edit(where.path, "let the marker hold on 64-bit Windows", _machine_edit(p, v, name, where)),
            )


def _machine_edit(p: Project, v: View, name: str, where: Location) -> list[tuple[int, int, str]]:
    spans = [
        span
        for item, span in (
            *((req.where, req.whole) for req in p.requirements if req.name == name),
            *((route.where, route.span) for route in p.routes if route.package == name),
        )
        if item == where and span is not None
    ]
    data = v.tree.read(where.path)
    if not spans or data is None:
        return []
    text = data.decode("utf-8", "replace")
    start, end = spans[0]
    hits = list(re.finditer(r"platform_machine\s*==\s*(['\"])x86_64\1", text[start:end]))
    if len(hits) != 1:
        return []
    hit = hits[0]
    quote = hit[1]
    return [
        (
            start + hit.start(),
            start + hit.end(),
            f"(platform_machine == {quote}x86_64{quote} or platform_machine == {quote}AMD64{quote})",
        )
    ]


def intel_mac(p: Project, v: View) -> Findings:
    """TS219: Intel Macs have no torch since 2.3."""
    table = v.table
    for req in p.named("torch"):
        if req.url or req.spec.broken or not markers.possible(req.marker, "macos_x86_64"):
            continue
        named = markers.mentions(req.marker, "darwin") and not markers.possible(req.marker, "linux_x86_64")
        required = any(
            markers.mentions(env, "darwin") and "x86_64" in env and markers.possible(env, "macos_x86_64")
            for env in p.required
        )
        if not named and not required:
            continue
        rows, _unknown = table.torch_rows(tightened(p, req))
        if any("macos_x86_64" in row.python for row in rows) or not rows:
            continue
        if named and markers.platforms(req.marker) != ("macos_x86_64",):
            continue
        yield found(
            "TS219",
            req.where,
            f"`torch{req.text.strip()}` is asked for on Intel Macs, whose last wheel is torch 2.2.2",
            "Ask for `torch==2.2.2` there (`; sys_platform == 'darwin' and platform_machine == 'x86_64'`), or leave Intel Macs out.",
        )
