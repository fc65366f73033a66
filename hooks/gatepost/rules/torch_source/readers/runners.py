"""tox and nox: the `deps` of a tox.ini, and the literal `session.install(...)` calls of a noxfile.py.

Each test environment, and each call, is a requirements file of its own. Nothing is run. Sources: tox's configuration
reference (`deps`, factor-conditional settings); nox's `Session.install`.
"""

from __future__ import annotations

import re

from gatepost.manifests import requirements as pip_lines
from gatepost.model import Location
from gatepost.rules.torch_source.model import FILE, Env, Index, Project, Requirement
from gatepost.rules.torch_source.readers import common
from gatepost.rules.torch_source.readers.ini import Text, entries

LIMIT = 1024 * 1024
_FACTOR = re.compile(r"([A-Za-z0-9_.!{},\[\]-]+):(?:\s+|$)")


def read(path: str, data: bytes) -> list[Project]:
    """The projects of a tox.ini or noxfile.py.

    Raises:
        SyntaxError: a noxfile.py that this Python cannot parse.
    """
    text = data[:LIMIT].decode("utf-8-sig", "replace")
    return _nox(path, text) if path.endswith(".py") else _tox(path, text)


def _tox(path: str, text: str) -> list[Project]:
    sections: dict[str, dict[str, list[Text]]] = {}
    for section, key, rows in entries(text):
        sections.setdefault(section, {})[key] = rows
    found = []
    for section, keys in sections.items():
        if not section.startswith("testenv") or "deps" not in keys:
            continue
        words = " ".join(row.value for key, rows in keys.items() if key != "deps" for row in rows)
        found.append(_project(path, section, keys["deps"], "INDEX" in words or "index-url" in words))
    return found


def _project(path: str, name: str, rows: list[Text], elsewhere: bool) -> Project:
    requirements: list[Requirement] = []
    indexes: list[Index] = []
    for row in rows:
        factor = _FACTOR.match(row.value)
        env = Env(kind="factor", name=factor[1], optional=True) if factor else Env(kind=FILE, name=name)
        parsed = pip_lines.parse_text(row.value[factor.end() :] if factor else row.value)
        elsewhere = elsewhere or bool(parsed.includes)
        for option in parsed.options:
            index = common.index_of(option.name, option.value, Location(path=path, line=row.line), None)
            if index is not None:
                indexes.append(index)
        for line in parsed.lines:
            if line.name:
                requirements.append(common.of_line(line, env, Location(path=path, line=row.line)))
    return Project(
        tool="pip",
        root=common.folder(path),
        path=path,
        files=(path,),
        requirements=tuple(requirements),
        indexes=tuple(indexes),
        dynamic=elsewhere,
        linux_only=False,
        title=name,
    )


def _nox(path: str, text: str) -> list[Project]:
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module = ast.parse(text)
        except (ValueError, RecursionError, MemoryError):
            return []
    found = []
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "install":
            continue
        words = [
            (item.value, item.lineno)
            for item in node.args
            if isinstance(item, ast.Constant) and isinstance(item.value, str)
        ]
        if not any("torch" in word for word, _ in words):
            continue
        rows: list[Text] = []
        for word, line in words:
            if rows and re.fullmatch(r"--?[A-Za-z-]+", rows[-1].value) and not word.startswith("-"):
                rows[-1] = Text(value=f"{rows[-1].value} {word}", line=rows[-1].line, start=None)
            else:
                rows.append(Text(value=word, line=line, start=None))
        found.append(_project(path, "install", rows, len(words) != len(node.args) or bool(node.keywords)))
    return found
