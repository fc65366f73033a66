"""Hits against the baselines: what is known already, which entries are stale, what a new baseline would hold."""

from __future__ import annotations

from gatepost.model import Edit, Finding, Fix, Location
from gatepost.rules.secrets import baseline as known
from gatepost.rules.secrets.files import scan_file, texts
from gatepost.rules.secrets.messages import finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gatepost.model import Context, Outcome
    from gatepost.rules.secrets.files import Seen
    from gatepost.rules.secrets.scan import Scanner


def unknown(ctx: Context, seen: list[Seen], theirs: Mapping[str, frozenset[str]]) -> Iterator[Seen]:
    """What detect-secrets' baseline does not know; an entry of a file that is gone covers the file's new place."""
    gone = frozenset(one for path, found in theirs.items() if ctx.tree.size(path) is None for one in found)
    for one in seen:
        keys_ = known.sha1s(one.hit.secret, one.text)
        if keys_.isdisjoint(theirs.get(one.path, frozenset())) and keys_.isdisjoint(gone):
            yield one


def against(
    ctx: Context, scanner: Scanner, own: str, ours: known.Baseline, seen: list[Seen], wanted: list[str]
) -> Iterator[Outcome]:
    """Findings that the baseline does not cover, and entries that cover nothing any more."""
    digests: dict[bytes, str] = {}

    def key(secret: bytes) -> str:
        if secret not in digests:
            digests[secret] = known.digest(ours.salt, secret)
        return digests[secret]

    entries = {(one.code, one.digest, one.path): one for one in ours.entries}
    used: set[tuple[str, str, str]] = set()
    left = []
    for one in seen:
        place = (one.code, key(one.hit.secret), one.path)
        if place in entries:
            used.add(place)
        else:
            left.append(one)
    idle = [place for place in entries if place not in used]
    scanned = frozenset(wanted)
    # An entry of a file outside this run is still good if the file still has the secret.
    for path in {place[2] for place in idle} - scanned:
        data = ctx.tree.read(path)
        if data is not None and b"\0" not in data[:8000]:
            used.update((one.code, key(one.hit.secret), path) for one in scan_file(scanner, path, data))
    idle = [place for place in idle if place not in used]
    moved: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for place in idle:
        moved.setdefault(place[:2], []).append(place)
    covered: dict[tuple[str, str], str] = {}
    for one in left:
        pair = (one.code, key(one.hit.secret))
        if pair in covered and covered[pair] == one.path:
            continue
        if moved.get(pair):
            used.add(moved[pair].pop())
            covered[pair] = one.path
            continue
        yield finding(one)
    stale = [entries[place] for place in idle if place not in used]
    if not stale:
        return
    if ctx.scope is not None:  # it may have moved to a file outside this run
        others = [path for path in ctx.tree.paths() if path not in scanned and path != own]
        kept = {
            (one.code, key(one.hit.secret))
            for path, data in texts(ctx, others)
            for one in scan_file(scanner, path, data)
        }
        stale = [entry for entry in stale if (entry.code, entry.digest) not in kept]
    old = ctx.tree.read(own)
    for entry in stale:
        rest = known.Baseline(salt=ours.salt, entries=tuple(one for one in ours.entries if one not in stale))
        fix = Fix(title="drop stale entries", edits=(Edit(path=own, old=old, new=known.render(rest)),), safe=True)
        yield Finding(
            code="SE201",
            where=Location(path=own, line=entry.line),
            message=f"the secret of this entry is no longer in {entry.path}, nor anywhere else",
            remedy="drop the line: run `gatepost secrets --fix`.",
            fix=fix if entry is stale[0] else None,
        )


def update(ctx: Context, own: str, seen: list[Seen]) -> Iterator[Outcome]:
    """One finding whose fix writes the baseline of everything found; kept entries keep their reasons."""
    old = ctx.tree.read(own)
    before = known.Baseline(salt="", entries=())
    if old is not None:
        try:
            before = known.parse(old)
        except known.BaselineError:
            pass
    salt = before.salt or known.new_salt(one.path for one in seen)
    reasons = {(one.code, one.digest): one.reason for one in before.entries}
    entries = []
    for one in seen:
        digest = known.digest(salt, one.hit.secret)
        entries.append(
            known.Entry(code=one.code, digest=digest, path=one.path, reason=reasons.get((one.code, digest), ""))
        )
    new = known.render(known.Baseline(salt=salt, entries=tuple(entries)))
    if new != old:
        fix = Fix(title=f"write {own}", edits=(Edit(path=own, old=old, new=new),), safe=True)
        yield Finding(
            code="SE201",
            where=Location(path=own, line=1 if old is not None else None),
            message=f"the baseline differs from the {len(set(new.splitlines())) - 1} secrets that are there",
            remedy="run `gatepost secrets --update-baseline --fix`, then write the reason after `#` on each new line.",
            fix=fix,
        )
