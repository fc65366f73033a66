"""conda's environment.yml, with the exact line of every dependency. Read as lines, not through a YAML library.

A conda environment file is flat: `name`, `channels`, `dependencies`, and a `pip:` list inside the last. A line reader
keeps the places that fixes need, costs nothing to import and survives templated (Jinja) files.
Source: conda's environment file specification; match specs as in conda's package match specification.
"""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Span: TypeAlias = tuple[int, int]

LIMIT = 1024 * 1024
_KEY = pattern(r"([A-Za-z_][\w-]*)\s*:\s*(.*)")
_ITEM = pattern(r"(\s*)-(?:\s+|$)(.*)")
_SPEC = pattern(
    r"(?:(?P<channel>[^:\s\[\]]+(?:/[^:\s]+)?)::)?(?P<name>[A-Za-z0-9_.-]+)\s*(?P<rest>[^\[]*)(?:\[(?P<keys>.*)\])?$"
)


@record
class CondaDep:
    """A dependency: match-spec parts as written. `build` is the build string after a second `=`."""

    name: str
    channel: str
    spec: str
    build: str
    line: int
    span: Span  # of the whole item's text, without quotes
    spec_span: Span  # of the version range
    start: int  # of the line
    end: int  # behind its line break


@record
class PipDep:
    """One line of the `pip:` list: a requirement or an option, as written."""

    text: str
    line: int
    span: Span
    start: int
    end: int


@record
class CondaFile:
    """An environment file."""

    name: str
    channels: tuple[str, ...]
    channel_lines: tuple[int, ...]
    dependencies: tuple[CondaDep, ...]
    pip: tuple[PipDep, ...]
    is_environment: bool  # has `dependencies` in the right shape
    line: int  # of `dependencies:`
    platforms: tuple[str, ...] = ()


def parse(data: bytes) -> CondaFile:
    """Read an environment file; what is not understood is left out, nothing is raised."""
    text = data[:LIMIT].decode("utf-8", "replace")
    found = _Reading()
    at = 0
    for number, raw in enumerate(text.splitlines(keepends=True), 1):
        start, at = at, at + len(raw)
        line = raw.rstrip("\r\n").lstrip("\ufeff")
        begin = start + len(raw.rstrip("\r\n")) - len(line)
        body = _strip_comment(line)
        item = _ITEM.match(body)
        key = _KEY.match(body) if item is None else None
        if key is not None and not body[0].isspace():
            found.key(key, number, begin)
        elif item is not None and found.flow < 0:
            found.item(item, number, begin, start, at)
    if found.flow >= 0:
        for value, begin, inside_pip in _flow(text, found.flow):
            stop = begin + len(value)
            found.add(value, text.count("\n", 0, begin) + 1, begin, begin, stop, inside_pip)
    return found.file()


class _Reading:
    """What is read of a file so far. Places are offsets into its text; `flow` is where `dependencies: [` opens, or -1."""

    def __init__(self) -> None:
        self.flow = -1
        self._name = self._section = ""
        self._where = 0  # the line of `dependencies:`
        self._channels: list[str] = []
        self._channel_lines: list[int] = []
        self._platforms: list[str] = []
        self._dependencies: list[CondaDep] = []
        self._pip: list[PipDep] = []
        self._in_pip = -1  # how far the `pip:` item is indented, while inside of it
        self._found_items = False

    def key(self, key: re.Match[str], number: int, begin: int) -> None:
        """A key at the margin: `channels:`, `name: app`."""
        self._section, self._in_pip = key[1], -1
        value = key[2].strip()
        if self._section == "name":
            self._name = value.strip("'\"")
        elif self._section == "dependencies":
            self._where = number
            if value.startswith("["):
                self.flow = begin + key.start(2)
        elif self._section in ("channels", "platforms") and value.startswith("["):
            parts = [part.strip(" '\"") for part in value.strip("[]").split(",") if part.strip()]
            if self._section == "channels":
                self._channels += parts
                self._channel_lines += [number] * len(parts)
            else:
                self._platforms += parts

    def item(self, item: re.Match[str], number: int, begin: int, start: int, end: int) -> None:
        """An item of a list: its line begins at `begin`, and reaches from `start` to `end` with what surrounds it."""
        indent, value = len(item[1]), item[2].strip()
        offset = begin + item.start(2) + (len(item[2]) - len(item[2].lstrip()))
        if value[:1] in "\"'" and len(value) > 1 and value[-1] == value[0]:
            value, offset = value[1:-1], offset + 1
        if self._section == "channels":
            self._channels.append(value)
            self._channel_lines.append(number)
        elif self._section == "platforms":
            self._platforms.append(value)
        elif self._section == "dependencies":
            inside_pip = self._in_pip >= 0 and indent > self._in_pip
            if not inside_pip and re.fullmatch(r"pip\s*:\s*", value):
                self._in_pip, self._found_items = indent, True
                return
            if not inside_pip:
                self._in_pip = -1
            self.add(value, number, offset, start, end, inside_pip)

    def add(self, value: str, number: int, offset: int, start: int, end: int, inside_pip: bool) -> None:
        """A dependency, of conda or of its `pip:` list."""
        span = (offset, offset + len(value))
        self._found_items = True
        if inside_pip:
            self._pip.append(PipDep(text=value, line=number, span=span, start=start, end=end))
            return
        dep = _dependency(value, number, span, start, end)
        if dep is not None:
            self._dependencies.append(dep)

    def file(self) -> CondaFile:
        """All of it."""
        return CondaFile(
            name=self._name,
            channels=tuple(self._channels),
            channel_lines=tuple(self._channel_lines),
            dependencies=tuple(self._dependencies),
            pip=tuple(self._pip),
            is_environment=bool(self._where) and self._found_items,
            line=self._where,
            platforms=tuple(self._platforms),
        )


