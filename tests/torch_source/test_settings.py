"""`[tool.gatepost.torch-source]` and `--compat`: what is refused, what is accepted, and that the table's day is said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gatepost.model import Context, Outcome
from gatepost.registry import own_hook
from gatepost.rules.torch_source.table import date, load
from gatepost.settings import SettingsError
from gatepost.tree.memory import MemoryTree

DATA = Path(__file__).parents[2] / "hooks" / "gatepost" / "data"
PIN = "--extra-index-url https://download.pytorch.org/whl/cu118\ntorch==2.8.0+cu118\n"


def run(
    files: Mapping[str, str], settings: Mapping[str, Any], args: Mapping[str, Any] | None = None, scope: str = ""
) -> list[Outcome]:
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    hook = own_hook("torch-source")
    full = {one.key: one.default for one in hook.settings} | dict(settings)
    chosen = frozenset({scope}) if scope else None
    return list(hook.check(Context(tree=tree, settings=full, args=args or {}, env={}, scope=chosen)))


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(build, id=str(build))
        for build in ("cpu", "CPU", "cuda", "rocm", "xpu", "cu12", "cu128", "cu129", "cu152", "cu201", "rocm6.4", "rocm9.1.2", {"gpu": "cu130"}, {})
    ],
)  # fmt: skip
def test_build_is_accepted(build: object) -> None:
    text = "[project]\nname = 'a'\n[project.optional-dependencies]\ngpu = []\n"
    assert run({"pyproject.toml": text}, {"build": build}) == []


@pytest.mark.parametrize(
    ("build", "said"),
    [
        ("cpuu", "tool.gatepost.torch-source.build: `cpuu` is no build of PyTorch; did you mean `cpu`?"),
        ("cu12.8", "tool.gatepost.torch-source.build: `cu12.8` is no build of PyTorch; did you mean `cu128`?"),
        ("cuda118", "tool.gatepost.torch-source.build: `cuda118` is no build of PyTorch; did you mean `cu118`?"),
        ("cu1280", "tool.gatepost.torch-source.build: `cu1280` is no build of PyTorch; did you mean `cu128`?"),
        ({"gpu": "cu-128"}, "tool.gatepost.torch-source.build.gpu: `cu-128` is no build of PyTorch; did you mean `cu128`?"),
    ],
)  # fmt: skip
def test_build_that_is_none(build: object, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        run({}, {"build": build})
    assert str(caught.value) == said


@pytest.mark.parametrize("build", [7, True, ["cpu"], {"gpu": ["cu128"]}], ids=str)
def test_build_of_another_type(build: object) -> None:
    with pytest.raises(SettingsError, match=r"tool\.gatepost\.torch-source\.build(\.gpu)? must be a build"):
        run({}, {"build": build})


def test_day_of_the_table_is_said() -> None:
    assert date() == load().date == json.loads((DATA / "torch_table.json").read_text())["generated"]
    messages = [each.message for each in run({"requirements.txt": PIN}, {}) if each.code == "TS207"]
    assert [f"(table of {date()})" in message for message in messages] == [True]


def newer() -> str:
    """A table of another day in which torch 2.8.0 has a cu118 build."""
    table = json.loads((DATA / "torch_table.json").read_text())
    table["generated"] = "2030-01-02"
    at = table["columns"].index("cuda")
    for row in table["torch"]:
        if row[0] == "2.8.0":
            row[at] += " cu118"
    return json.dumps(table)


@pytest.mark.parametrize("how", ["option", "setting"])
def test_compat_file(how: str, tmp_path: Path) -> None:
    files = {"requirements.txt": PIN, "compat.json": newer()}
    settings = {"compat": "compat.json"} if how == "setting" else {}
    args = {"compat": "compat.json"} if how == "option" else {}
    assert not any(each.code == "TS207" for each in run(files, settings, args))
    outside = tmp_path / "table.json"
    outside.write_text(newer())
    assert not any(each.code == "TS207" for each in run({"requirements.txt": PIN}, {}, {"compat": str(outside)}))


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{", '{"schema": 2}', '{"schema": 1}', '{"schema": 1, "generated": "", "torch": 7}', "[" * 100_000]
)  # fmt: skip
def test_compat_file_that_is_none(content: str | None) -> None:
    files = {"requirements.txt": PIN} | ({"compat.json": content} if content is not None else {})
    with pytest.raises(SettingsError, match=r"torch-source: .*`compat\.json`"):
        run(files, {"compat": "compat.json"})


def test_nightly_and_hosts() -> None:
    index = "https://download.pytorch.org/whl/nightly/cpu"
    files = {"requirements.txt": f"--index-url {index}\ntorch\n"}
    assert any(each.code == "TS216" for each in run(files, {}))
    assert not any(each.code == "TS216" for each in run(files, {"nightly": True}))
    assert any(each.code == "TS406" for each in run(files, {"nightly": True, "hosts": ("index.example",)}))
    assert not any(each.code == "TS406" for each in run(files, {"hosts": ("download.pytorch.org",)}))
    assert not any(each.code == "TS406" for each in run(files, {"hosts": ("*.pytorch.org",)}))


def test_a_compose_file_that_names_the_context_concerns_the_image() -> None:
    files = {
        "docker/Dockerfile": "FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n",
        "requirements.txt": "torch==2.8.0\n",
        "compose.yml": "services:\n  app:\n    build:\n      context: .\n      dockerfile: docker/Dockerfile\n",
        "notes.md": "x\n",
    }
    assert [each.code for each in run(files, {}, scope="compose.yml")] == ["TS501"]
    assert run(files, {}, scope="notes.md") == []


@pytest.mark.parametrize(
    "host", ["wheels.example", "WHEELS.example", "https://wheels.example/x/simple", "http://me@wheels.example:8080", "wheels.example:443"]
)  # fmt: skip
def test_an_address_among_the_hosts_is_its_host(host: str) -> None:
    files = {"requirements.txt": "--index-url https://wheels.example/x/simple\ntorch==2.8.0+cu126\n"}
    refused = run(files, {"hosts": ["other.example"]})
    assert [each.code for each in refused if "wheels.example" in each.message and "other.example" in each.remedy] != []
    allowed = {each.code for each in run(files, {"hosts": [host]})}
    assert allowed == {each.code for each in run(files, {})} < {each.code for each in refused}


def test_a_compat_file_that_is_missing_is_told_without_torch(tmp_path: Path) -> None:
    for files in ({}, {"requirements.txt": "numpy\n"}):
        with pytest.raises(SettingsError, match=r"`compat` names `nofile\.json`, which cannot be read"):
            run(files, {"compat": "nofile.json"})
    assert run({"compat.json": "{}"}, {"compat": "compat.json"}) == []
    (tmp_path / "there.json").write_text("{}")
    assert run({}, {}, {"compat": str(tmp_path / "there.json")}) == []
