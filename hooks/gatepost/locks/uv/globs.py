"""Member globs that need a regular expression (`**`, `?`, `[ab]`, several `*` in one name). Loaded only for those."""

from __future__ import annotations

import re

from gatepost.globs import CHILDREN, translate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def compiled(pattern: str) -> Callable[[str], bool]:
    """A test of whole paths; a pattern that is none matches only itself."""
    try:
        test = re.compile(translate(f"/{pattern}").removesuffix(CHILDREN)).fullmatch
    except re.error:
        return lambda path: path == pattern
    return lambda path: test(path) is not None
