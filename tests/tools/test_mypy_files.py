"""Which files mypy is given, under which module names: what `mypy .` would look at, never less, never a clash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatepost.tools.mypy_config import MypyConfig, discovered, find_config, read_config, rounds
from tests.conftest import Repo


@pytest.mark.parametrize(
    ("exclude", "left_out"),
    [
        pytest.param((), set(), id="nothing"),
        pytest.param(("^build/",), {"build/lib/a.py"}, id="a folder"),
        pytest.param(("gen",), {"src/gen/x.py", "src/generated.py"}, id="a part of any name"),
        pytest.param((r"_pb2\.py$", "^docs/$"), {"src/m_pb2.py", "docs/conf.py"}, id="several"),
        pytest.param(("(",), set(), id="no regular expression: mypy says so"),
    ],
)
def test_exclude(exclude: tuple[str, ...], left_out: set[str]) -> None:
    everything = {"build/lib/a.py", "src/gen/x.py", "src/generated.py", "src/m_pb2.py", "docs/conf.py", "a.py"}
    assert set(discovered(sorted(everything), exclude)) == everything - left_out


def test_what_mypy_passes_over_by_itself() -> None:
    tracked = [
        ".hidden/a.py",
        "x/node_modules/b.py",
        "c/.d.py",
        "e.py",
        "e.pyi",
        "f.py",
        "f/__init__.py",
        "my-dir/g.py",
    ]
    assert discovered(tracked, ()) == ["e.pyi", "f/__init__.py", "my-dir/g.py"]


def made(root: Path, *paths: str) -> list[str]:
    for each in paths:
        (root / each).parent.mkdir(parents=True, exist_ok=True)
        (root / each).write_text("")
    return list(paths)


@pytest.mark.parametrize(
    ("paths", "explicit", "expected"),
    [
        pytest.param(["a.py", "pkg/__init__.py", "pkg/b.py"], False, [["a.py", "pkg/__init__.py", "pkg/b.py"]], id="one"),
        pytest.param(["x-1/run.py", "x-2/run.py"], False, [["x-1/run.py"], ["x-2/run.py"]], id="scripts of one name"),
        pytest.param(["one/run.py", "two/run.py"], True, [["one/run.py", "two/run.py"]], id="explicit bases tell them apart"),
        pytest.param(
            ["a-1/tests/__init__.py", "a-1/tests/t.py", "b-1/tests/__init__.py", "b-1/tests/u.py"],
            False,
            [["a-1/tests/__init__.py", "a-1/tests/t.py"], ["b-1/tests/__init__.py", "b-1/tests/u.py"]],
            id="packages of one name stay whole",
        ),
        pytest.param(["src/p/__init__.py", "src/p/m.py", "tests/t.py"], False,
                     [["src/p/__init__.py", "src/p/m.py", "tests/t.py"]], id="src layout"),
        pytest.param(["01_intro.py", "my.file.py"], False, [["01_intro.py", "my.file.py"]], id="odd names"),
    ],
)  # fmt: skip
def test_rounds(tmp_path: Path, paths: list[str], explicit: bool, expected: list[list[str]]) -> None:
    root = tmp_path / "root"
    found, unnameable = rounds(made(root, *paths), MypyConfig(path=None, explicit_bases=explicit), str(root))
    assert (found, unnameable) == (expected, [])


def test_a_package_without_a_name_is_told(tmp_path: Path) -> None:
    files = made(tmp_path / "root", "a.py", "my-pkg/__init__.py", "my-pkg/b.py")
    assert rounds(files, MypyConfig(path=None), str(tmp_path / "root")) == ([["a.py"]], ["my-pkg"])


def test_the_config_of_a_folder_above_counts_but_not_beyond_the_repository(tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text("[mypy]\n")
    sub = tmp_path / "repo" / "sub"
    sub.mkdir(parents=True)
    (tmp_path / "repo" / "pyproject.toml").write_text("[project]\n")
    assert find_config(str(sub), str(tmp_path / "repo")) is None
    (tmp_path / "repo" / "setup.cfg").write_text("[mypy]\nfiles = a.py\nexclude = ^x/\n")
    found = find_config(str(sub), str(tmp_path / "repo"))
    assert found == str(tmp_path / "repo" / "setup.cfg")
    config = read_config(found, str(sub), ["--exclude", "y", "--explicit-package-bases"], {"MYPYPATH": "lib"})
    assert config.names_targets and config.exclude == ("^x/", "y") and config.explicit_bases
    assert config.bases == (str(sub / "lib"),)


def test_mypy_path_of_a_config(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.mypy]\nmypy_path = "$MYPY_CONFIG_FILE_DIR/src:stubs"\nexplicit_package_bases = true\n')
    config = read_config(str(path), str(tmp_path), [], {})
    assert config.bases == (str(tmp_path / "src"), str(tmp_path / "stubs"))


ISOLATED = "[tool.gatepost.mypy]\nisolated = true\n"
WRONG = 'x: int = ""\n'


def mypy(repo: Repo, *args: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PRE_COMMIT": "1", "PATH": "/usr/bin:/bin"}
    return subprocess.run([sys.executable, "-m", "gatepost", "mypy", *args], cwd=repo.path, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # fmt: skip


def test_every_tracked_file_is_checked_whatever_its_folder_is_called(repo: Repo) -> None:
    repo.commit(**{"pyproject.toml": ISOLATED, "a.py": WRONG, "my-app/run.py": WRONG, "my-tool/run.py": "# other\n" + WRONG, "-d.py": WRONG,
                   "@at.py": WRONG, "sp ace/\u00e9.py": WRONG, "services/my-api/src/api/__init__.py": "from api.m import y\n",
                   "services/my-api/src/api/m.py": 'y: int = ""\n'})  # fmt: skip
    done = mypy(repo)
    places = {line.split(":")[0] for line in done.stdout.splitlines() if ": error:" in line}
    assert places == {"a.py", "my-app/run.py", "my-tool/run.py", "-d.py", "@at.py", "sp ace/\u00e9.py",
                      "services/my-api/src/api/m.py"}  # fmt: skip
    assert done.stdout.splitlines()[0].endswith("; 2 runs, as modules of one name cannot be checked in the same")
    assert done.returncode == 1


def test_a_config_that_names_files_is_obeyed(repo: Repo) -> None:
    repo.commit(**{"pyproject.toml": ISOLATED + '[tool.mypy]\nfiles = ["b.py"]\n', "a.py": WRONG, "b.py": "x = 1\n"})
    done = mypy(repo)
    assert done.stdout.endswith("Success: no issues found in 1 source file\n") and done.returncode == 0


def test_a_config_file_named_in_args_is_no_file_to_check(repo: Repo) -> None:
    repo.commit(
        **{"pyproject.toml": ISOLATED, "strict.ini": "[mypy]\ndisallow_untyped_defs = true\n", "a.py": "def f(): ...\n"}
    )
    done = mypy(repo, "--config-file", "strict.ini")
    assert "[no-untyped-def]" in done.stdout and done.returncode == 1


def test_a_package_in_the_root_of_a_repository_with_a_name_that_is_no_identifier(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "comfy-node")
    repo.commit(
        **{"pyproject.toml": ISOLATED + "[tool.mypy]\nstrict = true\n", "__init__.py": WRONG, "nodes.py": WRONG}
    )
    done = mypy(repo)
    assert "Found 2 errors in 2 files (checked 2 source files)" in done.stdout


@pytest.mark.parametrize("settings", [ISOLATED, ""], ids=["isolated", "without an environment"])
def test_no_python_at_all(repo: Repo, settings: str) -> None:
    repo.commit(**{"pyproject.toml": settings, "notes.md": "# none\n"})
    done = mypy(repo)
    assert (done.returncode, done.stdout) == (0, "")
