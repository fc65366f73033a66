"""The engine: scope, ignores with a reason, what fails a run, fixes looked at again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gatepost.engine import CheckError, failing, run_hook
from gatepost.fixing import plan
from gatepost.model import Code, Context, Edit, Finding, Fix, Hook, Location, Outcome, Result, Unchecked
from gatepost.record import replace
from gatepost.registry import all_codes
from gatepost.settings import PREFIXES, SettingsError, read_settings
from gatepost.tree.base import Tree
from gatepost.tree.memory import MemoryTree

CODES = tuple(
    Code(
        id=f"TS10{n}", name=f"rule-{n}", severity="error", summary="", why="", bad="", good="", fix="", unchecked=n == 2
    )
    for n in (1, 2)
)


def check(ctx: Context) -> Iterator[Outcome]:
    """Every line that says `bad` is TS101 and has a fix; a file called `odd` cannot be judged."""
    for path in ctx.tree.paths():
        data = ctx.tree.read(path) or b""
        for number, line in enumerate(data.split(b"\n"), 1):
            if b"bad" in line and ctx.wants(path):
                lines = data.split(b"\n")
                lines[number - 1] = line.replace(b"bad", b"good", 1)
                edit = Edit(path=path, old=data, new=b"\n".join(lines))
                fix = Fix(title="mend", edits=(edit,), safe=True)
                yield Finding(
                    code="TS101",
                    where=Location(path=path, line=number),
                    message=f"bad line {number}",
                    remedy="",
                    fix=fix,
                )
        if path == "odd":
            yield Unchecked(code="TS102", where=Location(path=path), message="odd", remedy="")


HOOK = Hook(id="some-hook", summary="", check=check, codes=lambda: CODES)


def run(files: dict[str, str], scope: frozenset[str] | None = None) -> list[Result]:
    data = {path: text.encode() for path, text in files.items()}
    settings = read_settings(data.get, lambda: ["some-hook"])
    return run_hook(HOOK, MemoryTree(data), settings, scope=scope)


def lines(results: list[Result]) -> list[tuple[str, str, int | None]]:
    return [(each.code, each.path, each.line) for each in results]


def test_scope() -> None:
    files = {"a": "bad", "b": "bad"}
    assert lines(run(files)) == [("TS101", "a", 1), ("TS101", "b", 1)]
    assert lines(run(files, frozenset(["b"]))) == [("TS101", "b", 1)]


def test_exclude() -> None:
    files = {"pyproject.toml": '[tool.gatepost]\nexclude = ["vendor/*"]\n', "vendor/a": "bad", "b": "bad"}
    assert lines(run(files)) == [("TS101", "b", 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bad  # gatepost: ignore[TS101] reviewed\n", []),
        ("# gatepost: ignore[TS101] reviewed\nbad\n", []),
        ("# gatepost: ignore[TS102, TS101]: reviewed\nbad\n", []),
        ("fine  # gatepost: ignore[TS101] only for its own line\nbad\n", [("TS101", "a", 2)]),
        ("bad  # gatepost: ignore[TS102] another code\n", [("TS101", "a", 1)]),
        ("bad  # gatepost: ignore[TS101]\n", [("GP102", "a", 1), ("TS101", "a", 1)]),
        ("bad  # gatepost:ignore[TS101]reviewed\n", []),
        ("bad  # gatepost: ignore[TS1] reviewed\n", []),
        ("bad  # gatepost: ignore reviewed\n", [("GP102", "a", 1), ("TS101", "a", 1)]),
        ("bad  # gatepost: ignore[rule-1] reviewed\n", [("GP102", "a", 1), ("TS101", "a", 1)]),
        ("bad  # gatepost: ignored\n", [("TS101", "a", 1)]),
        ("bad  # gatepost ignore[TS101] reviewed\n", [("GP102", "a", 1), ("TS101", "a", 1)]),
        ("bad  # gatepost ignore this\n", [("TS101", "a", 1)]),
        ("fine\x0c\nbad  # gatepost: ignore[TS101] lines end at line feeds alone\n", []),
    ],
)
def test_inline_ignores(text: str, expected: list[tuple[str, str, int | None]]) -> None:
    assert lines(run({"a": text})) == expected


def test_ignore_entries() -> None:
    entry = '[[tool.gatepost.ignore]]\ncode = "TS1"\npath = "docs/*"\nreason = "examples"\n'
    assert lines(run({"pyproject.toml": entry, "docs/a": "bad", "b": "bad"})) == [("TS101", "b", 1)]
    assert lines(run({"pyproject.toml": entry})) == [("GP103", "pyproject.toml", None)]
    assert lines(run({"pyproject.toml": entry}, frozenset(["pyproject.toml"]))) == []
    bare = '[[tool.gatepost.ignore]]\ncode = "TS101"\n'
    assert lines(run({"pyproject.toml": bare, "b": "bad"})) == [("TS101", "b", 1), ("GP102", "pyproject.toml", None)]


WHOLE = replace(HOOK, files=r"\.(py|txt|toml|yml|md)$")


def idle(
    path: str, text: str, hook: Hook = WHOLE, more: dict[str, str] | None = None
) -> list[tuple[str, int | None, str]]:
    data = {path: text.encode(), **{name: each.encode() for name, each in (more or {}).items()}}
    settings = read_settings(data.get, lambda: ["some-hook"])
    return [(each.code, each.line, each.message) for each in run_hook(hook, MemoryTree(data), settings)]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("requirements.txt", "# gatepost: ignore[TS101] gone\n", [("GP103", 1, "the ignore of `TS101` silences nothing")]),
        ("requirements.txt", "a # gatepost: ignore[TS1, TS102] gone\n", [
            ("GP103", 1, "the ignore of `TS102` silences nothing"), ("GP103", 1, "the ignore of `TS1` silences nothing"),
        ]),
        ("requirements.txt", "bad\nfine # gatepost: ignore[TS101] other line\n", [
            ("TS101", 1, "bad line 1"), ("GP103", 2, "the ignore of `TS101` silences nothing: the file has it at line 1"),
        ]),
        ("requirements.txt", "bad # gatepost: ignore[TS101, TS102] half\n", [("GP103", 1, "the ignore of `TS102` silences nothing")]),
        ("requirements.txt", "a # gatepost: ignore[TS999] x\n", [("GP102", 1, "no rule is called `TS999`; `gatepost rules` lists them")]),
        ("requirements.txt", "a # gatepost: ignore[TS110] x\n", [("GP102", 1, "no rule is called `TS110`; did you mean `TS102`?")]),
        ("requirements.txt", "a # gatepost: ignore[rule-1] x\n", [("GP102", 1, "an ignore takes a rule's code: write `ignore[TS101]`, not `rule-1`")]),
        ("requirements.txt", "a # gatepost ignore[TS101] x\n", [("GP102", 1, "the ignore of `TS101` has no colon, so it is not applied")]),
        ("requirements.txt", "bad # gatepost ignore[TS101] x\n", [
            ("GP102", 1, "the ignore of `TS101` has no colon, so it is not applied"), ("TS101", 1, "bad line 1"),
        ]),
        ("a.py", "x = 1  # gatepost: ignore[TS101] gone\n", [("GP103", 1, "the ignore of `TS101` silences nothing")]),
        ("a.toml", "x = 1  # gatepost: ignore[TS101] gone\n", [("GP103", 1, "the ignore of `TS101` silences nothing")]),
        # a rule of another hook, and text that quotes the syntax
        ("requirements.txt", "a # gatepost: ignore[LF101] theirs\n", []),
        ("requirements.txt", "bad # gatepost: ignore[TS101] it does something\n", []),
        ("requirements.txt", "# gatepost: ignore[TS101] it does something\nbad\n", []),
        ("requirements.txt", "a#gatepost: ignore[TS101] no comment for pip\n", []),
        ("requirements.txt", "odd\n# gatepost ignores\n", []),
        ("docs/page.md", "# gatepost: ignore[TS101] quoted\n", []),
        ("tests/cases/one.txt", "a  # gatepost: ignore[TS101] a file in a file\n", []),
        ("a.py", 'x = "torch  # gatepost: ignore[TS101] quoted"\n', []),
        ("a.py", 'def f():\n    """\n    # gatepost: ignore[TS101] quoted\n    """\n', []),
        ("a.py", "x = (  # gatepost: ignore[TS101] not Python\n", []),
        ("a.toml", 'x = """\n# gatepost: ignore[TS101] quoted\n"""\n', []),
        ("a.yml", "run: echo '# gatepost: ignore[TS101] quoted'\n", []),
        ("a.cfg", "# gatepost: ignore[TS101] this hook knows no such files\n", []),
    ],
)  # fmt: skip
def test_a_comment_that_ignores_nothing_is_told(path: str, text: str, expected: list[tuple[str, int, str]]) -> None:
    assert idle(path, text) == expected


