"""pylock.toml (PEP 751): the standard records no digest of its inputs, so the verdict depends on who wrote it.

* PDM writes its content hash into `[tool.pdm.hashes]`: exact.
* Beside a uv.lock, a file made by `uv export` must hold the versions that uv.lock holds: one-sided.
* Anything else: is every requirement of the manifest in it, in a version that the manifest allows? One-sided.
"""

from __future__ import annotations

import re

from gatepost.locks._base import Contents, Fresh, LockFormat, Need, Package, Stale, Unknown
from gatepost.locks._manifest import canonical, conflict_line, line_of, load_toml, meets, quote, show, spell_key, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepost.locks._base import Lock, Verdict

PARTIAL = "removed requirements, changed markers, extras, options and indexes"
_COMMAND = re.compile(rb"^#[ \t]{2,}((?:uv|pip|pdm) [^\r\n]*)", re.MULTILINE)


def _load(lock: Lock) -> dict[str, Any] | Unknown:
    from gatepost.toml.load import TomlError, loads

    if (line := conflict_line(lock.data)) is not None:
        return Unknown(rule="pylock.toml", reason="it has merge conflict markers", line=line, code="LF202")
    try:
        return loads(lock.data)
    except TomlError as error:
        return Unknown(
            rule="pylock.toml", reason=f"it is not valid TOML: {error.reason}", line=error.line, code="LF202"
        )


def judge(lock: Lock) -> Verdict:
    """By writer: see the module."""
    data = _load(lock)
    if isinstance(data, Unknown):
        return data
    version = data.get("lock-version")
    if not isinstance(version, str) or not re.fullmatch(r"1\.\d+", version):
        reason = f"its lock-version {show(str(version))} is not 1.x"
        return Unknown(rule="pylock.toml", reason=reason, code="LF302")
    pdm = table(data, "tool", "pdm")
    if pdm:
        return _pdm(lock, pdm)
    if lock.read(lock.beside("uv.lock")) is not None and _by_uv(lock, data):
        from gatepost.locks.exports import compare_with_uv

        entries = [entry for entry in data.get("packages", []) if isinstance(entry, dict)]
        pins = [(str(entry.get("name", "")), str(entry.get("version", "")), None) for entry in entries]
        return compare_with_uv(lock, pins, lock.beside("uv.lock"), relock(lock))
    if b"uv pip compile" in lock.data[:2000]:
        return _against_inputs(lock, data)
    if lock.read(lock.beside("pyproject.toml")) is None:
        return Fresh(rule="pylock.toml", partial="everything: no manifest stands beside it")
    return _compare(lock, data)


def _by_uv(lock: Lock, data: dict[str, Any]) -> bool:
    return data.get("created-by") == "uv" and b"uv pip compile" not in lock.data[:2000]


def _pdm(lock: Lock, pdm: dict[str, Any]) -> Verdict:
    from gatepost.locks.pdm import compare_hash

    path = lock.beside("pyproject.toml")
    data = load_toml(lock, path, "pylock.toml of PDM")
    if isinstance(data, Unknown):
        return data
    if "lock_inputs" in pdm:
        from gatepost.locks._pdm_inputs import judge_inputs

        return judge_inputs(lock, data, pdm["lock_inputs"], path)
    for algorithm, digest in table(pdm, "hashes").items():
        return compare_hash(lock, data, algorithm, digest if isinstance(digest, str) else "", path)
    return Unknown(rule="pylock.toml of PDM", reason="it has no [tool.pdm.hashes]")


def _compare(lock: Lock, data: dict[str, Any]) -> Verdict:
    """Every unconditional requirement of [project] must be in the lock, in a version it allows."""
    from gatepost.locks._pdm_lock import wanted

    rule = "pylock.toml against [project]"
    path = lock.beside("pyproject.toml")
    manifest = load_toml(lock, path, rule)
    if isinstance(manifest, Unknown):
        return manifest
    project = table(manifest, "project")
    dynamic = project.get("dynamic")
    if not project or (isinstance(dynamic, list) and "dependencies" in dynamic):
        reason = f"{path} has no static [project] dependencies to compare with"
        return Unknown(rule=rule, reason=reason, path=path)
    own = canonical(str(project.get("name", "")))
    locked = _locked(data)
    # `pip lock -r FILE` and a lock with a name of its own: from what is not recorded
    if own not in locked and (data.get("created-by") == "pip" or lock.name != "pylock.toml"):
        return Fresh(rule=rule, partial="everything: it was not made from the project, and does not say from what")
    uv = table(manifest, "tool", "uv")
    if {"override-dependencies", "constraint-dependencies", "exclude-dependencies"} & set(uv):
        return Fresh(rule=rule, partial=f"everything: {path} overrides requirements")
    for group, key, text, parsed in wanted(manifest):
        if group != "default" or parsed.marker is not None or parsed.url:
            continue
        found = locked.get(canonical(parsed.name))
        reason = ""
        if found is None:
            reason = f"dependencies gained {text}"
        elif all(meets(version, str(parsed.specifier)) is False for version in found):
            reason = f"dependencies asks for {text}, the lock holds {canonical(parsed.name)} {show(', '.join(found))}"
        if reason:
            line = line_of(lock, path, key)
            return Stale(rule=rule, reason=reason, path=path, key=spell_key(key), line=line, partial=PARTIAL)
    return Fresh(rule=rule, partial=PARTIAL)


