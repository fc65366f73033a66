"""Nothing heavy gets into history: model weights, checkpoints, data sets, and anything over a limit.

What is judged is the blob that git will keep (never the file on disk), and only if it is new: see
`gatepost.tree.history` for what new means, `limits` for how much is too much, `lfs` for Git LFS.
"""

from __future__ import annotations

from gatepost.model import Hook, Option, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.model import Code, Context, Outcome

KIB, MIB = 1024, 1024 * 1024


def _check(ctx: Context) -> Iterable[Outcome]:
    from gatepost.rules.large_model_files.check import check

    return check(ctx)


def _codes() -> tuple[Code, ...]:
    from gatepost.rules.large_model_files.codes import CODES

    return CODES


SETTINGS = (
    Setting(key="limit", kind="size", default=500 * KIB, help="A new or grown file may have this much."),
    Setting(
        key="weights-limit",
        kind="size",
        default=100 * KIB,
        help="The same for recognised weights, checkpoints and pickles.",
    ),
    Setting(
        key="fixture-limit",
        kind="size",
        default=500 * KIB,
        help="The same for them in folders of tests and fixtures (if it is more than `weights-limit`).",
    ),
    Setting(key="tokenizer-limit", kind="size", default=5 * MIB, help="The same for recognised tokenizer models."),
    Setting(
        key="limits",
        kind="sizes",
        default={},
        help='Limits by glob, for any kind of file: `"docs/**/*.png" = "2 MiB"`. The last one that matches counts.',
    ),
    Setting(
        key="growth",
        kind="size",
        default=64 * KIB,
        help="A text file that is over its limit already may grow by this much in one change (git keeps a delta).",
    ),
    Setting(key="commit-budget", kind="size", default=5 * MIB, help="All new files of one commit together."),
    Setting(key="push-budget", kind="size", default=25 * MIB, help="All new files of one push or CI range together."),
    Setting(
        key="lfs-limit",
        kind="size",
        default=0,
        help="What one Git LFS pointer may stand for. 0: any size.",
    ),
    Setting(
        key="lfs-budget",
        kind="size",
        default=0,
        help="What all new Git LFS pointers of a commit, push or CI range may stand for together. 0: any size.",
    ),
    Setting(key="exempt-lock-files", kind="bool", default=True, help="Lock files have no limit (while they are text)."),
    Setting(
        key="allow",
        kind="any",
        default=(),
        help="Array of tables: `path`, `id` (git's blob id: other content at that path is a finding again), `reason`.",
    ),
    Setting(
        key="pickle-trusted",
        kind="strs",
        default=(),
        help="Globs over `module.name`: names in pickles that you know to be harmless.",
    ),
    Setting(key="include", kind="strs", default=(), help="Globs: only these paths are judged."),
    Setting(key="exclude", kind="strs", default=(), help="Globs of paths that are not judged."),
)

OPTIONS = (
    Option(flag="--pre-push", help="run as git's own pre-push hook: refs on stdin"),
    Option(flag="--remote", kind="str", metavar="NAME", help="with --pre-push: the remote (the hook's first argument)"),
    Option(flag="--all-files", help="judge all that is tracked, not only what is staged"),
    Option(flag="--staged", help="judge what is staged, also when nothing is"),
)

HOOK = Hook(
    id="large-model-files",
    summary="Keep model weights, checkpoints, data sets and other large files out of git history.",
    check=_check,
    codes=_codes,
    pass_filenames=False,
    always_run=True,
    index_only=True,
    settings=SETTINGS,
    options=OPTIONS,
)
