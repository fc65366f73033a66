"""Hostile pickles are told, benign ones pass, and no input raises or runs away."""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
import decimal
import fractions
import functools
import io
import ipaddress
import itertools
import operator
import pathlib
import pickle
import random
import re
import sys
import types
import uuid
from argparse import Namespace
from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.formats import HEAD, TAIL, identify
from gatepost.formats.pickle_machine import Walk
from gatepost.formats.pickle_names import DANGER, SAFE, UNKNOWN, judge
from gatepost.formats.pickle_values import Budget, Use
from gatepost.formats.pickles import inspect_file
from gatepost.rules.large_model_files.pickles import CONTAINERS

from .hostile import BENIGN, EVIL, HOSTILE, PROTO, SYSTEM, blob, call, name, pickled, text, zipped

# What nobody can tell without the loading process; said as "could not verify".
UNVERIFIED = {"extension 1", "extension 2", "extension 4", "persistent id, then call"}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_pickles_are_told(case: str) -> None:
    report = inspect_file(HOSTILE[case], "model.pkl")
    assert report.verdict == (UNKNOWN if case in UNVERIFIED else DANGER), report


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_pickles_are_recognised_by_content(case: str) -> None:
    data = HOSTILE[case]
    kind = identify(data[:HEAD], len(data), "some/model.pkl", lambda: data[-TAIL:])
    assert kind is not None, case
    assert kind.pickle or CONTAINERS & set(kind.id.split("+")), kind


def test_enough_families() -> None:
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize("case", BENIGN)
def test_benign_pickles_from_opcodes_pass(case: str) -> None:
    report = inspect_file(BENIGN[case], "model.pkl")
    assert report.verdict == SAFE, report


def _named() -> dict[str, Any]:
    return {
        "dict": {"a": 1, "b": [1.5, None, True]},
        "ordered dict": collections.OrderedDict(a=1),
        "default dict": collections.defaultdict(list, a=[1]),
        "counter": collections.Counter("abc"),
        "deque": collections.deque([1, 2], 5),
        "chain map": collections.ChainMap({1: 2}),
        "set": {1, 2},
        "frozenset": frozenset({1}),
        "bytes": b"x" * 300,
        "bytearray": bytearray(b"abc"),
        "complex": 1j,
        "range": range(3),
        "slice": slice(1, 2),
        "ellipsis": ...,
        "datetime": dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc),
        "timedelta": dt.timedelta(1),
        "decimal": decimal.Decimal("1.5"),
        "fraction": fractions.Fraction(1, 3),
        "path": pathlib.PurePosixPath("a/b"),
        "pattern": re.compile("a+"),
        "uuid": uuid.UUID(int=1),
        "namespace": types.SimpleNamespace(a=1),
        "argparse": Namespace(lr=0.1),
        "array": array("d", [1.0]),
        "random": random.Random(1),
        "partial of a type": functools.partial(int, base=2),
        "itemgetter": operator.itemgetter(1),
        "count": itertools.count(3),
        "exception": ValueError("x"),
        "os error": FileNotFoundError(2, "x"),
        "address": ipaddress.ip_address("127.0.0.1"),
        "builtin function": len,
        "math function": __import__("math").sqrt,
        "long text": "word " * 5000,
        "big number": 1 << 500,
        "text with names": ["os", "system", "builtins", "eval"],
        "shared": [[1, 2]] * 3,
        "generic alias": list[int],
        "nested tuples": ((((((((1,),),),),),),),),
    }


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("case", _named())
def test_benign_pickles_of_the_standard_library_pass(case: str, protocol: int) -> None:
    data = pickle.dumps(_named()[case], protocol)
    report = inspect_file(data, "x.pkl")
    assert report.verdict == SAFE, report
    assert report.pickles == 1


def test_every_prefix_of_a_hostile_pickle_is_told_or_does_nothing_yet() -> None:
    body = EVIL[:-1]
    assert inspect_file(body).verdict == DANGER
    for end in range(len(EVIL)):
        inspect_file(EVIL[:end])


def test_the_call_is_named_once_with_its_place() -> None:
    report = inspect_file(zipped({"archive/data.pkl": EVIL}), "m.pt")
    assert report.dangers == ("calls `os.system`",)
    assert [(each.full, each.where, each.called) for each in report.imports] == [
        ("os.system", "archive/data.pkl", True)
    ]


def test_unknown_callables_are_listed_not_guessed() -> None:
    report = inspect_file(pickled(call("mypackage.models", "Net")))
    assert (report.verdict, report.unknowns) == (UNKNOWN, ("calls `mypackage.models.Net`",))


