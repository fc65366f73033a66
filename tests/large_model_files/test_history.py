"""What counts as new, beyond the case table: clones with holes, forks, reverts, shared blobs, settings."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.large_model_files.lab import BIN, GATEPOST, Lab, Templates, environment, noise, run
from tests.large_model_files.rows import grandfather


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def lab(tmp_path: Path, templates: Templates) -> Lab:
    return Lab(tmp_path, templates, GATEPOST["git"])


def ours(lab: Lab, *args: str, cwd: Path | None = None, data: bytes = b"", **env: str) -> tuple[int, list[str]]:
    """Exit code of the hook, and its lines that name a finding."""
    done = subprocess.run([str(BIN / "gatepost"), "large-model-files", *args], cwd=cwd or lab.path, input=data,
                          env={**environment(), **env}, capture_output=True, check=False)  # fmt: skip
    lab.out = (done.stdout + done.stderr).decode("utf-8", "backslashreplace")
    return done.returncode, [line for line in lab.out.splitlines() if "[MF" in line]


def settings(lab: Lab, text: str) -> None:
    lab.write("gatepost.toml", text)


def clone(lab: Lab, *flags: str, name: str = "clone") -> Path:
    target = lab.folder / name
    run("git", "clone", "-q", *flags, lab.path.as_uri(), str(target), cwd=lab.folder)
    return target


# --- clones with holes -------------------------------------------------------------------------------------------


def absent(lab: Lab, path: Path) -> int:
    """Blobs of HEAD that a partial clone does not have."""
    listed = lab.git("rev-list", "--objects", "--no-walk", "--missing=print", "HEAD", cwd=path)
    return sum(line.startswith("?") for line in listed.splitlines())


def partial(lab: Lab) -> Path:
    for at in range(5):
        lab.add(f"data/{at}.bin", noise(1000, seed=at))
    grandfather(lab, "data/big.bin")
    lab.git("config", "uploadpack.allowFilter", "true")
    target = clone(lab, "--filter=blob:none", "--sparse")
    assert absent(lab, target) == 6
    return target


def test_a_partial_clone_is_not_completed_by_a_check_of_everything(lab: Lab) -> None:
    target = partial(lab)
    code, lines = ours(lab, cwd=target)
    assert (code, lines) == (0, [lines[0]])
    assert "MF191" in lines[0] and "6 blobs are not in this partial clone" in lines[0]
    assert absent(lab, target) == 6


def test_a_partial_clone_is_not_completed_by_a_commit_or_a_push(lab: Lab) -> None:
    target = partial(lab)
    lab.git("update-index", "--force-remove", "data/1.bin", cwd=target)
    (target / "new.bin").write_bytes(noise(seed=9))
    lab.git("add", "--sparse", "new.bin", cwd=target)
    code, lines = ours(lab, cwd=target)
    assert code == 1 and len(lines) == 1 and "new.bin: error[MF101]" in lines[0]
    lab.git("commit", "-q", "-m", "x", cwd=target)
    head = lab.git("rev-parse", "HEAD", cwd=target).strip()
    refs = f"refs/heads/main {head} refs/heads/main {lab.git('rev-parse', 'HEAD').strip()}\n".encode()
    code, lines = ours(lab, "--pre-push", "--remote", "origin", cwd=target, data=refs)
    assert code == 1 and len(lines) == 1 and "new.bin: error[MF101]" in lines[0]
    assert absent(lab, target) == 5


def test_a_clone_without_trees_is_judged_as_far_as_it_goes(lab: Lab) -> None:
    grandfather(lab, "data/big.bin")
    lab.git("config", "uploadpack.allowFilter", "true")
    target = clone(lab, "--filter=tree:0", "--no-checkout")
    lab.git("reset", "-q", cwd=target)
    code, _lines = ours(lab, cwd=target)
    assert code == 0, lab.out


def test_a_shallow_clone_says_what_it_cannot_see(lab: Lab) -> None:
    grandfather(lab)
    lab.git("checkout", "-q", "-b", "side")
    for at in range(3):
        lab.add("a.py", f"{at}\n")
        lab.commit()
    target = clone(lab, "--depth=1", "--branch=side")
    code, lines = ours(lab, cwd=target, PRE_COMMIT_FROM_REF="origin/main", PRE_COMMIT_TO_REF="HEAD")
    assert code == 1 and len(lines) == 1 and "unchecked[MF193]" in lines[0] and "`origin/main`" in lines[0]
    lab.git("fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main", cwd=target)
    code, lines = ours(lab, cwd=target, PRE_COMMIT_FROM_REF="origin/main", PRE_COMMIT_TO_REF="HEAD")
    assert code == 1 and len(lines) == 1 and "unchecked[MF192]" in lines[0]
    assert (
        ours(lab, "--allow-unchecked", cwd=target, PRE_COMMIT_FROM_REF="origin/main", PRE_COMMIT_TO_REF="HEAD")[0] == 0
    )


def test_objects_of_an_alternate_are_seen(lab: Lab) -> None:
    grandfather(lab)
    target = clone(lab, "--shared", "--no-checkout")
    lab.git("reset", "-q", cwd=target)
    assert ours(lab, cwd=target)[0] == 1


def test_submodules_and_a_symlink_that_is_a_file(lab: Lab) -> None:
    inner = lab.folder / "inner"
    run("git", "init", "-q", str(inner), cwd=lab.folder)
    (inner / "a").write_text("x")
    lab.git("add", "a", cwd=inner)
    lab.git("commit", "-q", "-m", "x", cwd=inner)
    lab.base()
    lab.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.as_uri(), "sub")
    assert ours(lab) == (0, [])
    lab.commit()
    assert ours(lab) == (0, [])
    oid = lab.git("hash-object", "-w", "--stdin", data=noise()).strip()
    lab.git("update-index", "--add", "--cacheinfo", f"120000,{oid},link")
    assert ours(lab)[0] == 1


def test_from_a_folder_below_the_root(lab: Lab) -> None:
    lab.base()
    lab.add("sub/big.bin", noise())
    code, lines = ours(lab, cwd=lab.path / "sub")
    assert code == 1 and lines[0].startswith("sub/big.bin: ")


# --- what history holds already --------------------------------------------------------------------------------------


def test_a_file_brought_back_from_history_is_free(lab: Lab) -> None:
    grandfather(lab)
    lab.git("rm", "-q", "big.bin")
    lab.commit("gone")
    lab.git("checkout", "HEAD~1", "--", "big.bin")
    assert ours(lab) == (0, [])
    lab.git("reset", "-q", "--hard")
    lab.git("revert", "-n", "HEAD")
    assert ours(lab) == (0, [])


def test_a_push_of_a_revert_is_free(lab: Lab) -> None:
    grandfather(lab)
    lab.git("rm", "-q", "big.bin")
    lab.commit("gone")
    for at in range(3):
        lab.add("a.py", f"{at}\n")
        lab.commit()
    lab.remote()
    lab.git("push", "-q", "origin", "main")
    lab.git("revert", "--no-edit", "HEAD~3")
    assert lab.try_push() == "pass", lab.out


def test_the_first_push_to_a_fork_does_not_blame_what_upstream_has(lab: Lab) -> None:
    grandfather(lab)
    lab.remote("upstream")
    lab.git("push", "-q", "upstream", "main")
    lab.remote("fork")
    lab.add("a.py", "x\n")
    lab.commit()
    assert lab.try_push("fork", "main") == "pass", lab.out


def test_a_merge_of_a_branch_that_a_remote_has_is_free(lab: Lab) -> None:
    lab.base()
    lab.remote()
    lab.git("checkout", "-q", "-b", "side")
    lab.add("big.bin", noise())
    lab.commit()
    lab.git("push", "-q", "origin", "side")
    lab.git("checkout", "-q", "main")
    lab.add("main.py", "x\n")
    lab.commit()
    assert lab.try_git("merge", "-q", "--no-edit", "side") == "pass", lab.out


def test_a_swap_of_two_big_files_is_free(lab: Lab) -> None:
    lab.add("a.bin", noise(seed=1))
    lab.add("b.bin", noise(seed=2))
    lab.commit()
    lab.add("a.bin", noise(seed=2))
    lab.add("b.bin", noise(seed=1))
    assert ours(lab) == (0, [])


def test_one_blob_at_many_paths_is_one_finding(lab: Lab) -> None:
    lab.base()
    for at in range(4):
        lab.add(f"copy{at}.bin", noise())
    code, lines = ours(lab)
    assert code == 1 and len(lines) == 1
    assert "the same bytes are at 3 more paths: `copy1.bin`, `copy2.bin`, `copy3.bin`" in lines[0]


def test_an_amend_that_adds_a_big_file(lab: Lab) -> None:
    lab.base()
    lab.add("big.bin", noise())
    assert lab.try_git("commit", "-q", "--amend", "--no-edit") == "block"


def test_a_push_names_the_commit_and_the_path_with_a_newline(lab: Lab) -> None:
    lab.base()
    lab.remote()
    lab.git("push", "-q", "origin", "main")
    lab.add(b"a\nb.bin", noise())
    commit = lab.commit()
    assert lab.try_push() == "block"
    assert "a\\nb.bin: error[MF101]" in lab.out and f"in commit {commit[:10]}" in lab.out
    assert "(printf '\\''a\\012b.bin'\\'')" in lab.out


def test_a_push_with_old_and_new_versions_blames_each_new_one(lab: Lab) -> None:
    lab.base()
    lab.remote()
    lab.git("push", "-q", "origin", "main")
    for at in range(2):
        lab.add("big.bin", noise(seed=at))
        lab.commit()
    head = lab.git("rev-parse", "HEAD").strip()
    code, lines = ours(lab, "--pre-push", "--remote", "origin", data=f"refs/heads/main {head} refs/heads/main {'0' * 40}\n".encode())  # fmt: skip
    assert code == 1 and len(lines) == 2
    assert sum("was 1.9 MiB before" in line for line in lines) == 1
    assert sum("is gone again later" in line for line in lines) == 1


def test_bare_deletions_and_nothing_on_stdin(lab: Lab) -> None:
    grandfather(lab)
    gone = f"(delete) {'0' * 40} refs/heads/old {lab.git('rev-parse', 'HEAD').strip()}\n".encode()
    assert ours(lab, "--pre-push", "--remote", "origin", data=gone) == (0, [])
    assert ours(lab, "--pre-push", "--remote", "origin", data=b"") == (0, [])


def test_a_push_from_a_repository_without_a_work_tree(lab: Lab) -> None:
    lab.base()
    lab.add("big.bin", noise())
    lab.commit()
    other = lab.remote()
    bare = lab.folder / "bare.git"
    run("git", "clone", "-q", "--bare", str(lab.path), str(bare), cwd=lab.folder)
    hook = lab.templates.of(lab.tool) / "hooks" / "pre-push"
    (bare / "hooks").mkdir(exist_ok=True)
    (bare / "hooks" / "pre-push").symlink_to(hook)
    assert lab.try_git("push", "-q", str(other), "main", cwd=bare) == "block"
    assert "big.bin: error[MF101]" in lab.out


def test_a_tag_on_a_blob_that_the_other_side_has_is_free(lab: Lab) -> None:
    grandfather(lab)
    lab.remote()
    lab.git("push", "-q", "origin", "main")
    lab.git("fetch", "-q")
    lab.git("tag", "on-a-blob", lab.git("rev-parse", "HEAD:big.bin").strip())
    assert lab.try_git("push", "-q", "origin", "on-a-blob") == "pass", lab.out


def test_a_tag_on_a_new_blob_has_a_remedy_without_a_path(lab: Lab) -> None:
    lab.base()
    lab.remote()
    lab.git("tag", "on-a-blob", lab.git("hash-object", "-w", "--stdin", data=noise()).strip())
    assert lab.try_git("push", "-q", "origin", "on-a-blob") == "block"
    assert "delete the tag" in lab.out and "''" not in lab.out


@pytest.mark.parametrize("line", ["hello world", "refs/heads/main abc refs/heads/main def", "a b c"])
def test_what_git_does_not_write_on_stdin_is_no_pass(lab: Lab, line: str) -> None:
    lab.base()
    code, lines = ours(lab, "--pre-push", "--remote", "origin", data=f"{line}\n".encode())
    assert code == 3 and not lines and "REF ID REF ID" in lab.out


@pytest.mark.parametrize("damage", ["gone", "garbage"])
def test_an_unreadable_object_is_not_taken_for_a_partial_clone(lab: Lab, damage: str) -> None:
    lab.base()
    lab.add("big.bin", noise())
    oid = lab.git("rev-parse", ":big.bin").strip()
    path = lab.path / ".git" / "objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.unlink()
    if damage == "garbage":
        path.write_bytes(b"garbage")
    for args in ((), ("--all-files",)):
        code, lines = ours(lab, *args)
        assert code == 1 and len(lines) == 1
        assert "unchecked[MF194] 1 object of this repository cannot be read" in lines[0]


def test_an_ignore_of_what_is_in_history_is_not_called_idle_by_a_commit(lab: Lab) -> None:
    grandfather(lab)
    lab.add("gatepost.toml", '[[ignore]]\ncode = "MF101"\npath = "big.bin"\nreason = "from before"\n')
    lab.commit()
    lab.add("small.txt", "x\n")
    assert ours(lab, GIT_INDEX_FILE=".git/index") == (0, [])
    assert "GP103" not in lab.out
    assert ours(lab, "--all-files") == (0, [])
    assert "GP103" not in lab.out


# --- growth, limits, settings ------------------------------------------------------------------------------------------


def lines_of(count: int) -> str:
    return "".join(f"line {at} of an old and long text file\n" for at in range(count))


@pytest.mark.parametrize(
    ("name", "before", "after", "wanted"),
    [
        pytest.param("CHANGES.md", 20_000, 20_100, 0, id="text over its limit may be edited"),
        pytest.param("CHANGES.md", 20_000, 25_000, 1, id="but not grow by much"),
        pytest.param("CHANGES.md", 10_000, 20_000, 1, id="text that crosses the limit"),
        pytest.param("CHANGES.md", 25_000, 20_000, 0, id="text that shrinks"),
        pytest.param("a.ipynb", 20_000, 20_100, 1, id="a notebook may not grow at all"),
        pytest.param("a.ipynb", 25_000, 20_000, 0, id="a notebook that shrinks"),
    ],
)
def test_growth_of_text(lab: Lab, name: str, before: int, after: int, wanted: int) -> None:
    lab.add(name, lines_of(before))
    lab.commit()
    lab.add(name, lines_of(after))
    assert ours(lab)[0] == wanted, lab.out


def test_lock_files_are_exempt_while_they_are_text(lab: Lab) -> None:
    lab.base()
    lab.add("uv.lock", lines_of(30_000))
    lab.add("sub/package-lock.json", lines_of(30_001))
    assert ours(lab) == (0, [])
    lab.add("poetry.lock", noise())
    code, lines = ours(lab)
    assert code == 1 and len(lines) == 1 and lines[0].startswith("poetry.lock: ")
    settings(lab, "[large-model-files]\nexempt-lock-files = false\n")
    assert len(ours(lab)[1]) == 3


def test_allow_list_is_path_and_content(lab: Lab) -> None:
    lab.base()
    lab.add("a.bin", noise())
    oid = lab.git("rev-parse", ":a.bin").strip()
    entry = f'[large-model-files]\nallow = [{{ path = "a.bin", id = "{oid}", reason = "fixture" }}]\n'
    settings(lab, entry)
    assert ours(lab) == (0, [])
    lab.add("b.bin", noise())
    assert ours(lab)[0] == 1  # the same bytes at a path that is not allowed
    lab.git("rm", "-q", "--cached", "b.bin")
    lab.add("a.bin", noise(seed=2))
    code, lines = ours(lab)
    assert code == 1 and f"`allow` names this path for other content ({oid[:10]})" in lines[0]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        pytest.param('{ path = "a", id = "ab12", reason = "x" }', "full blob id", id="short id"),
        pytest.param(f'{{ path = "a", id = "{"0" * 40}" }}', "has no `reason`", id="no reason"),
        pytest.param(f'{{ path = "a", id = "{"0" * 40}", reasn = "x" }}', "did you mean `reason`?", id="misspelt"),
    ],
)
def test_a_wrong_allow_entry_is_a_usage_error(lab: Lab, entry: str, said: str) -> None:
    lab.base()
    settings(lab, f"[large-model-files]\nallow = [{entry}]\n")
    assert ours(lab)[0] == 2 and said in lab.out


def test_globs(lab: Lab) -> None:
    lab.base()
    lab.add("docs/a.png", noise(600_000))
    lab.add("vendor/b.bin", noise(seed=2))
    settings(lab, '[large-model-files]\nlimits = { "docs/**" = "1 MiB" }\nexclude = ["vendor/"]\n')
    assert ours(lab) == (0, [])
    settings(lab, '[large-model-files]\ninclude = ["docs/**"]\n')
    assert [line.split(":")[0] for line in ours(lab)[1]] == ["docs/a.png"]
    settings(lab, '[large-model-files]\nlimits = { "*" = "9 MiB", "docs/*.png" = "10 KiB" }\n')
    assert [line.split(":")[0] for line in ours(lab)[1]] == ["docs/a.png"]


def test_a_first_import_of_source_is_within_any_budget(lab: Lab) -> None:
    for at in range(150):
        lab.write(f"src/{at}.py", lines_of(1_000) + f"# {at}\n")
    lab.git("add", "-A")
    assert ours(lab) == (0, [])


def test_the_budget_of_each_commit_holds_at_a_push(lab: Lab) -> None:
    lab.base()
    lab.remote()
    lab.git("push", "-q", "origin", "main")
    for at in range(15):
        lab.write(f"x{at}.dat", noise(400_000, seed=at))
    lab.git("add", "-A")
    commit = lab.commit()
    assert lab.try_push() == "block"
    assert "error[MF105]" in lab.out and f"commit {commit[:10]} adds 15 files" in lab.out and "MF106" not in lab.out


def test_the_budget_of_a_push(lab: Lab) -> None:
    settings(lab, '[large-model-files]\npush-budget = "2 MiB"\n')
    lab.base()
    lab.remote()
    lab.git("push", "-q", "origin", "main")
    for at in range(8):
        lab.add(f"x{at}.dat", noise(400_000, seed=at))
        lab.commit()
    assert lab.try_push() == "block"
    assert "error[MF106]" in lab.out and "this push adds 8 files" in lab.out


def test_an_lfs_rule_that_does_not_cover_what_it_means_is_named(lab: Lab) -> None:
    lab.base()
    lab.add("models/.gitattributes", "*.BIN filter=lfs -text\n")
    lab.add("models/x.bin", noise())
    code, lines = ours(lab)
    assert code == 1 and "; the LFS rule `*.BIN` (models/.gitattributes:1) does not cover it" in lines[0]


def gib(count: int, seed: int) -> str:
    digest = f"{seed:064x}"
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {count << 30}\n"


def test_what_git_lfs_would_hold_has_a_budget_if_one_is_set(lab: Lab) -> None:
    lab.base()
    lab.remote()
    lab.git("push", "-q", "origin", "main")
    lab.git("fetch", "-q")
    lab.add("a.pt", gib(3, 1))
    lab.add("same.pt", gib(3, 1) + "\n")  # the same object: git-lfs stores it once
    lab.add("b.pt", gib(2, 2))
    assert ours(lab) == (0, [])
    settings(lab, '[large-model-files]\nlfs-budget = "5 GiB"\nlfs-limit = "3 GiB"\n')
    assert ours(lab) == (0, [])
    settings(lab, '[large-model-files]\nlfs-budget = "4.5 GiB"\n')
    code, lines = ours(lab)
    assert code == 1 and len(lines) == 1
    assert (
        "[MF114] this commit adds 2 Git LFS objects with 5 GiB in all; `lfs-budget` is 4.5 GiB (4,831,838,208 bytes): `a.pt`"
        in lines[0]
    )
    lab.commit()
    lab.git("mv", "a.pt", "moved.pt")
    assert ours(lab) == (0, [])
    lab.commit()
    assert lab.try_push() == "block"
    assert "[MF114] this push adds 2 Git LFS objects" in lab.out
    settings(lab, '[large-model-files]\nlfs-limit = "2 GiB"\n')
    assert lab.try_push() == "block"
    assert "moved.pt: error[MF114] its Git LFS pointer stands for 3 GiB; `lfs-limit` is 2 GiB" in lab.out
    lab.git("push", "-q", "origin", "HEAD:main")
    lab.git("fetch", "-q")
    lab.add("c.py", "x\n")
    assert lab.try_commit() == "pass" and lab.try_push() == "pass", lab.out


def test_named_files_are_judged_as_the_index_has_them(lab: Lab) -> None:
    grandfather(lab)
    lab.add("b.bin", noise(seed=2))
    code, lines = ours(lab, "big.bin")
    assert code == 1 and len(lines) == 1 and lines[0].startswith("big.bin: ")


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_the_remedies_can_be_pasted(lab: Lab) -> None:
    lab.base()
    name = "o'dd $(touch x) 模型.bin"
    lab.add(name, noise())
    assert ours(lab)[0] == 1
    command = next(line for line in lab.out.splitlines() if "fix: `git rm" in line).split("`")[1]
    done = subprocess.run(["bash", "-c", command], cwd=lab.path, env=environment(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert lab.git("ls-files").split() == ["README"] and (lab.path / name).exists()
    assert ours(lab) == (0, [])


@pytest.mark.parametrize("name", ["*.bin", ":(glob)x.bin", "[ab].bin", "a?.bin", ":x.bin"])
def test_a_remedy_names_one_file_whatever_pattern_it_looks_like(lab: Lab, name: str) -> None:
    lab.base()
    lab.add("a.bin", "small")
    lab.add("ab.bin", "small")
    lab.add(name, noise())
    assert ours(lab)[0] == 1
    command = next(line for line in lab.out.splitlines() if "fix: `git rm" in line).split("`")[1]
    subprocess.run(["bash", "-c", command], cwd=lab.path, env=environment(), capture_output=True, check=True)
    assert lab.git("ls-files").split() == ["README", "a.bin", "ab.bin"]


def test_the_recipe_for_the_first_commit(lab: Lab) -> None:
    lab.remote()
    for at in range(15):
        lab.add(f"{at}.png", noise(400_000, seed=at))
    lab.commit()
    assert lab.try_push() == "block"
    assert "git rebase -i --rebase-merges --root" in lab.out


@pytest.mark.parametrize("name", ["big.bin", "mö del.bin", "a'b\tc.bin"])
@pytest.mark.parametrize("shell", [each for each in ("sh", "bash") if shutil.which(each)])
def test_the_recipe_for_a_push_takes_the_file_out_of_every_commit(lab: Lab, name: str, shell: str) -> None:
    lab.base()
    lab.remote()
    lab.git("push", "-q", "origin", "main")
    lab.git("fetch", "-q")
    lab.add(name, noise())
    lab.add("a.py", "x\n")
    lab.commit()
    lab.git("rm", "-q", name)
    lab.add("b.py", "x\n")
    lab.commit()
    assert lab.try_push() == "block"
    command = lab.out.split("`git filter-branch")[1].split("`")[0]
    env = {**environment(), "FILTER_BRANCH_SQUELCH_WARNING": "1"}
    done = subprocess.run([shell, "-c", "git filter-branch" + command], cwd=lab.path, env=env, capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert lab.try_push() == "pass", lab.out
    assert lab.git("ls-files").split() == ["README", "a.py", "b.py"]


def test_replaced_objects_and_grafts_hide_nothing(lab: Lab) -> None:
    lab.base()
    lab.remote()
    lab.git("push", "-q", "origin", "main")
    lab.add("big.bin", noise())
    big = lab.git("rev-parse", ":big.bin").strip()
    lab.git("replace", big, lab.git("hash-object", "-w", "--stdin", data=b"small").strip())
    assert ours(lab)[0] == 1
    lab.commit()
    assert lab.try_push() == "block"


def test_a_push_of_many_refs_at_once(lab: Lab) -> None:
    grandfather(lab)
    head = lab.git("rev-parse", "HEAD").strip()
    refs = "".join(f"refs/tags/v{at} {head} refs/tags/v{at} {'0' * 40}\n" for at in range(500))
    code, lines = ours(lab, "--pre-push", "--remote", "origin", data=refs.encode())
    assert code == 1 and len(lines) == 1


def test_a_ref_that_is_not_here_is_said(lab: Lab) -> None:
    lab.base()
    code, lines = ours(lab, PRE_COMMIT_FROM_REF="no such-ref", PRE_COMMIT_TO_REF="HEAD")
    assert code == 1 and len(lines) == 1 and "unchecked[MF193] `no such-ref`" in lines[0]


def test_parts_below_the_commit_budget_are_one_finding(lab: Lab) -> None:
    lab.base()
    for at in range(6):
        lab.add(f"model.bin.part-a{chr(97 + at)}", noise(200_000, seed=at))
    code, lines = ours(lab)
    assert code == 1 and len(lines) == 1
    assert "model.bin.part-aa: error[MF104] 6 parts of `model.bin` have 1.1 MiB (1,200,000 bytes) together" in lines[0]
    command = lab.out.split("fix: `")[1].split("`")[0]
    subprocess.run(["bash", "-c", command], cwd=lab.path, env=environment(), capture_output=True, check=True)
    assert ours(lab) == (0, [])
