"""The scanner's places, held against the data that the standard parser reads."""

from __future__ import annotations

from typing import Any

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.toml.load import TomlError
from gatepost.toml.scan import ELEMENT, KEY, Document, scan

TEXT = """\
# top
title = "x" # note
a.b."c.d" = 1
[tool.ruff]  # head
  line-length = 100
lint.select = [
    "E", # one, ]
    # "no"
    'F',
]
lint."per file" = { "tests/**" = ["S101", "S2"], x.y = 2 }
[[tool.mypy.overrides]]
module = ["a.*", "b.*"]
[tool.mypy.overrides.inner]
k = 1
[[tool.mypy.overrides]]
module = "c"
text = \"\"\"
[not.a.table] # nor a comment
x = 1 \\\"\"\"\"\"\"
when = 1979-05-27 07:32:00
"""


@pytest.mark.parametrize(
    ("path", "line", "value"),
    [
        (("title",), 2, '"x"'),
        (("a",), 3, None),
        (("a", "b", "c.d"), 3, "1"),
        (("tool",), 4, None),
        (("tool", "ruff"), 4, None),
        (("tool", "ruff", "line-length"), 5, "100"),
        (("tool", "ruff", "lint"), 6, None),
        (("tool", "ruff", "lint", "select", 0), 7, '"E"'),
        (("tool", "ruff", "lint", "select", 1), 9, "'F'"),
        (("tool", "ruff", "lint", "select", 2), None, None),
        (("tool", "ruff", "lint", "per file", "tests/**", 1), 11, '"S2"'),
        (("tool", "ruff", "lint", "per file", "x"), 11, None),
        (("tool", "ruff", "lint", "per file", "x", "y"), 11, "2"),
        (("tool", "ruff", "lint", "per file", "z"), None, None),
        (("tool", "mypy", "overrides"), 12, None),
        (("tool", "mypy", "overrides", 0), 12, None),
        (("tool", "mypy", "overrides", 0, "module", 1), 13, '"b.*"'),
        (("tool", "mypy", "overrides", 0, "inner", "k"), 15, "1"),
        (("tool", "mypy", "overrides", 1, "module"), 17, '"c"'),
        (("tool", "mypy", "overrides", 1, "when"), 21, "1979-05-27 07:32:00"),
        (("tool", "mypy", "overrides", 2), None, None),
        (("nothing",), None, None),
        ((), None, None),
    ],
)
def test_places(path: tuple[str | int, ...], line: int | None, value: str | None) -> None:
    document = scan(TEXT)
    span = document.span(path)
    assert (document.line(path), span and TEXT[span[0] : span[1]]) == (line, value)


def test_crlf_bom_and_no_final_newline_do_not_shift_lines() -> None:
    text = "\ufeff[a]\r\nb = 1 # c\r\n\r\nd = [\r\n  2,\r\n]"
    document = scan(text)
    assert [document.line(path) for path in [("a",), ("a", "b"), ("a", "d"), ("a", "d", 0)]] == [1, 2, 4, 5]
    assert [text[slice(*span)] for span in document.comments()] == ["# c"]


def test_comments_are_those_outside_strings() -> None:
    document = scan(TEXT)
    assert [TEXT[start:end] for start, end in document.comments()] == [
        "# top", "# note", "# head", "# one, ]", '# "no"',
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["[a", "a", "a =", "a = [1", 'a = "x', "a = {", "[[a]", "= 1", 'a = ["', "a = 1 2\n["])
def test_a_broken_document_raises_nothing_else(text: str) -> None:
    try:
        scan(text)
    except TomlError as error:
        assert error.line == 1 or error.line == 2


def test_deep_nesting_is_not_recursive() -> None:
    text = "a = " + "[" * 20000 + "]" * 20000
    assert scan(text).span(("a", *[0] * 50)) is not None


# --- generated documents -------------------------------------------------------------------------------------

BARE = st.sampled_from(["a", "b", "c", "tool", "lint", "x-y", "1"])
ODD = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=4)


def basic(text: str) -> str:
    out = ""
    for char in text:
        out += "\\" + char if char in '"\\' else f"\\u{ord(char):04x}" if ord(char) < 32 or ord(char) == 127 else char
    return f'"{out}"'


