"""Shell commands -> typed install commands of pip, uv, Poetry, PDM, Pipenv, conda and pixi.

An `Install` keeps every option with the word that gave it, so that a rule can point at the exact line. What a
command really uses (index, extra indexes, torch backend) also depends on its environment: `sources` joins the two.
Options read from the tools' own `--help`: pip 26.3, uv 0.13.8, Poetry 1.8.5 and 2.5.1, PDM 2.29, Pipenv 2026.10,
conda 25.x, pixi 0.5x. An option we do not know is taken as one without a value, unless it has `=`.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.shell import Command, Word
from gatepost.patterns import pattern
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PIP_VALUED = frozenset(
    [
        "-r",
        "--requirement",
        "--requirements",
        "-c",
        "--constraint",
        "--constraints",
        "-e",
        "--editable",
        "-i",
        "--index-url",
        "--pypi-url",
        "--extra-index-url",
        "-f",
        "--find-links",
        "-t",
        "--target",
        "--platform",
        "--python-version",
        "--implementation",
        "--abi",
        "--root",
        "--prefix",
        "--src",
        "--upgrade-strategy",
        "-C",
        "--config-settings",
        "--config-setting",
        "--global-option",
        "--build-option",
        "--no-binary",
        "--only-binary",
        "--progress-bar",
        "--root-user-action",
        "--report",
        "--cache-dir",
        "--log",
        "--proxy",
        "--retries",
        "--timeout",
        "--exists-action",
        "--trusted-host",
        "--cert",
        "--client-cert",
        "--use-feature",
        "--use-deprecated",
        "--python",
        "--resume-retries",
        "--keyring-provider",
        "--group",
        "--uploaded-prior-to",
        "-d",
        "--dest",
        "-w",
        "--wheel-dir",
        "-b",
        "--build",
    ]
)
_UV_VALUED = _PIP_VALUED | frozenset(
    [
        "--index",
        "--default-index",
        "--index-strategy",
        "--resolution",
        "--prerelease",
        "--fork-strategy",
        "--link-mode",
        "-p",
        "--python-platform",
        "--torch-backend",
        "--exclude-newer",
        "--exclude-newer-package",
        "--reinstall-package",
        "-P",
        "--upgrade-package",
        "--refresh-package",
        "--override",
        "--overrides",
        "--build-constraint",
        "--build-constraints",
        "--extra",
        "--no-extra",
        "--no-group",
        "--only-group",
        "--package",
        "--directory",
        "--project",
        "--config-file",
        "--allow-insecure-host",
        "--color",
        "--no-install-package",
        "--only-install-package",
        "--no-build-package",
        "--no-binary-package",
        "--no-build-isolation-package",
        "--output-file",
        "-o",
        "--format",
        "--env-file",
        "--exclude",
        "--excludes",
        "--rev",
        "--tag",
        "--branch",
        "--optional",
        "-n",
        "--with",
        "--from",
        "--bounds",
        "--script",
        "--no-emit-package",
        "--prune",
    ]
)
_UV_VALUED -= frozenset(("-b", "-n", "-d", "-w"))
_POETRY_VALUED = frozenset(
    [
        "-C",
        "--directory",
        "-P",
        "--project",
        "--with",
        "--without",
        "--only",
        "--extras",
        "-E",
        "--group",
        "-G",
        "--source",
        "--python",
        "--platform",
        "--markers",
        "--format",
        "-f",
        "--output",
        "-o",
    ]
)
_PDM_VALUED = frozenset(
    [
        "-G",
        "--group",
        "--with",
        "--without",
        "-p",
        "--project",
        "-L",
        "--lockfile",
        "-c",
        "--config",
        "-k",
        "-x",
        "--override",
        "-d",
    ]
)
_PIPENV_VALUED = frozenset(
    ["--python", "--pypi-mirror", "-i", "--index", "--categories", "--extra-pip-args", "-r", "--requirements", "-e"]
)
_CONDA_VALUED = frozenset(
    [
        "-n",
        "--name",
        "-p",
        "--prefix",
        "-c",
        "--channel",
        "-f",
        "--file",
        "--solver",
        "--repodata-fn",
        "--subdir",
        "--platform",
        "-r",
        "--root-prefix",
    ]
)
_PIXI_VALUED = frozenset(
    ["-e", "--environment", "--manifest-path", "-p", "--platform", "-f", "--feature", "--git", "--branch", "--color"]
)
_PIP_NAME = pattern(r"pip(?:3(?:\.\d+)?|2(?:\.\d+)?)?$")
_PYTHON_NAME = pattern(r"(?:python|pypy)(?:\d(?:\.\d+)?)?t?$|^py$")
_REQUIREMENT = pattern(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(?:@\s*(\S+)|\(?([^;()]*?)\)?)\s*(?:;(.*))?$"
)


@record
class Option:
    """An option as written: its name ("--index-url", "-r") and value (None for a flag)."""

    name: str
    value: Word | None
    line: int


@record
class Package:
    """A requirement given on a command line: canonical name, extras, specifier or URL, marker."""

    name: str
    extras: tuple[str, ...]
    specifier: str
    url: str
    marker: str
    word: Word


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
            return tuple(found for word in self.words if (found := _conda_package(word)))
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


@record
class Sources:
    """Where a command takes packages from. Words hold the line; `unknown` when a part is not known."""

    index: Word | None  # replaces the default index
    extra: tuple[Word, ...]
    links: tuple[Word, ...]
    backend: str  # uv's torch backend, "" when none
    unknown: bool
    from_env: tuple[str, ...]  # environment variables that gave any of it


def canonical(name: str) -> str:
    """A package name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_path(text: str) -> bool:
    """Whether pip would take the word for a local directory or file rather than a name."""
    bare = text.split("[", 1)[0].split(";", 1)[0].strip()
    return (
        bare in (".", "..")
        or bare.startswith(("./", "../", "/", "~"))
        or ("/" in bare and "://" not in bare and "@" not in bare)
    )


