"""Where a `filter=lfs` may stand, beyond a .gitattributes at the root; each has to be seen in a commit and in a whole tree."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gatepost.tree.attributes import begin
from gatepost.tree.git import Git
from tests.large_model_files.lab import BIN, GATEPOST, Lab, Templates, environment

RULE = "*.pt filter=lfs\n"


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def lab(tmp_path: Path, templates: Templates) -> Lab:
    made = Lab(tmp_path, templates, GATEPOST["git"])
    made.base()
    return made


def raw(lab: Lab, *args: str, **env: str) -> bool:
    """Whether the hook says that raw bytes are in git where a pointer belongs."""
    done = subprocess.run([str(BIN / "gatepost"), "large-model-files", *args], cwd=lab.path, capture_output=True,
                          env={**environment(), **env}, check=False)  # fmt: skip
    return b"[MF111]" in done.stdout


def _elsewhere(lab: Lab) -> Path:
    path = lab.folder / "attributes"
    path.write_text(RULE)
    return path


def _in_a_folder(lab: Lab) -> None:
    lab.add("data/.gitattributes", RULE)


def _macro(lab: Lab) -> None:
    lab.add(".gitattributes", "[attr]big filter=lfs\n*.pt big\n")


def _gone_from_disk(lab: Lab) -> None:
    lab.add(".gitattributes", RULE)
    (lab.path / ".gitattributes").unlink()


def _index_version_4(lab: Lab) -> None:
    lab.add(".gitattributes", RULE)
    lab.git("update-index", "--index-version", "4")


def _split_index(lab: Lab) -> None:
    lab.add(".gitattributes", RULE)
    lab.git("update-index", "--split-index")
    lab.add("one-more", "x")


def _info(lab: Lab) -> None:
    info = lab.path / ".git" / "info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text(RULE)


def _configured(lab: Lab) -> None:
    lab.git("config", "core.attributesFile", str(_elsewhere(lab)))


def _included(lab: Lab) -> None:
    other = lab.folder / "more.config"
    other.write_text(f"[core]\n\tattributesFile = {_elsewhere(lab)}\n")
    lab.git("config", "include.path", str(other))


PLACES: dict[str, Callable[[Lab], None]] = {
    "in a folder": _in_a_folder,
    "by a macro": _macro,
    "in the index only": _gone_from_disk,
    "in an index of version 4": _index_version_4,
    "in a split index": _split_index,
    "in info/attributes": _info,
    "in a configured file": _configured,
    "in a file that an included configuration names": _included,
}


@pytest.mark.parametrize("place", PLACES)
def test_places(lab: Lab, place: str) -> None:
    PLACES[place](lab)
    lab.add("data/model.pt", "raw bytes\n")
    assert raw(lab, GIT_INDEX_FILE=".git/index")
    assert raw(lab, "--all-files")


def test_on_the_command_line_of_git_and_in_the_users_own_files(lab: Lab) -> None:
    lab.add("data/model.pt", "raw bytes\n")
    assert not raw(lab, GIT_INDEX_FILE=".git/index")
    asked = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.attributesFile",
        "GIT_CONFIG_VALUE_0": str(_elsewhere(lab)),
    }
    assert raw(lab, GIT_INDEX_FILE=".git/index", **asked)
    (lab.folder / "git").mkdir()
    (lab.folder / "git" / "attributes").write_text(RULE)
    assert raw(lab, GIT_INDEX_FILE=".git/index", XDG_CONFIG_HOME=str(lab.folder))


@pytest.mark.parametrize("rule", ["*.pt -filter\n", "*.pt !filter\n", "*.pt filter=other\n"])
def test_taken_back_by_a_nearer_file(lab: Lab, rule: str) -> None:
    lab.add(".gitattributes", RULE)
    lab.add("data/.gitattributes", rule)
    lab.add("data/model.pt", "raw bytes\n")
    assert not raw(lab, GIT_INDEX_FILE=".git/index")


def test_a_commit_is_judged_by_its_own_attributes(lab: Lab) -> None:
    lab.add(".gitattributes", RULE)
    lab.add("model.pt", "raw bytes\n")
    lab.commit()
    lab.git("rm", "-q", "--cached", ".gitattributes")
    assert raw(lab, "--tree", "HEAD") and not raw(lab, "--tree", "index")


def test_git_is_not_asked_where_nothing_can_set_one(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepost.tree.attributes.waiting", lambda *_: pytest.fail("asked"))
    monkeypatch.setattr("gatepost.tree.attributes._usual_git", lambda _: True)
    git = Git(str(lab.path), {**environment(), "HOME": str(lab.folder)})
    assert begin(git)(["README"]) == {}
