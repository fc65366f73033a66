"""What an install is known to bring, and the build that an index, an option or a label states.

A build is "cpu", "pypi" (the default wheel of the public registry: CUDA since torch 0.4), a CUDA or ROCm tag that
somebody chose, or "" for not known."""

from __future__ import annotations

import re

from gatepost.manifests.names import canonical
from gatepost.record import record
from gatepost.rules.torch_source import specs, urls
from gatepost.rules.torch_source.carriers import CARRIED_UNTIL, CARRIERS, CARRYING_EXTRAS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatepost.manifests.installs.sources import Sources


FAMILY = frozenset({"torch", "torchvision", "torchaudio"})


@record
class Asked:
    """One requirement that brings torch: `name` is the package that does, `spec` torch's own range if it is direct."""

    name: str
    spec: str
    build: str  # "cpu", "pypi", "cu121", "rocm6.2", "" (not known)
    path: str
    line: int
    range: str = ""  # of `name` itself, as it is written where it is asked for


@record
class Effect:
    """What a command does about torch. `gpu` names a package that only makes sense with a GPU, "" when none."""

    asked: tuple[Asked, ...]
    gpu: str
    locked: bool  # the answer comes from a lock that the command installs exactly
    unknown: bool = False  # something was read that could not be judged

    @property
    def build(self) -> str:
        """One build for the command: "cpu" wins (whoever names it means it), then a tag, then not known, then "pypi"."""
        builds = [one.build for one in self.asked]
        if "cpu" in builds:
            return "cpu"
        for build in builds:
            if build not in ("", "pypi"):
                return build
        return "" if self.unknown or not builds or "" in builds else "pypi"

    @property
    def first(self) -> Asked:
        """The requirement to name: torch itself if it is there, else the first that brings it."""
        return next((one for one in self.asked if one.name == "torch"), self.asked[0])


NOTHING = Effect(asked=(), gpu="", locked=False)


def index_build(text: str) -> str:
    """The build an index serves: "cpu", "cu121", "pypi" for the registry and its known mirrors, "" for others."""
    url = urls.split(text)
    if urls.is_torch_index(text) and url.build:
        return url.build
    if urls.is_pypi(text):
        return "pypi"
    labels = url.host.split(".")
    mirrors = (
        "tsinghua.edu.cn",
        "aliyun.com",
        "ustc.edu.cn",
        "tencent.com",
        "tencentyun.com",
        "huaweicloud.com",
        "douban.com",
        "bfsu.edu.cn",
    )
    if ".".join(labels[-3:]) in mirrors or ".".join(labels[-2:]) in mirrors:
        return "pypi" if "pytorch" not in url.path else ""
    return ""


def carries(name: str, extras: Iterable[str], spec: str = "") -> bool:
    """Whether a package, asked for with these extras in this range, requires torch."""
    if name in CARRIED_UNTIL and specs.parse(spec).admits(CARRIED_UNTIL[name]):
        return False
    if name == "torch" or name in CARRIERS:
        return True
    return bool(CARRYING_EXTRAS.get(name, frozenset()) & {canonical(extra) for extra in extras})


def sourced(found: Sources) -> str:
    """The build that torch gets from a command's indexes; "pypi" when nothing says otherwise."""
    if found.unknown:
        return ""
    if found.backend:
        return {"auto": "cpu"}.get(found.backend, found.backend)
    default = index_build(found.index.text) if found.index is not None else "pypi"
    builds = [index_build(word.text) for word in found.extra]
    chosen = [build for build in builds if build not in ("", "pypi")]
    if "cpu" in chosen or default == "cpu":
        return "cpu"
    if chosen:
        return chosen[0]
    if any(build == "" for build in builds) or found.links:
        return "cpu" if any("/cpu" in word.text for word in found.links) else ""
    return default


def labelled(spec: str, url: str, fallback: str) -> str:
    """The build that a local label or a direct URL states, else what the index gives."""
    text = url.replace("%2B", "+").replace("%2b", "+") if url else spec
    match = re.search(r"\+(cpu|cu\d+|rocm[\d.]+|xpu)", text) or (
        re.search(r"/whl/(cpu|cu\d+|rocm[\d.]+)/", text) if url else None
    )
    if match:
        return match[1]
    return "" if url else fallback
