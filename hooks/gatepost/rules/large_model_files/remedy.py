"""What to do: how to get a file out of the commit, where to keep it instead, how to get the bytes back.

Every command can be pasted into a POSIX shell as it stands.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.formats import Kind
    from gatepost.tree.history import Source, Use

_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./@%+=:,-")
# Endings that say what is in a file, so that one LFS rule may cover them all.
_ENDINGS = """
    .arrow .avro .caffemodel .cbm .ckpt .db .duckdb .engine .feather .ftz .gguf .ggml .h5 .hdf5 .joblib .keras .lance
    .llamafile    .mar .mlmodel .msgpack .nemo .npy .npz .onnx .orc .parquet .pdiparams .pdparams .pickle .pkl .plan .pt .pte .pth
    .ptl .rknn .safetensors .skops .sqlite .tflite .tfrecord .tfrecords .trt .ubj
    .7z .bz2 .gz .tar .tgz .xz .zip .zst .mp3 .mp4 .wav .flac .png .jpg .jpeg .tif .tiff .pdf
"""
_TELLING = frozenset(_ENDINGS.split())


def quote(path: str) -> str:
    """A path as one shell word that any POSIX shell takes (`git filter-branch` hands it to sh): what is printable in
    quotes, control and undecodable bytes by `printf`, whose output the shell takes without newlines at its end."""
    if _plain(path):
        return path
    if path.isprintable():
        return "'" + path.replace("'", "'\\''") + "'"
    return "\"$(printf '" + "".join(map(_escaped, path)) + "')\""


def _escaped(char: str) -> str:
    """A character in a format of printf(1): octal where the shell or the format would take it for more, or a terminal."""
    if char.isprintable() and char not in "\\'%-":
        return char
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogateescape"))


def spec(path: str) -> str:
    """A path as a pathspec of git in one shell word: taken literally, whatever pattern it may look like."""
    return quote(f":(literal){path}" if path[:1] == ":" or set(path) & set("*?[\\") else path)


def _plain(word: str) -> bool:
    return bool(word) and word[0] != "-" and _SAFE.issuperset(word)


def lfs_track(path: str) -> str:
    """The `git lfs track` command that covers a path: by its ending where that tells what the file is."""
    name = path.rpartition("/")[2]
    ending = "." + name.rpartition(".")[2] if "." in name[1:] else ""
    if ending.lower() in _TELLING and _plain(ending):
        return f"git lfs track '*{ending}'"
    return f"git lfs track --filename {'-- ' if path.startswith('-') else ''}{quote(path)}"


def take_out(source: Source, use: Use) -> str:
    """How to get a path out of what is judged."""
    path = spec(use.path)
    if source.kind == "staged":
        if use.old:
            return f"`git restore --staged -- {path}` takes the new version out of the commit."
        return f"`git rm --cached -f -- {path}` takes it out of the commit (the file stays on disk)."
    if source.kind == "tree":
        return (
            f"`git rm --cached -- {path}` takes it out of the next commit; history keeps it until it is rewritten "
            f"(`git filter-repo --invert-paths --path {quote(use.path)}`; then everybody clones again)."
        )
    if not use.commit:
        return "delete the tag or branch that points to it, and push without it."
    short = use.commit[:10]
    branch = getattr(source, "branch", "HEAD")
    if use.old:
        return (
            f"`git rebase -i --rebase-merges {short}^`, mark {short} as `edit`, then `git checkout {short}^ -- {path} && "
            "git commit --amend --no-edit && git rebase --continue`; deleting it in a later commit does not help."
        )
    return (
        "take it out of every commit that is not pushed yet (deleting it in a later commit does not help): "
        f"`git filter-branch --index-filter {quote(f'git rm -q --cached --ignore-unmatch -- {path}')} --prune-empty "
        f"-- {quote(branch)} {' '.join(_nots(source))}`."
    )


def _nots(source: Source) -> list[str]:
    given = getattr(source, "nots", [])
    return ["--not", *(each if each[:2] == "--" else each[:10] for each in given)] if given else []


def instead(path: str, kind: Kind | None) -> str:
    """Where such a file belongs."""
    category = kind.category if kind is not None else ""
    if not path:
        return "A model belongs on a hub, data in DVC or in a data set on a hub."
    track = f"Git LFS (`git lfs install && {lfs_track(path)} && git add .gitattributes {spec(_dashed(path))}`)"
    dvc = f"DVC (`dvc add {quote(_dashed(path))}`)"
    if kind is not None and kind.id in ("tensorrt", "tensorrt-engine"):
        return "An engine fits one GPU and one version: rebuild it from the ONNX model where it runs."
    if category in ("weights", "checkpoint"):
        return f"Keep it on a model hub and load it by repository id and revision, or in {track}, or in {dvc}."
    if category == "pickle":
        return f"Save weights as safetensors or skops, on a model hub or in {track}, or keep it in {dvc}."
    if category in ("dataset", "array", "database"):
        return f"Keep it in {dvc}, as a data set on a hub loaded by id and revision, or in {track}."
    if category == "log":
        return "A training log is output: add its folder to .gitignore."
    return f"Keep it in {track} or in {dvc}, or download it where it is needed."


def _dashed(path: str) -> str:
    return path if not path.startswith("-") else "./" + path


def reclaim(source: Source) -> str:
    """How to get the disk space back."""
    if source.kind != "staged":
        return ""
    return "The bytes are in .git already; `git gc --prune=now` frees them once it is unstaged."
