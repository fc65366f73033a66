"""TS206, TS220, TS303, TS308: a lock against its manifest, another lock, and itself."""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.rules.torch_source import specs, urls
from gatepost.rules.torch_source.locks.edges import PYTHON_LOCKS, ever_applies
from gatepost.rules.torch_source.model import (
    CONSTRAINT,
    FAMILY,
    MAIN,
)
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Lock, Locked, Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def stale(p: Project, v: View) -> Findings:
    """TS303: the locked version is not what the manifest asks for."""
    for lock in p.locks:
        if lock.format not in PYTHON_LOCKS or p.dynamic:
            continue
        by_name: dict[str, list[Locked]] = {}
        for entry in lock.entries:
            by_name.setdefault(entry.name, []).append(entry)
        for name in sorted(FAMILY):
            reqs = [
                req
                for req in p.named(name)
                if not req.url
                and not req.spec.broken
                and not any(route.url for route in p.routes_of(req))
                and ever_applies(p, req)
            ]
            if any(req.name == name and req.role == "override" for req in p.requirements):
                continue
            entries = by_name.get(name, [])
            if reqs and not entries and lock.format in ("uv.lock", "poetry.lock"):
                req = next((req for req in reqs if req.env.kind == MAIN and not req.optional and not req.marker), None)
                if req is not None and p.own(req.where) and (by_name or v.tree.size(lock.path)):
                    yield found(
                        "TS303",
                        req.where,
                        f"`{name}` is required here, but {lock.path} has no entry for it",
                        f"Run `{p.semantics().relock}` and stage {lock.path}.",
                    )
                continue
            for req in reqs:
                if not entries or any(req.spec.admits(specs.public(entry.version)) for entry in entries):
                    continue
                if not p.own(req.where):
                    continue
                yield _other_version(p, lock, entries, req)
                break


def _other_version(p: Project, lock: Lock, entries: Sequence[Locked], req: Requirement) -> Finding:
    versions = ", ".join(dict.fromkeys(entry.version for entry in entries))
    return found(
        "TS303",
        entries[0].where,
        f"`{entries[0].name}` is locked at {versions}, but {req.where.path} asks for `{req.text.strip()}`",
        f"Run `{p.semantics().relock}` and stage {lock.path}.",
        related=(req.where,),
    )


_PYTORCH = ("pytorch", "pytorch-gpu", "pytorch-cpu")  # all of one version


def stale_conda(p: Project, v: View) -> Findings:
    """TS303 of conda-lock and pixi.lock: no platform and no environment has the pytorch, or pip's torch, asked for."""
    for lock in p.locks:
        for name, manager in (
            (("pytorch", "conda"), ("torch", "pip")) if lock.format in ("conda-lock", "pixi.lock") else ()
        ):
            entries = [entry for entry in lock.entries if entry.name == name and entry.reference == manager]
            for req in p.requirements:
                asked = req.name in _PYTORCH and req.role == "conda" if manager == "conda" else req.name == "torch"
                if not asked or req.role == CONSTRAINT or req.url or req.marker or req.spec.broken or not entries:
                    continue
                if not p.own(req.where) or any(req.spec.admits(specs.public(entry.version)) for entry in entries):
                    continue
                yield _other_version(p, lock, entries, req)
                break


def disagree(p: Project, v: View) -> Findings:
    """TS308: two locks, or a lock and an exported file, with different torch."""
    mine = [
        (lock, entry)
        for lock in p.locks
        for entry in lock.entries
        if entry.name == "torch" and lock.format in PYTHON_LOCKS
    ]
    if not mine:
        return
    others: list[tuple[str, object, str]] = [  # pylock.toml beside the tool's own lock
        (lock.path, entry.where, specs.public(entry.version)) for lock, entry in mine if lock.path != mine[0][0].path
    ]
    mine = [(lock, entry) for lock, entry in mine if lock.path == mine[0][0].path]
    for other in v.projects:
        if other.root != p.root or other is p:
            continue
        if other.tool == "pip" and (_exported(v, other.path) or (p.tool == "Poetry" and _as_poetry(v, other.path))):
            others += [
                (
                    req.where.path,
                    req.where,
                    req.spec.pin() + ("+" + specs.label(req.text) if specs.label(req.text) else ""),
                )
                for req in other.named("torch")
                if req.spec.pin() and req.where.path == other.path
            ]
        elif other.path == p.path or other.root == p.root:
            others += [
                (lock.path, entry.where, entry.version)
                for lock in other.locks
                for entry in lock.entries
                if entry.name == "torch" and lock.format in PYTHON_LOCKS and lock.path > mine[0][0].path
            ]
    others += _abandoned(p, v, mine[0][0].path)
    have = {entry.version for _, entry in mine}
    publics = {specs.key(version) for version in have}
    for path, where, version in others:
        same_public = specs.key(version) in publics
        if same_public and (not specs.label(version) or version in have or not any(specs.label(item) for item in have)):
            continue
        yield found(
            "TS308",
            where,  # type: ignore[arg-type]
            f"torch is {version} here and {', '.join(sorted(have))} in {mine[0][0].path}",
            f"Keep one lock, or write {path} again from {mine[0][0].path}.",
        )


