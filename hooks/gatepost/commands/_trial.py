"""The tools run once at adoption: what ruff finds already is listed, a tool that fails as it stands is left out for now.

The first `pre-commit run --all-files` after `gatepost init` is then green, but for what only a person can decide.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.model import Edit
    from gatepost.tree.base import Tree

SKIPPABLE = ("ruff-format", "mypy", "bandit")


def baseline(root: str, *, mend: bool) -> tuple[list[str], list[Edit]]:
    """What ruff finds now, as extend-per-file-ignores of single files; sentences about it, and the edits.

    With `mend` ruff's safe fixes and its formatter are run over the project before.
    """
    from gatepost.sync.baseline import edits
    from gatepost.sync.layout import NotSpliceable
    from gatepost.sync.project import Disk
    from gatepost.tools.capture import ruff_findings
    from gatepost.tools.command import CannotRun

    lines = []
    if mend:
        from gatepost.tools.capture import trial

        try:
            trial("ruff-check", root, ["--fix", "--exit-zero", "--quiet"])
            trial("ruff-format", root, ["--quiet"])
            lines.append("ruff: safe fixes made, files formatted; look at the change, then: git add -u")
        except (CannotRun, OSError) as error:
            lines.append(f"ruff: nothing was mended: {error}")
    found = ruff_findings(root)
    if found is None:
        lines.append(
            "ruff could not be run, so what it finds already is not listed: install it and run gatepost init --yes"
        )
        return lines, []
    if not found.codes:
        return [*lines, "ruff finds nothing: no baseline is needed"], []
    try:
        changes, left = edits(Disk(root), found.codes)
    except NotSpliceable as error:
        return [*lines, f"what ruff finds already is not listed: {error}"], []
    files = len(found.codes) - len(left)
    what = (
        f"{found.count} {'finding' if found.count == 1 else 'findings'} in {files} {'file' if files == 1 else 'files'}"
    )
    lines.append(f"baseline: {what}, listed in extend-per-file-ignores; the list may only shrink")
    if found.safe and not mend:
        word = "has" if found.safe == 1 else "have"
        lines.append(
            f"    {found.safe} of them {word} a safe fix; to mend those first instead: "
            "gatepost uninstall --yes && gatepost init --yes --fix"
        )
    if left:
        names = ", ".join(left[:3]) + (", ..." if len(left) > 3 else "")
        lines.append(f"    not listed, as their settings are not synced: {names}")
    return lines, changes


def left_out(root: str, tools: Mapping[str, str], data: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """id -> why the one run leaves it out for now; and the sentences about what could not be tried.

    Args:
        tools: the tools that the project uses already.
        data: its pyproject.toml, synced.
    """
    from gatepost.settings import SettingsError
    from gatepost.sync.declared import declared
    from gatepost.sync.paths import get
    from gatepost.tools.capture import trial
    from gatepost.tools.command import CannotRun

    own = get(data, ("tool", "gatepost"))
    skipped = get(own, ("skip",))
    reasons: dict[str, str] = {}
    lines: list[str] = []
    for tool_id in SKIPPABLE:
        if isinstance(skipped, list) and tool_id in skipped:
            continue
        kept = declared(own).keep.get(("tool", tool_id), "")
        if kept.startswith("types are checked by"):
            reasons[tool_id] = kept
            continue
        try:
            tried = trial(tool_id, root, ["--check"] if tool_id == "ruff-format" else [])
        except (CannotRun, OSError, SettingsError) as error:
            if tool_id == "mypy" and tool_id not in tools:
                reasons[tool_id] = f"not used here so far; {_short(error)}"
            elif "not installed" in str(error):
                lines.append(f"{tool_id} was not tried: {error}")
            else:
                reasons[tool_id] = _short(error)
            continue
        if tried is not None and tried.rc:
            reasons[tool_id] = _summary(tool_id, tried.output)
    return reasons, lines


def _short(error: Exception) -> str:
    return str(error).partition(" (")[0]


def _summary(tool_id: str, output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if tool_id == "bandit":
        count = sum(": B" in line for line in lines)
        if count:
            return f"{count} {'finding' if count == 1 else 'findings'}"
    return (lines[-1] if lines else "it failed").removesuffix(".")


def skip_edits(tree: Tree, reasons: Mapping[str, str]) -> list[Edit]:
    """The edits that put ids into `skip`, and into the record, for the uninstall.

    Raises:
        NotSpliceable, RecordError, TomlError: they cannot be made.
    """
    from gatepost.model import Edit
    from gatepost.record import replace
    from gatepost.sync import record_file
    from gatepost.sync.paths import get
    from gatepost.sync.project import PYPROJECT, changed
    from gatepost.toml.load import loads

    if not reasons:
        return []
    raw = tree.read(PYPROJECT)
    have = get(loads(raw or b""), ("tool", "gatepost", "skip"))
    place = ("tool", "gatepost", "skip")
    ops = [("extend", place, list(reasons))] if isinstance(have, list) else [("add", place, list(reasons))]
    old = tree.read(record_file.NAME)
    record = record_file.parse(old) if old is not None else record_file.empty()
    new = record_file.dump(replace(record, skipped=(*record.skipped, *reasons)))
    return [changed(raw, ops), Edit(path=record_file.NAME, old=old, new=new)]


def to_decide(root: str) -> dict[str, int]:
    """Our own hook -> how many of its findings fail; those of the sync and of the secrets have been told already."""
    from gatepost.commands._secrets import tracked
    from gatepost.engine import CheckError, failing, run_hook
    from gatepost.registry import own_hook, own_ids
    from gatepost.settings import SettingsError, read_settings
    from gatepost.sync.project import Disk
    from gatepost.toml.load import TomlError
    from gatepost.tools.table import known_ids
    from gatepost.tree.git import GitError

    disk = Disk(root)
    found: dict[str, int] = {}
    try:
        settings = read_settings(disk.read, known_ids)
        tree = tracked(root, disk)
        for hook_id in own_ids():
            if hook_id in ("sync-configs", "secrets") or hook_id in settings.common["skip"]:
                continue
            results = run_hook(own_hook(hook_id), tree, settings)
            bad = [each for each in results if failing([each], strict=False, allow_unchecked=())]
            if bad:
                found[hook_id] = len(bad)
    except (CheckError, GitError, SettingsError, TomlError, OSError):
        return found
    return found
