"""The commands on real folders: adopt, keep, drop, explain, migrate, doctor, and out again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import tomli
import yaml

from gatepost.cli import main
from gatepost.commands import doctor, drop, init, keep, migrate, uninstall
from gatepost.commands._explain_key import explain_key
from gatepost.commands._workflow import WORKFLOW, fitted, workflow
from gatepost.render import URL as HOME
from gatepost.sync import entries, prektoml
from gatepost.sync.declared import settings
from gatepost.sync.migrate import migrated
from gatepost.sync.paths import data_of, get, normal
from gatepost.sync.plan import plan
from gatepost.sync.precommit import NotSpliceable, with_entry, without_entry
from gatepost.sync.project import Disk
from gatepost.tools.capture import Found, Trial
from gatepost.tools.command import CannotRun
from gatepost.tools.table import TOOLS
from gatepost.writer import write_all

PROJECT = """\
[project]
name = "a"
requires-python = ">=3.11"
dependencies = ["scikit-learn"]

[tool.ruff]  # ours
line-length = 120

[tool.pyright]
strict = ["src"]
"""
HOOKS = """\
# ours
repos:
- repo: local   # here
  hooks:
  - id: x
    name: x
    entry: x
    language: system

ci:
  skip: [x]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / ".pre-commit-config.yaml").write_text(HOOKS)
    return tmp_path


def tables(root: Path) -> dict[str, object]:
    return tomli.loads((root / "pyproject.toml").read_text())["tool"]  # type: ignore[no-any-return]


def adopt(root: Path) -> None:
    assert init.run(str(root), ["--yes", "--no-baseline"]) == 0


def test_init_shows_a_plan_and_changes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert init.run(str(root), []) == 0
    assert (root / "pyproject.toml").read_text() == PROJECT
    assert [path.name for path in sorted(root.iterdir())] == [".pre-commit-config.yaml", "pyproject.toml"]
    assert "nothing was changed yet; to do it: gatepost init --yes" in capsys.readouterr().out


def test_init_adopts_and_uninstall_gives_the_exact_data_back(root: Path) -> None:
    assert init.run(str(root), ["--yes", "--no-baseline", "--ci"]) == 0
    tool = tomli.loads((root / "pyproject.toml").read_text())["tool"]
    assert tool["gatepost"]["keep"] == {
        "tool.mypy": "types are checked by pyright",
        "tool.ruff.line-length": "was 120 before the first sync; shared 100",
    }
    assert "mypy" not in tool and tool["ruff"]["line-length"] == 120
    assert yaml.safe_load((root / ".pre-commit-config.yaml").read_text())["repos"][-1]["hooks"] == [{"id": "gatepost"}]
    assert (root / ".github/workflows/quality.yml").exists()
    assert init.run(str(root), ["--yes", "--no-baseline"]) == 0
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert tomli.loads((root / "pyproject.toml").read_text()) == tomli.loads(PROJECT)
    assert "# ours" in (root / "pyproject.toml").read_text()
    assert (root / ".pre-commit-config.yaml").read_text() == HOOKS
    assert not (root / ".gatepost.lock").exists()


def test_init_in_an_empty_folder_and_out_again(tmp_path: Path) -> None:
    adopt(tmp_path)
    assert (tmp_path / "pyproject.toml").exists()
    assert uninstall.run(str(tmp_path), ["--yes"]) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["repos: []\n", "repos: []\r\n", "# none yet\nrepos: []\n"])
def test_uninstall_deletes_only_a_pre_commit_config_that_init_made(root: Path, text: str) -> None:
    hooks = root / ".pre-commit-config.yaml"
    hooks.write_bytes(text.encode())
    adopt(root)
    assert "id: gatepost" in hooks.read_text()
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert hooks.read_bytes() == text.encode()
    hooks.unlink()
    adopt(root)
    hooks.write_text(hooks.read_text() + "fail_fast: true\n")  # somebody works on it
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert yaml.safe_load(hooks.read_text()) == {"repos": [], "fail_fast": True}
    hooks.unlink()
    adopt(root)
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert not hooks.exists()


OWN = """\
[project]
name = "a"
requires-python = ">=3.11"
dependencies = ["scikit-learn"]

[tool.gatepost]
profile = "research"  # why
skip = ["mypy"]

[tool.gatepost.keep]  # ours
"tool.ruff.line-length" = "slides"

[tool.gatepost.drop]
"tool.ruff.lint.select" = [
    "PERF",  # noise
]

[tool.ruff]
line-length = 120
lint.select = ["E"]
"""


def first_sync(root: Path) -> None:
    tree = Disk(str(root))
    write_all(str(root), plan(tree, settings(data_of(tree.read("pyproject.toml")))).edits)


