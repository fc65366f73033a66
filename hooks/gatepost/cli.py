"""The command line: parse, choose the tree, run, report. Exit codes: 0 clean, 1 findings, 2 usage, 3 could not run."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Sequence
    from typing import Any

    from gatepost.engine import Result
    from gatepost.model import Hook, Option
    from gatepost.settings import Settings
    from gatepost.tree.base import Tree
    from gatepost.tree.git import Git

CLEAN, FINDINGS, USAGE, COULD_NOT_RUN = 0, 1, 2, 3
_CLEAN_UP = frozenset({"tempfile", "threading", "subprocess", "logging", "weakref", "coverage"})


class UsageError(Exception):
    """The user asked for something that is not there; `str()` is one line."""


class Known:
    """Parsed options by name (`--pre-push` is `pre_push`)."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 clean, 1 findings (or unchecked, or files written), 2 usage error, 3 could not run.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a cp1252 console must not stop a report
    try:
        return _dispatch(args)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _explain_failure(error)


def entry() -> None:
    """The console script: `main`, then the end of the process, without taking the interpreter apart (4 ms) where
    nothing was loaded that cleans up at exit."""
    import gc

    gc.set_threshold(50_000, 20, 20)  # a short run makes little garbage: collecting costs 2 ms
    code = main()
    if sys.modules.keys().isdisjoint(_CLEAN_UP):
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:  # the reader has gone: the interpreter's own end says so
            sys.exit(code)
        os._exit(code)
    sys.exit(code)


def _explain_failure(error: Exception) -> int:
    """One line on stderr and the exit code; a traceback only when GATEPOST_DEBUG asks for it."""
    from gatepost.engine import CheckError
    from gatepost.settings import SettingsError
    from gatepost.tree.git import GitError

    if os.environ.get("GATEPOST_DEBUG"):
        raise error
    if isinstance(error, (UsageError, SettingsError)):
        _say(f"gatepost: {error}")
        return USAGE
    if isinstance(error, (GitError, CheckError, OSError)):
        _say(f"gatepost: {error}")
        return COULD_NOT_RUN
    _say(f"gatepost: internal error, {type(error).__name__}: {error}; set GATEPOST_DEBUG=1 for the traceback")
    return COULD_NOT_RUN


def _say(line: str) -> None:
    from gatepost.report.text import printable

    sys.stdout.flush()
    print(printable(line), file=sys.stderr)


def _dispatch(args: list[str]) -> int:
    name = args[0] if args else "--help"
    if name in ("--help", "-h", "help"):
        return _help()
    if name == "--version":
        from gatepost import __version__

        print(f"gatepost {__version__}")
        return CLEAN
    if name == "check":
        return _check(args[1:])
    if name == "rules":
        return _rules(args[1:])
    if name == "explain":
        return _explain(args[1:])
    if name == "gatepost":
        from gatepost.tools.schedule import run_all

        return run_all(args[1:])
    from gatepost.registry import own_hook

    try:
        hook = own_hook(name)
    except KeyError:
        pass
    else:
        return _hook(hook, args[1:])
    from gatepost.tools.table import TOOLS

    if name in TOOLS:
        from gatepost.tools.run import run_tool

        return run_tool(name, args[1:])
    return _command(name, args[1:])


def _command(name: str, args: list[str]) -> int:
    """`init`, `doctor` and the like: modules of `gatepost.commands`."""
    from importlib import import_module

    if name in command_names():
        module = import_module(f"gatepost.commands.{name.replace('-', '_')}")
        code: int = module.run(_root(os.getcwd()).root, args)
        return code
    from gatepost.settings import nearest

    raise UsageError(f"there is no command `{name}`{nearest(name, all_names())}")


def command_names() -> list[str]:
    """Names of the modules in `gatepost/commands` that are commands (they have a `run`)."""
    folder = os.path.join(os.path.dirname(__file__), "commands")
    if not os.path.isdir(folder):
        return []
    stems = (name[:-3] for name in os.listdir(folder) if name.endswith(".py"))
    return sorted(stem.replace("_", "-") for stem in stems if not stem.startswith("_") and stem != "explain_key")


