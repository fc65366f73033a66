"""TS301, TS307, TS309: where a locked package really comes from, against what the manifest means."""

from __future__ import annotations

from gatepost.patterns import pattern
from gatepost.rules.torch_source import markers, specs, urls
from gatepost.rules.torch_source.locks.edges import PYTHON_LOCKS, ever_applies, outside_scopes
from gatepost.rules.torch_source.model import (
    DEFAULT,
    DIRECT,
    FAMILY,
    LIMITED,
    SHARED,
)
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Locked, Project, Requirement, Route
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def unserved(p: Project, v: View) -> Findings:
    """TS301: a route of some platforms, and a uv.lock that takes the package from PyPI for all of them."""
    from gatepost.record import replace

    for lock in p.locks if p.tool == "uv" and not p.dynamic else ():
        for name in sorted(FAMILY) if lock.format == "uv.lock" else ():
            entries = [entry for entry in lock.entries if entry.name == name]
            if not entries or any(entry.origin or not entry.known for entry in entries):
                continue
            pairs = [(req, route) for req in p.named(name) for route in p.routes_of(req)]
            for req, route in pairs:
                index = p.index(route.index) if route.index else None
                if req.url or index is None or not index.torch() or not route.marker or route.extra or route.group:
                    continue
                both = f"({req.marker}) and ({route.marker})" if req.marker else route.marker
                if ever_applies(p, replace(req, marker=both)):
                    yield found(
                        "TS301",
                        entries[0].where,
                        f"`{name}` {entries[0].version} is locked from PyPI only, but the manifest takes it from {urls.show(index.url)} where `{route.marker}`",
                        f"Run `{p.semantics().relock}`.",
                        related=(route.where,),
                    )
                    break


def origin(p: Project, v: View) -> Findings:
    """TS301, TS307: the lock's index against the manifest's."""
    for lock in p.locks:
        if (
            lock.format not in PYTHON_LOCKS
            or lock.path == p.path
            or (lock.format == "pdm.lock" and not any(entry.known for entry in lock.entries))
        ):
            continue
        for entry in lock.entries:
            if entry.name not in FAMILY or (not entry.known and not entry.reference):
                continue
            reqs = [
                req
                for req in (*p.requirements, *p.foreign)
                if req.name == entry.name
                and (req.role in (DIRECT, "override") or (req.role == "constraint" and req.text.strip()))
            ]
            if entry.reference and lock.format == "Pipfile.lock" and entry.reference not in dict(lock.sources):
                yield found(
                    "TS307",
                    entry.where,
                    f"the lock takes `{entry.name}` from `{entry.reference}`, which it does not declare",
                    "Declare the source in the Pipfile, then run `pipenv lock`.",
                )
                continue
            if (
                lock.format == "poetry.lock"
                and entry.reference
                and p.index(entry.reference) is None
                and any(urls.same(entry.origin, index.url) for index in p.indexes)
            ):
                yield found(
                    "TS307",
                    entry.where,
                    f"the lock takes `{entry.name}` from `{entry.reference}`, which {p.path} does not declare: poetry install finds no such source",
                    "Run `poetry lock`, or give the source its former name again.",
                )
                continue
            official = list(p.torch_indexes())
            source = entry.origin
            if source and not any(urls.same(source, index.url) for index in p.indexes):
                if not urls.split(source).official:
                    source = ""  # a mirror or proxy of PyPI that the user's own configuration names
                elif p.path_sources and not official:
                    continue  # the source of a path or git dependency
                elif not official and _given(v, source):
                    continue  # what locks it names the index
                else:
                    yield found(
                        "TS301" if official else "TS307",
                        entry.where,
                        f"`{entry.name}` {entry.version} is locked from {urls.show(source)}, which "
                        + (
                            f"is not the index of the manifest ({urls.show(official[0].url)})"
                            if official
                            else "no index in the manifest names"
                        ),
                        f"Run `{p.semantics().relock}`{'' if official else ', or declare the index'}.",
                    )
                    continue
            asking = answered(entry, reqs)
            if reqs and not asking:
                continue  # other packages ask for it, where the manifest does not
            allowed = _allowed(p, entry, asking)
            if allowed is None or (not source and not any(urls.is_torch_index(url) for url in allowed)):
                continue  # between PyPI and a mirror of everything the build is the same
            if not any((not source and not url) or (url and source and urls.same(source, url)) for url in allowed):
                if lock.format == "uv.lock" and not source and outside_scopes(p, v, lock.path, entry):
                    continue
                want = " or ".join(sorted(urls.show(url) if url else "PyPI" for url in allowed))
                yield found(
                    "TS301",
                    entry.where,
                    f"`{entry.name}` {entry.version} is locked from {urls.show(entry.origin) or 'PyPI'}, but the manifest takes it from {want}",
                    f"Run `{p.semantics().relock}`.",
                )


_ASKS = pattern(r"UV_(?:EXTRA_)?INDEX(?:_URL)?\b|UV_DEFAULT_INDEX|--(?:extra-|default-)?index(?:-url)?\b")
_LOCKS = pattern(r"\buv\s+(?:lock|sync|add|run)\b")


