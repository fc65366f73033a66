"""Notebooks that are large because of their outputs.

Of the notebooks over 500 KB in 225 repositories most grew there: a cell was run again, its pictures were saved. The
code in them is small; the cure is to strip what a run can make again.
"""

from __future__ import annotations

from gatepost.model import Finding, Location
from gatepost.rules.large_model_files.limits import exact, human
from gatepost.rules.large_model_files.remedy import quote, spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from gatepost.model import Outcome
    from gatepost.rules.large_model_files.survey import Policy, Seen
    from gatepost.tree.history import Source, Use

READ_MAX = 64 << 20  # bytes of a notebook that is parsed; a larger one is left to the size rule


def check(
    source: Source, policy: Policy, settings: Mapping[str, Any], seen: Sequence[Seen], told: set[str]
) -> Iterator[tuple[list[str], Outcome]]:
    """One finding a notebook whose outputs alone put it over its limit."""
    from gatepost.rules.large_model_files.sizes import new_ones

    large = [each for each in seen if each.blob.oid not in told and _over(policy, each) and each.blob.size <= READ_MAX]
    for each in new_ones(source, large):
        uses = [use for use in policy.counts(each.blob) if use.path.lower().endswith(".ipynb")]
        if not uses or _shrunk(source, policy, each, uses):
            continue
        use = uses[0]
        outputs = output_bytes(source.peek.read(each.blob.oid, each.blob.size))
        limit = policy.limits.of(use.path, each.kind, each.head)
        if outputs is None or outputs * 2 < each.blob.size:
            continue
        left = each.blob.size - outputs
        covered = [each.blob.oid] if left <= limit.size else []
        yield (
            covered,
            Finding(
                code="MF401",
                where=Location(path=use.path),
                message=f"a notebook of {exact(each.blob.size)}, of which {human(outputs)} are outputs; it may have "
                f"{human(limit.size)} ({limit.why})",
                remedy=f"`jupyter nbconvert --clear-output --inplace {quote(use.path)} && git add -- {spec(use.path)}`, "
                "or keep outputs out of git for good with `nbstripout --install`.",
            ),
        )


def _over(policy: Policy, seen: Seen) -> bool:
    return any(
        use.path.lower().endswith(".ipynb") and seen.blob.size > policy.limits.of(use.path, seen.kind, seen.head).size
        for use in policy.counts(seen.blob)
    )


def _shrunk(source: Source, policy: Policy, seen: Seen, uses: Sequence[Use]) -> bool:
    """Whether the notebook was over its limit before and has not grown."""
    before = source.peek.sizes([use.old for use in uses if use.old])
    return any(
        policy.limits.still_the_same(use.path, seen.kind, seen.head, seen.blob.size, before[use.old] or 0)
        for use in uses
        if use.old
    )


def output_bytes(data: bytes) -> int | None:
    """Bytes that outputs and attachments take up in a notebook (as JSON without spaces), None if it is none."""
    import json

    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(notebook, dict):
        return None
    sheets = notebook.get("worksheets")
    cells = notebook.get("cells")
    if not isinstance(cells, list):  # nbformat 3
        parts = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
        cells = [cell for part in parts if isinstance(part, list) for cell in part]
    total = 0
    for cell in cells:
        if isinstance(cell, dict):
            for key in ("outputs", "attachments"):
                if cell.get(key):
                    try:
                        total += len(json.dumps(cell[key], ensure_ascii=False).encode("utf-8", "surrogatepass"))
                    except (ValueError, RecursionError):
                        return None
    return total
