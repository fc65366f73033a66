"""A Dockerfile bound to the project that it really copies.

`uv sync` in /app means the `pyproject.toml` that some COPY put into /app: which file of the repository is at which path of
the image, and what its stages make of each other.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import ignores
from gatepost.manifests.context import context_of
from gatepost.manifests.dockerfile.stages import parse
from gatepost.manifests.installs.commands import install, installs
from gatepost.manifests.places import join

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatepost.manifests.builds import Build
    from gatepost.manifests.dockerfile import Copy, Dockerfile, Stage
    from gatepost.manifests.dockerfile import Step as DockerStep
    from gatepost.manifests.files import Files
    from gatepost.manifests.installs import Install
    from gatepost.manifests.shell import Command


_READERS = frozenset(
    {
        "[", "[[", "awk", "cat", "chmod", "chown", "cmp", "cut", "diff", "echo", "egrep", "fgrep", "file", "grep", "head",
        "ls", "md5sum", "printf", "rm", "sha256sum", "stat", "tail", "test", "tr", "wc",
    }
)  # fmt: skip


def _only_reads(texts: Sequence[str]) -> bool:
    """Whether a command writes to no file that it names: what it says may go elsewhere. `sed` does with `-i` alone."""
    if texts[0] == "sed":
        return not any(re.match(r"-[a-zA-Z]*i|--in-place", text) for text in texts[1:])
    return texts[0] in _READERS and "inplace" not in texts


class Image:
    """A Dockerfile bound to the files that its build sees; of the repository's `builds`, those that are of it."""

    def __init__(self, files: Files, path: str, builds: tuple[Build, ...]) -> None:
        self.files = files
        self.path = path
        self.builds = tuple(build for build in builds if build.dockerfile == path)
        arguments = {key: value for build in self.builds[:1] for key, value in build.arguments}
        data = files.read(path) or b""
        self.dockerfile: Dockerfile = parse(data, arguments)
        self.ambiguous_arguments = len({build.arguments for build in self.builds}) > 1
        self.context, self.certain, self._named = context_of(files, path, self.dockerfile, self.builds)
        self._patterns: tuple[ignores.Pattern, ...] | None = None
        self.ignore_file = ""

    def lacks_only(self, name: str) -> bool:
        """Whether every file and folder that COPY names is in the context, except files of this base name."""
        others = [word for word in self._named if posixpath.basename(word) != name]
        return bool(others) and all(self.files.exists(posixpath.join(self.context, word)) for word in others)

    def absent(self) -> str:
        """A file or folder that COPY names, and that is neither in the context nor kept out of git; "" where there is none.

        Only of an image that nothing in the repository builds: else what builds it may have made it.
        """
        modules = re.findall(r"(?m)^\s*path\s*=\s*(\S+)", self.files.text(".gitmodules"))
        for word in () if self.builds else self._named:
            path = posixpath.normpath(posixpath.join(self.context, word))
            if self.files.exists(path) or any(f"{path}/".startswith(f"{module}/") for module in modules):
                continue
            if all(ignores.git_ignored(one, self.files.read) is None for one in (path, f"{path}/file")):
                return word
        return ""

    def ignored(self, path: str) -> ignores.Pattern | None:
        """The .dockerignore pattern that keeps a repository path out of the build."""
        if self._patterns is None:
            own = self.path + ".dockerignore"
            self.ignore_file = own if own in self.files.paths else posixpath.join(self.context, ".dockerignore")
            self._patterns = ignores.docker_patterns(self.files.read(self.ignore_file) or b"")
        if not self._patterns:
            return None
        inner = path[len(self.context) + 1 :] if self.context else path
        return ignores.docker_ignored(self._patterns, inner)

    def steps(self, stage: Stage) -> tuple[tuple[Stage, int, DockerStep], ...]:
        """Every step that makes a stage, those of the stages below it first."""
        return tuple(
            (one, index, step) for one in self.dockerfile.lineage(stage) for index, step in enumerate(one.steps)
        )

    def installs(self, stage: Stage) -> tuple[tuple[int, Install], ...]:
        """The installer commands of a stage alone: (number of the step, command)."""
        return tuple(
            (index, found)
            for index, step in enumerate(stage.steps)
            if step.kind == "run"
            for found in installs(step.commands)
        )

    def locate(self, stage: Stage, index: int, path: str, seen: int = 0) -> str | None:
        """The repository file that is at an absolute path of the image when step `index` runs, or None."""
        path = posixpath.normpath(path)
        chain = self.dockerfile.lineage(stage)
        for one in reversed(chain):
            last = index if one is stage else len(one.steps) - 1
            for number in range(min(last, len(one.steps) - 1), -1, -1):
                step = one.steps[number]
                for copy in reversed(step.copies):
                    if copy.mount and not (one is stage and number == index):
                        continue
                    found = self._from(copy, path, one, seen)
                    if found is not None:
                        return found
        return None

    def _from(self, copy: Copy, path: str, stage: Stage, seen: int) -> str | None:
        if copy.dest is None or copy.inline or seen > 20:
            return None
        dest = copy.dest.rstrip("/") or "/"
        if path != dest and not path.startswith(dest if dest == "/" else dest + "/"):
            return None
        inner = path[len(dest) :].lstrip("/")
        for word in copy.sources:
            if not word.known or "://" in word.text:
                continue
            if copy.source:
                other = self.dockerfile.find(copy.source)
                if other is None or other.index >= stage.index:
                    continue
                base = posixpath.normpath("/" + word.text.lstrip("/"))
                targets = [posixpath.join(base, inner) if inner else base]
                if inner == posixpath.basename(base):
                    targets.append(base)
                for target in targets:
                    found = self.locate(other, len(other.steps) - 1, target, seen + 1)
                    if found is not None:
                        return found
                continue
            for target in self._sources(word.text, inner, copy):
                if target in self.files.paths and self.ignored(target) is None:
                    return target
        return None

    def _sources(self, text: str, inner: str, copy: Copy) -> Iterator[str]:
        """Repository paths that could be the file at `inner` below the copy's destination."""
        source = posixpath.normpath(text.lstrip("/") or ".")
        source = "" if source == "." else source
        if source.startswith(".."):
            return
        if re.search(r"[*?\[]", source):
            yield from self._globbed(source, inner)
            return
        base = join(self.context, source)
        if base is None:
            return
        if base in self.files.paths:
            name = posixpath.basename(base)
            if inner == "" or inner == name or (copy.parents and inner == source):
                yield base
            return
        if base in self.files.folders:
            found = join(base, inner)
            if found:
                yield found
            if copy.parents and (found := join(self.context, inner)):
                yield found

    def _globbed(self, source: str, inner: str) -> Iterator[str]:
        """Files that a glob names, and those inside folders that it names (COPY takes a folder's contents)."""
        prefix = self.context + "/" if self.context else ""
        base, _, rest = inner.partition("/")
        for path in sorted(self.files.paths):
            if not path.startswith(prefix) or not path.endswith(inner):
                continue
            relative = path[len(prefix) :]
            if posixpath.basename(relative) == base and not rest and ignores.glob_matches(source, relative, exact=True):
                yield path
            folder = relative[: -len(inner)].rstrip("/") if inner else ""
            if folder and ignores.glob_matches(source, folder, exact=True):
                yield path

    def opaque(self, stage: Stage, index: int) -> bool:
        """Whether files may be there that the repository does not show: a clone, a download, an unknown COPY."""
        for one in self.dockerfile.lineage(stage):
            for number, step in enumerate(one.steps):
                if one is stage and number > index:
                    break
                for copy in step.copies:
                    if (
                        copy.inline
                        or copy.dest is None
                        or any(not word.known or "://" in word.text for word in copy.sources)
                    ):
                        return True
                    if copy.source and self.dockerfile.find(copy.source) is None and not copy.mount:
                        if not any(word.text.endswith(("/uv", "/uvx", "/bin/")) for word in copy.sources):
                            return True
                for command in step.commands:
                    texts = command.texts
                    if texts[:2] == ("git", "clone") or texts[0] in (
                        "wget",
                        "tar",
                        "unzip",
                        "svn",
                        "mv",
                        "cp",
                        "rsync",
                    ):
                        return True
        return False

    def touched(self, stage: Stage, index: int, name: str, before: Command) -> bool:
        """Whether a command before this one makes or changes a file of that base name (export, compile, sed, redirect)."""
        for one in self.feeding(stage):
            for number, step in enumerate(one.steps):
                if one is stage and number > index:
                    break
                if any(copy.inline and (copy.dest or "").endswith(name) for copy in step.copies):
                    return True
                for command in step.commands:
                    if command is before:
                        break
                    if any(posixpath.basename(output) == name for output in command.outputs):
                        return True
                    texts = command.texts
                    found = install(command)
                    if found is not None and found.action not in ("export", "compile", "lock", "freeze"):
                        continue
                    if any(posixpath.basename(text.partition("=")[2] or text) == name for text in texts[1:]):
                        if not _only_reads(texts):
                            return True
        return False

    def feeding(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages whose files can be in a stage: what it starts from, and what it copies from."""
        found: dict[int, Stage] = {}
        todo = list(self.dockerfile.lineage(stage))
        while todo:
            one = todo.pop()
            if one.index in found:
                continue
            found[one.index] = one
            for step in one.steps:
                for copy in step.copies:
                    other = self.dockerfile.find(copy.source) if copy.source else None
                    if other is not None and other.index < one.index:
                        todo += self.dockerfile.lineage(other)
        return tuple(found[index] for index in sorted(found))

    def descendants(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages that carry what a stage holds: built on it, or copying from it; itself included."""
        found = {stage.index}
        for other in self.dockerfile.stages[stage.index + 1 :]:
            sources = {copy.source for step in other.steps for copy in step.copies if not copy.mount and copy.source}
            copied = {one.index for name in sources if (one := self.dockerfile.find(name)) is not None}
            if (other.parent is not None and other.parent in found) or copied & found:
                found.add(other.index)
        return tuple(one for one in self.dockerfile.stages if one.index in found)

    def final(self, stage: Stage) -> bool:
        """Whether what a stage holds ends up in an image that is built: the last stage, or a named target."""
        stages = self.dockerfile.stages
        targets = {build.target.lower() for build in self.builds if build.target}
        carried = self.descendants(stage)
        return any(one.index == len(stages) - 1 or (one.name and one.name in targets) for one in carried)

    def project(self, stage: Stage, index: int, install: Install) -> str | None:
        """The repository folder whose project a project command (`uv sync`, `poetry install`, `pip install .`) means."""
        where = install.command.cwd
        for option in install.values("--directory", "--project", "-C", "-P"):
            where = posixpath.join(where, option.text) if where is not None and option.known else None
        for word in install.paths:
            target = word.text.split("[", 1)[0]
            where = posixpath.join(where, target) if where is not None and word.known else None
            break
        if where is None:
            return None
        names = ("Pipfile",) if install.tool == "pipenv" else ("pyproject.toml", "setup.py")
        for name in names:
            found = self.locate(stage, index, posixpath.join(where, name))
            if found is not None:
                return posixpath.dirname(found)
        return None
