"""The sync of one project: which files it concerns, their merge, the edits."""

from __future__ import annotations

from gatepost.model import Edit
from gatepost.sync import layers, shadow
from gatepost.sync.declared import declared
from gatepost.sync.findings import RUFF, Findings
from gatepost.sync.fitting import REQUIREMENTS, shared_for, without_ours
from gatepost.sync.merge import Merged, merge
from gatepost.sync.paths import data_of, get, plain
from gatepost.sync.stale import malformed, stale
from gatepost.sync.tables import shareable
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gatepost.sync.declared import Declared
    from gatepost.sync.layers import Shared
    from gatepost.sync.paths import Keys
    from gatepost.sync.record_file import Entry, Record
    from gatepost.tree.base import Tree


TOOLS = ("ruff", "mypy", "bandit", "pytest", "coverage")  # of the shipped profiles


def known_tools(chosen: Sequence[str], shared: Shared) -> None:
    """Refuse a name in `tools` that is no tool of the profile, nor of ours.

    Raises:
        SettingsError: there is one.
    """
    known = sorted({*TOOLS, *(get(shared.data, ("tool",)) or ())})
    for each in chosen:
        if each not in known:
            from gatepost.settings import SettingsError, nearest

            raise SettingsError(
                f"tool.gatepost.sync-configs.tools names no tool of the profile: {each}{nearest(each, known)}"
            )


class Project:
    """The project in `folder` ("" or "libs/a/"); `look` fills `findings`, `edits` and `entries` (file -> record)."""

    def __init__(self, tree: Tree, folder: str, settings: Mapping[str, Any], last: Record) -> None:
        self.tree = tree
        self.folder = folder
        self.settings = settings
        self.last = last
        self.names: tuple[str, ...] = ()
        self.extends: tuple[str, str] | None = None  # ruff's file that extends another, and which
        self.entries: dict[str, dict[Keys, Entry]] = {}
        self.path = folder + "pyproject.toml"
        self.findings = Findings(tree, folder)
        self.edits: list[Edit] = []
        self.raw = self.findings.raw

    def look(self) -> None:
        try:
            self.data = self.findings.data = loads(self.raw or b"")
        except TomlError as error:
            self.findings.say(
                "SC301", f"not valid TOML: {error.reason}", "mend the syntax; nothing is written until then", error.line
            )
            return
        if self.raw is None and self.tree.read(self.folder + "gatepost.toml") is not None:
            self.findings.say(
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
            self.findings.say(
                "SC302",
                str(error),
                'name a profile that exists: profile = "base" under [tool.gatepost]',
                self.findings.line("tool", "gatepost", "profile"),
            )
            return
        self.names = names
        self.sync(names, shared)

    def sync(self, names: tuple[str, ...], shared: Shared) -> None:
        said = declared(get(self.data, ("tool", "gatepost")))
        malformed(self.findings)
        src = any(path.startswith(self.folder + "src/") and path.endswith(".py") for path in self.tree.paths())
        texts = [
            data.decode("utf-8", "replace")
            for data in (self.tree.read(self.folder + name) for name in REQUIREMENTS)
            if data is not None
        ]
        chosen = tuple(self.settings.get("tools") or ())
        known_tools(chosen, shared)
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
                raw.decode("utf-8", "surrogateescape"), fitting, self.last.files.get(self.folder + ruff_file), derived=only(extra, "ruff"),
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
        refused = any(result.refused for result in results.values())
        for name, result in results.items():
            if result.refused or not refused:  # where one cannot be written, none is
                self.findings.report(name, result, self.last.files.get(self.folder + name) or {})
        if not refused:
            self.write(results)
        stale(self.findings, said, fitting, extra, ruff_file)

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
                self.findings.say(
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
        above = get(data_of(file(ruff_file)), ("extend",)) if ruff_file else get(self.data, (*RUFF, "extend"))
        if above is not None:  # a member: it gets its settings from the file that it extends
            tools.pop("ruff", None)
            if said.kept(RUFF) is None:
                self.extends = (ruff_file or "pyproject.toml", str(above))
            return main, None
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

    def write(self, results: Mapping[str, Merged]) -> None:
        for name, result in results.items():
            old = self.tree.read(self.folder + name)
            new = result.text.encode("utf-8", "surrogatepass")
            if new != (old or b""):
                self.edits.append(Edit(path=self.folder + name, old=old, new=new))
            self.entries[self.folder + name] = dict(result.entries)


def only(extra: Mapping[str, Any], tool: str) -> dict[str, Any]:
    table = get(extra, ("tool", tool))
    return {"tool": {tool: table}} if table is not None else {}
