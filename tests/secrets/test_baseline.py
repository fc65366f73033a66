"""Baselines: ours survives moves and renames and drops what is gone; that of detect-secrets is respected."""

from __future__ import annotations

import hashlib
import json

import pytest

from gatepost.model import Context, Unchecked
from gatepost.rules.secrets.baseline import BaselineError, parse, parse_detect_secrets, render
from gatepost.rules.secrets.check import check
from gatepost.tree.memory import MemoryTree
from tests.secrets.corpus import Tokens
from tests.secrets.test_scan import SETTINGS, findings

TOKEN, _ = Tokens(21).make("huggingface")
OTHER, _ = Tokens(22).make("groq")


def with_baseline(files: dict[str, bytes]) -> dict[str, bytes]:
    (found,) = findings(files, update_baseline=True)
    assert found.fix is not None
    new = found.fix.edits[0].new
    assert new is not None and TOKEN.encode() not in new
    assert findings({**files, ".gatepost-secrets": new}, update_baseline=True) == []
    return {**files, ".gatepost-secrets": new}


def test_known_moved_renamed_copied() -> None:
    text = f't = "{TOKEN}"\n'.encode()
    files = with_baseline({"a.py": text})
    assert findings(files) == []
    assert findings({**files, "a.py": b"\n\n" + text}) == []
    renamed = {"src/b.py": text, ".gatepost-secrets": files[".gatepost-secrets"]}
    assert findings(renamed) == []
    assert findings(renamed, scope=frozenset(["src/b.py"])) == []
    assert [one.where.path for one in findings({**files, "copy.py": text})] == ["copy.py"]
    assert [one.where.path for one in findings({**files, "copy.py": text}, scope=frozenset(["copy.py"]))] == ["copy.py"]
    assert [one.code for one in findings({**files, "c.py": f't = "{OTHER}"\n'.encode()})] == ["SE101"]


def test_a_stale_entry_is_dropped() -> None:
    files = with_baseline({"a.py": f't = "{TOKEN}"\n'.encode(), "b.py": f't = "{OTHER}"\n'.encode()})
    files["a.py"] = b"t = None\n"
    (found,) = findings(files)
    assert (found.code, found.where.path) == ("SE201", ".gatepost-secrets")
    assert found.fix is not None and found.fix.edits[0].new is not None
    assert [one.path for one in parse(found.fix.edits[0].new).entries] == ["b.py"]
    assert findings({**files, ".gatepost-secrets": found.fix.edits[0].new}) == []


def test_not_stale_when_it_moved_outside_this_run() -> None:
    files = with_baseline({"a.py": f't = "{TOKEN}"\n'.encode()})
    moved = {
        "a.py": b"t = None\n",
        "z.py": f't = "{TOKEN}"\n'.encode(),
        ".gatepost-secrets": files[".gatepost-secrets"],
    }
    assert findings(moved, scope=frozenset(["a.py"])) == []
    assert findings(moved, scope=frozenset(["z.py"])) == []
    assert findings(moved) == []


def test_reasons_are_kept() -> None:
    files = with_baseline({"a.py": f't = "{TOKEN}"\n'.encode()})
    noted = files[".gatepost-secrets"].rstrip(b"\n") + b"  # a fixture\n"
    assert render(parse(noted)) == noted
    files = {"b.py": f'\nt = "{TOKEN}"\n'.encode(), ".gatepost-secrets": noted}
    (found,) = findings(files, update_baseline=True)
    assert found.fix is not None and b"b.py  # a fixture" in (found.fix.edits[0].new or b"")


@pytest.mark.parametrize("data", [b"", b"junk\n", b"# gatepost secrets baseline 1 salt=zz\n", b"\xff\xfe"])
def test_a_broken_baseline_is_said(data: bytes) -> None:
    with pytest.raises(BaselineError):
        parse(data)
    ctx = Context(tree=MemoryTree({".gatepost-secrets": data, "a.txt": b"x"}), settings=SETTINGS, args={}, env={})
    assert [type(one) for one in check(ctx)] == [Unchecked]


def test_the_baseline_of_detect_secrets() -> None:
    line = f't = "{TOKEN}"\n'
    known = {"type": "x", "hashed_secret": hashlib.sha1(TOKEN.encode(), usedforsecurity=False).hexdigest()}
    stored = json.dumps({"version": "1.5.0", "results": {"./a.py": [known]}}).encode()
    assert findings({"a.py": line.encode(), ".secrets.baseline": stored}) == []
    assert findings({"new/a.py": line.encode(), ".secrets.baseline": stored}) == []
    assert len(findings({"a.py": line.encode(), "b.py": line.encode(), ".secrets.baseline": stored})) == 1
    with pytest.raises(BaselineError):
        parse_detect_secrets(b"[]")


def test_the_salt_tells_nothing_of_the_secrets() -> None:
    """It is public; were it a fast hash of a password, it could be tried without scrypt."""
    one = with_baseline({"a.py": f't = "{TOKEN}"\n'.encode()})[".gatepost-secrets"]
    (found,) = findings({"a.py": f't = "{OTHER}"\n'.encode()}, update_baseline=True)
    assert found.fix is not None
    other = found.fix.edits[0].new or b""
    assert one.splitlines()[0] == other.splitlines()[0]
    assert one.splitlines()[1:] != other.splitlines()[1:]
