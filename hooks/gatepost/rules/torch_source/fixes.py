"""Edits that keep every comment and the layout: routes in pyproject and Pipfile, keys in TOML tables, ranges, lines."""

from __future__ import annotations

import re

from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.model import DIRECT, EXTENDED, FAMILY
from gatepost.toml.scan import KEY, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gatepost.rules.torch_source.model import Index, Project, Requirement
    from gatepost.rules.torch_source.view import View
    from gatepost.toml.scan import Document

    Change = tuple[int, int, str]


def document(view: View, path: str) -> Document | None:
    """A scanned TOML file, or the block of a script (PEP 723) at its own place, without the `# `; or None."""
    data = view.tree.read(path)
    if data is not None and path.endswith(".py"):
        from gatepost.rules.torch_source.readers import script

        data = script.block(data)
    if data is None:
        return None
    try:
        return scan(data.decode("utf-8"))
    except (UnicodeDecodeError, ValueError):
        return None


def add_key(doc: Document, table: tuple[str | int, ...], line: str) -> list[Change]:
    """Add a `key = value` line at the end of a table that has a header, or make the table. `line` has no line break."""
    header = doc.statement(table)
    if header is not None and header.kind == KEY:  # an inline table
        start, end = header.value_start, header.value_end
        if doc.text[start : start + 1] != "{":
            return []
        inside = doc.text[start + 1 : end - 1].strip()
        return [
            (
                end - 1 - (len(doc.text[start + 1 : end - 1]) - len(doc.text[start + 1 : end - 1].rstrip())),
                end - 1,
                (", " if inside else " ") + line + " ",
            )
        ]
    if header is not None:
        last = header
        for statement in doc.statements:
            if statement.kind == KEY and statement.parent >= 0 and doc.statements[statement.parent] is header:
                last = statement
        text = line + "\n"
        if last.end == len(doc.text) and not doc.text.endswith("\n"):
            text = "\n" + line
        return [(last.end, last.end, text)]
    dotted = [
        statement
        for statement in doc.under(table)
        if statement.kind == KEY and statement.parent >= 0 and len(statement.keys) > 1
    ]
    if dotted:  # `sources.torch = ...` under `[tool.uv]`
        parent = doc.statements[dotted[-1].parent]
        prefix = ".".join(str(part) for part in table[len(parent.path) :])
        return [(dotted[-1].end, dotted[-1].end, f"{prefix}.{line}\n")]
    name = ".".join(str(part) for part in table)
    children = doc.under(table)
    if children and children[0].kind != KEY:
        return [(children[0].start, children[0].start, f"[{name}]\n{line}\n\n")]
    tail = "" if doc.text.endswith("\n") or not doc.text else "\n"
    return [(len(doc.text), len(doc.text), f"{tail}\n[{name}]\n{line}\n")]


def route(view: View, project: Project, index: Index, names: Iterable[str]) -> list[Change]:
    """Route packages to an index in the project's manifest; [] if that cannot be done safely."""
    doc = document(view, project.path)
    if doc is None or not index.name:
        return []
    changes: list[Change] = []
    wanted = sorted(set(names), key=lambda name: (name != "torch", name))
    if project.tool == "uv":
        lines = [f'{name} = {{ index = "{index.name}" }}' for name in wanted]
        return add_key(doc, ("tool", "uv", "sources"), "\n".join(lines)) if lines else []
    for req in project.requirements:
        if req.name not in wanted or req.route or req.role != DIRECT or req.url:
            continue
        made = source_of(doc, req, index.name, "index" if project.tool == "Pipenv" else "source")
        if made is None:
            return []
        changes.append(made)
    return changes


def source_of(doc: Document, req: Requirement, name: str, key: str) -> Change | None:
    """`torch = "^2.0"` -> `torch = { version = "^2.0", source = "name" }`; an inline table gains the key."""
    if req.whole is None:
        return None
    start, end = req.whole
    raw = doc.text[start:end]
    if raw[:1] in "\"'" and raw[:3] not in ('"""', "'''"):
        return start, end, f'{{ version = {raw}, {key} = "{name}" }}'
    if raw[:1] == "{" and raw[-1:] == "}":
        body = raw[1:-1].rstrip().rstrip(",")
        pad = " " if raw[-2:-1] == " " or raw[1:2] == " " else ""
        return start, end, "{" + body + (", " if body.strip() else " ") + f'{key} = "{name}"' + pad + "}"
    return None


def make_explicit(view: View, project: Project, index: Index) -> list[Change]:
    """Make an index serve only what is routed to it, and route the family to it; [] if that cannot be done safely."""
    doc = document(view, project.path)
    if doc is None or not index.name or index.where.path != project.path:
        return []
    direct = {req.name for req in project.requirements if req.name in EXTENDED and req.role == DIRECT and not req.url}
    direct = {name for name in direct if name in FAMILY or name in view.table.index_packages()}
    if "torch" not in direct:
        return []  # torch comes through another package: an explicit index would no longer serve it
    routed = {name for name in direct for req in project.named(name) if project.routes_of(req)}
    changes = route(view, project, index, {name for name in direct if name not in routed and name in FAMILY})
    if {name for name in direct if name not in routed and name in FAMILY} and not changes:
        return []
    for statement in doc.statements:
        if statement.kind != KEY and statement.path[:2] == ("tool", "uv" if project.tool == "uv" else "poetry"):
            if statement.path[2:3] == ("index",) and project.tool == "uv" and _is(doc, statement.path, index):
                default = doc.statement((*statement.path, "default"))
                given = doc.statement((*statement.path, "explicit"))
                if given is not None:
                    changes.append((given.value_start, given.value_end, "true"))
                    if default is not None:
                        changes.append((default.start, default.end, ""))
                elif default is not None:
                    changes.append((default.key_start, default.value_end, "explicit = true"))
                else:
                    changes += add_key(doc, statement.path, "explicit = true")
                return changes
            if statement.path[2:3] == ("source",) and project.tool == "Poetry" and _is(doc, statement.path, index):
                inner = doc.span((*statement.path, "priority"))
                if inner is not None:
                    changes.append((*inner, '"explicit"'))
                else:
                    changes += add_key(doc, statement.path, 'priority = "explicit"')
                return changes
    return []


