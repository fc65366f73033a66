"""The rules of large-model-files that are about size, place and history; those about content are in codes_content."""

from __future__ import annotations

from gatepost.model import ERROR, INFO, WARNING, Code
from gatepost.rules.large_model_files.codes_content import PICKLES, RUNS

_UNSTAGE = (
    "Unstage it (`git rm --cached -- FILE`, or `git restore --staged -- FILE` for a file that was there before), keep "
    "it in DVC (`dvc add FILE`), in Git LFS (`git lfs track '*.ending'`, then add it again) or on a model hub, and load "
    "it by repository id and revision. `git gc --prune=now` gives the disk space back. A file that must be in git gets "
    "an `allow` entry (path, blob id, reason) or a glob under `limits` in [tool.gatepost.large-model-files]."
)

SIZES: tuple[Code, ...] = (
    Code(
        id="MF101",
        name="large-file",
        severity=ERROR,
        summary="A new or grown file is over its limit (500 KiB unless set otherwise).",
        why="Every version of a file stays in every clone for ever; deleting it later does not help, and rewriting "
        "history breaks every open pull request and every fork. GitHub refuses files over 100 MiB, Hugging Face files "
        "over 10 MiB, both only at the push, when the file is already in a commit. What is measured is the blob in "
        "the index, not the file on disk: a clean filter, an LFS pointer or an unstaged edit changes the one, not the "
        "other. Only new bytes count: a rename, a copy or a mode change of a blob that history holds is free, so is a "
        "grandfathered file that shrinks, or text that grows by less than `growth`. Lock files are exempt.",
        bad="git add recording.wav        # 2.0 MiB",
        good='git lfs track "*.wav" && git add .gitattributes recording.wav',
        fix=_UNSTAGE,
    ),
    Code(
        id="MF102",
        name="model-weights",
        severity=ERROR,
        summary="A file holds model weights, a checkpoint or a pickled model, and is larger than a test fixture.",
        why="Recognised by its bytes, whatever its name: safetensors, GGUF, PyTorch, ONNX, Keras, TensorFlow, pickles "
        "and more. Weights are binary and change wholly with every training step, so every save adds its full size to "
        "history. The limit (`weights-limit`, 100 KiB; `fixture-limit`, 500 KiB, in folders of tests) leaves room for a "
        "scaler or the tiny models of a test suite. A new version "
        "counts even if it is smaller than the one before it.",
        bad="git add checkpoints/step-1000.safetensors",
        good='model = AutoModel.from_pretrained("org/model", revision="3f2a9c1")',
        fix=_UNSTAGE,
    ),
    Code(
        id="MF103",
        name="data-file",
        severity=ERROR,
        summary="A data set, array, database or training log is over its limit.",
        why="Recognised by its bytes: Parquet, Arrow, ORC, Avro, TFRecord, npy, npz, SQLite, DuckDB and more. Such "
        "files do not diff, are rewritten whole, and a later deletion leaves them in history.",
        bad="git add data/train.parquet",
        good="dvc add data/train.parquet && git add data/train.parquet.dvc data/.gitignore",
        fix=_UNSTAGE,
    ),
    Code(
        id="MF104",
        name="split-file",
        severity=ERROR,
        summary="A file was split into parts that are each below the limit.",
        why="`split -b 450k model.bin model.bin.part-` gives parts that every size check passes one by one, and that "
        "cost exactly as much as the whole.",
        bad="git add model.bin.part-*",
        good="dvc add model.bin && git add model.bin.dvc",
        fix=_UNSTAGE,
    ),
    Code(
        id="MF105",
        name="commit-budget",
        severity=ERROR,
        summary="One commit adds more bytes in all than its budget (5 MiB unless set otherwise).",
        why="400 arrays of 100 KiB are 40 MiB, and no limit for a single file sees them. Text up to 64 KiB a file does "
        "not count (a first import of source code is no data set), nor do lock files and LFS pointers.",
        bad="git add data/samples/*.npy   # 400 files of 100 KiB",
        good="dvc add data/samples && git add data/samples.dvc",
        fix="Keep the files in DVC, in Git LFS or on a hub, or raise `commit-budget` in "
        "[tool.gatepost.large-model-files] if all of it belongs in git.",
    ),
    Code(
        id="MF106",
        name="push-budget",
        severity=ERROR,
        summary="One push, or one pull request in CI, adds more bytes in all than its budget (25 MiB unless set).",
        why="Many commits that each keep their budget can still add a data set, one slice a commit.",
        bad="git push   # 100 commits of 1 MiB of images each",
        good="dvc push && git push",
        fix="Take the files out of the commits that brought them (`git rebase -i`), push in parts if all of it belongs "
        "in git, or raise `push-budget` in [tool.gatepost.large-model-files].",
    ),
)

