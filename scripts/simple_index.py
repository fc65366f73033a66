"""A client for the simple index that every registry serves: JSON (PEP 691, 700) or HTML (PEP 503), and core metadata.

Only for maintainers' commands. Metadata comes from the file beside the wheel (PEP 658, PEP 714) or, from a server
without it, out of the wheel's own last bytes: no wheel is downloaded.
"""

from __future__ import annotations

import io
import json
import re
import urllib.error
import urllib.request
import zipfile
from email.parser import HeaderParser
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


class File(NamedTuple):
    """A file of a project: `version` is "" for what is no wheel, `uploaded` a day or ""."""

    name: str
    url: str
    version: str
    uploaded: str
    yanked: bool
    metadata: bool  # whether its core metadata can be read without it


class Index:
    """An index at an address such as `https://index.example/simple`."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def files(self, project: str) -> list[File]:
        """The files of a project, [] where the index does not have it.

        Raises:
            urllib.error.URLError: the index cannot be reached.
            ValueError: the answer is neither form of the simple index.
        """
        address = f"{self.address}/{project}/"
        try:
            text, kind, final = _get(address, ACCEPT)
        except urllib.error.HTTPError as error:
            if error.code in (404, 410):
                return []
            raise
        if "json" in kind:
            return [_from_json(item, final) for item in json.loads(text)["files"]]
        if "html" in kind:
            page = _Page(final)
            page.feed(text)
            return page.files
        raise ValueError(f"{address}: not a simple index but {kind}")

    def metadata(self, file: File) -> list[str]:
        """The Requires-Dist lines of a wheel: of the file beside it, else of its last bytes, by range requests.

        Raises:
            urllib.error.URLError: the metadata cannot be read.
            ValueError: the server has no metadata and serves no ranges.
        """
        address = file.url.partition("#")[0]
        text = _get(address + ".metadata", "*/*")[0] if file.metadata else _inside(address)
        return HeaderParser().parsestr(text).get_all("Requires-Dist") or []


def _inside(address: str) -> str:
    """METADATA out of a remote wheel, without the rest of it."""
    with zipfile.ZipFile(_Remote(address)) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return wheel.read(name).decode("utf-8", "replace")


class _Remote(io.RawIOBase):
    """A file on a server, read by ranges (RFC 9110, section 14) of at least 64 KiB, the last one kept."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._at = 0
        self._kept, self._start = b"", 0
        self._size = self._fetch("bytes=0-0")[1]

    def _fetch(self, wanted: str) -> tuple[bytes, int]:
        """(bytes of a range, size of the whole file)."""
        with _open(self._address, {"Range": wanted, "Accept-Encoding": "identity"}) as answer:
            size = re.search(r"/(\d+)$", answer.headers.get("Content-Range", ""))
            if answer.status != 206 or size is None:
                raise ValueError(f"{self._address}: the server serves no ranges")
            return answer.read(), int(size[1])

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._size if size < 0 else min(self._at + size, self._size)
        if stop <= self._at:
            return b""
        if not self._start <= self._at <= stop <= self._start + len(self._kept):
            self._start = max(0, min(self._at, self._size - 65536))
            last = max(stop, self._start + 65536) - 1
            self._kept = self._fetch(f"bytes={self._start}-{min(last, self._size - 1)}")[0]
        found = self._kept[self._at - self._start : stop - self._start]
        self._at += len(found)
        return found


def _get(url: str, accept: str) -> tuple[str, str, str]:
    """(text, content type, address after redirects)."""
    with _open(url, {"Accept": accept}) as answer:
        kind = answer.headers.get("Content-Type", "")
        return answer.read().decode("utf-8", "replace"), kind, answer.geturl()


def _open(url: str, headers: dict[str, str]) -> Any:
    """Raises: ValueError: an address that is no registry's."""
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError(f"not an address of a registry: {url}")
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (checked above)
    return urllib.request.urlopen(request, timeout=60)  # noqa: S310


def _from_json(item: dict[str, Any], page: str) -> File:
    # `core-metadata` is a mapping of hashes, or a boolean; older servers say `dist-info-metadata`.
    metadata = item.get("core-metadata", item.get("dist-info-metadata", False))
    return File(
        name=item["filename"],
        url=urljoin(page, item["url"]),
        version=_version(item["filename"]),
        uploaded=str(item.get("upload-time") or "")[:10],
        yanked=bool(item.get("yanked")),
        metadata=bool(metadata),
    )


def _version(filename: str) -> str:
    found = re.match(r"[A-Za-z0-9_.]+-([^-]+)-.*\.whl$", filename)
    return found[1] if found else ""


class _Page(HTMLParser):
    """An HTML page of PEP 503, with the attributes of PEP 592, 658 and 714."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.files: list[File] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag != "a" or not given.get("href"):
            return
        url = urljoin(self.address, given["href"] or "")
        name = unquote(url.partition("#")[0].rsplit("/", 1)[-1])
        self.files.append(
            File(
                name=name,
                url=url,
                version=_version(name),
                uploaded=(given.get("data-upload-time") or "")[:10],  # not of a PEP; some mirrors have it
                yanked="data-yanked" in given,
                metadata="data-core-metadata" in given or "data-dist-info-metadata" in given,
            )
        )
