"""setuptools: `install_requires`, `extras_require` and `python_requires` of a setup.py or setup.cfg.

A setup.py is read, never run: its syntax tree gives the lists that stand there literally, also under a name that the
module binds once. What is computed is unknown. `dependency_links` are left out: no installer reads them any more.
Where pyproject.toml has a [project] table, setuptools takes a field from here only if it is named under `dynamic`.
Sources: setuptools' documentation, "Configuring setuptools using setup.cfg files" (list-semi, sections) and
"Configuring setuptools using pyproject.toml files"; pip 19 on `dependency_links`.
"""

from __future__ import annotations

import re

from gatepost.manifests import requirements as pip_lines
from gatepost.model import Location
from gatepost.record import record, replace
from gatepost.rules.torch_source.model import EXTRA, MAIN, Env, Project, Requirement, fold
from gatepost.rules.torch_source.readers import common
from gatepost.rules.torch_source.readers.ini import ROW, Text, entries

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast

LIMIT = 1024 * 1024


@record
class Found:
    """What a file declares; `whole` is False where part of it is computed."""

    requires: tuple[Text, ...] = ()
    extras: tuple[tuple[str, tuple[Text, ...]], ...] = ()
    python: Text | None = None
    whole: bool = True


def read(path: str, data: bytes, dynamic: frozenset[str] | None) -> Project | None:
    """The project of a setup.py or setup.cfg, or None if it declares nothing here.

    Args:
        dynamic: what the [project] table beside it leaves to setuptools; None if there is no such table.

    Raises:
        SyntaxError: a setup.py that this Python cannot parse.
    """
    text = data[:LIMIT].decode("utf-8-sig", "replace")
    shift = 1 if data.startswith(b"\xef\xbb\xbf") else 0  # the mark counts where places are edited
    found = _python(text) if path.endswith(".py") else _config(text)
    if dynamic is not None:
        found = Found(
            requires=found.requires if "dependencies" in dynamic else (),
            extras=found.extras if "optional-dependencies" in dynamic else (),
            python=found.python if "requires-python" in dynamic else None,
            whole=found.whole,
        )
    requirements = [req for one in found.requires if (req := _requirement(path, one, Env(kind=MAIN), shift))]
    for name, items in found.extras:
        extra, _, marker = name.partition(":")
        env = Env(kind=EXTRA, name=extra, optional=True) if extra else Env(kind=MAIN)
        for one in items:
            req = _requirement(path, one, env, shift, marker)
            if req is not None:
                requirements.append(req)
    if not requirements:
        return None
    python = found.python
    return Project(
        tool="setuptools",
        root=common.folder(path),
        path=path,
        files=(path,),
        requirements=tuple(requirements),
        python=python.value if python else "",
        python_where=Location(path=path, line=python.line, key="python_requires") if python else None,
        python_span=_span(python, shift) if python else None,
        extras=tuple((name, tuple(fold(_name(one.value)) for one in items)) for name, items in found.extras),
        published=True,
        dynamic=not found.whole,
    )


def _name(text: str) -> str:
    found = re.match(r"\s*([A-Za-z0-9._-]+)", text)
    return found[1] if found else ""


def _span(text: Text, shift: int) -> tuple[int, int] | None:
    return None if text.start is None else (text.start + shift, text.start + shift + len(text.value))


def _requirement(path: str, text: Text, env: Env, shift: int, marker: str = "") -> Requirement | None:
    line = pip_lines.parse_requirement(text.value)
    if not line.name:
        return None
    place = _span(text, shift)
    both = f"({line.marker}) and ({marker})" if line.marker and marker else line.marker or marker
    return common.of_line(
        replace(line, marker=both),
        env,
        Location(path=path, line=text.line),
        span=(place[0] + line.span[0], place[0] + line.span[1]) if place else None,
        whole=place,
    )


# setup.cfg ----------------------------------------------------------------------------------------------------------


def _config(text: str) -> Found:
    requires: list[Text] = []
    extras: list[tuple[str, tuple[Text, ...]]] = []
    python: Text | None = None
    whole = True
    for section, key, rows in entries(text):
        items = _items(rows)
        whole = whole and not any(one.value.startswith("file:") for one in items)
        if section == "options" and key == "install_requires":
            requires += items
        elif section == "options" and key == "python_requires":
            python = next((row for row in rows if row.value), None)
        elif section == "options.extras_require":
            extras.append((key, tuple(items)))
    return Found(requires=tuple(requires), extras=tuple(extras), python=python, whole=whole)


def _items(rows: list[Text]) -> list[Text]:
    """The items of a list: one a row, or, where there is but one row, split at semicolons."""
    if len(rows) != 1:
        return rows
    row, items, at = rows[0], [], 0
    for part in row.value.split(";"):
        value = part.strip()
        if value and row.start is not None:
            items.append(Text(value=value, line=row.line, start=row.start + at + part.index(value)))
        at += len(part) + 1
    return items


