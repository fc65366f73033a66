# mypy: disable-error-code="import-not-found,import-untyped,no-untyped-call,attr-defined,unused-ignore"
"""Recall, false alarms and speed on pickles, beside picklescan in the same run. Nothing is loaded.

python benchmarks/pickles.py          # in an environment with picklescan, and numpy, scikit-learn, pandas, joblib,
                                      # torch, cloudpickle, xgboost, lightgbm as far as they are installed
"""

from __future__ import annotations

import io
import logging
import pickle
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gatepost.formats.pickles import inspect_file
from tests.large_model_files.hostile import BENIGN, EVIL, HOSTILE, PROTO, call, pickled, zipped
from tests.large_model_files.test_pickles import _named


def ours(data: bytes, name: str) -> str:
    return {"danger": "dangerous", "unknown": "unverified", "safe": "clean"}[inspect_file(data, name).verdict]


def picklescan(data: bytes, name: str) -> str:
    """dangerous; unverified (an error, or only suspicious names); clean."""
    from picklescan.scanner import SafetyLevel, scan_bytes  # type: ignore[import-not-found, unused-ignore]

    try:
        result = scan_bytes(io.BytesIO(data), name, "." + name.rpartition(".")[2])
    except Exception:
        return "crash"
    if result.issues_count:
        return "dangerous"
    suspicious = any(each.safety == SafetyLevel.Suspicious for each in result.globals)
    return "unverified" if result.scan_err or suspicious else "clean"


def real() -> dict[str, tuple[bytes, str]]:
    """Benign files made by the libraries that are installed here."""
    made: dict[str, tuple[bytes, str]] = {}
    objects: dict[str, Any] = dict(_named())

    def attempt(make: Callable[[], dict[str, Any]]) -> None:
        try:
            objects.update(make())
        except ImportError as error:
            print(f"left out: {error}")

    attempt(_numpy)
    attempt(_sklearn)
    attempt(_pandas)
    attempt(_boosted)
    attempt(_scipy)
    for title, value in objects.items():
        for protocol in (2, 4):
            made[f"{title}, protocol {protocol}"] = pickle.dumps(value, protocol), "x.pkl"
        try:
            import joblib

            for compress in (0, 3):
                buffer = io.BytesIO()
                joblib.dump(value, buffer, compress=compress)
                made[f"{title}, joblib {compress}"] = buffer.getvalue(), "x.joblib"
        except ImportError:
            pass
    return made


def _numpy() -> dict[str, Any]:
    import numpy as np

    return {
        "numpy floats": np.arange(10.0), "numpy objects": np.array([1, "a", None], dtype=object), "numpy scalar": np.float32(1),
        "numpy strings": np.array(["a", "bc"]), "numpy dates": np.array(["2020-01-01"], dtype="M8[D]"), "numpy Fortran": np.ones((3, 4), order="F"),
        "numpy structured": np.zeros(3, dtype=[("a", "f8"), ("b", "i4")]), "numpy masked": np.ma.masked_array([1, 2], [0, 1]),
        "numpy generator": np.random.default_rng(1), "numpy RandomState": np.random.RandomState(1), "numpy ufunc": np.sin,
        "numpy dtype": np.dtype("f4"), "numpy bool": np.array([True]), "numpy empty": np.empty((0, 3)),
    }  # fmt: skip


def _sklearn() -> dict[str, Any]:
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.compose import ColumnTransformer
    from sklearn.decomposition import PCA
    from sklearn.ensemble import (
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        IsolationForest,
        RandomForestClassifier,
    )
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.mixture import GaussianMixture
    from sklearn.model_selection import GridSearchCV
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    data = np.random.default_rng(1).random((60, 4))
    labels = (data[:, 0] > 0.5).astype(int)
    models = [
        RandomForestClassifier(3), GradientBoostingClassifier(n_estimators=3), HistGradientBoostingClassifier(max_iter=3),
        IsolationForest(n_estimators=3), LogisticRegression(), SGDClassifier(), GaussianNB(), KNeighborsClassifier(algorithm="kd_tree"),
        KNeighborsClassifier(algorithm="ball_tree"), MLPClassifier((3,), max_iter=5), SVC(), DecisionTreeClassifier(), KMeans(2, n_init=1),
        PCA(2), GaussianMixture(2), GaussianProcessRegressor(), make_pipeline(StandardScaler(), LogisticRegression()),
        GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2), ColumnTransformer([("a", StandardScaler(), [0])]), OneHotEncoder(),
    ]  # fmt: skip
    found = {f"sklearn {type(model).__name__} {at}": model.fit(data, labels) for at, model in enumerate(models)}
    return {**found, "sklearn TfidfVectorizer": TfidfVectorizer().fit(["a text", "some words"])}


