"""Maintainers: write `hooks/gatepost/data/torch_table.json` again from registry metadata. The hook never does this.

    python scripts/update_torch_table.py            # write
    python scripts/update_torch_table.py --check    # exit 1 if it would change
    python scripts/update_torch_table.py --index https://index.example   # another registry with the same JSON interface

What metadata holds comes from it: releases, companions (Requires-Dist of the newest wheel), Python tags per platform
(wheel names), PyPI's default CUDA (the nvidia-cuda-runtime requirement), triton. Which builds PyTorch's own index has
comes from its project page. A fact that neither holds stays as it is in the table, or stands in `torch_overlay.json`
with a link. Needs the network, and nothing but the standard library and `packaging`.
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

DATA = Path(__file__).parents[1] / "hooks" / "gatepost" / "data"
TABLE = DATA / "torch_table.json"
LABELS = ("pypi", "org")
REGISTRY = "https://" + ".".join(LABELS)
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


def get(url: str) -> Any:
    """A JSON document.

    Raises:
        urllib.error.URLError: the registry cannot be reached, or does not have it.
    """
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError(f"not an address of a registry: {url}")
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 (checked above)
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def releases(registry: str, name: str) -> dict[str, list[dict[str, Any]]]:
    """The files of every final release that was not withdrawn."""
    from packaging.version import InvalidVersion, Version

    found = {}
    for version, files in get(f"{registry}/pypi/{name}/json")["releases"].items():
        try:
            parsed = Version(version)
        except InvalidVersion:
            continue
        kept = [file for file in files if not file.get("yanked")]
        if kept and not parsed.is_prerelease:
            found[version] = kept
    return dict(sorted(found.items(), key=lambda item: Version(item[0])))


def requires(registry: str, name: str, version: str) -> list[str]:
    """The Requires-Dist lines of a release."""
    return list(get(f"{registry}/pypi/{name}/{version}/json")["info"].get("requires_dist") or ())


def need(lines: list[str], name: str) -> str:
    """The range on a package, without its build tag, or ""."""
    for line in lines:
        found = re.match(rf"{re.escape(name)}(?![\w.-])\s*\(?\s*([^;)]*)", line)
        if found and "extra ==" not in line:
            return re.sub(r"\+\w+|\s", "", found[1])
    return ""


def pythons(files: list[dict[str, Any]]) -> dict[str, str]:
    """Platform -> the Python versions that have a wheel, oldest first."""
    found: dict[str, set[int]] = {}
    for file in files:
        tag = re.search(r"-cp3(\d+)-(?:cp3\d+m?|abi3|none)-(.+)\.whl$", file["filename"])
        if tag is None:
            continue
        for platform, pattern in PLATFORMS:
            if pattern.search(tag[2]):
                found.setdefault(platform, set()).add(int(tag[1]))
    return {platform: " ".join(f"3.{minor}" for minor in sorted(minors)) for platform, minors in found.items()}


def default_cuda(lines: list[str]) -> str:
    """The CUDA of PyPI's Linux build: `nvidia-cuda-runtime-cu12==12.8.90` -> `cu128`, or ""."""
    found = re.search(r"nvidia-cuda-runtime(?:-cu\d+)?\s*\(?==\s*(\d+)\.(\d+)", "\n".join(lines))
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


def row(
    registry: str, version: str, files: list[dict[str, Any]], old: list[Any] | None, builds: dict[str, set[str]]
) -> list[Any]:
    """One row of the table; what is not in metadata is taken from the old row."""
    lines = requires(registry, "torch", version)
    tags = builds.get(version, set())
    cuda = " ".join(sorted((tag for tag in tags if tag.startswith("cu")), key=lambda tag: int(tag[2:]))) or (
        old[5] if old else ""
    )
    rocm = " ".join(sorted(tag[4:] for tag in tags if tag.startswith("rocm"))) or (old[7] if old else "")
    unadvertised = "" if tags else (old[6] if old else "")
    return [
        version,
        files[0]["upload_time"][:10],
        "",
        "",
        default_cuda(lines) or (old[4] if old else ""),
        cuda,
        unadvertised,
        rocm,
        need(lines, "triton").lstrip("="),
        old[9] if old else "lmw",
        pythons(files),
    ]


def build(registry: str, old: dict[str, Any]) -> dict[str, Any]:
    """The table as metadata has it now."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    known = {values[0]: values for values in old["torch"]}
    builds = published_builds()
    made = {version: list(values) for version, values in known.items()}  # what is known stays, published or not
    for version, files in releases(registry, "torch").items():
        if Version(version) >= Version("1.0.0") and (version not in known or version in builds):
            made[version] = row(registry, version, files, known.get(version), builds)
            if version in known:
                made[version][2:4] = known[version][2:4]
    rows = [made[version] for version in sorted(made, key=Version)]
    ranges = {name: dict(found) for name, found in old["requires"].items()}
    for name in (*COMPANIONS, *OTHERS):
        for version in releases(registry, name):
            if version not in ranges.setdefault(name, {}):
                ranges[name][version] = need(requires(registry, name, version), "torch")
    before: list[Any] | None = None
    for values in rows:
        for place, name in ((2, "torchvision"), (3, "torchaudio")):
            have = values[place].split()
            last = Version(before[place].split()[-1]) if before and before[place] else Version("0")
            for version, text in ranges[name].items():
                if version in have or not text or not SpecifierSet(text).contains(values[0]):
                    continue
                if text.startswith("==") or (values[0] not in known and Version(version) >= last):
                    have.append(version)
            if not have and before:
                have = before[place].split()[-1:]  # a companion without a range goes on with every later torch
            values[place] = " ".join(sorted(have, key=Version))
        before = values
    return {**old, "generated": dt.date.today().isoformat(), "torch": rows, "requires": ranges}


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
    parser.add_argument("--index", default=REGISTRY, help="the registry's address")
    options = parser.parse_args()
    old = json.loads(TABLE.read_text(encoding="utf-8"))
    try:
        new = build(options.index.rstrip("/"), old)
    except (urllib.error.URLError, OSError) as error:
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
