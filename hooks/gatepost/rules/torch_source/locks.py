"""TS3xx: what the lock really installs, against what the manifest means."""

from __future__ import annotations

from gatepost.rules.torch_source import markers, specs, urls
from gatepost.rules.torch_source.model import (
    DEFAULT,
    DIRECT,
    FAMILY,
    MAIN,
    SHARED,
    url_tag,
    wheel_platforms,
)
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Lock, Locked, Project, Requirement, Route
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]

PYTHON_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml")


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
            allowed = _allowed(p, entry, reqs)
            if allowed is None or (not source and not any(urls.is_torch_index(url) for url in allowed)):
                continue  # between PyPI and a mirror of everything the build is the same
            if not any((not source and not url) or (url and source and urls.same(source, url)) for url in allowed):
                want = " or ".join(sorted(urls.show(url) if url else "PyPI" for url in allowed))
                yield found(
                    "TS301",
                    entry.where,
                    f"`{entry.name}` {entry.version} is locked from {urls.show(entry.origin) or 'PyPI'}, but the manifest takes it from {want}",
                    f"Run `{p.semantics().relock}`.",
                )


def _allowed(p: Project, entry: Locked, reqs: list[Requirement]) -> set[str] | None:
    """The addresses an entry may come from ("" is PyPI), or None if it cannot be told."""
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
            if p.semantics().one_per_name and any(p.routes_of(other) for other in reqs):
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


def stale(p: Project, v: View) -> Findings:
    """TS303: the locked version is not what the manifest asks for."""
    for lock in p.locks:
        if lock.format not in PYTHON_LOCKS or p.dynamic:
            continue
        by_name: dict[str, list[Locked]] = {}
        for entry in lock.entries:
            by_name.setdefault(entry.name, []).append(entry)
        for name in sorted(FAMILY):
            reqs = [
                req
                for req in p.named(name)
                if not req.url and not req.spec.broken and not any(route.url for route in p.routes_of(req))
            ]
            if any(req.name == name and req.role == "override" for req in p.requirements):
                continue
            entries = by_name.get(name, [])
            if reqs and not entries and lock.format in ("uv.lock", "poetry.lock"):
                req = next((req for req in reqs if req.env.kind == MAIN and not req.optional and not req.marker), None)
                if req is not None and p.own(req.where) and (by_name or v.tree.size(lock.path)):
                    yield found(
                        "TS303",
                        req.where,
                        f"`{name}` is required here, but {lock.path} has no entry for it",
                        f"Run `{p.semantics().relock}` and stage {lock.path}.",
                    )
                continue
            for req in reqs:
                if not entries or any(req.spec.admits(specs.public(entry.version)) for entry in entries):
                    continue
                if not p.own(req.where):
                    continue
                versions = ", ".join(entry.version for entry in entries)
                yield found(
                    "TS303",
                    entries[0].where,
                    f"`{name}` is locked at {versions}, but {req.where.path} asks for `{req.text.strip()}`",
                    f"Run `{p.semantics().relock}` and stage {lock.path}.",
                    related=(req.where,),
                )
                break


def missing_wheel(p: Project, v: View) -> Findings:
    """TS304: no wheel for a platform that the entry's own marker, or the project, names."""
    for lock in p.locks:
        for entry in lock.entries:
            wheels = [file for file in entry.files if file.split("#")[0].endswith(".whl")]
            if entry.name not in FAMILY or not wheels or len(wheels) != len(entry.files):
                continue
            served = {platform for file in wheels for platform in wheel_platforms(file)}
            if not served:
                continue
            for name, values in markers.PLATFORMS:
                if name in served or not markers.possible(entry.marker, name):
                    continue
                word = values["sys_platform"]
                named = markers.mentions(entry.marker, word) and not (
                    name == "macos_x86_64" and "macos_arm64" in served
                )
                if name == "linux_aarch64":
                    named = markers.mentions(entry.marker, "aarch64")
                if name == "macos_x86_64" and named:
                    named = "x86_64" in entry.marker
                wanted = any(
                    markers.possible(env, name)
                    and (markers.mentions(env, word))
                    and ("machine" not in env or markers.mentions(env, values["platform_machine"]))
                    and not ("machine" not in env and name in ("linux_aarch64", "macos_x86_64"))
                    for env in p.required
                )
                if lock.format == "uv.lock" and (p.conflicts or not _asked(p, entry, name)):
                    named = False  # its resolution markers are forks of the resolution, not who asks for the entry
                if not named and not wanted and _mac_without_wheel(p, lock, entry, served):
                    yield found(
                        "TS304",
                        entry.where,
                        f"`{entry.name}` {entry.version} is locked for every platform, but has wheels for {', '.join(sorted(served))} only: `{p.semantics().install}` fails on macOS",
                        'Take macOS from PyPI: two entries of the dependency, with `platform = "darwin"` on the one without a source, then run `'
                        + p.semantics().relock
                        + "`.",
                        severity="warning",
                    )
                    break
                if named or wanted:
                    yield found(
                        "TS304",
                        entry.where,
                        f"`{entry.name}` {entry.version} is locked for {name}, but has no wheel for it",
                        "Take that platform from another index (PyPI has macOS wheels), then run `"
                        + p.semantics().relock
                        + "`.",
                    )
                    break