def test_where_a_comment_that_ignores_nothing_is_not_told() -> None:
    text = "# gatepost: ignore[TS101] gone\n"
    told = [("GP103", 1, "the ignore of `TS101` silences nothing")]
    assert idle("a.py", text) == told
    assert lines(run({"a.py": text}, frozenset(["a.py"]))) == []  # a run over some files
    assert idle("vendor/a.py", text, more={"gatepost.toml": 'exclude = ["vendor"]\n'}) == []
    assert [code for code, _line, _message in idle("a.py", text, more={"odd": ""})] == [
        "TS102"
    ]  # something could not be judged
    assert idle("a.py", "bad  " + text, more={"gatepost.toml": '[[ignore]]\ncode = "TS101"\nreason = "too"\n'}) == []

    def unread(ctx: Context) -> list[Outcome]:
        return []

    def partly(ctx: Context) -> list[Outcome]:
        ctx.tree.read_many(["a.py"])
        ctx.partly()
        return []

    for judge in (unread, partly):
        assert idle("a.py", text, replace(WHOLE, check=judge)) == []


@pytest.mark.parametrize(
    ("allow", "said"),
    [
        ('["TS999"]', "no rule is called `TS999`; `gatepost rules` lists them"),
        ('["TS10"]', "no rule is called `TS10`; did you mean `TS102`?"),
        ('["TS101"]', "TS101 is a finding, never `unchecked` (those are: TS102, GP101, GP104, GP202); to allow it, use [[tool.gatepost.ignore]]"),
        ('["XX101"]', "no rule is called 'XX101'; see `gatepost rules`"),
        ('["undeclared-index"]', "write the code of undeclared-index, `TS101`"),
        ('["GP999"]', "no rule is called `GP999`; `gatepost rules` lists them"),
    ],
)  # fmt: skip
def test_a_code_that_cannot_be_unchecked_is_told(allow: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        idle("a.py", "", replace(WHOLE, id="torch-source"), {"gatepost.toml": f"allow-unchecked = {allow}\n"})
    assert str(caught.value) == f"gatepost.toml: allow-unchecked: {said}"


@pytest.mark.parametrize("allow", ["true", "[]", '["TS102", "GP202", "LF301", "LF101"]'])
def test_codes_that_may_be_unchecked(allow: str) -> None:
    found = idle("a.py", "", replace(WHOLE, id="torch-source"), {"gatepost.toml": f"allow-unchecked = {allow}\n"})
    assert found == []  # what is another hook's, that one says


def test_an_ignore_entry_of_a_rule_by_its_name() -> None:
    entry = '[[tool.gatepost.ignore]]\ncode = "undeclared-index"\nreason = "x"\n'
    with pytest.raises(SettingsError) as caught:
        run({"pyproject.toml": entry})
    assert (
        str(caught.value) == "pyproject.toml: tool.gatepost.ignore[0].code: write the code of undeclared-index, `TS101`"
    )


def test_an_ignore_of_a_rule_that_is_not_there_is_told() -> None:
    entry = '[[tool.gatepost.ignore]]\ncode = "TS999"\nreason = "a slip"\n'
    with pytest.raises(SettingsError) as caught:
        run({"pyproject.toml": entry, "a": "bad"})
    assert str(caught.value).startswith("pyproject.toml: tool.gatepost.ignore[0].code: no rule is called `TS999`")
    assert lines(run({"pyproject.toml": entry.replace("TS", "LF")})) == []  # another hook's to say


def test_a_check_of_a_part_says_nothing_of_idle_ignores() -> None:
    def partly(ctx: Context) -> list[Outcome]:
        ctx.partly()
        return []

    data = {"pyproject.toml": b'[[tool.gatepost.ignore]]\ncode = "TS1"\nreason = "examples"\n'}
    settings = read_settings(data.get, list)
    assert run_hook(replace(HOOK, check=partly), MemoryTree(data), settings) == []


def test_ignores_know_every_prefix() -> None:
    assert sorted({code.id[:2] for _hook, code in all_codes()}) == sorted(PREFIXES)


def test_what_fails() -> None:
    (odd,) = run({"odd": ""})
    assert failing([odd], strict=False, allow_unchecked=())
    assert not failing([odd], strict=False, allow_unchecked=True)
    assert not failing([odd], strict=False, allow_unchecked=["TS102"])
    assert failing([odd], strict=False, allow_unchecked=["TS101"])


def test_a_check_that_breaks_is_one_line() -> None:
    def broken(_: Context) -> list[Outcome]:
        raise ValueError("boom")

    hook = Hook(id="some-hook", summary="", check=broken, codes=lambda: CODES)
    settings = read_settings(lambda path: None, list)
    with pytest.raises(
        CheckError, match=r"^some-hook: internal error, ValueError: boom at tests.*; set GATEPOST_DEBUG=1"
    ):
        run_hook(hook, MemoryTree({}), settings)


def test_fixes_of_one_file_add_up() -> None:
    tree = MemoryTree({"a": b"bad\nfine\nbad"})
    settings = read_settings(lambda path: None, list)

    def again(view: Tree) -> list[Result]:
        return run_hook(HOOK, view, settings)

    edits, _then, left = plan(again(tree), tree, again)
    assert left == []
    assert edits == {"a": Edit(path="a", old=b"bad\nfine\nbad", new=b"good\nfine\ngood")}


def test_a_fix_that_mends_nothing_is_refused() -> None:
    def useless(ctx: Context) -> Iterator[Outcome]:
        data = ctx.tree.read("a") or b""
        fix = Fix(title="", edits=(Edit(path="a", old=data, new=data + b"!"),), safe=True)
        yield Finding(code="TS101", where=Location(path="a"), message="m", remedy="", fix=fix)

    hook = Hook(id="some-hook", summary="", check=useless, codes=lambda: CODES)
    tree = MemoryTree({"a": b"x"})

    def again(view: Tree) -> list[Result]:
        return run_hook(hook, view, read_settings(lambda path: None, list))

    edits, _then, left = plan(again(tree), tree, again)
    assert edits == {} and len(left) == 1