def all_names() -> list[str]:
    """Every word that may follow `gatepost`."""
    from gatepost.registry import own_ids
    from gatepost.tools.table import TOOLS

    return ["check", "rules", "explain", "gatepost", *own_ids(), *TOOLS, *command_names()]


def _help() -> int:
    from importlib import import_module

    from gatepost.registry import own_hook, own_ids
    from gatepost.tools.table import TOOLS

    rows = [("check [HOOK ...]", "Run all own hooks on the whole repository; needs no runner.")]
    rows += [(each, own_hook(each).summary) for each in own_ids()]
    rows += [(each, tool.summary) for each, tool in TOOLS.items()]
    rows += [
        ("gatepost", "Run every check in one go: the one id for .pre-commit-config.yaml."),
        ("rules", "List every rule."),
        ("explain CODE", "What a rule means, why, an example, the fix."),
    ]
    rows += [(each, import_module(f"gatepost.commands.{each.replace('-', '_')}").SUMMARY) for each in command_names()]
    width = max(len(name) for name, _text in rows)
    print("usage: gatepost COMMAND [OPTIONS] [FILES ...]\n")
    for name, text in rows:
        print(f"  {name:{width}}  {text}")
    print(
        "\n`gatepost COMMAND --help` lists a command's options. Exit codes: 0 clean, 1 findings, 2 usage, 3 could not run."
    )
    return CLEAN


# --- own hooks -------------------------------------------------------------------------------------------------


