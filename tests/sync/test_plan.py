"""The plan over whole trees: other files, members, lost records, hostile bytes, and the record itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.settings import SettingsError
from gatepost.sync import declared
from gatepost.sync.paths import get, read, show
from gatepost.sync.plan import Plan, plan
from gatepost.sync.record_file import NAME, Entry, Record, RecordError, dump, empty, parse
from gatepost.toml.load import loads
from gatepost.tree.memory import MemoryTree, OverlayTree

from .test_properties import unordered

SHARED = b'[tool.ruff]\nline-length = 100\n[tool.ruff.lint]\nselect = ["E", "F"]\n[tool.mypy]\nstrict = true\n'
PROFILE = {"profile": "shared.toml"}


def planned(files: dict[str, bytes], **more: object) -> Plan:
    return plan(MemoryTree({"shared.toml": SHARED, **files}), {**PROFILE, **more})


def after(files: dict[str, bytes], result: Plan) -> dict[str, bytes]:
    """The files after the edits; every edit must be made from what is there."""
    out = {"shared.toml": SHARED, **files}
    for edit in result.edits:
        assert out.get(edit.path) == edit.old
        if edit.new is None:
            del out[edit.path]
        else:
            out[edit.path] = edit.new
    return out


def codes(result: Plan) -> list[str]:
    return [outcome.code for outcome in result.outcomes]


def settled(files: dict[str, bytes], **more: object) -> dict[str, bytes]:
    """The files after a sync, which a second one leaves alone."""
    files = after(files, planned(files, **more))
    again = planned(files, **more)
    assert again.edits == ()
    assert not set(codes(again)) & {"SC101", "SC102", "SC103", "SC108"}
    return files


def test_a_ruff_toml_gets_ruffs_settings_and_the_declarations_go_to_pyproject() -> None:
    files = settled({"pyproject.toml": b"", "ruff.toml": b'# ours\nline-length = 120\n[lint]\nselect = ["E"]\n'})
    assert files["ruff.toml"] == b'# ours\nline-length = 120\n[lint]\nselect = ["E", "F"]\n'
    data = loads(files["pyproject.toml"])
    assert data["tool"]["gatepost"]["keep"] == {"tool.ruff.line-length": "was 120 before the first sync; shared 100"}
    assert "ruff" not in data["tool"] and data["tool"]["mypy"] == {"strict": True}


def test_a_tool_that_no_profile_has_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        planned({"pyproject.toml": b""}, tools=["mypy", "rufff"])
    assert (
        str(caught.value)
        == "tool.gatepost.sync-configs.tools names no tool of the profile: rufff; did you mean `ruff`?"
    )
    assert codes(planned({"pyproject.toml": b""}, tools=["mypy", "coverage"])) == ["SC101"]
    own = SHARED + b"[tool.interrogate]\nfail-under = 90\n"
    data = after({"pyproject.toml": b""}, planned({"shared.toml": own, "pyproject.toml": b""}, tools=["interrogate"]))[
        "pyproject.toml"
    ]
    assert loads(data)["tool"] == {"interrogate": {"fail-under": 90}}


def test_a_dotted_ruff_toml_wins_over_the_other() -> None:
    files = settled({"pyproject.toml": b"", "ruff.toml": b"", ".ruff.toml": b"fix = true\n"})
    assert files["ruff.toml"] == b"" and b"line-length = 100" in files[".ruff.toml"]


def test_a_ruff_toml_that_extends_another_is_left_alone() -> None:
    files = settled({"pyproject.toml": b"", "ruff.toml": b'extend = "../ruff.toml"\n'})
    assert files["ruff.toml"] == b'extend = "../ruff.toml"\n'
    assert "ruff" not in loads(files["pyproject.toml"])["tool"]


def test_members_are_synced_with_their_own_declarations_and_profile() -> None:
    own = b'[tool.gatepost]\nprofile = "other.toml"\n[tool.gatepost.keep]\n"tool.ruff.line-length" = "wide"\n'
    files = settled(
        {
            "pyproject.toml": b'[tool.uv.workspace]\nmembers = ["libs/*"]\n',
            "libs/a/pyproject.toml": b"",
            "libs/b/pyproject.toml": own + b"[tool.ruff]\nline-length = 140\n",
            "libs/c/pyproject.toml": b'[tool.ruff]\nextend = "../../pyproject.toml"\n',
            "apps/d/pyproject.toml": b"",
            "other.toml": b"[tool.ruff]\nline-length = 88\nfix = true\n",
        },
        members=("workspace",),
    )
    assert get(loads(files["libs/a/pyproject.toml"]), ("tool", "ruff", "lint", "select")) == ["E", "F"]
    assert get(loads(files["libs/b/pyproject.toml"]), ("tool", "ruff")) == {"line-length": 140, "fix": True}
    assert get(loads(files["libs/c/pyproject.toml"]), ("tool", "ruff")) == {"extend": "../../pyproject.toml"}
    assert files["apps/d/pyproject.toml"] == b""
    assert sorted(parse(files[NAME]).files) == [
        "libs/a/pyproject.toml", "libs/b/pyproject.toml", "libs/c/pyproject.toml", "pyproject.toml",
    ]  # fmt: skip


def test_a_refused_file_keeps_the_others_and_its_record() -> None:
    files = settled({"pyproject.toml": b"[project]\nname = 'a'\n", "ruff.toml": b""})
    files["ruff.toml"] = b'lint = "x"\n'
    result = planned(files)
    assert codes(result) == ["SC202"] and result.edits == ()


def test_a_lost_record_is_made_again_from_what_stands_there() -> None:
    files = settled({"pyproject.toml": b'[tool.gatepost]\nprofile = "shared.toml"\n'})
    text = files["pyproject.toml"]
    del files[NAME]
    result = planned(files)
    assert codes(result) == ["SC108"]
    assert after(files, result)["pyproject.toml"] == text


def test_a_lost_record_of_a_shipped_profile_tells_our_old_values_from_the_projects() -> None:
    from gatepost.sync import layers

    old = dict(layers.resolve(("base",), lambda path: None).data["tool"]["ruff"])
    assert old["line-length"] == 100
    text = b'[tool.gatepost]\nprofile = ["base", "x.toml"]\n\n[tool.ruff]\nline-length = 100\n'
    result = plan(
        MemoryTree({"pyproject.toml": text, "x.toml": b"[tool.ruff]\nline-length = 110\n"}),
        {"profile": ["base", "x.toml"], "tools": ("ruff",)},
    )
    assert "SC103" in codes(result)  # the layer above changed it, so the old value is the project's, not ours


def test_switching_the_profile_takes_the_old_one_back() -> None:
    files = settled({"pyproject.toml": b"[tool.other]\na = 1\n", "small.toml": b"[tool.ruff]\nline-length = 100\n"})
    assert "mypy" in loads(files["pyproject.toml"])["tool"]
    files = after(files, planned(files, profile="small.toml"))
    assert loads(files["pyproject.toml"]) == {"tool": {"other": {"a": 1}, "ruff": {"line-length": 100}}}


def test_only_the_chosen_tools() -> None:
    files = settled({"pyproject.toml": b""}, tools=("mypy",))
    assert loads(files["pyproject.toml"]) == {"tool": {"mypy": {"strict": True}}}


def test_the_fix_leaves_nothing_to_say() -> None:
    tree = MemoryTree({"shared.toml": SHARED, "pyproject.toml": b"[tool.ruff]\nline-length = 1\n"})
    outcomes = plan(tree, PROFILE).outcomes
    fixes = [getattr(outcome, "fix", None) for outcome in outcomes]
    assert fixes and all(fix is not None and fix.safe for fix in fixes)
    view = OverlayTree(tree, fixes[0].edits)  # type: ignore[union-attr]
    assert plan(view, PROFILE).outcomes == ()


HOSTILE = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"\xff\xfe", b"a = " + b"[" * 3000 + b"]" * 3000, b"[tool]\nruff = 1\n", b"tool = []\n", b"[[tool]]\n", b"[[tool.ruff]]\n",
            b"[tool.gatepost]\nkeep = 1\n", b"[tool.gatepost]\nkeep = []\ndrop = 3\n", b'[tool.gatepost.keep]\n"" = "x"\n"a..b" = "x"\n',
            b"[tool.ruff]\nlint = []\n", b"[tool.mypy]\noverrides = 3\n", b"[tool.mypy]\noverrides = [1, {}, {module = 3}]\n",
            b"[tool.ruff.lint]\nselect = [[1], {a = 2}]\n", b"[tool.ruff.lint]\nselect = 'E'\n", b"[tool.uv.workspace]\nmembers = 'x'\n",
            b"format = 1\n[synced]\nx = 3\n", b"format = 1\n[synced.\"pyproject.toml\"]\na = 1\n", b"format = true\n", b"format = 1\nbaseline = {a = 1}\n",
            b'format = 1\n[synced."pyproject.toml"]\n"tool.ruff" = { origin = "added", value = 3 }\n"" = { origin = "added", value = 3 }\n',
            b'format = 1\n[synced."pyproject.toml"]\n"tool.mypy.overrides.a" = { origin = "added", value = 3 }\n',
            b'format = 1\n[synced."../x"]\n"tool.ruff.fix" = { origin = "added", value = 3 }\n',
            b"[project]\nrequires-python = 3\ndependencies = 4\noptional-dependencies = []\n", b"[tool.poetry]\ndependencies = []\ngroup = 3\n",
            b'[project]\nrequires-python = ">=99999999999999999999.1"\n', b'[tool.poetry.dependencies]\npython = {version = 3}\n', b"a = nan\nb = 1979-05-27\n",
        ]
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, st.booleans())
def test_no_input_raises_and_what_is_not_toml_is_not_written(
    project: bytes, lock: bytes, ruff: bytes, shared: bytes, with_ruff: bool
) -> None:
    files = {
        "pyproject.toml": project,
        NAME: lock,
        "shared.toml": shared,
        "setup.cfg": project,
        "requirements.txt": ruff,
    }
    if with_ruff:
        files["ruff.toml"] = ruff
    tree = MemoryTree(files)
    for profile in ("shared.toml", "base", ["strict", "shared.toml"]):
        result = plan(tree, {"profile": profile, "members": ("workspace", "*")})
        for edit in result.edits:
            assert edit.new is not None
            loads(edit.new)
            assert edit.path in ("pyproject.toml", "ruff.toml", NAME)


KEYS = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4).map(tuple)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
).filter(lambda value: "None" not in repr(value))


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(KEYS, st.tuples(VALUES, st.booleans(), st.none() | st.lists(st.integers(), max_size=2)), max_size=4)
)
def test_the_record_reads_back(table: dict[tuple[str, ...], tuple[object, bool, list[int] | None]]) -> None:
    entries = {
        path: Entry(value=value, origin="added", table=flag, ours=None if ours is None else tuple(ours), before=(1,) if flag else ())
        for path, (value, flag, ours) in table.items()
    }  # fmt: skip
    files = {"pyproject.toml": entries} if entries else {}
    record = Record(version="1", profile=("base",), files=files, baseline={"a b.py": ("E",)})
    assert parse(dump(record)) == record
    assert all(read(show(path)) == path for path in table)


def test_a_newer_record_is_told_from_a_broken_one() -> None:
    with pytest.raises(RecordError) as caught:
        parse(b"format = 99\n")
    assert caught.value.newer
    with pytest.raises(RecordError) as caught:
        parse(b"x = 1\n")
    assert not caught.value.newer
    assert parse(dump(empty())) == empty()


@pytest.mark.parametrize(
    ("mine", "added"),
    [
        ('select = ["ALL"]', []),
        ('select = ["B"]\nignore = ["F"]', ["E"]),
        ('select = ["B"]\nextend-ignore = ["E"]', ["F"]),
        ('select = ["E4"]', ["E", "F"]),
    ],
)
def test_no_code_is_added_that_the_lists_of_the_project_have_or_refuse(mine: str, added: list[str]) -> None:
    before = f"[tool.ruff.lint]\n{mine}\n"
    new = after({"pyproject.toml": before.encode()}, planned({"pyproject.toml": before.encode()}))["pyproject.toml"]
    had = get(loads(before.encode()), ("tool", "ruff", "lint", "select"))
    assert get(loads(new), ("tool", "ruff", "lint", "select")) == [*had, *added]


def test_an_override_without_a_module_name_stays_at_an_uninstall() -> None:
    from gatepost.sync.overrides import owned

    assert not owned({"module": [3, "x"]}, ())
    assert not owned({"module": "x"}, ())


PROJECTS = {
    "nothing": b"",
    "untyped libraries": b'[project]\nname = "p"\nrequires-python = ">=3.11"\ndependencies = ["scikit-learn", "datasets"]\n',
    "settings of its own": b'[project]\ndependencies = ["joblib", "pytest"]\n\n[tool.ruff.lint]\nselect = ["E", "PL", "ANN"]\n'
    b'ignore = ["E501", "S"]\n\n[tool.mypy]\nignore_missing_imports = true\nstrict = false\n',
}


@pytest.mark.parametrize("name", PROJECTS)
@pytest.mark.parametrize(
    "way", [("base", "strict"), ("base", "research"), ("strict", "research"), ("research", "strict")]
)
def test_from_one_profile_to_another_and_back(name: str, way: tuple[str, str]) -> None:
    def go(*profiles: str) -> dict[str, bytes]:
        files = {"pyproject.toml": PROJECTS[name], "tests/test_a.py": b""}
        for profile in profiles:
            files = settled(files, profile=profile)
        return files

    def data(files: dict[str, bytes]) -> object:
        found = loads(files["pyproject.toml"])
        found["tool"].pop("gatepost", None)  # what differs from either profile stays declared
        return unordered(found)

    one, two = way
    assert data(go(one, two, one)) == data(go(one))
    if name != "settings of its own":
        assert data(go(one, two)) == data(go(two))


def test_an_empty_table_of_the_project_is_use_enough() -> None:
    files = settled({"pyproject.toml": b"[tool.coverage.run]\n\n[tool.mypy]\n"}, profile="base")
    assert loads(files["pyproject.toml"])["tool"]["coverage"]["run"] == {"branch": True}
    assert "pytest" not in loads(files["pyproject.toml"])["tool"]


@pytest.mark.parametrize("value", ["3", "{ a = 1 }", '["ok", 1, ["x"]]', "[]", "true", '"ruff"'])
@pytest.mark.parametrize("key", ["tools", "members"])
def test_settings_of_a_wrong_type_are_read_as_none(key: str, value: str) -> None:
    """The hook refuses them before; the commands, which read them on their own, must not break."""
    found = declared.settings(loads(f"[tool.gatepost.sync-configs]\n{key} = {value}\n".encode()))
    assert found == {"profile": "base", key: ["ok"] if "ok" in value else []}
    assert declared.settings({"tool": {"gatepost": {"sync-configs": 3, "profile": "strict"}}}) == {"profile": "strict"}
    assert declared.settings({"tool": {"gatepost": "x"}}) == declared.settings({"tool": []}) == {"profile": "base"}


@pytest.mark.parametrize(
    "block", ['module = "a.*"', "module = 3", "strict = true", 'module = ["a.*", 3]\nstrict = true', "# nothing"]
)
def test_an_override_block_without_sense_is_left_alone(block: str) -> None:
    text = f"[[tool.mypy.overrides]]\n{block}\n"
    shared = b'[[tool.mypy.overrides]]\nmodule = "b.*"\nstrict_optional = false\n'
    files = settled({"pyproject.toml": text.encode(), "shared.toml": shared})
    assert files["pyproject.toml"].decode().startswith(text)
    assert settled({**files, "shared.toml": b""})["pyproject.toml"].decode() == text


def test_a_ruff_toml_that_is_no_text_is_left_alone() -> None:
    result = planned({"pyproject.toml": b"", "ruff.toml": b"line-length = 90 # \xff\n"})
    assert result.edits == ()
    assert [(each.code, each.where.path) for each in result.outcomes] == [("SC301", "ruff.toml")]


def test_a_declaration_needs_no_quotes_inside_of_its_quotes() -> None:
    shared = b'[tool.ruff.lint.per-file-ignores]\n"**/test_*.py" = ["S"]\n[[tool.mypy.overrides]]\nmodule = "a.b.*"\nstrict = true\n'
    text = (
        '[tool.gatepost.keep]\n"ruff.lint.per-file-ignores.**/test_*.py" = "why"\n"tool.mypy.overrides.a.b.*" = "why"\n'
        '[tool.ruff.lint.per-file-ignores]\n"**/test_*.py" = ["D"]\n'
    )
    files = settled({"pyproject.toml": text.encode(), "shared.toml": shared})
    assert files["pyproject.toml"].decode() == text
    assert codes(planned(files)) == []


def test_in_a_members_folder_the_settings_of_the_root_hold() -> None:
    from gatepost.model import Context
    from gatepost.rules.sync_configs import check

    files = {
        "pyproject.toml": b'[tool.gatepost.sync-configs]\nmembers = ["libs/*"]\ntools = ["bandit"]\n',
        "libs/a/pyproject.toml": b'[tool.gatepost]\nprofile = "strict"\n',
    }
    common = {"profile": "strict"}  # as read in libs/a
    found = [
        *check(Context(tree=MemoryTree(files), settings={"tools": (), "members": ()}, args={}, env={}, common=common))
    ]
    assert {each.where.path for each in found} == set(files)
    assert "tool.ruff" not in found[0].message


def test_settings_may_stand_in_gatepost_toml_but_declarations_not() -> None:
    from gatepost.model import Context
    from gatepost.rules.sync_configs import check

    files = {
        "pyproject.toml": b"",
        "gatepost.toml": b'profile = "shared.toml"\n[keep]\n"tool.ruff" = "why"\n',
        "shared.toml": SHARED,
    }
    found = [*check(Context(tree=MemoryTree(files), settings={}, args={}, env={}))]
    assert [(each.code, each.where.path) for each in found] == [("SC106", "gatepost.toml"), ("SC101", "pyproject.toml")]
    assert "4 shared settings" in found[1].message or "3 shared settings" in found[1].message