@pytest.mark.parametrize("begin", [adopt, first_sync])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(OWN, id="settings of their own"),
        pytest.param(PROJECT, id="none"),
        pytest.param(PROJECT + '\n[tool.gatepost]\nskip = ["mypy"]\n', id="another setting"),
        pytest.param(PROJECT + "\n[tool.gatepost]\n\n[tool.gatepost.keep]\n", id="empty tables"),
        pytest.param("", id="an empty file"),
    ],
)
def test_uninstall_leaves_what_was_written_before_the_first_sync(
    root: Path, text: str, begin: Callable[[Path], None]
) -> None:
    project = root / "pyproject.toml"
    project.write_text(text)
    begin(root)
    assert keep.run(str(root), ["tool.ruff.format.exclude", "later"]) == 0
    assert drop.run(str(root), ["tool.ruff.lint.select", "F"]) == 0
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert tomli.loads(project.read_text()) == tomli.loads(text)
    if text == OWN:
        assert project.read_text() == OWN


def test_uninstall_brings_back_what_changed_and_takes_all_where_an_older_record_does_not_say(root: Path) -> None:
    project, record = root / "pyproject.toml", root / ".gatepost.lock"
    project.write_text(OWN)
    assert init.run(str(root), ["--yes", "--no-baseline", "--profile", "strict"]) == 0
    project.write_text(project.read_text().replace('"slides"', '"other"'))
    assert drop.run(str(root), ["--remove", "tool.ruff.lint.select", "PERF"]) == 0
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert tomli.loads(project.read_text()) == tomli.loads(OWN)
    project.write_text(OWN.replace("  # why", ""))
    adopt(root)
    head, _, own = record.read_text().partition("[own]\n")
    assert own.startswith('"pyproject.toml" = { gatepost = { profile = "research"')
    record.write_text(head)
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert tables(root)["gatepost"] == {"skip": ["mypy"], "keep": {}, "drop": {}}  # their comments stay


def test_the_violation_baseline_is_written_and_taken_back(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"src/a.py": ["F401"], "b.py": ["B006", "E731"], "{{ x }}/[y].py": ["F401"]}
    listed = {"src/a.py": ["F401"], "./b.py": ["B006", "E731"], "[{][{] x [}][}]/[[]y[]].py": ["F401"]}
    monkeypatch.setattr("gatepost.tools.capture.ruff_findings", lambda where: Found(codes=found, count=4, safe=1))
    assert init.run(str(root), ["--yes"]) == 0
    tool = tomli.loads((root / "pyproject.toml").read_text())["tool"]
    assert tool["ruff"]["lint"]["extend-per-file-ignores"] == listed
    assert tomli.loads((root / ".gatepost.lock").read_text())["baseline"] == listed
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert tomli.loads((root / "pyproject.toml").read_text()) == tomli.loads(PROJECT)


KEY = "AKIA" + "Q3EGRSU2X7WLNPTM"


def tokens(root: Path) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "a.py").write_text(f'key = "{KEY}"\n')
    (root / "untracked.py").write_text(f'key = "{KEY[::-1]}"\n')
    subprocess.run(["git", "-C", str(root), "add", "a.py", "pyproject.toml"], check=True)


