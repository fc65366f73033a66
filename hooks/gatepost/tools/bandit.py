"""bandit, for what Ruff's S rules lack; not started for files in which these tests cannot find anything.

bandit takes 120 ms to start and 20 ms a file. Its tests B613, B614 and B615 can only report a file that contains
bidirectional control characters, or the names that they look for (bandit/plugins of 1.9.4); most files do not.
"""

from __future__ import annotations

import os
import re

from gatepost.tools.command import Command, chunks, executable
from gatepost.tools.config import bandit_config, bandit_tests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

# One line a finding, as every other check prints it, where bandit's own report has twenty and a summary of zeros.
_LINES = ("--format", "custom", "--msg-template", "{relpath}:{line}: {test_id} {severity}: {msg}")
_KNOWN = frozenset({"B613", "B614", "B615"})
_PAIRS = (
    (rb"torch", rb"load"),
    (rb"transformers", rb"from_pretrained"),
    (rb"datasets", rb"load_dataset"),
    (rb"huggingface_hub", rb"hf_hub_download|snapshot_download|repository_id"),
)
_BIDI = re.compile(rb"\xe2\x80[\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
_WHOLE = ("-f", "--format", "-o", "--output", "-b", "--baseline", "-p", "--profile", "-c", "--configfile")
_FILES_PER_JOB = 12  # as long as another bandit takes to start


def command(
    cwd: str, options: Sequence[str], files: Sequence[str], environ: Mapping[str, str], beside: Collection[str] = ()
) -> Command | None:
    """How bandit is to be run; None when there is no Python file for it. `beside`: our own checks of the same run.

    What B614 and B615 look for, `unsafe-load` judges with the project's torch, the kind of weights and pinned revisions
    in view; where both run, one of them reports it.

    Raises:
        CannotRun: bandit is not there.
    """
    words = {word.split("=")[0] for word in options}
    config = [] if words & {"-c", "--configfile"} else ["-c", bandit_config(cwd)]
    shape = () if words & {"-f", "--format"} else _LINES
    head = (executable("bandit", environ), "--quiet", *shape, *config, *options)
    if not files:
        return Command(argvs=((*head, "-r", "."),))
    told = ""
    python = [name for name in files if not name.endswith(".ipynb")]  # bandit reads a notebook as Python and fails
    if not python:
        return None
    if config and not words & set(_WHOLE) and _limited(options, config[1]):
        if "unsafe-load" in beside:
            told = r": B61[45] "
        python = [name for name in python if suspect(_read(name), loads=not told)]
        if not python:
            return Command(argvs=())
    jobs = 1 if words & set(_WHOLE) - {"-c", "--configfile"} else min(_cores(), -(-len(python) // _FILES_PER_JOB))
    # With a leading ./, so that `/tests/` of `exclude_dirs` (bandit looks for it anywhere in the name) is a folder.
    names = [
        name if os.path.isabs(name) or name.startswith("../") else f"./{name.removeprefix('./')}" for name in python
    ]
    return Command(argvs=tuple((*head, *part) for part in chunks(names, environ, jobs)), told=told)


def _limited(options: Sequence[str], config: str) -> bool:
    """Whether only tests can report whose names we know."""
    words = iter(options)
    for word in words:
        if word in ("-t", "--tests") or word.startswith(("--tests=", "-t")):
            named = next(words, "") if word in ("-t", "--tests") else word.removeprefix("--tests=").removeprefix("-t")
            return {each.strip() for each in named.split(",")} <= _KNOWN
    tests = bandit_tests(config)
    return tests is not None and tests <= _KNOWN


def _read(name: str) -> bytes:
    try:
        with open(name, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def suspect(data: bytes, loads: bool = True) -> bool:
    """Whether B613 or, with `loads`, B614 or B615 could report a file of these bytes; more than they do, never less."""
    if loads and _mentions(data):
        return True
    if data.isascii():
        named = re.search(rb"coding[:=]\s*([-\w.]+)", data[:400])
        return named is not None and not named[1].lower().startswith((b"utf-8", b"utf8", b"ascii", b"latin", b"us-"))
    if _BIDI.search(data) or b"coding" in data[:400] or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    if not loads:
        return False
    import unicodedata  # Python reads identifiers in their NFKC form

    return _mentions(unicodedata.normalize("NFKC", data.decode("utf-8", "replace")).encode("utf-8", "replace"))


def _mentions(data: bytes) -> bool:
    return any(module in data and re.search(names, data) for module, names in _PAIRS)


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
