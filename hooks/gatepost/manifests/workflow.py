"""GitHub Actions workflows and GitLab CI files -> jobs of steps, each command with its line.

Only what is literal: `run`/`script` text, `env`/`variables` (workflow, job, step), `working-directory`, `runs-on`
(matrix entries are resolved when the matrix lists them), `uses` with its inputs. Expressions that need a run are
"not known". Sources: GitHub's workflow syntax reference; GitLab's CI/CD YAML reference.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.shell import Command, Source, lines
from gatepost.manifests.shell.commands import split
from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

MAX_SIZE = 1_000_000  # bytes
_GITLAB_GLOBALS = frozenset(
    ("image", "services", "stages", "variables", "cache", "before_script", "after_script", "include", "workflow",
     "default", "pages", "spec")
)  # fmt: skip


@record
class Step:
    """One step. `commands` come from `run`; `uses` is an action's reference, `inputs` its `with`."""

    line: int
    name: str
    uses: str
    inputs: Mapping[str, str]
    commands: tuple[Command, ...]
    env: Mapping[str, str | None]
    cwd: str | None  # from the repository's root: "" is the root, None is not known
    shell: str
    conditional: bool
    condition: str = ""  # its `if`


@record
class Job:
    """One job. `runners` are its labels, () when not known; `container` is the image it runs in, "" when none."""

    name: str
    line: int
    runners: tuple[str, ...]
    container: str
    steps: tuple[Step, ...]
    kind: str  # "github" or "gitlab"
    title: str = ""  # what people read instead of its name
    options: str = ""  # what its container is run with
    condition: str = ""  # its `if`
    matrix: tuple[str, ...] = ()  # every name and value of its matrix


def is_workflow(path: str) -> bool:
    """Whether a repository path is a CI file that `parse` reads."""
    if not path.endswith((".yml", ".yaml")):
        return False
    if path.startswith(".github/workflows/"):
        return path.count("/") == 2
    if posixpath.basename(path) in ("action.yml", "action.yaml"):  # a composite action
        return True
    return posixpath.basename(path) in (".gitlab-ci.yml", ".gitlab-ci.yaml")


