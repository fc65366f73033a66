"""Configuration files that are symbolic links: read through, written through, kept."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gatepost.cli import main
from gatepost.tree.git import Git, IndexTree, WorktreeTree
from gatepost.tree.links import followed, leads_out

PROJECT = '[project]\nname = "a"\nversion = "1"\ndependencies = ["torch"]\nrequires-python = ">=3.11"\n'


def repository(root: Path, links: dict[str, str], **files: str) -> Path:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for name, text in files.items():
        (root / name.replace("__", "/")).parent.mkdir(exist_ok=True)
        (root / name.replace("__", "/")).write_text(text)
    for name, target in links.items():
        (root / name).symlink_to(target)
    subprocess.run(["git", "-C", str(root), "add", "-A"], check=True)
    return root


def test_links_are_followed_inside_of_the_repository_only(tmp_path: Path) -> None:
    links = {
        "pyproject.toml": "folder/two.toml",
        "folder": "real",
        "real/two.toml": "../one",
        "out.toml": "/etc/hostname",
        "up.toml": "../x",
        "gone.toml": "gone",
        "round.toml": "round.toml",
    }
    root = repository(tmp_path, {}, one=PROJECT, real__x="x")
    repository(root, links)
    git = Git(str(root))
    for base in (IndexTree(git), WorktreeTree(git)):
        tree = followed(base)
        assert tree.read("pyproject.toml") == PROJECT.encode() == tree.read_many(["pyproject.toml"])["pyproject.toml"]
        assert base.read("pyproject.toml") == b"folder/two.toml"
        assert tree.read("folder") == b"real"  # no TOML file
        assert not leads_out(base, "pyproject.toml") and not leads_out(base, "one")
        for name in ("out.toml", "up.toml", "gone.toml", "round.toml"):
            assert tree.read(name) is None and leads_out(base, name) and leads_out(tree, name), name


def test_a_linked_pyproject_is_checked_as_the_file_itself_and_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = repository(tmp_path, {"pyproject.toml": "real.toml"}, **{"real.toml": PROJECT, "a.py": "A = 1\n"})
    monkeypatch.chdir(root)
    for hook in ("torch-source", "lock-freshness"):
        main([hook])
        assert "not valid TOML" not in capsys.readouterr().out
    assert main(["sync-configs", "--check"]) == 1
    out = capsys.readouterr().out
    assert "SC101" in out and "SC301" not in out
    main(["sync-configs"])
    assert os.readlink(root / "pyproject.toml") == "real.toml"
    assert (root / "real.toml").read_text().startswith(PROJECT) and "[tool.ruff" in (root / "real.toml").read_text()
    capsys.readouterr()
    assert main(["sync-configs"]) == 0, capsys.readouterr().out


def test_a_pyproject_that_leads_out_of_the_repository_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs.toml").write_text(PROJECT)
    (tmp_path / "a").mkdir()
    root = repository(tmp_path / "a", {"pyproject.toml": "../theirs.toml"}, **{"a.py": "A = 1\n"})
    monkeypatch.chdir(root)
    assert main(["sync-configs", "--check"]) == 0
    assert (tmp_path / "theirs.toml").read_text() == PROJECT
