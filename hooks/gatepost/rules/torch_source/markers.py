"""Environment markers (PEP 508) asked three-valued questions: can this hold on that platform, at all?

`packaging` can only say yes or no for one complete environment. The rules ask "is there an environment, among the
platforms that PyTorch publishes for, where both of these apply?", and a variable that is not known (a kernel
version, say) must then count as "may be".
"""

from __future__ import annotations

import re
from functools import lru_cache

from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    Node: TypeAlias = tuple[Any, ...]

PLATFORMS: tuple[tuple[str, Mapping[str, str]], ...] = tuple(
    (
        name,
        {
            "sys_platform": platform,
            "platform_system": system,
            "os_name": os_name,
            "platform_machine": machine,
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        },
    )
    for name, platform, system, os_name, machine in (
        ("linux_x86_64", "linux", "Linux", "posix", "x86_64"),
        ("linux_aarch64", "linux", "Linux", "posix", "aarch64"),
        ("macos_arm64", "darwin", "Darwin", "posix", "arm64"),
        ("macos_x86_64", "darwin", "Darwin", "posix", "x86_64"),
        ("win_amd64", "win32", "Windows", "nt", "AMD64"),
    )
)
PYTHONS = tuple(f"3.{minor}" for minor in range(8, 17))
_TOKEN = pattern(
    r"\s*(?:(\()|(\))|\b(and|or|not\s+in|in)\b|(===|~=|==|!=|<=|>=|<|>)|'([^']*)'|\"([^\"]*)\"|([A-Za-z_][\w.]*))"
)
_ALIASES = {
    "os.name": "os_name",
    "sys.platform": "sys_platform",
    "platform.machine": "platform_machine",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
}


@lru_cache(maxsize=1024)
def parse(text: str) -> Node | None:
    """The tree of a marker, or None for an empty or broken one (which then holds everywhere)."""
    try:
        return _parse(text)
    except (ValueError, IndexError, RecursionError):
        return None


def _parse(text: str) -> Node | None:
    tokens: list[tuple[str, str]] = []
    at = 0
    text = text.strip()
    if not text or len(text) > 20000:
        return None
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(text)
        at = found.end()
        if found[1]:
            tokens.append(("(", "("))
        elif found[2]:
            tokens.append((")", ")"))
        elif found[3]:
            tokens.append(("word", re.sub(r"\s+", " ", found[3])))
        elif found[4]:
            tokens.append(("op", found[4]))
        elif found[7]:
            tokens.append(("name", _ALIASES.get(found[7], found[7])))
        else:
            tokens.append(("text", found[5] if found[5] is not None else found[6] or ""))
    node, place = _or(tokens, 0)
    if place != len(tokens):
        raise ValueError(text)
    return node


def _or(tokens: list[tuple[str, str]], at: int) -> tuple[Node, int]:
    node, at = _and(tokens, at)
    while at < len(tokens) and tokens[at] == ("word", "or"):
        right, at = _and(tokens, at + 1)
        node = ("or", node, right)
    return node, at


def _and(tokens: list[tuple[str, str]], at: int) -> tuple[Node, int]:
    node, at = _atom(tokens, at)
    while at < len(tokens) and tokens[at] == ("word", "and"):
        right, at = _atom(tokens, at + 1)
        node = ("and", node, right)
    return node, at


def _atom(tokens: list[tuple[str, str]], at: int) -> tuple[Node, int]:
    if tokens[at][0] == "(":
        node, at = _or(tokens, at + 1)
        if tokens[at][0] != ")":
            raise ValueError("unclosed")
        return node, at + 1
    left, op, right = tokens[at], tokens[at + 1], tokens[at + 2]
    if op[0] not in ("op", "word") or left[0] not in ("name", "text") or right[0] not in ("name", "text"):
        raise ValueError("not a comparison")
    return ("cmp", left, op[1], right), at + 3


def evaluate(node: Node | None, values: Mapping[str, str]) -> bool | None:
    """Whether a marker holds; None if that hangs on a variable that `values` does not have."""
    if node is None:
        return True
    if node[0] == "cmp":
        return _compare(node[1], node[2], node[3], values)
    left, right = evaluate(node[1], values), evaluate(node[2], values)
    if node[0] == "and":
        return False if left is False or right is False else None if left is None or right is None else True
    return True if left is True or right is True else None if left is None or right is None else False


