"""What the scanner takes for a secret and what not. Every token is made at run time."""

from __future__ import annotations

import json

import pytest

from gatepost.model import Context, Finding
from gatepost.rules.secrets.check import check
from gatepost.rules.secrets.formats import FORMATS, by_start, token_regex
from gatepost.rules.secrets.scan import Scanner
from gatepost.tree.memory import MemoryTree
from tests.secrets import third
from tests.secrets.corpus import (
    CONTEXTS,
    HELD_OUT,
    KINDS,
    PREFIXLESS,
    Tokens,
    negatives,
    notebook,
    positives,
    url_files,
)

SETTINGS = {"baseline": ".gatepost-secrets", "detect-secrets-baseline": ".secrets.baseline"}


def findings(files: dict[str, bytes], scope: frozenset[str] | None = None, **args: object) -> list[Finding]:
    ctx = Context(tree=MemoryTree(files), scope=scope, settings=SETTINGS, args=args, env={})
    return [one for one in check(ctx) if isinstance(one, Finding)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_beside_its_name(kind: str) -> None:
    token, variable = Tokens(1).make(kind)
    found = findings({"a.py": f'import os\n{variable} = "{token}"\n'.encode()})
    assert [(one.where.path, one.where.line) for one in found] == [("a.py", 2)]
    assert token not in found[0].message + found[0].remedy


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in PREFIXLESS])
def test_every_shape_without_a_name(kind: str) -> None:
    token, _ = Tokens(2).make(kind)
    assert [one.where.line for one in findings({"notes.md": f"a\nb {token} c\n".encode()})] == [2]


@pytest.mark.parametrize("which", ["contexts", "held out", "third"])
def test_recall_and_precision(which: str) -> None:
    if which == "third":
        labelled, clean = third.positives(11, 4), third.negatives(13)
    else:
        contexts = CONTEXTS if which == "contexts" else HELD_OUT
        labelled, clean = positives(11, contexts, 6) + url_files(12), negatives(13)
    files = {path: data for _, (path, data, _) in labelled} | {path: data for path, data, _ in clean}
    want = {(path, line) for _, (path, _, lines) in labelled for line in lines}
    got = {(one.where.path, one.where.line) for one in findings(files) if one.code != "SE105"}
    assert len(want & got) >= 0.97 * len(want), sorted(want - got)
    assert len(got - want) <= 0.01 * len(got), sorted(got - want, key=str)


def test_hard_negatives_are_silent() -> None:
    files = {path: data for path, data, _ in negatives(5)}
    assert [(one.where.path, one.where.line) for one in findings(files)] == []


def test_the_table_does_not_hold_what_it_finds() -> None:
    text = "\n".join(token_regex(row) for row in FORMATS)
    assert Scanner().scan(text.encode(), "formats.py") == []
    assert all(len(start) >= 3 for row in FORMATS for start in row.starts)
    assert all(len(head) == 3 for head in by_start())
    assert all(bool(row.starts) != bool(row.free) for row in FORMATS)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('x = "a\\n', '\\n"'),
        ('{"c": "token \\u0022', '\\u0022"}'),
        ("url?x=%3D", "&y=1"),
        ("\x1b[32m", "\x1b[0m"),
        ("KEY=${KEY:-", "}"),
        ("_", "_"),
        ("'", "'"),
        ("\ufeff", ""),
    ],
)
def test_what_may_stand_around_a_token(before: str, after: str) -> None:
    token, _ = Tokens(3).make("huggingface")
    assert len(Scanner().scan(f"{before}{token}{after}".encode())) == 1


def test_pragmas() -> None:
    token, _ = Tokens(4).make("github")
    lines = [
        f't = "{token}"  # pragma: allowlist secret',
        f't = "{token}"  # gitleaks:allow',
        "# pragma: allowlist nextline secret",
        f't = "{token}"',
        f't = "{token}"',
    ]
    assert [one.where.line for one in findings({"a.py": "\n".join(lines).encode()})] == [5]


@pytest.mark.parametrize("compact", [False, True])
def test_notebook_places(compact: bool) -> None:
    token, _ = Tokens(5).make("anthropic")
    data = notebook(f"print('x')\nclient = C(api_key=\"{token}\")\n", output=False, compact=compact)
    (found,) = findings({"n.ipynb": data})
    line = data.count(b"\n", 0, data.index(token.encode())) + 1
    assert found.where.line == line and "in cell 1" in found.message
    (found,) = findings({"n.ipynb": notebook(f"key {token}\n", output=True, compact=compact)})
    assert "in the output of cell 1" in found.message and "--clear-output" in found.remedy


