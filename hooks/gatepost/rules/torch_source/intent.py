"""TS302, TS501: what names and settings say of the build, against what is taken."""

from __future__ import annotations

import re

from gatepost.manifests import places
from gatepost.rules.torch_source import markers, specs, urls
from gatepost.rules.torch_source.model import DEFAULT, DIRECT, FAMILY, LINKS, SHARED
from gatepost.rules.torch_source.table import names_build, names_system
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding, Fix
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def variant_contradicted(p: Project, v: View) -> Findings:
    """TS302: a name that says cpu with a CUDA build, or the reverse; and the project's stated policy."""
    for req in p.requirements:
        if req.name not in FAMILY or req.role != DIRECT:
            continue
        tags = p.tags_of(req)
        if len(tags) != 1:
            continue
        tag = next(iter(tags))
        stated = v.policy(req.env, req.where.path)
        if stated:
            if not agrees(stated, tag):
                yield found(
                    "TS302",
                    req.where,
                    f"`{req.name}` in {req.env.label()} is the {tag} build, but [tool.gatepost.torch-source] states `{stated}`",
                    f"Take it from https://download.pytorch.org/whl/{stated if urls.tag_of(stated) else 'cpu'}, or change the policy.",
                )
            continue
        if req.env.kind not in ("group", "extra", "feature", "file"):
            continue
        if req.env.kind == "file":
            base = req.env.name.rpartition("/")[2].rpartition(".")[0]
            words = re.split(r"[-_.]", base)
            implied = names_build(words)
            if not implied or (implied != "cpu" and urls.kind(tag) != "cpu"):
                continue
        else:
            implied = names_build(req.env.words())
        if not implied or agrees(implied, tag):
            continue
        routes = p.routes_of(req)
        if len(routes) == 1 and routes[0].marker:
            from gatepost.rules.torch_source.locks.origin import covers

            if not covers(list(routes)):
                continue
        yield found(
            "TS302",
            req.where,
            f"{req.env.label()} says {implied}, but its `{req.name}` is the {tag} build",
            f"Take `{req.name}` from the {implied} index, rename the {req.env.kind}, or state the intent under [tool.gatepost.torch-source].",
        )
    yield from _misnamed(p, v)
    for lock in p.locks:
        for entry in lock.entries:
            if entry.name not in FAMILY or len(entry.groups) != 1 or entry.groups[0] in ("main", "default"):
                continue
            implied = names_build(re.split(r"[^A-Za-z0-9.]+", entry.groups[0]))
            tag = urls.tag_of(specs.label(entry.version))
            if implied and tag and not agrees(implied, tag):
                yield found(
                    "TS302",
                    entry.where,
                    f"group `{entry.groups[0]}` says {implied}, but the lock gives it `{entry.name}` {entry.version}",
                    f"Give the group its own source, then run `{p.semantics().relock}`.",
                )


def _misnamed(p: Project, v: View) -> Findings:
    """An index whose name says one build and whose address is another's."""
    for index in p.torch_indexes():
        implied = names_build(re.split(r"[^A-Za-z0-9.]+", index.name)) if index.name and p.own(index.where) else ""
        tag = index.tag()
        if implied and tag and not agrees(implied, tag):
            yield found(
                "TS302",
                index.where,
                f"index `{index.name}` says {implied}, but its address is that of the {tag} build ({urls.show(index.url)})",
                f"Correct the address or rename the index, then run `{p.semantics().relock}`.",
            )


def agrees(stated: str, tag: str) -> bool:
    if stated == tag:
        return True
    if len(stated) == 4 and stated[2:].isdigit():
        return tag.startswith(stated)  # a CUDA major
    if stated in ("cuda", "gpu"):
        return urls.kind(tag) in ("cuda", "rocm", "xpu")
    return urls.kind(stated) == "rocm" and stated == "rocm" and urls.kind(tag) == "rocm"


