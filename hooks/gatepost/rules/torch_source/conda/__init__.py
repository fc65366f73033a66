"""TS6xx: conda and pixi environments."""

from __future__ import annotations

from gatepost.rules.torch_source.conda import builds, channels, installers, selectors

RULES = (
    channels.ended_channel,
    channels.frozen_channel,
    installers.both_installers,
    installers.locked_by_both,
    builds.locked_build,
    channels.channel_order,
    selectors.unpublished,
    builds.cuda_in_cpu,
    builds.cpu_in_gpu,
    selectors.old_selector,
    selectors.no_system_cuda,
)
