"""A file that DVC keeps and git holds as well."""

from __future__ import annotations

from gatepost.model import Finding, Location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.rules.large_model_files.survey import Policy
    from gatepost.tree.history import Source

PIPELINE = "dvc.yaml"
_MANY = 500  # with more changed paths than this, the whole snapshot is listed instead of asking for each


def check(source: Source, policy: Policy) -> Iterator[Finding]:
    """One finding an output that git holds too."""
    files = _dvc_files(source)
    if not files:
        return
    from gatepost.rules.large_model_files.dvc import held_twice, outputs, stage_outputs

    changed = source.paths()
    found: dict[str, list[str]] = {}
    keeper: dict[str, str] = {}
    for path in files:
        entry = source.entry(path)
        data = source.peek.whole([entry[1]]).get(entry[1], b"") if entry is not None else b""
        read = stage_outputs if path.rpartition("/")[2] == PIPELINE else outputs
        for out in read(data, path):
            keeper.setdefault(out, path)
    if not keeper:
        return
    paths = source.all_paths() if any(path in changed for path in files) else changed
    from gatepost.rules.large_model_files.remedy import spec

    for path, out in held_twice(keeper, paths):
        if policy.wants(path):
            found.setdefault(out, []).append(path)
    for out, held in sorted(found.items()):
        more = f" ({len(held)} files)" if len(held) > 1 else ""
        yield Finding(
            code="MF121",
            where=Location(path=held[0]),
            message=f"`{keeper[out]}` keeps `{out}` in DVC, and git holds it too{more}",
            remedy=f"`git rm -r --cached -q -- {spec(out)}`; {_then(keeper[out], out)}",
            related=tuple(Location(path=path) for path in held[1:20]),
        )


def _then(keeper: str, out: str) -> str:
    from gatepost.rules.large_model_files.remedy import quote

    if keeper.rpartition("/")[2] == PIPELINE:
        return "`dvc repro` writes the .gitignore line. Or give the output `cache: false`, if git is to hold it"
    return f"DVC writes the .gitignore line: `dvc add {quote(out)}`"


def _dvc_files(source: Source) -> list[str]:
    """The files of DVC that matter: changed ones, and those that keep something that changed."""
    named = ((path, path.rpartition("/")[2]) for path in source.named((".dvc", PIPELINE)))
    mine = [path for path, name in named if name == PIPELINE or (name[-4:] == ".dvc" and name != ".dvc")]
    if source.kind == "tree":
        return mine
    asked = sorted({each for path in source.paths()[:_MANY] for each in candidates(path)} - set(mine))
    return mine + sorted(source.tracked(source.on_disk(asked)))


def candidates(path: str) -> list[str]:
    """The files of DVC that could keep a path: beside it, and beside each folder that holds it."""
    parts = path.split("/")
    return [
        name
        for at in range(len(parts), 0, -1)
        for name in ("/".join(parts[:at]) + ".dvc", "/".join([*parts[: at - 1], PIPELINE]))
    ]
