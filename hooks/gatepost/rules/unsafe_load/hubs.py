"""Models, data sets and code that come from a hub or a repository: whose code runs, and which version of it."""

from __future__ import annotations

import ast
import re

from gatepost.rules.unsafe_load.calls import Call, Fault, is_value, literal, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.unsafe_load.names import Names

_SHA = re.compile(r"[0-9a-f]{40}")
_HUB_ID = re.compile(r"(?!.*(?:--|\.\.))[A-Za-z0-9][\w.\-]*/[\w.\-]+")  # huggingface_hub refuses `--` and `..`
_CANONICAL = re.compile(  # models of the first years have no owner
    r"(?:(?:distil)?(?:bert|gpt2|roberta)|t5|xlm|xlnet|albert|camembert|openai-gpt|ctrl|transfo-xl)(?:-[\w.\-]+)?"
)
_LOCAL_ROOTS = frozenset(
    [
        "model",
        "models",
        "checkpoint",
        "checkpoints",
        "ckpt",
        "ckpts",
        "output",
        "outputs",
        "out",
        "data",
        "dataset",
        "datasets",
        "results",
        "result",
        "runs",
        "saved",
        "saved_models",
        "saved_model",
        "tmp",
        "temp",
        "weights",
        "artifacts",
        "pretrained",
        "pretrained_models",
        "experiments",
        "exp",
        "logs",
        "save",
        "home",
        "mnt",
        "content",
        "assets",
        "test",
        "tests",
        "path",
    ]
)
_HUB_CALLS = ("hf_hub_download", "snapshot_download", "load_dataset")


def hub_load(call: Call, names: Names) -> Fault | None:
    if call.name not in ("torch.hub.load", "torch.hub.help", "torch.hub.list"):
        return None
    if literal(call.words.get("source")) == "local":
        return None
    repository = call.args[0] if call.args else call.words.get("repo_or_dir") or call.words.get("github")
    text = names.text(repository)
    if text is None and (call.open or "source" in call.words):
        return None
    if text and (_local(text) or _SHA.search(text.partition(":")[2])):
        return None
    owner, _, tag = (text or "").partition(":")
    shown = f" of `{owner}`" if owner else ""
    what = f"the code at `{tag}`, which can be moved" if tag else "the newest code of a repository"
    return Fault(
        code="UL106",
        message=f"`{call.name}`{shown} runs {what}",
        remedy=f"pin it to a commit: `{owner or 'owner/name'}:<40 hex digits>`.",
        certain=text is not None and not re.match(r"v?\d", tag),
    )


def _local(text: str) -> bool:
    return (
        text.startswith((".", "/", "~", "\\"))
        or text.endswith(("/", ".py", ".json", ".jsonl", ".csv"))
        or text[1:3] == ":\\"
        or text.split("/", maxsplit=1)[0].lower() in _LOCAL_ROOTS
    )


def _computed_path(node: ast.expr | None) -> bool:
    """Whether a model's name is put together as a path: `Path(x) / y`, `os.path.join(...)`, `str(path)`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return True
    if isinstance(node, ast.Call):
        name = (
            node.func.attr
            if isinstance(node.func, ast.Attribute)
            else node.func.id
            if isinstance(node.func, ast.Name)
            else ""
        )
        return name in (
            "Path",
            "join",
            "str",
            "abspath",
            "expanduser",
            "resolve",
            "as_posix",
            "fspath",
            "snapshot_download",
            "dirname",
            "realpath",
        )
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = node.id if isinstance(node, ast.Name) else node.attr
        return bool(re.search(r"(?:path|dir|directory|folder|local|checkpoint|ckpt)s?$", name, re.IGNORECASE))
    return False


def _revision(call: Call, names: Names) -> str:
    """ "pinned", "moving" (a branch or tag, or none) or "unknown"."""
    states = []
    for word in ("revision", "code_revision"):
        value = call.words.get(word)
        if value is None or is_value(value, None):
            continue
        text = names.text(value)
        states.append("unknown" if text is None else "pinned" if _SHA.fullmatch(text) else "moving")
    if "pinned" in states or "unknown" in states:
        return "pinned" if "pinned" in states else "unknown"
    return "unknown" if call.open else "moving"


_TARGETS = (
    "pretrained_model_name_or_path",
    "model",
    "model_name",
    "model_id",
    "repo_id",
    "path",
    "model_name_or_path",
    "model_path",
    "tokenizer",
)
_SETTINGS = ("Config", "Arguments", "Args", "Settings", "Options", "Params")  # they hold values, and load nothing
_NOT_LOADING = (
    "dict",
    "update",
    "setdefault",
    "Namespace",
    "add_argument",
    "replace",
    "SimpleNamespace",
    "namedtuple",
    "setattr",
    "get",
)


def _target(call: Call) -> ast.expr | None:
    """What a call loads: `pipeline("task", model=...)` has it in a keyword behind another argument."""
    return next((call.words[word] for word in _TARGETS if word in call.words), call.args[0] if call.args else None)


def remote_code(call: Call, names: Names) -> Fault | None:
    if truth(call.words.get("trust_remote_code")) is not True:
        return None
    last = call.name.rpartition(".")[2].lstrip("?")
    if last in _NOT_LOADING or last.endswith(_SETTINGS) or _revision(call, names) != "moving":
        return None
    target = _target(call)
    text = names.text(target)
    if (text is None and _computed_path(target)) or (
        text is not None and (_local(text) or names.is_folder(text) or "--" in text)
    ):
        return None
    shown = f" of `{text}`" if text else ""
    return Fault(
        code="UL107",
        message=f"`trust_remote_code=True`{shown} runs whatever code its repository has today",
        remedy='pin it with `revision="<40 hex digits>"`, the commit that you have read (`git ls-remote https://huggingface.co/'
        + (text if text and _HUB_ID.fullmatch(text) else "OWNER/NAME")
        + " HEAD`).",
        certain=text is not None,
    )


def unpinned_model(call: Call, names: Names) -> Fault | None:
    last = call.name.rpartition(".")[2].lstrip("?")
    if last not in ("from_pretrained", *_HUB_CALLS) or _revision(call, names) != "moving":
        return None
    if truth(call.words.get("trust_remote_code")) is True or truth(call.words.get("local_files_only")) is True:
        return None
    target = _target(call)
    text = names.text(target)
    if text is None or _local(text) or names.is_folder(text):
        return None
    if not _HUB_ID.fullmatch(text) and not (last == "from_pretrained" and _CANONICAL.fullmatch(text)):
        return None
    return Fault(
        code="UL108",
        message=f"`{last}` of `{text}` without a pinned revision loads whatever is there today",
        remedy='pass `revision="<40 hex digits>"` for a result that can be made again.',
    )
