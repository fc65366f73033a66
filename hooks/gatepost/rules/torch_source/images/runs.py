"""What of a repository runs an image with a GPU: pages, scripts, manifests of clusters and clouds, the program itself."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import gpus, places
from gatepost.patterns import pattern
from gatepost.rules.torch_source.images.services import OTHERS, builds_of, speaking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Repository


GPU_WORD = pattern(r"cuda|gpu|nvidia|rocm|cudnn|tensorrt|jetson|l4t|hopper|habana", re.IGNORECASE)
_TELLS = pattern(
    r"(?:^|/)(?:Makefile|README[^/]*|[^/]+\.(?:sh|ps1|bat|sbatch|slurm|tf|tfvars)|justfile|DOCKER[^/]*\.md|fly\.toml|"
    r"[^/]*task[^/]*\.json|\w*(?:launch|deploy|docker)\w*\.py)$"
)
_TELLING = (".yaml", ".yml", "Makefile", "justfile", ".md", ".sh", ".ps1", ".bat", ".sbatch", ".slurm", ".tf", ".tfvars", "fly.toml", ".json", ".py")  # fmt: skip
_RUN_WITH = pattern(
    rb"--gpus[ =]|--runtime[= ]nvidia|nvidia-docker|driver: nvidia|nvidia\.com/gpu|"
    rb"(?:apptainer|singularity)\b.*\s--nv\s|gcloud run\b.*--gpu|(?m:^suggested_hardware:\s*(?!cpu)\w)"
)
# What a manifest of a cloud asks for. In a page the same words tell of machines, not of this image.
_MACHINE = pattern(
    rb"--gpu-type[ =]|/accelerator: nvidia|gke-accelerator|\bgpu_kind\b|NVIDIA_TESLA_|\bnvidia-(?:tesla|l4|a100)|"
    rb"\baccelerators:\s*\W*(?:A10G?|A100|H100|L4|L40S?|T4|V100)\b|\"type\"\s*:\s*\"GPU\"|"
    rb"\bml\.(?:g\d\w*|p[2-6]\w*)\.\w*xlarge|\b(?:g4dn|g[56]e?|p[2-5]d?)\.\w*xlarge|\bStandard_N[CDV]\d"
)
_DEVICES = pattern(rb"\bDeviceRequest\(|\bdevice_requests\s*=")
_COMMENTED = pattern(rb"(?m)^\s*#.*(?:driver: nvidia|--gpus[ =]|runtime: nvidia|gpus: all)")


def with_gpu(repository: Repository, image: Image, stage: Stage) -> bool:
    """A page, a Kubernetes file or a `docker run` line that asks for a GPU, when nothing else is there for it.

    That is another Dockerfile, or a stage on an image with CUDA that has nothing to do with this one.
    """
    folder = posixpath.dirname(image.path)
    others = [
        other.path
        for other in repository.images()
        if other.path != image.path
        and (GPU_WORD.search(other.path) or any(GPU_WORD.search(stage.image) for stage in other.dockerfile.stages))
    ]
    if _said_inside(repository, image):
        return True
    if any(path.startswith(folder + "/" if folder else "") for path in others) or _stage_for_gpus(image, stage):
        return False
    if _documented(repository, image, stage) or _deployed(repository, image, stage):
        return True
    if others:
        return _beside(repository, folder)
    many = len([one for one in repository.images() if not places.is_example(one.path)]) > 3
    count = 0
    for path in sorted(path for path in repository.paths if path.endswith(_TELLING) or "README" in path):
        if count > 300 or (many and not path.startswith(folder)):
            continue
        if (path.endswith((".yaml", ".yml")) and not path.startswith(".github/")) or _TELLS.search(path):
            if places.is_generated(path):
                continue
            count += 1
            data = speaking(repository, image, stage, path)
            page = path.endswith(".md") or "README" in path
            if _RUN_WITH.search(data) or (not page and _MACHINE.search(data)):
                return True
            if path.endswith(".py") and _DEVICES.search(data):
                return True
        elif path.endswith(".md") and not places.is_generated(path) and _page_runs(repository.read(path) or b""):
            return True
    return False


def _stage_for_gpus(image: Image, stage: Stage) -> bool:
    """Whether a target of the same Dockerfile stands on an image with CUDA, and shares nothing with a stage."""
    kin = {one.index for one in (*image.feeding(stage), *image.descendants(stage))}
    return any(GPU_WORD.search(one.image) for one in image.dockerfile.stages if one.name and one.index not in kin)


def _page_runs(page: bytes) -> bool:
    """Whether a page runs an image with a GPU, other than one of those that others publish."""
    if b"--gpus" not in page:
        return False
    commands = re.findall(rb"(?:docker|podman|nerdctl)(?: container)? run\b[^\n`]*", page.replace(b"\\\n", b" "))
    return any(re.search(rb"--gpus[ =]", command) and not OTHERS.search(command) for command in commands)


def _said_inside(repository: Repository, image: Image) -> bool:
    """Whether a comment of the Dockerfile says how to run its image with a GPU."""
    return re.search(rb"(?m)^\s*#.*--gpus[ =]", repository.read(image.path) or b"") is not None


_ANOTHER_BASE = pattern(
    r"\bFROM\s+\S*(?:nvidia|cuda|nvcr\.io)|\bfor\s+(?:an?\s+)?(?:gpus?|cuda)\b|"
    r"\b(?:switch|change|replace|swap|uncomment|rebuild|base image)\b.*\b(?:gpus?|cuda)\b|"
    r"\b(?:gpus?|cuda)[\s-]+(?:use|usage|support|builds?|acceleration)\b",
    re.IGNORECASE,
)
_NEGATED = pattern(r"\b(?:no|non|not|never|without|avoid\w*|skip\w*|instead of|cpu[\s-]only)\b|n't\b", re.IGNORECASE)


def another_base(repository: Repository, image: Image) -> bool:
    """Whether a comment of the Dockerfile says what to change for a GPU: its CPU image is one of two uses of it."""
    rows = (repository.read(image.path) or b"").decode("utf-8", "replace").splitlines()
    comments = (row for row in rows if row.lstrip().startswith("#"))
    return any(_ANOTHER_BASE.search(row) and not _NEGATED.search(row) for row in comments)


def _deployed(repository: Repository, image: Image, stage: Stage) -> bool:
    """Whether a document of a YAML file asks for a GPU for what bears the name of the image's folder or service."""
    builds = builds_of(image, stage)
    names = {posixpath.basename(posixpath.dirname(image.path)), *(build.service for build in builds)}
    names |= {posixpath.basename(tag).partition(":")[0] for build in builds for tag in build.tags}
    names = {name for name in names if len(name) > 2 and name not in _COMMON and "$" not in name}
    if not names:
        return False
    if ("documents with a GPU",) not in repository.memo:
        repository.memo["documents with a GPU",] = [
            document
            for path in sorted(path for path in repository.paths if path.endswith((".yaml", ".yml")))[:1000]
            if not (
                places.is_generated(path)
                or path.startswith(".github/")
                or b"services:" in (repository.read(path) or b"")
            )
            for document in re.split(rb"(?m)^---", repository.read(path) or b"")
            if _RUN_WITH.search(document) or _MACHINE.search(document)
        ]
    wanted = "|".join(map(re.escape, sorted(names))).encode()
    said = re.compile(rb"(?m)^[\s-]*(?:name|image|app|repository)\s*:[^\n]*(?<![\w-])(?:" + wanted + rb")(?![\w-])")
    return any(said.search(document) for document in repository.memo["documents with a GPU",])