def _given(v: View, url: str) -> bool:
    """Whether a script that runs `uv lock` or the like gives it this index, by an option or a variable."""
    return any(
        _LOCKS.search(text) and any(url.rstrip("/") in line and _ASKS.search(line) for line in text.splitlines())
        for _, text in v.installers()
    )


def answered(entry: Locked, reqs: Sequence[Requirement]) -> list[Requirement]:
    """The requests that an entry can answer: by the marker, and by the range, as a lock of Poetry 1 has no markers.

    Where no range admits the entry, the lock is stale, and it answers whatever the marker lets it.
    """
    asking = [req for req in reqs if markers.overlap(req.marker, entry.marker)]
    version = specs.public(entry.version)
    admitting = [req for req in asking if req.role != DIRECT or req.spec.broken or req.spec.admits(version)]
    return admitting if any(req.role == DIRECT for req in admitting) else asking


def _allowed(p: Project, entry: Locked, reqs: list[Requirement]) -> set[str] | None:
    """The addresses an entry may come from ("" is PyPI), or None if it cannot be told."""
    if p.tool == "PDM":  # a source that includes the package is the only one that is asked (PDM 2.26)
        if any(urls.tag_of(specs.label(entry.version)) or "+" in file or "%2B" in file for file in entry.files):
            return None  # a mirror's copy of a labelled build
        return {index.url for index in p.indexes if index.role == LIMITED and p.serves(index, entry.name)} or None
    if p.tool not in ("uv", "Poetry", "Pipenv") or p.dynamic:
        return None
    pool = [index for index in p.indexes if p.serves(index, entry.name)]
    if any(index.role == DEFAULT for index in pool):
        base = {index.url for index in pool}
    else:
        base = {"", *(index.url for index in pool)}
    if (
        p.tool == "uv"
        and pool
        and all(index.torch() for index in pool)
        and any(index.role in (SHARED, DEFAULT) for index in pool)
    ):
        base = {index.url for index in pool if index.role in (SHARED, DEFAULT)}
    if not reqs:
        return None if p.path_sources or p.members else base
    if any(req.url for req in reqs):
        return None
    allowed: set[str] = set()
    applying = [
        route
        for route in p.routes
        if route.package == entry.name and (route.env is None or any(route.where == req.where for req in reqs))
    ]
    if any(route.url for route in applying):
        return None
    for req in reqs:
        routes = list(p.routes_of(req)) if req.role == DIRECT and req in p.requirements else applying
        for route in routes:
            index = p.index(route.index) if route.index else None
            if index is None:
                if p.tool == "Poetry" and route.index.lower() == "pypi":
                    allowed.add("")
                    continue
                return None
            if index.role == "pypi" or urls.is_pypi(index.url):
                allowed.add("")
                continue
            allowed.add(index.url)
        if not routes or (p.tool == "uv" and not covers(routes)):
            if p.semantics().one_per_name and any(
                p.routes_of(other) and markers.overlap(other.marker, req.marker) for other in reqs
            ):
                continue  # one entry serves all groups, from the sourced index
            allowed |= base
    return allowed


_WORLDS = (
    *(values for _, values in markers.environments(("3.10", "3.12", "3.13"))),
    # What locks also resolve for: systems and machines that PyTorch does not publish for.
    {"sys_platform": "freebsd14", "platform_system": "FreeBSD", "os_name": "posix", "platform_machine": "amd64"},
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "riscv64"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "ARM64"},
)


def covers(routes: Sequence[Route]) -> bool:
    """Whether the routes' markers leave no platform out."""
    texts = [route.marker for route in routes]
    if any(not text for text in texts):
        return True
    nodes = [markers.parse(text) for text in texts]
    return all(any(markers.evaluate(node, values) is not False for node in nodes) for values in _WORLDS)


def foreign_files(p: Project, v: View) -> Findings:
    """TS309: the wheels of an entry come from a host that its index does not use."""
    for lock in p.locks:
        for entry in lock.entries:
            if entry.name not in FAMILY:
                continue
            index_host = urls.split(entry.origin).host if entry.origin else ""
            official = urls.split(entry.origin).official if entry.origin else False
            for file in entry.files:
                parts = urls.split(file)
                if not parts.host or not entry.known:
                    continue
                if entry.origin:
                    fine = parts.official if official else True
                else:
                    fine = urls.is_pypi(file) or lock.format in ("pdm.lock", "pylock.toml")
                if fine or parts.host == index_host or parts.host in v.hosts():
                    continue
                yield found(
                    "TS309",
                    entry.where,
                    f"a file of `{entry.name}` {entry.version} is at {parts.host}, not where {urls.show(entry.origin) if entry.origin else 'PyPI'} keeps its files",
                    f"Run `{p.semantics().relock}` without a mirror, or allow the host with `hosts` under [tool.gatepost.torch-source].",
                )
                break
