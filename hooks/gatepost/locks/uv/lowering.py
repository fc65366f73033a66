"""Requirements as uv puts them into the lock: lowered by `tool.uv.sources`, and compared by meaning.

Sources: uv's `uv-distribution/src/metadata/lowering.rs` (0.12), corrected by runs of 0.13.8 and 0.9.30.
"""

from __future__ import annotations

from gatepost.locks.uv.identity import (
    Wanted,
    git_identity,
    index_identity,
    specifier_identity,
    top_extra,
    unquote,
    url_identity,
)
from gatepost.locks.uv.project import Undecidable, index_urls, join, listed, load, source_tables, strings, table
from gatepost.manifests import markers, pep508, versions
from gatepost.manifests.markers import MarkerError
from gatepost.manifests.pep508 import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from gatepost.locks.uv.project import Project, Workspace
    from gatepost.manifests.markers import Formula


class Lowering:
    """Requirements of one project as uv would put them into the lock (`root` is where the lock lies)."""

    def __init__(self, lock_directory: str, project: Project, space: Workspace | None, read: Any, exists: Any) -> None:
        self.base = lock_directory
        self.project = project
        self.space = space
        self.read = read
        self.exists = exists
        self.own = source_tables(project)
        self.shared = source_tables(space.root) if space is not None else {}
        self.indexes = index_urls(project)
        for name, url in index_urls(space.root if space is not None else None).items():
            self.indexes.setdefault(name, url)

    def requirement(
        self, text: str, key: str, marker: Formula = True, extra: str = "", group: str = "", member: bool = True
    ) -> list[Wanted]:
        """Lower one requirement string; `marker` is joined to its own. `member` False: constraints, overrides.

        Raises:
            Undecidable: not PEP 508, an unknown marker, or a source that uv would refuse.
        """
        path = self.project.path
        try:
            try:
                return self._lowered(text, text, key, marker, extra, group, member)
            except (pep508.RequirementError, versions.VersionError):
                from gatepost.locks.uv.lenient import repaired

                mended = repaired(text) if key.startswith("project.") else ""
                if not mended:
                    raise
                return self._lowered(mended, text, key, marker, extra, group, member)
        except (pep508.RequirementError, versions.VersionError, MarkerError) as error:
            raise Undecidable(f"{key} in {path}: {error}", "LF305", path, key) from None

    def _lowered(
        self, text: str, shown: str, key: str, marker: Formula, extra: str, group: str, member: bool
    ) -> list[Wanted]:
        path = self.project.path
        parsed = pep508.parse(text)
        own = markers.parse(parsed.marker) if parsed.marker else True
        joined = markers.conjunction([own, marker])
        if not extra:
            extra = top_extra(own)
        label = f'group "{group}"' if group else f'extra "{extra}"' if extra else ""
        plain = self._plain(parsed)
        if parsed.canonical in self.own:
            entries, origin = self.own[parsed.canonical], self.project.directory
        elif member and parsed.canonical in self.shared and self.space is not None:
            entries, origin = self.shared[parsed.canonical], self.space.root.directory
        else:
            return [self._wanted(parsed, plain, joined, shown, key, label)]
        chosen = []
        for entry in entries:
            if isinstance(entry.get("extra"), str) and canonical(entry["extra"]) != extra:
                continue
            if isinstance(entry.get("group"), str) and (not member or canonical(entry["group"]) != group):
                continue
            chosen.append(entry)
        found = []
        covered: list[Formula] = []
        for entry in chosen:
            mark: Formula = True
            if isinstance(entry.get("marker"), str):
                try:
                    mark = markers.parse(entry["marker"])
                except MarkerError as error:
                    raise Undecidable(f"tool.uv.sources in {path}: {error}", "LF305", path) from None
            covered.append(mark)
            identity = self._source(parsed, entry, origin, member)
            found.append(self._wanted(parsed, identity, markers.conjunction([mark, joined]), shown, key, label))
        rest = markers.conjunction([markers.negate(markers.disjunction(covered)), joined]) if covered else joined
        found.append(self._wanted(parsed, plain, rest, shown, key, label))
        return [item for item in found if not markers.impossible(item.marker, versions.EVERYTHING)]

    def _wanted(self, parsed: Any, source: Any, marker: Formula, text: str, key: str, label: str) -> Wanted:
        identity = (parsed.canonical, parsed.extras, *source)
        return Wanted(
            name=parsed.canonical, identity=identity, marker=marker, text=text, path=self.project.path, key=key,
            label=label,
        )  # fmt: skip

    def _plain(self, parsed: Any) -> tuple[Any, ...]:
        url: str = parsed.url
        if not url:
            return ("registry", specifier_identity(parsed.specifier), "", "")
        if "$" in url:
            raise Undecidable(f"{parsed.name} takes its address from the environment", "LF303", self.project.path)
        if url.startswith("git+"):
            return ("git", *git_identity(url))
        if url.startswith("file:") or "://" not in url:
            local = url.removeprefix("file:")
            if local != url:
                local = local.removeprefix("//").removeprefix("localhost")
            return self._path(unquote(local), self.project.directory, {})
        return url_identity(url, "")

    def _source(self, parsed: Any, entry: Mapping[str, Any], origin: str, member: bool) -> tuple[Any, ...]:
        path = self.project.path
        if isinstance(entry.get("git"), str):
            return ("git", *git_identity(entry["git"], entry))
        if isinstance(entry.get("url"), str):
            return url_identity(entry["url"], str(entry.get("subdirectory", "")))
        if isinstance(entry.get("path"), str):
            return self._path(entry["path"], origin, entry)
        if isinstance(entry.get("index"), str):
            url = self.indexes.get(entry["index"])
            if url is None:
                raise Undecidable(f"{parsed.name} names the undeclared index {entry['index']}", "LF305", path)
            conflict = ""
            if member and self.project.name:
                for kind in ("extra", "group"):
                    if isinstance(entry.get(kind), str):
                        conflict = f"{self.project.name} {kind} {canonical(entry[kind])}"
                        break
            specifier = specifier_identity("" if parsed.url else parsed.specifier)
            return ("registry", specifier, index_identity(url, origin), conflict)
        if entry.get("workspace") is True and self.space is not None:
            target = self.space.members.get(parsed.canonical)
            if target is None:
                raise Undecidable(
                    f"{parsed.name} is taken from the workspace, which has no member of that name in the snapshot",
                    "LF304", path,
                )  # fmt: skip
            package = target.is_package(parsed.canonical not in self.space.required)
            editable = package and self.space.required.get(parsed.canonical) is not False
            return ("directory", target.directory, editable, not package)
        raise Undecidable(f"tool.uv.sources.{parsed.name} is of a kind that is not known here", "LF302", path)

    def _path(self, given: str, origin: str, entry: Mapping[str, Any]) -> tuple[Any, ...]:
        where = join(origin, given)
        if where is None:
            raise Undecidable(f"{given} lies outside the repository", "LF304", self.project.path)
        if _is_archive(where.rpartition("/")[2]) and not self.exists(where + "/pyproject.toml"):
            return ("path", where)
        if entry.get("editable") is True:
            return ("directory", where, True, False)
        package = entry.get("package")
        if not isinstance(package, bool):
            target = load(where, self.read)
            package = target is None or target.is_package(False)
        return ("directory", where, False, not package)