def _compare(left: tuple[str, str], op: str, right: tuple[str, str], values: Mapping[str, str]) -> bool | None:
    sides = [values.get(text) if kind == "name" else text for kind, text in (left, right)]
    names = [text for kind, text in (left, right) if kind == "name"]
    if names and names[0] in ("extra", "extras", "dependency_groups"):
        return _membership(names[0], op, sides, left[0] == "name", values)
    if sides[0] is None or sides[1] is None:
        return None
    a, b = sides[0], sides[1]
    if op == "in":
        return a in b.replace(",", " ").split() if names and names[0].startswith("python") else a in b
    if op == "not in":
        return a not in b.replace(",", " ").split() if names and names[0].startswith("python") else a not in b
    if names and names[0] in ("python_version", "python_full_version", "implementation_version"):
        from gatepost.rules.torch_source import specs

        if names[0] == "python_full_version" and a.count(".") == 1:
            a += ".5"
        if left[0] != "name":
            a, b, op = b, a, {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(op, op)
        spec = specs.parse(op + b)
        return None if spec.broken else spec.admits(a)
    if op in ("==", "==="):
        return a == b
    if op == "!=":
        return a != b
    return None


def _membership(name: str, op: str, sides: list[str | None], name_left: bool, values: Mapping[str, str]) -> bool | None:
    wanted = sides[1] if name_left else sides[0]
    chosen = values.get(name)
    if chosen is None:
        return None
    have = {part.replace("_", "-") for part in chosen.split()}
    inside = (wanted or "").lower().replace("_", "-") in have
    return inside if op in ("==", "in", "===") else not inside if op in ("!=", "not in") else None


def environments(python: Iterable[str] = PYTHONS) -> Iterable[tuple[str, dict[str, str]]]:
    """Every platform PyTorch publishes for, with every Python of `python`."""
    for name, values in PLATFORMS:
        for version in python:
            yield name, {**values, "python_version": version, "python_full_version": version + ".5"}


@lru_cache(maxsize=1024)
def possible(marker: str, platform: str = "", extra: str | None = None, python: str = "") -> bool:
    """Whether a marker may hold somewhere (on `platform`, one of the names in PLATFORMS; with `python`, as "3.12")."""
    node = parse(marker)
    if node is None:
        return True
    known = {} if extra is None else {"extra": extra, "extras": extra}
    for name, values in environments((python,) if python else PYTHONS):
        if (not platform or name == platform) and evaluate(node, {**values, **known}) is not False:
            return True
    return False


@lru_cache(maxsize=1024)
def overlap(*markers: str) -> bool:
    """Whether all of these markers may hold in one environment, whatever the extras (each is given any value)."""
    nodes = [node for node in map(parse, markers) if node is not None]
    if len(nodes) < 2 and not nodes:
        return True
    extras = sorted({name for node in nodes for name in extra_names(node)})[:6]
    worlds = [" ".join(name for bit, name in enumerate(extras) if mask >> bit & 1) for mask in range(1 << len(extras))]
    for _, values in environments():
        for world in worlds:
            if all(evaluate(node, {**values, "extra": world, "extras": world}) is not False for node in nodes):
                return True
    return False


def extra_names(node: Node | None) -> set[str]:
    """The extras that a marker speaks of."""
    if node is None:
        return set()
    if node[0] == "cmp":
        sides = (node[1], node[3])
        if any(kind == "name" and text in ("extra", "extras") for kind, text in sides):
            return {text.lower().replace("_", "-") for kind, text in sides if kind == "text"}
        return set()
    return extra_names(node[1]) | extra_names(node[2])


def platforms(marker: str) -> tuple[str, ...]:
    """The platforms on which a marker may hold."""
    return tuple(name for name, _ in PLATFORMS if possible(marker, name))


def names(marker: str) -> bool:
    """Whether a marker speaks of the platform at all."""
    return bool(re.search(r"sys_platform|platform_system|platform_machine|os_name|sys\.platform|os\.name", marker))


def mentions(marker: str, word: str) -> bool:
    """Whether a marker names a value such as "darwin" and may hold there."""
    return re.search(rf"==\s*['\"]{word}['\"]", marker, re.IGNORECASE) is not None


def only_mac(marker: str) -> bool:
    """Whether a marker holds on macOS and nowhere else."""
    elsewhere = ("linux_x86_64", "linux_aarch64", "win_amd64")
    return (
        parse(marker) is not None
        and any(possible(marker, mac) for mac in ("macos_arm64", "macos_x86_64"))
        and not any(possible(marker, platform) for platform in elsewhere)
    )
