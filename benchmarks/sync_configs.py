"""The life of a synced pyproject.toml, on many real ones: `python benchmarks/sync_configs.py FOLDER [options]`.

FOLDER holds pyproject.toml files of others under any name; none is part of this repository. Each goes through first
sync, second sync, an upgrade (a value changed, items and tables added and retired), and an uninstall after both; the
same shared configuration goes through a plain tomlkit merge and, with --nitpick PATH, through nitpick. Counted:

    wrong       the result parses, but a key outside of the shared ones changed, or a shared one is not as meant
    invalid     the result is not TOML
    comments    comments that are gone
    not stable  the second run changes something
    refused     nothing written, with a reason (listed)
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import tomli
import tomlkit

from gatepost.sync.layers import resolve
from gatepost.sync.merge import merge
from gatepost.sync.paths import get, leaves, plain, same, show
from gatepost.sync.proof import proved
from gatepost.sync.tables import shareable
from gatepost.toml.scan import scan

BAD = ("wrong", "invalid", "comments", "not stable", "upgrade refused", "uninstall wrong")
BASE: dict[str, Any] = shareable(resolve(("base",), lambda path: None).data)


def upgraded() -> dict[str, Any]:
    """A later release: one value, list items and override modules changed, keys and tables added and retired."""
    data: dict[str, Any] = plain(BASE)
    tool = data["tool"]
    tool["ruff"]["line-length"] = 110
    lint = tool["ruff"]["lint"]
    lint["select"] = [code for code in lint["select"] if code != "FLY"] + ["TID"]
    lint["ignore"] = lint["ignore"][1:]
    lint["isort"] = {"combine-as-imports": True}
    del lint["flake8-bugbear"], tool["coverage"], tool["mypy"]["warn_unreachable"]
    tool["mypy"]["strict_bytes"] = True
    tool["mypy"]["overrides"][0]["module"] = ["zarr.*", *tool["mypy"]["overrides"][0]["module"][1:]]
    return data


def comments(text: str) -> Counter[str]:
    return Counter(text[start:end] for start, end in scan(text).comments())


def parse(text: str) -> dict[str, Any]:
    return tomli.loads(text.removeprefix("\ufeff"))


def foreign(data: dict[str, Any]) -> dict[tuple[str, ...], Any]:
    """What no sync may touch: every key that the shared configuration does not have."""
    shared = dict(leaves(BASE))
    own = ("tool", "gatepost"), ("tool", "nitpick")
    pytest = {("tool", "pytest", path[-1]) for path in shared if path[1] == "pytest"}  # pytest 9's own table
    return {
        path: value
        for path, value in leaves(data)
        if path not in shared and path not in pytest and path[:2] not in own and value != {}
    }


def both_pytests(data: dict[str, Any]) -> bool:
    """Whether pytest 9 stops, at `[tool.pytest]` beside `[tool.pytest.ini_options]`."""
    pytest = get(data, ("tool", "pytest"))
    return isinstance(pytest, dict) and "ini_options" in pytest and len(pytest) > 1


def judge(before: str, after: str, counts: Counter[str]) -> bool:
    """Count what a tool did to a file; whether it can go on to the next step."""
    try:
        new = parse(after)
    except tomli.TOMLDecodeError:
        counts["invalid"] += 1
        return False
    old = parse(before)
    theirs = foreign(new)
    bad = any(not same(theirs.get(path), value) for path, value in foreign(old).items())
    bad = bad or any(path not in foreign(old) and path[:3] != ("tool", "mypy", "overrides") for path in theirs)
    for path, value in leaves(BASE):
        if path[:3] == ("tool", "mypy", "overrides"):
            continue
        found, was = get(new, path), get(old, path)
        if found is None or (
            isinstance(value, list) and isinstance(found, list) and was is None and not same(found, value)
        ):
            bad = bad or get(new, ("tool", "pytest", path[-1])) is None
    bad = bad or (both_pytests(new) and not both_pytests(old))
    counts["wrong"] += bad
    counts["comments"] += bool(comments(before) - comments(after))
    return not bad


def ours(text: str, counts: Counter[str], reasons: Counter[str]) -> None:
    data = parse(text)
    first = merge(text, BASE)
    if first.refused:
        counts["refused"] += 1
        reasons[first.refused.split(" keys ")[0]] += 1
        counts["wrong"] += first.text != text
        return
    judge(text, first.text, counts)
    again = merge(first.text, BASE, first.entries)
    counts["not stable"] += (again.text, again.entries) != (first.text, first.entries)
    later = merge(first.text, upgraded(), first.entries)
    counts["upgrade refused"] += bool(later.refused)
    counts["comments"] += bool(comments(text) - comments(later.text))
    for state, keeps in ((first, first.keeps), (later, first.keeps + later.keeps)):
        out = merge(state.text, {}, state.entries)
        back = proved(
            out.text, parse(out.text), [("del", ("tool", "gatepost", "keep", show(p)), False) for p, _ in keeps]
        )
        counts["uninstall exact"] += same(parse(back), data)
        counts["uninstall wrong"] += not same(parse(back), data)
        counts["comments"] += bool(comments(text) - comments(back))


def plainly(text: str) -> str:
    """What a tomlkit merge does: assign every leaf, making tables on the way."""
    document = tomlkit.parse(text)
    for path, value in leaves(BASE):
        table: Any = document
        for key in path[:-1]:
            if key not in table:
                table[key] = tomlkit.table()
            table = table[key]
        have = table.get(path[-1])
        if isinstance(have, list) and isinstance(value, list):
            value = list(have) + [item for item in value if item not in have]
            if len(value) == len(have):
                continue
        elif have is not None:
            continue
        table[path[-1]] = value
    return tomlkit.dumps(document)


def tomlkit_merge(text: str, counts: Counter[str]) -> None:
    try:
        new = plainly(text)
    except Exception:  # noqa: BLE001 -- whatever tomlkit raises is a crash
        counts["crashed"] += 1
        return
    if judge(text, new, counts):
        try:
            counts["not stable"] += plainly(new) != new
        except Exception:  # noqa: BLE001 -- whatever tomlkit raises is a crash
            counts["crashed"] += 1


def nitpick(text: str, executable: str, counts: Counter[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pyproject.toml")
        file.write_bytes(text.encode())
        style = {"pyproject.toml": BASE, "nitpick": {"styles": {"include": []}}}
        Path(folder, "nitpick-style.toml").write_text(tomlkit.dumps({"pyproject.toml": style["pyproject.toml"]}))
        Path(folder, "setup.py").touch()
        run = [executable, "--project", folder, "--offline", "fix", "pyproject.toml"]
        subprocess.run(run, cwd=folder, capture_output=True, check=False)
        new = file.read_bytes().decode()
        if new == text:
            counts["unchanged"] += 1
            return
        if judge(text, new, counts):
            subprocess.run(run, cwd=folder, capture_output=True, check=False)
            counts["not stable"] += file.read_bytes().decode() != new


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nitpick", default="", metavar="PATH", help="its executable")
    parser.add_argument("--every", type=int, default=1, help="take only each n-th file")
    parser.add_argument("--tomlkit-every", type=int, default=1, help="of those, give tomlkit only each n-th")
    parser.add_argument("--nitpick-every", type=int, default=1, help="and nitpick (a second a file) only each n-th")
    known = parser.parse_args(argv)
    table: dict[str, Counter[str]] = {"gatepost": Counter(), "tomlkit merge": Counter(), "nitpick": Counter()}
    spent: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for number, path in enumerate(sorted(known.folder.iterdir())[:: known.every]):
        try:
            text = path.read_bytes().decode()
            parse(text)
        except (ValueError, RecursionError):
            continue
        jobs: list[tuple[str, Any]] = [
            ("gatepost", lambda text=text, counts=table["gatepost"]: ours(text, counts, reasons))
        ]
        if number % known.tomlkit_every == 0:
            jobs.append(("tomlkit merge", lambda text=text, counts=table["tomlkit merge"]: tomlkit_merge(text, counts)))
        if known.nitpick and number % known.nitpick_every == 0:
            jobs.append(("nitpick", lambda text=text, counts=table["nitpick"]: nitpick(text, known.nitpick, counts)))
        for name, job in jobs:
            table[name]["files"] += 1
            start = time.process_time()
            counted = table[name].copy()
            job()
            if name == "gatepost" and any(table[name][each] > counted[each] for each in BAD):
                print(path.name, table[name] - counted, file=sys.stderr)
            spent[name] += int((time.process_time() - start) * 1e6)
    columns = ["files", "wrong", "invalid", "crashed", "comments", "not stable", "refused", "unchanged",
               "upgrade refused", "uninstall exact", "uninstall wrong"]  # fmt: skip
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, counts in table.items():
        if counts["files"]:
            print(f"| {name} | " + " | ".join(str(counts[column]) for column in columns) + " |")
    for reason, count in reasons.most_common():
        print(f"refused {count}: {reason}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
