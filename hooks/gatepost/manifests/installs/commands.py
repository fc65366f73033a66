"""Shell commands -> installs: which tool a command calls, its subcommand, its options and its words."""

from __future__ import annotations

import posixpath

from gatepost.manifests.installs import Install, Option, options
from gatepost.manifests.shell import Word
from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gatepost.manifests.shell import Command

_PIP_NAME = pattern(r"pip(?:3(?:\.\d+)?|2(?:\.\d+)?)?$")
_PYTHON_NAME = pattern(r"(?:python|pypy)(?:\d(?:\.\d+)?)?t?$|^py$")
# program -> the tool that it is, and its options that take a value
_TOOLS = {
    "uv": ("uv", options.UV),
    "poetry": ("poetry", options.POETRY),
    "pdm": ("pdm", options.PDM),
    "pipenv": ("pipenv", options.PIPENV),
    "conda": ("conda", options.CONDA),
    "mamba": ("conda", options.CONDA),
    "micromamba": ("conda", options.CONDA),
    "pixi": ("pixi", options.PIXI),
    "pip-sync": ("pip-sync", options.PIP),
    "pipx": ("pipx", options.PIP),
}
# subcommands that are tools of their own
_NESTED = {("uv", "pip"): "uv-pip", ("uv", "tool"): "uv-tool", ("conda", "env"): "conda-env"}


def installs(commands: Iterable[Command]) -> tuple[Install, ...]:
    """Every installer command among the commands, in order."""
    return tuple(found for command in commands if (found := install(command)) is not None)


def install(command: Command) -> Install | None:
    """The command as an installer's, or None when it is something else."""
    words = _called(command.words)
    if not words:
        return None
    name = posixpath.basename(words[0].text)
    tool, valued = ("pip", options.PIP) if _PIP_NAME.match(name) else _TOOLS.get(name, ("", options.PIP))
    if not tool:
        return None
    rest = words if tool == "pip-sync" else words[1:]
    position = _subcommand(rest, valued)
    if position is not None and (nested := _NESTED.get((tool, rest[position].text))):
        tool, rest = nested, (*rest[:position], *rest[position + 1 :])
    return _parsed(tool, rest, valued, command)


def _called(words: Sequence[Word]) -> Sequence[Word]:
    """The words from the module's name on where Python runs one (`python -u -m pip`); () where it runs no module."""
    if not _PYTHON_NAME.match(posixpath.basename(words[0].text)) or len(words) <= 2:
        return words
    index = 1
    while index < len(words) - 1 and words[index].text.startswith("-") and words[index].text != "-m":
        index += 1
    return words[index + 1 :] if words[index].text == "-m" else ()


def _subcommand(words: Sequence[Word], valued: frozenset[str]) -> int | None:
    """The index of the first word that is neither an option nor the value of one."""
    index = 0
    while index < len(words):
        text = words[index].text
        if not text.startswith("-"):
            return index
        index += 2 if text in valued else 1
    return None


def _parsed(tool: str, words: Sequence[Word], valued: frozenset[str], command: Command) -> Install | None:
    """The install that these words are, None when there is no subcommand."""
    found: list[Option] = []
    plain: list[Word] = []
    index = 0
    while index < len(words):
        word = words[index]
        text = word.text
        index += 1
        if text in ("-", "--") or not text.startswith("-"):
            plain.append(word)
            continue
        name, attached, value = text.partition("=")
        if not text.startswith("--"):
            name, attached, value = text[:2], text[2:], text[2:].removeprefix("=")
            if name not in valued:
                found += [Option(name="-" + letter, value=None, line=word.line) for letter in text[1:]]
                continue
        if attached:
            given = Word(text=value, line=word.line, known=word.known)
            found.append(Option(name=name, value=given, line=word.line))
        elif name in valued and index < len(words):
            found.append(Option(name=name, value=words[index], line=word.line))
            index += 1
        elif text.startswith("--"):
            found.append(Option(name=name, value=None, line=word.line))
    if not plain:
        return None
    action = "sync" if tool == "pip-sync" else plain[0].text
    return Install(tool=tool, action=action, words=tuple(plain[1:]), options=tuple(found), command=command)
