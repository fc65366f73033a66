"""Locks in step with their manifests, sound in themselves, present and used where a project is deployed.

One run looks at lock roots, not files: a lock with every manifest that it depends on (workspace members, includes,
`uv.toml`). See `check` for the order, `gatepost.locks` for the formats, `codes` for what is reported.
"""

from __future__ import annotations

from gatepost.model import Hook, Option, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gatepost.model import Code, Context, Outcome


def _load() -> Callable[[Context], Iterable[Outcome]]:
    from gatepost.rules.lock_freshness.check import check

    return check


def _check(ctx: Context) -> Iterable[Outcome]:
    return _load()(ctx)


def _codes() -> tuple[Code, ...]:
    from gatepost.rules.lock_freshness.codes import CODES

    return CODES


FILES = (
    r"(^|/)("
    r"pyproject\.toml|uv\.toml|uv\.lock|[^/]+\.py(\.lock)?|poetry\.lock|poetry\.toml|pdm\.lock|pdm\.[^/]+\.lock|pdm\.toml"
    r"|Pipfile|Pipfile\.lock|pylock(\.[^/]+)?\.toml|conda-lock\.ya?ml|[^/]+\.conda-lock\.ya?ml|environment[^/]*\.ya?ml"
    r"|meta\.ya?ml|conda[^/]*\.ya?ml|pixi\.toml|pixi\.lock|setup\.(py|cfg)|[^/]+\.in|[^/]+\.txt|requirements[^/]*\.(lock|pip)"
    r"|([^/]*\.)?[Dd]ockerfile([.-][^/]*)?|[Cc]ontainerfile([.-][^/]*)?|[^/]*compose[^/]*\.ya?ml|Procfile|render\.ya?ml"
    r"|\.gitignore|\.python-version|\.dockerignore|[^/]*\.dockerignore|\.gitlab-ci\.ya?ml|[Mm]akefile|tox\.ini|noxfile\.py"
    r")$|(^|/)\.github/workflows/[^/]+\.ya?ml$"
)

HOOK = Hook(
    id="lock-freshness",
    summary="Lock files in step with their manifests, for every Python lock format, offline.",
    check=_check,
    load=_load,
    codes=_codes,
    files=FILES,
    options=(
        Option(flag="--partial", help="also list the locks that are fresh as far as files tell, and what is not seen"),
    ),
    settings=(
        Setting(
            key="abandoned",
            kind="strs",
            default=(),
            help="Globs of locks that are kept although nobody keeps them in step: they are not judged.",
        ),
    ),
)
