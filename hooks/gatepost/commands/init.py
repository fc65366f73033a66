"""`gatepost init`: adopt a project as it is. Shows a plan first; `--yes` makes it; `gatepost uninstall --yes` undoes it."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.model import Edit, Outcome
    from gatepost.sync.project import Disk
    from gatepost.tree.base import Tree

SUMMARY = "Adopt this project as it is: one pre-commit entry, shared settings, what differs declared, baselines."
SHARED = ("ruff", "mypy", "bandit", "pytest", "coverage")
RIVALS = {"pyright": "mypy", "ty": "mypy", "pyrefly": "mypy", "basedpyright": "mypy"}
WORKFLOW = ".github/workflows/quality.yml"
SYNC = "uv sync --locked --all-extras --dev"


def run(root: str, argv: list[str]) -> int:
    from argparse import ArgumentParser

    from gatepost.model import Edit as Change
    from gatepost.sync import record_file
    from gatepost.sync.plan import plan
    from gatepost.sync.precommit import PATH, NotSpliceable, redundant
    from gatepost.sync.project import PYPROJECT, Disk, pyproject, settings
    from gatepost.sync.splice import NotSpliceable as NotToml
    from gatepost.toml.load import TomlError
    from gatepost.tree.memory import OverlayTree
    from gatepost.writer import write_all

    parser = ArgumentParser(prog="gatepost init", description=SUMMARY, allow_abbrev=False)
    parser.add_argument("--yes", action="store_true", help="do it; without it, only show the plan")
    parser.add_argument("--diff", action="store_true", help="show the plan line by line")
    parser.add_argument("--profile", default="", help="base (default), strict, research, or a TOML file of yours")
    parser.add_argument("--ci", action="store_true", help=f"also write {WORKFLOW}, unless there is one")
    parser.add_argument("--no-baseline", action="store_true", help="do not run ruff to list what is there already")
    known = parser.parse_args(argv)
    tree = Disk(root)
    try:
        _raw, data = pyproject(root)
    except TomlError as error:
        print(f"pyproject.toml: not valid TOML: {error}; nothing was changed")
        return 3
    found = tools(tree, data)
    print("tools found: " + (", ".join(f"{tool} ({where})" for tool, where in found.items()) or "none"))
    edits: list[Edit] = []
    try:
        hooks = entry_edit(root, add=True)
        own = own_edit(tree, data, found, known.profile)
    except (NotSpliceable, NotToml, TomlError) as error:
        print(f"gatepost init: {error}; nothing was changed")
        return 3
    if hooks is not None:
        edits.append(hooks)
        print(f"{hooks.path}: {'made' if hooks.old is None else 'one entry added, what is there stays'}")
    if own is not None:
        edits.append(own)
    after = OverlayTree(tree, edits)
    from gatepost.toml.load import loads

    planned = plan(after, settings(loads(after.read(PYPROJECT) or b"")))
    for outcome in planned.outcomes:
        print(f"{outcome.where.path}: {said_at_init(outcome)}")
    ruff = ruff_synced(after)
    if ruff:
        print(f"{ruff}, so ruff's shared settings are not written here")
    blocked = [each for each in planned.outcomes if each.code.startswith(("SC2", "SC3")) and each.code != "SC203"]
    edits = joined(edits, planned.edits)
    made: list[Edit] = []
    if known.ci:
        if tree.read(WORKFLOW) is None:
            made.append(Change(path=WORKFLOW, old=None, new=fitted(workflow(), tree, data).encode()))
            print(f"{WORKFLOW}: made")
        else:
            print(f"{WORKFLOW}: is there already, left as it is")
    first = tree.read(record_file.NAME) is None
    if first and not known.no_baseline:
        from gatepost.commands._secrets import secrets

        edit, lines = secrets(root)
        made += [edit] if edit is not None else []
        print("".join(f"{line}\n" for line in lines), end="")
    edits = recorded(tree, joined(edits, made), [edit.path for edit in made])
    for each in blocked:
        print(f"    fix: {each.remedy}")
    others = redundant((tree.read(PATH) or b"").decode("utf-8", "replace"))
    for line, other, ours in others:
        print(f"{PATH}:{line}: `{other}` is redundant: the `gatepost` id runs {ours}; left in place")
    if others:
        names = ", ".join(f'"{ours}"' for ours in dict.fromkeys(ours for _, _, ours in others))
        print(f"    delete those entries, or keep them and set `skip = [{names}]` in [tool.gatepost]")
    list_findings = not known.no_baseline and not blocked and not ruff and old_findings(tree) is None
    if not edits and not (known.yes and list_findings):
        print("nothing to do: this project has been adopted")
        return 0
    if not known.yes:
        if list_findings:
            print(
                "then: findings of ruff that are there already are listed in extend-per-file-ignores (may only shrink)"
            )
        if known.diff:
            show(edits)
        else:
            print("to see it line by line: gatepost init --diff" + (" --ci" if known.ci else ""))
        print("nothing was changed yet; to do it: gatepost init --yes" + (" --ci" if known.ci else ""))
        return 1 if blocked else 0
    write_all(root, edits)
    paths = {edit.path for edit in edits}
    if list_findings:
        said, more = baseline(root)
        print(said)
        paths |= more
    if paths:
        print("done; look at the change, then: git add " + " ".join(sorted(paths)))
    print("to undo it: gatepost uninstall --yes")
    return 1 if blocked else 0


def said_at_init(outcome: Outcome) -> str:
    """An outcome of the plan in the words of somebody who is only adopting."""
    if outcome.code in ("SC101", "SC108"):
        return outcome.message.replace("missing or out of date", "added")
    if outcome.code == "SC103":
        return "stays, and is declared in [tool.gatepost.keep]: " + outcome.message.partition(": ")[2]
    return outcome.message


def ruff_synced(tree: Tree) -> str:
    """Why ruff's settings are not written in this project, "" if they are."""
    from gatepost.sync.paths import get
    from gatepost.sync.shadow import RUFF_FILES
    from gatepost.toml.load import TomlError, loads

    for name, prefix in (*((each, ()) for each in RUFF_FILES), ("pyproject.toml", ("tool", "ruff"))):
        raw = tree.read(name)
        if raw is None:
            continue
        try:
            extended = get(loads(raw), (*prefix, "extend"))
        except TomlError:
            return ""
        if extended is not None or name != "pyproject.toml":
            return f"{name} extends {extended}" if extended is not None else ""
    return ""


