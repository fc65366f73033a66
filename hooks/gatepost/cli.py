"""The command line: which command, and how it ends. Exit codes: 0 clean, 1 findings, 2 usage, 3 could not run."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.model import Hook

CLEAN, USAGE, COULD_NOT_RUN = 0, 2, 3
_NOBODY_READS = 141  # as a shell tells of a process that SIGPIPE ended
_CLEAN_UP = frozenset({"tempfile", "threading", "subprocess", "logging", "weakref", "coverage"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 clean, 1 findings (or unchecked, or files written), 2 usage error, 3 could not run; 141 the reader of the
        output has gone.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 (closed by the caller: `>&-`)
    sys.stderr = sys.stderr or sys.stdout
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a cp1252 console must not stop a report
    try:
        code = _dispatch(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _discard_output()
        return _NOBODY_READS
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _explain_failure(error)


def entry() -> None:
    """The console script: `main`, then the end of the process, without taking the interpreter apart (4 ms) where
    nothing was loaded that cleans up at exit."""
    import gc

    gc.set_threshold(50_000, 20, 20)  # a short run makes little garbage: collecting costs 2 ms
    if sys.getfilesystemencoding() != "utf-8":
        _in_utf8()
    code = main()
    if sys.modules.keys().isdisjoint(_CLEAN_UP):
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:  # the reader has gone: the interpreter's own end says so
            sys.exit(code)
        os._exit(code)
    sys.exit(code)


def _in_utf8() -> None:
    """Start this process again with file names in UTF-8, as git has them: the locale's encoding (ASCII, Latin-1) cannot
    spell all of them. What the arguments hold stays the same bytes."""
    if sys.platform == "win32" or sys.flags.utf8_mode or not sys.executable:
        return
    try:
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606
    except OSError:
        return  # as it is, then: names in ASCII work


def _explain_failure(error: Exception) -> int:
    """One line on stderr and the exit code; a traceback only when GATEPOST_DEBUG asks for it."""
    from gatepost.engine import CheckError
    from gatepost.options import UsageError
    from gatepost.settings import SettingsError
    from gatepost.tree.git import GitError

    if os.environ.get("GATEPOST_DEBUG"):
        raise error
    if isinstance(error, (UsageError, SettingsError)):
        _say(f"gatepost: {error}")
        return USAGE
    if isinstance(error, (GitError, CheckError)):
        _say(f"gatepost: {error}")
        return COULD_NOT_RUN
    if isinstance(error, OSError):
        _say(f"gatepost: {_in_words(error)}")
        return COULD_NOT_RUN
    _say(f"gatepost: internal error, {type(error).__name__}: {error}; set GATEPOST_DEBUG=1 for the traceback")
    return COULD_NOT_RUN


def _in_words(error: OSError) -> str:
    """The file that could not be used, and why; a folder that was deleted under the shell has no name any more."""
    if error.errno is None:  # one of our own
        return str(error)
    reason = error.strerror or str(error)
    if error.filename is not None:
        name = error.filename if isinstance(error.filename, str) else os.fsdecode(error.filename)
        return f"{name}: {reason}"
    try:
        os.getcwd()
    except OSError:
        return "the current folder is gone (deleted or replaced): `cd` to one that is there"
    return reason


def _say(line: str) -> None:
    from gatepost.report.text import printable

    try:
        sys.stdout.flush()
    except OSError:  # a full disk, say, which is what there is to tell
        _discard_output()
    print(printable(line), file=sys.stderr)


def _discard_output() -> None:
    """What is left in the buffer of stdout goes nowhere, so that the end of the process does not fail on it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


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
        from gatepost.catalogue import list_rules

        return list_rules(args[1:])
    if name == "explain":
        from gatepost.catalogue import explain

        return explain(args[1:])
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

    from gatepost.view import open_git, root_note

    if name in command_names():
        module = import_module(f"gatepost.commands.{name.replace('-', '_')}")
        code: int
        if "--help" in args or "-h" in args:
            code = module.run(os.getcwd(), args)  # argparse prints the help and ends
            return code
        root = open_git(os.getcwd()).root
        from gatepost.journal import resume

        if finished := resume(root):
            print(f"a write that was interrupted has been finished: {', '.join(finished)}")
        code = module.run(root, args)
        print(root_note(root), end="")
        return code
    from gatepost.options import UsageError
    from gatepost.settings import nearest

    raise UsageError(f"there is no command `{name}`{nearest(name, all_names())}")


def command_names() -> list[str]:
    """Names of the modules in `gatepost/commands` that are commands (they have a `run`)."""
    folder = os.path.join(os.path.dirname(__file__), "commands")
    if not os.path.isdir(folder):
        return []
    stems = (name[:-3] for name in os.listdir(folder) if name.endswith(".py"))
    return sorted(stem.replace("_", "-") for stem in stems if not stem.startswith("_"))


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


def _hook(hook: Hook, args: list[str]) -> int:
    from gatepost.options import parse
    from gatepost.run import run_hooks

    known, files = parse(hook.id, hook.summary, [hook], args)
    return run_hooks([hook], known, files)


def _check(args: list[str]) -> int:
    from gatepost.options import parse
    from gatepost.registry import own_hook, own_ids
    from gatepost.run import run_hooks

    hooks = [own_hook(each) for each in own_ids()]
    known, names = parse("check", "Run all own hooks on the whole repository.", hooks, args)
    known.__dict__.update(check=True)  # without --fix, nothing is written
    chosen = [each for each in names if each in own_ids()]
    files = [each for each in names if each not in chosen]
    for each in files:
        _slip(each)
    return run_hooks([hook for hook in hooks if not chosen or hook.id in chosen], known, files, together=not chosen)


def _slip(word: str) -> None:
    """Refuse a word that is no file, and looks like the id of a check.

    Raises:
        UsageError: it does.
    """
    if os.path.lexists(word) or "/" in word or "." in word:
        return
    from gatepost.options import UsageError
    from gatepost.registry import own_ids
    from gatepost.settings import nearest
    from gatepost.tools.table import TOOLS

    if word in TOOLS:
        raise UsageError(f"`check` runs our own checks, which {word} is none of: gatepost {word}")
    close = nearest(word, own_ids())
    if "known:" not in close:
        raise UsageError(f"there is no file and no check {word}{close}")
