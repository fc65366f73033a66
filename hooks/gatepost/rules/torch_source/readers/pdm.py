"""PDM: `[[tool.pdm.source]]` beside PEP 621 requirements and `[tool.pdm.dev-dependencies]`.

Semantics (tested with PDM 2.26): a source without `include_packages`/`exclude_packages` is merged with PyPI, the
highest version wins; a source named `pypi` replaces PyPI.
"""

from __future__ import annotations

from gatepost.rules.torch_source.model import DEFAULT, GROUP, LIMITED, LINKS, SHARED, Env, Index, Project, fold
from gatepost.rules.torch_source.readers import common, uv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.torch_source.model import Lock
    from gatepost.rules.torch_source.readers.common import Toml


def applies(toml: Toml, locked: bool) -> bool:
    """Whether a pyproject is PDM's."""
    return locked or bool(
        common.array(toml.data, "tool", "pdm", "source") or common.table(toml.data, "tool", "pdm", "dev-dependencies")
    )


def read(toml: Toml, locks: tuple[Lock, ...]) -> Project:
    """The project of a PDM pyproject."""
    from gatepost.record import replace

    base = uv.read(toml, None, [], None, locks, "PDM")
    requirements = list(base.requirements)
    for group, items in common.table(toml.data, "tool", "pdm", "dev-dependencies").items():
        for number, text in enumerate(items if isinstance(items, list) else ()):
            path = ("tool", "pdm", "dev-dependencies", group, number)
            found = common.requirement(toml, text, Env(kind=GROUP, name=group), path)
            if found is not None:
                requirements.append(found)
    indexes = []
    for number, item in enumerate(common.array(toml.data, "tool", "pdm", "source")):
        if not isinstance(item, dict) or not isinstance(item.get("url"), str):
            continue
        include = tuple(
            fold(str(name)) if "*" not in str(name) else str(name) for name in common.array(item, "include_packages")
        )
        name = str(item.get("name") or "")
        role = (
            LIMITED
            if include or item.get("exclude_packages")
            else LINKS
            if item.get("type") == "find_links"
            else SHARED
        )
        if name == "pypi" and role == SHARED:
            role = DEFAULT
        place = ("tool", "pdm", "source", number)
        indexes.append(
            Index(
                name=name,
                url=item["url"],
                where=toml.where(*place, "url"),
                role=role,
                span=toml.inner(*place, "url"),
                packages=include or (("*",) if role == LIMITED else ()),
                insecure=item.get("verify_ssl") is False,
            )
        )
    return replace(base, requirements=tuple(requirements), indexes=tuple(indexes), routes=())
