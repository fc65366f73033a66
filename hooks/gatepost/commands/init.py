"""`gatepost init`: adopt a project as it is. Shows a plan first; `--yes` makes it; `gatepost uninstall --yes` undoes it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.model import Edit, Finding, Outcome, Unchecked
    from gatepost.sync.project import Disk

SUMMARY = "Adopt this project as it is: one pre-commit entry, shared settings, what differs declared, baselines."


def run(root: str, argv: list[str]) -> int:
    from argparse import ArgumentParser

    from gatepost.commands._detect import elsewhere, entries_added, own_edit, tools
    from gatepost.commands._workflow import WORKFLOW
    from gatepost.sync.hook_files import YAML
    from gatepost.sync.layout import NotSpliceable as NotToml
    from gatepost.sync.precommit import NotSpliceable
    from gatepost.sync.project import Disk, pyproject
    from gatepost.toml.load import TomlError

    parser = ArgumentParser(prog="gatepost init", description=SUMMARY, allow_abbrev=False)
    parser.add_argument("--yes", action="store_true", help="do it; without it, only show the plan")
    parser.add_argument("--diff", action="store_true", help="show the plan line by line")
    parser.add_argument("--profile", default="", help="base (default), strict, research, or a TOML file of yours")
    parser.add_argument("--ci", action="store_true", help=f"also write {WORKFLOW}, unless there is one")
    parser.add_argument(
        "--fix", action="store_true", help="make ruff's safe fixes and format, before the rest is listed"
    )
    parser.add_argument("--no-baseline", action="store_true", help="run no tool, list nothing that is there already")
    known = parser.parse_args(argv)
    tree = Disk(root)
    try:
        _raw, data = pyproject(root)
    except TomlError as error:
        print(f"pyproject.toml: not valid TOML: {error}; nothing was changed")
        return 3
    found = tools(tree, data)
    print("tools found: " + (", ".join(f"{tool} ({where})" for tool, where in found.items()) or "none"))
    try:
        edits = entries_added(root)
        if (own := own_edit(tree, data, found, known.profile)) is not None:
            edits.append(own)
    except (NotSpliceable, NotToml, TomlError) as error:
        print(f"gatepost init: {error}; nothing was changed")
        if isinstance(error, NotSpliceable) and error.paste:
            print(f"put this under `repos` in {error.path}, then: gatepost init")
            print(error.paste, end="")
        return 3
    for tool, why in elsewhere(tree, data, found).items():
        print(f"{tool}: {why}, which stays so: declared in [tool.gatepost.keep]")
    edits, synced, blocked = planned(tree, edits)
    if blocked:
        for each in blocked:
            print(f"    fix: {each.remedy}")
        print("nothing was changed; mend that, then: gatepost init")
        return 1
    first = old_findings(tree) is None
    made = files_made(root, tree, data, ci=known.ci, secrets=first and not known.no_baseline)
    hooks = [edit for edit in edits if edit.path == YAML and edit.old is None]
    edits = recorded(tree, joined(edits, made), [edit.path for edit in [*hooks, *made]])
    say_redundant(tree, edits)
    try_tools = first and not known.no_baseline
    if not edits and not (known.yes and try_tools):
        print("nothing to do: this project has been adopted")
        return 0
    if not known.yes:
        if try_tools:
            print("then: what ruff finds already is listed in extend-per-file-ignores (may only shrink);")
            print("      ruff-format, mypy and bandit are tried, and left out for now (`skip`) if they fail as it is")
        if known.diff:
            show(edits)
        again = "".join(f" --{name}" for name in ("ci", "fix") if getattr(known, name))
        if not known.diff:
            print(f"to see it line by line: gatepost init --diff{again}")
        print(f"nothing was changed yet; to do it: gatepost init --yes{again}")
        return 0
    adopt(root, tree, edits, found, try_tools=try_tools, ruff=synced, mend=known.fix)
    return 0


def planned(tree: Disk, edits: list[Edit]) -> tuple[list[Edit], bool, list[Finding | Unchecked]]:
    """The edits with those of the sync, whether ruff's settings are among what is synced, and what stands in the way."""
    from gatepost.commands._detect import ruff_synced
    from gatepost.sync.declared import settings
    from gatepost.sync.paths import get
    from gatepost.sync.plan import plan
    from gatepost.sync.project import PYPROJECT
    from gatepost.toml.load import loads
    from gatepost.tree.memory import OverlayTree

    after = OverlayTree(tree, edits)
    data = loads(after.read(PYPROJECT) or b"")
    sync = plan(after, settings(data))
    for edit in edits:
        if edit.path != PYPROJECT:
            print(f"{edit.path}: {'made' if edit.old is None else 'one entry added, what is there stays'}")
    for outcome in sync.outcomes:
        print(f"{outcome.where.path}: {said_at_init(outcome)}")
    if get(data, ("tool", "uv", "workspace")) is not None and not settings(data).get("members"):
        print(
            "the members of the uv workspace keep their own settings; to sync them as well: "
            'members = ["workspace"] under [tool.gatepost.sync-configs]'
        )
    extends = ruff_synced(after)
    if extends:
        print(f"{extends}, so ruff's shared settings are not written here")
    blocked = [each for each in sync.outcomes if each.code.startswith(("SC2", "SC3")) and each.code != "SC203"]
    return joined(edits, sync.edits), not extends, blocked