_COMMON = frozenset(("app", "docker", "build", "deploy", "container", "containers", "images", "image", "dockerfiles"))
_ON_GPU = pattern(rb"\.cuda\(\s*\)|\.to\(\s*[\"']cuda|\bdevice\s*=\s*(?:torch\.device\(\s*)?[\"']cuda")
_ASKS = pattern(rb"is_available|device_count|environ|getenv|argparse|except|[\"']cpu[\"']")


def needs_gpu(repository: Repository, image: Image) -> bool:
    """Whether the program that the image starts puts its work on a GPU, and never asks whether there is one."""
    last = image.dockerfile.stages[-1] if image.dockerfile.stages else None
    for step in last.steps if last is not None else ():
        if step.kind not in ("cmd", "entrypoint"):
            continue
        for text in (text for command in step.commands for text in command.texts):
            module = re.fullmatch(r"([A-Za-z_][\w.]*):\w+", text)
            name = module[1].replace(".", "/") + ".py" if module else posixpath.normpath(text)
            program = posixpath.join(image.context, name) if name.endswith(".py") else ""
            data = repository.read(program) if program in repository.paths else None
            if data and _ON_GPU.search(data) and not _ASKS.search(data):
                return True
    return False


def _beside(repository: Repository, folder: str) -> bool:
    """Whether what stands beside a Dockerfile says how to run its image with a GPU: text, or a comment of a YAML file."""
    for path in sorted(path for path in repository.paths if posixpath.dirname(path) == folder):
        telling = _COMMENTED if path.endswith((".yaml", ".yml")) else _RUN_WITH if _TELLS.search(path) else None
        if telling is not None and telling.search(repository.read(path) or b""):
            return True
    return False


def _documented(repository: Repository, image: Image, stage: Stage) -> bool:
    """Whether a page shows a compose file that gives a GPU to a service which this Dockerfile builds."""
    builds = builds_of(image, stage)
    if not any(build.service for build in builds):
        return False
    if ("services with a GPU",) not in repository.memo:
        repository.memo["services with a GPU",] = {
            (_top(path), name)
            for path in sorted(path for path in repository.paths if path.endswith((".md", ".mdx", ".rst")))[:1000]
            if not places.is_generated(path)
            for name in gpus.shown(repository.read(path) or b"")
        }
    shown: set[tuple[str, str]] = repository.memo["services with a GPU",]
    return any(
        build.service == name and (build.path.startswith(top + "/") or not top)
        for build in builds
        for top, name in shown
    )


def _top(path: str) -> str:
    """The folder that a page speaks of: where it lies, or what the folder of documents that it lies in belongs to."""
    parts = posixpath.dirname(path).split("/")
    return "/".join(parts[: next((at for at, part in enumerate(parts) if part.startswith("doc")), len(parts))])
