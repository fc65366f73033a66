"""`gatepost drop PATH ITEM ...`: items of a shared list that this project refuses."""

from __future__ import annotations

SUMMARY = "Refuse items of a shared list: rules, markers, mypy override modules."


def run(root: str, argv: list[str]) -> int:
    from argparse import ArgumentParser

    from gatepost.commands._shared_here import not_dropped
    from gatepost.sync.declared import DROP
    from gatepost.sync.paths import get, normal, show
    from gatepost.sync.project import changed, pyproject, written_key
    from gatepost.writer import write_all

    parser = ArgumentParser(prog="gatepost drop", description=SUMMARY, allow_abbrev=False)
    parser.add_argument("path", help="a list: tool.ruff.lint.select")
    parser.add_argument("items", nargs="+", help="items: PERF SIM")
    parser.add_argument("--reason", default="", help="why, in a few words")
    parser.add_argument("--remove", action="store_true", help="take items back into the project")
    known = parser.parse_args(argv)
    raw, data = pyproject(root)
    path = normal(known.path)
    key = written_key(get(data, DROP), path)
    place = (*DROP, key or show(path))
    have = get(data, place)
    old = {item: str(why) for item, why in have.items()} if isinstance(have, dict) else dict.fromkeys(_list(have), "")
    ops: list[tuple[object, ...]]
    fresh = [item for item in known.items if item not in old]
    if not known.remove and fresh and (why := not_dropped(root, data, path, fresh)):
        print(f"gatepost drop: {why}; nothing was changed")
        return 2
    if known.remove:
        missing = [item for item in known.items if item not in old]
        if missing:
            print(f"gatepost drop: {show(path)} does not drop {', '.join(missing)}")
            return 2
        left = {item: why for item, why in old.items() if item not in known.items}
        if not left:
            ops = [("del", place, False)]
        elif isinstance(have, list):
            ops = [("prune", place, {n for n, item in enumerate(have) if item in known.items})]
        else:
            ops = [("set", place, left)]
    else:
        new = {**old, **dict.fromkeys([item for item in known.items if item not in old or known.reason], known.reason)}
        if isinstance(have, list) and not known.reason:
            ops = [("extend", place, fresh)]
        else:
            ops = [
                ("add" if have is None else "set", place, new if known.reason or isinstance(have, dict) else list(new))
            ]
    write_all(root, [changed(raw, ops)])
    done = "takes back" if known.remove else "drops"
    print(f"pyproject.toml: {show(path)} {done} {', '.join(known.items)}; next: gatepost sync-configs")
    return 0


def _list(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
