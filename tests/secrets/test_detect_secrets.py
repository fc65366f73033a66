"""detect-secrets with our plugins: what blinds it is off, notebooks are cells, a baseline is kept as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.secrets.corpus import Tokens, notebook


def run(folder: Path, *args: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "gatepost.tools.detect_secrets_run", *args]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("anthropic", 'client = Anthropic(api_key="@")\n'),
        ("huggingface", 'key = os.getenv("HF_TOKEN", "@")\n'),
        ("langfuse", "LANGFUSE_SECRET_KEY=@\n"),
        ("wandb", '- name: WANDB_API_KEY\n  value: "@"\n'),
    ],
)
def test_what_its_filters_hid(kind: str, text: str, tmp_path: Path) -> None:
    token, _ = Tokens(31).make(kind)
    (tmp_path / "f.txt").write_text(text.replace("@", token))
    code, out = run(tmp_path, "f.txt")
    assert code == 1 and out.startswith("f.txt:") and token not in out


def test_a_notebook_and_a_baseline(tmp_path: Path) -> None:
    token, _ = Tokens(32).make("groq")
    (tmp_path / "n.ipynb").write_bytes(notebook(f'k = "{token}"\n', output=False))
    (tmp_path / "a.py").write_text(f't = "{token}"\n')
    assert run(tmp_path, "n.ipynb", "a.py")[0] == 1
    scan = subprocess.run(
        [sys.executable, "-m", "detect_secrets", "scan", "--all-files", "--slim", "--no-verify", "a.py", "n.ipynb"],
        cwd=tmp_path, capture_output=True, check=True,
    )  # fmt: skip
    (tmp_path / ".secrets.baseline").write_bytes(scan.stdout)
    assert run(tmp_path, "--baseline", ".secrets.baseline", "a.py", ".secrets.baseline") == (0, "")
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert run(tmp_path, "--baseline", ".secrets.baseline", "b.py") == (0, "")
    assert (tmp_path / ".secrets.baseline").read_bytes() == scan.stdout
    (tmp_path / "bad").write_text("[]")
    assert run(tmp_path, "--baseline", "bad", "b.py")[0] == 2


def test_clean_files(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("token = tokenizer.encode(text)\n")
    assert run(tmp_path, "a.py", "missing.py") == (0, "")
