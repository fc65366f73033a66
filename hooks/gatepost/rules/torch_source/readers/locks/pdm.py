"""pdm.lock, version 4."""

from __future__ import annotations

import re

from gatepost.model import Location
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.model import Lock, Locked
from gatepost.rules.torch_source.readers.locks.blocks import FILE, STRING, address_of, blocks, line_at, text_of, whole


def read(path: str, data: bytes) -> Lock:
    text = text_of(data)
    whole(text)
    entries = []
    for name, at, block in blocks(text):
        fields = dict(STRING.findall(block))
        files = tuple(FILE.findall(block))
        hosts = {url for file in files if "://" in file and (url := file.rsplit("/", 1)[0])}
        official = [urls.split(host) for host in hosts]
        origin = ""
        if official and all(url.official for url in official):
            origin = address_of(official[0])
        entries.append(
            Locked(
                name=name,
                version=fields.get("version", ""),
                where=Location(path=path, line=line_at(text, at) + 1),
                origin=origin,
                known=bool(hosts),
                files=files,
                marker=fields.get("marker", "").replace('\\"', '"'),
                groups=tuple(re.findall(r'"([^"]+)"', found[1]))
                if (found := re.search(r"^groups *= *\[([^\]]*)\]", block, re.MULTILINE))
                else (),
            )
        )
    return Lock(path=path, format="pdm.lock", entries=tuple(entries))
