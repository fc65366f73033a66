"""A package index made by a test: tiny wheels on disk, served on loopback.

    packages = {"flask": {"3.0.0": ["click>=8", "dotenv; extra == 'env'"]}}
    with LocalIndex(tmp_path, packages) as index:
        index.url         # "http://127.0.0.1:PORT/simple", PEP 503 pages and PEP 691 JSON, PEP 658 metadata
        index.find_links  # a directory with every wheel, for `--find-links`

Nothing here leaves the machine: with this index as the only one, a resolver needs no network.
A version's value is its list of `Requires-Dist` lines, or a dict with `requires`, `requires_python`, `sdist`
(also publish a source archive) and `hash` (False: no hash in the pages). Extras are read from the markers.
Wheels are the same bytes every time (fixed timestamps), so locks made from them are too.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import threading
import zipfile
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote

Release = Sequence[str] | Mapping[str, Any]
Packages = Mapping[str, Mapping[str, Release]]

UPLOADED = "2024-01-02T03:04:05.000000Z"


def canonical(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def metadata(name: str, version: str, release: Release) -> bytes:
    """The METADATA file of one release."""
    options: Mapping[str, Any] = release if isinstance(release, Mapping) else {"requires": release}
    requires = list(options.get("requires", ()))
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {name} for tests"]
    if python := options.get("requires_python", ""):
        lines.append(f"Requires-Python: {python}")
    extras = sorted({found for line in requires for found in re.findall(r"extra\s*==\s*['\"]([^'\"]+)['\"]", line)})
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {line}" for line in requires]
    return ("\n".join(lines) + "\n").encode()


def wheel(name: str, version: str, release: Release) -> tuple[str, bytes]:
    """File name and bytes of a pure wheel that holds one empty module."""
    module = canonical(name).replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}/__init__.py": b"",
        f"{info}/METADATA": metadata(name, version, release),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD")).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data)
    return f"{module}-{version}-py3-none-any.whl", buffer.getvalue()


def sdist(name: str, version: str, release: Release) -> tuple[str, bytes]:
    """File name and bytes of a source archive with a setuptools pyproject.toml (static metadata)."""
    module = canonical(name).replace("-", "_")
    top = f"{module}-{version}"
    files = {
        "PKG-INFO": metadata(name, version, release),
        "pyproject.toml": b'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
        f"{module}/__init__.py": b"",
    }
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(f"{top}/{path}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return f"{top}.tar.gz", gzip.compress(raw.getvalue(), mtime=0)


class LocalIndex:
    """The index: write the files on construction, serve between `__enter__` and `__exit__`."""

    def __init__(self, directory: Path, packages: Packages) -> None:
        self.find_links = directory / "index-files"
        self.find_links.mkdir(parents=True, exist_ok=True)
        self._pages: dict[str, list[dict[str, Any]]] = {}
        self._files: dict[str, bytes] = {}
        self.port = 0
        for name, releases in packages.items():
            self._pages[canonical(name)] = []
            for version, release in releases.items():
                self._add(name, version, release)

    def _add(self, name: str, version: str, release: Release) -> None:
        options: Mapping[str, Any] = release if isinstance(release, Mapping) else {}
        made = [wheel(name, version, release)]
        if options.get("sdist"):
            made.append(sdist(name, version, release))
        for filename, data in made:
            (self.find_links / filename).write_bytes(data)
            self._files[filename] = data
            entry: dict[str, Any] = {
                "filename": filename,
                "url": f"../../files/{filename}",
                "hashes": {} if options.get("hash") is False else {"sha256": hashlib.sha256(data).hexdigest()},
                "upload-time": UPLOADED,
                "size": len(data),
            }
            if options.get("requires_python"):
                entry["requires-python"] = options["requires_python"]
            if filename.endswith(".whl"):
                content = metadata(name, version, release)
                self._files[f"{filename}.metadata"] = content
                entry["core-metadata"] = {"sha256": hashlib.sha256(content).hexdigest()}
            self._pages[canonical(name)].append(entry)

    @property
    def url(self) -> str:
        """The simple index's address, without a final slash."""
        return f"http://127.0.0.1:{self.port}/simple"

    def __enter__(self) -> LocalIndex:  # noqa: PYI034
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, kind, body = index.answer(unquote(self.path), self.headers.get("Accept", ""))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, accept: str) -> tuple[int, str, bytes]:
        """Status, content type and body for one request path."""
        parts = [part for part in path.split("?", maxsplit=1)[0].split("/") if part]
        if parts[:1] == ["files"] and len(parts) == 2 and parts[1] in self._files:
            return 200, "application/octet-stream", self._files[parts[1]]
        if parts[:1] == ["simple"] and len(parts) == 2 and canonical(parts[1]) in self._pages:
            entries = self._pages[canonical(parts[1])]
            if "application/vnd.pypi.simple.v1+json" in accept:
                page = {"meta": {"api-version": "1.1"}, "name": canonical(parts[1]), "files": entries}
                page["versions"] = sorted({entry["filename"].split("-")[1] for entry in entries})
                return 200, "application/vnd.pypi.simple.v1+json", json.dumps(page).encode()
            rows = []
            for entry in entries:
                sha256 = entry["hashes"].get("sha256")
                extra = "".join(
                    f' {key}="{value}"'
                    for key, value in (
                        ("data-requires-python", str(entry.get("requires-python", "")).replace(">", "&gt;")),
                        ("data-core-metadata", f"sha256={entry.get('core-metadata', {}).get('sha256', '')}"),
                    )
                    if value not in ("", "sha256=")
                ).replace("<", "&lt;")
                rows.append(
                    f'<a href="{entry["url"]}{f"#sha256={sha256}" if sha256 else ""}"{extra}>{entry["filename"]}</a>'
                )
            return 200, "text/html", ("<!DOCTYPE html><html><body>" + "<br>".join(rows) + "</body></html>").encode()
        if parts == ["simple"]:
            links = "".join(f'<a href="{name}/">{name}</a>' for name in self._pages)
            return 200, "text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
        return 404, "text/plain", b"not here"
