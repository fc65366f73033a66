"""A long file is edited with its unrelated stretches folded away; the result must be what it is without that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from gatepost.sync import fold
from gatepost.sync.fold import Folded, unfold
from gatepost.sync.layers import resolve
from gatepost.sync.layout import NotSpliceable
from gatepost.sync.merge import merge
from gatepost.sync.proof import proved
from gatepost.sync.tables import shareable
from gatepost.toml.load import loads
from gatepost.toml.scan import scan

from .test_properties import projects, shared_configs

BASE = shareable(resolve(("base",), lambda path: None).data)
LONG = {
    "keys of another table": "[tool.x]\n" + "".join(f'k{n} = "v{n}" # c{n}\n' for n in range(200)) + "[tool.ruff]\n",
    "keys of the same table": '[tool.ruff.lint.per-file-ignores]\n# why\n"docs/**" = ["D"]\n'
    + "".join(f'"src/{n}.py" = ["E{n % 9}"]\n' for n in range(200)),
    "tables": "".join(f"\n# about {n}\n[tool.x.a{n}]\nk = 1\n" for n in range(100)) + "[tool.mypy]\nstrict = true\n",
    "tables behind": "[tool.mypy]\nstrict = true\n"
    + "".join(f"[x.a{n}]\nk = '''\n[tool.ruff]\n'''\n" for n in range(99)),
    "an array of tables": "".join(f"[[tool.uv.index]]\nname = '{n}'\n" for n in range(100)),
    "dotted keys": "[tool]\n" + "".join(f"x.k{n} = {n}\n" for n in range(99)) + "ruff.lint.select = ['E']\ny.z = 1\n",
}


def synced(text: str, shared: Any) -> Any:
    merged = merge(text, shared)
    return merged.text, merged.refused, merged.entries, merge(merged.text, {}, merged.entries).text


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("nl", ["\n", "\r\n"])
def test_a_long_file_comes_out_as_if_nothing_had_been_folded(
    name: str, nl: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = LONG[name].replace("\n", nl)
    assert fold.fold(scan(text), [("tool", "ruff", "line-length")]).hidden
    folded = synced(text, BASE)
    monkeypatch.setattr(fold, "WORTH", 1 << 30)
    assert folded == synced(text, BASE)
    assert folded[1] == ""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(projects(), shared_configs())
def test_folding_never_changes_a_result(monkeypatch: pytest.MonkeyPatch, text: str, shared: Any) -> None:
    try:
        loads(text.encode())
    except ValueError:
        return
    plain = synced(text, shared)
    with monkeypatch.context() as patch:
        patch.setattr(fold, "WORTH", 0)
        assert synced(text, shared) == plain


def test_a_stand_in_that_moved_is_seen() -> None:
    folded = Folded(text="a = 1 # folded0:\n", hidden=(("# folded0:\n", "b = 2\n"),))
    with pytest.raises(NotSpliceable, match="nothing to do with"):
        unfold(folded)


def test_a_file_that_holds_the_stand_in_itself() -> None:
    text = "# folded0:\n" + LONG["tables"]
    assert proved(text, loads(text.encode()), [("add", ("tool", "ruff", "fix"), True)]).startswith(text)


def test_many_keys_at_once() -> None:
    text = '[tool.ruff.lint.extend-per-file-ignores]  # old\n"a.py" = ["E"]\n\n[project]\nname = "p"\n'
    table = ("tool", "ruff", "lint", "extend-per-file-ignores")
    values = {f"{letter}.py": ["F"] for letter in "bcd"}
    new = proved(text, loads(text.encode()), [("fill", table, values)])
    assert new == text.replace('["E"]\n', '["E"]\n"b.py" = ["F"]\n"c.py" = ["F"]\n"d.py" = ["F"]\n')
    assert proved(new, loads(new.encode()), [("clear", table, list(values))]) == text
    inline = "[tool.ruff]\nlint = { extend-per-file-ignores = { } }\n"
    new = proved(inline, loads(inline.encode()), [("fill", table, values)])
    assert loads(new.encode())["tool"]["ruff"]["lint"]["extend-per-file-ignores"] == values
    back = proved(new, loads(new.encode()), [("clear", table, list(values))])
    assert loads(back.encode()) == loads(inline.encode())
