"""Find the lock roots of a snapshot that a run concerns, judge each, and put the verdicts into words."""

from __future__ import annotations

from gatepost.globs import matcher
from gatepost.locks import formats, named
from gatepost.locks._base import Lock, Stale, Unknown, quote
from gatepost.model import INFO, Finding, Fix, Location, Unchecked
from gatepost.record import replace
from gatepost.rules.lock_freshness.integrity import examine, unreadable
from gatepost.tree.entry import SYMLINK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gatepost.locks._base import LockFormat
    from gatepost.model import Context, Outcome

_LOCKS = {"pyproject.toml": ("uv.lock", "poetry.lock", "pdm.lock"), "Pipfile": ("Pipfile.lock",)}
_DEPLOYED = ("ockerfile", "ontainerfile", ".github/workflows/", "Procfile", "render.y", ".gitlab-ci.y")
_SURE, _SURE_OF_ANY = 2_000_000, 80_000  # bytes: below, no lock (of uv, of any tool) is too large
_SUFFIXES = (".lock", ".txt", ".toml", ".yml", ".yaml", ".pip")
_VENDORED = frozenset({".venv", "venv", "site-packages", "node_modules", ".tox", ".nox", ".git"})


class Root:
    """One lock file, its format, and the paths that its judgement read."""

    def __init__(self, ctx: Context, form: LockFormat, path: str, data: bytes) -> None:
        self.form = form
        self.seen: set[str] = {path}
        tree = ctx.tree

        def read(name: str) -> bytes | None:
            if not name or name.startswith("/"):
                return None
            self.seen.add(name)
            return tree.read(name)

        def status(name: str) -> str:
            self.seen.add(name)
            return tree.status(name)

        self.lock = Lock(
            path=path,
            data=data,
            read=read,
            paths=tree.paths,
            status=status,
            memo={},
            env=lambda name: ctx.env.get(name),  # noqa: PLW0108
        )


def check(ctx: Context) -> Iterator[Outcome]:
    """Every outcome of the hook: freshness and integrity of each lock, locks left out, deployment (LF4xx)."""
    roots = list(_roots(ctx))
    live: dict[str, set[str]] = {}
    rivals = _owners(roots)
    for root in roots:
        if not _only_on_disk(ctx, root.lock.path):
            live.setdefault(root.lock.directory, set()).add(root.form.name)
        if _concerned(ctx, root):
            rival = rivals.get((root.lock.directory, root.form.manifests[:1]))
            outcomes = list(_judge(root, rival, ctx))
            if _read_in_scope(ctx, root):
                yield from outcomes
    yield from _left_out(ctx, live)
    yield from _deployment(ctx)


def _roots(ctx: Context) -> Iterator[Root]:
    candidates = [path for path in ctx.tree.paths() if path.endswith(_SUFFIXES)]
    known = [(named(form.pattern), form) for form in formats({path[path.rfind("/") + 1 :] for path in candidates})]
    abandoned = matcher(ctx.settings.get("abandoned") or ())
    found: list[tuple[str, LockFormat]] = []
    for path in candidates:
        name = path[path.rfind("/") + 1 :]
        for matches, form in known:
            if not matches(name) or not _VENDORED.isdisjoint(path.split("/")):
                continue
            if not ctx.exclude(path) and not abandoned(path):
                found.append((path, form))
    wanted = {path for path, _ in found}
    for path, form in found:  # one call to git for all: most judgements begin with these
        folder = path[: path.rfind("/") + 1]
        wanted.update(folder + name for name in form.manifests)
    contents = ctx.tree.read_many(sorted(wanted))
    for path, form in found:
        data = contents.get(path)
        if data is not None and form.claims(path, data) and not _link(ctx, path):
            yield Root(ctx, form, path, data)


def _link(ctx: Context, path: str) -> bool:
    """Whether a lock's name is a symlink: its bytes are the name of the file that holds the lock."""
    entry = ctx.tree.entry(path)
    return entry is not None and entry.mode == SYMLINK


