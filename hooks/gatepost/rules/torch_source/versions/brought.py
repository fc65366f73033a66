"""TS205 of a torchaudio that nobody asks for: a package brings it, and nothing holds it to torch."""

from __future__ import annotations

import re

from gatepost.record import replace
from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.versions.companions import VENDORS, uncapped
from gatepost.rules.torch_source.versions.ranges import tightened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.view import View

# Packages that require torchaudio without an end beside torch 2.4 and 2.8 (resolved with uv 0.13.8, 2026-11).
_BRINGING = ("pyannote-audio", "speechbrain")
_INSTALLED = re.compile(r"\binstall\b[^\n;&|]*[\s\"']torchaudio(?![\w-])")
_PROSE = re.compile(r"\.(?:md|rst|ipynb)$|(?:^|/)(?:README|INSTALL)[^/]*$")


def brought_audio(p: Project, v: View) -> Iterator[Finding]:
    """TS205: beside a pinned torch, a resolver takes the newest torchaudio for a package that requires any."""
    if p.tool != "pip" or any(req.name == "torchaudio" or req.name in VENDORS for req in p.requirements):
        return
    from gatepost.rules.torch_source import constrained

    if "torchaudio" in constrained.by_commands(p, v) or any(
        _INSTALLED.search(text) for where, text in v.installers() if not _PROSE.search(where)
    ):
        return
    torch = next((req for req in p.named("torch") if req.spec.pin() and not req.url and not req.marker), None)
    rows = v.table.torch_rows(tightened(p, torch))[0] if torch is not None else []
    for other in p.requirements:
        if torch is None or not rows or other.name not in _BRINGING or other.marker or other.url:
            continue
        if other.spec.pin() or other.spec.bounded_above() or not p.together(torch, other):
            continue
        audio = replace(other, name="torchaudio", text="", spec=specs.parse(""), extras=(), span=None, whole=None)
        report = uncapped(p, v, torch, audio, rows)
        partner = v.table.partner("torchaudio", rows[-1].torch)
        if report is not None and partner:
            stable = v.table.overlay["torchaudio_stable_from"]
            label = f"+{torch.tag()}" if torch.tag() else ""
            yield replace(
                report,
                message=f"`{other.name}` brings torchaudio, and nothing holds that to torch {rows[-1].torch}: resolvers take {stable['torchaudio']} or a newer one, which needs torch>={stable['torch']}",
                remedy=f"Add `torchaudio=={partner}{label}` to the file.",
                severity="warning",
                fix=None,
            )
            return
