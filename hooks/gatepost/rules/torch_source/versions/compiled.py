"""Requirements files that a command writes: which command, from which file, and what a missing index means for them."""

from __future__ import annotations

import re

from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.torch_source.view import View

_HEADER = pattern(
    r"#\s*((?:uv\s+export|uv\s+pip\s+compile|pip-compile|python\S*\s+-m\s+piptools\s+compile)\b[^\r\n]*)", re.IGNORECASE
)
_COMPILES = pattern(r"\bpip\s+compile\b|\bpip-compile\b|\bpiptools\s+compile\b")


def command(v: View, path: str) -> str:
    """The command in the header of a generated requirements file (uv and pip-tools write it there), or ""."""
    found = _HEADER.search(_head(v, path))
    return found[1].strip() if found is not None else ""


def exported_by(v: View, path: str) -> str:
    """The file whose command writes this one with `uv export`, where the file itself has no header; or ""."""
    base = re.escape(path.rpartition("/")[2])
    writes = re.compile(
        rf"(?:\buv|\$[({{]UV[)}}])\s+export\b[^\n]*(?:>|\s-o|--output-file)[=\s]*[\"']?(?:\S*/)?{base}(?![\w.-])"
    )
    return next((where for where, text in v.installers() if writes.search(text)), "")


def outputs(v: View, path: str) -> list[str]:
    """The requirements files that are compiled from an `.in` file: by their header, or by their name."""
    if not path.endswith(".in"):
        return []
    named = re.compile(rf"(?<![\w.-]){re.escape(path.rpartition('/')[2])}(?![\w.-])")
    folder = path.rpartition("/")[0]
    return [
        other.path
        for other in v.projects
        if other.tool == "pip"
        and other.path != path
        and (
            other.path == path[:-3] + ".txt"
            or (other.path.startswith(folder) and named.search(command(v, other.path)) is not None)
        )
    ]


def given(v: View, path: str) -> bool:
    """Whether an `.in` file is compiled with an index: its output names one, or is installed with one.

    Or a document beside it says so where it speaks of the compilation.
    """
    made = outputs(v, path)
    if any(other.indexes for other in v.projects if other.path in made) or any(map(v.index_given_for, made)):
        return True
    folder = path.rpartition("/")[0]
    return path.endswith(".in") and any(
        _COMPILES.search(line) and "index-url" in line
        for where, text in v.installers()
        if where.rpartition("/")[0] == folder
        for line in text.splitlines()
    )


def advice(v: View, path: str, address: str) -> str:
    """What to do about an index that a generated file lacks: a line added by hand is lost with the next run; or ""."""
    made_by = command(v, path)
    if made_by.startswith("uv export"):
        return f"Write the file anew with its index: `{made_by} --emit-index-url`."
    if made_by.startswith("uv pip"):
        given_ = "" if "index" in made_by else f" --extra-index-url {address}"
        return f"Write the file anew with its index: `{made_by}{given_} --emit-index-url`."
    if made_by:
        quiet = "--no-emit-index-url" in made_by
        rest = re.sub(r"\s+--no-emit-index-url\b", "", made_by)
        given_ = (
            ""
            if re.search(r"index-url|pyproject", rest.replace("--emit-index-url", ""))
            else f" --extra-index-url {address}"
        )
        return f"Write the file anew with its index: `{rest}{given_}`." if quiet or given_ else ""
    where = exported_by(v, path)
    return f"Add `--emit-index-url` to the `uv export` in {where}, which writes the file, and run it." if where else ""


def _head(v: View, path: str) -> str:
    return (v.tree.read(path) or b"")[:2000].decode("utf-8", "replace")
