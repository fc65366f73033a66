"""Pickles, notebooks and folders of runs in a real repository: what fires, what does not, what the message says."""

from __future__ import annotations

import bz2
import json
import pickle
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gatepost.rules.large_model_files.notebooks import output_bytes

from .hostile import BENIGN, EVIL, HOSTILE, blob, call, pickled, zipped
from .lab import environment

PICTURE = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo" * 80_000}, "metadata": {}}


def notebook(*outputs: object, source: str = "print(1)") -> bytes:
    cell = {"cell_type": "code", "metadata": {}, "source": [source], "outputs": list(outputs), "execution_count": 1}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


class Repository:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")

    def git(self, *args: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@index.example", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *identity, *args], cwd=self.root, env=environment(), capture_output=True, text=True, check=True
        )
        return done.stdout

    def stage(self, files: Mapping[str, bytes]) -> Repository:
        for path, data in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        self.git("add", "-f", "--", *files)
        return self

    def check(self, *args: str) -> list[tuple[str, str, str]]:
        """(path, code, message) of every outcome."""
        command = [sys.executable, "-m", "gatepost", "large-model-files", "--output-format", "json", *args]
        done = subprocess.run(command, cwd=self.root, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        report = json.loads(done.stdout)
        rows = report.get("results") or report.get("outcomes") or report.get("findings") or []
        return [(row.get("path") or row["where"]["path"], row["code"], row["message"]) for row in rows]

    def codes(self, *args: str) -> list[tuple[str, str]]:
        return [(path, code) for path, code, _ in self.check(*args)]


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_hostile_pickle(repo: Repository) -> None:
    [(path, code, message)] = repo.stage({"m.pkl": EVIL, "ok.pkl": pickle.dumps({1: 2})}).check()
    assert (path, code) == ("m.pkl", "MF301")
    assert message == "a pickle that runs code when it is loaded: it calls `os.system`"


@pytest.mark.parametrize("name", ["data.txt", "weights", "model.safetensors", "x.pt", "x.bin"])
def test_the_name_does_not_hide_it(repo: Repository, name: str) -> None:
    assert repo.stage({name: EVIL}).codes() == [(name, "MF301")]


@pytest.mark.parametrize(
    "case", ["torch zip", "zip: encrypted flag", "gzip of a zip", "npz with objects", "zip: in a zip"]
)
def test_containers(repo: Repository, case: str) -> None:
    assert repo.stage({"f.bin": HOSTILE[case]}).codes() == [("f.bin", "MF301")]


@pytest.mark.parametrize("case", BENIGN)
def test_benign_ones_are_quiet(repo: Repository, case: str) -> None:
    assert repo.stage({"f.pkl": BENIGN[case]}).codes() == []


def test_an_unknown_class_is_said_to_be_unverified(repo: Repository) -> None:
    [(path, code, message)] = repo.stage({"m.pkl": pickled(call("somelib.models", "Net"))}).check()
    assert (path, code) == ("m.pkl", "MF302")
    assert message.endswith("could not verify that loading it is harmless: calls `somelib.models.Net`")


def test_a_trusted_name_is_quiet(repo: Repository) -> None:
    settings = b'[tool.gatepost.large-model-files]\npickle-trusted = ["somelib.*"]\n'
    files = {"pyproject.toml": settings, "m.pkl": pickled(call("somelib.models", "Net"))}
    assert repo.stage(files).codes() == []


def test_a_class_of_this_repository_is_quiet(repo: Repository) -> None:
    files = {"src/mine/__init__.py": b"", "m.pkl": pickled(call("mine.models", "Net"))}
    assert repo.stage(files).codes() == []


def test_a_function_of_this_repository_is_not(repo: Repository) -> None:
    files = {"src/mine/__init__.py": b"", "m.pkl": pickled(call("mine.models", "build"))}
    assert repo.stage(files).codes() == [("m.pkl", "MF302")]


def test_a_broken_pickle_is_unverified(repo: Repository) -> None:
    assert repo.stage({"m.pkl": pickle.dumps(list(range(100)))[:-20]}).codes() in ([], [("m.pkl", "MF302")])


def test_what_history_holds_is_not_told_again(repo: Repository) -> None:
    repo.stage({"m.pkl": EVIL}).git("commit", "-qm", "x")
    repo.git("mv", "m.pkl", "n.pkl")
    assert repo.codes() == []
    assert repo.codes("--all-files") == [("n.pkl", "MF301")]


def test_heavy_outputs(repo: Repository) -> None:
    [(path, code, message)] = repo.stage({"a.ipynb": notebook(PICTURE)}).check()
    assert (path, code) == ("a.ipynb", "MF401")
    assert "are outputs" in message


def test_a_notebook_that_grew(repo: Repository) -> None:
    repo.stage({"a.ipynb": notebook()}).git("commit", "-qm", "x")
    assert repo.stage({"a.ipynb": notebook(PICTURE)}).codes() == [("a.ipynb", "MF401")]


def test_a_notebook_heavy_by_itself_has_the_size_code(repo: Repository) -> None:
    assert repo.stage({"a.ipynb": notebook(source="x" * 900_000)}).codes() == [("a.ipynb", "MF101")]


def test_small_outputs_are_fine(repo: Repository) -> None:
    assert repo.stage({"a.ipynb": notebook({"output_type": "stream", "text": ["hello"]})}).codes() == []


def test_a_notebook_that_shrank_is_fine(repo: Repository) -> None:
    repo.stage({"a.ipynb": notebook(PICTURE, PICTURE)}).git("commit", "-qm", "x")
    assert repo.stage({"a.ipynb": notebook(PICTURE)}).codes() == []


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"cells": 1}', b'{"cells": [1, {"outputs": "x"}]}', b"[" * 100_000]
)
def test_odd_notebooks_never_raise(data: bytes) -> None:
    output_bytes(data)


