"""The rules of lock-freshness: LF1xx stale, LF2xx unsound, LF3xx not decided; LF4xx are in codes_deployment."""

from __future__ import annotations

from gatepost.model import ERROR, INFO, WARNING, Code

_RELOCK = "Run the relock command that the message names (`uv lock`, `poetry lock`, ...), and stage the lock."


def _stale(id: str, name: str, summary: str, why: str, bad: str, good: str) -> Code:
    return Code(id=id, name=name, severity=ERROR, summary=summary, why=why, bad=bad, good=good, fix=_RELOCK)


def _unsure(id: str, name: str, summary: str, why: str, bad: str, good: str, fix: str) -> Code:
    return Code(id=id, name=name, severity=ERROR, summary=summary, why=why, bad=bad, good=good, fix=fix, unchecked=True)


_STALE = (
    _stale(
        "LF101", "stale-requirements", "A requirement of the manifest is not the one that the lock was made for.",
        "Of 75 public projects 9 had a stale lock at head; `uv sync --locked`, `poetry install` and image builds then "
        "fail, or install what nobody reviewed. The verdict is that of the owning tool's own check, from files alone.",
        'dependencies = ["httpx>=0.28"]   # the lock has httpx>=0.27', "the lock made after the edit",
    ),
    _stale(
        "LF102", "stale-python-range", "The manifest's Python range is not the lock's.",
        "The lock holds the versions and markers that suit one range of Pythons; another range needs a new resolution.",
        'requires-python = ">=3.11"   # the lock has ">=3.10"', "the lock made after the edit",
    ),
    _stale(
        "LF103", "stale-project", "The project's own name, version or kind is not the one that the lock records.",
        "uv records the version and the kind (virtual, editable) of each project. A version bump without a relock is "
        "the most common cause of a stale uv.lock: `uv sync --locked` in CI fails on the release commit.",
        'version = "1.3.0"   # the lock has 1.2.0', "uv lock run by the release script",
    ),
    _stale(
        "LF104", "stale-members", "The members of the workspace are not those of the lock.",
        "A member that is added, renamed, moved or left out of the commit changes what the lock must hold. uv looks at "
        "the disk: an unstaged member looks fine there and is missing for everyone else.",
        "packages/new/ is on disk but not staged", "git add packages/new uv.lock",
    ),
    _stale(
        "LF105", "stale-settings", "A resolver setting, index or environment differs from those the lock was made with.",
        "Resolution mode, cutoff date, indexes, environments and conflicts are inputs of the lock like requirements.",
        '[tool.uv]\nresolution = "lowest-direct"   # added after the lock was made', "the lock made after the edit",
    ),
    Code(
        id="LF110", name="dead-lock", severity=WARNING, summary="A lock beside a workspace member is read by nobody.",
        why="uv reads the lock of the workspace root only. The other one ages unseen, and scanners report its pins.",
        bad="packages/a/uv.lock in a workspace", good="one uv.lock at the root", fix="`git rm` it.",
    ),
    Code(
        id="LF111", name="abandoned-lock", severity=WARNING,
        summary="A stale lock of one tool lies beside the lock of the tool that owns the project.",
        why="After a change of tools the old lock stays and ages. Whoever installs from it gets other versions.",
        bad="poetry.lock and uv.lock, [tool.uv] in pyproject.toml", good="one lock",
        fix="`git rm` it, or name it under `abandoned` in [tool.gatepost.lock-freshness].",
    ),
    Code(
        id="LF112", name="lock-not-staged", severity=ERROR, summary="A lock is on disk but not in the commit.",
        why="Checks that look at the disk say fresh; whoever checks the commit out has no lock at all.",
        bad="git add pyproject.toml", good="git add pyproject.toml uv.lock", fix="`git add` the lock.",
    ),
    Code(
        id="LF113", name="older-rule", severity=INFO,
        summary="The lock is in step by a rule of an older version of its tool.",
        why="A newer version of the tool computes the fingerprint differently and will call this lock out of date.",
        bad="Pipfile.lock written by pipenv before March 2026", good="the same lock, written again", fix=_RELOCK,
    ),
    Code(
        id="LF114", name="partial-verdict", severity=INFO,
        summary="With --partial: a lock is fresh as far as files tell, and this is what they do not tell.",
        why="The outputs of pip-compile, `uv pip compile` and exports, conda-lock.yml, pixi.lock and most pylock.toml do "
        "not record their inputs, and their tools have no offline check. Such a verdict is one-sided: stale is stale, "
        "fresh means that nothing contradicts the manifest. Not seen, by format: pip-compile and uv pip compile: changed "
        "options, indexes and Python versions, stripped extras; exports: packages that the export lacks, markers, hashes; "
        "conda-lock: removed specs, channels, options, markers; pixi: those and source and virtual packages; "
        "pylock.toml: removed requirements, markers, extras, options, indexes.",
        bad="requirements.txt compiled with another --python-version", good="the same output, compiled again",
        fix="Run the command that the message names where it must be certain; a difference in the file is the answer.",
    ),
)  # fmt: skip