def requirement(word: Word) -> Package | None:
    """A requirement word, or None when it is a path, a URL or not known."""
    text = word.text.strip()
    if is_path(text) or re.match(r"[a-z+]+://", text) or text.startswith("git+") or not word.known:
        return None
    match = _REQUIREMENT.match(text)
    if match is None:
        return None
    extras = tuple(sorted(canonical(extra.strip()) for extra in (match[2] or "").split(",") if extra.strip()))
    return Package(
        name=canonical(match[1]),
        extras=extras,
        specifier=(match[4] or "").replace(" ", ""),
        url=match[3] or "",
        marker=(match[5] or "").strip(),
        word=word,
    )


def _conda_package(word: Word) -> Package | None:
    text = word.text.rpartition("::")[2]
    match = re.match(r"([A-Za-z0-9_][A-Za-z0-9._-]*?)\s*(?:([=<>!~].*))?$", text)
    if match is None or not word.known or is_path(text):
        return None
    return Package(name=match[1].lower(), extras=(), specifier=match[2] or "", url="", marker="", word=word)


def installs(commands: Iterable[Command]) -> tuple[Install, ...]:
    """Every installer command among the commands, in order."""
    return tuple(found for command in commands if (found := install(command)) is not None)


def install(command: Command) -> Install | None:
    """The command as an installer's, or None when it is something else."""
    words = list(command.words)
    name = posixpath.basename(words[0].text)
    if _PYTHON_NAME.match(name) and len(words) > 2:
        index = 1
        while index < len(words) - 1 and words[index].text.startswith("-") and words[index].text != "-m":
            index += 1
        if words[index].text != "-m":
            return None
        words = words[index + 1 :]
        name = words[0].text
        name = {"pip": "pip", "piptools": "pip-tools"}.get(name, name)
    if _PIP_NAME.match(name):
        return _parsed("pip", words[1:], _PIP_VALUED, command)
    if name == "uv":
        rest = words[1:]
        position = _subcommand(rest, _UV_VALUED)
        if position is not None and rest[position].text in ("pip", "tool"):
            outer = rest[position].text
            inner = rest[:position] + rest[position + 1 :]
            return _parsed("uv-pip" if outer == "pip" else "uv-tool", inner, _UV_VALUED, command)
        return _parsed("uv", rest, _UV_VALUED, command)
    if name == "poetry":
        return _parsed("poetry", words[1:], _POETRY_VALUED, command)
    if name == "pdm":
        return _parsed("pdm", words[1:], _PDM_VALUED, command)
    if name == "pipenv":
        return _parsed("pipenv", words[1:], _PIPENV_VALUED, command)
    if name in ("conda", "mamba", "micromamba"):
        rest = words[1:]
        position = _subcommand(rest, _CONDA_VALUED)
        if position is not None and rest[position].text == "env":
            rest = rest[:position] + rest[position + 1 :]
            return _parsed("conda-env", rest, _CONDA_VALUED, command)
        return _parsed("conda", rest, _CONDA_VALUED, command)
    if name == "pixi":
        return _parsed("pixi", words[1:], _PIXI_VALUED, command)
    if name == "pip-sync":
        return _parsed("pip-sync", [words[0], *words[1:]], _PIP_VALUED, command)
    if name == "pipx":
        return _parsed("pipx", words[1:], _PIP_VALUED, command)
    return None