def _parser(name: str, summary: str, hooks: Sequence[Hook]) -> ArgumentParser:
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
    """
    options, dashed = split_files(args)
    if not any(word.startswith("-") for word in options):
        return _defaults(hooks), [*options, *dashed]
    parser = _parser(name, summary, hooks)
    parser.add_argument("files", nargs="*", metavar="FILES", help="default: the whole repository")
    known = parser.parse_intermixed_args(options, Known())
    return known, [*known.files, *dashed]


def _hook(hook: Hook, args: list[str]) -> int:
    known, files = parse(hook.id, hook.summary, [hook], args)
    return _run([hook], known, files)


def _check(args: list[str]) -> int:
    from gatepost.registry import own_hook, own_ids

    hooks = [own_hook(each) for each in own_ids()]
    known, names = parse("check", "Run all own hooks on the whole repository.", hooks, args)
    chosen = [each for each in names if each in own_ids()]
    files = [each for each in names if each not in chosen]
    return _run([hook for hook in hooks if not chosen or hook.id in chosen], known, files, together=not chosen)


def output_format(known: Known) -> str:
    """`--output-format`, else GATEPOST_OUTPUT_FORMAT, else text.

    Raises:
        UsageError: the environment names no format.
    """
    chosen: str = known.output_format or os.environ.get("GATEPOST_OUTPUT_FORMAT") or "text"
    if chosen not in ("text", "json"):
        raise UsageError(f"GATEPOST_OUTPUT_FORMAT must be text or json, not {chosen!r}")
    return chosen


def _run(hooks: Sequence[Hook], known: Known, files: list[str], together: bool = False) -> int:
    from gatepost.engine import failing

    how = output_format(known)
    git = _root(os.getcwd())
    scope, extra = _scope(git, files)
    settings, broken = load_settings(git, hooks[0].id)
    results: list[Result] = [] if broken is None else [broken]
    changed: list[str] = []
    trees: dict[tuple[bool, str | None], Tree] = {}
    skip = settings.common["skip"] if together else ()
    if broken is None:
        for hook in hooks:
            if hook.id in skip:
                continue
            disk = hook.fixer or known.fix or known.diff
            view = known.tree or ("index" if hook.index_only else None)
            if (disk, view) not in trees:
                trees[disk, view] = choose_tree(git, view, extra, disk=disk)
            found, wrote = _run_one(
                hook, trees[disk, view], settings, scope, known, lambda: choose_tree(git, None, extra, disk=True)
            )
            results += found
            changed += [path for path in wrote if path not in changed]
            if wrote:
                trees.clear()
    report(results, changed, how)
    strict = known.strict or settings.common["strict"]
    allow = known.allow_unchecked or settings.common["allow-unchecked"]
    return FINDINGS if changed or failing(results, strict=strict, allow_unchecked=allow) else CLEAN


def _run_one(
    hook: Hook, tree: Tree, settings: Settings, scope: frozenset[str] | None, known: Known, fresh: Callable[[], Tree]
) -> tuple[list[Result], list[str]]:
    """Results of a hook, and the files written for them. `fresh` makes a view of the files as they are now."""
    from gatepost.engine import run_hook

    args = vars(known)

    within = prefix_of(tree.root) if "PRE_COMMIT" in os.environ else ""

    def again(view: Tree) -> list[Result]:
        return run_hook(hook, view, settings, scope=scope, args=args, env=os.environ, within=within)

    results = again(tree)
    writes = known.fix or (hook.fixer and not args.get("check"))
    if not (known.diff or writes) or not any(each.fix is not None for each in results):
        return results, []
    from gatepost.fixing import apply_fixes, show_fixes
    from gatepost.tools.relock import relock, show_commands

    if known.diff:
        show_fixes(results, tree, again)
        show_commands(results)
        return results, []
    left, wrote = apply_fixes(results, tree, again)
    kept, made = relock(left, tree.root) if known.fix else (left, [])
    if kept != left:
        left = again(fresh())
    wrote = [*wrote, *made]
    if hook.fixer and wrote:  # it writes by default: say what it took for wrong, and how to keep it
        left = [*left, *(each for each in results if each.fix is not None and each not in left)]
    return left, wrote


def report(results: Sequence[Result], changed: Sequence[str], how: str) -> None:
    """Print the report; nothing for a clean run in text form."""
    if how == "json":
        from gatepost.report.json_v1 import render
    else:
        from gatepost.report.text import render
    sys.stdout.write(render(results, changed))
    sys.stdout.flush()


def load_settings(git: Git, hook_id: str) -> tuple[Settings, Result | None]:
    """Settings of the project in the current folder, else of the root; and the outcome if they cannot be read.

    The work tree's file counts: settings are how the person at the keyboard wants the check to run.
    """
    from gatepost.settings import read_settings
    from gatepost.toml.load import TomlError

    def read(path: str) -> bytes | None:
        try:
            with open(os.path.join(git.root, path), "rb") as stream:
                return stream.read()
        except (OSError, ValueError):
            return None

    def known() -> list[str]:
        from gatepost.registry import own_ids
        from gatepost.tools.table import TOOLS

        return [*own_ids(), *TOOLS]

    here = prefix_of(git.root)
    try:
        settings = read_settings(read, known, here)
        if settings.path is None and here:
            settings = read_settings(read, known)
        return settings, None
    except TomlError as error:
        from gatepost.engine import broken_settings

        empty = read_settings(lambda path: None, known)
        return empty, broken_settings(hook_id, error.path, error.line, error.reason)


def prefix_of(root: str) -> str:
    """The current folder within the repository, "" or "sub/dir/" (prek runs a sub-project's hooks in its folder)."""
    inside = os.path.relpath(os.getcwd(), root).replace(os.sep, "/")
    return "" if inside == "." or inside.startswith("..") else inside + "/"


def _root(start: str) -> Git:
    from gatepost.tree.git import Git, find_root

    return Git(find_root(start, os.environ))


def _scope(git: Git, files: Sequence[str]) -> tuple[frozenset[str] | None, list[str]]:
    """Repository paths of the FILES given (None: everything), and those of them that exist on disk."""
    if not files:
        return None, []
    names = []
    for each in files:
        path = os.path.relpath(os.path.abspath(each), git.root).replace(os.sep, "/")
        if path.startswith("../"):
            raise UsageError(f"{each} is outside the repository {git.root}")
        if not os.path.lexists(each) and "PRE_COMMIT" not in os.environ:
            raise UsageError(f"there is no file {each}")
        if os.path.isdir(each) and not os.path.islink(each):
            names += [
                os.path.relpath(os.path.join(folder, leaf), git.root).replace(os.sep, "/")
                for folder, _dirs, leaves in os.walk(each)
                for leaf in leaves
            ]
        else:
            names.append(path)
    return frozenset(names), [name for name in names if os.path.lexists(os.path.join(git.root, name))]


def choose_tree(git: Git, view: str | None, extra: Sequence[str], *, disk: bool) -> Tree:
    """Which snapshot to judge: what the next commit will hold, as far as that is decided.

    An explicit `--tree` wins. A fixer, and --fix, look at the files they would write. During `git commit` (git then
    sets GIT_INDEX_FILE) it is the index; at a push or over a CI range, the pushed commit. Otherwise a runner has
    either put unstaged changes away or was asked for the files as they are (`--all-files`): the work tree. By hand:
    the index if anything is staged, else the work tree.
    """
    from gatepost.tree.git import CommitTree, IndexTree, WorktreeTree

    environ = os.environ
    if view == "index":
        return IndexTree(git)
    if view not in (None, "worktree"):
        return CommitTree(git, str(view))
    if disk or view == "worktree":
        new = (".gatepost.lock", "pyproject.toml", ".pre-commit-config.yaml")  # a fix may have made them just now
        return WorktreeTree(git, [*extra, *(name for name in new if os.path.isfile(os.path.join(git.root, name)))])
    if "GIT_INDEX_FILE" in environ:
        return IndexTree(git)
    pushed = environ.get("PRE_COMMIT_TO_REF") or ""
    if pushed.strip("0") and git.try_run("cat-file", "-e", f"{pushed}^{{tree}}").rc == 0:
        return CommitTree(git, pushed)
    if "PRE_COMMIT" in environ:
        return WorktreeTree(git, extra)
    staged = git.try_run("diff-index", "--cached", "--quiet", "HEAD", "--").rc == 1
    if not staged:
        return WorktreeTree(git, extra)
    index = IndexTree(git)
    return index if all(path in set(index.paths()) for path in extra) else WorktreeTree(git, extra)


# --- rules and explain -----------------------------------------------------------------------------------------


def _rules(args: list[str]) -> int:
    from argparse import ArgumentParser

    from gatepost.registry import all_codes

    parser = ArgumentParser(prog="gatepost rules", description="List every rule.", allow_abbrev=False)
    parser.add_argument("--output-format", choices=("text", "json"), default=None)
    how = output_format(parser.parse_args(args, Known()))
    rows = all_codes()
    if how == "json":
        import json

        fields = ("name", "severity", "certainty", "summary", "safe_fix", "unchecked")
        print(json.dumps([{"code": c.id, "hook": h, **{f: getattr(c, f) for f in fields}} for h, c in rows], indent=1))
        return CLEAN
    width = max(len(code.name) for _hook, code in rows)
    for _hook_id, code in rows:
        word = "unchecked" if code.unchecked else code.severity
        print(f"{code.id}  {code.name:{width}}  {word:9}  {'fix' if code.safe_fix else '   '}  {code.summary}")
    return CLEAN


def _explain(args: list[str]) -> int:
    from gatepost.registry import all_codes
    from gatepost.report.page import page
    from gatepost.settings import nearest

    if len(args) != 1 or args[0].startswith("-"):
        wanted = "usage: gatepost explain CODE (such as TS101, or its name), or a setting such as tool.ruff.line-length"
        if args[:1] in (["--help"], ["-h"]):
            print(wanted)
            return CLEAN
        raise UsageError(wanted)
    word = args[0]
    if word.startswith("tool.") and "explain_key" in _command_files():
        from importlib import import_module

        module = import_module("gatepost.commands.explain_key")
        print(module.explain_key(_root(os.getcwd()).root, word))
        return CLEAN
    pairs = all_codes()
    for hook_id, code in pairs:
        if word.upper() == code.id or word == code.name:
            print(page(hook_id, code), end="")
            return CLEAN
    known = [code.id for _hook, code in pairs] + [code.name for _hook, code in pairs]
    close = nearest(word.upper() if word[:2].isalpha() and word[2:].isdigit() else word, known)
    raise UsageError(f"there is no rule `{word}`{close if 'known:' not in close else ''}; `gatepost rules` lists them")


def _command_files() -> list[str]:
    folder = os.path.join(os.path.dirname(__file__), "commands")
    return [name[:-3] for name in os.listdir(folder)] if os.path.isdir(folder) else []