def compose(data: bytes) -> Any:
    """The YAML node of a document, or None when it is broken or too large. Nothing is constructed."""
    if len(data) > MAX_SIZE:
        return None
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.compose(data.decode("utf-8", "replace"), Loader=loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def items(node: Any) -> Iterator[tuple[str, Any, Any]]:
    """(key, key node, value node) of a mapping node; nothing for any other node."""
    if node is not None and node.id == "mapping":
        for key, value in node.value:
            if key.id == "scalar":
                yield key.value, key, value


def get(node: Any, *keys: str) -> Any:
    """The node below a path of keys, or None."""
    for key in keys:
        node = next((value for name, _, value in items(node) if name == key), None)
        if node is None:
            return None
    return node


def text(node: Any) -> str:
    """A scalar's text, "" for anything else."""
    return str(node.value) if node is not None and node.id == "scalar" else ""


def texts(node: Any) -> tuple[str, ...]:
    """The scalars of a sequence, or the one scalar."""
    if node is None:
        return ()
    if node.id == "scalar":
        return (str(node.value),)
    if node.id == "sequence":
        return tuple(str(item.value) for item in node.value if item.id == "scalar")
    return ()


def source(node: Any) -> Source:
    """A scalar as shell text whose lines are those of the file."""
    value = text(node)
    start = node.start_mark.line + 1
    if node.style in ("|", ">"):
        start += 1
    if node.style == ">":  # folded: line breaks are lost, so every line is the first
        return Source(text=value, marks=((0, start),))
    return lines(value, start)


def parse(path: str, data: bytes) -> tuple[Job, ...]:
    """The jobs of a CI file; none when it is broken."""
    node = compose(data)
    if node is None:
        return ()
    if posixpath.basename(path).startswith("action."):
        return tuple(_composite(node))
    return tuple(_github(node) if path.startswith(".github/") else _gitlab(node))


def _env(node: Any) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for key, _, value in items(node):
        plain = text(value)
        found[key] = None if "${{" in plain or value.id != "scalar" else plain
    return found


def _github(root: Any) -> Iterator[Job]:
    shared = _env(get(root, "env"))
    default = text(get(root, "defaults", "run", "working-directory"))
    for name, key, job in items(get(root, "jobs")):
        matrix = get(job, "strategy", "matrix")
        env = {**shared, **_env(get(job, "env"))}
        where = text(get(job, "defaults", "run", "working-directory")) or default
        container = get(job, "container")
        steps = get(job, "steps")
        yield Job(
            name=name,
            line=key.start_mark.line + 1,
            runners=_runners(get(job, "runs-on"), matrix),
            container=text(container) or text(get(container, "image")),
            steps=tuple(
                _step(step, env, where)
                for step in (steps.value if steps is not None and steps.id == "sequence" else ())
            ),
            kind="github",
            title=text(get(job, "name")),
            options=text(get(container, "options")),
            condition=text(get(job, "if")),
            matrix=tuple(_scalars(matrix)),
        )


def _composite(root: Any) -> Iterator[Job]:
    """A composite action's steps: one job, on whatever runner the workflow that uses it has."""
    steps = get(root, "runs", "steps")
    if steps is None or steps.id != "sequence":
        return
    yield Job(
        name=text(get(root, "name")),
        line=steps.start_mark.line + 1,
        runners=(),
        container="",
        steps=tuple(_step(step, {}, "") for step in steps.value),
        kind="github",
    )


def _runners(node: Any, matrix: Any) -> tuple[str, ...]:
    if node is not None and node.id == "mapping":
        return (*texts(get(node, "labels")), *(("group:" + text(get(node, "group")),) if get(node, "group") else ()))
    found: list[str] = []
    for label in texts(node):
        match = re.fullmatch(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}", label)
        if match is None:
            found.append(label if "${{" not in label else "")
            continue
        values = list(texts(get(matrix, match[1])))
        include = get(matrix, "include")
        for entry in include.value if include is not None and include.id == "sequence" else ():
            values += texts(get(entry, match[1]))
        found += values or [""]
    return tuple(found) if found and all(found) and not any("${{" in label for label in found) else ()


def _scalars(node: Any, depth: int = 0) -> Iterator[str]:
    """The names and values below a node of a matrix."""
    if node is None or depth > 8:
        return
    if node.id == "scalar":
        yield str(node.value)
    for part in node.value if node.id == "sequence" else ():
        yield from _scalars(part, depth + 1)
    for name, _, value in items(node):
        yield name
        yield from _scalars(value, depth + 1)


def _step(node: Any, env: Mapping[str, str | None], default: str) -> Step:
    own = {**env, **_env(get(node, "env"))}
    where = text(get(node, "working-directory")) or default
    cwd = (
        None
        if "$" in where
        else posixpath.normpath("/" + where.replace("./", "", 1) if where.startswith("./") else "/" + where)
    )
    run = get(node, "run")
    shell = text(get(node, "shell"))
    readable = run is not None and run.id == "scalar" and shell.split(" ")[0] in ("", "bash", "sh")
    return Step(
        line=node.start_mark.line + 1,
        name=text(get(node, "name")),
        uses=text(get(node, "uses")),
        inputs={key: text(value) for key, _, value in items(get(node, "with"))},
        commands=split(source(run), own, cwd) if readable else (),
        env=own,
        cwd=cwd.lstrip("/") if cwd is not None else None,
        shell=shell,
        conditional=get(node, "if") is not None,
        condition=text(get(node, "if")),
    )


def _gitlab(root: Any) -> Iterator[Job]:
    shared = _env(get(root, "variables"))
    image = _image(get(root, "image")) or _image(get(root, "default", "image"))
    before = get(root, "before_script") or get(root, "default", "before_script")
    for name, key, job in items(root):
        if name in _GITLAB_GLOBALS or job.id != "mapping":
            continue
        family = _extended(root, job)
        script = _of_family(family, "script")
        if script is None:
            continue
        env = dict(shared)
        for one in reversed(family):
            env |= _env(get(one, "variables"))
        steps = []
        cwd: str | None = "/"
        for node in (_of_family(family, "before_script") or before, script):
            for item in (
                node.value if node is not None and node.id == "sequence" else [node] if node is not None else []
            ):
                if item.id != "scalar":
                    continue
                commands = split(source(item), env, cwd)
                steps.append(
                    Step(
                        line=item.start_mark.line + 1,
                        name="",
                        uses="",
                        inputs={},
                        commands=commands,
                        env=env,
                        cwd=cwd.lstrip("/") if cwd is not None else None,
                        shell="",
                        conditional=False,
                    )
                )
        yield Job(
            name=name,
            line=key.start_mark.line + 1,
            runners=texts(_of_family(family, "tags")),
            container=_image(_of_family(family, "image")) or image,
            steps=tuple(steps),
            kind="gitlab",
        )


def _extended(root: Any, job: Any) -> list[Any]:
    """A job, what it merges (`<<: *base`) and what it `extends`, the nearest first.

    Of several parents the last wins (GitLab CI/CD YAML syntax reference).
    """
    found: list[Any] = []
    todo = [job]
    while todo and len(found) < 24:  # GitLab allows eleven levels
        one = todo.pop(0)
        found.append(one)
        merged = get(one, "<<")
        parents = [] if merged is None else merged.value if merged.id == "sequence" else [merged]
        parents = [*parents, *(get(root, name) for name in reversed(texts(get(one, "extends"))))]
        todo = [parent for parent in parents if parent is not None and parent.id == "mapping"] + todo
    return found


def _of_family(family: list[Any], key: str) -> Any:
    return next((value for one in family if (value := get(one, key)) is not None), None)


def _image(node: Any) -> str:
    return text(node) or text(get(node, "name"))