def test_init_lists_tracked_secrets_once_and_uninstall_takes_the_list_away(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens(root)
    monkeypatch.setattr("gatepost.tools.capture.ruff_findings", lambda where: Found(codes={}))
    monkeypatch.chdir(root)
    assert init.run(str(root), []) == 0
    out = capsys.readouterr().out
    assert ".gatepost-secrets: made: 1 secret is in tracked files" in out and KEY not in out
    assert not (root / ".gatepost-secrets").exists()
    assert init.run(str(root), ["--yes"]) == 0
    known = (root / ".gatepost-secrets").read_text()
    assert " a.py  # there at gatepost init" in known and len(known.splitlines()) == 2
    assert tomli.loads((root / ".gatepost.lock").read_text())["made"] == [".gatepost-secrets"]
    subprocess.run(["git", "add", ".gatepost-secrets"], check=True)
    assert main(["secrets", "a.py"]) == 0
    assert main(["sync-configs"]) == 0
    (root / "b.py").write_text(f'key = "{KEY[:4] + KEY[:3:-1]}"\n')
    subprocess.run(["git", "-C", str(root), "add", "b.py"], check=True)
    assert init.run(str(root), ["--yes"]) == 0
    assert (root / ".gatepost-secrets").read_text() == known
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert not (root / ".gatepost-secrets").exists() and not (root / ".gatepost.lock").exists()


def test_uninstall_leaves_what_somebody_worked_on(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens(root)
    monkeypatch.setattr("gatepost.tools.capture.ruff_findings", lambda where: Found(codes={}))
    assert init.run(str(root), ["--yes", "--ci"]) == 0
    known = root / ".gatepost-secrets"
    known.write_text(known.read_text().replace("there at gatepost init, nobody has looked at it yet", "an example"))
    assert uninstall.run(str(root), []) == 0
    assert capsys.readouterr().out.endswith(
        ".github/workflows/quality.yml: deleted\n.gatepost.lock: deleted\n.pre-commit-config.yaml: restored\n"
        ".gatepost-secrets: changed since gatepost init made it, so it stays; to delete it: git rm .gatepost-secrets\n"
        "nothing was changed yet; to do it: gatepost uninstall --yes\n"
    )
    (root / WORKFLOW).write_text((root / WORKFLOW).read_text() + "# ours\n")
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert known.exists() and (root / WORKFLOW).exists()


def test_uninstall_deletes_the_workflow_that_init_made_only(root: Path) -> None:
    (root / WORKFLOW).parent.mkdir(parents=True)
    (root / WORKFLOW).write_text(fitted(workflow(), Disk(str(root)), tomli.loads(PROJECT)))
    assert init.run(str(root), ["--yes", "--no-baseline", "--ci"]) == 0
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert (root / WORKFLOW).exists()
    (root / WORKFLOW).unlink()
    assert init.run(str(root), ["--yes", "--no-baseline", "--ci"]) == 0
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert not (root / WORKFLOW).exists()


def test_init_names_the_entries_that_the_one_id_makes_redundant(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = HOOKS.replace(
        "\nci:", "- repo: https://git.example/ruff\n  rev: v1\n  hooks: [{id: ruff-check}, {id: other}]\n\nci:"
    )
    (root / ".pre-commit-config.yaml").write_text(theirs)
    assert init.run(str(root), ["--yes", "--no-baseline"]) == 0
    assert (
        ".pre-commit-config.yaml:11: `ruff-check` is redundant: the `gatepost` id runs ruff-check; left in place\n"
        '    delete those entries, or keep them and set `skip = ["ruff-check"]` in [tool.gatepost]\n'
    ) in capsys.readouterr().out
    assert "id: ruff-check" in (root / ".pre-commit-config.yaml").read_text()


def test_init_says_that_an_old_ruff_will_stop_at_the_new_settings(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = "repos:\n- repo: https://git.example/ruff\n  rev: v0.5.0\n  hooks:\n  - id: ruff\n"
    for rev, said in (("v0.5.0", True), ("v0.17.5", False), ("main", False)):
        (root / ".pre-commit-config.yaml").write_text(theirs.replace("v0.5.0", rev))
        assert init.run(str(root), []) == 0
        assert ('ruff 0.5.0 stops at `required-version = ">=0.16"`' in capsys.readouterr().out) is said


def test_keep_and_drop_are_written_and_taken_back(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adopt(root)
    before = (root / "pyproject.toml").read_text()
    assert keep.run(str(root), ["ruff.format.exclude", "we like it"]) == 0
    assert keep.run(str(root), ["tool.ruff.format.exclude"]) == 2
    assert keep.run(str(root), ["tool.ruff.format.exclude", "another reason"]) == 0
    assert drop.run(str(root), ["tool.ruff.lint.select", "PERF", "SIM"]) == 0
    assert drop.run(str(root), ["tool.ruff.lint.select", "FLY"]) == 0
    own = tables(root)["gatepost"]
    assert isinstance(own, dict)
    assert own["keep"]["tool.ruff.format.exclude"] == "another reason"
    assert own["drop"] == {"tool.ruff.lint.select": ["PERF", "SIM", "FLY"]}
    assert drop.run(str(root), ["tool.ruff.lint.select", "W", "--reason", "black does it"]) == 0
    own = tables(root)["gatepost"]
    assert isinstance(own, dict)
    assert own["drop"]["tool.ruff.lint.select"] == {"PERF": "", "SIM": "", "FLY": "", "W": "black does it"}
    assert drop.run(str(root), ["--remove", "tool.ruff.lint.select", "PERF", "SIM", "FLY", "W"]) == 0
    assert drop.run(str(root), ["--remove", "tool.ruff.lint.select", "PERF"]) == 2
    assert keep.run(str(root), ["--remove", "tool.ruff.format.exclude"]) == 0
    assert tomli.loads((root / "pyproject.toml").read_text()) == tomli.loads(before)


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        (drop, ["tool.ruff.line-length", "3"], 'gatepost keep tool.ruff.line-length "why"'),
        (drop, ["tool.pytest.ini_options.addopts", "ra"], 'gatepost keep tool.pytest.ini_options.addopts "why"'),
        (drop, ["tool.ruff.lint.select", "PERF", "PERFF"], "does not have PERFF; the nearest is PERF;"),
        (drop, ["tool.ruff.lint.select", "%%%"], "does not have %%%; the nearest is "),
        (drop, ["tool.ruff.lint.selekt", "PERF"], "the nearest is tool.ruff.lint.select;"),
        (drop, ["mypy.overrides", "sklearn"], "the nearest is sklearn.*;"),
        (keep, ["tool.ruff.lineLength", "x"], "the nearest is tool.ruff.line-length;"),
        (keep, ["tool.ruff.line-length.x", "x"], "the nearest is tool.ruff.line-length;"),
        (keep, ["rough", "x"], "the nearest is tool.ruff;"),
    ],
)
def test_what_cannot_be_kept_or_dropped_is_a_usage_error(
    root: Path, capsys: pytest.CaptureFixture[str], command: ModuleType, words: list[str], said: str
) -> None:
    adopt(root)
    before = (root / "pyproject.toml").read_bytes()
    capsys.readouterr()
    assert command.run(str(root), words) == 2
    out = capsys.readouterr().out
    assert said in out and out.endswith("; nothing was changed\n") and len(out.splitlines()) == 1
    assert (root / "pyproject.toml").read_bytes() == before


def test_what_is_shared_can_be_kept_and_dropped(root: Path) -> None:
    adopt(root)
    for path in ("tool.mypy", "ruff", "ruff.lint", "mypy.python_version", "mypy.overrides.sklearn.*"):
        assert keep.run(str(root), [path, "why"]) == 0, path
    for words in (
        ["ruff.lint.select", "PERF"],
        ["mypy.overrides", "sklearn.*"],
        ["ruff.lint.per-file-ignores.**/__init__.py", "F401"],
    ):
        assert drop.run(str(root), words) == 0, words
    (root / "pyproject.toml").write_text('[tool.gatepost]\nprofile = "gone.toml"\n')
    assert keep.run(str(root), ["tool.ruff.any", "unknown is not wrong"]) == 0


def test_explain_a_key(root: Path) -> None:
    adopt(root)
    assert explain_key(str(root), "tool.ruff.line-length") == (
        "tool.ruff.line-length\n"
        "  here:     120 (pyproject.toml)\n"
        "  shared:   100 (profile base)\n"
        "  owner:    the project, kept: was 120 before the first sync; shared 100\n"
        "  since:    gatepost 0.1.0\n"
    )
    text = explain_key(str(root), "tool.ruff.lint.ignore S101")
    assert "in the list (profile base)" in text and "why:      assert: tensor shapes" in text
    assert "no such setting" in explain_key(str(root), "tool.ruff.cache-dir")
    assert "docstring-code-format = true" in explain_key(str(root), "tool.ruff.format")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            '[tool.ruff]\nline-length = 88\n# why\nselect = ["E"]  # these\nfix = true\n\n[tool.ruff.isort]\na = 1\n',
            '[tool.ruff]\nline-length = 88\n# why\nlint.select = ["E"]  # these\nfix = true\n\n[tool.ruff.lint.isort]\na = 1\n',
            id="in place, by prefix",
        ),
        pytest.param(
            '[tool.ruff]\n# why\nselect = ["E"]  # these\nfix = true\n\n[tool.ruff.lint]\nignore = ["F"]\n[x]\n',
            '[tool.ruff]\nfix = true\n\n[tool.ruff.lint]\nignore = ["F"]\n# why\nselect = ["E"]  # these\n[x]\n',
            id="into the lint table that is there",
        ),
        pytest.param(
            '[tool.ruff.lint]\nselect = ["F"]\n\n[tool.ruff]\nselect = ["E"]  # old\n',
            '[tool.ruff.lint]\nselect = ["F"]\n\n[tool.ruff]\n# old\n',
            id="an overruled key goes, its comment stays",
        ),
        pytest.param(
            '[tool]\nruff.select = ["E"]\nruff.fix = true\n',
            '[tool]\nruff.lint.select = ["E"]\nruff.fix = true\n',
            id="dotted under tool",
        ),
        pytest.param(
            '[tool.ruff.lint]\nselect = [\n    "E",  # e\n    "ANN101",  # gone\n    "TCH",  # new name\n]\nignore = ["TCH001", "TC001"]\n',
            '[tool.ruff.lint]\nselect = [\n    "E",  # e\n    "TC",  # new name\n]\nignore = ["TC001"]\n',
            id="removed and renamed rules",
        ),
        pytest.param('[tool.ruff.lint]\nselect = ["E"]\n', '[tool.ruff.lint]\nselect = ["E"]\n', id="nothing to do"),
    ],
)  # fmt: skip
def test_migrate(before: str, after: str) -> None:
    assert migrated(before, ("tool", "ruff"))[0] == after
    assert migrated(after, ("tool", "ruff"))[0] == after


