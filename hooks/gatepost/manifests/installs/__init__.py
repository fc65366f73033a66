"""Install commands of pip, uv, Poetry, PDM, Pipenv, conda and pixi: here the values, beside it their readers.

An `Install` keeps every option with the word that gave it, so that a rule can point at the exact line. `commands`
finds them among a shell's commands, `packages` reads the words that name packages, and `sources` joins options and
environment into what a command really uses (index, extra indexes, torch backend).
"""

from __future__ import annotations

from gatepost.manifests.installs.packages import conda_package, is_path, requirement
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.installs.packages import Package
    from gatepost.manifests.shell import Command, Word


@record
class Option:
    """An option as written: its name ("--index-url", "-r") and value (None for a flag)."""

    name: str
    value: Word | None
    line: int


@record
class Install:
    """One command of an installer.

    `tool` is pip, uv-pip, uv, poetry, pdm, pipenv, conda, pixi, pip-sync or pipx; `action` its subcommand
    ("install", "sync", "lock", "export", "add", ...). `words` are the positional words.
    """

    tool: str
    action: str
    words: tuple[Word, ...]
    options: tuple[Option, ...]
    command: Command

    @property
    def line(self) -> int:
        return self.command.line

    def has(self, *names: str) -> bool:
        """Whether any of these options is given."""
        return any(option.name in names for option in self.options)

    def values(self, *names: str) -> tuple[Word, ...]:
        """The values of these options, in order."""
        return tuple(option.value for option in self.options if option.name in names and option.value is not None)

    @property
    def files(self) -> tuple[Word, ...]:
        """Requirement files: `-r x`, and for uv also positional `pyproject.toml` and the like."""
        if self.tool not in ("pip", "uv-pip", "pip-sync", "pipenv"):
            return ()
        found = self.values("-r", "--requirement", "--requirements")
        return found + self.words if self.action == "sync" or self.tool == "pip-sync" else found

    @property
    def packages(self) -> tuple[Package, ...]:
        """Named packages; paths, bare URLs and words that are not known are left out."""
        if self.action not in ("install", "wheel", "download", "add", "upgrade", "update", "create"):
            return ()
        if self.tool in ("conda", "pixi"):
            return tuple(found for word in self.words if (found := conda_package(word)))
        return tuple(found for word in self.words if (found := requirement(word)))

    @property
    def paths(self) -> tuple[Word, ...]:
        """Projects given as directories: `.`, `./x[extra]`, `-e .`."""
        if self.tool not in ("pip", "uv-pip") or self.action not in ("install", "wheel", "download"):
            return ()
        found = [word for word in self.words if is_path(word.text)]
        return (*found, *(word for word in self.values("-e", "--editable") if is_path(word.text)))

    @property
    def uncertain(self) -> bool:
        """Whether some word or value is not known."""
        values = [option.value for option in self.options if option.value is not None]
        return any(not word.known for word in (*self.words, *values))
