"""TS2xx: do the versions and builds that are asked for exist, and do they go together? By rows of the table only."""

from __future__ import annotations

from gatepost.rules.torch_source.versions import (
    brought,
    builds,
    companions,
    floating,
    labels,
    neighbours,
    numpy_brought,
    platforms,
    pythons,
    releases,
)

RULES = (
    labels.label_in_range,
    labels.label_without_index,
    companions.companions,
    brought.brought_audio,
    builds.tag_mix,
    builds.unpublished_build,
    pythons.python_beyond_wheels,
    platforms.gpu_everywhere,
    platforms.tag_on_mac,
    platforms.machine_name,
    floating.floating,
    neighbours.numpy_two,
    numpy_brought.numpy_two_brought,
    neighbours.forced_torch,
    neighbours.triton_unrouted,
    releases.nightly,
    releases.yanked,
    releases.wrong_name,
    platforms.intel_mac,
    builds.line_ended,
    builds.moving_cuda,
)
