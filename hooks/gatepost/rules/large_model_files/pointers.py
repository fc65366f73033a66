"""Git LFS: raw bytes where a pointer belongs, broken pointers, rules that match nothing."""

from __future__ import annotations

from gatepost.model import WARNING, Finding, Location
from gatepost.rules.large_model_files.lfs import POINTER_MAX, beneath, dead_rules, is_pointer, poses_as_pointer
from gatepost.rules.large_model_files.limits import exact
from gatepost.tree.history import SYMLINK, Blob, Use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from gatepost.model import Outcome
    from gatepost.rules.large_model_files.survey import Policy, Seen
    from gatepost.tree.history import Source


def check(
    source: Source, policy: Policy, settings: Mapping[str, Any], seen: Sequence[Seen], told: set[str]
) -> Iterator[tuple[list[str], Outcome]]:
    """Findings about blobs that `filter=lfs` covers, about false pointers, and about rules."""
    covered = [path for path in _covered(source) if policy.wants(path)]
    heads = {each.blob.oid: each.head for each in seen if covered}
    uses = {each.blob.oid: each.blob.uses for each in seen}
    bad = [blob for blob in _raw(source, covered) if any(policy.counts(blob))]
    known = source.known(bad) if bad and source.kind != "tree" else set()
    for blob in bad:
        if blob.oid not in known:
            head = heads.get(blob.oid) or source.peek.heads([blob.oid]).get(blob.oid, b"")
            use = next((use for use in uses.get(blob.oid, ()) if use.path == blob.path), blob.uses[0])
            yield [blob.oid], _raw_finding(source, blob, use, head)
    yield from _posing(source, policy, seen, {blob.oid for blob in bad})
    for outcome in _rules(source, policy):
        yield [], outcome


def _covered(source: Source) -> list[str]:
    """Paths that the snapshot's attributes hand to Git LFS."""
    return [path for path, value in source.filters().items() if value == "lfs"]


def _raw(source: Source, covered: Sequence[str]) -> list[Blob]:
    """Blobs at covered paths that are neither pointers nor empty."""
    new = {oid for oid, _size, _path in source.weights()}
    entries: dict[str, list[Use]] = {}
    for path in covered:
        entry = source.entry(path)
        if entry is not None and entry[0] not in (SYMLINK, "160000") and (entry[1] in new or source.kind == "tree"):
            entries.setdefault(entry[1], []).append(Use(path=path, mode=entry[0]))
    sizes = source.peek.sizes(entries)
    small = [oid for oid in entries if 0 < (sizes[oid] or 0) <= POINTER_MAX]
    content = source.peek.whole(small) if small else {}
    return [
        Blob(oid=oid, size=size, uses=tuple(uses))
        for oid, uses in entries.items()
        if (size := sizes[oid] or 0) and not (oid in content and is_pointer(content[oid]))
    ]


def _raw_finding(source: Source, blob: Blob, use: Use, head: bytes) -> Finding:
    from gatepost.rules.large_model_files.remedy import spec

    if poses_as_pointer(head):
        much = "more than a pointer can have" if blob.size > POINTER_MAX else "and not one that git-lfs can read"
        message = f"begins like a Git LFS pointer but is none: {exact(blob.size)}, {much}"
        remedy = f"put the real file there, then `git lfs install && git add -- {spec(blob.path)}`"
        return Finding(code="MF112", where=Location(path=blob.path), message=message, remedy=remedy)
    message = f"`filter=lfs` covers it, but {exact(blob.size)} of raw bytes are in git, not a pointer"
    return Finding(code="MF111", where=Location(path=blob.path), message=message, remedy=_restage(source, use))


def _restage(source: Source, use: Use) -> str:
    from gatepost.rules.large_model_files.remedy import quote, spec, take_out

    path = spec(use.path)
    cure = f"`git lfs install && git add --renormalize -- {path}` puts the pointer in its place"
    if source.kind == "staged":
        return f"{cure} (needs the git-lfs program; without it git keeps raw bytes and says nothing)."
    if source.kind == "tree":
        return f"{cure}; commit that. History keeps the raw bytes: `git lfs migrate import --include={quote(use.path)}` rewrites it."
    return f"{take_out(source, use)}\nThen {cure}."


def _posing(
    source: Source, policy: Policy, seen: Sequence[Seen], done: set[str]
) -> Iterator[tuple[list[str], Outcome]]:
    """A pointer's first lines with something behind them, at a path that no attribute covers."""
    for each in seen:
        large = each.blob.size > POINTER_MAX
        fake = poses_as_pointer(each.head) and (large or not is_pointer(each.head)) and each.blob.oid not in done
        if fake and (source.kind == "tree" or each.blob.oid not in source.known([each.blob])):
            blob = source.explain([each.blob])[0]
            uses = policy.counts(blob)
            if uses:
                from gatepost.rules.large_model_files.remedy import spec, take_out

                why = "a pointer has less than 1 KiB" if large else "git-lfs cannot read it as one"
                message = f"begins like a Git LFS pointer but has {exact(blob.size)}; {why}"
                again = f"put the whole pointer there, or the real file, then `git add -- {spec(uses[0].path)}`"
                remedy = take_out(source, uses[0]) if large else again
                yield (
                    [blob.oid],
                    Finding(code="MF112", where=Location(path=uses[0].path), message=message, remedy=remedy),
                )


def _rules(source: Source, policy: Policy) -> Iterator[Finding]:
    for path in source.named((".gitattributes",)):
        if path.rpartition("/")[2] != ".gitattributes" or not policy.wants(path):
            continue
        entry = source.entry(path)
        if entry is None:
            continue
        data = source.peek.whole([entry[1]]).get(entry[1], b"")
        base = path.removesuffix(".gitattributes")
        for rule in dead_rules(data, base) if b"filter=lfs" in data else ():
            from gatepost.rules.large_model_files.remedy import lfs_track, quote

            files = beneath(rule.folder, source.all_paths()) if rule.folder else []
            there = f"; {len(files)} tracked file{'s are' if len(files) > 1 else ' is'} in it" if files else ""
            cure = f"`{lfs_track(rule.better)}`" if rule.better.startswith("*.") else ""
            if rule.better and not cure:
                cure = f"`git lfs untrack {quote(rule.pattern)}; git lfs track {_single(rule.better)}`"
            if cure and base:
                cure = f"`cd {quote(base.rstrip('/'))} && {cure[1:-1]}; cd -`"
            yield Finding(
                code="MF113",
                where=Location(path=path, line=rule.line),
                message=f"the Git LFS rule `{rule.pattern}` matches nothing: {rule.why}{there}",
                remedy=(f"{cure}, then `git add --renormalize .`" if cure else "delete the line")
                + ("; what is below the folder is in git as raw bytes until then" if files else ""),
                severity=None if files else WARNING,
            )


def _single(pattern: str) -> str:
    return "'" + pattern.replace("'", "'\\''") + "'"
