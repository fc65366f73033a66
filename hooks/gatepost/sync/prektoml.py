"""The entry of this package in prek.toml, put in and taken out without touching anything else.

prek takes no other configuration where a prek.toml is (prek 0.5.11: "Multiple configuration files found"), so the
entry belongs there. A splice by the places of the statements, read back as data.
"""

from __future__ import annotations

import re

from gatepost.sync.entries import is_ours, redundant_in
from gatepost.sync.layout import newline
from gatepost.sync.precommit import NotSpliceable
from gatepost.toml.load import TomlError, loads
from gatepost.toml.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PATH = "prek.toml"


def entry(url: str, version: str, nl: str = "\n") -> str:
    """Our entry as a table of its own, as it stands at the end of a file."""
    return nl.join(["[[repos]]", f'repo = "{url}"', f'rev = "v{version}"', 'hooks = [{ id = "gatepost" }]', ""])


def _item(url: str, version: str) -> str:
    return f'{{ repo = "{url}", rev = "v{version}", hooks = [{{ id = "gatepost" }}] }}'


def repos(text: str) -> list[Any]:
    """The items of `repos`.

    Raises:
        NotSpliceable: not TOML, or `repos` is no list.
    """
    found = _data(text).get("repos", [])
    if not isinstance(found, list):
        raise NotSpliceable("`repos` is not a list")
    return found


def with_entry(text: str, url: str, version: str) -> str:
    """The text with our one entry at the end of `repos`; unchanged if there is one already.

    Raises:
        NotSpliceable: not TOML, or `repos` is no list.
    """
    data, there = _data(text), repos(text)
    if any(is_ours(repo) for repo in there):
        return text
    meant = {**data, "repos": [*there, {"repo": url, "rev": f"v{version}", "hooks": [{"id": "gatepost"}]}]}
    nl = newline(text)
    place = scan(text).span(("repos",))
    if place is not None:
        return _proved(_in_brackets(text, place, _item(url, version), nl), meant)
    lead = text + (nl if text and not text.endswith("\n") else "")
    return _proved(lead + (nl if lead.strip() else "") + entry(url, version, nl), meant)


def _in_brackets(text: str, place: tuple[int, int], new: str, nl: str) -> str:
    """The text with an item at the end of the array at `place`: on a line of its own if the bracket closes on one."""
    items = scan(text).items(place[0])
    close = place[1] - 1
    line = text.rfind("\n", 0, close) + 1
    if line > place[0] and not text[line:close].strip():
        first = items[-1].start if items else close
        head = text[text.rfind("\n", 0, first) + 1 : first]
        indent = head if items and not head.strip() else "  "
        text = f"{text[:line]}{indent}{new},{nl}{text[line:]}"
        comma = items[-1].end if items and items[-1].comma < 0 else -1
        return text if comma < 0 else f"{text[:comma]},{text[comma:]}"
    at = items[-1].end if items else close
    return f"{text[:at]}{', ' if items else ''}{new}{text[at:]}"


def without_entry(text: str, url: str) -> str:
    """The text without our entry, if it is still as `with_entry` wrote it (any rev); else the text itself.

    Raises:
        NotSpliceable: not TOML.
    """
    data, there = _data(text), repos(text)
    for number, repo in enumerate(there):
        if not (isinstance(repo, dict) and repo.get("repo") == url and repo.get("hooks") == [{"id": "gatepost"}]):
            continue
        version = str(repo.get("rev", "")).removeprefix("v")
        block, item = (re.escape(each) for each in (entry(url, version, newline(text)), _item(url, version)))
        for shape in (rf"(?:(?<=\n)\r?\n|\A){block}", block, rf"(?m)^[ \t]*{item},\r?\n", rf", {item}", item):
            found = re.search(shape, text)
            without = text[: found.start()] + text[found.end() :] if found is not None else text
            if found is not None and _means(without, {**data, "repos": [*there[:number], *there[number + 1 :]]}):
                return without
    return text


def redundant(text: str) -> list[tuple[int, str, str, str]]:
    """(1-based line, hook id, our id, rev) of the entries of other repositories whose work the one id does."""
    try:
        data, document = loads(text.encode()), scan(text)
    except TomlError:
        return []
    return [
        (document.line(("repos", at, "hooks", number)) or document.line(("repos", at)) or 1, name, ours, rev)
        for at, number, name, ours, rev in redundant_in(data)
    ]


def _data(text: str) -> dict[str, Any]:
    try:
        return loads(text.encode())
    except TomlError as error:
        raise NotSpliceable(f"not valid TOML: {error}") from None


def _means(text: str, meant: dict[str, Any]) -> bool:
    """Whether a text holds this data; no `repos` is as good as an empty list."""
    try:
        found = loads(text.encode())
    except TomlError:
        return False
    return {"repos": [], **found} == meant


def _proved(text: str, meant: dict[str, Any]) -> str:
    if not _means(text, meant):
        raise NotSpliceable("the file would not mean what was meant")
    return text
