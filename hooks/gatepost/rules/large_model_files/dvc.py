"""Files that DVC keeps and git holds too: `data.csv` beside `data.csv.dvc`, or a file in a folder `data/` of `data.dvc`.

A `.dvc` file names its outputs under `outs:`, relative to its folder (or `wdir`); an output with `cache: false` is meant
to be in git. Only what is needed of the format is read (it is YAML, written by DVC itself, one key a line).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT = (".gitignore", ".gitkeep")


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


def candidates(path: str) -> list[str]:
    """The `.dvc` files that could keep a path: beside it, and beside each folder that holds it."""
    parts = path.split("/")
    return ["/".join(parts[:at]) + ".dvc" for at in range(len(parts), 0, -1)]


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
