"""What a project's sync has to say: each note of the merge as a finding, with its line and the command that helps."""

from __future__ import annotations

from gatepost.model import Finding, Location
from gatepost.sync import overrides
from gatepost.sync.paths import get, items_of, show, word
from gatepost.sync.record_file import ADDED
from gatepost.toml.load import TomlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.model import Outcome, Severity
    from gatepost.sync.merge import Merged
    from gatepost.sync.paths import Keys
    from gatepost.sync.record_file import Entry
    from gatepost.sync.work import Note
    from gatepost.tree.base import Tree

RUFF = ("tool", "ruff")
_MANY = 5  # settings: fewer are told one by one


class Findings:
    """The outcomes about the project in `folder` ("" or "libs/a/"); `raw` and `data` are its pyproject.toml."""

    def __init__(self, tree: Tree, folder: str) -> None:
        self.tree = tree
        self.folder = folder
        self.path = folder + "pyproject.toml"
        self.raw = tree.read(self.path)
        self.data: Mapping[str, Any] = {}
        self.outcomes: list[Outcome] = []

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

    def line(self, *path: str | int) -> int | None:
        from gatepost.toml.scan import scan

        if self.raw is None:
            return None
        try:
            return scan(self.raw.decode("utf-8", "replace")).line(path)
        except TomlError:
            return None

    def report(self, name: str, result: Merged, before: Mapping[Keys, Entry]) -> None:
        """What the merge of a file did; `before` is its record of the last sync."""
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
                "SC101", f"{count} shared {word} missing or out of date: {cut(first, 160)}", "gatepost sync-configs",
                path=path,
            )  # fmt: skip
        gone = taken_out(result, before)
        if gone:
            named = cut(", ".join(show(each) for each in gone), 160)
            self.say(
                "SC102", f"drift: all {len(gone)} shared settings that were added here are gone: {named}",
                "gatepost sync-configs puts them back; if you do not want them: gatepost uninstall --yes, and "
                'skip = ["sync-configs"] under [tool.gatepost]',
                path=path,
            )  # fmt: skip
        for note in result.notes:
            if note.path not in gone:
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
            self.say("SC107", text, f'gatepost keep {word(shown)} "why"', line, path=path)

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
            for number, block in enumerate(items_of(get(self.data, overrides.PATH))):
                if keys[3] in overrides.modules(block):
                    return document.line((*overrides.PATH, number))
        return document.line(keys)


def taken_out(result: Merged, before: Mapping[Keys, Entry]) -> list[Keys]:
    """The settings of the last sync, if each that it added is gone (the file as it was before, by `git checkout`); []
    where some are left, or there were only a few."""
    added = {path for path, entry in before.items() if entry.origin == ADDED and path in result.entries}
    lost = [note.path for note in result.notes if note.kind == "drift"]
    return (
        list(dict.fromkeys(path for path in lost if path in added))
        if _MANY <= len(added & {*lost}) == len(added)
        else []
    )


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: text.rfind(",", 0, width)] + ", ..."
