"""The check: files of the snapshot -> hits -> findings, less those that a baseline knows."""

from __future__ import annotations

import re

from gatepost.model import Edit, Finding, Fix, Location, Unchecked
from gatepost.record import record
from gatepost.rules.secrets import baseline as known
from gatepost.rules.secrets import keys, notebook
from gatepost.rules.secrets.scan import KEY, NAMED, TOKEN, URL, Scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gatepost.model import Context, Outcome, Severity
    from gatepost.rules.secrets.scan import Hit

CODE_OF: Mapping[str, str] = {TOKEN: "SE101", NAMED: "SE102", URL: "SE103", KEY: "SE104"}
_BINARY = re.compile(
    r"\.(?:png|jpe?g|gif|webp|bmp|ico|tiff?|psd|mp[34]|m4a|wav|flac|ogg|avi|mov|webm|pdf|docx?|xlsx?|pptx?|zip|gz|tgz|bz2|xz|zst|7z|tar|"
    r"rar|jar|whl|egg|so|dll|dylib|exe|o|a|pyc|pt|pth|ckpt|safetensors|onnx|gguf|ggml|h5|hdf5|npy|npz|parquet|arrow|feather|"
    r"tflite|pb|mlmodel|woff2?|ttf|otf|eot)$",
    re.IGNORECASE,
)
_TESTS = re.compile(
    r"(?:^|/)(?:tests?|testing|testdata|test_data|fixtures?|__tests__|spec|vendor|third_party|node_modules)/|(?:^|/)(?:test_[^/]*|[^/]*_test(?:_?data)?)\.\w+$|\.(?:test|spec)\.[jt]sx?$"
)
_BATCH = 8 * 2**20  # bytes read at a time
_CHUNK = 16 * 2**20  # a larger file is scanned in pieces that end at a line's end


@record
class Seen:
    """A hit with its place: a 1-based line of the file, and in a notebook its cell. `text` is the line it stands in."""

    path: str
    line: int
    cell: int | None
    output: bool
    hit: Hit
    text: bytes

    @property
    def code(self) -> str:
        return CODE_OF[self.hit.kind]


def check(ctx: Context) -> Iterator[Outcome]:
    """Findings SE101-SE105 and SE201; SE202 where a baseline cannot be read."""
    own, foreign = (
        str(ctx.settings.get("baseline", ".gatepost-secrets")),
        str(ctx.settings.get("detect-secrets-baseline", ".secrets.baseline")),
    )
    skipped = frozenset((own, foreign))
    every = ctx.tree.paths()
    wanted = [
        path for path in (every if ctx.scope is None else sorted(ctx.scope)) if path not in skipped and ctx.wants(path)
    ]
    scanner = Scanner()
    seen: list[Seen] = []
    for path, data in _files(ctx, wanted):
        seen.extend(scan_file(scanner, path, data))
        if names := keys.env_names(path, data):
            yield _env(path, names)
    if ctx.args.get("update_baseline"):
        yield from _update(ctx, own, seen)
        return
    try:
        stored = ctx.tree.read(own)
        ours = known.parse(stored) if stored is not None else None
    except known.BaselineError as error:
        yield Unchecked(
            code="SE202",
            where=Location(path=own, line=1),
            message=f"the baseline cannot be read: {error}",
            remedy="restore it, or make a new one with `gatepost secrets --update-baseline --fix`.",
        )
        ours = None
    try:
        stored = ctx.tree.read(foreign)
        theirs = known.parse_detect_secrets(stored) if stored is not None else {}
    except known.BaselineError as error:
        yield Unchecked(
            code="SE202",
            where=Location(path=foreign, line=1),
            message=f"the baseline cannot be read: {error}",
            remedy=f"make it again with `detect-secrets scan > {foreign}`.",
        )
        theirs = {}
    if theirs:
        seen = list(_unknown(ctx, seen, theirs))
    if ours is not None and ours.entries:
        yield from _against(ctx, scanner, own, ours, seen, wanted)
    else:
        yield from (finding(one) for one in seen)