def _flow(text: str, at: int) -> list[tuple[str, int, bool]]:
    """(item, its offset, stands in the pip list) of a list in YAML's flow style: `[python=3.11, {pip: [torch]}]`."""
    found: list[tuple[str, int, bool]] = []
    closing: list[str] = []
    pip_depth = 0
    size = len(text)
    while at < size:
        char = text[at]
        if char in "[{":
            closing.append("]" if char == "[" else "}")
        elif char in "]}":
            if not closing or char != closing.pop():
                return found
            pip_depth = pip_depth if len(closing) >= pip_depth else 0
            if not closing:
                return found
        elif char == "#" and text[at - 1].isspace():
            at = text.find("\n", at)
            if at < 0:
                return found
            continue
        elif char in "\"'":
            stop = text.find(char, at + 1)
            if stop < 0:
                return found
            found.append((text[at + 1 : stop], at + 1, bool(pip_depth)))
            at = stop
        elif not char.isspace() and char != ",":
            stop = at
            depth = 0  # brackets of a match spec: `pytorch[build=cuda*]`
            while stop < size and (depth or text[stop] not in ",]}\r\n"):
                depth += (text[stop] == "[") - (text[stop] == "]")
                if text[stop] == "\n" or (text[stop] == ":" and text[stop + 1 : stop + 2].isspace()):
                    break
                stop += 1
            value = text[at:stop].rstrip()
            if text[stop : stop + 1] == ":" and value == "pip":
                pip_depth = len(closing)
            elif value:
                found.append((value, at, bool(pip_depth)))
            at = stop if text[stop : stop + 1] != ":" else stop + 1
            continue
        at += 1
    return found


def _strip_comment(line: str) -> str:
    quote = ""
    for place, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and (place == 0 or line[place - 1] in " -[,"):
            quote = char
        elif char == "#" and (place == 0 or line[place - 1].isspace()):
            return line[:place]
    return line


def dependency(text: str) -> CondaDep | None:
    """A match spec on its own, as on a command line; None where it is none."""
    return _dependency(text, 0, (0, len(text)), 0, len(text))


def _dependency(value: str, number: int, span: Span, start: int, end: int) -> CondaDep | None:
    found = _SPEC.match(value)
    if found is None:
        return None
    rest = (found["rest"] or "").rstrip()
    build = ""
    spec = rest.strip()
    parts = re.fullmatch(r"(=?)([^=\s<>!~|,]+)=([^=\s]+)", spec)
    if parts is None:
        parts = re.fullmatch(r"(==?)([^=\s]+)=([^=\s]+)", spec)
    if parts is None and (blank := re.fullmatch(r"([^\s<>=!~|,]+)\s+([^\s<>=!~|,]+)", spec)):
        spec, build = blank[1], blank[2]
    elif parts is not None:
        spec, build = parts[1] + parts[2], parts[3]
        if parts[1] == "=":
            spec = "==" + parts[2]
    keys = found["keys"] or ""
    channel = (found["channel"] or "").rsplit("/", 1)[-1] if found["channel"] else ""
    for key, text in re.findall(r"(\w+)\s*=\s*['\"]?([^,'\"\]]+)", keys):
        if key == "version" and not spec:
            spec = text
        elif key == "build" and not build:
            build = text
        elif key == "channel" and not channel:
            channel = text.rsplit("/", 1)[-1]
    offset = span[0] + found.start("rest")
    left = len(found["rest"]) - len(found["rest"].lstrip())
    spec_span = (offset + left, offset + len(rest))
    return CondaDep(
        name=found["name"].lower(),
        channel=channel,
        spec=spec,
        build=build,
        line=number,
        span=span,
        spec_span=spec_span,
        start=start,
        end=end,
    )
