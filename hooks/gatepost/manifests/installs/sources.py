"""Where a pip or uv command takes packages from: its options, else its environment (options win, as in the tools).

Source: pip's "Configuration" (PIP_*), uv's "Environment variables" (UV_*).
"""

from __future__ import annotations

import re

from gatepost.manifests.shell import Word
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.installs import Install


@record
class Sources:
    """Where a command takes packages from. Words hold the line; `unknown` when a part is not known."""

    index: Word | None  # replaces the default index
    extra: tuple[Word, ...]
    links: tuple[Word, ...]
    backend: str  # uv's torch backend, "" when none
    unknown: bool
    from_env: tuple[str, ...]  # environment variables that gave any of it


class _Environment:
    """The variables that a command sees: which were asked for and set, and whether one of them is not known."""

    def __init__(self, install: Install) -> None:
        self.install = install
        self.used: list[str] = []
        self.unknown = False

    def hides(self, name: str) -> bool:
        """Whether a variable names a file of settings that is not known, or a secret of the build."""
        value = self.install.command.env.get(name, "")
        return value is None or value.startswith("/run/secrets/")

    def words(self, name: str) -> tuple[Word, ...]:
        """The words of a variable; none when it is not set, or not known."""
        env = self.install.command.env
        if name not in env:
            return ()
        value = env[name]
        self.used.append(name)
        self.unknown = self.unknown or value is None
        return tuple(Word(text=part, line=self.install.line) for part in (value or "").split())


def sources(install: Install) -> Sources:
    """The indexes, link pages and torch backend that the command uses."""
    env = _Environment(install)
    index = install.values("-i", "--index-url", "--pypi-url", "--default-index")
    extra = install.values("--extra-index-url")
    links = install.values("-f", "--find-links")
    backend = install.values("--torch-backend")[-1:]
    if install.tool in ("uv", "uv-pip", "uv-tool"):
        extra += install.values("--index")
        index = index or env.words("UV_DEFAULT_INDEX") or env.words("UV_INDEX_URL")
        extra = extra or env.words("UV_INDEX") + env.words("UV_EXTRA_INDEX_URL")
        links = links or env.words("UV_FIND_LINKS")
        if not (backend and backend[0].text) and install.tool == "uv-pip":
            backend = env.words("UV_TORCH_BACKEND")[:1]
    else:
        index = index or env.words("PIP_INDEX_URL")
        extra = extra or env.words("PIP_EXTRA_INDEX_URL")
        links = links or env.words("PIP_FIND_LINKS")
    settings = "UV_CONFIG_FILE" if install.tool.startswith("uv") else "PIP_CONFIG_FILE"
    hidden = not index and not install.has("--isolated", "--no-config") and env.hides(settings)
    return Sources(
        index=_named(index[-1]) if index else None,
        extra=tuple(_named(word) for word in extra),
        links=links,
        backend=backend[0].text if backend else "",
        unknown=env.unknown or hidden or any(not word.known for word in (*index, *extra, *links)),
        from_env=tuple(env.used),
    )


def _named(word: Word) -> Word:
    """uv's `name=https://...` without the name."""
    match = re.match(r"[A-Za-z0-9_-]+=(?=[a-z]+://)", word.text)
    return Word(text=word.text[match.end() :], line=word.line, known=word.known) if match else word