def show(edits: list[Edit]) -> None:
    """Print a unified diff."""
    from difflib import unified_diff

    for edit in sorted(edits, key=lambda each: each.path):
        old, new = ((text or b"").decode("utf-8", "replace").splitlines() for text in (edit.old, edit.new))
        names = ("/dev/null" if edit.old is None else f"a/{edit.path}", f"b/{edit.path}")
        for line in unified_diff(old, new, *names, lineterm=""):
            print(line.encode("ascii", "backslashreplace").decode())


def recorded(tree: Disk, edits: list[Edit], made: list[str]) -> list[Edit]:
    """The edits with the files that are made noted in the record, so that an uninstall can take them away again."""
    from gatepost.model import Edit
    from gatepost.record import replace
    from gatepost.sync.record_file import NAME, dump, empty, parse

    if not made:
        return edits
    old = tree.read(NAME)
    raw = next((edit.new for edit in edits if edit.path == NAME), old)
    record = parse(raw) if raw is not None else empty()
    new = dump(replace(record, made=tuple(sorted({*record.made, *made}))))
    return joined(edits, [Edit(path=NAME, old=old, new=new)])


def old_findings(tree: Disk) -> Any:
    """The violation baseline of the record, None if there is none yet."""
    from gatepost.sync.record_file import NAME, RecordError, parse

    raw = tree.read(NAME)
    try:
        return parse(raw).baseline if raw is not None else None
    except RecordError:
        return None


def tools(tree: Disk, data: dict[str, Any]) -> dict[str, str]:
    """tool -> the file by which it is known to be used here."""
    from gatepost.sync.paths import get

    found: dict[str, str] = {}
    names = (*SHARED, *RIVALS, "black", "isort", "flake8")
    for tool in names:
        if get(data, ("tool", tool)) is not None:
            found[tool] = "pyproject.toml"
    files = {
        "ruff": ("ruff.toml", ".ruff.toml"),
        "mypy": ("mypy.ini", ".mypy.ini"),
        "pytest": ("pytest.ini", ".pytest.ini", "conftest.py", "tests/conftest.py"),
        "coverage": (".coveragerc",),
        "bandit": (".bandit", "bandit.yaml"),
        "pyright": ("pyrightconfig.json",),
    }
    for tool, paths in files.items():
        for path in paths:
            if tool not in found and tree.read(path) is not None:
                found[tool] = path
    hooks = (tree.read(".pre-commit-config.yaml") or b"").decode("utf-8", "replace")
    from gatepost.sync.derive import depends_on

    wanted = depends_on(
        data,
        [
            (tree.read(path) or b"").decode("utf-8", "replace")
            for path in ("requirements-dev.txt", "dev-requirements.txt", "requirements.txt")
        ],
    )
    for tool in names:
        if tool not in found and f"id: {tool}" in hooks:
            found[tool] = ".pre-commit-config.yaml"
        if tool not in found and (tool in wanted or f"{tool}-cov" in wanted):
            found[tool] = "dependencies"
    if "coverage" not in found and "pytest-cov" in wanted:
        found["coverage"] = "dependencies"
    return found


