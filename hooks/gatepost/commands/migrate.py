"""`gatepost migrate`: ruff settings of yesterday to where ruff reads them today."""

from __future__ import annotations

SUMMARY = "Move legacy ruff keys under `lint`, drop removed rules, rename renamed ones."


def run(root: str, argv: list[str]) -> int:
    from argparse import ArgumentParser

    from gatepost.model import Edit
    from gatepost.sync.layout import NotSpliceable
    from gatepost.sync.migrate import migrated
    from gatepost.sync.project import Disk
    from gatepost.toml.load import TomlError
    from gatepost.writer import write_all

    parser = ArgumentParser(prog="gatepost migrate", description=SUMMARY, allow_abbrev=False)
    parser.add_argument("--yes", action="store_true", help="do it; without it, only say what would change")
    known = parser.parse_args(argv)
    tree = Disk(root)
    edits, code = [], 0
    for path in ("pyproject.toml", ".ruff.toml", "ruff.toml"):
        raw = tree.read(path)
        if raw is None:
            continue
        try:
            text, said = migrated(raw.decode("utf-8"), ("tool", "ruff") if path == "pyproject.toml" else ())
        except (NotSpliceable, TomlError, UnicodeDecodeError) as error:
            print(f"{path}: not migrated: {error}")
            code = 1
            continue
        for line in said:
            print(f"{path}: {line}")
        if text.encode("utf-8") != raw:
            edits.append(Edit(path=path, old=raw, new=text.encode("utf-8")))
    if not edits:
        if not code:
            print("gatepost migrate: nothing to migrate")
        return code
    if not known.yes:
        print("nothing was changed yet; to do it: gatepost migrate --yes")
        return code
    write_all(root, edits)
    print("written; next: gatepost sync-configs")
    return code
