"""pylock.toml, version 1.0 (PEP 751)."""

from __future__ import annotations

import re

from gatepost.model import Location
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.model import Lock, Locked, fold
from gatepost.rules.torch_source.readers.locks.blocks import STRING, address_of, blocks, line_at, text_of, whole


def read(path: str, data: bytes) -> Lock:
    text = text_of(data)
    whole(text)
    entries = []
    strangers = []
    for name, at, block in blocks(text):
        fields = dict(STRING.findall(block))
        files = tuple(re.findall(r'url *= *"([^"]+)"', block))
        origin = fields.get("index", "")
        if not origin and files and all(urls.split(file).official for file in files):
            origin = address_of(urls.split(files[0]))
        entries.append(
            Locked(
                name=name,
                version=fields.get("version", ""),
                where=Location(path=path, line=line_at(text, at) + 1),
                origin="" if urls.is_pypi(origin) else origin,
                known=bool(origin or files),
                files=files,
                marker=fields.get("marker", "").replace('\\"', '"'),
            )
        )
    for match in re.finditer(
        r'^name = "([^"]+)"\r?\nversion = "([^"]+)"\r?\n(?:marker = .*\r?\n)?index = "(https?://download[^"]*pytorch\.org[^"]*)"',
        text,
        re.MULTILINE,
    ):
        strangers.append(
            Locked(
                name=fold(match[1]),
                version=match[2],
                where=Location(path=path, line=line_at(text, match.start())),
                origin=match[3],
            )
        )
    by = re.search(r'(?m)^created-by *= *"([^"]*)"', text)
    return Lock(
        path=path,
        format="pylock.toml",
        entries=tuple(entries),
        strangers=tuple(strangers),
        generator=by[1] if by else "",
    )
