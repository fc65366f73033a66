"""What `pipenv install` and `pipenv sync` bring: Pipfile.lock, or the Pipfile where there is no lock."""

from __future__ import annotations

import posixpath

from gatepost.manifests.names import canonical
from gatepost.rules.torch_source import markers
from gatepost.rules.torch_source.carriers import GPU_ONLY
from gatepost.rules.torch_source.installed.build import NOTHING, Asked, Effect, carries, index_build, labelled
from gatepost.rules.torch_source.installed.manifest import line_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository

_OTHER = ("source", "requires", "pipenv", "scripts")


def effect(repository: Repository, folder: str, lock: str | None, install: Install) -> Effect:
    """What a `pipenv install` (with no package) or `pipenv sync` in a folder installs."""
    path = posixpath.join(folder, "Pipfile")
    manifest = repository.toml(path)
    chosen = _sections(install, manifest)
    if lock is not None and not install.has("--skip-lock"):
        return _locked(repository, path, lock, manifest, chosen)
    sources = _sources(manifest.get("source"))
    first = next(iter(sources.values()), "pypi")
    line = line_of(repository.text(path))
    asked, gpu = [], ""
    for section in chosen or ("packages",):
        for name, value in _items(manifest, section):
            version, given = _shape(value)
            if not markers.possible(str(given.get("markers") or ""), "linux_x86_64"):
                continue
            gpu = gpu or (canonical(name) if canonical(name) in GPU_ONLY else "")
            extras = given.get("extras")
            if carries(canonical(name), [str(one) for one in extras] if isinstance(extras, list) else ()):
                build = sources.get(str(given.get("index") or ""), first)
                asked.append(
                    _asked(
                        canonical(name),
                        version,
                        labelled(version, str(given.get("file") or ""), build),
                        path,
                        line(name),
                    )
                )
    return Effect(asked=tuple(asked), gpu=gpu, locked=False)


def _locked(repository: Repository, path: str, lock: str, manifest: dict[str, Any], chosen: tuple[str, ...]) -> Effect:
    import json

    try:
        document = json.loads(repository.text(lock))
    except (ValueError, RecursionError):
        return Effect(asked=(), gpu="", locked=True, unknown=True)
    if not isinstance(document, dict):
        return Effect(asked=(), gpu="", locked=True, unknown=True)
    meta = document.get("_meta")
    sources = _sources(meta.get("sources") if isinstance(meta, dict) else None)
    first = next(iter(sources.values()), "pypi")
    gpu, found = "", None
    for section in chosen or ("default",):
        for name, value in _items(document, section):
            version, given = _shape(value)
            gpu = gpu or (canonical(name) if canonical(name) in GPU_ONLY - {"triton"} else "")
            if canonical(name) == "torch" and markers.possible(str(given.get("markers") or ""), "linux_x86_64"):
                index = str(given.get("index") or "")
                found = (
                    version,
                    labelled(version, str(given.get("file") or ""), sources.get(index, "") if index else first),
                )
    if found is None:
        return NOTHING
    direct = [name for section in ("packages", "dev-packages") for name, _ in _items(manifest, section)]
    top = next((name for name in direct if canonical(name) == "torch"), None)
    top = top or next((name for name in direct if carries(canonical(name), ("all",))), "torch")
    asked = _asked(canonical(top), found[0], found[1], path, line_of(repository.text(path))(top))
    return Effect(asked=(asked,), gpu=gpu, locked=True)


def _asked(name: str, spec: str, build: str, path: str, line: int) -> Asked:
    return Asked(name=name, spec=spec, build=build, path=path, line=line)


def _sections(install: Install, manifest: dict[str, Any]) -> tuple[str, ...]:
    """The lock's sections that are installed besides none: empty means the usual ones."""
    chosen = [part for word in install.values("--categories") for part in word.text.replace(",", " ").split()]
    if not chosen:
        return ("default", "packages", "develop", "dev-packages") if install.has("--dev", "-d") else ()
    same = {"packages": "default", "dev-packages": "develop"}
    return tuple(dict.fromkeys(name for one in chosen for name in (one, same.get(one, one))))


def _sources(listed: object) -> dict[str, str]:
    """Source name -> the build that it serves, in order."""
    return {
        str(one.get("name") or ""): index_build(str(one.get("url") or ""))
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict)
    }


def _items(document: dict[str, Any], section: str) -> list[tuple[str, Any]]:
    found = document.get(section)
    return list(found.items()) if isinstance(found, dict) and section not in _OTHER else []


def _shape(value: Any) -> tuple[str, dict[str, Any]]:
    """(range, other keys) of a package's value."""
    given = value if isinstance(value, dict) else {"version": value}
    version = given.get("version")
    return (version if isinstance(version, str) and version != "*" else ""), given
