"""The projects of a repository that are synced: its root, and the members that opted in."""

from __future__ import annotations

from gatepost.sync.paths import data_of, get, strings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.tree.base import Tree


def folders(tree: Tree, members: Sequence[str]) -> list[str]:
    """ "" and the folders ("libs/a/") of the members that have a pyproject.toml; "workspace" means uv's members."""
    return ["", *_found(tree, members)] if members else [""]


def unmatched(tree: Tree, members: Sequence[str]) -> list[tuple[int, str]]:
    """(index, glob) of the members that name no folder with a pyproject.toml."""
    return [(at, member) for at, member in enumerate(members) if not _found(tree, [member])]


def _found(tree: Tree, members: Sequence[str]) -> list[str]:
    from gatepost.globs import matcher

    patterns: list[str] = []
    exclude: list[str] = []
    for member in members:
        if member == "workspace":
            workspace = get(data_of(tree.read("pyproject.toml")), ("tool", "uv", "workspace"))
            patterns += strings(get(workspace, ("members",)))
            exclude += strings(get(workspace, ("exclude",)))
        else:
            patterns.append(member)
    wanted, unwanted = matcher([each.strip("/") for each in patterns]), matcher([each.strip("/") for each in exclude])
    found = [path[: -len("pyproject.toml")] for path in tree.paths() if path.endswith("/pyproject.toml")]
    return [each for each in found if wanted(each[:-1]) and not unwanted(each[:-1])]
