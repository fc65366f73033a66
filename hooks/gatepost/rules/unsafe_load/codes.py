"""The pages of the codes ULnnn."""

from __future__ import annotations

from gatepost.model import ERROR, INFO, WARNING, Code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatepost.model import Severity

_QUIET = (
    " Not reported in tests, where the test made the file itself; one step lower in examples, notebooks and scripts. A comment that has "
    "told Ruff or bandit of the same thing (`noqa: S301`, `nosec`) counts here too."
)

CODES: tuple[Code, ...] = (
    Code(
        id="UL101",
        name="torch-load",
        severity=WARNING,
        summary="`torch.load` is called without `weights_only`.",
        why="Before torch 2.6 the default was `weights_only=False`: the file is a pickle, and loading it runs any code in it. 51 of 225 AI/ML "
        "repositories call it so, and 28 of them also admit torch < 2.6. What the nearest project declares decides: nothing is reported where "
        "its requirements admit only 2.6 and later, and where only its lock does, it is a note. With a `pickle_module` of one's own the default "
        "stays `weights_only=False` in every torch, so that is always reported." + _QUIET,
        bad='state = torch.load("model.pt")',
        good='state = torch.load("model.pt", weights_only=True)',
        fix="Pass `weights_only=True`, or require `torch>=2.6`.",
    ),
    Code(
        id="UL102",
        name="torch-load-unsafe",
        severity=INFO,
        summary="`torch.load` is called with `weights_only=False`.",
        why="Someone has chosen to run the code in the file. Worth a sentence on where the file comes from." + _QUIET,
        bad='model = torch.load("model.pt", weights_only=False)',
        good='model.load_state_dict(torch.load("model.pt", weights_only=True))',
        fix="Save `model.state_dict()` and load that with `weights_only=True`.",
    ),
    Code(
        id="UL103",
        name="pickle-load",
        severity=WARNING,
        summary="a pickle is loaded.",
        why="A pickle is a program. ruff's S301 sees `pickle`, `dill` and `shelve`; cloudpickle it does not. A literal, and bytes that a `dumps` in the "
        "same module made, are not reported." + _QUIET,
        bad="model = cloudpickle.load(stream)",
        good="model = safetensors.torch.load_file(path)",
        fix="Store data as JSON, safetensors or Parquet.",
    ),
    Code(
        id="UL104",
        name="joblib-load",
        severity=WARNING,
        summary="`joblib.load` is called.",
        why="A joblib file is a pickle; neither ruff nor bandit reports it." + _QUIET,
        bad='model = joblib.load("model.joblib")',
        good='model = skops.io.load("model.skops", trusted=[])',
        fix="Store scikit-learn models with skops or ONNX.",
    ),
    Code(
        id="UL105",
        name="numpy-pickle",
        severity=WARNING,
        summary="`numpy.load` is called with `allow_pickle=True`.",
        why="Object arrays are pickles; NumPy turned them off by default in 1.16.3 (CVE-2019-6446)." + _QUIET,
        bad='data = np.load("data.npy", allow_pickle=True)',
        good='data = np.load("data.npz")',
        fix="Save plain arrays with `np.savez`.",
    ),
    Code(
        id="UL106",
        name="torch-hub",
        severity=WARNING,
        summary="`torch.hub.load` runs the code of a repository that is not pinned.",
        why="It downloads the default branch of a GitHub repository and runs its hubconf.py: whoever can push there runs code here.",
        bad='torch.hub.load("owner/name", "resnet18")',
        good='torch.hub.load("owner/name:<40 hex digits>", "resnet18")',
        fix="Pin to a commit.",
    ),
    Code(
        id="UL107",
        name="remote-code",
        severity=ERROR,
        summary="`trust_remote_code=True` without a pinned revision.",
        why="The model's repository brings its own Python, and its owner can change it at any time. 30 of 225 AI/ML repositories do it, 155 calls. "
        "An error where the hub id is written in the call; a warning where the name is a variable, and in tests and examples. A local path, a "
        "revision held in a variable and `**kwargs` are not reported.",
        bad='AutoModel.from_pretrained("owner/name", trust_remote_code=True)',
        good='AutoModel.from_pretrained("owner/name", trust_remote_code=True, revision="<40 hex digits>")',
        fix="Read the code at one commit, and pin it with `revision=` (for the code alone, `code_revision=`).",
    ),
    Code(
        id="UL108",
        name="unpinned-model",
        severity=INFO,
        summary="a model or data set of a hub is loaded without a pinned revision.",
        why="The result changes when its owner changes it. 762 of 770 calls with a literal id are so: a note, not a fault."
        + _QUIET,
        bad='AutoModel.from_pretrained("owner/name")',
        good='AutoModel.from_pretrained("owner/name", revision="<40 hex digits>")',
        fix="Pass `revision=`.",
    ),
    Code(
        id="UL109",
        name="keras-unsafe-mode",
        severity=WARNING,
        summary="Keras is told to run code from a model file.",
        why="`safe_mode=False` and `enable_unsafe_deserialization()` let Lambda layers in a `.keras` file run any code.",
        bad='keras.models.load_model("model.keras", safe_mode=False)',
        good='keras.models.load_model("model.keras")',
        fix="Register your own layers with `keras.saving.register_keras_serializable` instead.",
    ),
    Code(
        id="UL110",
        name="yaml-load",
        severity=WARNING,
        summary="`yaml.load` with a loader that can make any object.",
        why="`Loader` and `UnsafeLoader` run code from tags such as `!!python/object/apply`; PyYAML 6 refuses a call without a loader."
        + _QUIET,
        bad="yaml.load(stream, Loader=yaml.Loader)",
        good="yaml.safe_load(stream)",
        fix="Use `yaml.safe_load`.",
    ),
    Code(
        id="UL901",
        name="unreadable-python",
        severity=ERROR,
        summary="a file that may hold such calls cannot be read: Python with a fault or too new, or a damaged notebook.",
        why="It could not be looked at, so a load in it would pass. Only files that hold a word such as `trust_remote_code` "
        "or `torch` with `load` are meant; templates (`{{ name }}`, `{% if %}`) and Python 2 are passed over. The hook reads a file with the Python that runs it, so newer syntax needs a newer one.",
        bad="def broken(:",
        good="def mended():",
        fix="See what is wrong with `python3 -m py_compile <file>`; for newer syntax, give the hook a `language_version`.",
        unchecked=True,
    ),
)

SEVERITY: Mapping[str, Severity] = {code.id: code.severity for code in CODES}
