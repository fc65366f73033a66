"""A call as the rules see it, and what a rule says of one."""

from __future__ import annotations

import ast

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.unsafe_load.names import Names


@record
class Fault:
    """`certain` is False where the call's target may be local: then the severity is one step lower. `always`: whatever
    the project's torch is."""

    code: str
    message: str
    remedy: str
    certain: bool = True
    always: bool = False


@record
class Call:
    """A call with its keywords read: `words` maps names to values, `open` is set by `**something` that is no literal."""

    name: str  # full dotted name; of an unknown object `?name.attr`, or `.attr` of something without a name
    args: tuple[ast.expr, ...]
    words: dict[str, ast.expr]
    open: bool


def read(node: ast.Call, names: Names) -> Call | None:
    """The call of a node; of `partial(f, ...)` the call of `f`."""
    name = names.dotted(node.func)
    args = list(node.args)
    if name in ("functools.partial", "?partial") and args:
        name = names.dotted(args.pop(0))
    if name is None:
        if not isinstance(node.func, ast.Attribute):
            return None
        name = f".{node.func.attr}"
    words: dict[str, ast.expr] = {}
    unknown = any(isinstance(arg, ast.Starred) for arg in args)
    for keyword in node.keywords:
        if keyword.arg is not None:
            words[keyword.arg] = keyword.value
        elif isinstance(keyword.value, ast.Dict):
            for key, value in zip(keyword.value.keys, keyword.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    words[key.value] = value
                else:
                    unknown = True
        else:
            unknown = True
    return Call(name=name, args=tuple(args), words=words, open=unknown)


def is_value(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def truth(node: ast.expr | None) -> bool | None:
    """What `True`, `False`, 1 or 0 mean for a flag; None for anything else."""
    return bool(node.value) if isinstance(node, ast.Constant) and node.value in (True, False) else None


def literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
