"""Scripts with dependencies of their own (PEP 723), as uv reads them."""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.rules.torch_source.model import (
    SCRIPT,
    Env,
    Project,
)
from gatepost.rules.torch_source.readers import common, uv_indexes

_SCRIPT = pattern(rb"(?m)^# /// script\s*$\n((?:^#(?:| .*)$\n)+?)^# ///\s*$")


def read(path: str, data: bytes) -> Project | None:
    """The project in a PEP 723 script, or None if the file has none."""
    found = _SCRIPT.search(data)
    if found is None or b"torch" not in found[1].lower():
        return None
    # Keep every character's place: `# ` becomes two blanks.
    block = re.sub(rb"(?m)^#(?: |$)", b"  ", found[1])
    head = re.sub(rb"[^\n]", b" ", data[: found.start(1)])
    try:
        toml = common.Toml(path, head + block)
    except ValueError:
        return None
    env = Env(kind=SCRIPT, name=path)
    requirements = []
    for number, text in enumerate(common.array(toml.data, "dependencies")):
        req = common.requirement(toml, text, env, ("dependencies", number))
        if req is not None:
            requirements.append(req)
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
