"""What could not be seen, said instead of passed over."""

from __future__ import annotations

from gatepost.model import INFO, Location, Unchecked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.tree.history import Source


def check(source: Source) -> Iterator[Unchecked]:
    """One outcome a gap."""
    for gap in source.gaps():
        if gap.what == "partial":
            yield Unchecked(
                code="MF191",
                where=Location(path="."),
                message=f"{gap.count} blob{'s are' if gap.count > 1 else ' is'} not in this partial clone, so not judged "
                "(the remote has them already)",
                remedy="To judge them too, run this in a full clone; nothing is downloaded for a check.",
                severity=INFO,
            )
        elif gap.what == "broken":
            yield Unchecked(
                code="MF194",
                where=Location(path="."),
                message=f"{gap.count} object{'s' if gap.count > 1 else ''} of this repository cannot be read, so not judged "
                "(it is no partial clone)",
                remedy="`git fsck --full` names them; add the files again, or fetch them from a remote.",
            )
        elif gap.what == "shallow":
            yield Unchecked(
                code="MF192",
                where=Location(path="."),
                message=f"this clone is shallow: history before commit {gap.detail[:10]} is not here, so a file that "
                f"{source.label} adds and deletes again could not be seen",
                remedy="`git fetch --unshallow`, or `fetch-depth: 0` for actions/checkout.",
            )
        else:
            yield Unchecked(
                code="MF193",
                where=Location(path="."),
                message=f"`{gap.detail}` is no commit of this clone, so {source.label} could not be judged",
                remedy=f"`git fetch origin {gap.detail}`, or `fetch-depth: 0` for actions/checkout.",
            )
