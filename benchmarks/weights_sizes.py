"""Which recognised model files repositories hold, how large they are, and what limit parts fixtures from models.

    python benchmarks/weights_sizes.py FOLDER [FOLDER ...]

Every FOLDER is searched for git repositories (bare or not, three levels deep). All blobs of their whole history are
listed, those that no text or picture name rules out are recognised by content, each blob counts once however many
repositories hold it. Nothing is fetched, checked out or loaded. Printed: quartiles by category, and for each candidate
limit in how many repositories it would refuse a fixture, and in how many it would let all models in.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "hooks"))

from gatepost.formats import companions, identify  # noqa: E402
from gatepost.rules.large_model_files.limits import HEAVY, human, is_fixture  # noqa: E402
from gatepost.tree.git import Git, GitError  # noqa: E402
from gatepost.tree.peek import Peek  # noqa: E402

SMALLEST = 256  # bytes; what is smaller is no model
PLAIN = re.compile(
    r"(?i)\.(?:py|pyi|pyx|ipynb|md|rst|html?|css|s[ac]ss|less|[cm]?[jt]sx?|vue|svelte|map|json|ya?ml|toml|lock|cfg|ini|sh|bat"
    r"|c|cc|cpp|cxx|h|hh|hpp|cu|cuh|java|kt|go|rs|rb|php|cs|swift|scala|lua|pl|r|jl|m|sql|graphql|proto|tex|bib|svg|png"
    r"|jpe?g|gif|webp|ico|bmp|tiff?|pdf|eps|mp[34]|wav|ogg|flac|avi|mov|webm|ttf|otf|woff2?|eot|po|pot|mo|snap|patch"
    r"|diff|log|docx?|xlsx?|pptx?|whl|jar|class|so|dll|exe|dylib|pyc|gitignore|license|fits|dcm|osm|tsv|csv|srt|vtt)$"
)
BUDGET = 5 << 20  # bytes; the default of `commit-budget`
LIMITS = [size << 10 for size in (0, 1, 4, 10, 16, 32, 50, 64, 100, 128, 200, 256, 500, 1000, 2000, 5000)]

Row = tuple[str, str, int, str]  # category, kind, bytes, "fixture" or "other"


def repositories(folder: Path) -> list[Path]:
    """Folders with a git directory, at most three levels down."""
    found = [each.parent for depth in ("", "*/", "*/*/", "*/*/*/") for each in folder.glob(f"{depth}HEAD")]
    return sorted({each for each in found if (each / "objects").is_dir()})


def blobs(git: Git, peek: Peek) -> dict[str, tuple[str, int]]:
    """object id -> (a path, bytes) of the blobs of all history that are here and may be models."""
    out = git.run("rev-list", "--objects", "--all", "--missing=print").decode("utf-8", "surrogateescape")
    named = dict(line.split(" ", 1) for line in out.splitlines() if " " in line and line[0] != "?")
    wanted = [oid for oid, path in named.items() if path and not PLAIN.search(path)]
    kinds = peek.types(wanted)
    return {
        oid: (named[oid], kind[1])
        for oid, kind in zip(wanted, kinds, strict=True)
        if kind is not None and kind[0] == "blob" and kind[1] >= SMALLEST
    }


def rows(repository: Path, seen: set[str]) -> list[Row]:
    """The recognised files of one repository that were not seen before."""
    git = Git(str(repository), {**os.environ, "GIT_DIR": str(repository)})
    peek = Peek(git)
    todo = {oid: each for oid, each in blobs(git, peek).items() if oid not in seen}
    seen.update(todo)
    paths = {path for path, _size in todo.values()}
    found = []
    names = list(todo)
    for at in range(0, len(names), 500):
        heads = peek.heads(names[at : at + 500])
        for oid, head in heads.items():
            path, size = todo[oid]
            kind = identify(head, size, path, partial(peek.tail, oid)) or companions(path, paths.__contains__)
            if kind is not None:
                place = "fixture" if is_fixture(path) else "other"
                found.append((kind.category, kind.id, size, place))
    return found


def quartiles(sizes: list[int]) -> str:
    """Minimum, quartiles and maximum."""
    ordered = sorted(sizes)
    return "  ".join(human(ordered[min(len(ordered) - 1, len(ordered) * part // 4)]) for part in range(5))


def by_limit(found: list[list[Row]]) -> None:
    """For each limit: repositories with a fixture that it refuses, and repositories whose models all stay below it.

    By repository, not by file: one with 80,000 tiny embeddings would outweigh all others. "Unseen" are those where the
    budget of a commit would say nothing either, had they come in at once.
    """
    heavy = [[row for row in rows if row[0] in HEAVY] for rows in found]
    fixtures = [sizes for rows in heavy if (sizes := [row[2] for row in rows if row[3] == "fixture"])]
    models = [sizes for rows in heavy if (sizes := [row[2] for row in rows if row[3] == "other"])]
    print(f"repositories with fixtures: {len(fixtures)}, with models elsewhere: {len(models)}")
    print(
        "    limit   a fixture refused   models let in, wholly (unseen)   bytes of models let in, mean of repositories"
    )
    for limit in LIMITS:
        refused = sum(max(sizes) > limit for sizes in fixtures)
        below = [sizes for sizes in models if max(sizes) <= limit]
        unseen = sum(sum(sizes) <= BUDGET for sizes in below)
        share = sum(sum(size for size in sizes if size <= limit) / sum(sizes) for sizes in models) / max(1, len(models))
        print(f"{human(limit):>9}   {refused:17}   {len(below):21} ({unseen:6})   {share:6.1%}")


def main(folders: list[str]) -> None:
    """Print the tables."""
    seen: set[str] = set()
    found: list[list[Row]] = []
    for folder in folders:
        for repository in repositories(Path(folder)):
            try:
                found.append(rows(repository, seen))
            except GitError as error:
                print(f"left out, {error}", file=sys.stderr)
    print(f"{len(found)} repositories; {len(seen)} blobs looked at")
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    holders: dict[tuple[str, str], set[int]] = defaultdict(set)
    for at, mine in enumerate(found):
        for category, kind, size, place in mine:
            for key in ((category, place), (category, f"{place}  {kind}")):
                groups[key].append(size)
                holders[key].add(at)
    print(f"{'':46} files  in repositories  quartiles of bytes")
    for key, sizes in sorted(groups.items()):
        print(f"{key[0]:11} {key[1]:34} {len(sizes):6} {len(holders[key]):4}  {quartiles(sizes)}")
    by_limit(found)


if __name__ == "__main__":
    main(sys.argv[1:])