POINTERS: tuple[Code, ...] = (
    Code(
        id="MF111",
        name="lfs-raw-bytes",
        severity=ERROR,
        summary="`filter=lfs` covers a file, but git holds its raw bytes instead of a pointer.",
        why="The attribute only asks for a conversion. Where Git LFS is not installed, where the rule came after the "
        "file, or where a tool writes to the index directly, git takes the raw bytes and says nothing; git-lfs's own "
        "pre-push hook lets them through as well. After that every checkout shows the file as modified. The size does "
        "not matter: a small raw file is as wrong.",
        bad="# *.pt filter=lfs ..., Git LFS not installed\ngit add model.pt        # 2 MiB of raw bytes",
        good="git lfs install && git add --renormalize -- model.pt   # 132 bytes",
        fix="`git lfs install && git add --renormalize -- FILE`",
    ),
    Code(
        id="MF112",
        name="lfs-broken-pointer",
        severity=ERROR,
        summary="A file begins like a Git LFS pointer and is none.",
        why="A pointer has less than 1024 bytes: `version`, `oid sha256:`, `size`, nothing else. With more behind it, "
        "or with a line missing, git-lfs treats it as content: checkouts get the text instead of the file, and what is "
        "behind it is in git for good.",
        bad="version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12",
        good="version https://git-lfs.github.com/spec/v1\noid sha256:<64 hex digits>\nsize 12",
        fix="Put the real file in its place and add it again: `git lfs install && git add --renormalize -- FILE`",
    ),
    Code(
        id="MF113",
        name="lfs-rule-matches-nothing",
        severity=ERROR,
        summary="A `filter=lfs` rule in .gitattributes can match no file.",
        why="`git lfs track large_files/` writes a rule with a trailing slash, which matches the folder itself and "
        "never a file in it (gitattributes(5)); `./data/*.bin` and `!x` match nothing either. The files go into git "
        "raw while everybody believes they are in LFS. A warning while no file is below the folder.",
        bad="large_files/ filter=lfs diff=lfs merge=lfs -text",
        good="large_files/** filter=lfs diff=lfs merge=lfs -text",
        fix="`git lfs untrack 'large_files/' && git lfs track 'large_files/**' && git add --renormalize .`",
    ),
    Code(
        id="MF114",
        name="lfs-object-size",
        severity=ERROR,
        summary="A new Git LFS pointer stands for more than `lfs-limit`, or all of them for more than `lfs-budget`.",
        why="A pointer has 130 bytes in git, but every clone downloads what it stands for, and hosts count both storage "
        "and downloads: GitHub takes files of up to 2 GB (5 GB in its largest plan) and refuses the push only after the "
        "upload. Both settings are off unless set, because large files are what Git LFS is for.",
        bad='# lfs-limit = "2 GB"\ngit add model.safetensors   # a pointer of 6.2 GiB',
        good='model = AutoModel.from_pretrained("org/model", revision="3f2a9c1")',
        fix="Keep it on a hub or in DVC, or raise `lfs-limit` or `lfs-budget` in [tool.gatepost.large-model-files].",
    ),
    Code(
        id="MF121",
        name="dvc-and-git",
        severity=ERROR,
        summary="DVC keeps a file, and git holds it as well.",
        why="`git add -f`, or a `.dvc` file or a stage of `dvc.yaml` that came after the data, puts the bytes in both places; DVC then refuses to "
        "work on them (`output is already tracked by SCM`), and history keeps them. An output with `cache: false` is "
        "meant to be in git and is not reported.",
        bad="git add data.csv data.csv.dvc",
        good="git rm --cached -- data.csv && git add data.csv.dvc .gitignore",
        fix="`git rm -r --cached -- FILE`, then commit the `.dvc` file and the `.gitignore` that DVC wrote.",
    ),
    Code(
        id="MF122",
        name="stale-allow",
        severity=WARNING,
        summary="An `allow` entry names a path or content that is not tracked any more.",
        why="An entry that allows nothing is noise, and one that names other content hides that a fixture changed.",
        bad='allow = [{ path = "tests/tiny.onnx", id = "<id of last year\'s file>", reason = "fixture" }]',
        good='allow = [{ path = "tests/tiny.onnx", id = "<output of git rev-parse :tests/tiny.onnx>", reason = "fixture" }]',
        fix="Delete the entry, or write the id that `git rev-parse :PATH` prints.",
    ),
)

