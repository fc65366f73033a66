"""sync-configs: shared ruff, mypy, bandit, pytest and coverage settings, kept in the project's own files.

The settings come with this hook, at its `rev`; the project says in `[tool.gatepost]` what it keeps and why.
"""

from __future__ import annotations

import re

from gatepost.model import Hook, Option, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.model import Code, Context, Outcome

FILES = (
    r"(^|/)(pyproject\.toml|gatepost\.toml|\.gatepost\.lock|\.?ruff\.toml|\.?mypy\.ini|\.?pytest\.ini|setup\.cfg|tox\.ini"
    r"|\.coveragerc|\.bandit|requirements\.(txt|in)|\.pre-commit-config\.yaml)$"
)


def check(ctx: Context) -> Iterable[Outcome]:
    """What the sync would change, and what the project should know about its settings."""
    profiles = ctx.common.get("profile", "base")
    own = [each for each in (profiles if isinstance(profiles, list) else [profiles]) if isinstance(each, str)]
    if ctx.scope is not None and not any(re.search(FILES, path) or path in own for path in ctx.scope):
        return ()
    from gatepost.tree.links import leads_out

    if leads_out(ctx.tree, "pyproject.toml"):
        return ()  # unknown is not wrong
    from gatepost.sync.declared import settings
    from gatepost.sync.paths import data_of, table_at
    from gatepost.sync.plan import plan

    root, beside = ctx.tree.read("pyproject.toml"), ctx.tree.read("gatepost.toml")
    if root is None:
        return plan(ctx.tree, {**ctx.common, **ctx.settings}).outcomes
    # The settings of the root hold, also in a run from a member's folder.
    table = {**data_of(beside), **table_at(data_of(root), ("tool", "gatepost"))}
    return plan(ctx.tree, settings({"tool": {"gatepost": table}})).outcomes


def codes() -> tuple[Code, ...]:
    from gatepost.rules.sync_configs.codes import CODES

    return CODES


HOOK = Hook(
    id="sync-configs",
    summary="Shared ruff, mypy, bandit, pytest and coverage settings, kept in the project's own files.",
    check=check,
    codes=codes,
    files=FILES,
    fixer=True,
    settings=(
        Setting(
            key="tools", kind="strs", default=(), help="Tools to sync: ruff, mypy, ...; empty: all of the profile."
        ),
        Setting(
            key="members",
            kind="strs",
            default=(),
            help='Globs of folders with a pyproject.toml of their own to sync; "workspace": the members of uv.',
        ),
    ),
    options=(Option(flag="--check", help="only report, write nothing"),),
)
