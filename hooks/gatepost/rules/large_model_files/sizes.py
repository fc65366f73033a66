"""Files over their limit: unknown ones, model weights, data sets, and the parts of a split file taken together."""

from __future__ import annotations

import re

from gatepost.model import Finding, Location
from gatepost.record import replace
from gatepost.rules.large_model_files.allow import snippet
from gatepost.rules.large_model_files.limits import exact, human, is_text
from gatepost.rules.large_model_files.remedy import instead, reclaim, spec, take_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from gatepost.model import Outcome
    from gatepost.rules.large_model_files.limits import Limit
    from gatepost.rules.large_model_files.survey import Policy, Seen
    from gatepost.tree.history import Blob, Source, Use

CODE_OF = {
    "weights": "MF102",
    "checkpoint": "MF102",
    "pickle": "MF102",
    "dataset": "MF103",
    "array": "MF103",
    "database": "MF103",
    "log": "MF103",
}
NOUN = {"MF101": "a file", "MF102": "a file with model weights", "MF103": "a file with data"}
FULL = 5  # so many findings tell the whole remedy; the rest refer to it
_PART = r"(?i)(?:[-_.]?(?:part|chunk|split|shard)[-_.]?\w{1,6}|\.z?\d{2,5}|[-_.][a-z]{2,3})$"


def check(
    source: Source, policy: Policy, settings: Mapping[str, Any], seen: Sequence[Seen], told: set[str]
) -> Iterator[tuple[list[str], Outcome]]:
    """One finding a blob that is over its limit, and one a group of parts that is."""
    suspects = [each for each in seen if each.blob.oid not in told and _over(policy, each) is not None]
    suspects = new_ones(source, suspects)
    count = 0
    for each in suspects:
        uses = policy.counts(each.blob)
        limit = _over(policy, each)
        if not uses or limit is None or _grandfathered(source, policy, each, uses):
            continue
        count += 1
        yield [each.blob.oid], _finding(source, policy, each, uses, limit, full=count <= FULL)
    parts = [each for each in seen if each.kind is not None and each.kind.category == "part"]
    yield from _parts(source, policy, [each for each in parts if each not in suspects])


def new_ones(source: Source, suspects: list[Seen], deep: bool = True) -> list[Seen]:
    """Those that history does not hold yet, with every path and commit that brings them in; see `Source.known`."""
    if not suspects:
        return []
    blobs = source.explain([each.blob for each in suspects])
    known = source.known(blobs, deep)
    return [replace(each, blob=blob) for each, blob in zip(suspects, blobs, strict=True) if blob.oid not in known]


def _over(policy: Policy, seen: Seen) -> Limit | None:
    """The limit that a blob exceeds at some counted path, or None."""
    for use in policy.counts(seen.blob):
        limit = policy.limits.of(use.path, seen.kind, seen.head)
        if seen.blob.size > limit.size:
            return limit
    return None


def _grandfathered(source: Source, policy: Policy, seen: Seen, uses: Sequence[Use]) -> bool:
    olds = [use for use in uses if use.old]
    if not olds:
        return False
    before = source.peek.sizes([use.old for use in olds])
    return any(
        policy.limits.still_the_same(use.path, seen.kind, seen.head, seen.blob.size, before[use.old] or 0)
        for use in olds
    )


def _finding(source: Source, policy: Policy, seen: Seen, uses: Sequence[Use], limit: Limit, *, full: bool) -> Finding:
    blob, use = seen.blob, uses[0]
    code = CODE_OF.get(seen.kind.category, "MF101") if seen.kind is not None else "MF101"
    if seen.kind is not None:
        what = seen.kind.label
    else:
        what = "a text file" if is_text(seen.head) and seen.head else "a binary file"
    message = f"{what}, {exact(blob.size)}, {event(source, seen, use)}; it may have {human(limit.size)} ({limit.why})"
    others = [other.path for other in uses[1:] if other.path != use.path]
    if others:
        names = ", ".join(f"`{path}`" for path in others[:3])
        message += f"; the same bytes are at {len(others)} more path{'s' if len(others) > 1 else ''}: {names}"
    if full:
        message += _uncovered(source, use.path)
    stale = [each for each in policy.allowed if each.path == use.path]
    if stale:
        message += f"; `allow` names this path for other content ({stale[0].oid[:10]})"
    return Finding(
        code=code,
        where=Location(path=use.path or f"<object {blob.oid[:12]}>"),
        message=message,
        remedy=remedy(source, seen, use, full=full),
        related=tuple(Location(path=path) for path in others),
    )


