"""What a runner was asked for, read off its command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.tree.runner import ALL, SOME, STAGED, UNKNOWN, asked, asked_by, named_by


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/v/bin/python3 /v/bin/pre-commit run --all-files", ALL),
        ("/v/bin/python3 /v/bin/pre-commit run -a torch-source", ALL),
        ("/v/bin/python3 /v/bin/pre-commit run --all -v", ALL),
        ("python -mpre_commit run -va", ALL),
        ("python -m pre_commit run -a", ALL),
        ("/v/bin/prek -a", ALL),
        ("C:\\v\\prek.exe run --all-files", UNKNOWN),  # only where the system's own separator is a backslash
        ("/v/bin/prek run --all-files --quiet", ALL),
        ("/v/bin/python3 /v/bin/pre-commit run", STAGED),
        ("/v/bin/python3 /v/bin/pre-commit run --color always --hook-stage manual", STAGED),
        ("/v/bin/prek run --config all-files.yaml", STAGED),
        ("/v/bin/python3 /v/bin/pre-commit run --files a.py b.py", SOME),
        ("/v/bin/prek run --directory src", SOME),
        ("/v/bin/python3 -m pre_commit hook-impl --hook-type=pre-commit --", STAGED),
        ("/usr/bin/make lint", UNKNOWN),
        ("bash -c gatepost large-model-files", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_asked_by(line: str, expected: str) -> None:
    assert asked_by(line.split(" ")) == expected


def test_this_test_has_no_runner_for_a_parent() -> None:
    assert asked() == UNKNOWN


@pytest.mark.parametrize(
    ("line", "start", "expected"),
    [
        ("pre-commit run --files a.py sub/b.py", ".", {"a.py", "sub/b.py"}),
        ("pre-commit run gatepost --files a.py --color never", ".", {"a.py"}),
        ("pre-commit run --files=a.py --files sub/b.py", ".", {"a.py", "sub/b.py"}),
        ("pre-commit run --files b.py", "sub", {"sub/b.py"}),
        ("pre-commit run --files sub/b.py", "sub", {"sub/b.py"}),  # the shell does not say where it stands
        ("pre-commit run --files ../a.py ", "sub", {"a.py"}),  # as /proc has it, the last word is empty
        ("prek run -d sub gatepost", ".", {"sub/"}),
        ("prek run --directory=sub --files a.py", ".", {"sub/", "a.py"}),
        ("prek run --files a.py gone.py", ".", None),
        ("prek run --files ../outside.py", ".", None),
        ("prek run", ".", None),
        ("make --files a.py", ".", None),
    ],
)
def test_named_by(line: str, start: str, expected: set[str] | None, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    for name in ("a.py", "sub/b.py", "../outside.py"):
        (root / name).write_text("")
    assert named_by(line.split(" "), str(root), str(root / start)) == expected
