"""`[tool.gatepost]` in pyproject.toml, and the top level of gatepost.toml.

A key or value that is not known is a usage error that names it and the nearest right one: a misspelt setting must
never be a setting that silently does nothing.
"""

from __future__ import annotations

from gatepost.model import Setting
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from gatepost.model import Hook


class SettingsError(ValueError):
    """A wrong key or value; `str()` is one line with the key's full path."""


COMMON: tuple[Setting, ...] = (
    Setting(key="skip", kind="strs", default=(), help="Ids that the `gatepost` hook and `gatepost check` leave out."),
    Setting(key="exclude", kind="strs", default=(), help="Globs of paths that no own hook reports on."),
    Setting(key="allow-unchecked", kind="any", default=(), help="true, or codes whose `unchecked` does not fail."),
    Setting(key="strict", kind="bool", default=False, help="Warnings and infos fail too."),
    Setting(key="ignore", kind="any", default=(), help="Array of tables: `code`, `reason`, and a `path` glob if any."),
    Setting(key="profile", kind="any", default="base", help="Profile of shared configs, or a list of them."),
    Setting(key="keep", kind="any", default={}, help="Settings that stay as they are here: path = reason."),
    Setting(key="drop", kind="any", default={}, help="Shared list items that this project refuses: path = [items]."),
)


PREFIXES = {  # of codes -> whose they are
    "GP": "gatepost",
    "LF": "lock-freshness",
    "MF": "large-model-files",
    "SC": "sync-configs",
    "SE": "secrets",
    "TS": "torch-source",
    "UL": "unsafe-load",
}


@record
class Ignore:
    """One `[[tool.gatepost.ignore]]` entry: a code (or a prefix such as "TS1"), a path glob, a reason."""

    code: str
    path: str
    reason: str
    index: int


@record
class Settings:
    """Validated settings: the common keys with defaults, each hook's table as written, and where they stand."""

    path: str | None
    common: Mapping[str, Any]
    tables: Mapping[str, Mapping[str, Any]]
    ignores: tuple[Ignore, ...] = ()
    leads: Mapping[str, str] = {}  # noqa: RUF012 (never written to); key -> "pyproject.toml: tool.gatepost."

    def of(self, hook: Hook) -> dict[str, Any]:
        """The settings of one hook, defaults filled in.

        Raises:
            SettingsError: a wrong key or value in its table.
        """
        return self.table(hook.id, hook.settings)

    def table(self, key: str, declared: tuple[Setting, ...]) -> dict[str, Any]:
        """The table of a hook or tool, defaults filled in.

        Raises:
            SettingsError: a wrong key or value in it.
        """
        return validate(declared, self.tables.get(key, {}), f"{self.leads.get(key, '')}{key}.")


def read_settings(read: Callable[[str], bytes | None], known: Callable[[], list[str]], folder: str = "") -> Settings:
    """Settings of the project in `folder` ("" or "sub/dir/"), from its pyproject.toml and its gatepost.toml.

    `known` lists the ids that may have a table. A pyproject.toml that does not say "gatepost" anywhere is not parsed.

    Raises:
        SettingsError: a wrong key or value, or a key that both files have.
        gatepost.toml.load.TomlError: a file is not TOML (its `path` attribute says which).
    """
    found: dict[str, tuple[str, Any]] = {}  # key -> the path that leads to it, value
    places: dict[str, str] = {}  # key -> file
    for name, prefix in (("pyproject.toml", "tool.gatepost."), ("gatepost.toml", "")):
        data = read(folder + name)
        if data is None or (prefix and b"gatepost" not in data):
            continue
        for key, value in _table(folder + name, data, prefix).items():
            if key in found:
                raise SettingsError(f"{folder}{name}: `{key}` is set in {places[key]} too: take one of the two out")
            found[key], places[key] = (f"{folder}{name}: {prefix}", value), folder + name
    if not found:
        return Settings(path=None, common={each.key: each.default for each in COMMON}, tables={})
    ids = known()
    given = {each.key: found[each.key] for each in COMMON if each.key in found}
    common = {each.key: each.default for each in COMMON}
    tables: dict[str, Mapping[str, Any]] = {}
    for key, (lead, value) in found.items():
        if key not in ids:
            common.update({key: validate(COMMON, {key: value}, lead, also=ids)[key]})
        elif isinstance(value, dict):
            tables[key] = value
        else:
            raise SettingsError(f"{lead}{key} must be a table, not {_kind_of(value)}")
    for each in common["skip"]:
        if each not in ids:
            raise SettingsError(f"{given['skip'][0]}skip names no check: {each}{nearest(each, ids)}")
    allow = common["allow-unchecked"]
    if not isinstance(allow, bool) and not _is_strs(allow):
        raise SettingsError(f"{given['allow-unchecked'][0]}allow-unchecked must be true, false or an array of codes")
    for each in () if isinstance(allow, bool) else allow:
        if each[:2] not in PREFIXES:
            raise SettingsError(f"{given['allow-unchecked'][0]}allow-unchecked: {_no_code(each)}")
    ignores = _ignores(common["ignore"], given["ignore"][0]) if "ignore" in given else ()
    path = places.get("ignore") or next(iter(places.values()))
    return Settings(path=path, common=common, tables=tables, ignores=ignores, leads={k: v[0] for k, v in found.items()})


