"""The secrets that are there when a project is adopted, as our own baseline: one line each, to be looked at and shrunk."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.model import Edit
    from gatepost.sync.project import Disk
    from gatepost.tree.base import Tree

NAME = ".gatepost-secrets"
REASON = "there at gatepost init, nobody has looked at it yet"
SHOWN = 5


def secrets(root: str) -> tuple[Edit | None, list[str]]:
    """The baseline of what the `secrets` hook finds in tracked files (None: nothing found, or there is one already),
    and the lines that say so. A token is never printed, the hook's own messages mask it."""
    from gatepost.engine import CheckError, run_hook
    from gatepost.registry import own_hook
    from gatepost.settings import SettingsError, read_settings
    from gatepost.sync.project import Disk
    from gatepost.toml.load import TomlError
    from gatepost.tools.table import known_ids
    from gatepost.tree.git import GitError

    disk = Disk(root)
    hook = own_hook("secrets")
    try:
        settings = read_settings(disk.read, known_ids)
        if "secrets" in settings.common["skip"] or settings.of(hook).get("baseline", NAME) != NAME:
            return None, []
        tree = tracked(root, disk)
        if tree.read(NAME) is not None:
            return None, [f"{NAME}: is there already, left as it is"]
        found = run_hook(hook, tree, settings)
        hits = [each for each in found if each.code in ("SE101", "SE102", "SE103", "SE104")]
        lines = [f"{each.path}: {each.message}: {each.remedy}" for each in found if each.code in ("SE105", "SE202")]
        if not hits:
            return None, lines
        written = run_hook(hook, tree, settings, args={"update_baseline": True})
    except (CheckError, GitError, SettingsError, TomlError, OSError) as error:
        return None, [f"secrets were not looked for: {error}"]
    edit = next((each.fix.edits[0] for each in written if each.code == "SE201" and each.fix is not None), None)
    if edit is None:
        return None, lines
    word = "secret is" if len(hits) == 1 else "secrets are"
    lines.append(f"{NAME}: made: {len(hits)} {word} in tracked files; the list may only shrink, revoke what is live:")
    lines += [f"    {each.path}:{each.line or 1}: {each.message}" for each in hits[:SHOWN]]
    if len(hits) > SHOWN:
        lines.append(f"    and {len(hits) - SHOWN} more: gatepost secrets")
    return with_reason(edit), lines


def tracked(root: str, disk: Disk) -> Tree:
    """What git tracks, as it is on disk; every file where there is no git repository."""
    import os

    from gatepost.tree.git import Git, WorktreeTree

    return WorktreeTree(Git(root)) if os.path.lexists(os.path.join(root, ".git")) else disk


def with_reason(edit: Edit) -> Edit:
    from gatepost.record import replace
    from gatepost.rules.secrets import baseline

    known = baseline.parse(edit.new or b"")
    entries = tuple(replace(entry, reason=entry.reason or REASON) for entry in known.entries)
    return replace(edit, new=baseline.render(baseline.Baseline(salt=known.salt, entries=entries)))


def untouched(data: bytes) -> bool:
    """Whether nobody has written a reason of their own into a baseline that init made."""
    from gatepost.rules.secrets import baseline

    try:
        return all(entry.reason in ("", REASON) for entry in baseline.parse(data).entries)
    except baseline.BaselineError:
        return False
