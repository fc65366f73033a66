"""Scripts with dependencies of their own (PEP 723), as uv reads them."""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.rules.torch_source.model import (
    SCRIPT,
    Env,
    Project,
)
from gatepost.rules.torch_source.readers import common, pep621, uv_indexes

_SCRIPT = pattern(rb"(?m)^# /// script\s*$\n((?:^#(?:| .*)\r?$\n)+?)^# ///\s*$")


def block(data: bytes) -> bytes | None:
    """The TOML of a script up to the end of its block, every character at its place (the marks become blanks); or None."""
    found = _SCRIPT.search(data)
    if found is None:
        return None
    head = re.sub(r"[^\n]", " ", data[: found.start(1)].decode("utf-8", "replace")).encode()  # a blank a character
    return head + re.sub(rb"(?m)^#(?: |\r?$)", lambda mark: mark[0].replace(b"#", b" "), found[1])


def edited(text: str, start: int, new: str) -> str:
    """What an edit of a script's block writes: each of its lines is a comment. `text` is the script, `start` the place."""
    lines = new.split("\n")
    fresh = text[:start].endswith("\n")  # the edit begins with a line of its own, and so ends with a break
    shown = [f"# {line}".rstrip() for line in lines]
    if fresh:
        return "\n".join(shown[:-1] + [shown[-1] if lines[-1] else ""])
    whole = text[:start].endswith("\n# ")  # before what stands behind the mark of its line
    return "\n".join([lines[0], *shown[1:-1], *(["# " if whole and not lines[-1] else shown[-1]] if lines[1:] else [])])


def read(path: str, data: bytes) -> Project | None:
    """The project in a PEP 723 script, or None if the file has none."""
    found = _SCRIPT.search(data)
    if found is None or b"torch" not in found[1].lower():
        return None
    try:
        toml = common.Toml(path, block(data) or b"")
    except ValueError:
        return None
    env = Env(kind=SCRIPT, name=path)
    asked = [
        common.requirement(toml, text, env, ("dependencies", number))
        for number, text in enumerate(common.array(toml.data, "dependencies"))
    ]
    requirements = [req for req in (*asked, *pep621.limits(toml, env)) if req is not None]
    return Project(
        tool="uv",
        root=common.folder(path),
        path=path,
        files=(path,),
        requirements=tuple(requirements),
        indexes=tuple(uv_indexes.indexes(toml, ("tool", "uv"))),
        routes=tuple(uv_indexes.routes(toml)),
        python=common.string(toml.data, "requires-python"),
        python_where=toml.where("requires-python"),
    )
