"""What `pdm install` and `pdm sync` bring: pdm.lock, or the declared dependencies where there is no lock."""

from __future__ import annotations

import posixpath

from gatepost.manifests.names import canonical
from gatepost.rules.torch_source import markers, specs
from gatepost.rules.torch_source.carriers import GPU_ONLY
from gatepost.rules.torch_source.installed.build import NOTHING, Asked, Effect, carries, index_build
from gatepost.rules.torch_source.installed.manifest import declared, line_of
from gatepost.rules.torch_source.model import url_tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository


def effect(repository: Repository, folder: str, lock: str | None, install: Install) -> Effect:
    """What a `pdm install` or `pdm sync` in a folder installs."""
    path = posixpath.join(folder, "pyproject.toml")
    manifest = repository.toml(path)
    if install.has("--dev", "-d") and install.has("--no-default"):
        return NOTHING
    chosen = {canonical(part) for word in install.values("-G", "--group") for part in word.text.split(",")}
    if lock is None:
        if _other_source(manifest):
            return Effect(asked=(), gpu="", locked=False, unknown=True)
        return declared(repository, folder, install, "pypi", tuple(chosen))
    if not install.has("--no-default"):
        chosen.add("default")
    if not install.has("--prod", "--production", "--no-default"):
        chosen |= _dev_groups(manifest)
    gpu, torch = "", None
    everything = ":all" in chosen
    for one in repository.toml(lock).get("package", ()):
        if not isinstance(one, dict):
            continue
        groups = one.get("groups")
        if isinstance(groups, list) and not everything and not chosen & {canonical(str(name)) for name in groups}:
            continue
        name = canonical(str(one.get("name", "")))
        gpu = gpu or (name if name in GPU_ONLY - {"triton"} else "")
        if name == "torch" and markers.possible(str(one.get("marker") or ""), "linux_x86_64"):
            torch = one
    if torch is None:
        return NOTHING
    direct = _direct(manifest)
    top = next((name for name in direct if name == "torch"), None) or next(
        (name for name in direct if carries(name, ("all",))), "torch"
    )
    version = str(torch.get("version", ""))
    line = line_of(repository.text(path))(top)
    asked = Asked(name=top, spec="==" + version, build=_build(torch, version, manifest), path=path, line=line)
    return Effect(asked=(asked,), gpu=gpu, locked=True)


def _build(torch: dict[str, Any], version: str, manifest: dict[str, Any]) -> str:
    """The build of a locked torch: its label, else its files', else PyPI's where no other source is declared."""
    if label := specs.label(version):
        return label
    files = torch.get("files")
    names = [
        str(one.get("url") or one.get("file") or "")
        for one in (files if isinstance(files, list) else ())
        if isinstance(one, dict)
    ]
    tags = {url_tag(name) for name in names if "linux" in name and "x86_64" in name}
    if len(tags) == 1 and "" not in tags:
        return tags.pop()
    return "" if tags - {""} or _other_source(manifest) else "pypi"


def _table(manifest: dict[str, Any], *path: str) -> dict[str, Any]:
    found: Any = manifest
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _other_source(manifest: dict[str, Any]) -> bool:
    """Whether a source besides PyPI is declared."""
    listed = _table(manifest, "tool", "pdm").get("source")
    return any(
        isinstance(one, dict) and index_build(str(one.get("url") or "")) != "pypi"
        for one in (listed if isinstance(listed, list) else ())
    )


def _dev_groups(manifest: dict[str, Any]) -> set[str]:
    return {canonical(name) for name in _table(manifest, "tool", "pdm", "dev-dependencies")} | {
        canonical(name) for name in _table(manifest, "dependency-groups")
    }


def _direct(manifest: dict[str, Any]) -> list[str]:
    """The names of all that the project itself asks for, in the order of the file."""
    import re

    lists = [_table(manifest, "project").get("dependencies")]
    for table in (
        _table(manifest, "project", "optional-dependencies"),
        _table(manifest, "dependency-groups"),
        _table(manifest, "tool", "pdm", "dev-dependencies"),
    ):
        lists += table.values()
    return [
        canonical(found[1])
        for items in lists
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, str) and (found := re.match(r"\s*([A-Za-z0-9._-]+)", item))
    ]