def _concerned(ctx: Context, root: Root) -> bool:
    """A quick no for locks that nothing in scope can touch; what was really read decides afterwards."""
    if ctx.scope is None or root.lock.path in ctx.scope:
        return True
    if root.form.inputs is not None:
        return any(path in ctx.scope for path in root.form.inputs(root.lock))
    prefix = f"{root.lock.directory}/" if root.lock.directory else ""
    if not root.form.manifests or any(path.startswith(prefix) for path in ctx.scope):
        return True
    manifests = (root.lock.read(prefix + name) or b"" for name in root.form.manifests)
    return b"../" in root.lock.data or any(b"../" in data for data in manifests)


def _read_in_scope(ctx: Context, root: Root) -> bool:
    return ctx.scope is None or not ctx.scope.isdisjoint(root.seen)


def _owners(roots: Iterable[Root]) -> dict[tuple[str, tuple[str, ...]], Root]:
    """The lock of the tool that owns a manifest, where several tools have one beside it."""
    groups: dict[tuple[str, tuple[str, ...]], list[Root]] = {}
    for root in roots:
        if root.form.name in ("uv", "poetry", "pdm", "pipenv") and not root.lock.path.endswith(".py.lock"):
            groups.setdefault((root.lock.directory, root.form.manifests[:1]), []).append(root)
    found = {}
    for key, group in groups.items():
        if len({root.form.name for root in group}) > 1:
            owners = [root for root in group if root.form.owns(root.lock) is True]
            if len({root.form.name for root in owners}) == 1:
                found[key] = owners[0]
    return found


def _judge(root: Root, rival: Root | None, ctx: Context) -> Iterator[Outcome]:
    lock, form = root.lock, root.form
    where = Location(path=lock.path)
    if len(lock.data) > (_SURE if form.name == "uv" else _SURE_OF_ANY):
        from gatepost.locks._size import too_large

        if reason := too_large(form, lock):
            yield _not_judged(root, reason)
            return
    relock = form.relock(lock)
    command = f"`{relock}`, then `git add {quote(lock.path)}`"
    alive = form.dead(lock)
    if alive:
        yield Finding(
            code="LF110", where=where,
            message=f"is read by nobody: the directory is a workspace member, {form.name} uses {alive}",
            remedy=f"`git rm {quote(lock.path)}`",
        )  # fmt: skip
        return
    again = Fix(title=f"make {lock.path} again", command=relock, safe=True)
    broken, outcomes = examine(form, lock)
    if broken:
        yield from outcomes
        return
    verdict = form.judge(lock)
    if isinstance(verdict, Stale):
        other = rival if rival is not None and rival.form.name != form.name else None
        manifest = verdict.path or next((name for name in form.manifests), "its inputs")
        related = _related(lock, verdict.path, verdict.key, verdict.line)
        if other is not None:
            yield Finding(
                code="LF111", where=where, related=related,
                message=f"is out of date with {manifest}, and {other.lock.path} is the lock of the tool that owns it: "
                + verdict.reason,
                remedy=f"`git rm {quote(lock.path)}`, or name it under `abandoned` in [tool.gatepost.lock-freshness]",
            )  # fmt: skip
        else:
            mend = f"`{verdict.relock}`, then `git add {quote(lock.path)}`" if verdict.relock else command
            yield Finding(
                code=verdict.code, where=where, related=related,
                message=f"out of date with {manifest}: {verdict.reason}{_unseen(verdict.partial)}",
                remedy=_alone(ctx, lock.path, verdict.path) + mend,
                fix=replace(again, command=verdict.relock) if verdict.relock else again,
            )  # fmt: skip
        mended = {"LF203", "LF205", "LF207"}.difference(form.refuses)  # by locking again
        yield from (outcome for outcome in outcomes if outcome.code not in mended)
        return
    if not (isinstance(verdict, Unknown) and verdict.code == "LF302"):  # of a newer format nothing else is known
        yield from outcomes
    if isinstance(verdict, Unknown) and verdict.code == "LF202":
        yield unreadable(form, lock, verdict.reason, verdict.line)
    elif isinstance(verdict, Unknown):
        check = form.check(lock) if form.check is not None else relock
        yield Unchecked(
            code=verdict.code, where=Location(path=lock.path, line=verdict.line if verdict.path == lock.path else None),
            message=f"cannot be judged from files alone: {verdict.reason}",
            remedy=verdict.remedy or (
                f"stage its manifest, or `git rm {quote(lock.path)}`" if verdict.code == "LF309" else f"`{check}`"
            ),
        )  # fmt: skip
    elif verdict.note:
        yield Finding(code="LF113", where=where, message=verdict.note, remedy=command, severity=INFO, fix=again)
    elif verdict.partial and ctx.args.get("partial"):
        yield Finding(
            code="LF114", where=where, remedy=command,
            message=f"fresh by {verdict.rule} as far as files tell{_unseen(verdict.partial)}",
        )  # fmt: skip


