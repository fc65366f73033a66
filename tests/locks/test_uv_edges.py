"""Edges of the rules for uv.lock that uv 0.13.8 was asked about by hand: what it refuses, ignores, or takes from elsewhere."""

from __future__ import annotations

import pytest

from gatepost.locks._base import Fresh, Stale, Unknown
from gatepost.locks.uv import project
from gatepost.locks.uv.groups import group_lines
from gatepost.locks.uv.judge import judge
from gatepost.record import replace
from tests.locks import asking

PROJECT = """\
[project]
name = "demo"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["httpx>=0.27"]
"""
LOCK = """\
version = 1
revision = 3
requires-python = ">=3.10"
{head}
[[package]]
name = "demo"
version = "1.0"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "httpx" }},
]

[package.metadata]
requires-dist = [{{ name = "httpx", specifier = ">=0.27" }}]

[[package]]
name = "httpx"
version = "0.28.1"
source = {{ registry = "https://index.example/simple" }}
"""
SCRIPT = '# /// script\n# requires-python = ">=3.10"\n# dependencies = []\n# ///\nprint()\n'
SCRIPT_LOCK = 'version = 1\nrevision = 3\nrequires-python = ">=3.10"\n'


def files(manifest: str = "", head: str = "", **others: str) -> dict[str, bytes]:
    found = {"pyproject.toml": PROJECT + manifest, "uv.lock": LOCK.format(head=head), **others}
    return {name: text.encode() for name, text in found.items()}


@pytest.mark.parametrize(
    ("manifest", "head", "code"),
    [
        pytest.param('[tool.uv]\nresolution = "lowest"\n', "", "LF105", id="a setting that the lock was not made with"),
        pytest.param('[tool.uv]\nexclude-dependencies = ["zope"]\n', "", "", id="an exclusion of what is not locked"),
        pytest.param('[tool.uv]\nexclude-dependencies = ["httpx"]\n', "", "LF101", id="an exclusion of what is locked"),
        pytest.param('[tool.uv]\ndefault-groups = ["lint"]\n', "", "LF305", id="a default group that is not there"),
        pytest.param(
            '[tool.uv.dependency-groups]\nlint = {requires-python = ">=3.11"}\n',
            "",
            "LF305",
            id="settings of a group that is not there",
        ),
        pytest.param('[tool.uv]\ndefault-groups = "all"\n', "", "", id="all default groups, unknown to revision 3"),
        pytest.param("[tool.uv]\nexclude-newer = 2026-01-01T00:00:00Z\n", "", "LF305", id="a cutoff that is no string"),
    ],
)
def test_settings(manifest: str, head: str, code: str) -> None:
    verdict = judge(asking.memory_lock("uv.lock", files(manifest, head)))
    assert getattr(verdict, "code", "") == code


@pytest.mark.parametrize(
    ("manifest", "variable", "code"),
    [
        ('[tool.uv]\nresolution = "lowest"\n', "UV_RESOLUTION", "LF303"),
        ('[tool.uv]\nresolution = "lowest"\n', "UV_NO_CONFIG", "LF303"),
        ('[tool.uv]\nresolution = "lowest"\n', "UV_PRERELEASE", "LF105"),
        ('[tool.uv]\nindex-url = "https://mirror.example/simple"\n', "UV_DEFAULT_INDEX", "LF303"),
        ('[tool.uv]\nindex-url = "https://mirror.example/simple"\n', "UV_RESOLUTION", "LF105"),
        ("", "UV_RESOLUTION", ""),
        ('[project.optional-dependencies]\nweb = ["six"]\n', "UV_INDEX", "LF101"),
    ],
)
def test_a_variable_excuses_only_the_setting_that_it_decides(manifest: str, variable: str, code: str) -> None:
    lock = replace(
        asking.memory_lock("uv.lock", files(manifest)), env=lambda name: "lowest" if name == variable else None
    )
    verdict = judge(lock)
    assert getattr(verdict, "code", "") == code
    if code == "LF303":
        assert isinstance(verdict, Unknown) and variable in verdict.reason


