"""TS304, TS305, TS306: the files of a locked entry: platforms and Pythons without one, builds that mix, other packages."""

from __future__ import annotations

import re

from gatepost.manifests import places
from gatepost.patterns import pattern
from gatepost.rules.torch_source import markers, specs
from gatepost.rules.torch_source.locks.origin import answered
from gatepost.rules.torch_source.model import (
    DIRECT,
    FAMILY,
    MAIN,
    url_tag,
    wheel_platforms,
)
from gatepost.rules.torch_source.versions.pythons import known_minors
from gatepost.rules.torch_source.versions.ranges import minor_of
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Lock, Locked, Project
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


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
            pythons = _pythons(wheels)
            for name, values in markers.PLATFORMS:
                if name in served or not _reaches(entry.marker, name, pythons):
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
                        f"`{entry.name}` {entry.version} is locked for every platform, but has no wheel for macOS: `{p.semantics().install}` fails there",
                        'Take macOS from PyPI: two entries of the dependency, with `platform = "darwin"` on the one without a source, then run `'
                        + p.semantics().relock
                        + "`.",
                        severity="info" if _for_images(p, v) else "warning",
                    )
                    break
                if named or wanted:
                    yield found(
                        "TS304",
                        entry.where,
                        f"`{entry.name}` {entry.version} is locked for {name}, but has no wheel for it",
                        f"Take that platform from another index{' (PyPI has macOS wheels)' if word == 'darwin' else ''}, then run `"
                        + p.semantics().relock
                        + "`.",
                    )
                    break


def missing_python(p: Project, v: View) -> Findings:
    """TS304: Poetry locked an entry for Pythons alone that none of its wheels is for: it does not look at them."""
    if p.tool != "Poetry":
        return
    allowed = specs.parse(p.python, specs.POETRY) if p.python else None
    for lock in p.locks:
        for entry in lock.entries if lock.format == "poetry.lock" else ():
            wheels = [file for file in entry.files if file.split("#")[0].endswith(".whl")]
            node = markers.parse(entry.marker)
            if entry.name not in FAMILY or node is None or not wheels or len(wheels) != len(entry.files):
                continue
            served = _pythons(wheels)
            meant = [
                minor
                for minor in known_minors(v)
                if (allowed is None or allowed.broken or allowed.admits(minor) or allowed.admits(minor + ".5"))
                and any(markers.evaluate(node, values) is not False for _, values in markers.environments((minor,)))
            ]
            if served == markers.PYTHONS or not meant or not set(meant).isdisjoint(served):
                continue
            first = next((row for row in v.table.rows if meant[-1] in row.python.get("linux_x86_64", ())), None)
            newer = first if entry.name == "torch" and minor_of(meant[0]) > minor_of(served[-1]) else None
            yield found(
                "TS304",
                entry.where,
                f"`{entry.name}` {entry.version} is locked for Python {', '.join(meant)}, but has wheels for {', '.join(served)} only: `{p.semantics().install}` fails there",
                f"Leave that Python out of `python` in {p.path}"
                + (f", or ask for torch>={newer.torch}" if newer is not None else "")
                + f", then run `{p.semantics().relock}`.",
                severity="warning",
            )


def _pythons(wheels: list[str]) -> tuple[str, ...]:
    """The Pythons ("3.10") that the wheels are for; every one where a wheel is for several."""
    tags = [wheel.split("#")[0][:-4].rsplit("/", 1)[-1].split("-")[-3:-1] for wheel in wheels]
    found = [re.fullmatch(r"cp3(\d+)", tag[0]) for tag in tags if len(tag) == 2 and tag[1] != "abi3"]
    if len(found) < len(wheels) or not all(found):
        return markers.PYTHONS
    return tuple(f"3.{minor}" for minor in sorted({int(match[1]) for match in found if match}))


def _reaches(marker: str, platform: str, pythons: tuple[str, ...]) -> bool:
    """Whether a marker may hold on a platform, for one of the Pythons (uv forks at the newest that has wheels)."""
    node = markers.parse(marker)
    return any(
        name == platform and markers.evaluate(node, values) is not False
        for name, values in markers.environments(pythons)
    )


def _mac_without_wheel(p: Project, lock: Lock, entry: Locked, served: set[str]) -> bool:
    """Whether Poetry locked one entry of the CPU index for every platform (poetry#7597): macOS has no `+cpu` wheel."""
    if (
        lock.format != "poetry.lock"
        or p.linux_only
        or p.environments
        or entry.marker
        or not entry.known
        or entry.tag() != "cpu"
    ):
        return False
    everywhere = any(
        req.env.kind == MAIN
        and not req.optional
        and not req.spec.exact_label()  # TS210
        and markers.possible(req.marker, "macos_arm64")
        for req in answered(entry, p.named(entry.name))
    )
    others = {
        platform
        for other in lock.entries
        if other.name == entry.name and other is not entry
        for file in other.files
        for platform in wheel_platforms(file)
    }
    return everywhere and not any(name.startswith("macos") for name in served | others)


def _for_images(p: Project, v: View) -> bool:
    """Whether images are what a project is installed in: it is no package, a Dockerfile beside it runs its tool, and no
    page or script of its own, or of the repository's root, does."""
    if p.published:
        return False
    uses = [(path, path.rpartition("/")[0]) for path, text in v.installers() if _INSTALLS.search(text)]
    return any(places.is_dockerfile(path) and folder == p.root for path, folder in uses) and not any(
        not places.is_dockerfile(path)
        and not path.startswith(".")
        and (not folder or f"{folder}/".startswith(p.root + "/"))
        for path, folder in uses
    )


# A command, not a word of prose.
_INSTALLS = pattern(r"(?m)(?:^[\s$>%`@-]*|^\s*RUN\b.*\s|&&\s*|;\s*|\brun:\s*)poetry\b[^\n]*\s(?:install|sync|export)\b")


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
                    f"Let only one index serve PyTorch's packages, then {renewal(p, lock)}.",
                )


def renewal(p: Project, lock: Lock) -> str:
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
