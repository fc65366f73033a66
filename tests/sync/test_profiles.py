"""Our profiles, as the tools see them: each loads without one warning; every ignored rule says why."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from gatepost import __version__
from gatepost.sync import layers
from gatepost.sync.derive import derived, fitted, oldest
from gatepost.sync.layers import PROFILES, ProfileError, configs_folder, releases, resolve
from gatepost.sync.merge import merge
from gatepost.sync.paths import get
from gatepost.sync.tables import PROJECT_ONLY, REMOVED_RUFF, current_code
from tests.oracle import tool_env

TOOLS = ("ruff==0.17.5", "mypy==2.4.1", "bandit==1.9.4", "pytest==9.2.0", "coverage")


def nothing(path: str) -> bytes | None:
    return None


@pytest.mark.parametrize("name", PROFILES)
def test_every_ignored_rule_says_why(name: str) -> None:
    shared = resolve((name,), nothing)
    for key in ("ignore",):
        for code in get(shared.data, ("tool", "ruff", "lint", key)) or ():
            assert layers.reason(shared, ("tool", "ruff", "lint", key), code), code


@pytest.mark.parametrize("name", PROFILES)
def test_no_removed_or_renamed_rule_and_nothing_that_belongs_to_a_project(name: str) -> None:
    data = resolve((name,), nothing).data
    lint = get(data, ("tool", "ruff", "lint"))
    for code in lint["select"] + lint["ignore"]:
        assert code not in REMOVED_RUFF and current_code(code) == code
    assert not [path for path in PROJECT_ONLY if get(data, path) is not None]


def test_the_latest_release_in_the_history_is_what_is_shipped() -> None:
    assert releases()[0] == __version__
    for name in PROFILES:
        now = resolve((name,), nothing)
        then = resolve((name,), nothing, version=__version__)
        assert now.data == then.data


def test_strict_is_base_and_more_without_what_it_removes() -> None:
    base, strict = (resolve((name,), nothing).data for name in ("base", "strict"))
    low = set(get(base, ("tool", "ruff", "lint", "select")))
    high = get(strict, ("tool", "ruff", "lint", "select"))
    assert low < set(high) and high == sorted(high)
    assert "S101" in get(base, ("tool", "ruff", "lint", "ignore"))
    assert "S101" not in get(strict, ("tool", "ruff", "lint", "ignore"))
    assert resolve(("base", "strict"), nothing).data == strict


def test_an_organisations_profile_from_a_package_and_from_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_configs").mkdir()
    (tmp_path / "acme_configs" / "ml.toml").write_text(
        'extends = ["research"]\n[remove]\n"tool.ruff.lint.select" = ["UP"]\n"tool.bandit" = true\n'
        "[tool.ruff]\nline-length = 120\n[[tool.mypy.overrides]]\nmodule = 'acme.*'\nignore_errors = true\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    shared = resolve(("package:acme_configs/ml.toml",), nothing)
    assert get(shared.data, ("tool", "ruff", "line-length")) == 120
    assert "UP" not in get(shared.data, ("tool", "ruff", "lint", "select"))
    assert get(shared.data, ("tool", "bandit")) is None
    assert get(shared.data, ("tool", "mypy", "overrides")) == [{"module": "acme.*", "ignore_errors": True}]
    assert shared.owners["tool", "ruff", "line-length"] == ("package:acme_configs/ml.toml",)
    text = (tmp_path / "acme_configs" / "ml.toml").read_bytes()
    assert resolve(("ci/ml.toml",), {"ci/ml.toml": text}.get).data == shared.data
    for wrong in ("package:acme_configs/none.toml", "package:../x.toml", "none", "none.toml"):
        with pytest.raises(ProfileError):
            resolve((wrong,), nothing)


@pytest.mark.parametrize(
    ("specifier", "floor"),
    [
        (">=3.10", (3, 10)), (">=3.9,<4", (3, 9)), ("^3.11", (3, 11)), ("3.11.*", (3, 11)), ("~3.10", (3, 10)),
        ("==3.12.*", (3, 12)), (">3.9", (3, 9)), (">=4", None), (">3.9.1", (3, 9)), ("<4", None), ("^3.9 || ^3.11", (3, 9)),
        (">=3.8,!=3.9.7,<3.13", (3, 8)), ("", None), ("*", None), (">=3", (3, 0)), ("~=3.10", (3, 10)),
    ],
)  # fmt: skip
def test_oldest_python(specifier: str, floor: tuple[int, int] | None) -> None:
    assert oldest(specifier) == floor


def test_derived_settings() -> None:
    shared = resolve(("base",), nothing).data
    new = {"project": {"requires-python": ">=3.9", "dependencies": ["scikit-learn>=1", "Sym_Py; extra == 'x'"]}}
    assert derived(new, shared, src=True) == {
        "tool": {"mypy": {"python_version": "3.10", "mypy_path": "$MYPY_CONFIG_FILE_DIR/src"}}
    }
    old = {"tool": {"poetry": {"dependencies": {"python": "^3.12", "joblib": "*"}}}}
    assert derived(old, shared, src=False) == {
        "tool": {"mypy": {"python_version": "3.12"}, "ruff": {"target-version": "py312"}}
    }
    for project, module in ((new, "sklearn.*"), (old, "joblib.*")):
        fitting = fitted(shared, layers_names(project))
        assert get(fitting, ("tool", "mypy", "overrides")) == [{"module": module, "ignore_missing_imports": True}]
    assert get(fitted(shared, frozenset()), ("tool", "mypy", "overrides")) is None


def layers_names(project: Any) -> frozenset[str]:
    from gatepost.sync.derive import depends_on

    return depends_on(project)


@pytest.mark.oracle
@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_loads_without_a_warning_in_every_tool(name: str, tmp_path: Path) -> None:
    shared = resolve((name,), nothing).data
    project = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["scikit-learn"]\n'
    data = {"project": {"requires-python": ">=3.11", "dependencies": ["scikit-learn"]}}
    merged = merge(project, fitted(shared, layers_names(data)), derived=derived(data, shared, src=False))
    assert not merged.refused
    (tmp_path / "pyproject.toml").write_text(merged.text)
    (tmp_path / "p.py").write_text('"""One."""\n\nONE = 1\n')
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_p.py").write_text(
        '"""Tests."""\n\nimport pytest\n\n\n@pytest.mark.filterwarnings("error")\ndef test_one() -> None:\n    """One."""\n    assert True\n'
    )
    bin_dir = tool_env(*TOOLS)

    def said(*argv: str) -> str:
        done = subprocess.run([bin_dir / argv[0], *argv[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr

    assert said("ruff", "check", "--no-cache", ".") == ""
    assert said("ruff", "format", "--no-cache", "--check", ".") == ""
    assert said("mypy", "--no-incremental", "p.py") == ""
    assert "WARNING" not in said("bandit", "-q", "-c", "pyproject.toml", "-r", "p.py")
    assert said("pytest", "-q", "-p", "no:cacheprovider", "-W", "error") == ""
    assert said("coverage", "run", "-m", "pytest", "-q", "-p", "no:cacheprovider") == ""
    assert said("coverage", "report") == ""


def test_configs_folder_is_there_and_the_workflow_is_pinned() -> None:
    text = Path(configs_folder(), "ci", "quality.yml").read_text()
    uses = [line.split("@")[1].split()[0] for line in text.splitlines() if "uses:" in line]
    assert uses and all(len(ref) == 40 for ref in uses)
