"""Repository paths as text: POSIX, from the repository's root."""

from __future__ import annotations


def join(folder: str, name: str) -> str:
    """A path under a folder, `..` resolved; "" if it leaves the repository."""
    parts: list[str] = []
    for part in (folder + "/" + name if folder and not name.startswith("/") else name).split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def folder(path: str) -> str:
    return path.rpartition("/")[0]
