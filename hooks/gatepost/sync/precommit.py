"""The entry of this package in .pre-commit-config.yaml, put in and taken out without touching anything else.

A small splice by PyYAML's node marks, read back with PyYAML: comments, order, quotes and line endings stay.
"""

from __future__ import annotations

from gatepost.sync.entries import is_ours, redundant_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PATH = ".pre-commit-config.yaml"
OWNER, NAME = "gatepost-hooks", "gatepost"


class NotSpliceable(ValueError):
    """The file has a form that is not edited; `str()` says which, `path` where and `paste` what to write there by hand."""

    path = ""
    paste = ""


def _written_by_us(repo: Any) -> bool:
    """Whether an item of `repos` is as `with_entry` writes it, with any rev."""
    if not isinstance(repo, dict) or set(repo) != {"repo", "rev", "hooks"} or not isinstance(repo["repo"], str):
        return False
    url = repo["repo"].rstrip("/").removesuffix(".git")
    return url.endswith(f"{OWNER}/{NAME}") and repo["hooks"] == [{"id": "gatepost"}]


def entry(url: str, version: str, indent: str, nl: str) -> str:
    lines = [f"- repo: {url}", f"  rev: v{version}", "  hooks:", "    - id: gatepost"]
    return "".join(f"{indent}{line}{nl}" for line in lines)


