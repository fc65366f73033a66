"""Run one tool of others: find it, build its command line, choose its config, hand over."""

from __future__ import annotations

import os
import sys

from gatepost.record import record
from gatepost.tools.config import bandit_config, mypy_config, mypy_names_files, ruff_config
from gatepost.tools.table import TOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


# One line a finding, as every other check prints it, where bandit's own report has twenty and a summary of zeros.
_BANDIT_LINES = ("--format", "custom", "--msg-template", "{relpath}:{line}: {test_id} {severity}: {msg}")


@record
class Command:
    """A command line, ready to run in `cwd`; `note` says what the reader should know of how it was made."""

    argv: tuple[str, ...]
    note: str = ""


class CannotRun(Exception):
    """The tool cannot be run; `str()` is the reason, `remedy` what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


def run_tool(tool_id: str, args: list[str]) -> int:
    """The entry of a tool hook: never returns on POSIX when the tool can be run (the process becomes the tool).

    Returns:
        The tool's exit code, 1 if it could not be run.

    Raises:
        SettingsError: a wrong key or value in its table.
    """
    from gatepost.cli import _root, load_settings
    from gatepost.settings import validate

    git = _root(os.getcwd())
    settings, broken = load_settings(git, tool_id)
    if broken is not None:
        return _cannot(tool_id, broken.message, broken.remedy)
    table = validate(TOOLS[tool_id].settings, settings.tables.get(tool_id, {}), f"tool.gatepost.{tool_id}.")
    options, files = split_args(args)
    try:
        command = build(tool_id, os.getcwd(), options, files, table, os.environ)
    except CannotRun as error:
        return _cannot(tool_id, str(error), error.remedy)
    if command is None:
        return 0
    if command.note:
        print(f"gatepost {tool_id}: {command.note}", flush=True)
    if sys.platform == "win32":
        import subprocess

        return subprocess.run(command.argv, check=False).returncode
    os.execv(command.argv[0], command.argv)


def _cannot(tool_id: str, reason: str, remedy: str) -> int:
    print(f"gatepost {tool_id}: could not run: {reason}\n    fix: {remedy}", flush=True)
    return 1


def split_args(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """The hook's options, and the file names the runner has put behind them.

    The names are the longest tail of words that exist on disk: a runner always puts them last. A name with a leading
    dash becomes `./-name`, so that the tool cannot take it for an option.
    """
    words = list(args)
    at = len(words)
    while at and words[at - 1] != "--" and os.path.lexists(words[at - 1]):
        at -= 1
    options = words[:at]
    if options[-1:] == ["--"]:
        options.pop()
    return options, [f"./{name}" if name.startswith("-") else name for name in words[at:]]


def executable(tool_id: str, environ: Mapping[str, str]) -> str:
    """Absolute path of the tool beside this interpreter, or on PATH when no runner made this environment.

    Raises:
        CannotRun: it is not there.
    """
    tool = TOOLS[tool_id]
    folder = os.path.dirname(sys.executable)
    for leaf in (tool.executable, f"{tool.executable}.exe"):
        path = os.path.join(folder, leaf)
        if os.path.isfile(path):
            return path
    if "PRE_COMMIT" not in environ:
        import shutil

        if found := shutil.which(tool.executable, path=environ.get("PATH")):
            return found
        raise CannotRun(f"{tool.executable} is not installed", f"run `pip install 'gatepost[{tool.extra}]'`.")
    raise CannotRun(
        f"{tool.executable} is not in this hook's environment: `additional_dependencies` in .pre-commit-config.yaml "
        "replaces the hook's own list",
        f"write `additional_dependencies: ['.[{tool.extra}]']`, with what you add behind it in the same list.",
    )


def build(
    tool_id: str,
    cwd: str,
    options: Sequence[str],
    files: Sequence[str],
    settings: Mapping[str, Any],
    environ: Mapping[str, str],
) -> Command | None:
    """The command of a tool, or None when there is nothing for it to look at.

    Raises:
        CannotRun: the tool, or what it needs, is missing.
    """
    match tool_id:
        case "ruff-check":
            config = _ruff_config(cwd, options)
            return Command(argv=(executable(tool_id, environ), "check", "--force-exclude", *config, *options, *files))
        case "ruff-format":
            config = _ruff_config(cwd, options)
            return Command(argv=(executable(tool_id, environ), "format", "--force-exclude", *config, *options, *files))
        case "bandit":
            config = [] if "-c" in options or "--configfile" in options else bandit_config(cwd)
            python = [name for name in files if name.endswith((".py", ".pyw"))] or (["-r", "."] if not files else [])
            if not python:
                return None  # bandit reads a notebook as Python and fails
            shape = () if any(word in options for word in ("-f", "--format")) else _BANDIT_LINES
            return Command(argv=(executable(tool_id, environ), "--quiet", *shape, *config, *options, *python))
        case "detect-secrets":
            executable(tool_id, environ)
            if not files:
                return None
            return Command(argv=(sys.executable, "-m", "gatepost.tools.detect_secrets_run", *options, *files))
        case "mypy":
            return _mypy(cwd, options, files, settings, environ)
    raise KeyError(tool_id)


def _ruff_config(cwd: str, options: Sequence[str]) -> list[str]:
    if any(word == "--config" or word.startswith("--config=") or word == "--isolated" for word in options):
        return []
    return ruff_config(cwd, _tracked(cwd, "*pyproject.toml", "*ruff.toml"))


def _tracked(cwd: str, *globs: str) -> list[str]:
    from gatepost.tree.git import Git

    done = Git(cwd).try_run("ls-files", "-z", "--", *globs)
    return [os.fsdecode(raw) for raw in done.out.split(b"\0") if raw] if done.rc == 0 else []


def _mypy(
    cwd: str, options: Sequence[str], files: Sequence[str], settings: Mapping[str, Any], environ: Mapping[str, str]
) -> Command | None:
    from gatepost.tools.interpreter import find_interpreter

    try:
        python = find_interpreter(cwd, settings["python"], environ)
    except FileNotFoundError as error:
        raise CannotRun(
            f"`tool.gatepost.mypy.python` names no interpreter: {error}", "set it to the python of the project."
        ) from None
    config = [] if any(word.startswith("--config-file") for word in options) else mypy_config(cwd)
    if python is None and not settings["isolated"] and "--python-executable" not in options:
        raise CannotRun(
            "no environment of the project was found, so mypy would not see its packages",
            "make one (`uv sync`, `poetry install`, or `python -m venv .venv` and install), or choose to check without "
            "it: `isolated = true` under `[tool.gatepost.mypy]`.",
        )
    if python is None:
        head: tuple[str, ...] = (executable("mypy", environ),)
        note = "no project environment; checked without its packages (isolated = true)"
    else:
        own = os.path.join(os.path.dirname(python.path), "mypy.exe" if sys.platform == "win32" else "mypy")
        if os.path.isfile(own):  # plugins load from the environment mypy runs in
            head = (python.path, "-m", "mypy")
            note = f"the project's own mypy, {python.path} (found by {python.how})"
        else:
            head = (executable("mypy", environ), f"--python-executable={python.path}")
            note = f"packages of {python.path} (found by {python.how})"
    targets = list(files)
    if not targets and not mypy_names_files(cwd):
        targets = mypy_targets(_tracked(cwd, "*.py", "*.pyi"))
        if not targets:
            return None
    loose = ("--ignore-missing-imports",) if python is None else ()
    return Command(argv=(*head, *config, *loose, *options, *_response(targets)), note=note)


def mypy_targets(tracked: Sequence[str]) -> list[str]:
    """The tracked files mypy can name as modules: every folder above a file must be an identifier.

    A stub wins over its module, as in mypy itself; setup.py and conftest.py of different folders are different modules
    under `explicit_package_bases`.
    """
    names = set(tracked)
    chosen = []
    for path in tracked:
        *folders, leaf = path.split("/")
        stem = leaf.rpartition(".")[0]
        if f"{path}i" in names or not stem.isidentifier() or not all(folder.isidentifier() for folder in folders):
            continue
        chosen.append(path)
    return chosen


def _response(targets: Sequence[str]) -> tuple[str, ...]:
    """File names as arguments, or as an `@file` when they would not fit a command line (32 KiB on Windows)."""
    if sum(len(name) + 1 for name in targets) < 24_000:
        return tuple(targets)
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False, encoding="utf-8") as stream:
        stream.write("\n".join(targets))
    return (f"@{stream.name}",)