# setup.py -----------------------------------------------------------------------------------------------------------


def _python(text: str) -> Found:
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module = ast.parse(text)
        except (ValueError, RecursionError, MemoryError):
            return Found(whole=False)
    reader = _Reader(text, module)
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call) and _is_setup(node.func)]
    given: dict[str, ast.expr] = {}
    for call in calls:
        for keyword in call.keywords:
            if keyword.arg is not None:
                given.setdefault(keyword.arg, keyword.value)
            else:  # `setup(**options)`
                for name, value in reader.mapping(keyword.value):
                    given.setdefault(name.value, value)
    return Found(
        requires=tuple(reader.texts(given.get("install_requires"))),
        extras=tuple(
            (name.value, tuple(reader.texts(value))) for name, value in reader.mapping(given.get("extras_require"))
        ),
        python=next(iter(reader.texts(given.get("python_requires"))), None),
        whole=reader.whole,
    )


def _is_setup(node: ast.expr) -> bool:
    """`setup` or `setuptools.setup`."""
    import ast

    if isinstance(node, ast.Attribute):
        return node.attr == "setup" and isinstance(node.value, ast.Name) and node.value.id in ("setuptools", "core")
    return isinstance(node, ast.Name) and node.id == "setup"


class _Reader:
    """Takes literal strings, lists and mappings out of a module's tree."""

    def __init__(self, text: str, module: ast.Module) -> None:
        import ast

        self.whole = True
        self._lines: list[str] = ROW.findall(text)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        bound: dict[str, list[ast.expr]] = {}
        grown: dict[str, list[ast.expr]] = {}
        for top in module.body:
            if isinstance(top, ast.AugAssign) and isinstance(top.target, ast.Name) and isinstance(top.op, ast.Add):
                grown.setdefault(top.target.id, []).append(top.value)
        for node in ast.walk(module):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        bound.setdefault(target.id, []).append(node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                bound.setdefault(node.target.id, []).append(node.value)
        # A name bound more than once depends on what runs; a list that grows always has what it began with.
        self._bound = {name: values[0] for name, values in bound.items() if len(values) == 1}
        self._grown = {name: values for name, values in grown.items() if name in self._bound}

    def texts(self, node: ast.expr | None, depth: int = 0) -> list[Text]:
        """The strings of a list (or the one string) as far as they stand there."""
        import ast

        if node is None:
            return []
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            rows = [row for row in node.value.splitlines() if row.strip()]
            if len(rows) == 1 and rows[0] == node.value:
                return [Text(value=node.value, line=node.lineno, start=self._start(node))]
            return [Text(value=row.strip(), line=node.lineno, start=None) for row in rows]
        if depth < 20:
            if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
                return [one for item in node.elts for one in self.texts(item, depth + 1)]
            if isinstance(node, ast.Starred):
                return self.texts(node.value, depth + 1)
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
                return self.texts(node.left, depth + 1) + self.texts(node.right, depth + 1)
            if isinstance(node, ast.Name) and node.id in self._bound:
                parts = [self._bound[node.id], *self._grown.get(node.id, ())]
                return [one for part in parts for one in self.texts(part, depth + 1)]
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("list", "tuple", "set", "sorted")
                and len(node.args) == 1
            ):
                return self.texts(node.args[0], depth + 1)
            if isinstance(node, ast.Subscript):
                return self._item(node, depth)
        self.whole = False
        return []

    def _item(self, node: ast.Subscript, depth: int) -> list[Text]:
        """`extras["test"]`."""
        import ast

        if isinstance(node.slice, ast.Constant):
            for key, value in self.mapping(node.value):
                if key.value == node.slice.value:
                    return self.texts(value, depth + 1)
        self.whole = False
        return []

    def mapping(self, node: ast.expr | None) -> list[tuple[Text, ast.expr]]:
        """The pairs of a mapping with literal keys, also of one that the module binds once."""
        import ast

        if isinstance(node, ast.Name):
            node = self._bound.get(node.id)
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            return [(key, value) for name, value in pairs if name is not None for key in self.texts(name)[:1]]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
            return [
                (Text(value=keyword.arg, line=keyword.value.lineno, start=None), keyword.value)
                for keyword in node.keywords
                if keyword.arg is not None
            ]
        self.whole = self.whole and node is None
        return []

    def _start(self, node: ast.Constant) -> int | None:
        """The offset of a plain literal's first character in the text, or None (escapes, joined or prefixed strings)."""
        if node.lineno != node.end_lineno or node.end_col_offset is None:
            return None
        row = self._lines[node.lineno - 1].encode("utf-8", "surrogatepass")
        raw = row[node.col_offset : node.end_col_offset].decode("utf-8", "replace")
        if len(raw) < 2 or raw[0] not in "\"'" or raw[1:-1] != node.value:
            return None
        return self._starts[node.lineno - 1] + len(row[: node.col_offset].decode("utf-8", "replace")) + 1