_UNSOUND = (
    Code(
        id="LF201", name="lock-conflict-markers", severity=ERROR, summary="A lock holds merge-conflict markers.",
        why="No tool can read it. Locks are not merged by hand: take one side and lock again.",
        bad="<<<<<<< HEAD", good="the lock of one side, locked again", fix="Take one side whole, then relock.",
    ),
    Code(
        id="LF202", name="unreadable-lock", severity=ERROR, summary="A lock is not readable in its own format.",
        why="A bad merge or a cut-off file. Installing from it fails on every machine.",
        bad='name = "httpx', good="a lock as its tool wrote it", fix=_RELOCK,
    ),
    Code(
        id="LF203", name="dangling-reference", severity=ERROR, summary="A lock refers to a package that it does not hold.",
        why="A spliced merge. uv stops with an error, Poetry, PDM and Pipenv call the lock fresh and install too little.",
        bad="a [[package]] deleted by hand", good="the lock made again", fix=_RELOCK,
    ),
    Code(
        id="LF204", name="duplicate-package", severity=ERROR, summary="A lock holds the same package twice.",
        why="Git merges two branches that each added the package without a conflict. Which entry wins is up to the tool.",
        bad="two [[package]] blocks of idna 3.10", good="one", fix=_RELOCK,
    ),
    Code(
        id="LF205", name="pin-outside-requirement", severity=ERROR,
        summary="A locked version does not meet the requirement that it is locked for.",
        why="uv, Poetry, PDM and Pipenv do not look at pins when they call a lock fresh (uv issues 12276 and 15445): a "
        "hand edit or a merge that takes the wrong side is installed without a word.",
        bad="httpx 0.26.0 locked for httpx>=0.27", good="the lock made again",
        fix="Run the command of the message: `uv lock` alone keeps such a lock, `--upgrade-package NAME` does not.",
    ),
    Code(
        id="LF206", name="entry-without-hash", severity=WARNING,
        summary="One entry of a lock has no hash where all others have one.",
        why="What is downloaded for it is not checked. A hand edit or a merge lost it.",
        bad="a wheel without hash", good="the lock made again", fix=_RELOCK,
    ),
    Code(
        id="LF207", name="lost-dependency", severity=ERROR,
        summary="A project of the lock records a requirement, but nothing in the lock installs it.",
        why="uv.lock holds each requirement twice: as recorded from the manifest, and as an edge to the locked package. A "
        "merge or a hand edit that drops the edge is fresh for `uv lock --check`, and `uv sync` then leaves the package out.",
        bad="click in requires-dist and not in dependencies", good="the lock made again",
        fix="`uv lock --upgrade-package NAME`: `uv lock` alone keeps the lock as it is.",
    ),
    Code(
        id="LF208", name="file-of-another-version", severity=ERROR,
        summary="A locked version and the version in the name of its wheel differ.",
        why="A merge took the version from one side and the files from the other. uv refuses the lock.",
        bad="version = 1.16.0 with six-1.17.0-py2.py3-none-any.whl", good="the lock made again",
        fix="Remove the lock, or check a sound one out, and lock again.",
    ),
)  # fmt: skip

_UNSURE = (
    _unsure(
        "LF301", "dynamic-metadata", "The lock's inputs are computed by a build backend or recorded nowhere.",
        "Only a build tells what `dynamic = [\"dependencies\"]` is. This hook never runs a build.",
        'dynamic = ["dependencies"]', "static dependencies in [project]", "Run the tool's own check, named in the message.",
    ),
    _unsure(
        "LF302", "newer-format", "The lock or a setting is of a kind that this version does not know.",
        "A format newer than we know must not look fresh, nor stale.", "revision = 99", "a known revision",
        "Update gatepost, or run the tool's own check.",
    ),
    _unsure(
        "LF303", "machine-dependent", "The verdict depends on the machine: its interpreter, configuration or environment.",
        "Without `requires-python` uv takes the interpreter it finds; without `[[source]]` Pipenv mixes pip.conf in. The "
        "verdict on uv.lock is that of the files of the commit: a uv.toml of the user or machine is not looked at, and a "
        "variable (`UV_RESOLUTION`, `UV_INDEX`, `UV_NO_CONFIG` ...) never makes a lock stale; where files and lock differ "
        "in just the setting that a variable of this machine decides, that is said instead of stale.",
        "no requires-python", 'requires-python = ">=3.11"', "State the value in the manifest.",
    ),
    _unsure(
        "LF304", "outside-snapshot", "The lock depends on something outside the commit or without static metadata.",
        "A path dependency outside the repository, in a submodule, or built by setup.py cannot be read here.",
        'tool.uv.sources.a = { path = "../../other-repo" }', "a workspace member", "Run the tool's own check.",
    ),
    _unsure(
        "LF305", "unreadable-manifest", "A manifest is broken, or its tool would refuse it.",
        "Freshness against a file that nobody can read is not decided.", "dependencies = [", "valid TOML",
        "Mend the manifest.",
    ),
    _unsure(
        "LF307", "too-large", "A lock or marker is too large or too tangled to compare.",
        "There is a limit on memory and steps, so that a hostile file cannot stop a commit.", "a 50 MB lock in odd layout",
        "a lock as its tool writes it", "Run the tool's own check.",
    ),
    _unsure(
        "LF309", "lock-without-manifest", "There is no manifest beside the lock.",
        "A lock belongs to a manifest; without one nothing says what it should hold.", "uv.lock alone",
        "pyproject.toml and uv.lock", "Add the manifest, or remove the lock.",
    ),
)  # fmt: skip

try:
    from gatepost.rules.lock_freshness.codes_deployment import CODES as _DEPLOYMENT
except ImportError:  # pragma: no cover
    _DEPLOYMENT = ()

CODES: tuple[Code, ...] = (*_STALE, *_UNSOUND, *_UNSURE, *_DEPLOYMENT)
