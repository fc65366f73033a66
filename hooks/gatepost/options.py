"""The command line of the hooks: options, file names, the output format."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence
    from typing import Any

    from gatepost.model import Hook, Option
    from gatepost.settings import Settings


class UsageError(Exception):
    """The user asked for something that is not there; `str()` is one line."""


class Known:
    """Parsed options by name (`--pre-push` is `pre_push`)."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def parser_of(name: str, summary: str, hooks: Sequence[Hook]) -> ArgumentParser:
    """The options that all hooks share, and those of these hooks."""
    from argparse import ArgumentParser

    parser = ArgumentParser(prog=f"gatepost {name}", description=summary, allow_abbrev=False)
    formats = ("text", "json")
    parser.add_argument("--output-format", choices=formats, default=None, help="default: text")
    parser.add_argument("--strict", action="store_true", help="warnings and infos fail too")
    parser.add_argument("--allow-unchecked", action="store_true", help="what could not be checked does not fail")
    parser.add_argument("--fix", action="store_true", help="apply the fixes that are safe")
    parser.add_argument("--diff", action="store_true", help="show what --fix would change, write nothing")
    parser.add_argument("--tree", default=None, metavar="VIEW", help="index, worktree or a commit; default: see README")
    for option in _options(hooks):
        match option.kind:
            case "flag":
                parser.add_argument(option.flag, action="store_true", help=option.help)
            case "strs":
                parser.add_argument(option.flag, action="append", default=[], metavar=option.metavar, help=option.help)
            case _:
                parser.add_argument(option.flag, default=None, metavar=option.metavar, help=option.help)
    return parser


def _options(hooks: Sequence[Hook]) -> list[Option]:
    """The options of several hooks, each flag once."""
    return list({option.flag: option for hook in hooks for option in hook.options}.values())


def _defaults(hooks: Sequence[Hook]) -> Known:
    """What parsing an empty command line gives."""
    known = Known(output_format=None, strict=False, allow_unchecked=False, fix=False, diff=False, tree=None)
    empty = {"flag": False, "strs": [], "str": None}
    known.__dict__.update({option.flag[2:].replace("-", "_"): empty[option.kind] for option in _options(hooks)})
    return known


def split_files(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """Options and file names. A runner puts names behind the options with no `--` between, so a word with a leading
    dash that names an existing file is a file there (a file called `--help` must not switch the check off)."""
    if "--" in args:
        at = list(args).index("--")
        head, tail = list(args[:at]), list(args[at + 1 :])
    else:
        head, tail = list(args), []
    if "PRE_COMMIT" not in os.environ:
        return head, tail
    options = [word for word in head if not (word.startswith("-") and os.path.lexists(word))]
    return options, [word for word in head if word.startswith("-") and os.path.lexists(word)] + tail


def parse(name: str, summary: str, hooks: Sequence[Hook], args: list[str]) -> tuple[Known, list[str]]:
    """Options and file names of a command line.

    A command line without options, which is what a runner gives as a rule, does not load argparse (10 ms).

    Raises:
        SystemExit: a wrong option (argparse has said so, code 2) or --help (code 0).
        UsageError: options that do not go together.
    """
    options, dashed = split_files(args)
    if not any(word.startswith("-") for word in options):
        return _defaults(hooks), [*options, *dashed]
    parser = parser_of(name, summary, hooks)
    check = name == "check"
    parser.add_argument(
        "files",
        nargs="*",
        metavar="HOOK|FILES" if check else "FILES",
        help=f"default: {'every check, ' if check else ''}the whole repository",
    )
    known = parser.parse_intermixed_args(options, Known())
    _agree(known)
    return known, [*known.files, *dashed]


def _agree(known: Known) -> None:
    """Refuse options of which one makes the other idle.

    Raises:
        UsageError: there are such.
    """
    given = vars(known)
    if known.fix and known.tree not in (None, "index", "worktree"):
        raise UsageError(f"--fix writes the files on disk: it does not go with --tree {known.tree}")
    if given.get("staged") and given.get("all_files"):
        raise UsageError("--staged and --all-files ask for two things: leave one out")
    if given.get("remote") is not None and not given.get("pre_push"):
        raise UsageError("--remote goes with --pre-push only")


def output_format(known: Known) -> str:
    """`--output-format`, else GATEPOST_OUTPUT_FORMAT, else text.

    Raises:
        UsageError: the environment names no format.
    """
    chosen: str = known.output_format or os.environ.get("GATEPOST_OUTPUT_FORMAT") or "text"
    if chosen not in ("text", "json"):
        raise UsageError(f"GATEPOST_OUTPUT_FORMAT must be text or json, not {chosen!r}")
    return chosen


def skipped(settings: Settings) -> frozenset[str]:
    """Ids that a run of all checks leaves out: GATEPOST_SKIP (once) and `skip` of the settings (for good).

    Raises:
        UsageError: the environment names no check.
    """
    given = [each.strip() for each in os.environ.get("GATEPOST_SKIP", "").split(",") if each.strip()]
    if given:
        from gatepost.settings import nearest
        from gatepost.tools.table import known_ids

        known = known_ids()
        for each in given:
            if each not in known:
                raise UsageError(f"GATEPOST_SKIP names no check: {each}{nearest(each, known)}")
    return frozenset([*given, *settings.common["skip"]])
