"""What is judged: the repository, the files that were named, the snapshot."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.tree.base import Tree
    from gatepost.tree.git import Git

_STAGED = ("diff-index", "--cached", "--quiet", "HEAD", "--")  # ends with 1 where something is staged


def prefix_of(root: str) -> str:
    """The current folder within the repository, "" or "sub/dir/" (prek runs a sub-project's hooks in its folder)."""
    inside = os.path.relpath(os.getcwd(), root).replace(os.sep, "/")
    return "" if inside == "." or inside.startswith("..") else inside + "/"


def root_note(root: str) -> str:
    """For who stands in a folder below the root, the line that makes the paths and commands of a report work. A runner
    starts its hooks at the root, and nobody sees where else."""
    if "PRE_COMMIT" in os.environ or not prefix_of(root):
        return ""
    import shlex

    return f"(paths and commands are from the root of the repository: `cd {shlex.quote(root)}`)\n"


def open_git(start: str, bare: bool = False) -> Git:
    """The repository that holds a folder; with `bare`, one without a work tree will do.

    Raises:
        GitError: there is none.
    """
    from gatepost.tree.git import Git, find_root

    git = Git(find_root(start, os.environ))
    if not bare:
        _need_work_tree(git)
    return git


def _need_work_tree(git: Git) -> None:
    from gatepost.tree.git import GitError, is_bare

    if is_bare(git.root):
        folder, leaf = os.path.split(git.root)
        if leaf == ".git":
            raise GitError(f"{git.root} is a git directory, nothing to judge: cd {folder}")
        raise GitError(f"{git.root} is a bare repository: name a commit (`gatepost check --tree HEAD`), or clone it")


def scope_of(git: Git, files: Sequence[str], view: str | None = None) -> tuple[frozenset[str] | None, list[str]]:
    """Repository paths of the FILES given (None: everything), and those of them that exist on disk. A name is taken
    from the current folder, else from the root, as a report has it; of a folder, what git tracks or would take in. What
    is not on disk may be in the index or in the commit that is judged."""
    if not files:
        return None, []
    from gatepost.options import UsageError

    names = []
    for each in files:
        path = os.path.relpath(os.path.abspath(each), git.root).replace(os.sep, "/")
        if path.startswith("../"):
            raise UsageError(f"{each} is outside the repository {git.root}")
        if not os.path.lexists(each) and "PRE_COMMIT" not in os.environ:
            printed = os.path.join(git.root, each)
            if not os.path.isabs(each) and os.path.lexists(printed):
                each, path = printed, os.path.normpath(each).replace(os.sep, "/")
            elif recorded := _recorded(git, path, view):
                names += recorded
                continue
            else:
                raise UsageError(f"there is no file {each}")
        if os.path.isdir(each) and not os.path.islink(each):
            names += _recorded(git, path, view) if is_commit(view) else _below(git, path)
        else:
            names.append(path)
    return frozenset(names), [name for name in names if os.path.lexists(os.path.join(git.root, name))]


def is_commit(view: str | None) -> bool:
    """Whether `--tree` names a commit."""
    return view not in (None, "index", "worktree")


def _below(git: Git, folder: str) -> list[str]:
    """The files of a folder that git tracks, or would take in: nothing that it ignores."""
    out = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", _spec(folder))
    return [path for path in _paths(out) if path[-1] != "/"]


def _recorded(git: Git, path: str, view: str | None) -> list[str]:
    """The files of this name, or below this folder, in the index or in the commit that `view` names."""
    if is_commit(view):
        pattern = [] if path == "." else [path]
        return _paths(git.try_run("ls-tree", "-r", "-z", "--name-only", "--full-tree", str(view), "--", *pattern).out)
    return _paths(git.try_run("ls-files", "-z", "--", _spec(path)).out)


def _spec(path: str) -> str:
    return ":/" if path == "." else f":(literal){path}"


def _paths(out: bytes) -> list[str]:
    return list(dict.fromkeys(raw.decode("utf-8", "surrogateescape") for raw in out.split(b"\0") if raw))


def require_view(git: Git, view: str | None) -> None:
    """See to it that what `--tree` names is there.

    Raises:
        UsageError: it is not.
        GitError: git refuses the repository.
    """
    if view in (None, "index", "worktree"):
        return
    from gatepost.options import UsageError

    def known(name: str) -> bool:
        return name[:1] != "-" and git.try_run("rev-parse", "--verify", "--quiet", f"{name}^{{tree}}").rc == 0

    if not known(str(view)):
        git.run("rev-parse", "--git-dir")  # fails, in git's own words, where git will not read the repository at all
        raise UsageError(
            f"--tree: there is no commit `{view}` here; it may be index, worktree or a commit"
            if known("HEAD")
            else f"--tree {view}: there is no commit yet; --tree index and --tree worktree are there"
        )


def look_ahead(git: Git, view: str | None, *, disk: bool) -> None:
    """Start what `choose_tree` and its view will ask of git, to run while settings and checks are imported (3 ms)."""
    from gatepost.tree.git import LIST_DISK, LIST_INDEX

    if view == "index" or (view is None and not disk and "GIT_INDEX_FILE" in os.environ):
        git.ahead(*LIST_INDEX)
        git.blobs_ahead()
    elif disk or view == "worktree" or (view is None and not _pushed()):
        git.ahead(*LIST_DISK)
        if not (disk or view or "PRE_COMMIT" in os.environ):
            git.ahead(*_STAGED)


def _pushed() -> str:
    """The commit that a runner says is pushed, or ends a CI range; "" outside both."""
    if not any(key.startswith("PRE_COMMIT_") for key in os.environ):
        return ""
    from gatepost.tree.runner import refs_of_runner

    said = refs_of_runner(os.environ)
    return said[1] if said is not None and said[1].strip("0") else ""


def choose_tree(git: Git, view: str | None, extra: Sequence[str], *, disk: bool) -> Tree:
    """Which snapshot to judge: what the next commit will hold, as far as that is decided.

    An explicit `--tree` wins. A fixer, and --fix, look at the files they would write. During `git commit` (git then
    sets GIT_INDEX_FILE) it is the index; at a push or over a CI range, the pushed commit. Otherwise a runner has
    either put unstaged changes away or was asked for the files as they are (`--all-files`): the work tree. By hand:
    the index if anything is staged, else the work tree.
    """
    from gatepost.tree.git import CommitTree, IndexTree, WorktreeTree

    environ = os.environ
    if view == "index":
        return IndexTree(git)
    if view not in (None, "worktree"):
        return CommitTree(git, str(view))
    _need_work_tree(git)
    if disk or view == "worktree":
        new = (".gatepost.lock", "pyproject.toml", ".pre-commit-config.yaml")  # a fix may have made them just now
        return WorktreeTree(git, [*extra, *(name for name in new if os.path.isfile(os.path.join(git.root, name)))])
    if "GIT_INDEX_FILE" in environ:
        return IndexTree(git)
    pushed = _pushed()
    if pushed and git.try_run("cat-file", "-e", f"{pushed}^{{tree}}").rc == 0:
        return CommitTree(git, pushed)
    if "PRE_COMMIT" in environ:
        return WorktreeTree(git, extra)
    staged = git.try_run(*_STAGED).rc == 1
    if not staged:
        return WorktreeTree(git, extra)
    index = IndexTree(git)
    return index if all(path in set(index.paths()) for path in extra) else WorktreeTree(git, extra)
