"""TS114, TS115, TS118, TS124: the reach of one source: marker, extra, group, platform, published metadata."""

from __future__ import annotations

import itertools
import re

from gatepost.rules.torch_source import markers
from gatepost.rules.torch_source.model import (
    DIRECT,
    EXTENDED,
    EXTRA,
    FAMILY,
    GROUP,
    MAIN,
    fold,
    wheel_platforms,
)
from gatepost.rules.torch_source.table import names_system
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def in_scope(p: Project, package: str, kind: str, name: str) -> bool:
    return any(
        req.name == package and req.env.kind == kind and fold(req.env.name) == fold(name) for req in p.requirements
    )


def sources_overlap(p: Project, v: View) -> Findings:
    """TS114: several sources of one package whose markers are missing or overlap (uv compares neighbours)."""
    if p.tool != "uv":
        return
    for name in sorted({route.package for route in p.routes if route.package in EXTENDED}):
        routes = [route for route in p.routes if route.package == name and p.own(route.where)]
        for left, right in itertools.pairwise(routes):
            if left.where.key.rpartition("[")[0] != right.where.key.rpartition("[")[0]:
                continue
            if left.extra != right.extra or left.group != right.group:
                continue
            if left.marker and right.marker and not markers.overlap(left.marker, right.marker):
                continue
            lacking = next((route for route in (left, right) if not route.marker), None)
            what = "one of them has no marker" if lacking else "their markers overlap"
            yield found(
                "TS114",
                (lacking or right).where,
                f"`{name}` has several sources and {what}: uv refuses the file",
                "Give each source a `marker` that excludes the others, such as \"sys_platform == 'linux'\" and \"sys_platform != 'linux'\".",
            )


def scope_missing(p: Project, v: View) -> Findings:
    """TS115: a source limited to an extra or group that does not have the package."""
    if p.tool != "uv" or p.dynamic:
        return
    for route in p.routes:
        if route.package not in EXTENDED or not p.own(route.where):
            continue
        for kind, name in ((EXTRA, route.extra), (GROUP, route.group)):
            if name and not in_scope(p, route.package, kind, name):
                exists = any(req.env.kind == kind and fold(req.env.name) == fold(name) for req in p.requirements)
                if not exists and kind == GROUP and _includes(v, p, name):
                    continue
                if exists and kind == GROUP and _includes(v, p, name):
                    continue
                yield found(
                    "TS115",
                    route.where,
                    f"this source of `{route.package}` is for {kind} `{name}`, which {'does not have the package' if exists else 'does not exist'}: uv refuses the file",
                    f"Add `{route.package}` to {kind} `{name}`, or correct the name.",
                )


def _includes(v: View, p: Project, group: str) -> bool:
    data = v.tree.read(p.path)
    return data is not None and b"include-group" in data


def lost_on_publish(p: Project, v: View) -> Findings:
    """TS118: a source never reaches the metadata of a published distribution."""
    if not p.published or p.tool not in ("Poetry", "uv"):
        return
    for req in p.family():
        if req.env.kind in (MAIN, EXTRA) and any(route.index for route in p.routes_of(req)) and p.own(req.where):
            yield found(
                "TS118",
                req.where,
                f"the source of `{req.name}` is for this checkout only: whoever installs the published package gets PyPI's build",
                "Say in the README how to choose the build, or ignore this if the package is not published.",
            )
            return


def one_platform_url(p: Project, v: View) -> Findings:
    """TS124: a wheel of one platform, asked for everywhere."""
    for name, url, marker, where in (
        *((req.name, req.url, req.marker, req.where) for req in p.requirements if req.role == DIRECT),
        *(
            (route.package, route.url.removeprefix("url:"), route.marker, route.where)
            for route in p.routes
            if route.url.startswith("url:")
        ),
    ):
        if name not in FAMILY or "://" not in url or p.linux_only or (not p.own(where) and p.tool == "uv"):
            continue
        served = wheel_platforms(url)
        stated = names_system(re.split(r"[^A-Za-z0-9]+", where.path))
        if stated and all(platform.startswith(stated) for platform in served):
            continue
        if not served or len(served) >= 4 or markers.names(marker) or p.environments:
            continue
        yield found(
            "TS124",
            where,
            f"`{name}` is a wheel for {', '.join(sorted(served))} only, but no marker says so: installing fails elsewhere",
            f"Add a marker, such as `; sys_platform == '{_sys(served)}'`, or use an index.",
            severity="info" if "docs" in where.path.split("/")[:-1] else None,  # built on Linux, by nature
        )


def _sys(served: set[str]) -> str:
    first = min(served)
    return "linux" if first.startswith("linux") else "win32" if first.startswith("win") else "darwin"
