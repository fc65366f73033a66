"""Which Python holds the project's packages: mypy must see them, and lives in an environment of its own.

The order (measured under pre-commit and prek): what the settings say, UV_PROJECT_ENVIRONMENT, an environment in the
project's folder or in one above it up to the repository's root, PDM's `.pdm-python`, the first environment on PATH that
is the project's, CONDA_PREFIX, Poetry's, Pipenv's, the only environment of a folder below.

VIRTUAL_ENV is no help: both runners overwrite it with the hook's environment. PATH and CONDA_PREFIX say what is active,
not what belongs to this project (conda's `base`, the environment that `uvx pre-commit` runs in): an environment from
there counts only if it holds one of the project's dependencies, as far as the project declares any.
"""

from __future__ import annotations

import os
import re
import sys

from gatepost.record import record
from gatepost.tools.config import text_of
from gatepost.tools.declared import canonical, dependencies, installed, upwards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Folders of a project that hold its environment. A file of such a name holds the path of one (virtualenvwrapper, Pipenv).
_FOLDERS = (".venv", "venv", "env", ".pixi/envs/default", ".conda")
# Environments of programs, never of projects: uv tool, uvx, pipx, the runners' own.
_PROGRAMS = re.compile(
    r"[/\\](uv[/\\](tools|archive-v\d+|environments-v\d+|builds-v\d+)|pipx[/\\]venvs|pre-commit[/\\]repo|prek[/\\]hooks)"
)


@record
class Interpreter:
    """An interpreter (absolute path) and how it was found, in words."""

    path: str
    how: str


@record
class Found:
    """What was found: an interpreter or None, and what was looked at and is not it, in words."""

    interpreter: Interpreter | None
    rejected: tuple[str, ...] = ()


def find_interpreter(root: str, explicit: str, environ: Mapping[str, str], top: str = "") -> Found:
    """The project's interpreter; `root` is the project's folder, `top` the repository's root ("": the same).

    Raises:
        FileNotFoundError: `explicit` (the setting) names no interpreter.
    """
    if explicit:
        path = os.path.join(root, os.path.expanduser(explicit))
        found = os.path.abspath(path) if os.path.isfile(path) else _python_in(path)
        if found is None:
            raise FileNotFoundError(explicit)
        return Found(interpreter=Interpreter(path=found, how="the setting `tool.gatepost.mypy.python`"))
    rejected = []
    for folder, how in _named(root, top or root, environ):
        found = _python_in(folder)
        if found is not None:
            return Found(interpreter=Interpreter(path=found, how=how))
        if os.path.exists(os.path.join(folder, "pyvenv.cfg")):
            rejected.append(f"{how} has no working Python, make it again")
    wanted: frozenset[str] | None = None
    for folder, how in _active(environ):
        found = _python_in(folder)
        if found is None:
            continue
        if wanted is None:
            wanted = dependencies(root, top or root)
        if wanted and wanted.isdisjoint(installed(found)):
            rejected.append(f"{folder} ({how}) holds none of the project's dependencies")
            continue
        return Found(interpreter=Interpreter(path=found, how=how))
    interpreter = _from_tools(root, environ) or _below(root, rejected)
    return Found(interpreter=interpreter, rejected=tuple(rejected))


