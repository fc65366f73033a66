"""`gatepost secrets` as it is typed: the baseline written, kept and cleaned; no output ever shows a secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import Repo
from tests.secrets.corpus import Tokens, notebook

TOKEN, _ = Tokens(51).make("huggingface")
KEY, _ = Tokens(52).make("wandb")
PASSWORD = "Zq7" + "xK2mPw9LtR4v"


def secrets(repo: Repo, *args: str, hook: str = "secrets", **env: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "gatepost", hook, *args], cwd=repo.path, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, env={**os.environ, **env})  # fmt: skip
    for value in (TOKEN, KEY, PASSWORD):
        assert value not in done.stdout and value[4:] not in done.stdout
    return done.returncode, done.stdout


def test_a_baseline_is_written_kept_and_cleaned(repo: Repo) -> None:
    repo.commit(**{"a.py": f't = "{TOKEN}"\n', "b.yaml": f"wandb_api_key: {KEY}\n"})
    assert secrets(repo)[0] == 1
    code, out = secrets(repo, "--update-baseline")
    assert "the baseline differs from the 2 secrets that are there" in out
    assert not (repo.path / ".gatepost-secrets").exists()
    code, out = secrets(repo, "--update-baseline", "--fix")
    assert code == 1 and ".gatepost-secrets" in out  # a file was written: the commit has to be made again
    repo.git("add", "-A")
    baseline = (repo.path / ".gatepost-secrets").read_text()
    assert TOKEN not in baseline and KEY not in baseline and baseline.count("\n") == 3
    assert secrets(repo, "--update-baseline", "--fix")[0] == 0
    assert secrets(repo, "--strict")[0] == 0
    # Moved lines, another name: known. A copy: new.
    repo.git("mv", "b.yaml", "conf.yaml")
    repo.write("a.py", f'\n\n\nt = "{TOKEN}"\n')
    repo.git("add", "-A")
    assert secrets(repo, "--strict")[0] == 0
    repo.write("copy.py", f't = "{TOKEN}"\n')
    repo.git("add", "-A")
    code, out = secrets(repo)
    assert code == 1 and "copy.py:1: error[SE101]" in out
    repo.git("rm", "-qf", "copy.py", "a.py")
    code, out = secrets(repo)
    assert ".gatepost-secrets:" in out and "warning[SE201]" in out
    secrets(repo, "--fix")
    repo.git("add", "-A")
    assert secrets(repo, "--strict")[0] == 0
    assert (repo.path / ".gatepost-secrets").read_text().count("SE1") == 1


def test_a_reason_is_written_once_and_stays(repo: Repo) -> None:
    repo.commit(**{"a.py": f't = "{TOKEN}"\n'})
    secrets(repo, "--update-baseline", "--fix")
    path = repo.path / ".gatepost-secrets"
    path.write_text(path.read_text().rstrip("\n") + "  # revoked in May\n")
    repo.write("b.yaml", f"wandb_api_key: {KEY}\n")
    repo.git("add", "-A")
    secrets(repo, "--update-baseline", "--fix")
    assert "a.py  # revoked in May\n" in path.read_text() and "b.yaml\n" in path.read_text()


@pytest.mark.parametrize(
    "how", [[], ["--output-format", "json"], ["--diff"], ["--fix", "--diff"], ["--update-baseline", "--diff"]]
)
@pytest.mark.parametrize("hook", ["secrets", "detect-secrets", "gatepost"])
def test_no_output_shows_a_secret(repo: Repo, hook: str, how: list[str]) -> None:
    """Nor in the one id's, which runs all checks over the same files; `secrets` (above) asserts it."""
    files = {
        "a.py": f'import os\nt = "{TOKEN}"\nos.environ["WANDB_API_KEY"] = "{KEY}"\n',
        "requirements.txt": f"--extra-index-url https://ci:{PASSWORD}@index.vendor.dev/simple\n--trusted-host x\ntorch\n",
        "pyproject.toml": f'[[tool.uv.index]]\nname = "x"\nurl = "https://ci:{PASSWORD}@index.vendor.dev/simple"\n',
        "n.ipynb": notebook(f"%env WANDB_API_KEY={KEY}\n", output=False).decode(),
        ".env": f"HF_TOKEN={TOKEN}\n",
        "Dockerfile": f"FROM x\nRUN pip install --extra-index-url https://ci:{PASSWORD}@index.vendor.dev/simple torch\n",
        "gatepost.toml": "[mypy]\nisolated = true\n",
    }
    repo.commit(**files)
    if hook == "detect-secrets":
        secrets(repo, *files, hook=hook)
        return
    code, out = secrets(repo, *[each for each in how if hook == "secrets" or each != "--update-baseline"], hook=hook)
    assert code == ("--update-baseline" not in how or hook != "secrets")  # a difference shown is no finding
    if "json" in how:
        assert json.loads(out)["outcomes"]


def test_an_ignore_is_not_idle_while_the_baseline_is_made(repo: Repo) -> None:
    repo.commit(**{"a.py": f't = "{TOKEN}"  # gatepost: ignore[SE101] revoked\n'})
    assert secrets(repo, "--strict") == (0, "")
    assert "GP103" not in secrets(repo, "--update-baseline")[1]
    repo.commit(**{"a.py": "t = 1  # gatepost: ignore[SE101] revoked\n"})
    assert "a.py:1: warning[GP103] the ignore of `SE101` silences nothing" in secrets(repo)[1]
