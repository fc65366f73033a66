"""A git repository with a size check installed in it, under a runner or as git's own hooks.

A row of the case table prepares the repository and does one thing with real git; what comes back is "pass", "block"
or "crash". The same rows run for every tool that is compared.
"""

from __future__ import annotations

import hashlib
import os
import random
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

BIG = 2_000_000  # bytes; random, so far over the limit however it is stored
BIN = Path(sys.executable).parent
LFS = "filter=lfs diff=lfs merge=lfs -text"
STAGES = ("pre-commit", "pre-merge-commit", "pre-push")


@dataclass(frozen=True)
class Tool:
    """A check under a runner: `runner` is "pre-commit", "prek" or "git" (git's own hooks), `hook` its config."""

    name: str
    runner: str
    hook: str = ""  # YAML of one `repos:` entry
    stages: tuple[str, ...] = STAGES


def local_hook(entry: str, *more: str) -> str:
    """A `repo: local` entry for a program that is installed already."""
    lines = ["- repo: local", "  hooks:", "  - id: check", "    name: check", "    language: system"]
    return "\n".join([*lines, f"    entry: {entry}", *(f"    {each}" for each in more)])


_PUBLISHED = (
    "pass_filenames: false",
    "always_run: true",
    "require_serial: true",
    "stages: [pre-commit, pre-merge-commit, pre-push, manual]",
)
OURS = local_hook(f"{BIN / 'gatepost'} large-model-files", *_PUBLISHED)
_OTHERS = (
    "lock-freshness,torch-source,sync-configs,secrets,unsafe-load,ruff-check,ruff-format,mypy,bandit,detect-secrets"
)
ONE_ID = local_hook(f"env GATEPOST_SKIP={_OTHERS} {BIN / 'gatepost'} gatepost", *_PUBLISHED)
GATEPOST = {runner: Tool(f"gatepost ({runner})", runner, OURS) for runner in ("git", "pre-commit", "prek")}
ONE = {runner: Tool(f"one id ({runner})", runner, ONE_ID) for runner in ("pre-commit", "prek")}


def noise(size: int = BIG, seed: int = 1) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def pointer(data: bytes) -> bytes:
    """The Git LFS pointer of some content."""
    digest = hashlib.sha256(data).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n".encode()


_CLEAN = """
import hashlib, sys
data = sys.stdin.buffer.read()
if data.startswith(b"version https://git-lfs") and len(data) < 1024:
    sys.stdout.buffer.write(data)
else:
    text = "version https://git-lfs.github.com/spec/v1\\noid sha256:%s\\nsize %d\\n"
    sys.stdout.write(text % (hashlib.sha256(data).hexdigest(), len(data)))
"""


def environment() -> dict[str, str]:
    """The environment of every process here: nothing of the machine's git, nothing of a surrounding runner."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT_", "PREK_"))}
    kept.pop("PRE_COMMIT", None)
    if "PRE_COMMIT_HOME" in os.environ:
        kept["PRE_COMMIT_HOME"] = os.environ["PRE_COMMIT_HOME"]
    if "PREK_HOME" in os.environ:
        kept["PREK_HOME"] = os.environ["PREK_HOME"]
    who = {f"GIT_{role}_{part}": f"tester{'@index.example' if part == 'EMAIL' else ''}"
           for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}  # fmt: skip
    return {**kept, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_EDITOR": "true",
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}  # fmt: skip


class Templates:
    """Hook folders, made once per tool by the runner's own `install`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, Path] = {}

    def of(self, tool: Tool) -> Path:
        if tool.name not in self._made:
            self._made[tool.name] = self._make(tool, self.folder / f"template-{len(self._made)}")
        return self._made[tool.name]

    def _make(self, tool: Tool, folder: Path) -> Path:
        hooks = folder / "hooks"
        hooks.mkdir(parents=True)
        if tool.runner == "git":
            plain = f"#!/bin/sh\nexec {shlex.quote(str(BIN / 'gatepost'))} large-model-files"
            for stage in ("pre-commit", "pre-merge-commit"):
                (hooks / stage).write_text(f"{plain}\n")
            (hooks / "pre-push").write_text(f'{plain} --pre-push --remote "$1"\n')
            for each in hooks.iterdir():
                each.chmod(0o755)
            return folder
        config = self.config(tool, folder)
        scratch = folder / "scratch"
        run("git", "init", "-q", str(scratch), cwd=folder)
        stages = [word for stage in tool.stages for word in ("-t", stage)]
        run(str(BIN / tool.runner), "install", "-c", str(config), *stages, cwd=scratch)
        for each in (scratch / ".git" / "hooks").iterdir():
            if each.suffix != ".sample":
                # pre-commit writes the path of its configuration relative to the repository it was installed in
                words = [f"--config={config}" if word.startswith("--config=") else word
                         for word in each.read_text().split(" ")]  # fmt: skip
                (hooks / each.name).write_text(" ".join(words))
                (hooks / each.name).chmod(0o755)
        return folder

    def config(self, tool: Tool, folder: Path) -> Path:
        """The runner's configuration file, outside the repository."""
        path = folder / "config.yaml"
        path.write_text(f"repos:\n{tool.hook}\n")
        return path


