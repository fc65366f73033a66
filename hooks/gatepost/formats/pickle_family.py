"""Pickles by content: protocols 0 to 5, PyTorch's old format, joblib, and which library they are of.

Protocols 2 to 5 begin with a byte that text cannot begin with; 0 and 1 have no magic at all, so they must be
followed (`pickle_machine`) to STOP at the very end, or carry a pickle's extension and follow its grammar.
"""

from __future__ import annotations

import re

from gatepost.formats.kind import ARRAY, CHECKPOINT, DATASET, PICKLE, WEIGHTS, Kind, u64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.formats.pickle_machine import Walk

EXTENSIONS = (".pkl", ".pickle", ".pck", ".pcl", ".p", ".dill", ".joblib", ".pdparams", ".pdopt", ".sav", ".npy")
LOADED = (*EXTENSIONS, ".pt", ".pth", ".ckpt", ".bin", ".model", ".dat", ".th", ".ptl")
# torch.serialization.MAGIC_NUMBER, 0x1950a86a20f9469cfc6c, as LONG1
TORCH_MAGIC = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
LOOKS_TEXT = re.compile(
    rb"\((?:[dl]p?\d*\n|[dlic(])|c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n|[}\])]q\x00|[}\]][q(]|\(dp|\(lp"
)
PUT = re.compile(rb"p\d+\r?\n")  # what a pickler writes behind every object of protocol 0

LIBRARIES = {
    "sklearn": ("sklearn-pickle", "a scikit-learn model (pickle)", WEIGHTS),
    "torch": ("torch-pickle", "a PyTorch object (pickle)", WEIGHTS),
    "gensim": ("gensim", "a gensim model (pickle)", WEIGHTS),
    "xgboost": ("xgboost-pickle", "an XGBoost model (pickle)", WEIGHTS),
    "lightgbm": ("lightgbm-pickle", "a LightGBM model (pickle)", WEIGHTS),
    "catboost": ("catboost-pickle", "a CatBoost model (pickle)", WEIGHTS),
    "paddle": ("paddle-pickle", "Paddle parameters (pickle)", WEIGHTS),
    "tensorflow": ("tensorflow-pickle", "a TensorFlow object (pickle)", WEIGHTS),
    "keras": ("keras-pickle", "a Keras model (pickle)", WEIGHTS),
    "jax": ("jax-pickle", "JAX arrays (pickle)", WEIGHTS),
    "flax": ("flax-pickle", "a Flax object (pickle)", WEIGHTS),
    "spacy": ("spacy-pickle", "a spaCy object (pickle)", WEIGHTS),
    "fastai": ("fastai-pickle", "a fastai learner (pickle)", WEIGHTS),
    "pandas": ("pandas-pickle", "a pandas table (pickle)", DATASET),
    "numpy": ("numpy-pickle", "NumPy arrays (pickle)", ARRAY),
}


def identify(head: bytes, size: int, name: str) -> Kind | None:
    """What kind of pickle this is, or None if it is none."""
    lower = name.lower()
    agrees = lower.endswith(EXTENSIONS)
    binary = head[0] == 0x80
    if binary:
        if TORCH_MAGIC in head[:32]:
            return Kind(
                id="torch-legacy",
                label="a PyTorch checkpoint (before 1.6)",
                category=CHECKPOINT,
                evidence="torch's magic number as a pickle",
                pickle=True,
            )
        if not 1 <= head[1] <= 5 or (head[2:3] == b"\x95" and u64(head, 3) > size - 11):
            return None
    elif (
        not lower.endswith(LOADED)
        and not LOOKS_TEXT.match(head)
        and not (size <= len(head) and head.rstrip(b"\r\n ").endswith(b"."))
    ):
        return None
    from gatepost.formats.pickle_machine import Walk
    from gatepost.formats.pickle_values import Budget

    walk = Walk(head, 0, len(head), Budget(opcodes=20_000), {}).run()
    if walk.reach > size:
        return None
    cut = walk.error in ("truncated", "limit") and size > len(head)
    if binary:
        good = (not walk.error and walk.ops >= 3) or (cut and (walk.ops >= 4 or walk.reach > size - 64))
        good = good or (walk.ops >= 8 and b"NumpyArrayWrapper" in head)
    elif walk.error == "":
        at_end = head[walk.end :].strip(b"\r\n ") == b"" and size <= len(head)
        good = walk.ops >= 3 and (agrees or (at_end and (bool(walk.names) or walk.ops >= 5) and _has_grammar(head)))
    else:
        good = cut and (walk.ops >= 8 if agrees else walk.ops >= 200 and bool(walk.text_ops) and _is_told(head, walk))
    if not good and (binary or lower.endswith(LOADED)):
        good = any(use.called for use in walk.names.values())  # whatever comes later, that much is run
    if not good:
        return None
    protocol = head[1] if binary else 0 if walk.text_ops else 1
    evidence = f"a pickle's opcodes (protocol {protocol})"
    tops = {module.partition(".")[0] for module, _ in walk.names}
    tops.discard("")
    if lower.endswith((".pdparams", ".pdopt")):
        tops.add("paddle")
    found = next((LIBRARIES[top] for top in LIBRARIES if top in tops), None)
    if "joblib" in tops:
        category = found[2] if found else PICKLE
        label = found[1].replace("(pickle)", "(joblib)") if found else "a joblib file"
        return Kind(id="joblib", label=label, category=category, evidence=evidence, pickle=True)
    if found:
        return Kind(id=found[0], label=found[1], category=found[2], evidence=evidence, pickle=True)
    return Kind(id="pickle", label="a pickle", category=PICKLE, evidence=evidence, pickle=True)


def _is_told(head: bytes, walk: Walk) -> bool:
    """Whether text in sight of its beginning only is a pickle: words in `c` by the line are imports to the machine."""
    return bool(PUT.search(head[:256])) or any(use.called for use in walk.names.values())


def _has_grammar(head: bytes) -> bool:
    """Whether a file that only its opcodes show is more than a few letters that happen to be opcodes."""
    return bool(re.search(rb"\n|q.|[\x00-\x08]", head[:512]))
