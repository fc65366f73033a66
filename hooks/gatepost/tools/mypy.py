"""mypy over the whole project, with the project's packages: its interpreter, its own mypy, its config, its files."""

from __future__ import annotations

import os
import sys

from gatepost.tools.command import CannotRun, Command, executable, fits, tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gatepost.tools.interpreter import Interpreter

_TARGETS = ("-p", "-m", "-c", "--package", "--module", "--command")


def command(
    cwd: str, options: Sequence[str], files: Sequence[str], settings: Mapping[str, Any], environ: Mapping[str, str]
) -> Command | None:
    """How mypy is to be run; None when there is nothing to check.

    Raises:
        CannotRun: mypy is not there, or the project's environment.
    """
    from gatepost.tree.git import Git, GitError, find_root

    try:
        top = find_root(cwd, environ)
    except GitError:
        top = cwd
    known = tracked(Git(cwd), "*.py", "*.pyi")
    targeted = bool(files) or any(word.split("=")[0] in _TARGETS for word in options)
    if not known and not targeted:
        return None  # nothing that an environment would be needed for
    python, alone = _interpreter(cwd, top, options, settings, environ)
    own = _own_mypy(python)
    head: tuple[str, ...]
    if python is not None and own:  # plugins load from the environment that mypy runs in
        head = (python.path, "-m", "mypy")
    else:
        head = (executable("mypy", environ), *([f"--python-executable={python.path}"] if python else []))
    note = (
        "" if any(word.startswith("--python-executable") for word in options) else alone or _note(python, own, top, cwd)
    )
    loose = ("--ignore-missing-imports",) if python is None and settings["isolated"] else ()
    from gatepost.tools.config import shared_config
    from gatepost.tools.mypy_config import discovered, find_config, read_config, rounds, shared_bases

    named = _named_config(options)
    path = os.path.join(cwd, named) if named else find_config(cwd, top)
    shared = path is None and named is None
    head = (*head, *(["--config-file", shared_config()] if shared else []), *loose, *options)
    env = {}
    if shared:
        bases = shared_bases(known, cwd)
        if bases:
            env["MYPYPATH"] = os.pathsep.join([*bases, *filter(None, [environ.get("MYPYPATH", "")])])
    config = read_config(shared_config() if shared else path, cwd, options, {**environ, **env})
    if targeted or config.names_targets:
        return Command(argvs=((*head, *files),), env=env, note=note, serial=True)
    targets = discovered(known, config.exclude)
    if not targets:
        return None
    root = os.path.basename(os.path.abspath(cwd))
    if not config.explicit_bases and not root.isidentifier() and os.path.isfile(os.path.join(cwd, "__init__.py")):
        # A package in the repository's root whose folder has a name that is no identifier: mypy would stop.
        head = (*head, "--explicit-package-bases")
        config = read_config(path, cwd, [*options, "--explicit-package-bases"], environ)
    groups, unnameable = rounds(targets, config, cwd)
    if len(groups) > 1:
        note += f"{'; ' * bool(note)}{len(groups)} runs, as modules of one name cannot be checked in the same"
    if unnameable:
        note += f"{'; ' * bool(note)}not checked, as a package cannot have such a name: {', '.join(unnameable)}"
    if not groups:
        return Command(argvs=(), note=note, serial=True)
    argvs, temporary = [], []
    for group in groups:
        names = [f"./{name}" if name.startswith(("-", "@")) else name for name in group]
        if not fits([*head, *names], environ):
            temporary.append(_response(names))
            names = [f"@{temporary[-1]}"]
        argvs.append((*head, *names))
    return Command(argvs=tuple(argvs), env=env, note=note, serial=True, temporary=tuple(temporary))


def _interpreter(
    cwd: str, top: str, options: Sequence[str], settings: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[Interpreter | None, str]:
    """The project's interpreter; None where an option names one, and, with the reason, where the project needs none."""
    from gatepost.tools.interpreter import find_interpreter

    if any(word.startswith("--python-executable") for word in options):
        return None, ""
    try:
        found = find_interpreter(cwd, settings["python"], environ, top)
    except FileNotFoundError as error:
        raise CannotRun(
            f"`tool.gatepost.mypy.python` names no interpreter: {error}", "set it to the python of the project."
        ) from None
    if found.interpreter is None and not settings["isolated"]:
        from gatepost.tools.declared import needs_nothing
        from gatepost.tree.git import Git

        if needs_nothing(cwd, tracked(Git(cwd))):
            return None, "without an environment, as the project declares that it needs no packages"
        seen = f" ({'; '.join(found.rejected)})" if found.rejected else ""
        raise CannotRun(
            f"no environment of the project was found, so mypy would not see its packages{seen}",
            "make one (`uv sync`, `poetry install`, or `python -m venv .venv` and install), or name its Python, "
            '`python = ".../bin/python"` under `[tool.gatepost.mypy]`, or choose to check without it: '
            "`isolated = true` there.",
        )
    return found.interpreter, ""


def _own_mypy(python: Interpreter | None) -> bool:
    if python is None:
        return False
    leaf = "mypy.exe" if sys.platform == "win32" else "mypy"
    folder = os.path.dirname(python.path)
    return any(os.path.isfile(os.path.join(folder, *more, leaf)) for more in ((), ("Scripts",)))


def _note(python: Interpreter | None, own: bool, top: str, cwd: str) -> str:
    if python is None:
        return "without the project's packages"
    folder = os.path.dirname(python.path)
    if os.path.basename(folder).lower() in ("bin", "scripts"):
        folder = os.path.dirname(folder)
    inside = folder.startswith(top.rstrip(os.sep) + os.sep)
    short = os.path.relpath(folder, cwd) if inside else folder
    how = "" if inside and python.how == short else f" ({python.how})"
    return f"mypy of {short}{how}" if own else f"packages of {short}{how}"


def _named_config(options: Sequence[str]) -> str | None:
    """The file of `--config-file` ("" for none at all), None if the option is not there."""
    words = iter(options)
    for word in words:
        if word == "--config-file":
            return next(words, "")
        if word.startswith("--config-file="):
            return word.partition("=")[2]
    return None


def _response(names: Sequence[str]) -> str:
    """A file of arguments, one a line."""
    import tempfile

    with tempfile.NamedTemporaryFile("wb", suffix=".txt", delete=False) as stream:
        stream.write(os.fsencode("\n".join(names)))
    return stream.name
