"""The files in which a runner finds its hooks, and our entry in each of them.

prek reads the first of prek.toml, .pre-commit-config.yaml and .pre-commit-config.yml that is there (0.5.11),
pre-commit only the second: one beside the file of a project that has one would hide it, or never be read.
"""

from __future__ import annotations

from gatepost.sync import precommit, prektoml
from gatepost.sync.entries import is_ours
from gatepost.sync.precommit import NotSpliceable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PREK, YAML, YML = prektoml.PATH, precommit.PATH, ".pre-commit-config.yml"


def hook_files(read: Callable[[str], bytes | None]) -> list[str]:
    """The files that a runner reads here, prek's own first; .pre-commit-config.yaml where there is none yet."""
    found = [name for name in (PREK, YAML, YML) if read(name) is not None]
    return [name for name in found if name != YML or YAML not in found] or [YAML]


def with_entry(name: str, text: str, url: str, version: str) -> str:
    """The text of a file with our one entry; unchanged if there is one already.

    Raises:
        NotSpliceable: the file has a form that is not edited; its `path` and `paste` say where and what to write.
    """
    try:
        if name == PREK:
            return prektoml.with_entry(text, url, version)
        return precommit.with_entry(text, url, version)
    except NotSpliceable as error:
        error.path = name
        lines = prektoml.entry(url, version) if name == PREK else precommit.entry(url, version, "  ", "\n")
        error.paste = lines
        raise


def without_entry(name: str, text: str, url: str, *, made: bool) -> str:
    """The text without the entry that `with_entry` wrote; "" where `gatepost init` made the file for it alone.

    Raises:
        NotSpliceable: the file has a form that is not edited.
    """
    if name == PREK:
        return prektoml.without_entry(text, url)
    return precommit.without_entry(text, made=made)


def redundant(name: str, text: str) -> list[tuple[int, str, str, str]]:
    """(1-based line, hook id, our id, rev) of the entries of other repositories whose work the one id does."""
    return prektoml.redundant(text) if name == PREK else precommit.redundant(text)


def runs_us(name: str, raw: bytes) -> bool:
    """Whether an entry of a file runs this package; no where the file cannot be read."""
    try:
        repos = prektoml.repos(raw.decode()) if name == PREK else precommit.repos(raw.decode())
    except ValueError:
        return False
    return any(is_ours(repo) for repo in repos)
