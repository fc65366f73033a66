"""`gatepost uninstall`: take every shared setting out again; the data is what it was before the first sync."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.model import Edit
    from gatepost.sync.project import Disk

SUMMARY = "Take the shared settings out again: the project's own data as before the first sync."


def edits(root: str) -> list[Edit]:
    """What an uninstall would change.

    Raises:
        NotSpliceable, RecordError, TomlError: a file cannot be changed or read.
    """
    from gatepost.model import Edit
    from gatepost.sync.declared import Declared
    from gatepost.sync.layout import NotSpliceable
    from gatepost.sync.merge import merge
    from gatepost.sync.own_settings import way_back
    from gatepost.sync.project import PYPROJECT, Disk, changed
    from gatepost.sync.record_file import NAME, Record, parse
    from gatepost.toml.load import loads

    tree = Disk(root)
    raw = tree.read(NAME)
    record = parse(raw) if raw is not None else Record(version="", profile=(), files={})
    found: list[Edit] = []
    for name in dict.fromkeys([*record.files, *(record.own or ()), PYPROJECT]):
        old = tree.read(name)
        if old is None:
            continue
        leaf = name.rpartition("/")[2]
        prefix = ("tool", "ruff") if leaf in ("ruff.toml", ".ruff.toml") else ()
        nothing = Declared(keep={}, drop={})
        merged = merge(old.decode("utf-8"), {}, record.files.get(name, {}), prefix=prefix, declarations=nothing)
        if merged.refused:
            raise NotSpliceable(f"{name}: {merged.refused}")
        new: bytes | None = merged.text.encode("utf-8")
        if prefix or leaf == PYPROJECT:
            data = loads(new or b"")
            new = changed(
                new, listed_at_adoption(data, () if prefix else ("tool", "ruff"), name[: -len(leaf)], record.baseline)
            ).new
        if leaf == PYPROJECT:
            own = record.own.get(name) if record.own is not None else None
            new = changed(new, way_back(loads(new or b""), record.skipped, own)).new
        ours = record.own is None or name in record.made  # an older record does not say who made it
        if name == PYPROJECT and ours and not (new or b"").strip() and old.strip():
            new = None  # there was no such file before us
        if new != old:
            found.append(Edit(path=name, old=old, new=new))
    rest = next((edit.new for edit in found if edit.path == PYPROJECT), tree.read(PYPROJECT))
    after = loads(rest or b"")
    for name in record.made:
        there = tree.read(name)
        if there is not None and unchanged(name, there, tree, after):
            found.append(Edit(path=name, old=there, new=None))
    if raw is not None:
        found.append(Edit(path=NAME, old=raw, new=None))
    return found


def unchanged(name: str, data: bytes, tree: Disk, project: dict[str, Any]) -> bool:
    """Whether a file that `gatepost init` made is still as it was made, by this release or an earlier one."""
    from gatepost.commands import _secrets
    from gatepost.commands._workflow import WORKFLOW, workflows

    if name == _secrets.NAME:
        return _secrets.untouched(data)
    return name == WORKFLOW and data.replace(b"\r\n", b"\n") in workflows(tree, project)


def left(root: str, found: list[Edit]) -> list[str]:
    """What init made and somebody has worked on since: it stays."""
    from gatepost.sync.project import Disk

    tree = Disk(root)
    gone = {edit.path for edit in found}
    return [name for name in made_at_init(tree) if name not in gone and tree.read(name) is not None]


def made_at_init(tree: Disk) -> tuple[str, ...]:
    """The files that the record says `gatepost init` made; () where it cannot be read."""
    from gatepost.sync.record_file import NAME, RecordError, parse

    raw = tree.read(NAME)
    try:
        return parse(raw).made if raw is not None else ()
    except RecordError:
        return ()


def listed_at_adoption(data: dict[str, Any], ruff: tuple[str, ...], folder: str, listed: Any) -> list[Any]:
    """The operations that delete the violation baseline from the ruff settings of a folder ("libs/a/")."""
    from gatepost.sync.baseline import KEY
    from gatepost.sync.paths import get

    base = (*ruff, *KEY)
    ops: list[Any] = []
    whole: list[str] = []
    for full, codes in (listed or {}).items():
        path = full[len(folder) :] if full.startswith(folder) else ""
        have = get(data, (*base, path))
        if not isinstance(have, list):
            continue
        gone = {number for number, code in enumerate(have) if code in codes}
        if len(gone) == len(have):
            whole.append(path)
        elif gone:
            ops.append(("prune", (*base, path), gone))
    return [*ops, ("clear", base, whole)] if whole else ops


def run(root: str, argv: list[str]) -> int:
    from argparse import ArgumentParser

    from gatepost.commands._detect import entries_left, entries_taken
    from gatepost.sync.layout import NotSpliceable
    from gatepost.sync.precommit import NotSpliceable as NotYaml
    from gatepost.sync.project import Disk
    from gatepost.sync.record_file import RecordError
    from gatepost.toml.load import TomlError
    from gatepost.tree.memory import OverlayTree
    from gatepost.writer import write_all

    parser = ArgumentParser(prog="gatepost uninstall", description=SUMMARY, allow_abbrev=False)
    parser.add_argument("--yes", action="store_true", help="do it; without it, only say what would change")
    known = parser.parse_args(argv)
    try:
        found = edits(root)
        found += entries_taken(root, made_at_init(Disk(root)))
    except (NotSpliceable, NotYaml, RecordError, TomlError) as error:
        print(f"gatepost uninstall: {error}; nothing was changed")
        return 3
    still = entries_left(OverlayTree(Disk(root), found))
    if not found and not still:
        print("gatepost uninstall: nothing of gatepost is here")
        return 0
    for edit in found:
        print(f"{edit.path}: {'deleted' if edit.new is None else 'restored'}")
    for name in left(root, found):
        print(f"{name}: changed since gatepost init made it, so it stays; to delete it: git rm {name}")
    for name in still:
        print(f"{name}: still runs gatepost, which writes the settings again: take its entry out by hand")
    if not known.yes and found:
        print("nothing was changed yet; to do it: gatepost uninstall --yes")
        return 0
    write_all(root, found)
    return 0
