"""`[[tool.uv.index]]` and `[tool.uv.sources]`: which index serves what.

Semantics (tested with uv 0.13): the first index that has a package serves it, listed indexes before the default one;
an `explicit` index serves only what `[tool.uv.sources]` routes to it; a source applies only to what the project (or a
member of its workspace) itself requires, constrains or overrides; `torch-backend` is for `uv pip` only.
"""

from __future__ import annotations

from gatepost.record import replace
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.model import (
    DEFAULT,
    FALLBACK,
    LINKS,
    ROUTED,
    SHARED,
    Index,
    Route,
    fold,
)
from gatepost.rules.torch_source.readers import common

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.torch_source.readers.common import Toml


def in_order(indexes: list[Index]) -> list[Index]:
    """The indexes, where those that uv asks after PyPI are asked only for what PyPI does not have.

    It asks them as they are listed, the default one last, and takes the first that has the package.
    """
    asked = [index for role in (SHARED, DEFAULT) for index in indexes if index.role == role]
    first = next((n for n, index in enumerate(asked) if index.role == SHARED and urls.is_pypi(index.url)), len(asked))
    late = {id(index) for index in asked[first + 1 :]}
    return [replace(index, role=FALLBACK) if id(index) in late else index for index in indexes]


def indexes(toml: Toml, prefix: tuple[str, ...]) -> list[Index]:
    """Every index of a `[tool.uv]`, or of a uv.toml, as they are listed."""
    data = common.table(toml.data, *prefix)
    found: list[Index] = []
    for number, item in enumerate(common.array(data, "index")):
        if not isinstance(item, dict) or not isinstance(item.get("url"), str):
            continue
        path: tuple[str | int, ...] = (*prefix, "index", number)
        if item.get("explicit") is True:
            role, written = ROUTED, "explicit"
        elif item.get("default") is True:
            role, written = DEFAULT, "default"
        else:
            role, written = SHARED, ""
        if item.get("format") == "flat" and role != ROUTED:
            role = LINKS
        found.append(
            Index(
                name=str(item.get("name") or ""),
                url=item["url"],
                where=toml.where(*path, "url"),
                role=role,
                span=toml.inner(*path, "url"),
                written=written,
            )
        )
    bases: tuple[tuple[str, ...], ...] = ((), ("pip",))
    for base in bases:
        section = common.table(data, *base)
        url = section.get("index-url")
        if isinstance(url, str):
            found.append(
                Index(
                    name="",
                    url=url,
                    where=toml.where(*prefix, *base, "index-url"),
                    role=DEFAULT if not base else "pip-only",
                    span=toml.inner(*prefix, *base, "index-url"),
                    written="index-url",
                )
            )
        for key, role in (("extra-index-url", SHARED), ("find-links", LINKS)):
            value = section.get(key)
            for number, url in enumerate(value if isinstance(value, list) else ()):
                if isinstance(url, str):
                    place: tuple[str | int, ...] = (*prefix, *base, key, number)
                    found.append(
                        Index(
                            name="",
                            url=url,
                            where=toml.where(*place),
                            role=role if not base else "pip-only",
                            span=toml.inner(*place),
                            written=key,
                        )
                    )
    return found


def routes(toml: Toml) -> list[Route]:
    """Every source of `[tool.uv.sources]`."""
    found: list[Route] = []
    for package, value in common.table(toml.data, "tool", "uv", "sources").items():
        items = value if isinstance(value, list) else [value]
        for number, item in enumerate(items):
            if not isinstance(item, dict):
                continue
            path = ("tool", "uv", "sources", package) + ((number,) if isinstance(value, list) else ())
            url = ""
            for key in ("url", "path", "git", "workspace"):
                if item.get(key):
                    url = f"{key}:{item[key]}"
            found.append(
                Route(
                    package=fold(package),
                    index=str(item.get("index") or ""),
                    where=toml.where(*path),
                    marker=str(item.get("marker") or ""),
                    extra=str(item.get("extra") or ""),
                    group=str(item.get("group") or ""),
                    url=url,
                    span=toml.span(*path),
                )
            )
    return found
