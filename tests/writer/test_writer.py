"""The old or the new file and nothing else: faults are put between every two system calls of a write."""

from __future__ import annotations

import errno
import os
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

from gatepost.disk import plain
from gatepost.journal import Journal, Step, digest, dump, place, resume
from gatepost.model import Edit
from gatepost.writer import WriteError, write, write_all

OLD, NEW = b"old\n", b"new " * 5000
CALLS = ["open", "write", "chmod", "fsync", "close", "replace", "unlink", "stat"]


def edit(path: str, old: bytes | None = OLD, new: bytes | None = NEW) -> Edit:
    return Edit(path=path, old=old, new=new)


def project(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(OLD)


def test_writes_adds_and_deletes_and_keeps_the_mode(tmp_path: Path) -> None:
    project(tmp_path, "a", "b")
    (tmp_path / "a").chmod(0o750)
    write_all(str(tmp_path), [edit("a"), edit("b", new=None), edit("new/deep/c", old=None)])
    assert (tmp_path / "a").read_bytes() == NEW
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o750
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a", "c"]


def test_a_symlink_stays_one_and_its_file_is_written(tmp_path: Path) -> None:
    project(tmp_path, "real")
    (tmp_path / "link").symlink_to("real")
    write(str(tmp_path), "link", NEW)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == NEW


@pytest.mark.parametrize("path", ["../out", "link", ".git/config", "sub", "inner/link/x"])
def test_nothing_outside_of_the_project_is_written(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    project(root, ".git/config", "sub/x")
    (tmp_path / "out").write_bytes(OLD)
    (root / "link").symlink_to("../out")
    (root / "inner").mkdir()
    (root / "inner" / "link").symlink_to(tmp_path)
    with pytest.raises(WriteError):
        write_all(str(root), [edit("sub/x"), edit(path)])
    assert (tmp_path / "out").read_bytes() == OLD and (root / "sub" / "x").read_bytes() == OLD


def test_bytes_that_changed_meanwhile_are_not_overwritten(tmp_path: Path) -> None:
    project(tmp_path, "a", "b")
    (tmp_path / "b").write_bytes(b"someone's work")
    with pytest.raises(WriteError, match="b: changed on disk"):
        write_all(str(tmp_path), [edit("a"), edit("b")])
    assert (tmp_path / "a").read_bytes() == OLD


def test_a_read_only_file_is_left_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, "a")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anything, so ask as another would
    with pytest.raises(WriteError, match="a: is read-only"):
        write_all(str(tmp_path), [edit("a")])
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


class Fault:
    """Counts the system calls of a write and stops at the n-th: with an error, or as a kill would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, code: int | None) -> None:
        self.count, self.at, self.code = 0, at, code
        for name in CALLS:
            monkeypatch.setattr(os, name, self.wrap(getattr(os, name)))

    def wrap(self, real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                if self.code is None:
                    os.kill(os.getpid(), signal.SIGKILL)
                raise OSError(self.code, os.strerror(self.code or 0), str(args[0]))
            return real(*args, **kwargs)

        return call


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO, errno.EROFS])
def test_an_error_at_any_call_leaves_every_file_old_or_every_file_new(tmp_path: Path, code: int) -> None:
    at = finished = 0
    while not finished:
        at += 1
        root = tmp_path / str(at)
        project(root, "a", "b")
        with pytest.MonkeyPatch.context() as patch:
            fault = Fault(patch, at, code)
            try:
                write_all(str(root), [edit("a"), edit("b"), edit("c/d", old=None)])
            except WriteError:
                pass
            finished = fault.count < at
        states = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        temporary = [name for name in states if name.endswith(".tmp") or name == ".gatepost-unfinished"]
        for name in temporary:
            states.pop(name)
        old, new = {"a": OLD, "b": OLD}, {"a": NEW, "b": NEW, "c/d": NEW}
        assert states in (old, new), at
        assert len(temporary) <= 1  # the one whose own removal was made to fail
    assert at > 20


EDITS = [edit("a"), edit("b", new=None), edit("d/c", old=None)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_after_a_kill_before_any_call_the_next_run_has_every_file_old_or_every_file_new(tmp_path: Path) -> None:
    at = finished = 0
    while not finished:
        at += 1
        root = tmp_path / str(at)
        project(root, "a", "b")
        child = os.fork()
        if child == 0:
            try:
                Fault(pytest.MonkeyPatch(), at, None)
                write_all(str(root), EDITS)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        finished = not os.WIFSIGNALED(status)
        finished_now = resume(str(root))
        states = {name: (root / name).read_bytes() for name in ("a", "b") if (root / name).exists()}
        states |= {"d/c": (root / "d/c").read_bytes()} if (root / "d/c").exists() else {}
        assert states in ({"a": OLD, "b": OLD}, {"a": NEW, "d/c": NEW}), at
        assert not finished_now or states["a"] == NEW
        assert not (root / ".gatepost-unfinished").exists()
        project(root, "a", "b")
        write_all(str(root), EDITS[:2])
        left = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
        assert left - {"d/c"} <= {"a", *(name for name in left if name.startswith("d/.c.gatepost"))}, at
    assert at > 30


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_disk_that_is_full_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, "a")
    real = os.open
    full = lambda path, flags, *rest: real("/dev/full", os.O_WRONLY) if flags & os.O_EXCL else real(path, flags, *rest)
    monkeypatch.setattr(os, "open", full)
    with pytest.raises(WriteError, match="No space left"):
        write_all(str(tmp_path), [edit("a")])
    assert (tmp_path / "a").read_bytes() == OLD


def dead_process() -> int:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def interrupted(root: Path, process: int) -> None:
    """A batch of two of which nothing has been put in place yet."""
    project(root, "a", "b")
    steps = []
    for name in ("a", "b"):
        temporary = f".{name}.gatepost-{process}-0.tmp"
        (root / temporary).write_bytes(NEW)
        steps.append(Step(path=name, temporary=temporary, old=digest(OLD), new=digest(NEW)))
    Path(place(str(root))).write_bytes(dump(Journal(process=process, steps=tuple(steps))))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_an_interrupted_batch_is_finished_but_never_over_somebodys_work(tmp_path: Path) -> None:
    interrupted(tmp_path / "1", dead_process())
    assert resume(str(tmp_path / "1")) == ["a", "b"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "1").iterdir()} == {"a": NEW, "b": NEW}
    interrupted(tmp_path / "2", dead_process())
    (tmp_path / "2" / "b").write_bytes(b"work")
    assert resume(str(tmp_path / "2")) == []
    assert {path.name: path.read_bytes() for path in (tmp_path / "2").iterdir()} == {"a": OLD, "b": b"work"}
    interrupted(tmp_path / "3", os.getppid())  # at work
    assert resume(str(tmp_path / "3")) == []
    assert len(list((tmp_path / "3").iterdir())) == 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("temporary", ["b", "../b", "sub/.a.gatepost-1-1.tmp", "/etc/.a.gatepost-1-1.tmp"])
def test_a_journal_that_is_not_ours_moves_nothing(tmp_path: Path, temporary: str) -> None:
    project(tmp_path, "a", "b", "sub/.a.gatepost-1-1.tmp")
    (tmp_path / ".git").mkdir()
    step = Step(path="a", temporary=temporary, old=digest(OLD), new=digest(OLD))
    Path(place(str(tmp_path))).write_bytes(dump(Journal(process=dead_process(), steps=(step,))))
    before = sorted(tmp_path.rglob("*"))
    assert resume(str(tmp_path)) == []
    assert set(before) - set(tmp_path.rglob("*")) == {tmp_path / ".git" / "gatepost-unfinished"}
    for junk in (b"", b"[]", b"{}", b"\xff", b'{"process": 1, "steps": [1]}'):
        Path(place(str(tmp_path))).write_bytes(junk)
        assert resume(str(tmp_path)) == []


def test_an_error_names_the_file_and_not_what_stands_in_for_it() -> None:
    for name, shown in ((".pyproject.toml.gatepost-12-0.tmp", "pyproject.toml"), ("a/.b.gatepost-1-2.tmp", "a/b")):
        error = PermissionError(13, "Permission denied", os.path.join(os.sep, "r", *name.split("/")))
        assert str(plain(error, f"{os.sep}r")) == f"{shown}: Permission denied; nothing was written"
