"""`gatepost explain tool.ruff.line-length`: the value here, who set it, since when, and why."""

from __future__ import annotations

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.sync.paths import Keys


@record
class _Found:
    """What is known of one setting: its value here (`local`, in the file `where`) and the shared one (`value`)."""

    path: Keys
    local: Any
    where: str
    value: Any
    derived: bool  # the shared value is worked out from this project
    fitting: Any  # every shared setting that fits the project, and those that are derived
    extra: Any
    shared: Any
    said: Any
    names: tuple[str, ...]  # of the profile
    tree: Any
    record: Any


def explain_key(root: str, key: str) -> str:
    """The text about one setting, or one item of a list (`tool.ruff.lint.select B905`).

    Raises:
        TomlError, ProfileError, RecordError: a file of the project cannot be read.
    """
    from gatepost.sync.paths import normal, show

    name, _, item = key.partition(" ")
    found = _look_up(root, normal(name))
    path, local, value = found.path, found.local, found.value
    lines = [f"{show(path)}{' ' + item if item else ''}"]
    if isinstance(value, dict) or (value is None and isinstance(local, dict)):
        return "\n".join([*lines, *_table(path, found.fitting, found.said)]) + "\n"
    lines += _item(path, item, local, value, found.shared, found.said) if item else _one(found)
    lines.append(f"  owner:    {_owner(found)}")
    since = _since(path, found.names, found.tree) if value is not None and not found.derived else ""
    if since:
        lines.append(f"  since:    gatepost {since}")
    if item:
        if isinstance(value, list) and item in value and item not in found.said.drop.get(path, {}):
            lines.append(f"  change:   gatepost drop {show(path)} {item}")
    elif value is not None and found.said.kept(path) is None and not _is_override(path):
        lines.append(f'  change:   gatepost keep {show(path)} "why"')
    return "\n".join(lines) + "\n"


def _look_up(root: str, path: Keys) -> _Found:
    from gatepost.sync import layers, overrides
    from gatepost.sync.declared import declared, settings
    from gatepost.sync.fitting import REQUIREMENTS, shared_for
    from gatepost.sync.paths import get
    from gatepost.sync.project import Disk, pyproject
    from gatepost.sync.record_file import NAME, Record, parse
    from gatepost.sync.shadow import RUFF_FILES
    from gatepost.sync.tables import shareable
    from gatepost.toml.load import loads

    tree = Disk(root)
    _, data = pyproject(root)
    chosen = settings(data)
    names = layers.names_of(chosen["profile"])
    shared = layers.resolve(names, tree.read)
    fitting, extra = shared_for(
        data,
        shareable(shared.data),
        src=any(each.startswith("src/") and each.endswith(".py") for each in tree.paths()),
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
    if _is_override(path) and len(path) == 5:
        pair = (path[3], path[4])
        local = overrides.explode(get(data, overrides.PATH)).get(pair)
        value = overrides.explode(get(fitting, overrides.PATH)).get(pair)
    raw = tree.read(NAME)
    return _Found(
        path=path,
        local=local,
        where=where,
        value=value,
        derived=derived is not None,
        fitting=fitting,
        extra=extra,
        shared=shared,
        said=declared(get(data, ("tool", "gatepost"))),
        names=names,
        tree=tree,
        record=parse(raw) if raw is not None else Record(version="", profile=(), files={}),
    )


def _is_override(path: Keys) -> bool:
    """Whether a key is one of mypy's overrides, which are a list of tables."""
    from gatepost.sync import overrides

    return path[:3] == overrides.PATH


def _one(found: _Found) -> list[str]:
    """The lines on a setting that is no list of which one item is asked for."""
    from gatepost.sync.layers import reason
    from gatepost.sync.paths import leaves, render, show

    local, value = found.local, found.value
    lines = [f"  here:     {render(local) if local is not None else 'not set'} ({found.where})"]
    if found.derived:
        lines.append(f"  shared:   {render(value)} (derived from this project)")
    else:
        owner = ", ".join(found.shared.owners.get(found.path, ()))
        lines.append(f"  shared:   {f'{render(value)} (profile {owner})' if value is not None else 'no such setting'}")
    if value is None and local is None:
        known = [show(each) for table in (found.fitting, found.extra) for each, _ in leaves(table)]
        lines += _nearest(show(found.path), known)
    why = reason(found.shared, found.path)
    return [*lines, f"  why:      {why}"] if why else lines


def _owner(found: _Found) -> str:
    """Who decides the value."""
    from gatepost.commands._detect import ruff_synced

    reason = found.said.kept(found.path)
    if reason is not None:
        return f"the project, kept: {reason or 'no reason given'}"
    if found.value is None:
        return "the project" if found.local is not None else "nobody; the tool decides"
    entry = found.record.files.get(found.where, {}).get(found.path)
    if entry is None:
        extends = ruff_synced(found.tree) if found.path[:2] == ("tool", "ruff") else ""
        return f"not synced: {extends}" if extends else "not synced yet; next: gatepost sync-configs"
    who = "gatepost added it" if entry.origin == "added" else "the project had it before the first sync"
    return f"gatepost ({who}; last sync by {found.record.version})"


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
