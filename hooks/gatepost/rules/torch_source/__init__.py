"""torch-source: PyTorch and its companions come from the index and build that was meant, everywhere it is said."""

from __future__ import annotations

from gatepost.model import Hook, Option, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gatepost.model import Code, Context, Outcome


def load() -> Callable[[Context], Iterable[Outcome]]:
    from gatepost.rules.torch_source.check import check as run

    return run


def check(ctx: Context) -> Iterable[Outcome]:
    return load()(ctx)


def codes() -> tuple[Code, ...]:
    from gatepost.rules.torch_source.codes import CODES

    return CODES


HOOK = Hook(
    id="torch-source",
    summary="PyTorch and its companions come from the index and build that was meant, in every manifest, lock and image.",
    check=check,
    load=load,
    codes=codes,
    files=(
        r"(^|/)(pyproject\.toml|uv\.toml|hatch\.toml|uv\.lock|poetry\.lock|pdm\.lock|pylock(\.[^/]+)?\.toml|Pipfile(\.lock)?|pixi\.(toml|lock)"
        r"|\.python-version|pip\.(conf|ini)|setup\.cfg|tox\.ini|\.gitlab-ci\.ya?ml|[^/]*(requirement|constraint|reqs)[^/]*\.(txt|in|pip)"
        r"|[^/]*(environment|conda|env)[^/]*\.ya?ml|[^/]*[Dd]ockerfile[^/]*|[^/]*[Cc]ontainerfile[^/]*|README[^/]*"
        r"|[^/]*compose[^/]*\.ya?ml|[^/]*\.dockerignore|(GNU)?[Mm]akefile|[Jj]ustfile|[^/]+\.(py|sh))$"
        r"|(^|/)(requirements?|reqs|deps)/[^/]+\.(txt|in)$|(^|/)(conda|envs?|environments?)/[^/]+\.ya?ml$"
        r"|^\.github/(workflows/[^/]+|actions/.+/action)\.ya?ml$|(^|/)action\.ya?ml$"
    ),
    settings=(
        Setting(
            key="build",
            kind="any",
            default=None,
            help='The build that is meant: "cpu", or a table of group, extra, file or Docker stage to build, such as {gpu = "cu128"}.',
        ),
        Setting(
            key="hosts",
            kind="strs",
            default=(),
            help="The hosts that packages may come from besides PyPI (of an address, its host counts); empty: any.",
        ),
        Setting(key="nightly", kind="bool", default=False, help="Allow PyTorch's nightly and test indexes."),
        Setting(
            key="compat",
            kind="str",
            default="",
            help="A compatibility table to use instead of the shipped one, such as a newer release's.",
        ),
    ),
    options=(
        Option(
            flag="--compat", kind="str", metavar="FILE", help="judge by this compatibility table, not the shipped one"
        ),
    ),
)
