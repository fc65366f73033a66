"""Command lines of tools: where the executable is, how long a line may be, how one is run."""

from __future__ import annotations

import os
import sys

from gatepost.record import record
from gatepost.tools.table import TOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gatepost.tree.git import Git


@record
class Command:
    """Command lines that together are one tool run in the current folder, as a rule one.

    `note` says what the reader should know of how they were made; `env` is added to the environment; `serial`: one
    after the other, else they may run at once; `temporary` files are to be deleted after the run. Lines of output that
    match `told` (a regular expression) are another check's of the same run to report.
    """

    argvs: tuple[tuple[str, ...], ...]
    note: str = ""
    env: Mapping[str, str] = {}
    serial: bool = False
    temporary: tuple[str, ...] = ()
    told: str = ""


class CannotRun(Exception):
    """The tool cannot be run; `str()` is the reason, `remedy` what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


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
        raise CannotRun(f"{tool.executable} is not installed", f"run `pip install {_wanted(tool.extra)}`.")
    raise CannotRun(
        f"{tool.executable} is not in this hook's environment: `additional_dependencies` in .pre-commit-config.yaml "
        "replaces the hook's own list",
        f"write `additional_dependencies: ['.[{tool.extra}]']`, with what you add behind it in the same list.",
    )


def _wanted(extra: str) -> str:
    """What an extra of this package asks for, as one word of a shell: `bandit==1.9.4`; its name where that is not told."""
    import re
    import shlex
    from importlib.metadata import PackageNotFoundError, requires

    try:
        asked = requires("gatepost") or []
    except PackageNotFoundError:
        asked = []
    for each in asked:
        if re.search(rf"""extra\s*==\s*['"]{re.escape(extra)}['"]""", each):
            return shlex.quote(each.partition(";")[0].strip())
    return extra


def limit(environ: Mapping[str, str]) -> int:
    """Bytes that the words of one command line may have together, the environment taken off."""
    if sys.platform == "win32":
        return 30_000
    try:
        most = os.sysconf("SC_ARG_MAX")
    except (OSError, ValueError):
        most = 131_072
    used = sum(len(os.fsencode(key)) + len(os.fsencode(value)) + 16 for key, value in environ.items())
    return max(min(most, 1_000_000) - used - 32_768, 16_384)  # a word takes its bytes and a pointer


def fits(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether a command line is short enough for the system."""
    return _length(argv) < limit(environ)


def _length(words: Iterable[str]) -> int:
    return sum(len(os.fsencode(word)) + 9 for word in words)


def chunks(files: Sequence[str], environ: Mapping[str, str], jobs: int = 1) -> list[Sequence[str]]:
    """The files in at least `jobs` parts (as far as there are files), each short enough for one command line."""
    most = limit(environ) - 4_096
    count = max(jobs, -(-_length(files) // most), 1)
    while count < len(files) and any(_length(files[at::count]) > most for at in range(count)):
        count += 1
    return [part for at in range(min(count, len(files))) if (part := files[at::count])]


def tracked(git: Git, *globs: str) -> list[str]:
    """Tracked files under git's current folder that match, relative to it."""
    done = git.try_run("ls-files", "-z", "--", *globs)
    return [os.fsdecode(raw) for raw in done.out.split(b"\0") if raw] if done.rc == 0 else []


def safe_names(files: Iterable[str]) -> list[str]:
    """File names that no tool takes for an option or for a file of arguments."""
    return [f"./{name}" if name.startswith(("-", "@")) else name for name in files]


def run_command(command: Command, environ: Mapping[str, str]) -> int:
    """Run a command in the foreground. One line on POSIX: this process becomes the tool, and this does not return.

    Returns:
        The largest exit code.
    """
    env = {**environ, **command.env}
    if len(command.argvs) == 1 and not command.temporary and sys.platform != "win32":
        os.execve(command.argvs[0][0], command.argvs[0], env)  # noqa: S606
    import subprocess

    codes = []
    try:
        if command.serial:
            codes = [subprocess.run(argv, env=env, check=False).returncode for argv in command.argvs]
        else:
            children = [
                subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                for argv in command.argvs
            ]
            for child in children:
                out, _none = child.communicate()
                sys.stdout.buffer.write(out)
                codes.append(child.returncode)
            sys.stdout.flush()
    finally:
        for path in command.temporary:
            os.unlink(path)
    return max((abs(code) for code in codes), default=0)
