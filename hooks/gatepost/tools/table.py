"""The tools of others that this package runs: one row each."""

from __future__ import annotations

from gatepost.model import Setting
from gatepost.record import record

PYTHON = ("python", "pyi")
NOTEBOOKS = ("python", "pyi", "jupyter")


@record
class Tool:
    """A tool hook: its manifest entry, the extra that installs it, its settings.

    `executable` is looked for beside this interpreter. `fixes` tells that it may write files (it then runs first,
    alone, in the order of the table).
    """

    id: str
    summary: str
    extra: str
    executable: str
    types_or: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    pass_filenames: bool = True
    fixes: bool = False
    suffixes: tuple[str, ...] = ()  # files it wants in a run that chooses the files itself; () = every text file
    values: tuple[str, ...] = ()  # options whose value may be the name of a file
    settings: tuple[Setting, ...] = ()


_ARGS = Setting(key="args", kind="strs", default=(), help="Arguments for the tool in the `gatepost` hook.")


def _ruff(id: str, summary: str) -> Tool:
    return Tool(
        id=id,
        summary=summary,
        extra="ruff",
        executable="ruff",
        types_or=NOTEBOOKS,
        fixes=True,
        suffixes=(".py", ".pyi", ".pyw", ".ipynb"),
        values=("--config", "--output-file", "-o", "--cache-dir", "--exclude", "--extend-exclude"),
        settings=(_ARGS,),
    )


TOOLS: dict[str, Tool] = {
    tool.id: tool
    for tool in (
        _ruff(
            "ruff-check",
            "Lint Python and notebooks with Ruff and the shared config; `args: [--fix]` mends what is safe.",
        ),
        _ruff("ruff-format", "Format Python and notebooks with Ruff and the shared config."),
        Tool(
            id="mypy",
            summary="Type-check the whole project against its own environment.",
            extra="mypy",
            executable="mypy",
            types_or=PYTHON,
            pass_filenames=False,
            suffixes=(".py", ".pyi"),
            values=(
                "--config-file",
                "--python-executable",
                "--cache-dir",
                "--custom-typeshed-dir",
                "--junit-xml",
                "--exclude",
            ),
            settings=(
                _ARGS,
                Setting(key="python", kind="str", default="", help="The interpreter whose packages mypy shall see."),
                Setting(
                    key="isolated", kind="bool", default=False, help="Check without the project's packages if need be."
                ),
            ),
        ),
        Tool(
            id="bandit",
            summary="Run the bandit tests that Ruff's S rules lack, with the shared config.",
            extra="bandit",
            executable="bandit",
            types_or=("python",),
            suffixes=(".py", ".pyw"),
            values=("-c", "--configfile", "-b", "--baseline", "-o", "--output", "-x", "--exclude", "--ini"),
            settings=(_ARGS,),
        ),
        Tool(
            id="detect-secrets",
            summary="Look for secrets with Yelp's detect-secrets, AI token formats added, offline.",
            extra="detect-secrets",
            executable="detect-secrets",
            types=("text",),
            values=("--baseline",),
            settings=(_ARGS,),
        ),
    )
}


def known_ids() -> list[str]:
    """Every id that may have a table of settings: our hooks, and the tools."""
    from gatepost.registry import own_ids

    return [*own_ids(), *TOOLS]
