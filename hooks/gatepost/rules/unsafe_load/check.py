"""The check: Python files and notebooks of the snapshot -> calls -> findings."""

from __future__ import annotations

import ast
import re

from gatepost.model import Finding, Location, Unchecked
from gatepost.record import record, replace
from gatepost.rules.unsafe_load import files, hubs, source
from gatepost.rules.unsafe_load.calls import read
from gatepost.rules.unsafe_load.names import Names
from gatepost.rules.unsafe_load.surroundings import Around, accepted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gatepost.model import Context, Outcome, Severity
    from gatepost.rules.unsafe_load.calls import Call, Fault
    from gatepost.rules.unsafe_load.torch_floor import Projects, Torch

RULES: tuple[Callable[[Call, Names], Fault | None], ...] = (
    files.torch_load,
    files.pickle_load,
    files.joblib_load,
    files.numpy_load,
    hubs.hub_load,
    hubs.remote_code,
    hubs.unpinned_model,
    files.keras_load,
    files.yaml_load,
)
_ALONE = (
    b"trust_remote_code",
    b"from_pretrained",
    b"allow_pickle",
    b"safe_mode",
    b"hf_hub_download",
    b"snapshot_download",
    b"load_dataset",
)
_WITH_LOAD = (b"torch", b"pickle", b"Pickle", b"joblib", b"dill", b"yaml")
_SHEBANG = re.compile(rb"#!.*python")
_TESTS = re.compile(r"(?:^|/)(?:tests?|testing|test_\w+)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.(?:py|ipynb)$")
_EXAMPLES = re.compile(
    r"(?:^|/)(?:examples?|docs?|tutorials?|notebooks?|benchmarks?|demos?|samples?|recipes|cookbook|scripts)/|\.ipynb$"
)
_QUIET_IN_TESTS = frozenset(("UL101", "UL102", "UL103", "UL104", "UL105", "UL108", "UL110"))
_LOWER: dict[str, Severity] = {"error": "warning", "warning": "info", "info": "info"}
_THIRD = re.compile(rb"load\s*\([^()]*,[^()]*,\s*(?:True|1)\b")  # `np.load(path, None, True)`
_BATCH = 500
_SCRIPT = 2**20  # bytes: a larger file without a suffix is no script
_COPIES = 5  # a file with more copies than that (generated, vendored) is reported once


def check(ctx: Context) -> Iterator[Outcome]:
    """Findings UL101-UL110, and UL901 where a file that may have such calls cannot be read."""
    paths = ctx.tree.paths() if ctx.scope is None else sorted(ctx.scope)
    wanted = [path for path in paths if ctx.wants(path) and path.endswith((".py", ".ipynb", ".pyi", ".pyw"))]
    scripts = [path for path in paths if "." not in path.rpartition("/")[2] and ctx.wants(path)]
    wanted += [path for path in scripts if 0 < (ctx.tree.size(path) or 0) < _SCRIPT]  # with a `#!` line, maybe
    around = Around(ctx.tree)
    reported: dict[tuple[object, ...], list[list[Outcome]]] = {}
    for at in range(0, len(wanted), _BATCH):
        for path, data in ctx.tree.read_many(wanted[at : at + _BATCH]).items():
            if data and may_load(data):
                same = (hash(data), len(data), bool(_TESTS.search(path)), bool(_EXAMPLES.search(path)))
                before = reported.setdefault(same, [])
                # The sixth copy of a file says nothing new: it is only counted.
                before.append(list(check_file(path, data, around)) if len(before) <= _COPIES or not before[0] else [])
    for copies in reported.values():
        more = len(copies) - 1
        if more <= _COPIES:
            yield from (one for outcomes in copies for one in outcomes)
        else:
            told = f" (the same file stands at {more} more paths)" if copies[0] else ""
            shown = copies[:1] if copies[0] else copies
            yield from (replace(one, message=one.message + told) for outcomes in shown for one in outcomes)


def may_load(data: bytes) -> bool:
    """Whether a file can hold a call of interest at all, from its bytes."""
    if any(word in data for word in _ALONE):
        return True
    return (
        (b"load" in data and any(word in data for word in _WITH_LOAD))
        or any(word in data for word in (b"read_pickle", b"Unpickler", b"shelve", b"unsafe_deserialization", b"ruamel"))
        or (b"numpy" in data and _THIRD.search(data) is not None)
    )


