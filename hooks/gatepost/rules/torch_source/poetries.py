"""TS108: which Poetry a repository pins, in its settings and in the commands that install it; what else to mend."""

from __future__ import annotations

import re

from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.torch_source.model import Fact, Project
    from gatepost.rules.torch_source.view import View


def _installs(major: int) -> str:
    """What installs Poetry of a major version: a pin, a variable of its installer, an input of an action."""
    return (
        rf"\bpoetry(?![\w-])[\"']?\s*(?:={{2,3}}|~=|@)\s*v?{major}\.\d|"
        rf"POETRY_VERSION[\"']?\s*[=:]\s*[\"'\[]*v?{major}\.\d|poetry[-_]version:\s*[\"'\[]*v?{major}\.\d|"
        rf"install-poetry@[^\n]*\n(?:[^\n]*\n){{0,3}}?\s*version:\s*[\"']?v?{major}\.\d"
    )


_ONE = pattern(_installs(1) + r"|\bpoetry(?![\w-])[^\n;&|]{0,20}<\s*=?\s*2(?:\.0)*(?![\d.])", re.IGNORECASE)
_TWO = pattern(_installs(2) + r"|\binstall\s+(?:-\S+\s+)*poetry(?:\s*$|\s*[;&|\\])", re.IGNORECASE | re.MULTILINE)
_BELOW_TWO = pattern(r"(?m)^requires-poetry\s*=\s*[\"'](?:[^\"']*<\s*=?\s*2(?:\.0)*(?![\d.])|[\^~]=?\s*1\.|==\s*1\.)")


def below_two(p: Project, v: View) -> bool:
    """Whether the repository pins Poetry below 2, and installs no other."""
    if _BELOW_TWO.search((v.tree.read(p.path) or b"").decode("utf-8", "replace")):
        return True
    texts = [text for _, text in v.installers()]
    return any(_ONE.search(text) for text in texts) and not any(_TWO.search(text) for text in texts)


def routed_too(fact: Fact, p: Project, v: View) -> Fact:
    """TS108's remedy for PyTorch's source: made explicit, it serves only what names it."""
    from gatepost.record import replace
    from gatepost.rules.torch_source import fixes

    place = str(fact.where.key).rpartition(".")[0]
    index = next((one for one in p.indexes if str(one.where.key).rpartition(".")[0] == place), None)
    bare = {req.name for req in p.family() if not p.routes_of(req) and not req.url} if index is not None else set()
    if index is None or not bare or not index.torch() or "explicit" not in fact.remedy:
        return fact
    changes = fixes.route(v, p, index, bare)
    first, _, rest = fact.remedy.partition(",")
    return replace(
        fact,
        remedy=f'{first} and `source = "{index.name}"` on {" and ".join(sorted(bare))},{rest}',
        edits=(*fact.edits, *changes) if changes and fact.edits else (),
    )
