"""One function a kind of unsafe load: a call in, what is wrong with it out."""

from __future__ import annotations

import ast
import re

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gatepost.rules.unsafe_load.names import Names

_SHA = re.compile(r"[0-9a-f]{40}")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.\-]*/[\w.\-]+")
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


@record
class Fault:
    """`certain` is False where the call's target may be local: then the severity is one step lower."""

    code: str
    message: str
    remedy: str
    certain: bool = True


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


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def torch_load(call: Call, names: Names) -> Fault | None:
    if call.name not in ("torch.load", "torch.serialization.load"):
        return None
    only = call.words.get("weights_only")
    if only is None:
        if call.open:
            return None
        return Fault(
            code="UL101",
            message="`torch.load` without `weights_only` runs any code in the file before torch 2.6",
            remedy="pass `weights_only=True`.",
        )
    if _is(only, False):
        return Fault(
            code="UL102",
            message="`torch.load` with `weights_only=False` runs any code in the file",
            remedy="save a state_dict and pass `weights_only=True`, or list the classes with `torch.serialization.safe_globals`.",
        )
    return None


_PICKLES = ("pickle", "cPickle", "_pickle", "cloudpickle", "dill", "pickle5", "torch.utils.model_zoo.pickle")


def pickle_load(call: Call, names: Names) -> Fault | None:
    module, _, function = call.name.rpartition(".")
    if call.name == "pandas.read_pickle":
        pass
    elif module not in _PICKLES or function not in ("load", "loads"):
        return None
    source = call.args[0] if call.args else call.words.get("file") or call.words.get("data") or call.words.get("str")
    if source is None or (isinstance(source, ast.Constant) and isinstance(source.value, bytes)):
        return None
    if function == "loads" and _dumped(source, names):
        return None
    return Fault(
        code="UL103",
        message=f"`{call.name}` runs any code in what it loads",
        remedy="store data as JSON, safetensors or Parquet; load a pickle only if this program wrote it, and say so beside the call.",
    )


def _dumped(node: ast.expr, names: Names) -> bool:
    """Whether bytes come straight from a `dumps` in the same module (a copy, a round trip)."""
    if isinstance(node, ast.Name):
        return node.id in names.dumped
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, (ast.Attribute, ast.Name))
        and (node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id) in ("dumps", "getvalue")
    )


def joblib_load(call: Call, names: Names) -> Fault | None:
    if call.name not in ("joblib.load", "sklearn.externals.joblib.load"):
        return None
    return Fault(
        code="UL104",
        message="`joblib.load` runs any code in the file",
        remedy="store the model with skops (`skops.io.dump`, `skops.io.load`) or ONNX, or load only files that this program wrote.",
    )


def numpy_load(call: Call, names: Names) -> Fault | None:
    if call.name not in ("numpy.load", "numpy.lib.npyio.load", "numpy.lib.format.read_array"):
        return None
    allow = call.words.get("allow_pickle")
    if allow is None and call.name == "numpy.load" and len(call.args) > 2:
        allow = call.args[2]
    if not _is(allow, True):
        return None
    return Fault(
        code="UL105",
        message="`numpy.load` with `allow_pickle=True` runs any code in the file",
        remedy="save plain arrays (`np.savez` without object arrays) and drop `allow_pickle=True`.",
    )


def hub_load(call: Call, names: Names) -> Fault | None:
    if call.name not in ("torch.hub.load", "torch.hub.help", "torch.hub.list"):
        return None
    if _text(call.words.get("source")) == "local":
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
        if value is None or _is(value, None):
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
    if not _is(call.words.get("trust_remote_code"), True):
        return None
    last = call.name.rpartition(".")[2].lstrip("?")
    if last in _NOT_LOADING or last.endswith(_SETTINGS) or _revision(call, names) != "moving":
        return None
    target = _target(call)
    text = names.text(target)
    if (text is not None and _local(text)) or (text is None and _computed_path(target)):
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
    if _is(call.words.get("trust_remote_code"), True) or _is(call.words.get("local_files_only"), True):
        return None
    target = _target(call)
    text = names.text(target)
    if text is None or _local(text) or not _HUB_ID.fullmatch(text):
        return None
    return Fault(
        code="UL108",
        message=f"`{last}` of `{text}` without a pinned revision loads whatever is there today",
        remedy='pass `revision="<40 hex digits>"` for a result that can be made again.',
    )


def keras_load(call: Call, names: Names) -> Fault | None:
    last = call.name.rpartition(".")[2].lstrip("?")
    if last == "enable_unsafe_deserialization" and "keras" in call.name:
        return Fault(
            code="UL109",
            message="`enable_unsafe_deserialization` lets any Keras file run code",
            remedy="drop the call, and register your own layers with `keras.saving.register_keras_serializable`.",
        )
    if not _is(call.words.get("safe_mode"), False) or last not in (
        "load_model",
        "from_config",
        "deserialize_keras_object",
        "deserialize",
        "model_from_json",
    ):
        return None
    return Fault(
        code="UL109",
        message=f"`{last}` with `safe_mode=False` runs the code of Lambda layers in the file",
        remedy="drop `safe_mode=False`, and register your own layers with `keras.saving.register_keras_serializable`.",
    )


_SAFE = ("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader")


def yaml_load(call: Call, names: Names) -> Fault | None:
    if call.name in ("yaml.unsafe_load", "yaml.unsafe_load_all"):
        loader = f"`{call.name}`"
    elif call.name in ("yaml.load", "yaml.load_all"):
        node = call.words.get("Loader") or (call.args[1] if len(call.args) > 1 else None)
        if node is None:
            if call.open:
                return None
            loader = f"`{call.name}` without a Loader"
        else:
            name = names.dotted(node) or ""
            if not name.startswith("yaml.") or name.endswith((*_SAFE, "FullLoader")):
                return None
            loader = f"`{call.name}` with `{name}`"
    else:
        return None
    return Fault(code="UL110", message=f"{loader} can make any Python object", remedy="use `yaml.safe_load`.")


RULES: tuple[Callable[[Call, Names], Fault | None], ...] = (
    torch_load,
    pickle_load,
    joblib_load,
    numpy_load,
    hub_load,
    remote_code,
    unpinned_model,
    keras_load,
    yaml_load,
)