@pytest.mark.parametrize(
    ("member", "other", "fresh"),
    [
        pytest.param("packages/*", "packages/new/readme.md", False, id="a folder with files and no manifest"),
        pytest.param("packages/*", "packages/readme.md", True, id="a file where members lie"),
        pytest.param("packages/*", "packages/.cache/readme.md", True, id="a hidden folder"),
        pytest.param("packages/*", "docs/new/readme.md", True, id="a folder elsewhere"),
        pytest.param("packages/**", "packages/new/readme.md", False, id="any depth"),
        pytest.param("packages/**", "packages/new/src/deep/readme.md", False, id="any depth, deep down"),
        pytest.param("packages/**", "packages/readme.md", True, id="any depth, a file where members lie"),
        pytest.param("packages/**", "packages/.cache/readme.md", True, id="any depth, a hidden folder"),
        pytest.param("packages/**", "packages/.cache/deep/readme.md", False, id="any depth, below a hidden folder"),
        pytest.param("packages/**", "docs/new/readme.md", True, id="any depth, a folder elsewhere"),
        pytest.param("**/app", "packages/new/readme.md", True, id="any depth, a folder of another name"),
        pytest.param("**/app", "packages/app/readme.md", False, id="any depth, a folder of the name"),
    ],
)
def test_folders_without_a_manifest(member: str, other: str, fresh: bool) -> None:
    workspace = f'[tool.uv.workspace]\nmembers = ["{member}"]\n'
    verdict = judge(asking.memory_lock("uv.lock", files(workspace, **{other: "x"})))
    assert isinstance(verdict, Fresh) is fresh
    assert fresh or (isinstance(verdict, Unknown) and verdict.code == "LF305")


def test_a_workspace_inside_a_workspace() -> None:
    inner = '[project]\nname = "inner"\nversion = "1"\n[tool.uv.workspace]\nmembers = []\n'
    workspace = '[tool.uv.workspace]\nmembers = ["packages/*"]\n'
    verdict = judge(asking.memory_lock("uv.lock", files(workspace, **{"packages/inner/pyproject.toml": inner})))
    assert isinstance(verdict, Unknown) and verdict.code == "LF305" and "inside a workspace" in verdict.reason


def test_a_lock_without_requires_python_is_said_to_have_none() -> None:
    lock = LOCK.format(head="").replace('requires-python = ">=3.10"\n', "")
    verdict = judge(asking.memory_lock("uv.lock", {**files(), "uv.lock": lock.encode()}))
    assert isinstance(verdict, Stale) and verdict.code == "LF102"
    assert verdict.reason == 'requires-python is ">=3.10", the lock has none'


def doubling(depth: int) -> str:
    """Groups that lead to the next one in two ways."""
    groups = "".join(
        f'g{n} = [{{include-group = "l{n}"}}, {{include-group = "r{n}"}}, {{include-group = "l{n}"}}]\n'
        f'l{n} = [{{include-group = "g{n + 1}"}}]\nr{n} = [{{include-group = "g{n + 1}"}}]\n'
        for n in range(depth)
    )
    return f'[dependency-groups]\n{groups}g{depth} = ["torch", "six"]\n'


def test_a_group_that_many_includes_lead_to_is_expanded_once() -> None:
    loaded = project.load("", files(doubling(15)).get)
    assert loaded is not None
    found = group_lines(loaded)
    assert {len(lines) for lines in found.values()} == {2}
    assert [text for text, _, _ in found["g0"]] == ["torch", "six"]


@pytest.mark.parametrize(
    "groups",
    [
        pytest.param(
            "".join(f'g{n} = [{{include-group = "g{n + 1}"}}]\n' for n in range(4000)) + "g4000 = []\n", id="deep"
        ),
        pytest.param(
            "".join(f'w{n} = [{{include-group = "all"}}]\n' for n in range(300))
            + f"all = {[f'pkg{n}' for n in range(100)]}\n",
            id="wide",
        ),
    ],
)
def test_too_much_of_including_is_told(groups: str) -> None:
    verdict = judge(asking.memory_lock("uv.lock", files("[dependency-groups]\n" + groups)))
    assert isinstance(verdict, Unknown) and verdict.code == "LF307" and "dependency groups" in verdict.reason


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(SCRIPT, "", id="as locked"),
        pytest.param(SCRIPT.replace("\n", "\r\n"), "", id="line ends of Windows"),
        pytest.param("#!/usr/bin/env python\n" + SCRIPT, "", id="a first line for the shell"),
        pytest.param("# /// other\n# x = 1\n# ///\n" + SCRIPT, "", id="a block of another kind"),
        pytest.param(SCRIPT + SCRIPT, "LF305", id="two blocks"),
        pytest.param(SCRIPT.replace("[]", '["httpx"]'), "LF101", id="a requirement more"),
        pytest.param(
            SCRIPT.replace("[]\n", "[]\n# [tool.uv]\n# environments = []\n"), "LF305", id="a setting of projects"
        ),
        pytest.param(SCRIPT.replace("[]\n", "[]\n# [tool.uv.sources]\n# x = { path = 'x' }\n"), "", id="sources"),
        pytest.param("print()\n", "LF303", id="no block, and nothing was asked for"),
    ],
)
def test_scripts(text: str, code: str) -> None:
    lock = asking.memory_lock("s.py.lock", {"s.py": text.encode(), "s.py.lock": SCRIPT_LOCK.encode()})
    assert getattr(judge(lock), "code", "") == code