def run(*argv: str, cwd: Path, data: bytes | None = None, env: dict[str, str] | None = None, ok: bool = True) -> str:
    """stdout and stderr of a process; with `ok`, a failure is an assertion."""
    done = subprocess.run(argv, cwd=cwd, env=env or environment(), input=data, capture_output=True, check=False)
    text = (done.stdout + done.stderr).decode("utf-8", "backslashreplace")
    if ok and done.returncode:
        raise AssertionError(f"{argv} ended with {done.returncode}: {text}")
    return text


class Lab:
    """A repository with one tool's hooks. `out` is what the last judged action printed."""

    def __init__(self, folder: Path, templates: Templates, tool: Tool, *init: str) -> None:
        self.tool = tool
        self.templates = templates
        self.folder = folder
        self.path = folder / "repo"
        self.out = ""
        self.writes = 0
        self.env: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.init(self.path, *init)

    def init(self, path: Path, *more: str) -> None:
        run("git", "init", "-q", "-b", "main", f"--template={self.templates.of(self.tool)}", *more, str(path),
            cwd=self.folder)  # fmt: skip

    # --- preparing -------------------------------------------------------------------------------------------

    def git(self, *args: str, data: bytes | None = None, cwd: Path | None = None, ok: bool = True) -> str:
        """git without hooks."""
        return run("git", "-c", f"core.hooksPath={os.devnull}", *args, cwd=cwd or self.path, data=data, ok=ok)

    def write(self, name: str | bytes, data: bytes | str = "small\n") -> Path:
        """A file, modified some minutes ago (git never trusts an index entry as young as its file), and a second after
        the one before (it may take two versions of one size and second for the same)."""
        target = self.path / os.fsdecode(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink():
            target.unlink()
        target.write_bytes(data.encode() if isinstance(data, str) else data)
        self.writes += 1
        then = time.time() - 5000 + self.writes
        os.utime(target, (then, then))
        return target

    def add(self, name: str | bytes, data: bytes | str = "small\n", *flags: str) -> None:
        """A file, staged."""
        self.write(name, data)
        self.git("--literal-pathspecs", "add", *flags, "--", os.fsdecode(name))

    def commit(self, message: str = "c", *flags: str) -> str:
        """A commit of what is staged, past all hooks; its id."""
        self.git("commit", "-q", "--allow-empty", *flags, "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def base(self) -> None:
        """A first commit with nothing of interest."""
        self.add("README", "hello\n")
        self.commit("base")

    def lfs(self) -> None:
        """A clean filter that does what git-lfs's does."""
        script = self.folder / "clean.py"
        script.write_text(_CLEAN)
        self.git("config", "filter.lfs.clean", f"{sys.executable} {script}")
        self.git("config", "filter.lfs.smudge", "cat")

    def remote(self, name: str = "origin", *flags: str) -> Path:
        """A bare repository as remote."""
        bare = self.folder / f"{name}.git"
        run("git", "init", "-q", "--bare", "-b", "main", *flags, str(bare), cwd=self.folder)
        self.git("remote", "add", name, str(bare))
        return bare

    # --- what is judged --------------------------------------------------------------------------------------

    def _judge(self, *argv: str, cwd: Path | None = None) -> str:
        done = subprocess.run(argv, cwd=cwd or self.path, env={**environment(), **self.env}, capture_output=True,
                              check=False)  # fmt: skip
        self.out = (done.stdout + done.stderr).decode("utf-8", "backslashreplace")
        if "Traceback" in self.out or "unexpected error" in self.out or "unrecognized arguments" in self.out:
            return "crash"
        if "internal error" in self.out or "FileNotFoundError" in self.out:
            return "crash"
        return "block" if done.returncode else "pass"

    def try_git(self, *args: str, cwd: Path | None = None) -> str:
        """A git command with the hooks."""
        return self._judge("git", *args, cwd=cwd)

    def try_commit(self, *args: str, cwd: Path | None = None) -> str:
        return self.try_git("commit", "-q", "-m", "judged", *args, cwd=cwd)

    def try_push(self, *args: str) -> str:
        return self.try_git("push", "-q", *(args or ("origin", "HEAD:refs/heads/main")))

    def all_files(self, cwd: Path | None = None) -> str:
        """`run --all-files` (without a runner: the plain command)."""
        if self.tool.runner == "git":
            return self._judge(str(BIN / "gatepost"), "large-model-files", cwd=cwd)
        config = self.templates.of(self.tool) / "config.yaml"
        return self._judge(str(BIN / self.tool.runner), "run", "-c", str(config), "--all-files", cwd=cwd)

    def ci(self, start: str, to: str, cwd: Path | None = None) -> str:
        """`run --from-ref --to-ref` (without a runner: what it would put into the environment)."""
        if self.tool.runner == "git":
            self.env = {"PRE_COMMIT_FROM_REF": start, "PRE_COMMIT_TO_REF": to}
            return self._judge(str(BIN / "gatepost"), "large-model-files", cwd=cwd)
        config = self.templates.of(self.tool) / "config.yaml"
        flags = ("run", "-c", str(config), "--from-ref", start, "--to-ref", to)
        return self._judge(str(BIN / self.tool.runner), *flags, cwd=cwd)
