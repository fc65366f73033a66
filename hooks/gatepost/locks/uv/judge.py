"""Is a uv.lock (or the lock of a PEP 723 script) what `uv lock` would keep?

uv compares the inputs that the lock records with the manifest; when they agree it does not resolve. So does this,
in uv's order (`Lock::satisfies` and `ValidatedLock::validate`, uv 0.12, corrected by runs of 0.13.8). Where uv
versions disagree, what any of them accepts is fresh: equality of requirements is that of 0.13 (version ranges),
and fields that 0.13 added (revision 5) are compared only in locks that have that revision.
"""

from __future__ import annotations

from gatepost.locks._base import Fresh, Stale, Unknown
from gatepost.locks.uv import project as p
from gatepost.locks.uv import read as r
from gatepost.locks.uv.project import Lowering, Project, Undecidable, Wanted, Workspace, listed, strings, table
from gatepost.manifests import markers, pep508, versions
from gatepost.manifests.pep508 import canonical
from gatepost.record import record
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from gatepost.locks._base import Lock, Verdict

NEWEST_REVISION = 5
_HOST = ("pypi", "org")
_DEFAULT_INDEX = "https://" + ".".join(_HOST) + "/simple"
_INDEX_VARIABLES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_SCRIPT = r"(?m)^# /// script\s*$\n((?:^#(?:| .*)$\n)+?)^# ///\s*$"