def _subcommand(words: Sequence[Word], valued: frozenset[str]) -> int | None:
    index = 0
    while index < len(words):
        text = words[index].text
        if not text.startswith("-"):
            return index
        index += 2 if text in valued else 1
    return None


def _parsed(tool: str, words: Sequence[Word], valued: frozenset[str], command: Command) -> Install | None:
    options: list[Option] = []
    plain: list[Word] = []
    index = 0
    while index < len(words):
        word = words[index]
        text = word.text
        index += 1
        if text == "--" or not text.startswith("-") or text == "-" or (not word.known and not text):
            plain.append(word)
            continue
        name, equals, value = text.partition("=")
        if text.startswith("--"):
            if equals:
                options.append(_option(name, Word(text=value, line=word.line, known=word.known), word.line))
            elif name in valued and index < len(words):
                options.append(_option(name, words[index], word.line))
                index += 1
            else:
                options.append(_option(name, None, word.line))
            continue
        short = text[:2]
        if short in valued:
            if len(text) > 2:
                value = text[3:] if text[2] == "=" else text[2:]
                options.append(_option(short, Word(text=value, line=word.line, known=word.known), word.line))
            elif index < len(words):
                options.append(_option(short, words[index], word.line))
                index += 1
            continue
        options += [_option("-" + letter, None, word.line) for letter in text[1:]]
    if not plain:
        return None
    return Install(
        tool=tool,
        action=plain[0].text if tool != "pip-sync" else "sync",
        words=tuple(plain[1:]),
        options=tuple(options),
        command=command,
    )


def _option(name: str, value: Word | None, line: int) -> Option:
    return Option(name=name, value=value, line=line)


def sources(install: Install) -> Sources:
    """The indexes a pip or uv command uses: its options, else its environment (options win, as in the tools)."""
    uv = install.tool in ("uv", "uv-pip", "uv-tool")
    env = install.command.env
    used: list[str] = []
    unknown = False

    def variable(name: str) -> tuple[Word, ...]:
        nonlocal unknown
        if name not in env:
            return ()
        value = env[name]
        used.append(name)
        if value is None:
            unknown = True
            return ()
        return tuple(Word(text=part, line=install.line) for part in value.split())

    defaults = install.values("-i", "--index-url", "--pypi-url", "--default-index")
    extra = install.values("--extra-index-url") + (install.values("--index") if uv else ())
    links = install.values("-f", "--find-links")
    backend = "".join(word.text for word in install.values("--torch-backend")[-1:])
    if uv:
        defaults = defaults or variable("UV_DEFAULT_INDEX") or variable("UV_INDEX_URL")
        extra = extra or variable("UV_INDEX") + variable("UV_EXTRA_INDEX_URL")
        links = links or variable("UV_FIND_LINKS")
        if not backend and install.tool == "uv-pip":
            found = variable("UV_TORCH_BACKEND")
            backend = found[0].text if found else ""
    else:
        defaults = defaults or variable("PIP_INDEX_URL")
        extra = extra or variable("PIP_EXTRA_INDEX_URL")
        links = links or variable("PIP_FIND_LINKS")
    words = (*defaults, *extra, *links)
    return Sources(
        index=_named(defaults[-1]) if defaults else None,
        extra=tuple(_named(word) for word in extra),
        links=links,
        backend=backend,
        unknown=unknown or any(not word.known for word in words),
        from_env=tuple(used),
    )


def _named(word: Word) -> Word:
    """uv's `name=https://...` without the name."""
    match = re.match(r"[A-Za-z0-9_-]+=(?=[a-z]+://)", word.text)
    return Word(text=word.text[match.end() :], line=word.line, known=word.known) if match else word