def _is(doc: Document, path: tuple[str | int, ...], index: Index) -> bool:
    span = doc.span((*path, "url"))
    return span is not None and doc.text[span[0] + 1 : span[1] - 1] == index.url


def add_conflict(view: View, project: Project, pair: Sequence[tuple[str, str]]) -> list[Change]:
    """Declare extras or groups as exclusive: `conflicts` under [tool.uv]."""
    doc = document(view, project.path)
    if doc is None:
        return []
    entry = "[" + ", ".join(f'{{ {kind} = "{name}" }}' for kind, name in pair) + "]"
    span = doc.span(("tool", "uv", "conflicts"))
    if span is not None:
        if doc.text[span[0]] != "[":
            return []  # no array: uv refuses it
        items = doc.items(span[0])
        at = items[-1].end if items else span[0] + 1
        return [(at, at, (", " if items else "") + entry)]
    return add_key(doc, ("tool", "uv"), f"conflicts = [{entry}]")


def add_item(view: View, path: str, key: tuple[str, ...], item: str) -> list[Change]:
    """Add a string to an array, or make the array."""
    doc = document(view, path)
    if doc is None:
        return []
    return append(doc, key, item)


def append(doc: Document, key: tuple[str, ...], item: str) -> list[Change]:
    """Add a string to an array of a scanned document, or make the array."""
    span = doc.span(key)
    if span is None:
        return add_key(doc, key[:-1], f'{key[-1]} = ["{item}"]')
    if doc.text[span[0]] != "[":
        return []
    items = doc.items(span[0])
    if not items:
        return [(span[0], span[1], f'["{item}"]')]
    last = items[-1]
    line_start = doc.text.rfind("\n", 0, last.start) + 1
    indent = doc.text[line_start : last.start]
    if "\n" not in doc.text[span[0] : last.start] or indent.strip():
        return [(last.end, last.end, f', "{item}"')]
    line_end = doc.text.find("\n", last.end)
    rest = doc.text[last.end : line_end].lstrip(", \t\r")
    changes = [] if last.comma >= 0 else [(last.end, last.end, ",")]
    at = last.comma + 1 if last.comma >= 0 else last.end
    if line_end < span[1] and (not rest or rest.startswith("#")):  # behind the item's own comment
        at = line_end - (doc.text[line_end - 1] == "\r")
    return [*changes, (at, at, f'\n{indent}"{item}",')]


def lives(text: str, dialect: str, releases: Iterable[str] | None = None) -> bool:
    """Whether a range that a fix writes admits something: one of the known releases it is meant for, or any version."""
    spec = specs.parse(text, dialect)
    return not spec.broken and (not spec.empty() if releases is None else any(map(spec.admits, releases)))


def drop_label(req: Requirement) -> list[Change]:
    """The range without its local labels; [] if nothing would be left of it."""
    if req.span is None or req.hashed:
        return []
    new = re.sub(r"\+[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*", "", req.text)
    return [(*req.span, new)] if new != req.text and lives(new, req.spec.dialect) else []


def replace_version(req: Requirement, version: str) -> list[Change]:
    """The same pin with another version, its label kept."""
    clauses = req.spec.clauses()
    if req.span is None or len(clauses) != 1 or req.hashed:  # the hashes are of the other file
        return []
    clause = clauses[0]
    if clause.op not in ("==", "===", "=*"):
        return []  # no pin: an override elsewhere decides
    label = "+" + clause.version.partition("+")[2] if "+" in clause.version else ""
    offset = _offset(req)
    if offset is None:
        return []
    return [(offset + clause.start, offset + clause.end, version + label)]


def _offset(req: Requirement) -> int | None:
    return req.span[0] if req.span is not None else None


def cap(req: Requirement, limit: str, releases: Iterable[str]) -> list[Change]:
    """Add an upper bound to a range: `torchaudio>=2.1` -> `torchaudio>=2.1,<2.11`.

    [] where the capped range would admit none of `releases`, the known ones below the bound that serve the purpose.
    """
    if req.span is None or req.hashed:
        return []
    text = req.text.strip()
    start, end = req.span
    if text in ("", "*"):
        return [(start, end, f"<{limit}")]  # pixi's `*` is no text of the range
    if req.spec.dialect == "poetry" and ("||" in text or not re.match(r"[<>=!~^]", text)):
        return []
    if req.spec.pin() or not lives(f"{text},<{limit}", req.spec.dialect, releases):
        return []
    return [(start, end, f"{text},<{limit}")]


def marker_of(req: Requirement, marker: str, doc: Document | None) -> list[Change]:
    """Give a requirement a platform marker, if it has none."""
    if req.whole is None or req.marker:
        return []
    start, end = req.whole
    if doc is None or doc.text[start : start + 1] not in "\"'{":  # the text of a PEP 508 string or requirements line
        return [(end, end, f" ; {marker}" if req.url else f"; {marker}")]
    raw = doc.text[start:end]
    if raw[0] == "{":
        body = raw[1:-1].rstrip().rstrip(",")
        return [(start, end, "{" + body + f', markers = "{marker}"' + " }")]
    return [(start, end, f'{{ version = {raw}, markers = "{marker}" }}')]
