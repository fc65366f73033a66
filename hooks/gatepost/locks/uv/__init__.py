"""uv.lock, and the locks of PEP 723 scripts (`tool.py.lock`): an exact verdict, since uv's locks record their inputs."""

from __future__ import annotations

from gatepost.locks._base import Contents, Lock, LockFormat, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.locks._base import Verdict


def _judge(lock: Lock) -> Verdict:
    """See `judge.judge`."""
    from gatepost.locks.uv.judge import judge as run

    return run(lock)


def _packages(lock: Lock) -> Contents:
    """See `contents.packages`."""
    from gatepost.locks.uv.contents import packages as run

    return run(lock)


def _sound(lock: Lock) -> bool:
    """See `contents.sound`."""
    from gatepost.locks.uv.contents import sound as run

    return run(lock)


def relock(lock: Lock) -> str:
    """`uv lock`, for the directory or script of the lock, from the repository's root."""
    return _command(lock, "")


def mend(lock: Lock, name: str) -> str:
    """`uv lock --upgrade-package NAME`: makes the lock anew with its pins, where `uv lock` alone would keep it."""
    return _command(lock, f" --upgrade-package {quote(name)}")


def check(lock: Lock) -> str:
    """`uv lock --check` likewise."""
    return _command(lock, " --check")


def _command(lock: Lock, option: str) -> str:
    if lock.name != "uv.lock":
        return f"uv lock{option} --script {quote(lock.path[: -len('.lock')])}"
    return f"uv lock{option} --directory {quote(lock.directory)}" if lock.directory else f"uv lock{option}"


def owns(lock: Lock) -> bool | None:
    """`[tool.uv]` or the uv build backend in the pyproject.toml beside it is uv's; `[tool.poetry]`, `[tool.pdm]` not."""
    if lock.name != "uv.lock":
        return True
    data = lock.read(lock.beside("pyproject.toml")) or b""
    if b"\n[tool.uv" in b"\n" + data or b"uv_build" in data:
        return True
    if b"\n[tool.poetry" in data or b"\n[tool.pdm" in data:
        return False
    return None


def dead(lock: Lock) -> str:
    """uv reads only the lock of the workspace root: the path of that lock, for a lock beside a member."""
    if lock.name != "uv.lock":
        return ""
    from gatepost.locks.uv import project

    try:
        own = project.load(lock.directory, lock.read)
        if own is None or "workspace" in own.uv:
            return ""
        root = project.owner(lock.directory, lock.read)
    except project.Undecidable:
        return ""
    if root is None:
        return ""
    return f"{root.directory}/uv.lock" if root.directory else "uv.lock"


FORMAT = LockFormat(
    name="uv",
    files="uv.lock, *.py.lock",
    decides="the project and its workspace as uv lowers them, compared by meaning with what the lock records (uv 0.9 to 0.13)",
    pattern=r"uv\.lock|.+\.py\.lock",
    manifests=("pyproject.toml", "uv.toml"),
    triggers=r"uv\.toml",
    relock=relock,
    check=check,
    judge=_judge,
    owns=owns,
    dead=dead,
    packages=_packages,
    sound=_sound,
    refuses=("LF202", "LF203", "LF204", "LF208"),
    mend=mend,
)