def test_outputs_of_format_3() -> None:
    data = json.dumps({"worksheets": [{"cells": [{"outputs": [{"png": "x" * 1000}]}]}], "nbformat": 3}).encode()
    assert (output_bytes(data) or 0) > 1000


TRACKED = [
    ("mlruns/0/meta.yaml", "MF411"),
    ("exp/mlruns/123456/ab/artifacts/m.txt", "MF411"),
    ("wandb/run-20240101_101010-ab12cd34/files/output.log", "MF411"),
    ("wandb/offline-run-20240101_101010-ab12cd34/run.wandb", "MF411"),
    ("lightning_logs/version_0/hparams.yaml", "MF411"),
    ("logs/events.out.tfevents.1700000000.host", "MF411"),
    ("outputs/2024-01-01/10-10-10/.hydra/config.yaml", "MF411"),
    ("catboost_info/learn_error.tsv", "MF411"),
    (".venv/pyvenv.cfg", "MF412"),
    ("env/lib/python3.11/site-packages/a/b.py", "MF412"),
    ("env/Lib/site-packages/a.py", "MF412"),
    ("src/__pycache__/a.cpython-311.pyc", "MF413"),
    ("nb/.ipynb_checkpoints/a-checkpoint.ipynb", "MF413"),
    (".mypy_cache/3.11/a.data.json", "MF413"),
]


@pytest.mark.parametrize(("path", "code"), TRACKED)
def test_run_folders(repo: Repository, path: str, code: str) -> None:
    assert repo.stage({path: b"x"}).codes() == [(path, code)]


@pytest.mark.parametrize(
    "path",
    [
        "wandb/__init__.py",
        "src/wandb/run.py",
        "mlruns/README.md",
        "docs/mlruns.md",
        "tests/data/mlruns/0/meta.yaml",
        "tests/fixtures/.venv/pyvenv.cfg",
        "lightning_logs.py",
        "src/lightning_logs/__init__.py",
        "outputs/2024-01-01/report.md",
        "src/site-packages.txt",
        "cache/a.txt",
        "my_cache/a.txt",
        "events.py",
        "runs/a.py",
    ],
)
def test_what_only_looks_like_one(repo: Repository, path: str) -> None:
    assert repo.stage({path: b"x"}).codes() == []


