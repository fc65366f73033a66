"""What a name in a module stands for: `import torch as t`, `from joblib import load as l`, `load = torch.load`."""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Usual names of modules, for code whose imports cannot be seen (`from utils import *`, a notebook's helper cell).
USUAL = {"np": "numpy", "pd": "pandas", "tf": "tensorflow"}
_MODULES = ("torch", "numpy", "pandas", "pickle", "joblib", "dill", "cloudpickle", "yaml", "keras", "tensorflow")


class Names:
    """The imports, aliases and string constants of one module, wherever in it they stand.

    `folders` are those that a relative path of the module may begin with: beside it, and at the repository's root.
    """

    def __init__(self, folders: frozenset[str] = frozenset()) -> None:
        self._folders = folders
        self._known: dict[str, str] = {}
        self._shadows: dict[str, list[tuple[int, int]]] = {}  # parameters: the lines in which they hide a module
        self._star = False
        self.dumped: set[str] = set()  # variables that hold the result of some `dumps`
        self._strings: dict[str, str | None] = {}  # variables that are one string and nothing else

    def learn(self, nodes: Iterable[ast.AST]) -> None:
        """Take in the imports, simple aliases and class bases among `nodes`."""
        for node in nodes:
            if isinstance(node, ast.Import):
                for one in node.names:
                    self._known[one.asname or one.name.split(".")[0]] = (
                        one.name if one.asname else one.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                for one in node.names:
                    if one.name == "*":
                        self._star = True
                    elif not node.level and node.module:
                        self._known[one.asname or one.name] = f"{node.module}.{one.name}"
                    else:
                        self._known[one.asname or one.name] = f".{one.name}"
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._assign(node.targets[0].id, node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                self._assign(node.target.id, node.value)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                given = node.args
                for arg in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
                    if arg is not None:
                        self._strings[arg.arg] = None
                        self._shadows.setdefault(arg.arg, []).append((node.lineno, node.end_lineno or node.lineno))

    def is_folder(self, text: str) -> bool:
        """Whether a relative path begins with a folder of the repository, so that `a/b` is no name on a hub."""
        return text.partition("/")[0] in self._folders

    def text(self, node: ast.expr | None) -> str | None:
        """The string that an expression is: a literal, or a variable that is given one string and nothing else."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        return self._strings.get(node.id) if isinstance(node, ast.Name) else None

    def _assign(self, name: str, value: ast.expr) -> None:
        one = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
        self._strings[name] = one if self._strings.get(name, one) == one else None
        if isinstance(value, (ast.Attribute, ast.Name)):
            dotted = self.dotted(value)
            if dotted and "." in dotted and dotted.split(".")[0] in _MODULES and name not in self._known:
                self._known[name] = dotted
        elif (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Attribute)
            and value.func.attr in ("dumps", "getvalue")
        ):
            self.dumped.add(name)

    def trust_usual(self) -> None:
        """Let unimported usual names stand for their modules, as after a star import."""
        self._star = True

    def dotted(self, node: ast.AST) -> str | None:
        """The full dotted name of an expression, or None where it has none (a call's result, an unknown name)."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        root = self._known.get(node.id)
        if root is not None and any(first <= node.lineno <= last for first, last in self._shadows.get(node.id, ())):
            root = None
        if root is None:
            root = USUAL.get(node.id, node.id) if self._star else f"?{node.id}"
        return ".".join([root, *reversed(parts)])
