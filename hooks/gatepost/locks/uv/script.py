"""The block of a PEP 723 script, as a manifest. Loaded only for the lock of a script."""

from __future__ import annotations

import re

from gatepost.locks.uv.project import Project, Undecidable
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.locks._base import Lock

_SCRIPT = r"(?m)^# /// script[^\S\n]*$\n((?:^#(?:| .*)$\n)*)^# ///[^\S\n]*$"


def script(lock: Lock) -> Project:
    """The `# /// script` block of a PEP 723 script as a project whose data is `{"tool": ..., "project": {}}`.

    Raises:
        Undecidable: there is no script, no block, or it is not TOML.
    """
    path = lock.path[: -len(".lock")]
    data = lock.read(path)
    if data is None:
        raise Undecidable(f"the script {path} is not in the snapshot", "LF309")
    text = data.decode("utf-8", "replace").replace("\r\n", "\n") + "\n"
    blocks = re.findall(_SCRIPT, text)
    if len(blocks) > 1:
        raise Undecidable(f"{path} has two `# /// script` blocks, so uv refuses it", "LF305", path)
    if not blocks and re.search(r"(?m)^# /// script[^\S\n]*$", text):
        raise Undecidable(
            f"the `# /// script` block of {path} is not closed by `# ///`, so uv refuses it", "LF305", path
        )
    lines = blocks[0].splitlines(keepends=True) if blocks else ()  # without a block: a script that asks for nothing
    body = "".join(line[2:] if line.startswith("# ") else line[1:] for line in lines)
    try:
        return Project(directory=lock.directory, path=path, data=loads(body.encode("utf-8", "replace")))
    except TomlError as error:
        raise Undecidable(f"the script block of {path} is not TOML: {error}", "LF305", path) from None
