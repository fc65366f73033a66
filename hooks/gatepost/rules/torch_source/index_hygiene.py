"""TS4xx: is the address of the index sound?"""

from __future__ import annotations

import re

from gatepost.patterns import pattern
from gatepost.rules.torch_source import urls
from gatepost.rules.torch_source.carriers import CARRIERS
from gatepost.rules.torch_source.model import EXTENDED, FAMILY
from gatepost.rules.torch_source.view import found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Index, Project
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


def _indexes(p: Project) -> list[Index]:
    return [
        index
        for index in p.indexes
        if "://" in index.url and (p.own(index.where) or p.tool in ("pip", "conda", "Hatch"))
    ]


def plain_http(p: Project, v: View) -> Findings:
    """TS401: packages over a connection that anyone on the way can change."""
    for index in _indexes(p):
        parts = index.parts()
        if parts.scheme != "http" or urls.LOCAL.fullmatch(parts.host) or "$" in parts.host:
            continue
        fix = None
        if parts.official and index.span is not None:
            fix = v.edit(index.where.path, "use https", [(index.span[0], index.span[1], "https" + index.url[4:])])
        inside = _private(parts.host)
        numbered = inside and re.fullmatch(r"[\d.]+", parts.host) is not None
        yield found(
            "TS401",
            index.where,
            f"`{parts.host}` is asked over http: whoever is on {'that network' if inside else 'the way'} can replace what is installed",
            "Serve the index over https under a name, which a certificate can be for, or keep it to networks that you trust."
            if numbered
            else f"Serve the index over https, then write `{urls.show('https' + index.url.strip()[4:])}`."
            if inside
            else f"Write `{urls.show('https' + index.url.strip()[4:])}`.",
            severity="info" if numbered else "warning" if inside else None,
            fix=fix,
        )


# Names that no public registry gives away (RFC 6762 and 8375, ICANN's `internal`, those in common use); addresses of RFC 1918.
_INSIDE = pattern(
    r"[^.]+|.*\.(?:local|localdomain|internal|intranet|lan|corp|home|private|svc|home\.arpa)"
    r"|10(?:\.\d+){3}|192\.168(?:\.\d+){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2}"
)


def _private(host: str) -> bool:
    """Whether a host is one of a private network: no certificate authority vouches for it, and nobody else can take it."""
    return _INSIDE.fullmatch(host) is not None


def imitation(p: Project, v: View) -> Findings:
    """TS402: a host that looks like PyTorch's."""
    for index in _indexes(p):
        host = index.parts().host
        if host in v.hosts() or not urls.look_alike(index.url) or (_private(host) and not urls.posing(index.url)):
            continue
        yield found(
            "TS402",
            index.where,
            f"`{index.parts().user}@` only names a user: the host of this address is `{host}`"
            if urls.posing(index.url)
            else f"`{host}` looks like download.pytorch.org but is another host",
            "Write `https://download.pytorch.org/whl/<build>`, or allow the host with `hosts` under [tool.gatepost.torch-source].",
        )


def credentials(p: Project, v: View) -> Findings:
    """TS403: a password or token in the address."""
    for index in _indexes(p):
        if urls.has_credentials(index.url):
            yield found(
                "TS403",
                index.where,
                f"{urls.show(index.url).partition('://')[2]} carries credentials in the repository",
                "Revoke them, and give them through the environment, a keyring or ~/.netrc instead.",
            )


