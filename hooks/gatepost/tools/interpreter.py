"""Which Python holds the project's packages: mypy must see them, and lives in an environment of its own.

The order (measured under pre-commit and prek): what the settings say, UV_PROJECT_ENVIRONMENT, `.venv` and `venv`,
PDM's `.pdm-python`, the first environment on PATH that is not the hook's, CONDA_PREFIX, Poetry's, Pipenv's.
VIRTUAL_ENV is no help: both runners overwrite it with the hook's environment.
"""

from __future__ import annotations

import os
import sys

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@record
class Interpreter:
    """An interpreter (absolute path) and how it was found, in words."""

    path: str
    how: str


def find_interpreter(root: str, explicit: str, environ: Mapping[str, str]) -> Interpreter | None:
    """The project's interpreter, or None if none is found.

    Raises:
        FileNotFoundError: `explicit` (the setting) names no interpreter.
    """
    if explicit:
        path = os.path.join(root, os.path.expanduser(explicit))
        found = path if os.path.isfile(path) else _python_in(path)
        if found is None:
            raise FileNotFoundError(explicit)
        return Interpreter(path=found, how="the setting `tool.gatepost.mypy.python`")
    for folder, how in _folders(root, environ):
        found = _python_in(folder)
        if found is not None and not _is_ours(folder):
            return Interpreter(path=found, how=how)
    return _from_tools(root, environ)


def _folders(root: str, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if named := environ.get("UV_PROJECT_ENVIRONMENT"):
        yield os.path.join(root, named), "UV_PROJECT_ENVIRONMENT"
    for name in (".venv", "venv"):
        yield os.path.join(root, name), name
    try:
        with open(os.path.join(root, ".pdm-python"), encoding="utf-8") as stream:
            yield os.path.dirname(os.path.dirname(stream.read().strip())), ".pdm-python"
    except (OSError, UnicodeDecodeError):
        pass
    for entry in environ.get("PATH", "").split(os.pathsep):
        folder = os.path.dirname(entry.rstrip("/\\"))
        if folder and os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
            yield folder, f"the environment on PATH, {folder}"
    if prefix := environ.get("CONDA_PREFIX"):
        yield prefix, "CONDA_PREFIX"


def _python_in(folder: str) -> str | None:
    for leaf in ("bin/python", "Scripts/python.exe", "python.exe"):
        path = os.path.join(folder, *leaf.split("/"))
        if os.path.isfile(path):
            return os.path.abspath(path)
    return None


def _is_ours(folder: str) -> bool:
    return os.path.realpath(folder) == os.path.realpath(sys.prefix)


def _from_tools(root: str, environ: Mapping[str, str]) -> Interpreter | None:
    """Poetry and Pipenv keep environments elsewhere; asked only where their files are and they are installed."""
    try:
        with open(os.path.join(root, "pyproject.toml"), encoding="utf-8", errors="replace") as stream:
            poetry = "[tool.poetry" in stream.read() or os.path.exists(os.path.join(root, "poetry.lock"))
    except OSError:
        poetry = False
    if poetry and (path := _ask(["poetry", "env", "info", "--path", "--no-ansi"], root, environ)):
        found = _python_in(path)
        if found is not None:
            return Interpreter(path=found, how="`poetry env info`")
    if os.path.exists(os.path.join(root, "Pipfile")) and (path := _ask(["pipenv", "--venv"], root, environ)):
        found = _python_in(path)
        if found is not None:
            return Interpreter(path=found, how="`pipenv --venv`")
    return None


def _ask(argv: Sequence[str], root: str, environ: Mapping[str, str]) -> str:
    import shutil
    import subprocess

    executable = shutil.which(argv[0], path=environ.get("PATH"))
    if executable is None:
        return ""
    env = {key: value for key, value in environ.items() if key != "VIRTUAL_ENV"}  # the hook's own
    try:
        done = subprocess.run(
            [executable, *argv[1:]],
            cwd=root,
            env=env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = done.stdout.strip().splitlines() if done.returncode == 0 else []
    return lines[-1].strip() if lines else ""