def test_migrate_a_ruff_toml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ruff.toml").write_text('select = ["E"]  # e\n[per-file-ignores]\n"a" = ["F"]\n')
    assert migrate.run(str(tmp_path), []) == 0
    assert "nothing was changed yet" in capsys.readouterr().out
    assert migrate.run(str(tmp_path), ["--yes"]) == 0
    assert (tmp_path / "ruff.toml").read_text() == 'lint.select = ["E"]  # e\n[lint.per-file-ignores]\n"a" = ["F"]\n'


def test_doctor_says_what_does_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pyproject.toml").write_text(
        PROJECT.replace("[tool.ruff]  # ours", '[tool.ruff]\nselect = ["ANN101"]\ntarget-version = "py39"')
        + '[tool.mypy]\npython_version = "3.12"\n[[tool.mypy.overrides]]\nmodule = "joblib.*"\nignore_missing_imports = true\n'
        + '[[tool.mypy.overrides]]\nmodule = "joblib.*"\nignore_missing_imports = false\n'
    )
    (root / "mypy.ini").write_text("[mypy]\n")
    (root / "tox.ini").write_text("[pytest]\n")
    (root / ".python-version").write_text("3.10\n")
    assert doctor.run(str(root), []) == 1
    out = capsys.readouterr().out
    assert out == (
        "pyproject.toml: [tool.mypy] has no effect: mypy reads mypy.ini\n"
        "pyproject.toml:15: two overrides give joblib.* two values of ignore_missing_imports: mypy ignores its whole config\n"
        "pyproject.toml:15: the mypy override of joblib.* looks dead: the project does not depend on joblib\n"
        "pyproject.toml:18: the mypy override of joblib.* looks dead: the project does not depend on joblib\n"
        "pyproject.toml:7: tool.ruff.select belongs into [tool.ruff.lint]: gatepost migrate --yes\n"
        "pyproject.toml:7: ANN101 in tool.ruff.select is gone from ruff: gatepost migrate --yes\n"
        "pyproject.toml:8: ruff's target-version is py39, the project supports 3.11 and up\n"
        "pyproject.toml:14: mypy's python_version is 3.12, the project supports 3.11 and up\n"
        ".python-version:1: 3.10 is older than what the project supports: the project supports 3.11 and up\n"
        "9 things to look at\n"
    )


