"""uv.lock, version 1."""

from __future__ import annotations

import re

from gatepost.model import Location
from gatepost.patterns import pattern
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.model import Lock, Locked, fold
from gatepost.rules.torch_source.readers.locks.blocks import FILE, STRING, blocks, line_at, text_of, version_of, whole

_STRANGER = pattern(
    r'^name *= *"([^"]+)"\r?\nversion *= *"([^"]+)"\r?\nsource *= *\{ *registry *= *"(https?://download(?:-r2)?\.pytorch\.org[^"]*)" *\}',
    re.MULTILINE,
)


def read(path: str, data: bytes) -> Lock:
    text = text_of(data)
    whole(text)
    entries = []
    for name, at, block in blocks(text):
        fields = dict(STRING.findall(block))
        source = re.search(r'^source *= *\{ *(\w+) *= *"([^"]*)"', block, re.MULTILINE)
        kind, origin = (source[1], source[2]) if source else ("", "")
        version = fields.get("version", "") if kind not in ("", "registry") else version_of(fields, name)
        resolution = re.search(r"^resolution-markers *= *\[(.*?)^\]", block, re.MULTILINE | re.DOTALL)
        forks = (
            [found.replace('\\"', '"') for found in re.findall(r'"((?:[^"\\]|\\.)*)"', resolution[1])]
            if resolution
            else []
        )
        entries.append(
            Locked(
                name=name,
                version=version,
                where=Location(path=path, line=line_at(text, at) + 1),
                origin="" if urls.is_pypi(origin) else origin,
                known=kind == "registry",
                files=tuple(FILE.findall(block)),
                marker=" or ".join(f"({fork})" for fork in forks),
            )
        )
    strangers = []
    at = text.find(".pytorch.org")
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        if text.startswith("source", start):
            head = text.rfind("[[package]]", 0, start)
            match = _STRANGER.search(text, head, text.find("\n", start) + 1 or len(text))
            if match is not None:
                strangers.append(
                    Locked(
                        name=fold(match[1]),
                        version=match[2],
                        origin=match[3],
                        where=Location(path=path, line=line_at(text, match.start())),
                    )
                )
        at = text.find(".pytorch.org", text.find("\n", at) if text.find("\n", at) >= 0 else len(text))
    return Lock(path=path, format="uv.lock", entries=tuple(entries), strangers=tuple(strangers))
