"""What must hold for any project and any release: on generated documents of every shape."""

from __future__ import annotations

from collections import Counter
from typing import Any

import tomli
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gatepost.sync import record_file
from gatepost.sync.merge import merge
from gatepost.sync.overrides import explode
from gatepost.sync.paths import get, leaves, render, render_key, same, show
from gatepost.sync.proof import proved
from gatepost.sync.record_file import Record
from gatepost.toml.scan import scan

CODES = st.lists(st.sampled_from(["E", "F", "B", "UP", "NPY", "TC001", "RUF"]), unique=True, max_size=5)
MODULES = st.lists(st.sampled_from(["a.*", "b.*", "c.*", "d"]), unique=True, min_size=1, max_size=3)
GLOBS = st.sampled_from(["tests/**", "docs/**", "x.py"])

RUFF = st.fixed_dictionaries(
    {},
    optional={
        "line-length": st.sampled_from([88, 100, 120]),
        "fix": st.booleans(),
        "lint": st.fixed_dictionaries(
            {},
            optional={
                "select": CODES,
                "ignore": CODES,
                "per-file-ignores": st.dictionaries(GLOBS, CODES, max_size=2),
                "isort": st.fixed_dictionaries({}, optional={"combine-as-imports": st.booleans()}),
            },
        ),
        "format": st.fixed_dictionaries({}, optional={"quote-style": st.sampled_from(["single", "double"])}),
    },
)
OVERRIDES = st.lists(
    st.tuples(MODULES, st.sampled_from(["ignore_missing_imports", "follow_untyped_imports"]), st.booleans()),
    max_size=3,
).map(lambda rows: [{"module": modules, key: value} for modules, key, value in rows])
SHARED = st.fixed_dictionaries(
    {},
    optional={
        "ruff": RUFF,
        "mypy": st.fixed_dictionaries({}, optional={"strict": st.booleans(), "warn_unreachable": st.booleans()}),
        "pytest": st.fixed_dictionaries(
            {"ini_options": st.fixed_dictionaries({}, optional={"addopts": st.just(["-ra"]), "markers": st.just(["slow: is slow"])})}
        ),
    },
)  # fmt: skip


@st.composite
def shared_configs(draw: Any) -> Any:
    """`{"tool": ...}` without conflicting overrides, as a release is."""
    tools = draw(SHARED)
    blocks = draw(OVERRIDES)
    seen: set[tuple[str, str]] = set()
    kept = []
    for block in blocks:
        key = next(name for name in block if name != "module")
        block["module"] = [module for module in block["module"] if (module, key) not in seen]
        seen |= {(module, key) for module in block["module"]}
        if block["module"]:
            kept.append(block)
    if kept:
        tools = {**tools, "mypy": {**tools.get("mypy", {}), "overrides": kept}}
    return {"tool": tools}


@st.composite
def projects(draw: Any) -> Any:
    """The text of a pyproject.toml whose tables are written in any of TOML's forms, with comments everywhere."""
    tools = draw(SHARED)
    if draw(st.booleans()):
        tools = {**tools, "other": {"a": [1, {"b": "c"}], "d": {"e": 1.5}}}
    nl = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    number = 0

    def comment() -> str:
        nonlocal number
        number += 1
        return f'# note {number} [x] = "' if draw(st.integers(0, 3)) == 0 else ""

    def array(items: list[Any]) -> str:
        if not items or draw(st.booleans()):
            return "[" + ", ".join(map(render, items)) + ("," if items and draw(st.booleans()) else "") + "]"
        rows = [f"    {render(item)},  {comment()}".rstrip() for item in items]
        if draw(st.booleans()):
            rows[-1] = f"    {render(items[-1])}"
        return "[\n" + "\n".join(rows) + "\n]"

    def lines(table: dict[str, Any], path: tuple[str, ...], dotted: tuple[str, ...]) -> list[str]:
        out: list[str] = []
        later: list[str] = []
        for key, value in table.items():
            if isinstance(value, dict):
                form = draw(st.sampled_from(["header", "dotted", "inline"]))
                if form == "inline" and value:
                    out.append(f"{show((*dotted, key))} = {render(value)} {comment()}".rstrip())
                elif (form == "dotted" or dotted) and value:
                    out += lines(value, (*path, key), (*dotted, key))
                elif value or draw(st.booleans()):
                    later += ["", comment(), f"[{show((*path, key))}] {comment()}".rstrip()]
                    later += lines(value, (*path, key), ())
            else:
                text = array(value) if isinstance(value, list) else render(value)
                out += [each for each in [comment()] if each]
                out.append(f"{show((*dotted, key))} = {text} {comment()}".rstrip())
        return out + later

    blocks = draw(OVERRIDES)
    body: list[str] = ["[project]", 'name = "p"', comment(), "[tool]" if draw(st.booleans()) else ""]
    header = body[-1] == "[tool]"
    names = draw(st.permutations(list(tools)))
    if header and draw(st.booleans()):
        body += lines({name: tools[name] for name in names}, ("tool",), ())
    else:
        for name in names:
            if tools[name]:
                body += ["", comment(), f"[tool.{render_key(name)}]", *lines(tools[name], ("tool", name), ())]
    for block in blocks:
        body += ["", "[[tool.mypy.overrides]]", *(f"{key} = {render(value)} {comment()}".rstrip() for key, value in block.items())]  # fmt: skip
    if draw(st.booleans()):
        body += ["", comment()]
    text = nl.join("\n".join(body).split("\n")) + draw(st.sampled_from(["", nl]))
    return draw(st.sampled_from(["", "\ufeff"])) + text


