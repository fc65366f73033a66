"""TS213 where nobody asks for numpy: what brings it takes the newest, and an old torch was built against numpy 1.

Said only of a file of which every package is known not to hold numpy. Read in their metadata, November 2026.
"""

from __future__ import annotations

from gatepost.patterns import pattern
from gatepost.rules.torch_source import constrained, paths, specs
from gatepost.rules.torch_source.model import DEFAULT, DIRECT
from gatepost.rules.torch_source.versions.interpreters import below
from gatepost.rules.torch_source.versions.ranges import minor_of, row_range, tightened
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]

# What requires numpy without an upper bound in every release, and gives torch's tensors to it or takes them from it.
_BRINGING = ("torchvision", "sentence-transformers")
# What requires no numpy, or none below 2, in any release.
_HARMLESS = frozenset(
    {
        "torch", "torchaudio", "aiohttp", "anyio", "boto3", "celery", "certifi", "charset-normalizer",
        "click", "fastapi", "filelock", "flask", "flask-cors", "fsspec", "gunicorn", "httpx", "huggingface-hub", "idna",
        "jinja2", "loguru", "networkx", "packaging", "pillow", "prometheus-client", "protobuf", "psutil", "pydantic",
        "pydantic-settings", "pytest", "python-dotenv", "python-multipart", "pyyaml", "redis", "regex", "requests", "rich",
        "safetensors", "sentencepiece", "setuptools", "six", "starlette", "sympy", "tokenizers", "tqdm",
        "typing-extensions", "urllib3", "uvicorn", "wheel",
    }
)  # fmt: skip
# What holds numpy below 2 in some releases, the newest not among them: harmless without a bound.
_HARMLESS_NOW = frozenset({"accelerate", "matplotlib", "pandas", "scikit-learn", "scipy", "transformers"})
_TRANSFORMERS_HELD = ("4.41", "5")  # from the one up to the other some release of transformers asks for numpy<2


def numpy_two_brought(p: Project, v: View) -> Findings:
    """TS213 of a requirements file without numpy, in which a package brings the newest."""
    if p.tool != "pip" or p.dynamic or not paths.is_requirements(p.path):
        return
    brings = next((req for name in _BRINGING for req in p.named(name)), None)
    if brings is None or not all(_harmless(req) for req in p.requirements if req.role == DIRECT):
        return
    if any(req.role != DIRECT for req in p.requirements) or any(
        one.role == DEFAULT and one.torch() for one in p.indexes
    ):
        return
    for torch in p.named("torch"):
        rows, unknown = v.table.torch_rows(tightened(p, torch))
        if torch.marker or torch.url or torch.spec.broken or unknown or not rows or any(row.numpy2 for row in rows):
            continue
        pythons = {minor for row in rows for minor in row.python.get("linux_x86_64", ())}
        if max(map(minor_of, pythons), default=0) <= 9 or below(p, v, 9):
            continue  # numpy 2 needs Python 3.9
        if constrained.by_commands(p, v) or _named_elsewhere(p, v):
            continue
        yield found(
            "TS213",
            torch.where,
            f"nothing here asks for numpy, so `{brings.name}` brings numpy 2, and torch {row_range(rows)} was built against numpy 1 and fails to exchange arrays with it",
            "Ask for `numpy<2` too.",
            severity="warning",
            related=(brings.where,),
        )
        return


def _harmless(req: Requirement) -> bool:
    """Whether no release of a package that is asked for holds numpy below 2."""
    if req.url or req.spec.broken:
        return False
    if req.name in _HARMLESS or req.name in _BRINGING:
        return True
    if req.name == "transformers" and req.spec.bounded_above():
        first, end = map(specs.key, _TRANSFORMERS_HELD)
        pin = specs.key(req.spec.pin())
        return pin is not None and first is not None and end is not None and not first <= pin < end
    return req.name in _HARMLESS_NOW and not req.spec.bounded_above()


def _named_elsewhere(p: Project, v: View) -> bool:
    """Whether a file that may be installed with this one, or a command, names numpy, or an image has one already."""
    folder = paths.folder(p.path)
    beside = (path for path in v.tree.paths() if paths.folder(path) == folder and paths.is_requirements(path))
    if any(b"numpy" in (v.tree.read(path) or b"").lower() for path in beside):
        return True
    name = p.path.rpartition("/")[2]
    return any(
        "numpy" in text or (name in text and _HOLDING.search(text))
        for path, text in v.installers()
        if not path.endswith(".ipynb")
    )


# Images that hold a numpy of their own, which pip leaves where it will do.
_HOLDING = pattern(r"(?im)^[ \t]*FROM\b.*(?:pytorch|conda|mamba|jupyter|nvcr\.io|tensorflow|sagemaker|deeplearning)")
