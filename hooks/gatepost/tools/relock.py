"""Run the command that makes a stale lock again, when `--fix` asks for it and the tool is installed."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatepost.model import Result

# the commands that may be run; a header of a requirements file can hold any other (`uv run something.py`)
COMMANDS = (
    ("uv", "lock"), ("uv", "pip", "compile"), ("uv", "export"), ("poetry", "lock"), ("poetry", "export"), ("pdm", "lock"),
    ("pipenv", "lock"), ("pip-compile",), ("conda-lock", "lock"), ("pixi", "lock"),
)  # fmt: skip
TOOLS = tuple(sorted({words[0] for words in COMMANDS}))
# options that have such a command start or read something else than the files of the project
_FOREIGN = ("--pip-args", "--config", "--config-file", "--cache-dir", "--python", "-p", "--resolver", "--client-cert")
_OUTPUTS = ("-o", "--output-file", "--lockfile", "-L")


def commands(results: Sequence[Result]) -> dict[str, list[str]]:
    """The commands that would mend findings, each with the locks it makes again."""
    found: dict[str, list[str]] = {}
    for result in results:
        if command := _command(result):
            paths = found.setdefault(command, [])
            if result.path not in paths:
                paths.append(result.path)
    return found


def _command(result: Result) -> str:
    return result.fix.command if result.fix is not None and result.fix.safe else ""


def _placed(command: str) -> tuple[str, str]:
    """(directory, command) of `(cd DIRECTORY && COMMAND)`, which is how a command that must run there is written."""
    if command.startswith("(cd ") and command.endswith(")") and " && " in command:
        import shlex

        place, _, inner = command[len("(cd ") : -1].partition(" && ")
        try:
            words = shlex.split(place)
        except ValueError:
            words = []
        if len(words) == 1:
            return words[0], inner
    return "", command


def _refused(argv: Sequence[str], folder: str, paths: Sequence[str]) -> str:
    """Why a command is not run, "" if it is known and stays inside the repository, writing what it is to write."""
    if not any(tuple(argv[: len(words)]) == words for words in COMMANDS):
        return "it is no command that makes a lock"
    if _outside(folder):
        return "it is for a directory outside the repository"
    last = ""
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        option, value = (name, value) if name.startswith("-") else (last, word)
        last = "" if equals or not name.startswith("-") else name
        if name.startswith("-") and not name.startswith("--") and len(name) > 2:  # -oFILE
            option, value = name[:2], name[2:]
        if option in _FOREIGN and ("/" in value or "\\" in value or option in ("--pip-args", "--config-file")):
            return f"its option {option} leads elsewhere"
        if "://" in value or (name.startswith("-") and not value):
            continue
        target = os.path.normpath(os.path.join(folder, value)).replace(os.sep, "/")
        if value.startswith("~") or _outside(target):
            return "it names a path outside the repository"
        if option in _OUTPUTS and argv[0] in ("uv", "pip-compile", "poetry") and target not in paths:
            return f"it writes {target}"
    return ""


def _outside(path: str) -> bool:
    """Whether a normal path, relative to the repository, leaves it."""
    return os.path.isabs(path) or path[1:2] == ":" or path.split("/", maxsplit=1)[0] == ".."


def show_commands(results: Sequence[Result]) -> None:
    """Print what `relock` would run, one comment line each (`patch` and `git apply` skip them), for `--diff`."""
    import shlex
    import shutil

    for command, paths in commands(results).items():
        folder, inner = _placed(command)
        try:
            argv = shlex.split(inner)
        except ValueError:
            continue
        name = argv[0] if argv else ""
        if name in TOOLS and not _refused(argv, folder, paths):
            state = "" if shutil.which(name) else f"; {name} is not installed here"
            print(f"# --fix would run `{command}`, which makes {', '.join(paths)} again{state}")


def relock(
    results: Sequence[Result], root: str, say: Callable[[str], None] | None = None
) -> tuple[list[Result], list[str]]:
    """Run each relock command once, in `root`, output passed through; (results left, paths of changed locks).

    Only known tools are run, never a shell. A tool that is missing or fails leaves its findings, with a note. The
    findings of a lock that was made again are left out: the caller looks at the new files.
    """
    import shlex
    import shutil
    import subprocess

    tell = say or (lambda text: print(text, file=sys.stderr, flush=True))
    mended: set[str] = set()
    changed: list[str] = []
    for command, paths in commands(results).items():
        folder, inner = _placed(command)
        try:
            argv = shlex.split(inner)
        except ValueError:
            continue
        if not argv or argv[0] not in TOOLS:
            continue
        if reason := _refused(argv, folder, paths):
            tell(f"gatepost: `{command}` was not run: {reason}")
            continue
        program = shutil.which(argv[0])
        if program is None:
            tell(f"gatepost: {argv[0]} is not installed here, so `{command}` was not run")
            continue
        before = [_bytes(root, path) for path in paths]
        tell(f"gatepost: running `{command}` ({_needs(argv)})")
        try:
            code = subprocess.run(
                [program, *argv[1:]], cwd=os.path.join(root, folder) or None, stdin=subprocess.DEVNULL, check=False
            ).returncode
        except OSError as error:
            tell(f"gatepost: `{command}` could not be started: {error.strerror}")
            continue
        if code != 0:
            tell(f"gatepost: `{command}` failed with exit code {code}; is the network there?")
            continue
        mended.update(paths)
        changed.extend(path for path, old in zip(paths, before, strict=False) if _bytes(root, path) != old)
    return [each for each in results if each.path not in mended or not _command(each)], changed


def _needs(argv: Sequence[str]) -> str:
    """What of the network a command asks for."""
    if argv[1:2] == ["export"]:
        return "without network it fails where the lock itself is out of date"
    places = {"conda-lock": "the conda channels", "pixi": "the conda channels and the package index"}
    return f"it needs {places.get(argv[0], 'the package index')}: without network it fails"


def _bytes(root: str, path: str) -> bytes | None:
    try:
        with open(os.path.join(root, path), "rb") as file:
            return file.read()
    except OSError:
        return None
