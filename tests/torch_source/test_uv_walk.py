"""The walk over a uv.lock reads only the packages that lead to torch; over all of them it finds the same."""

from __future__ import annotations

import random

import pytest

from gatepost.manifests.installs.commands import installs
from gatepost.manifests.projects import Repository
from gatepost.manifests.shell import Source
from gatepost.manifests.shell.commands import split
from gatepost.rules.torch_source.installed import uv
from gatepost.rules.torch_source.installed.build import Effect

NAMES = ["torch", "vllm", "lib-a", "lib-b", "lib-c", "lib-d", "lib-e", "lib-f"]
MARKERS = ["", ", marker = \"sys_platform == 'linux'\"", ", marker = \"sys_platform == 'darwin'\""]


def lock(chance: random.Random) -> bytes:
    """A lock as uv lays it out, of a project and eight packages that ask for each other at random."""

    def some(count: int) -> str:
        rows = [f'    {{ name = "{name}"{chance.choice(MARKERS)} }},\n' for name in chance.sample(NAMES, count)]
        return "[\n" + "".join(rows) + "]\n"

    blocks = ['version = 1\nrevision = 3\nrequires-python = ">=3.10"\n']
    for name in NAMES:
        version = chance.choice(["1.0", "2.8.0+cpu", "2.8.0"])
        block = f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "https://mirrors.aliyun.com/pypi/simple" }}\n'
        if name != "torch" and chance.random() < 0.6:
            block += "dependencies = " + some(chance.randint(1, 2))
        block += 'sdist = { url = "https://a.example/a.tar.gz", hash = "sha256:00", size = 1 }\nwheels = [\n    { url = "https://a.example/a.whl", hash = "sha256:00" },\n]\n'
        if chance.random() < 0.3:
            block += "\n[package.optional-dependencies]\nextra = " + some(1)
        blocks.append(block)
    project = '[[package]]\nname = "project"\nversion = "1"\nsource = { virtual = "." }\n'
    project += "dependencies = " + some(chance.randint(0, 2)).replace('"lib-a"', '"lib-a", extra = ["extra"]')
    project += "\n[package.dev-dependencies]\ndev = " + some(1)
    return "\n".join([*blocks, project]).encode()


def walked(data: bytes) -> Effect:
    files = {"uv.lock": data, "pyproject.toml": b'[project]\nname = "project"\nversion = "1"\n'}
    (install,) = installs(split(Source(text="uv sync --frozen"), cwd="/"))
    return uv.uv_lock(Repository(files, files.get), "uv.lock", "", install)


@pytest.mark.parametrize("seed", range(60))
def test_the_part_says_what_the_whole_says(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = lock(random.Random(seed))
    part = uv._leading(data)
    assert part is not None and b"wheels" not in part
    found = walked(data)
    monkeypatch.setattr(uv, "_leading", lambda data: None)
    whole = walked(data)
    assert found.asked == whole.asked
    assert bool(found.gpu) == bool(whole.gpu)


def test_another_layout_is_read_whole() -> None:
    assert uv._leading(b'version = 1\r\n[[package]]\r\nname = "torch"\r\n') is None
    assert uv._leading(b'version = 1\n\n[[package]]\n# mine\nname = "torch"\n') is None