URL = "https://git.example/gatepost-hooks/gatepost"


@pytest.mark.parametrize(
    "text",
    [
        "", "# only a comment\n", "repos: []\n", "repos: []  # none yet\nci: {}\n", HOOKS, HOOKS.replace("\n", "\r\n"), HOOKS.rstrip(),
        "ci:\n  skip: [x]\n", "repos:\n  - repo: a\n    rev: b\n    hooks: [{id: c}]\n  # - repo: off\n  #   rev: x\n",
        "repos:\n    -   repo: a\n        rev: b\n        hooks:\n        -   id: c\n            args:\n            - |\n              x\n              y\n",
        "repos:\n- repo: a\n  rev: b\n  hooks:\n  - id: c # last\n\n\n# end\n", "fail_fast: true\nrepos:\n- {repo: meta, hooks: [{id: identity}]}\n",
    ],
)  # fmt: skip
def test_the_pre_commit_entry_goes_in_and_out_without_a_trace(text: str) -> None:
    new = with_entry(text, URL, "0.1.0")
    ours = {"repo": URL, "rev": "v0.1.0", "hooks": [{"id": "gatepost"}]}
    old = yaml.safe_load(text) or {}
    assert yaml.safe_load(new) == {**old, "repos": [*(old.get("repos") or []), ours]}
    assert [
        line.strip()
        for line in text.splitlines()
        if "#" in line and line.strip() not in map(str.strip, new.splitlines()) and "[]" not in line
    ] == []
    assert with_entry(new, URL, "0.1.0") == new
    back = without_entry(new.replace("v0.1.0", "v0.2.0"))
    assert (yaml.safe_load(back) or {"repos": []}) == ({"repos": [], **old} if old else {"repos": []})


@pytest.mark.parametrize("text", ["repos: {}\n", "- a\n", "a: [\n", "x: &a\n  *a\n"])
def test_a_pre_commit_config_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(NotSpliceable):
        with_entry(text, URL, "0.1.0")


