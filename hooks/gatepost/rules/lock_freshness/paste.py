"""What to paste so that a lock holds what an image installs today: its indexes, its Python, its torch.

As uv 0.13.8 does: `--emit-index-url` and `--emit-find-links` write the addresses of options and of input files, but not
the one of `--torch-backend`; and where an index holds a name, only `unsafe-best-match` looks further, as pip always does.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.locks._base import quote
from gatepost.manifests.installs.commands import installs
from gatepost.manifests.installs.sources import sources
from gatepost.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.installs import Install
    from gatepost.manifests.projects import Repository

# Images that are chosen for the torch that they hold.
_WITH_TORCH = pattern(
    r"(?:^|/)(?:pytorch/pytorch|rocm/(?:pytorch|vllm)|vllm/vllm-openai|huggingface/(?:transformers-)?pytorch[\w-]*|"
    r"nvidia/(?:pytorch|nemo|l4t-pytorch)|dustynv/(?:l4t-)?pytorch|pytorch-(?:training|inference)[\w-]*|runpod/pytorch|"
    r"intel/intel-extension-for-pytorch)(?:[:@]|$)"
)
_BUILD = pattern(r"https?://download(?:-r2)?\.pytorch\.org/whl/(cpu|cu\d{2,3}|rocm\d+(?:\.\d+)+|xpu)/?")
_PLAIN = pattern(r"https?://[\w.:-]+(?:/[\w./~+%-]*)?")  # an address without user, query or variable
_PYPI = (("pypi", "org"), ("pypi", "python", "org"))
_FAMILY = ("torch", "torchvision", "torchaudio")


def torch_base(image: Image, stage: Stage) -> str:
    """The image below a stage, if it is chosen for the torch that it holds; else ""."""
    base, known = image.dockerfile.image(stage)
    return base if known and _WITH_TORCH.search(base) else ""


def freeze(install: Install, name: str = "") -> str:
    """The remedy that is right for every image: what it holds, as constraints. `name`: the project's own.

    Labels go, as no index need have them: `torch==2.8.0` holds for 2.8.0+cpu too.
    """
    uv = install.tool == "uv-pip"
    words = ["uv pip list" if uv else "pip list"]
    if uv and (install.has("--system") or install.command.env.get("UV_SYSTEM_PYTHON") in ("1", "true")):
        words.append("--system")
    words.append("--format=freeze")
    if name:
        words.append(f"--exclude {quote(name)}")
    return (
        f"Run `{' '.join(words)} | sed 's/+.*//' > constraints.txt` in the built image, commit that file, and give each install "
        "`-c constraints.txt`."
    )


def locked_file(
    repository: Repository, image: Image, stage: Stage, index: int, install: Install, path: str, more: str = ""
) -> str:
    """The remedy for a requirements file that a command installs: how to compile it, with `more` as a second input."""
    torch = _torch_before(image, stage, index, install)
    addresses = _addresses(repository, install, path)
    if torch_base(image, stage) or torch is None or addresses is None:
        return freeze(install)
    options = [*addresses, *(("--prerelease allow",) if install.has("--pre") else ())]
    how = ""
    if torch and not any(_BUILD.search(option) or "--torch-backend" in option for option in options):
        tag, address = torch
        options.append(f"--torch-backend {tag}")
        how = f" with `--torch-backend {tag}`" if install.tool == "uv-pip" else f" with `--extra-index-url {address}`"
    from gatepost.manifests.pythons import python_of

    python = python_of(image, stage, install)
    if python:
        options.append(f"--python-version {python}")
    return compiled(path, options, how, more)


def export_without_torch(repository: Repository, install: Install, lock: str) -> str:
    """The remedy where an image that holds torch installs past a uv.lock: an export that leaves torch to the image."""
    folder = posixpath.dirname(lock)
    held = set(re.findall(r'^name = "(torch(?:vision|audio)?)"', repository.text(lock), re.MULTILINE))
    extras = [word.text.partition("[")[2].rstrip("]") for word in install.paths if "[" in word.text]
    out = posixpath.join(folder, "requirements.lock.txt")
    words = [
        "uv export --frozen --no-dev --no-emit-project",
        *((f"--project {quote(folder)}",) if folder else ()),
        *(f"--extra {quote(extra.strip())}" for text in extras for extra in text.split(",")),
        *(f"--prune {name}" for name in _FAMILY if name in held),
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
                if path is not None and not path.startswith(folder + "/") and repository.pins(path) is not None:
                    return one, number, found, path
    return None


def compiled(path: str, options: Sequence[str] = (), how: str = "", more: str = "") -> str:
    """The remedy itself. `how`: what else the command that installs the lock needs."""
    lock = f"{posixpath.splitext(path)[0]}.lock.txt"
    inputs = " ".join(quote(one) for one in (path, more) if one)
    command = " ".join(("uv pip compile", inputs, "-o", quote(lock), *options))
    return f"Run `{command}`, commit it, and install that file{how}{' before the project' if more else ''}."


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


def _torch_before(image: Image, stage: Stage, index: int, install: Install) -> tuple[str, str] | tuple[()] | None:
    """(build, index) of the newest torch that an earlier command takes from PyTorch's index; () where none does.

    None where one takes a certain release, or takes torch in another way than by name from one index.
    """
    found: set[tuple[str, str]] = set()
    for earlier in before(image, stage, index, install):
        if earlier.tool not in ("pip", "uv-pip") or earlier.action != "install":
            continue
        given = sources(earlier)
        texts = [word.text for word in (given.index, *given.extra, *given.links) if word is not None]
        named = [package for package in earlier.packages if package.name in _FAMILY]
        if not (given.backend or any("whl" in text or "pytorch" in text for text in texts)):
            if any(package.specifier for package in named):
                return None
            continue
        build = _BUILD.fullmatch(texts[0]) if len(texts) == 1 and given.index is not None else None
        if build is None or earlier.files or earlier.command.conditional or not named:
            return None
        if any(package.specifier or package.url for package in named):
            return None
        found.add((build[1], texts[0]))
    return found.pop() if len(found) == 1 else None if found else ()


def foreign_before(image: Image, stage: Stage, index: int, install: Install) -> bool:
    """Whether earlier commands install what no lock could name: torch of another index, a folder of another repository."""
    if _torch_before(image, stage, index, install) != ():
        return True
    for one, number, earlier in _before(image, stage, index, install):
        if earlier.paths and earlier.command.cwd is not None and image.project(one, number, earlier) is None:
            return True
    return False


def before(image: Image, stage: Stage, index: int, install: Install) -> Iterator[Install]:
    """The installer commands that run in the stages below and in this one before a command."""
    return (found for _, _, found in _before(image, stage, index, install))


def _before(image: Image, stage: Stage, index: int, install: Install) -> Iterator[tuple[Stage, int, Install]]:
    for one, number, step in image.steps(stage):
        if one is stage and number > index:
            return
        for found in installs(step.commands):
            if one is stage and number == index and found.command is install.command:
                return
            yield one, number, found
