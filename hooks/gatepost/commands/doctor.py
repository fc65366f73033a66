"""`gatepost doctor`: settings that do nothing, or say two things."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gatepost.sync.project import Disk

SUMMARY = "Look for settings that do nothing: shadowing files, dead overrides, removed rules, Python versions."


def run(root: str, argv: list[str]) -> int:
    from argparse import ArgumentParser

    from gatepost.sync.project import Disk, pyproject
    from gatepost.toml.load import TomlError

    ArgumentParser(prog="gatepost doctor", description=SUMMARY, allow_abbrev=False).parse_args(argv)
    tree = Disk(root)
    try:
        raw, data = pyproject(root)
    except TomlError as error:
        print(f"pyproject.toml:{error.line or 1}: not valid TOML: {error.reason}")
        return 1
    found = list(complaints(tree, raw or b"", data))
    for path, line, text in found:
        print(f"{path}{f':{line}' if line else ''}: {text}")
    print(
        f"{len(found)} {'thing' if len(found) == 1 else 'things'} to look at" if found else "all settings do something"
    )
    return 1 if found else 0


def complaints(tree: Disk, raw: bytes, data: dict[str, Any]) -> Iterator[tuple[str, int | None, str]]:
    """(path, line, sentence) of everything that is wrong."""
    from gatepost.toml.scan import scan

    document = scan(raw.decode("utf-8", "replace"))
    yield from _shadows(tree, data)
    yield from _overrides(tree, data, document)
    yield from _rules(tree, data, document)
    yield from _pythons(tree, data, document)
    yield from _declarations(tree, data)


def _shadows(tree: Disk, data: dict[str, Any]) -> Iterator[tuple[str, int | None, str]]:
    from gatepost.sync.paths import get
    from gatepost.sync.shadow import RUFF_FILES, shadows

    there = [name for name in RUFF_FILES if tree.read(name) is not None]
    if len(there) > 1:
        yield there[1], None, f"has no effect: ruff reads {there[0]}"
    if there and get(data, ("tool", "ruff")) is not None:
        yield "pyproject.toml", None, f"[tool.ruff] has no effect: ruff reads {there[0]}"
    for each in shadows(tree.read, data):
        if each.inert:
            yield "pyproject.toml", None, f"[tool.{each.tool}] has no effect: {each.tool} reads {each.file}"
    for tool, file, section in (
        ("mypy", "setup.cfg", "mypy"),
        ("pytest", "setup.cfg", "tool:pytest"),
        ("pytest", "tox.ini", "pytest"),
    ):
        text = (tree.read(file) or b"").decode("utf-8", "replace")
        match = re.search(rf"(?m)^\[{section}\]", text)
        if match is not None and get(data, ("tool", tool)) is not None:
            yield (
                file,
                text.count("\n", 0, match.start()) + 1,
                f"[{section}] has no effect: {tool} reads pyproject.toml",
            )


def _overrides(tree: Disk, data: dict[str, Any], document: Any) -> Iterator[tuple[str, int | None, str]]:
    from gatepost.sync import overrides
    from gatepost.sync.derive import DISTRIBUTIONS, depends_on
    from gatepost.sync.paths import get

    blocks = get(data, overrides.PATH)
    for module, key in overrides.conflicts(blocks):
        line = document.line(overrides.PATH)
        yield "pyproject.toml", line, f"two overrides give {module} two values of {key}: mypy ignores its whole config"
    names = depends_on(data, [_text(tree, each) for each in ("requirements.txt", "requirements.in")])
    roots = {path.split("/")[0].removesuffix(".py") for path in tree.paths() if path.endswith(".py")}
    roots |= {
        path.split("/")[1].removesuffix(".py") for path in tree.paths() if path.startswith("src/") and "/" in path[4:]
    }
    for number, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if not isinstance(block, dict) or "ignore_missing_imports" not in block:
            continue
        for module in overrides.modules(block):
            top = module.split(".")[0]
            wanted = DISTRIBUTIONS.get(top, (re.sub(r"[-_.]+", "-", top).lower(),))
            if names and "*" not in top and top not in roots and not any(name in names for name in wanted):
                line = document.line((*overrides.PATH, number))
                text = f"the mypy override of {module} looks dead: the project does not depend on {wanted[0]}"
                yield "pyproject.toml", line, text


def _rules(tree: Disk, data: dict[str, Any], document: Any) -> Iterator[tuple[str, int | None, str]]:
    from gatepost.sync.paths import get, leaves, show
    from gatepost.sync.tables import REMOVED_RUFF, current_code, is_code_list, legacy_keys

    ruff = get(data, ("tool", "ruff"))
    for key in legacy_keys(ruff):
        line = document.line(("tool", "ruff", key))
        yield "pyproject.toml", line, f"tool.ruff.{key} belongs into [tool.ruff.lint]: gatepost migrate --yes"
    for path, value in leaves(ruff) if isinstance(ruff, dict) else ():
        full = ("tool", "ruff", *path)
        if not isinstance(value, list) or not is_code_list(full) or path[-1] == "external":
            continue
        for number, item in enumerate(value):
            if isinstance(item, str) and (item in REMOVED_RUFF or current_code(item) != item):
                now = "is gone from ruff" if item in REMOVED_RUFF else f"is called {current_code(item)} now"
                yield (
                    "pyproject.toml",
                    document.line((*full, number)),
                    f"{item} in {show(full)} {now}: gatepost migrate --yes",
                )


def _pythons(tree: Disk, data: dict[str, Any], document: Any) -> Iterator[tuple[str, int | None, str]]:
    from gatepost.sync.derive import OLDEST_MYPY, oldest, oldest_python
    from gatepost.sync.paths import get

    floor = oldest_python(data)
    if floor is None:
        return
    said = f"the project supports {floor[0]}.{floor[1]} and up"
    target = get(data, ("tool", "ruff", "target-version"))
    match = re.fullmatch(r"py3(\d+)", target) if isinstance(target, str) else None
    if match is not None and (3, int(match[1])) != floor:
        yield (
            "pyproject.toml",
            document.line(("tool", "ruff", "target-version")),
            f"ruff's target-version is {target}, {said}",
        )
    version = get(data, ("tool", "mypy", "python_version"))
    if version is not None and oldest(str(version)) != max(floor, OLDEST_MYPY):
        yield (
            "pyproject.toml",
            document.line(("tool", "mypy", "python_version")),
            f"mypy's python_version is {version}, {said}",
        )
    pinned = _text(tree, ".python-version").split("\n")[0].strip()
    used = oldest(pinned) if pinned[:1] == "3" else None
    if used is not None and used < floor:
        yield ".python-version", 1, f"{pinned} is older than what the project supports: {said}"
    hooks = _text(tree, ".pre-commit-config.yaml")
    for match in re.finditer(r"(?m)^\s*python:\s*python3\.(\d+)", hooks):
        if (3, int(match[1])) < floor:
            line = hooks.count("\n", 0, match.start()) + 1
            yield ".pre-commit-config.yaml", line, f"default_language_version is python3.{match[1]}, {said}"


def _declarations(tree: Disk, data: dict[str, Any]) -> Iterator[tuple[str, int | None, str]]:
    from gatepost.sync.declared import settings
    from gatepost.sync.plan import plan

    for outcome in plan(tree, settings(data)).outcomes:
        if outcome.code in ("SC104", "SC105", "SC106"):
            yield outcome.where.path, outcome.where.line, f"{outcome.message}: {outcome.remedy}"


def _text(tree: Disk, path: str) -> str:
    return (tree.read(path) or b"").decode("utf-8", "replace")