def _mac_without_wheel(p: Project, lock: Lock, entry: Locked, served: set[str]) -> bool:
    """Whether Poetry locked one entry of the CPU index for every platform (poetry#7597): macOS has no `+cpu` wheel."""
    if lock.format != "poetry.lock" or p.linux_only or p.environments or entry.marker or entry.tag() != "cpu":
        return False
    reqs = p.named(entry.name)
    everywhere = any(
        req.env.kind == MAIN and not req.optional and markers.possible(req.marker, "macos_arm64") for req in reqs
    )
    return everywhere and not any(name.startswith("macos") for name in served)


def _asked(p: Project, entry: Locked, platform: str) -> bool:
    """Whether some requirement on the package may apply on a platform."""
    return any(
        markers.possible(req.marker, platform)
        for req in p.requirements
        if req.name == entry.name and req.role == DIRECT
    )


def mixed_entry(p: Project, v: View) -> Findings:
    """TS305: one entry whose files are of several builds."""
    for lock in p.locks:
        for entry in lock.entries:
            if entry.name not in FAMILY or len(entry.files) < 2:
                continue
            by_platform: dict[tuple[str, str], set[str]] = {}
            for file in entry.files:
                base = file.replace("%2B", "+").split("#")[0].rsplit("/", 1)[-1]
                if not base.endswith(".whl"):
                    continue
                tags = base[:-4].split("-")
                for platform in wheel_platforms(file):
                    by_platform.setdefault((platform, "-".join(tags[-3:-1])), set()).add(
                        url_tag(base) or base.partition("-")[2].partition("-")[0].partition("+")[2]
                    )
            mixed = {tag for tags in by_platform.values() if len(tags) > 1 for tag in tags}
            if mixed:
                shown = ", ".join(tag or "PyPI's own" for tag in sorted(mixed))
                yield found(
                    "TS305",
                    entry.where,
                    f"the one entry of `{entry.name}` {entry.version} mixes builds: {shown}",
                    f"Let only one index serve PyTorch's packages, then {_renew(p, lock)}.",
                )


def _renew(p: Project, lock: Lock) -> str:
    """What makes a lock anew."""
    if lock.format == "pylock.toml":
        return f"write {lock.path} again" + (f" with {lock.generator}" if lock.generator else "")
    return f"run `{p.semantics().relock}`"


def strangers(p: Project, v: View) -> Findings:
    """TS306: other packages from PyTorch's stale mirror."""
    ours = v.table.index_packages()
    for lock in p.locks:
        others = [
            entry
            for entry in lock.strangers
            if entry.name not in ours
            and not entry.name.startswith(
                ("nvidia-", "torch", "pytorch-", "intel-", "tcmlib", "umf", "mkl", "dpcpp", "onemkl", "impi", "oneccl")
            )
            and not any(route.package == entry.name for route in p.routes)
        ]
        if not others:
            continue
        shown = ", ".join(f"{entry.name} {entry.version}" for entry in others[:4]) + (
            f" and {len(others) - 4} more" if len(others) > 4 else ""
        )
        yield found(
            "TS306",
            others[0].where,
            f"{shown} {'is' if len(others) == 1 else 'are'} locked from PyTorch's index, a stale mirror of PyPI",
            f"Make the index explicit, so that it serves PyTorch only, then run `{p.semantics().relock}`.",
        )