def requires_dist(project: Project, lower: Lowering) -> tuple[list[Wanted], set[str], dict[str, list[Wanted]]]:
    """(requirements incl. extras', extras, groups) of a project with static metadata, lowered.

    Raises:
        Undecidable: dynamic dependencies, or something uv would refuse.
    """
    for field in ("dependencies", "optional-dependencies"):
        if field in project.dynamic:
            raise Undecidable(f"{project.path} leaves its {field} to the build backend", "LF301", project.path)
    check_sources(project)
    found: list[Wanted] = []
    for position, text in enumerate(_lines(project, project.project.get("dependencies"), "project.dependencies")):
        found.extend(lower.requirement(text, f"project.dependencies[{position}]"))
    extras: set[str] = set()
    for name, lines in table(project.project, "optional-dependencies").items():
        extra = canonical(name)
        extras.add(extra)
        where = f"project.optional-dependencies.{name}"
        for position, text in enumerate(_lines(project, lines, where)):
            key = f"{where}[{position}]"
            found.extend(lower.requirement(text, key, markers.extra(extra), extra=extra))  # noqa: S610
    groups: dict[str, list[Wanted]] = {}
    if "dependency-groups" in project.data or "dev-dependencies" in project.uv:
        from gatepost.locks.uv.groups import group_lines

        for name, lines in group_lines(project).items():
            groups[name] = [
                item for text, key, mark in lines for item in lower.requirement(text, key, mark, group=name)
            ]
    return found, extras, groups