GAPS: tuple[Code, ...] = (
    Code(
        id="MF191",
        name="partial-clone",
        severity=INFO,
        summary="Some blobs are not in this partial clone, so their size is not known.",
        why="Asking git for the size of a blob that is not here would download it, so it is not asked. Such blobs came "
        "from the remote: they are not new.",
        bad="git clone --filter=blob:none URL && pre-commit run large-model-files --all-files",
        good="git clone URL && pre-commit run large-model-files --all-files",
        fix="Run the check of the whole tree in a full clone (CI has one).",
        unchecked=True,
    ),
    Code(
        id="MF192",
        name="shallow-clone",
        severity=ERROR,
        summary="History is cut off inside the range that is judged.",
        why="A file that was added and deleted again before the cut is in the history that is merged, and cannot be "
        "seen here. actions/checkout fetches one commit unless told otherwise.",
        bad="- uses: actions/checkout@v5\n- run: pre-commit run --from-ref origin/main --to-ref HEAD",
        good="- uses: actions/checkout@v5\n  with: { fetch-depth: 0 }\n"
        "- run: pre-commit run --from-ref origin/main --to-ref HEAD",
        fix="`git fetch --unshallow`, or `fetch-depth: 0`.",
        unchecked=True,
    ),
    Code(
        id="MF193",
        name="unknown-ref",
        severity=ERROR,
        summary="The start or end of the range is not in this clone.",
        why="Without both ends there is no telling what is new.",
        bad="pre-commit run --from-ref origin/main --to-ref HEAD   # origin/main was never fetched",
        good="git fetch origin main && pre-commit run --from-ref origin/main --to-ref HEAD",
        fix="`git fetch origin BRANCH`, or `fetch-depth: 0`.",
        unchecked=True,
    ),
)

BROKEN: tuple[Code, ...] = (
    Code(
        id="MF194",
        name="unreadable-object",
        severity=ERROR,
        summary="An object that should be in this repository is missing or broken.",
        why="Its size and content cannot be told, and a commit of it would be broken too. In a partial clone blobs are "
        "left out on purpose, which is MF191; in another clone a file below .git/objects was deleted or damaged.",
        bad="git add big.bin && rm .git/objects/1a/2b3c...",
        good="git fsck --full   # says nothing",
        fix="`git fsck --full` names the object; `git add` the file again, or fetch it from a remote.",
        unchecked=True,
    ),
)

CODES: tuple[Code, ...] = SIZES + POINTERS + GAPS + BROKEN + PICKLES + RUNS
