"""The check: Python files and notebooks of the snapshot -> calls -> findings."""

from __future__ import annotations

import ast
import re

from gatepost.model import Finding, Location, Unchecked
from gatepost.rules.unsafe_load import source
from gatepost.rules.unsafe_load.calls import RULES, read
from gatepost.rules.unsafe_load.names import Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gatepost.model import Context, Outcome, Severity
    from gatepost.rules.unsafe_load.calls import Fault

_ALONE = (
    b"trust_remote_code",
    b"from_pretrained",
    b"allow_pickle",
    b"safe_mode",
    b"hf_hub_download",
    b"snapshot_download",
    b"load_dataset",
)
_WITH_LOAD = (b"torch", b"pickle", b"joblib", b"dill", b"yaml")
_TESTS = re.compile(r"(?:^|/)(?:tests?|testing|test_\w+)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.(?:py|ipynb)$")
_EXAMPLES = re.compile(
    r"(?:^|/)(?:examples?|docs?|tutorials?|notebooks?|benchmarks?|demos?|samples?|recipes|cookbook|scripts)/|\.ipynb$"
)
_QUIET_IN_TESTS = frozenset(("UL101", "UL102", "UL103", "UL104", "UL105", "UL108", "UL110"))
_LOWER: dict[str, Severity] = {"error": "warning", "warning": "info", "info": "info"}
_BATCH = 500


def check(ctx: Context) -> Iterator[Outcome]:
    """Findings UL101-UL110, and UL901 where a file that has such calls is not readable as Python 3."""
    paths = ctx.tree.paths() if ctx.scope is None else sorted(ctx.scope)
    wanted = [path for path in paths if ctx.wants(path) and path.endswith((".py", ".ipynb", ".pyi", ".pyw"))]
    if ctx.scope is not None:  # a script without a suffix was given by name
        wanted += [path for path in paths if "." not in path.rpartition("/")[2] and ctx.wants(path)]
    for at in range(0, len(wanted), _BATCH):
        for path, data in ctx.tree.read_many(wanted[at : at + _BATCH]).items():
            if data and may_load(data):
                yield from check_file(path, data)


def may_load(data: bytes) -> bool:
    """Whether a file can hold a call of interest at all, from its bytes."""
    if any(word in data for word in _ALONE):
        return True
    return (
        (b"load" in data and any(word in data for word in _WITH_LOAD))
        or b"read_pickle" in data
        or b"unsafe_deserialization" in data
    )


def check_file(path: str, data: bytes) -> Iterator[Outcome]:
    """The outcomes of one file, in the order of its lines."""
    modules: list[tuple[int | None, ast.Module, Callable[[int], int]]] = []
    if path.endswith(".ipynb"):
        for number, text, line_of in source.cells(data):
            tree = source.parse(text)
            if tree is not None:  # a cell that does not parse is the notebook's own business
                modules.append((number, tree, line_of))
    else:
        if not path.endswith((".py", ".pyi", ".pyw")) and not re.match(rb"#!.*python", data):
            return
        text = source.decode(data)
        tree = source.parse(text)
        if tree is None:
            if not source.not_ours(text, path):
                yield Unchecked(
                    code="UL901",
                    where=Location(path=path),
                    message="not readable as Python, so its loads were not looked at",
                    remedy=f"see what is wrong with `python -m py_compile {_quote(path)}`.",
                )
            return
        modules.append((None, tree, lambda line: line))
    names = Names()
    if path.endswith(".ipynb"):
        names.trust_usual()
    walked = [(cell, list(ast.walk(tree)), line_of) for cell, tree, line_of in modules]
    for _, nodes, _ in walked:
        names.learn(nodes)
    found = []
    for cell, nodes, line_of in walked:
        for node in nodes:
            if isinstance(node, ast.Call) and (call := read(node, names)):
                for rule in RULES:
                    if fault := rule(call, names):
                        found.append(_finding(path, line_of(node.lineno), cell, fault))
    notes: set[str] = set()
    for one in sorted((one for one in found if one is not None), key=lambda one: (one.where.line or 0, one.code)):
        if one.code == "UL108":  # a note: once for a model in a file
            target = one.message.partition(" (cell")[0].partition(" of ")[2]
            if target in notes:
                continue
            notes.add(target)
        yield one


def _quote(path: str) -> str:
    import shlex

    return shlex.quote(path)


def _finding(path: str, line: int, cell: int | None, fault: Fault) -> Finding | None:
    """A fault as a finding: silent in tests where the test made the file itself, lower in tests and examples."""
    from gatepost.rules.unsafe_load.codes import SEVERITY

    severity = SEVERITY[fault.code] if fault.certain else _LOWER[SEVERITY[fault.code]]
    if _TESTS.search(path):
        if fault.code in _QUIET_IN_TESTS:
            return None
        severity = _LOWER[severity]
    elif _EXAMPLES.search(path):
        severity = _LOWER[severity]
    where = f" (cell {cell})" if cell else ""
    return Finding(
        code=fault.code,
        where=Location(path=path, line=line),
        message=fault.message + where,
        remedy=fault.remedy,
        severity=None if severity == SEVERITY[fault.code] else severity,
    )