def disagree(p: Project, v: View) -> Findings:
    """TS308: two locks, or a lock and an exported file, with different torch."""
    mine = [
        (lock, entry)
        for lock in p.locks
        for entry in lock.entries
        if entry.name == "torch" and lock.format in PYTHON_LOCKS
    ]
    if not mine:
        return
    others: list[tuple[str, object, str]] = []
    for other in v.projects:
        if other.root != p.root or other is p:
            continue
        if other.tool == "pip" and _exported(v, other.path):
            others += [
                (
                    req.where.path,
                    req.where,
                    req.spec.pin() + ("+" + specs.label(req.text) if specs.label(req.text) else ""),
                )
                for req in other.named("torch")
                if req.spec.pin() and req.where.path == other.path
            ]
        elif other.path == p.path or other.root == p.root:
            others += [
                (lock.path, entry.where, entry.version)
                for lock in other.locks
                for entry in lock.entries
                if entry.name == "torch" and lock.format in PYTHON_LOCKS and lock.path > mine[0][0].path
            ]
    others += _abandoned(p, v, mine[0][0].path)
    have = {entry.version for _, entry in mine}
    publics = {specs.key(version) for version in have}
    for path, where, version in others:
        same_public = specs.key(version) in publics
        if same_public and (not specs.label(version) or version in have or not any(specs.label(item) for item in have)):
            continue
        yield found(
            "TS308",
            where,  # type: ignore[arg-type]
            f"torch is {version} here and {', '.join(sorted(have))} in {mine[0][0].path}",
            f"Keep one lock, or write {path} again from {mine[0][0].path}.",
        )


def _abandoned(p: Project, v: View, mine: str) -> list[tuple[str, object, str]]:
    """torch in the locks of the folder that no project reads: left over from another tool."""
    from gatepost.rules.torch_source.readers import locks

    read = {path for project in v.projects for path in project.files}
    found_: list[tuple[str, object, str]] = []
    for name in ("poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock"):
        path = f"{p.root}/{name}" if p.root else name
        if path in read or path == mine or (data := v.tree.read(path)) is None:
            continue
        try:
            lock = locks.read(path, data)
        except ValueError:
            continue
        found_ += [
            (path, entry.where, entry.version) for entry in (lock.entries if lock else ()) if entry.name == "torch"
        ]
    return found_


def _exported(v: View, path: str) -> bool:
    data = v.tree.read(path) or b""
    head = data[:600].lower()
    return (
        (b"autogenerated by uv" in head and (b"uv export" in head))
        or b"poetry export" in head
        or b"pdm export" in head
        or b"exported from" in head
        or ((b"pip-compile" in head or b"uv pip compile" in head) and b"pyproject.toml" in head)
    )


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


def tag_mix_locked(p: Project, v: View) -> Findings:
    """TS206 and TS220 in locks: builds that meet, variants that drift."""
    for lock in p.locks:
        if lock.format not in ("uv.lock", "poetry.lock", "pylock.toml", "Pipfile.lock"):
            continue
        entries = [entry for entry in lock.entries if entry.name in FAMILY]
        torches = [entry for entry in entries if entry.name == "torch"]
        if len(torches) == 1 and urls.tag_of(specs.label(torches[0].version)):
            for entry in entries:
                tag = urls.tag_of(specs.label(entry.version))
                same = [other for other in entries if other.name == entry.name]
                if entry.name != "torch" and tag and len(same) == 1 and tag != torches[0].tag():
                    yield found(
                        "TS206",
                        entry.where,
                        f"`{entry.name}` {entry.version} and `torch` {torches[0].version} are locked for one environment",
                        f"Route both to one index, then run `{p.semantics().relock}`.",
                        related=(torches[0].where,),
                    )
        publics = {specs.public(entry.version) for entry in torches}
        if len(publics) < 2:
            continue
        tagged = [entry for entry in torches if urls.tag_of(specs.label(entry.version))]
        kinds = {specs.public(entry.version): urls.tag_of(specs.label(entry.version)) for entry in tagged}
        pins = {req.spec.text for req in p.named("torch")}
        if len(kinds) < 2 or len(pins) > 1 or len(set(kinds.values())) < 2:
            continue
        if any("python" in entry.marker for entry in tagged):
            continue
        shown = ", ".join(sorted(entry.version for entry in tagged))
        yield found(
            "TS220",
            tagged[0].where,
            f"the variants are locked at different torch versions: {shown}",
            f"Pin one version that every variant has, then run `{p.semantics().relock}`.",
        )


RULES = (
    origin,
    stale,
    missing_wheel,
    mixed_entry,
    strangers,
    disagree,
    foreign_files,
    tag_mix_locked,
)
