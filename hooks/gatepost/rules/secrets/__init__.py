"""Secrets: tokens, keys beside their names, URL credentials, private keys, tracked `.env` files; notebooks included."""

from __future__ import annotations

from gatepost.model import Hook, Option, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.model import Code, Context, Outcome


def _check(ctx: Context) -> Iterable[Outcome]:
    from gatepost.rules.secrets.check import check

    return check(ctx)


def _codes() -> tuple[Code, ...]:
    from gatepost.rules.secrets.codes import CODES

    return CODES


HOOK = Hook(
    id="secrets",
    summary="Refuse tokens, keys, URL passwords and private keys, in notebooks too.",
    check=_check,
    codes=_codes,
    types_or=("text", "jupyter"),
    settings=(
        Setting(key="baseline", kind="str", default=".gatepost-secrets", help="our own baseline of known secrets"),
        Setting(
            key="detect-secrets-baseline",
            kind="str",
            default=".secrets.baseline",
            help="a baseline of detect-secrets to respect",
        ),
    ),
    options=(
        Option(flag="--update-baseline", help="compare the baseline with all secrets found; with --fix, write it"),
    ),
)
