"""detect-secrets with our plugins: what blinds it is off, notebooks are cells, a baseline is kept as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.secrets.corpus import HELD_OUT, Tokens, negatives, notebook, positives, url_files


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


@pytest.mark.parametrize("text", ["key: x\nhf_token: >-\n  @\n", "hf_token: |\n  @\n", "- a: [\n  '@']\n"])
def test_a_block_of_yaml_is_reported_where_it_stands(text: str, tmp_path: Path) -> None:
    """`scan_file` of detect-secrets rewrites YAML before it is scanned, and reports the line of the key."""
    token, _ = Tokens(33).make("huggingface")
    (tmp_path / "f.yaml").write_text(text.replace("@", token))
    line = text[: text.index("@")].count("\n") + 1
    assert run(tmp_path, "f.yaml")[1].startswith(f"f.yaml:{line}: ")


def test_utf16_and_odd_separators(tmp_path: Path) -> None:
    token, _ = Tokens(34).make("github")
    (tmp_path / "a.txt").write_bytes(f"x\r\nkey {token}\r\n".encode("utf-16"))
    (tmp_path / "b.txt").write_bytes(f"a\x0cb\u2028c\n{token}\n".encode())
    out = run(tmp_path, "a.txt", "b.txt")[1].splitlines()[::2]
    assert [line.split(" ")[0] for line in out] == ["a.txt:2:", "b.txt:2:"]


def test_a_value_in_a_cell_and_in_its_output(tmp_path: Path) -> None:
    token, _ = Tokens(35).make("github")
    book = json.loads(notebook(f'k = "{token}"\n', output=False))
    book["cells"][0]["outputs"] = [{"output_type": "stream", "text": [f"{token}\n"]}]
    data = json.dumps(book, indent=1)
    (tmp_path / "n.ipynb").write_text(data)
    lines = [number for number, line in enumerate(data.splitlines(), 1) if token in line]
    out = run(tmp_path, "n.ipynb")[1].splitlines()[::2]
    assert sorted(int(line.split(":")[1]) for line in out) == lines


def test_nothing_is_lost_by_passing_over_files(tmp_path: Path) -> None:
    """A file is only taken apart where a plugin may find something: the same with and without that."""
    from detect_secrets.core.scan import _process_line_based_plugins
    from detect_secrets.settings import transient_settings

    from gatepost.tools.detect_secrets_run import config, scan

    files = [file for _, file in positives(36, HELD_OUT, 2) + url_files(37)] + negatives(38)
    with transient_settings(config()):
        whole = set()
        for number, (path, data, _) in enumerate(files):
            if path.endswith(".ipynb"):
                continue
            name = tmp_path / f"{number}{Path(path).suffix}"
            name.write_bytes(data)
            rows = list(enumerate(data.decode().split("\n"), 1))
            whole |= {(one.filename, one.line_number, one.type) for one in _process_line_based_plugins(rows, str(name))}
    names = [str(name) for name in sorted(tmp_path.iterdir())]
    ignored = {name for name in names if Path(name).suffix in (".lock", ".svg")}  # by detect-secrets' own filter
    found = {(one.filename, one.line_number, one.type) for one in scan(names)}
    assert len(found) > 60 and found == {one for one in whole if one[0] not in ignored}
