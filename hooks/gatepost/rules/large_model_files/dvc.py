"""Files that DVC keeps and git holds too: `data.csv` beside `data.csv.dvc`, or a file in a folder `data/` of `data.dvc`.

A `.dvc` file names its outputs under `outs:`, relative to its folder (or `wdir`); an output with `cache: false` is meant
to be in git. Only what is needed of the format is read (it is YAML, written by DVC itself, one key a line). A pipeline,
`dvc.yaml`, is written by people: it is parsed as YAML, and what it puts together from templates is left alone.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

KEPT = (".gitignore", ".gitkeep")
PIPELINE_MAX = 1 << 20  # bytes


def outputs(data: bytes, path: str) -> list[str]:
    """Repository paths of the outputs that a `.dvc` file at `path` keeps outside git; empty if it cannot be read."""
    items: list[dict[str, str]] = []
    section = ""
    folder: str | None = path.rpartition("/")[0]
    for line in data.decode("utf-8", "replace").splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if line[0] not in " -\t":
            section, _, value = text.partition(":")
            if section == "wdir":
                folder = _join(folder or "", _plain(value))
            continue
        if section != "outs":
            continue
        if text.startswith("- "):
            items.append({})
            text = text[2:].strip()
        key, colon, value = text.partition(":")
        if items and colon:
            items[-1].setdefault(key.strip(), _plain(value))
    if folder is None:
        return []
    return [
        full
        for each in items
        if each.get("path") and each.get("cache", "true").lower() != "false"
        if (full := _join(folder, each["path"]))
    ]


def stage_outputs(data: bytes, path: str) -> list[str]:
    """Repository paths of what the stages of a `dvc.yaml` at `path` keep outside git; empty if it cannot be read."""
    import yaml

    try:
        stages = yaml.safe_load(data[:PIPELINE_MAX])["stages"]
        defined = [stage for stage in stages.values() if isinstance(stage, dict)]
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []
    found = []
    for stage in defined:
        inside = _join(path.rpartition("/")[0], str(stage.get("wdir") or "."))
        for section in ("outs", "metrics", "plots"):
            for name in _cached(stage.get(section)):
                full = _join(inside, name) if inside is not None and "${" not in name + inside else None
                if full:
                    found.append(full)
    return found


def _cached(section: Any) -> Iterator[str]:
    """Paths of a list of outputs, each a path or a path with options, without those that are meant to be in git."""
    for each in section if isinstance(section, list) else ():
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            for name, options in each.items():
                if isinstance(name, str) and not (isinstance(options, dict) and options.get("cache") is False):
                    yield name


def _plain(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def _join(folder: str, path: str) -> str | None:
    """A path within the repository, None if it leads out of it."""
    parts: list[str] = []
    for part in [*folder.split("/"), *path.split("/")]:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return None if path.startswith("/") else "/".join(parts)


def held_twice(outs: Iterable[str], paths: Iterable[str]) -> list[tuple[str, str]]:
    """(path, output that keeps it) for each path that is an output or lies in one."""
    kept = set(outs)
    found = []
    for path in paths:
        if path.rpartition("/")[2] in KEPT or path.endswith(".dvc"):
            continue
        parts = path.split("/")
        for at in range(len(parts), 0, -1):
            if "/".join(parts[:at]) in kept:
                found.append((path, "/".join(parts[:at])))
                break
    return found
