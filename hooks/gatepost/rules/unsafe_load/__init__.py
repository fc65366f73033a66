"""Unsafe loads: calls that run code from the file or the hub repository they load."""

from __future__ import annotations

from gatepost.model import Hook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.model import Code, Context, Outcome


def _check(ctx: Context) -> Iterable[Outcome]:
    from gatepost.rules.unsafe_load.check import check

    return check(ctx)


def _codes() -> tuple[Code, ...]:
    from gatepost.rules.unsafe_load.codes import CODES

    return CODES


HOOK = Hook(
    id="unsafe-load",
    summary="Loads that run code: refuse unpinned remote code, warn of pickles, torch.load, yaml.load, keras, in notebooks too.",
    check=_check,
    codes=_codes,
    types_or=("python", "jupyter"),
)
