"""What each check of a run has to say: a block for the report, a line for the summary, outcomes for JSON."""

from __future__ import annotations

import os
import re
import sys

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from gatepost.model import Result


@record
class Block:
    """What one check has to say: a verdict for the summary line, its output, its outcomes, the files it wrote."""

    id: str
    verdict: str  # "passed" | "failed" | "skipped"
    detail: str = ""
    output: str = ""
    results: tuple[Result, ...] = ()
    changed: Mapping[str, str] = {}  # noqa: RUF012 (never written to)


_PLACE = re.compile(r"(?:\x1b\[[0-9;]*m)*(?P<path>[^\s:][^:\n]*?):(?P<line>\d+):(?:\d+:)?\s*(?P<text>\S.*)")


def results(tool_id: str, rc: int, output: str, within: str) -> Iterable[Result]:
    """An outcome for every line of a tool that names a place, else one for the whole."""
    from gatepost.engine_outcomes import tool_result
    from gatepost.record import replace
    from gatepost.report.text import printable

    remedy = f"run `gatepost {tool_id}` for the whole output, and mend what it names."
    found = []
    for line in output.splitlines():
        place = _PLACE.fullmatch(line)
        if place is not None and not place["text"].startswith("note:"):
            path = within + place["path"].replace(os.sep, "/").removeprefix("./")
            result = tool_result("GP201", tool_id, printable(place["text"]), remedy)
            found.append(replace(result, path=path, line=int(place["line"])))
    if found:
        return found
    lines = [line for line in output.splitlines() if line.strip()]
    first = printable(lines[0].strip()) if lines else "no output"
    return [tool_result("GP201", tool_id, f"exit code {rc}: {first}", remedy)]


def counts(results: Sequence[Result], changed: Collection[str]) -> str:
    found: dict[str, int] = {}
    for each in results:
        word = "unchecked" if each.kind == "unchecked" else each.severity
        found[word] = found.get(word, 0) + 1
    plural = {"error": "errors", "warning": "warnings", "info": "infos", "unchecked": "unchecked"}
    parts = [f"{n} {plural[word] if n != 1 else word}" for word, n in sorted(found.items())]
    if changed:
        parts.append(f"{len(changed)} file{'s' * (len(changed) != 1)} written")
    return ", ".join(parts)


def changed_by(blocks: Sequence[Block]) -> dict[str, str]:
    return {path: command for block in blocks for path, command in block.changed.items()}


def print_all(blocks: Sequence[Block], note: str = "") -> None:
    """A block for every check that has something to say, then a line for each, and `note`; in short where none has."""
    out = []
    for block in blocks:
        if block.output.strip():
            out.append(f"--- {block.id}\n{block.output.rstrip()}\n\n")
    if out or any(block.verdict == "failed" for block in blocks):
        width = max(len(block.id) for block in blocks) + 2
        for block in blocks:
            detail = f" ({block.detail})" if block.detail else ""
            out.append(f"{block.id + ' ':.<{width + 3}} {block.verdict}{detail}\n")
    else:
        out = _in_short(blocks)
    from gatepost.run import paste_note

    told = "".join(block.output for block in blocks)
    sys.stdout.write("".join(out) + paste_note(told) + (note if told.strip() else ""))
    sys.stdout.flush()


def _in_short(blocks: Sequence[Block]) -> list[str]:
    """A line for each verdict and reason, with all its checks: what a commit without a finding shows."""
    said: dict[str, list[str]] = {}
    for block in blocks:
        said.setdefault(block.verdict + (f" ({block.detail})" if block.detail else ""), []).append(block.id)
    return [f"{verdict}: {', '.join(ids)}\n" for verdict, ids in said.items()]


def masked(output: bytes) -> bytes:
    """A tool's output without the secrets that the source lines in it may show (Ruff prints the lines around a finding)."""
    from gatepost.rules.secrets.scan import Scanner

    hits = Scanner().scan(output)
    for hit in reversed(hits):
        output = output[: hit.start] + b"****" + output[hit.end :]
    return output
