"""Who may import whom, and what may not be imported while a hook starts."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Container
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "hooks" / "gatepost"
MODULES = sorted(PACKAGE.rglob("*.py"))

FRONT = {"gatepost.cli", "gatepost.options", "gatepost.view", "gatepost.run", "gatepost.catalogue"}
# layer (path prefix in the package) -> what it may not import, at any depth of the module
FORBIDDEN = {
    "manifests/": {"subprocess", "socket", "argparse", "gatepost.tree", "gatepost.rules", "gatepost.tools", *FRONT},
    "locks/": {"subprocess", "socket", "argparse", "gatepost.rules", "gatepost.tools", "gatepost.tree", *FRONT},
    "formats/": {"subprocess", "socket", "argparse", "gatepost.tree", "gatepost.rules", *FRONT},
    "rules/": {"subprocess", "socket", "argparse", "urllib.request", "gatepost.writer", *FRONT},
    "sync/": {"subprocess", "socket", "argparse", "gatepost.rules", "gatepost.tools", *FRONT},
    "report/": {"subprocess", "socket", "gatepost.rules", "gatepost.tree", "gatepost.locks", *FRONT},
    "tree/": {"gatepost.rules", "gatepost.locks", "gatepost.report", "gatepost.manifests", *FRONT},
    "engine.py": {"subprocess", "socket", "gatepost.tools", "gatepost.report", *FRONT},
    "engine_outcomes.py": {"subprocess", "socket", "gatepost.tools", "gatepost.report", *FRONT},
    "silence.py": {"subprocess", "socket", "gatepost.tools", "gatepost.report", *FRONT},
    "tools/": {"gatepost.cli"},
    "run.py": {"subprocess", "argparse", "gatepost.cli"},
}
# costs more than the start-up budget allows, so only inside the function that needs it
HEAVY = {
    "dataclasses", "typing", "pathlib", "enum", "subprocess", "argparse", "logging", "tempfile", "packaging", "yaml",
    "tomlkit", "importlib.resources", "importlib.metadata", "difflib", "zipfile", "inspect", "asyncio", "tomllib", "tomli",
}  # fmt: skip
LATE = {"commands/", "tools/", "render.py"}  # never on the path of an own hook


def imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def without_type_checking(tree: ast.Module) -> ast.Module:
    class Strip(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                return node.orelse
            return self.generic_visit(node)

    return Strip().visit(tree)  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", MODULES, ids=[path.relative_to(PACKAGE).as_posix() for path in MODULES])
def test_layers(path: Path) -> None:
    name = path.relative_to(PACKAGE).as_posix()
    used = imports(without_type_checking(ast.parse(path.read_bytes())))
    for layer, forbidden in FORBIDDEN.items():
        if name.startswith(layer):
            bad = {each for each in used if any(each == no or each.startswith(no + ".") for no in forbidden)}
            assert not bad, f"{name} imports {sorted(bad)}"


@pytest.mark.parametrize("path", MODULES, ids=[path.relative_to(PACKAGE).as_posix() for path in MODULES])
def test_nothing_heavy_at_module_top(path: Path) -> None:
    name = path.relative_to(PACKAGE).as_posix()
    if any(name.startswith(late) for late in LATE):
        return
    tree = without_type_checking(ast.parse(path.read_bytes()))
    top = ast.Module(
        body=[node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))], type_ignores=[]
    )
    bad = {each for each in imports(top) if each.split(".")[0] in HEAVY or each in HEAVY}
    assert not bad, f"{name} imports {sorted(bad)} at its top"


def test_a_hook_with_nothing_to_do_loads_nothing_heavy(tmp_path: Path) -> None:
    """What really is in memory after a run; `re` (which needs `enum`) is the whole allowance."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a.txt").write_text("x")
    subprocess.run(["git", "-C", str(tmp_path), "add", "a.txt"], check=True)
    code = (
        "import sys; before = set(sys.modules)\n"
        "from gatepost.cli import main\n"
        "rc = main(['torch-source'])\n"
        "print(rc, *sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    rc, *loaded = done.stdout.split()
    assert rc == "0", done.stdout + done.stderr
    assert not {name for name in loaded if name.split(".")[0] in HEAVY - {"enum"}}


# an archive holds files, which may be archives
RECURSIVE = {"gatepost.formats", "gatepost.formats.archives", "gatepost.formats.opaque"}


def test_modules_stand_in_an_order() -> None:
    """No circle of imports, not even of those inside functions or for types alone."""
    names = {".".join(("gatepost", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in MODULES}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    above = {name: whence(ast.parse(path.read_bytes()), names) - {name} for name, path in names.items()}
    above = {name: used for name, used in above.items() if name not in RECURSIVE}
    while ground := {name for name, used in above.items() if not used & above.keys()}:
        for name in ground:
            del above[name]
    assert not above


def whence(tree: ast.AST, names: Container[str]) -> set[str]:
    """The modules that a module takes something from; a package counts only for what it defines itself."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module is not None]
    pairs = [(node.module, f"{node.module}.{alias.name}") for node in nodes for alias in node.names]
    return {inner if inner in names else outer for outer, inner in pairs if outer is not None}
