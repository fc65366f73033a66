"""How a page is written down, and the addresses that examples share."""

from __future__ import annotations

from gatepost.model import Code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.model import Certainty, Severity

CPU = "https://download.pytorch.org/whl/cpu"
GPU = "https://download.pytorch.org/whl/cu128"
UV_INDEX = f'[[tool.uv.index]]\nname = "pytorch-cpu"\nurl = "{CPU}"\nexplicit = true\n'
UV_ROUTE = '[tool.uv.sources]\ntorch = { index = "pytorch-cpu" }\n'


def page(
    id: str,
    name: str,
    severity: Severity,
    summary: str,
    why: str,
    bad: str,
    good: str,
    fix: str,
    *,
    certainty: Certainty = "exact",
    safe: bool = False,
    unchecked: bool = False,
) -> Code:
    return Code(
        id=id,
        name=name,
        severity=severity,
        summary=summary,
        why=why,
        bad=bad,
        good=good,
        fix=fix,
        certainty=certainty,
        safe_fix=safe,
        unchecked=unchecked,
    )
