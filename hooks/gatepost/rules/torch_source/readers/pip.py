"""pip: requirements files with their includes, index options, constraint files.

Semantics (tested with pip 26): every index and page is merged, the highest version wins, ties go to the local label
as text; the last `--index-url` wins; an option on a requirement's own line is ignored but for `--hash` and
`--config-settings`; options of an included file count for all.
"""

from __future__ import annotations

from gatepost.manifests import requirements as reader
from gatepost.model import Location
from gatepost.patterns import pattern
from gatepost.rules.torch_source import urls as addresses
from gatepost.rules.torch_source.model import (
    CONSTRAINT,
    DIRECT,
    EXTENDED,
    FILE,
    LINKS,
    Env,
    Fact,
    Index,
    Project,
    Requirement,
)
from gatepost.rules.torch_source.readers import common
from gatepost.rules.torch_source.readers.own_options import own_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gatepost.manifests.requirements import ReqFile, ReqOption

    Read = Callable[[str], "bytes | None"]


_BLANK = pattern(r"(?<=[0-9])\s+\+")


class Closure:
    """A requirements file with all that it includes: (path, file, is a constraint) in the order pip reads them."""

    def __init__(self, path: str, read: Callable[[str], ReqFile | None]) -> None:
        self.files: list[tuple[str, ReqFile, bool]] = []
        self.missing = False
        self._read = read
        self._walk(path, False, set())

    def _walk(self, path: str, constraint: bool, seen: set[tuple[str, bool]]) -> None:
        if (path, constraint) in seen or len(seen) > 100:
            return
        seen.add((path, constraint))
        file = self._read(path)
        if file is None:
            self.missing = True
            return
        self.files.append((path, file, constraint))
        for name, is_constraint, _ in file.includes:
            if "://" in name:
                self.missing = True
                continue
            self._walk(common.join(common.folder(path), name), constraint or is_constraint, seen)


def read(path: str, read_file: Callable[[str], ReqFile | None]) -> Project | None:
    """The project of a requirements file and its includes, or None if the file cannot be read."""
    closure = Closure(path, read_file)
    if not closure.files:
        return None
    requirements: list[Requirement] = []
    indexes: list[Index] = []
    facts: list[Fact] = []
    env = Env(kind=FILE, name=path)
    for where, file, constraint in closure.files:
        for line in file.lines:
            name = reader.canonical(line.name)
            if not name:
                continue
            facts += own_options(where, file, line, name)
            if name in EXTENDED and (blank := _BLANK.search(line.specifier)):
                facts.append(
                    Fact(
                        code="TS201",
                        where=Location(path=where, line=line.line),
                        message=f"`{name}{line.specifier}` has a blank before its build tag: no valid version, so pip and uv refuse the whole file",
                        remedy=f"Write `{name}{line.specifier[: blank.start()]}{line.specifier[blank.end() - 1 :]}`.",
                        edits=((line.span[0] + blank.start(), line.span[0] + blank.end() - 1, ""),),
                    )
                )
            requirements.append(
                common.of_line(
                    line,
                    env,
                    Location(path=where, line=line.line),
                    role=CONSTRAINT if constraint else DIRECT,
                    span=line.span,
                    whole=line.whole,
                )
            )
        for option in file.options:
            found = common.index_of(option.name, option.value, Location(path=where, line=option.line), option.span)
            if found is not None:
                indexes.append(found)
    default = [index for index in indexes if index.written == "index-url"]
    for index in default[:-1]:  # only the last counts
        indexes.remove(index)
    facts += _repeated(closure)
    if any(option.name == "no-index" for _, file, _ in closure.files for option in file.options):
        indexes = [index for index in indexes if index.role == LINKS]
    return Project(
        tool="pip",
        root=common.folder(path),
        path=path,
        files=tuple(where for where, _, _ in closure.files),
        requirements=tuple(requirements),
        indexes=tuple(indexes),
        facts=tuple(facts),
        dynamic=closure.missing,
    )


def read_config(path: str, data: bytes) -> Project | None:
    """The indexes of a pip.conf or pip.ini, judged as the options of the same name; None where it names none.

    Source: pip's documentation, "Configuration": an INI file, each key an option, several values on indented lines.
    """
    indexes: list[Index] = []
    facts: list[Fact] = []
    for name, value, line, start in _settings(data.decode("utf-8", "replace")):
        where = Location(path=path, line=line, key=name)
        found = common.index_of(name, value, where, (start, start + len(value)))
        if found is not None:
            indexes.append(found)
        elif name == "trusted-host" and addresses.split("https://" + value).host.endswith("pytorch.org"):
            facts.append(
                Fact(
                    code="TS405",
                    where=where,
                    message=f"certificates of `{value}` are not checked (trusted-host)",
                    remedy=f"Remove `{value}` from trusted-host.",
                )
            )
    if not indexes and not facts:
        return None
    return Project(
        tool="pip", root=common.folder(path), path=path, files=(path,), indexes=tuple(indexes), facts=tuple(facts)
    )


def _settings(text: str) -> list[tuple[str, str, int, int]]:
    """(option, one value, 1-based line, offset of the value) of an INI file; values are split at white space."""
    found = []
    offset, name = 0, ""
    for number, row in enumerate(text.splitlines(keepends=True), 1):
        plain = row.strip()
        at = offset
        offset += len(row)
        if not plain or plain[0] in "#;[":
            name = name if not plain or plain[0] != "[" else ""
            continue
        rest = 0
        if not row[0].isspace():
            stop = min((place for mark in "=:" if (place := row.find(mark)) >= 0), default=-1)
            if stop < 0:
                continue
            name = row[:stop].strip().lower().replace("_", "-").removeprefix("--")
            rest = stop + 1
        for value in row[rest:].split():
            if value[0] in "#;":
                break
            rest = row.index(value, rest)
            found.append((name, value, number, at + rest))
            rest += len(value)
    return found


def _repeated(closure: Closure) -> list[Fact]:
    """TS120 and TS405: more than one --index-url; --trusted-host for a host of PyTorch's."""
    found = []
    first: tuple[str, int, str] | None = None
    for path, file, _ in closure.files:
        for option in file.options:
            if option.name == "index-url":
                if first is not None and not addresses.same(first[2], option.value):
                    found.append(
                        Fact(
                            code="TS120",
                            where=Location(path=path, line=option.line),
                            message=f"a second --index-url (the first is at {first[0]}:{first[1]}): pip takes only the last one, uv refuses the file",
                            remedy="Keep one --index-url; install from the other index in a step of its own.",
                        )
                    )
                first = first or (path, option.line, option.value)
            elif option.name == "trusted-host":
                host = addresses.split("https://" + option.value)
                official = host.official or option.value.endswith("pytorch.org")
                if _plain(closure, host.host):
                    continue  # no certificate there: TS401 says so of the index
                found.append(
                    Fact(
                        code="TS405",
                        where=Location(path=path, line=option.line),
                        message=f"certificates of `{option.value}` are not checked (--trusted-host)",
                        remedy="Remove the line"
                        + ("." if official else ", or give pip the host's certificate with `--cert`."),
                        edits=_line_edit(option) if official else (),
                    )
                )
    return found


def _plain(closure: Closure, host: str) -> bool:
    """Whether the indexes of the files that are on a host are asked over http."""
    asked = [addresses.split(option.value) for _, file, _ in closure.files for option in file.options]
    schemes = {url.scheme for url in asked if url.host == host}
    return schemes == {"http"}


def _line_edit(option: ReqOption) -> tuple[tuple[int, int, str], ...]:
    return ((option.start, option.stop, ""),)
