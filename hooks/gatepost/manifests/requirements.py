"""pip's requirements files, read as pip reads them, with the exact place of every part.

Logical lines are joined over backslashes, comments start at a `#` at the start of a line or after white space,
options are split off at ` --` or ` -`. Nothing is opened here: what a file includes is only named.
Source: pip's requirements file format, `pip/_internal/req/req_file.py` (pip 26).
"""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Span: TypeAlias = tuple[int, int]

LIMIT = 4 * 1024 * 1024  # bytes read of one file

_COMMENT = pattern(r"(^|[ \t]+)#.*$", re.MULTILINE)
_NAME = pattern(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*")
_OPTION = pattern(r"(?:(?<=\s)|^)(--?[A-Za-z][A-Za-z0-9-]*)(?:\s*=\s*|\s+|$)")
_WITH_VALUE = {
    "-r": "requirement",
    "--requirement": "requirement",
    "-c": "constraint",
    "--constraint": "constraint",
    "-e": "editable",
    "--editable": "editable",
    "-i": "index-url",
    "--index-url": "index-url",
    "--pypi-url": "index-url",
    "--extra-index-url": "extra-index-url",
    "-f": "find-links",
    "--find-links": "find-links",
    "--trusted-host": "trusted-host",
    "--hash": "hash",
    "--no-binary": "no-binary",
    "--only-binary": "only-binary",
    "--use-feature": "use-feature",
    "--config-settings": "config-settings",
    "--config-setting": "config-settings",
    "-C": "config-settings",
    "--global-option": "global-option",
    "--install-option": "install-option",
}
_FLAGS = {
    "--no-index": "no-index",
    "--pre": "pre",
    "--prefer-binary": "prefer-binary",
    "--require-hashes": "require-hashes",
    "--process-dependency-links": "process-dependency-links",
    "--always-unzip": "always-unzip",
    "-Z": "always-unzip",
}
_URL_NAME = pattern(r"[#&]egg=([A-Za-z0-9._-]+)")
_WHEEL = pattern(r"([A-Za-z0-9_.]+)-([^-/]+)-[^/]*\.whl")


@record
class ReqOption:
    """An option: `name` is its canonical long name without dashes ("index-url")."""

    name: str
    value: str
    line: int
    span: Span  # the characters of the value
    start: int  # the first character of the option itself
    end: int
    stop: int = 0  # behind the logical line's break


@record
class ReqLine:
    """A requirement: `name` as written, "" for a bare URL or path whose name is not known."""

    name: str
    extras: tuple[str, ...]
    specifier: str
    url: str
    marker: str
    options: tuple[ReqOption, ...]  # on this line only
    hashes: tuple[str, ...]
    line: int
    text: str
    editable: bool
    span: Span  # of the specifier, or of the URL
    whole: Span  # of name to marker
    start: int  # of the logical line
    end: int  # behind its line break
    via: tuple[str, ...] = ()  # who asked for it, as pip-compile and uv write it
    comment: str = ""
    late: str = ""  # a marker behind the options, where pip reads none
    late_at: int = -1  # of the semicolon before it


@record
class ReqFile:
    """A requirements file."""

    lines: tuple[ReqLine, ...]
    options: tuple[ReqOption, ...]  # on lines of their own
    includes: tuple[tuple[str, bool, int], ...]  # (path as written, is a constraint file, line)
    header: str  # the comment at the top
    generated: str  # the tool that the header says wrote it: "pip-compile", "uv", "pip freeze", "poetry" or ""


def canonical(name: str) -> str:
    """The PEP 503 form of a name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def decode(data: bytes) -> str:
    """The text as pip decodes it: by BOM, else UTF-8, undecodable bytes replaced."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if data[:3] == b"\xef\xbb\xbf":
        return "\ufeff" + data[3:].decode("utf-8", "replace")
    return data.decode("utf-8", "replace")


def parse(data: bytes) -> ReqFile:
    """Read a requirements file; what is not understood is left out, nothing is raised."""
    return parse_text(decode(data[:LIMIT]))


def parse_text(text: str) -> ReqFile:
    lines: list[ReqLine] = []
    options: list[ReqOption] = []
    includes: list[tuple[str, bool, int]] = []
    for start, end, number, joined, comment in _logical(text):
        if joined[:1] == "\ufeff":
            joined = " " + joined[1:]
        stripped = joined.strip("\ufeff \t\r\n")
        if not stripped:
            if comment and lines:
                lines[-1] = _with_via(lines[-1], comment)
            continue
        begin = start + (len(joined) - len(joined.lstrip("\ufeff \t\r\n")))
        if stripped.startswith("-"):
            found = _options(joined, start, number)
            for option in found:
                if option.name in ("requirement", "constraint"):
                    includes.append((option.value, option.name == "constraint", number))
                elif option.name == "editable":
                    lines.append(_requirement(option.value, option.span[0], number, (), start, end, True, text))
                else:
                    options.append(replace(option, stop=end))
            continue
        cut = _OPTION.search(joined, len(joined) - len(joined.lstrip()))
        head = joined if cut is None else joined[: cut.start()]
        own = () if cut is None else _options(joined[cut.start() :], start + cut.start(), number)
        line = _requirement(head.strip("\ufeff \t\r\n"), begin, number, tuple(own), start, end, False, text)
        if own and (semicolon := joined.find(";", own[0].span[0] - start)) >= 0:
            line = replace(line, late=joined[semicolon + 1 :].strip(), late_at=start + semicolon)
        lines.append(_with_via(line, comment) if comment else line)
    header = "\n".join(_head(text))
    return ReqFile(
        lines=tuple(lines),
        options=tuple(options),
        includes=tuple(includes),
        header=header,
        generated=_generator(header),
    )


def _head(text: str) -> list[str]:
    found = []
    for line in text.lstrip("\ufeff").splitlines()[:30]:
        if not line.startswith("#"):
            break
        found.append(line)
    return found


def _generator(header: str) -> str:
    lower = header.lower()
    if "autogenerated by uv" in lower or "uv pip compile" in lower or "uv export" in lower:
        return "uv"
    if "autogenerated by pip-compile" in lower:
        return "pip-compile"
    if "autogenerated" in lower or "@generated" in lower or "generated by" in lower:
        return "other"
    return ""


def _logical(text: str) -> list[tuple[int, int, int, str, str]]:
    """(start, end, 1-based line, text with comments and continuations blanked, comment) of each logical line."""
    found: list[tuple[int, int, int, str, str]] = []
    at, number = 0, 1
    size = len(text)
    while at < size:
        start, first = at, number
        parts: list[str] = []
        comments: list[str] = []
        while at < size:
            stop = text.find("\n", at)
            stop = size if stop < 0 else stop + 1
            raw = text[at:stop]
            body = raw.rstrip("\r\n")
            comment = _COMMENT.search(body)
            is_comment = comment is not None and not body[: comment.start()].strip()
            number += 1
            at = stop
            if comment is not None:
                comments.append(comment[0].strip())
                body = body[: comment.start()]
            if comment is None and body.endswith("\\"):
                parts.append(body[:-1] + " " * (len(raw) - len(body) + 1))
                continue
            parts.append(body + " " * (len(raw) - len(body)))
            if is_comment and len(parts) > 1:
                break
            break
        found.append((start, at, first, "".join(parts), " ".join(comments)))
    return found


def _options(text: str, offset: int, number: int) -> list[ReqOption]:
    found: list[ReqOption] = []
    at = 0
    while at < len(text):
        match = _OPTION.search(text, at)
        if match is None:
            short = re.compile(r"(?:(?<=\s)|^)-([rcifeC])(?=\S)").search(text, at)
            if short is None:
                break
            match = short
            name, value_at = "-" + short[1], short.end()
        else:
            name, value_at = match[1], match.end()
            if name not in _WITH_VALUE and name not in _FLAGS and name[:2] in _WITH_VALUE and not name.startswith("--"):
                name, value_at = name[:2], match.start() + 2  # -rfile
        if name in _FLAGS:
            found.append(
                ReqOption(
                    name=_FLAGS[name],
                    value="",
                    line=number,
                    span=(offset + value_at, offset + value_at),
                    start=offset + match.start(),
                    end=offset + match.start() + len(name),
                )
            )
            at = match.start() + len(name)
            continue
        if name in ("-e", "--editable"):
            value_end = len(text.rstrip())
        else:
            value_end = value_at
            while value_end < len(text) and not text[value_end].isspace():
                value_end += 1
        value = text[value_at:value_end]
        if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
            value, value_at, value_stop = value[1:-1], value_at + 1, value_end - 1
        else:
            value_stop = value_end
        if name in _WITH_VALUE:
            found.append(
                ReqOption(
                    name=_WITH_VALUE[name],
                    value=value,
                    line=number,
                    span=(offset + value_at, offset + value_stop),
                    start=offset + match.start(),
                    end=offset + value_end,
                )
            )
        at = max(value_end, match.start() + 1)
    return found


def _requirement(
    body: str, begin: int, number: int, options: tuple[ReqOption, ...], start: int, end: int, editable: bool, text: str
) -> ReqLine:
    hashes = tuple(option.value for option in options if option.name == "hash")
    own = tuple(option for option in options if option.name != "hash")
    body = body.rstrip()
    name, extras, specifier, url, marker = "", (), "", "", ""  # type: str, tuple[str, ...], str, str, str
    span = (begin, begin + len(body))
    match = None if "://" in body.split("@")[0].split(";")[0] or body[:1] in "./" else _NAME.match(body)
    if match is not None:
        name = match[1]
        extras = tuple(part.strip() for part in (match[2] or "").split(",") if part.strip())
        rest = body[match.end() :]
        at = begin + match.end()
        if rest.startswith("@"):
            target = rest[1:].lstrip()
            at += len(rest) - len(target)
            stop = re.search(r"\s;|;\s", target)
            url = (target if stop is None else target[: stop.start()]).strip()
            marker = "" if stop is None else target[stop.end() :].strip("; \t")
            span = (at, at + len(url))
        elif rest[:1] in ("/", "\\", ":") or (rest and rest[0] not in "<>=!~;("):
            name, extras, url = "", (), body
        else:
            specifier, _, marker = rest.partition(";")
            span = (at, at + len(specifier.rstrip()))
            specifier, marker = specifier.strip(), marker.strip()
    else:
        url, _, marker = body.partition(" ;")
        url, marker = url.strip(), marker.strip()
        if found := _URL_NAME.search(url):
            name = found[1]
        elif wheel := _WHEEL.search(url.replace("%2B", "+")):
            name, specifier = wheel[1], ""
        span = (begin, begin + len(url))
    return ReqLine(
        name=name,
        extras=extras,
        specifier=specifier,
        url=url,
        marker=marker,
        options=own,
        hashes=hashes,
        line=number,
        text=body,
        editable=editable,
        span=span,
        whole=(begin, begin + len(body)),
        start=start,
        end=end,
    )


def _with_via(line: ReqLine, comment: str) -> ReqLine:
    words = comment.lstrip("# ")
    if words.startswith("via"):
        words = words[3:].strip()
    elif not line.comment.lstrip("# ").startswith("via"):
        return replace(line, comment=(line.comment + " " + comment).strip()) if not line.comment else line
    via = tuple(part for part in re.split(r"[,\s#]+", words) if part and part != "via")
    return replace(line, via=line.via + via, comment=line.comment or comment)


def parse_requirement(text: str) -> ReqLine:
    """One requirement (PEP 508, or a bare URL) as a `ReqLine` whose spans count from the start of `text`."""
    lead = len(text) - len(text.lstrip())
    return _requirement(text.strip(), lead, 1, (), 0, len(text), False, text)
