"""The sum: many files that are each below their limit, in one commit or one push.

Small text is not counted (source code comes in any number of files); lock files and LFS pointers are not either.
"""

from __future__ import annotations

from gatepost.model import Finding, Location
from gatepost.rules.large_model_files.limits import exact, human, is_lock, is_text
from gatepost.rules.large_model_files.remedy import spec
from gatepost.tree.history import Blob, Use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from gatepost.model import Outcome
    from gatepost.rules.large_model_files.survey import Policy, Seen
    from gatepost.tree.history import Source

SOURCE_TEXT = 64 * 1024  # bytes; a text file up to this size counts as source, not as data
NAMED = 3

Weight = tuple[str, int, str]  # object id, bytes, a path


def check(
    source: Source, policy: Policy, settings: Mapping[str, Any], seen: Sequence[Seen], told: set[str]
) -> Iterator[tuple[list[str], Outcome]]:
    """At most one finding a commit, and one a push."""
    a_commit, a_push = settings["commit-budget"], settings["push-budget"]
    rest = [each for each in source.weights() if each[0] not in told and each[1]]
    lowest = min(a_commit, a_push) if source.kind == "range" else a_commit
    if sum(size for _oid, size, _path in rest) <= lowest:
        return
    heavy = _heavy(source, policy, rest)
    if sum(size for _oid, size, _path in heavy) <= lowest:
        return
    known = source.known([_blob(each) for each in heavy])
    heavy = [each for each in heavy if each[0] not in known]
    if source.kind == "staged":
        if _sum(heavy) > a_commit:
            yield [], _finding("MF105", "this commit", heavy, a_commit, _unstage(heavy))
        return
    by_id = {each[0]: each for each in heavy}
    blamed: set[str] = set()
    for commit, blobs in source.by_commit().items():
        mine = [by_id[oid] for oid, _path in blobs if oid in by_id]
        if _sum(mine) > a_commit:
            blamed.update(oid for oid, _size, _path in mine)
            yield [], _finding("MF105", f"commit {commit[:10]}", mine, a_commit, _rewrite(source, commit, mine))
    left = [each for each in heavy if each[0] not in blamed]
    if _sum(left) > a_push:
        advice = "Push in parts if all of it belongs in git, else take the files out of the commits that brought them."
        yield [], _finding("MF106", source.label, left, a_push, f"{advice} Or raise `push-budget`.")


def _sum(weights: Sequence[Weight]) -> int:
    return sum(size for _oid, size, _path in weights)


def _blob(weight: Weight) -> Blob:
    return Blob(oid=weight[0], size=weight[1], uses=(Use(path=weight[2], mode="100644"),))


def _heavy(source: Source, policy: Policy, weights: Sequence[Weight]) -> list[Weight]:
    """Those that count: not excluded or allowed, no lock file, no small text."""
    counted = [each for each in weights if policy.counts(_blob(each))]
    heads = source.peek.heads([oid for oid, _size, _path in counted])
    return [
        (oid, size, path)
        for oid, size, path in counted
        if not is_lock(path, heads.get(oid, b""))
        if size > SOURCE_TEXT or not is_text(heads.get(oid, b""))
    ]


def _finding(code: str, what: str, weights: Sequence[Weight], budget: int, advice: str) -> Finding:
    largest = sorted(weights, key=lambda each: (-each[1], each[2]))
    names = ", ".join(f"`{path}` ({human(size)})" for _oid, size, path in largest[:NAMED])
    more = f" and {len(largest) - NAMED} more" if len(largest) > NAMED else ""
    return Finding(
        code=code,
        where=Location(path=largest[0][2]),
        message=f"{what} adds {len(largest)} files with {exact(_sum(weights))} in all; its budget is {human(budget)}: "
        f"{names}{more}",
        remedy=advice,
        related=tuple(Location(path=path) for _oid, _size, path in largest[1:20]),
    )


def _folder(weights: Sequence[Weight]) -> str:
    """The deepest folder that holds them all, "" for the root."""
    parts = [path.split("/")[:-1] for _oid, _size, path in weights]
    low, high = min(parts), max(parts)
    same = 0
    while same < min(len(low), len(high)) and low[same] == high[same]:
        same += 1
    return "/".join(low[:same])


def _unstage(weights: Sequence[Weight]) -> str:
    folder = _folder(weights)
    command = f"git rm -r --cached -f -q -- {spec(folder)}" if folder else "git rm --cached -f -- FILE ..."
    return (
        f"`{command}` takes them out of the commit (they stay on disk). Keep data in DVC, in Git LFS or on a hub, "
        "or raise `commit-budget` if all of it belongs in git."
    )


def _rewrite(source: Source, commit: str, weights: Sequence[Weight]) -> str:
    folder = _folder(weights)
    return (
        f"`git rebase -i --rebase-merges {'--root' if source.is_root(commit) else f'{commit[:10]}^'}`, mark it as `edit`, then `git rm -r --cached -q -- "
        f"{spec(folder) if folder else 'FILE ...'} && git commit --amend --no-edit && git rebase --continue`. "
        "Keep data in DVC, in Git LFS or on a hub, or raise `commit-budget` if all of it belongs in git."
    )
