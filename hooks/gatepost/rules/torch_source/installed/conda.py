"""What `conda env create` brings by the `pip:` list of an environment file, where conda itself installs nothing of PyTorch's.

conda runs pip with the environment that it was given, so that pip's variables count (conda's "Managing environments").
"""

from __future__ import annotations

from gatepost.manifests import environment
from gatepost.manifests import requirements as pip_lines
from gatepost.manifests.names import canonical
from gatepost.rules.torch_source import markers
from gatepost.rules.torch_source.carriers import GPU_ONLY
from gatepost.rules.torch_source.installed.build import FAMILY, Asked, Effect, carries, index_build, labelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.installs import Install

_UNKNOWN = Effect(asked=(), gpu="", locked=False, unknown=True)
# What says in conda's own list which build is meant.
_OF_CONDA = ("pytorch", "cpuonly", "cudatoolkit", "cudnn", "nccl", "libtorch")


def effect(path: str, data: bytes, install: Install) -> Effect:
    """What an environment file brings; not known where anything but the public index may serve its torch."""
    file = environment.parse(data)
    own = {dep.name.lower() for dep in file.dependencies}
    if not file.is_environment or any(name.startswith((*_OF_CONDA, "cuda")) for name in own):
        return _UNKNOWN
    env = install.command.env
    builds = [index_build(env.get(name) or "") for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL") if name in env]
    asked = []
    gpu = ""
    for dep in file.pip:
        parsed = pip_lines.parse(dep.text.encode("utf-8", "replace"))
        if parsed.includes:
            return _UNKNOWN
        builds += [index_build(option.value) for option in parsed.options if option.name != "no-cache-dir"]
        for line in parsed.lines:
            name = canonical(line.name) if line.name else ""
            if not name or (line.marker and not markers.possible(line.marker, "linux_x86_64")):
                continue
            gpu = gpu or (name if name in GPU_ONLY else "")
            if carries(name, line.extras, line.specifier):
                asked.append(
                    Asked(
                        name=name,
                        spec=line.specifier if name == "torch" else "",
                        build=labelled(line.specifier, line.url, "pypi") if name in FAMILY else "pypi",
                        path=path,
                        line=dep.line,
                        range=line.specifier,
                    )
                )
    found = Effect(asked=tuple(asked), gpu=gpu, locked=False, unknown=False)
    return found if all(build == "pypi" for build in (*builds, *(one.build for one in asked))) else _UNKNOWN