def _named(root: str, top: str, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Environments that the project names by where they are: (folder, in words)."""
    if named := environ.get("UV_PROJECT_ENVIRONMENT"):
        yield os.path.join(root, named), "UV_PROJECT_ENVIRONMENT"
        yield os.path.join(top, named), "UV_PROJECT_ENVIRONMENT"
    for home in upwards(root, top):
        for name in _FOLDERS:
            folder = os.path.join(home, *name.split("/"))
            if os.path.isfile(folder):
                folder = os.path.join(home, os.path.expanduser(_first_line(folder)))
            yield folder, os.path.relpath(folder, root)
        if python := _first_line(os.path.join(home, ".pdm-python")):
            yield os.path.dirname(os.path.dirname(python)), ".pdm-python"


def _active(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Environments that are active, whoever's they are: (folder, in words)."""
    in_runner = "PRE_COMMIT" in environ
    for entry in environ.get("PATH", "").split(os.pathsep):
        folder = os.path.dirname(entry.rstrip("/\\"))
        if not folder or _PROGRAMS.search(folder) or not os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
            continue
        if not (in_runner and _is_ours(folder)):
            yield folder, "on PATH"
    if prefix := environ.get("CONDA_PREFIX"):
        yield prefix, "CONDA_PREFIX"


def _python_in(folder: str) -> str | None:
    for leaf in ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe"):
        path = os.path.join(folder, *leaf.split("/"))
        if os.path.isfile(path):
            return os.path.abspath(path)
    return None


def _is_ours(folder: str) -> bool:
    return os.path.realpath(folder) == os.path.realpath(sys.prefix)


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.readline().strip()
    except (OSError, UnicodeDecodeError):
        return ""


# --- tools that keep environments elsewhere ---------------------------------------------------------------------------


def _from_tools(root: str, environ: Mapping[str, str]) -> Interpreter | None:
    """Poetry's and Pipenv's. Where they are is computed as the tools do it; the tool (1 s) is asked if that fails."""
    text = text_of(root, "pyproject.toml")
    if "[tool.poetry" in text or os.path.exists(os.path.join(root, "poetry.lock")):
        path = _poetry_env(root, text, environ) or _ask(["poetry", "env", "info", "--path", "--no-ansi"], root, environ)
        if path and (found := _python_in(path)):
            return Interpreter(path=found, how="Poetry")
    if os.path.exists(os.path.join(root, "Pipfile")):
        path = _pipenv_env(root, environ) or _ask(["pipenv", "--venv"], root, environ)
        if path and (found := _python_in(path)):
            return Interpreter(path=found, how="Pipenv")
    return None


def _poetry_env(root: str, text: str, environ: Mapping[str, str]) -> str:
    """The folder of Poetry's only environment for this project (`EnvManager.generate_env_name`, Poetry 1.2 to 2.5)."""
    import base64
    import hashlib

    name = ""
    for table in ("project", r"tool\.poetry"):
        if found := re.search(rf"(?ms)^\[{table}\]\s*$(?:(?!^\[).)*?^name\s*=\s*[\"']([^\"']+)", text):
            name = found[1]
            break
    clean = re.sub(r'[ $`!*@"\\\r\n\t]', "_", canonical(name) or "non-package-mode")[:42]
    place = os.path.normcase(os.path.realpath(root)).encode("utf-8", "surrogateescape")
    start = f"{clean}-{base64.urlsafe_b64encode(hashlib.sha256(place).digest()).decode()[:8]}-py"
    return _only(_poetry_home(environ), start)


def _poetry_home(environ: Mapping[str, str]) -> str:
    if named := environ.get("POETRY_VIRTUALENVS_PATH"):
        return named
    if cache := environ.get("POETRY_CACHE_DIR"):
        return os.path.join(cache, "virtualenvs")
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        cache = os.path.join(environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local"), "pypoetry", "Cache")
    elif sys.platform == "darwin":
        cache = os.path.join(home, "Library", "Caches", "pypoetry")
    else:
        cache = os.path.join(environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "pypoetry")
    return os.path.join(cache, "virtualenvs")


def _pipenv_env(root: str, environ: Mapping[str, str]) -> str:
    """The folder of Pipenv's environment for this project (`virtualenv_name`, Pipenv 2018 to 2026)."""
    import base64
    import hashlib

    home = environ.get("WORKON_HOME") or (
        os.path.expanduser("~/.virtualenvs")
        if sys.platform == "win32"
        else os.path.join(environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"), "virtualenvs")
    )
    home = os.path.expanduser(home)
    if named := environ.get("PIPENV_CUSTOM_VENV_NAME"):
        return os.path.join(home, named)
    name = re.sub(r'[ &$`!*@"()\[\]\\\r\n\t]', "_", os.path.basename(os.path.abspath(root)))[:42]
    for path in dict.fromkeys((os.path.abspath(root), os.path.realpath(root))):
        digest = hashlib.sha256(os.path.join(path, "Pipfile").encode("utf-8", "surrogateescape")).digest()[:6]
        if found := _only(home, f"{name}-{base64.urlsafe_b64encode(digest).decode()[:8]}"):
            return found
    return ""


def _only(home: str, start: str) -> str:
    """The only folder in `home` whose name begins with `start`, "" when there is none or several."""
    try:
        names = [name for name in os.listdir(home) if name.startswith(start)]
    except OSError:
        return ""
    return os.path.join(home, names[0]) if len(names) == 1 else ""


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


def _below(root: str, rejected: list[str]) -> Interpreter | None:
    """The environment of the one sub-project that has one; several are named as candidates."""
    found = []
    for folder, folders, _leaves in os.walk(root):
        depth = os.path.relpath(folder, root).count(os.sep)
        for name in (".venv", "venv"):
            if name in folders and (python := _python_in(os.path.join(folder, name))):
                found.append(Interpreter(path=python, how=os.path.relpath(os.path.join(folder, name), root)))
        skip = ("node_modules", "site-packages", "__pycache__", "venv")
        folders[:] = [name for name in sorted(folders) if name[0] != "." and name not in skip] if depth < 2 else []
    if len(found) == 1:
        return found[0]
    rejected += [f"{each.how} is one of several" for each in found[:3]]
    return None