def test_requirements_that_differ_in_nothing_but_their_kind_are_told_apart() -> None:
    lib = '[project]\nname = "lib"\nversion = "1"\nrequires-python = ">=3.10"\n'
    manifest = PROJECT.replace("httpx>=0.27", "lib") + '[tool.uv.sources]\nlib = { path = "lib", editable = true }\n'
    lock = LOCK.format(head="").replace('"httpx", specifier = ">=0.27"', '"lib", directory = "lib"')
    verdict = judge(
        asking.memory_lock(
            "uv.lock",
            {"pyproject.toml": manifest.encode(), "lib/pyproject.toml": lib.encode(), "uv.lock": lock.encode()},
        )
    )
    assert isinstance(verdict, Stale)
    assert verdict.reason == (
        "project.dependencies now asks for lib from lib (editable, everywhere), "
        "the lock has lib from lib (a package, everywhere)"
    )


@pytest.mark.parametrize(
    ("setting", "locked", "code"),
    [
        ('"1 week ago"', 'exclude-newer-span = "-P1W"', ""),
        ('"1 week ago"', 'exclude-newer-span = "P1W"', "LF105"),
        ('"+P1W"', 'exclude-newer-span = "P1W"', ""),
        ('"7 days"', 'exclude-newer-span = "P1W"', "LF105"),
        ('"36:00:00"', 'exclude-newer-span = "PT36H"', ""),
        ('"PT1.5H"', 'exclude-newer-span = "PT1H30M"', ""),
        ('"0 days"', 'exclude-newer-span = "PT0S"', ""),
        ('"1 month"', 'exclude-newer-span = "P30D"', "LF305"),
        ('"1.5 days"', 'exclude-newer-span = "P1D"', "LF305"),
        ('"1 week and 3 days"', 'exclude-newer-span = "P1W"', "LF305"),
        ('"2025-02-03T12:00:00"', 'exclude-newer = "2025-02-04T00:00:00Z"', ""),
        ('"20250203"', 'exclude-newer = "2025-02-04T00:00:00Z"', ""),
        ('"2025-02-04"', 'exclude-newer = "2025-02-04T00:00:00Z"', ""),
        ('"2025-02-02"', 'exclude-newer = "2025-02-04T00:00:00Z"', "LF105"),
        ('"2025-02-04T00:00:00[Europe/Berlin]"', 'exclude-newer = "2025-02-04T00:00:00Z"', "LF302"),
    ],
)
def test_cutoffs(setting: str, locked: str, code: str) -> None:
    head = f"[options]\n{locked}\n"
    verdict = judge(asking.memory_lock("uv.lock", files(f"[tool.uv]\nexclude-newer = {setting}\n", head)))
    assert getattr(verdict, "code", "") == code


@pytest.mark.parametrize(
    ("manifest", "head", "code"),
    [
        ('exclude-newer-package = {zope = "2025-01-01T00:00:00Z"}', "", ""),
        ('exclude-newer-package = {httpx = "2025-01-01T00:00:00Z"}', "", "LF105"),
        ('prerelease-package = {zope = "allow"}', "", ""),
        ('prerelease-package = {httpx = "allow"}', "", "LF105"),
        ('prerelease-package = {HTTPX = "allow"}', '[options.prerelease-package]\nhttpx = "allow"\n', ""),
        ("", '[options.prerelease-package]\nzope = "allow"\n', "LF105"),
        ('prerelease = {httpx = "allow"}', "", "LF305"),
    ],
)
def test_settings_for_single_packages(manifest: str, head: str, code: str) -> None:
    verdict = judge(asking.memory_lock("uv.lock", files(f"[tool.uv]\n{manifest}\n", head)))
    assert getattr(verdict, "code", "") == code