@pytest.mark.parametrize(
    ("module", "attribute", "called", "verdict"),
    [
        ("collections", "OrderedDict", True, SAFE),
        ("uuid", "UUID", True, SAFE),
        ("uuid", "_get_command_stdout", True, DANGER),
        ("sklearn.svm._classes", "SVC", True, SAFE),
        ("sklearn.datasets._base", "Bunch", True, DANGER),
        ("sklearn.utils.parallel", "Popen", True, UNKNOWN),
        ("sklearn.svm._classes", "SVC.fit", True, UNKNOWN),
        ("sklearn.svm._classes", "SVC.__init__.__globals__", False, DANGER),
        ("numpy", "load", False, DANGER),
        ("numpy", "memmap", True, DANGER),
        ("textwrap", "dedent", True, DANGER),  # the standard library, called, not known to be harmless
        ("textwrap", "dedent", False, UNKNOWN),
        ("__builtin__", "eval", True, DANGER),
        ("__builtin__", "set", True, SAFE),
        ("cPickle", "loads", True, DANGER),
        ("mypackage", "Net", True, UNKNOWN),
        ("mypackage.shell", "run", True, DANGER),
        ("mypackage.shell", "os.system", True, DANGER),
        ("os ", "system", True, DANGER),
    ],
)
def test_names(module: str, attribute: str, called: bool, verdict: str) -> None:
    assert judge(module, attribute, called) == verdict


@pytest.mark.parametrize(
    ("case", "data"),
    [
        ("three million opcodes", pickled(b"N0" * 1_500_000)),
        ("a flood of strings", pickled(b"".join(text(f"{i:05x}") + b"\x94" for i in range(60_000)))),
        ("a flood of values", pickled(b"N" * 1_000_000)),
        ("a flood of marks", pickled(b"(" * 1_000_000)),
        ("a flood of dictionaries", pickled(b"}" * 600_000)),
        ("doubling tuples", pickled(b")" + b"2\x86" * 100_000)),
        ("a huge length", PROTO + b"\x8e" + b"\xff" * 7 + b"\x7f" + b"abc"),
        (
            "a huge memo index",
            pickled(b"N" + b"".join(b"r" + i.to_bytes(4, "little") for i in range(0, 4_000_000_000, 70_000_000))),
        ),
        (
            "a deep archive",
            functools.reduce(lambda inner, _: zipped({"a.zip": inner}, 8), range(12), zipped({"a.pkl": EVIL}, 8)),
        ),
        ("strings that look like pickles", pickled(b"(" + blob(b"\x80\x04" + b"N0" * 20) * 3000 + b"l")),
        ("many members", zipped({f"{i}/data.pkl": b"\x80\x04N." for i in range(3000)})),
        ("many names", pickled(b"".join(name("a", f"b{i}") + b"0" for i in range(5000)) + b"N")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bounded(case: str, data: bytes) -> None:
    """Finishes, within a budget of opcodes; memory is bounded by design (see the benchmark)."""
    budget = Budget()
    report = inspect_file(data, "x.pkl", budget=budget)
    assert report.opcodes <= 4_000_000 + 10
    assert budget.inflated >= 0


def test_zip_bomb_is_cut_short_and_said() -> None:
    bomb = zipped({f"{i}/data.pkl": PROTO + b"N0" * (9 << 20) for i in range(4)}, 8)
    assert len(bomb) < 200_000
    report = inspect_file(bomb, "m.pt")
    assert report.verdict == UNKNOWN
    assert report.gaps


def test_a_file_read_in_part_says_so() -> None:
    report = inspect_file(SYSTEM, "m.pkl", size=1 << 30)
    assert report.verdict == DANGER
    assert any("only the first" in gap for gap in report.gaps)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2000))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    inspect_file(data, "x.pkl")
    inspect_file(b"\x80\x04" + data, "x.pkl")
    inspect_file(b"PK\x03\x04" + data, "x.zip")
    inspect_file(b"\x93NUMPY" + data, "x.npy")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(HOSTILE)), st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_mutations_never_raise(case: str, at: int, patch: bytes) -> None:
    data = HOSTILE[case]
    if len(data) > 20_000:
        return
    at %= len(data)
    inspect_file(data[:at] + patch + data[at + len(patch) :], "x.pkl")


class Inert:
    """Stands for whatever a pickle imports: may be called, built, filled, compared; does nothing."""

    def __init__(self, *_args: object, **_more: object) -> None:
        pass

    def __call__(self, *_args: object, **_more: object) -> Inert:
        return self

    def __setstate__(self, _state: object) -> None:
        pass

    def __setitem__(self, _key: object, _value: object) -> None:
        pass

    def append(self, _item: object) -> None:
        pass

    def extend(self, _items: object) -> None:
        pass

    def add(self, _item: object) -> None:
        pass


def _recorder(base: Any, data: bytes) -> set[tuple[str, str]]:
    """Names that a real unpickler asks for; nothing is imported, every name is an Inert."""
    seen: set[tuple[str, str]] = set()

    class Recording(base):  # type: ignore[misc]
        def find_class(self, module: str, attribute: str) -> type[Inert]:
            seen.add((module, attribute))
            return Inert

        def persistent_load(self, _pid: object) -> Inert:
            return Inert()

    with contextlib.suppress(Exception):
        Recording(io.BytesIO(data)).load()
    return seen


