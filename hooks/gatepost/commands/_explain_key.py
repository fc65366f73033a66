"""`gatepost explain tool.ruff.line-length`: the value here, who set it, since when, and why."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.sync.paths import Keys


def explain_key(root: str, key: str) -> str:
    """The text about one setting, or one item of a list (`tool.ruff.lint.select B905`).

    Raises:
        TomlError, ProfileError, RecordError: a file of the project cannot be read.
    """
    from gatepost.commands._detect import ruff_synced
    from gatepost.sync import layers, overrides
    from gatepost.sync.declared import declared, settings
    from gatepost.sync.fitting import REQUIREMENTS, shared_for
    from gatepost.sync.paths import get, leaves, normal, render, show
    from gatepost.sync.project import Disk, pyproject
    from gatepost.sync.record_file import NAME, Record, parse
    from gatepost.sync.shadow import RUFF_FILES
    from gatepost.sync.tables import shareable
    from gatepost.toml.load import loads

    name, _, item = key.partition(" ")
    path = normal(name)
    tree = Disk(root)
    _, data = pyproject(root)
    chosen = settings(data)
    shared = layers.resolve(layers.names_of(chosen["profile"]), tree.read)
    src = any(each.startswith("src/") and each.endswith(".py") for each in tree.paths())
    fitting, extra = shared_for(
        data,
        shareable(shared.data),
        src=src,
        requirements=[(tree.read(each) or b"").decode("utf-8", "replace") for each in REQUIREMENTS],
        tools=tuple(chosen.get("tools") or ()),
        paths=tree.paths(),
    )
    local, where = get(data, path), "pyproject.toml"
    for file in RUFF_FILES:
        raw = tree.read(file)
        if raw is not None and path[:2] == ("tool", "ruff"):
            local, where = get(loads(raw), path[2:]), file
            break
    derived = get(extra, path)
    value = derived if derived is not None else get(fitting, path)
    if path[:3] == overrides.PATH and len(path) == 5:
        pair = (path[3], path[4])
        local = overrides.explode(get(data, overrides.PATH)).get(pair)
        value = overrides.explode(get(fitting, overrides.PATH)).get(pair)
    raw = tree.read(NAME)
    record = parse(raw) if raw is not None else Record(version="", profile=(), files={})
    entry = record.files.get(where, {}).get(path)
    said = declared(get(data, ("tool", "gatepost")))
    lines = [f"{show(path)}{' ' + item if item else ''}"]
    if isinstance(value, dict) or (value is None and isinstance(local, dict)):
        return "\n".join([*lines, *_table(path, fitting, said)]) + "\n"
    if item:
        lines += _item(path, item, local, value, shared, said)
    else:
        lines.append(f"  here:     {render(local) if local is not None else 'not set'} ({where})")
        owner = "derived from this project" if derived is not None else ", ".join(shared.owners.get(path, ()))
        lines.append(f"  shared:   {f'{render(value)} (profile {owner})' if value is not None else 'no such setting'}")
        if derived is not None:
            lines[-1] = f"  shared:   {render(value)} ({owner})"
        if value is None and local is None:
            lines += _nearest(show(path), [show(each) for table in (fitting, extra) for each, _ in leaves(table)])
        why = layers.reason(shared, path)
        if why:
            lines.append(f"  why:      {why}")
    reason = said.kept(path)
    if reason is not None:
        lines.append(f"  owner:    the project, kept: {reason or 'no reason given'}")
    elif value is None:
        lines.append(f"  owner:    {'the project' if local is not None else 'nobody; the tool decides'}")
    elif entry is None and path[:2] == ("tool", "ruff") and (extends := ruff_synced(tree)):
        lines.append(f"  owner:    not synced: {extends}")
    elif entry is None:
        lines.append("  owner:    not synced yet; next: gatepost sync-configs")
    else:
        who = "gatepost added it" if entry.origin == "added" else "the project had it before the first sync"
        lines.append(f"  owner:    gatepost ({who}; last sync by {record.version})")
    since = _since(path, layers.names_of(chosen["profile"]), tree) if value is not None and derived is None else ""
    if since:
        lines.append(f"  since:    gatepost {since}")
    if item:
        if isinstance(value, list) and item in value and item not in said.drop.get(path, {}):
            lines.append(f"  change:   gatepost drop {show(path)} {item}")
    elif value is not None and reason is None and path[:3] != overrides.PATH:
        lines.append(f'  change:   gatepost keep {show(path)} "why"')
    return "\n".join(lines) + "\n"


def _item(path: Keys, item: str, local: Any, value: Any, shared: Any, said: Any) -> list[str]:
    from gatepost.sync.layers import reason

    here = isinstance(local, list) and item in local
    theirs = isinstance(value, list) and item in value
    lines = [f"  here:     {'in the list' if here else 'not in the list'}"]
    owner = ", ".join(layer.name for layer in shared.layers if item in (_list_at(layer.data, path) or ()))
    lines.append(f"  shared:   {f'in the list (profile {owner})' if theirs else 'not in the list'}")
    why = reason(shared, path, item)
    if why:
        lines.append(f"  why:      {why}")
    if item in said.drop.get(path, {}):
        lines.append(f"  dropped:  {said.drop[path][item] or 'by the project'}")
    return lines


def _list_at(data: Any, path: Keys) -> Any:
    from gatepost.sync.paths import get

    value = get(data, path)
    return value if isinstance(value, list) else None


def _table(path: Keys, fitting: Any, said: Any) -> list[str]:
    from gatepost.sync.paths import get, leaves, render, show

    table = get(fitting, path)
    reason = said.kept(path)
    lines = [f"  kept by the project: {reason}"] if reason is not None else []
    for below, value in leaves(table) if isinstance(table, dict) else ():
        text = render(value)
        lines.append(f"  {show(below)} = {text if len(text) <= 90 else text[:87] + '...'}")
    return lines or ["  no shared setting is here"]


def _since(path: Keys, names: tuple[str, ...], tree: Any) -> str:
    """The oldest release in a row up to now that has a setting."""
    from gatepost.sync import layers, overrides
    from gatepost.sync.paths import get

    found = ""
    for version in layers.releases():
        try:
            data = layers.resolve(names, tree.read, version=version).data
        except layers.ProfileError:
            break
        pairs = overrides.explode(get(data, overrides.PATH))
        if get(data, path) is None and path[3:] not in pairs:
            break
        found = version
    return found


def _nearest(name: str, known: list[str]) -> list[str]:
    """A line with the shared setting of nearly this name, if there is one."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1, cutoff=0.85)
    return [f"  nearest:  {close[0]}"] if close else []
