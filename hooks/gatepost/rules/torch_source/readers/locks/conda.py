"""conda-lock's unified lock, version 1, and pixi.lock, versions 5 and 6."""

from __future__ import annotations

import re

from gatepost.model import Location
from gatepost.patterns import pattern
from gatepost.rules.torch_source.model import Lock, Locked
from gatepost.rules.torch_source.readers.locks.blocks import line_at, text_of

# What conda calls torch; `torch` itself is pip's.
_CONDA_NAMES = r"pytorch|torchvision|torchaudio|libtorch|torch"
_CONDA_ENTRY = pattern(rf"^- name: ({_CONDA_NAMES})\r?\n((?:^  .*\r?\n)*)", re.MULTILINE)
_PIXI_CONDA = pattern(
    r"conda: (\S+/)(pytorch|torchvision|torchaudio|libtorch)-([^-\s]+)-([^-\s]+?)\.(?:conda|tar\.bz2)$"
)
_PIXI_PIP = pattern(r"pypi: (\S+/)(torch|torchvision|torchaudio)-([^-\s]+)-\S+\.whl$")


def conda_lock(path: str, data: bytes) -> Lock:
    """conda-lock's unified lock: `reference` of an entry is its manager (conda or pip), its group the platform."""
    text = text_of(data)
    entries = []
    for match in _CONDA_ENTRY.finditer(text):
        fields = dict(re.findall(r"^  (\w+): (.*?)\r?$", match[2], re.MULTILINE))
        url = fields.get("url", "")
        build = re.search(r"-([^-]+?)\.(?:conda|tar\.bz2)$", url)
        entries.append(
            Locked(
                name=match[1],
                version=fields.get("version", "").strip("'\""),
                where=Location(path=path, line=line_at(text, match.start())),
                origin=url.rsplit("/", 2)[0],
                reference=fields.get("manager", "conda"),
                files=(url,),
                conda_build=build[1] if build else "",
                marker="",
                groups=(fields.get("platform", ""),),
            )
        )
    return Lock(path=path, format="conda-lock", entries=tuple(entries))


def pixi(path: str, data: bytes) -> Lock:
    """pixi's lock: one entry for each environment and platform that installs the package (groups: environment, platform)."""
    text = text_of(data)
    entries = []
    environment = platform = ""
    inside = False
    for number, row in enumerate(text.splitlines(), 1):
        if row[:1].strip():
            inside = row.startswith("environments:")
            continue
        if not inside:
            continue
        plain = row.strip()
        indent = len(row) - len(row.lstrip())
        if plain.startswith("- "):
            if "torch" not in plain:
                continue
            conda = _PIXI_CONDA.search(plain)
            match = conda or _PIXI_PIP.search(plain)
            if match is not None:
                entries.append(
                    Locked(
                        name=match[2],
                        version=match[3].replace("%2B", "+"),
                        where=Location(path=path, line=number),
                        origin=match[1],
                        reference="conda" if conda else "pip",
                        conda_build=match[4] if conda else "",
                        groups=(environment, platform),
                    )
                )
        elif plain.endswith(":") and indent == 2:
            environment = plain[:-1]
        elif plain.endswith(":") and indent == 6:
            platform = plain[:-1]
    return Lock(path=path, format="pixi.lock", entries=tuple(entries))