def key(text: str) -> str:
    return text if text and all(char.isascii() and (char.isalnum() or char in "-_") for char in text) else basic(text)


KEYS = st.lists(BARE | ODD, min_size=1, max_size=3).map(tuple)
SPACE = st.sampled_from(["", " ", "\t", "  "])
BREAK = st.sampled_from(["", " ", "\n", "\n  # c ] } \" '\n", "\r\n\t"])


@st.composite
def strings(draw: st.DrawFn) -> str:
    text = draw(ODD)
    form = draw(st.integers(0, 3))
    if form == 1 and not set(text) & set("'\n\r") and all(ord(char) >= 32 and ord(char) != 127 for char in text):
        return f"'{text}'"
    if form == 2:
        return '"""' + basic(text)[1:-1].replace('\\"', '"' if '""' not in text and text[-1:] != '"' else '\\"') + '"""'
    if form == 3 and not set(text) & set("'\r") and all(ord(char) >= 32 and ord(char) != 127 for char in text):
        return "'''\n" + text + "'''"
    return basic(text)


SCALAR = st.one_of(
    strings(),
    st.integers(-9, 9).map(str),
    st.sampled_from(["true", "1.5e3", "inf", "1979-05-27 07:32:00Z", "07:32:00"]),
)


@st.composite
def values(draw: Any, depth: int = 2) -> Any:
    if depth == 0 or draw(st.integers(0, 2)) < 2:
        return draw(SCALAR)
    if draw(st.booleans()):
        parts = [draw(BREAK) + draw(values(depth - 1)) + draw(BREAK) for _ in range(draw(st.integers(0, 3)))]
        return "[" + ",".join(parts) + ("," if parts and draw(st.booleans()) else "") + draw(BREAK) + "]"
    names: list[str] = draw(st.lists(BARE, unique=True, max_size=3))
    return "{" + ", ".join(f"{name}{draw(SPACE)}={draw(SPACE)}{draw(values(depth - 1))}" for name in names) + "}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    lines: list[str] = []
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    for _ in range(draw(st.integers(0, 8))):
        name = draw(SPACE) + (draw(SPACE) + "." + draw(SPACE)).join(map(key, draw(KEYS))) + draw(SPACE)
        line = draw(st.sampled_from(["[{0}]", "[[{0}]]", "{0}={1}", "{0}= {1}", "# {0}", ""])).format(
            name.replace("\n", ""), draw(values())
        )
        lines.append(draw(SPACE) + line + draw(st.sampled_from(["", " # note [x]", "\t"])))
    end = draw(st.sampled_from(["", newline]))
    return draw(st.sampled_from(["", "\ufeff"])) + newline.join(lines) + end


def leaves(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    found: list[tuple[tuple[str | int, ...], Any]] = []
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    for name, value in pairs:
        found.append(((*path, name), value))
        if isinstance(value, (dict, list)):
            found += leaves(value, (*path, name))
    return found


def check(text: str, data: dict[str, Any]) -> Document:
    document = scan(text)
    for path, value in leaves(data):
        line = document.line(path)
        assert line is not None and 1 <= line <= text.count("\n") + 1, path
        span = document.span(path)
        if span is not None:
            assert repr(tomli.loads("v = " + text[span[0] : span[1]])["v"]) == repr(value), path
        else:
            assert isinstance(value, (dict, list)), path
    for path in {s.path for s in document.statements if s.kind in (KEY, ELEMENT)}:
        assert path in dict(leaves(data))
    return document


@settings(max_examples=300, deadline=None)
@given(documents())
def test_every_path_of_the_data_has_its_place(text: str) -> None:
    try:
        data = tomli.loads(text.removeprefix("\ufeff"))
    except tomli.TOMLDecodeError:
        return
    document = check(text, data)
    covered = 0
    for statement in document.statements:
        assert covered <= statement.start <= statement.key_start < statement.value_end <= statement.end
        covered = statement.end


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("[]{}=\"'#,.\\ab1 \n\r\t"), max_size=40))
def test_any_text_ends_in_a_document_or_a_toml_error(text: str) -> None:
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError:
        try:
            scan(text)
        except TomlError:
            pass
        return
    check(text, data)