def files_made(root: str, tree: Disk, data: dict[str, Any], *, ci: bool, secrets: bool) -> list[Edit]:
    """New files beside the settings: the workflow, the baseline of secrets."""
    from gatepost.commands._secrets import secrets as listed
    from gatepost.commands._workflow import WORKFLOW, fitted, workflow
    from gatepost.model import Edit

    made: list[Edit] = []
    if ci and tree.read(WORKFLOW) is None:
        made.append(Edit(path=WORKFLOW, old=None, new=fitted(workflow(), tree, data).encode()))
        print(f"{WORKFLOW}: made")
    elif ci:
        print(f"{WORKFLOW}: is there already, left as it is")
    if secrets:
        edit, lines = listed(root)
        made += [edit] if edit is not None else []
        print("".join(f"{line}\n" for line in lines), end="")
    return made


def say_redundant(tree: Disk, edits: list[Edit]) -> None:
    """Entries of other repositories whose work the one id does, and a ruff that the new settings stop."""
    from gatepost.sync.hook_files import hook_files, redundant
    from gatepost.sync.paths import data_of, get
    from gatepost.tools.config import satisfies
    from gatepost.tree.memory import OverlayTree

    after = OverlayTree(tree, edits)
    wanted = next(
        (
            found
            for name, path in ((".ruff.toml", ()), ("ruff.toml", ()), ("pyproject.toml", ("tool", "ruff")))
            if isinstance(found := get(data_of(after.read(name)), (*path, "required-version")), str)
        ),
        "",
    )
    others = [
        (name, *each)
        for name in hook_files(tree.read)
        for each in redundant(name, (tree.read(name) or b"").decode("utf-8", "replace"))
    ]
    for name, line, other, ours, rev in others:
        print(f"{name}:{line}: `{other}` is redundant: the `gatepost` id runs {ours}; left in place")
        version = rev.removeprefix("v")
        if other.startswith("ruff") and wanted and version[:1].isdigit() and not satisfies(version, wanted):
            print(
                f'    ruff {version} stops at `required-version = "{wanted}"` of the shared settings: delete it, or update it'
            )
    if others:
        names = ", ".join(f'"{ours}"' for ours in dict.fromkeys(ours for _, _, _, ours, _ in others))
        print(f"    delete those entries, or keep them and set `skip = [{names}]` in [tool.gatepost]")


def adopt(
    root: str, tree: Disk, edits: list[Edit], found: Mapping[str, str], *, try_tools: bool, ruff: bool, mend: bool
) -> None:
    """Write the plan; then run the tools once, list what they find and leave out what fails."""
    from gatepost.commands import _trial
    from gatepost.sync.project import pyproject
    from gatepost.tree.memory import OverlayTree
    from gatepost.writer import write_all

    write_all(root, edits)
    paths = {edit.path for edit in edits}
    if try_tools:
        lines, listed = _trial.baseline(root, mend=mend) if ruff else ([], [])
        print("".join(f"{line}\n" for line in lines), end="", flush=True)
        reasons, lines = _trial.left_out(root, found, pyproject(root)[1])
        more = joined(listed, _trial.skip_edits(OverlayTree(tree, listed), reasons))
        write_all(root, more)
        paths |= {edit.path for edit in more}
        for tool_id, why in reasons.items():
            print(f"{tool_id}: left out for now: {why}; to take it in, delete it from `skip` in [tool.gatepost]")
        print("".join(f"{line}\n" for line in lines), end="")
        for hook_id, count in _trial.to_decide(root).items():
            print(f"{hook_id}: {count} {'finding' if count == 1 else 'findings'} for you to decide: gatepost {hook_id}")
    if paths:
        print("done; look at the change, then: git add " + " ".join(sorted(paths)))
    print("to undo it: gatepost uninstall --yes")


def said_at_init(outcome: Outcome) -> str:
    """An outcome of the plan in the words of somebody who is only adopting."""
    if outcome.code in ("SC101", "SC108"):
        return outcome.message.replace("missing or out of date", "added")
    if outcome.code == "SC103":
        return "stays, and is declared in [tool.gatepost.keep]: " + outcome.message.partition(": ")[2]
    return outcome.message


def show(edits: list[Edit]) -> None:
    """Print a unified diff."""
    from difflib import unified_diff

    for edit in sorted(edits, key=lambda each: each.path):
        old, new = ((text or b"").decode("utf-8", "replace").splitlines() for text in (edit.old, edit.new))
        names = ("/dev/null" if edit.old is None else f"a/{edit.path}", f"b/{edit.path}")
        for line in unified_diff(old, new, *names, lineterm=""):
            print(line.encode("ascii", "backslashreplace").decode())


def recorded(tree: Disk, edits: list[Edit], made: list[str]) -> list[Edit]:
    """The edits with the files that are made, and what the project had in [tool.gatepost], noted in the record:
    so that an uninstall knows what to take away again and what to leave."""
    from gatepost import __version__
    from gatepost.model import Edit
    from gatepost.record import replace
    from gatepost.sync.own_settings import own_of
    from gatepost.sync.paths import data_of
    from gatepost.sync.project import PYPROJECT
    from gatepost.sync.record_file import NAME, dump, empty, parse

    old = tree.read(NAME)
    if not made and (old is not None or not edits):
        return edits
    raw = next((edit.new for edit in edits if edit.path == NAME), old)
    record = parse(raw) if raw is not None else empty()
    if old is None:
        project = tree.read(PYPROJECT)
        own = {**(record.own or {}), PYPROJECT: own_of(data_of(project))}
        record = replace(record, version=record.version or __version__, own=own)
        made = [*made, *([PYPROJECT] if project is None else [])]
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


def joined(first: list[Edit], then: Any) -> list[Edit]:
    """Two batches of edits, the second made on the first, as one."""
    from gatepost.model import Edit

    out = {edit.path: edit for edit in first}
    for edit in then:
        old = out[edit.path].old if edit.path in out else edit.old
        out[edit.path] = Edit(path=edit.path, old=old, new=edit.new)
    return list(out.values())
