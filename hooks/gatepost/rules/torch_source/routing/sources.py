"""TS114, TS115, TS118, TS124: the reach of one source: marker, extra, group, platform, published metadata."""

from __future__ import annotations

import itertools
import re

from gatepost.patterns import pattern
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
from gatepost.rules.torch_source.versions.ranges import asks
from gatepost.rules.torch_source.view import found

_CHOOSES = pattern(r"download\.pytorch\.org/whl/\w|--torch-backend|UV_TORCH_BACKEND")
_ARM_BOARD = pattern(r"jetson|jetpack|tegra|l4t|orin|xavier|aarch64|arm64")
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding, Location
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
    if p.tool != "uv" or p.dynamic or not p.title:  # a root without [project] has sources for its members alone
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
    if not p.published or p.tool not in ("Poetry", "uv") or any(_holds(other, p) for other in v.projects):
        return
    if _told(p, v) or not _introduced(p, v):
        return
    for req in p.family():
        if req.env.kind in (MAIN, EXTRA) and any(route.index for route in p.routes_of(req)) and p.own(req.where):
            label = req.spec.exact_label()
            yield found(
                "TS118",
                req.where,
                f"the source of `{req.name}` is for this checkout only: whoever installs the published package "
                + (f"finds no `{asks(req)}` on PyPI" if label else "gets PyPI's build"),
                "Say in the README how to choose the build, or ignore this if the package is not published.",
            )
            return


_METADATA = re.compile(
    rb"^[ \t]*(?:classifiers|keywords|readme|license|homepage|repository|documentation)[ \t]*=|^\[(?:project|tool\.poetry)\.urls\]",
    re.MULTILINE,
)
_PUBLISHES = re.compile(rb"pypi-publish|\b(?:twine upload|(?:uv|poetry|hatch|flit|pdm) publish)\b")


def _introduced(p: Project, v: View) -> bool:
    """Whether the metadata speak to others, as a package's do that is published, or a workflow or script publishes."""
    return _METADATA.search(v.tree.read(p.path) or b"") is not None or any(
        _PUBLISHES.search(v.tree.read(path) or b"")
        for path in v.tree.paths()
        if path.startswith(".github/workflows/")
        or path.rpartition("/")[2] in ("Makefile", "justfile", ".gitlab-ci.yml")
    )


def _told(p: Project, v: View) -> bool:
    """Whether the README says how to choose the build, or some page that the project is not published."""
    name = r"[-_. ]".join(re.escape(part) for part in re.split(r"[-_. ]+", p.title)) if p.title else "(?!)"
    unpublished = re.compile(
        rf"\b{name}`? is \W{{0,2}}not\W{{0,2}} (?:yet )?(?:published |available |released )?(?:on|to) PyPI\b",
        re.IGNORECASE,
    )
    folder = p.root + "/" if p.root else ""
    return any(
        (where.startswith(f"{folder}README") and _CHOOSES.search(text)) or unpublished.search(text)
        for where, text in v.installers()
        if where.endswith((".md", ".rst", "README"))
    )


def _holds(outer: Project, p: Project) -> bool:
    """Whether a project stands inside the package of another that is published: an example, shipped with it."""
    root = outer.root + "/" if outer.root else ""
    if not outer.published or not p.root.startswith(root) or p.root == outer.root:
        return False
    package = p.root[len(root) :].removeprefix("src/").partition("/")[0]
    return bool(outer.title) and fold(package) == fold(outer.title)


def one_platform_url(p: Project, v: View) -> Findings:
    """TS124: a wheel of one platform, asked for everywhere."""
    for name, url, marker, where, place in (
        *(
            (req.name, req.url, req.marker, req.where, _written(req.where))
            for req in p.requirements
            if req.role == DIRECT
        ),
        *(
            (
                route.package,
                route.url.removeprefix("url:"),
                route.marker or _everywhere(p, route.package),
                route.where,
                'marker = "{}"',
            )
            for route in p.routes
            if route.url.startswith("url:")
        ),
    ):
        if "://" not in url or p.linux_only or (not p.own(where) and p.tool == "uv"):
            continue
        served = wheel_platforms(url)
        if name not in FAMILY and not (_built_for_torch(url) and _torch_elsewhere(p, name, served)):
            continue
        words = re.split(r"[^A-Za-z0-9]+", where.path.lower())
        stated = names_system(words)
        if stated and all(platform.startswith(stated) for platform in served):
            continue
        if served == {"linux_aarch64"} and any(_ARM_BOARD.match(word) for word in words):
            continue
        if not served or len(served) >= 4 or markers.names(marker) or p.environments:
            continue
        marker = place.format(_marker(served))
        yield found(
            "TS124",
            where,
            f"`{name}` is a wheel for {', '.join(sorted(served))} only, but no marker says so: installing fails elsewhere"
            + ("" if name in FAMILY else ", where torch has an index of its own"),
            f"Add a marker, such as `{marker}`, or use an index.",
            severity="info" if "docs" in where.path.split("/")[:-1] else None,  # built on Linux, by nature
        )


def _written(where: Location) -> str:
    """How a requirement at a place writes its marker."""
    return 'markers = "{}"' if where.key.startswith("tool.poetry.") else "; {}"


def _everywhere(p: Project, name: str) -> str:
    """The marker that keeps every request for `name` to some platform, "" where one is for all of them."""
    asked = [req.marker for req in p.named(name)]
    return asked[0] if asked and all(markers.names(marker) for marker in asked) else ""


def _built_for_torch(url: str) -> bool:
    """Whether the label of a wheel names the torch or CUDA it was built for: `+pt211cu128`, `+cu128torch2.11`."""
    name = url.rsplit("/", 1)[-1].replace("%2B", "+").replace("%2b", "+")
    return re.search(r"\+[^-]*(?:cu|pt|torch|rocm)\d", name) is not None


def _torch_elsewhere(p: Project, name: str, served: set[str]) -> bool:
    """Whether the project installs `name` by default on a system that its sources choose a torch for by a marker."""
    others = [
        platform
        for platform, _ in markers.PLATFORMS
        if platform.split("_")[0] not in {one.split("_")[0] for one in served}
    ]
    torch = [
        route.marker for route in p.routes if route.package == "torch" and route.index and markers.names(route.marker)
    ]
    asked = [req for req in p.named(name) if not req.env.optional and not req.optional]
    return any(
        markers.possible(marker, platform) and any(markers.possible(req.marker, platform) for req in asked)
        for marker in torch
        for platform in others
    )


def _marker(served: set[str]) -> str:
    """The marker of a wheel's platforms; with the machine where it is for one machine of a system that has several."""
    first = min(served)
    system = "linux" if first.startswith("linux") else "win32" if first.startswith("win") else "darwin"
    machine = f" and platform_machine == '{first.partition('_')[2]}'" if len(served) == 1 and system != "win32" else ""
    return f"sys_platform == '{system}'{machine}"
