"""Lock files: only what they say about PyTorch, found by scanning the text.

A uv.lock of 300 packages is 0.5 MB of TOML; parsing it whole costs more than all rules together. The blocks of the
PyTorch family, and of whatever else comes from PyTorch's index, are found by their first lines and read alone.
Formats: uv.lock 1, poetry.lock 1.x and 2.x, pdm.lock 4, pylock.toml 1.0 (PEP 751), Pipfile.lock 6, conda-lock 1, pixi.lock 5-6.
"""

from __future__ import annotations

import re

from gatepost.model import Location
from gatepost.patterns import pattern
from gatepost.rules.torch_source import paths, urls
from gatepost.rules.torch_source.model import EXTENDED, Lock, Locked, fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LIMIT = 64 * 1024 * 1024
_NAMES = EXTENDED | {"numpy"}
_WANTED = "|".join(sorted((name.replace("-", "[-_.]") for name in _NAMES), key=len, reverse=True))
_BLOCK = rf'^\[\[packages?\]\]\r?\n(?:[ \t]*\r?\n)*name *= *"((?i:{_WANTED}))"\r?$'
_NEXT = pattern(r"^\[\[|^\[(?!package)", re.MULTILINE)
_STRANGER = pattern(
    r'^name *= *"([^"]+)"\r?\nversion *= *"([^"]+)"\r?\nsource *= *\{ *registry *= *"(https?://download(?:-r2)?\.pytorch\.org[^"]*)" *\}',
    re.MULTILINE,
)
_STRANGER_POETRY = pattern(
    r'^\[package\.source\]\r?\ntype = "legacy"\r?\nurl = "(https?://download(?:-r2)?\.pytorch\.org[^"]*)"', re.MULTILINE
)
_STRING = pattern(r'^(\w[\w-]*) *= *"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_FILE = pattern(r'\{\s*(?:name = "[^"]*",\s*)?(?:url|file) *= *"([^"]+)"')


def text_of(data: bytes) -> str:
    return data[:LIMIT].decode("utf-8", "replace")


def blocks(text: str) -> list[tuple[str, int, str]]:
    """(name, offset, text) of each package block of the PyTorch family."""
    found = []
    for name, start in sorted(_starts(text), key=lambda item: item[1]):
        stop = _NEXT.search(text, start + 12)
        found.append((name, start, text[start : stop.start() if stop else len(text)]))
    return found


def _starts(text: str) -> list[tuple[str, int]]:
    """(name, offset of `[[package]]`) of the family's blocks. As tools write them, a plain search finds them."""
    if '\nname = "' not in text:
        return [(fold(match[1]), match.start()) for match in re.finditer(_BLOCK, text, re.MULTILINE)]
    found = []
    at = text.find('\nname = "')
    while at >= 0:
        name = text[at + 9 : text.find('"', at + 9)]
        if name in _NAMES:
            start = text.rfind("\n", 0, at) + 1
            if text[start:at].rstrip() in ("[[package]]", "[[packages]]"):
                found.append((fold(name), start))
        at = text.find('\nname = "', at + 9)
    return found


def line_at(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _whole(text: str, name: str) -> None:
    """Raises: ValueError: merge conflict markers, or a lock that is not written as its tool writes it."""
    if "\n<<<<<<< " in text or "\n>>>>>>> " in text:
        raise ValueError("it holds the marks of a merge conflict")
    if "[[package" not in text and re.search(r"(?m)^packages?\s*=\s*\[\s*\{", text):
        raise ValueError(f"it is not laid out as {name} lays it out")


def _version(fields: dict[str, str], name: str) -> str:
    """Raises: ValueError: an entry without a version, as in a file that was cut off."""
    if not fields.get("version"):
        raise ValueError(f"its entry of {name} has no version")
    return fields["version"]


def uv(path: str, data: bytes) -> Lock:
    text = text_of(data)
    _whole(text, "uv")
    entries = []
    for name, at, block in blocks(text):
        fields = dict(_STRING.findall(block))
        source = re.search(r'^source *= *\{ *(\w+) *= *"([^"]*)"', block, re.MULTILINE)
        kind, origin = (source[1], source[2]) if source else ("", "")
        version = fields.get("version", "") if kind not in ("", "registry") else _version(fields, name)
        resolution = re.search(r"^resolution-markers *= *\[(.*?)^\]", block, re.MULTILINE | re.DOTALL)
        forks = (
            [found.replace('\\"', '"') for found in re.findall(r'"((?:[^"\\]|\\.)*)"', resolution[1])]
            if resolution
            else []
        )
        entries.append(
            Locked(
                name=name,
                version=version,
                where=Location(path=path, line=line_at(text, at) + 1),
                origin="" if urls.is_pypi(origin) else origin,
                known=kind == "registry",
                files=tuple(_FILE.findall(block)),
                marker=" or ".join(f"({fork})" for fork in forks),
            )
        )
    strangers = []
    at = text.find(".pytorch.org")
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        if text.startswith("source", start):
            head = text.rfind("[[package]]", 0, start)
            match = _STRANGER.search(text, head, text.find("\n", start) + 1 or len(text))
            if match is not None:
                strangers.append(
                    Locked(
                        name=fold(match[1]),
                        version=match[2],
                        origin=match[3],
                        where=Location(path=path, line=line_at(text, match.start())),
                    )
                )
        at = text.find(".pytorch.org", text.find("\n", at) if text.find("\n", at) >= 0 else len(text))
    return Lock(path=path, format="uv.lock", entries=tuple(entries), strangers=tuple(strangers))


def poetry(path: str, data: bytes) -> Lock:
    text = text_of(data)
    _whole(text, "Poetry")
    entries = []
    for name, at, block in blocks(text):
        head, _, source = block.partition("[package.source]")
        fields = dict(_STRING.findall(head.split("\n[package.")[0]))
        origin = dict(_STRING.findall(source.split("\n[")[0])) if source else {}
        groups = re.search(r"^groups *= *\[([^\]]*)\]", head, re.MULTILINE)
        marker = fields.get("markers", "").replace('\\"', '"')
        table = re.search(r"^markers *= *\{(.*)\}", head, re.MULTILINE)
        if table is not None:
            found = re.findall(r'= "((?:[^"\\]|\\.)*)"', table[1])
            listed = [part.strip(' "') for part in groups[1].split(",")] if groups else []
            marker = " or ".join(f"({item})".replace('\\"', '"') for item in found) if len(found) >= len(listed) else ""
        entries.append(
            Locked(
                name=name,
                version=fields.get("version", ""),
                where=Location(path=path, line=line_at(text, at) + 1),
                origin=origin.get("url", ""),
                reference=origin.get("reference", ""),
                known=origin.get("type", "legacy") == "legacy",
                files=tuple(_FILE.findall(block)),
                marker=marker,
                groups=tuple(part.strip(' "') for part in groups[1].split(",") if part.strip()) if groups else (),
            )
        )
    strangers = []
    for match in _STRANGER_POETRY.finditer(text):
        start = text.rfind("[[package]]", 0, match.start())
        fields = dict(_STRING.findall(text[start : match.start()].split("\n[package.")[0]))
        strangers.append(
            Locked(
                name=fold(fields.get("name", "")),
                version=fields.get("version", ""),
                where=Location(path=path, line=line_at(text, start) + 1),
                origin=match[1],
            )
        )
    generator = re.match(r"# This file is automatically @generated by Poetry ([\d.]+)", text)
    return Lock(
        path=path,
        format="poetry.lock",
        entries=tuple(entries),
        strangers=tuple(strangers),
        generator=generator[1] if generator else "",
    )


def pdm(path: str, data: bytes) -> Lock:
    text = text_of(data)
    _whole(text, "PDM")
    entries = []
    for name, at, block in blocks(text):
        fields = dict(_STRING.findall(block))
        files = tuple(_FILE.findall(block))
        hosts = {url for file in files if "://" in file and (url := file.rsplit("/", 1)[0])}
        official = [urls.split(host) for host in hosts]
        origin = ""
        if official and all(url.official for url in official):
            origin = (
                f"https://download.pytorch.org/whl/{official[0].build}"
                if official[0].build
                else "https://download.pytorch.org/whl"
            )
        entries.append(
            Locked(
                name=name,
                version=fields.get("version", ""),
                where=Location(path=path, line=line_at(text, at) + 1),
                origin=origin,
                known=bool(hosts),
                files=files,
                marker=fields.get("marker", "").replace('\\"', '"'),
                groups=tuple(re.findall(r'"([^"]+)"', found[1]))
                if (found := re.search(r"^groups *= *\[([^\]]*)\]", block, re.MULTILINE))
                else (),
            )
        )
    return Lock(path=path, format="pdm.lock", entries=tuple(entries))


def pylock(path: str, data: bytes) -> Lock:
    text = text_of(data)
    _whole(text, "PEP 751's tools")
    entries = []
    strangers = []
    for name, at, block in blocks(text):
        fields = dict(_STRING.findall(block))
        files = tuple(re.findall(r'url *= *"([^"]+)"', block))
        origin = fields.get("index", "")
        if not origin and files and all(urls.split(file).official for file in files):
            parts = urls.split(files[0])
            origin = (
                f"https://download.pytorch.org/whl/{parts.build}" if parts.build else "https://download.pytorch.org/whl"
            )
        entries.append(
            Locked(
                name=name,
                version=fields.get("version", ""),
                where=Location(path=path, line=line_at(text, at) + 1),
                origin="" if urls.is_pypi(origin) else origin,
                known=bool(origin or files),
                files=files,
                marker=fields.get("marker", "").replace('\\"', '"'),
            )
        )
    for match in re.finditer(
        r'^name = "([^"]+)"\r?\nversion = "([^"]+)"\r?\n(?:marker = .*\r?\n)?index = "(https?://download[^"]*pytorch\.org[^"]*)"',
        text,
        re.MULTILINE,
    ):
        strangers.append(
            Locked(
                name=fold(match[1]),
                version=match[2],
                where=Location(path=path, line=line_at(text, match.start())),
                origin=match[3],
            )
        )
    by = re.search(r'(?m)^created-by *= *"([^"]*)"', text)
    return Lock(
        path=path,
        format="pylock.toml",
        entries=tuple(entries),
        strangers=tuple(strangers),
        generator=by[1] if by else "",
    )


def pipenv(path: str, data: bytes) -> Lock:
    """Raises: ValueError: not JSON of the expected shape."""
    import json

    try:
        document: Any = json.loads(data[:LIMIT])
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    text = text_of(data)
    meta = document.get("_meta")
    listed = meta.get("sources") if isinstance(meta, dict) else None
    sources = tuple(
        (str(item.get("name", "")), str(item.get("url", "")))
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, dict)
    )
    by_name = dict(sources)
    entries, strangers = [], []
    for section, items in document.items():
        if section == "_meta" or not isinstance(items, dict):
            continue
        for name, item in items.items():
            if not isinstance(item, dict):
                continue
            index = str(item.get("index") or "")
            origin = by_name.get(index, "") if index else ""
            official = urls.split(origin).official
            if fold(name) not in EXTENDED and fold(name) != "numpy" and not official:
                continue
            at = text.find(f'"{name}"')
            entry = Locked(
                name=fold(name),
                version=str(item.get("version") or "").lstrip("="),
                where=Location(path=path, line=line_at(text, at) if at >= 0 else None),
                origin="" if urls.is_pypi(origin) else origin,
                reference=index,
                known=not index or index in by_name,
                marker=str(item.get("markers") or ""),
                groups=(section,),
            )
            entries.append(entry)
            if official:
                strangers.append(entry)
    return Lock(path=path, format="Pipfile.lock", entries=tuple(entries), strangers=tuple(strangers), sources=sources)


# What conda calls torch; `torch` itself is pip's.
_CONDA_NAMES = r"pytorch|torchvision|torchaudio|libtorch|torch"
_CONDA_ENTRY = pattern(rf"^- name: ({_CONDA_NAMES})\r?\n((?:^  .*\r?\n)*)", re.MULTILINE)
_PIXI_CONDA = pattern(
    r"conda: (\S+/)(pytorch|torchvision|torchaudio|libtorch)-([^-\s]+)-([^-\s]+?)\.(?:conda|tar\.bz2)$"
)
_PIXI_PIP = pattern(r"pypi: (\S+/)(torch|torchvision|torchaudio)-([^-\s]+)-\S+\.whl$")


def conda_lock(path: str, data: bytes) -> Lock:
    """conda-lock's unified lock: `reference` of an entry is its manager (conda or pip), its group the platform."""
    text = text_of(data)
    entries = []
    for match in _CONDA_ENTRY.finditer(text):
        fields = dict(re.findall(r"^  (\w+): (.*?)\r?$", match[2], re.MULTILINE))
        url = fields.get("url", "")
        build = re.search(r"-([^-]+?)\.(?:conda|tar\.bz2)$", url)
        entries.append(
            Locked(
                name=match[1],
                version=fields.get("version", "").strip("'\""),
                where=Location(path=path, line=line_at(text, match.start())),
                origin=url.rsplit("/", 2)[0],
                reference=fields.get("manager", "conda"),
                files=(url,),
                conda_build=build[1] if build else "",
                marker="",
                groups=(fields.get("platform", ""),),
            )
        )
    return Lock(path=path, format="conda-lock", entries=tuple(entries))


def pixi(path: str, data: bytes) -> Lock:
    """pixi's lock: one entry for each environment and platform that installs the package (groups: environment, platform)."""
    text = text_of(data)
    entries = []
    environment = platform = ""
    inside = False
    for number, row in enumerate(text.splitlines(), 1):
        if row[:1].strip():
            inside = row.startswith("environments:")
            continue
        if not inside:
            continue
        plain = row.strip()
        indent = len(row) - len(row.lstrip())
        if plain.startswith("- "):
            if "torch" not in plain:
                continue
            conda = _PIXI_CONDA.search(plain)
            match = conda or _PIXI_PIP.search(plain)
            if match is not None:
                entries.append(
                    Locked(
                        name=match[2],
                        version=match[3].replace("%2B", "+"),
                        where=Location(path=path, line=number),
                        origin=match[1],
                        reference="conda" if conda else "pip",
                        conda_build=match[4] if conda else "",
                        groups=(environment, platform),
                    )
                )
        elif plain.endswith(":") and indent == 2:
            environment = plain[:-1]
        elif plain.endswith(":") and indent == 6:
            platform = plain[:-1]
    return Lock(path=path, format="pixi.lock", entries=tuple(entries))


_BY_NAME: dict[str, Callable[[str, bytes], Lock]] = {
    "uv.lock": uv,
    "poetry.lock": poetry,
    "pdm.lock": pdm,
    "Pipfile.lock": pipenv,
    "pixi.lock": pixi,
}


def read(path: str, data: bytes) -> Lock | None:
    """The lock at a path, by its name.

    Raises:
        ValueError: the file is broken.
    """
    base = path.rpartition("/")[2]
    reader = _BY_NAME.get(base)
    if reader is None and paths.is_pylock(base):
        reader = pylock
    elif reader is None and paths.is_lock(path):
        reader = conda_lock
    if reader is None:
        return None
    lock = reader(path, data)
    if not lock.entries and reader in (uv, poetry, pdm, pylock):
        _sound(data)  # before anybody says that a package is not in it
    return lock


_HEAD = 256 * 1024  # bytes


def _sound(data: bytes) -> None:
    """A look at the beginning of a lock in TOML in which none of PyTorch's packages was found.

    Raises:
        ValueError: it is not TOML.
    """
    from gatepost.toml.load import loads

    end = data.rfind(b"\n[[package", 0, _HEAD) if len(data) > _HEAD else -1
    loads(data[: end if end > 0 else _HEAD])
