"""The compatibility table: its shape, its size, and the maintainers' command against a registry made by the test."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

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


class Registry(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps(self.answer()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self) -> dict[str, Any]:
        parts = self.path.strip("/").split("/")
        if len(parts) == 4:
            return {
                "info": {
                    "requires_dist": [
                        "nvidia-cuda-runtime==14.0.1 ; platform_system == 'Linux'",
                        "triton==4.0.0",
                        "torch==2.99.0",
                    ]
                }
            }
        file = {
            "upload_time": "2027-01-01T00:00:00",
            "filename": f"{parts[1]}-2.99.0-cp312-cp312-manylinux_2_28_x86_64.whl",
        }
        return (
            {"releases": {"2.99.0": [file], "2.99.1rc1": [file]}}
            if parts[1] in ("torch", "torchvision")
            else {"releases": {}}
        )

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_the_maintainers_command() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        code = f"""
import json, sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
import update_torch_table as command
command.published_builds = lambda: {{"2.99.0": {{"cu140", "cpu", "rocm9.0"}}}}
old = json.loads(command.TABLE.read_text())
new = command.build("http://127.0.0.1:{server.server_address[1]}", old)
assert json.loads(command.dump(new)) == new
print(json.dumps(new["torch"][-1]))
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        row = json.loads(done.stdout)
        assert row == [
            "2.99.0",
            "2027-01-01",
            "0.29.2 2.99.0",
            "2.11.0",
            "cu140",
            "cu140",
            "",
            "9.0",
            "4.0.0",
            "lmw",
            {"linux_x86_64": "3.12"},
        ]
    finally:
        server.shutdown()
        server.server_close()
