"""The JSON report, version 1: an interface, never changed but by adding a version."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gatepost.model import Result


def render(results: Sequence[Result], changed: Mapping[str, str]) -> str:
    """`{"version": 1, "outcomes": [...], "changed": [...]}`, ASCII, one line an outcome."""
    import json

    rows = [
        json.dumps(
            {
                "kind": each.kind,
                "hook": each.hook,
                "code": each.code,
                "name": each.name,
                "severity": each.severity,
                "path": _decodable(each.path),
                "line": each.line,
                "key": each.key,
                "message": _decodable(each.message),
                "remedy": _decodable(each.remedy),
                "fixable": each.fixable,
            }
        )
        for each in results
    ]
    body = "".join(f"\n  {row}," for row in rows).rstrip(",") + ("\n" if rows else "")
    written = json.dumps([_decodable(path) for path in changed])
    return f'{{"version": 1, "outcomes": [{body}], "changed": {written}}}\n'


def _decodable(text: str) -> str:
    """JSON has no bytes: an undecodable byte of a name is shown as `\\xNN`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
