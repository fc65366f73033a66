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
from gatepost.locks.uv.case import Case, Difference, exists, members_first
from gatepost.locks.uv.identity import Wanted, recorded
from gatepost.locks.uv.lowering import Lowering, differ
from gatepost.locks.uv.packages import packages, revision_five
from gatepost.locks.uv.project import Project, Undecidable, Workspace, listed, strings, table
from gatepost.manifests import versions
from gatepost.manifests.pep508 import canonical
from gatepost.toml.load import TomlError, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gatepost.locks._base import Lock, Verdict

NEWEST_REVISION = 5
_RECORDED_HERE = frozenset({"options", "supported-markers", "required-markers", "conflicts"})
_RECORDED = frozenset(
    {"resolution", "fork-strategy", "prerelease", "prerelease-package", "exclude-newer", "exclude-newer-package",
     "environments", "required-environments", "conflicts", "dependency-metadata"}
)  # fmt: skip
_OF_PROJECTS = frozenset(
    {"build-backend", "conflicts", "default-groups", "dependency-groups", "dev-dependencies", "environments", "managed", "package",
     "required-environments", "workspace"}
)  # fmt: skip
_INDEX_VARIABLES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")


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
    except Difference as stale:
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
        members = p.workspace(root, lock.read, lock.paths)
        _named_groups(root, members, revision)
        space: Workspace | None = members
    else:
        from gatepost.locks.uv.script import script

        root, space = script(lock), None
        _refuse(_OF_PROJECTS, root.uv, root.path)
    settings, settings_path = _settings(lock, root)
    case = Case(
        lock=lock, data=data, root=root, space=space, settings=settings, settings_path=settings_path,
        revision=revision,
    )  # fmt: skip
    python = _python(case, doubts)
    steps = [_members, _manifest, packages]
    if _has_settings(case):
        from gatepost.locks.uv.settings import conflicts, environments, metadata, options

        steps = [options, environments, conflicts, _members, _manifest, metadata, packages]
    for step in steps:
        try:
            step(case, python)
        except Undecidable as error:
            doubts.append(error)
    return doubts[0] if doubts else None


def _named_groups(root: Project, space: Workspace, revision: int) -> None:
    """uv looks at the default groups of the root, from 0.13 (revision 5) on at those of members too.

    Raises:
        Undecidable: a setting names a group that is not there.
    """
    for project in {id(each): each for each in (root, *space.members.values())}.values():
        if "dependency-groups" in project.uv or "default-groups" in project.uv:
            from gatepost.locks.uv.groups import check_default_groups, check_group_settings

            check_group_settings(project)
            if project is root or revision >= 5:
                check_default_groups(project)


def _has_settings(case: Case) -> bool:
    """Whether the lock or a manifest holds a setting that uv records."""
    head = case.data.head
    members = case.space.members.values() if case.space is not None else ()
    tables = [case.settings, case.root.uv, *(member.uv for member in members)]
    return (
        not _RECORDED_HERE.isdisjoint(head)
        or "dependency-metadata" in table(head, "manifest")
        or any(not _RECORDED.isdisjoint(found) for found in tables)
    )


def _settings(lock: Lock, root: Project) -> tuple[Mapping[str, Any], str]:
    path = lock.beside("uv.toml")
    data = lock.read(path) if root.path.endswith("pyproject.toml") else None
    if data is None:
        return root.uv, root.path
    try:
        found = loads(data)
    except TomlError as error:
        raise Undecidable(f"{path} is not TOML: {error}", "LF305", path) from None
    _refuse(_OF_PROJECTS | {"sources"}, found, path)
    return found, path


def _refuse(keys: frozenset[str], found: Mapping[str, Any], path: str) -> None:
    """uv takes what concerns a project from pyproject.toml alone, not from uv.toml, nor from the block of a script.

    Raises:
        Undecidable: there is such a setting.
    """
    for key in sorted(keys.intersection(found)):
        raise Undecidable(f"{path} sets {key}, which uv refuses outside of pyproject.toml", "LF305", path, key)


def _python(case: Case, doubts: list[Undecidable]) -> versions.Ranges:
    """Compare requires-python; the range of the lock, under which markers are compared."""
    text = case.data.head.get("requires-python")
    locked = versions.bounds(versions.python_ranges(text)) if isinstance(text, str) else versions.EVERYTHING
    if case.space is not None:
        sources = [(member.path, member.project.get("requires-python")) for member in members_first(case.space)]
        key = "project.requires-python"
    else:
        sources, key = [(case.root.path, case.root.data.get("requires-python"))], "requires-python"
    wanted, shown = versions.EVERYTHING, []
    for _, value in sources:
        if isinstance(value, str):
            wanted = versions.intersect(wanted, versions.python_ranges(value))
            shown.append(value)
    if not shown and not (case.space is not None and text == _pinned(case)):
        doubts.append(
            Undecidable(
                f"{case.root.path} has no requires-python, so uv takes it from the interpreter it finds", "LF303",
                case.root.path,
            )
        )  # fmt: skip
    elif shown and versions.bounds(wanted) != locked:
        # 0.13 also accepts trailing zeros: equal as ranges already
        where = next((path for path, value in sources if isinstance(value, str)), case.root.path)
        held = f'"{text}"' if isinstance(text, str) else "none"
        if len(set(shown)) == 1:
            raise Difference("LF102", f'requires-python is "{shown[0]}", the lock has {held}', where, key)
        both = " and ".join(sorted(set(shown)))
        raise Difference("LF102", f"the requires-python of all members together is {both}, the lock has {held}", where)
    return locked


