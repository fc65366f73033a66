"""uv.lock: edits that uv ignores never make it stale, no bytes ever crash, a huge lock stays small in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatepost.locks._base import Fresh, Stale
from gatepost.locks.uv import FORMAT
from gatepost.locks.uv.contents import sound
from gatepost.manifests import markers, pep508, versions
from tests.locks.asking import memory_lock

REGISTRY = "https://index.example/simple"
MANIFEST = """\
[project]
name = "demo"
version = "1.0"
requires-python = ">=3.10"
dependencies = [
    "alpha[fast]>=1,<3",
    "beta; python_version < '3.12'",
    "gamma==1.*",
]

[dependency-groups]
dev = ["alpha>=1"]
"""


def package(name: str, version: str, *needs: str) -> str:
    lines = [f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "{REGISTRY}" }}\n']
    if needs:
        lines.append("dependencies = [\n" + "".join(f'    {{ name = "{need}" }},\n' for need in needs) + "]\n")
    url = f"https://index.example/{name}-{version}-py3-none-any.whl"
    lines.append(f'wheels = [\n    {{ url = "{url}", hash = "sha256:{"a" * 64}" }},\n]\n')
    return "".join(lines)


LOCK = "\n".join(
    [
        'version = 1\nrevision = 3\nrequires-python = ">=3.10"\n',
        package("alpha", "1.0", "beta"),
        package("beta", "2.0"),
        """\
[[package]]
name = "demo"
version = "1.0"
source = { virtual = "." }
dependencies = [
    { name = "alpha" },
    { name = "beta", marker = "python_full_version < '3.12'" },
    { name = "gamma" },
]

[package.dev-dependencies]
dev = [
    { name = "alpha" },
]

[package.metadata]
requires-dist = [
    { name = "alpha", extras = ["fast"], specifier = ">=1,<3" },
    { name = "beta", marker = "python_full_version < '3.12'" },
    { name = "gamma", specifier = "==1.*" },
]