def _uncovered(source: Source, path: str) -> str:
    """That an LFS rule seems to mean the file and does not cover it, "" if none does."""
    from gatepost.rules.large_model_files.lfs import near_rule

    parts = path.split("/")
    for at in range(len(parts) - 1, -1, -1):
        place = "/".join([*parts[:at], ".gitattributes"])
        entry = source.entry(place)
        data = source.peek.whole([entry[1]]).get(entry[1], b"") if entry is not None else b""
        found = near_rule(data, path) if b"filter=lfs" in data else None
        if found is not None:
            return f"; the LFS rule `{found[1]}` ({place}:{found[0]}) does not cover it"
    return ""


def event(source: Source, seen: Seen, use: Use) -> str:
    """How a blob comes in: "is new", "was 10 KiB", "comes in with commit 1a2b3c4d5e" ..."""
    if source.kind == "tree":
        return "is tracked"
    before = source.peek.sizes([use.old]).get(use.old) if use.old else None
    grown = f"was {human(before)} before" if before is not None else "is new"
    if source.kind == "staged":
        return grown
    if not use.commit:
        return "is pushed without a commit"
    later = "" if _still_there(source, seen.blob, use) else " and is gone again later, but stays in history"
    return f"{grown} in commit {use.commit[:10]}{later}"


def _still_there(source: Source, blob: Blob, use: Use) -> bool:
    entry = source.entry(use.path)
    return entry is not None and entry[1] == blob.oid


def remedy(source: Source, seen: Seen, use: Use, *, full: bool = True) -> str:
    """What to do about one file."""
    if not full:
        return take_out(source, use)
    entry = snippet(use.path, seen.blob.oid)
    lines = [take_out(source, use), instead(use.path, seen.kind), reclaim(source)]
    if entry:
        lines.append(f"If it must be here: `{entry}` under [tool.gatepost.large-model-files].")
    return "\n".join(line for line in lines if line)


def _parts(source: Source, policy: Policy, parts: Sequence[Seen]) -> Iterator[tuple[list[str], Outcome]]:
    groups: dict[str, list[Seen]] = {}
    for each in parts:
        if policy.counts(each.blob):
            groups.setdefault(re.sub(_PART, "", each.blob.path), []).append(each)
    for stem, group in sorted(groups.items()):
        total = sum(each.blob.size for each in group)
        limit = policy.limits.of(stem, group[0].kind, b"")
        if total <= limit.size or len(group) < 2:
            continue
        group = new_ones(source, list(group))
        total = sum(each.blob.size for each in group)
        if total <= limit.size:
            continue
        group.sort(key=lambda each: each.blob.path)
        first = group[0]
        out = take_out(source, first.blob.uses[0])
        if source.kind == "staged":
            names = " ".join(spec(each.blob.path) for each in group)
            out = f"`git rm --cached -f -- {names}` takes them out of the commit (they stay on disk)."
        yield (
            [each.blob.oid for each in group],
            Finding(
                code="MF104",
                where=Location(path=first.blob.path),
                message=f"{len(group)} parts of `{stem}` have {exact(total)} together; a file may have "
                f"{human(limit.size)} ({limit.why})",
                remedy="\n".join([out, instead(stem, None), reclaim(source)]).strip(),
                related=tuple(Location(path=each.blob.path) for each in group if each is not first),
            ),
        )