def _files(ctx: Context, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The text files among `paths`, read in batches of about 8 MiB; UTF-16 comes as UTF-8."""
    batch: list[str] = []
    total = 0
    for path in paths:
        if _BINARY.search(path):
            continue
        size = ctx.tree.size(path)
        if not size:
            continue
        batch.append(path)
        total += size
        if total >= _BATCH:
            yield from _texts(ctx, batch)
            batch, total = [], 0
    yield from _texts(ctx, batch)


def _texts(ctx: Context, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    if not paths:
        return
    for path, data in ctx.tree.read_many(paths).items():
        text = as_text(data) if data else None
        if text:
            yield path, text


def as_text(data: bytes) -> bytes | None:
    """Bytes of a file if they are text, UTF-16 (by its byte-order mark) as UTF-8; None for a binary file."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data if b"\0" not in data[:8000] else None


def scan_file(scanner: Scanner, path: str, data: bytes) -> list[Seen]:
    """Every secret of one file with its place, in the order of the file."""
    if path.endswith(".ipynb") and (parts := notebook.parts(data)) is not None:
        return _scan_notebook(scanner, path, data, parts)
    found: list[Seen] = []
    start, line = 0, 1
    while start < len(data):
        end = len(data)
        if end - start > _CHUNK:
            end = data.rfind(b"\n", start, start + _CHUNK) + 1 or start + _CHUNK
        piece = data[start:end] if start or end < len(data) else data
        at = 0
        for hit in scanner.scan(piece, path):
            line += piece.count(b"\n", at, hit.start)
            at = hit.start
            found.append(Seen(path=path, line=line, cell=None, output=False, hit=hit, text=_line(piece, hit)))
        line += piece.count(b"\n", at)
        start = end
    return found


def _line(data: bytes, hit: Hit) -> bytes:
    start = max(data.rfind(b"\n", 0, hit.start) + 1, hit.start - 400)
    end = data.find(b"\n", hit.end, hit.end + 400)
    return data[start : end if end >= 0 else hit.end + 400]


def _scan_notebook(scanner: Scanner, path: str, data: bytes, parts: list[notebook.Part]) -> list[Seen]:
    """The hits of the cells, each at the line of the file where its text stands: the n-th sight of a value is the
    n-th place that has it (a cell's outputs and source stand in the order of their keys)."""
    places = notebook.Places(data)
    found = {}
    for part in parts:
        for hit in scanner.scan(part.text, path):
            line = places.line(part.text[hit.start : hit.end])
            found[line, hit.secret, part.cell, part.output] = Seen(
                path=path, line=line, cell=part.cell or None, output=part.output, hit=hit, text=_line(part.text, hit)
            )
    return sorted(found.values(), key=lambda one: one.line)


def finding(seen: Seen) -> Finding:
    """The message of a hit: its kind and masked prefix, never the secret."""
    hit = seen.hit
    length = len(hit.secret)
    where = ""
    if seen.cell is not None:
        where = f" in the output of cell {seen.cell}" if seen.output else f" in cell {seen.cell}"
    allow = "if it is no secret, add the comment `pragma: allowlist secret` to its line."
    severity: Severity | None = None
    if hit.kind == TOKEN:
        message = f"{hit.about} token `{hit.prefix}****` ({length} characters){where}"
        read = f' and read it from the environment: `os.environ["{hit.variable}"]`' if hit.variable else ""
        remedy = f"revoke it at {hit.about}{read}; {allow}"
        severity = "warning" if hit.about == "JWT" and _TESTS.search(seen.path) else None
    elif hit.kind == NAMED:
        message = f"`{hit.about}` is set to what looks like a key, `****` ({length} characters){where}"
        read = f'`os.environ["{hit.variable}"]`' if hit.variable else "the environment"
        remedy = f"revoke the key and read it from {read}; {allow}"
        severity = "warning" if _TESTS.search(seen.path) else None
    elif hit.kind == URL:
        message = f"URL with a credential for {_host(hit.about)}, `****` ({length} characters){where}"
        remedy = "change the password, and keep it in the environment, a keyring or ~/.netrc, out of the URL; " + allow
    else:
        message = f"{hit.about}{where}"
        remedy = "make a new key, replace this one wherever it is trusted, and keep it out of git; " + allow
        severity = "warning" if _TESTS.search(seen.path) else None
    if seen.output:
        remedy = (
            f"revoke it, then clear the outputs with `jupyter nbconvert --clear-output --inplace {_quote(seen.path)}`."
        )
    return Finding(
        code=seen.code,
        where=Location(path=seen.path, line=seen.line),
        message=message,
        remedy=remedy,
        severity=severity,
    )


def _host(host: str) -> str:
    return host if re.fullmatch(r"[a-z0-9.\-_]{1,100}", host) else "a host"


def _quote(path: str) -> str:
    import shlex

    return shlex.quote(path)


def _env(path: str, names: tuple[str, ...]) -> Finding:
    shown = ", ".join(f"`{name}`" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return Finding(
        code="SE105",
        where=Location(path=path, line=1),
        message=f"environment file is tracked by git and sets {shown}",
        remedy=f"run `git rm --cached -- {_quote(path)}`, add its name to .gitignore, and commit a template with empty values.",
    )


def _unknown(ctx: Context, seen: list[Seen], theirs: Mapping[str, frozenset[str]]) -> Iterator[Seen]:
    """What detect-secrets' baseline does not know; an entry of a file that is gone covers the file's new place."""
    gone = frozenset(one for path, found in theirs.items() if ctx.tree.size(path) is None for one in found)
    for one in seen:
        keys_ = known.sha1s(one.hit.secret, one.text)
        if keys_.isdisjoint(theirs.get(one.path, frozenset())) and keys_.isdisjoint(gone):
            yield one


def _against(
    ctx: Context, scanner: Scanner, own: str, ours: known.Baseline, seen: list[Seen], wanted: list[str]
) -> Iterator[Outcome]:
    """Findings that the baseline does not cover, and entries that cover nothing any more."""
    digests: dict[bytes, str] = {}

    def key(secret: bytes) -> str:
        if secret not in digests:
            digests[secret] = known.digest(ours.salt, secret)
        return digests[secret]

    entries = {(one.code, one.digest, one.path): one for one in ours.entries}
    used: set[tuple[str, str, str]] = set()
    left = []
    for one in seen:
        place = (one.code, key(one.hit.secret), one.path)
        if place in entries:
            used.add(place)
        else:
            left.append(one)
    idle = [place for place in entries if place not in used]
    scanned = frozenset(wanted)
    # An entry of a file outside this run is still good if the file still has the secret.
    for path in {place[2] for place in idle} - scanned:
        data = ctx.tree.read(path)
        if data is not None and b"\0" not in data[:8000]:
            used.update((one.code, key(one.hit.secret), path) for one in scan_file(scanner, path, data))
    idle = [place for place in idle if place not in used]
    moved: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for place in idle:
        moved.setdefault(place[:2], []).append(place)
    covered: dict[tuple[str, str], str] = {}
    for one in left:
        pair = (one.code, key(one.hit.secret))
        if pair in covered and covered[pair] == one.path:
            continue
        if moved.get(pair):
            used.add(moved[pair].pop())
            covered[pair] = one.path
            continue
        yield finding(one)
    stale = [entries[place] for place in idle if place not in used]
    if not stale:
        return
    if ctx.scope is not None:  # it may have moved to a file outside this run
        others = [path for path in ctx.tree.paths() if path not in scanned and path != own]
        kept = {
            (one.code, key(one.hit.secret))
            for path, data in _files(ctx, others)
            for one in scan_file(scanner, path, data)
        }
        stale = [entry for entry in stale if (entry.code, entry.digest) not in kept]
    old = ctx.tree.read(own)
    for entry in stale:
        rest = known.Baseline(salt=ours.salt, entries=tuple(one for one in ours.entries if one not in stale))
        fix = Fix(title="drop stale entries", edits=(Edit(path=own, old=old, new=known.render(rest)),), safe=True)
        yield Finding(
            code="SE201",
            where=Location(path=own, line=entry.line),
            message=f"the secret of this entry is no longer in {entry.path}, nor anywhere else",
            remedy="drop the line: run `gatepost secrets --fix`.",
            fix=fix if entry is stale[0] else None,
        )


def _update(ctx: Context, own: str, seen: list[Seen]) -> Iterator[Outcome]:
    """One finding whose fix writes the baseline of everything found; kept entries keep their reasons."""
    old = ctx.tree.read(own)
    before = known.Baseline(salt="", entries=())
    if old is not None:
        try:
            before = known.parse(old)
        except known.BaselineError:
            pass
    salt = before.salt or known.new_salt(one.path for one in seen)
    reasons = {(one.code, one.digest): one.reason for one in before.entries}
    entries = []
    for one in seen:
        digest = known.digest(salt, one.hit.secret)
        entries.append(
            known.Entry(code=one.code, digest=digest, path=one.path, reason=reasons.get((one.code, digest), ""))
        )
    new = known.render(known.Baseline(salt=salt, entries=tuple(entries)))
    if new != old:
        fix = Fix(title=f"write {own}", edits=(Edit(path=own, old=old, new=new),), safe=True)
        yield Finding(
            code="SE201",
            where=Location(path=own, line=1 if old is not None else None),
            message=f"the baseline differs from the {len(set(new.splitlines())) - 1} secrets that are there",
            remedy="run `gatepost secrets --update-baseline --fix`, then write the reason after `#` on each new line.",
            fix=fix,
        )
