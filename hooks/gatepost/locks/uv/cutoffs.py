"""`exclude-newer`: an instant, a day or a span of time, against what the lock records. Loaded only where there is one.

A span is compared field by field and not by its length (`7 days` is not `1 week`), an instant as such; a later one
keeps the lock (uv 0.13). Sources: runs of uv 0.13.8; the formats of the `jiff` crate, which reads them for uv.
"""

from __future__ import annotations

import re

from gatepost.locks.uv.case import Difference
from gatepost.locks.uv.project import Undecidable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Span = tuple[int, tuple[tuple[str, int], ...]]  # sign, units with their numbers

_UNITS = {"w": "W", "d": "D", "h": "h", "m": "m", "s": "s"}
_FRIENDLY = r"(\d+)(?:[.,](\d+))?\s*(weeks?|wks?|w|days?|d|hours?|hrs?|hr|h|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])"
_CLOCK = r"(\d+):(\d\d)(?::(\d\d))?"
_SMALLER = {"h": ("m", 60), "m": ("s", 60)}
_DAY = 86400  # seconds
_EAST, _WEST = 14 * 3600, 12 * 3600  # seconds by which a machine's zone may be before and behind UTC


def compare(wanted: Any, locked: Any, recorded: Any, path: str, prefix: str, suffix: str = "") -> None:
    """Hold one setting (`wanted`) against the instant (`locked`) and the span (`recorded`) of the lock.

    Raises:
        Difference: the lock was made with another one.
        Undecidable: uv cannot read the setting and leaves out its table, or it is not understood here.
    """
    key = f"{prefix}exclude-newer{suffix}"
    if wanted is None and locked is None and recorded is None:
        return
    had = f'has "{recorded or locked}"' if locked is not None or recorded is not None else "has none"
    if wanted is None:
        raise Difference("LF105", f"{key} is not set, the lock {had}", path, key)
    if not isinstance(wanted, str):
        if suffix and wanted is False:
            raise Difference("LF105", f"{key} is false, the lock {had}", path, key)
        raise Undecidable(f"{key} is no string, so uv ignores all settings of its table", "LF305", path, key)
    asked, at, whole_day = span(wanted), None, False
    if asked is None:
        at, whole_day = _instant(wanted)
        if at is None and "[" in wanted:
            raise Undecidable(f'{key} "{wanted}" names a time zone, which is not looked up here', "LF302", path, key)
        if at is None:
            reason = f'{key} "{wanted}" is no date and no span that uv reads, so uv ignores all settings of its table'
            raise Undecidable(reason, "LF305", path, key)
    stale = Difference("LF105", f'{key} is "{wanted}", the lock {had}', path, key)
    if asked is not None or recorded is not None:
        if asked is None or recorded is None or asked != span(str(recorded)):
            raise stale
        return
    if at is None or locked is None:
        raise stale
    then, _ = _instant(str(locked))
    if then is None:
        raise Undecidable(f'the cutoff "{locked}" of the lock is not understood here', "LF302", path, key)
    # a day ends at midnight in the zone of the machine: what one of them takes for late enough is
    if then > at + (_WEST if whole_day else 0):
        raise stale


def _instant(text: str) -> tuple[float | None, bool]:
    """(seconds since 1970, whether it is a day: its end in UTC then); None where it is no date."""
    from datetime import datetime, timezone

    text = text.strip().upper()
    day = re.fullmatch(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?)?", text)
    if day:  # without an offset its clock does not count
        text = f"{day[1]}-{day[2]}-{day[3]}"
    text = re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00"))
    text = re.sub(r"\.(\d{1,5})(?=[+-]|$)", lambda found: "." + found[1].ljust(6, "0"), text)
    try:
        found = datetime.fromisoformat(text)
        seconds = (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None, False
    return seconds + (_DAY if day else 0), bool(day)


def span(text: str) -> Span | None:
    """`P3W`, `3 weeks`, `1d 12h`, `36:00:00`, `2 weeks ago` as sign and numbers by unit; None if uv reads no span there."""
    text = text.strip().lower()
    sign = -1 if text.startswith("-") else 1
    body = text.lstrip("+-") if text[:1] in ("+", "-") else text
    if body.endswith("ago"):
        sign, body = -sign, body[:-3].rstrip()
    found: dict[str, int] = {}
    if re.fullmatch(r"p(?=.)(\d+[wd])*(t(\d+([.,]\d+)?[hms])+)?", body):
        parts = re.findall(r"(\d+)(?:[.,](\d+))?([wdhms])", body)
    elif re.fullmatch(rf"(?:{_FRIENDLY}[\s,]*)+", body) or re.fullmatch(rf"(?:{_FRIENDLY}[\s,]*)*{_CLOCK}", body):
        parts = re.findall(_FRIENDLY, body)
        for number, minutes, seconds in re.findall(_CLOCK, body):
            parts += [(number, "", "h"), (minutes, "", "m"), (seconds or "0", "", "s")]
    else:
        return None
    for number, fraction, unit in parts:
        if fraction and unit[0] in "wd":
            return None
        _add(found, unit[0], number, fraction)
    units = tuple(sorted((unit, number) for unit, number in found.items() if number))
    return (sign if units else 1), units


def _add(found: dict[str, int], unit: str, number: str, fraction: str) -> None:
    """Count one part in; the fraction of an hour or minute goes to the smaller unit, less than a second is left out."""
    short = _UNITS[unit]
    found[short] = found.get(short, 0) + int(number)
    if fraction and unit in _SMALLER:
        smaller, size = _SMALLER[unit]
        rest = int(fraction) * size
        _add(
            found, smaller, str(rest // 10 ** len(fraction)), str(rest % 10 ** len(fraction)).rjust(len(fraction), "0")
        )
