"""TS119: an index option behind a requirement, and where it belongs instead."""

from __future__ import annotations

from gatepost.manifests import requirements as reader
from gatepost.model import Location
from gatepost.rules.torch_source import markers, specs
from gatepost.rules.torch_source import urls as addresses
from gatepost.rules.torch_source.model import EXTENDED, Fact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.requirements import ReqFile, ReqLine, ReqOption

    Edits = tuple[tuple[int, int, str], ...]

_INDEX_OPTIONS = ("index-url", "extra-index-url", "find-links")


def own_options(path: str, file: ReqFile, line: ReqLine, name: str, listed: bool = False) -> list[Fact]:
    """A fact for each index option on a requirement's own line.

    Args:
        name: the requirement's canonical name.
        listed: the lines are the items of conda's `pip:` list, which conda writes to a file for pip.
    """
    if specs.parse(line.specifier).broken:
        return []  # not for pip: some scripts read such lines themselves
    found: list[Fact] = []
    for option in line.options:
        url = _url(option)
        if option.name not in _INDEX_OPTIONS or (name not in EXTENDED and not addresses.split(url).official):
            continue
        remedy, edits = _remedy(file, line, name, option)
        ignored = "it and the marker behind it" if line.late else "it"
        found.append(
            Fact(
                code="TS119",
                where=Location(path=path, line=line.line),
                message=f"--{option.name} behind a requirement: pip ignores {ignored} without a word and takes `{name}` from the "
                + ("indexes of the list" if listed else "file's own indexes, uv refuses the line"),
                remedy=remedy.replace("on a line of its own", "as an item of its own") if listed else remedy,
                edits=() if listed else edits,
                severity="warning"
                if remedy.startswith("Delete") and not line.late
                else "",  # pip does the same without it
            )
        )
    return found


def _url(option: ReqOption) -> str:
    """The address itself: what follows a semicolon is a marker."""
    return option.value.partition(";")[0]


def _remedy(file: ReqFile, line: ReqLine, name: str, option: ReqOption) -> tuple[str, Edits]:
    """What to do, and the edits that do it: none where the place is for the author to choose."""
    url = _url(option)
    shown = addresses.show(url)
    spec = specs.parse(line.specifier)
    if markers.only_mac(line.late or line.marker) and addresses.split(url).build == "cpu" and not spec.labels():
        return "Delete the option: PyPI's wheels for macOS are the same.", _deletion(line, option)
    there = next(
        (
            one
            for one in file.options
            if one.name in ("index-url", "extra-index-url", option.name) and addresses.same(one.value, url)
        ),
        None,
    )
    if there is not None:
        return f"Delete the option: line {there.line} names the index for the whole file.", _deletion(line, option)
    for other in file.lines:
        if reader.canonical(other.name) == name and not any(addresses.same(_url(one), url) for one in other.options):
            return (
                f"Move it to a requirements file of its own that begins with `--{option.name} {shown}`: in this file the index would serve the `{name}` of line {other.line} as well.",
                (),
            )
    mixed = any(reader.canonical(other.name) not in EXTENDED for other in file.lines if other.name) or any(
        other.name == "index-url" for other in file.options
    )
    word = "extra-index-url" if option.name == "index-url" and mixed else option.name
    tags = {addresses.tag_of(label) for label in spec.labels()} - {""}
    if "torch_stable.html" in url and len(tags) == 1:  # the legacy page: TS123
        word, url = "extra-index-url" if mixed else "index-url", f"https://download.pytorch.org/whl/{tags.pop()}"
        shown = url
    remedy = f"Write `--{word} {shown}` on a line of its own"
    if word == "extra-index-url" and not spec.pin():
        return f"{remedy}, and pin the build of `{name}`: PyPI's wins if it is newer.", ()
    edits = _deletion(line, option)
    if edits and not any(other.name in (word, "index-url") and other.value == url for other in file.options):
        edits = ((line.start, line.start, f"--{word} {url}\n"), *edits)
    return f"{remedy}.", edits


def _deletion(line: ReqLine, option: ReqOption) -> Edits:
    """The option taken away, a marker behind it kept; nothing where more options stand on the line."""
    if line.late_at < 0:
        alone = len(line.options) == 1 and not line.hashes  # a backslash before it goes with it
        return ((line.whole[1] if alone else option.start - 1, option.end, ""),)
    if len(line.options) > 1 or line.hashes:
        return ()
    return ((line.whole[1] - line.text.endswith(";"), line.late_at, ""),)