def test_one_finding_a_folder_and_the_cure_works(repo: Repository) -> None:
    repo.stage({f"wandb/run-20240101_101010-a{i}/f.log": b"x%d" % i for i in range(5)}).git("commit", "-qm", "x")
    assert repo.codes("--all-files") == [("wandb/run-20240101_101010-a0/f.log", "MF411")]
    repo.git("rm", "-r", "--cached", "-q", "--", "wandb")
    assert repo.codes() == []
    assert repo.codes("--all-files") == []


def test_odd_names_stay_on_one_line(repo: Repository) -> None:
    name = "a\n`x`/mlruns/0/meta.yaml"
    rows = repo.stage({name: b"x"}).check()
    assert len(rows) == 1
    assert "\n" not in rows[0][2]


def test_zip_without_pickles_is_quiet(repo: Repository) -> None:
    assert repo.stage({"a.zip": zipped({"a.txt": b"hello", "b.csv": b"1,2"})}).codes() == []


@pytest.mark.parametrize("name", ["x", "x.dump", "notes.txt", "cache", "x.pkl.bak"])
@pytest.mark.parametrize(
    "data",
    [b"cos\nsystem\n(S'true'\ntR.", b"(S'true'\nios\nsystem\n.\n", b"\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."],
)
def test_a_pickle_without_a_magic_under_any_name(repo: Repository, name: str, data: bytes) -> None:
    assert repo.stage({name: data}).codes() == [(name, "MF301")]


@pytest.mark.parametrize(
    "text", ["(see below).\n", "I am a sentence.", "Notes on Systems.\n\nThey fail.\n", "cos\nsystem\n", "import os\n."]
)
def test_prose_that_begins_and_ends_like_a_pickle(repo: Repository, text: str) -> None:
    assert repo.stage({"notes": text.encode()}).codes() == []


@pytest.mark.parametrize("name", ["vocab.bin", "words/c.dat", "c.model"])
def test_words_in_c_by_the_line_are_no_imports(repo: Repository, name: str) -> None:
    words = "".join(f"c{a}{b}{n}\n" for a in "aeiou" for b in "bdlnprt" for n in range(80))
    assert repo.stage({name: words.encode()}).codes() == []


def test_a_pickle_in_bzip2_is_followed(repo: Repository) -> None:
    data = bz2.compress(pickle.dumps(random.Random(1).randbytes(60_000)) + EVIL)
    assert repo.stage({"model.pkl.bz2": data}).codes() == [("model.pkl.bz2", "MF301")]


@pytest.mark.parametrize("name", ["m.safetensors.zst", "m.pt.zst", "m.pkl.lz4"])
def test_what_cannot_be_opened_is_not_taken_for_a_broken_pickle(repo: Repository, name: str) -> None:
    magic = b"\x04\x22\x4d\x18" if name.endswith("lz4") else b"(\xb5/\xfd"
    assert repo.stage({name: magic + random.Random(1).randbytes(60_000)}).codes() == []


@pytest.mark.parametrize("ending", [".bin", ".npy", ".model", ".pth", ".pt", ".ckpt", ".sav", ".dat"])
def test_bytes_that_happen_to_be_opcodes_are_no_pickle(repo: Repository, ending: str) -> None:
    source = random.Random(ending)
    assert repo.stage({f"f{at}{ending}": source.randbytes(5120) for at in range(60)}).codes() == []


def test_one_finding_for_a_file_that_is_too_large_and_could_not_be_verified(repo: Repository) -> None:
    data = pickled(call("somelib.net", "rebuild", blob(bytes(200_000))))
    [(path, code, message)] = repo.stage({"m.pkl": data}).check()
    assert (path, code) == ("m.pkl", "MF102")
    assert message.endswith("; could not verify that loading it is harmless: calls `somelib.net.rebuild`")


def test_a_tokenizer_of_a_hub_has_the_tokenizers_limit(repo: Repository) -> None:
    vocabulary = {f"word{at}": at for at in range(40_000)}
    tokenizer: dict[str, object] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "model": {"vocab": vocabulary},
    }
    data = json.dumps(tokenizer).encode()
    assert len(data) > 600_000
    assert repo.stage({"tokenizer.json": data}).codes() == []
    assert repo.stage({"tokenizer.json": data + b" " * (5 << 20)}).codes() == [("tokenizer.json", "MF101")]
