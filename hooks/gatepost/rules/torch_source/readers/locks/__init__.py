"""Lock files: only what they say about PyTorch, found by scanning the text.

A uv.lock of 300 packages is 0.5 MB of TOML; parsing it whole costs more than all rules together. The blocks of the
PyTorch family, and of whatever else comes from PyTorch's index, are found by their first lines and read alone.
Formats: uv.lock 1, poetry.lock 1.x and 2.x, pdm.lock 4, pylock.toml 1.0 (PEP 751), Pipfile.lock 6, conda-lock 1, pixi.lock 5-6.
"""

from __future__ import annotations

from gatepost.rules.torch_source import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gatepost.rules.torch_source.model import Lock

_OF_TOML = ("uv.lock", "poetry.lock", "pdm.lock")


def read(path: str, data: bytes) -> Lock | None:
    """The lock at a path, by its name.

    Raises:
        ValueError: the file is broken.
    """
    reader = _reader(path)
    if reader is None:
        return None
    lock = reader(path, data)
    base = path.rpartition("/")[2]
    if not lock.entries and (base in _OF_TOML or paths.is_pylock(base)):
        from gatepost.rules.torch_source.readers.locks import inline

        if inline.is_inline(data):
            return inline.read(reader, path, data)
        _sound(data)  # before anybody says that a package is not in it
    return lock


def _reader(path: str) -> Callable[[str, bytes], Lock] | None:
    """What reads a lock of that name; only its format is loaded."""
    base = path.rpartition("/")[2]
    if base == "uv.lock":
        from gatepost.rules.torch_source.readers.locks import uv

        return uv.read
    if base == "poetry.lock":
        from gatepost.rules.torch_source.readers.locks import poetry

        return poetry.read
    if base == "pdm.lock":
        from gatepost.rules.torch_source.readers.locks import pdm

        return pdm.read
    if base == "Pipfile.lock":
        from gatepost.rules.torch_source.readers.locks import pipenv

        return pipenv.read
    if paths.is_pylock(base):
        from gatepost.rules.torch_source.readers.locks import pylock

        return pylock.read
    if base == "pixi.lock" or paths.is_lock(path):
        from gatepost.rules.torch_source.readers.locks import conda

        return conda.pixi if base == "pixi.lock" else conda.conda_lock
    return None


_HEAD = 256 * 1024  # bytes


def _sound(data: bytes) -> None:
    """A look at the beginning of a lock in TOML in which none of PyTorch's packages was found.

    Raises:
        ValueError: it is not TOML.
    """
    from gatepost.toml.load import loads

    end = data.rfind(b"\n[[package", 0, _HEAD) if len(data) > _HEAD else -1
    loads(data[: end if end > 0 else _HEAD])
