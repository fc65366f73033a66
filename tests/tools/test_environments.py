"""The environments that real tools make, and what mypy sees through them: the same errors as when it is run by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Repo
from tests.oracle import tool_env

SOURCE = 'import iniconfig\n\nwanted: int = iniconfig.IniConfig("x").path\n'
ERROR = "a.py:3:15: error: Incompatible types in assignment"
PYPROJECT = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["iniconfig"]\n'

pytestmark = [pytest.mark.oracle, pytest.mark.skipif(sys.platform == "win32", reason="POSIX layout of environments")]


def as_in_a_hook(repo: Repo, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`gatepost mypy` with what a runner sets: PRE_COMMIT, and VIRTUAL_ENV for the hook's environment."""
    whole = {**os.environ, "PRE_COMMIT": "1", "VIRTUAL_ENV": sys.prefix, "PATH": "/usr/bin:/bin", **env}
    whole["PATH"] = f"{sys.prefix}/bin{os.pathsep}{whole['PATH']}"
    return subprocess.run([sys.executable, "-m", "gatepost", "mypy", *args], cwd=repo.path, env=whole,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # fmt: skip


def run(argv: list[str], repo: Repo, **env: str) -> str:
    whole = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    done = subprocess.run(argv, cwd=repo.path, env={**whole, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def project(repo: Repo, pyproject: str = PYPROJECT) -> Repo:
    if pyproject:
        repo.write("pyproject.toml", pyproject)
    repo.write(".gitignore", ".venv\n.pdm-python\n")
    repo.commit(**{"a.py": SOURCE})
    return repo


@pytest.mark.parametrize("named", [False, True], ids=[".venv", "UV_PROJECT_ENVIRONMENT"])
def test_uv(repo: Repo, tmp_path: Path, named: bool) -> None:
    project(repo)
    uv = str(tool_env("uv==0.13.8") / "uv")
    env = {"UV_PROJECT_ENVIRONMENT": str(tmp_path / "elsewhere")} if named else {}
    run([uv, "sync", "--quiet", "--no-install-project", "--python", sys.executable], repo, **env)
    done = as_in_a_hook(repo, **env)
    where = f"{tmp_path / 'elsewhere'} (UV_PROJECT_ENVIRONMENT)" if named else ".venv"
    assert f"gatepost mypy: packages of {where}\n" in done.stdout
    assert ERROR in done.stdout and done.returncode == 1


@pytest.mark.full
@pytest.mark.parametrize("inside", [True, False], ids=["in the project", "outside"])
def test_pdm(repo: Repo, tmp_path: Path, inside: bool) -> None:
    project(repo)
    pdm = str(tool_env("pdm[locked]==2.29.3") / "pdm")
    env = {"HOME": str(tmp_path / "home"), "PDM_CHECK_UPDATE": "0"}
    run([pdm, "config", "venv.in_project", str(inside)], repo, **env)
    run([pdm, "config", "venv.location", str(tmp_path / "venvs")], repo, **env)
    run([pdm, "venv", "create", sys.executable], repo, **env)
    folder = repo.path / ".venv" if inside else next((tmp_path / "venvs").iterdir())
    run([pdm, "use", "-f", "-q", str(folder / "bin" / "python")], repo, **env)
    run([pdm, "install", "--no-self", "-q"], repo, **env)
    if not inside:
        assert not (repo.path / ".venv").exists()
    done = as_in_a_hook(repo)
    assert ("packages of .venv\n" if inside else "(.pdm-python)") in done.stdout
    assert ERROR in done.stdout


@pytest.mark.full
@pytest.mark.parametrize("version", ["1.8.5", "2.5.1"])
@pytest.mark.parametrize("installed", [True, False], ids=["poetry on PATH", "no poetry on PATH"])
def test_poetry(repo: Repo, tmp_path: Path, version: str, installed: bool) -> None:
    project(repo, '[tool.poetry]\nname = "Demo_App"\nversion = "1"\ndescription = ""\nauthors = []\npackage-mode = false\n'
            '[tool.poetry.dependencies]\npython = ">=3.10"\niniconfig = "*"\n')  # fmt: skip
    folder = tool_env(f"poetry=={version}")
    env = {"POETRY_CACHE_DIR": str(tmp_path / "cache"), "POETRY_VIRTUALENVS_IN_PROJECT": "false"}
    run([str(folder / "poetry"), "env", "use", sys.executable, "-q"], repo, **env)
    made = run([str(folder / "poetry"), "env", "info", "--path", "--no-ansi"], repo, **env).splitlines()[-1]
    run([str(tool_env("uv==0.13.8") / "uv"), "pip", "install", "-q", "--python", made, "iniconfig"], repo)
    path = {"PATH": f"{folder}:/usr/bin:/bin"} if installed else {}
    done = as_in_a_hook(repo, **env, **path)
    assert f"packages of {made} (Poetry)" in done.stdout
    assert ERROR in done.stdout


@pytest.mark.full
def test_pipenv(repo: Repo, tmp_path: Path) -> None:
    project(repo, "")
    repo.write("Pipfile", '[[source]]\nname = "i"\nurl = "' + default_index() + '"\nverify_ssl = true\n[packages]\niniconfig = "*"\n')  # fmt: skip
    repo.git("add", "-A")
    pipenv = str(tool_env("pipenv==2026.10.3") / "pipenv")
    env = {"WORKON_HOME": str(tmp_path / "homes"), "PIPENV_YES": "1", "PIPENV_PYTHON": sys.executable}
    run([pipenv, "install"], repo, **env)
    done = as_in_a_hook(repo, WORKON_HOME=env["WORKON_HOME"])
    assert "(Pipenv)" in done.stdout
    assert ERROR in done.stdout


def default_index() -> str:
    labels = ("pypi", "org")
    return f"https://{'.'.join(labels)}/simple"


def test_an_activated_environment_counts_if_it_holds_a_dependency(repo: Repo, tmp_path: Path) -> None:
    project(repo)
    right = tool_env("iniconfig==2.3.0")
    wrong = tool_env("typing-extensions==4.16.0")
    done = as_in_a_hook(repo, PATH=f"{wrong}:{right}:/usr/bin:/bin")
    assert f"packages of {right.parent} (on PATH)" in done.stdout
    assert ERROR in done.stdout
    done = as_in_a_hook(repo, PATH=f"{wrong}:/usr/bin:/bin", CONDA_PREFIX=str(wrong.parent))
    assert done.returncode == 3  # mypy did not run
    assert f"{wrong.parent} (on PATH) holds none of the project's dependencies" in done.stdout
    done = as_in_a_hook(repo, CONDA_PREFIX=str(right.parent))
    assert f"packages of {right.parent} (CONDA_PREFIX)" in done.stdout


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="the packages are made for linux-64")
def test_conda(repo: Repo, tmp_path: Path) -> None:
    """An environment that rattler (the library of pixi) solved and installed: `conda-meta`, a Python of its own, no pyvenv.cfg."""
    project(repo)
    folder = tool_env("py-rattler==0.28.0", "pip==26.3")
    fetch = [
        str(folder / "python"),
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "iniconfig==2.3.0",
        "-d",
        str(tmp_path),
    ]
    run(fetch, repo)
    prefix = tmp_path / "conda" / "envs" / "demo"
    script = Path(__file__).with_name("conda_env.py")
    run(
        [
            str(folder / "python"),
            str(script),
            str(tmp_path / "channel"),
            str(prefix),
            str(next(tmp_path.glob("*.whl"))),
        ],
        repo,
    )
    assert (prefix / "conda-meta" / "history").exists()
    assert not (prefix / "pyvenv.cfg").exists()
    done = as_in_a_hook(repo, CONDA_PREFIX=str(prefix), PATH=f"{prefix}/bin:/usr/bin:/bin")
    assert f"packages of {prefix} (CONDA_PREFIX)" in done.stdout
    assert ERROR in done.stdout
    repo.write("pyproject.toml", PYPROJECT.replace('"iniconfig"', '"torch"').replace("demo", "other"))
    done = as_in_a_hook(repo, CONDA_PREFIX=str(prefix), PATH=f"{prefix}/bin:/usr/bin:/bin")
    assert f"{prefix} (CONDA_PREFIX) holds none of the project's dependencies" in done.stdout


PLUGIN = """from pydantic import BaseModel


class Sample(BaseModel):
    size: int


Sample(size="three")
reveal_type(Sample(size=1).model_dump())
"""


def test_the_projects_own_mypy_loads_its_plugins_and_says_what_it_says_by_hand(repo: Repo) -> None:
    bin_dir = tool_env("mypy==2.4.1", "pydantic==2.14.3")
    repo.write("pyproject.toml", '[tool.mypy]\nplugins = ["pydantic.mypy"]\nstrict = true\n')
    (repo.path / ".venv").symlink_to(bin_dir.parent)
    repo.write(".gitignore", ".venv\n")
    repo.commit(
        **{"src/demo/__init__.py": "", "src/demo/model.py": PLUGIN, "tests/test_demo.py": "def f(x): return x\n"}
    )
    by_hand = subprocess.run([str(bin_dir / "mypy"), "."], cwd=repo.path, capture_output=True, text=True, check=False)
    assert by_hand.returncode == 1 and "pydantic" not in by_hand.stderr
    done = as_in_a_hook(repo)
    first, _, rest = done.stdout.partition("\n")
    assert first == "gatepost mypy: mypy of .venv"
    assert sorted(rest.splitlines()) == sorted(by_hand.stdout.splitlines())
