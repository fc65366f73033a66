"""The files that the one id gives to each tool."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.tools.touched import Scope
    from gatepost.tree.git import Git


class Given:
    """Files of the scope for the tools, listed once. `within` is the current folder's path in the repository, with a slash."""

    def __init__(self, git: Git, scope: Scope, exclude: Sequence[str]) -> None:
        from gatepost.view import prefix_of

        self._git = git
        self._scope = scope
        self._exclude = exclude
        self._listed: list[str] | None = None
        self.within = prefix_of(git.root)

    def files(self, tool_id: str) -> list[str]:
        """Files for a tool, relative to the current folder: those of the scope, or all tracked ones below this folder,
        that are files on disk, are wanted and are not excluded."""
        from gatepost.tools.table import TOOLS

        tool = TOOLS[tool_id]
        lead = len(self.within)
        names = [path[lead:] for path in self._candidates() if not tool.suffixes or path.endswith(tool.suffixes)]
        return names if tool.suffixes else [name for name in names if _is_text(name)]

    def touches(self, suffixes: tuple[str, ...]) -> bool:
        """Whether the scope has a path of these endings below the current folder, a deleted one as well."""
        if self._scope.own is None:
            return True
        return any(path.endswith(suffixes) and path.startswith(self.within) for path in self._scope.own)

    def _candidates(self) -> list[str]:
        """Repository paths in scope, below the current folder, not excluded, that are regular files."""
        if self._listed is None:
            from gatepost.globs import matcher
            from gatepost.view import choose_tree

            exclude = matcher(self._exclude)
            scope = self._scope.tools
            self._listed = [
                path
                for path in choose_tree(self._git, None, self._scope.there, disk=True).paths()
                if (scope is None or path in scope)
                and path.startswith(self.within)
                and not exclude(path)
                and _is_regular(os.path.join(self._git.root, path))
            ]
        return self._listed

    def stamps(self, tool_id: str) -> dict[str, tuple[int, int]]:
        """Size and time of the files a tool is given: two calls tell what it has written."""
        found = {}
        for name in self.files(tool_id):
            try:
                stat = os.stat(name)
            except OSError:
                continue
            found[name] = (stat.st_size, stat.st_mtime_ns)
        return found


def _is_regular(path: str) -> bool:
    import stat

    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def _is_text(path: str) -> bool:
    try:
        with open(path, "rb") as stream:
            return b"\0" not in stream.read(1024)
    except OSError:
        return False