def _pandas() -> dict[str, Any]:
    import pandas as pd

    return {
        "pandas frame": pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": pd.to_datetime(["2020", "2021"])}),
        "pandas categories": pd.Series(pd.Categorical(["a", "b"])),
        "pandas time index": pd.Series([1, 2], index=pd.date_range("2020", periods=2)),
        "pandas multi index": pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])),
        "pandas nullable": pd.Series([1, None], dtype="Int64"),
        "pandas timestamp": pd.Timestamp("2020"),
    }


def _boosted() -> dict[str, Any]:
    import numpy as np
    from lightgbm import LGBMClassifier
    from xgboost import XGBClassifier

    data = np.random.default_rng(1).random((60, 4))
    labels = (data[:, 0] > 0.5).astype(int)
    return {
        "xgboost": XGBClassifier(n_estimators=2).fit(data, labels),
        "lightgbm": LGBMClassifier(n_estimators=2, verbose=-1).fit(data, labels),
    }


def _scipy() -> dict[str, Any]:
    import scipy.interpolate
    import scipy.sparse
    import scipy.spatial

    return {
        "scipy csr": scipy.sparse.csr_matrix([[1, 0]]),
        "scipy coo": scipy.sparse.coo_array([[1, 0]]),
        "scipy tree": scipy.spatial.cKDTree([[1.0, 2.0]]),
        "scipy interpolation": scipy.interpolate.interp1d([1, 2], [1, 2]),
    }


def main() -> int:
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    judges: dict[str, Callable[[bytes, str], str]] = {"gatepost": ours}
    try:
        import_module("picklescan")
        judges["picklescan"] = picklescan
    except ImportError:
        print("picklescan is not installed: ours alone")
    benign = {**{case: (data, "x.pt" if data[:2] == b"PK" else "x.pkl") for case, data in BENIGN.items()}, **real()}
    hostile = {case: (data, "x.pt" if data[:2] == b"PK" else "x.pkl") for case, data in HOSTILE.items()}
    verdicts: dict[str, dict[str, Counter[str]]] = {}
    for which, corpus in (("hostile", hostile), ("benign", benign)):
        for who, judge in judges.items():
            began = time.perf_counter()
            found = {case: judge(data, name) for case, (data, name) in corpus.items()}
            took = time.perf_counter() - began
            verdicts.setdefault(which, {})[who] = Counter(found.values())
            print(f"{which:8} {len(corpus):4} {who:11} {dict(Counter(found.values()))}  {took:.2f} s")
            wrong = "clean" if which == "hostile" else "dangerous"
            missed = [case for case, verdict in found.items() if verdict == wrong]
            print(
                f"         {'missed' if which == 'hostile' else 'false alarms'}: {len(missed)}: {'; '.join(missed[:12])}"
            )
            if which == "benign" and who == "gatepost":
                print(f"         unverified: {'; '.join(case for case, each in found.items() if each == 'unverified')}")
    heavy = {
        "3 M opcodes": pickled(b"(" + b"K\x01" * 3_000_000 + b"l"),
        "100 MB of bytes": pickle.dumps(bytes(100_000_000), 4),
        "torch zip of 50 MB": zipped({"archive/data.pkl": BENIGN["numpy array"], "archive/data/0": bytes(50_000_000)}),
        "many strings": pickle.dumps([str(number) for number in range(500_000)]),
        "zip bomb of 64 MB": zipped({"a/data.pkl": PROTO + b"N0" * (32 << 20)}, 8),
        "tiny": pickled(call("collections", "OrderedDict")),
    }
    for title, data in heavy.items():
        line = f"{title:22} {len(data):>11} bytes"
        for who, judge in judges.items():
            if who == "picklescan" and "bomb" in title:
                continue  # minutes: it walks all of it
            began = time.perf_counter()
            verdict = judge(data, "x.pt" if data[:2] == b"PK" else "x.pkl")
            line += f"   {who} {(time.perf_counter() - began) * 1e3:9.1f} ms {verdict}"
        print(line)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB (all of the above)")
    assert inspect_file(EVIL).dangers
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