@pytest.mark.parametrize(
    "text",
    [
        "repos: [{repo: local, hooks: [{id: x}]}]\n",
        "ci: {}\nrepos: [{repo: local, hooks: [{id: x}]}, ]  # ours\n",
        "repos: [\n  # first\n  {repo: local, hooks: []},  # why\n]\n",
        '{"repos": [{"repo": "local", "hooks": []}], "fail_fast": true}\n',
    ],
)
def test_a_list_in_brackets_is_edited_and_given_back_exactly(root: Path, text: str) -> None:
    hooks = root / ".pre-commit-config.yaml"
    hooks.write_text(text)
    adopt(root)
    found = yaml.safe_load(hooks.read_text())["repos"]
    assert len(found) == 2 and found[1]["hooks"] == [{"id": "gatepost"}]
    assert all(line in hooks.read_text() for line in ("# first", "# why", "# ours") if line in text)
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert hooks.read_text() == text


def test_what_cannot_be_edited_is_given_to_paste(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / ".pre-commit-config.yaml").write_text("repos: {}\n")
    assert init.run(str(root), ["--yes"]) == 3
    head, _, block = capsys.readouterr().out.partition("then: gatepost init\n")
    assert "put this under `repos`" in head
    assert yaml.safe_load("repos:\n" + block)["repos"][0]["hooks"] == [{"id": "gatepost"}]
    (root / ".pre-commit-config.yaml").write_text("a: [\n")
    assert uninstall.run(str(root), ["--yes"]) == 3


@pytest.mark.parametrize(
    "there",
    [
        "repo: https://git.example/me/gatepost\n  rev: v1\n  hooks: [{id: gatepost}]",
        "repo: https://GitHub.com/Gatepost-Hooks/Gatepost.git/\n  rev: v1\n  hooks: [{id: x}, {id: mypy}]",
        "repo: ../tools/gatepost\n  rev: v1\n  hooks: [{id: lock-freshness}]",
        "repo: git@git.example:gatepost.git\n  rev: v1\n  hooks: [{id: gatepost, args: [--strict]}]",
        "repo: 'C:\\tools\\gatepost'\n  rev: v1\n  hooks: [{id: secrets}]",
        "repo: https://git.example/me/pre-commit-fork\n  rev: v1\n  hooks: [{id: gatepost}]",
        "repo: local\n  hooks: [{id: checks, name: x, language: system, entry: gatepost check}]",
        "repo: local\n  hooks: [{id: q, name: x, language: system, entry: uv run --frozen gatepost}]",
        "repo: local\n  hooks: [{id: q, name: x, language: system, entry: .venv/bin/python -m gatepost secrets}]",
    ],
)
def test_init_adds_nothing_beside_an_entry_under_another_address(
    root: Path, there: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"repos:\n- {there}\n"
    assert with_entry(text, URL, "0.1.0") == text
    (root / ".pre-commit-config.yaml").write_text(text)
    adopt(root)
    capsys.readouterr()
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert (root / ".pre-commit-config.yaml").read_text() == text
    said = ".pre-commit-config.yaml: still runs gatepost, which writes the settings again: take its entry out by hand\n"
    assert said in capsys.readouterr().out
    assert uninstall.run(str(root), []) == 0
    assert capsys.readouterr().out == said


@pytest.mark.parametrize(
    "there",
    [
        "repo: https://git.example/me/gatepost\n  rev: v1\n  hooks: [{id: latch}]",
        "repo: https://git.example/me/not-gatepost\n  rev: v1\n  hooks: [{id: mypy}]",
        "repo: local\n  hooks: [{id: q, name: x, language: system, entry: mypy gatepost}]",
        "repo: meta\n  hooks: [{id: identity}]",
        "repo: [gatepost]\n  hooks: [{id: gatepost}]",
    ],
)
def test_what_only_looks_like_our_entry_is_none(there: str) -> None:
    assert set(entries.REDUNDANT.values()) == set(TOOLS)
    assert yaml.safe_load(with_entry(f"repos:\n- {there}\n", URL, "0.1.0"))["repos"][-1]["repo"] == URL


PREK = """\
# ours
[[repos]]
repo = "local"
hooks = [{ id = "x", name = "x", entry = "true", language = "system" }]  # why
"""
OURS = {"repo": HOME, "rev": "v0.1.0", "hooks": [{"id": "gatepost"}]}


@pytest.mark.parametrize(
    "text",
    [
        "", "# nothing yet\n", "fail_fast = true", PREK, PREK.replace("\n", "\r\n"), PREK + "\n[other]\nid = 'y'\n",
        "repos = []\n", "repos = [\n]\n", 'repos = [{ repo = "meta", hooks = [] }]  # ours\n',
        'repos = [\n    # first\n    { repo = "meta", hooks = [] },  # why\n]\n[a]\n', 'repos = [{ repo = "meta", hooks = [] },]\n',
        '[[repos]]\nrepo = "meta"\n[[repos.hooks]]\nid = "identity"\n',
    ],
)  # fmt: skip
def test_the_entry_goes_into_prek_toml_and_out_of_it_without_a_trace(root: Path, text: str) -> None:
    (root / ".pre-commit-config.yaml").unlink()
    prek = root / "prek.toml"
    prek.write_bytes(text.encode())
    adopt(root)
    old, new = tomli.loads(text), tomli.loads(prek.read_text())
    assert new == {**old, "repos": [*old.get("repos", []), OURS]}
    assert not (root / ".pre-commit-config.yaml").exists()
    assert [word for word in ("# ours", "# first", "# why") if word in text and word not in prek.read_text()] == []
    adopt(root)
    assert tomli.loads(prek.read_text()) == new
    prek.write_bytes(prek.read_bytes().replace(b"v0.1.0", b"v0.2.0"))
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert prek.read_bytes().decode().rstrip() == text.rstrip()


def test_a_list_in_prek_toml_without_a_last_comma() -> None:
    text = 'repos = [\n  { repo = "meta", hooks = [] }  # why\n]\n'
    new = prektoml.with_entry(text, URL, "0.1.0")
    assert new == text.replace("}  # why\n", f"}},  # why\n  {prektoml._item(URL, '0.1.0')},\n")
    assert tomli.loads(prektoml.without_entry(new, URL)) == tomli.loads(text)


def test_the_entry_goes_where_each_runner_reads_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "prek.toml").write_text("repos = {}\n")
    assert init.run(str(root), ["--yes"]) == 3
    head, _, block = capsys.readouterr().out.partition("put this under `repos` in prek.toml, then: gatepost init\n")
    assert "`repos` is not a list; nothing was changed" in head and tomli.loads(block) == {"repos": [OURS]}
    redundant = '[[repos]]\nrepo = "https://git.example/ruff"\nrev = "v1"\nhooks = [\n  { id = "ruff-check" },\n]\n'
    (root / "prek.toml").write_text(redundant)
    assert init.run(str(root), ["--yes", "--no-baseline"]) == 0
    said = capsys.readouterr().out
    assert "tools found: ruff (pyproject.toml), pyright" in said
    assert "prek.toml:5: `ruff-check` is redundant: the `gatepost` id runs ruff-check; left in place\n" in said
    assert tomli.loads((root / "prek.toml").read_text())["repos"][1] == OURS
    assert yaml.safe_load((root / ".pre-commit-config.yaml").read_text())["repos"][-1] == OURS  # pre-commit's
    (root / "prek.toml").unlink()
    (root / ".pre-commit-config.yaml").rename(root / ".pre-commit-config.yml")
    (root / ".pre-commit-config.yml").write_text(HOOKS)
    adopt(root)
    assert yaml.safe_load((root / ".pre-commit-config.yml").read_text())["repos"][-1] == OURS
    assert not (root / ".pre-commit-config.yaml").exists()


