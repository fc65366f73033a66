"""TS212, TS216, TS217, TS218: which release of which name is asked for at all."""

from __future__ import annotations

import re

from gatepost.manifests import places
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
from gatepost.rules.torch_source.versions.builds import unpublished_build
from gatepost.rules.torch_source.versions.ranges import ceiling, held, tightened
from gatepost.rules.torch_source.view import elsewhere, found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def floating(p: Project, v: View) -> Findings:
    """TS212: torch without an upper bound in a file that machines install from."""
    if (
        p.tool != "pip"
        or p.of_a_task()
        or places.is_retired(p.path)
        or re.search(
            r"(?:^|[/_.-])(?:dev|test|tests|docs?|lint|ci|build|constraints?)(?:[_.-]|/|$)", p.path.rpartition(".")[0]
        )
    ):
        return
    for req in p.named("torch"):
        if (
            req.url
            or req.spec.broken
            or req.where.path != p.path
            or tightened(p, req).bounded_above()
            or req.spec.pin()
            or held(p, v, req)
            or ceiling(p, v, req) is not None
        ):
            continue
        if p.path.endswith(".in") and p.path[:-3] + ".txt" in set(v.tree.paths()):
            continue
        shared = _metadata(p.path, v)
        if shared and not _installed(p.path, v):
            continue
        if any(finding.where == req.where for finding in unpublished_build(p, v)):
            continue  # TS207: it takes no torch at all
        uses = _uses(p.path, v)
        if uses and all(there and req.spec.admits(there) for _, there in uses):
            continue  # torch is there by then, and that release will do
        given = {index for index, _ in uses}
        index = given.pop() if len(given) == 1 else ""
        yield found(
            "TS212",
            req.where,
            f"`torch{req.text.strip()}` has no upper bound: each install takes whatever is newest"
            + (f" at {index}" if index else ", with its own CUDA"),
            f"{'Compile' if shared else 'Pin it, or compile'} the file: `{_compile(p.path, index)}`.",
        )
        return


_TORCH_THERE = re.compile(
    r"\binstall\b[^\n;&|]*[\s\"']torch(?:==(?P<pin>\d[\d.]*))?(?![\w<>=!~.\[-])[^\n;&|]*(?:--(?:default-)?index-url|--default-index|\s-i)[\s=]+[\"']?https://"
    r"download\.pytorch\.org/whl/(?P<build>\w+)"
)
_INDEX_GIVEN = re.compile(
    r"(?:--index-url|--default-index|\s-i)[\s=]+[\"']?(https://download\.pytorch\.org/whl/\w+)/?(?![^\s\"'])"
)


def _uses(path: str, v: View) -> list[tuple[str, str]]:
    """For each command that installs a requirements file: PyTorch's index that it gives alone, or "", and the
    release of torch that an earlier command of the same file has installed from such an index, or ""."""
    name = re.escape(path.rpartition("/")[2])
    uses = re.compile(
        rf"\binstall\b[^\n;&|]*\s(?:-r|--requirements?)[=\s]*[\"']?(?:[^\s\"']*/)?{name}(?![\w.-])[^\n;&|]*"
    )
    found_uses = []
    for other, text in v.installers():
        if path.rpartition("/")[2] not in text or elsewhere(other, text, path):
            continue
        for use in uses.finditer(text):
            index = _INDEX_GIVEN.search(use[0])
            before = [first for first in _TORCH_THERE.finditer(text) if first.end() <= use.start()]
            last = v.table.last_for(before[-1]["build"]) if before else None
            there = (before[-1]["pin"] or (last.torch if last is not None else v.table.newest)) if before else ""
            again = re.search(r"\s(?:-U|--upgrade|--force-reinstall|-I|--ignore-installed)(?=\s|$)", use[0])
            found_uses.append((index[1] if index and "--extra-index" not in use[0] else "", "" if again else there))
    return found_uses


def _metadata(path: str, v: View) -> bool:
    """Whether a setup.py, or pyproject.toml's dynamic dependencies, reads the file: what it holds, a package requires."""
    folder, name = path, ""
    while folder:
        folder, _, part = folder.rpartition("/")
        name = f"{part}/{name}" if name else part
        for manifest, word in (("setup.py", b"install_requires"), ("pyproject.toml", b"dynamic")):
            data = v.tree.read(f"{folder}/{manifest}" if folder else manifest) or b""
            if word in data and re.search(rb"[\"']" + re.escape(name.encode()) + rb"[\"']", data):
                return True
    return False


def _installed(path: str, v: View) -> bool:
    """Whether an image, a job or a script installs the file; a README's line is for developers."""
    uses = re.compile(rf"(?:-r|--requirement)[=\s]*[\"']?[^\s\"']*{re.escape(path.rpartition('/')[2])}\b")
    return any(
        uses.search(text)
        for where, text in v.installers()
        if not re.search(r"(?:\.(?:md|rst|ipynb)|(?:^|/)(?:README|INSTALL)[^/]*)$", where)
    )


def _compile(path: str, index: str = "") -> str:
    """The command that writes down the versions of a requirements file, run from the root of the repository."""
    import shlex

    stem, dot, suffix = path.rpartition(".")
    written = f"{stem}.txt" if suffix == "in" else f"{stem if dot and '/' not in suffix else path}.lock"
    given = f"--index-url {index} " if index else ""
    return f"uv pip compile {given}--output-file {shlex.quote(written)} {shlex.quote(path)}"


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
            if index.role != ROUTED:
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
        changes = []
        if req.whole is not None and not req.hashed and p.tool not in ("Poetry", "Pipenv"):
            data = v.tree.read(req.where.path)
            text = data.decode("utf-8", "replace") if data else ""
            start, end = req.whole
            hit = re.match(r"\s*[A-Za-z0-9._-]+", text[start:end])
            if hit is not None and fold(hit[0].strip()) == req.name:
                changes = [(start, start + hit.end(), right)]
        yield found(
            "TS218",
            req.where,
            f"`{req.name}` on PyPI is not PyTorch",
            f"Ask for `{right}`.",
            fix=v.edit(req.where.path, f"ask for {right}", changes),
        )
