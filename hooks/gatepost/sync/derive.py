"""What follows from the project itself and is therefore never shared: Python versions, untyped libraries, src layout.

ruff reads `[project] requires-python` on its own, so `target-version` is derived only for Poetry's `python = "^3.11"`.
mypy does not: without `python_version` it checks for the interpreter that it runs in; 3.10 is the oldest that
mypy 2 takes. An override that silences a missing import is kept only for a library that the project depends on,
which is what lets `warn_unused_configs` stay on.
"""

from __future__ import annotations

import re

from gatepost.sync import overrides
from gatepost.sync.paths import get, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_CLAUSE = re.compile(r"(>=|<=|!=|~=|={1,3}|\^|~|<|>|)\s*(\d+)(?:\.(\d+))?((?:\.(?:\d+|\*))*)")

_TEST = re.compile(r"(?:^|/)(?:conftest|test_[^/]*|[^/]*_test)\.py$")

OLDEST_MYPY = (3, 10)
NEWEST_RUFF = (3, 15)  # newest `target-version` of ruff 0.17.5

# Import names that are not the distribution's name.
DISTRIBUTIONS = {
    "sklearn": ("scikit-learn", "scikit-learn-intelex"),
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "skimage": ("scikit-image",),
    "pyarrow": ("pyarrow",),
    "fsspec": ("fsspec", "s3fs", "gcsfs", "adlfs"),
}


def oldest_python(data: Mapping[str, Any]) -> tuple[int, int] | None:
    """The oldest Python 3 minor version that a project accepts, by its own declaration; None if it says none."""
    poetry = get(data, ("tool", "poetry", "dependencies", "python"))
    if isinstance(poetry, dict):
        poetry = poetry.get("version")
    for declared in (get(data, ("project", "requires-python")), poetry):
        floor = oldest(declared) if isinstance(declared, str) else None
        if floor is not None:
            return floor
    return None


def oldest(specifier: str) -> tuple[int, int] | None:
    """The lowest minor version that a PEP 440 or Poetry constraint names as its floor, as ruff 0.17.5 reads it (`>3.10`
    allows 3.10.1); None where it has no floor, or one above Python 3."""
    lowest: list[tuple[int, int]] = []
    for alternative in re.split(r"\|\|?", specifier):
        floors = [
            (int(major), int(minor or 0))
            for operator, major, minor, _patch in _CLAUSE.findall(alternative)
            if operator not in ("<", "<=", "!=")
        ]
        if not floors:
            return None
        lowest.append(max(floors))
    floor = min(lowest)
    return floor if floor[0] <= 3 else None


def depends_on(data: Mapping[str, Any], requirement_files: Iterable[str] = ()) -> frozenset[str]:
    """Names (PEP 503) of everything that a pyproject.toml and requirements files (texts) ask for."""
    names: set[str] = set()

    def requirement(text: Any) -> None:
        if isinstance(text, str):
            found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", text)
            if found is not None:
                names.add(_canonical(found[1]))

    def lists(table: Any) -> None:
        for value in table.values() if isinstance(table, dict) else ():
            for each in value if isinstance(value, list) else ():
                requirement(each)

    lists({"": get(data, ("project", "dependencies"))})
    for path in (
        ("project", "optional-dependencies"),
        ("dependency-groups",),
        ("tool", "pdm", "dev-dependencies"),
    ):
        lists(get(data, path))
    dev = get(data, ("tool", "uv", "dev-dependencies"))
    for each in dev if isinstance(dev, list) else ():
        requirement(each)
    poetry = get(data, ("tool", "poetry"))
    tables = [get(poetry, ("dependencies",)), get(poetry, ("dev-dependencies",))]
    groups = get(poetry, ("group",))
    tables += [get(group, ("dependencies",)) for group in groups.values()] if isinstance(groups, dict) else []
    for table in tables:
        for name in table if isinstance(table, dict) else ():
            requirement(name)
    for text in requirement_files:
        for line in text.splitlines():
            requirement(line)
    return frozenset(names)


def idle(data: Mapping[str, Any], names: frozenset[str], paths: Iterable[str]) -> list[str]:
    """The tools of pytest and coverage that a project shows no use of: no table, no dependency, no test file.

    (The others are run by the `gatepost` id, whether a project uses them already or not.)
    """
    found = []
    for tool, users in (("pytest", ("pytest", "pytest-cov")), ("coverage", ("coverage", "pytest-cov"))):
        if get(data, ("tool", tool)) is not None or any(name in names for name in users):
            continue
        if tool == "coverage" or not any(_TEST.search(path) for path in paths):
            found.append(tool)
    return found


def fitted(shared: Mapping[str, Any], names: frozenset[str], data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The shared settings without the missing-import overrides of libraries that the project does not depend on, and
    without any where it ignores all missing imports."""
    out: dict[str, Any] = plain(shared)
    blocks = get(out, overrides.PATH)
    if not isinstance(blocks, list):
        return out
    every = get(data, ("tool", "mypy", "ignore_missing_imports")) is True
    pairs = {
        (module, key): value
        for (module, key), value in overrides.explode(blocks).items()
        if key != "ignore_missing_imports" or (_wanted(module, names) and not every)
    }
    if pairs:
        out["tool"]["mypy"]["overrides"] = overrides.collect(pairs)
    else:
        del out["tool"]["mypy"]["overrides"]
    return out


def derived(data: Mapping[str, Any], shared: Mapping[str, Any], *, src: bool) -> dict[str, Any]:
    """Settings that follow from the project, for the tools that are shared at all."""
    out: dict[str, Any] = {}
    python = oldest_python(data)
    if get(shared, ("tool", "mypy")) is not None:
        mypy: dict[str, Any] = {}
        if python is not None:
            version = max(python, OLDEST_MYPY)
            mypy["python_version"] = f"{version[0]}.{version[1]}"
        if src:
            mypy["mypy_path"] = "$MYPY_CONFIG_FILE_DIR/src"
        if mypy:
            out["mypy"] = mypy
    own = get(data, ("project", "requires-python"))
    known = python is not None and (3, 7) <= python <= NEWEST_RUFF
    if python is not None and known and not isinstance(own, str) and get(shared, ("tool", "ruff")) is not None:
        out["ruff"] = {"target-version": f"py{python[0]}{python[1]}"}
    return {"tool": out} if out else {}


def _wanted(module: str, names: frozenset[str]) -> bool:
    top = module.split(".", maxsplit=1)[0]
    return any(name in names for name in DISTRIBUTIONS.get(top, (_canonical(top),)))


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
