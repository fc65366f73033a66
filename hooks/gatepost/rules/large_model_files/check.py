"""The check itself: look at the new blobs once, ask each topic, order nothing (the engine sorts)."""

from __future__ import annotations

from gatepost.record import replace
from gatepost.tree.sources import open_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from gatepost.model import Context, Outcome
    from gatepost.rules.large_model_files.survey import Policy, Seen
    from gatepost.tree.history import Source

    Found: TypeAlias = Iterator[tuple[list[str], Outcome]]
    Topic: TypeAlias = Callable[[Source, Policy, Mapping[str, Any], Sequence[Seen], set[str]], Found]


SIZES = ("MF101", "MF102", "MF103")


def check(ctx: Context) -> Iterator[Outcome]:
    """Everything this hook has to say.

    Raises:
        gatepost.settings.SettingsError: a wrong entry in `allow`.
        gatepost.tree.git.GitError: git failed.
    """
    source = open_source(ctx.tree, ctx.env, ctx.args, named=ctx.scope is not None)
    if source.kind != "tree":
        ctx.partly()
    from gatepost.rules.large_model_files import rundirs, twice  # while git is at work
    from gatepost.rules.large_model_files.survey import read_policy, survey

    policy = read_policy(ctx)
    seen = survey(source, policy)
    told: set[str] = set()  # ids of blobs that a finding is about: one finding a blob
    found: list[tuple[list[str], Outcome]] = []
    for topic in _topics(source, ctx.settings, seen):
        for blobs, outcome in topic(source, policy, ctx.settings, seen, told):
            told.update(blobs)
            found.append((blobs, outcome))
    yield from _folded(found)
    if policy.allowed and source.kind == "tree" and ctx.scope is None:
        from gatepost.rules.large_model_files.allow import stale

        yield from stale(source, policy.allowed)
    yield from twice.check(source, policy)
    yield from rundirs.check(source, policy)
    if source.gaps():
        from gatepost.rules.large_model_files import gaps

        yield from gaps.check(source)


def _folded(found: Sequence[tuple[list[str], Outcome]]) -> Iterator[Outcome]:
    """The outcomes; that a pickle could not be verified is said in the finding that refuses the file, if there is one."""
    unverified = {blobs[0]: outcome for blobs, outcome in found if outcome.code == "MF302" and blobs}
    refused = {oid for blobs, outcome in found if outcome.code in SIZES for oid in blobs}
    for blobs, outcome in found:
        other = unverified.get(blobs[0]) if len(blobs) == 1 and outcome.code in SIZES else None
        if other is not None:
            yield replace(outcome, message=f"{outcome.message}; {other.message.partition('; ')[2]}")
        elif outcome.code != "MF302" or not refused.intersection(blobs):
            yield outcome


def _topics(source: Source, settings: Mapping[str, Any], seen: Sequence[Seen]) -> Iterator[Topic]:
    """What has anything to look at; the rest is not even imported."""
    if seen or "lfs" in source.filters().values() or source.named((".gitattributes",)):
        from gatepost.rules.large_model_files import pointers

        yield pointers.check
    if seen:
        from gatepost.rules.large_model_files import notebooks, sizes

        yield notebooks.check
        yield sizes.check
    if sum(size for _oid, size, _path in source.weights()) > min(settings["commit-budget"], settings["push-budget"]):
        from gatepost.rules.large_model_files import budget

        yield budget.check
    if settings["lfs-limit"] or settings["lfs-budget"]:
        from gatepost.rules.large_model_files import lfs_sizes

        yield lfs_sizes.check
    if seen:
        from gatepost.rules.large_model_files import pickles

        yield pickles.check