[package.metadata.requires-dev]
dev = [{ name = "alpha", specifier = ">=1" }]
""",
        package("gamma", "1.5"),
    ]
)


def verdict(manifest: bytes, lock: bytes = LOCK.encode()) -> object:
    return FORMAT.judge(memory_lock("uv.lock", {"pyproject.toml": manifest, "uv.lock": lock}))


def test_the_example_is_fresh_and_sound() -> None:
    assert isinstance(verdict(MANIFEST.encode()), Fresh)
    assert sound(memory_lock("uv.lock", {"uv.lock": LOCK.encode()}))


@given(st.data())
def test_comments_blanks_and_order_never_make_it_stale(data: st.DataObject) -> None:
    lines = MANIFEST.splitlines()
    items = data.draw(st.permutations(lines[5:8]))
    lines = lines[:5] + list(items) + lines[8:]
    found = []
    for line in lines:
        for _ in range(data.draw(st.integers(0, 2))):
            found.append(data.draw(st.sampled_from(["", "# why", "    # a \"quoted\" ['comment']", "\t"])))
        tail = data.draw(st.sampled_from(["", "  # here", "   "]))
        found.append(data.draw(st.sampled_from(["", "  "])) + line + tail)
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    assert isinstance(verdict((end.join(found) + end).encode()), Fresh)


@given(st.sampled_from(["CRLF", "comment", "no final newline", "blank lines"]))
def test_the_lock_in_another_layout_reads_the_same(kind: str) -> None:
    lock = {
        "CRLF": LOCK.replace("\n", "\r\n"), "comment": "# x\n" + LOCK, "no final newline": LOCK.rstrip("\n"),
        "blank lines": LOCK.replace("\n\n", "\n\n\n"),
    }[kind]  # fmt: skip
    assert isinstance(verdict(MANIFEST.encode(), lock.encode()), Fresh)
    assert isinstance(verdict(MANIFEST.replace("<3", "<4").encode(), lock.encode()), Stale)


@settings(max_examples=300)
@given(st.binary(max_size=400), st.integers(0, len(LOCK)), st.integers(0, 40))
@example(b"[" * 100_000, 0, 0)
@example(b"a = " + b"[" * 50_000, 0, 0)
@example(b"requires-python = 3\n", 0, 12)
def test_no_bytes_ever_crash(noise: bytes, at: int, cut: int) -> None:
    whole = LOCK.encode()
    spliced = whole[:at] + noise + whole[at + cut :]
    for lock, manifest in ((spliced, MANIFEST.encode()), (noise, MANIFEST.encode()), (whole, noise)):
        box = memory_lock("uv.lock", {"pyproject.toml": manifest, "uv.lock": lock})
        FORMAT.judge(box)
        assert FORMAT.packages is not None
        FORMAT.packages(box)
        FORMAT.sound(box)
        FORMAT.dead(box)
        FORMAT.owns(box)
        script = memory_lock("a.py.lock", {"a.py": b"# /// script\n# " + noise + b"\n# ///\n", "a.py.lock": lock})
        FORMAT.judge(script)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["alpha>=1", "x; os_name=='a'"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc-", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = [
    ("project", "dependencies"), ("project", "optional-dependencies"), ("project", "dynamic"), ("project", "name"),
    ("project", "version"), ("project", "requires-python"), ("dependency-groups",), ("tool", "uv", "sources"),
    ("tool", "uv", "index"), ("tool", "uv", "workspace"), ("tool", "uv", "conflicts"), ("tool", "uv", "environments"),
    ("tool", "uv", "exclude-newer"), ("tool", "uv", "exclude-newer-package"), ("tool", "uv", "constraint-dependencies"),
    ("tool", "uv", "override-dependencies"), ("tool", "uv", "dependency-metadata"), ("tool", "uv", "dependency-groups"),
    ("tool", "uv", "prerelease"), ("tool", "uv", "default-groups"), ("tool",), ("project",), ("tool", "uv", "package"),
]  # fmt: skip


@settings(max_examples=300)
@given(st.sampled_from(KEYS), VALUES)
def test_values_of_any_type_never_crash(keys: tuple[str, ...], value: object) -> None:
    import tomlkit

    from gatepost.toml.load import loads

    data = loads(MANIFEST.encode())
    place = data
    for key in keys[:-1]:
        place = place.setdefault(key, {})
    if value is None:
        place.pop(keys[-1], None)
    else:
        place[keys[-1]] = value
    try:
        text = tomlkit.dumps(data)
    except (TypeError, ValueError):
        return
    verdict(text.encode())


@given(st.text(max_size=60))
@example("(" * 10_000)
def test_parsers_raise_only_their_own_errors(text: str) -> None:
    for parse, error in (
        (pep508.parse, pep508.RequirementError), (markers.parse, markers.MarkerError),
        (versions.ranges, versions.VersionError), (versions.key, versions.VersionError),
    ):  # fmt: skip
        try:
            parse(text)
        except error:
            pass


VERSION = st.from_regex(r"\A(1!)?[0-3](\.[0-3]){0,2}(a1|b2|rc1)?(\.post1)?(\.dev1)?\Z")


@given(VERSION, VERSION, st.sampled_from(["==", "!=", ">=", "<=", ">", "<", "~="]))
def test_ranges_admit_what_packaging_admits(version: str, limit: str, operator: str) -> None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import Version

    try:
        expected = SpecifierSet(operator + limit).contains(Version(version), prereleases=True)
    except InvalidSpecifier:
        with pytest.raises(versions.VersionError):
            versions.ranges(operator + limit)
        return
    assert versions.admits(versions.ranges(operator + limit), version) == expected
    assert (versions.key(version) < versions.key(limit)) == (Version(version) < Version(limit))


@given(
    st.sampled_from(["a", "Foo.Bar", "x-1"]), st.sampled_from(["", "[a]", "[b , A]", "[]"]),
    st.sampled_from(["", ">=1", " >= 1 , <2", "(~=1.0)", " @ https://index.example/x.whl "]),
    st.sampled_from(["", "; os_name == 'nt'", " ;python_version<'3.9' and extra=='x'"]),
)  # fmt: skip
def test_requirements_parse_like_packaging(name: str, extras: str, rest: str, marker: str) -> None:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    text = name + extras + rest + marker
    expected, ours = Requirement(text), pep508.parse(text)
    assert (ours.name, SpecifierSet(ours.specifier), ours.url) == (
        expected.name,
        expected.specifier,
        expected.url or "",
    )
    assert set(ours.extras) == {pep508.canonical(extra) for extra in expected.extras}
    assert bool(ours.marker) == (expected.marker is not None)


ATOM = st.sampled_from(
    ["python_version < '3.11'", "python_version >= '3.12'", "python_full_version == '3.11.2'", "os_name == 'nt'",
     "sys_platform == 'linux'", "platform_system != 'Linux'", "platform_machine in 'x86_64 arm64'", "extra == 'x'"]
)  # fmt: skip
MARKER = st.recursive(ATOM, lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
    lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"), max_leaves=5)  # fmt: skip


@given(MARKER, MARKER)
def test_equivalent_markers_agree_everywhere(left: str, right: str) -> None:
    from packaging.markers import Marker

    worlds = [
        {"python_full_version": full, "python_version": full[:4], "os_name": os_name, "sys_platform": platform,
         "platform_system": system, "platform_machine": machine, "extra": extra}
        for full in ("3.10.4", "3.11.0", "3.11.2", "3.11.9", "3.12.1") for os_name in ("nt", "posix")
        for platform, system in (("linux", "Linux"), ("win32", "Windows")) for machine in ("x86_64", "riscv64")
        for extra in ("x", "")
    ]  # fmt: skip
    apart = [world for world in worlds if Marker(left).evaluate(world) != Marker(right).evaluate(world)]
    python = versions.python_ranges(">=3.10")
    same = markers.equivalent(markers.parse(left), markers.parse(right), python)
    if not apart:
        assert same
    # uv knows in part which systems there are not: Windows' os_name on Linux, the other one on Windows
    if any((world["os_name"], world["sys_platform"]) in (("posix", "linux"), ("nt", "win32")) for world in apart):
        assert not same
    assert markers.equivalent(markers.negate(markers.negate(markers.parse(left))), markers.parse(left), python)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc: ru_maxrss starts at the parent's")
def test_a_50_mb_lock_stays_under_150_mib(tmp_path: Path) -> None:
    block = package("pkg{}", "1.0", "pkg{}").replace('"pkg{}-1', '"x' + "y" * 900 + "pkg{}-1")
    with (tmp_path / "uv.lock").open("w") as out:
        head, _, tail = LOCK.partition("[[package]]")
        out.write(head + "[[package]]" + tail)
        size, number = 0, 0
        while size < 50_000_000:
            size += out.write("\n" + block.replace("{}", str(number)).replace("py3-none-any", "z" * 900))
            number += 1
    (tmp_path / "pyproject.toml").write_text(MANIFEST)
    script = (
        "from gatepost.locks._base import Lock\nfrom gatepost.locks.uv import FORMAT\n"
        "data = open('uv.lock', 'rb').read()\n"
        "lock = Lock(path='uv.lock', data=data, read=lambda p: open(p, 'rb').read() if p == 'pyproject.toml' else None)\n"
        "verdict, sound = FORMAT.judge(lock), FORMAT.sound(lock)\n"
        "peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(type(verdict).__name__, sound, peak)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    word, _, peak = done.stdout.split()
    assert word == "Fresh"
    assert int(peak) // 1024 < 150  # MiB
