"""What `identify` says of every file under some folders: counts a kind, time a file, and the hits to look at.

    python benchmarks/sweep_formats.py /usr /opt ~/.pyenv [--list KIND ...] [--suspects]

`--suspects` lists hits whose extension is not one that the kind usually has: where a wrong hit would show.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator

from gatepost.formats import HEAD, TAIL, identify

USUAL = {
    "npy": ".npy", "npz": ".npz", "hdf5": ".h5 .hdf5 .hdf .nc .mat .keras", "matlab": ".mat", "parquet": ".parquet",
    "gzip": ".gz .tgz .svgz .z", "zip": ".zip", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst", "sqlite": ".db .sqlite .sqlite3",
    "onnx": ".onnx", "orc": ".orc", "arrow": ".arrow .feather", "tar": ".tar", "pickle": ".pkl .pickle .p", "netcdf": ".nc",
    "tflite": ".tflite", "safetensors": ".safetensors", "avro": ".avro", "7z": ".7z",
}  # fmt: skip


def walk(root: str) -> Iterator[tuple[str, int]]:
    """(path, size in bytes) of every regular file under a folder, links not followed."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not os.path.ismount(os.path.join(folder, name)))
        for name in files:
            path = os.path.join(folder, name)
            try:
                info = os.lstat(path)
            except OSError:
                continue
            if info.st_mode & 0o170000 == 0o100000:
                yield path, info.st_size


def main(argv: list[str]) -> int:
    listed = {word for word in argv if not word.startswith(("/", "~", ".", "--"))}
    roots = [os.path.expanduser(word) for word in argv if word.startswith(("/", "~", "."))]
    counts: Counter[str] = Counter()
    suspects: dict[str, list[str]] = defaultdict(list)
    files = tails = 0
    spent = worst = 0.0
    worst_path = ""
    for root in roots:
        for path, size in walk(root):
            try:
                handle = open(path, "rb")  # noqa: SIM115
            except OSError:
                continue
            with handle:
                head = handle.read(HEAD)

                def tail(handle: object = handle, size: int = size) -> bytes:
                    nonlocal tails
                    tails += 1
                    handle.seek(max(0, size - TAIL))  # type: ignore[attr-defined]
                    return handle.read(TAIL)  # type: ignore[attr-defined, no-any-return]

                began = time.perf_counter()
                kind = identify(head, size, path, tail)
                took = time.perf_counter() - began
            files += 1
            spent += took
            if took > worst:
                worst, worst_path = took, path
            if kind is None:
                continue
            counts[kind.id] += 1
            usual = USUAL.get(kind.id, "").split()
            if kind.id in listed or not path.lower().endswith(tuple(usual) or ("\0",)):
                suspects[kind.id].append(path)
    for name, count in counts.most_common():
        print(f"{count:7} {name}")
    print(
        f"{files} files, {spent:.1f} s, {spent / max(files, 1) * 1e6:.1f} us a file, {tails} tails, worst {worst * 1e3:.1f} ms"
    )
    print(f"    {worst_path}")
    for name in sorted(suspects):
        if name in listed or "--suspects" in argv:
            print(f"{name}:")
            for path in suspects[name][: 400 if name in listed else 12]:
                print(f"    {path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