def parse(text: str) -> dict[str, Any]:
    return tomli.loads(text.removeprefix("\ufeff"))


def valid(text: str) -> dict[str, Any]:
    try:
        return parse(text)
    except tomli.TOMLDecodeError:
        assume(False)
        raise


def comments(text: str) -> Counter[str]:
    return Counter(text[start:end] for start, end in scan(text).comments())


def uninstalled(text: str, entries: Any, keeps: Any) -> str:
    out = merge(text, {}, entries)
    assert out.refused == ""
    ops = [("del", ("tool", "gatepost", "keep", show(path)), False) for path, _ in keeps]
    return proved(out.text, parse(out.text), ops)


def unordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: unordered(item) for key, item in value.items()}
    return sorted(map(repr, value)) if isinstance(value, list) else value


@settings(max_examples=60, deadline=None)
@given(projects(), shared_configs())
def test_sync_is_idempotent_keeps_comments_and_foreign_keys_and_can_be_undone(text: str, shared: Any) -> None:
    data = valid(text)
    first = merge(text, shared)
    if first.refused:
        assert first.text == text
        return
    after = parse(first.text)
    assert not comments(text) - comments(first.text)
    wanted = dict(leaves(shared))
    for path, value in leaves(data):
        if path not in wanted and path[:3] != ("tool", "mypy", "overrides") and value != {}:
            assert same(get(after, path), value), path
    again = merge(first.text, shared, first.entries)
    assert (again.text, again.entries) == (first.text, first.entries)
    undone = uninstalled(first.text, first.entries, first.keeps)
    assert same(parse(undone), data)
    assert not comments(text) - comments(undone)


@settings(max_examples=40, deadline=None)
@given(projects(), shared_configs(), shared_configs())
def test_an_upgrade_is_proved_kept_and_undone(text: str, one: Any, two: Any) -> None:
    data = valid(text)
    first = merge(text, one)
    assume(not first.refused)
    second = merge(first.text, two, first.entries)
    if second.refused:
        assert second.text == first.text
        return
    assert not comments(text) - comments(second.text)
    assert merge(second.text, two, second.entries).text == second.text
    undone = uninstalled(second.text, second.entries, [*first.keeps, *second.keeps])
    assert same(unordered(parse(undone)), unordered(data))


@settings(max_examples=40, deadline=None)
@given(shared_configs(), shared_configs(), shared_configs())
def test_any_order_of_upgrades_ends_in_the_same_place(one: Any, two: Any, three: Any) -> None:
    """From a project that has none of the settings itself; where it has, adoption makes the way part of the result."""
    text = '[project]\nname = "p"\n\n[tool.other]\na = 1\n'
    start = merge(text, one)

    def go(*way: Any) -> Any:
        at = start
        for release in way:
            at = merge(at.text, release, at.entries)
            assert at.refused == ""
        data = parse(at.text)
        # how overrides are grouped into blocks means nothing
        pairs = explode(data["tool"].get("mypy", {}).pop("overrides", None))
        data["tool"] = {name: table for name, table in data["tool"].items() if table}
        return unordered(data), pairs, {path: unordered(entry.value) for path, entry in at.entries.items()}

    assert go(two, three) == go(three) == go(three, two, three)


def test_an_empty_table_of_the_project_outlives_what_was_shared_in_it() -> None:
    text = "[tool.mypy]\n"
    block = [{"module": "a.*", "ignore_missing_imports": True}]
    releases: list[Any] = [{"tool": {"mypy": {"overrides": block}}}, {"tool": {"mypy": {"strict": True}}}]
    for one, two in (releases, releases[::-1]):
        first = merge(text, one)
        second = merge(first.text, two, first.entries)
        third = merge(second.text, one, second.entries)
        assert [merge(each.text, {}, each.entries).text for each in (first, second, third)] == [text] * 3


def test_entries_of_the_same_state_are_equal() -> None:
    shared = {"tool": {"ruff": {"lint": {"select": ["E", "F"]}}}}
    first = merge("", shared)
    assert merge(first.text, shared, first.entries).entries == first.entries


def test_a_list_on_one_line_is_on_one_line_again_after_an_uninstall() -> None:
    text = '[tool.ruff.lint]\nselect = ["E",  "F"]  # ours\nignore = [ "E501", ]\n'
    many = {"tool": {"ruff": {"lint": {name: [f"UP{n:03}" for n in range(40)] for name in ("select", "ignore")}}}}
    more: Any = {"tool": {"ruff": {"lint": {name: ["UP001", "B"] for name in ("select", "ignore")}}}}
    first = merge(text, many)
    assert len(first.text.splitlines()) > 80
    second = merge(first.text, more, parse_record(first.entries))
    assert merge(second.text, {}, parse_record(second.entries)).text == text
    commented = second.text.replace('    "F",', '    "F",  # flakes')
    left = merge(commented, {}, second.entries)
    assert left.refused == "" and "# flakes" in left.text


def parse_record(entries: Any) -> Any:
    content = Record(version="1", profile=("base",), files={"pyproject.toml": entries})
    return record_file.parse(record_file.dump(content)).files["pyproject.toml"]