def repos(text: str) -> list[Any]:
    """The items of `repos`; [] if it is no list.

    Raises:
        NotSpliceable: not YAML.
    """
    import yaml

    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotSpliceable(f"not valid YAML: {str(error).splitlines()[0]}") from None
    found = data.get("repos") if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def with_entry(text: str, url: str, version: str) -> str:
    """The text with our one entry at the end of `repos`; unchanged if there is one already.

    Raises:
        NotSpliceable: not YAML, or `repos` is no list in block style.
    """
    import yaml

    ours = {"repo": url, "rev": f"v{version}", "hooks": [{"id": "gatepost"}]}
    try:
        data = yaml.safe_load(text)
        node = yaml.compose(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotSpliceable(f"not valid YAML: {str(error).splitlines()[0]}") from None
    nl = "\r\n" if "\r\n" in text else "\n"
    if data is None:
        lead = text + (nl if text and not text.endswith("\n") else "")
        return _proved(f"{lead}repos:{nl}{entry(url, version, '  ', nl)}", {"repos": [ours]})
    repos = data.get("repos") if isinstance(data, dict) else None
    if not isinstance(data, dict) or (repos is not None and not isinstance(repos, list)):
        raise NotSpliceable("`repos` is not a list")
    if any(is_ours(repo) for repo in repos or ()):
        return text
    meant = {**data, "repos": [*(repos or []), ours]}
    pair = next((pair for pair in getattr(node, "value", []) if pair[0].value == "repos"), None)
    if pair is None:
        lead = text + (nl if not text.endswith("\n") else "")
        return _proved(f"{lead}repos:{nl}{entry(url, version, '  ', nl)}", meant)
    value = pair[1]
    if not repos:
        key_end, stop = pair[0].end_mark.index, value.end_mark.index
        rest = text[stop:]
        tail = rest[: rest.find("\n")] if "\n" in rest else rest
        at = stop + len(tail) + (1 if "\n" in rest else 0)
        head = text[:key_end] + ":" + tail.rstrip("\r") + nl
        return _proved(head + entry(url, version, "  ", nl) + text[at:], meant)
    if value.flow_style:
        at = value.value[-1].end_mark.index
        new = f", {{repo: {url}, rev: v{version}, hooks: [{{id: gatepost}}]}}"
        return _proved(text[:at] + new + text[at:], meant)
    dash = _dash(text, value.value[0].start_mark.index)
    indent = text[text.rfind("\n", 0, dash) + 1 : dash]
    stop = text.find("\n", _end(value))
    if stop < 0:
        return _proved(text + nl + entry(url, version, indent, nl), meant)
    return _proved(text[: stop + 1] + entry(url, version, indent, nl) + text[stop + 1 :], meant)


def without_entry(text: str, *, made: bool = False) -> str:
    """The text without our entry, if it is still as `with_entry` wrote it (any rev); else the text itself.

    With `made`, `gatepost init` made the file, and nothing is left of it ("") where it holds nothing else.

    Raises:
        NotSpliceable: not YAML, or the entry stands in a form that is not edited.
    """
    import yaml

    try:
        data = yaml.safe_load(text)
        node = yaml.compose(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotSpliceable(f"not valid YAML: {str(error).splitlines()[0]}") from None
    repos = data.get("repos") if isinstance(data, dict) else None
    if not isinstance(repos, list):
        return text
    number = next((n for n, repo in enumerate(repos) if _written_by_us(repo)), None)
    if number is None:
        return text
    value = next(pair[1] for pair in getattr(node, "value", []) if pair[0].value == "repos")
    if value.flow_style:
        return _without_item(text, value.value, number, {**data, "repos": [*repos[:number], *repos[number + 1 :]]})
    item = value.value[number]
    start = text.rfind("\n", 0, _dash(text, item.start_mark.index)) + 1
    stop = text.find("\n", _end(item))
    stop = len(text) if stop < 0 else stop + 1
    if "#" in text[start:stop]:
        return text  # somebody has written on it: theirs now
    left = [repo for n, repo in enumerate(repos) if n != number]
    if not left:
        nl = "\r\n" if "\r\n" in text else "\n"
        key = next(pair[0] for pair in getattr(node, "value", []) if pair[0].value == "repos")
        if made and len(data) == 1 and not text[: key.start_mark.index].strip() and not text[stop:].strip():
            return ""
        return _proved(text[: key.end_mark.index] + ": []" + nl + text[stop:], {**data, "repos": []})
    return _proved(text[:start] + text[stop:], {**data, "repos": left})


def _without_item(text: str, items: Any, number: int, meant: Any) -> str:
    """The text without an item of a list in brackets; the text itself if somebody has written a comment on it.

    Raises:
        NotSpliceable: it cannot be taken out alone.
    """
    start, stop = items[number].start_mark.index, items[number].end_mark.index
    if number:
        start = items[number - 1].end_mark.index
    elif items[1:]:
        stop = items[1].start_mark.index
    return text if "#" in text[start:stop] else _proved(text[:start] + text[stop:], meant)


def redundant(text: str) -> list[tuple[int, str, str, str]]:
    """(1-based line, hook id, our id, rev) of the entries of other repositories whose work the one id does; [] if not YAML."""
    import yaml

    try:
        data, node = yaml.safe_load(text), yaml.compose(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    return [
        (_line(node, ("repos", at, "hooks", number, "id")), name, ours, rev)
        for at, number, name, ours, rev in redundant_in(data)
    ]


def _line(node: Any, path: tuple[str | int, ...]) -> int:
    """The 1-based line of the value at a path."""
    for part in path:
        value = node.value
        node = value[part] if isinstance(part, int) else next(pair[1] for pair in value if pair[0].value == part)
    line: int = node.start_mark.line + 1
    return line


def _proved(text: str, meant: Any) -> str:
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    if found != meant:
        raise NotSpliceable("the file would not mean what was meant")
    return text


def _dash(text: str, at: int) -> int:
    """The `-` before a list item."""
    return text.rfind("-", 0, at)


def _end(node: Any) -> int:
    """Where the last scalar inside a node ends (a block's own end mark lies behind trailing comments)."""
    while True:
        if isinstance(node.value, list) and node.value and not node.flow_style:
            last = node.value[-1]
            node = last[1] if isinstance(last, tuple) else last
            continue
        end: int = node.end_mark.index
        if isinstance(node.value, str) and getattr(node, "style", None) in ("|", ">"):
            return end - 1
        return end
