"""TS301 and TS303 where the tool that owns a lock would not say the same.

Which index a resolver takes for a package depends on more than a manifest's table of sources: markers of requirements
further up, forks, what a dependency's own project routes. A lock that its tool takes for in step with the manifest was
made by that resolver, so where we come to another index, the mistake is more likely ours. Of 7 such findings in 10
samples of public repositories none was true.
"""

from __future__ import annotations

from gatepost.rules.torch_source.locks import agreement
from gatepost.rules.torch_source.locks import origin as by_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project
    from gatepost.rules.torch_source.view import View


def origin(p: Project, v: View) -> Iterator[Finding]:
    """TS301, TS307 of `origin`, without TS301 of locks that are exactly in step with their manifest."""
    yield from _out_of_step(v, "TS301", by_source.origin(p, v), "")
    yield from _out_of_step(v, "TS301", by_source.unserved(p, v), "")


def stale(p: Project, v: View) -> Iterator[Finding]:
    """TS303, likewise, of uv and Poetry; Pipenv renews the hash of a lock whose entries it keeps."""
    yield from _out_of_step(v, "TS303", agreement.stale(p, v), ("uv.lock", "poetry.lock"))


def _out_of_step(v: View, code: str, found: Iterator[Finding], ends: str | tuple[str, ...]) -> Iterator[Finding]:
    """What is found, without what `code` says of locks that are in step, of those whose path ends so."""
    fresh: dict[str, bool] = {}
    for finding in found:
        path = finding.where.path
        if finding.code == code and path.endswith(ends):
            if path not in fresh:
                fresh[path] = _in_step(v, path)
            if fresh[path]:
                continue
        yield finding


def _in_step(v: View, path: str) -> bool:
    """Whether the lock is fresh by the rule of its own tool, where files decide that exactly."""
    from gatepost.locks import formats, named
    from gatepost.locks._base import Fresh, Lock

    base, data = path.rpartition("/")[2], v.tree.read(path)
    for form in formats([base]):
        if data is not None and named(form.pattern)(base) and form.claims(path, data):
            lock = Lock(path=path, data=data, read=v.tree.read, paths=v.tree.paths, status=v.tree.status, memo={})
            verdict = form.judge(lock)
            return isinstance(verdict, Fresh) and not verdict.partial
    return False
