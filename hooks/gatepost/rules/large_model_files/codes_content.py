"""The rules of large-model-files that are about content: pickles that run code, notebooks, folders of runs."""

from __future__ import annotations

from gatepost.model import ERROR, Code

PICKLES: tuple[Code, ...] = (
    Code(
        id="MF301",
        name="pickle-runs-code",
        severity=ERROR,
        summary="Loading this file runs code: its pickle imports or calls something dangerous.",
        why="A pickle is a program. `pickle.load`, `torch.load` without `weights_only=True`, `joblib.load` and "
        "`numpy.load(allow_pickle=True)` run it. The file was followed opcode by opcode without being loaded: names "
        "from GLOBAL, INST and STACK_GLOBAL (with memoised strings), what getattr chains reach, calls of what a call "
        "returned, changes to imported objects, pickles inside strings, base64, zips with false headers. Denylists "
        "had to learn of pip.main, uuid, imaplib, _osx_support and more one by one; here a function of the standard "
        "library that is called and is not known to be harmless counts as dangerous.",
        bad="model.pkl: GLOBAL os system, REDUCE",
        good="model.safetensors",
        fix="Do not load it. Unstage it, find out where it came from, and get the weights as safetensors. If it is a "
        "test of your own scanner, give it an `allow` entry (path, blob id, reason).",
    ),
    Code(
        id="MF302",
        name="pickle-unverified",
        severity=ERROR,
        summary="Whether loading this pickle runs code could not be told.",
        why="It imports names that are neither known to be harmless (torch's rebuild functions, numpy, pandas, "
        "collections, scikit-learn's estimators, classes of this repository) nor dangerous, or it is cut off, broken, or "
        "too large to be followed to its end. Loading it imports those modules and calls them with the file's arguments.",
        bad="model.pkl: imports somelib.wrappers.Net",
        good='[tool.gatepost.large-model-files]\npickle-trusted = ["somelib.wrappers.*"]',
        fix="Look at the names. List those you trust under `pickle-trusted` (globs over `module.name`), or save the "
        "object in a form that cannot run code: safetensors, ONNX, skops, npz without objects, JSON. "
        "`python -m pickletools FILE` prints a plain pickle's opcodes without loading it.",
        certainty="heuristic",
        unchecked=True,
    ),
    Code(
        id="MF303",
        name="pickle-flagged",
        severity=ERROR,
        summary="picklescan, if it is installed, finds a dangerous import that the check of its own does not know.",
        why="A second opinion: `pip install picklescan` (Python 3.11 or later; under a runner, "
        "`additional_dependencies: [picklescan]`), whose list of dangerous modules grows with every advisory. Names that "
        "are known to be harmless here (`uuid.UUID`, `functools.partial` of a harmless function) are left out.",
        bad="model.pkl: imports a module that picklescan lists",
        good="model.safetensors",
        fix="Do not load it before you have read what it imports. Unstage it, or get the weights as safetensors.",
        certainty="heuristic",
    ),
)

RUNS: tuple[Code, ...] = (
    Code(
        id="MF401",
        name="heavy-notebook",
        severity=ERROR,
        summary="A notebook is over its limit because of its outputs.",
        why="Pictures and tables of a run are stored in the notebook as base64 and HTML, and change wholly with every "
        "run. In 225 repositories 76 % of the oversized versions of notebooks came in as modifications of a small one. "
        "The notebook's code is seldom more than a few KiB.",
        bad="train.ipynb, 2.1 MiB, of which 2.0 MiB are outputs",
        good="train.ipynb, 14 KiB, outputs cleared",
        fix="`jupyter nbconvert --clear-output --inplace FILE && git add FILE`, or `nbstripout --install` once, which "
        "keeps outputs on disk and out of git.",
    ),
    Code(
        id="MF411",
        name="run-directory",
        severity=ERROR,
        summary="The output of training runs is in git: mlruns/, wandb/run-*, lightning_logs/, tfevents files.",
        why="Every run adds files, among them checkpoints, and no two clones agree on them. Only the trackers' own "
        "shapes count, and not below folders of tests and fixtures.",
        bad="git add wandb/run-20240301_101010-ab12cd34/files/output.log",
        good="wandb/   # in .gitignore",
        fix="`git rm -r --cached -q -- wandb && echo wandb/ >> .gitignore && git add .gitignore`; the files stay on disk.",
    ),
    Code(
        id="MF412",
        name="virtual-environment",
        severity=ERROR,
        summary="A virtual or conda environment is in git.",
        why="It holds absolute paths and compiled libraries of one machine (libtorch_cpu alone has 400 MB and is "
        "refused by every host); a lock file says the same in a few KiB.",
        bad="git add .venv",
        good="/.venv/   # in .gitignore",
        fix="`git rm -r --cached -q -- .venv && echo /.venv/ >> .gitignore && git add .gitignore`.",
    ),
    Code(
        id="MF413",
        name="cache-directory",
        severity=ERROR,
        summary="Files that an interpreter or a tool makes again are in git: __pycache__, .ipynb_checkpoints, caches.",
        why="They change with every run and Python version, and autosaved notebooks bring their outputs along.",
        bad="git add src/__pycache__/model.cpython-311.pyc",
        good="__pycache__/   # in .gitignore",
        fix="`git rm -r --cached -q -- FOLDER && echo __pycache__/ >> .gitignore && git add .gitignore`.",
    ),
)
