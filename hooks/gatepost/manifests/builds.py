"""Which images are built, with which context and arguments, where a file says so literally.

Compose files, docker/build-push-action, and `docker build` lines of jobs, scripts and READMEs.
"""

from __future__ import annotations

import json
import posixpath
import re

from gatepost.manifests import gpus, workflow
from gatepost.manifests.places import is_example, is_generated, join
from gatepost.patterns import pattern
from gatepost.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from gatepost.manifests.files import Files
    from gatepost.manifests.shell import Command

_COMPOSE = pattern(r"(?:^|/)(?:docker-)?compose[^/]*\.ya?ml$")
_SCRIPTS = pattern(r"(?:^|/)(?:Makefile|makefile|GNUmakefile|justfile|Justfile|[^/]+\.sh|README(?:\.[a-z]+)?)$")


@record
class Build:
    """A literal `docker build`: paths from the repository's root; None is "not said"."""

    dockerfile: str
    context: str
    target: str
    arguments: tuple[tuple[str, str], ...]
    gpu: bool  # its name, the service or the job that runs it says that it is for a GPU
    path: str  # where it is said
    line: int
    tags: tuple[str, ...] = ()  # the names that the image gets
    service: str = ""  # of a compose file
    platform: str = ""  # "linux/arm64", or several with commas between
    given: tuple[str, ...] = ()  # arguments whose value is not known here, and not empty


def builds(files: Files) -> Iterator[Build]:
    """Every literal build of an image: compose files, build-push actions, `docker build` lines."""
    found: list[Build] = []
    run: set[str] = set()
    for path, root, overlaid in _composed(files):
        found += _compose_builds(path, root, overlaid)
        run.update(gpus.run(root))
    for path, jobs in files.jobs(b"docker", b"podman", b"--gpus"):
        run.update(gpus.run_by(jobs))
        for job in jobs:
            pushes = [step for step in job.steps if step.uses.startswith("docker/build-push-action")]
            names = [
                name
                for step in job.steps
                if len(pushes) == 1 and step.uses.startswith("docker/metadata-action")
                for name in gpus.described(step.inputs)
            ]
            for step in pushes:
                found += _action_build(path, step.line, step.inputs, names)
            for step in job.steps:
                for command in step.commands:
                    found += _command_build(path, command, command.line)
    found += _scripted_builds(files)
    found += _developed(files)
    for build in found:
        gpu = build.gpu or any(tag in run or gpus.named(tag) for tag in build.tags)
        yield replace(build, gpu=gpu)


def is_compose(path: str) -> bool:
    """Whether a path is named as a compose file is: `compose.yaml`, `deploy/docker-compose.gpu.yml`."""
    return _COMPOSE.search(path) is not None


def _composed(files: Files) -> Iterator[tuple[str, Any, frozenset[str]]]:
    """(path, YAML node, services that another file of the folder gives a GPU) of every compose file."""
    roots = {}
    for path in sorted(path for path in files.paths if path.endswith((".yml", ".yaml"))):
        if is_compose(path) and not is_generated(path):
            data = files.read(path) or b""
            if any(word in data for word in (b"build", b"nvidia", b"gpu", b"GPU", b"cuda", b"CUDA")):
                roots[path] = workflow.compose(data)
    overlaid: dict[str, set[str]] = {}
    for path, root in roots.items():
        overlaid.setdefault(posixpath.dirname(path), set()).update(gpus.overlaid(root))
    for path, root in roots.items():
        yield path, root, frozenset(overlaid[posixpath.dirname(path)])


def _scripted_builds(files: Files) -> Iterator[Build]:
    """The `docker build` lines of scripts and READMEs."""
    for path in sorted(files.paths):
        if _SCRIPTS.search(path) and not is_generated(path) and not is_example(path):
            data = files.read(path) or b""
            if b"docker build" in data or b"docker buildx build" in data or b"podman build" in data:
                from gatepost.manifests.shell import Source
                from gatepost.manifests.shell.commands import split

                body = data[:500_000].decode("utf-8", "replace").replace("\\\r\n", " ").replace("\\\n", " ")
                folder = posixpath.dirname(path)
                for match in re.finditer(r"(?:docker|podman)(?: buildx)? build[^\n`]*", body):
                    for command in split(Source(text=match[0]), cwd="/" + folder):
                        yield from _command_build(path, command, 0)


