"""The files of a tree, as the readers of manifests ask for them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    from gatepost.rules.torch_source.model import Lock
    from gatepost.rules.torch_source.readers.common import Toml
    from gatepost.tree.base import Tree

    class Files(Protocol):
        """Each is parsed at most once."""

        tree: Tree
        known: set[str]  # the paths that are not passed over

        @property
        def paths(self) -> Sequence[str]:
            """The same in the order of the tree."""

        def toml(self, path: str) -> Toml | None:
            """A TOML file of the tree, or None if there is none or it is broken."""

        def locks(self, path: str, names: Iterable[str], pylock: bool = False) -> tuple[Lock, ...]:
            """The locks of these names beside a manifest; with `pylock`, those of PEP 751 too."""
