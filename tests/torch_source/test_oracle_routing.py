"""What uv, Poetry, PDM, Pipenv and pip really resolve, against what the hook says they would.

Every scenario is a manifest with PyTorch's own addresses. The hook judges it as it is; the tool gets the same file
with each address replaced by an index on loopback that holds tiny wheels. The lock, addresses turned back, is then
judged as well: a lock that the tool has just made is never stale or from the wrong place.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gatepost.engine import run_hook
from gatepost.registry import own_hook, own_ids
from gatepost.settings import read_settings
from gatepost.tools.table import TOOLS
from gatepost.tree.memory import MemoryTree
from tests.locks.local_index import LocalIndex
from tests.oracle import tool_env

DL = "https://download.pytorch.org/whl/"
PYPI = "https://index.example/simple"


def torch(*versions: str) -> dict[str, list[str]]:
    return {version: ["filelock"] for version in versions}


def vision(**pairs: str) -> dict[str, list[str]]:
    return {version.replace("_", ".").lstrip("v"): [f"torch=={need}", "numpy"] for version, need in pairs.items()}


STALE: dict[str, dict[str, list[str]]] = {"numpy": {"1.26.3": []}, "filelock": {"3.13.1": []}}
CONTENT: Mapping[str, Mapping[str, Any]] = {
    "pypi": {
        "torch": torch("2.2.0", "2.5.1", "2.8.0", "2.11.0"),
        "torchvision": vision(v0_20_1="2.5.1", v0_23_0="2.8.0"),
        "torchaudio": {"2.8.0": ["torch==2.8.0"], "2.11.0": []},
        "numpy": {"1.26.4": [], "2.1.0": []},
        "filelock": {"3.20.0": []},
        "lightning": {"2.5.0": ["torch>=2.1"]},
        "fastapi": {"0.115.0": []},
    },
    "cpu": {
        "torch": torch("2.2.0+cpu", "2.5.1+cpu", "2.8.0+cpu"),
        "torchvision": {"0.20.1+cpu": ["torch==2.5.1", "numpy"], "0.23.0+cpu": ["torch==2.8.0", "numpy"]},
        **STALE,
    },
    "cu118": {
        "torch": torch("2.5.1+cu118", "2.7.1+cu118"),
        "torchvision": {"0.20.1+cu118": ["torch==2.5.1", "numpy"]},
        **STALE,
    },
    "cu126": {"torch": torch("2.8.0+cu126"), "torchvision": {"0.23.0+cu126": ["torch==2.8.0", "numpy"]}, **STALE},
}


class World:
    """The indexes, and the tools that ask them."""

    def __init__(self, folder: Path) -> None:
        self.indexes = {name: LocalIndex(folder / name, packages) for name, packages in CONTENT.items()}

    def localise(self, text: str) -> str:
        for name, index in self.indexes.items():
            text = re.sub(re.escape(DL + name) + r"(?![\w.])", index.url, text)
        return text.replace(PYPI, self.indexes["pypi"].url)

    def globalise(self, text: str) -> str:
        for name, index in self.indexes.items():
            text = text.replace(index.url, PYPI if name == "pypi" else DL + name)
        return text

    def name_of(self, url: str) -> str:
        return next((name for name, index in self.indexes.items() if f":{index.port}/" in url + "/"), "?")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("indexes"))
    for index in made.indexes.values():
        index.__enter__()
    yield made
    for index in made.indexes.values():
        index.__exit__(None, None, None)


def say(files: Mapping[str, str]) -> set[str]:
    """The codes that the hook gives these files."""
    tree = MemoryTree({name: text.encode() for name, text in files.items()})
    settings = read_settings(tree.read, lambda: [*own_ids(), *TOOLS])
    return {
        result.code
        for result in run_hook(own_hook("torch-source"), tree, settings, args={}, env={"GATEPOST_DEBUG": "1"})
    }


Picks = dict[str, set[tuple[str, str]]]


def call(command: list[str], cwd: Path, **env: str) -> tuple[bool, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PIP_", "UV_", "POETRY_", "PIPENV_", "PDM_"))
    }
    clean = {
        **kept,
        "HOME": str(cwd),
        "PIP_CONFIG_FILE": os.devnull,
        "NO_COLOR": "1",
        "PYTHONWARNINGS": "ignore",
        **env,
    }
    clean.pop("VIRTUAL_ENV", None)
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def ask(world: World, tool: str, files: Mapping[str, str], cwd: Path) -> tuple[bool, str, Picks, dict[str, str]]:
    """Resolve: success, output, (version, index) picked per package, and the lock with its addresses turned back."""
    for name, text in files.items():
        target = cwd / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(world.localise(text), encoding="utf-8")
    picks: Picks = {}

    def pick(name: str, version: str, url: str) -> None:
        picks.setdefault(name, set()).add((version, world.name_of(url)))

    pypi = world.indexes["pypi"].url
    if tool == "uv":
        import tomli

        env = {"UV_NO_CACHE": "1", "UV_PYTHON": sys.executable}
        if not any("default = true" in text for text in files.values()):
            env["UV_DEFAULT_INDEX"] = pypi
        ok, output = call([str(tool_env("uv==0.13.8") / "uv"), "lock", "--quiet"], cwd, **env)
        lock = cwd / "uv.lock"
        if not ok or not lock.exists():
            return ok, output, picks, {}
        for entry in tomli.loads(lock.read_text())["package"]:
            if "registry" in entry["source"]:
                pick(entry["name"], entry["version"], entry["source"]["registry"])
        return ok, output, picks, {"uv.lock": world.globalise(lock.read_text())}
    if tool in ("poetry", "poetry1"):
        import tomli

        text = (cwd / "pyproject.toml").read_text()
        if not re.search(r'priority = "(primary|default)"', text) and "[[tool.poetry.source]]" in text:
            if all("priority" in block for block in text.split("[[tool.poetry.source]]")[1:]):
                text += f'\n[[tool.poetry.source]]\nname = "stand-in"\nurl = "{pypi}"\npriority = "primary"\n'
        elif "[[tool.poetry.source]]" not in text:
            text += f'\n[[tool.poetry.source]]\nname = "stand-in"\nurl = "{pypi}"\npriority = "primary"\n'
        (cwd / "pyproject.toml").write_text(text)
        bin_dir = tool_env("poetry==2.5.1" if tool == "poetry" else "poetry==1.8.5")
        ok, output = call(
            [str(bin_dir / "poetry"), "lock", "--no-interaction"],
            cwd,
            POETRY_CACHE_DIR=str(cwd / ".cache"),
            POETRY_VIRTUALENVS_CREATE="false",
            PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
        )
        lock = cwd / "poetry.lock"
        if not ok or not lock.exists():
            return ok, output, picks, {}
        for entry in tomli.loads(lock.read_text())["package"]:
            pick(entry["name"], entry["version"], entry.get("source", {}).get("url", pypi))
        return ok, output, picks, {}
    if tool == "pipenv":
        ok, output = call(
            [str(tool_env("pipenv==2026.10.3") / "pipenv"), "lock"],
            cwd,
            PIPENV_IGNORE_VIRTUALENVS="1",
            WORKON_HOME=str(cwd / ".venvs"),
            PIPENV_CACHE_DIR=str(cwd / ".cache"),
            PIPENV_PYTHON=sys.executable,
            PIPENV_NOSPIN="1",
        )
        lock = cwd / "Pipfile.lock"
        if not ok or not lock.exists():
            return ok, output, picks, {}
        document = json.loads(lock.read_text())
        urls = {source["name"]: source["url"] for source in document["_meta"]["sources"]}
        for name, entry in document["default"].items():
            digest = entry.get("hashes", ["sha256:"])[0]
            owner = next(
                (
                    index
                    for index, made in world.indexes.items()
                    for page in made._pages.values()
                    for file in page
                    if digest.endswith(file["hashes"].get("sha256", "-"))
                ),
                "?",
            )
            picks.setdefault(name, set()).add(
                (
                    entry["version"].lstrip("="),
                    owner if "hashes" in entry else world.name_of(urls.get(entry.get("index", ""), "")),
                )
            )
        return ok, output, picks, {"Pipfile.lock": world.globalise(lock.read_text())}
    if tool == "pdm":
        import tomli

        text = (cwd / "pyproject.toml").read_text()
        text += f'\n[[tool.pdm.source]]\nname = "pypi"\nurl = "{pypi}"\n'
        (cwd / "pyproject.toml").write_text(text)
        ok, output = call(
            [str(tool_env("pdm[locked]==2.29.3") / "pdm"), "lock", "--static-urls", "-q"],
            cwd,
            PDM_CACHE_DIR=str(cwd / ".cache"),
            PDM_CHECK_UPDATE="0",
            PDM_PYTHON=sys.executable,
            PDM_IGNORE_SAVED_PYTHON="1",
        )
        lock = cwd / "pdm.lock"
        if not ok or not lock.exists():
            return ok, output, picks, {}
        for entry in tomli.loads(lock.read_text())["package"]:
            for file in entry.get("files", ()):
                pick(entry["name"], entry["version"], file.get("url", ""))
        return ok, output, picks, {}
    if tool == "pip":
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--quiet",
            "--no-cache-dir",
            "--report",
            "-",
            "-r",
            "requirements.txt",
        ]
        ok, output = call(command, cwd, PIP_INDEX_URL=pypi, PIP_DISABLE_PIP_VERSION_CHECK="1")
        if ok:
            for item in json.loads(output[output.index("{") :])["install"]:
                pick(item["metadata"]["name"], item["metadata"]["version"], item["download_info"]["url"])
        return ok, output, picks, {}
    ok, output = call(
        [
            str(tool_env("uv==0.13.8") / "uv"),
            "pip",
            "compile",
            "--no-cache",
            "--emit-index-annotation",
            "requirements.txt",
        ],
        cwd,
        UV_DEFAULT_INDEX=pypi,
    )
    if ok:
        for name, version, url in re.findall(
            r"^([\w-]+)==(\S+)(?:\n    # via[^\n]*(?:\n    #   [^\n]*)*)?\n    # from (\S+)", output, re.MULTILINE
        ):
            pick(name, version, url)
    return ok, output, picks, {}


def uv(deps: str, *rest: str, more: str = "") -> dict[str, str]:
    return {
        "pyproject.toml": f'[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10,<3.13"\ndependencies = [{deps}]\n{more}\n'
        + "\n".join(rest)
    }


def index(name: str, tag: str, extra: str = "explicit = true\n") -> str:
    return f'[[tool.uv.index]]\nname = "{name}"\nurl = "{DL}{tag}"\n{extra}'


def poetry(deps: str, *rest: str) -> dict[str, str]:
    return {
        "pyproject.toml": f'[tool.poetry]\nname = "app"\nversion = "1"\ndescription = ""\nauthors = []\npackage-mode = false\n\n[tool.poetry.dependencies]\npython = ">=3.10,<3.13"\n{deps}\n\n'
        + "\n".join(rest)
    }


def source(name: str, tag: str, priority: str = "explicit") -> str:
    return f'[[tool.poetry.source]]\nname = "{name}"\nurl = "{DL}{tag}"\n' + (
        f'priority = "{priority}"\n' if priority else ""
    )


def pipfile(packages: str, *tags: str, first: bool = True) -> dict[str, str]:
    head = f'[[source]]\nname = "pypi"\nurl = "{PYPI}"\nverify_ssl = true\n\n' if first else ""
    return {
        "Pipfile": head
        + "".join(f'[[source]]\nname = "{tag}"\nurl = "{DL}{tag}"\nverify_ssl = true\n\n' for tag in tags)
        + f"[packages]\n{packages}\n"
    }


def reqs(text: str) -> dict[str, str]:
    return {"requirements.txt": text}


CPU, GPU = index("cpu", "cpu"), index("gpu", "cu126")
SRC = "[tool.uv.sources]\n"
OPT = '[project.optional-dependencies]\ncpu = ["torch==2.8.0"]\ngpu = ["torch==2.8.0"]\n'
BOTH = SRC + 'torch = [{ index = "cpu", extra = "cpu" }, { index = "gpu", extra = "gpu" }]\n'
FAILS = "fails"

# (id, tool, files, codes we must give, codes we must not give, FAILS or {package: {(version, index)}} that must come out)
Scenario = tuple[str, str, dict[str, str], str, str, Any]
QUICK: list[Scenario] = [
    (
        "routed",
        "uv",
        uv('"torch==2.5.1"', CPU, SRC + 'torch = { index = "cpu" }'),
        "",
        "TS101 TS102 TS103 TS104",
        {"torch": {("2.5.1+cpu", "cpu")}, "filelock": {("3.20.0", "pypi")}},
    ),
    ("undeclared", "uv", uv('"torch==2.5.1"', CPU, SRC + 'torch = { index = "nowhere" }'), "TS101", "", FAILS),
    ("case of a name", "uv", uv('"torch==2.5.1"', CPU, SRC + 'torch = { index = "CPU" }'), "TS101", "TS129", FAILS),
    ("declared, unrouted", "uv", uv('"torch==2.5.1"', CPU), "TS102", "", {"torch": {("2.5.1", "pypi")}}),
    (
        "companion unrouted",
        "uv",
        uv('"torch==2.5.1", "torchvision==0.20.1"', CPU, SRC + 'torch = { index = "cpu" }'),
        "TS103",
        "",
        {"torchvision": {("0.20.1", "pypi")}, "torch": {("2.5.1+cpu", "cpu")}},
    ),
    (
        "companion routed",
        "uv",
        uv(
            '"torch==2.5.1", "torchvision==0.20.1"',
            CPU,
            SRC + 'torch = { index = "cpu" }\ntorchvision = { index = "cpu" }',
        ),
        "",
        "TS103",
        {"torchvision": {("0.20.1+cpu", "cpu")}},
    ),
    (
        "transitive only",
        "uv",
        uv('"lightning"', CPU, SRC + 'torch = { index = "cpu" }'),
        "TS104",
        "",
        {"torch": {("2.11.0", "pypi")}},
    ),
    (
        "transitive with constraint",
        "uv",
        uv(
            '"lightning"', '[tool.uv]\nconstraint-dependencies = ["torch>=0"]\n', CPU, SRC + 'torch = { index = "cpu" }'
        ),
        "",
        "TS104",
        {"torch": {("2.8.0+cpu", "cpu")}},
    ),
    (
        "transitive with a constraint that bounds nothing",
        "uv",
        uv('"lightning"', '[tool.uv]\nconstraint-dependencies = ["torch"]\n', CPU, SRC + 'torch = { index = "cpu" }'),
        "TS104",
        "",
        {"torch": {("2.11.0", "pypi")}},
    ),
    (
        "transitive with override",
        "uv",
        uv(
            '"lightning"',
            '[tool.uv]\noverride-dependencies = ["torch==2.5.1"]\n',
            CPU,
            SRC + 'torch = { index = "cpu" }',
        ),
        "",
        "TS104",
        {"torch": {("2.5.1+cpu", "cpu")}},
    ),
    (
        "not explicit",
        "uv",
        uv('"torch==2.5.1", "numpy"', index("cpu", "cpu", "")),
        "TS105",
        "TS102",
        {"torch": {("2.5.1+cpu", "cpu")}, "numpy": {("1.26.3", "cpu")}, "filelock": {("3.13.1", "cpu")}},
    ),
    (
        "routed but not explicit",
        "uv",
        uv('"torch==2.5.1", "numpy"', index("cpu", "cpu", ""), SRC + 'torch = { index = "cpu" }'),
        "TS105",
        "",
        {"numpy": {("1.26.3", "cpu")}},
    ),
    ("default", "uv", uv('"torch==2.5.1", "fastapi"', index("cpu", "cpu", "default = true\n")), "TS106", "", FAILS),
    (
        "torch-backend ignored",
        "uv",
        {
            **uv('"torch==2.5.1"', '[tool.uv.pip]\ntorch-backend = "cpu"\n'),
        },
        "",
        "TS301",
        {"torch": {("2.5.1", "pypi")}},
    ),
    ("variants without conflicts", "uv", uv("", CPU, GPU, BOTH, more=OPT), "TS113", "", FAILS),
    (
        "variants with conflicts",
        "uv",
        uv("", '[tool.uv]\nconflicts = [[{ extra = "cpu" }, { extra = "gpu" }]]\n', CPU, GPU, BOTH, more=OPT),
        "",
        "TS113 TS206 TS220",
        {"torch": {("2.8.0+cpu", "cpu"), ("2.8.0+cu126", "gpu"), ("2.8.0+cu126", "cu126")}},
    ),
    (
        "sources without markers",
        "uv",
        uv('"torch==2.8.0"', CPU, GPU, SRC + 'torch = [{ index = "cpu" }, { index = "gpu" }]'),
        "TS114",
        "",
        FAILS,
    ),
    (
        "sources overlap",
        "uv",
        uv(
            '"torch==2.8.0"',
            CPU,
            GPU,
            SRC
            + 'torch = [{ index = "cpu", marker = "sys_platform != \'win32\'" }, { index = "gpu", marker = "sys_platform == \'linux\'" }]',
        ),
        "TS114",
        "",
        FAILS,
    ),
    (
        "sources disjoint",
        "uv",
        uv(
            '"torch==2.8.0"',
            CPU,
            GPU,
            SRC
            + 'torch = [{ index = "cpu", marker = "sys_platform == \'darwin\'" }, { index = "gpu", marker = "sys_platform != \'darwin\'" }]',
        ),
        "",
        "TS114",
        {"torch": {("2.8.0+cpu", "cpu"), ("2.8.0+cu126", "cu126")}},
    ),
    (
        "partial route",
        "uv",
        uv('"torch==2.8.0"', GPU, SRC + 'torch = { index = "gpu", marker = "sys_platform == \'linux\'" }'),
        "",
        "TS301",
        {"torch": {("2.8.0", "pypi"), ("2.8.0+cu126", "cu126")}},
    ),
    (
        "extra without the package",
        "uv",
        uv(
            '"torch==2.8.0"',
            CPU,
            SRC + 'torch = { index = "cpu", extra = "cpu" }',
            more='[project.optional-dependencies]\ncpu = ["numpy"]\n',
        ),
        "TS115",
        "",
        FAILS,
    ),
    (
        "group that does not exist",
        "uv",
        uv('"torch==2.8.0"', CPU, SRC + 'torch = { index = "cpu", group = "cpu" }'),
        "TS115",
        "",
        FAILS,
    ),
    (
        "base dependency beside a variant",
        "uv",
        uv(
            '"torch==2.8.0"',
            CPU,
            SRC + 'torch = { index = "cpu", extra = "cpu" }',
            more='[project.optional-dependencies]\ncpu = ["torch==2.8.0"]\n',
        ),
        "TS117",
        "",
        None,
    ),
    ("label in a range", "uv", uv('"torch>=2.5.1+cpu"', CPU, SRC + 'torch = { index = "cpu" }'), "TS201", "", FAILS),
    ("label without index", "uv", uv('"torch==2.5.1+cpu"', "[tool.uv]\npackage = false\n"), "TS202", "", FAILS),
    ("pins that do not pair", "uv", uv('"torch==2.8.0", "torchvision==0.20.1"'), "TS203", "", FAILS),
    ("ranges that never pair", "uv", uv('"torch==2.8.*", "torchvision==0.20.*"'), "TS204", "", FAILS),
    (
        "torchaudio uncapped",
        "uv",
        uv('"torch<2.9", "torchaudio>=2.1"'),
        "TS205",
        "",
        {"torchaudio": {("2.11.0", "pypi")}, "torch": {("2.8.0", "pypi")}},
    ),
    (
        "path dependency leaks",
        "uv",
        {
            **uv('"torch==2.8.0", "sub"', SRC + 'sub = { path = "sub" }'),
            "sub/pyproject.toml": uv('"torch==2.8.0"', CPU, SRC + 'torch = { index = "cpu" }')[
                "pyproject.toml"
            ].replace('"app"', '"sub"'),
        },
        "TS128",
        "",
        {"torch": {("2.8.0+cpu", "cpu")}},
    ),
    (
        "build never published",
        "uv",
        uv('"torch==2.8.0"', index("old", "cu118"), SRC + 'torch = { index = "old" }'),
        "TS207",
        "",
        FAILS,
    ),
    (
        "per-line option",
        "pip",
        reqs(f"torch==2.5.1 --index-url {DL}cpu\n"),
        "TS119",
        "",
        {"torch": {("2.5.1", "pypi")}},
    ),
    ("per-line option, uv", "uv-pip", reqs(f"torch==2.5.1 --index-url {DL}cpu\n"), "TS119", "", FAILS),
    (
        "two index-urls",
        "pip",
        reqs(f"--index-url {DL}cu126\n--index-url {DL}cpu\ntorch==2.5.1\n"),
        "TS120",
        "",
        {"torch": {("2.5.1+cpu", "cpu")}},
    ),
    (
        "two index-urls, uv",
        "uv-pip",
        reqs(f"--index-url {DL}cu126\n--index-url {DL}cpu\ntorch==2.5.1\n"),
        "TS120",
        "",
        FAILS,
    ),
    (
        "ended line, unpinned",
        "pip",
        reqs(f"--extra-index-url {DL}cu118\ntorch\n"),
        "TS121",
        "",
        {"torch": {("2.11.0", "pypi")}},
    ),
    (
        "pinned build",
        "pip",
        reqs(f"--extra-index-url {DL}cu118\ntorch==2.5.1+cu118\n"),
        "",
        "TS121 TS202",
        {"torch": {("2.5.1+cu118", "cu118")}},
    ),
    (
        "same version, the label wins",
        "pip",
        reqs(f"--extra-index-url {DL}cu118\ntorch==2.5.1\n"),
        "",
        "TS121",
        {"torch": {("2.5.1+cu118", "cu118")}},
    ),
    (
        "build never published comes from PyPI",
        "pip",
        reqs(f"--extra-index-url {DL}cu118\ntorch==2.8.0\n"),
        "TS207",
        "",
        {"torch": {("2.8.0", "pypi")}},
    ),
    (
        "mirror, pip",
        "pip",
        reqs(f"--extra-index-url {DL}cpu\ntorch==2.5.1+cpu\nnumpy\n"),
        "TS122",
        "",
        {"numpy": {("2.1.0", "pypi")}},
    ),
    (
        "mirror, uv",
        "uv-pip",
        reqs(f"--extra-index-url {DL}cpu\ntorch==2.5.1+cpu\nnumpy\n"),
        "TS122",
        "",
        {"numpy": {("1.26.3", "cpu")}},
    ),
    ("starved", "pip", reqs(f"--index-url {DL}cpu\ntorch==2.5.1\nfastapi\n"), "TS126", "", FAILS),
    ("label in a range, pip", "pip", reqs(f"--index-url {DL}cpu\ntorch>=2.5.0+cpu\n"), "TS201", "", FAILS),
    ("label without index, pip", "pip", reqs("torch==2.5.1+cpu\n"), "TS202", "", FAILS),
]
SLOW: list[Scenario] = [
    (
        "routed",
        "poetry",
        poetry('torch = { version = "2.5.1", source = "cpu" }', source("cpu", "cpu")),
        "",
        "TS101 TS102",
        {"torch": {("2.5.1+cpu", "cpu")}},
    ),
    (
        "undeclared",
        "poetry",
        poetry('torch = { version = "2.5.1", source = "nowhere" }', source("cpu", "cpu")),
        "TS101",
        "",
        FAILS,
    ),
    (
        "declared, unrouted",
        "poetry",
        poetry('torch = "2.5.1"', source("cpu", "cpu")),
        "TS102",
        "",
        {"torch": {("2.5.1", "pypi")}},
    ),
    (
        "companion unrouted",
        "poetry",
        poetry('torch = { version = "2.5.1", source = "cpu" }\ntorchvision = "0.20.1"', source("cpu", "cpu")),
        "TS103",
        "",
        {"torchvision": {("0.20.1", "pypi")}},
    ),
    (
        "transitive only",
        "poetry",
        poetry('lightning = "*"', source("cpu", "cpu")),
        "TS102",
        "",
        {"torch": {("2.11.0", "pypi")}},
    ),
    (
        "primary replaces PyPI",
        "poetry",
        poetry('torch = "2.5.1"\nnumpy = "*"', source("cpu", "cpu", "")),
        "TS106",
        "",
        {"numpy": {("1.26.3", "cpu")}},
    ),
    (
        "supplemental shadowed",
        "poetry",
        poetry('torch = "2.5.1"', source("cpu", "cpu", "supplemental")),
        "TS107",
        "",
        {"torch": {("2.5.1", "pypi")}},
    ),
    (
        "supplemental with label",
        "poetry",
        poetry('torch = "2.5.1+cpu"', source("cpu", "cpu", "supplemental")),
        "",
        "TS107 TS202",
        {"torch": {("2.5.1+cpu", "cpu")}},
    ),
    (
        "legacy priority",
        "poetry",
        poetry('torch = { version = "2.5.1", source = "cpu" }', source("cpu", "cpu", "secondary")),
        "TS108",
        "",
        FAILS,
    ),
    (
        "legacy priority, Poetry 1",
        "poetry1",
        poetry('torch = { version = "2.5.1", source = "cpu" }', source("cpu", "cpu", "secondary")),
        "TS108",
        "",
        {"torch": {("2.5.1+cpu", "cpu")}},
    ),
    (
        "group leak",
        "poetry",
        poetry(
            'torch = ">=2.2,<2.8"',
            '[tool.poetry.group.x.dependencies]\ntorch = { version = ">=2.2,<2.8", source = "cpu" }\n',
            source("cpu", "cpu"),
        ),
        "TS111",
        "",
        {"torch": {("2.5.1+cpu", "cpu")}},
    ),
    (
        "group conflict",
        "poetry",
        poetry(
            "",
            '[tool.poetry.group.a.dependencies]\ntorch = { version = "2.5.1", source = "cpu" }\n[tool.poetry.group.b.dependencies]\ntorch = { version = "2.5.1", source = "old" }\n',
            source("cpu", "cpu"),
            source("old", "cu118"),
        ),
        "TS112",
        "",
        FAILS,
    ),
    (
        "list whose markers overlap",
        "poetry",
        poetry(
            'torch = [{ version = "2.5.1", source = "cpu" }, { version = "2.5.1", platform = "linux", source = "old" }]',
            source("cpu", "cpu"),
            source("old", "cu118"),
        ),
        "TS112",
        "",
        FAILS,
    ),
    (
        "platforms apart",
        "poetry",
        poetry(
            'torch = [{ version = "2.5.1", source = "cpu", markers = "sys_platform == \'darwin\'" }, { version = "2.5.1", source = "old", markers = "sys_platform != \'darwin\'" }]',
            source("cpu", "cpu"),
            source("old", "cu118"),
        ),
        "",
        "TS112 TS111",
        {"torch": {("2.5.1+cpu", "cpu"), ("2.5.1+cu118", "cu118")}},
    ),
    (
        "extras that are not exclusive",
        "poetry",
        poetry(
            'torch = [{ version = "2.5.1", source = "cpu", optional = true, markers = "extra == \'cpu\'" }, { version = "2.5.1", source = "old", optional = true, markers = "extra == \'gpu\'" }]',
            '[tool.poetry.extras]\ncpu = ["torch"]\ngpu = ["torch"]\n',
            source("cpu", "cpu"),
            source("old", "cu118"),
        ),
        "TS113",
        "",
        FAILS,
    ),
    (
        "absent from [project]",
        "poetry",
        {
            "pyproject.toml": '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10,<3.13"\ndependencies = ["lightning"]\n\n[tool.poetry]\npackage-mode = false\n\n[tool.poetry.dependencies]\ntorch = { source = "cpu" }\n\n'
            + source("cpu", "cpu")
        },
        "TS127",
        "",
        {"torch": {("2.11.0", "pypi")}},
    ),
    (
        "enriched",
        "poetry",
        {
            "pyproject.toml": '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10,<3.13"\ndependencies = ["torch==2.5.1"]\n\n[tool.poetry]\npackage-mode = false\n\n[tool.poetry.dependencies]\ntorch = { source = "cpu" }\n\n'
            + source("cpu", "cpu")
        },
        "",
        "TS127 TS102",
        {"torch": {("2.5.1+cpu", "cpu")}},
    ),
    (
        "case of a name",
        "poetry",
        poetry('torch = { version = "2.5.1", source = "Cpu" }', source("cpu", "cpu")),
        "TS129",
        "TS101",
        {"torch": {("2.5.1+cpu", "cpu")}},
    ),
    (
        "two sources of one name",
        "poetry",
        poetry('torch = { version = "2.5.1", source = "cpu" }', source("cpu", "cpu"), source("cpu", "cu118")),
        "TS133",
        "",
        FAILS,
    ),
    (
        "label in a range",
        "poetry",
        poetry('torch = "^2.2.0+cpu"', source("cpu", "cpu", "supplemental")),
        "TS201",
        "",
        {"torch": {("2.11.0", "pypi")}},
    ),
    ("label without source", "poetry", poetry('torch = "2.5.1+cpu"'), "TS202", "", FAILS),
    (
        "routed",
        "pipenv",
        pipfile('torch = { version = "==2.5.1", index = "cpu" }', "cpu"),
        "",
        "TS101 TS102",
        {"torch": {("2.5.1+cpu", "cpu")}},
    ),
    (
        "undeclared",
        "pipenv",
        pipfile('torch = { version = "==2.5.1", index = "nowhere" }', "cpu"),
        "TS101",
        "",
        {"torch": {("2.5.1", "pypi")}},
    ),
    ("unrouted", "pipenv", pipfile('torch = "==2.5.1"', "cpu"), "TS102", "", {"torch": {("2.5.1", "pypi")}}),
    (
        "first source",
        "pipenv",
        pipfile('torch = "==2.5.1"\nnumpy = "*"', "cpu", first=False),
        "TS106",
        "",
        {"numpy": {("1.26.3", "cpu")}},
    ),
    (
        "merged",
        "pdm",
        uv('"torch>=2.2"', f'[[tool.pdm.source]]\nname = "torch"\nurl = "{DL}cpu"\n'),
        "TS105",
        "",
        {"torch": {("2.11.0", "pypi")}},
    ),
    (
        "limited",
        "pdm",
        uv(
            '"torch==2.5.1", "numpy"',
            f'[[tool.pdm.source]]\nname = "torch"\nurl = "{DL}cpu"\ninclude_packages = ["torch"]\n',
        ),
        "",
        "TS105",
        {"numpy": {("2.1.0", "pypi")}},
    ),
]


def check(world: World, scenario: Scenario, tmp_path: Path) -> None:
    _, tool, files, codes, silent, result = scenario
    told = say(files)
    assert set(codes.split()) <= told, (codes, told)
    assert not set(silent.split()) & told, (silent, told)
    ok, output, picks, lock = ask(world, tool, files, tmp_path)
    if result == FAILS:
        assert not ok, output
        return
    if result is None:
        return
    assert ok, output
    for name, wanted in result.items():
        assert picks.get(name, set()) <= wanted and picks.get(name), (name, picks)
    if lock:
        after = say({**files, **{name: text.replace(PYPI, PYPI) for name, text in lock.items()}})
        assert not {"TS301", "TS303"} & after, after


@pytest.mark.oracle
@pytest.mark.parametrize("scenario", QUICK, ids=[f"{row[1]}: {row[0]}" for row in QUICK])
def test_quick(world: World, scenario: Scenario, tmp_path: Path) -> None:
    check(world, scenario, tmp_path)


@pytest.mark.oracle
@pytest.mark.full
@pytest.mark.parametrize("scenario", SLOW, ids=[f"{row[1]}: {row[0]}" for row in SLOW])
def test_slow(world: World, scenario: Scenario, tmp_path: Path) -> None:
    check(world, scenario, tmp_path)