class _Stale(Exception):
    """The first difference."""

    def __init__(self, code: str, reason: str, path: str = "", key: str = "", relock: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason, self.path, self.key, self.relock = code, reason, path, key, relock


@record
class _Case:
    """One comparison: the lock, the root manifest, the settings in force."""

    lock: Lock
    data: r.UvLock
    root: Project
    space: Workspace | None  # None for a script
    settings: Mapping[str, Any]
    settings_path: str
    revision: int


def judge(lock: Lock) -> Verdict:
    """Fresh, stale with the first difference, or unknown with the reason."""
    rule = "uv.lock"
    try:
        data = r.of(lock)
    except r.Unreadable as error:
        if error.large:
            return Unknown(rule=rule, reason=f"it {error.reason}", code="LF307", path=lock.path)
        return Unknown(rule=rule, reason=f"it {error.reason}", code="LF202", path=lock.path, line=error.line)
    version, revision = data.head.get("version"), data.head.get("revision", 0)
    if version is None:
        return Unknown(rule=rule, reason=r.EMPTY, code="LF202", path=lock.path)
    if version != 1 or isinstance(version, bool):
        return Unknown(rule=rule, reason=f"its format version is {version!r}, newer than 1", code="LF302")
    if not isinstance(revision, int):
        return Unknown(rule=rule, reason=f"its revision is {revision!r}", code="LF302")
    rule = f"uv.lock version 1, revision {revision}"
    unsure: Undecidable | None = None
    try:
        unsure = _compare(lock, data, revision)
    except _Stale as stale:
        if stale.code == "LF105" and (name := _set_here(lock, stale.key)):
            reason = f"{stale.reason}, but {name} is set here, and uv goes by that"
            return Unknown(rule=rule, reason=reason, code="LF303", path=stale.path, key=stale.key)
        return Stale(rule=rule, reason=stale.reason, code=stale.code, path=stale.path, key=stale.key,
                     relock=stale.relock)  # fmt: skip
    except Undecidable as doubt:
        unsure = doubt
    except versions.VersionError as invalid:
        unsure = Undecidable(str(invalid), "LF305")
    if unsure is None and revision > NEWEST_REVISION:
        unsure = Undecidable(f"its revision {revision} is newer than {NEWEST_REVISION}", "LF302")
    if unsure is not None:
        remedy = {
            "LF303": f'add `requires-python = ">=3.N"` to {unsure.path}',
            "LF305": f"mend {unsure.path or lock.path}",
            "LF309": f"stage its manifest, or `git rm {lock.path}`",
        }.get(unsure.code, "")  # fmt: skip
        return Unknown(
            rule=rule, reason=unsure.reason, code=unsure.code, path=unsure.path, key=unsure.key, remedy=remedy
        )
    return Fresh(rule=rule)


def _set_here(lock: Lock, key: str) -> str:
    """The variable of this environment that decides a setting instead of the files, "" if there is none."""
    last = key.removeprefix("tool.uv.").partition(".")[0].removesuffix("-package")
    names = _INDEX_VARIABLES if last == "index" else ("UV_" + last.replace("-", "_").upper(),)
    return next((name for name in (*names, "UV_NO_CONFIG", "UV_CONFIG_FILE") if lock.env(name)), "")


def _compare(lock: Lock, data: r.UvLock, revision: int) -> Undecidable | None:
    """Compare everything; what cannot be decided does not hide a difference found later: it is returned."""
    doubts: list[Undecidable] = []
    if lock.name == "uv.lock":
        root = p.load(lock.directory, lock.read)
        if root is None:
            raise Undecidable("there is no pyproject.toml beside it in the snapshot", "LF309")
        if root.uv.get("managed") is False:
            raise Undecidable("tool.uv.managed is false, so uv refuses the project", "LF305", root.path)
        if not root.project and "workspace" not in root.uv:
            raise Undecidable(f"{root.path} has neither [project] nor [tool.uv.workspace]", "LF305", root.path)
        space: Workspace | None = p.workspace(root, lock.read, lock.paths)
        p.check_default_groups(root)
    else:
        root, space = script(lock), None
    settings, settings_path = _settings(lock, root)
    case = _Case(
        lock=lock, data=data, root=root, space=space, settings=settings, settings_path=settings_path,
        revision=revision,
    )  # fmt: skip
    python = _python(case, doubts)
    steps = (_options, _environments, _conflicts, _members, _manifest, _packages)
    for step in steps:
        try:
            step(case, python)
        except Undecidable as error:
            doubts.append(error)
    return doubts[0] if doubts else None


def script(lock: Lock) -> Project:
    """The `# /// script` block of a PEP 723 script as a project whose data is `{"tool": ..., "project": {}}`.

    Raises:
        Undecidable: there is no script, no block, or it is not TOML.
    """
    path = lock.path[: -len(".lock")]
    data = lock.read(path)
    if data is None:
        raise Undecidable(f"the script {path} is not in the snapshot", "LF309")
    text = data.decode("utf-8", "replace").replace("\r\n", "\n") + "\n"
    import re

    blocks = re.findall(_SCRIPT, text)
    if len(blocks) > 1:
        raise Undecidable(f"{path} has two `# /// script` blocks, so uv refuses it", "LF305", path)
    lines = blocks[0].splitlines(keepends=True) if blocks else ()  # without a block: a script that asks for nothing
    body = "".join(line[2:] if line.startswith("# ") else line[1:] for line in lines)
    try:
        return Project(directory=lock.directory, path=path, data=loads(body.encode("utf-8", "replace")))
    except TomlError as error:
        raise Undecidable(f"the script block of {path} is not TOML: {error}", "LF305", path) from None


def _settings(lock: Lock, root: Project) -> tuple[Mapping[str, Any], str]:
    path = lock.beside("uv.toml")
    data = lock.read(path) if root.path.endswith("pyproject.toml") else None
    if data is None:
        return root.uv, root.path
    try:
        return loads(data), path
    except TomlError as error:
        raise Undecidable(f"{path} is not TOML: {error}", "LF305", path) from None


def _python(case: _Case, doubts: list[Undecidable]) -> versions.Ranges:
    """Compare requires-python; the range of the lock, under which markers are compared."""
    text = case.data.head.get("requires-python")
    locked = versions.bounds(versions.python_ranges(text)) if isinstance(text, str) else versions.EVERYTHING
    if case.space is not None:
        sources = [(member.path, member.project.get("requires-python")) for member in _all(case.space)]
        key = "project.requires-python"
    else:
        sources, key = [(case.root.path, case.root.data.get("requires-python"))], "requires-python"
    wanted, shown = versions.EVERYTHING, []
    for _, value in sources:
        if isinstance(value, str):
            wanted = versions.intersect(wanted, versions.python_ranges(value))
            shown.append(value)
    if not shown:
        doubts.append(
            Undecidable(
                f"{case.root.path} has no requires-python, so uv takes it from the interpreter it finds", "LF303",
                case.root.path,
            )
        )  # fmt: skip
    elif versions.bounds(wanted) != locked:
        # 0.13 also accepts trailing zeros: equal as ranges already
        where = next((path for path, value in sources if isinstance(value, str)), case.root.path)
        if len(set(shown)) == 1:
            raise _Stale("LF102", f'requires-python is "{shown[0]}", the lock has "{text}"', where, key)
        both = " and ".join(sorted(set(shown)))
        raise _Stale("LF102", f'the requires-python of all members together is {both}, the lock has "{text}"', where)
    return locked


def _all(space: Workspace) -> list[Project]:
    """The members, the root first."""
    rest = [member for _, member in sorted(space.members.items()) if member.path != space.root.path]
    return [space.root, *rest] if space.root.project else rest


def _options(case: _Case, python: versions.Ranges) -> None:
    head = table(case.data.head, "options")
    settings, path = case.settings, case.settings_path
    prefix = "" if path.endswith("uv.toml") or not path.endswith(".toml") else "tool.uv."

    def plain(key: str, locked_key: str, *defaults: str) -> None:
        wanted, locked = settings.get(key), head.get(locked_key)
        wanted = None if wanted in defaults else wanted
        locked = None if locked in defaults else locked
        if wanted != locked:
            shown = f'"{wanted}"' if wanted is not None else "not set"
            raise _Stale(
                "LF105", f"{prefix}{key} is {shown}, the lock was made with \"{locked or defaults[0]}\"", path,
                prefix + key,
            )  # fmt: skip

    plain("resolution", "resolution-mode", "highest")
    plain("fork-strategy", "fork-strategy", "requires-python")
    prerelease = settings.get("prerelease")
    if not isinstance(prerelease, dict):
        plain("prerelease", "prerelease-mode", "if-necessary", "if-necessary-or-explicit")
    elif "prerelease-package" not in head and "prerelease-mode" not in head:
        raise Undecidable("its prerelease settings are per package", "LF302", path)
    _cutoff(settings.get("exclude-newer"), head.get("exclude-newer"), head.get("exclude-newer-span"), path, prefix)
    wanted = {canonical(name): value for name, value in table(settings, "exclude-newer-package").items()}
    locked = {canonical(name): value for name, value in table(head, "exclude-newer-package").items()}
    for name in sorted({*wanted, *locked}):
        old, span = locked.get(name), None
        if isinstance(old, dict):
            span = old.get("span", old.get("exclude-newer-span"))
            old = old.get("timestamp", old.get("exclude-newer"))
        if (wanted.get(name) is False and old in (None, False)) or (old is False and name not in wanted):
            continue
        _cutoff(wanted.get(name), old, span, path, prefix, f"-package.{name}")


def _cutoff(wanted: Any, locked: Any, span: Any, path: str, prefix: str, suffix: str = "") -> None:
    key = f"{prefix}exclude-newer{suffix}"
    if wanted is not None and not isinstance(wanted, str) and (suffix == "" or wanted is not False):
        raise Undecidable(f"{key} is no string, so uv ignores all settings of its table", "LF305", path, key)
    if wanted is None or locked is None:
        if wanted is None and locked is None and span is None:
            return
        if wanted is not None and span is not None and locked is None:
            pass
        else:
            state = f'"{wanted}"' if wanted is not None else "not set"
            had = f'has "{span or locked}"' if locked is not None or span is not None else "has none"
            raise _Stale("LF105", f"{key} is {state}, the lock {had}", path, key)
    want_span = _span(str(wanted))
    if want_span is not None or span is not None:
        have = _span(str(span)) if span is not None else None
        if want_span is not None and have is not None and want_span == have:
            return
        raise _Stale("LF105", f'{key} is "{wanted}", the lock has "{span or locked}"', path, key)
    new, low, high = str(wanted), _instant(str(wanted)), _instant(str(locked))
    if low is None or high is None:
        raise Undecidable(f'{key} "{wanted}" is not a date that is understood here', "LF302", path, key)
    import re

    if re.fullmatch(r"\d{4}-\d\d-\d\d", new.strip()):  # the midnight that ends that day, in the zone of the machine
        low += 86400
        if low - 14 * 3600 <= high <= low + 12 * 3600:
            return
    elif high <= low:  # a later cutoff keeps the lock, since 0.13
        return
    raise _Stale("LF105", f'{key} is "{wanted}", the lock has "{locked}"', path, key)


def _instant(text: str) -> float | None:
    import re
    from datetime import datetime, timezone

    text = re.sub(r"(\.\d{6})\d+", r"\1", text.strip().upper().replace("Z", "+00:00"))
    text = re.sub(r"\.(\d{1,5})(?=[+-]|$)", lambda found: "." + found[1].ljust(6, "0"), text)
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None


_UNITS = {"y": "Y", "mo": "M", "w": "W", "d": "D", "h": "h", "m": "m", "s": "s"}


def _span(text: str) -> dict[str, int] | None:
    """`P3W`, `3 weeks`, `1d 12h` as numbers by unit; None if it is no span."""
    import re

    text = text.strip()
    found: dict[str, int] = {}
    if re.fullmatch(r"[Pp](\d+[YyMmWwDd])*([Tt](\d+[HhMmSs])+)?", text) and len(text) > 2:
        date, _, clock = text[1:].upper().partition("T")
        for number, unit in re.findall(r"(\d+)([A-Z])", date):
            found[unit] = found.get(unit, 0) + int(number)
        for number, unit in re.findall(r"(\d+)([A-Z])", clock):
            found[unit.lower()] = found.get(unit.lower(), 0) + int(number)
        return found
    pattern = (
        r"(\d+)\s*(years?|yrs?|y|months?|mos?|weeks?|wks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)"
    )
    if not re.fullmatch(rf"(?:{pattern}[\s,]*)+(?:ago)?", text):
        return None
    for number, unit in re.findall(pattern, text):
        short = "mo" if unit.startswith("mo") else unit[0]
        found[_UNITS[short]] = found.get(_UNITS[short], 0) + int(number)
    return found


def _environments(case: _Case, python: versions.Ranges) -> None:
    if case.space is None:
        return
    for key, locked_key in (("environments", "supported-markers"), ("required-environments", "required-markers")):
        value = case.root.uv.get(key)
        wanted = [value] if isinstance(value, str) else strings(value)
        locked = strings(case.data.head.get(locked_key))
        try:
            new, old = [markers.parse(text) for text in wanted], [markers.parse(text) for text in locked]
            same = len(new) == len(old) and all(
                markers.equivalent(a, b, python) for a, b in zip(new, old, strict=False)
            )
        except markers.MarkerError as error:
            raise Undecidable(f"tool.uv.{key}: {error}", "LF305", case.root.path) from None
        if not same:
            shown = ", ".join(f'"{text}"' for text in wanted) or "not set"
            raise _Stale(
                "LF105", f"tool.uv.{key} is {shown}, the lock was made for {', '.join(locked) or 'every platform'}",
                case.root.path, f"tool.uv.{key}",
            )  # fmt: skip


def _conflicts(case: _Case, python: versions.Ranges) -> None:
    if case.space is None:
        return
    wanted = []
    includes = False
    for member in _all(case.space) or [case.root]:
        found = member.uv.get("conflicts")
        for group in found if isinstance(found, list) else ():
            items = []
            for item in group if isinstance(group, list) else ():
                if isinstance(item, dict):
                    items.append(_conflict(item, member.name))
                    includes = includes or "group" in item
            wanted.append(frozenset(items))
    if not case.space.root.project:
        found = case.root.uv.get("conflicts")
        for group in found if isinstance(found, list) else ():
            wanted.append(frozenset(_conflict(item, "") for item in group if isinstance(item, dict)))
            includes = includes or any("group" in item for item in group if isinstance(item, dict))
    locked = []
    stored = case.data.head.get("conflicts")
    for group in stored if isinstance(stored, list) else ():
        locked.append(frozenset(_conflict(item, "") for item in group if isinstance(item, dict)))
    if set(wanted) == set(locked):
        return
    if includes and any(
        isinstance(entry, dict)
        for member in _all(case.space)
        for lines in table(member.data, "dependency-groups").values()
        for entry in (lines if isinstance(lines, list) else ())
    ):
        if {item for group in wanted for item in group} <= {item for group in locked for item in group}:
            if set(wanted) <= set(locked):
                return  # uv adds the sets that follow through include-group
    shown = "; ".join(" / ".join(sorted(item[1] for item in group)) for group in wanted) or "not set"
    had = "; ".join(" / ".join(sorted(item[1] for item in group)) for group in locked) or "none"
    path = case.root.path
    raise _Stale("LF105", f"tool.uv.conflicts is {shown}, the lock has {had}", path, "tool.uv.conflicts")


def _conflict(item: Mapping[str, Any], package: str) -> tuple[str, str]:
    name = canonical(str(item["package"])) if isinstance(item.get("package"), str) else package
    for kind in ("extra", "group"):
        if isinstance(item.get(kind), str):
            return name, f"{kind} {canonical(item[kind])}"
    return name, "project"


def _members(case: _Case, python: versions.Ranges) -> None:
    if case.space is None:
        return
    manifest = table(case.data.head, "manifest")
    locked = sorted(canonical(name) for name in strings(manifest.get("members")))
    wanted = sorted(case.space.members)
    single = len(wanted) == 1 and bool(case.root.project)
    if single:
        wanted = []
    if wanted != locked:
        gained, lost = sorted(set(wanted) - set(locked)), sorted(set(locked) - set(case.space.members))
        what = f"the workspace gained the member {gained[0]}" if gained else "the lock is of a workspace with members"
        path, key, relock = case.root.path, "tool.uv.workspace.members", ""
        if gained:
            path, key = case.space.members[gained[0]].path, "project.name"
        elif lost:
            what = f"the workspace has no member {lost[0]}, which the lock has"
            on_disk = _on_disk(case, lost[0])
            if on_disk:
                what += f" ({on_disk} is on disk but not staged)"
                relock = f"git add {on_disk}"
        if len(gained) == len(lost) == 1:
            what = f"the workspace member {lost[0]} is now called {gained[0]}"
        raise _Stale("LF104", what, path, key, relock)
    entries: dict[str, list[Mapping[str, Any]]] = {}
    for item in case.data.local:
        entries.setdefault(canonical(str(item.get("name", ""))), []).append(item)
    for name, member in sorted(case.space.members.items()):
        found = entries.get(name, [])
        source = table(found[0], "source") if found else {}
        if not found:
            locals_ = sorted(
                name for name, items in entries.items()
                if any(value in (".", "") for item in items for value in table(item, "source").values())
            )  # fmt: skip
            old = f" (it has {locals_[0]})" if single and locals_ else ""
            raise _Stale("LF103", f"the project is called {name}, the lock has no package of that name{old}",
                         member.path, "project.name")  # fmt: skip
        virtual = not member.is_package(name not in case.space.required)
        editable = not virtual and case.space.required.get(name) is not False
        kind = "virtual" if virtual else "editable" if editable else "directory"
        had = next(iter(source), "registry")
        if kind != had:
            words = {
                "virtual": "not a package (no [build-system])", "editable": "an editable package",
                "directory": "a package that is not editable",
            }  # fmt: skip
            raise _Stale(
                "LF103", f"{name} is now {words[kind]}, the lock has it as {words.get(had, had)}", member.path,
                "build-system" if "build-system" in member.data else "tool.uv.package",
            )  # fmt: skip
        where = p.join(case.lock.directory, str(source[had]))
        if where is not None and where != member.directory:
            raise _Stale("LF104", f"{name} now lies in {member.directory or '.'}, the lock has it in {where or '.'}",
                         member.path)  # fmt: skip


def _on_disk(case: _Case, name: str) -> str:
    for item in case.data.local:
        if canonical(str(item.get("name", ""))) == name:
            for value in table(item, "source").values():
                where = p.join(case.lock.directory, str(value))
                path = f"{where}/pyproject.toml" if where else ""
                if path and case.lock.status(path) in ("untracked", "ignored"):
                    return path
    return ""


def _manifest(case: _Case, python: versions.Ranges) -> None:
    manifest = table(case.data.head, "manifest")
    lower = Lowering(case.lock.directory, case.root, case.space, case.lock.read, lambda path: _exists(case, path))
    prefix = "tool.uv."
    if case.space is None:
        wanted = [
            item
            for position, text in enumerate(strings(case.root.data.get("dependencies")))
            for item in lower.requirement(text, f"dependencies[{position}]", member=False)
        ]
        _same(case, wanted, manifest.get("requirements"), python, "the script")
    locked_names = {entry.name for entry in case.data.entries}
    for key, stored in (
        ("constraint-dependencies", "constraints"),
        ("override-dependencies", "overrides"),
        ("build-constraint-dependencies", "build-constraints"),
    ):
        value = case.root.uv.get(key)
        if (isinstance(value, list) and any(not isinstance(item, str) for item in value)) or any(
            isinstance(item, dict) and "package" in item and "dependencies" in item
            for item in listed(manifest.get(stored))
        ):
            raise Undecidable(f"{prefix}{key} has entries for single packages", "LF302", case.root.path, prefix + key)
        wanted = [
            item
            for position, text in enumerate(strings(value))
            for item in lower.requirement(text, f"{prefix}{key}[{position}]", member=False)
        ]
        known = locked_names if stored != "build-constraints" else None
        _same(case, wanted, manifest.get(stored), python, f"{prefix}{key}", known)
    value = case.root.uv.get("exclude-dependencies")
    names = {canonical(name) for name in strings(value)}
    had = {canonical(name) for name in strings(manifest.get("excludes"))}
    unused = had <= names and locked_names.isdisjoint(names - had)  # new ones for packages that are not there
    structured = any(isinstance(item, dict) for item in [*listed(value), *listed(manifest.get("excludes"))])
    if names != had and not unused and not structured:
        gone = min(names ^ had)
        verb = "gained" if gone in names else "lost"
        raise _Stale("LF101", f"{prefix}exclude-dependencies {verb} {gone}", case.root.path,
                     prefix + "exclude-dependencies")  # fmt: skip
    if case.space is not None:
        groups: dict[str, list[Wanted]] = {}
        if not case.root.project:
            for name, lines in p.group_lines(case.root).items():
                groups[name] = [
                    item for text, key, mark in lines
                    for item in lower.requirement(text, key, mark, group=name, member=False)
                ]  # fmt: skip
        stored_groups = {canonical(name): value for name, value in table(manifest, "dependency-groups").items()}
        for name in sorted({*groups, *stored_groups}):
            _same(case, groups.get(name, []), stored_groups.get(name), python, f'group "{name}"')
    _metadata(case, manifest, locked_names)


def _metadata(case: _Case, manifest: Mapping[str, Any], locked_names: set[str]) -> None:
    def shape(item: Any) -> tuple[Any, ...]:
        item = item if isinstance(item, dict) else {}
        needs: list[tuple[Any, ...]] = []
        for text in strings(item.get("requires-dist")):
            try:
                parsed = pep508.parse(text)
            except pep508.RequirementError:
                needs.append((text,))
                continue
            needs.append((parsed.canonical, parsed.extras, p.specifier_identity(parsed.specifier), parsed.url,
                          "".join(parsed.marker.split()).replace('"', "'")))  # fmt: skip
        for entry in listed(item.get("requires-dist")):
            if isinstance(entry, dict):
                found = p.recorded(entry, case.lock.directory)
                needs.append((*found.identity[:2], found.identity[3], "",
                              "".join(str(entry.get("marker", "")).split()).replace('"', "'")))  # fmt: skip
        extras = tuple(sorted(map(canonical, strings(item.get("provides-extra") or item.get("provides-extras")))))
        return (canonical(str(item.get("name", ""))), item.get("version"), tuple(map(str, sorted(map(str, needs)))),
                item.get("requires-python"), extras)  # fmt: skip

    def all_of(value: Any) -> set[tuple[Any, ...]]:
        return {shape(item) for item in value} if isinstance(value, list) else set()

    key = "dependency-metadata"
    wanted, had = all_of(case.settings.get(key)), all_of(manifest.get(key))
    for item in sorted(wanted - had, key=str):
        if item[0] in locked_names or any(other[0] == item[0] for other in had):
            raise _Stale("LF105", f"the tool.uv.{key} of {item[0]} differs from the lock's", case.settings_path, key)
    for item in sorted(had - wanted, key=str):
        raise _Stale(
            "LF105", f"tool.uv.{key} no longer describes {item[0]} as the lock has it", case.settings_path, key
        )


def _exists(case: _Case, path: str) -> bool:
    return case.lock.read(path) is not None


def _same(
    case: _Case, wanted: list[Wanted], stored: Any, python: versions.Ranges, what: str, unused: set[str] | None = None
) -> None:
    """Stale if two sets of requirements differ; `unused`: new ones for names outside it do not count (uv 0.13)."""
    locked = [p.recorded(item, case.lock.directory) for item in listed(stored) if isinstance(item, dict)]
    missing, extra = p.differ(wanted, locked, python)
    if unused is not None and not extra:
        missing = [item for item in missing if item.name in unused]
    if missing or extra:
        raise _difference(missing, extra, what, case.root.path)


def _difference(missing: list[Wanted], extra: list[Wanted], what: str, path: str) -> _Stale:
    """Name the first difference in words."""
    for item in missing:
        old = next((other for other in extra if other.name == item.name and other.label in ("", item.label)), None)
        where = item.label or what
        if old is None:
            return _Stale("LF101", f"{where} gained {_short(item)}", item.path, item.key)
        new, had = _short(item), _short(old)
        if new == had:
            new, had = (f"{text} ({_kind(each)})" for text, each in ((new, item), (had, old)))
        asks = "ask" if where.endswith("'s dependencies") or "-dependencies" in where else "asks"
        return _Stale("LF101", f"{where} now {asks} for {new}, the lock has {had}", item.path, item.key)
    old = extra[0]
    return _Stale("LF101", f"{old.label or what} lost {_short(old)}", path)


def _short(item: Wanted) -> str:
    text = " ".join(item.text.split())
    kind = item.identity[2]
    if " @ " not in text and kind in ("git", "url"):
        text += f" from {item.identity[3]}"
    elif kind in ("directory", "path"):
        text += f" from {item.identity[3] or '.'}"
    elif kind == "registry" and item.identity[4]:
        text += f" from index {item.identity[4]}"
    return text


def _kind(item: Wanted) -> str:
    """What tells two requirements apart that are written alike."""
    if item.identity[2] == "directory":
        _, _, _, _, editable, virtual = item.identity
        words = "editable" if editable else "not a package" if virtual else "a package"
    else:
        words = ", ".join(item.identity[4:]) if item.identity[2] == "git" else ""
    return ", ".join(part for part in (words, "under a marker" if item.marker is not True else "everywhere") if part)


def _packages(case: _Case, python: versions.Ranges) -> None:
    """Each local package that the members reach: version, extras, requirements, groups; then the indexes."""
    doubts: list[Undecidable] = []
    by_name: dict[str, list[r.Entry]] = {}
    for entry in case.data.entries:
        by_name.setdefault(entry.name, []).append(entry)
    local: dict[str, list[Mapping[str, Any]]] = {}
    for item in case.data.local:
        local.setdefault(canonical(str(item.get("name", ""))), []).append(item)
    manifest = table(case.data.head, "manifest")
    queue: list[Mapping[str, Any]] = []
    direct: list[tuple[str, str]] = []
    if case.space is not None:
        for name in sorted(case.space.members, key=lambda name: (name != case.root.name, name)):
            queue.extend(local.get(name, [])[:1])
    for group in (manifest.get("requirements"), *table(manifest, "dependency-groups").values()):
        for need in group if isinstance(group, list) else ():
            if isinstance(need, dict):
                queue.extend(local.get(canonical(str(need.get("name", ""))), []))
    allowed = _indexes(case)
    seen: set[int] = set()
    while queue:
        item = queue.pop(0)
        if id(item) in seen:
            continue
        seen.add(id(item))
        source = table(item, "source")
        kind = next(iter(source), "")
        if kind in ("git", "registry"):
            continue
        if kind in ("virtual", "editable", "directory"):
            try:
                _tree(case, item, str(source[kind]), python, allowed)
            except Undecidable as error:
                doubts.append(error)
        elif kind == "path":
            doubts.append(Undecidable(f"{item.get('name')} is a local archive, whose metadata is not read", "LF304"))
        for name, version in _direct(item):
            direct.append((name, version))
            queue.extend(local.get(name, []))
    if allowed is not None:
        for name, version in direct:
            for entry in by_name.get(name, ()):
                url = r.registry(entry)
                if url is None or "://" not in url or (version and version != entry.version) or len(by_name[name]) > 1:
                    continue
                if url not in allowed:
                    slashed = {known.rstrip("/"): known for known in allowed}.get(url.rstrip("/"))
                    state = (
                        f"the index is now written {slashed}" if slashed else "which is not among the project's indexes"
                    )
                    raise _Stale("LF105", f"{name} is locked from {url}, {state}", case.settings_path, "tool.uv.index")
    if doubts:
        raise doubts[0]


def _direct(item: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    lists: list[Any] = [item.get("dependencies")]
    for key in ("optional-dependencies", "dev-dependencies"):
        lists.extend(table(item, key).values())
    for found in lists:
        for need in found if isinstance(found, list) else ():
            if isinstance(need, dict):
                yield canonical(str(need.get("name", ""))), str(need.get("version", ""))


def _indexes(case: _Case) -> set[str] | None:
    """The index URLs that uv may use, None where the project configures none (then any is accepted)."""
    settings = case.settings
    found: set[str] = set()
    default = False
    configured = False
    for entry in listed(settings.get("index")):
        if isinstance(entry, dict) and isinstance(entry.get("url"), str):
            configured = True
            default = default or entry.get("default") is True
            found.add(p.index_identity(entry["url"], case.lock.directory))
    if isinstance(settings.get("index-url"), str):
        configured = default = True
        found.add(p.index_identity(settings["index-url"], case.lock.directory))
    for key in ("extra-index-url", "find-links"):
        for url in strings(settings.get(key)):
            configured = True
            found.add(p.index_identity(url, case.lock.directory))
    if settings.get("no-index") is True:
        configured = True
    elif not default:
        found.add(_DEFAULT_INDEX)
    return found if configured else None


def _tree(case: _Case, item: Mapping[str, Any], where: str, python: versions.Ranges, allowed: set[str] | None) -> None:
    """One source tree against what the lock recorded of it."""
    name = canonical(str(item.get("name", "")))
    directory = p.join(case.lock.directory, where)
    if directory is None:
        raise Undecidable(f"{name} lies outside the repository ({where})", "LF304")
    project = next((m for m in case.space.members.values() if m.directory == directory), None) if case.space else None
    space = case.space
    if project is None:
        project = p.load(directory, case.lock.read)
        if project is None or not project.project:
            raise Undecidable(f"{name} in {directory or '.'} has no static metadata in the snapshot", "LF304")
        if "workspace" in project.uv:
            space = p.workspace(project, case.lock.read, case.lock.paths)
        else:
            root = p.owner(directory, case.lock.read)
            space = p.workspace(root, case.lock.read, case.lock.paths) if root is not None else None
        if space is None:
            space = Workspace(root=project, members={project.name: project}, required={})
    elif space is not None and project.path != space.root.path:
        # uv looks for sources in the workspace that the nearest pyproject.toml above declares, and there only
        root = p.owner(directory, case.lock.read)
        if root is None or root.path != space.root.path:
            space = Workspace(root=project, members={project.name: project}, required={})
    locked_version = item.get("version")
    if "version" in project.dynamic:
        if locked_version is not None:
            raise _Stale("LF103", f"the version of {name} is now dynamic, the lock has {locked_version}", project.path,
                         "project.dynamic")  # fmt: skip
    else:
        version = project.project.get("version")
        if not isinstance(version, str):
            raise Undecidable(f"{project.path} has no static version", "LF301", project.path)
        if locked_version is None:
            raise _Stale("LF103", f"{name} now has the static version {version}, the lock says it is dynamic",
                         project.path, "project.version")  # fmt: skip
        if versions.key(version) != versions.key(str(locked_version)):
            raise _Stale("LF103", f"{name} is version {version}, the lock has {locked_version}", project.path,
                         "project.version")  # fmt: skip
    lower = Lowering(case.lock.directory, project, space, case.lock.read, lambda path: _exists(case, path))
    wanted, extras, groups = p.requires_dist(project, lower)
    metadata = table(item, "metadata")
    if case.revision >= 1:
        had = {canonical(extra) for extra in strings(metadata.get("provides-extras"))}
        if had != extras:
            gone = min(extras ^ had)
            verb = "gained" if gone in extras else "lost"
            raise _Stale("LF101", f'{name} {verb} the extra "{gone}"', project.path, "project.optional-dependencies")
    _requirements(case, name, project, wanted, metadata.get("requires-dist"), python)
    stored = {canonical(group): value for group, value in table(metadata, "requires-dev").items()}
    for group in sorted({*groups, *stored}):
        if (group not in stored and (groups[group] or case.revision >= 1)) or group not in groups:
            if group not in stored and not groups[group]:
                raise _Stale("LF101", f'{name} gained the group "{group}"', project.path, f"dependency-groups.{group}")
            if group not in groups and (stored[group] or case.revision >= 1):
                raise _Stale("LF101", f'{name} lost the group "{group}"', project.path, "dependency-groups")
        locked = [
            p.recorded(entry, case.lock.directory) for entry in listed(stored.get(group)) if isinstance(entry, dict)
        ]
        missing, extra = p.differ(groups.get(group, []), locked, python)
        if missing or extra:
            raise _difference(missing, extra, f'group "{group}"', project.path)
    if case.revision >= 5:
        _revision_five(item, name, project)
    if allowed is not None:
        for need in (*wanted, *(need for found in groups.values() for need in found)):
            if need.identity[2] == "registry" and need.identity[4]:
                allowed.add(need.identity[4])


def _requirements(
    case: _Case, name: str, project: Project, wanted: list[Wanted], stored: Any, python: versions.Ranges
) -> None:
    locked = [p.recorded(entry, case.lock.directory) for entry in listed(stored) if isinstance(entry, dict)]
    missing, extra = p.differ(wanted, locked, python)
    if not missing and not extra:
        return
    if "version" in project.dynamic and any(need.name == name for need in wanted):
        again, left = p.differ(_flat(wanted, name), locked, python)
        if not again and not left:
            return
    raise _difference(missing, extra, f"{name}'s dependencies" if len(case.data.local) > 1 else "project.dependencies",
                      project.path)  # fmt: skip


def _flat(wanted: list[Wanted], name: str) -> list[Wanted]:
    """Self-referring extras (`demo[a]` in extra b) replaced by what they name, as hatchling writes metadata."""
    found = [need for need in wanted if need.name != name]
    queue = [(need, frozenset[str]()) for need in wanted if need.name == name]
    while queue:
        need, chain = queue.pop()
        for extra in need.identity[1]:
            if extra in chain:
                continue
            flag = markers.extra(extra)  # noqa: S610
            for other in wanted:
                parts = list(other.marker[1]) if isinstance(other.marker, tuple) and other.marker[0] == "and" else [
                    other.marker]  # fmt: skip
                if flag not in parts:
                    continue
                parts.remove(flag)
                marker = markers.conjunction([*parts, need.marker])
                moved = Wanted(name=other.name, identity=other.identity, marker=marker, text=other.text,
                               path=other.path, key=other.key, label=need.label)  # fmt: skip
                if other.name == name:
                    queue.append((moved, chain | {extra}))
                else:
                    found.append(moved)
    return found


def _revision_five(item: Mapping[str, Any], name: str, project: Project) -> None:
    """What uv 0.13 records besides: the Pythons of its groups, and its default groups."""
    wanted_python = p.group_pythons(project)
    locked_python = {
        canonical(group): versions.bounds(versions.python_ranges(str(text)))
        for group, text in table(item, "group-requires-python").items()
    }
    if wanted_python != locked_python:
        group = min(set(wanted_python.items()) ^ set(locked_python.items()))[0]
        raise _Stale("LF102", f'the requires-python of group "{group}" differs from the lock\'s', project.path,
                     f"tool.uv.dependency-groups.{group}")  # fmt: skip
    value = project.uv.get("default-groups")
    if value is None and "default-groups" not in item:
        return
    had = item.get("default-groups")
    wanted: Any = sorted(map(canonical, strings(value))) if isinstance(value, list) else value
    locked: Any = sorted(map(canonical, strings(had))) if isinstance(had, list) else had
    if (wanted == ["dev"] and locked is None) or (wanted is None and locked == ["dev"]):
        return
    if wanted != locked:
        shown = ", ".join(wanted) if isinstance(wanted, list) else wanted
        old = ", ".join(locked) if isinstance(locked, list) else locked
        raise _Stale("LF105", f"tool.uv.default-groups of {name} is {shown or 'not set'}, the lock has {old or 'none'}",
                     project.path, "tool.uv.default-groups")  # fmt: skip