def check_file(path: str, data: bytes, around: Around) -> Iterator[Outcome]:
    """The outcomes of one file, in the order of its lines."""
    modules = list(_modules(path, data))
    names = Names(around.folders(path))
    if path.endswith(".ipynb"):
        names.trust_usual()
    walked = []
    for module in modules:
        if isinstance(module, Unchecked):
            yield module
            continue
        nodes = list(ast.walk(module.tree))
        names.learn(nodes)
        walked.append((module, nodes))
    found = []
    for module, nodes in walked:
        for node in nodes:
            if isinstance(node, ast.Call) and (call := read(node, names)):
                for fault in _faults(path, call, names, around.projects):
                    if not accepted(fault.code, module.lines(node)):
                        found.append(_finding(path, module.line_of(node.lineno), module.cell, fault))
    notes: set[str] = set()
    for one in sorted((one for one in found if one is not None), key=lambda one: (one.where.line or 0, one.code)):
        if one.code == "UL108":  # a note: once for a model in a file
            target = one.message.partition(" (cell")[0].partition(" of ")[2]
            if target in notes:
                continue
            notes.add(target)
        yield one


@record
class _Module:
    """A file of Python, or a cell of a notebook (from 1) with its lines placed in the file."""

    tree: ast.Module
    text: str
    line_of: Callable[[int], int]
    cell: int | None = None

    def lines(self, node: ast.Call) -> str:
        """The source lines that a call stands on."""
        return "\n".join(self.text.split("\n")[node.lineno - 1 : node.end_lineno])


def _modules(path: str, data: bytes) -> Iterator[_Module | Unchecked]:
    """What there is to look at in a file; an outcome where it is not readable."""
    if path.endswith(".ipynb"):
        yield from _cells(path, data)
        return
    if not path.endswith((".py", ".pyi", ".pyw")) and (b"\0" in data or not _SHEBANG.match(data)):
        return  # no script, or one with an archive behind its first line
    text = source.decode(data)
    try:
        yield _Module(tree=source.parse_file(text), text=text, line_of=lambda line: line)
    except source.Unreadable as error:
        if not source.not_ours(text, path, error.line):
            yield _no_python(path, error.line, str(error))


def _cells(path: str, data: bytes) -> Iterator[_Module | Unchecked]:
    try:
        cells = source.cells(data)
    except source.Unreadable as error:
        yield Unchecked(
            code="UL901",
            where=Location(path=path, line=error.line),
            message=f"not readable as a notebook ({error}), so its loads were not looked at",
            remedy=f"see what is wrong with `python3 -m json.tool {_quote(path)} /dev/null`.",
        )
        return
    for number, text, line_of in cells:
        try:
            yield _Module(tree=source.parse(text), text=text, line_of=line_of, cell=number)
        except source.Unreadable as error:
            if may_load(text.encode("utf-8", "replace")) and not source.not_ours(text, path, error.line):
                yield _no_python(path, line_of(error.line or 1), f"{error}, cell {number}")


def _no_python(path: str, line: int | None, why: str) -> Unchecked:
    import sys

    version = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
    book = path.endswith(".ipynb")
    see = "run the cell" if book else f"see what is wrong with `python3 -m py_compile {_quote(path)}`"
    return Unchecked(
        code="UL901",
        where=Location(path=path, line=line),
        message=f"not readable as {version} ({why}), so its loads were not looked at",
        remedy=f"{see}; for syntax newer than {version}, give the hook a `language_version` that reads it.",
    )


def _faults(path: str, call: Call, names: Names, projects: Projects) -> Iterator[Fault]:
    for rule in RULES:
        fault = rule(call, names)
        if fault and fault.code == "UL101" and not fault.always:
            fault = _by_version(fault, projects.of(path))
        if fault:
            yield fault


def _by_version(fault: Fault, torch: Torch) -> Fault | None:
    """A bare `torch.load` in the light of the torch that the project admits: nothing where that is 2.6 or later."""
    if torch.safe:
        return None
    admits = f", which {torch.said} admits" if torch.said else ""
    if torch.locked:
        return replace(fault, message=f"{fault.message}{admits} (the lock has {torch.locked})", certain=False)
    return replace(fault, message=fault.message + admits)


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
