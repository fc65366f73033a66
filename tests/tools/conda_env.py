"""Make a conda environment with rattler, the library behind pixi: a channel of two packages, solved and installed as from any other.

    python conda_env.py CHANNEL PREFIX WHEEL

`python` is this interpreter's base with its library, `iniconfig` is what the wheel holds. Run by a Python that has py-rattler.
"""

import asyncio
import io
import json
import sys
import tarfile
import zipfile
from importlib import import_module
from pathlib import Path

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
LEFT_OUT = {"test", "tests", "site-packages", "idlelib", "tkinter", "ensurepip", "lib2to3", "turtledemo", "__pycache__"}


def package(
    folder: Path, name: str, version: str, files: dict[str, bytes], links: dict[str, str], depends: list[str]
) -> None:
    """A conda package (version 1, .tar.bz2) of files by their path in the environment."""
    index = {
        "name": name,
        "version": version,
        "build": "0",
        "build_number": 0,
        "depends": depends,
        "subdir": "linux-64",
    }
    paths = [{"_path": each, "path_type": "hardlink"} for each in files]
    paths += [{"_path": each, "path_type": "softlink"} for each in links]
    files = {
        **files,
        "info/index.json": json.dumps(index).encode(),
        "info/files": "\n".join([*files, *links]).encode(),
        "info/paths.json": json.dumps({"paths_version": 1, "paths": paths}).encode(),
    }
    with tarfile.open(folder / f"{name}-{version}-0.tar.bz2", "w:bz2", compresslevel=1) as tar:
        for each, data in files.items():
            info = tarfile.TarInfo(each)
            info.size, info.mode = len(data), 0o755 if each.startswith("bin/") else 0o644
            tar.addfile(info, io.BytesIO(data))
        for each, target in links.items():
            info = tarfile.TarInfo(each)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)


def python_files() -> dict[str, bytes]:
    base = Path(sys.base_prefix)
    library = base / "lib" / f"python{VERSION}"
    found = [base / "bin" / f"python{VERSION}", *(base / "lib").glob("libpython*")]
    for path in library.rglob("*"):
        parts = path.relative_to(library).parts
        if path.is_file() and not LEFT_OUT & set(parts) and not parts[0].startswith("config-"):
            found.append(path)
    return {path.relative_to(base).as_posix(): path.read_bytes() for path in found}


async def main(channel: Path, prefix: Path, wheel: Path) -> None:
    rattler, index = import_module("rattler"), import_module("rattler.index")
    folder = channel / "linux-64"
    folder.mkdir(parents=True)
    (channel / "noarch").mkdir()
    links = {"bin/python": f"python{VERSION}", "bin/python3": f"python{VERSION}"}
    package(folder, "python", f"{VERSION}.0", python_files(), links, [])
    with zipfile.ZipFile(wheel) as archive:
        files = {f"lib/python{VERSION}/site-packages/{each}": archive.read(each) for each in archive.namelist()}
    package(folder, "iniconfig", "2.3.0", files, {}, ["python"])
    await index.index_fs(channel, force=True)
    records = await rattler.solve([rattler.Channel(channel.as_uri())], ["iniconfig"], platforms=["linux-64"])
    await rattler.install(records, target_prefix=prefix, cache_dir=channel / "cache")


if __name__ == "__main__":
    asyncio.run(main(*(Path(each).absolute() for each in sys.argv[1:4])))