@pytest.mark.parametrize(
    ("sets", "code"),
    [
        ('[[{extra="b"},{extra="a"}],[{extra="c"},{extra="a"}]]', ""),
        ('[[{extra="c"},{extra="a"}],[{extra="a"},{extra="b"}]]', "LF105"),
        ('[[{extra="b"},{extra="a"}],[{extra="c"},{extra="a"}],[{extra="c"},{extra="a"}]]', "LF105"),
    ],
)
def test_conflicts_are_compared_in_their_order(sets: str, code: str) -> None:
    pair = '[{{ package = "demo", extra = "a" }}, {{ package = "demo", extra = "{}" }}]'
    head = f"conflicts = [{pair.format('b')}, {pair.format('c')}]\n"
    verdict = judge(asking.memory_lock("uv.lock", files(f"[tool.uv]\nconflicts = {sets}\n", head)))
    assert getattr(verdict, "code", "") == code


def member(name: str, editable: str) -> str:
    source = f"{{ workspace = true{editable} }}"
    return f'[project]\nname = "{name}"\nversion = "1"\n[tool.uv.sources]\nmid = {source}\n'


@pytest.mark.parametrize(
    ("first", "last", "required"),
    [
        ("", ", editable = false", False),
        (", editable = false", "", None),
        (", editable = true", ", editable = false", "?"),
    ],
)
def test_the_last_member_that_asks_for_another_says_whether_it_is_editable(
    first: str, last: str, required: object
) -> None:
    texts = {
        "pyproject.toml": member("a", first) + "[tool.uv.workspace]\nmembers = ['z']\n",
        "z/pyproject.toml": member("z", last),
    }
    data = {path: text.encode() for path, text in texts.items()}
    root = project.load("", data.get)
    assert root is not None
    if required == "?":
        with pytest.raises(project.Undecidable):
            project.workspace(root, data.get, lambda: sorted(data))
    else:
        assert project.workspace(root, data.get, lambda: sorted(data)).required == {"mid": required}


@pytest.mark.parametrize(
    ("asked", "locked", "code"),
    [
        (">=0.27.*", ">=0.27", ""),
        (">=0.27.*", ">=0.28", "LF101"),
        (">=0.27<1", ">=0.27,<1", ""),
        ("!=~0.5", "!=0.5.*", ""),
        ("!=3.0*", "!=3.0.*", ""),
        (">='0.27'", ">=0.27", ""),
        (">=0.27.*; python_version < '3.5.*'", ">=0.27", "LF305"),
        ("~=0.27.*", ">=0.27", "LF305"),
        ("==1*", ">=0.27", "LF305"),
    ],
)
def test_specifiers_that_uv_mends(asked: str, locked: str, code: str) -> None:
    data = files()
    data["pyproject.toml"] = PROJECT.replace("httpx>=0.27", f"httpx{asked}").encode()
    data["uv.lock"] = LOCK.format(head="").replace(">=0.27", locked).encode()
    assert getattr(judge(asking.memory_lock("uv.lock", data)), "code", "") == code


def test_specifiers_of_groups_are_not_mended() -> None:
    verdict = judge(asking.memory_lock("uv.lock", files('[dependency-groups]\ndev = ["six>=1.*"]\n')))
    assert isinstance(verdict, Unknown) and verdict.code == "LF305" and "dependency-groups.dev[0]" in verdict.reason


@pytest.mark.parametrize("written", ['"httpx"', "[1, 'httpx>=0.27']", "{ httpx = '1' }"])
def test_dependencies_that_are_no_list_of_texts(written: str) -> None:
    data = files()
    data["pyproject.toml"] = PROJECT.replace('["httpx>=0.27"]', written).encode()
    verdict = judge(asking.memory_lock("uv.lock", data))
    assert isinstance(verdict, Unknown) and verdict.code == "LF305"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# /// script\n# dependencies = ['httpx']\nprint()\n", "not closed"),
        ("# /// script\n# dependencies = ['httpx']\n#\t///\nprint()\n", "not closed"),
        ("# /// script\n# dependencies = ['httpx']\n# ///\n# ///\nprint()\n", "not TOML"),
    ],
)
def test_script_blocks_that_uv_refuses(text: str, reason: str) -> None:
    verdict = judge(asking.memory_lock("s.py.lock", {"s.py": text.encode(), "s.py.lock": SCRIPT_LOCK.encode()}))
    assert isinstance(verdict, Unknown) and verdict.code == "LF305" and reason in verdict.reason


