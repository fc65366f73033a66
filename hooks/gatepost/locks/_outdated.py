"""What the inputs of a compiled requirements file say now, against its pins and their `# via` notes."""

from __future__ import annotations

from gatepost.locks._base import Stale
from gatepost.locks._compiled import base_directory, is_input
from gatepost.locks._manifest import canonical, meets, requirement, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.locks._base import Lock
    from gatepost.locks._compiled import Asked, Command, Inputs
    from gatepost.manifests.requirements import ReqLine

    Pins = list[tuple[ReqLine, tuple[str, ...]]]


PYTHONS = tuple(f"3.{minor}" for minor in range(8, 17))
UNSAFE = frozenset({"pip", "setuptools", "distribute"})


def _environment(lock: Lock, command: Command) -> str:
    """The Python version it was compiled for ("3.11"), "" where the file does not say."""
    import re

    for value in command.values("--python-version"):
        if found := re.match(r"\d+\.\d+", value):
            return found[0]
    written = re.search(rb"pip-compile with python (\d+\.\d+)", lock.data[:400].lower())
    return written[1].decode() if written else ""


def _active(marker: str, python: str) -> bool | None:
    """Whether a marker that speaks only of the Python version holds; None where files do not tell.

    Where the version is not recorded, every Python that uv compiles for must agree.
    """
    if not marker:
        return True
    names = ("platform", "sys_", "os_name", "implementation", "extra", "python_full_version")
    parsed = requirement(f"x; {marker}")
    if parsed is None or parsed.marker is None or any(name in marker for name in names):
        return None
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
    from packaging.version import InvalidVersion

    answers = set()
    for version in [python] if python else PYTHONS:
        try:
            answers.add(parsed.marker.evaluate({"python_version": version, "python_full_version": f"{version}.0"}))
        except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion, KeyError):
            return None
    return answers.pop() if len(answers) == 1 else None


def _keeps_extras(lock: Lock, command: Command, base: str) -> bool:
    """Whether extras stay in the output: pip-compile does it unless told, uv only when told."""
    if command.has("--no-strip-extras"):
        return True
    if command.tool != "pip-compile" or command.has("--strip-extras"):
        return False
    from gatepost.locks._compiled import join

    settings = [lock.read(join(base, name)) or b"" for name in (".pip-tools.toml", "pyproject.toml")]
    return not any(b"strip-extras" in data or b"strip_extras" in data for data in settings)


def compare(lock: Lock, command: Command, inputs: Inputs, locked: Pins, rule: str) -> Stale | None:
    """The first thing that is out of date for sure, or None; the command that renews the lock is for the caller to add."""
    by_name: dict[str, Pins] = {}
    for line, via in locked:
        by_name.setdefault(canonical(line.name), []).append((line, via))
    python = _environment(lock, command)
    universal = command.has("--universal")
    decided = overridden(lock, command)
    silent = {canonical(name) for option in ("--no-emit-package", "--unsafe-package", "--excludes")
              for name in command.values(option)} | UNSAFE | decided | inputs.own  # fmt: skip
    noted = any(is_input(label) for _, via in locked for label in via)
    base = base_directory(lock, command) or ""
    keeps = _keeps_extras(lock, command, base)
    repeated = _repeated(inputs.asked)
    for asked in inputs.asked:
        name = canonical(asked.line.name)
        if not name or name in silent:
            continue
        active = _active(asked.line.marker, python)
        if universal and asked.line.marker:
            active = None if "python" in asked.line.marker or "extra" in asked.line.marker else True
        reason = _unmet(asked, by_name.get(name, []), active, noted, keeps, name in repeated)
        if reason:
            return _stale(lock, rule, reason, asked)
    for limit in inputs.constraints:
        name = canonical(limit.line.name)
        if name in by_name and name not in decided and limit.line.specifier and _active(limit.line.marker, python):
            versions = [pinned(line) for line, _ in by_name[name]]
            if all(version and meets(version, limit.line.specifier) is False for version in versions):
                reason = f"{limit.place} limits {show(limit.line.text)}, the lock holds {name} {', '.join(versions)}"
                return _stale(lock, rule, reason, limit)
    for file, line in overrides(lock, command):
        versions = [pinned(pin) for pin, _ in by_name.get(canonical(line.name), ())]
        if line.specifier and not line.marker and not line.url and versions:
            if all(version and meets(version, line.specifier) is False for version in versions):
                reason = f"{file} asks for {show(line.text)}, the lock holds {line.name} {', '.join(versions)}"
                return Stale(rule=rule, reason=reason)
    names = {
        canonical(asked.line.name)
        for asked in inputs.asked
        if universal or _active(asked.line.marker, python) is not False
    }
    return _left_over(lock, inputs, locked, rule, noted, silent, keeps, names) or _elsewhere(
        lock, inputs, locked, rule, base, silent
    )


