"""Which hooks there are: every module of `gatepost.rules` must export `HOOK`, its file name being the id."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.model import Code, Hook

# The order of `gatepost check`, of the manifest and of the README; a module that is not named here comes last.
ORDER = ("lock-freshness", "large-model-files", "torch-source", "sync-configs", "secrets", "unsafe-load")


def own_ids() -> list[str]:
    """Ids of our own hooks, from the modules that are there."""
    names = []
    for name in os.listdir(os.path.join(os.path.dirname(__file__), "rules")):
        stem, dot, suffix = name.partition(".")
        if not stem.startswith("_") and (not dot or suffix == "py"):
            names.append(stem.replace("_", "-"))
    return sorted(names, key=lambda each: (ORDER.index(each) if each in ORDER else len(ORDER), each))


def own_hook(hook_id: str) -> Hook:
    """The hook of this id.

    Raises:
        KeyError: there is no such hook.
        TypeError: the module does not export `HOOK`, or under another id.
    """
    name = hook_id.replace("-", "_")
    try:
        __import__(f"gatepost.rules.{name}")  # what import_module does, without importing importlib
    except ModuleNotFoundError as error:
        if error.name == f"gatepost.rules.{name}":
            raise KeyError(hook_id) from None
        raise
    hook: Hook | None = getattr(sys.modules[f"gatepost.rules.{name}"], "HOOK", None)
    if hook is None or hook.id != hook_id:
        raise TypeError(f"gatepost.rules.{name} must define HOOK: Hook with id {hook_id!r}")
    return hook


def all_codes() -> list[tuple[str, Code]]:
    """(hook id, code) of every rule of every own hook and of the engine, sorted by code.

    Raises:
        TypeError: two rules share a code or a name within a hook.
    """
    from gatepost.engine_codes import CODES

    pairs = [("gatepost", code) for code in CODES]
    for hook_id in own_ids():
        pairs += [(hook_id, code) for code in own_hook(hook_id).codes()]
    seen: set[str] = set()
    for _hook, code in pairs:
        if code.id in seen:
            raise TypeError(f"two rules are called {code.id}")
        seen.add(code.id)
    return sorted(pairs, key=lambda pair: pair[1].id)