def test_uv_toml_with_what_only_a_project_may_set() -> None:
    verdict = judge(asking.memory_lock("uv.lock", files(**{"uv.toml": "environments = []\n"})))
    assert isinstance(verdict, Unknown) and verdict.code == "LF305" and "environments" in verdict.reason


@pytest.mark.parametrize(("entry", "fresh"), [("", False), ('default-groups = ["docs"]\n', True)])
def test_default_groups_of_a_workspace_without_a_project(entry: str, fresh: bool) -> None:
    manifest = (
        '[dependency-groups]\ndocs = []\n[tool.uv]\ndefault-groups = ["docs"]\n[tool.uv.workspace]\nmembers = ["a"]\n'
    )
    lock = 'version = 1\nrevision = 5\nrequires-python = ">=3.10"\n\n[manifest]\nmembers = ["a"]\n' + entry
    lock += '\n[[package]]\nname = "a"\nversion = "1"\nsource = { virtual = "a" }\n'
    inner = '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.10"\n'
    data = {"pyproject.toml": manifest, "a/pyproject.toml": inner, "uv.lock": lock}
    verdict = judge(asking.memory_lock("uv.lock", {path: text.encode() for path, text in data.items()}))
    assert isinstance(verdict, Fresh if fresh else Stale), verdict


@pytest.mark.parametrize(("revision", "fresh"), [(3, True), (5, False)])
def test_default_groups_of_a_member_that_it_has_not(revision: int, fresh: bool) -> None:
    """uv 0.9.30 and 0.12.5 lock it, 0.13.8 stops."""
    lock = f'version = 1\nrevision = {revision}\nrequires-python = ">=3.10"\n\n[manifest]\nmembers = ["a"]\n'
    lock += '\n[[package]]\nname = "a"\nversion = "1"\nsource = { virtual = "a" }\n'
    inner = '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.10"\n[tool.uv]\ndefault-groups = ["docs"]\n'
    data = {"pyproject.toml": '[tool.uv.workspace]\nmembers = ["a"]\n', "a/pyproject.toml": inner, "uv.lock": lock}
    verdict = judge(asking.memory_lock("uv.lock", {path: text.encode() for path, text in data.items()}))
    assert isinstance(verdict, Fresh) if fresh else getattr(verdict, "code", "") == "LF305", verdict


def test_a_source_for_an_extra_that_a_marker_names() -> None:
    data = files('[project.optional-dependencies]\nx = []\n[tool.uv.sources]\nsix = { index = "i", extra = "x" }\n')
    data["pyproject.toml"] = data["pyproject.toml"].replace(b'"httpx>=0.27"', b"\"six; extra == 'x'\"")
    verdict = judge(asking.memory_lock("uv.lock", data))
    assert "does not ask for" not in getattr(verdict, "reason", "")


@pytest.mark.parametrize(
    ("asked", "locked"),
    [
        ("sys_platform >= 'linux'", "sys_platform == 'linux'"),
        ("'linux' >= platform_system", "platform_system == 'linux'"),
        ("os_name < 'nt'", "python_version < '0'"),
        ("platform_release >= '5'", "platform_release >= '5'"),
        ("python_version ~= '3.11.1'", "python_version < '0'"),
        ("os_name == 'nt' and platform_system == 'Linux'", "python_version < '0'"),
        ("sys_platform == 'win32' and os_name == 'posix'", "python_version < '0'"),
        ("os_name == 'nt' and sys_platform == 'cygwin'", "os_name == 'nt' and sys_platform == 'cygwin'"),
    ],
)
def test_markers_as_uv_reads_them(asked: str, locked: str) -> None:
    data = files()
    data["pyproject.toml"] = PROJECT.replace('"httpx>=0.27"', f'"httpx>=0.27; {asked}"').encode()
    old = 'specifier = ">=0.27"'
    data["uv.lock"] = LOCK.format(head="").replace(old, f'marker = "{locked}", {old}').encode()
    assert isinstance(judge(asking.memory_lock("uv.lock", data)), Fresh)
    data["uv.lock"] = LOCK.format(head="").encode()
    assert isinstance(judge(asking.memory_lock("uv.lock", data)), Stale)