def test_both_the_cell_and_its_output() -> None:
    token, _ = Tokens(6).make("groq")
    book = json.loads(notebook(f'k = "{token}"\n', output=False))
    book["cells"][0]["outputs"] = [{"output_type": "stream", "text": [f"{token}\n"]}]
    data = json.dumps(book, indent=1).encode()
    lines = [number for number, line in enumerate(data.splitlines(), 1) if token.encode() in line]
    assert sorted(one.where.line or 0 for one in findings({"n.ipynb": data})) == lines


def test_a_broken_notebook_is_text() -> None:
    token, _ = Tokens(7).make("replicate")
    assert len(findings({"n.ipynb": f'{{"cells": ["{token}"'.encode()})) == 1


def test_an_image_is_not_text() -> None:
    token, _ = Tokens(8).make("aws-id")
    output = {"output_type": "display_data", "data": {"image/png": f"iVBOR/{token}/AA=="}}
    book = {"cells": [{"cell_type": "code", "source": [], "outputs": [output]}], "nbformat": 4}
    assert findings({"n.ipynb": json.dumps(book).encode()}) == []


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        (".env", "OPENAI_API_KEY=change-me\n", 1),
        ("deploy/.env.production", "DB_PASSWORD=x\n", 1),
        (".env", "DEBUG=1\nPYTHONPATH=.\n", 0),
        (".env", "OPENAI_API_KEY=\n", 0),
        (".env.example", "OPENAI_API_KEY=change-me\n", 0),
        (".env", "OPENAI_API_KEY=${KEY}\n", 0),
        ("environment.py", "OPENAI_API_KEY=1\n", 0),
    ],
)
def test_env_files(path: str, text: str, count: int) -> None:
    assert len([one for one in findings({path: text.encode()}) if one.code == "SE105"]) == count


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 100,
        b"\xff" * 5000,
        b"a" * 100_000,
        b"{" * 50_000,
        b"eyJ" * 20_000,
        b"://" * 30_000,
        b"sk-" * 40_000,
        b"-" * 100_000,
    ],
)
@pytest.mark.parametrize("path", ["x.txt", "x.ipynb", "x.py"])
def test_hostile_bytes_are_silent(data: bytes, path: str) -> None:
    assert findings({path: data}) == []


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_utf16_with_and_without_a_mark(codec: str) -> None:
    token, _ = Tokens(9).make("openrouter")
    assert len(findings({"a.txt": f"key {token}\n".encode(codec)})) == 1


def test_scope_and_line_numbers_of_a_large_file() -> None:
    token, _ = Tokens(10).make("xai")
    data = (b"line of words\n" * 1_400_000) + token.encode() + b"\n"
    (found,) = findings({"big.txt": data, "other.txt": token.encode()}, scope=frozenset(["big.txt"]))
    assert (found.where.path, found.where.line) == ("big.txt", 1_400_001)


def test_a_jwt_that_is_no_secret() -> None:
    import base64

    def jwt(claims: dict[str, object]) -> bytes:
        head, body = (
            base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in ({"alg": "HS256"}, claims)
        )
        return b"token: " + head + b"." + body + b"." + Tokens(1).chars("abcdefghXYZ123", 43).encode()

    assert len(Scanner().scan(jwt({"sub": "u1", "iat": 0, "exp": 10**9}))) == 1
    assert Scanner().scan(jwt({"sub": "1234567890", "name": "John Doe"})) == []
    assert Scanner().scan(jwt({"sub": "img", "iat": 1_700_000_000, "exp": 1_700_000_300})) == []
    assert Scanner().scan(jwt({"role": "anon", "iat": 0, "exp": 10**9})) == []


@pytest.mark.parametrize("between", ["\n", ","])
def test_many_hits(between: str) -> None:
    """A leaked list of keys, in one line too, does not take the square of its length."""
    keys = [Tokens(seed).make("cohere")[0] for seed in range(3000)]
    text = between.join(f'api_key="{key}"' for key in keys)
    found = Scanner().scan(text.encode(), "a.txt")
    assert len(found) > 2900
    assert [hit.start for hit in found] == sorted(hit.start for hit in found)