def test_an_entry_that_somebody_changed_stays() -> None:
    text = with_entry(HOOKS, URL, "0.1.0").replace("- id: gatepost\n", "- id: gatepost\n      args: [--strict]\n")
    assert without_entry(text) == text


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("ruff.line-length", ("tool", "ruff", "line-length")),
        ("ruff.lint.per-file-ignores.**/test_*.py", ("tool", "ruff", "lint", "per-file-ignores", "**/test_*.py")),
        ('tool.ruff.lint.per-file-ignores."a.b"', ("tool", "ruff", "lint", "per-file-ignores", "a.b")),
        ("tool.ruff.lint.per-file-ignores", ("tool", "ruff", "lint", "per-file-ignores")),
        ("tool.mypy.overrides.sklearn.*", ("tool", "mypy", "overrides", "sklearn.*")),
        (
            "mypy.overrides.a.b.*.ignore_missing_imports",
            ("tool", "mypy", "overrides", "a.b.*", "ignore_missing_imports"),
        ),
        ("mypy.overrides.conftest", ("tool", "mypy", "overrides", "conftest")),
    ],
)
def test_paths_need_no_quotes_on_the_command_line(written: str, path: tuple[str, ...]) -> None:
    assert normal(written) == path


def test_explain_takes_an_item_of_a_list(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    monkeypatch.chdir(root)
    adopt(root)
    for words in (["tool.ruff.lint.ignore", "S101"], ["tool.ruff.lint.ignore S101"]):
        capsys.readouterr()
        assert main(["explain", *words]) == 0
        out = capsys.readouterr().out
        assert "why:      assert: tensor shapes" in out
        assert out.endswith("change:   gatepost drop tool.ruff.lint.ignore S101\n")


def test_init_leaves_out_for_now_what_fails_as_it_is(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "mypy.ini").write_text("[mypy]\n")
    (root / "pyproject.toml").write_text(PROJECT.split("\n[tool.pyright]", maxsplit=1)[0])
    before = {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()}

    def tried(tool_id: str, where: str, options: list[str] = []) -> Trial | None:  # noqa: B006
        if tool_id == "mypy":
            raise CannotRun("no environment of the project was found (a lot)", "make one")
        return (
            Trial(rc=1, output="Would reformat: a.py\n2 files would be reformatted\n") if "format" in tool_id else None
        )

    monkeypatch.setattr("gatepost.tools.capture.trial", tried)
    monkeypatch.setattr(
        "gatepost.tools.capture.ruff_findings", lambda where: Found(codes={"a.py": ["I001"]}, count=3, safe=2)
    )
    assert init.run(str(root), ["--yes"]) == 0
    own = tables(root)["gatepost"]
    assert isinstance(own, dict)
    assert own["skip"] == ["ruff-format", "mypy"]
    assert own["keep"]["tool.mypy"] == "configured in mypy.ini"
    out = capsys.readouterr().out
    assert "baseline: 3 findings in 1 file, listed in extend-per-file-ignores; the list may only shrink" in out
    assert (
        "2 of them have a safe fix; to mend those first instead: gatepost uninstall --yes && gatepost init --yes --fix"
        in out
    )
    assert "ruff-format: left out for now: 2 files would be reformatted; to take it in, delete it from `skip`" in out
    assert "mypy: left out for now: no environment of the project was found; to take it in" in out
    assert init.run(str(root), ["--yes"]) == 0
    assert "nothing to do: this project has been adopted" in capsys.readouterr().out
    assert uninstall.run(str(root), ["--yes"]) == 0
    assert {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()} == before


def test_init_writes_nothing_where_it_cannot_write_all(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pyproject.toml").write_text('[tool.ruff]\nselect = ["E"]\n')
    assert init.run(str(root), ["--yes"]) == 1
    out = capsys.readouterr().out
    assert out.endswith("    fix: gatepost migrate --yes\nnothing was changed; mend that, then: gatepost init\n")
    assert (root / ".pre-commit-config.yaml").read_text() == HOOKS and not (root / ".gatepost.lock").exists()


def test_the_violation_baseline_of_a_member_stands_in_its_own_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "pyproject.toml": '[tool.gatepost.sync-configs]\nmembers = ["libs/*"]\n',
        "libs/a/pyproject.toml": '[project]\nname = "a"\n',
        "libs/b/pyproject.toml": '[tool.ruff]\nextend = "../../pyproject.toml"\n',
        "apps/c/pyproject.toml": "[tool.ruff]\nline-length = 80\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    codes = {
        "libs/a/x.py": ["F401"],
        "libs/a/src/y.py": ["B006"],
        "libs/b/z.py": ["F401"],
        "apps/c/w.py": ["F401"],
        "v.py": ["E731"],
    }
    monkeypatch.setattr("gatepost.tools.capture.ruff_findings", lambda where: Found(codes=codes, count=5))
    monkeypatch.setattr("gatepost.tools.capture.trial", lambda *args: None)
    assert init.run(str(tmp_path), ["--yes"]) == 0

    def listed(name: str) -> object:
        return get(tomli.loads((tmp_path / name).read_text()), ("tool", "ruff", "lint", "extend-per-file-ignores"))

    assert listed("libs/a/pyproject.toml") == {"./x.py": ["F401"], "src/y.py": ["B006"]}
    assert listed("pyproject.toml") == {"libs/b/z.py": ["F401"], "./v.py": ["E731"]}
    assert (tmp_path / "apps/c/pyproject.toml").read_text() == files["apps/c/pyproject.toml"]
    tree = Disk(str(tmp_path))
    settings = {"profile": "base", "members": ["libs/*"]}
    assert plan(tree, settings).edits == ()
    member = tmp_path / "libs/a/pyproject.toml"
    member.write_text(
        member.read_text().replace('"./x.py" = ["F401"]', '"./x.py" = ["F401", "E722"]').replace('["B006"]', "[]")
    )
    found = plan(tree, settings)
    assert [(each.code, each.where.path) for each in found.outcomes] == [
        ("SC109", "libs/a/pyproject.toml"),
        ("SC108", ".gatepost.lock"),  # it shrank elsewhere
    ]
    assert b'"libs/a/./x.py" = ["F401"]' in (found.edits[0].new or b"") and b"y.py" not in (found.edits[0].new or b"")
    assert uninstall.run(str(tmp_path), ["--yes"]) == 0
    assert tomli.loads(member.read_text()) == {
        "project": {"name": "a"}, "tool": {"ruff": {"lint": {"extend-per-file-ignores": {"./x.py": ["E722"]}}}}
    }  # fmt: skip
    assert (tmp_path / "libs/b/pyproject.toml").read_text() == files["libs/b/pyproject.toml"]
