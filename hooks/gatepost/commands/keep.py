"""`gatepost keep PATH REASON`: this project's value of a shared setting stays, and why."""

from __future__ import annotations

SUMMARY = "Declare that a shared setting stays as it is here, with the reason."


def run(root: str, argv: list[str]) -> int:
    from argparse import ArgumentParser

    from gatepost.commands._shared_here import not_kept
    from gatepost.sync.declared import KEEP
    from gatepost.sync.paths import get, normal, show
    from gatepost.sync.project import changed, pyproject, written_key
    from gatepost.writer import write_all

    parser = ArgumentParser(prog="gatepost keep", description=SUMMARY, allow_abbrev=False)
    parser.add_argument("path", help="a key or a whole table: tool.ruff.line-length, tool.mypy")
    parser.add_argument("reason", nargs="?", default="", help="why, in a few words")
    parser.add_argument("--remove", action="store_true", help="take the declaration back")
    known = parser.parse_args(argv)
    raw, data = pyproject(root)
    path = normal(known.path)
    table = get(data, KEEP)
    key = written_key(table, path)
    if known.remove:
        if key is None:
            print(f"gatepost keep: {show(path)} is not kept; `gatepost explain {show(path)}` says what it is")
            return 2
        ops = [("del", (*KEEP, key), False)]
    elif not known.reason.strip():
        print(f'gatepost keep: a reason is missing: gatepost keep {show(path)} "why"')
        return 2
    elif key is None and (why := not_kept(root, data, path)):
        print(f"gatepost keep: {why}; nothing was changed")
        return 2
    else:
        ops = [("set" if key is not None else "add", (*KEEP, key or show(path)), known.reason.strip())]
    write_all(root, [changed(raw, ops)])
    print(
        f"pyproject.toml: {show(path)} is {'no longer kept' if known.remove else 'kept'}; next: gatepost sync-configs"
    )
    return 0
