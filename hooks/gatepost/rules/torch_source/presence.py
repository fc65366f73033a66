"""Whether an image or a CI job can bring PyTorch at all: a byte search, so that a project without it costs nothing.

It may say yes where there is none (the readers then find nothing), never no where there is one: searched are the
Dockerfiles, CI files and READMEs, every manifest and lock, and every file whose name any of those mentions.
"""

from __future__ import annotations

from gatepost.rules.torch_source import paths
from gatepost.rules.torch_source.carriers import CARRIERS, CARRYING_EXTRAS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gatepost.tree.base import Tree

LARGEST = 4_000_000  # bytes; what is larger is no list of packages
_NAMES = tuple(
    name.encode() for name in sorted({*CARRIERS, *CARRYING_EXTRAS}) if "torch" not in name
)  # `torch` itself is searched first


def deploys(path: str) -> bool:
    """Whether a path may be a Dockerfile, a CI file or a README."""
    base = path.rpartition("/")[2].lower()
    return (
        "dockerfile" in base
        or "containerfile" in base
        or path.startswith(".github/workflows/")
        or base in ("action.yml", "action.yaml")
        or base.startswith(".gitlab-ci.")
        or base in ("readme.md", "readme.rst")
    )


def speaks(tree: Tree, known: Sequence[str]) -> bool:
    """Whether anything that the Dockerfiles, CI files and READMEs of a tree could install speaks of PyTorch.

    `known` are the tree's paths.
    """
    first = [path for path in known if deploys(path)]
    if not first:
        return False
    todo = first + [path for path in known if _manifest(path)]
    read: set[str] = set()
    while todo:
        found = _texts(tree, todo)
        read.update(todo)
        if any(_names_torch(data, path) for path, data in found.items()):
            return True
        text = b"\n".join(data for path, data in found.items() if not paths.is_lock(path))
        todo = [path for path in known if path not in read and _mentioned(path, text)]
    return False


def _manifest(path: str) -> bool:
    return paths.declares(path) or (path.endswith((".lock", ".toml", ".yml", ".yaml")) and paths.is_lock(path))


def _mentioned(path: str, text: bytes) -> bool:
    """Whether the base name of a file that could list packages stands in a text."""
    base = path.rpartition("/")[2]
    if base.endswith((".py", ".png", ".jpg", ".ipynb", ".json", ".csv")):
        return False
    return base.encode("utf-8", "surrogateescape") in text


def _texts(tree: Tree, wanted: Iterable[str]) -> Mapping[str, bytes]:
    found = tree.read_many(wanted)
    return {path: data for path, data in found.items() if data is not None and len(data) < LARGEST}


def _names_torch(data: bytes, path: str) -> bool:
    """Whether a file names torch or a package that brings it; a lock that brings torch names it."""
    if paths.names_torch(data):
        return True
    if paths.is_lock(path):
        return False
    folded = data.lower().replace(b"_", b"-").replace(b".", b"-")
    return b"torch" in folded or any(name in folded for name in _NAMES)
