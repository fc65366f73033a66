"""Files whose format can carry code: pickles in all their clothes, Keras models, YAML."""

from __future__ import annotations

import ast

from gatepost.rules.unsafe_load.calls import Call, Fault, is_value, literal, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.unsafe_load.names import Names


def torch_load(call: Call, names: Names) -> Fault | None:
    if call.name not in ("torch.load", "torch.serialization.load"):
        return None
    only = call.words.get("weights_only")
    if only is None or is_value(only, None):  # None is the default, and means what the torch at hand has for it
        if call.open and only is None:
            return None
        own = call.words.get("pickle_module") or (call.args[2] if len(call.args) > 2 else None)
        if own is not None and not is_value(own, None):
            return Fault(
                code="UL101",
                message="`torch.load` with a `pickle_module` and no `weights_only` runs any code in the file, with any torch",
                remedy="drop `pickle_module` and pass `weights_only=True`.",
                always=True,
            )
        return Fault(
            code="UL101",
            message="`torch.load` without `weights_only` runs any code in the file before torch 2.6",
            remedy="pass `weights_only=True`.",
        )
    if truth(only) is False:
        return Fault(
            code="UL102",
            message="`torch.load` with `weights_only=False` runs any code in the file",
            remedy="save a state_dict and pass `weights_only=True`, or list the classes with `torch.serialization.safe_globals`.",
        )
    return None


_PICKLES = (
    "pickle",
    "cPickle",
    "six.moves.cPickle",
    "_pickle",
    "cloudpickle",
    "dill",
    "pickle5",
    "torch.utils.model_zoo.pickle",
)

_PICKLE_READERS = ("pandas.read_pickle", "shelve.open", "shelve.Shelf", "shelve.DbfilenameShelf")
_SOURCES = ("file", "data", "str", "filename", "dict", "filepath_or_buffer")


def pickle_load(call: Call, names: Names) -> Fault | None:
    module, _, function = call.name.rpartition(".")
    if call.name not in _PICKLE_READERS and (module not in _PICKLES or function not in ("load", "loads", "Unpickler")):
        return None
    source = call.args[0] if call.args else next((call.words[word] for word in _SOURCES if word in call.words), None)
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
    if truth(allow) is not True:
        return None
    return Fault(
        code="UL105",
        message="`numpy.load` with `allow_pickle=True` runs any code in the file",
        remedy="save plain arrays (`np.savez` without object arrays) and drop `allow_pickle=True`.",
    )


def keras_load(call: Call, names: Names) -> Fault | None:
    last = call.name.rpartition(".")[2].lstrip("?")
    if last == "enable_unsafe_deserialization" and "keras" in call.name:
        return Fault(
            code="UL109",
            message="`enable_unsafe_deserialization` lets any Keras file run code",
            remedy="drop the call, and register your own layers with `keras.saving.register_keras_serializable`.",
        )
    if truth(call.words.get("safe_mode")) is not False or last not in (
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
    elif call.name == "ruamel.yaml.YAML":
        if literal(call.words.get("typ") or (call.args[0] if call.args else None)) != "unsafe":
            return None
        return Fault(
            code="UL110",
            message='`YAML` of ruamel with `typ="unsafe"` can make any Python object',
            remedy='use `typ="safe"`.',
        )
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
