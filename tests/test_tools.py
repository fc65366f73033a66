"""The tool runner: arguments, configs, the project's interpreter, and what is said when a tool is not there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gatepost.settings import validate
from gatepost.tools import command, config
from gatepost.tools.interpreter import find_interpreter
from gatepost.tools.run import CannotRun, build, split_args
from gatepost.tools.table import TOOLS
from tests.conftest import Repo


def fake_env(folder: Path) -> str:
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("")
    (folder / "pyvenv.cfg").write_text("")
    return str(python)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--fix", "a.py"], (["--fix"], ["a.py"])),
        (["--select", "E501", "a.py", "b c.py"], (["--select", "E501"], ["a.py", "b c.py"])),
        (["--", "a.py"], ([], ["a.py"])),
        (["-dash.py", "a.py"], ([], ["./-dash.py", "a.py"])),
        ([], ([], [])),
        (["--fix"], (["--fix"], [])),
    ],
)
def test_options_and_file_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], expected: tuple[list[str], list[str]]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "b c.py", "-dash.py"):
        (tmp_path / name).write_text("")
    assert split_args(args) == expected


def test_a_replaced_dependency_list_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    with pytest.raises(CannotRun) as caught:
        command.executable("mypy", {"PRE_COMMIT": "1", "PATH": os.environ["PATH"]})
    assert "`additional_dependencies` in .pre-commit-config.yaml replaces the hook's own list" in str(caught.value)
    assert "additional_dependencies: ['.[mypy]']" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[tool.ruff]\n", True),
        ("[tool.ruff.lint]\n", True),
        ("[ tool . ruff ]\n", True),
        ("tool.ruff.line-length = 100\n", True),
        ('[tool."ruff"]\n', True),
        ("[tool.ruffian]\n", False),
        ("# [tool.ruff]\n", False),
        ("", False),
    ],
)
def test_a_table_is_seen_in_text(text: str, found: bool) -> None:
    assert config.has_table(text, "tool", "ruff") is found


def test_ruff_gets_the_shared_config_only_where_nothing_configures_it(repo: Repo) -> None:
    top = str(repo.path)
    repo.write("pyproject.toml", "[project]\nname = 'x'\n")
    files = ["a.py", "sub/b.py", "sub/deep/c.py"]
    assert config.ruff_groups(top, top, files) == ([], files, [])
    member = repo.write("sub/pyproject.toml", "[tool.ruff]\n")
    assert config.ruff_groups(top, top, files) == (files[1:], files[:1], [str(member)])
    whole = repo.write("ruff.toml", "")
    assert config.ruff_groups(top, top, files) == (files, [], [str(whole), str(member)])
    assert config.ruff_groups(str(repo.path / "sub"), top, ["b.py"]) == (["b.py"], [], [str(member)])


def test_the_shared_config_is_there() -> None:
    assert Path(config.shared_config()).is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX layout of environments")
class TestInterpreter:
    def test_order(self, tmp_path: Path) -> None:
        root = tmp_path / "project"
        root.mkdir()
        on_path = fake_env(tmp_path / "on-path")
        environ = {"PATH": f"/usr/bin{os.pathsep}{tmp_path / 'on-path' / 'bin'}"}

        def found(explicit: str = "", **more: str) -> str | None:
            result = find_interpreter(str(root), explicit, {**environ, **more}).interpreter
            return result.path if result is not None else None

        assert found() == on_path
        conda = fake_env(tmp_path / "conda")
        assert found(CONDA_PREFIX=str(tmp_path / "conda"), PATH="") == conda
        (root / ".pdm-python").write_text(fake_env(tmp_path / "pdm"))
        assert found() == str(tmp_path / "pdm/bin/python")
        dot = fake_env(root / ".venv")
        assert found() == dot
        named = fake_env(tmp_path / "named")
        assert found(UV_PROJECT_ENVIRONMENT=str(tmp_path / "named")) == named
        assert found(explicit=str(tmp_path / "pdm")) == str(tmp_path / "pdm/bin/python")

    def test_none(self, tmp_path: Path) -> None:
        assert find_interpreter(str(tmp_path), "", {"PATH": "/usr/bin"}).interpreter is None

    def test_the_hooks_own_environment_does_not_count(self, tmp_path: Path) -> None:
        own = {"PATH": os.path.join(sys.prefix, "bin")}
        assert find_interpreter(str(tmp_path), "", {**own, "PRE_COMMIT": "1"}).interpreter is None
        by_hand = find_interpreter(str(tmp_path), "", own).interpreter
        assert by_hand is not None and by_hand.path == os.path.join(sys.prefix, "bin", "python")

    @pytest.mark.parametrize("python", ["Scripts/python.exe", "python.exe", "bin/python3"])
    def test_layouts(self, tmp_path: Path, python: str) -> None:
        """Windows' venv, conda on Windows, an environment without a plain `python`."""
        path = tmp_path / ".venv" / python
        path.parent.mkdir(parents=True)
        path.write_text("")
        found = find_interpreter(str(tmp_path), "", {}).interpreter
        assert found is not None and (found.path, found.how) == (str(path), ".venv")

    def test_a_broken_environment_is_named(self, tmp_path: Path) -> None:
        """Its interpreter was a link to one that is gone."""
        Path(fake_env(tmp_path / ".venv")).unlink()
        (tmp_path / ".venv" / "bin" / "python").symlink_to(tmp_path / "gone")
        found = find_interpreter(str(tmp_path), "", {})
        assert found.interpreter is None
        assert found.rejected == (".venv has no working Python, make it again",)

    @pytest.mark.parametrize("relative", [True, False])
    def test_the_environment_that_uv_is_told_of(self, tmp_path: Path, relative: bool) -> None:
        """A relative one is the workspace's, as uv has it; also for a hook that runs in a member."""
        member = tmp_path / "packages" / "a"
        member.mkdir(parents=True)
        fake_env(member / ".venv")
        python = fake_env(tmp_path / "envs" / "ci")
        named = "envs/ci" if relative else str(tmp_path / "envs" / "ci")
        found = find_interpreter(str(member), "", {"UV_PROJECT_ENVIRONMENT": named}, str(tmp_path)).interpreter
        assert found is not None and os.path.normpath(found.path) == python

    def test_several_members_with_environments(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            fake_env(tmp_path / "packages" / name / ".venv")
        found = find_interpreter(str(tmp_path), "", {})
        assert found.interpreter is None
        assert found.rejected == ("packages/a/.venv is one of several", "packages/b/.venv is one of several")
        at_root = fake_env(tmp_path / ".venv")
        found = find_interpreter(str(tmp_path / "packages" / "a"), "", {}, str(tmp_path))
        assert found.interpreter is not None and found.interpreter.how == ".venv"
        (tmp_path / "packages" / "c").mkdir()
        found = find_interpreter(str(tmp_path / "packages" / "c"), "", {}, str(tmp_path))
        assert found.interpreter is not None and found.interpreter.path == at_root

    def test_a_wrong_setting_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            find_interpreter(str(tmp_path), "nowhere", {})


def mypy_settings(**given: object) -> dict[str, object]:
    return validate(TOOLS["mypy"].settings, given, "")


def test_mypy_without_an_environment_is_a_choice(repo: Repo) -> None:
    repo.commit(**{"a.py": "x = 1\n"})
    environ = {"PATH": "/usr/bin:/bin"}
    with pytest.raises(CannotRun, match="no environment of the project was found"):
        build("mypy", str(repo.path), [], [], mypy_settings(), environ)
    found = build("mypy", str(repo.path), [], [], mypy_settings(isolated=True), environ)
    assert found is not None
    assert found.argvs[0][-1] == "a.py"
    assert "--ignore-missing-imports" in found.argvs[0]
    assert found.note == "without the project's packages"


@pytest.mark.parametrize(
    ("files", "enough"),
    [
        ({"pyproject.toml": "[project]\nname = 'x'\ndependencies = []\n"}, True),
        ({"pyproject.toml": "[project]\nname = 'x'\n[dependency-groups]\ndev = ['pytest']\n"}, False),
        ({"pyproject.toml": "[project]\nname = 'x'\ndynamic = ['dependencies']\n"}, False),
        ({"pyproject.toml": "[project]\nname = 'x'\n", "sub/requirements.txt": "torch\n"}, False),
        (
            {
                "pyproject.toml": "[project]\nname = 'x'\n",
                "sub/pyproject.toml": "[project]\ndependencies = ['torch']\n",
            },
            False,
        ),
        ({"pyproject.toml": "[tool.black]\n"}, False),
        ({"readme": "x"}, False),
    ],
)
def test_a_project_that_needs_nothing_needs_no_environment(repo: Repo, files: dict[str, str], enough: bool) -> None:
    repo.commit(**{"a.py": "x = 1\n", **files})
    environ = {"PATH": "/usr/bin:/bin"}
    if not enough:
        with pytest.raises(CannotRun, match="no environment of the project was found"):
            build("mypy", str(repo.path), [], [], mypy_settings(), environ)
        return
    found = build("mypy", str(repo.path), [], [], mypy_settings(), environ)
    assert found is not None and "--ignore-missing-imports" not in found.argvs[0]
    assert found.note == "without an environment, as the project declares that it needs no packages"


def test_mypy_sees_the_projects_packages(repo: Repo) -> None:
    """The project's own environment holds a typed package; the error can only be found through it."""
    import subprocess
    import venv

    venv.create(repo.path / ".venv", with_pip=False, symlinks=True)
    site = next((repo.path / ".venv" / "lib").iterdir()) / "site-packages" / "tensors"
    site.mkdir()
    (site / "__init__.py").write_text("def zeros(n: int) -> list[float]: return [0.0] * n\n")
    (site / "py.typed").write_text("")
    repo.write(".gitignore", ".venv\n")
    repo.commit(**{"a.py": 'import tensors\n\nx: int = tensors.zeros("3")\n'})
    done = subprocess.run(
        [sys.executable, "-m", "gatepost", "mypy"], cwd=repo.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "gatepost mypy: packages of .venv\n" in done.stdout
    assert 'Argument 1 to "zeros" has incompatible type "str"; expected "int"' in done.stdout


def test_bandit_is_not_given_notebooks(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.path)
    repo.write("b.py", "import torch\n\ntorch.load('m')\n")
    environ = {"PATH": os.environ["PATH"]}
    assert build("bandit", str(repo.path), [], ["a.ipynb"], {}, environ) is None
    found = build("bandit", str(repo.path), [], ["a.ipynb", "b.py"], {}, environ)
    assert found is not None and len(found.argvs) == 1
    argv = found.argvs[0]
    assert argv[-1] == "./b.py" and "a.ipynb" not in argv
    assert argv[argv.index("-c") + 1] == config.shared_config()
