"""What an environment of conda or pixi asks for, and of which channel."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.torch_source.model import Project, Requirement


TORCH = ("pytorch", "pytorch-gpu", "pytorch-cpu")


def packages(p: Project) -> list[Requirement]:
    """What conda installs, as against pip in the same environment."""
    return [req for req in p.requirements if req.role == "conda"]


def has_channel(p: Project, channel: str) -> bool:
    return any(name.rstrip("/").rsplit("/", 1)[-1] == channel or name == channel for name in p.channels)


def torches_of(p: Project) -> list[Requirement]:
    return [req for req in packages(p) if req.name in TORCH]


# Channels that have pytorch, besides its own.
PROVIDERS = ("pytorch", "conda-forge", "defaults", "main", "anaconda", "intel")


def provider(p: Project, req: Requirement) -> str:
    """The channel that pytorch comes from: the one it names, else the first listed that has it; "" if not known."""
    if req.channel:
        return req.channel
    names = [name.rstrip("/").rsplit("/", 1)[-1] for name in p.channels]
    return next((name for name in names if name in PROVIDERS), "")
