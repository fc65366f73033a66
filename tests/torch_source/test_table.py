"""The compatibility table: its shape, its size, and the maintainers' command against a registry made by the test."""

from __future__ import annotations

import io
import json
import random
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.table import load

ROOT = Path(__file__).parents[2]
DATA = ROOT / "hooks" / "gatepost" / "data"


def test_is_small() -> None:
    assert (DATA / "torch_table.json").stat().st_size + (DATA / "torch_overlay.json").stat().st_size < 100 * 1024


def test_every_overlay_entry_has_a_source() -> None:
    overlay = json.loads((DATA / "torch_overlay.json").read_text())
    for name, entry in overlay.items():
        for item in entry if isinstance(entry, list) else [entry]:
            assert isinstance(item, str) or item["source"], name


@pytest.mark.parametrize(
    ("name", "version", "torch", "pairs"),
    [
        ("torchvision", "0.28.0", "2.13.0", True),
        ("torchaudio", "2.11.0", "2.13.0", True),
        ("torchaudio", "2.11.0", "2.8.0", False),
        ("torchvision", "0.22.1", "2.8.0", False),
        ("torchvision", "0.29.2", "2.15.0", True),
        ("torchvision", "0.99.0", "2.8.0", None),
        ("torchvision", "0.23.0", "2.99.0", None),
    ],
)
def test_pairs(name: str, version: str, torch: str, pairs: bool | None) -> None:
    assert load().pairs(name, version, torch) is pairs


@pytest.mark.parametrize(
    ("text", "dialect", "admitted", "excluded"),
    [
        ("^2.0.0+cu118", specs.POETRY, ["2.0.0", "2.9.1"], ["1.13.1", "3.0.0"]),
        ("^0.15.0", specs.POETRY, ["0.15.2"], ["0.16.0", "0.14.1"]),
        ("~2.5", specs.POETRY, ["2.5.1"], ["2.6.0"]),
        ("2.5.1", specs.POETRY, ["2.5.1"], ["2.5.0"]),
        (">=2.0,<2.5 || ^2.7", specs.POETRY, ["2.1.0", "2.7.1"], ["2.6.0"]),
        ("~=2.5.0", specs.PEP440, ["2.5.1"], ["2.6.0"]),
        ("==2.8.*", specs.PEP440, ["2.8.0"], ["2.9.0"]),
        ("!=2.8.*,>=2.7", specs.PEP440, ["2.7.1", "2.9.0"], ["2.8.0"]),
        ("=2.1", specs.CONDA, ["2.1.2"], ["2.2.0"]),
        ("2.1|2.3.*", specs.CONDA, ["2.1.0", "2.3.1"], ["2.2.0"]),
    ],
)
def test_ranges(text: str, dialect: str, admitted: list[str], excluded: list[str]) -> None:
    spec = specs.parse(text, dialect)
    assert not spec.broken
    assert spec.rows(admitted) == admitted
    assert spec.rows(excluded) == []


METADATA = (
    "Metadata-Version: 2.4\nName: {name}\nVersion: 2.99.0\n"
    "Requires-Dist: nvidia-cuda-runtime==14.0.1 ; platform_system == 'Linux'\n"
    "Requires-Dist: triton~=4.0.0\nRequires-Dist: torch==2.99.0\n\n"
)


def wheel(name: str) -> bytes:
    """A wheel larger than one range request, its metadata at the end."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        archive.writestr(f"{name}/data", random.Random(1).randbytes(300_000))
        archive.writestr(f"{name}-2.99.0.dist-info/METADATA", METADATA.format(name=name))
    return found.getvalue()


class Registry(BaseHTTPRequestHandler):
    """A simple index of torch and torchvision: in JSON with core metadata, or below /html/ in HTML without."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        html = self.path.startswith("/html/")
        name = self.path.removeprefix("/html").split("/")[2 if "/files/" in self.path or "/simple/" in self.path else 1]
        project = name.partition("-")[0]
        if "/files/" in self.path:
            self.asked.append(self.headers.get("Range") or self.path)
        if "/simple/" in self.path and name not in ("torch", "torchvision"):
            self.answer(404, "text/plain", b"")
        elif "/simple/" in self.path:
            self.answer(200, "text/html" if html else "application/vnd.pypi.simple.v1+json", self.page(name, html))
        elif self.path.endswith(".metadata"):
            self.answer(200 if not html else 404, "text/plain", METADATA.format(name=project).encode())
        elif (wanted := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")) is not None and html:
            whole = wheel(project)
            part = whole[int(wanted[1]) : int(wanted[2]) + 1]
            self.answer(206, "application/zip", part, f"bytes {wanted[1]}-{wanted[2]}/{len(whole)}")
        else:
            self.answer(403, "text/plain", b"the wheel itself is never asked for")

    def page(self, name: str, html: bool) -> bytes:
        wheels = [
            f"{name}-{version}-cp312-cp312-manylinux_2_28_x86_64.whl" for version in ("2.99.0", "2.99.1rc1", "2.98.0")
        ]
        if html:
            rows = [
                f'<a href="../../files/{name}#sha256=00"{" data-yanked" if "2.98" in name else ""}>{name}</a>'
                for name in wheels
            ]
            return f"<!DOCTYPE html><html><body>{''.join(rows)}</body></html>".encode()
        files = [
            {
                "filename": name,
                "url": f"../../files/{name}",
                "upload-time": "2027-01-01T00:00:00Z",
                "yanked": "broken" if "2.98" in name else False,
                "core-metadata": {"sha256": "00"},
                "hashes": {},
            }
            for name in wheels
        ]
        return json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files}).encode()

    def answer(self, status: int, kind: str, body: bytes, content_range: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Registry.asked.clear()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("form", "day"), [pytest.param("", "2027-01-01", id="JSON"), pytest.param("/html", "", id="HTML and ranges")]
)
def test_the_maintainers_command(registry: str, form: str, day: str) -> None:
    code = f"""
import json, sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
import update_torch_table as command
command.published_builds = lambda: {{"2.99.0": {{"cu140", "cpu", "rocm9.0"}}}}
old = json.loads(command.TABLE.read_text())
new = command.build(command.Index("{registry}{form}/simple"), old)
assert json.loads(command.dump(new)) == new
assert new["torch"][:-1] == old["torch"]
print(json.dumps([new["torch"][-1], new["requires"]["torchvision"]["2.99.0"], new["torchvision_python"]["2.99.0"]]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    row, need, pythons = json.loads(done.stdout)
    assert row == [
        "2.99.0",
        day,
        "2.99.0",
        "2.11.0",
        "cu140",
        "cu140",
        "",
        "9.0",
        "4.0.0",
        "lmw",
        {"linux_x86_64": "3.12"},
    ]
    assert need == "==2.99.0"
    assert pythons == {"linux_x86_64": "3.12"}
    whole = len(wheel("torch"))
    assert all(asked.endswith(".metadata") or asked.startswith("bytes=") for asked in Registry.asked)
    assert (
        sum(
            int(asked.rpartition("-")[2]) - int(asked[6:].partition("-")[0])
            for asked in Registry.asked
            if asked.startswith("bytes=")
        )
        < whole
    )
