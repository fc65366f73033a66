"""Pipfile.lock: a hash over the Pipfile's sources, requires and packages, taken as they stand.

Since March 2026 pipenv puts package names into their normal form (PEP 503) before it hashes; older ones, and plette,
do not. Either is accepted, and a lock that only the old rule accepts gets a note.
Without a `[[source]]` the hash holds every index of the machine's pip configuration, which no repository records.
Sources: `pipenv/utils/pipfile.py` (`calculate_hash`, pipenv 2026.10), `plette/pipfiles.py` (`get_hash`).
"""

from __future__ import annotations

from gatepost.locks._base import Contents, Fresh, LockFormat, Need, Package, Stale, Unknown
from gatepost.locks._manifest import (
    canonical,
    conflict_line,
    json_text,
    line_of,
    load_toml,
    meets,
    quote,
    sha256,
    show,
    spell_key,
    table,
    toml_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from gatepost.locks._base import Lock, Verdict

KNOWN_SPEC = 6  # `_meta.pipfile-spec`
_SECTIONS = frozenset({"source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv"})
UNSAFE = frozenset({"distribute", "pip", "pkg-resources", "setuptools", "wheel"})  # pipenv leaves these out
_RESERVED = frozenset({"default", "develop"})  # a category of this name is not hashed
NEW = "Pipfile hash (normal names, pipenv since 2026.3)"
OLD = "Pipfile hash (names as written, pipenv before 2026.3)"


def pipfile_hash(data: dict[str, Any], normal: bool) -> str:
    """The hash of a parsed Pipfile; `normal`: package names in normal form.

    Raises:
        TypeError, ValueError, AttributeError, RecursionError: a section holds what pipenv cannot hash either.
    """

    def named(section: Any) -> Any:
        return {canonical(name): value for name, value in section.items()} if normal else section

    content: dict[str, Any] = {
        "_meta": {"sources": data["source"], "requires": data.get("requires", {})},
        "default": named(data.get("packages", {})),
        "develop": named(data.get("dev-packages", {})),
    }
    for category, values in data.items():
        if category not in _SECTIONS and category not in _RESERVED:
            content[category] = named(values)
    return sha256(json_text(content, ",", ":"))


def load(data: bytes) -> dict[str, Any] | str:
    """The lock's data, or why it is none."""
    try:
        value = _decoded(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    except ValueError as error:
        return f"it is not valid JSON: {show(str(error))}"
    except RecursionError:
        return "it is nested too deeply"
    return value if isinstance(value, dict) else "it is not a JSON object"


class _Options:
    """What `json.JSONDecoder` hands to its scanner."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = parse_constant = float
    parse_int = int


def _decoded(text: str) -> Any:
    """`json.loads`; a document without fault needs only the compiled half of `json`, the other imports `re` (6 ms).

    Raises:
        ValueError: not JSON.
        RecursionError: nested too deeply.
    """
    try:
        from _json import make_scanner

        start = len(text) - len(text.lstrip(" \t\n\r"))
        value, end = make_scanner(_Options)(text, start)  # type: ignore[arg-type,unused-ignore]
        if not text[end:].strip(" \t\n\r"):
            return value
    except Exception:  # noqa: S110 (whatever it is, json says it in its own words)
        pass
    import json

    return json.loads(text)


def _load(lock: Lock) -> dict[str, Any] | str:
    """`load`, once a lock."""
    return lock.once("pipenv", lambda: load(lock.data))


def judge(lock: Lock) -> Verdict:
    """Compare the recorded hash with both hashes of the Pipfile beside the lock."""
    locked = _load(lock)
    if isinstance(locked, str):
        if (line := conflict_line(lock.data)) is not None:
            return Unknown(rule="Pipfile.lock", reason="the lock has merge conflict markers", line=line, code="LF202")
        return Unknown(rule="Pipfile.lock", reason=f"the lock cannot be read: {locked}", code="LF202")
    meta = table(locked, "_meta")
    spec = meta.get("pipfile-spec")
    if isinstance(spec, int) and spec > KNOWN_SPEC:
        reason = f"its pipfile-spec {spec} is newer than {KNOWN_SPEC}"
        return Unknown(rule="Pipfile.lock", reason=reason, code="LF302")
    path = lock.beside("Pipfile")
    data = load_toml(lock, path, "Pipfile.lock")
    if isinstance(data, Unknown):
        return data
    recorded = table(meta, "hash").get("sha256")
    if "source" not in data:
        difference = _difference(locked, data, certain=True)
        if difference is not None:
            return _stale(lock, path, NEW, *difference)
        reason = "the Pipfile has no [[source]], so its hash depends on the pip configuration of the machine"
        return Unknown(
            rule=NEW,
            reason=reason,
            path=path,
            code="LF303",
            remedy="add the [[source]] to the Pipfile, run `pipenv lock`",
        )
    try:
        new, old = pipfile_hash(data, True), pipfile_hash(data, False)
    except (TypeError, ValueError, AttributeError, RecursionError):
        return Unknown(rule=NEW, reason="the Pipfile holds a value that pipenv cannot read", path=path, code="LF305")
    if recorded == new:
        return Fresh(rule=NEW)
    if recorded == old:
        return Fresh(
            rule=OLD, note="matches only the hash of pipenv before 2026.3: a newer pipenv calls it out of date"
        )
    difference = _difference(locked, data, certain=False)
    if difference is None:
        reason = "a package, source or requires entry of the Pipfile is written differently than when it was locked"
        difference = ("the lock has no hash" if not isinstance(recorded, str) else reason, ())
    return _stale(lock, path, NEW, *difference)


def _stale(lock: Lock, path: str, rule: str, reason: str, key: tuple[str | int, ...]) -> Stale:
    return Stale(rule=rule, reason=reason, path=path, key=spell_key(key), line=line_of(lock, path, key))


def _categories(data: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(Pipfile section, section of the lock, its entries)."""
    yield "packages", "default", table(data, "packages")
    yield "dev-packages", "develop", table(data, "dev-packages")
    for name, values in data.items():
        if name not in _SECTIONS and name not in _RESERVED and isinstance(values, dict):
            yield name, name, values


def _specifier(value: object) -> str:
    """The version part of an entry as PEP 440, "" for any or where it is not a plain version."""
    text = value if isinstance(value, str) else value.get("version", "") if isinstance(value, dict) else ""
    text = text if isinstance(text, str) else ""
    if text in ("", "*"):
        return ""
    return f"=={text}" if text[:1].isdigit() else text


def _conditional(value: object) -> bool:
    keys = {"markers", "os_name", "sys_platform", "platform_machine", "platform_system", "python_version", "platform_release",
            "platform_python_implementation", "implementation_name", "python_full_version"}  # fmt: skip
    return isinstance(value, dict) and bool(keys & set(value))


def _difference(
    locked: dict[str, Any], data: dict[str, Any], certain: bool
) -> tuple[str, tuple[str | int, ...]] | None:
    """The first entry of the Pipfile that the lock does not hold, with its key; None if none shows.

    `certain`: only what makes the lock out of date by itself, not what merely explains a differing hash.
    """
    if data.get("requires", {}) != table(locked, "_meta").get("requires", {}):
        return "[requires] changed", ("requires",)
    sources = table(locked, "_meta").get("sources")
    mine = data.get("source")
    if not certain and isinstance(mine, list) and isinstance(sources, list) and not _same_sources(mine, sources):
        return "[[source]] changed", ("source", 0)
    found = {where for _, where, _ in _categories(data)}
    for where, entries in locked.items():
        if not certain and where not in found and where != "_meta" and isinstance(entries, dict) and entries:
            return f"[{show(where)}] is gone, the lock still has it", ()
    for section, where, entries in _categories(data):
        if not certain and where not in locked and not entries:
            return f"the empty category [{show(section)}] is new", (section,)
        pins = {canonical(name): value for name, value in table(locked, where).items()}
        for name, value in entries.items():
            spec = _specifier(value)
            pin = pins.get(canonical(name.split("[")[0].strip()))
            if pin is None:
                if not _conditional(value) and not _local(value) and canonical(name) not in UNSAFE:
                    return f"[{section}] gained {show(name)}{f' {show(spec)}' if spec else ''}", (section, name)
                continue
            version = pin.get("version", "") if isinstance(pin, dict) else ""
            version = version.lstrip("=") if isinstance(version, str) else ""
            if spec and version and not _conditional(value) and meets(version, spec) is False:
                return f"[{section}] asks for {show(name)} {show(spec)}, the lock holds {show(version)}", (
                    section,
                    name,
                )
        listed = {canonical(name.split("[")[0].strip()) for name in entries}
        for name, pin in table(locked, where).items():
            if not certain and isinstance(pin, dict) and "index" in pin and canonical(name) not in listed:
                return f"[{section}] no longer asks for {show(name)}, the lock still has it", (section,)
    return None


def _local(value: object) -> bool:
    return isinstance(value, dict) and bool({"path", "file", "editable"} & set(value))


def _same_sources(now: list[Any], then: list[Any]) -> bool:
    def plain(entries: list[Any]) -> list[tuple[str, ...]]:
        keys = ("url", "name", "verify_ssl")
        return [tuple(str(entry.get(key, "")) for key in keys) for entry in entries if isinstance(entry, dict)]

    return "$" in "".join(entry[0] for entry in plain(now)) or plain(now) == plain(then)


def relock(lock: Lock) -> str:
    """`pipenv lock`, in the Pipfile's directory."""
    return f"(cd {quote(lock.directory)} && pipenv lock)" if lock.directory else "pipenv lock"


def check(lock: Lock) -> str:
    """The command that asks pipenv itself."""
    return f"(cd {quote(lock.directory)} && pipenv verify)" if lock.directory else "pipenv verify"


def packages(lock: Lock) -> Contents:
    """The lock for the integrity rules: every package of every category, hashes being the rule."""
    locked = _load(lock)
    if isinstance(locked, str):
        if (line := conflict_line(lock.data)) is not None:
            return Contents(broken="it has merge conflict markers", line=line)
        return Contents(broken=locked)
    lines = _lines(lock.data)
    found: list[Package] = []
    for category, entries in locked.items():
        if category == "_meta" or not isinstance(entries, dict):
            continue
        for name, pin in entries.items():
            pin = pin if isinstance(pin, dict) else {}
            version = pin.get("version", "")
            origin = _origin(pin)
            marker = pin.get("markers", "")
            places: list[int | None] = [*lines.get((category, name), [None])]
            found.extend(
                Package(
                    name=canonical(name),
                    version=version.lstrip("=") if isinstance(version, str) else "",
                    identity=(category, canonical(name)),
                    origin=origin,
                    hashed=bool(pin.get("hashes")) if origin == "registry" else None,
                    marker=marker if isinstance(marker, str) else "",
                    line=line,
                )
                for line in places
            )
    return Contents(packages=tuple(found), direct=_wanted(lock), hashes=any(package.hashed for package in found))


def _origin(pin: dict[str, Any]) -> str:
    if "git" in pin:
        return "git"
    if "path" in pin or "editable" in pin:
        return "path"
    return "url" if "file" in pin else "registry"


def _wanted(lock: Lock) -> tuple[Need, ...]:
    """What the Pipfile asks for; nothing where it cannot be read."""
    from gatepost.toml.load import TomlError

    path = lock.beside("Pipfile")
    try:
        data = toml_of(lock, path)
    except TomlError:
        return ()
    return tuple(
        Need(
            name=canonical(name.split("[")[0].strip()),
            specifier=_specifier(value),
            optional=_conditional(value) or _local(value),
            where=path,
            key=spell_key((section, name)),
        )
        for section, _, entries in _categories(data)
        for name, value in entries.items()
    )


def sound(lock: Lock) -> bool:
    """Whether the integrity rules can find nothing; what `packages` looks at, without making a value of each entry."""
    from gatepost.locks._scan import meets_all

    locked = _load(lock)
    if isinstance(locked, str):
        return False
    if lock.data.count(b'\n        "') > sum(len(value) for value in locked.values() if isinstance(value, dict)):
        return False  # a key twice, or another layout
    versions: dict[str, list[str]] = {}
    elsewhere: set[str] = set()
    hashed = hashless = False
    for category, entries in locked.items():
        if category == "_meta" or not isinstance(entries, dict):
            continue
        names = set(map(canonical, entries))
        if len(names) != len(entries):
            return False
        for key, entry in entries.items():
            name, pin = canonical(key), entry if isinstance(entry, dict) else {}
            version = pin.get("version", "")
            version = version.lstrip("=") if isinstance(version, str) else ""
            versions.setdefault(name, []).append(version)
            plain = _origin(pin) == "registry"
            if not plain or not version:
                elsewhere.add(name)
            if plain and pin.get("hashes"):
                hashed = True
            elif plain:
                hashless = True
    return not (hashed and hashless) and meets_all(_wanted(lock), versions, elsewhere)


def _lines(data: bytes) -> dict[tuple[str, str], list[int]]:
    """The lines of each package in pipenv's own layout (four spaces a level); empty for another layout.

    Several where a merge has left a key twice, of which JSON takes the last.
    """
    import re

    found: dict[tuple[str, str], list[int]] = {}
    category = ""
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        if entry := re.match(r'( {4}| {8})"((?:[^"\\]|\\.)*)": \{', line):
            if len(entry[1]) == 4:
                category = entry[2]
            else:
                found.setdefault((category, entry[2]), []).append(number)
    return found


FORMAT = LockFormat(
    name="pipenv",
    files="Pipfile.lock",
    decides="Pipenv's hash, with names as written or in normal form (before and after 2026.3)",
    pattern=r"Pipfile\.lock",
    manifests=("Pipfile",),
    relock=relock,
    judge=judge,
    owns=lambda lock: True if lock.read(lock.beside("Pipfile")) is not None else None,
    packages=packages,
    sound=sound,
    check=check,
    refuses=(),
)
