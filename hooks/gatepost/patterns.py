"""Regular expressions that are compiled when they are first used.

To compile one takes 0.1-0.8 ms, and a module of a reader has five: a run that uses one of them pays for one, and one
that uses none does not import `re` either. To mypy
`pattern` is `re.compile`, so every use is checked.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    pattern = re.compile

else:

    class pattern:  # noqa: N801 (stands in for `re.compile`)
        """A pattern that compiles itself when one of its methods is asked for."""

        def __init__(self, text, flags=0):
            self._text, self._flags = text, flags

        def __getattr__(self, name):
            """`search`, `match` and the like: the compiled pattern's own, kept, so that the next call is as fast."""
            if name.startswith("__"):
                raise AttributeError(name)
            import re

            compiled = re.compile(self._text, self._flags)
            for each in ("search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split", "pattern"):
                self.__dict__[each] = getattr(compiled, each)
            return getattr(compiled, name)