def own_edit(tree: Disk, data: dict[str, Any], found: dict[str, str], profile: str) -> Edit | None:
    """[tool.gatepost]: the profile, and what is not synced because another tool does the job."""
    from gatepost.sync.declared import KEEP, declared
    from gatepost.sync.paths import get
    from gatepost.sync.project import PYPROJECT, changed

    ops: list[Any] = []
    own = get(data, ("tool", "gatepost"))
    if profile and get(own, ("profile",)) != profile:
        ops.append(("set" if get(own, ("profile",)) is not None else "add", ("tool", "gatepost", "profile"), profile))
    elif get(own, ("profile",)) is None:
        ops.append(("add", ("tool", "gatepost", "profile"), "base"))
    said = declared(own)
    for rival, tool in RIVALS.items():
        if rival in found and tool not in found and said.kept(("tool", tool)) is None:
            ops.append(("add", (*KEEP, f"tool.{tool}"), f"types are checked by {rival}"))
            break
    return changed(tree.read(PYPROJECT), ops) if ops else None


def entry_edit(root: str, *, add: bool) -> Edit | None:
    """The edit of .pre-commit-config.yaml that adds our entry, or takes away the one that we added.

    Raises:
        NotSpliceable: the file has a form that is not edited.
    """
    from gatepost import __version__
    from gatepost.model import Edit
    from gatepost.render import URL
    from gatepost.sync.precommit import PATH, with_entry, without_entry
    from gatepost.sync.project import Disk

    raw = Disk(root).read(PATH)
    if raw is None and not add:
        return None
    text = (raw or b"").decode("utf-8")
    new = with_entry(text, URL, __version__) if add else without_entry(text)
    if new == text:
        return None
    return Edit(path=PATH, old=raw, new=new.encode("utf-8") if new else None)


def joined(first: list[Edit], then: Any) -> list[Edit]:
    """Two batches of edits, the second made on the first, as one."""
    from gatepost.model import Edit

    out = {edit.path: edit for edit in first}
    for edit in then:
        old = out[edit.path].old if edit.path in out else edit.old
        out[edit.path] = Edit(path=edit.path, old=old, new=edit.new)
    return list(out.values())


def baseline(root: str) -> tuple[str, set[str]]:
    """Write what ruff finds now as extend-per-file-ignores of single files; a sentence about it, and what was written."""
    from gatepost.sync.baseline import edits
    from gatepost.sync.project import Disk
    from gatepost.tools.capture import ruff_findings
    from gatepost.writer import write_all

    counts = ruff_findings(root)
    if counts is None:
        return (
            "ruff could not be run, so what it finds already is not listed: install it and run gatepost init --yes",
            set(),
        )
    if not counts:
        return "ruff finds nothing: no baseline is needed", set()
    changes = edits(Disk(root), counts)
    write_all(root, changes)
    files, pairs = len(counts), sum(map(len, counts.values()))
    what = f"{pairs} {'rule' if pairs == 1 else 'rules'} in {files} {'file' if files == 1 else 'files'}"
    said = f"baseline: {what}, listed in extend-per-file-ignores; the list may only shrink"
    return said, {edit.path for edit in changes}


def workflow() -> str:
    """The text of a CI workflow that runs the hooks, pinned to full hashes."""
    from gatepost.sync.layers import configs_folder

    with open(os.path.join(configs_folder(), "ci", "quality.yml"), encoding="utf-8") as stream:
        return stream.read()


def fitted(text: str, tree: Disk, data: dict[str, Any]) -> str:
    """The workflow for a project: its installer, its Pythons, no tests job without tests."""
    from gatepost.sync.derive import NEWEST_RUFF, depends_on, idle, oldest_python
    from gatepost.sync.paths import get

    names = depends_on(data)
    install, start = SYNC, "uv run pytest"
    if tree.read("uv.lock") is None:
        if get(data, ("tool", "poetry")) is not None:
            install, start = "uvx poetry sync --all-extras --all-groups", "uvx poetry run pytest"
        else:
            files = [each for each in ("requirements.txt", "requirements-dev.txt") if tree.read(each) is not None]
            package = get(data, ("project",)) is not None or tree.read("setup.py") is not None
            what = (["-e ."] if package else []) + [f"-r {each}" for each in files]
            install, start = f"uv venv && uv pip install {' '.join(what)}".rstrip(), "uv run --no-sync pytest"
            if not what:
                install = "uv venv"
    text = text.replace(SYNC, install).replace("uv run pytest", start)
    if not {"pytest-cov"} & names:
        text = text.replace(" --cov --cov-report=xml", "")
    if "pytest" in idle(data, names, tree.paths()):
        text = text[: text.index("\n  tests:\n")]
    floor = oldest_python(data) or (3, 11)
    newest = "" if floor >= NEWEST_RUFF else f', "{NEWEST_RUFF[0]}.{NEWEST_RUFF[1] - 1}"'
    return text.replace('["3.11", "3.14"]', f'["{floor[0]}.{floor[1]}"{newest}]')


def workflows(tree: Disk, data: dict[str, Any]) -> set[bytes]:
    """The workflow as this release and the ones before it write it for a project."""
    from gatepost.sync.layers import configs_folder, releases

    base = configs_folder()
    found = {fitted(workflow(), tree, data).encode()}
    for version in releases():
        try:
            with open(os.path.join(base, "history", version, "ci", "quality.yml"), encoding="utf-8") as stream:
                found.add(fitted(stream.read(), tree, data).encode())
        except OSError:
            pass
    return found