_STRINGS = [b"os", b"system", b"a.b", b"", "\u00e9".encode()]
_PIECES = (
    [b"\x8c" + bytes([len(raw)]) + raw for raw in _STRINGS]
    + [b"X" + len(raw).to_bytes(4, "little") + raw for raw in _STRINGS]
    + [
        b"U\x02os",
        b"Vos\n",
        b"V\\u006fs\n",
        b"S'o\\x73'\n",
        b"cmod\nname\n",
        b"iinst\nname\n",
        b"K\x01",
        b"N",
        b"\x88",
        b"I1\n",
        b"L1L\n",
    ]
    + [
        b"I01\n",
        b"F1.5\n",
        b"G" + bytes(8),
        b"J" + bytes(4),
        b"M\x01\x00",
        b"\x8a\x01\x05",
        b"C\x01a",
        b"B\x01\x00\x00\x00a",
        b"(",
        b"0",
        b"1",
        b"2",
    ]
    + [
        b"]",
        b"}",
        b")",
        b"\x8f",
        b"(t"[1:],
        b"\x85",
        b"\x86",
        b"\x87",
        b"l",
        b"d",
        b"a",
        b"e",
        b"s",
        b"u",
        b"\x90",
        b"\x91",
        b"R",
        b"o",
        b"b",
        b"\x81",
        b"\x92",
    ]
    + [
        b"\x93",
        b"\x93",
        b"\x93",
        b"\x94",
        b"\x94",
        b"q\x00",
        b"q\x01",
        b"h\x00",
        b"h\x01",
        b"h\x02",
        b"p0\n",
        b"g0\n",
        b"g1\n",
        b"r\x00\x00\x00\x00",
        b"j\x01\x00\x00\x00",
    ]
    + [b"Pid\n", b"Q", b"\x95" + bytes(8), b"\x80\x02", b"\x80\x04"]
)


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=25))
def test_every_name_that_a_real_unpickler_asks_for_is_found(pieces: list[bytes]) -> None:
    """Against both unpicklers of the standard library, with nothing imported: no name is missed.

    A name that an unpickler asks for must be listed, or the walk must say that it lost track.
    """
    data = b"\x80\x04" + b"".join(pieces) + b"."
    names: dict[tuple[str, str], Use] = {}
    walk = Walk(data, 0, len(data), Budget(), names).run()
    for base in (pickle.Unpickler, pickle._Unpickler):
        missed = _recorder(base, data) - set(names)
        assert not missed or any(kind in ("computed-name", "extension") for kind, _, _ in walk.notes), (missed, pieces)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=30,
)


@settings(max_examples=200, deadline=None)
@given(_JSON, st.integers(0, 5))
def test_plain_values_are_never_alarming(value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    report = inspect_file(data, "x.pkl")
    assert report.verdict == SAFE, report
    assert report.opcodes == sum(1 for _ in __import__("pickletools").genops(io.BytesIO(data)))


def test_many_members_are_each_followed_to_the_next() -> None:
    members = {f"{at}/data.pkl": b"\x80\x04N." for at in range(40)}
    assert inspect_file(zipped(members)).verdict == SAFE
    assert inspect_file(zipped({**members, "a/data/0": bytes(50), "b/data.pkl": EVIL, "c": b"x"})).verdict == DANGER


def test_an_escape_that_is_none_says_nothing() -> None:
    """Python would warn on standard error; warnings are errors in this suite."""
    assert inspect_file(b"S'a\\ b'\n.", "x.pkl").verdict == SAFE


def test_picklescan_is_asked_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it calls dangerous and we do not know as harmless is passed on; what breaks in it is not."""
    from types import ModuleType, SimpleNamespace

    from gatepost.rules.large_model_files.pickles import picklescan_says

    data = b"cours.models\nNet\n."
    report = inspect_file(data, "x.pkl")
    scanner = ModuleType("picklescan.scanner")
    level = SimpleNamespace(Dangerous="dangerous")
    hit = SimpleNamespace(module="ours.models", name="Net", safety="dangerous")
    known = SimpleNamespace(module="collections", name="OrderedDict", safety="innocuous")
    scanner.__dict__.update(SafetyLevel=level, scan_bytes=lambda *_: SimpleNamespace(globals=[hit, known]))
    monkeypatch.setitem(sys.modules, "picklescan", ModuleType("picklescan"))
    monkeypatch.setitem(sys.modules, "picklescan.scanner", scanner)
    assert picklescan_says(data, "x.pkl", report) == ["`ours.models.Net`"]

    def broken(*_: object) -> None:
        raise ValueError

    scanner.__dict__["scan_bytes"] = broken
    assert picklescan_says(data, "x.pkl", report) == []


@pytest.mark.parametrize(("module", "attribute"), [("builtins", "iter"), ("collections", "defaultdict")])
def test_a_function_that_is_called_later_counts_as_called(module: str, attribute: str) -> None:
    later = pickled(call(module, attribute, name("numpy", "test"), b"K\x01"))
    assert inspect_file(later).unknowns == ("calls `numpy.test`",)
    assert inspect_file(pickled(call(module, attribute, name("builtins", "int")))).verdict == SAFE
