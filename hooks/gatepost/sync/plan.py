"""From a tree to the edits that put its shared settings right, and what there is to say about them. Pure."""

from __future__ import annotations

from gatepost.model import Edit, Finding, Fix, Location, Unchecked
from gatepost.record import record, replace
from gatepost.sync import derive, layers, overrides, record_file, shadow
from gatepost.sync.declared import Declared, declared
from gatepost.sync.merge import Merged, merge
from gatepost.sync.paths import get, leaves, plain, put, read, same, show
from gatepost.sync.record_file import ADDED, NAME, Entry, Record, RecordError
from gatepost.sync.tables import identity, shareable
from gatepost.sync.work import table_of
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from gatepost.model import Outcome, Severity
    from gatepost.sync.layers import Shared
    from gatepost.sync.paths import Keys
    from gatepost.sync.work import Note
    from gatepost.tree.base import Tree

RUFF = ("tool", "ruff")
REQUIREMENTS = ("requirements.txt", "requirements.in", "requirements-dev.txt", "dev-requirements.txt")


@record
class Plan:
    """Edits that bring every project of a repository in line, and the outcomes that say why."""

    edits: tuple[Edit, ...]
    outcomes: tuple[Outcome, ...]


def plan(tree: Tree, settings: Mapping[str, Any]) -> Plan:
    """Plan the sync of a repository: its root, and the members that opted in.

    Args:
        tree: the work tree.
        settings: `profile`, `keep` and `drop` of [tool.gatepost]; `tools` and `members` of its sync-configs table.
    """
    raw = tree.read(NAME)
    last = record_file.empty()
    if raw is not None:
        try:
            last = record_file.parse(raw)
        except RecordError as error:
            if error.newer:
                message = f"written by a newer gatepost: {error}"
                where = Location(path=NAME)
                said = Unchecked(code="SC304", where=where, message=message, remedy="pre-commit autoupdate")
                return Plan(edits=(), outcomes=(said,))
    projects = [_Project(tree, folder, settings, last) for folder in folders(tree, settings.get("members") or ())]
    for project in projects:
        project.look()
    kept = left_of_baseline(projects, last)
    edits = [edit for project in projects for edit in project.edits]
    outcomes = [outcome for project in projects for outcome in project.outcomes]
    files = {name: dict(table) for name, table in last.files.items() if tree.read(name) is not None}
    for project in projects:
        files.update(project.entries)
    files = {name: table for name, table in files.items() if table}
    if kept != last.baseline or files != {name: dict(table) for name, table in last.files.items() if table}:
        from gatepost import __version__

        names = projects[0].names
        new = record_file.dump(
            Record(version=__version__, profile=names, files=files, baseline=kept, made=last.made, skipped=last.skipped)
        )
        edits.append(Edit(path=NAME, old=raw, new=new))
        if not any(each.code in FIXED for each in outcomes):
            why = "there is no record of the last sync" if raw is None else "the record of the last sync is stale"
            remedy = f"gatepost sync-configs; git add {NAME}"
            outcomes.append(Finding(code="SC108", where=Location(path=NAME), message=why, remedy=remedy))
    fix = Fix(title="sync the shared settings", edits=tuple(edits), safe=True) if edits else None
    return Plan(
        edits=tuple(edits),
        outcomes=tuple(
            replace(each, fix=fix) if isinstance(each, Finding) and each.code in FIXED else each for each in outcomes
        ),
    )


def folders(tree: Tree, members: Sequence[str]) -> list[str]:
    """ "" and the folders ("libs/a/") of the members that have a pyproject.toml; "workspace" means uv's members."""
    if not members:
        return [""]
    from gatepost.globs import matcher

    patterns: list[str] = []
    exclude: list[str] = []
    for member in members:
        if member == "workspace":
            workspace = get(_data(tree.read("pyproject.toml")), ("tool", "uv", "workspace"))
            patterns += _strings(get(workspace, ("members",)))
            exclude += _strings(get(workspace, ("exclude",)))
        else:
            patterns.append(member)
    wanted, unwanted = matcher([each.strip("/") for each in patterns]), matcher([each.strip("/") for each in exclude])
    found = [path[: -len("pyproject.toml")] for path in tree.paths() if path.endswith("/pyproject.toml")]
    return ["", *(each for each in found if wanted(each[:-1]) and not unwanted(each[:-1]))]


