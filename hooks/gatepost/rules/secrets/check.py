"""The check: files of the snapshot -> hits -> findings, less those that a baseline knows."""

from __future__ import annotations

from gatepost.model import Location, Unchecked
from gatepost.rules.secrets import baseline as known
from gatepost.rules.secrets import keys
from gatepost.rules.secrets.files import scan_file, texts
from gatepost.rules.secrets.scan import Scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Context, Outcome
    from gatepost.rules.secrets.files import Seen


def check(ctx: Context) -> Iterator[Outcome]:
    """Findings SE101-SE105 and SE201; SE202 where a baseline cannot be read."""
    # Most runs end without a hit and without a baseline: what says so comes when it is needed.
    own, foreign = (
        str(ctx.settings.get("baseline", ".gatepost-secrets")),
        str(ctx.settings.get("detect-secrets-baseline", ".secrets.baseline")),
    )
    skipped = frozenset((own, foreign))
    every = ctx.tree.paths()
    wanted = [
        path for path in (every if ctx.scope is None else sorted(ctx.scope)) if path not in skipped and ctx.wants(path)
    ]
    scanner = Scanner()
    seen: list[Seen] = []
    for path, data in texts(ctx, wanted):
        seen.extend(scan_file(scanner, path, data))
        if (names := keys.env_names(path, data)) and ctx.tree.status(path) != "ignored":
            from gatepost.rules.secrets.messages import env_file

            yield env_file(path, names)
    if ctx.args.get("update_baseline"):
        from gatepost.rules.secrets.compare import update

        ctx.partly()  # what is found is not told now
        yield from update(ctx, own, seen)
        return
    try:
        stored = ctx.tree.read(own)
        ours = known.parse(stored) if stored is not None else None
    except known.BaselineError as error:
        yield Unchecked(
            code="SE202",
            where=Location(path=own, line=1),
            message=f"the baseline cannot be read: {error}",
            remedy="restore it, or make a new one with `gatepost secrets --update-baseline --fix`.",
        )
        ours = None
    try:
        stored = ctx.tree.read(foreign)
        theirs = known.parse_detect_secrets(stored) if stored is not None else {}
    except known.BaselineError as error:
        yield Unchecked(
            code="SE202",
            where=Location(path=foreign, line=1),
            message=f"the baseline cannot be read: {error}",
            remedy=f"make it again with `detect-secrets scan > {foreign}`.",
        )
        theirs = {}
    if theirs:
        from gatepost.rules.secrets.compare import unknown

        seen = list(unknown(ctx, seen, theirs))
    if ours is not None and ours.entries:
        from gatepost.rules.secrets.compare import against

        yield from against(ctx, scanner, own, ours, seen, wanted)
    else:
        for one in seen:
            from gatepost.rules.secrets.messages import finding

            yield finding(one)
