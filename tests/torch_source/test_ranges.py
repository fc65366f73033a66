"""No fix leaves an empty range, over generated ranges of every package that a fix caps or changes."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from gatepost.engine import run_hook
from gatepost.registry import own_hook, own_ids
from gatepost.rules.torch_source import specs, table
from gatepost.settings import read_settings
from gatepost.toml.load import loads
from gatepost.tools.table import TOOLS
from gatepost.tree.memory import MemoryTree

HOOK = own_hook("torch-source")
TABLE = table.load()
NUMPY = [f"1.{minor}.{patch}" for minor in range(19, 27) for patch in range(5)] + ["2.0.0", "2.2.6", "2.3.1"]
RELEASES = {
    "torch": TABLE.torch,
    "torchvision": TABLE.versions("torchvision"),
    "torchaudio": TABLE.versions("torchaudio"),
    "torchcodec": [f"{line}.{patch}" for line in TABLE.versions("torchcodec") for patch in range(3)],
    "numpy": NUMPY,
    "python": [f"3.{minor}.{patch}" for minor in range(7, 16) for patch in (0, 5)],
}
PARTS = st.tuples(st.integers(0, 3), st.integers(0, 27), st.integers(0, 6))


@st.composite
def ranges(draw: st.DrawFn, name: str) -> str:
    """A range of one to three comparisons, about releases of the package or anything."""
    clauses = []
    for _ in range(draw(st.integers(1, 3))):
        version = draw(st.sampled_from(RELEASES[name]) | PARTS.map(lambda parts: ".".join(map(str, parts))))
        op = draw(st.sampled_from([">=", ">=", "<", "<=", ">", "~=", "==", "!=", "==*"]))
        label = "+cu118" if name == "torch" and draw(st.integers(0, 5)) == 0 else ""
        clauses.append(f"=={version.rpartition('.')[0]}.*" if op == "==*" else f"{op}{version}{label}")
    return ",".join(clauses)


def admits(text: str, name: str) -> bool:
    return any(SpecifierSet(text).filter(RELEASES[name]))


def written(data: bytes) -> dict[str, str]:
    document = loads(data)["project"]
    assert isinstance(document, dict)
    asked = [Requirement(str(each).replace("+cu118", "")) for each in document["dependencies"]]
    return {"python": str(document["requires-python"]), **{each.name: str(each.specifier) for each in asked}}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    torch=ranges("torch"),
    python=ranges("python"),
    beside=st.dictionaries(
        st.sampled_from(["torchvision", "torchaudio", "torchcodec", "numpy"]), st.none(), min_size=1
    ).flatmap(lambda found: st.fixed_dictionaries({name: ranges(name) for name in found})),
)
@example(torch="==2.0.1", python=">=3.9,<3.12", beside={"numpy": ">=2,<2.3.0"})
@example(torch="==2.8.0", python=">=3.10,<3.13", beside={"torchcodec": ">=0.9.0", "torchaudio": ">=2.9"})
@example(torch=">=2.0+cu118,<2.0+cu121", python=">=3.10", beside={"numpy": ">=1.26.5"})
def test_no_fix_leaves_an_empty_range(torch: str, python: str, beside: dict[str, str]) -> None:
    asked = {"torch": torch, **beside}
    lines = "".join(f'    "{name}{text}",\n' for name, text in asked.items())
    text = f'[project]\nname = "app"\nversion = "1"\nrequires-python = "{python}"\ndependencies = [\n{lines}]\n'
    tree = MemoryTree({"pyproject.toml": text.encode()})
    for result in run_hook(HOOK, tree, read_settings(tree.read, lambda: [*own_ids(), *TOOLS]), args={}, env={}):
        for edit in result.fix.edits if result.fix is not None else ():
            assert edit.new is not None
            after = written(edit.new)
            for name, before in {"python": python, **asked}.items():
                if "+" in before:
                    assert not specs.parse(after[name]).empty(), (result.code, before, after[name])
                elif SpecifierSet(before) != SpecifierSet(after[name]):
                    assert admits(after[name], name), (result.code, before, after[name])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(RELEASES)).flatmap(ranges))
def test_a_range_that_is_called_empty_admits_no_release(text: str) -> None:
    spec = specs.parse(text.replace("+cu118", ""))
    every = [f"{major}.{minor}.{patch}" for major in range(4) for minor in range(29) for patch in range(8)]
    if spec.empty():
        assert not any(map(spec.admits, every))
        assert not any(SpecifierSet(spec.text).filter(every))
