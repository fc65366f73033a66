"""Folders that a run, a tool or an interpreter fills, and that nobody means to commit.

Only shapes that mean nothing else count: `wandb/run-20240101_...`, not a package called `wandb`; `mlruns/0/meta.yaml`,
not any `mlruns`. Fixtures of tests are left alone.
"""

from __future__ import annotations

from gatepost.model import Finding, Location
from gatepost.record import record
from gatepost.rules.large_model_files.limits import is_fixture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.rules.large_model_files.survey import Policy
    from gatepost.tree.history import Source


@record
class Shape:
    """A folder's shape: `pattern` finds it in a path, its group 1 is the folder; `ignore` is the .gitignore line."""

    code: str
    what: str  # "MLflow's run store"
    pattern: str  # a regular expression, compiled only where its hint is seen
    hint: str  # a part of the path without which the pattern cannot match
    ignore: str = ""  # "" = the folder's own path


def _shape(code: str, what: str, hint: str, pattern: str, ignore: str = "") -> Shape:
    return Shape(code=code, what=what, pattern=pattern, hint=hint, ignore=ignore)


UP = r"((?:[^/]+/)*?"  # the shortest leading folders, inside group 1
SHAPES = (
    _shape("MF411", "MLflow's run store", "mlruns/", UP + r"mlruns)/(?:\d+|\.trash|models)/", "mlruns/"),
    _shape("MF411", "MLflow's artifacts", "mlartifacts/", UP + r"mlartifacts)/\d+/", "mlartifacts/"),
    _shape("MF411", "Weights & Biases runs", "wandb/", UP + r"wandb)/(?:(?:offline-)?run-\d{8}_|sweep-|latest-run|debug(?:-internal)?\.log)", "wandb/"),
    _shape("MF411", "PyTorch Lightning logs", "lightning_logs/", UP + r"lightning_logs)/version_\d+/", "lightning_logs/"),
    _shape("MF411", "Hydra's outputs", "/.hydra/", UP + r"(?:outputs|multirun))/\d{4}-\d\d-\d\d/\d\d-\d\d-\d\d/.*\.hydra/", "outputs/"),
    _shape("MF411", "CatBoost's training log", "catboost_info/", UP + r"catboost_info)/", "catboost_info/"),
    _shape("MF411", "Ray Tune's results", "ray_results/", UP + r"ray_results)/", "ray_results/"),
    _shape("MF411", "Aim's run store", ".aim/", UP + r"\.aim)/", ".aim/"),
    _shape("MF411", "Neptune's offline runs", ".neptune/", UP + r"\.neptune)/", ".neptune/"),
    _shape("MF411", "Guild AI's runs", ".guild/runs/", UP + r"\.guild)/runs/", ".guild/"),
    _shape("MF411", "TensorBoard logs", "events.out.tfevents.", r"((?:[^/]+/)*)events\.out\.tfevents\.\d", "events.out.tfevents.*"),
    _shape("MF412", "a virtual environment", "site-packages/", r"((?:[^/]+/)*?[^/]+)/(?:lib(?:64)?/python\d[\d.]*t?|Lib)/site-packages/"),
    _shape("MF412", "a virtual environment", "pyvenv.cfg", r"((?:[^/]+/)*?[^/]+)/pyvenv\.cfg$"),
    _shape("MF412", "a conda environment", "conda-meta/", r"((?:[^/]+/)*?[^/]+)/conda-meta/"),
    _shape("MF413", "compiled Python files", "__pycache__/", UP + r"__pycache__)/", "__pycache__/"),
    _shape("MF413", "notebook autosaves", ".ipynb_checkpoints/", UP + r"\.ipynb_checkpoints)/", ".ipynb_checkpoints/"),
    _shape("MF413", "a tool's cache", "_cache/", UP + r"\.(?:pytest|mypy|ruff|hypothesis)_cache)/"),
    _shape("MF413", "a tool's cache", ".tox/", UP + r"\.tox)/", ".tox/"),
    _shape("MF413", "a tool's cache", ".nox/", UP + r"\.nox)/", ".nox/"),
)  # fmt: skip


def check(source: Source, policy: Policy) -> Iterator[Finding]:
    """One finding a folder (for log files: a folder that holds them)."""
    found: dict[tuple[str, str], tuple[Shape, list[str]]] = {}
    folders = source.folders()
    hints = [
        shape for shape in SHAPES if shape.hint in folders or (shape.hint[-1] != "/" and source.mentions(shape.hint))
    ]
    if not hints:
        return
    import re

    for path in source.paths():
        for shape in hints:
            if shape.hint not in path:
                continue
            match = re.match(shape.pattern, path)
            if match and not is_fixture(match[1] + "/") and policy.wants(path):
                folder = match[1].rstrip("/")
                key = (shape.code, folder if shape.code != "MF413" else _parent(shape))
                found.setdefault(key, (shape, []))[1].append(path)
                break
    kept = source.tracked(sorted({path for _shape, paths in found.values() for path in paths}))
    for (_code, folder), (shape, paths) in sorted(found.items(), key=lambda item: item[1][1][0]):
        held = [path for path in paths if path in kept]
        if held:
            yield _finding(source, folder, shape, held)


def _parent(shape: Shape) -> str:
    """Caches are one finding for the whole repository, a kind."""
    return f"*{shape.hint}"


def _finding(source: Source, folder: str, shape: Shape, held: list[str]) -> Finding:
    import re

    from gatepost.rules.large_model_files.remedy import quote, spec

    count = len(held)
    spread = shape.code == "MF413" or shape.ignore.startswith("events.")
    line = shape.ignore or (f"/{folder}/" if not spread else "")
    if spread:
        folders = sorted({match[1].rstrip("/") for path in held if (match := re.match(shape.pattern, path))})
        if shape.ignore.startswith("events."):
            targets = " ".join(spec(path) for path in held[:5]) + (" ..." if count > 5 else "")
        else:
            targets = " ".join(spec(each) for each in folders[:5]) + (" ..." if len(folders) > 5 else "")
        line = line or "/".join(folders[0].split("/")[-1:]) + "/"
        where = held[0]
        message = f"{shape.what}, {count} file{'s' if count > 1 else ''} in git"
        command = f"git rm -r --cached -q -- {targets}"
    else:
        where = held[0]
        message = f"{shape.what} (`{_ascii(folder)}`), {count} file{'s' if count > 1 else ''} in git"
        command = f"git rm -r --cached -q -- {spec(folder)}"
    return Finding(
        code=shape.code,
        where=Location(path=where),
        message=message,
        remedy=f"`{command} && echo {quote(line) if ' ' in line or '*' in line else line} >> .gitignore "
        "&& git add .gitignore` (the files stay on disk)",
        related=tuple(Location(path=path) for path in held[1:20]),
    )


def _ascii(text: str) -> str:
    return "".join(char if " " <= char <= "~" and char != "`" else "?" for char in text)
