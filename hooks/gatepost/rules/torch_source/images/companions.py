"""TS103 in images: torch from PyTorch's index, its companion afterwards from PyPI. TS203: one variable for both."""

from __future__ import annotations

import re

from gatepost.manifests.installs.sources import sources
from gatepost.model import WARNING, Finding, Location
from gatepost.patterns import pattern
from gatepost.rules.torch_source import markers, specs, urls
from gatepost.rules.torch_source.images.ran import Ran, steered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.rules.torch_source.view import View


PAIRED = ("torchvision", "torchaudio")
_BOTH = pattern(
    r"(?<![\w-])torch==[\"']?\$\{?(\w+)\}?(?![\w:%#/.+-])[^\n;&|#]*?(?<![\w-])torchvision==[\"']?\$\{?\1\}?(?![\w:%#/.+-])"
)


def of_one_variable(image: Image, stage: Stage) -> Iterator[Finding]:
    """TS203: `torch==$X torchvision==$X`: whatever X holds, no torchvision has torch's number."""
    rows = (image.files.read(image.path) or b"").decode("utf-8", "replace").splitlines()
    for step in stage.steps:
        text = "\n".join(rows[step.line - 1 : step.end]) if step.kind == "run" else ""
        both = _BOTH.search(re.sub(r"\\\n", "  ", text))
        if both is not None and not stage.env.get(both[1]):
            yield Finding(
                code="TS203",
                where=Location(path=image.path, line=step.line + text.count("\n", 0, both.start())),
                message=f"`{both[1]}` stands for the release of `torch` and of `torchvision`, which are numbered apart: no release of the two goes together",
                remedy="Give `torchvision` a variable of its own.",
                severity=WARNING,
            )


def left_behind(path: str, ran: list[Ran], v: View) -> Iterator[Finding]:
    """TS103: torch from PyTorch's index, and afterwards its companion from PyPI, built for PyPI's torch."""
    builds: dict[str, tuple[str, int, str]] = {}  # place -> the build of torch there, the line, its pin
    there: dict[str, set[str]] = {}  # place -> companions that are installed
    for one in ran:
        if one.install.tool not in ("pip", "uv-pip") or one.install.action != "install" or one.conditional:
            continue
        given = sources(one.install)
        default = urls.split(given.index.text) if given.index is not None and given.index.known else None
        listed = [(req.name, req.specifier, req.url, "") for req in one.install.packages]
        plain = not any(steered(file) for _, file in one.files)
        listed += [
            (line.name.lower(), line.specifier, line.url, f" ({where}:{line.line})")
            for where, file in one.files
            for line in file.lines
            if markers.possible(line.marker, "linux_x86_64")
        ]
        have = there.setdefault(one.place, set())
        for name, spec, *_ in listed:
            if name == "torch" and (pin := specs.parse(spec).pin()) and one.place in builds:
                if builds[one.place][2] != pin:
                    builds.pop(one.place)  # torch is replaced, with its companions
        if any(name == "torch" for name, *_ in listed):
            if default is not None and default.official and default.build and not given.extra:
                pinned = next((specs.parse(spec).pin() for name, spec, *_ in listed if name == "torch"), "")
                builds[one.place] = (default.build, one.install.line, pinned)
            elif default is not None or "torch" not in have:
                builds.pop(one.place, None)
        known = not (given.index or given.extra or given.links or given.backend or given.unknown) and plain
        for name, spec, url, where in listed if known and one.place in builds else ():
            if name in PAIRED and name not in have and not url and "+" not in spec and not one.install.has("--no-deps"):
                build, line, _ = builds[one.place]
                yield Finding(
                    code="TS103",
                    where=Location(path=path, line=one.install.line),
                    message=f"`{name}`{where} comes from PyPI, and torch (line {line}) from the {build} index: two builds that do not load together",
                    remedy=f"Name `{name}` in the command that installs torch.",
                    severity="warning",
                )
        have |= {name for name, *_ in listed}