def _alone(ctx: Context, lock: str, manifest: str) -> str:
    """The other remedy of a commit that takes a new lock and leaves its manifest: a runner has put that change away."""
    if ctx.scope is None or lock not in ctx.scope or manifest in ctx.scope or ctx.tree.entry(manifest) is None:
        return ""
    return f"`git add {quote(manifest)}` if it was changed as well, else "


def _not_judged(root: Root, reason: str) -> Unchecked:
    """LF307; the command is found in the first lines, no more is read."""
    head = replace(root.lock, data=root.lock.data[: root.lock.data.rfind(b"\n", 0, 4000) + 1], memo={})
    command = root.form.relock(head) if root.form.check is None else root.form.check(head)
    return Unchecked(
        code="LF307", where=Location(path=root.lock.path), remedy=f"`{command}`",
        message=f"cannot be judged from files alone: {reason}",
    )  # fmt: skip


def _unseen(partial: str) -> str:
    """What a one-sided verdict leaves open, as the end of a message."""
    return f" (a partial check, not seen: {partial})" if partial else ""


def _related(lock: Lock, path: str, key: str, line: int | None) -> tuple[Location, ...]:
    if not path or path == lock.path:
        return ()
    if line is None and key and path.endswith(".toml"):
        line = _line(lock.read(path) or b"", key)
    return (Location(path=path, line=line, key=key),)


def _line(data: bytes, key: str) -> int | None:
    from gatepost.toml.scan import scan

    parts: list[str | int] = []
    for part in key.split("."):
        name, _, rest = part.partition("[")
        parts.append(name)
        if rest.rstrip("]").isdigit():
            parts.append(int(rest.rstrip("]")))
    try:
        return scan(data.decode("utf-8-sig")).line(tuple(parts))
    except (ValueError, RecursionError):
        return None


def _left_out(ctx: Context, live: dict[str, set[str]]) -> Iterator[Outcome]:
    """A lock on disk that is neither tracked nor ignored, beside a manifest of this commit that has no lock."""
    for path in sorted(set(ctx.tree.paths() if ctx.scope is None else _manifests(ctx.scope))):
        directory, _, name = path.rpartition("/")
        if name not in _LOCKS or live.get(directory) or ctx.exclude(path) or not _VENDORED.isdisjoint(path.split("/")):
            continue
        manifest = ctx.tree.entry(path)
        if manifest is None:
            continue
        for base in _LOCKS[name]:
            lock = f"{directory}/{base}" if directory else base
            if _only_on_disk(ctx, lock) and (manifest.oid or ctx.tree.entry(lock) is None):
                yield Finding(
                    code="LF112", where=Location(path=path),
                    message=f"{lock} exists on disk but is not in the commit", remedy=f"`git add {quote(lock)}`",
                )  # fmt: skip


def _manifests(scope: Iterable[str]) -> Iterator[str]:
    """The manifests among the files of a run, and those beside a lock that was named."""
    for path in scope:
        folder, slash, name = path.rpartition("/")
        if name in _LOCKS:
            yield path
        for manifest, locks in _LOCKS.items():
            if name in locks:
                yield folder + slash + manifest


def _only_on_disk(ctx: Context, lock: str) -> bool:
    """Whether a lock is on disk and git would take it, but does not hold it (a file that was named by hand counts)."""
    entry = ctx.tree.entry(lock)
    return (entry is None or not entry.oid) and ctx.tree.status(lock) == "untracked"


def _deployment(ctx: Context) -> Iterable[Outcome]:
    everything = "\n".join(ctx.tree.paths())
    if not any(sign in everything for sign in _DEPLOYED):
        return ()
    from gatepost.rules.lock_freshness import deployment

    return deployment.check(ctx)
