"""What to paste so that a lock holds what an image installs today: its indexes, its Python, its torch.

As uv 0.13.8 does: `--emit-index-url` and `--emit-find-links` write the addresses of options and of input files, but not
the one of `--torch-backend`; and where an index holds a name, only `unsafe-best-match` looks further, as pip always does.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.locks._base import quote
from gatepost.manifests.installs.sources import sources
from gatepost.patterns import pattern
from gatepost.rules.lock_freshness.holds import BUILD, FAMILY, brings_torch, of_cuda, torch_base, torch_before
from gatepost.rules.lock_freshness.loose import pins as pins_of
from gatepost.rules.lock_freshness.owners import extras_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository

_PLAIN = pattern(r"https?://[\w.:-]+(?:/[\w./~+%-]*)?")  # an address without user, query or variable
_PYPI = (("pypi", "org"), ("pypi", "python", "org"))


def freeze(stage: Stage, index: int, install: Install, name: str = "") -> str:
    """The remedy that is right for every image: what it holds, as constraints. `name`: the project's own.

    Labels go, as no index need have them: `torch==2.8.0` holds for 2.8.0+cpu too.
    """
    words = [*_program(stage, index, install), "list"]
    if install.tool == "uv-pip":
        if install.has("--system") or install.command.env.get("UV_SYSTEM_PYTHON") in ("1", "true"):
            words.append("--system")
        words += [f"--python {quote(word.text)}" for word in install.values("--python", "-p")[-1:] if word.known]
    words.append("--format=freeze")
    if name:
        words.append(f"--exclude {quote(name)}")
    return (
        f"Run `{' '.join(words)} | sed 's/+.*//' > constraints.txt` in the built image, commit that file, and give each install "
        "`-c constraints.txt`."
    )


def _program(stage: Stage, index: int, install: Install) -> list[str]:
    """The words that call pip or `uv pip` of the same environment as the install does."""
    words = [word for word in install.command.words if word.text]
    found: list[str] = []
    for word in words:
        if word.text == install.action or not word.known or not re.fullmatch(r"[\w./-]+", word.text):
            break
        found.append(word.text)
    if install.tool == "uv-pip" or not found or len(found) == len(words):
        found = ["uv pip"] if install.tool == "uv-pip" else ["pip"]
    elif folder := _activated(stage, index, install):
        found = [f"{folder}/pip"]
    return [quote(word) for word in install.command.runner] + found


def _activated(stage: Stage, index: int, install: Install) -> str:
    """The `bin` folder of the environment that the step of a command has activated before it; "" for none."""
    folder = ""
    for command in stage.steps[index].commands:
        if command is install.command:
            break
        name, *rest = command.words
        if name.text in (".", "source") and rest and rest[0].text.endswith("/bin/activate"):
            folder = posixpath.dirname(rest[0].text) if rest[0].known else ""
        elif name.text == "deactivate":
            folder = ""
    return folder if re.fullmatch(r"[\w./~-]+", folder) and "/" not in install.command.words[0].text else ""


def locked_file(
    repository: Repository,
    image: Image,
    stage: Stage,
    index: int,
    install: Install,
    *inputs: str,
    project: bool = False,
) -> str:
    """The remedy for a requirements file that a command installs: how to compile it, and what else `inputs` holds.

    `project`: the command installs a project, and the lock goes before it. Only where all that decides is known: the Python, the indexes, and which build of torch it is.
    """
    from gatepost.manifests.pythons import python_of

    python = python_of(image, stage, install)
    torch = torch_before(repository, image, stage, index, install)
    addresses = _addresses(repository, install, inputs[0])
    if torch_base(image, stage) or not python or torch is None or addresses is None or _mixed(install):
        return freeze(stage, index, install)
    options = [*addresses, *(("--prerelease allow",) if install.has("--pre") else ())]
    how = ""
    if not any(BUILD.search(option) or "--torch-backend" in option for option in options):
        if torch:
            tag, address = torch
            options.append(f"--torch-backend {tag}")
            how = (
                f" with `--torch-backend {tag}`" if install.tool == "uv-pip" else f" with `--extra-index-url {address}`"
            )
        elif (
            not _emitted(options)
            and not of_cuda(image, stage)
            and any(brings_torch(repository, path) for path in inputs)
        ):
            return freeze(stage, index, install)
    return compiled(inputs, [*options, f"--python-version {python}"], how, project)


def _mixed(install: Install) -> bool:
    """Whether a command installs more than one file: locks that are made apart need not agree."""
    return len(install.files) > 1 or bool(install.packages)


def _emitted(options: Sequence[str]) -> bool:
    """Whether the lock will name indexes of its own, of the command or of the file."""
    return any(option.startswith(("--emit-index-url", "--emit-find-links")) for option in options)


def export_without_torch(repository: Repository, install: Install, lock: str) -> str:
    """The remedy where an image that holds torch installs past a uv.lock: an export that leaves torch to the image."""
    folder = posixpath.dirname(lock)
    held = set(re.findall(r'(?<![\w-])name = "(torch(?:vision|audio)?)"', repository.text(lock)))
    out = posixpath.join(folder, "requirements.lock.txt")
    words = [
        "uv export --frozen --no-dev --no-emit-project",
        *((f"--project {quote(folder)}",) if folder else ()),
        *(f"--extra {quote(extra)}" for extra in extras_of(install)),
        *(f"--prune {name}" for name in FAMILY if name in held),
        f"-o {quote(out)}",
    ]
    then = " and then the project, both" if install.paths else ""
    return f"Run `{' '.join(words)}`, commit that file, and install it{then} with `--no-deps`."


def application(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install, folder: str
) -> tuple[Stage, int, Install, str] | None:
    """The requirements file of another folder that the image installs before: the project in `folder` is a part of that one.

    The file comes with the stage, the step and the command that installs it.
    """
    if not folder:
        return None
    for one in image.feeding(stage):
        for number, found in image.installs(one):
            if one is stage and (number > index or found.command is install.command):
                break
            if found.tool not in ("pip", "uv-pip") or found.command.cwd is None or found.command.conditional:
                continue
            for word in found.files:
                path = image.locate(one, number, posixpath.join(found.command.cwd, word.text)) if word.known else None
                if path is not None and not path.startswith(folder + "/") and pins_of(repository, path) is not None:
                    return one, number, found, path
    return None


def compiled(inputs: Sequence[str], options: Sequence[str] = (), how: str = "", project: bool = False) -> str:
    """The remedy itself. `how`: what else the command that installs the lock needs; `project`: one is installed after it."""
    lock = f"{posixpath.splitext(inputs[0])[0]}.lock.txt"
    command = " ".join(("uv pip compile", *map(quote, inputs), "-o", quote(lock), *options))
    return f"Run `{command}`, commit it, and install that file{how}{' before the project' if project else ''}."


def own_addresses(repository: Repository, path: str) -> list[str]:
    """The options that keep what a requirements file says itself of indexes."""
    names = {option.name for _, file in repository.family(path) for option in file.options}
    found = ["--emit-index-url"] if names & {"index-url", "extra-index-url"} else []
    found += ["--emit-find-links"] if "find-links" in names else []
    return found + (["--index-strategy unsafe-best-match"] if "extra-index-url" in names else [])


def _addresses(repository: Repository, install: Install, path: str) -> list[str] | None:
    """The options that keep the indexes of a command and of the file that it installs; None where they are not known."""
    given = sources(install)
    options = [option for _, file in repository.family(path) for option in file.options]
    values = [option.value for option in options if option.name in ("index-url", "extra-index-url", "find-links")]
    words = [*((given.index,) if given.index is not None else ()), *given.extra, *given.links]
    if given.unknown or any(not _PLAIN.fullmatch(text) for text in (*values, *(word.text for word in words))):
        return None
    if install.has("--no-index") or any(option.name == "no-index" for option in options):
        return None
    names = {option.name for option in options}
    found: list[str] = []
    if given.index is not None and "index-url" not in names and not _is_pypi(given.index.text):
        found.append(f"--default-index {given.index.text}")
    found += [f"--index {word.text}" for word in given.extra]
    found += [f"--find-links {word.text}" for word in given.links]
    if (found and not all(one.startswith("--find-links") for one in found)) or names & {"index-url", "extra-index-url"}:
        found.append("--emit-index-url")
    if given.links or "find-links" in names:
        found.append("--emit-find-links")
    strategy = install.values("--index-strategy")[-1:]
    if install.tool == "uv-pip":
        text = strategy[0].text if strategy else install.command.env.get("UV_INDEX_STRATEGY")
        found += [f"--index-strategy {text}"] if text else []
        found += [f"--torch-backend {given.backend}"] if given.backend else []
    elif given.extra or "extra-index-url" in names:
        found.append("--index-strategy unsafe-best-match")
    return found


def _is_pypi(address: str) -> bool:
    host = re.sub(r"^https?://", "", address).partition("/")[0].lower()
    return tuple(host.split(".")) in _PYPI
