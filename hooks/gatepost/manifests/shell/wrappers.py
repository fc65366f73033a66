"""What runs a command for another: `sudo`, `env`, `timeout 60`, `conda run -n x`, and the shell of `bash -c "..."`.

Options read from the programs' own `--help` (coreutils 9, sudo 1.9, conda 25, uv 0.13).
"""

from __future__ import annotations

import posixpath

from gatepost.patterns import pattern
from gatepost.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.manifests.shell import Command, Word

MAX_WRAPPERS = 8  # of one command
ASSIGNMENT = pattern(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh"))
# name -> options that take a value; what is left after the options is the command itself
_WRAPPERS = {
    "sudo": frozenset(("-u", "-g", "-h", "-p", "-C", "--user", "--group")),
    "env": frozenset(("-u", "-C", "--unset", "--chdir")),
    "exec": frozenset(("-a",)),
    "time": frozenset[str](),
    "nohup": frozenset[str](),
    "nice": frozenset(("-n",)),
    "command": frozenset[str](),
    "timeout": frozenset(("-s", "-k")),
    "eatmydata": frozenset[str](),
    "xvfb-run": frozenset(("-s", "-n")),
}
# the same, for those that choose an environment: they stay known as the command's `runner`
_RUNNERS = {
    ("conda", "run"): frozenset(("-n", "--name", "-p", "--prefix", "--cwd")),
    ("mamba", "run"): frozenset(("-n", "--name", "-p", "--prefix", "--cwd")),
    ("micromamba", "run"): frozenset(("-n", "--name", "-p", "--prefix", "--cwd", "-r")),
    ("poetry", "run"): frozenset[str](),
    ("pipenv", "run"): frozenset[str](),
    ("pdm", "run"): frozenset(("-p", "--project", "-s", "--site-packages")),
    ("uv", "run"): frozenset(("--with", "--extra", "--group", "--python", "-p", "--project", "--directory", "--package",
                              "--env-file", "--with-requirements", "--only-group", "--no-group", "--index")),
    ("pixi", "run"): frozenset(("-e", "--environment", "--manifest-path")),
}  # fmt: skip


def unwrapped(command: Command) -> Command:
    """The command that is really run; what its wrappers set is in its `env`, what they are in its `runner`."""
    words = command.words
    env = dict(command.env)
    runner: tuple[str, ...] = ()
    for _ in range(MAX_WRAPPERS):
        name = posixpath.basename(words[0].text)
        pair = (name, words[1].text) if len(words) > 1 else ("", "")
        if name in _WRAPPERS:
            rest = _after_options(words[1:], _WRAPPERS[name])
            if name == "timeout":
                rest = rest[1:]
            while name in ("env", "sudo") and rest and ASSIGNMENT.match(rest[0].text):
                key, _, value = rest[0].text.partition("=")
                env[key] = value if rest[0].known else None
                rest = rest[1:]
        elif pair in _RUNNERS:
            rest = _after_options(words[2:], _RUNNERS[pair])
            if rest:
                runner += tuple(word.text for word in words[: len(words) - len(rest)])
        else:
            break
        if not rest:
            break
        words = rest
    return replace(command, words=words, env=env, runner=runner, line=words[0].line)


def script(words: Sequence[Word]) -> Word | None:
    """The string of `bash -c "..."` (also -lc, -ec, -exc, `-o pipefail -c`), if there is one."""
    if posixpath.basename(words[0].text) not in _SHELLS:
        return None
    index = 1
    while index < len(words) - 1 and words[index].text.startswith("-"):
        option = words[index].text
        if not option.startswith("--") and option.endswith("c"):
            return words[index + 1]
        index += 2 if not option.startswith("--") and option[-1] in "oO" else 1
    return None


def _after_options(words: tuple[Word, ...], valued: frozenset[str]) -> tuple[Word, ...]:
    index = 0
    while index < len(words) and words[index].text.startswith("-"):
        if words[index].text == "--":
            return words[index + 1 :]
        index += 2 if words[index].text in valued else 1
    return words[index:]