def _pinned(case: Case) -> str:
    """What uv writes for a project without requires-python whose .python-version names a release: `>=3.12`, or ""."""
    lines = (case.lock.read(case.lock.beside(".python-version")) or b"").decode("utf-8", "replace").splitlines()
    first = next((line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    parts = first.split(".")
    known = first.isascii() and 2 <= len(parts) <= 3 and all(part.isdigit() for part in parts)
    return f">={parts[0]}.{parts[1]}" if known else ""


def _members(case: Case, python: versions.Ranges) -> None:
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
            _seen(case, lost)
            what = f"the workspace has no member {lost[0]}, which the lock has"
            on_disk = _on_disk(case, lost[0])
            if on_disk:
                what += f" ({on_disk} is on disk but not staged)"
                relock = f"git add {on_disk}"
        if len(gained) == len(lost) == 1:
            what = f"the workspace member {lost[0]} is now called {gained[0]}"
        raise Difference("LF104", what, path, key, relock)
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
            raise Difference("LF103", f"the project is called {name}, the lock has no package of that name{old}",
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
            raise Difference(
                "LF103", f"{name} is now {words[kind]}, the lock has it as {words.get(had, had)}", member.path,
                "build-system" if "build-system" in member.data else "tool.uv.package",
            )  # fmt: skip
        where = p.join(case.lock.directory, str(source[had]))
        if where is not None and where != member.directory:
            raise Difference("LF104", f"{name} now lies in {member.directory or '.'}, the lock has it in {where or '.'}",
                         member.path)  # fmt: skip


def _recorded(case: Case, name: str) -> list[str]:
    """The directories in which the lock has a package of ours."""
    sources = [table(item, "source") for item in case.data.local if canonical(str(item.get("name", ""))) == name]
    return [
        where for source in sources for value in source.values() if (where := p.join(case.lock.directory, str(value)))
    ]


def _seen(case: Case, names: Sequence[str]) -> None:
    """Members that the lock has and the snapshot has not must not be hidden in what a snapshot does not hold.

    Raises:
        Undecidable: one lies in a submodule or behind a symlink, where a glob of the workspace still looks.
    """
    modules = (case.lock.read(".gitmodules") or b"").decode("utf-8", "replace").splitlines()
    pairs = [line.partition("=") for line in modules]
    kinds = {value.strip().strip('"').rstrip("/"): "a submodule" for key, _, value in pairs if key.strip() == "path"}
    kinds.update((path, "a symlink") for path in case.lock.paths())
    for name in names:
        for where in _recorded(case, name):
            parts = where.split("/")
            for count in range(1, len(parts) + 1):
                kind = kinds.get("/".join(parts[:count]))
                if kind is not None and p.includes(case.root, where):
                    reason = f"the member {name} lies in {where}, and {'/'.join(parts[:count])} is {kind}"
                    raise Undecidable(reason, "LF304", case.root.path, "tool.uv.workspace.members")


def _on_disk(case: Case, name: str) -> str:
    for where in _recorded(case, name):
        if case.lock.status(f"{where}/pyproject.toml") in ("untracked", "ignored"):
            return f"{where}/pyproject.toml"
    return ""


def _manifest(case: Case, python: versions.Ranges) -> None:
    manifest = table(case.data.head, "manifest")
    lower = Lowering(case.lock.directory, case.root, case.space, case.lock.read, lambda path: exists(case, path))
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
        raise Difference("LF101", f"{prefix}exclude-dependencies {verb} {gone}", case.root.path,
                     prefix + "exclude-dependencies")  # fmt: skip
    if case.space is not None:
        groups: dict[str, list[Wanted]] = {}
        if not case.root.project:
            from gatepost.locks.uv.groups import group_lines

            for name, lines in group_lines(case.root).items():
                groups[name] = [
                    item for text, key, mark in lines
                    for item in lower.requirement(text, key, mark, group=name, member=False)
                ]  # fmt: skip
        stored_groups = {canonical(name): value for name, value in table(manifest, "dependency-groups").items()}
        for name in sorted({*groups, *stored_groups}):
            _same(case, groups.get(name, []), stored_groups.get(name), python, f'group "{name}"')
        if not case.root.project and case.revision >= 5:
            revision_five(manifest, "the workspace", case.root)


def _same(
    case: Case, wanted: list[Wanted], stored: Any, python: versions.Ranges, what: str, unused: set[str] | None = None
) -> None:
    """Stale if two sets of requirements differ; `unused`: new ones for names outside it do not count (uv 0.13)."""
    locked = [recorded(item, case.lock.directory) for item in listed(stored) if isinstance(item, dict)]
    missing, extra = differ(wanted, locked, python)
    if unused is not None and not extra:
        missing = [item for item in missing if item.name in unused]
    if missing or extra:
        from gatepost.locks.uv.words import difference

        raise difference(missing, extra, what, case.root.path)