def _locked(data: dict[str, Any]) -> dict[str, list[str]]:
    """Normal name -> the versions that the lock holds of it."""
    locked: dict[str, list[str]] = {}
    for entry in data.get("packages", []) if isinstance(data.get("packages"), list) else []:
        if isinstance(entry, dict):
            locked.setdefault(canonical(str(entry.get("name", ""))), []).append(str(entry.get("version", "")))
    return locked


def _against_inputs(lock: Lock, data: dict[str, Any]) -> Verdict:
    """The inputs of `uv pip compile`, as the header names them: each plain one must be there, in a version it allows."""
    from gatepost.locks._compiled import base_directory, parse_command, read_inputs
    from gatepost.locks._outdated import UNSAFE, overridden

    rule = "pylock.toml against the inputs of uv pip compile"
    lines = lock.data[:8000].decode("utf-8", "replace").splitlines()
    command = parse_command("\n".join(line for line in lines if line.startswith("#")), "uv")
    base = base_directory(lock, command) if command and command.tool else None
    if command is None or base is None:
        return Unknown(rule=rule, reason="the inputs that its header names are not found", code="LF304")
    inputs = read_inputs(lock, command, base)
    if inputs.problem:
        return Unknown(rule=rule, reason=inputs.problem, path=inputs.problem_path, code="LF304")
    if b"exclude-dependencies" in (lock.read(lock.beside("pyproject.toml")) or b""):
        return Fresh(rule=rule, partial="everything: the project excludes requirements")
    left_out = {name for option in ("--no-emit-package", "--unsafe-package") for name in command.values(option)}
    silent = set(map(canonical, left_out)) | UNSAFE | overridden(lock, command) | inputs.own
    locked = _locked(data)
    for asked in inputs.asked:
        line, name = asked.line, canonical(asked.line.name)
        if not name or name in silent or line.marker or line.url or line.editable:
            continue
        place = "it" if asked.place == asked.path else asked.place
        reason = ""
        if name not in locked:
            reason = f"{place} gained {show(line.text)}"
        elif all(meets(version, line.specifier) is False for version in locked[name]):
            reason = f"{place} asks for {show(line.text)}, the lock holds {name} {show(', '.join(locked[name]))}"
        if reason:
            return Stale(rule=rule, reason=reason, path=asked.path, key=asked.key, line=asked.number, partial=PARTIAL)
    return Fresh(rule=rule, partial=PARTIAL)


def relock(lock: Lock) -> str:
    """The header's command, else the one of the tool in `created-by`."""
    if found := _COMMAND.search(lock.data[:4000]):
        command = show(found[1].decode("utf-8", "replace"), 300)
    elif b"[tool.pdm" in lock.data or b'created-by = "pdm"' in lock.data[:4000]:
        return f"pdm lock --lockfile {quote(lock.name)}" + (
            f" --project {quote(lock.directory)}" if lock.directory else ""
        )
    elif lock.read(lock.beside("uv.lock")) is not None:
        command = f"uv export --format pylock.toml -o {quote(lock.name)}"
    elif b'created-by = "pip"' in lock.data[:4000]:
        command = f"pip lock -o {quote(lock.name)} ."
    else:
        command = f"uv pip compile pyproject.toml --format pylock.toml -o {quote(lock.name)}"
    return f"(cd {quote(lock.directory)} && {command})" if lock.directory else command


def packages(lock: Lock) -> Contents:
    """The packages; PEP 751 demands a hash for every file."""
    from gatepost.locks._slim import header_lines

    data = _load(lock)
    if isinstance(data, Unknown):
        return Contents(broken=data.reason, line=data.line)
    found = data.get("packages", [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        return Contents(broken="`packages` is not an array of tables")
    lines = header_lines(lock.data, b"packages")
    entries = []
    for index, entry in enumerate(found):
        name, version, marker = entry.get("name"), entry.get("version", ""), entry.get("marker", "")
        line = lines[index] if len(lines) == len(found) else None
        if not isinstance(name, str):
            return Contents(broken="a package has no name", line=line)
        origin = (
            "git" if "vcs" in entry else "path" if "directory" in entry else "url" if "archive" in entry else "registry"
        )
        wheels = entry.get("wheels", [])
        files = [*(wheels if isinstance(wheels, list) else []), *([entry["sdist"]] if "sdist" in entry else [])]
        known = all(isinstance(one, dict) and bool(one.get("hashes")) for one in files)
        requires = entry.get("dependencies", [])
        entries.append(
            Package(
                name=canonical(name),
                version=version if isinstance(version, str) else "",
                identity=(canonical(name), str(version), str(marker), str(entry.get("vcs", entry.get("archive", "")))),
                origin=origin,
                hashed=known if files and origin == "registry" else None,
                requires=tuple(
                    Need(name=canonical(str(one["name"])), optional=True)
                    for one in (requires if isinstance(requires, list) else [])
                    if isinstance(one, dict) and "name" in one
                ),
                marker=marker if isinstance(marker, str) else "",
                line=line,
            )
        )
    return Contents(packages=tuple(entries), hashes=True)


FORMAT = LockFormat(
    name="pylock",
    files="pylock.toml, pylock.*.toml",
    decides="PDM's content hash where PDM wrote it (then exact); beside a uv.lock its versions; else the requirements against the pins",
    unseen=PARTIAL,
    pattern=r"pylock\.toml|pylock\.[^./]+\.toml",
    manifests=("pyproject.toml",),
    relock=relock,
    judge=judge,
    packages=packages,
)