def malformed(p: Project, v: View) -> Findings:
    """TS404: a path that PyTorch's host does not have."""
    for index in _indexes(p):
        better = urls.repaired(index.url)
        parts = index.parts()
        if not better and parts.official and not parts.channel and parts.build and v.table.never(parts.build):
            yield found(
                "TS404",
                index.where,
                f"no release of PyTorch was ever built for {parts.build}, so {parts.host}{parts.path} does not exist {v.as_of()}",
                f"Name a build that exists, such as `https://download.pytorch.org/whl/{v.table.nearest(parts.build)}`.",
            )
            continue
        if index.written == "find-links" and urls.is_index_root(index.url):
            tagged = any(req.tag() for req in p.requirements if req.name in FAMILY)
            if p.requirements and not any(req.name in EXTENDED or req.name in CARRIERS for req in p.requirements):
                yield found(
                    "TS404",
                    index.where,
                    f"--find-links wants a page of files, and {parts.host}{parts.path} is an index: nothing is found there, and nothing of PyTorch is asked for",
                    "Remove the line.",
                    severity="info",
                )
                continue
            yield found(
                "TS404",
                index.where,
                f"--find-links wants a page of files, and {parts.host}{parts.path} is an index: nothing is found there"
                + ("" if tagged else ", and the packages come from PyPI"),
                f"Write `--extra-index-url {urls.show(index.url)}`{'' if tagged else ' and pin the build'}, or `--index-url` in a step of its own.",
                severity="warning",
            )
            continue
        if not better or index.written == "find-links" or index.role == "links":
            continue
        fix = None
        if better != "?" and index.span is not None:
            fix = v.edit(index.where.path, f"use {better}", [(index.span[0], index.span[1], better)])
        bare = index.parts().path.rstrip("/") in ("/whl", "")
        family = [req for req in p.requirements if req.name in FAMILY]
        if bare and p.requirements and not family and not p.locks:
            continue  # nothing of PyTorch is asked for here: what it merges is TS122
        tags = {req.tag() for req in family if req.tag()}
        build = tags.pop() if bare and len(tags) == 1 else "cpu" if bare else "cu128"
        what = (
            "serves every build at once" if index.parts().path.rstrip("/") == "/whl" else "is not an index of PyTorch"
        )
        yield found(
            "TS404",
            index.where,
            f"`{index.parts().path or '/'}` of {index.parts().host} {what}",
            f"Write `{better}`."
            if better != "?"
            else f"Name the build, such as `https://download.pytorch.org/whl/{build}`.",
            severity="info" if bare and family and all(req.tag() for req in family) else None,
            fix=fix,
        )


def unverified(p: Project, v: View) -> Findings:
    """TS405: certificates not checked."""
    for index in _indexes(p):
        if index.insecure:
            fix = None
            data = v.tree.read(index.where.path)
            text = data.decode("utf-8", "replace") if data else ""
            start = index.span[0] if index.span else 0
            block = text.rfind("[[", 0, start), text.find("[", start)
            hit = re.compile(r"verify_ssl\s*=\s*false").search(
                text, max(block[0], 0), block[1] if block[1] > 0 else len(text)
            )
            if hit is not None:
                fix = v.edit(index.where.path, "check certificates", [(hit.start(), hit.end(), "verify_ssl = true")])
            yield found(
                "TS405",
                index.where,
                f"certificates of {index.parts().host} are not checked",
                "Write `verify_ssl = true`.",
                fix=fix,
            )


def outside_policy(p: Project, v: View) -> Findings:
    """TS406: a host that the project's policy does not list."""
    allowed = v.hosts()
    if not allowed:
        return
    asked = [(index.url, index.where) for index in _indexes(p)]
    asked += [(req.url, req.where) for req in p.requirements if req.name in EXTENDED and "://" in req.url]
    asked += [(route.url.partition(":")[2], route.where) for route in p.routes if route.url.startswith("url:")]
    for url, where in asked:
        host = urls.split(url).host
        if not host or urls.is_pypi(url) or "$" in host or host in allowed:
            continue
        if any(pattern.startswith("*.") and host.endswith(pattern[1:]) for pattern in allowed):
            continue
        yield found(
            "TS406",
            where,
            f"`{host}` is not among the `hosts` of [tool.gatepost.torch-source]",
            f"Use one of {', '.join(allowed)}, or add the host to `hosts`.",
        )


RULES = (plain_http, imitation, credentials, malformed, unverified, outside_policy)
