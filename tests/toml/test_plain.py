"""`plain.parse` says nothing, or what the standard parser says."""

from __future__ import annotations

import random

import tomli
from hypothesis import given
from hypothesis import strategies as st

from gatepost.toml.plain import parse

DOCUMENT = """\
# a comment
title = "x" # another
"quoted key" = 'C:\\path'
numbers = [1, -2, +3, 0, 1.5, -0.25] # mixed
flags = { a = true, b = false, "c d" = [] }
escaped = "a \\"quote\\" and \\\\ and \\t"
[project]
name = "demo"
dependencies = [
    "a>=1", # why
    # a line of its own
    "b[c] ; python_version < '3.11'",
]
lint.select = ["E", "F"]
lint.rules.x = 1
[project.optional-dependencies]
dev = []
[tool.uv]
[tool]
[[tool.uv.index]]
name = "one"
[tool.uv.index.more]
x = 1
[[tool.uv.index]]
name = "two"
[ spaced . header ]
"""


def agree(text: str) -> bool:
    found = parse(text)
    if found is None:
        return False
    assert repr(found) == repr(tomli.loads(text.replace("\r\n", "\n"))), text
    return True


def test_ordinary_documents_are_plain() -> None:
    assert agree(DOCUMENT)
    assert agree(DOCUMENT.replace("\n", "\r\n"))
    assert agree("")
    assert agree("a = 1")


def test_what_is_not_plain_is_left_to_the_parser() -> None:
    for text in (
        'a = """x"""', "a = '''x'''", "a = 2024-01-01", "a = 0x10", "a = 1_000", "a = inf", "a = 1e3", 'a = "\\u00e9"',
        "a = 01", "a = 1.", "a = .5", "a = 1\na = 2", "[a]\n[a]", "a.b = 1\n[a]", "[a.b]\n[a]\nb.c = 1", "[a]\nb = 1\n[a.b]",
        "a = []\n[[a]]", "[[a]]\n[a]", "a = {}\na.b = 1", "a = {}\n[a.b]", "a = { b = 1, }", "a = { b = 1\n}", "a = [1",
        "a = [1 2]", "a = [,]", "a =", "= 1", "a", "a = 1 b = 2", "[a", "[[a]", "[]", "[a.]", "a. = 1", 'a = "x',
        "a = 'x", "a = \x00", "# \x01", "a = 1\rb = 2", "é = 1", "a = tru", "a = [\n[1,\n]", "[a] x", "a = { b.c = 1 }",
    ):  # fmt: skip
        found = parse(text)
        if found is not None:
            assert found == tomli.loads(text), text


def test_damaged_documents_agree() -> None:
    rng = random.Random(7)
    alphabet = "[]{}=.,\"'#\\\n \ta1-_+é\r"
    plain = 0
    for _ in range(6000):
        text = list(DOCUMENT)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(text))
            match rng.randrange(4):
                case 0:
                    del text[at]
                case 1:
                    text.insert(at, rng.choice(alphabet))
                case 2:
                    text[at] = rng.choice(alphabet)
                case _:
                    lines = "".join(text).splitlines(keepends=True)
                    rng.shuffle(lines) if rng.random() < 0.1 else lines.insert(
                        rng.randrange(len(lines)), rng.choice(lines)
                    )
                    text = list("".join(lines))
        plain += agree("".join(text))
    assert plain > 500


@given(
    st.lists(
        st.sampled_from(["[", "]", "[[", "]]", "{", "}", "a", "b", ".", "=", "1", '"x"', "'y'", ",", "\n", " ", "#"])
    )
)
def test_any_row_of_tokens_agrees(tokens: list[str]) -> None:
    agree("".join(tokens))
