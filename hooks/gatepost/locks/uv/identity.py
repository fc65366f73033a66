"""A requirement by its meaning: the same tuple for a line of a manifest and for what uv made of it in the lock."""

from __future__ import annotations

from gatepost.locks.uv.project import Undecidable, join, strings
from gatepost.manifests import markers, versions
from gatepost.manifests.markers import MarkerError
from gatepost.manifests.pep508 import canonical
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.manifests.markers import Formula


@record
class Wanted:
    """One lowered requirement, comparable with one of the lock: `identity` plus the marker is its meaning."""

    name: str
    identity: tuple[Any, ...]  # (name, extras, kind, ...)
    marker: Formula
    text: str  # as the user wrote it
    path: str = ""
    key: str = ""
    label: str = ""  # 'group "dev"', 'extra "x"', "" for plain dependencies


def recorded(entry: Mapping[str, Any], base: str) -> Wanted:
    """One requirement of the lock in the same form. `base` is the lock's directory.

    Raises:
        Undecidable: a field of it is not known here.
    """
    name = canonical(str(entry.get("name", "")))
    extras = tuple(sorted({canonical(item) for item in strings(entry.get("extras"))}))
    text = name + (f"[{','.join(extras)}]" if extras else "") + str(entry.get("specifier", ""))
    mark: Formula = True
    if isinstance(entry.get("marker"), str):
        try:
            mark = markers.parse(entry["marker"])
        except MarkerError as error:
            raise Undecidable(f"the lock's marker for {name}: {error}", "LF302") from None
        text += f" ; {entry['marker']}"
    source: tuple[Any, ...]
    if isinstance(entry.get("git"), str):
        source = ("git", *git_identity(entry["git"]))
    elif isinstance(entry.get("url"), str):
        source = url_identity(entry["url"], str(entry.get("subdirectory", "")))
    else:
        for kind in ("editable", "virtual", "directory", "path"):
            if isinstance(entry.get(kind), str):
                where = join(base, entry[kind])
                if where is None:
                    where = entry[kind]
                source = ("path", where) if kind == "path" else (
                    "directory", where, kind == "editable", kind == "virtual")  # fmt: skip
                break
        else:
            conflict = ""
            clash = entry.get("conflict")
            if isinstance(clash, dict):
                kind = "extra" if "extra" in clash else "group"
                conflict = f"{clash.get('package')} {kind} {clash.get(kind)}"
            index, specifier = entry.get("index"), str(entry.get("specifier", ""))
            try:
                admitted = specifier_identity("" if specifier == "*" else specifier)
            except versions.VersionError as error:
                raise Undecidable(f"the lock's specifier for {name}: {error}", "LF302") from None
            source = (
                "registry", admitted, index_identity(index, base) if isinstance(index, str) else "",
                conflict,
            )  # fmt: skip
    label = top_extra(mark)
    return Wanted(
        name=name, identity=(name, extras, *source), marker=mark, text=text, label=f'extra "{label}"' if label else ""
    )


def top_extra(formula: Formula) -> str:
    """The extra that a whole requirement belongs to: `extra == 'x'` at the top of its marker."""
    if isinstance(formula, tuple):
        for atom in formula[1] if formula[0] == "and" else (formula,):
            if isinstance(atom, tuple) and atom[0] == "flag" and atom[1].startswith("extra == ") and atom[2]:
                return str(atom[1][len("extra == ") :])
    return ""


def specifier_identity(text: str) -> Any:
    """A specifier set by meaning (uv 0.13 compares ranges).

    Raises:
        VersionError: not PEP 440.
    """
    return versions.ranges(text) if text else versions.EVERYTHING


def url_identity(url: str, subdirectory: str) -> tuple[Any, ...]:
    """A direct URL: without credentials and hash, with its subdirectory."""
    for part in url.partition("#")[2].split("&"):
        key, _, value = part.partition("=")
        if key == "subdirectory" and not subdirectory:
            subdirectory = value
    return ("url", bare_url(url), subdirectory.strip("/"))


def index_identity(url: str, directory: str) -> str:
    """An index by its URL without credentials; a local one by its path."""
    if "://" in url and not url.startswith("file:"):
        return bare_url(url)
    if url.startswith("file:"):
        return url.rstrip("/")
    where = join(directory, url)
    return url if where is None else "path " + where


def git_identity(url: str, entry: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """A Git requirement: repository, the kind and name of the reference, subdirectory, LFS."""
    url = url.removeprefix("git+")
    base, _, fragment = url.partition("#")
    base, _, query = base.partition("?")
    fields: dict[str, str] = {}
    for part in (*query.split("&"), *fragment.split("&")):
        key, _, value = part.partition("=")
        if key in ("rev", "tag", "branch", "subdirectory", "lfs", "path"):
            fields.setdefault(key, unquote(value))
    scheme, mark, rest = base.partition("://")
    head, slash, tail = rest.rpartition("/")
    if mark and "@" in tail:
        tail, _, revision = tail.rpartition("@")
        fields.setdefault("rev", revision)
        base = f"{scheme}://{head}{slash}{tail}"
    elif mark and "@" in rest.partition("/")[2]:
        front, _, revision = rest.rpartition("@")
        fields.setdefault("rev", revision)
        base = f"{scheme}://{front}"
    for key, value in (entry or {}).items():
        if key in ("rev", "tag", "branch", "subdirectory", "path") and isinstance(value, str):
            fields[key] = value
        elif key == "lfs" and value is True:
            fields[key] = "true"
    if fields.get("lfs") == "false":
        del fields["lfs"]
    if "subdirectory" in fields:
        fields["subdirectory"] = fields["subdirectory"].strip("/")
    return (bare_url(base).rstrip("/"), *(f"{key}={fields[key]}" for key in sorted(fields)))


def bare_url(url: str) -> str:
    """A URL without user, password, query-less fragment: what a lock records."""
    url = url.partition("#")[0]
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    host, slash, path = rest.partition("/")
    host = host.rpartition("@")[2].lower()
    for plain in (":443",) if scheme.lower() == "https" else (":80",) if scheme.lower() == "http" else ():
        host = host.removesuffix(plain)
    if not slash and scheme.lower() in ("http", "https"):
        slash = "/"
    return f"{scheme.lower()}://{host}{slash}{path}"


def unquote(text: str) -> str:
    """Percent escapes resolved (RFC 3986)."""
    if "%" not in text:
        return text
    from urllib.parse import unquote as resolved

    return resolved(text)