def _lines(project: Project, value: Any, key: str) -> list[str]:
    """The requirements of an array.

    Raises:
        Undecidable: it is none, or holds something else: uv refuses the file.
    """
    found = strings(value)
    if value is not None and (not isinstance(value, list) or len(found) != len(value)):
        raise Undecidable(f"{key} in {project.path} is not an array of requirements", "LF305", project.path, key)
    return found


def check_sources(project: Project) -> None:
    """uv refuses a source for an extra or group that does not exist or does not ask for the package.

    Raises:
        Undecidable: there is such a source.
    """
    places = {
        "extra": table(project.project, "optional-dependencies"),
        "group": table(project.data, "dependency-groups"),
    }
    for name, entries in source_tables(project).items():
        for entry in entries:
            for kind, place in places.items():
                target = entry.get(kind)
                if not isinstance(target, str):
                    continue
                lines = next((value for key, value in place.items() if canonical(key) == canonical(target)), None)
                if kind == "group" and canonical(target) == "dev" and "dev-dependencies" in project.uv:
                    continue
                found = any(_asks(line, name) for line in listed(lines))
                if not found and kind == "extra" and lines is not None:
                    flat = strings(project.project.get("dependencies"))
                    found = any(_asks(line, name, canonical(target)) for line in flat)
                if not found:
                    reason = f'tool.uv.sources.{name} is for {kind} "{target}", which does not ask for {name}'
                    raise Undecidable(reason, "LF305", project.path, f"tool.uv.sources.{name}")


def _is_archive(name: str) -> bool:
    front, dot, last = name.rpartition(".")
    return bool(dot) and (
        last in ("whl", "zip", "tgz", "tbz", "txz", "tar")
        or (front.endswith(".tar") and last.replace("_", "a").isalnum())
    )


def differ(
    wanted: Iterable[Wanted], locked: Iterable[Wanted], python: versions.Ranges
) -> tuple[list[Wanted], list[Wanted]]:
    """(wanted that the lock lacks, locked that nobody wants), as sets by meaning under the Python range.

    Raises:
        Undecidable: a marker too tangled to compare.
    """
    new, old = list(wanted), list(locked)
    missing, extra = _differ(new, old, python)
    if missing or extra:
        from gatepost.locks.uv.regions import unequal

        first = (*missing, *extra)[0]
        try:
            names = unequal(new, old, {item.name for item in (*missing, *extra)}, python)
        except MarkerError as error:
            raise Undecidable(f"{first.text[:76]}: {error}", "LF307", first.path, first.key) from None
        missing, extra = ([item for item in found if item.name in names] for found in (missing, extra))
    return missing, extra


def _differ(
    wanted: Iterable[Wanted], locked: Iterable[Wanted], python: versions.Ranges
) -> tuple[list[Wanted], list[Wanted]]:
    pool: dict[tuple[Any, ...], list[Wanted]] = {}
    for item in locked:
        pool.setdefault(item.identity, []).append(item)
    hit: set[int] = set()
    missing = []
    for item in wanted:
        found = False
        for other in pool.get(item.identity, ()):
            try:
                if item.marker == other.marker or markers.equivalent(item.marker, other.marker, python):
                    hit.add(id(other))
                    found = True
            except MarkerError as error:
                shown = item.text if len(item.text) < 80 else f"{item.text[:76]} ..."
                raise Undecidable(f"{shown}: {error}", "LF307", item.path, item.key) from None
        if not found:
            missing.append(item)
    return missing, [item for group in pool.values() for item in group if id(item) not in hit]


def _asks(line: Any, name: str, extra: str = "") -> bool:
    """Whether an entry asks for a package (for one extra only, if given); an include, or what is no requirement, may."""
    try:
        found = pep508.parse(line) if isinstance(line, str) else None
        mark = markers.parse(found.marker) if extra and found is not None and found.marker else True
    except (pep508.RequirementError, MarkerError):
        return True
    return found is None or (found.canonical == name and (not extra or top_extra(mark) == extra))