def from_the_registry(p: Project, v: View) -> Findings:
    """TS501, TS302: PyPI's build, whose Linux wheels hold CUDA, where the settings or the file's name say cpu."""
    if p.tool == "pixi" or any(req.role == "conda" and req.name.startswith("pytorch") for req in p.requirements):
        return
    for req in p.named("torch"):
        if not _plain(p, v, req):
            continue
        stated = v.policy(req.env, req.where.path)
        if stated == "cpu":
            yield found(
                "TS302",
                req.where,
                f"`torch` in {req.env.label()} comes from PyPI, whose Linux build holds CUDA, but [tool.gatepost.torch-source] states `cpu`",
                "Take it from https://download.pytorch.org/whl/cpu"
                + (f", then run `{p.semantics().relock}`" if p.locks else "")
                + ", or change the policy.",
                fix=_cpu_line(p, v, req),
            )
        elif (
            not stated
            and p.tool in ("pip", "conda")
            and req.where.path == p.path
            and names_build(_words(p.path)) == "cpu"
            and not _told(v, p.path)
        ):
            windows = _for_windows(v, p.path)
            yield found(
                "TS501",
                req.where,
                f"`{p.path}` says cpu, but names no index: pip takes PyPI's `torch`, which holds 2-5 GB of CUDA libraries on Linux",
                f"{'Add a line `' if p.tool == 'pip' else 'Begin the pip: list with `- '}--extra-index-url https://download.pytorch.org/whl/cpu` and pin `torch`, or rename the file.",
                severity="info" if windows else None,
                fix=None if windows else _cpu_line(p, v, req),
            )


_LINUX = re.compile(
    r"(?:^|/)(?:[^/]*(?:Dockerfile|Containerfile)[^/]*|[^/]+\.dockerfile|\.gitlab-ci\.yml|\.github/workflows/[^/]+|"
    r"[^/]*(?:install|setup|start|run)[^/]*\.sh)$",
    re.IGNORECASE,
)


def _for_windows(v: View, path: str) -> bool:
    """Whether scripts of Windows stand beside a file, and nothing of the repository's own is for Linux."""
    folder = path.rpartition("/")[0]
    paths = [one for one in v.tree.paths() if not places.is_carried(one)]
    beside = [one.lower() for one in paths if one.rpartition("/")[0] in (folder, "")]
    return any(one.endswith((".bat", ".cmd", ".ps1")) for one in beside) and not (
        any(one.endswith((".sh", "makefile")) for one in beside) or any(map(_LINUX.search, paths))
    )


def _told(v: View, path: str) -> bool:
    """Whether a comment of the file, or a README that names the file, gives the index of CPU builds with it."""
    if b"whl/cpu" in (v.tree.read(path) or b""):
        return True
    folder, _, name = path.rpartition("/")
    pages = {f"{place}/README.md".lstrip("/") for place in ("", folder)} | {
        f"{folder}/README.rst".lstrip("/"),
        "README.rst",
    }
    for page in sorted(pages):
        rows = (v.tree.read(page) or b"").splitlines()
        given = [at for at, row in enumerate(rows) if b"whl/cpu" in row and b"install" in row]
        named = [at for at, row in enumerate(rows) if name.encode("utf-8", "surrogateescape") in row]
        if any(abs(one - other) <= 10 for one in given for other in named):
            return True
    return False


def _plain(p: Project, v: View, req: Requirement) -> bool:
    """Whether nothing but PyPI can serve a requirement on torch, on Linux, as far as the repository says."""
    if req.url or req.spec.broken or req.spec.labels() or p.dynamic or p.routes_of(req):
        return False
    if not markers.possible(req.marker, "linux_x86_64"):
        return False
    if names_system([*_words(req.where.path), *req.env.words()]) in ("win", "macos"):
        return False  # PyPI's build is the CPU build there
    if any(index.role in (DEFAULT, SHARED, LINKS) or p.serves(index, req.name) for index in p.indexes):
        return False
    if p.tool == "uv" and p.settings_torch_backend is not None and not p.locks:
        return False
    if any(entry.name == "torch" and entry.tag() for lock in p.locks for entry in lock.entries):
        return False
    if p.tool in ("pyproject", "setuptools"):
        return not v.index_given_for_folder()
    return p.tool != "pip" or not (v.index_given_for(p.path) or v.index_given_for(req.where.path))


def _words(path: str) -> list[str]:
    return re.split(r"[^A-Za-z0-9]+", path.rpartition("/")[2].rpartition(".")[0])


def _cpu_line(p: Project, v: View, req: Requirement) -> Fix | None:
    """The CPU index in a requirements file, where a pin makes it certain that its build wins."""
    if p.tool != "pip" or not req.spec.pin() or req.whole is None or req.hashed:
        return None
    data = v.tree.read(req.where.path)
    if data is None:
        return None
    start = data.decode("utf-8", "replace").rfind("\n", 0, req.whole[0]) + 1
    line = "--extra-index-url https://download.pytorch.org/whl/cpu\n"
    return v.edit(req.where.path, "take the CPU build", [(start, start, line)])


RULES = (variant_contradicted, from_the_registry)