def shared_for(
    data: Mapping[str, Any],
    shared: Mapping[str, Any],
    *,
    src: bool,
    requirements: Iterable[str],
    tools: Sequence[str],
    paths: Iterable[str],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The shared settings that fit a project (`data` is its pyproject.toml, `paths` its files), and those derived."""
    chosen = plain(shared)
    table = chosen.get("tool", {})
    for name in list(table):
        if tools and name not in tools:
            del table[name]
    names = derive.depends_on(data, requirements)
    for name in derive.idle(data, names, paths):
        table.pop(name, None)
    fitting = derive.fitted(chosen, names, data)
    return fitting, derive.derived(data, fitting, src=src)


def without_ours(data: Mapping[str, Any], entries: Mapping[Keys, Entry], said: Declared) -> dict[str, Any]:
    """A pyproject.toml as far as it is the project's own: what is derived from it must not depend on what was synced."""
    theirs: dict[str, Any] = {}
    for path, value in leaves(data):
        entry = entries.get(path)
        if entry is None or entry.origin != ADDED or not same(entry.value, value) or said.kept(path) is not None:
            put(theirs, path, value)
    for path, entry in entries.items():
        if entry.table and get(theirs, table_of(path)) is None:
            put(theirs, table_of(path), {})
    return theirs


def left_of_baseline(projects: Sequence[_Project], last: Record) -> Mapping[str, tuple[str, ...]] | None:
    """What is left of the violation baseline; the project in which it grew says so."""
    if last.baseline is None or any(project.path not in project.entries for project in projects):
        return last.baseline
    from gatepost.sync import baseline

    every: dict[str, tuple[str, ...]] = {}
    for project in projects:
        name = next((name for name in shadow.RUFF_FILES if project.tree.read(project.folder + name) is not None), "")
        data = _data(project.tree.read(project.folder + (name or "pyproject.toml")))
        now = baseline.listed(data if name else get(data, RUFF), project.folder)
        for path, codes in baseline.grown(last.baseline, now).items():
            place = (*RUFF, *baseline.KEY, path[len(project.folder) :])
            file = project.folder + (name or "pyproject.toml")
            message = f"the baseline of old findings grew: {path} ignores {', '.join(codes)} now"
            remedy = f"mend {path}, or ignore the line with a reason: # noqa: {codes[0]} -- why"
            project.say("SC109", message, remedy, project.place(file, place), path=file)
        every |= {path: (*every.get(path, ()), *codes) for path, codes in now.items()}
    return baseline.shrunk(last.baseline, every)


class _Project:
    def __init__(self, tree: Tree, folder: str, settings: Mapping[str, Any], last: Record) -> None:
        self.tree = tree
        self.folder = folder
        self.settings = settings
        self.last = last
        self.names: tuple[str, ...] = ()
        self.entries: dict[str, dict[Keys, Entry]] = {}
        self.path = folder + "pyproject.toml"
        self.outcomes: list[Outcome] = []
        self.edits: list[Edit] = []
        self.raw = tree.read(self.path)

    def look(self) -> None:
        try:
            self.data = loads(self.raw or b"")
        except TomlError as error:
            self.say(
                "SC301", f"not valid TOML: {error.reason}", "mend the syntax; nothing is written until then", error.line
            )
            return
        if self.raw is None and self.tree.read(self.folder + "gatepost.toml") is not None:
            self.say(
                "SC303",
                "there is no pyproject.toml to write shared settings into",
                'make a pyproject.toml, or `skip = ["sync-configs"]` in gatepost.toml',
            )
            return
        python = (".py", ".ipynb", "ruff.toml")
        if self.raw is None and not self.last.files and not any(path.endswith(python) for path in self.tree.paths()):
            return  # no project yet
        table = get(self.data, ("tool", "gatepost"))
        own = get(table, ("profile",))
        try:
            names = layers.names_of(own if own is not None else self.settings.get("profile") or "base")
            shared = layers.resolve(names, self.tree.read)
        except layers.ProfileError as error:
            self.say(
                "SC302",
                str(error),
                'name a profile that exists: profile = "base" under [tool.gatepost]',
                self.line("tool", "gatepost", "profile"),
            )
            return
        self.names = names
        self.sync(names, shared)

    def say(
        self,
        code: str,
        message: str,
        remedy: str,
        line: int | None = None,
        severity: Severity | None = None,
        path: str | None = None,
    ) -> None:
        where = Location(path=path or self.path, line=line)
        self.outcomes.append(Finding(code=code, where=where, message=message, remedy=remedy, severity=severity))

    def line(self, *path: str) -> int | None:
        from gatepost.toml.scan import scan

        if self.raw is None:
            return None
        try:
            return scan(self.raw.decode("utf-8", "replace")).line(path)
        except TomlError:
            return None

    def sync(self, names: tuple[str, ...], shared: Shared) -> None:
        said = declared(get(self.data, ("tool", "gatepost")))
        self.malformed()
        src = any(path.startswith(self.folder + "src/") and path.endswith(".py") for path in self.tree.paths())
        texts = [
            data.decode("utf-8", "replace")
            for data in (self.tree.read(self.folder + name) for name in REQUIREMENTS)
            if data is not None
        ]
        chosen = tuple(self.settings.get("tools") or ())
        below = self.below()
        self.theirs = without_ours(self.data, self.last.files.get(self.path, {}), said)
        fitting, extra = shared_for(
            self.theirs, shareable(shared.data), src=src, requirements=texts, tools=chosen, paths=below
        )
        main, ruff_file = self.split(fitting, extra, said)
        results: dict[str, Merged] = {}
        keeps: tuple[tuple[Keys, str], ...] = ()
        older = self.older(names, src, texts, chosen)
        if ruff_file is not None:
            raw = self.tree.read(self.folder + ruff_file) or b""
            merged = merge(
                raw.decode("utf-8", "replace"), fitting, self.last.files.get(self.folder + ruff_file), derived=_only(extra, "ruff"),
                prefix=RUFF, declarations=said, older=older,
            )  # fmt: skip
            results[ruff_file] = merged
            keeps = merged.keeps
        old = (self.raw or b"").decode("utf-8")
        merged = merge(
            old, main, self.last.files.get(self.path),
            derived={"tool": {name: table for name, table in extra.get("tool", {}).items() if name in main.get("tool", {})}},
            older=older, keeps=keeps,
        )  # fmt: skip
        results["pyproject.toml"] = merged
        for name, result in results.items():
            self.report(name, result)
        if not any(result.refused for result in results.values()):
            self.write(results)
        self.stale(said, fitting, extra, ruff_file)

    def split(
        self, fitting: dict[str, Any], extra: dict[str, Any], said: Declared
    ) -> tuple[dict[str, Any], str | None]:
        """What goes into pyproject.toml, and the ruff.toml that [tool.ruff] goes into, if there is one."""
        main = plain(fitting)
        tools = main.get("tool", {})

        def file(name: str) -> bytes | None:
            return self.tree.read(self.folder + name)

        for each in shadow.shadows(file, self.data):
            if each.tool not in tools:
                continue
            del tools[each.tool]
            if said.kept(("tool", each.tool)) is None:
                effect = f", so [tool.{each.tool}] here has no effect" if each.inert else ""
                self.say(
                    "SC203",
                    f"{each.tool} is configured in {each.file}{effect}; its shared settings are not synced",
                    f"move them into pyproject.toml and delete them there, or: gatepost keep tool.{each.tool} "
                    f'"configured in {each.file}"',
                    line=each.line,
                    path=self.folder + each.file,
                )
        ruff_file = next((name for name in shadow.RUFF_FILES if file(name) is not None), None)
        if "ruff" not in tools:
            return main, None
        if ruff_file is not None:
            del tools["ruff"]
            if get(_data(file(ruff_file)), ("extend",)) is not None:
                return main, None
        elif get(self.data, (*RUFF, "extend")) is not None:
            del tools["ruff"]  # a member: it gets its settings from the file that it extends
        return main, ruff_file

    def below(self) -> Sequence[str]:
        """The files of this project's folder."""
        every = self.tree.paths()
        return [path for path in every if path.startswith(self.folder)] if self.folder else every

    def older(
        self, names: tuple[str, ...], src: bool, texts: list[str], chosen: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        """Earlier releases of these profiles, for a project that was synced but has lost its record."""
        if self.last.files.get(self.path) or get(self.data, ("tool", "gatepost")) is None:
            return []
        found = []
        for version in layers.releases():
            try:
                shared = layers.resolve(names, self.tree.read, version=version)
            except layers.ProfileError:
                continue
            fitting, _ = shared_for(
                self.theirs, shareable(shared.data), src=src, requirements=texts, tools=chosen, paths=self.below()
            )
            found.append(fitting)
        return found

    def report(self, name: str, result: Merged) -> None:
        path = self.folder + name
        if result.refused:
            legacy = result.refused.startswith("legacy")
            paste = f"; or add by hand:\n{result.snippet}".rstrip() if result.snippet else ""
            if result.refused.startswith("not valid TOML"):
                self.say("SC301", result.refused, "mend the syntax; nothing is written until then", path=path)
            elif legacy:
                message = (
                    f"{result.refused}: beside [tool.ruff.lint] ruff ignores them without a word, nothing is written"
                )
                self.say("SC201", message, "gatepost migrate --yes", self.line(*RUFF), path=path)
            else:
                self.say("SC202", f"{result.refused}; nothing is written", f"mend that{paste}", path=path)
            return
        fresh = [note for note in result.notes if note.kind in ("add", "update", "drop", "retired", "released")]
        if fresh:
            first = ", ".join(dict.fromkeys(show(note.path) for note in fresh))
            count = len({note.path for note in fresh})
            word = "setting is" if count == 1 else "settings are"
            self.say(
                "SC101", f"{count} shared {word} missing or out of date: {_cut(first, 160)}", "gatepost sync-configs",
                path=path,
            )  # fmt: skip
        for note in result.notes:
            self.note(path, note)

    def note(self, path: str, note: Note) -> None:
        if note.kind not in ("drift", "keep", "conflict"):
            return
        line = self.place(path, note.path)
        shown = show(note.path)
        if note.kind == "drift":
            text = note.text.removeprefix("drift").strip()
            what, _, hint = text.partition("; ")
            self.say("SC102", f"drift: {what}", f"gatepost sync-configs puts it back; {hint}", line, path=path)
        elif note.kind == "keep":
            text = note.text.removeprefix("keep").strip()
            remedy = f"gatepost sync-configs declares it; or delete the line to take the shared value of {shown}"
            self.say("SC103", f"differs from the shared setting and is not declared: {text}", remedy, line, path=path)
        elif note.kind == "conflict":
            text = note.text.removeprefix("conflict").strip()
            self.say("SC107", text, f'gatepost keep {_word(shown)} "why"', line, path=path)

    def place(self, path: str, keys: Keys) -> int | None:
        raw = self.tree.read(path)
        if raw is None:
            return None
        from gatepost.toml.scan import scan

        text = raw.decode("utf-8", "replace")
        if not path.endswith("pyproject.toml"):
            keys = keys[2:]
        try:
            document = scan(text)
        except TomlError:
            return None
        if keys[:3] == overrides.PATH and len(keys) > 3:
            for number, block in enumerate(_list(get(self.data, overrides.PATH))):
                if keys[3] in overrides.modules(block):
                    return document.line((*overrides.PATH, number))
        return document.line(keys)

    def write(self, results: Mapping[str, Merged]) -> None:
        for name, result in results.items():
            old = self.tree.read(self.folder + name)
            new = result.text.encode("utf-8", "surrogatepass")
            if new != (old or b""):
                self.edits.append(Edit(path=self.folder + name, old=old, new=new))
            self.entries[self.folder + name] = dict(result.entries)

    def malformed(self) -> None:
        """Declarations without a reason, or of the wrong kind."""
        keep = get(self.data, ("tool", "gatepost", "keep"))
        for path, reason in keep.items() if isinstance(keep, dict) else ():
            if not isinstance(reason, str) or not reason.strip():
                line = self.line("tool", "gatepost", "keep", path)
                self.say("SC106", f"`{path}` is kept without a reason", f'gatepost keep {_word(path)} "why"', line)
        drop = get(self.data, ("tool", "gatepost", "drop"))
        for path, items in drop.items() if isinstance(drop, dict) else ():
            strings = isinstance(items, (list, dict)) and all(isinstance(item, str) for item in items)
            if not strings and not isinstance(items, str):
                line = self.line("tool", "gatepost", "drop", path)
                self.say(
                    "SC106", f"what `{path}` drops is not an array of items", f"gatepost drop {_word(path)} ITEM", line
                )

    def stale(
        self, said: Declared, fitting: Mapping[str, Any], extra: Mapping[str, Any], ruff_file: str | None
    ) -> None:
        """Declarations that make no difference any more."""
        wanted = {path: value for table in (fitting, extra) for path, value in leaves(table) if path != overrides.PATH}
        pairs = overrides.explode(get(fitting, overrides.PATH))
        wanted |= {(*overrides.PATH, *pair): value for pair, value in pairs.items()}
        here = plain(self.data)
        if ruff_file is not None:
            tools = here.get("tool")
            here["tool"] = {
                **(tools if isinstance(tools, dict) else {}),
                "ruff": _data(self.tree.read(self.folder + ruff_file)),
            }
        local = {
            (*overrides.PATH, *pair): value for pair, value in overrides.explode(get(here, overrides.PATH)).items()
        }
        table = get(self.data, ("tool", "gatepost"))
        hidden = {
            ("tool", each.tool) for each in shadow.shadows(lambda name: self.tree.read(self.folder + name), self.data)
        }
        for written in _table(get(table, ("keep",))):
            path = read(written)
            under = {each: value for each, value in wanted.items() if each[: len(path)] == path}
            if path[:2] in hidden:
                continue
            if not under:
                message = f"`{written}` is kept, but no shared setting is there any more"
            elif all(same(local[each] if each in local else get(here, each), value) for each, value in under.items()):
                message = f"`{written}` is kept, but is the same as the shared setting"
            else:
                continue
            line = self.line("tool", "gatepost", "keep", written)
            self.say("SC104", message, f"gatepost keep --remove {_word(written)}", line)
        for written in _table(get(table, ("drop",))):
            path = read(written)
            shared = wanted.get(path)
            if path == overrides.PATH:
                shared = [module for module, _ in pairs]
            have = {identity(path, item) for item in shared} if isinstance(shared, list) else set()
            gone = [item for item in said.drop.get(path, ()) if identity(path, item) not in have]
            if gone:
                line = self.line("tool", "gatepost", "drop", written)
                message = f"`{written}` drops {', '.join(gone)}, which the shared list does not have"
                self.say(
                    "SC105", message, f"gatepost drop --remove {_word(written)} {' '.join(map(_word, gone))}", line
                )


FIXED = frozenset({"SC101", "SC102", "SC103", "SC108"})


def _only(extra: Mapping[str, Any], tool: str) -> dict[str, Any]:
    table = get(extra, ("tool", tool))
    return {"tool": {tool: table}} if table is not None else {}


def _data(raw: bytes | None) -> dict[str, Any]:
    try:
        return loads(raw or b"")
    except TomlError:
        return {}


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: text.rfind(",", 0, width)] + ", ..."


def _word(text: str) -> str:
    """A path as one word of a POSIX shell."""
    return (
        text
        if text.replace(".", "").replace("-", "").replace("_", "").isalnum()
        else "'" + text.replace("'", "'\\''") + "'"
    )
