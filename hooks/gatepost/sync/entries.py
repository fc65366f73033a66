"""Which entries of a hook configuration run this package: by their ids and their address's last part, from any host.

A fork, a mirror, a clone on this disk and an `entry` that calls an installed gatepost all do the work already.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "gatepost"

# ids of other hooks -> ours (every tool's) that do the same work in the one run of `gatepost`
REDUNDANT = {
    "ruff": "ruff-check",
    "ruff-check": "ruff-check",
    "ruff-format": "ruff-format",
    "mypy": "mypy",
    "bandit": "bandit",
    "detect-secrets": "detect-secrets",
}
# what may stand before the program in an `entry`: `uv run gatepost`, `python3 -m gatepost check`
_LAUNCHERS = re.compile(
    r"-.*|[^=]+=.*|env|uvx?|tool|pipx|run|exec|poetry|pdm|pipenv|hatch|pixi|rye|python[\d.]*(?:\.exe)?"
)


def is_ours(repo: Any) -> bool:
    """Whether an item of `repos` runs this package: a hook of ours, from our repository or one of its name."""
    if not isinstance(repo, dict):
        return False
    hooks = repo.get("hooks")
    return any(hook_is_ours(repo.get("repo"), hook) for hook in (hooks if isinstance(hooks, list) else ()))


def hook_is_ours(url: Any, hook: Any) -> bool:
    """Whether one hook of the repository `url` (or `local`) is this package's."""
    from gatepost.registry import own_ids

    if not isinstance(url, str) or not isinstance(hook, dict):
        return False
    if url == "local":
        entry = hook.get("entry")
        return isinstance(entry, str) and _runs_us(entry)
    return hook.get("id") == NAME or (_last_part(url) == NAME and hook.get("id") in (*own_ids(), *REDUNDANT.values()))


def redundant_in(data: Any) -> list[tuple[int, int, str, str, str]]:
    """(index of the repo, of the hook, its id, our id, rev) of other repositories' hooks whose work the one id does."""
    found = []
    repos = data.get("repos") if isinstance(data, dict) else None
    for at, repo in enumerate(repos if isinstance(repos, list) else ()):
        hooks = repo.get("hooks") if isinstance(repo, dict) else None
        for number, hook in enumerate(hooks if isinstance(hooks, list) else ()):
            name = hook.get("id") if isinstance(hook, dict) else None
            if isinstance(name, str) and name in REDUNDANT and not hook_is_ours(repo.get("repo"), hook):
                found.append((at, number, name, REDUNDANT[name], str(repo.get("rev", ""))))
    return found


def _last_part(url: str) -> str:
    """The last part of an address or a path, without case: of `git@git.example:Me/Gatepost.git` it is "gatepost"."""
    return re.split(r"[/\\:]", url.rstrip("/\\"))[-1].casefold().removesuffix(".git")


def _runs_us(entry: str) -> bool:
    for word in re.findall(r"[^\s'\"]+", entry):
        if re.split(r"[/\\]", word)[-1].removesuffix(".exe") == NAME:
            return True
        if not _LAUNCHERS.fullmatch(re.split(r"[/\\]", word)[-1]):
            return False
    return False