def labels(via: tuple[str, ...], own: frozenset[str]) -> tuple[str, ...]:
    """The notes, with a project's own name spelled as the input that it is."""
    return tuple(f"-r {label}" if canonical(label) in own else label for label in via)


def overrides(lock: Lock, command: Command) -> list[tuple[str, ReqLine]]:
    """The lines of every file of `--override`, each with the file as the command names it."""
    from gatepost.locks._compiled import join
    from gatepost.manifests.requirements import parse

    base = base_directory(lock, command) or ""
    values = command.values("--override")
    return [(value, line) for value in values for line in parse(lock.read(join(base, value)) or b"").lines]


def overridden(lock: Lock, command: Command) -> frozenset[str]:
    """Names that an override decides, whatever the inputs say."""
    from gatepost.locks._compiled import join

    names = {canonical(line.name) for _, line in overrides(lock, command)}
    base = base_directory(lock, command) or ""
    if command.tool == "uv":
        for data in (lock.read(join(base, "pyproject.toml")), lock.read(join(base, "uv.toml"))):
            if data and b"override-dependencies" in data:
                names |= _uv_overrides(data)
    return frozenset(names)


def _uv_overrides(data: bytes) -> set[str]:
    from gatepost.locks._manifest import requirement_name, strings, table
    from gatepost.toml.load import TomlError, loads

    try:
        values = loads(data)
    except TomlError:
        return set()
    found = table(values, "tool", "uv").get("override-dependencies", values.get("override-dependencies"))
    return {requirement_name(text) for _, text in strings(found)}


def _repeated(asked: tuple[Asked, ...]) -> set[str]:
    """Names that are asked for more than once with a marker: one line alone does not decide their pin."""
    count: dict[str, int] = {}
    marked: set[str] = set()
    for one in asked:
        name = canonical(one.line.name)
        count[name] = count.get(name, 0) + 1
        if one.line.marker:
            marked.add(name)
    return {name for name in marked if count[name] > 1}


def pinned(line: ReqLine) -> str:
    """The version of an exact pin, else ""."""
    text = line.specifier.strip()
    return text.lstrip("=").strip() if text.startswith("==") and "*" not in text and "," not in text else ""


def _unmet(asked: Asked, found: Pins, active: bool | None, noted: bool, keeps: bool, repeated: bool) -> str:
    """Why a requirement is not what the lock was made from, "" if it may be."""
    line = asked.line
    direct = any(is_input(label) for _, via in found for label in via)
    if active is False:
        return ""
    if not found:
        return f"{asked.place} gained {show(line.text)}" if active else ""
    if active is None and not (noted and direct):
        return ""
    versions = [pinned(pin) for pin, _ in found]
    if line.specifier and not line.url and not (repeated and active is None):
        outside = [version for version in versions if version and meets(version, line.specifier) is False]
        if len(outside) == len(found) and found:
            return (
                f"{asked.place} asks for {show(line.text)}, the lock holds {canonical(line.name)} {', '.join(outside)}"
            )
    if line.url and all(versions) and not line.editable:
        return f"{asked.place} asks for {show(line.text)}, the lock holds {canonical(line.name)} {', '.join(versions)}"
    if not line.url and not line.editable and all(pin.url for pin, _ in found) and noted and direct:
        return f"{asked.place} asks for {show(line.text)}, the lock takes it from {show(found[0][0].url)}"
    if noted and active and not direct and not repeated:
        return f"{asked.place} gained {show(line.text)} (the lock has it only because another package needs it)"
    if keeps and active and line.extras:
        had = {canonical(extra) for pin, _ in found for extra in pin.extras}
        for extra in line.extras:
            if canonical(extra) not in had:
                return f"{asked.place} asks for {show(line.text)}, the lock has it without the extra {show(extra)}"
    return ""