def _table(path: str, data: bytes, prefix: str) -> dict[str, Any]:
    """The table of gatepost in a file: below `prefix`, or all of it.

    Raises:
        SettingsError: it is no table.
        gatepost.toml.load.TomlError: the file is not TOML.
    """
    from gatepost.toml.load import TomlError, loads

    try:
        table: Any = loads(data)
    except TomlError as error:
        error.path = path
        raise
    for part in prefix.split(".")[:-1]:
        table = table.get(part, {}) if isinstance(table, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: `{prefix[:-1]}` must be a table, not {_kind_of(table)}")
    return table


def _ignores(value: Any, lead: str) -> tuple[Ignore, ...]:
    fields = (
        Setting(key="code", kind="str", default="", help=""),
        Setting(key="path", kind="str", default="", help=""),
        Setting(key="reason", kind="str", default="", help=""),
    )
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, dict) for each in value):
        raise SettingsError(f"{lead}ignore must be an array of tables with `code`, `reason` and, if any, `path`")
    found = []
    for index, each in enumerate(value):
        entry = validate(fields, each, f"{lead}ignore[{index}].")
        if not entry["code"]:
            raise SettingsError(f"{lead}ignore[{index}] has no `code`")
        if entry["code"][:2] not in PREFIXES:
            raise SettingsError(f"{lead}ignore[{index}].code: {_no_code(entry['code'])}")
        found.append(Ignore(code=entry["code"], path=entry["path"], reason=entry["reason"].strip(), index=index))
    return tuple(found)


def _no_code(word: str) -> str:
    """What is wrong with a word that is no rule's code."""
    from gatepost.registry import all_codes

    named = next((code for _hook, code in all_codes() if code.name == word), None)
    return f"write the code of {word}, `{named.id}`" if named else f"no rule is called {word!r}; see `gatepost rules`"


def validate(
    declared: tuple[Setting, ...], given: Mapping[str, Any], lead: str, also: list[str] | None = None
) -> dict[str, Any]:
    """Values by key, defaults filled in, sizes as bytes.

    Raises:
        SettingsError: an unknown key (with the nearest known one) or a value of the wrong kind.
    """
    by_key = {each.key: each for each in declared}
    for key in given:
        if key not in by_key:
            raise SettingsError(f"{lead}{key} is no setting{nearest(key, [*by_key, *(also or [])])}")
    return {each.key: _value(each, given[each.key], lead) if each.key in given else each.default for each in declared}


def nearest(word: str, known: list[str]) -> str:
    """ "; did you mean `x`?", or a list of what there is."""
    import difflib

    word = word.replace("_", "-")
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    if close:
        ratios = [difflib.SequenceMatcher(None, each, word).ratio() for each in close]
        alike = [each for each, ratio in zip(close, ratios, strict=True) if ratio == ratios[0]]
        best = max(alike, key=lambda each: sum(map(str.__eq__, each, word)))  # MF1O1 is MF101, not MF411
        return f"; did you mean `{best}`?"
    return f" (known: {', '.join(known)})" if known else ""


def no_rule(code: str, known: list[str]) -> str:
    """That there is no such rule, with the nearest one."""
    close = nearest(code, known)
    return f"no rule is called `{code}`{close if 'known:' not in close else '; `gatepost rules` lists them'}"


def parse_size(value: Any) -> int | None:
    """Bytes of 4096 or "500 KiB" / "5 MB" / "1GiB" (KB is 1000, KiB 1024); None if it is no size."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    if not isinstance(value, str):
        return None
    import re

    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", value, re.IGNORECASE)
    if found is None:
        return None
    base = 1024 if found[3] else 1000
    return int(float(found[1]) * base ** " kmgt".index(found[2].lower() or " "))


def _is_strs(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value)


def _kind_of(value: Any) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a float", str: "a string", list: "an array", dict: "a table"}
    return names.get(type(value), "a date")


def _value(setting: Setting, value: Any, lead: str) -> Any:
    where = f"{lead}{setting.key}"
    match setting.kind:
        case "any":
            return value
        case "bool" if isinstance(value, bool):
            return value
        case "int" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "str" if isinstance(value, str):
            return value
        case "strs" if _is_strs(value):
            return tuple(value)
        case "table" if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
            return value
        case "size":
            size = parse_size(value)
            if size is None:
                raise SettingsError(f'{where} must be a size such as 4096 or "500 KiB", not {value!r}')
            return size
        case "sizes" if isinstance(value, dict):
            sizes = {key: parse_size(each) for key, each in value.items()}
            for key, each in sizes.items():
                if each is None:
                    raise SettingsError(f'{where}.{key} must be a size such as 4096 or "500 KiB", not {value[key]!r}')
            return sizes
    wanted = {
        "bool": "true or false",
        "int": "an integer",
        "str": "a string",
        "strs": "an array of strings",
        "table": "a table of strings",
        "sizes": "a table of sizes",
    }[setting.kind]
    raise SettingsError(f"{where} must be {wanted}, not {_kind_of(value)}")
