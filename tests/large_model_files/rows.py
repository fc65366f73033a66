"""The case table: what git can do with a large file, and what a size check should say.

A row's `wanted` is "block" or "pass"; a row where opinions differ has `open` set to what we do and why.
`native` marks rows that no runner lets a hook see (only git's own pre-push hook can), `runners` limits a row to some.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.large_model_files.lab import BIG, LFS, Lab, noise, pointer, run

Action = Callable[[Lab], str]


@dataclass(frozen=True)
class Row:
    number: str
    title: str
    wanted: str
    action: Action
    init: tuple[str, ...] = ()
    native: bool = False  # needs git's own hook
    open: str = ""  # why another outcome could be wanted
    odd: dict[str, str] = field(default_factory=dict)  # runner -> outcome it forces, whatever the hook says


ROWS: list[Row] = []


def row(number: str, title: str, wanted: str, **more: object) -> Callable[[Action], Action]:
    def add(action: Action) -> Action:
        ROWS.append(Row(number, title, wanted, action, **more))  # type: ignore[arg-type]
        return action

    return add


def grandfather(lab: Lab, name: str = "big.bin", data: bytes | None = None) -> None:
    """A commit with a large file that nobody judged."""
    lab.add(name, noise() if data is None else data)
    lab.add("README", "hello\n")
    lab.commit("old sins")


# --- staged content beside the work tree ------------------------------------------------------------------------


@row("01", "new 2 MB file staged", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add("big.bin", noise())
    return lab.try_commit()


@row("02", "big staged, work tree then truncated (git commit)", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add("big.bin", noise())
    lab.write("big.bin", "x")
    return lab.try_commit()


@row("03", "the same, `run --all-files`", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add("big.bin", noise())
    lab.write("big.bin", "x")
    return lab.all_files()


@row("04", "small staged, work tree grown, `run --all-files`", "pass")
def _(lab: Lab) -> str:
    lab.base()
    lab.add("big.bin", "x")
    lab.write("big.bin", noise())
    return lab.all_files()


@row("05", "big staged, file deleted from the work tree (git commit)", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add("big.bin", noise())
    (lab.path / "big.bin").unlink()
    return lab.try_commit()


@row("06", "the same, `run --all-files`", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add("big.bin", noise())
    (lab.path / "big.bin").unlink()
    return lab.all_files()


@row("07", "tracked 10 KB file modified to 2 MB", "block")
def _(lab: Lab) -> str:
    grandfather(lab, data=noise(10_000))
    lab.add("big.bin", noise())
    return lab.try_commit()


@row("08", "tracked 2 MB file replaced by another 2 MB", "block")
def _(lab: Lab) -> str:
    grandfather(lab)
    lab.add("big.bin", noise(seed=2))
    return lab.try_commit()


@row("09", "grandfathered big file untouched, small edit committed", "pass")
def _(lab: Lab) -> str:
    grandfather(lab)
    lab.add("README", "more\n")
    return lab.try_commit()


@row("10", "grandfathered big file shrinks, stays over the limit", "pass", open="an unknown file that shrinks is free")
def _(lab: Lab) -> str:
    grandfather(lab)
    lab.add("big.bin", noise(1_500_000, seed=2))
    return lab.try_commit()


@row("11", "pure rename of a big file", "pass")
def _(lab: Lab) -> str:
    grandfather(lab)
    lab.git("mv", "big.bin", "moved.bin")
    return lab.try_commit()


@row("12", "pure rename, diff.renames=false", "pass")
def _(lab: Lab) -> str:
    grandfather(lab)
    lab.git("config", "diff.renames", "false")
    lab.git("mv", "big.bin", "moved.bin")
    return lab.try_commit()


@row("13", "copy: the same blob at a second path", "pass")
def _(lab: Lab) -> str:
    grandfather(lab)
    lab.add("copy.bin", noise())
    return lab.try_commit()


@row("14", "checkpoint rotation: ckpt-1 deleted, ckpt-2 added, 70 % the same bytes", "block")
def _(lab: Lab) -> str:
    old = noise()
    grandfather(lab, "ckpt-1.bin", old)
    lab.git("rm", "-q", "ckpt-1.bin")
    lab.add("ckpt-2.bin", old[: BIG * 7 // 10] + noise(BIG * 3 // 10, seed=2))
    return lab.try_commit()


@row("15", "diff.renames=copies: near-copy of a changed big file", "block")
def _(lab: Lab) -> str:
    old = noise()
    grandfather(lab, "ckpt-1.bin", old)
    lab.git("config", "diff.renames", "copies")
    lab.add("ckpt-1.bin", old[:1000])
    lab.add("ckpt-2.bin", old[: BIG * 8 // 10] + noise(BIG * 2 // 10, seed=2))
    return lab.try_commit()


@row("16", "symlink replaced by a real 2 MB file", "block")
def _(lab: Lab) -> str:
    lab.base()
    os.symlink("README", lab.path / "big.bin")
    lab.git("add", "big.bin")
    lab.commit()
    lab.add("big.bin", noise())
    return lab.try_commit()


@row("17", "chmod +x on a grandfathered big file", "pass")
def _(lab: Lab) -> str:
    grandfather(lab)
    lab.git("update-index", "--chmod=+x", "big.bin")
    (lab.path / "big.bin").chmod(0o755)
    return lab.try_commit()


@row("18", "first commit of a repository", "block")
def _(lab: Lab) -> str:
    lab.add("big.bin", noise())
    return lab.try_commit()


@row("19", "sha256 repository", "block", init=("--object-format=sha256",))
def _(lab: Lab) -> str:
    lab.base()
    lab.add("big.bin", noise())
    return lab.try_commit()


# --- Git LFS, filters, DVC, annex ----------------------------------------------------------------------------------


@row("20", "proper LFS: pointer staged", "pass")
def _(lab: Lab) -> str:
    lab.base()
    lab.lfs()
    lab.add(".gitattributes", f"*.bin {LFS}\n")
    lab.add("big.bin", noise())
    return lab.try_commit()


@row("21", "filter=lfs, but the filter is not configured: raw weights staged", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add(".gitattributes", f"*.bin {LFS}\n")
    lab.add("big.bin", noise())
    return lab.try_commit()


@row("22", "big added, then `git lfs track` in the same commit", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.lfs()
    lab.add("big.bin", noise())
    lab.add(".gitattributes", f"*.bin {LFS}\n")
    return lab.try_commit()


@row("23", "the LFS rule is only in an untracked .gitattributes", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.write(".gitattributes", f"*.bin {LFS}\n")
    lab.add("big.bin", noise())
    return lab.try_commit()


@row("24", "the LFS rule is in .git/info/attributes, no filter", "block")
def _(lab: Lab) -> str:
    lab.base()
    (lab.path / ".git" / "info").mkdir(exist_ok=True)
    (lab.path / ".git" / "info" / "attributes").write_text(f"*.bin {LFS}\n")
    lab.add("big.bin", noise())
    return lab.try_commit()


@row("25", "a pointer's header with a 2 MB payload, no filter", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add(".gitattributes", f"*.bin {LFS}\n")
    lab.add("big.bin", pointer(noise()) + noise())
    return lab.try_commit()


def _rule_removed(lab: Lab) -> None:
    lab.base()
    lab.lfs()
    lab.add(".gitattributes", f"*.bin {LFS}\n")
    lab.commit()
    lab.add("big.bin", noise())
    lab.git("rm", "-q", "-f", ".gitattributes")


@row("26", "pointer staged, its rule removed in the same commit", "pass")
def _(lab: Lab) -> str:
    _rule_removed(lab)
    return lab.try_commit()


@row("27", "the same, `run --all-files` (2 MB on disk, 130 B in git)", "pass")
def _(lab: Lab) -> str:
    _rule_removed(lab)
    return lab.all_files()


@row("28", "filter=lfs, a small (10 KB) file staged raw", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add(".gitattributes", f"*.bin {LFS}\n")
    lab.add("small.bin", noise(10_000))
    return lab.try_commit()


@row("29", "a clean filter like nbstripout: 2 MB on disk, 20 KB in git", "pass")
def _(lab: Lab) -> str:
    lab.base()
    lab.git("config", "filter.strip.clean", "head -c 20000")
    lab.add(".gitattributes", "*.ipynb filter=strip\n")
    lab.add("a.ipynb", "x" * BIG)
    return lab.try_commit()


@row("30", "working-tree-encoding=UTF-16: 800 KB on disk, 400 KB in git", "pass")
def _(lab: Lab) -> str:
    lab.base()
    lab.add(".gitattributes", "*.txt text working-tree-encoding=UTF-16\n")
    lab.add("a.txt", ("some words\n" * 36_000).encode("utf-16"))
    return lab.try_commit()


@row("31", "git mv of an LFS file", "pass")
def _(lab: Lab) -> str:
    lab.base()
    lab.lfs()
    lab.add(".gitattributes", f"*.bin {LFS}\n")
    lab.add("big.bin", noise())
    lab.commit()
    lab.git("mv", "big.bin", "moved.bin")
    return lab.try_commit()


@row("32", "`git lfs track large_files/`, a rule that matches nothing", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.lfs()
    lab.add(".gitattributes", f"large_files/ {LFS}\n")
    lab.add("large_files/big.bin", noise())
    return lab.try_commit()


@row("33", "git-annex symlink", "pass")
def _(lab: Lab) -> str:
    lab.base()
    os.symlink(".git/annex/objects/aa/bb/SHA256E-s2000000--00.bin/x.bin", lab.path / "big.bin")
    lab.git("add", "big.bin")
    return lab.try_commit()


# --- names -------------------------------------------------------------------------------------------------------


def _named(number: str, what: str, name: bytes, **more: object) -> None:
    @row(number, f"{what} in the name", "block", **more)
    def _(lab: Lab) -> str:
        lab.base()
        lab.add(name, noise())
        return lab.try_commit()


_named("40", "Chinese characters", "模型.bin".encode())
_named("41", "an accent", "modèle.pt".encode())
_named("42", "a newline", b"a\nb.bin")
_named("43", "a double quote", b'a"b.bin')
_named("44", "a tab", b"a\tb.bin")
_named("45", "a byte that is not UTF-8", b"a\xffb.bin", odd={"pre-commit": "crash"})
_named("46", "`--maxkb=99999999`", b"--maxkb=99999999")
_named("47", "`-m.bin`", b"-m.bin")
_named("48", "a space", b"a b.bin")
_named("49", "a backslash", b"a\\b.bin")


@row("50", "a small file named `--help` beside a big one", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add("--help", "x\n")
    lab.add("big.bin", noise())
    return lab.try_commit()


# --- kinds of entries --------------------------------------------------------------------------------------------


@row("60", "symlink to a 2 MB file outside", "pass")
def _(lab: Lab) -> str:
    lab.base()
    outside = lab.folder / "outside.bin"
    outside.write_bytes(noise())
    os.symlink(outside, lab.path / "link.bin")
    lab.git("add", "link.bin")
    return lab.try_commit()


@row("61", "broken symlink", "pass")
def _(lab: Lab) -> str:
    lab.base()
    os.symlink("nowhere", lab.path / "link.bin")
    lab.git("add", "link.bin")
    return lab.try_commit()


@row("62", "embedded repository (gitlink)", "pass")
def _(lab: Lab) -> str:
    lab.base()
    inner = lab.path / "inner"
    run("git", "init", "-q", str(inner), cwd=lab.path)
    (inner / "big.bin").write_bytes(noise())
    lab.git("add", "big.bin", cwd=inner)
    lab.git("commit", "-q", "-m", "inner", cwd=inner)
    lab.git("add", "inner")
    return lab.try_commit()


@row("63", "intent-to-add big file, something small staged", "pass")
def _(lab: Lab) -> str:
    lab.base()
    lab.write("big.bin", noise())
    lab.git("add", "-N", "big.bin")
    lab.add("README", "more\n")
    return lab.try_commit()


@row("64", "intent-to-add big file, `run --all-files`", "pass")
def _(lab: Lab) -> str:
    lab.base()
    lab.write("big.bin", noise())
    lab.git("add", "-N", "big.bin")
    return lab.all_files()


def _conflict(lab: Lab) -> None:
    lab.base()
    lab.git("checkout", "-q", "-b", "side")
    lab.add("README", "side\n")
    lab.commit()
    lab.git("checkout", "-q", "main")
    lab.add("README", "main\n")
    lab.commit()
    lab.git("merge", "side", ok=False)


@row("65", "unmerged index, `run --all-files`", "pass")
def _(lab: Lab) -> str:
    _conflict(lab)
    return lab.all_files()


@row("66", "sparse checkout leaves out a big tracked file, `run --all-files`", "block")
def _(lab: Lab) -> str:
    grandfather(lab, "data/big.bin")
    lab.add("src/a.py", "x\n")
    lab.commit()
    lab.git("sparse-checkout", "set", "src")
    return lab.all_files()


@row("67", "deletion of a big file", "pass")
def _(lab: Lab) -> str:
    grandfather(lab)
    lab.git("rm", "-q", "big.bin")
    return lab.try_commit()


@row("68", "update-index --cacheinfo, no file on disk", "block")
def _(lab: Lab) -> str:
    lab.base()
    oid = lab.git("hash-object", "-w", "--stdin", data=noise()).strip()
    lab.git("update-index", "--add", "--cacheinfo", f"100644,{oid},big.bin")
    return lab.try_commit()


@row("69", "git add -f of an ignored checkpoint", "block")
def _(lab: Lab) -> str:
    lab.add(".gitignore", "*.ckpt\n")
    lab.commit()
    lab.add("a.ckpt", noise(), "-f")
    return lab.try_commit()


@row("70", "linked work tree", "block")
def _(lab: Lab) -> str:
    lab.base()
    other = lab.folder / "other"
    lab.git("worktree", "add", "-q", str(other), "-b", "side")
    (other / "big.bin").write_bytes(noise())
    lab.git("add", "big.bin", cwd=other)
    return lab.try_commit(cwd=other)


# --- sums and limits -----------------------------------------------------------------------------------------------


@row("80", "20 shards of 450 KB", "block")
def _(lab: Lab) -> str:
    lab.base()
    for at in range(20):
        lab.write(f"model.bin.part-a{chr(97 + at)}", noise(450_000, seed=at))
    lab.git("add", "-A")
    return lab.try_commit()


@row("81", "400 arrays of 100 KB", "block")
def _(lab: Lab) -> str:
    lab.base()
    for at in range(400):
        lab.write(f"data/{at}.npy", noise(100_000, seed=at))
    lab.git("add", "-A")
    return lab.try_commit()


@row("82", "exactly 512,000 bytes (500 KiB)", "pass")
def _(lab: Lab) -> str:
    lab.base()
    lab.add("a.bin", noise(512_000))
    return lab.try_commit()


@row("83", "512,001 bytes", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add("a.bin", noise(512_001))
    return lab.try_commit()


@row("84", "2 MB of zeros", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add("a.bin", bytes(BIG))
    return lab.try_commit()


# --- ways to commit -----------------------------------------------------------------------------------------------


@row("90", "git commit -a", "block")
def _(lab: Lab) -> str:
    grandfather(lab, data=b"small")
    lab.write("big.bin", noise())
    return lab.try_commit("-a")


@row("91", "git commit -- path", "block")
def _(lab: Lab) -> str:
    grandfather(lab, data=b"small")
    lab.write("big.bin", noise())
    return lab.try_commit("--", "big.bin")


@row("92", "amend of the message, HEAD has a big file", "pass", open="nothing new is staged; the push is what stops it")
def _(lab: Lab) -> str:
    lab.base()
    lab.add("big.bin", noise())
    lab.commit()
    return lab.try_git("commit", "-q", "--amend", "-m", "other words")


def _side_with_big(lab: Lab, remove: bool = False) -> None:
    lab.base()
    lab.git("checkout", "-q", "-b", "side")
    lab.add("big.bin", noise())
    lab.commit("side: big")
    if remove:
        lab.git("rm", "-q", "big.bin")
        lab.add("side.py", "x\n")
        lab.commit("side: gone")
    lab.git("checkout", "-q", "main")
    lab.add("main.py", "x\n")
    lab.commit("main")


@row(
    "93",
    "clean merge of a local branch that adds a big file",
    "block",
    open="a branch that no remote has is not shared",
)
def _(lab: Lab) -> str:
    _side_with_big(lab)
    return lab.try_git("merge", "-q", "--no-edit", "side")


@row("94", "conflicted merge; their side added a big file", "pass", open="it is in MERGE_HEAD already")
def _(lab: Lab) -> str:
    lab.base()
    lab.git("checkout", "-q", "-b", "side")
    lab.add("big.bin", noise())
    lab.add("README", "side\n")
    lab.commit()
    lab.git("checkout", "-q", "main")
    lab.add("README", "main\n")
    lab.commit()
    lab.git("merge", "side", ok=False)
    lab.add("README", "both\n")
    return lab.try_commit()


@row("95", "evil merge: a big file added while resolving", "block")
def _(lab: Lab) -> str:
    _conflict(lab)
    lab.add("README", "both\n")
    lab.add("big.bin", noise())
    return lab.try_commit()


@row("96", "cherry-pick of a commit that adds a big file", "pass", open="git runs no hook; the push is what stops it")
def _(lab: Lab) -> str:
    _side_with_big(lab)
    return lab.try_git("cherry-pick", "side")


@row("97", "git revert of a deletion", "pass")
def _(lab: Lab) -> str:
    grandfather(lab)
    lab.git("rm", "-q", "big.bin")
    lab.commit()
    return lab.try_git("revert", "--no-edit", "HEAD")


# --- push ------------------------------------------------------------------------------------------------------------


def _pushed_base(lab: Lab) -> None:
    lab.base()
    lab.remote()
    lab.git("push", "-q", "origin", "HEAD:refs/heads/main")
    lab.git("fetch", "-q", "origin")


def _add_and_remove(lab: Lab, other: bool = True) -> None:
    lab.add("big.bin", noise())
    lab.commit("big")
    lab.git("rm", "-q", "big.bin")
    if other:
        lab.add("more.py", "x\n")
    lab.commit("gone")


@row("100", "push: big file in a commit that no hook saw", "block")
def _(lab: Lab) -> str:
    _pushed_base(lab)
    lab.add("big.bin", noise())
    lab.commit()
    return lab.try_push()


@row("101", "push: big added, then removed, and another change", "block")
def _(lab: Lab) -> str:
    _pushed_base(lab)
    _add_and_remove(lab)
    return lab.try_push()


@row("102", "push: big added, then removed, nothing else", "block")
def _(lab: Lab) -> str:
    _pushed_base(lab)
    _add_and_remove(lab, other=False)
    return lab.try_push()


@row("103", "push of a new branch", "block")
def _(lab: Lab) -> str:
    _pushed_base(lab)
    lab.git("checkout", "-q", "-b", "side")
    _add_and_remove(lab)
    return lab.try_push("origin", "side")


@row("104", "first push with the root commit; big added and removed", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.remote()
    _add_and_remove(lab)
    return lab.try_push()


@row("105", "push of a branch that is not checked out", "block")
def _(lab: Lab) -> str:
    _pushed_base(lab)
    lab.git("checkout", "-q", "-b", "side")
    lab.add("big.bin", noise())
    lab.commit()
    lab.git("checkout", "-q", "main")
    return lab.try_push("origin", "side")


@row("106", "push of two branches, big in the second", "block", native=True)
def _(lab: Lab) -> str:
    _pushed_base(lab)
    lab.git("checkout", "-q", "-b", "aside")
    lab.add("a.py", "x\n")
    lab.commit()
    lab.git("checkout", "-q", "-b", "zside", "main")
    lab.add("big.bin", noise())
    lab.commit()
    return lab.try_push("origin", "aside", "zside")


@row("107", "push of an annotated tag on a commit with a big file", "block")
def _(lab: Lab) -> str:
    _pushed_base(lab)
    lab.git("checkout", "-q", "--detach")
    lab.add("big.bin", noise())
    lab.commit()
    lab.git("tag", "-a", "-m", "t", "v1")
    lab.git("checkout", "-q", "main")
    return lab.try_push("origin", "v1")


@row("108", "push of a tag straight on a blob", "block", native=True)
def _(lab: Lab) -> str:
    _pushed_base(lab)
    oid = lab.git("hash-object", "-w", "--stdin", data=noise()).strip()
    lab.git("tag", "blob", oid)
    return lab.try_push("origin", "blob")


def _pushed_big(lab: Lab) -> None:
    grandfather(lab)
    lab.remote()
    lab.git("push", "-q", "origin", "HEAD:refs/heads/main")
    lab.git("fetch", "-q", "origin")


@row("109", "push: grandfathered big file on the remote, small change", "pass")
def _(lab: Lab) -> str:
    _pushed_big(lab)
    lab.add("README", "more\n")
    lab.commit()
    return lab.try_push()


@row("110", "push of a new branch off a grandfathered repository", "pass")
def _(lab: Lab) -> str:
    _pushed_big(lab)
    lab.git("checkout", "-q", "-b", "side")
    lab.add("README", "more\n")
    lab.commit()
    return lab.try_push("origin", "side")


@row("111", "push to a URL, grandfathered big file there", "pass")
def _(lab: Lab) -> str:
    _pushed_big(lab)
    lab.git("checkout", "-q", "-b", "side")
    lab.add("README", "more\n")
    lab.commit()
    return lab.try_push(str(lab.folder / "origin.git"), "side")


@row("112", "force push after a rewrite, the remote's tip is unknown here", "block")
def _(lab: Lab) -> str:
    _pushed_base(lab)
    other = lab.folder / "other"
    run("git", "clone", "-q", str(lab.folder / "origin.git"), str(other), cwd=lab.folder)
    lab.git("commit", "-q", "--allow-empty", "-m", "theirs", cwd=other)
    lab.git("push", "-q", "origin", "HEAD:refs/heads/main", cwd=other)
    lab.add("big.bin", noise())
    lab.commit()
    return lab.try_push("--force", "origin", "HEAD:refs/heads/main")


@row("113", "push deletes a remote branch", "pass")
def _(lab: Lab) -> str:
    _pushed_base(lab)
    lab.git("push", "-q", "origin", "HEAD:refs/heads/old")
    return lab.try_push("origin", ":refs/heads/old")


@row("114", "push: filter=lfs, raw blob committed (filter missing)", "block")
def _(lab: Lab) -> str:
    _pushed_base(lab)
    lab.add(".gitattributes", f"*.bin {LFS}\n")
    lab.add("big.bin", noise())
    lab.commit()
    return lab.try_push()


@row("115", "push in a sha256 repository, added and removed", "block", init=("--object-format=sha256",))
def _(lab: Lab) -> str:
    lab.base()
    lab.remote("origin", "--object-format=sha256")
    lab.git("push", "-q", "origin", "HEAD:refs/heads/main")
    lab.git("fetch", "-q", "origin")
    _add_and_remove(lab)
    return lab.try_push()


@row("116", "push of a merge that brings a side branch with add and remove", "block")
def _(lab: Lab) -> str:
    _side_with_big(lab, remove=True)
    lab.remote()
    lab.git("push", "-q", "origin", "main:refs/heads/main")
    lab.git("fetch", "-q", "origin")
    lab.git("merge", "-q", "--no-edit", "side")
    return lab.try_push()


# --- CI ----------------------------------------------------------------------------------------------------------


def _cloned(lab: Lab, *flags: str) -> None:
    """The repository replaced by a fresh clone of it."""
    source = lab.folder / "source"
    shutil.move(lab.path, source)
    run("git", "clone", "-q", *flags, source.as_uri(), str(lab.path), cwd=lab.folder)


@row("120", "CI: clean checkout, `run --all-files`, big file in HEAD", "block")
def _(lab: Lab) -> str:
    grandfather(lab)
    _cloned(lab)
    return lab.all_files()


@row("121", "CI: `--from-ref main --to-ref HEAD` on a branch that adds a big file", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.git("checkout", "-q", "-b", "side")
    lab.add("big.bin", noise())
    lab.commit()
    return lab.ci("main", "HEAD")


@row("122", "CI: the same, added and removed within the branch", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.git("checkout", "-q", "-b", "side")
    _add_and_remove(lab)
    return lab.ci("main", "HEAD")


@row("123", "CI: LFS repository cloned without smudge, `run --all-files`", "pass")
def _(lab: Lab) -> str:
    lab.base()
    lab.lfs()
    lab.add(".gitattributes", f"*.bin {LFS}\n")
    lab.add("big.bin", noise())
    lab.commit()
    _cloned(lab)
    return lab.all_files()


@row("124", "CI: filter=lfs, but the blob in HEAD is raw, `run --all-files`", "block")
def _(lab: Lab) -> str:
    lab.base()
    lab.add(".gitattributes", f"*.bin {LFS}\n")
    lab.add("big.bin", noise())
    lab.commit()
    _cloned(lab)
    return lab.all_files()
