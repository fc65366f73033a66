"""Pipfile.lock, version 6."""

from __future__ import annotations

from gatepost.model import Location
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.model import EXTENDED, Lock, Locked, fold
from gatepost.rules.torch_source.readers.locks.blocks import LIMIT, line_at, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read(path: str, data: bytes) -> Lock:
    """Raises: ValueError: not JSON of the expected shape."""
    import json

    try:
        document: Any = json.loads(data[:LIMIT])
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    text = text_of(data)
    meta = document.get("_meta")
    listed = meta.get("sources") if isinstance(meta, dict) else None
    sources = tuple(
        (str(item.get("name", "")), str(item.get("url", "")))
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, dict)
    )
    by_name = dict(sources)
    entries, strangers = [], []
    for section, items in document.items():
        if section == "_meta" or not isinstance(items, dict):
            continue
        for name, item in items.items():
            if not isinstance(item, dict):
                continue
            index = str(item.get("index") or "")
            origin = by_name.get(index, "") if index else ""
            official = urls.split(origin).official
            if fold(name) not in EXTENDED and fold(name) != "numpy" and not official:
                continue
            at = text.find(f'"{name}"')
            entry = Locked(
                name=fold(name),
                version=str(item.get("version") or "").lstrip("="),
                where=Location(path=path, line=line_at(text, at) if at >= 0 else None),
                origin="" if urls.is_pypi(origin) else origin,
                reference=index,
                known=not index or index in by_name,
                marker=str(item.get("markers") or ""),
                groups=(section,),
            )
            entries.append(entry)
            if official:
                strangers.append(entry)
    return Lock(path=path, format="Pipfile.lock", entries=tuple(entries), strangers=tuple(strangers), sources=sources)
