"""Comments that ignore a finding: `# gatepost: ignore[TS121] reason`, and what is wrong with those that do nothing.

The comment of a finding's line is looked for as text. One that silences nothing is told only where it is a comment
for certain: text that quotes one (a string, a page of documentation, a test) is no slip.
"""

from __future__ import annotations

import re

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from gatepost.model import Code

_COMMENT = re.compile(
    r"#.*?\bgatepost(?P<colon>:\s*ignore\b|\s+ignore(?=\[))(?:\[(?P<codes>[^\]]*)\])?\s*(?P<reason>.*)"
)
_CODE = re.compile(r"[A-Z]{2}\d{1,3}")
# where `#` starts a comment; not pages of text, data, or tests that hold whole files
_FORMS = re.compile(
    r"\.(?:pyi?|pyw|toml|ya?ml|cfg|ini|conf|in|sh|env|dockerignore)$|(?:^|/)(?:Pipfile|[^/]*(?:[Dd]ocker|[Cc]ontainer)file[^/]*)$"
    r"|(?:requirement|constraint|reqs)[^/]*\.(?:txt|pip)$|(?:^|/)(?:requirements?|reqs|deps)/[^/]+\.txt$"
)


@record
class Ignore:
    """One comment: its 1-based line, the codes as written, the reason ("" if none), whether the colon is there."""

    line: int
    codes: tuple[str, ...]
    reason: str
    colon: bool
    alone: bool  # on its line: it speaks for the line below as well

    @property
    def named(self) -> bool:
        """Whether all of its codes look like codes."""
        return all(_CODE.fullmatch(code) for code in self.codes)


def lines_of(data: bytes) -> list[str]:
    """The lines of a file as checks count them: by line feeds alone."""
    return data.decode("utf-8", "replace").split("\n")


def parse(text: str, line: int) -> Ignore | None:
    """The ignore in the comment of one line, None if there is none."""
    found = _COMMENT.search(text)
    if found is None:
        return None
    codes = tuple(code.strip() for code in (found["codes"] or "").split(","))
    reason = found["reason"].strip(" \t\r:-")
    colon = found["colon"].startswith(":")
    return Ignore(line=line, codes=codes, reason=reason, colon=colon, alone=text.lstrip("\ufeff \t").startswith("#"))


def near(lines: Sequence[str], line: int) -> Iterator[Ignore]:
    """The ignores that speak for a line: its own, and one that stands alone above it."""
    for number in (line, line - 1):
        found = parse(lines[number - 1], number) if 1 <= number <= len(lines) else None
        if found is not None and (number == line or found.alone):
            yield found


def written(path: str, data: bytes) -> list[Ignore]:
    """The ignores of a file that are comments for certain."""
    if not _FORMS.search(path):
        return []
    lines = lines_of(data)
    found = [each for number, line in enumerate(lines, 1) if (each := parse(line, number)) is not None]
    if not found:
        return []
    comments = _comments(path, data, lines)
    return [each for each in found if each.line in comments]


def _comments(path: str, data: bytes, lines: Sequence[str]) -> set[int]:
    """The lines that have a comment for certain; none where the file cannot be read."""
    text = "\n".join(lines)
    if path.endswith((".py", ".pyi", ".pyw")):
        import io
        import tokenize

        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
            return set()
        return {token.start[0] for token in tokens if token.type == tokenize.COMMENT and _COMMENT.search(token.string)}
    if path.endswith((".toml", "Pipfile")):
        from gatepost.toml.load import TomlError, loads
        from gatepost.toml.scan import scan

        try:
            loads(data)
            places = scan(text).comments()
        except TomlError:
            return set()
        return {text.count("\n", 0, start) + 1 for start, end in places if _COMMENT.search(text[start:end])}
    found = set()
    for number, line in enumerate(lines, 1):
        comment = _COMMENT.search(line)
        head = line[: comment.start()] if comment is not None else '"'
        if (not head.strip("\ufeff") or head[-1].isspace()) and not (head.count('"') % 2 or head.count("'") % 2):
            found.add(number)
    return found


def idle(
    comments: Iterable[Ignore],
    codes: Sequence[Code],
    spoken: Collection[tuple[int, str]],
    found: Sequence[tuple[int, str]],
    *,
    sure: bool,
) -> Iterator[tuple[str, int, str]]:
    """(code of the engine, line, message) of what is wrong with the ignores of a file.

    `spoken` has the lines of comments with the codes of findings that they speak for, `found` the lines of the file's
    findings with their codes. Without `sure`, nothing is said of an ignore that silences nothing.
    """
    ids = [each.id for each in codes]
    names = {each.name: each.id for each in codes}
    prefixes = {each[:2] for each in ids}
    for comment in comments:
        for code in comment.codes:
            if code in names:
                yield (
                    "GP102",
                    comment.line,
                    f"an ignore takes a rule's code: write `ignore[{names[code]}]`, not `{code}`",
                )
            elif code[:2] not in prefixes or not _CODE.fullmatch(code):
                continue  # another hook's, or no code
            elif not any(each.startswith(code) for each in ids):
                from gatepost.settings import no_rule

                yield "GP102", comment.line, no_rule(code, ids)
            elif not comment.colon:
                yield "GP102", comment.line, f"the ignore of `{code}` has no colon, so it is not applied"
            elif sure and not any(line == comment.line and each.startswith(code) for line, each in spoken):
                there = sorted(line for line, each in found if each.startswith(code))
                where = f": the file has it at line {there[0]}" if there else ""
                yield "GP103", comment.line, f"the ignore of `{code}` silences nothing{where}"