def _abandoned(p: Project, v: View, mine: str) -> list[tuple[str, object, str]]:
    """torch in the locks of the folder that no project reads: left over from another tool."""
    from gatepost.rules.torch_source.readers import locks

    read = {path for project in v.projects for path in project.files}
    found_: list[tuple[str, object, str]] = []
    for name in ("poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock"):
        path = f"{p.root}/{name}" if p.root else name
        if path in read or path == mine or (data := v.tree.read(path)) is None:
            continue
        try:
            lock = locks.read(path, data)
        except ValueError:
            continue
        found_ += [
            (path, entry.where, entry.version) for entry in (lock.entries if lock else ()) if entry.name == "torch"
        ]
    return found_


def _exported(v: View, path: str) -> bool:
    data = v.tree.read(path) or b""
    head = data[:600].lower()
    if re.search(rb"--python-platform[= ]\S*(?:macos|apple|windows)|--resolution\b|--overrides?\b", head):
        return False  # resolved for another system, or by another rule, on purpose
    return (
        (b"autogenerated by uv" in head and (b"uv export" in head))
        or b"poetry export" in head
        or b"pdm export" in head
        or b"exported from" in head
        or ((b"pip-compile" in head or b"uv pip compile" in head) and b"pyproject.toml" in head)
    )


# How `poetry export` writes a line: it leaves no comment that says so.
_OF_POETRY = pattern(r'[a-z0-9._-]+(?:\[[^\]\s]*\])?==\S+ ; (?:\(?[a-z_]+ \S+ "[^"]*"\)?(?: and | or )?)+(?: \\)?')


def _as_poetry(v: View, path: str) -> bool:
    """Whether each line of a requirements file looks as `poetry export` writes it, with the project's Pythons."""
    rows = (v.tree.read(path) or b"").decode("utf-8", "replace").splitlines()
    lines = [row.rstrip() for row in rows if row.strip() and not row.startswith(("#", "-", " "))]
    return bool(lines) and all("python_version" in line and _OF_POETRY.fullmatch(line) for line in lines)


def tag_mix_locked(p: Project, v: View) -> Findings:
    """TS206 and TS220 in locks: builds that meet, variants that drift."""
    for lock in p.locks:
        if lock.format not in ("uv.lock", "poetry.lock", "pylock.toml", "Pipfile.lock"):
            continue
        entries = [entry for entry in lock.entries if entry.name in FAMILY]
        torches = [entry for entry in entries if entry.name == "torch"]
        if len(torches) == 1 and urls.tag_of(specs.label(torches[0].version)):
            for entry in entries:
                tag = urls.tag_of(specs.label(entry.version))
                same = [other for other in entries if other.name == entry.name]
                if entry.name != "torch" and tag and len(same) == 1 and tag != torches[0].tag():
                    yield found(
                        "TS206",
                        entry.where,
                        f"`{entry.name}` {entry.version} and `torch` {torches[0].version} are locked for one environment",
                        f"Route both to one index, then run `{p.semantics().relock}`.",
                        related=(torches[0].where,),
                    )
        publics = {specs.public(entry.version) for entry in torches}
        if len(publics) < 2:
            continue
        tagged = [entry for entry in torches if urls.tag_of(specs.label(entry.version))]
        kinds = {specs.public(entry.version): urls.tag_of(specs.label(entry.version)) for entry in tagged}
        pins = {req.spec.text for req in p.named("torch")}
        if len(kinds) < 2 or len(pins) > 1 or len(set(kinds.values())) < 2:
            continue
        if any("python" in entry.marker for entry in tagged):
            continue
        shown = ", ".join(sorted(entry.version for entry in tagged))
        yield found(
            "TS220",
            tagged[0].where,
            f"the variants are locked at different torch versions: {shown}",
            f"{_levelled(v, tagged)}, then run `{p.semantics().relock}`.",
        )


def _levelled(v: View, tagged: list[Locked]) -> str:
    """How variants come to one version: not by a pin that takes the fix of an advisory from those that have it."""
    for advisory in v.table.overlay["advisories"]:
        spec = specs.parse(f">={advisory['fixed']}")
        low = [entry for entry in tagged if not spec.admits(specs.public(entry.version))]
        if not low or len(low) == len(tagged):
            continue
        shown = " and ".join(sorted(entry.version for entry in low))
        ended = next((tag for entry in low if (tag := entry.tag()) and _before(v, tag, spec)), "")
        if ended:
            better = f"https://download.pytorch.org/whl/{v.table.going_on(ended, v.table.rows)}"
            return f"Move {ended}, which ended before {advisory['fixed']} with the fix of {advisory['id']}, to an index that goes on, such as {better}"
        return f"Find what holds {shown} below {advisory['fixed']}, which mends {advisory['id']}, and ask for that version in every variant"
    return "Pin one version that every variant has"


def _before(v: View, tag: str, fixed: specs.Spec) -> bool:
    """Whether a build line ended before a version."""
    last = v.table.last_for(tag)
    return last is not None and not fixed.admits(last.torch)
