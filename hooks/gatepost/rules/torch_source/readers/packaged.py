"""Requirements files that a package publishes: `[tool.setuptools.dynamic] dependencies = {file = [...]}`.

Source: setuptools' documentation, "Configuring setuptools using pyproject.toml files", "Dynamic metadata".
"""

from __future__ import annotations

import posixpath

from gatepost.record import replace
from gatepost.rules.torch_source.paths import join
from gatepost.rules.torch_source.readers import common

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.readers.common import Toml


def of_package(project: Project, read: Callable[[str], bytes | None], toml: Callable[[str], Toml | None]) -> Project:
    """The project of a requirements file; where it is what a package requires, with the Pythons that this is for.

    Args:
        read: a file of the tree, or None.
        toml: a TOML file of the tree, or None if there is none or it is broken.
    """
    folder, name = project.path, ""
    while folder:
        folder, _, part = folder.rpartition("/")
        name = posixpath.join(part, name) if name else part
        path = join(folder, "pyproject.toml")
        data = read(path) or b""
        if b"dynamic" not in data or part.encode() not in data:
            continue
        manifest = toml(path)
        if manifest is not None and _publishes(manifest, name):
            python = common.string(manifest.data, "project", "requires-python")
            return replace(
                project,
                files=(*project.files, path),
                python=python,
                python_where=manifest.where("project", "requires-python") if python else None,
                python_span=manifest.inner("project", "requires-python") if python else None,
            )
    return project


def _publishes(manifest: Toml, name: str) -> bool:
    """Whether the package's dependencies are those of a file, named from the manifest's folder."""
    if "dependencies" not in common.array(manifest.data, "project", "dynamic"):
        return False
    listed = common.dig(manifest.data, "tool", "setuptools", "dynamic", "dependencies", "file")
    names = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
    return name in {posixpath.normpath(str(one)) for one in names}
