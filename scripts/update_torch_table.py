"""Maintainers: write `hooks/gatepost/data/torch_table.json` again from registry metadata. The hook never does this.

    python scripts/update_torch_table.py            # write
    python scripts/update_torch_table.py --check    # exit 1 if it would change
    python scripts/update_torch_table.py --index https://index.example/simple   # another index

What the simple index and the metadata beside its wheels hold comes from there: releases, companions (Requires-Dist of
the newest Python's wheel), Python tags per platform (wheel names), PyPI's default CUDA (the
nvidia-cuda-runtime or cuda-toolkit requirement), triton. Which builds PyTorch's own index has comes from its project page. A fact that neither holds stays
as it is in the table, or stands in `torch_overlay.json` with a link. Needs the network, and nothing but the standard
library and `packaging`; no wheel is downloaded.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from simple_index import File, Index

DATA = Path(__file__).parents[1] / "hooks" / "gatepost" / "data"
TABLE = DATA / "torch_table.json"
LABELS = ("pypi", "org")
REGISTRY = "https://" + ".".join(LABELS) + "/simple"
BUILDS = "https://download.pytorch.org/whl/torch/"
COMPANIONS = ("torchvision", "torchaudio")
OTHERS = ("xformers", "torchtext", "torchdata", "vllm")
PLATFORMS = (
    ("linux_x86_64", re.compile(r"(?:many)?linux.*x86_64")),
    ("linux_aarch64", re.compile(r"(?:many)?linux.*aarch64")),
    ("macos_arm64", re.compile(r"macosx.*arm64")),
    ("macos_x86_64", re.compile(r"macosx.*x86_64")),
    ("win_amd64", re.compile(r"win_amd64")),
)


def releases(index: Index, name: str) -> dict[str, list[File]]:
    """The wheels of every final release that was not withdrawn."""
    from packaging.version import InvalidVersion, Version

    found: dict[str, list[File]] = {}
    for file in index.files(name):
        try:
            final = bool(file.version) and not Version(file.version).is_prerelease
        except InvalidVersion:
            continue
        if final and not file.yanked:
            found.setdefault(file.version, []).append(file)
    return dict(sorted(found.items(), key=lambda item: Version(item[0])))


def requires(index: Index, files: list[File]) -> list[str]:
    """The Requires-Dist lines of a release: of its Linux wheel for the newest Python, where it has one."""

    def rank(file: File) -> tuple[bool, int]:
        tag = re.search(r"-cp3(\d+)-", file.name)
        return bool(re.search(r"linux.*x86_64|-any\.whl", file.name)), int(tag[1]) if tag else 0

    return index.metadata(max(files, key=rank))


def need(lines: list[str], name: str) -> str:
    """The range on a package, without its build tag, or ""."""
    for line in lines:
        found = re.match(rf"{re.escape(name)}(?![\w.-])\s*\(?\s*([^;)]*)", line)
        if found and "extra ==" not in line:
            return re.sub(r"\+\w+|\s", "", found[1])
    return ""


def pythons(files: list[File]) -> dict[str, str]:
    """Platform -> the Python versions that have a wheel, oldest first."""
    found: dict[str, set[int]] = {}
    for file in files:
        tag = re.search(r"-cp3(\d+)-(?:cp3\d+m?|abi3|none)-(.+)\.whl$", file.name)
        if tag is None:
            continue
        for platform, pattern in PLATFORMS:
            if pattern.search(tag[2]):
                found.setdefault(platform, set()).add(int(tag[1]))
    return {platform: " ".join(f"3.{minor}" for minor in sorted(minors)) for platform, minors in found.items()}


def default_cuda(lines: list[str]) -> str:
    """The CUDA of PyPI's Linux build, or "": `nvidia-cuda-runtime-cu12==12.8.90` -> `cu128`, `cuda-toolkit[...]==13.0.2`
    -> `cu130` (from torch 2.11 on)."""
    wanted = r"(?:nvidia-cuda-runtime(?:-cu\d+)?|cuda-toolkit(?:\[[^\]]*\])?)\s*\(?==\s*(\d+)\.(\d+)"
    found = re.search(wanted, "\n".join(lines))
    return f"cu{found[1]}{found[2]}" if found else ""


def published_builds() -> dict[str, set[str]]:
    """torch version -> build tags on PyTorch's own index; empty where it cannot be reached."""
    try:
        with urllib.request.urlopen(BUILDS, timeout=60) as answer:
            page = answer.read().decode("utf-8", "replace")
    except (urllib.error.URLError, OSError) as error:
        print(f"{BUILDS}: {error}; the build tags stay as they are", file=sys.stderr)
        return {}
    found: dict[str, set[str]] = {}
    for version, tag in re.findall(r"torch-(\d+\.\d+\.\d+)(?:\+|%2B)([a-z]+[\d.]*)-", page):
        found.setdefault(version, set()).add(tag)
    return found


