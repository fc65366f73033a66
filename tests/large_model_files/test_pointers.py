"""The pointer grammar, rules that match nothing, DVC files; and the cures with the real git-lfs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gatepost.rules.large_model_files.dvc import held_twice, outputs
from gatepost.rules.large_model_files.lfs import dead_rules, is_pointer, near_rule
from gatepost.rules.large_model_files.limits import exact, human, is_lock
from gatepost.rules.large_model_files.remedy import lfs_track, quote
from tests.large_model_files.lab import BIN, environment, noise, pointer

GOOD = pointer(b"x")
OID = "ab" * 32


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        pytest.param(GOOD, True, id="as git-lfs writes it"),
        pytest.param(GOOD.rstrip(b"\n"), True, id="no newline at the end"),
        pytest.param(GOOD.replace(b"\n", b"\r\n"), True, id="CRLF"),
        pytest.param(GOOD.replace(b"git-lfs.github.com", b"hawser.github.com"), True, id="hawser"),
        pytest.param(
            GOOD.replace(b"https://git-lfs.github.com/spec/v1", b"http://git-media.io/v/2"), True, id="git-media"
        ),
        pytest.param(GOOD.replace(b"oid", b"ext-0-foo sha256:" + OID.encode() + b"\noid", 1), True, id="an extension"),
        pytest.param(GOOD + b"more", False, id="something behind it"),
        pytest.param(GOOD + b" " * 1024, False, id="1 KiB of blanks behind it"),
        pytest.param(b"\n" + GOOD, False, id="something before it"),
        pytest.param(GOOD.replace(b"sha256:", b"sha1:"), False, id="another digest"),
        pytest.param(
            f"version https://git-lfs.github.com/spec/v1\nsize 1\noid sha256:{OID}\n".encode(), False, id="order"
        ),
        pytest.param(f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\n".encode(), False, id="no size"),
        pytest.param(
            f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID[:-1]}\nsize 1\n".encode(), False, id="short"
        ),
        pytest.param(
            f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize -1\n".encode(), False, id="negative"
        ),
        pytest.param(f"version https://git-lfs.example/spec/v1\noid sha256:{OID}\nsize 1\n".encode(), False, id="host"),
        pytest.param(b"", False, id="empty"),
    ],
)
def test_pointer_grammar(data: bytes, wanted: bool) -> None:
    assert is_pointer(data) is wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("large/ filter=lfs", "large/**"),
        ("/large/ filter=lfs", "large/**"),
        ("./large/ filter=lfs", "large/**"),
        ('"my data/" filter=lfs', "my data/**"),
        ("./*.bin filter=lfs", "*.bin"),
        ("a//b.bin filter=lfs", "a/b.bin"),
        ("!a.bin filter=lfs", ""),
        ("*.bin filter=lfs", None),
        ("large/** filter=lfs", None),
        ("/large/*.bin filter=lfs", None),
        ("large/ text", None),
        ("# large/ filter=lfs", None),
        ("large/ -filter", None),
        ("[attr]lfs filter=lfs diff=lfs", None),
    ],
)
def test_rules_that_match_nothing(line: str, wanted: str | None) -> None:
    found = dead_rules(line.encode() + b"\n", "")
    assert [rule.better for rule in found] == ([] if wanted is None else [wanted])


def test_dvc_outputs() -> None:
    assert outputs(b"outs:\n- path: a.csv\n", "d/a.csv.dvc") == ["d/a.csv"]
    assert outputs(b"outs:\n  - md5: x\n    path: 'b c'\n", "x.dvc") == ["b c"]
    assert outputs(b"deps:\n- path: in.csv\nouts:\n- path: out.csv\n  cache: false\n", "x.dvc") == []
    assert outputs(b"wdir: ../..\nouts:\n- path: a\n", "s/x.dvc") == []  # leads out of the repository
    assert outputs(b"\xff\x00: [", "x.dvc") == []
    assert held_twice(["data"], ["data/.gitignore", "data/a", "database"]) == [("data/a", "data")]


def test_words() -> None:
    assert [human(size) for size in (0, 1023, 1024, 512_000, 512_001, 2_000_000, 1 << 31)] == [
        "0 B", "1023 B", "1 KiB", "500 KiB", "500.0 KiB", "1.9 MiB", "2 GiB"]  # fmt: skip
    assert exact(512_001) == "500.0 KiB (512,001 bytes)" and exact(512_000) == "500 KiB"
    assert is_lock("a/uv.lock", b"text") and not is_lock("a/uv.lock", b"\0") and not is_lock("my-uv.lock", b"text")
    assert is_lock("pylock.dev.toml", b"text") and is_lock("Cargo.lock", b"")


NAMES = [
    "a b.bin",
    "a'b",
    'a"b',
    "-x",
    "$(x)",
    "`x`",
    "a\nb",
    "a\\b",
    "a\tb",
    "é",
    "\udcff",
    "a\\'\nb",
    "~x",
    "#x",
    "!x",
    "a;b",
    "mö del.bin",
    "mö'\t100%\\n",
    '-x\n"`y`',
    "e\u0301\u202e.bin",
]


@pytest.mark.parametrize("shell", [each for each in ("sh", "bash", "dash", "zsh") if shutil.which(each)])
@pytest.mark.parametrize("name", NAMES)
def test_quoting_survives_a_shell(name: str, shell: str) -> None:
    assert quote(name).isprintable()
    for word in (quote(name), quote(f"printf %s {quote(name)}")):
        command = word if word == quote(name) else f'"$(eval {word})"'
        done = subprocess.run([shell, "-c", f"printf '%s|' {command}".encode()], capture_output=True, check=True)
        assert done.stdout == os.fsencode(name) + b"|"


def test_track_commands() -> None:
    assert lfs_track("a/b.safetensors") == "git lfs track '*.safetensors'"
    assert lfs_track("a/b.bin") == "git lfs track --filename a/b.bin"  # `.bin` may be anything
    assert lfs_track("-x") == "git lfs track --filename -- '-x'"
    assert lfs_track("a/data.json") == "git lfs track --filename a/data.json"


@pytest.mark.oracle
@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_the_cures_with_the_real_git_lfs(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    env = {**environment(), "HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / "config")}
    repo = tmp_path / "repo"

    def sh(command: str) -> str:
        done = subprocess.run(["bash", "-c", command], cwd=repo, env=env, capture_output=True, check=False)
        return (done.stdout + done.stderr).decode()

    def ours() -> str:
        return sh(f"{BIN / 'gatepost'} large-model-files")

    subprocess.run(["git", "init", "-q", str(repo)], check=True, env=env)
    (repo / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (repo / "big.bin").write_bytes(noise())
    sh("git add .")
    said = ours()
    assert "big.bin: error[MF111]" in said
    sh(said.split("fix: `")[1].split("`")[0])
    assert is_pointer(sh("git cat-file blob :big.bin").encode()) and ours() == ""

    (repo / "large").mkdir()
    (repo / "large" / "x.dat").write_bytes(noise(seed=2))
    sh("git lfs track large/; git add .")
    said = ours()
    assert ".gitattributes:2: error[MF113]" in said and "large/x.dat: error[MF101]" in said
    cure = said.split("MF113")[1].split("fix: `")[1]
    sh(cure.split("`")[0])
    sh(cure.split("`")[2])
    assert is_pointer(sh("git cat-file blob :large/x.dat").encode()) and ours() == ""

    (repo / "w.npy").write_bytes(noise(seed=3))
    sh("git add w.npy")
    said = ours()
    assert "w.npy: error[MF" in said
    sh(said.split("fix: `")[1].split("`")[0])
    sh(said.split("Git LFS (`")[1].split("`")[0])
    assert is_pointer(sh("git cat-file blob :w.npy").encode()) and ours() == ""


@pytest.mark.parametrize(
    ("rule", "path", "named"),
    [
        ("models/*.bin", "models/sub/x.bin", True),
        ("*.PT", "x.pt", True),
        ("*.safetensor", "m.safetensors", True),
        ("weights.bin", "other/weights.bin", True),
        ("*.pt", "x.bin", False),
        ("*", "x.bin", False),
        ("large/**", "x.bin", False),
        ("*.bin", "bin", False),
        ("*.gz", "x.xz", False),
    ],
)
def test_a_rule_that_seems_to_mean_a_file(rule: str, path: str, named: bool) -> None:
    found = near_rule(f"# rules\n*.txt text\n{rule} filter=lfs -text\n".encode(), path)
    assert found == ((3, rule) if named else None)
