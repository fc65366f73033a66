"""The check itself: look at the new blobs once, ask each topic, order nothing (the engine sorts)."""

from __future__ import annotations

from gatepost.rules.large_model_files.survey import read_policy, survey
from gatepost.tree.sources import open_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Context, Outcome


def check(ctx: Context) -> Iterator[Outcome]:
    """Everything this hook has to say.

    Raises:
        gatepost.settings.SettingsError: a wrong entry in `allow`.
        gatepost.tree.git.GitError: git failed.
    """
    from gatepost.rules.large_model_files import budget, gaps, notebooks, pickles, pointers, rundirs, sizes, twice

    policy = read_policy(ctx)
    source = open_source(ctx.tree, ctx.env, ctx.args, named=ctx.scope is not None)
    seen = survey(source, policy)
    told: set[str] = set()  # ids of blobs that a finding is about: one finding a blob
    for topic in (pointers.check, notebooks.check, sizes.check, budget.check, pickles.check):
        for blobs, outcome in topic(source, policy, ctx.settings, seen, told):
            told.update(blobs)
            yield outcome
    yield from twice.check(source, policy)
    yield from rundirs.check(source, policy)
    yield from gaps.check(source)