def row(index: Index, version: str, files: list[File], old: list[Any] | None, builds: dict[str, set[str]]) -> list[Any]:
    """One row of the table; what is not in metadata is taken from the old row."""
    lines = requires(index, files)
    tags = builds.get(version, set())
    cuda = " ".join(sorted((tag for tag in tags if tag.startswith("cu")), key=lambda tag: int(tag[2:]))) or (
        old[5] if old else ""
    )
    rocm = " ".join(sorted(tag[4:] for tag in tags if tag.startswith("rocm"))) or (old[7] if old else "")
    unadvertised = "" if tags else (old[6] if old else "")
    return [
        version,
        min((file.uploaded for file in files if file.uploaded), default=old[1] if old else ""),
        "",
        "",
        default_cuda(lines) or (old[4] if old else ""),
        cuda,
        unadvertised,
        rocm,
        need(lines, "triton").lstrip("~="),
        old[9] if old else "lmw",
        pythons(files),
    ]


def build(index: Index, old: dict[str, Any]) -> dict[str, Any]:
    """The table as metadata has it now."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    known = {values[0]: values for values in old["torch"]}
    builds = published_builds()
    made = {version: list(values) for version, values in known.items()}  # what is known stays, published or not
    for version, files in releases(index, "torch").items():
        if Version(version) >= Version("1.0.0") and (version not in known or version in builds):
            made[version] = row(index, version, files, known.get(version), builds)
            if version in known:
                made[version][2:4] = known[version][2:4]
    rows = [made[version] for version in sorted(made, key=Version)]
    ranges = {name: dict(found) for name, found in old["requires"].items()}
    vision = dict(old["torchvision_python"])
    served = {name: releases(index, name) for name in (*COMPANIONS, *OTHERS)}
    for name, found in served.items():
        for version, files in found.items():
            if version not in ranges.setdefault(name, {}) and _after(version, old["requires"].get(name, {})):
                ranges[name][version] = need(requires(index, files), "torch")
            if name == "torchvision" and version not in vision:
                vision[version] = pythons(files)
    before: list[Any] | None = None
    for values in rows:
        for place, name in ((2, "torchvision"), (3, "torchaudio")):
            have = values[place].split()
            last = Version(before[place].split()[-1]) if before and before[place] else Version("0")
            for version, text in ranges[name].items():
                if version in have or version not in served[name]:  # withdrawn
                    continue
                if not text or not SpecifierSet(text).contains(values[0]):
                    continue
                if text.startswith("==") or (values[0] not in known and Version(version) >= last):
                    have.append(version)
            if not have and before:
                have = before[place].split()[-1:]  # a companion without a range goes on with every later torch
            values[place] = " ".join(sorted(have, key=Version))
        before = values
    return {
        **old,
        "generated": dt.date.today().isoformat(),
        "torch": rows,
        "requires": ranges,
        "torchvision_python": vision,
    }


def _after(version: str, known: dict[str, str]) -> bool:
    """Whether a release is newer than all that the table has of a package: older ones were left out on purpose."""
    from packaging.version import Version

    return not known or Version(version) > max(map(Version, known))


def dump(table: dict[str, Any]) -> str:
    """The file's text: a line per row, so that a change can be read."""
    lines = ["{"]
    items = list(table.items())
    for number, (key, value) in enumerate(items):
        end = "," if number < len(items) - 1 else ""
        if key == "torch":
            lines.append(' "torch": [')
            lines += [
                "  " + json.dumps(values, separators=(",", ":")) + ("," if place < len(value) - 1 else "")
                for place, values in enumerate(value)
            ]
            lines.append(" ]" + end)
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}{end}")
    return "\n".join([*lines, "}"]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if the table is out of date")
    parser.add_argument("--index", default=REGISTRY, help="the address of the simple index")
    options = parser.parse_args()
    old = json.loads(TABLE.read_text(encoding="utf-8"))
    try:
        new = build(Index(options.index), old)
    except (urllib.error.URLError, OSError, ValueError) as error:
        print(f"the registry cannot be read: {error}", file=sys.stderr)
        return 3
    if {**new, "generated": old["generated"]} == old:
        print("the table is up to date")
        return 0
    text = dump(new)
    if len(text) > 100 * 1024:
        print(f"{TABLE.name} would have {len(text)} bytes; the limit is 100 KiB", file=sys.stderr)
        return 1
    added = sorted({values[0] for values in new["torch"]} - {values[0] for values in old["torch"]})
    print(f"torch releases added: {', '.join(added) or 'none'}; now run the tests and read the diff")
    if not options.check:
        TABLE.write_text(text, encoding="utf-8")
    return 1 if options.check else 0


if __name__ == "__main__":
    raise SystemExit(main())