def _elsewhere(lock: Lock, inputs: Inputs, locked: Pins, rule: str, base: str, silent: set[str]) -> Stale | None:
    """A pin whose note names a file that was read, and that has no line on the package: another one has, or none."""
    from gatepost.locks._compiled import join

    if any(not one.line.name for one in (*inputs.asked, *inputs.constraints)):
        return None
    for kind, lines in (("-r ", inputs.asked), ("-c ", inputs.constraints)):
        found = {(one.path, canonical(one.line.name)) for one in lines}
        read = {path for path, _ in found}
        for line, via in locked:
            name = canonical(line.name)
            for label in via:
                path = join(base, label[3:].strip()) if label.startswith(kind) else ""
                if name not in silent and path in read and (path, name) not in found:
                    what = "asks for" if kind == "-r " else "limits"
                    return _stale(lock, rule, f"{show(label[3:].strip())} no longer {what} {show(name)}", None)
    return None


def _left_over(
    lock: Lock,
    inputs: Inputs,
    locked: Pins,
    rule: str,
    noted: bool,
    silent: set[str],
    keeps: bool,
    names: set[str],
) -> Stale | None:
    """A pin that its own note contradicts: asked for by an input that asks no more, or by a package that is gone."""
    if not noted:
        return None
    unnamed = any(not one.line.name for one in inputs.asked)
    pinned = {canonical(line.name) for line, _ in locked}
    for line, via in locked:
        name = canonical(line.name)
        if not name or name in silent or (unnamed and line.url):
            continue
        if not via and not line.url and not line.editable:
            reason = f"{show(name)} on line {line.line} has no `# via` note: it was added by hand"
            return _stale(lock, rule, reason, None)
        labels = [label for label in via if is_input(label)]
        if labels and name not in names and not unnamed:  # uv notes what `.[extra]` asks for as the input's own
            reason = f"{show(labels[0].removeprefix('-r '))} no longer asks for {show(name)}"
            idle = next((one for one in inputs.asked if canonical(one.line.name) == name), None)
            if idle is not None:
                reason = f"{idle.place} asks for {show(idle.line.text)}, whose marker does not hold, the lock has it"
            return _stale(lock, rule, reason, idle)
        if keeps and not unnamed and labels and len(labels) == len(via):
            wanted = {
                canonical(extra)
                for one in inputs.asked
                if canonical(one.line.name) == name
                for extra in one.line.extras
            }
            for extra in line.extras:
                if canonical(extra) not in wanted:
                    reason = f"{show(labels[0].removeprefix('-r '))} no longer asks for {show(name)}[{show(extra)}]"
                    return _stale(lock, rule, reason, None)
        for label in via:
            parent = canonical(label.split("[")[0].strip())
            if " " in label or label.startswith("-") or not parent or parent in silent or parent in pinned:
                continue
            if not unnamed and "/" not in label and ":" not in label and not label.endswith((".txt", ".in", ".toml")):
                reason = f"{show(name)} is there for {show(parent)}, which the lock no longer has"
                return _stale(lock, rule, reason, None)
    return None


def _stale(lock: Lock, rule: str, reason: str, asked: Asked | None) -> Stale:
    line = asked.number if asked else None
    if asked and asked.key:
        line = _line_of_key(lock, asked)
    if asked and asked.place == asked.path:  # the report names the file beside the lock
        reason = "it" + reason.removeprefix(asked.place)
    return Stale(
        rule=rule,
        reason=reason,
        path=asked.path if asked else "",
        key=asked.key if asked else "",
        line=line,
    )


def _line_of_key(lock: Lock, asked: Asked) -> int | None:
    import re

    from gatepost.locks._manifest import line_of

    found = re.fullmatch(r"(.+)\[(\d+)\]", asked.key)
    if not found:
        return None
    key: list[str | int] = list(found[1].split(".", 2)) if found[1].startswith("project.optional") else []
    key = key or list(found[1].split(".", 1))
    return line_of(lock, asked.path, (*key, int(found[2])))