# What JSON with comments has beside JSON (the Development Containers specification), and strings, which are kept.
_COMMENT = pattern(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMA = pattern(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)


def _developed(files: Files) -> Iterator[Build]:
    """The images that a devcontainer.json builds to run with a GPU."""
    for path in sorted(path for path in files.paths if path.endswith("devcontainer.json")):
        text = (files.read(path) or b"")[:200_000].decode("utf-8", "replace")
        for extra in (_COMMENT, _COMMA):
            text = extra.sub(lambda hit: hit[1] or "", text)
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if not isinstance(data, dict) or not gpus.developed(data):
            continue
        build = data.get("build")
        table = build if isinstance(build, dict) else data
        name, context = table.get("dockerfile", data.get("dockerFile")), table.get("context", ".")
        where = join(posixpath.dirname(path), str(context))
        target = join(posixpath.dirname(path), str(name)) if isinstance(name, str) else None
        if where is not None and target is not None:
            yield Build(dockerfile=target, context=where, target="", arguments=(), gpu=True, path=path, line=0)


def _compose_builds(path: str, root: Any, overlaid: frozenset[str]) -> Iterator[Build]:
    folder = posixpath.dirname(path)
    for called, key, service in workflow.items(workflow.get(root, "services")):
        build = workflow.get(service, "build")
        if build is None:
            continue
        context = workflow.text(build) or workflow.text(workflow.get(build, "context")) or "."
        name = workflow.text(workflow.get(build, "dockerfile")) or "Dockerfile"
        if "$" in context or "$" in name or "://" in context:
            continue
        where = join(folder, context)
        target = join(where, name) if where is not None else None
        if where is None or target is None:
            continue
        listed = workflow.get(build, "args")
        pairs = [(name, workflow.text(value)) for name, _, value in workflow.items(listed)]
        if not pairs:
            pairs = [(item.partition("=")[0], item.partition("=")[2]) for item in workflow.texts(listed) if "=" in item]
        pairs = [(name, _default(value)) for name, value in pairs]
        yield Build(
            dockerfile=target,
            context=where,
            target=workflow.text(workflow.get(build, "target")),
            arguments=tuple((name, value) for name, value in pairs if "$" not in value),
            given=tuple(name for name, value in pairs if re.match(r"\$\{\w+:\?", value)),
            gpu=called in overlaid or gpus.service(service),
            path=path,
            line=key.start_mark.line + 1,
            tags=(image,) if (image := workflow.text(workflow.get(service, "image"))) else (),
            service=called,
            platform=workflow.text(workflow.get(service, "platform"))
            or ",".join(workflow.texts(workflow.get(build, "platforms"))),
        )


def _default(value: str) -> str:
    """A value of a compose file, `${X:-default}` as its default: what a build gets where nobody sets X."""
    return re.sub(r"\$\{\w+:?-([^${}]+)\}", r"\1", value)


def _action_build(path: str, line: int, inputs: Mapping[str, str], names: Sequence[str]) -> Iterator[Build]:
    context = inputs.get("context", ".") or "."
    name = inputs.get("file", "")
    if "$" in context or "$" in name or "://" in context:
        return
    where = join(context)
    target = join(name) if name else join(where or "", "Dockerfile")
    if where is None or target is None:
        return
    pairs = [
        (row.partition("=")[0].strip(), row.partition("=")[2].strip())
        for row in inputs.get("build-args", "").splitlines()
    ]
    yield Build(
        dockerfile=target,
        context=where,
        target=inputs.get("target", "") if "$" not in inputs.get("target", "") else "",
        arguments=tuple(pair for pair in pairs if pair[0] and "$" not in pair[1]),
        given=tuple(name for name, value in pairs if "$" in value),
        gpu=False,
        path=path,
        line=line,
        tags=(*names, *inputs.get("tags", "").replace(",", "\n").split()),
        platform=inputs.get("platforms", "") if "$" not in inputs.get("platforms", "") else "",
    )


def _command_build(path: str, command: Command, line: int) -> Iterator[Build]:
    """The build that a command makes. A word of which a part is not known keeps a `$` in that part's place, at its end."""
    cwd = command.cwd
    words = [word.text if word.known or "$" in word.text else f"{word.text}$" for word in command.words]
    if (
        not words
        or words[0] not in ("docker", "podman", "buildah", "nerdctl")
        or "build" not in words[1:3]
        or cwd is None
    ):
        return
    rest = words[words.index("build") + 1 :]
    name = target = platform = ""
    tags: list[str] = []
    arguments: list[tuple[str, str]] = []
    given: list[str] = []
    plain: list[str] = []
    valued = {"-t", "--tag", "--platform", "--cache-from", "--cache-to", "--secret", "--label", "--network", "--output", "-o",
              "--progress", "--ssh", "--add-host", "--builder", "--build-context", "-m", "--memory", "--shm-size", "--iidfile"}  # fmt: skip
    index = 0
    while index < len(rest):
        word = rest[index]
        key, equals, value = word.partition("=")
        if key in ("-f", "--file", "--target", "--build-arg") or key in valued:
            if not equals:
                index += 1
                value = rest[index] if index < len(rest) else ""
            if key in ("-f", "--file"):
                name = value
            elif key == "--target":
                target = value if "$" not in value else ""
            elif key == "--platform":
                platform = value if "$" not in value else ""
            elif key in ("-t", "--tag"):
                tags.append(value.rstrip("$"))
            elif key == "--build-arg" and "=" in value and "$" not in value:
                arguments.append((value.partition("=")[0], value.partition("=")[2]))
            elif key == "--build-arg" and "=" in value:
                given.append(value.partition("=")[0])
        elif not word.startswith("-"):
            plain.append(word)
        index += 1
    folder = cwd.lstrip("/")
    if len(plain) != 1 or not plain[0] or "$" in plain[0] + name or "://" in plain[0] or "<" in plain[0]:
        return
    where = join(folder, plain[0])
    file = join(folder, name) if name else join(where or "", "Dockerfile")
    if where is not None and file is not None:
        yield Build(
            dockerfile=file,
            context=where,
            target=target,
            arguments=tuple(arguments),
            given=tuple(given),
            gpu=False,
            path=path,
            line=line,
            tags=tuple(tags),
            platform=platform,
        )
